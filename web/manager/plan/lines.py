"""The lines of a project's workspace: milestones, risks, budgets and statuses with their audience, and its sentence."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import get_args

import msgspec

from domain.headline import counted
from domain.language import capital
from domain.language import gettext as _
from domain.language import sentence as sentence_of
from domain.money import Money
from domain.plan import health as rules
from domain.plan.budget import Account, Measure
from domain.plan.calendar import calendar_days
from domain.plan.earned import EarnedValue
from domain.plan.health import Override
from domain.plan.project import Project
from domain.plan.risks import Risk, band
from domain.plan.schedule import Milestone
from domain.view import Dimension, MilestoneState, Rag
from projections.wording import words
from web.manager.plan.comes import Comes, comes
from web.record.audience import Audience
from web.render.figures import in_band

NA = "n/a"


class Mark(msgspec.Struct, frozen=True):
    """One client to whom a line is shown."""

    client: str
    number: int  # by which the page marks it


class MilestoneLine(msgspec.Struct, frozen=True, kw_only=True):
    """One milestone of the plan."""

    m: Milestone
    agreed: date | None
    slip: str  # against what was agreed, in calendar days
    late: bool
    working: int | None  # the same in working days
    original: int | None  # slip since the first plan, where that differs
    state: MilestoneState
    passed: int  # days since the forecast has passed without its being met; 0 where it has not
    marks: tuple[Mark, ...]
    comes: Comes | None  # from which source its date is, None where no source keeps it


class RiskLine(msgspec.Struct, frozen=True, kw_only=True):
    """One risk of the register."""

    r: Risk
    band: str
    theirs: tuple[tuple[str, str], ...]  # client, score
    waiting: tuple[str, ...]  # clients asked for their view
    marks: tuple[Mark, ...]


class Figure(msgspec.Struct, frozen=True):
    """One earned-value figure as shown; n/a where it is undefined."""

    short: str
    name: str
    value: str


class BudgetLine(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of the budget."""

    measure: Measure
    status_date: date | None
    headline: tuple[Figure, ...]
    figures: tuple[Figure, ...]
    planned: bool
    marks: tuple[str, ...]  # "Acme Rail: amounts"


class HealthLine(msgspec.Struct, frozen=True, kw_only=True):
    """One status with its rule."""

    dimension: Dimension
    status: Rag | None
    by_rule: Rag | None
    override: Override | None
    counted: str  # "2 high": what the status of the risks says in risks; "" for the word of the status
    rule: str
    marks: tuple[Mark, ...]


def milestones(project: Project, audience: Sequence[Audience], today: date) -> list[MilestoneLine]:
    """Return the plan, in order of what was agreed."""
    every = project.schedule.milestones.values()
    ordered = sorted(every, key=lambda m: (project.schedule.baseline_of(m.id) or m.expected, m.details.title, m.id))
    return [_milestone(project, m, audience, today) for m in ordered]


def _milestone(project: Project, m: Milestone, audience: Sequence[Audience], today: date) -> MilestoneLine:
    plan = project.schedule
    slip, first = plan.slip_of(m.id), plan.original_of(m.id)
    original = None if first is None or first == plan.baseline_of(m.id) else calendar_days(first, m.expected)
    return MilestoneLine(
        m=m,
        agreed=plan.baseline_of(m.id),
        slip="" if slip is None else words.signed(slip),
        late=bool(slip and slip > 0),
        working=plan.working_slip_of(m.id, project.calendar),
        original=original,
        state=state(project, m, slip, today),
        passed=max((today - m.forecast).days, 0) if m.actual is None else 0,
        marks=_marks(m.id, audience),
        comes=comes(project, m),
    )


def state(project: Project, m: Milestone, slip: int | None, today: date) -> MilestoneState:
    """Return how a milestone stands by the project's tolerances; `today` is the civil date in the project's zone."""
    if m.actual is not None:
        return "met"
    if m.forecast < today:
        return "overdue"
    if slip is None:
        return "planned"
    t = project.tolerances
    return "off_track" if slip > t.slip_off_track else "at_risk" if slip > t.slip_at_risk else "on_track"


def _marks(key: str, audience: Sequence[Audience]) -> tuple[Mark, ...]:
    return tuple(Mark(a.client, a.number) for a in audience if key in a.ids)


def untitled(project: Project) -> list[Milestone]:
    """Return the milestones without a title for clients, which no agreement can show, by date."""
    without = (m for m in project.schedule.milestones.values() if not m.details.client_title)
    return sorted(without, key=lambda m: (m.expected, m.details.title, m.id))


def risks(project: Project, audience: Sequence[Audience], client_names: dict[str, str]) -> list[RiskLine]:
    """Return the register: open first, highest first."""
    every = sorted(project.risks.risks.values(), key=lambda r: (r.closed, -r.residual.score, r.details.ref))
    return [
        RiskLine(
            r=r,
            band=band(project.scale, r.residual.score),
            theirs=tuple((client_names.get(c, c), _points(r, c)) for c in r.client_scores),
            waiting=tuple(client_names.get(c, c) for c in r.asked if r.view_needed_from(c)),
            marks=_marks(r.id, audience),
        )
        for r in every
    ]


def _points(r: Risk, client: str) -> str:
    points = r.client_scores[client][-1].points  # type: ignore[index]
    return f"{points.probability}×{points.impact} = {points.score}"


def budgets(project: Project, audience: Sequence[Audience]) -> list[BudgetLine]:
    """Return the measures that have a budget, cost first."""
    accounts = project.budget.accounts
    return [
        _budget(project.currency, measure, accounts[measure], audience)
        for measure in get_args(Measure)
        if measure in accounts
    ]


def _budget(currency: str, measure: Measure, account: Account, audience: Sequence[Audience]) -> BudgetLine:
    values = account.earned_value()
    headline = (
        Figure("BAC", _("Approved"), _money(account.bac, currency)),
        Figure("AC", _("Spent"), _money(values.ac, currency)),
        Figure("EAC", _("Forecast"), _money(values.eac, currency)),
    )
    dates = [m.status_date for m in account.measurements[-1:]] + [f.status_date for f in account.forecasts[-1:]]
    return BudgetLine(
        measure=measure,
        status_date=max(dates, default=None),
        headline=headline,
        figures=_figures(values, currency),
        planned=bool(account.planned),
        marks=tuple(f"{a.client}: {a.budget.split(', ')[1]}" for a in audience if a.budget.startswith(measure)),
    )


def _figures(values: EarnedValue, currency: str) -> tuple[Figure, ...]:
    """Return every earned-value figure, by the formulas of `domain.plan.earned`."""
    return (
        Figure("PV", _("planned value"), _money(values.pv, currency)),
        Figure("EV", _("earned value"), _money(values.ev, currency)),
        Figure("AC", _("actual cost"), _money(values.ac, currency)),
        Figure("CV", _("cost variance"), _money(values.cv, currency)),
        Figure("SV", _("schedule variance"), _money(values.sv, currency)),
        Figure("CPI", _("cost performance"), _number(values.cpi)),
        Figure("SPI", _("schedule performance"), _number(values.spi)),
        Figure("ES", _("earned schedule, periods"), _number(values.es)),
        Figure("SV(t)", _("schedule variance, periods"), _number(values.sv_t)),
        Figure("SPI(t)", _("schedule performance in time"), _number(values.spi_t)),
        Figure("IEAC(t)", _("duration by SPI(t), periods"), _number(values.ieac_t)),
        Figure("EAC", _("BAC ÷ CPI"), _money(values.eac_typical, currency)),
        Figure("EAC", _("AC + BAC − EV"), _money(values.eac_atypical, currency)),
        Figure("EAC", _("by CPI × SPI"), _money(values.eac_both, currency)),
        Figure("ETC", _("to complete"), _money(values.etc, currency)),
        Figure("VAC", _("variance at completion"), _money(values.vac, currency)),
        Figure("TCPI", _("needed for the budget"), _number(values.tcpi_bac)),
        Figure("TCPI", _("needed for the forecast"), _number(values.tcpi_eac)),
    )


def _money(value: Decimal | None, currency: str) -> str:
    return NA if value is None else words.money(Money(value, currency))


def _number(value: Decimal | None) -> str:
    return NA if value is None else words.index(round(value, 2)).replace("-", words.MINUS)


def healths(project: Project, audience: Sequence[Audience]) -> list[HealthLine]:
    """Return the four statuses, overall first."""
    dimensions: tuple[Dimension, ...] = ("overall", "schedule", "budget", "risk")
    readings = project.health.readings
    return [
        HealthLine(
            dimension=d,
            status=project.health.status(d),
            by_rule=readings[d].status if d in readings else None,
            override=project.health.overrides.get(d),
            counted=_worst(project) if d == "risk" and d not in project.health.overrides else "",
            rule=rules.rule(d, project.tolerances, project.scale),
            marks=tuple(Mark(a.client, a.number) for a in audience if d in a.health),
        )
        for d in dimensions
    ]


def _worst(project: Project) -> str:
    """Return how many open risks are in the band that the status follows from, "" where that is none or low."""
    named: dict[Rag | None, str] = {"off_track": "high", "at_risk": "medium"}
    worst = named.get(project.health.status("risk"), "")
    active = [r for r in project.risks.risks.values() if not r.closed]
    many = sum(band(project.scale, r.residual.score) == worst for r in active)
    return in_band(worst, many) if many else ""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How much was done today, and how much waits for the manager."""

    changes_today: int = 0
    overdue: int = 0  # forecast dates that passed unmet
    waiting: int = 0  # views of clients
    stopped: int = 0  # shares
    concerns: int = 0  # open ones


def sentence(project: Project, counts: Counts) -> tuple[str, str]:
    """Return the manager's sentence in two parts: what was done today, and what waits ("" for nothing)."""
    done = (
        capital(counted("one change today.", "{many} changes today.", counts.changes_today))
        if counts.changes_today
        else _("No change today.")
    )
    if project.phase != "running":
        phase = _("On hold.") if project.phase == "on_hold" else _("Closed.")
        done = f"{phase} {done}"
    waits = _waits(counts)
    return done, sentence_of(_in_turn(waits)) if waits else ""


def _in_turn(waits: list[str]) -> str:
    """Return several clauses as one: "A, and B, and C"."""
    text = waits[0]
    for clause in waits[1:]:
        text = _("{before}, and {clause}", before=text, clause=clause)
    return text


def _waits(counts: Counts) -> list[str]:
    waits = []
    if counts.stopped:
        waits.append(counted("one share has stopped", "{many} shares have stopped", counts.stopped))
    if counts.overdue:
        waits.append(
            counted("one forecast date has passed unmet", "{many} forecast dates have passed unmet", counts.overdue)
        )
    if counts.concerns:
        waits.append(counted("one concern is open", "{many} concerns are open", counts.concerns))
    if counts.waiting:
        waits.append(
            counted("one view is awaited from clients", "{many} views are awaited from clients", counts.waiting)
        )
    return waits
