"""Red, amber, green by a published rule; worse at once, better only past the margin."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from domain.errors import Conflict, Invalid
from domain.plan.budget import CompletionForecast, CostMeasured, PlannedPoint, SpendPlanned
from domain.plan.health import (
    HealthOverridden,
    HealthOverrideEnded,
    LapseOverrides,
    OverrideHealth,
    Tolerances,
    WithdrawOverride,
    grade,
    rule,
)
from domain.plan.project import TolerancesSet
from domain.plan.risks import RiskClosed, RiskNoteTaken, Scale
from tests.domain.samples import DAY, P, added, agreed, approved, moved, raised, started
from tests.spec import NOW, given

pytestmark = pytest.mark.once

D = Decimal
UNTIL = NOW + timedelta(days=10)


def overridden(status: str = "off_track", dimension: str = "schedule", until=UNTIL) -> HealthOverridden:
    return HealthOverridden(dimension=dimension, status=status, reason="Strike", until=until)


@pytest.mark.parametrize(
    ("slip", "status"), [(0, "on_track"), (5, "on_track"), (6, "at_risk"), (15, "at_risk"), (16, "off_track")]
)
def test_the_schedule_is_judged_by_the_slip_of_the_final_milestone(slip: int, status: str) -> None:
    past = (started(), added(), agreed(), moved(DAY + timedelta(days=slip + 1)), moved(DAY + timedelta(days=slip)))
    if slip in (5, 15):
        past = (started(), added(), agreed(), moved(DAY + timedelta(days=slip)))
    assert given(*past).state().health.status("schedule") == status


def test_a_status_on_the_edge_does_not_flap() -> None:
    """Six days is at risk; five is not enough to be on track again, four is."""
    at_risk = (started(), added(), agreed(), moved(DAY + timedelta(days=6)))
    assert given(*at_risk).state().health.status("schedule") == "at_risk"
    assert given(*at_risk, moved(DAY + timedelta(days=5))).state().health.status("schedule") == "at_risk"
    assert given(*at_risk, moved(DAY + timedelta(days=4))).state().health.status("schedule") == "on_track"


@pytest.mark.parametrize(
    ("value", "before", "now"),
    [(6, None, "at_risk"), (5, "at_risk", "at_risk"), (4, "at_risk", "on_track"), (16, "on_track", "off_track"),
     (15, "off_track", "off_track"), (14, "off_track", "at_risk"), (0, "off_track", "on_track")],
)  # fmt: skip
def test_grades_get_worse_at_once_and_better_past_the_margin(value: int, before: str | None, now: str) -> None:
    assert grade(D(value), D(5), D(15), D(1), before) == now


def test_a_milestone_nobody_agreed_on_does_not_hide_the_slip_of_the_plan() -> None:
    past = (started(), added(), agreed(), moved(DAY + timedelta(days=30)), added("m2", DAY + timedelta(days=90)))
    assert given(*past).state().health.status("schedule") == "off_track"


@pytest.mark.parametrize(("earned", "status"), [(96, "on_track"), (94, "at_risk"), (84, "off_track")])
def test_the_schedule_is_judged_by_earned_schedule_too(earned: int, status: str) -> None:
    """Fifty a month are planned; after two months SPI(t) is what is earned of a hundred."""
    points = tuple(PlannedPoint(date(2026, 12, 1) + timedelta(days=30 * i), D(50 * i)) for i in range(1, 5))
    found = CostMeasured(measure="cost", status_date=points[1].on, pv=None, ev=D(earned), ac=None)
    past = (started(), approved(200, "cost"), SpendPlanned(measure="cost", points=points), found)
    assert given(*past).state().health.status("schedule") == status
    agreed_too = (added(), agreed(), moved(DAY + timedelta(days=6)))
    both = given(*past, *agreed_too).state().health.status("schedule")
    assert both == ("off_track" if status == "off_track" else "at_risk"), "the worse of the two counts"


def test_a_changed_rule_is_read_afresh() -> None:
    """Ten days late and at risk; with a tolerance of ten days that is on track, without regard to the margin."""
    late = (started(), added(), agreed(), moved(DAY + timedelta(days=10)))
    assert given(*late).state().health.status("schedule") == "at_risk"
    wider = TolerancesSet(tolerances=Tolerances(slip_at_risk=10), reason="Agreed")
    assert given(*late, wider).state().health.status("schedule") == "on_track"


def test_the_status_before_the_last_change_is_kept() -> None:
    past = (started(), added(), agreed(), moved(DAY + timedelta(days=6)), moved(DAY + timedelta(days=40)))
    reading = given(*past, raised(), RiskNoteTaken(risk="r1", note="x")).state().health.read("schedule")
    assert (reading.previous, reading.status) == ("at_risk", "off_track")


def test_a_budget_that_cannot_be_measured_leaves_the_judgement_to_the_other() -> None:
    forecast = CompletionForecast(measure="price", status_date=date(2027, 3, 1), eac=D(1200), reason="")
    past = (started(), approved(1000, "cost"), approved(1000, "price"))
    assert given(*past).state().health.status("budget") is None
    assert given(*past, forecast).state().health.status("budget") == "off_track"


def test_without_a_budget_anything_spent_or_forecast_is_off_track() -> None:
    forecast = CompletionForecast(measure="cost", status_date=date(2027, 3, 1), eac=D(5), reason="")
    assert given(started(), approved(0, "cost")).state().health.status("budget") is None
    assert given(started(), approved(0, "cost"), forecast).state().health.status("budget") == "off_track"


def test_the_budget_is_judged_by_forecast_against_approved() -> None:
    for eac, status in ((1000, "on_track"), (1050, "on_track"), (1060, "at_risk"), (1101, "off_track")):
        forecast = CompletionForecast(measure="cost", status_date=date(2027, 3, 1), eac=D(eac), reason="")
        assert given(started(), approved(1000, "cost"), forecast).state().health.status("budget") == status


def test_risk_is_judged_by_the_highest_open_score() -> None:
    assert given(started(), raised(1, 4)).state().health.status("risk") == "on_track"
    assert given(started(), raised(2, 4)).state().health.status("risk") == "at_risk"
    assert given(started(), raised(2, 4), raised(4, 4, "r2", "R-8")).state().health.status("risk") == "off_track"
    closed = RiskClosed(risk="r2", reason="x")
    assert given(started(), raised(2, 4), raised(4, 4, "r2", "R-8"), closed).state().health.status("risk") == "at_risk"


def test_what_cannot_be_measured_has_no_status() -> None:
    health = given(started()).state().health
    assert [health.status(d) for d in ("schedule", "budget", "risk", "overall")] == [None] * 4


def test_overall_is_the_worst_of_the_others() -> None:
    past = (started(), added(), agreed(), moved(DAY + timedelta(days=8)), raised(1, 1))
    assert given(*past).state().health.status("overall") == "at_risk"


def test_an_override_has_a_reason_and_an_end() -> None:
    command = OverrideHealth(project=P, dimension="schedule", status="off_track", reason="Strike", until=UNTIL)
    given(started()).when(command).then(overridden())
    given(started(), overridden()).when(command).then()
    assert given(started(), overridden()).state().health.status("schedule") == "off_track"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"reason": ""}, "Reason is missing"),
        ({"until": NOW}, "in the future"),
        ({"until": NOW + timedelta(days=93)}, "at most 92 days"),
        ({"until": UNTIL.replace(tzinfo=None)}, "no time zone"),
        ({"until": datetime.max.replace(tzinfo=UTC)}, "1950 to 2149"),
    ],
)
def test_an_override_that_cannot_be_right_is_refused(changed: dict, words: str) -> None:
    fields = {"project": P, "dimension": "risk", "status": "on_track", "reason": "x", "until": UNTIL} | changed
    given(started()).when(OverrideHealth(**fields)).refused(Invalid, words)


def test_an_override_is_withdrawn_by_hand_or_lapses_by_the_clock() -> None:
    past = given(started(), overridden())
    past.when(WithdrawOverride(project=P, dimension="schedule")).then(
        HealthOverrideEnded(dimension="schedule", cause="withdrawn")
    )
    past.when(LapseOverrides(project=P)).then()
    lapsed = HealthOverrideEnded(dimension="schedule", cause="lapsed")
    past.when(LapseOverrides(project=P), UNTIL).then(lapsed)
    given(started()).when(WithdrawOverride(project=P, dimension="risk")).refused(Conflict, "nothing to withdraw")


@pytest.mark.parametrize("dimension", ["schedule", "budget", "risk", "overall"])
def test_every_rule_is_published_in_words(dimension: str) -> None:
    told = rule(dimension, Tolerances(), Scale())
    assert told.endswith(".")
    assert len(told) > 20


def test_the_rule_of_the_schedule_names_both_figures() -> None:
    told = rule("schedule", Tolerances(slip_at_risk=4, spi_at_risk=D("0.9")), Scale())
    assert "up to 4 days behind" in told
    assert "SPI(t) below 0.9 is at risk" in told
