"""How a client's view carries a fact: as it is, as a percentage, as history, or not at all.

Rule: what a client was told is judged by the value in the view that was recorded, never by what ought to be there.
"""

from datetime import date
from typing import Literal, assert_never

from domain.plan.risks import Points
from domain.view import BudgetVital, ClientView, MilestoneRow, RiskCard
from web.record.facts import Amount, Asked, Fact, Forecast, Met, Scored

Level = Literal["", "value", "share", "earlier"]


def carried(view: ClientView, fact: Fact) -> Level:
    """Return how a client's view carries the value of a fact.

    "value" as it is, "share" as a part of the budget, "earlier" as a value before the one that is shown, "" not at all.
    """
    match fact.value:
        case Forecast() | Met():
            row = next((m for m in view.milestones if m.id == fact.asked.key), None)
            return "" if row is None else _on_row(row, fact.value, fact.on)
        case Scored(points=points):
            card = next((r for r in view.risks if r.id == fact.asked.key), None)
            return "" if card is None else _on_card(card, points, fact.on)
        case Amount():
            return "" if view.budget is None else _in_budget(view.budget, fact.value, fact.asked)
        case _:
            assert_never(fact.value)


def _on_row(row: MilestoneRow, value: Forecast | Met, on: date) -> Level:
    met = row.actual is not None or row.status == "met"
    if isinstance(value, Met):
        return "value" if row.actual == value.day or (met and row.actual is None) else ""
    if row.forecast == value.day and not met:
        return "value"
    return "earlier" if any((p.on, p.forecast) == (on, value.day) for p in row.trend) else ""


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
