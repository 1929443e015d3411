"""A server that is killed in the middle of a pull and started again: nothing is lost, doubled or half taken."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests.fleet import eventually
from tests.ports import free_port
from tests.programs import Program
from tests.services.pulling import GITHUB, JUNE, Attached, Holding, attach, flags, roof, trusted
from tests.web.sources.tools.calling import call
from tests.web.sources.tools.served import Server
from tests.world import HARBOUR, KEY, SHARE, World
from web.process import signing
from web.render.page import Renderer
from web.settings import Settings

pytestmark = [pytest.mark.alone, pytest.mark.folder]

LATER = JUNE + timedelta(days=9)
POINTS = (
    "after-pull",
    "before-event-commit",
    "after-event-commit",
    "after-pull-recorded",
    "before-disclosure-commit",
    "after-disclosure-commit",
    "before-send",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server(trusted())
    yield made
    made.stop()


class Installed:
    """A folder in which the milestone of a tool is shared, and servers of it."""

    def __init__(self, path: Path, server: Server) -> None:
        self.path, self.tool, self.port = path / "data", Holding(), free_port()
        server.put(self.tool)
        world = World(self.path, Renderer(), start=datetime.now(UTC) - timedelta(hours=3))
        world.harbour()
        signing.write(Settings(data=self.path).key_file, KEY)
        folder = world.folder.events
        self.source: Attached = attach(folder, world.present, world.service, self.tool, world.clock)
        world.follow()
        self.before = world.folder.disclosure.head(SHARE)
        world.close()
        self.logs = path / "log"

    def serve(self, dies_at: str = "") -> Program:
        """Start a server, which may kill itself at a point after the tool answered."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("FANLIGHT_")}
        told = ["serve", "--data", self.path, "--port", self.port, *flags()]
        return Program(told, clean | {"DIES_AT": dies_at}, self.logs, "tests.services.serving_victim")

    def pulled_again(self) -> None:
        """Start a server, have it pull twice, and kill it: when the second pull begins, the first is recorded."""
        again, before = self.serve(), self.tool.begun
        try:
            eventually(lambda: self.tool.begun > before, what="the tool is asked")
            for turn in (1, 2):
                eventually(lambda: self._hint() == 204, what="a hint is taken")
                eventually(lambda t=turn: self.tool.begun > before + t, what="it is asked again")
        finally:
            again.send_signal(signal.SIGKILL)
        assert again.wait(20) == -signal.SIGKILL, self.logs.read_text()[-3000:]

    def _hint(self) -> int:
        try:
            return call("github", f"http://127.0.0.1:{self.port}/hooks/{self.source.hook}", self.source.secret)
        except OSError:
            return 0

    def check(self, *, after: str) -> None:
        """Compare the record with what the tool said: each value once, in one pull, and shown in one update."""
        world = World(self.path, Renderer())
        world.follow()
        project = world.present.refresh().projects[HARBOUR]
        pulls = project.sources[GITHUB].pulls
        for title in ("Roof closed", "Handover"):
            assert [move.forecast for move in roof(project, title).moves] == [JUNE, LATER], (title, after)
        assert [len(pull.values) for pull in pulls] == [2, 2], after
        assert project.sources[GITHUB].failure is None
        versions = [recorded.version for recorded in world.folder.events.stream(f"project-{HARBOUR}")]
        assert versions == list(range(1, len(versions) + 1))
        numbers = [entry.n for entry in world.entries()]
        assert numbers == list(range(1, len(numbers) + 1))
        views = [world.view(n) for n in range(self.before, len(numbers) + 1)]
        shown = [next(one.forecast for one in view.milestones if one.title == "Roof") for view in views]
        assert sum(old != new for old, new in pairwise(shown)) == 1, after
        assert shown[-1] == LATER
        world.close()
        kept = [self.logs, *(path for path in self.path.rglob("*") if path.is_file())]
        assert [path.name for path in kept if self.tool.secret.encode() in path.read_bytes()] == []

    def half(self) -> bool:
        """Tell whether, as the killed server left it, one of two values of the pull is there and the other is not."""
        world = World(self.path, Renderer())
        project = world.present.refresh().projects[HARBOUR]
        there = {roof(project, title).forecast == LATER for title in ("Roof closed", "Handover")}
        recorded = len(project.sources[GITHUB].pulls) == 2
        world.close()
        return there != {recorded}


def parameters() -> list[object]:
    """One point in make test, the others in make test-slow."""
    return [pytest.param(point, marks=[] if point == "after-event-commit" else [pytest.mark.slow]) for point in POINTS]


@pytest.mark.parametrize("point", parameters())
def test_killed_after_the_tool_answered_and_started_again_it_has_the_pull_once(
    tmp_path: Path, server: Server, point: str
) -> None:
    here = Installed(tmp_path, server)
    here.tool.move(LATER)
    code = here.serve(point).wait(60)
    assert code == -signal.SIGKILL, here.logs.read_text()[-3000:]
    assert not here.half()
    here.pulled_again()
    here.check(after=point)


@pytest.mark.slow
@pytest.mark.parametrize("page", [1, 2])
def test_killed_while_the_tool_answers_it_has_nothing_and_after_that_all(
    tmp_path: Path, server: Server, page: int
) -> None:
    here = Installed(tmp_path, server)
    here.tool.move(LATER)
    here.tool.hold = page
    victim = here.serve()
    assert here.tool.reached.wait(60), here.logs.read_text()[-3000:]
    victim.send_signal(signal.SIGKILL)
    assert victim.wait(20) == -signal.SIGKILL
    here.tool.go.set()
    assert not here.half()
    here.pulled_again()
    here.check(after=f"page {page}")
