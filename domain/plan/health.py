"""Health: a status for each dimension by a published rule with tolerances and hysteresis, and dated overrides.

Rule: a status gets worse as soon as its figure passes a threshold and gets better only once the figure is back by the
margin, so that a figure near a threshold does not change it often. A changed rule is applied without regard to the
status before. What cannot be measured has no status.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, assert_never

import msgspec

from domain import check
from domain.errors import Conflict, Invalid
from domain.ids import ProjectId
from domain.language import decimal
from domain.language import gettext as _
from domain.message import Command, Event
from domain.plan.budget import Budget, Measure
from domain.plan.risks import Register, Scale
from domain.plan.schedule import Schedule
from domain.view import Dimension, Rag

MEASURES: tuple[Measure, ...] = ("cost", "price")  # the budget is judged by the first that can be measured
ORDER: tuple[Rag, ...] = ("on_track", "at_risk", "off_track")
MOST = Decimal(1000)  # of a threshold in percent, or of an index
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
    """The status of one dimension by the rule, and its status before the last change."""

    status: Rag | None = None  # None while nothing can be measured
    previous: Rag | None = None


UNREAD = Reading()


class Health(msgspec.Struct, frozen=True, kw_only=True):
    readings: dict[Dimension, Reading] = {}
    overrides: dict[Dimension, Override] = {}

    def status(self, dimension: Dimension) -> Rag | None:
        """Return the status that is shown: the override, else that of the rule; None where nothing can be measured."""
        if dimension in self.overrides:
            return self.overrides[dimension].status
        if dimension == "overall":
            parts = [self.status(part) for part in ("schedule", "budget", "risk")]
            return worst([status for status in parts if status is not None])
        return self.read(dimension).status

    def read(self, dimension: Dimension) -> Reading:
        """Return the status of a dimension by the rule, without regard to an override."""
        return self.readings.get(dimension, UNREAD)


def worst(statuses: list[Rag]) -> Rag | None:
    """Return the worst of the statuses, None when there are none."""
    return max(statuses, key=ORDER.index, default=None)


def grade(value: Decimal, at_risk: Decimal, off_track: Decimal, margin: Decimal, before: Rag | None) -> Rag:
    """Return the status of a figure where more is worse, given its status before (None without one)."""
    now = _plain(value, at_risk, off_track)
    if before is None or ORDER.index(now) >= ORDER.index(before):
        return now
    return min(before, _plain(value + margin, at_risk, off_track), key=ORDER.index)


def _plain(value: Decimal, at_risk: Decimal, off_track: Decimal) -> Rag:
    return "off_track" if value > off_track else "at_risk" if value > at_risk else "on_track"


class Facts(msgspec.Struct, frozen=True):
    """What the rule is applied to."""

    tolerances: Tolerances
    scale: Scale
    schedule: Schedule
    budget: Budget
    risks: Register


def assess(health: Health, old: Facts, new: Facts) -> Health:
    """Return health with the rule applied again to each dimension whose facts differ between `old` and `new`."""
    afresh = new.tolerances is not old.tolerances and new.tolerances != old.tolerances
    budget = afresh or new.budget is not old.budget
    schedule = budget or new.schedule is not old.schedule
    if schedule:
        before = None if afresh else health.read("schedule").status
        health = _read(health, "schedule", _schedule(before, new.tolerances, new.schedule, new.budget))
    if budget:
        before = None if afresh else health.read("budget").status
        health = _read(health, "budget", _budget(before, new.tolerances, new.budget))
    if new.risks is not old.risks:
        health = _read(health, "risk", _risk(new.scale, new.risks))
    return health


def _read(health: Health, dimension: Dimension, status: Rag | None) -> Health:
    before = health.read(dimension).status
    if status == before:
        return health
    reading = Reading(status=status, previous=before)
    return msgspec.structs.replace(health, readings={**health.readings, dimension: reading})


def _schedule(before: Rag | None, t: Tolerances, schedule: Schedule, budget: Budget) -> Rag | None:
    if not schedule.agreed and schedule.ended is None and not budget.accounts:
        return None  # nothing to judge it by yet
    statuses: list[Rag] = []
    final = schedule.final() if schedule.agreed else None
    if overdue := schedule.overdue():
        statuses.append("off_track" if final in overdue else "at_risk")
    slip = None if final is None else schedule.slip_of(final)
    if slip is not None:
        bounds = Decimal(t.slip_at_risk), Decimal(t.slip_off_track), Decimal(t.slip_margin)
        statuses.append(grade(Decimal(slip), *bounds, before))
    account = budget.accounts.get("cost")
    spi_t = account.earned_value().spi_t if account else None
    if spi_t is not None:
        statuses.append(grade(-spi_t, -t.spi_at_risk, -t.spi_off_track, t.spi_margin, before))
    return worst(statuses)


def _budget(before: Rag | None, t: Tolerances, budget: Budget) -> Rag | None:
    accounts = [budget.accounts[measure] for measure in MEASURES if measure in budget.accounts]
    forecast = [account for account in accounts if account.earned_value().eac is not None]
    for account in (*forecast, *accounts):
        excess = account.excess()
        if excess is not None:
            return grade(excess * 100, t.cost_at_risk, t.cost_off_track, t.cost_margin, before)
    return None


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
    """End the overrides whose time is over; for the system alone."""

    project: ProjectId


HealthCommand = OverrideHealth | WithdrawOverride | LapseOverrides


def decide(state: Health, command: HealthCommand, now: datetime) -> list[HealthEvent]:
    """Return the events that carry out `command` at `now` (UTC).

    Raises: a kind of Refused.
    """
    match command:
        case OverrideHealth(dimension=dimension, status=status, reason=reason, until=until):
            until = check.instant("until", until)
            if not now < until <= now + LONGEST_OVERRIDE:
                raise Invalid(_("An override has to end in the future, at most 92 days ahead. Choose a date."), "until")
            why = check.text("reason", reason, required=True)
            if state.overrides.get(dimension) == Override(status=status, reason=why, until=until):
                return []
            return [HealthOverridden(dimension=dimension, status=status, reason=why, until=until)]
        case WithdrawOverride(dimension=dimension):
            if dimension not in state.overrides:
                raise Conflict(
                    _("The {dimension} status is not overridden, so there is nothing to withdraw.", dimension=dimension)
                )
            return [HealthOverrideEnded(dimension=dimension, cause="withdrawn")]
        case LapseOverrides():
            due = [d for d, o in state.overrides.items() if o.until <= now]
            return [HealthOverrideEnded(dimension=d, cause="lapsed") for d in sorted(due)]
        case _:
            assert_never(command)


def tolerable(t: Tolerances) -> None:
    """Raise Invalid when thresholds are out of order, out of range or too close together for their margin."""
    for field in ("slip_at_risk", "slip_off_track", "slip_margin"):
        check.whole(field, getattr(t, field), 0, 3650)
    for field in ("cost_at_risk", "cost_off_track", "cost_margin", "spi_at_risk", "spi_off_track", "spi_margin"):
        check.number(field, getattr(t, field), 0, int(MOST))
    for name, gap in (
        ("slip_off_track", Decimal(t.slip_off_track - t.slip_at_risk)),
        ("cost_off_track", t.cost_off_track - t.cost_at_risk),
        ("spi_off_track", t.spi_at_risk - t.spi_off_track),
    ):
        if gap <= 0:
            raise Invalid(_("The off-track threshold has to lie beyond the at-risk one. Move one of them."), name)
        margin = name.replace("off_track", "margin")
        if getattr(t, margin) > gap:
            problem = _("A margin of {t} is wider than the {gap} between the thresholds", t=getattr(t, margin), gap=gap)
            raise Invalid(_("{told}, so the status would hardly get better again. Narrow it.", told=problem), margin)


def rule(dimension: Dimension, t: Tolerances, scale: Scale) -> str:
    """Return the published rule of one dimension, in words."""
    match dimension:
        case "schedule":
            return _(
                "On track up to {slip_at_risk} days behind the agreed plan, at risk up to {slip_off_track}, off "
                "track beyond. While a date has passed without being met it is at risk, and off track when that is the "
                "last agreed one. Where earned value is measured, SPI(t) below {spi_at_risk} is at risk and below "
                "{spi_off_track} off track.",
                slip_at_risk=t.slip_at_risk,
                slip_off_track=t.slip_off_track,
                spi_at_risk=decimal(t.spi_at_risk),
                spi_off_track=decimal(t.spi_off_track),
            )
        case "budget":
            return _(
                "On track while the forecast is at most {cost_at_risk} % above the approved budget, at risk up to "
                "{cost_off_track} %, off track beyond. Where there is no forecast, what is spent is judged like one.",
                cost_at_risk=decimal(t.cost_at_risk),
                cost_off_track=decimal(t.cost_off_track),
            )
        case "risk":
            return _(
                "By the highest score: low below {medium_from}, high from {high_from}.",
                medium_from=scale.medium_from,
                high_from=scale.high_from,
            )
        case "overall":
            return _("The worst of schedule, budget and risk.")
        case _:
            assert_never(dimension)
