"""Approved amounts, measurements and forecasts."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.errors import Conflict, Invalid
from domain.money import CurrencyMismatch, Money
from domain.plan.budget import (
    ApproveBudget,
    ApproveBudgetChange,
    BudgetChangeApproved,
    CompletionForecast,
    CostMeasured,
    ForecastCompletion,
    MeasureCost,
    PlannedPoint,
    PlanSpend,
    SpendPlanned,
)
from tests.domain.samples import P, approved, pounds, started
from tests.spec import NOW, given

pytestmark = pytest.mark.once

D, TODAY = Decimal, NOW.date()


def measured(day: date = TODAY, ev: int | None = 100, ac: int | None = 120) -> CostMeasured:
    return CostMeasured(
        measure="price", status_date=day, pv=None, ev=None if ev is None else D(ev), ac=None if ac is None else D(ac)
    )


def test_a_budget_is_approved_once_for_each_measure() -> None:
    command = ApproveBudget(project=P, measure="price", amount=pounds(1000), reason="Contract")
    given(started()).when(command).then(approved())
    given(started(), approved()).when(command).refused(Conflict, "Approve a change to it instead")
    cost = ApproveBudget(project=P, measure="cost", amount=pounds(700), reason="Contract")
    given(started(), approved()).when(cost).then(approved(700, "cost"))


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (pounds(-1), "cannot be negative"),
        (Money(D("NaN"), "GBP"), "expected an amount"),
        (Money(D("Infinity"), "GBP"), "expected an amount"),
        (Money(D(10) ** 20, "GBP"), "expected an amount"),
        (Money(D("1E-9"), "GBP"), "Round it"),
        (Money(D("1E-999999"), "GBP"), "Round it"),
        (Money(D(1), "EUR"), "this project keeps GBP"),
    ],
)
def test_an_amount_that_cannot_be_right_is_refused(amount: Money, words: str) -> None:
    given(started()).when(ApproveBudget(project=P, measure="price", amount=amount, reason="x")).refused(Invalid, words)


def test_changes_add_to_the_budget_and_never_take_it_below_nothing() -> None:
    change = ApproveBudgetChange(project=P, measure="price", amount=pounds(-200), reason="Scope", approver="Board")
    expected = BudgetChangeApproved(measure="price", amount=pounds(-200), reason="Scope", approver="Board")
    given(started(), approved()).when(change).then(expected)
    assert given(started(), approved(), expected).state().budget.accounts["price"].bac == 800
    given(started(), approved(100)).when(change).refused(Invalid, "below zero", "amount")
    given(started()).when(change).refused(Conflict, "no approved price budget")
    foreign = ApproveBudgetChange(project=P, measure="price", amount=Money(D(1), "EUR"), reason="x", approver="Board")
    given(started(), approved()).when(foreign).refused(Invalid, "this project keeps GBP", "amount")
    nothing = ApproveBudgetChange(project=P, measure="price", amount=pounds(0), reason="x", approver="Board")
    given(started(), approved()).when(nothing).refused(Invalid, "no change", "amount")
    silent = ApproveBudgetChange(project=P, measure="price", amount=pounds(1), reason="", approver="Board")
    given(started(), approved()).when(silent).refused(Invalid, "Reason is missing", "reason")


def test_planned_spend_rises_with_its_dates() -> None:
    rising = (PlannedPoint(date(2027, 1, 31), D(100)), PlannedPoint(date(2027, 2, 28), D(300)))
    past = given(started(), approved())
    past.when(PlanSpend(project=P, measure="price", points=rising)).then(SpendPlanned(measure="price", points=rising))
    past.when(PlanSpend(project=P, measure="price", points=rising[::-1])).refused(Invalid, "has to rise", "points")
    past.when(PlanSpend(project=P, measure="price", points=())).refused(Invalid, "empty", "points")
    known = given(started(), approved(), SpendPlanned(measure="price", points=rising))
    known.when(PlanSpend(project=P, measure="price", points=rising)).then()
    above = (*rising, PlannedPoint(date(2027, 3, 31), D(1001)))
    past.when(PlanSpend(project=P, measure="price", points=above)).refused(Invalid, "above the budget 1000", "points")
    given(started()).when(PlanSpend(project=P, measure="cost", points=rising)).refused(Conflict, "Approve one first")


def test_a_measurement_carries_its_status_date() -> None:
    command = MeasureCost(project=P, measure="price", status_date=TODAY, ev=D(100), ac=D(120))
    given(started(), approved()).when(command).then(measured())
    given(started(), approved(), measured()).when(command).then()


@pytest.mark.parametrize(
    ("past", "changed", "words"),
    [
        ((), {"status_date": TODAY + timedelta(days=1)}, "after today"),
        ((), {"ev": None, "ac": None}, "at least one"),
        ((), {"ac": D(-1)}, "cannot be negative"),
        ((), {"ev": D(1001)}, "above the budget"),
        ((measured(),), {"status_date": TODAY - timedelta(days=1)}, "lies before it"),
    ],
)
def test_a_measurement_that_cannot_be_right_is_refused(past: tuple, changed: dict, words: str) -> None:
    fields = {"project": P, "measure": "price", "status_date": TODAY, "ev": D(1), "ac": D(1)} | changed
    given(started(), approved(), *past).when(MeasureCost(**fields)).refused(Invalid, words)


def test_a_measurement_of_the_same_day_corrects_it() -> None:
    command = MeasureCost(project=P, measure="price", status_date=TODAY, ev=D(100), ac=D(130))
    given(started(), approved(), measured()).when(command).then(measured(ac=130))
    (kept,) = given(started(), approved(), measured(), measured(ac=130)).state().budget.accounts["price"].measurements
    assert kept.ac == 130


def test_nothing_is_measured_or_forecast_without_a_budget() -> None:
    measure = MeasureCost(project=P, measure="cost", status_date=TODAY, ac=D(1))
    given(started()).when(measure).refused(Conflict, "no approved cost budget yet", "measure")
    forecast = ForecastCompletion(project=P, measure="cost", status_date=TODAY, eac=D(1), reason="")
    given(started(), approved()).when(forecast).refused(Conflict, "no approved cost budget yet", "measure")


def test_what_was_spent_by_an_earlier_date_bounds_a_forecast_too() -> None:
    past = given(started(), approved(), measured(TODAY - timedelta(days=1)), measured(ac=None))
    low = ForecastCompletion(project=P, measure="price", status_date=TODAY, eac=D(119), reason="")
    past.when(low).refused(Invalid, "below what is spent already, 120", "eac")


def test_a_forecast_that_was_overtaken_by_spending_counts_no_more() -> None:
    """It has cost 120 by now, so it will not cost 110; ETC is nothing and not minus ten."""
    early = CompletionForecast(measure="price", status_date=TODAY, eac=D(110), reason="")
    found = given(started(), approved(100), early, measured(ev=90)).state().budget.accounts["price"].earned_value()
    assert (found.eac, found.etc, found.vac) == (D(120), D(0), D(-20))


MONTHS = tuple(PlannedPoint(date(2026, 11, 1) + timedelta(days=30 * i), D(100 * i)) for i in range(1, 4))


def test_costs_booked_after_the_work_was_done_do_not_make_it_late() -> None:
    done, booked = MONTHS[2].on, MONTHS[2].on + timedelta(days=30)
    past = (started(), approved(300), SpendPlanned(measure="price", points=MONTHS))
    on_time = (*past, measured(done, 300, 300))
    late_bill = (*on_time, measured(booked, 300, 310))
    for events in (on_time, late_bill):
        found = given(*events).state().budget.accounts["price"].earned_value()
        assert (found.spi_t, found.ieac_t) == (D(1), D(3))


@pytest.mark.parametrize(
    ("day", "time", "pv"),
    [
        (date(2026, 10, 1), 0, 0),
        (date(2026, 11, 1), 0, 0),
        (date(2026, 11, 16), D("0.5"), 50),
        (date(2026, 12, 1), 1, 100),
        (date(2027, 1, 6), D("2.2"), 220),
        (date(2027, 1, 30), 3, 300),
        (date(2027, 3, 1), 4, 300),
    ],
)
def test_time_and_planned_value_are_read_off_the_plan_in_proportion_to_days(day: date, time: D, pv: D) -> None:
    past = (started(), approved(300), SpendPlanned(measure="price", points=MONTHS), measured(day))
    account = given(*past).state().budget.accounts["price"]
    assert account.periods_until(day) == time
    assert account.earned_value().pv == pv


def test_a_plan_of_a_single_date_tells_no_length_of_a_period() -> None:
    past = (started(), approved(), SpendPlanned(measure="price", points=MONTHS[:1]), measured())
    found = given(*past).state().budget.accounts["price"].earned_value()
    assert (found.pv, found.spi_t, found.ieac_t) == (D(100), None, None)


def test_figures_kept_beside_an_account_are_those_it_would_read_again() -> None:
    past = (started(), approved(), SpendPlanned(measure="price", points=MONTHS), measured())
    account = given(*past).state().budget.accounts["price"]
    assert account.figures == account.read().figures


def test_a_forecast_is_dated_and_not_below_what_is_spent() -> None:
    command = ForecastCompletion(project=P, measure="price", status_date=TODAY, eac=D(990), reason="Review")
    expected = CompletionForecast(measure="price", status_date=TODAY, eac=D(990), reason="Review")
    given(started(), approved(), measured()).when(command).then(expected)
    given(started(), approved(), expected).when(command).then()
    low = ForecastCompletion(project=P, measure="price", status_date=TODAY, eac=D(100), reason="Review")
    given(started(), approved(), measured()).when(low).refused(Invalid, "below what is spent", "eac")
    early = ForecastCompletion(project=P, measure="price", status_date=TODAY - timedelta(days=9), eac=D(1), reason="")
    given(started(), approved(), expected).when(early).refused(Invalid, "Use a later date", "status_date")


def test_planned_value_is_read_off_the_plan_when_it_was_not_measured() -> None:
    points = (
        PlannedPoint(date(2027, 1, 31), D(100)),
        PlannedPoint(date(2027, 2, 28), D(300)),
        PlannedPoint(date(2027, 3, 31), D(600)),
    )
    past = (started(), approved(), SpendPlanned(measure="price", points=points), measured(TODAY, 200, 250))
    found = given(*past).state().budget.accounts["price"].earned_value()
    assert found.pv == 300 + D(300) * 16 / 31  # 16 of the 31 days between two period ends
    assert (found.sv < 0) == (found.sv_t < 0)
    assert found.es == D("1.5")
    assert found.spi_t is not None
    assert found.spi_t < 1


def test_amounts_of_different_currencies_never_meet() -> None:
    with pytest.raises(CurrencyMismatch, match="expected an amount in GBP, got EUR"):
        _ = pounds(1) + Money(D(1), "EUR")
