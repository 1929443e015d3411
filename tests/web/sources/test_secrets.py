"""The secret of a source is nowhere: no page, no answer, no log, no file, no export, whatever the tool does with it."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Route

from domain.ids import SourceId
from domain.plan.sources.commands import DetachSource
from tests.web.doors import VIEWER, every_route
from tests.web.sources.house import HARBOUR, TAKE, Sourced, form, reaching
from tests.web.sources.tools.fake_github import FakeGitHub
from tests.web.sources.tools.served import Asked, Reply, Server
from tests.world import SHARE
from web.process import log_lines

pytestmark = [pytest.mark.stories, pytest.mark.slow]
KEY = SourceId("github1")
SECRET = "s3cret-of-the-tool"
HERE = f"/p/{HARBOUR}/sources/{KEY}"


class Echo(FakeGitHub):
    """GitHub that repeats, while `echoes`, whatever it was sent."""

    echoes = False

    def reply(self, asked: Asked) -> Reply:
        if not self.echoes:
            return super().reply(asked)
        told = f"Bad request: {asked.headers} {self.secret}"
        return Reply(422, {"message": told}, {"x-error": f"token {self.secret}"})


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Sourced]:
    with reaching(tmp_path) as made:
        yield made


def pages(pull: str) -> list[str]:
    """Return every address that can be asked for with the names there are, of whatever role."""
    named = {"project": HARBOUR, "share": SHARE, "source": KEY, "pull": pull, "tool": "github", "n": "1"}
    routes = [one for one in every_route() if isinstance(one, Route) and "GET" in (one.methods or ())]
    wanted = [(one.path, set(re.findall(r"{(\w+)", one.path))) for one in routes]
    return [
        re.sub(r"{(\w+)(:\w+)?}", lambda found: named[found[1]], path)
        for path, names in wanted
        if names <= set(named) and "/live" not in path
    ]


def test_a_secret_is_in_no_page_no_log_and_no_file_while_it_is_used_refused_and_after(
    house: Sourced, tool_server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    log_lines.hush()  # as a server does when it begins
    fake = Echo()
    fake.secret = SECRET
    tool_server.put(fake)
    engine, taking = house.services.sources.engine, house.services.sources.taking
    sealed = taking.seal(HARBOUR, KEY, 1, SECRET, (fake.name, fake.address))
    house.attach(key=KEY, tool=fake.name, address=fake.address, values=fake.values(), rules=TAKE, secret=sealed)
    assert engine.turn_of(HARBOUR, KEY).news == "recorded"
    last = house.source(KEY).last
    assert last is not None
    fake.echoes = True
    assert engine.turn_of(HARBOUR, KEY).trouble is not None
    failure = house.source(KEY).failure
    assert failure is not None
    assert "Bad request" in failure.why, "what the tool said is told on"
    manager = house.house.client("manager")
    seen = [
        form(manager, f"{HERE}/test", page=HERE),
        form(manager, f"{HERE}/secret", page=HERE, secret=f"{SECRET}\nX: 1"),
    ]
    for person in ("manager", "auditor", "admin", VIEWER):
        browser = house.house.client(person)
        seen += [browser.get(path) for path in pages(last.id)]
    assert sum(answer.status_code == 200 for answer in seen) > 60
    told = [(str(one.url), bytes(one.content) + repr(one.headers).encode()) for one in seen]
    assert [url for url, body in told if SECRET.encode() in body] == []
    assert engine.turn_of(HARBOUR, KEY).trouble is not None, "the one with a line break"
    house.tell(DetachSource(project=HARBOUR, source=KEY, reason="over"))
    assert SECRET not in caplog.text
    assert caplog.records
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in files if SECRET.encode() in path.read_bytes()] == []
    assert files
    assert SECRET.encode() not in house.services.metrics.text()
