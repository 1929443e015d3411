"""Days that pass: a date that goes by without being met is told as overdue, by the day that is recorded as over."""

from datetime import date, timedelta

import pytest

from domain.agreement.share import ActivateTerms, DraftTerms, ReleaseHeld, Ways
from domain.agreement.terms import Release, Terms
from domain.errors import Denied, Invalid
from domain.ids import MilestoneId
from domain.plan.schedule import EndDay, MeetMilestone, MoveForecast, RemoveMilestone
from domain.view import MilestoneRow
from tests.world import HARBOUR, MANAGER, SHARE, START, World
from web.write.permission import SYSTEM

TODAY = START.date()
SOON = TODAY + timedelta(days=10)
FULL = ("actual", "baseline", "forecast", "slip", "status")


def begun(world: World, terms: Terms | None = None, ways: Ways | None = None) -> None:
    """A project with a milestone in ten days, one in a year and one that nobody sees, shared with Acme."""
    world.people()
    world.project()
    world.milestone("m1", SOON, "Permit")
    world.milestone("m2", TODAY + timedelta(days=365), "Handover")
    world.milestone("hidden", SOON + timedelta(days=2), facing=False)
    world.baseline()
    world.share(terms or Terms(milestones="all", milestone_fields=FULL, health=("schedule",)))
    if ways is not None:
        world.tell(DraftTerms(share=SHARE, terms=world.present.refresh().shares[SHARE].terms, ways=ways))
        world.tell(ActivateTerms(share=SHARE, reason="Reviewed"))


def row(world: World, key: str = "m1") -> MilestoneRow:
    return next(r for r in world.view().milestones if r.id == key)


def test_a_date_that_passes_unmet_is_overdue_from_the_next_day_on_and_is_one_update(world: World) -> None:
    begun(world)
    head = world.log.head(SHARE)
    assert world.end_days(days=10) == 0, "the day itself is not over"
    assert row(world).status == "on_track"
    assert world.end_days(days=1) == 1
    assert row(world).status == "overdue"
    assert world.log.head(SHARE) == head + 1
    view = world.view()
    assert view.headline.sentence.startswith("One date has passed without being met")
    assert view.schedule is not None
    assert view.schedule.indicator is not None
    assert view.schedule.indicator.status == "at_risk"
    assert world.end_days(hours=1) == 0, "recorded once"


def test_met_in_time_nothing_is_said(world: World) -> None:
    begun(world, Terms(milestones="all", milestone_fields=FULL))
    world.end_days(days=5)
    world.tell(MeetMilestone(project=HARBOUR, milestone=MilestoneId("m1"), actual=TODAY + timedelta(days=4)))
    head = world.log.head(SHARE)
    world.end_days(days=9)
    assert (row(world).status, world.log.head(SHARE)) == ("met", head)


def test_days_missed_while_stopped_come_as_one_update_and_one_event(world: World) -> None:
    begun(world)
    world.tell(
        MoveForecast(project=HARBOUR, milestone=MilestoneId("m2"), forecast=SOON + timedelta(days=5), reason="x")
    )
    head, position = world.log.head(SHARE), world.present.refresh().position
    assert world.end_days(days=40) == 1
    assert world.log.head(SHARE) == head + 1
    assert [r.status for r in world.view().milestones] == ["overdue", "overdue"]
    assert world.present.refresh().position == position + 2, "the day, and that its command was carried out"
    assert world.view().headline.sentence.startswith("Off track in schedule: two dates have passed")


def test_a_date_that_is_past_when_it_is_set_is_overdue_at_once(world: World) -> None:
    begun(world)
    world.end_days(days=30)
    moved = MoveForecast(
        project=HARBOUR, milestone=MilestoneId("m2"), forecast=TODAY + timedelta(days=20), reason="Typed"
    )
    head = world.log.head(SHARE)
    world.tell(moved)
    assert row(world, "m2").status == "overdue"
    assert world.log.head(SHARE) == head + 1


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (("status",), True), (("actual", "forecast"), True), (("actual", "baseline"), True), (("forecast",), False),
        (("baseline", "forecast", "slip"), False), (("actual",), False),
    ],
)  # fmt: skip
def test_it_is_told_only_where_whether_it_was_met_is_shared(world: World, fields: tuple[str, ...], told: bool) -> None:
    begun(world, Terms(milestones="all", milestone_fields=fields))  # type: ignore[arg-type]
    head = world.log.head(SHARE)
    world.end_days(days=40)
    assert (row(world).status == "overdue") is told
    assert world.log.head(SHARE) == head + told


def test_a_coarse_date_is_overdue_at_the_end_of_its_unit(world: World) -> None:
    begun(world, Terms(milestones="all", milestone_fields=FULL, date_unit="month"))
    last = date(SOON.year, SOON.month + 1, 1) - timedelta(days=1)
    world.end_days(days=(last - TODAY).days)
    assert row(world).status == "on_track"
    world.end_days(days=1)
    assert row(world).status == "overdue"


def test_what_waits_for_review_is_judged_as_it_was_told(world: World) -> None:
    begun(world, ways=Ways(release=Release(slip_days=1, hours=168)))
    world.end_days(days=9)
    later = MoveForecast(
        project=HARBOUR, milestone=MilestoneId("m1"), forecast=SOON + timedelta(days=30), reason="Held"
    )
    world.tell(later)
    world.end_days(days=2)
    assert (row(world).status, row(world).forecast) == ("overdue", SOON), "the client was told of the first date alone"
    world.tell(ReleaseHeld(share=SHARE, by=MANAGER.person))
    assert (row(world).status, row(world).forecast) == ("off_track", SOON + timedelta(days=30))


def test_a_hidden_date_that_passes_makes_no_update(world: World) -> None:
    begun(world)
    world.tell(MeetMilestone(project=HARBOUR, milestone=MilestoneId("m1"), actual=TODAY))
    head = world.log.head(SHARE)
    terms = Terms(milestones="all", milestone_fields=FULL)
    world.tell(DraftTerms(share=SHARE, terms=terms))
    world.tell(ActivateTerms(share=SHARE, reason="No health"))
    head = world.log.head(SHARE)
    assert world.end_days(days=30) == 1
    assert world.log.head(SHARE) == head


def test_a_milestone_that_is_gone_is_not_waited_for(world: World) -> None:
    begun(world)
    for key in ("m1", "hidden"):
        world.tell(RemoveMilestone(project=HARBOUR, milestone=MilestoneId(key), reason="Not needed"))
    assert world.end_days(days=30) == 0


def test_a_day_that_is_not_over_cannot_be_ended_and_people_cannot_end_one(world: World) -> None:
    begun(world)
    with pytest.raises(Denied):
        world.tell(EndDay(project=HARBOUR, day=TODAY - timedelta(days=1)))
    with pytest.raises(Invalid):
        world.tell(EndDay(project=HARBOUR, day=TODAY), SYSTEM)
