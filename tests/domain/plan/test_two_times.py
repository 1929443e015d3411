"""A value says since when it held: its place in a history, what is present, and what is refused."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from domain.errors import Conflict, Invalid
from domain.events import Stored, decode, encode
from domain.plan import project
from domain.plan.history import held, set_at
from domain.plan.milestones import Move
from domain.plan.project import ChangeTogether
from domain.plan.risks import CloseRisk, Points, RaiseRisk, RiskRaised, RiskScored, ScoreRisk
from domain.plan.schedule import (
    AcceptMilestone,
    AddMilestone,
    ConfirmPlan,
    ForecastMoved,
    MeetMilestone,
    MilestoneMet,
    MilestoneReopened,
    MoveForecast,
    PlanConfirmed,
    ProgressReported,
    ReopenMilestone,
    ReportProgress,
)
from tests.domain.samples import DAY, P, added, details, raised, risk_details, started
from tests.spec import NOW, given

pytestmark = pytest.mark.once

M: dict[str, Any] = {"project": P, "milestone": "m1"}
R: dict[str, Any] = {"project": P, "risk": "r1"}
DATED: tuple[Any, ...] = (
    AddMilestone(project=P, milestone="m2", details=details(), forecast=DAY),
    MoveForecast(**M, forecast=date(2027, 6, 1), reason="Frost"),
    ReportProgress(**M, percent=40),
    MeetMilestone(**M, actual=date(2026, 1, 1)),
    RaiseRisk(project=P, risk="r2", details=risk_details(ref="R-08"), inherent=Points(5, 5), residual=Points(2, 4)),
    ScoreRisk(**R, residual=Points(1, 1), reason="Review"),
    ConfirmPlan(project=P),
)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def dated(command: Any, as_of: datetime | None) -> Any:
    return type(command)(**{f: getattr(command, f) for f in command.__struct_fields__} | {"as_of": as_of})


def after(*steps: tuple[float, Any]) -> Any:
    """The project after commands, each recorded so many days ago."""
    state: Any = None
    for event in (started(), added(), raised()):
        state = project.evolve(state, event, ago(100))
    for days, command in steps:
        for event in project.decide(state, command, ago(days)):
            state = project.evolve(state, event, ago(days))
    return state


def m1(*steps: tuple[float, Any]) -> Any:
    return after(*steps).schedule.milestones["m1"]


def move(day: int, as_of: float | None = None, **more: Any) -> MoveForecast:
    when = None if as_of is None else ago(as_of)
    return MoveForecast(**M, forecast=date(2027, 6, day), reason=f"to {day}", as_of=when, **more)


def days(milestone: Any) -> list[int]:
    return [m.forecast.day for m in milestone.moves[1:]]


# the instant itself


@pytest.mark.parametrize("command", DATED, ids=lambda c: type(c).__name__)
def test_every_command_that_moves_a_value_may_say_since_when_it_held(command: Any) -> None:
    then = ago(3).astimezone(timezone(timedelta(hours=5)))
    (event,) = project.decide(after(), dated(command, then), NOW)
    assert (event.as_of, event.as_of.tzinfo) == (ago(3), UTC)
    (silent,) = project.decide(after(), command, NOW)
    assert silent.as_of is None


@pytest.mark.parametrize("command", DATED, ids=lambda c: type(c).__name__)
def test_nothing_holds_since_later_than_the_command_itself(command: Any) -> None:
    past = given(started(), added(), raised())
    past.when(dated(command, NOW + timedelta(microseconds=1))).refused(
        Invalid, "after the time of the command", "as_of"
    )
    (event,) = project.decide(past.state(), dated(command, NOW), NOW)
    assert event.as_of == NOW


@pytest.mark.parametrize("odd", [datetime(2027, 3, 1), datetime.min.replace(tzinfo=UTC)])
def test_an_instant_without_zone_or_of_no_plausible_year_is_refused(odd: datetime) -> None:
    given(started(), added(), raised()).when(dated(DATED[1], odd)).refused(Invalid, "", "as_of")


def test_changes_made_together_carry_it_and_one_that_lies_ahead_refuses_them_all() -> None:
    both = ChangeTogether(project=P, commands=(move(1, 30), move(2, 20)))
    assert [e.as_of for e in project.decide(after(), both, NOW)] == [ago(30), ago(20)]
    ahead = ChangeTogether(project=P, commands=(move(1, 30), move(2, -1)))
    given(started(), added()).when(ahead).refused(Invalid, "after the time of the command", "as_of")


@pytest.mark.parametrize(
    ("event", "stored"),
    [
        (MilestoneMet(milestone="m1", actual=DAY), b'{"type":"milestone-met","milestone":"m1","actual":"2027-05-03"}'),
        (PlanConfirmed(source="person"), b'{"type":"plan-confirmed","source":"person"}'),
    ],
)
def test_what_was_recorded_before_there_was_such_an_instant_is_read_without_one(event: Any, stored: bytes) -> None:
    whole = encode(Stored(stream="s", at=NOW, actor="a", command="c", event=event))
    at = whole.index(b'"event":') + len(b'"event":')
    assert decode(whole[:at] + stored + b"}").event == event


# order, and what is present


def test_a_forecast_added_to_the_past_goes_in_its_place_and_the_present_one_stays() -> None:
    found = m1((50, move(1)), (10, move(20)), (2, move(9, as_of=30)))
    assert days(found) == [1, 9, 20]
    assert found.forecast.day == 20
    assert [(m.at, m.as_of) for m in found.moves[2:]] == [(ago(2), ago(30)), (ago(10), None)]


def test_a_forecast_that_held_since_later_than_the_present_one_replaces_it() -> None:
    found = m1((50, move(1)), (2, move(9, as_of=30)))
    assert (days(found), found.forecast.day) == ([1, 9], 9)


def test_of_two_since_the_same_instant_the_later_recorded_wins() -> None:
    found = m1((5, move(1, as_of=30)), (4, move(2, as_of=30)), (3, move(3, as_of=40)))
    assert (days(found), found.forecast.day) == ([3, 1, 2], 2)
    recorded = m1((5, move(1)), (4, move(2, as_of=5)))
    assert recorded.forecast.day == 2


def test_a_history_may_begin_before_the_milestone_was_added() -> None:
    found = m1((1, move(9, as_of=300)))
    assert [m.forecast for m in found.moves] == [date(2027, 6, 9), DAY]
    assert found.forecast == DAY


def test_the_range_is_that_of_the_present_forecast() -> None:
    first, last = date(2027, 6, 1), date(2027, 6, 30)
    found = m1((50, move(20, earliest=date(2027, 6, 19))), (2, move(9, 60, earliest=first, latest=last)))
    assert (found.earliest, found.latest) == (date(2027, 6, 19), None)


def test_the_same_past_twice_is_recorded_once_and_so_is_what_held_then_already() -> None:
    state = after((50, move(1)), (10, move(20)), (2, move(9, as_of=30)))
    for again in (move(9, as_of=30), move(9, as_of=25), move(1, as_of=40), move(20, as_of=5)):
        assert project.decide(state, again, NOW) == []
    assert len(project.decide(state, move(20, as_of=25), NOW)) == 1


def test_progress_added_to_the_past_leaves_the_present_one() -> None:
    found = m1((10, ReportProgress(**M, percent=40)), (2, ReportProgress(**M, percent=90, as_of=ago(30))))
    assert ([r.percent for r in found.reports], found.percent) == ([90, 40], 40)
    state = after((10, ReportProgress(**M, percent=40)), (2, ReportProgress(**M, percent=90, as_of=ago(30))))
    assert project.decide(state, ReportProgress(**M, percent=90, as_of=ago(30)), NOW) == []


def test_a_met_milestone_takes_what_held_before_it_was_met_and_nothing_since() -> None:
    met = MeetMilestone(**M, actual=ago(21).date(), as_of=ago(20))
    state = after((50, move(1)), (10, met))
    (event,) = project.decide(state, move(9, as_of=30), NOW)
    assert isinstance(event, ForecastMoved)
    (event,) = project.decide(state, ReportProgress(**M, percent=90, as_of=ago(30)), NOW)
    assert isinstance(event, ProgressReported)
    moved = project.evolve(state, event, NOW).schedule.milestones["m1"]
    assert (moved.actual, moved.percent) == (ago(21).date(), 100)
    for later in (move(9, as_of=20), move(9, as_of=15), move(9), ReportProgress(**M, percent=9, as_of=ago(15))):
        with pytest.raises(Conflict, match="was met on"):
            project.decide(state, later, NOW)


def test_it_cannot_have_been_met_after_the_instant_since_when_that_is_said_to_hold() -> None:
    late = MeetMilestone(**M, actual=ago(19).date(), as_of=ago(20))
    given(started(), added()).when(late).refused(Invalid, "since when that is said to hold", "actual")


def test_a_meeting_and_a_reopening_of_the_past_leave_a_milestone_that_is_met_now_with_its_acceptance() -> None:
    state: Any = None
    for event in (started(), added(needs_acceptance=True)):
        state = project.evolve(state, event, ago(100))
    for back, command in (
        (10, MeetMilestone(**M, actual=ago(11).date())),
        (9, AcceptMilestone(**M, on=ago(9).date(), by="Anna")),
        (2, MeetMilestone(**M, actual=ago(61).date(), as_of=ago(60))),
        (1, ReopenMilestone(**M, reason="Too early", as_of=ago(50))),
    ):
        (event,) = project.decide(state, command, ago(back))
        state = project.evolve(state, event, ago(back))
    found = state.schedule.milestones["m1"]
    assert (found.actual, found.percent, found.accepted_by) == (ago(11).date(), 100, "Anna")
    assert [s.actual for s in found.settlements] == [ago(61).date(), None, ago(11).date()]
    with pytest.raises(Conflict, match="not been met"):
        project.decide(state, ReopenMilestone(**M, reason="Never", as_of=ago(40)), NOW)


def test_a_milestone_reopened_since_then_is_open_now() -> None:
    met = MeetMilestone(**M, actual=ago(31).date(), as_of=ago(30))
    found = m1((10, met), (5, ReopenMilestone(**M, reason="Not so", as_of=ago(20))))
    assert (found.actual, found.percent, len(found.settlements)) == (None, None, 2)
    assert isinstance(project.decide(after((10, met)), ReopenMilestone(**M, reason="No"), NOW)[0], MilestoneReopened)


def test_scores_are_in_the_order_in_which_they_held() -> None:
    state = after(
        (10, ScoreRisk(**R, residual=Points(3, 3), reason="Review")),
        (2, ScoreRisk(**R, residual=Points(5, 5), reason="Then", as_of=ago(30))),
    )
    risk = state.risks.risks["r1"]
    assert ([s.points.score for s in risk.scores], risk.residual) == ([8, 25, 9], Points(3, 3))
    assert project.decide(state, ScoreRisk(**R, residual=Points(5, 5), reason="x", as_of=ago(30)), NOW) == []
    (event,) = project.decide(state, ScoreRisk(**R, residual=Points(3, 3), reason="x", as_of=ago(20)), NOW)
    assert isinstance(event, RiskScored)


def test_a_closed_risk_takes_scores_of_when_it_was_open() -> None:
    state = after((10, CloseRisk(**R, reason="Over")))
    assert len(project.decide(state, ScoreRisk(**R, residual=Points(1, 1), reason="x", as_of=ago(11)), NOW)) == 1
    for since in (ago(10), ago(1), None):
        with pytest.raises(Conflict, match="closed"):
            project.decide(state, ScoreRisk(**R, residual=Points(1, 1), reason="x", as_of=since), NOW)


def test_a_risk_raised_with_its_past_keeps_both_times_of_its_first_scores() -> None:
    command = dated(DATED[4], ago(30))
    (event,) = project.decide(after(), command, NOW)
    assert isinstance(event, RiskRaised)
    risk = project.evolve(after(), event, NOW).risks.risks["r2"]
    assert (risk.registered_at, risk.inherent_as_of) == (NOW, ago(30))
    assert (risk.scores[0].at, risk.scores[0].as_of, risk.scores[0].since) == (NOW, ago(30), ago(30))


def test_an_older_confirmation_says_nothing_of_the_present() -> None:
    newest, older = date(2027, 3, 1), date(2027, 1, 1)
    state = after(
        (10, ConfirmPlan(project=P, source="import", file_hash="ab", data_date=newest)),
        (2, ConfirmPlan(project=P, source="import", file_hash="cd", data_date=older, as_of=ago(30))),
    ).schedule
    assert (state.confirmed_at, state.confirmed_as_of, state.data_date) == (ago(10), None, newest)
    assert state.files == ("ab", "cd")
    newer = after((10, ConfirmPlan(project=P)), (2, ConfirmPlan(project=P, as_of=ago(5)))).schedule
    assert (newer.confirmed_at, newer.confirmed_as_of, newer.confirmed_since) == (ago(2), ago(5), ago(5))


# the order as such


def moves(*steps: tuple[float, float | None, int]) -> tuple[Move, ...]:
    return tuple(
        Move(at=ago(at), as_of=None if of is None else ago(of), forecast=date(2027, 6, day), reason="")
        for at, of, day in steps
    )


def test_what_held_at_an_instant_is_the_newest_until_then() -> None:
    history = moves((2, 50, 1), (20, None, 2), (3, 10, 3))
    assert [held(history, ago(n)) for n in (51, 50, 20, 11, 10)] == [None, *history[:2], history[1], history[2]]
    assert held(history, None) is history[2]
    assert held((), None) is None


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (moves((20, None, 1)), 20),
        (moves((20, None, 1), (10, None, 2)), 10),
        (moves((2, 30, 9), (20, None, 1)), 20),  # added to the past
        (moves((20, None, 1), (2, 10, 2)), 2),  # it replaced the present one when it was recorded
        (moves((20, None, 1), (2, 12, 9), (2, 10, 1)), 20),  # a past that ends in what was there already
        (moves((20, None, 1), (3, 12, 9), (2, 10, 1)), 2),  # the same in two steps: in between it said something else
    ],
)
def test_when_the_present_value_was_set_is_when_the_record_began_to_say_it(history: Any, expected: float) -> None:
    assert set_at(history, lambda m: m.forecast) == ago(expected)
