"""A move that changes nothing shared makes no update, dates nothing and leaves an acknowledgement current."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.agreement.answers import Acknowledge, Screen
from domain.ids import MilestoneId, PersonId
from domain.plan.schedule import MoveForecast
from tests.world import ADMIN, HARBOUR, SHARE, World, everything

DAY = date(2027, 5, 3)  # the forecast of m1 that every move here repeats


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def shared(world: World, *fields: str) -> None:
    """Share some fields of milestones and have the first one acknowledged, on the day after."""
    world.harbour(everything(milestone_fields=fields))
    world.clock.forward(days=1)
    screen = Screen(n=1, head="ab" * 32)
    world.tell(Acknowledge(share=SHARE, subject="milestone-m1", by=PersonId("viewer-acme"), screen=screen), ADMIN)
    ack = world.view().milestones[0].ack
    assert ack is not None
    assert ack.current


def moved(world: World, earliest: int, reason: str) -> None:
    """Move the range, give a reason, and leave the forecast as it is, two days later."""
    world.clock.forward(days=2)
    first, last = DAY - timedelta(days=earliest), DAY + timedelta(days=9)
    world.tell(
        MoveForecast(
            project=HARBOUR, milestone=MilestoneId("m1"), forecast=DAY, reason=reason, earliest=first, latest=last
        )
    )


def test_where_no_range_is_shared_nothing_of_it_shows(world: World) -> None:
    shared(world, "baseline", "forecast", "slip", "trend", "reason")
    before = world.entries()
    for earliest in (4, 5, 6):
        moved(world, earliest, f"Only the range, {earliest}")
    assert world.entries() == before
    world.move("m2", date(2027, 8, 9))  # what is shared goes out, and brings nothing of the range along
    first = world.view().milestones[0]
    assert (first.ack.current if first.ack else None, first.reason, len(first.trend)) == (True, "", 1)


def test_where_the_range_is_shared_it_is_an_update_and_asks_for_a_new_acknowledgement(world: World) -> None:
    shared(world, "baseline", "forecast", "range")
    before = len(world.entries())
    moved(world, 4, "The range")
    first = world.view().milestones[0]
    assert len(world.entries()) == before + 1
    assert (first.ack.current if first.ack else None, first.earliest) == (False, DAY - timedelta(days=4))
    assert world.view().as_of == world.clock.at.date()
