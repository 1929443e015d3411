"""Milestones, forecasts and agreed plans."""

from datetime import date, timedelta

import pytest

from domain.errors import Conflict, Invalid, Unknown
from domain.plan.calendar import Calendar, working_days
from domain.plan.schedule import (
    AcceptMilestone,
    AddMilestone,
    ApproveBaseline,
    BaselineApproved,
    ConfirmPlan,
    DescribeMilestone,
    ForecastMoved,
    MeetMilestone,
    MilestoneAccepted,
    MilestoneDescribed,
    MilestoneRemoved,
    MilestoneReopened,
    MoveForecast,
    PlanConfirmed,
    ProgressReported,
    RemoveMilestone,
    ReopenMilestone,
    ReportProgress,
)
from tests.domain.samples import DAY, P, added, agreed, details, met, moved, pounds, started
from tests.spec import NOW, given

pytestmark = pytest.mark.once

TODAY = NOW.date()


def test_a_milestone_is_added_with_its_first_forecast() -> None:
    given(started()).when(AddMilestone(project=P, milestone="m1", details=details(), forecast=DAY)).then(added())


@pytest.mark.parametrize(
    ("changed", "kind", "words"),
    [
        ({"details": details(title="")}, Invalid, "Title is missing"),
        ({"details": details(client_facing=True)}, Invalid, "Client title is missing"),
        ({"details": details(title="x" * 201)}, Invalid, "at most 200"),
        ({"details": details(title="a\x00b")}, Invalid, "control character"),
        ({"details": details(value=pounds(-1))}, Invalid, "cannot be negative"),
        ({"forecast": date(1800, 1, 1)}, Invalid, "1950"),
        ({"milestone": "a b/<c>"}, Invalid, "cannot be an id"),
        ({"milestone": ""}, Invalid, "cannot be an id"),
        ({"milestone": "m 1/../x"}, Invalid, "letters, digits, hyphens or underscores"),
        ({"source_id": "x" * 201}, Invalid, "at most 200"),
        ({"details": details(deadline=date(2200, 1, 1))}, Invalid, "1950"),
        ({"details": details(client_action="sign\nhere")}, Invalid, "on one line"),
    ],
)
def test_a_milestone_that_cannot_be_right_is_refused(changed: dict, kind: type, words: str) -> None:
    fields = {"project": P, "milestone": "m1", "details": details(), "forecast": DAY} | changed
    given(started()).when(AddMilestone(**fields)).refused(kind, words)


def test_a_value_in_another_currency_is_refused() -> None:
    command = AddMilestone(project=P, milestone="m1", details=details(value=pounds(5)), forecast=DAY)
    given(started(currency="EUR")).when(command).refused(Invalid, "this project keeps EUR", "value")


def test_neither_an_id_nor_a_source_id_is_used_twice() -> None:
    again = AddMilestone(project=P, milestone="m1", details=details(), forecast=DAY)
    given(started(), added()).when(again).refused(Conflict, "in the plan already")
    first = added()
    sourced = type(first)(milestone="m1", details=first.details, forecast=DAY, source_id="42")
    other = AddMilestone(project=P, milestone="m2", details=details(), forecast=DAY, source_id="42")
    given(started(), sourced).when(other).refused(Conflict, "source id 42")


def test_a_forecast_moves_with_a_reason() -> None:
    to = DAY + timedelta(days=7)
    command = MoveForecast(project=P, milestone="m1", forecast=to, reason="Frost")
    given(started(), added()).when(command).then(moved(to))


def test_a_forecast_that_stays_the_same_records_nothing() -> None:
    given(started(), added()).when(MoveForecast(project=P, milestone="m1", forecast=DAY, reason="x")).then()


@pytest.mark.parametrize(
    ("changed", "kind", "words"),
    [
        ({"reason": " "}, Invalid, "Reason is missing"),
        ({"milestone": "none"}, Unknown, "no such milestone"),
        ({"earliest": DAY + timedelta(days=30)}, Invalid, "Put them in order"),
        ({"latest": DAY - timedelta(days=30)}, Invalid, "Put them in order"),
        ({"latest": date(2999, 1, 1)}, Invalid, "1950 to 2149"),
        ({"forecast": date(1, 1, 1)}, Invalid, "1950 to 2149"),
    ],
)
def test_a_move_that_cannot_be_right_is_refused(changed: dict, kind: type, words: str) -> None:
    fields = {"project": P, "milestone": "m1", "forecast": DAY + timedelta(days=3), "reason": "Frost"} | changed
    given(started(), added()).when(MoveForecast(**fields)).refused(kind, words)


def test_a_range_alone_is_a_move() -> None:
    command = MoveForecast(project=P, milestone="m1", forecast=DAY, reason="Surer", earliest=DAY, latest=DAY)
    expected = ForecastMoved(milestone="m1", forecast=DAY, reason="Surer", earliest=DAY, latest=DAY)
    given(started(), added()).when(command).then(expected)


def test_a_milestone_is_met_on_a_day_gone_by() -> None:
    given(started(), added()).when(MeetMilestone(project=P, milestone="m1", actual=TODAY)).then(met(TODAY))


def test_nothing_is_met_in_the_future() -> None:
    command = MeetMilestone(project=P, milestone="m1", actual=TODAY + timedelta(days=1))
    given(started(), added()).when(command).refused(Invalid, "after today", "actual")


def test_met_twice_on_the_same_day_records_nothing_and_on_another_is_refused() -> None:
    past = given(started(), added(), met())
    past.when(MeetMilestone(project=P, milestone="m1", actual=date(2027, 3, 1))).then()
    past.when(MeetMilestone(project=P, milestone="m1", actual=date(2027, 3, 2))).refused(Conflict, "Reopen it first")


@pytest.mark.parametrize(
    "command",
    [
        MoveForecast(project=P, milestone="m1", forecast=DAY + timedelta(days=1), reason="x"),
        ReportProgress(project=P, milestone="m1", percent=50),
    ],
)
def test_what_is_met_moves_no_more(command: object) -> None:
    given(started(), added(), met()).when(command).refused(Conflict, "Reopen it first")


def test_reopening_takes_a_reason_and_something_met() -> None:
    reopen = ReopenMilestone(project=P, milestone="m1", reason="Snag")
    given(started(), added(), met()).when(reopen).then(MilestoneReopened(milestone="m1", reason="Snag"))
    given(started(), added()).when(reopen).refused(Conflict, "nothing to reopen")


def test_acceptance_is_asked_for_follows_the_actual_date_and_lies_not_ahead() -> None:
    accept = AcceptMilestone(project=P, milestone="m1", on=date(2027, 3, 2), by="Anna")
    needing = added(needs_acceptance=True)
    given(started(), needing, met()).when(accept).then(
        MilestoneAccepted(milestone="m1", on=date(2027, 3, 2), by="Anna")
    )
    given(started(), added(), met()).when(accept).refused(Conflict, "needs no acceptance")
    given(started(), needing).when(accept).refused(Conflict, "not been met")
    early = AcceptMilestone(project=P, milestone="m1", on=date(2027, 2, 1), by="Anna")
    given(started(), needing, met()).when(early).refused(Invalid, "dates in order", "on")
    late = AcceptMilestone(project=P, milestone="m1", on=TODAY + timedelta(days=1), by="Anna")
    given(started(), needing, met()).when(late).refused(Invalid, "after today", "on")


def test_acceptance_is_given_once() -> None:
    needing, accepted = added(needs_acceptance=True), MilestoneAccepted(milestone="m1", on=date(2027, 3, 2), by="Anna")
    past = given(started(), needing, met(), accepted)
    past.when(AcceptMilestone(project=P, milestone="m1", on=date(2027, 3, 2), by="Anna")).then()
    other = AcceptMilestone(project=P, milestone="m1", on=date(2027, 3, 3), by="Anna")
    past.when(other).refused(Conflict, "accepted on 2027-03-02 by Anna. Reopen it first")


def test_what_is_reopened_is_neither_accepted_nor_complete() -> None:
    past = (started(), added(needs_acceptance=True), ProgressReported(milestone="m1", percent=70), met())
    accepted = MilestoneAccepted(milestone="m1", on=date(2027, 3, 2), by="Anna")
    done = given(*past, accepted).state().schedule.milestones["m1"]
    assert (done.percent, done.accepted_by) == (100, "Anna")
    open_again = given(*past, accepted, MilestoneReopened(milestone="m1", reason="Snag")).state()
    again = open_again.schedule.milestones["m1"]
    assert (again.actual, again.percent, again.accepted_on, again.accepted_by) == (None, None, None, "")


def test_progress_is_a_percentage_that_changed() -> None:
    past = given(started(), added(), ProgressReported(milestone="m1", percent=40))
    past.when(ReportProgress(project=P, milestone="m1", percent=40)).then()
    past.when(ReportProgress(project=P, milestone="m1", percent=60)).then(ProgressReported(milestone="m1", percent=60))
    past.when(ReportProgress(project=P, milestone="m1", percent=101)).refused(Invalid, "0 to 100", "percent")


def test_describing_the_same_again_records_nothing() -> None:
    past = given(started(), added())
    past.when(DescribeMilestone(project=P, milestone="m1", details=details())).then()
    new = details(title="Section B")
    past.when(DescribeMilestone(project=P, milestone="m1", details=new)).then(
        MilestoneDescribed(milestone="m1", details=new)
    )


def test_a_milestone_leaves_the_plan_with_a_reason_and_stays_in_old_baselines() -> None:
    remove = RemoveMilestone(project=P, milestone="m1", reason="Out of scope")
    past = (started(), added(), agreed())
    given(*past).when(remove).then(MilestoneRemoved(milestone="m1", reason="Out of scope"))
    state = given(*past, MilestoneRemoved(milestone="m1", reason="x")).state()
    assert state.schedule.milestones == {}
    assert state.schedule.baselines[0].dates == {"m1": DAY}


def test_a_milestone_that_comes_back_comes_back_with_the_date_agreed_for_it() -> None:
    back = (
        started(),
        added(),
        agreed(),
        MilestoneRemoved(milestone="m1", reason="x"),
        added(forecast=date(2027, 5, 9)),
    )
    assert given(*back).state().schedule.slip_of("m1") == 6


def test_the_same_plan_sent_again_is_not_agreed_again() -> None:
    again = ApproveBaseline(project=P, reason="Contract", approver="Board", on=date(2027, 1, 4))
    given(started(), added(), agreed()).when(again).then()


def test_the_date_agreed_for_what_is_met_cannot_be_agreed_anew() -> None:
    past = given(started(), added(), agreed(m1=date(2027, 2, 1)), met())
    kinder = {"m1": date(2027, 3, 1)}
    command = ApproveBaseline(project=P, reason="Scope", approver="Board", on=TODAY, dates=kinder)
    past.when(command).refused(Conflict, "the date agreed for it stays", "dates")
    first = BaselineApproved(number=1, dates=kinder, reason="Scope", approver="Board", on=TODAY)
    given(started(), added(), met()).when(command).then(first)


def test_the_final_milestone_is_the_latest_one_agreed() -> None:
    later = added("m2", DAY + timedelta(days=90))
    assert given(started()).state().schedule.final() is None
    assert given(started(), added(), later).state().schedule.final() == "m2"
    assert given(started(), added(), agreed(), later).state().schedule.final() == "m1"
    both = given(started(), added(), later, agreed(m1=DAY, m2=DAY)).state().schedule
    assert both.final() == "m2"
    assert both.final(frozenset({"m1"})) == "m1"


def test_a_plan_is_agreed_by_number_and_never_overwritten() -> None:
    approve = ApproveBaseline(project=P, reason="Scope", approver="Board", on=TODAY)
    later = DAY + timedelta(days=9)
    expected = BaselineApproved(number=2, dates={"m1": later}, reason="Scope", approver="Board", on=TODAY)
    given(started(), added(), agreed(), moved(later)).when(approve).then(expected)
    state = given(started(), added(), agreed(), moved(later), expected).state().schedule
    assert (state.original_of("m1"), state.baseline_of("m1")) == (DAY, later)
    assert [b.number for b in state.baselines] == [1, 2]


def test_a_new_plan_does_not_make_a_late_milestone_punctual() -> None:
    approve = ApproveBaseline(project=P, reason="Scope", approver="Board", on=TODAY)
    state = given(started(), added(), agreed(m1=date(2027, 2, 1)), met())
    expected = BaselineApproved(number=2, dates={"m1": date(2027, 2, 1)}, reason="Scope", approver="Board", on=TODAY)
    state.when(approve).then(expected)


@pytest.mark.parametrize(
    ("past", "changed", "kind", "words"),
    [
        ((), {}, Conflict, "no milestone to agree on"),
        ((added(),), {"reason": ""}, Invalid, "Reason is missing"),
        ((added(),), {"approver": ""}, Invalid, "Approver is missing"),
        ((added(),), {"on": TODAY + timedelta(days=1)}, Invalid, "after today"),
        ((added(), agreed(on=date(2027, 3, 1))), {"on": date(2027, 2, 1)}, Invalid, "cannot be older"),
        ((added(),), {"dates": {"none": DAY}}, Unknown, "no such milestone"),
    ],
)
def test_a_plan_that_cannot_be_agreed_is_refused(past: tuple, changed: dict, kind: type, words: str) -> None:
    fields = {"project": P, "reason": "Scope", "approver": "Board", "on": TODAY} | changed
    given(started(), *past).when(ApproveBaseline(**fields)).refused(kind, words)


def test_confirming_an_unchanged_plan_is_a_fact_of_its_own() -> None:
    command = ConfirmPlan(project=P, source="import", file_hash="ab", data_date=DAY)
    expected = PlanConfirmed(source="import", file_hash="ab", data_date=DAY)
    given(started()).when(command).then(expected)
    state = given(started(), expected).state().schedule
    assert (state.confirmed_at, state.data_date, state.files) == (NOW, DAY, ("ab",))
    given(started()).when(ConfirmPlan(project=P, data_date=date(1, 1, 1))).refused(Invalid, "1950", "data_date")


def test_slip_is_told_against_both_plans_in_calendar_and_working_days() -> None:
    """Good Friday 26 March and Easter Monday 29 March 2027 are holidays."""
    easter = Calendar(holidays=(date(2027, 3, 26), date(2027, 3, 29)))
    first, second = agreed(m1=date(2027, 3, 22)), agreed(2, m1=date(2027, 3, 25))
    state = given(started(calendar=easter), added(), first, second, moved(date(2027, 3, 30))).state().schedule
    assert state.slip_of("m1") == 5
    assert state.working_slip_of("m1", easter) == 1
    assert (date(2027, 3, 30) - state.original_of("m1")).days == 8


def test_a_milestone_added_after_the_agreed_plan_has_no_slip() -> None:
    assert given(started(), added("m1"), agreed(), added("m2")).state().schedule.slip_of("m2") is None


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (date(2027, 3, 1), date(2027, 3, 1), 0),
        (date(2027, 3, 5), date(2027, 3, 8), 1),
        (date(2027, 3, 8), date(2027, 3, 5), -1),
        (date(2027, 3, 1), date(2027, 3, 31), 22),
        (date(2027, 3, 6), date(2027, 3, 7), 0),
    ],
)
def test_working_days_leave_out_weekends(start: date, end: date, days: int) -> None:
    assert working_days(Calendar(), start, end) == days


def test_working_days_agree_with_counting_one_by_one() -> None:
    calendar = Calendar(weekdays=(0, 1, 2, 3), holidays=(date(2027, 3, 9), date(2027, 3, 13)))
    for length in range(60):
        end = date(2027, 3, 1) + timedelta(days=length)
        each = [date(2027, 3, 1) + timedelta(days=i) for i in range(1, length + 1)]
        counted = sum(d.weekday() in calendar.weekdays and d not in calendar.holidays for d in each)
        assert working_days(calendar, date(2027, 3, 1), end) == counted
