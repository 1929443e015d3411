"""One server at one port for all fakes of a run, and a clock that stands where the fakes' does."""

from collections.abc import Iterator

import pytest

from tests.web.sources.tools.served import NOW, Server
from web import clock


@pytest.fixture(scope="session")
def tool_server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


@pytest.fixture
def server(tool_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    yield tool_server
    if tool_server.fake is not None:
        tool_server.fake.fault = ""
