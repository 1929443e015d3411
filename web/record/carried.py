"""How a client's view carries a fact: as it is, coarser, as a percentage, as history, or not at all.

Rule: what a client was told is judged by the value in the view that was recorded, never by what ought to be there.
"""

from datetime import date
from typing import Literal, assert_never

from domain.plan import scores
from domain.plan.risks import Points
from domain.reveal.levels import end_of
from domain.view import BudgetVital, ClientView, DateUnit, MilestoneRow, RiskCard, Scale
from web.record.facts import Amount, Asked, Fact, Forecast, Met, Scored, at_step

Level = Literal["", "value", "coarse", "share", "earlier"]


def carried(view: ClientView, fact: Fact) -> Level:
    """Return how a client's view carries the value of a fact.

    "value" as it is, "coarse" as its month, quarter or band or rounded, "share" as a part of the budget, "earlier" as a
    value before the one that is shown, "" not at all.
    """
    match fact.value:
        case Forecast() | Met():
            row = next((m for m in view.milestones if m.id == fact.asked.key), None)
            return "" if row is None else _on_row(row, fact.value, fact.on, view.date_unit)
        case Scored(points=points):
            card = next((r for r in view.risks if r.id == fact.asked.key), None)
            if card is None:
                return ""
            return _on_card(card, points, fact.on) if card.score else _in_band(card, points, fact.on, view.scale)
        case Amount():
            value = at_step(fact, view.money_step) if view.money_step else fact.value
            if view.budget is None or value is None:
                return ""
            level = _in_budget(view.budget, value, fact.asked)
            return "coarse" if level == "value" and view.money_step else level
        case _:
            assert_never(fact.value)


def _on_row(row: MilestoneRow, value: Forecast | Met, on: date, unit: DateUnit) -> Level:
    met, day = row.actual is not None or row.status == "met", end_of(value.day, unit)
    whole: Level = "value" if unit == "day" else "coarse"
    if isinstance(value, Met):
        return whole if row.actual == day else "value" if met and row.actual is None else ""
    if row.forecast == day and not met:
        return whole
    return "earlier" if any((p.on, p.forecast) == (on, day) for p in row.trend) else ""


def _in_band(card: RiskCard, points: Points, on: date, scale: Scale | None) -> Level:
    """Return how a card without a score carries one; its band before is of a time up to the day of the present one."""
    if scale is None:
        return ""
    of = scores.Scale(size=scale.size, medium_from=scale.medium_from, high_from=scale.high_from)
    band = scores.band(of, points.score)
    if card.band == band:
        return "coarse"
    return "earlier" if card.previous_band == band and (card.band_since is None or on <= card.band_since) else ""


def _on_card(card: RiskCard, points: Points, on: date) -> Level:
    if card.score and (card.score.probability, card.score.impact) == (points.probability, points.impact):
        return "value"
    previous = card.previous
    if previous is None or (previous.probability, previous.impact) != (points.probability, points.impact):
        return ""
    return "earlier" if previous.on == on else ""


def _in_budget(vital: BudgetVital, value: Amount, wanted: Asked) -> Level:
    if vital.measure != wanted.key:
        return ""
    if getattr(vital, wanted.kind) == value.money:
        return "value"
    if wanted.kind == "budget" or value.share is None or getattr(vital, wanted.kind) is not None:
        return ""
    return "share" if getattr(vital, f"{wanted.kind}_share") == value.share else ""
