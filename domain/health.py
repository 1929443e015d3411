"""Health: red, amber, green per dimension by a published rule from tolerances, with hysteresis and dated overrides.

A status gets worse as soon as its figure passes a threshold and gets better only once the figure is back by the
margin, so that a value on the edge does not flap.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, assert_never

import msgspec

from domain import check
from domain.budget import Budget
from domain.errors import Conflict, Invalid
from domain.ids import ProjectId
from domain.message import Command, Event
from domain.risks import Register, Scale
from domain.schedule import Schedule
from domain.view import Dimension, Rag

ORDER: tuple[Rag, ...] = ("on_track", "at_risk", "off_track")
LONGEST_OVERRIDE = timedelta(days=92)


class Tolerances(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds of the published rule. A figure above the first is at risk, above the second off track."""

    slip_at_risk: int = 5  # calendar days of slip of the final milestone against the current baseline
    slip_off_track: int = 15
    slip_margin: int = 1
    cost_at_risk: Decimal = Decimal(5)  # percent of budget by which the forecast exceeds it
    cost_off_track: Decimal = Decimal(10)
    cost_margin: Decimal = Decimal(1)
    spi_at_risk: Decimal = Decimal("0.95")  # SPI(t) below this
    spi_off_track: Decimal = Decimal("0.85")
    spi_margin: Decimal = Decimal("0.01")


# events


class HealthOverridden(Event, frozen=True, kw_only=True):
    dimension: Dimension
    status: Rag
    reason: str
    until: datetime


class HealthOverrideEnded(Event, frozen=True, kw_only=True):
    dimension: Dimension
    cause: Literal["lapsed", "withdrawn"]


HealthEvent = HealthOverridden | HealthOverrideEnded


# state


class Override(msgspec.Struct, frozen=True, kw_only=True):
    status: Rag
    reason: str
    until: datetime


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What the rule says of one dimension, and what it said before the last change."""

    status: Rag | None = None  # None while nothing can be measured
    previous: Rag | None = None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    readings: dict[Dimension, Reading] = {}
    overrides: dict[Dimension, Override] = {}

    def status(self, dimension: Dimension) -> Rag | None:
        """Return the status shown: the override, else the rule's."""
        if dimension in self.overrides:
            return self.overrides[dimension].status
        if dimension == "overall":
            parts = [self.status(part) for part in ("schedule", "budget", "risk")]
            return worst([status for status in parts if status is not None])
        return self.readings.get(dimension, Reading()).status


def worst(statuses: list[Rag]) -> Rag | None:
    """Return the worst of some statuses, None of none."""
    return max(statuses, key=ORDER.index, default=None)


def grade(value: Decimal, at_risk: Decimal, off_track: Decimal, margin: Decimal, before: Rag | None) -> Rag:
    """Return the status of a figure where more is worse, given the status before."""
    now = _plain(value, at_risk, off_track)
    if before is None or ORDER.index(now) >= ORDER.index(before):
        return now
    return min(before, _plain(value + margin, at_risk, off_track), key=ORDER.index)


def _plain(value: Decimal, at_risk: Decimal, off_track: Decimal) -> Rag:
    return "off_track" if value > off_track else "at_risk" if value > at_risk else "on_track"


def assess(
    health: Health, tolerances: Tolerances, scale: Scale, schedule: Schedule, budget: Budget, risks: Register
) -> Health:
    """Return health with the rule read again on the present facts."""
    rules = {
        "schedule": _schedule(_before(health, "schedule"), tolerances, schedule, budget),
        "budget": _budget(_before(health, "budget"), tolerances, budget),
        "risk": _risk(scale, risks),
    }
    readings: dict[Dimension, Reading] = dict(health.readings)
    for dimension, status in rules.items():
        old = readings.get(dimension, Reading())  # type: ignore[call-overload]
        if old.status != status:
            readings[dimension] = Reading(status=status, previous=old.status)  # type: ignore[index]
    return msgspec.structs.replace(health, readings=readings)


def _before(health: Health, dimension: Dimension) -> Rag | None:
    return health.readings.get(dimension, Reading()).status


def _schedule(before: Rag | None, t: Tolerances, schedule: Schedule, budget: Budget) -> Rag | None:
    found: list[Rag] = []
    final = schedule.final()
    slip = None if final is None else schedule.slip_of(final)
    if slip is not None:
        bounds = Decimal(t.slip_at_risk), Decimal(t.slip_off_track), Decimal(t.slip_margin)
        found.append(grade(Decimal(slip), *bounds, before))
    account = budget.accounts.get("cost")
    spi_t = account.earned_value().spi_t if account else None
    if spi_t is not None:
        found.append(grade(-spi_t, -t.spi_at_risk, -t.spi_off_track, t.spi_margin, before))
    return worst(found)


def _budget(before: Rag | None, t: Tolerances, budget: Budget) -> Rag | None:
    account = budget.accounts.get("cost") or budget.accounts.get("price")
    figures = account.earned_value() if account else None
    if figures is None or figures.eac is None or figures.bac == 0:
        return None
    excess = (figures.eac - figures.bac) / figures.bac * 100
    return grade(excess, t.cost_at_risk, t.cost_off_track, t.cost_margin, before)


def _risk(scale: Scale, risks: Register) -> Rag | None:
    scores = [r.residual.score for r in risks.risks.values() if not r.closed]
    if not scores:
        return "on_track" if risks.risks else None
    top = max(scores)
    return "off_track" if top >= scale.high_from else "at_risk" if top >= scale.medium_from else "on_track"


def evolve(state: Health, event: HealthEvent) -> Health:
    """Return health after `event`."""
    match event:
        case HealthOverridden(dimension=dimension, status=status, reason=reason, until=until):
            new = Override(status=status, reason=reason, until=until)
            return msgspec.structs.replace(state, overrides={**state.overrides, dimension: new})
        case HealthOverrideEnded(dimension=dimension):
            rest = {d: o for d, o in state.overrides.items() if d != dimension}
            return msgspec.structs.replace(state, overrides=rest)
        case _:
            assert_never(event)


# commands


class OverrideHealth(Command, frozen=True, kw_only=True):
    project: ProjectId
    dimension: Dimension
    status: Rag
    reason: str
    until: datetime  # with zone; at most 92 days ahead


class WithdrawOverride(Command, frozen=True, kw_only=True):
    project: ProjectId
    dimension: Dimension


class LapseOverrides(Command, frozen=True, kw_only=True):
    """Sent by the clock: end what has run out."""

    project: ProjectId


HealthCommand = OverrideHealth | WithdrawOverride | LapseOverrides


def decide(state: Health, command: HealthCommand, now: datetime) -> list[HealthEvent]:
    """Return the events that carry out `command` at `now` (UTC).

    Raises: a kind of Refused.
    """
    match command:
        case OverrideHealth(dimension=dimension, status=status, reason=reason, until=until):
            if until.tzinfo is None:
                raise Invalid(f"{until} has no time zone. Add one, such as Z for UTC.", "until")
            if not now < until <= now + LONGEST_OVERRIDE:
                raise Invalid("An override has to end in the future, at most 92 days ahead. Choose a date.", "until")
            why = check.text("reason", reason, required=True)
            return [HealthOverridden(dimension=dimension, status=status, reason=why, until=until)]
        case WithdrawOverride(dimension=dimension):
            if dimension not in state.overrides:
                raise Conflict(f"The {dimension} status is not overridden, so there is nothing to withdraw.")
            return [HealthOverrideEnded(dimension=dimension, cause="withdrawn")]
        case LapseOverrides():
            due = [d for d, o in state.overrides.items() if o.until <= now]
            return [HealthOverrideEnded(dimension=d, cause="lapsed") for d in sorted(due)]
        case _:
            assert_never(command)


def rule(dimension: Dimension, t: Tolerances, scale: Scale) -> str:
    """Return the published rule of one dimension, in words for people."""
    match dimension:
        case "schedule":
            return (
                f"On track up to {t.slip_at_risk} days behind the agreed plan, at risk up to {t.slip_off_track}, "
                "off track beyond."
            )
        case "budget":
            return (
                f"On track while the forecast is at most {t.cost_at_risk} % above the approved budget, "
                f"at risk up to {t.cost_off_track} %, off track beyond."
            )
        case "risk":
            return f"By the highest score: low below {scale.medium_from}, high from {scale.high_from}."
        case "overall":
            return "The worst of schedule, budget and risk."
        case _:
            assert_never(dimension)
