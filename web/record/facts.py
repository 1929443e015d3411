"""One recorded fact of a project: a milestone's date, a risk's score or a figure of the budget, since one event.

Rule: values are read from the project as it was after each event; an event that left a value as it was is no new fact.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, assert_never, get_args

import msgspec

from domain.agreement.terms import Terms
from domain.events import Recorded
from domain.ids import MilestoneId, ProjectId, RiskId
from domain.language import gettext as _
from domain.money import Money
from domain.plan import budget, risks, schedule
from domain.plan.account import Account, Measure
from domain.plan.earned import part_of
from domain.plan.project import Project
from domain.plan.risks import Points
from domain.reveal.levels import at_level
from projections.events.event_log import EventLog
from projections.events.present import Past

Kind = Literal["milestone", "risk", "spent", "forecast", "budget"]
Figure = Literal["spent", "forecast", "budget"]
CHUNK, LOOK = 500, 5000  # events read at a time, and looked through for a further value once one is found
BEFORE, AFTER = 6, 4  # values listed around the one that is asked about


class Asked(msgspec.Struct, frozen=True):
    """What is asked about; `key` is the id of a milestone or risk, or a measure."""

    kind: Kind
    key: str


class Forecast(msgspec.Struct, frozen=True):
    """The milestone is expected on this day."""

    day: date


class Met(msgspec.Struct, frozen=True):
    """The milestone was met on this day."""

    day: date


class Scored(msgspec.Struct, frozen=True):
    """The risk has this residual score."""

    points: Points


class Amount(msgspec.Struct, frozen=True):
    """The figure is this much, at a status date where it has one; `share` is its part of the approved budget."""

    money: Money
    share: Decimal | None
    on: date | None


Value = Forecast | Met | Scored | Amount
PastOf = Callable[[ProjectId, datetime], Past]


class ValueStep(msgspec.Struct, frozen=True, kw_only=True):
    """A value on record; None when the milestone was removed. Instants are UTC."""

    version: int
    at: datetime
    as_of: datetime | None  # since when it held in its source, where that is said
    value: Value | None
    who: str
    reason: str


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A value since one event, until the next one replaced it; with the values around it, oldest first."""

    asked: Asked
    title: str
    value: Value
    state: Project  # as it was after the event
    on: date  # the civil day since which it holds, in the project's zone: where histories put it
    step: ValueStep
    before: ValueStep | None
    next: ValueStep | None
    steps: tuple[ValueStep, ...]
    more: bool  # there are values before those listed

    @property
    def at(self) -> datetime:
        """When it was recorded, UTC."""
        return self.step.at


def asked(query: Mapping[str, str], project: Project) -> Asked | None:
    """Return what a query asks about: `milestone=`, `risk=` or `figure=` with an optional `measure=`.

    None unless it is exactly one thing.
    """
    given = {name: query.get(name, "") for name in ("milestone", "risk", "figure")}
    if sum(map(bool, given.values())) != 1:
        return None
    if given["milestone"]:
        return Asked("milestone", given["milestone"])
    if given["risk"]:
        return Asked("risk", given["risk"])
    measure = query.get("measure", "price" if "price" in project.budget.accounts else "cost")
    if given["figure"] not in get_args(Figure) or measure not in get_args(Measure):
        return None
    return Asked(given["figure"], measure)  # type: ignore[arg-type]


# the values on record


def fact(
    events: EventLog, past: PastOf, project: Project, newest: int, wanted: Asked, version: int | None
) -> Fact | None:
    """Return the fact that stood after event `version` of the project, the newest when None; None where there is none.

    `newest` is the version the project has now.
    """
    log = _Touching(events, f"project-{project.id}", wanted)
    older = log.before(newest if version is None else version, BEFORE + 2)
    newer = [] if version is None else log.after(version, newest, AFTER)
    steps = _steps(older[::-1] + newer, past, project.id, wanted)
    more = len(older) == BEFORE + 2
    steps = steps[1:] if more else steps  # the first was read to tell whether the second changed anything
    reached = [i for i, step in enumerate(steps) if step.value is not None and older and step.at <= older[0].at]
    if not reached:
        return None
    i = reached[-1]
    step, value = steps[i], steps[i].value
    state = past(project.id, step.at).state
    assert value is not None
    assert state is not None
    return Fact(
        asked=wanted,
        title=_title(state, wanted),
        value=value,
        state=state,
        on=project.civil(step.as_of or step.at),
        step=step,
        before=steps[i - 1] if i else None,
        next=steps[i + 1] if i + 1 < len(steps) else None,
        steps=tuple(steps),
        more=more,
    )


class _Touching:
    """Reads the events of a project that may have changed what is asked about."""

    def __init__(self, events: EventLog, stream: str, wanted: Asked) -> None:
        self._events, self._stream, self._wanted = events, stream, wanted

    def before(self, upto: int, enough: int) -> list[Recorded]:
        """Return up to `enough` of them, newest first, from version `upto` on backwards."""
        touching: list[Recorded] = []
        start = upto
        while upto > 0 and len(touching) < enough and not (touching and start - upto >= LOOK):
            after = max(0, upto - CHUNK)
            touching += self._part(after, upto - after)[::-1]
            upto = after
        return touching[:enough]

    def after(self, after: int, newest: int, enough: int) -> list[Recorded]:
        """Return up to `enough` of them, oldest first, of the versions (after, newest]."""
        touching: list[Recorded] = []
        start = after
        while after < newest and len(touching) < enough and not (touching and after - start >= LOOK):
            touching += self._part(after, CHUNK)
            after += CHUNK
        return touching[:enough]

    def _part(self, after: int, many: int) -> list[Recorded]:
        return [r for r in self._events.part(self._stream, after, many) if touches(r.event, self._wanted)]


def _steps(events: Iterable[Recorded], past: PastOf, project: ProjectId, wanted: Asked) -> list[ValueStep]:
    """Return what those events made of the value; an event that left it as it was is no step."""
    steps: list[ValueStep] = []
    for recorded in events:
        if steps and steps[-1].at == recorded.at:
            if _since(recorded.event, recorded.at) < _since(steps[-1], recorded.at):
                continue  # it went into the past of what the same command set
            steps.pop()  # what one command set twice was never true in between
        state = past(project, recorded.at).state
        value = read(state, wanted) if state else None
        if (steps[-1].value if steps else None) != value:
            event, who = recorded.event, recorded.actor
            reason, as_of = getattr(event, "reason", ""), getattr(event, "as_of", None)
            version, at = recorded.version, recorded.at
            steps.append(ValueStep(version=version, at=at, as_of=as_of, value=value, who=who, reason=reason))
    return steps


def _since(said: object, at: datetime) -> datetime:
    """Return since when the value of an event or step recorded at `at` held."""
    as_of: datetime | None = getattr(said, "as_of", None)
    return as_of or at


def touches(event: object, wanted: Asked) -> bool:
    """Tell whether an event may have changed what is asked about."""
    match wanted.kind:
        case "milestone":
            dates = schedule.ForecastMoved | schedule.MilestoneMet | schedule.MilestoneReopened
            places = schedule.MilestoneAdded | schedule.MilestoneRemoved | schedule.MilestoneRestored
            return isinstance(event, dates | places) and event.milestone == wanted.key
        case "risk":
            return isinstance(event, risks.RiskRaised | risks.RiskScored) and event.risk == wanted.key
        case "budget":
            return (
                isinstance(event, budget.BudgetApproved | budget.BudgetChangeApproved) and event.measure == wanted.key
            )
        case "spent":
            return isinstance(event, budget.CostMeasured) and event.measure == wanted.key
        case "forecast":
            return isinstance(event, budget.BudgetEvent) and event.measure == wanted.key
        case _:
            assert_never(wanted.kind)


def about(event: object) -> str:
    """Return the query that asks about what an event set, "" where nobody is told of it as one value."""
    match event:
        case (
            schedule.MilestoneAdded(milestone=key)
            | schedule.ForecastMoved(milestone=key)
            | schedule.MilestoneMet(milestone=key)
            | schedule.MilestoneReopened(milestone=key)
        ):
            return f"milestone={key}"
        case risks.RiskRaised(risk=key) | risks.RiskScored(risk=key):
            return f"risk={key}"
        case budget.CostMeasured(measure=measure, ac=ac) if ac is not None:
            return f"figure=spent&measure={measure}"
        case budget.CompletionForecast(measure=measure):
            return f"figure=forecast&measure={measure}"
        case budget.BudgetApproved(measure=measure) | budget.BudgetChangeApproved(measure=measure):
            return f"figure=budget&measure={measure}"
        case _:
            return ""


def read(state: Project, wanted: Asked) -> Value | None:
    """Return what a project says of what is asked about."""
    match wanted.kind:
        case "milestone":
            m = state.schedule.milestones.get(MilestoneId(wanted.key))
            return None if m is None else Met(m.actual) if m.actual else Forecast(m.forecast)
        case "risk":
            r = state.risks.risks.get(RiskId(wanted.key))
            return None if r is None else Scored(r.residual)
        case "spent" | "forecast" | "budget":
            account = state.budget.accounts.get(wanted.key)  # type: ignore[call-overload]
            return None if account is None else _amount(account, wanted.kind, state.currency)
        case _:
            assert_never(wanted.kind)


def at_step(fact: Fact, step: int) -> Amount | None:
    """Return the figure that a fact is about as terms tell it that round amounts to multiples of `step`."""
    found = read(at_level(fact.state, Terms(money_step=step)), fact.asked)
    return found if isinstance(found, Amount) else None


def _amount(account: Account, figure: Figure, currency: str) -> Amount | None:
    earned, measured = account.earned_value(), account.measurements[-1:]
    match figure:
        case "spent":
            amount, on = earned.ac, [m.status_date for m in measured]
        case "forecast":
            amount, on = earned.eac, [m.status_date for m in measured] + [f.status_date for f in account.forecasts[-1:]]
        case "budget":
            amount, on = account.bac, []
        case _:
            assert_never(figure)
    if amount is None:
        return None
    share = part_of(amount, account.bac) if figure != "budget" else None
    return Amount(Money(amount, currency), share, max(on, default=None))


def _title(state: Project, wanted: Asked) -> str:
    match wanted.kind:
        case "milestone":
            milestone = state.schedule.milestones[MilestoneId(wanted.key)].details
            return milestone.client_title or milestone.title
        case "risk":
            risk = state.risks.risks[RiskId(wanted.key)].details
            return f"{risk.ref} {risk.client_title or risk.title}"
        case "spent" | "forecast" | "budget":
            name = {"spent": _("Spent"), "forecast": _("Forecast at completion"), "budget": _("Approved budget")}[
                wanted.kind
            ]
            return f"{name} ({wanted.key})"
        case _:
            assert_never(wanted.kind)
