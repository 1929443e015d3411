"""One server at one port for all tools of a run that stand in for real ones."""

from collections.abc import Iterator

import pytest

from tests.web.sources.tools.served import Server


@pytest.fixture(scope="session")
def tool_server() -> Iterator[Server]:
    """A server that answers as whatever is put there."""
    made = Server()
    yield made
    made.stop()
