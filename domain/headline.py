"""The headline of a client's page: one or two sentences, made by fixed rules from the shared parts of a view."""

from decimal import Decimal

import msgspec

from domain.language import N_
from domain.language import gettext as _
from domain.view import BudgetVital, DateUnit, Headline, MilestoneRow, ProjectPhase, RiskCard, ScheduleVital

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


def number(value: int) -> str:
    """Return a count in words up to twenty, in digits beyond."""
    return WORDS[value] if 0 <= value < len(WORDS) else f"{value:,}"


def count(value: int, one: str, many: str = "") -> str:
    """Return a count with its noun: "one day", "two days"."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


class Standing(msgspec.Struct, frozen=True):
    """What of a whole view its headline needs: the project's phase where it is shared, and the unit of its dates."""

    phase: ProjectPhase | None = None
    unit: DateUnit = "day"


def in_units(days: int, unit: DateUnit) -> int:
    """Return a number of calendar days between the ends of two units as a number of units, rounded to whole ones."""
    return days if unit == "day" else round(days / {"month": 365.25 / 12, "quarter": 365.25 / 4}[unit])


def length(days: int, unit: DateUnit) -> str:
    """Return a number of days between the ends of two units in words: "eleven days", "one month"."""
    return count(in_units(days, unit), {"day": _("day"), "month": _("month"), "quarter": _("quarter")}[unit])


def headline(
    schedule: ScheduleVital | None,
    budget: BudgetVital | None,
    milestones: tuple[MilestoneRow, ...],
    risks: tuple[RiskCard, ...],
    standing: Standing,
) -> Headline:
    """Return the headline of the view that has these parts; None or empty where a part is not shared."""
    clauses = [c for c in (_schedule(schedule, milestones, standing.unit), _budget(budget)) if c]
    if not clauses and (risk_clause := _risks(risks)):
        clauses = [risk_clause]
    if not clauses and milestones:
        clauses = [_("{milestones} shared", milestones=count(len(milestones), _("milestone")))]
    sentence = _sentence(_(" and ").join(clauses)) if clauses else _("Nothing has been shared yet.")
    opening = {"on_hold": _("On hold. "), "closed": _("Closed. ")}.get(standing.phase or "", "")
    waiting = [r for r in risks if r.view_needed]
    ask = _sentence(count(len(waiting), _("risk is"), _("risks are")) + _(" waiting for your view")) if waiting else ""
    return Headline(sentence=opening + sentence, ask=ask, ask_target=waiting[0].id if waiting else "")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _schedule(vital: ScheduleVital | None, milestones: tuple[MilestoneRow, ...], unit: DateUnit) -> str:
    if milestones and all(row.status == "met" for row in milestones):
        return _("all shared milestones are met")
    if vital is None or vital.slip_days is None:
        return ""
    if vital.slip_days == 0:
        return _("on the agreed plan")
    direction = _("behind") if vital.slip_days > 0 else _("ahead of")
    return _("{days} {direction} the agreed plan", days=length(abs(vital.slip_days), unit), direction=direction)


def _budget(vital: BudgetVital | None) -> str:
    if vital is None:
        return ""
    if vital.forecast_share is not None:
        over = (vital.forecast_share - 1) * 100
        if over <= 0:
            return _("within budget")
        return _("{percent} percent over budget", percent=_("under one") if over < 1 else _percent(over))
    if vital.indicator is None:
        return ""
    return {
        "on_track": _("the budget on track"),
        "at_risk": _("the budget at risk"),
        "off_track": _("the budget off track"),
    }[vital.indicator.status]


def _percent(value: Decimal) -> str:
    return number(int(value.to_integral_value()))


def _risks(risks: tuple[RiskCard, ...]) -> str:
    active = [r for r in risks if r.status == "active"]
    if not active:
        return ""
    high = sum(r.band == "high" for r in active)
    return _(
        "{risks} shared, {high} of them high",
        risks=count(len(active), _("risk")),
        high=number(high) if high else _("none"),
    )
