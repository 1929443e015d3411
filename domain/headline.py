"""The sentence at the top of the page, generated from shared figures by fixed rules; reads parts of a view only."""

from decimal import Decimal

from domain.view import BudgetVital, Headline, MilestoneRow, ProjectPhase, RiskCard, ScheduleVital

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten") + (
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
)


def number(value: int) -> str:
    """Return a count in words up to twenty, in digits beyond."""
    return WORDS[value] if 0 <= value < len(WORDS) else f"{value:,}"


def count(value: int, one: str, many: str = "") -> str:
    """Return "one day", "two days"."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def headline(
    schedule: ScheduleVital | None,
    budget: BudgetVital | None,
    milestones: tuple[MilestoneRow, ...],
    risks: tuple[RiskCard, ...],
    phase: ProjectPhase | None,
) -> Headline:
    """Return the headline of a view."""
    clauses = [c for c in (_schedule(schedule, milestones), _budget(budget)) if c]
    if not clauses and (only := _risks(risks)):
        clauses = [only]
    if not clauses and milestones:
        clauses = [f"{count(len(milestones), 'milestone')} shared"]
    sentence = _sentence(" and ".join(clauses)) if clauses else "Nothing has been shared yet."
    opening = {"on_hold": "On hold. ", "closed": "Closed. "}.get(phase or "", "")
    waiting = [r for r in risks if r.view_needed]
    ask = f"{_sentence(count(len(waiting), 'risk is', 'risks are') + ' waiting for your view')}" if waiting else ""
    return Headline(sentence=opening + sentence, ask=ask, ask_target=waiting[0].id if waiting else "")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _schedule(vital: ScheduleVital | None, milestones: tuple[MilestoneRow, ...]) -> str:
    if milestones and all(row.status == "met" for row in milestones):
        return "all shared milestones are met"
    if vital is None or vital.slip_days is None:
        return ""
    if vital.slip_days == 0:
        return "on the agreed plan"
    direction = "behind" if vital.slip_days > 0 else "ahead of"
    return f"{count(abs(vital.slip_days), 'day')} {direction} the agreed plan"


def _budget(vital: BudgetVital | None) -> str:
    if vital is None:
        return ""
    if vital.forecast_share is not None:
        over = (vital.forecast_share - 1) * 100
        if over <= 0:
            return "within budget"
        return f"{'under one' if over < 1 else _percent(over)} percent over budget"
    if vital.indicator is None:
        return ""
    return {
        "on_track": "the budget on track",
        "at_risk": "the budget at risk",
        "off_track": "the budget off track",
    }[vital.indicator.status]


def _percent(value: Decimal) -> str:
    return number(int(value.to_integral_value()))


def _risks(risks: tuple[RiskCard, ...]) -> str:
    active = [r for r in risks if r.status == "active"]
    if not active:
        return ""
    high = sum(r.band == "high" for r in active)
    return f"{count(len(active), 'risk')} shared, {number(high) if high else 'none'} of them high"
