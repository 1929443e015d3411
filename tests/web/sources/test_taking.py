"""What a source brings: taken by its rules, left to a person, or recorded not at all where nothing is new."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from domain.ids import SourceId
from domain.plan.schedule import ConfirmPlan, DescribeMilestone, MoveForecast
from domain.plan.sources.commands import DetachSource, SetSourceRules
from domain.plan.sources.pulls import PutPullBack, SettleSource, TakePull
from domain.plan.sources.rules import Rules
from tests.web.sources.house import JIRA, JUNE, MANAGER, MAY, TAKE, Sourced, sourced
from tests.web.sources.scripted import planned
from tests.world import HARBOUR

pytestmark = pytest.mark.stories
DEPOT_OPENS = ("7", "Depot opens", JUNE)
DAY = timedelta(days=1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Sourced]:
    with sourced(tmp_path) as made:
        yield made


def test_what_is_added_is_never_for_clients_before_a_person_says_so(house: Sourced) -> None:
    house.attach()
    assert house.pull(planned(DEPOT_OPENS)) == "recorded"
    added = house.titled("Depot opens")
    assert (added.forecast, added.details.client_facing, added.source_id) == (JUNE, False, f"{JIRA}/7")
    assert house.project.origins.origin(added.id, "forecast").source == JIRA  # type: ignore[union-attr]


def test_with_the_rules_it_comes_with_everything_waits_for_a_person(house: Sourced) -> None:
    house.attach(Rules())
    house.pull(planned(DEPOT_OPENS))
    assert [one.why for one in house.source().waits] == ["The rules ask."]
    assert "Depot opens" not in [m.details.title for m in house.project.schedule.milestones.values()]
    house.take_all()
    assert house.titled("Depot opens").forecast == JUNE
    assert not house.source().waits


def test_a_forecast_is_taken_up_to_so_many_days_from_what_a_person_stood_for_summed_over_pulls(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    for days in (2, 4):
        house.pull(planned(("7", "Depot opens", JUNE + days * DAY)))
        assert house.titled("Depot opens").forecast == JUNE + days * DAY
    house.pull(planned(("7", "Depot opens", JUNE + 6 * DAY)))  # two days more, and six in all
    assert house.titled("Depot opens").forecast == JUNE + 4 * DAY
    [waits] = house.source().waits
    assert "6 days from 1 June 2027" in waits.why
    house.tell(ConfirmPlan(project=HARBOUR))  # a person stands for the fourth of June and five
    house.tell(SetSourceRules(project=HARBOUR, source=JIRA, rules=msgspec.structs.replace(TAKE, reason="Crane")))
    house.pull(planned(("7", "Depot opens", JUNE + 6 * DAY)))
    assert house.titled("Depot opens").forecast == JUNE + 6 * DAY
    assert house.titled("Depot opens").moves[-1].reason == "Crane"


def test_a_move_taken_by_a_person_is_what_the_next_ones_are_measured_from(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    house.pull(planned(("7", "Depot opens", JUNE + 30 * DAY)))
    house.take_all()
    house.pull(planned(("7", "Depot opens", JUNE + 33 * DAY)))
    assert house.titled("Depot opens").forecast == JUNE + 33 * DAY


def test_an_actual_and_a_percentage_are_taken_where_the_rules_say_so(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    house.pull(planned(DEPOT_OPENS, percent_complete=40))
    assert house.titled("Depot opens").percent == 40
    met = date(2027, 3, 20)
    house.pull(planned(DEPOT_OPENS, actual=met))
    assert house.titled("Depot opens").actual == met
    house.tell(SetSourceRules(project=HARBOUR, source=JIRA, rules=Rules(actuals="ignore")))
    house.pull(planned(DEPOT_OPENS, actual=met - DAY))
    assert house.titled("Depot opens").actual == met


def test_a_title_is_taken_and_what_clients_read_stays(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    depot = house.titled("Depot opens")
    facing = msgspec.structs.replace(depot.details, client_title="Depot", client_facing=True)
    house.tell(DescribeMilestone(project=HARBOUR, milestone=depot.id, details=facing))
    house.pull(planned(("7", "Depot opens, phase 1", JUNE)))
    assert house.milestone(depot.id).details == msgspec.structs.replace(facing, title="Depot opens, phase 1")


def test_taking_a_waiting_title_keeps_what_people_changed_since(house: Sourced) -> None:
    house.owned(DEPOT_OPENS, rules=msgspec.structs.replace(TAKE, titles="ask"))
    house.pull(planned(("7", "Depot opens, phase 1", JUNE)))
    depot = house.titled("Depot opens")
    facing = msgspec.structs.replace(depot.details, client_title="Depot", client_facing=True)
    house.tell(DescribeMilestone(project=HARBOUR, milestone=depot.id, details=facing))
    house.take_all()
    assert house.milestone(depot.id).details == msgspec.structs.replace(facing, title="Depot opens, phase 1")


def test_a_removal_never_happens_by_itself(house: Sourced) -> None:
    house.owned(DEPOT_OPENS, ("8", "Crane arrives", JUNE))
    house.pull(planned(DEPOT_OPENS))
    assert house.titled("Crane arrives")
    assert [one.line.kind for one in house.source().waits] == ["missing"]
    house.tell(SetSourceRules(project=HARBOUR, source=JIRA, rules=msgspec.structs.replace(TAKE, missing="ignore")))
    house.pull(planned(DEPOT_OPENS))
    assert not house.source().waits


def test_milestones_of_nobodys_source_are_left_alone_and_linked_by_a_person(house: Sourced) -> None:
    house.attach()
    house.pull(planned(("1", "internal m1", MAY + DAY)))
    assert house.milestone("m1").forecast == MAY
    [waits] = house.source().waits
    assert "not from this source so far" in waits.why
    house.take_all()
    assert (house.milestone("m1").forecast, house.milestone("m1").source_id) == (MAY + DAY, f"{JIRA}/1")
    assert house.pull(planned(("1", "internal m1", MAY + 2 * DAY))) == "recorded"
    assert house.milestone("m1").forecast == MAY + 2 * DAY
    assert not [one for one in house.source().waits if one.line.kind == "missing"]  # m2 was never its own


def test_two_sources_that_name_one_milestone_ask(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    other = SourceId("gitlab1")
    house.attach(key=other)
    house.pull(planned(("7", "Depot opens", JUNE + DAY)), other)
    assert house.titled("Depot opens").forecast == JUNE
    [waits] = house.source(other).waits
    assert waits.why == "Two sources name this milestone: so far it comes from Plan jira1."
    house.take_all(other)
    assert house.titled("Depot opens").source_id == f"{other}/7"
    house.pull(planned(("7", "Depot opens", JUNE + 2 * DAY)))  # the first one asks from now on
    assert house.titled("Depot opens").forecast == JUNE + DAY


def test_another_plan_is_asked_about_whatever_the_rules_say(house: Sourced) -> None:
    house.attach()
    house.pull(planned(DEPOT_OPENS, title="Depot"))
    house.pull(planned(("9", "Bridge closed", JUNE), title="Bridge"))
    last = house.source().last
    assert last is not None
    assert "is called “Bridge”" in last.doubt
    assert {one.outcome for one in last.lines} == {"waits"}
    assert not last.confirmed


def test_a_pull_with_nothing_new_is_not_recorded_and_confirms_once_for_another_data_date(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    house.pull(planned(DEPOT_OPENS, data_date=date(2027, 3, 31)))
    versions = len(house.source().pulls)
    assert house.pull(planned(DEPOT_OPENS, data_date=date(2027, 3, 31))) == "nothing"
    house.later(days=1)
    assert house.pull(planned(DEPOT_OPENS, data_date=date(2027, 3, 31))) == "nothing"  # the same day of its data date
    before = house.project.schedule.confirmed_at
    assert house.pull(planned(DEPOT_OPENS, data_date=date(2027, 4, 1))) == "recorded"
    assert house.project.schedule.confirmed_at != before
    assert house.project.schedule.data_date == date(2027, 4, 1)
    assert house.pull(planned(DEPOT_OPENS, data_date=date(2027, 3, 30))) == "nothing"  # once a day at most
    assert len(house.source().pulls) == versions + 1


def test_a_clock_that_is_ahead_confirms_for_today_and_says_so(house: Sourced) -> None:
    house.attach()
    house.pull(planned(DEPOT_OPENS, data_date=date(2031, 1, 1)))
    last = house.source().last
    assert last is not None
    assert last.data_date == date(2027, 3, 31)
    assert "which is after today" in last.notes[0]


def test_what_waits_confirms_nothing(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    house.later(days=2)
    house.pull(planned(("7", "Depot opens", JUNE + 90 * DAY)))
    last = house.source().last
    assert last is not None
    assert not last.confirmed


def test_what_a_person_left_is_not_asked_again_before_the_source_says_something_else(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    house.pull(planned(("7", "Depot opens", JUNE + 90 * DAY)))
    last = house.source().last
    assert last is not None
    leave = tuple(one.line.key for one in last.waits)
    house.tell(SettleSource(project=HARBOUR, source=JIRA, pull=last.id, leave=leave))
    assert house.pull(planned(("7", "Depot opens", JUNE + 90 * DAY))) == "nothing"
    house.pull(planned(("7", "Depot opens", JUNE + 91 * DAY)))
    assert len(house.source().waits) == 1


def test_a_whole_pull_is_put_back_and_not_taken_again(house: Sourced) -> None:
    house.owned(DEPOT_OPENS, ("8", "Crane arrives", JUNE))
    moved = planned(
        ("7", "Depot opens, phase 1", JUNE), ("8", "Crane arrives", JUNE + 2 * DAY), ("9", "Ribbon cut", JUNE),
        actual=date(2027, 3, 20),
    )  # fmt: skip
    house.pull(moved)
    last = house.source().last
    assert last is not None
    assert house.titled("Depot opens, phase 1").actual == date(2027, 3, 20)
    house.tell(PutPullBack(project=HARBOUR, source=JIRA, pull=last.id))
    assert house.titled("Depot opens").actual is None
    assert house.titled("Crane arrives").forecast == JUNE
    assert "Ribbon cut" not in [m.details.title for m in house.project.schedule.milestones.values()]
    house.pull(moved)
    assert house.titled("Crane arrives").forecast == JUNE
    assert house.refused(PutPullBack(project=HARBOUR, source=JIRA, pull=last.id)) == "This pull was put back already."


def test_a_pull_is_not_put_back_over_what_came_after_it(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    house.pull(planned(("7", "Depot opens", JUNE + DAY)))
    last = house.source().last
    assert last is not None
    depot = house.titled("Depot opens")
    house.tell(MoveForecast(project=HARBOUR, milestone=depot.id, forecast=JUNE + 3 * DAY, reason="Frost"))
    assert "was changed again since" in house.refused(PutPullBack(project=HARBOUR, source=JIRA, pull=last.id))


def test_what_a_person_changes_by_hand_comes_from_them_and_can_be_kept_by_hand(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    house.pull(planned(("7", "Depot opens", JUNE + DAY)))
    depot = house.titled("Depot opens")
    assert house.project.origins.origin(depot.id, "forecast") is not None
    house.tell(MoveForecast(project=HARBOUR, milestone=depot.id, forecast=JUNE + 3 * DAY, reason="Frost"))
    assert house.project.origins.origin(depot.id, "forecast") is None
    apart = msgspec.structs.replace(TAKE, apart=(depot.id,))
    house.tell(SetSourceRules(project=HARBOUR, source=JIRA, rules=apart))
    house.pull(planned(("7", "Depot opens", JUNE + 2 * DAY)))
    assert house.milestone(depot.id).forecast == JUNE + 3 * DAY
    assert not house.source().waits


def test_what_a_detached_source_brought_stays_and_the_secret_opens_nothing(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    sealed = house.source().sealed
    assert house.attached().secret == "s3cret"
    house.tell(DetachSource(project=HARBOUR, source=JIRA, reason="Moved to GitLab"))
    assert house.titled("Depot opens").forecast == JUNE
    assert house.services.sources.taking.find(HARBOUR, JIRA) is None
    with pytest.raises(Exception, match=r"destroyed|gone|erased|Gone|key") as gone:
        house.services.logs.events.open_for_source(f"{HARBOUR}.{JIRA}.1", sealed, "scripted\nhttps://jira.example.org")
    assert type(gone.value).__name__ == "Gone"
    again = SourceId("jira2")
    house.attach(key=again)
    house.pull(planned(DEPOT_OPENS), again)  # the same ids are known again, and a person links them
    assert [one.line.kind for one in house.source(again).waits] == ["linked"]


def test_only_the_machinery_says_what_a_source_brought(house: Sourced) -> None:
    house.attach()
    assert "does not cover take-pull" in house.refused(TakePull(project=HARBOUR, source=JIRA, pull="p1"), MANAGER)


def test_what_two_processes_pulled_at_once_is_recorded_once(house: Sourced) -> None:
    house.attach()
    house.pull(planned(DEPOT_OPENS))
    stale = TakePull(project=HARBOUR, source=JIRA, pull="p2", after="")
    from web.write.permission import SYSTEM

    assert "Something newer was pulled" in house.refused(stale, SYSTEM)


def test_what_is_taken_by_itself_passes_the_holds_of_each_share(house: Sourced) -> None:
    from domain.agreement.share import ActivateTerms, DraftTerms
    from domain.agreement.terms import Release, Ways
    from tests.world import SHARE, everything

    house.attach()
    house.pull(planned(("1", "internal m1", MAY)))
    house.take_all()
    ways = Ways(release=Release(hours=24, slip_days=3))
    house.tell(DraftTerms(share=SHARE, terms=everything(), ways=ways))
    house.tell(ActivateTerms(share=SHARE, reason="Review"))
    house.pull(planned(("1", "internal m1", MAY + 2 * DAY)))
    assert not house.services.present.refresh().held(SHARE).held
    house.pull(planned(("1", "internal m1", MAY + 4 * DAY)))  # two days from what they see: no hold
    assert not house.services.present.refresh().held(SHARE).held
    house.tell(SetSourceRules(project=HARBOUR, source=JIRA, rules=msgspec.structs.replace(TAKE, days=30)))
    house.pull(planned(("1", "internal m1", MAY + 8 * DAY)))  # four days from what they see
    held = house.services.present.refresh().held(SHARE).held
    assert held["milestone-m1"].milestone.forecast == MAY + 4 * DAY  # type: ignore[union-attr]
    assert house.milestone("m1").forecast == MAY + 8 * DAY
