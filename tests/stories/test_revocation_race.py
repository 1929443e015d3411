"""Nothing is recorded or received after the end: hundreds of races of changes against every cause there is."""

import asyncio
import contextlib
import os
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from unittest.mock import patch

import pytest

from domain.agreement.share import RevokeShare
from domain.events import Recorded
from domain.ids import CommandId, MilestoneId, PersonId
from domain.people.person import DisablePerson
from domain.plan.schedule import MoveForecast
from projections.entries.entry import Page
from projections.events.event_log import EventLog
from projections.follow.follower import _Batch
from projections.installation.database import Database, migrate
from tests import postgres
from tests.postgres import Cluster, create
from tests.stories.racing import CAUSES, Races, raced
from tests.web.doors import ORIGIN, VIEWER, running, wait_until
from tests.web.push.stage import loop_factory
from tests.world import HARBOUR, KEY, MANAGER, SHARE, World
from web.client import dashboard
from web.ids import new_id
from web.process import clockwork, signing
from web.process.handing_on import HandingOn
from web.settings import Settings
from web.write.permission import OPERATOR

ROUNDS, WIDTH = 10, 10  # five times over in make test-slow


@pytest.fixture
def seed(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(clockwork, "EVERY", 0.02)
    drawn = int(os.environ.get("FANLIGHT_TEST_SEED") or random.randrange(2**32))
    print(f"FANLIGHT_TEST_SEED={drawn}")
    return drawn


def run(races: Races, rounds: int = ROUNDS, width: int = WIDTH) -> Races:
    with asyncio.Runner(loop_factory=loop_factory("uvloop")) as runner:
        return runner.run(raced(races, rounds, width))


def alone(folder: Path, seed: int) -> Races:
    return Races([Settings(data=folder, public_url=ORIGIN, checkpoint_minutes=1440)], seed)


@pytest.mark.folder  # on Postgres there are races of their own below
@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in range(1, 5))])
def test_a_hundred_races_find_no_update_after_the_end(tmp_path: Path, seed: int, part: int) -> None:
    races = run(alone(tmp_path, seed + part))
    assert races.found == []
    assert len(races.raced) == ROUNDS * WIDTH == 100


def test_a_page_that_is_being_made_while_its_reader_is_ended_is_not_handed_out(tmp_path: Path) -> None:
    with running(tmp_path, dashboard.routes()) as house:
        browser, read = house.client(VIEWER), house.process.services.heads.page
        assert browser.get(f"/s/{SHARE}").status_code == 200
        due = [MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=date(2027, 6, 1), reason="Frost")]

        def meanwhile(share: str) -> Page | None:
            if due:
                for command in (DisablePerson(person=PersonId(VIEWER), reason="Left"), due.pop()):
                    house.process.services.service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))
                wait_until(lambda: house.process.services.logs.disclosure.head(SHARE) == 2)
            return read(share)

        house.process.services.heads.page = meanwhile  # type: ignore[method-assign]
        answer = browser.get(f"/s/{SHARE}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


# that the races could fail


@contextlib.contextmanager
def nothing_agreed_later_is_known() -> Iterator[None]:
    """A follower that records what it made, whatever came into force or ended meanwhile."""

    def fenceless(_self: EventLog, _position: int) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    with patch.object(EventLog, "uncut", fenceless), patch.object(_Batch, "know", lambda _self, _found: None):
        yield


@contextlib.contextmanager
def pages_are_cut_a_moment_late() -> Iterator[None]:
    """A live layer that acts on an end half a second after it hears of it."""
    cut = HandingOn.cut

    def later(self: HandingOn, new: Sequence[Recorded]) -> None:
        loop = self._loop._loop
        if loop is not None:
            loop.call_soon_threadsafe(loop.call_later, 0.5, cut, self, new)

    with patch.object(HandingOn, "cut", later):
        yield


@pytest.mark.folder
@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (nothing_agreed_later_is_known, "was recorded"),
        (pages_are_cut_a_moment_late, "a page was sent update"),
    ],
)
def test_the_races_would_notice(
    tmp_path: Path, seed: int, mistake: Callable[[], contextlib.AbstractContextManager[None]], told: str
) -> None:
    with mistake():
        races = run(alone(tmp_path, seed), 4, 12)
    assert any(told in found for found in races.found)


# several workers


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with postgres.running() as made:
        made.execute("CREATE ROLE app LOGIN")
        migrate(create(made.url(), "ready"), "app")
        yield made


@pytest.mark.once
def test_an_end_that_another_process_records_meanwhile_wins_in_the_database_itself(
    server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = create(server.url(), "fenced", "ready")
    monkeypatch.setattr("tests.world.Folder", lambda _path: Database(url))
    monkeypatch.setattr(EventLog, "uncut", lambda _self, _position: contextlib.nullcontext())
    due: list[RevokeShare] = []

    def point(name: str) -> None:
        if name == "before-disclosure-commit" and due:
            elsewhere.service.execute(MANAGER, due.pop(), command_id=CommandId("end"))

    here, elsewhere = World(tmp_path, crash_point=point), World(tmp_path)
    here.harbour()
    here.move("m1", date(2027, 6, 1))
    assert len(here.entries()) == 2
    due.append(RevokeShare(share=SHARE, reason="Contract over"))
    here.move("m1", date(2027, 6, 2))
    assert due == []
    assert len(here.entries()) == 2
    here.close()
    elsewhere.close()


@pytest.mark.once
@pytest.mark.parametrize("rounds", [4, pytest.param(10, marks=pytest.mark.slow)])
def test_two_workers_find_no_update_after_the_end_either(
    server: Cluster, tmp_path: Path, seed: int, rounds: int
) -> None:
    create(server.url(), f"races{rounds}", "ready")
    settings = Settings(data=tmp_path, database_url=server.url(f"races{rounds}", "app"), public_url=ORIGIN)
    signing.write(settings.key_file, KEY)
    races = run(Races([settings, settings], seed), rounds, len(CAUSES))
    assert races.found == []
    assert len(races.raced) == rounds * len(CAUSES)
