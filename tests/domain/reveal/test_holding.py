"""While a milestone waits for review: a plan or a confirmation that covers it waits with it, the others show theirs."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from domain.agreement.share import ActivateTerms, DraftShare, ReleaseHeld
from domain.agreement.terms import Release, Ways
from domain.plan.schedule import ApproveBaseline, ConfirmPlan
from projections.entries.changes import changes
from tests.world import ACME, HARBOUR, MANAGER, SHARE, World, everything

LATE = date(2027, 6, 20)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two milestones are shared, and what slips by more than five days waits."""
    world = World(tmp_path)
    world.people()
    world.project()
    world.milestone("m1", date(2027, 5, 3))
    world.milestone("m2", date(2027, 8, 2))
    world.tell(ConfirmPlan(project=HARBOUR))
    world.baseline()
    ways = Ways(history=True, release=Release(hours=48, slip_days=5))
    world.tell(DraftShare(share=SHARE, project=HARBOUR, client=ACME, terms=everything(), ways=ways))
    world.tell(ActivateTerms(share=SHARE, reason="Agreed"))
    yield world
    world.close()


def test_a_confirmation_waits_for_the_milestone_that_waits_and_is_shown_for_the_others(world: World) -> None:
    before = world.view()
    world.move("m1", LATE)
    assert world.view() == before
    world.tell(ConfirmPlan(project=HARBOUR))
    first, second = world.view().milestones
    assert first.confirmed_at == before.milestones[0].confirmed_at
    assert second.confirmed_at == world.clock.at > before.milestones[1].confirmed_at  # type: ignore[operator]
    assert world.view().confirmed_at == before.confirmed_at  # of the plan as a whole, which the other one is in
    world.tell(ReleaseHeld(share=SHARE, by=MANAGER.person, subjects=("milestone-m1",)))
    assert {row.confirmed_at for row in world.view().milestones} == {world.view().confirmed_at, second.confirmed_at}


@pytest.mark.parametrize("person_is_newest", [True, False])
def test_a_confirmation_is_news_by_the_newest_one_that_is_told(world: World, *, person_is_newest: bool) -> None:
    """What was confirmed before a milestone began to wait says nothing of what the others are told meanwhile."""
    by_source, by_person = (ConfirmPlan(project=HARBOUR, source=source) for source in ("source", "person"))
    world.tell(by_source if person_is_newest else by_person)
    world.move("m1", LATE)
    world.tell(by_person if person_is_newest else by_source)
    assert world.view().milestones[1].confirmed_at == world.clock.at
    assert world.view().confirmed_quietly is not person_is_newest
    told = [change.row for change in changes(world.view(len(world.entries()) - 1), world.view())]
    assert told == (["milestone.confirmed"] if person_is_newest else [])


def test_an_agreed_plan_waits_for_the_milestone_that_waits_and_is_shown_for_the_others(world: World) -> None:
    world.move("m1", LATE)
    world.move("m2", date(2027, 8, 6))
    before = world.view()
    world.baseline()
    first, second = world.view().milestones
    assert first == before.milestones[0]
    assert (second.baseline, second.original_baseline) == (date(2027, 8, 6), date(2027, 8, 2))
    assert second.slip is not None
    assert second.slip.since_current == 0
    assert world.view().baselines == before.baselines
    world.tell(ReleaseHeld(share=SHARE, by=MANAGER.person, subjects=("milestone-m1",)))
    assert [row.baseline for row in world.view().milestones] == [LATE, date(2027, 8, 6)]
    assert len(world.view().baselines) == len(before.baselines) + 1


def test_what_was_agreed_between_two_that_wait_is_shown_once_the_first_is_released(world: World) -> None:
    world.move("m1", LATE)
    world.tell(ConfirmPlan(project=HARBOUR))
    confirmed = world.clock.at
    world.baseline()
    world.move("m2", date(2027, 9, 20))
    world.tell(ApproveBaseline(project=HARBOUR, reason="Again", approver="Board", on=confirmed.date()))
    waits = world.view()
    assert [row.baseline for row in waits.milestones] == [date(2027, 5, 3), date(2027, 8, 2)]
    world.tell(ReleaseHeld(share=SHARE, by=MANAGER.person, subjects=("milestone-m1",)))
    view = world.view()
    assert [row.baseline for row in view.milestones] == [LATE, date(2027, 8, 2)]
    assert view.confirmed_at == confirmed
    assert len(view.baselines) == len(waits.baselines) + 1
