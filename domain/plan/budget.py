"""The budget of a project: approved amounts, measurements and forecasts at status dates.

Rule: internal cost and client price are two accounts, and no figure uses both.
"""

from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import assert_never

import msgspec

from domain import check
from domain.errors import Conflict, Invalid
from domain.ids import ProjectId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.money import Money
from domain.plan.account import Account, Forecast, Measure, Measurement, PlannedPoint

__all__ = [
    "Account", "ApproveBudget", "ApproveBudgetChange", "Budget", "BudgetApproved", "BudgetChangeApproved",
    "BudgetCommand", "BudgetEvent", "CompletionForecast", "CostMeasured", "Forecast", "ForecastCompletion", "Measure",
    "MeasureCost", "Measurement", "PlanSpend", "PlannedPoint", "SpendPlanned", "decide", "evolve",
]  # fmt: skip

# events


class BudgetApproved(Event, frozen=True, kw_only=True):
    measure: Measure
    amount: Money
    reason: str


class BudgetChangeApproved(Event, frozen=True, kw_only=True):
    measure: Measure
    amount: Money  # added to the budget; negative takes away
    reason: str
    approver: str


class SpendPlanned(Event, frozen=True, kw_only=True):
    measure: Measure
    points: tuple[PlannedPoint, ...]  # cumulative, one a period, ascending


class CostMeasured(Event, frozen=True, kw_only=True):
    measure: Measure
    status_date: date
    pv: Decimal | None
    ev: Decimal | None
    ac: Decimal | None


class CompletionForecast(Event, frozen=True, kw_only=True):
    measure: Measure
    status_date: date
    eac: Decimal
    reason: str


BudgetEvent = BudgetApproved | BudgetChangeApproved | SpendPlanned | CostMeasured | CompletionForecast


# state


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    accounts: dict[Measure, Account] = {}


def evolve(state: Budget, event: BudgetEvent, at: datetime) -> Budget:
    """Return the budget after `event`, recorded at `at` (UTC)."""
    if isinstance(event, BudgetApproved):
        account = Account(original=event.amount.amount, changed_at=at)
    else:
        account = _evolve_account(state.accounts[event.measure], event, at)
    return Budget(accounts={**state.accounts, event.measure: account.read()})


def _evolve_account(
    old: Account, event: BudgetChangeApproved | SpendPlanned | CostMeasured | CompletionForecast, at: datetime
) -> Account:
    replace = msgspec.structs.replace
    match event:
        case BudgetChangeApproved(amount=amount):
            return replace(old, changes=old.changes + amount.amount, changed_at=at)
        case SpendPlanned(points=points):
            return replace(old, planned=points, changed_at=at)
        case CostMeasured(status_date=day, pv=pv, ev=ev, ac=ac):
            corrected = bool(old.measurements) and old.measurements[-1].status_date == day
            first_at = old.measurements[-1].first_at if corrected else at
            new = Measurement(status_date=day, at=at, first_at=first_at, pv=pv, ev=ev, ac=ac)
            kept = old.measurements[:-1] if corrected else old.measurements
            return replace(old, measurements=(*kept, new), changed_at=at)
        case CompletionForecast(status_date=day, eac=eac, reason=reason):
            forecast = Forecast(status_date=day, at=at, eac=eac, reason=reason)
            return replace(old, forecasts=(*old.forecasts, forecast), changed_at=at)
        case _:
            assert_never(event)


# commands


class ApproveBudget(Command, frozen=True, kw_only=True):
    project: ProjectId
    measure: Measure
    amount: Money
    reason: str


class ApproveBudgetChange(Command, frozen=True, kw_only=True):
    project: ProjectId
    measure: Measure
    amount: Money
    reason: str
    approver: str


class PlanSpend(Command, frozen=True, kw_only=True):
    project: ProjectId
    measure: Measure
    points: tuple[PlannedPoint, ...]


class MeasureCost(Command, frozen=True, kw_only=True):
    """Record PV, EV and AC at a status date; leave out what is not known (PV is then taken from the planned spend)."""

    project: ProjectId
    measure: Measure
    status_date: date
    pv: Decimal | None = None
    ev: Decimal | None = None
    ac: Decimal | None = None


class ForecastCompletion(Command, frozen=True, kw_only=True):
    project: ProjectId
    measure: Measure
    status_date: date
    eac: Decimal
    reason: str


BudgetCommand = ApproveBudget | ApproveBudgetChange | PlanSpend | MeasureCost | ForecastCompletion


def decide(state: Budget, command: BudgetCommand, today: date, currency: str) -> list[BudgetEvent]:
    """Return the events that carry out `command`; `today` is the civil date in the project's zone.

    Raises: a kind of Refused.
    """
    match command:
        case ApproveBudget(measure=measure, amount=amount, reason=reason):
            if measure in state.accounts:
                raise Conflict(
                    _("The {measure} budget is approved already. Approve a change to it instead.", measure=measure)
                )
            checked = check.money("amount", amount, currency)
            return [BudgetApproved(measure=measure, amount=checked, reason=check.text("reason", reason))]
        case ApproveBudgetChange(measure=measure, amount=amount, reason=reason, approver=approver):
            return [_change(_account(state, measure), measure, amount, reason, approver, currency)]
        case PlanSpend(measure=measure, points=points):
            return _plan(_account(state, measure), measure, _ascending(points))
        case MeasureCost():
            return _measure(_account(state, command.measure), command, today)
        case ForecastCompletion():
            return _forecast(_account(state, command.measure), command, today)
        case _:
            assert_never(command)


def _account(state: Budget, measure: Measure) -> Account:
    if measure not in state.accounts:
        raise Conflict(_("There is no approved {measure} budget yet. Approve one first.", measure=measure), "measure")
    return state.accounts[measure]


def _change(
    old: Account, measure: Measure, amount: Money, reason: str, approver: str, currency: str
) -> BudgetChangeApproved:
    amount = check.money("amount", amount, currency, negative=True)
    if amount.amount == 0:
        raise Invalid(_("A change of nothing is no change. Type what is added, or taken away with a minus."), "amount")
    if old.bac + amount.amount < 0:
        raise Invalid(
            _(
                "A change of {amount} would leave a budget below zero; it is {bac} now.",
                amount=amount.amount,
                bac=old.bac,
            ),
            "amount",
        )
    return BudgetChangeApproved(
        measure=measure,
        amount=amount,
        reason=check.text("reason", reason, required=True),
        approver=check.line("approver", approver),
    )


def _ascending(points: tuple[PlannedPoint, ...]) -> tuple[PlannedPoint, ...]:
    if not points:
        raise Invalid(_("The planned spend is empty. Give a cumulative amount for each period end."), "points")
    for point in points:
        check.day("points", point.on)
        check.amount("points", point.amount)
    for before, after in pairwise(points):
        if after.on <= before.on or after.amount < before.amount:
            message = _(
                "{on} with {amount} follows {before_on} with {before_amount}",
                on=after.on,
                amount=after.amount,
                before_on=before.on,
                before_amount=before.amount,
            )
            raise Invalid(
                _("Planned spend has to rise with its dates; {message}. Put them in order.", message=message), "points"
            )
    return points


def _plan(old: Account, measure: Measure, points: tuple[PlannedPoint, ...]) -> list[BudgetEvent]:
    if points == old.planned:
        return []
    if points[-1].amount > old.bac:
        problem = _("The planned spend ends at {amount}, above the budget {bac}", amount=points[-1].amount, bac=old.bac)
        raise Invalid(_("{told}. Approve a change first, or plan less.", told=problem), "points")
    return [SpendPlanned(measure=measure, points=points)]


def _measure(old: Account, command: MeasureCost, today: date) -> list[BudgetEvent]:
    day = _status_date(command.status_date, today)
    if command.pv is None and command.ev is None and command.ac is None:
        raise Invalid(_("Give at least one of planned value, earned value and actual cost."), "ac")
    for field in ("pv", "ev", "ac"):
        value = getattr(command, field)
        if value is not None:
            check.amount(field, value)
    if old.measurements and day < old.measurements[-1].status_date:
        newest = old.measurements[-1].status_date
        raise Invalid(
            _(
                "The newest status date is {newest}; {day} lies before it. Use a later date.",
                newest=newest,
                day=day,
            ),
            "status_date",
        )
    if command.ev is not None and command.ev > old.bac:
        raise Invalid(
            _("Earned value {ev} is above the budget {bac}. Approve a change first.", ev=command.ev, bac=old.bac), "ev"
        )
    last = old.measurements[-1] if old.measurements else None
    if last and (last.status_date, last.pv, last.ev, last.ac) == (day, command.pv, command.ev, command.ac):
        return []
    return [CostMeasured(measure=command.measure, status_date=day, pv=command.pv, ev=command.ev, ac=command.ac)]


def _forecast(old: Account, command: ForecastCompletion, today: date) -> list[BudgetEvent]:
    day = _status_date(command.status_date, today)
    check.amount("eac", command.eac)
    spent = next((m.ac for m in reversed(old.measurements) if m.ac is not None), None)
    if spent is not None and command.eac < spent:
        problem = _("A forecast of {eac} lies below what is spent already, {spent}", eac=command.eac, spent=spent)
        raise Invalid(_("{told}. Forecast the whole cost at completion.", told=problem), "eac")
    if old.forecasts and day < old.forecasts[-1].status_date:
        newest = old.forecasts[-1].status_date
        raise Invalid(
            _("The newest forecast is of {newest}; {day} lies before it. Use a later date.", newest=newest, day=day),
            "status_date",
        )
    if old.forecasts and (old.forecasts[-1].status_date, old.forecasts[-1].eac) == (day, command.eac):
        return []
    reason = check.text("reason", command.reason)
    return [CompletionForecast(measure=command.measure, status_date=day, eac=command.eac, reason=reason)]


def _status_date(day: date, today: date) -> date:
    check.day("status_date", day)
    if day > today:
        raise Invalid(
            _(
                "The status date {day} lies after today, {today}. Use the date the figures were taken.",
                day=day,
                today=today,
            ),
            "status_date",
        )
    return day
