"""Twins by mail: what is not shared changes no byte of a digest and no instant at which one arrives."""

import contextlib
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from domain.ids import PersonId
from projections.events.world import World as State
from tests.mail import Mailed, sink
from tests.properties.mutants import MUTANTS
from tests.properties.seeds import FIRST_SEED, each, search
from tests.properties.twins import Pair, pair, play
from tests.world import START
from web.mail import due, state

pytestmark = pytest.mark.stories

READERS = {PersonId("now"): "instant", PersonId("day"): "daily", PersonId("week"): "weekly"}


class Twin(Mailed):
    """A twin with somebody of each cadence among its readers."""

    fine = timedelta(days=2, hours=6)

    def people(self) -> None:
        super().people()
        for name, often in READERS.items():
            self.reader(name, often)  # type: ignore[arg-type]


def received(drawn: Pair, twin: int) -> list[tuple[str, str, bytes]]:
    """Return every mail to the client that both twins share with: when it arrived, for whom, and its bytes."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder, sink() as server:
        world = Twin(Path(folder), server)
        play(world, drawn, twin)
        world.until(START + timedelta(days=25))  # later than any step of either twin
        arrived = zip(world.sent_at, server.mails, strict=True)
        found = [(at.isoformat(), got.to, got.raw) for at, got in arrived if got.to.endswith("@acme.test")]
        people = world.present.world.people  # and what each reads of it on their own page
        found += [("", "", state.state(mail, "UTC").encode()) for key in READERS for mail in people[key].mails]
        world.close()
        return found


@pytest.mark.parametrize("seed", each(2, 4))
def test_twins_are_mailed_the_same_bytes_at_the_same_instants(seed: int) -> None:
    drawn = pair(seed)
    one, other = received(drawn, 0), received(drawn, 1)
    assert {to for _, to, _ in one} == {"", "now@acme.test", "day@acme.test", "week@acme.test"}
    assert len(one) > 8
    assert one == other


def _quiet_project() -> contextlib.AbstractContextManager[object]:
    """Waits until nobody changes the project any more, whatever they change."""
    sound = due.Due.errands

    def leaky(self: due.Due, world: State, now: datetime) -> Any:
        quiet = all(now - project.changed_at > timedelta(minutes=2) for project in world.projects.values())
        return sound(self, world, now) if quiet else []

    return patch.object(due.Due, "errands", leaky)


def _named_after_the_log() -> contextlib.AbstractContextManager[object]:
    """Mails are named after how many events there are."""
    sound = due.Due._digest

    def leaky(self: due.Due, world: State, *rest: Any) -> Any:
        return (msgspec.structs.replace(e, mail=f"m{world.position}-{e.person}") for e in sound(self, world, *rest))

    return patch.object(due.Due, "_digest", leaky)


def _hour_of_the_project() -> contextlib.AbstractContextManager[object]:
    """A busy project is mailed about an hour earlier."""
    sound = due.Due.errands

    def leaky(self: due.Due, world: State, now: datetime) -> Any:
        known = [m for project in world.projects.values() for m in project.schedule.milestones]
        self._hour = 6 if len(known) > 4 else 7
        return sound(self, world, now)

    return patch.object(due.Due, "errands", leaky)


LEAKS = {
    "waits for a quiet project": _quiet_project,
    "named after the position of the log": _named_after_the_log,
    "the hour tells how busy a project is": _hour_of_the_project,
    **{name: MUTANTS[name] for name in ("position of the whole log in a name", "highest score of any risk")},
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_seeded_leak_is_noticed_in_the_mails(leak: str) -> None:
    def shows(seed: int) -> bool:
        drawn = pair(seed)
        return received(drawn, 0) != received(drawn, 1)

    with LEAKS[leak]():
        assert search("mails", leak, shows, range(FIRST_SEED, FIRST_SEED + 60)) is not None
