"""A clock that stands where the clock of the fakes does."""

from collections.abc import Iterator

import pytest

from tests.web.sources.tools.served import NOW, Server
from web import clock


@pytest.fixture
def server(tool_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    yield tool_server
    if tool_server.fake is not None:
        tool_server.fake.fault = ""
