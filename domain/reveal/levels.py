"""The levels of detail that terms allow, applied to a project before anything of it is revealed.

Rule: what is judged, ordered, counted, dated or drawn under coarser terms is computed from the project this module
returns, in which nothing finer is left. So a change below the level is no change: it makes no movement, no update and
no wait. Days become the last day of their month or quarter, at whose end alone they can be overdue; scores the highest
of their band, so that a review by score holds too much rather than too little; amounts the nearest multiple of a step.

Days on which something was set or agreed and when the client has to act stay days: they are not dates of the course.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TypeVar

import msgspec

from domain.agreement.terms import Terms
from domain.memory import Memory
from domain.money import Money
from domain.plan.account import Account, Forecast, Measurement, PlannedPoint
from domain.plan.budget import Budget
from domain.plan.milestones import Milestone, MilestoneDetails
from domain.plan.project import Project
from domain.plan.risks import Register, Risk
from domain.plan.schedule import ApprovedBaseline, Schedule
from domain.plan.scores import Points, Scale, band
from domain.view import DateUnit

Value = TypeVar("Value")
MONTHS: dict[DateUnit, int] = {"month": 1, "quarter": 3}
NEVER_CHANGED = datetime.min.replace(tzinfo=UTC)  # when an account changed, where its level does not tell


def at_level(project: Project, terms: Terms, memory: Memory | None = None) -> Project:
    """Return a project with nothing finer in it than terms allow; the project itself where they allow all.

    What did not change since the last turn of `memory` is the same object again.
    """
    step, memory = Decimal(terms.money_step), memory or Memory()
    if terms.date_unit == "day" and terms.score_detail == "score" and not step:
        return project
    risks, budget = project.risks, project.budget
    if terms.score_detail == "band":
        risks = memory.of("register", (risks, project.scale), lambda: _register(project.risks, project.scale, memory))
    if step:
        budget = memory.of("budget.level", (budget, terms), lambda: _budget(project.budget, step))
    schedule = _schedule(project.schedule, terms, memory)
    return msgspec.structs.replace(project, schedule=schedule, risks=risks, budget=budget)


# dates


def end_of(day: date, unit: DateUnit) -> date:
    """Return the last day of the month or quarter (of the calendar year) that a day lies in; for "day" the day."""
    months = MONTHS.get(unit)
    if months is None:
        return day
    last = (day.month - 1) // months * months + months
    if last == 12:
        return date(day.year, 12, 31)
    return date(day.year, last + 1, 1) - timedelta(days=1)


def _schedule(schedule: Schedule, terms: Terms, memory: Memory) -> Schedule:
    """Return a schedule whose dates are the ends of units, and payments rounded."""
    unit = terms.date_unit

    def dates(days: dict[Value, date]) -> dict[Value, date]:
        return {key: end_of(day, unit) for key, day in days.items()}

    def milestone(m: Milestone) -> Milestone:
        return memory.of(("milestone.level", m.id), (m, terms), lambda: _milestone(m, terms))

    def plans() -> tuple[ApprovedBaseline, ...]:
        return tuple(msgspec.structs.replace(b, dates=dates(b.dates)) for b in schedule.baselines)

    agreed, first = schedule.agreed, schedule.agreed_first
    return msgspec.structs.replace(
        schedule,
        milestones={key: milestone(m) for key, m in schedule.milestones.items()},
        baselines=memory.of("plans.level", (schedule.baselines, unit), plans),
        agreed=memory.of("agreed.level", (agreed, unit), lambda: dates(agreed)),
        agreed_first=memory.of("first.level", (first, unit), lambda: dates(first)),
    )


def _milestone(m: Milestone, terms: Terms) -> Milestone:
    unit = terms.date_unit

    def coarse(day: date | None) -> date | None:
        return None if day is None else end_of(day, unit)

    details = _details(m.details, coarse, Decimal(terms.money_step))
    if unit == "day":
        return msgspec.structs.replace(m, details=details)
    ranged = "range" in terms.milestone_fields
    moves = tuple(
        msgspec.structs.replace(
            move,
            forecast=end_of(move.forecast, unit),
            earliest=coarse(move.earliest) if ranged else None,
            latest=coarse(move.latest) if ranged else None,
        )
        for move in m.moves
    )
    settlements = tuple(msgspec.structs.replace(s, actual=coarse(s.actual)) for s in m.settlements)
    accepted = coarse(m.accepted_on)
    return msgspec.structs.replace(m, details=details, moves=moves, settlements=settlements, accepted_on=accepted)


def _details(
    details: MilestoneDetails, coarse: Callable[[date | None], date | None], step: Decimal
) -> MilestoneDetails:
    value = details.value
    if step and value is not None:
        value = Money(rounded(value.amount, step), value.currency)
    return msgspec.structs.replace(details, deadline=coarse(details.deadline), value=value)


# scores


def _register(register: Register, scale: Scale, memory: Memory) -> Register:
    def coarse(risk: Risk) -> Risk:
        return memory.of(("risk.level", risk.id), (risk, scale), lambda: _risk(risk, scale))

    return Register(risks={key: coarse(risk) for key, risk in register.risks.items()})


def _risk(risk: Risk, scale: Scale) -> Risk:
    scores = tuple(msgspec.structs.replace(score, points=_highest(score.points, scale)) for score in risk.scores)
    return msgspec.structs.replace(risk, inherent=_highest(risk.inherent, scale), scores=scores)


def _highest(points: Points, scale: Scale) -> Points:
    """Return points whose score is the highest of the band; as a pair they stand for nothing and are never shown."""
    of_band = {"low": scale.medium_from - 1, "medium": scale.high_from - 1, "high": scale.size**2}
    return Points(1, of_band[band(scale, points.score)])


# money


def rounded(amount: Decimal, step: Decimal) -> Decimal:
    """Return the multiple of a step that is nearest to an amount; of two, the even one. A step of 0 changes nothing."""
    return (amount / step).to_integral_value(ROUND_HALF_EVEN) * step if step else amount


def _budget(budget: Budget, step: Decimal) -> Budget:
    return msgspec.structs.replace(budget, accounts={key: _account(a, step) for key, a in budget.accounts.items()})


def _account(account: Account, step: Decimal) -> Account:
    """Return an account with rounded amounts, whose figures are computed from those.

    When it changed is when it was first measured for its newest status date: a correction may lie below the step.
    """
    measurements = tuple(_measurement(m, step) for m in account.measurements)
    forecasts = tuple(_forecast(f, step) for f in account.forecasts)
    original = rounded(account.original, step)
    whole = Account(
        original=original,
        changes=rounded(account.bac, step) - original,
        planned=tuple(PlannedPoint(point.on, rounded(point.amount, step)) for point in account.planned),
        measurements=measurements,
        forecasts=forecasts,
        changed_at=max((m.first_at for m in measurements), default=NEVER_CHANGED),
    )
    figures = whole.earned_value()
    eac, pv = (None if amount is None else rounded(amount, step) for amount in (figures.eac, figures.pv))
    return msgspec.structs.replace(whole, figures=msgspec.structs.replace(figures, eac=eac, pv=pv))


def _measurement(m: Measurement, step: Decimal) -> Measurement:
    def coarse(amount: Decimal | None) -> Decimal | None:
        return None if amount is None else rounded(amount, step)

    return msgspec.structs.replace(m, at=m.first_at, pv=coarse(m.pv), ev=coarse(m.ev), ac=coarse(m.ac))


def _forecast(f: Forecast, step: Decimal) -> Forecast:
    return msgspec.structs.replace(f, at=NEVER_CHANGED, eac=rounded(f.eac, step), reason="")
