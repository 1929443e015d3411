"""The headline of a client's page: one or two sentences, made by fixed rules from the shared parts of a view."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import compress, count
from operator import attrgetter

import msgspec

from domain.language import N_, NN_, Said, decimal, listed, ngettext, sentence, whole
from domain.language import gettext as _
from domain.view import (
    BudgetVital,
    DateUnit,
    Dimension,
    Headline,
    Indicator,
    MilestoneRow,
    ProjectPhase,
    Rag,
    RiskCard,
    RiskVital,
    ScheduleVital,
)

WORDS = (
    N_("zero"),
    N_("one"),
    N_("two"),
    N_("three"),
    N_("four"),
    N_("five"),
    N_("six"),
    N_("seven"),
    N_("eight"),
    N_("nine"),
    N_("ten"),
) + (
    N_("eleven"),
    N_("twelve"),
    N_("thirteen"),
    N_("fourteen"),
    N_("fifteen"),
    N_("sixteen"),
    N_("seventeen"),
    N_("eighteen"),
    N_("nineteen"),
    N_("twenty"),
)


MONTH = (N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"), N_("July"), N_("August")) + (
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)


def number(value: int) -> str:
    """Return a count in words up to twenty, in digits beyond."""
    return _(WORDS[value]) if 0 <= value < len(WORDS) else whole(value)


def counted(one: str, many: str, value: int, /, **values: object) -> str:
    """Return a sentence with a count in it, `{many}` in words up to twenty: "one day", "two days".

    Nothing is counted as several: languages that put it to one would have the word of one there.
    """
    return ngettext(one, many, value or 2, many=number(value), **values)


def in_units(days: int, unit: DateUnit) -> int:
    """Return a number of calendar days between the ends of two units as a number of units, rounded to whole ones."""
    return days if unit == "day" else round(days / {"month": 365.25 / 12, "quarter": 365.25 / 4}[unit])


def length(days: int, unit: DateUnit) -> str:
    """Return a number of days between the ends of two units in words: "eleven days", "one month"."""
    many = in_units(days, unit)
    match unit:
        case "day":
            return counted("one day", "{many} days", many)
        case "month":
            return counted("one month", "{many} months", many)
        case "quarter":
            return counted("one quarter", "{many} quarters", many)


# what the headline is made of


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """What a view shares, as its headline reads it; None or empty where a part is not shared."""

    overall: Indicator | None = None
    schedule: ScheduleVital | None = None
    budget: BudgetVital | None = None
    risk: RiskVital | None = None
    milestones: tuple[MilestoneRow, ...] = ()
    risks: tuple[RiskCard, ...] = ()
    phase: ProjectPhase | None = None
    unit: DateUnit = "day"  # of the dates of milestones
    more: bool = False  # something else stands on the page

    def statuses(self) -> dict[Dimension, Rag]:
        """Return the status of every indicator that is shared."""
        found: dict[Dimension, Indicator | None] = {
            "overall": self.overall,
            "schedule": self.schedule.indicator if self.schedule else None,
            "budget": self.budget.indicator if self.budget else None,
            "risk": self.risk.indicator if self.risk else None,
        }
        return {name: indicator.status for name, indicator in found.items() if indicator is not None}


class Clause(msgspec.Struct, frozen=True):
    """One thing the headline says, of which dimension, and how bad: 2 off track, 1 at risk or behind, 0 neither."""

    of: Dimension
    text: str
    severity: int = 0


SEVERITY: dict[Rag, int] = {"on_track": 0, "at_risk": 1, "off_track": 2}
NAMED: dict[Dimension, str] = Said(
    {
        "overall": N_("overall"),
        "schedule": N_("schedule"),
        "budget": N_("budget"),
        "risk": N_("risk"),
    }
)
STANDS: dict[tuple[Dimension, Rag], str] = Said(
    {
        ("overall", "on_track"): N_("on track overall"),
        ("overall", "at_risk"): N_("at risk overall"),
        ("schedule", "on_track"): N_("the schedule on track"),
        ("schedule", "at_risk"): N_("the schedule at risk"),
        ("budget", "on_track"): N_("the budget on track"),
        ("budget", "at_risk"): N_("the budget at risk"),
        ("risk", "on_track"): N_("risk status on track"),
        ("risk", "at_risk"): N_("risk status at risk"),
    }
)


_status, _final = attrgetter("status"), attrgetter("final")


def read_of(rows: Sequence[MilestoneRow]) -> tuple[object, ...]:
    """Return all that a headline reads of milestones, so that it is made again only where one of these changed."""
    statuses, last = list(map(_status, rows)), compress(count(), map(_final, rows))
    slips = [row.slip is not None and row.slip.since_current > 0 for row in rows] if None in statuses else ()
    return (*statuses, *last, *slips)


def headline(shared: Shared) -> Headline:
    """Return the headline by the rules of docs/spec.md 6.10: whatever is shared, worst first."""
    statuses = shared.statuses()
    figures = [*_schedule(shared), *_budget(shared.budget), *_risk(shared.risks)]
    said = [c for c in figures if c.severity or statuses.get(c.of, "on_track") == "on_track"]
    said += _stands(statuses, said)
    sentences = _sentences(_off_track(statuses), said) or [_otherwise(shared)]
    opening = {"on_hold": _("On hold."), "closed": _("Closed.")}.get(shared.phase or "", "")
    waiting = [r for r in shared.risks if r.view_needed]
    ask = counted("one risk is waiting for your view", "{many} risks are waiting for your view", len(waiting))
    text = " ".join(filter(None, (opening, *(sentence(said) for said in sentences if said))))
    return Headline(sentence=text, ask=sentence(ask) if waiting else "", ask_target=waiting[0].id if waiting else "")


def _sentences(off_track: str, said: Sequence[Clause]) -> list[str]:
    """Return clauses as sentences, worst first; a short headline is one sentence."""
    worst, less, good = ([c.text for c in said if c.severity == severity] for severity in (2, 1, 0))
    if not off_track and len(worst) + len(less) < 2:
        return [text for text in (listed([*worst, *less, *good]),) if text]
    if not off_track:
        return [text for text in (listed([*worst, *less]), listed(good)) if text]
    return [text for text in (_of(off_track, worst), listed(less), listed(good)) if text]


def _of(off_track: str, worst: Sequence[str]) -> str:
    return _("{named}: {bad}", named=off_track, bad=listed(worst)) if worst else off_track


def _off_track(statuses: Mapping[Dimension, Rag]) -> str:
    """Return the name of every indicator that is off track: "off track overall, in schedule and risk"; "" for none."""
    which = [name for name in NAMED if statuses.get(name) == "off_track"]
    parts = listed([_(NAMED[name]) for name in which if name != "overall"])
    if "overall" not in which:
        return _("off track in {parts}", parts=parts) if parts else ""
    return _("off track overall, in {parts}", parts=parts) if parts else _("off track overall")


def _stands(statuses: Mapping[Dimension, Rag], said: Sequence[Clause]) -> list[Clause]:
    """Return the indicators that nothing said so far speaks for; what is off track is named apart."""
    found = []
    for name in ("schedule", "budget", "risk"):
        status, worst = statuses.get(name), max((c.severity for c in said if c.of == name), default=-1)
        if status in ("on_track", "at_risk") and worst < SEVERITY[status]:
            found.append(Clause(name, _(STANDS[name, status]), SEVERITY[status]))
    overall = statuses.get("overall")
    worst = max((c.severity for c in (*said, *found)), default=-1)
    if overall in ("on_track", "at_risk") and worst < SEVERITY[overall]:
        found.append(Clause("overall", _(STANDS["overall", overall]), SEVERITY[overall]))
    return found


def _otherwise(shared: Shared) -> str:
    """Return what is said where no figure and no status is shared that says anything."""
    active = [r for r in shared.risks if r.status == "active"]
    if shared.milestones:
        return counted("one milestone shared", "{many} milestones shared", len(shared.milestones))
    if active:
        return counted("one risk shared", "{many} risks shared", len(active))
    if shared.risks:
        return _("all shared risks are closed")
    if shared.budget is not None:
        return _("the budget is shared, and nothing of it is measured yet")
    if shared.phase is not None:
        return _("the project is running") if shared.phase == "running" else ""
    return _("what is shared stands below") if shared.more else _("nothing has been shared yet")


# the schedule


def _schedule(shared: Shared) -> Iterator[Clause]:
    rows, unit = shared.milestones, shared.unit
    statuses = [row.status for row in rows]
    if rows and statuses.count("met") == len(rows):
        yield Clause("schedule", _("all shared milestones are met"))
        return
    overdue = statuses.count("overdue")
    if overdue:
        passed = counted("one date has passed without being met", "{many} dates have passed without being met", overdue)
        yield Clause("schedule", passed, 2)
    final = next((row for row in rows if row.final), None)
    last = _slip(shared.schedule, final, unit)
    slipping = list(_slipping([row for row in rows if last is None or row is not final], of_all=last is None))
    if last is not None and not (overdue and not last.severity):
        yield last if last.severity or not slipping else _held(shared.schedule, unit)
    yield from slipping


def _slip(vital: ScheduleVital | None, final: MilestoneRow | None, unit: DateUnit) -> Clause | None:
    """Return how the last agreed milestone stands against the plan; None where its slip is not shared."""
    if vital is None or vital.slip_days is None:
        return None
    if vital.slip_days == 0:
        return Clause("schedule", _("on the agreed plan"))
    if vital.slip_days < 0:
        return Clause("schedule", _ahead(-vital.slip_days, unit))
    status = final.status if final else None
    indicator = vital.indicator.status if vital.indicator else "at_risk"
    severity = 2 if status in ("off_track", "overdue") else max(1, SEVERITY[indicator])
    return Clause("schedule", _behind(vital.slip_days, unit), severity)


def _held(vital: ScheduleVital | None, unit: DateUnit) -> Clause:
    """Return how the last agreed milestone stands that holds while others slip: nothing is said of the plan then."""
    days = -(vital.slip_days or 0) if vital else 0
    return Clause("schedule", _last_ahead(days, unit) if days else _("the last milestone as agreed"))


def _ahead(days: int, unit: DateUnit) -> str:
    many = in_units(days, unit)
    match unit:
        case "day":
            return counted("one day ahead of the agreed plan", "{many} days ahead of the agreed plan", many)
        case "month":
            return counted("one month ahead of the agreed plan", "{many} months ahead of the agreed plan", many)
        case "quarter":
            return counted("one quarter ahead of the agreed plan", "{many} quarters ahead of the agreed plan", many)


def _behind(days: int, unit: DateUnit) -> str:
    many = in_units(days, unit)
    match unit:
        case "day":
            return counted("one day behind the agreed plan", "{many} days behind the agreed plan", many)
        case "month":
            return counted("one month behind the agreed plan", "{many} months behind the agreed plan", many)
        case "quarter":
            return counted("one quarter behind the agreed plan", "{many} quarters behind the agreed plan", many)


def _last_ahead(days: int, unit: DateUnit) -> str:
    many = in_units(days, unit)
    match unit:
        case "day":
            return counted("the last milestone one day ahead", "the last milestone {many} days ahead", many)
        case "month":
            return counted("the last milestone one month ahead", "the last milestone {many} months ahead", many)
        case "quarter":
            return counted("the last milestone one quarter ahead", "the last milestone {many} quarters ahead", many)


def _slipping(rows: Sequence[MilestoneRow], *, of_all: bool) -> Iterator[Clause]:
    """Yield how many milestones are off track and at risk; where no status is shared, how many slip."""
    statuses = [row.status for row in rows]
    if many := statuses.count("off_track"):
        yield Clause("schedule", _milestones_off_track(many, of_all=of_all), 2)
    if many := statuses.count("at_risk"):
        yield Clause("schedule", _milestones_at_risk(many, of_all=of_all), 1)
    late = [row for row in rows if row.status is None and row.slip is not None and row.slip.since_current > 0]
    if late:
        yield Clause("schedule", _milestones_late(len(late), of_all=of_all), 1)


def _milestones_off_track(many: int, *, of_all: bool) -> str:
    if of_all:
        return counted("one milestone off track", "{many} milestones off track", many)
    return counted("one other milestone off track", "{many} other milestones off track", many)


def _milestones_at_risk(many: int, *, of_all: bool) -> str:
    if of_all:
        return counted("one milestone at risk", "{many} milestones at risk", many)
    return counted("one other milestone at risk", "{many} other milestones at risk", many)


def _milestones_late(many: int, *, of_all: bool) -> str:
    if of_all:
        return counted("one milestone later than agreed", "{many} milestones later than agreed", many)
    return counted("one other milestone later than agreed", "{many} other milestones later than agreed", many)


# the budget


def _budget(vital: BudgetVital | None) -> Iterator[Clause]:
    if vital is None:
        return
    spent, forecast = vital.spent_share, vital.forecast_share
    if vital.budget is not None and not vital.budget.amount and vital.spent is not None and vital.spent.amount:
        yield Clause("budget", _("money spent without an approved budget"), 2)
    elif forecast is not None:
        yield _forecast(forecast, vital)
    elif spent is not None:
        yield _spent(spent, vital)


def _forecast(share: Decimal, vital: BudgetVital) -> Clause:
    """Return a clause on what the forecast is as a share of the budget (1 = 100 %)."""
    over, on = (share - 1) * 100, vital.forecast_on
    if over <= 0:
        within = _("within budget by the forecast of {day}", day=day_in_words(on)) if on else _("within budget")
        return Clause("budget", within)
    if over < 1:
        text = (
            _("under one percent over budget by the forecast of {day}", day=day_in_words(on))
            if on
            else _("under one percent over budget")
        )
    elif on:
        text = _in_percent(
            NN_(
                "one percent over budget by the forecast of {day}",
                "{many} percent over budget by the forecast of {day}",
            ),
            over,
            day=day_in_words(on),
        )
    else:
        text = _in_percent(NN_("one percent over budget", "{many} percent over budget"), over)
    return Clause("budget", text, _severity_over(vital))


def _spent(share: Decimal, vital: BudgetVital) -> Clause:
    """Return a clause on what is spent as a share of the budget (1 = 100 %)."""
    over = (share - 1) * 100
    if over <= 0:
        return Clause(
            "budget",
            _in_percent(NN_("one percent of the budget spent", "{many} percent of the budget spent"), share * 100),
        )
    if over < 1:
        text = _("under one percent over budget already")
    else:
        text = _in_percent(NN_("one percent over budget already", "{many} percent over budget already"), over)
    return Clause("budget", text, _severity_over(vital))


def _severity_over(vital: BudgetVital) -> int:
    return max(1, SEVERITY[vital.indicator.status]) if vital.indicator else 1


def _in_percent(sentences: tuple[str, str], value: Decimal, /, **values: object) -> str:
    """Return a sentence with percent in it, of two digits after the point as a whole number in words.

    With its digits where rounding could round the exact value twice, or say all or nothing of what is neither.
    """
    rounded = value.to_integral_value()
    if value != rounded and (abs(value - rounded) * 2 == 1 or rounded in (0, 100)):
        return ngettext(*sentences, 2, many=decimal(value.normalize()), **values)
    return counted(*sentences, int(rounded), **values)


def day_in_words(value: date) -> str:
    """Return a day as sentences have it: "19 May 2027"."""
    return _("{day} {month} {year}", day=value.day, month=_(MONTH[value.month - 1]), year=value.year)


# the risks


def _risk(risks: Sequence[RiskCard]) -> Iterator[Clause]:
    active = [r for r in risks if r.status == "active"]
    if high := sum(r.band == "high" for r in active):
        yield Clause("risk", counted("one high risk", "{many} high risks", high), 2)
    elif medium := sum(r.band == "medium" for r in active):
        yield Clause("risk", counted("one medium risk", "{many} medium risks", medium), 1)
    elif active and all(r.band == "low" for r in active):
        yield Clause("risk", counted("one low risk", "{many} low risks", len(active)))
