"""A view under another agreement, as far as it can be compared with the one before. Pure.

Rule: what another agreement shows, hides or tells at another level of detail is told once, as the agreement; so in the
view before it stands the present value. What really moved is left, to be told like any move.
"""

from decimal import Decimal
from typing import TypeVar

import msgspec

from domain import catalogue
from domain.money import Money
from domain.view import BudgetVital, ClientView, DateUnit, Indicator, MilestoneRow, RiskCard, Score
from projections.wording import words
from projections.wording.values import absent

ORDER: tuple[DateUnit, ...] = ("day", "month", "quarter")
DATES = frozenset(
    {"original_baseline", "baseline", "forecast", "earliest", "latest", "actual", "deadline", "accepted_on"}
)  # fields that are told in the unit of the agreement
Part = TypeVar("Part", MilestoneRow, RiskCard, BudgetVital)


def coarser(old: ClientView, new: ClientView) -> DateUnit:
    """Return the unit in which dates of both views can be told."""
    return max(old.date_unit, new.date_unit, key=ORDER.index)


def aligned(old: ClientView, new: ClientView) -> ClientView:
    """Return the view before with nothing in it that differs from `new` by the agreement alone."""
    rows, cards = {row.id: row for row in new.milestones}, {card.id: card for card in new.risks}
    unit, coarse = coarser(old, new), old.date_unit != new.date_unit
    return msgspec.structs.replace(
        old,
        phase=old.phase if old.phase and new.phase else new.phase,
        confirmed_at=old.confirmed_at if old.confirmed_at and new.confirmed_at else new.confirmed_at,
        baselines=_baselines(old, new),
        overall=_indicator(old.overall, new.overall),
        schedule=new.schedule
        if old.schedule is None or new.schedule is None
        else msgspec.structs.replace(
            new.schedule, indicator=_indicator(old.schedule.indicator, new.schedule.indicator)
        ),
        risk=new.risk
        if old.risk is None or new.risk is None
        else msgspec.structs.replace(new.risk, indicator=_indicator(old.risk.indicator, new.risk.indicator)),
        budget=_budget(old, new),
        milestones=tuple(_milestone(row, rows.get(row.id, row), unit, coarse) for row in old.milestones),
        risks=tuple(_risk(card, cards.get(card.id, card)) for card in old.risks),
    )


def respoken(old: ClientView, new: ClientView) -> ClientView:
    """Return the view before with what we word ourselves as `new` has it, where that is in another language.

    What a view holds in our words is its headline, its scope and the rules of statuses, which are told by themselves.
    """
    if old.language == new.language:
        return old
    replace = msgspec.structs.replace

    def ruled(before: Indicator | None, after: Indicator | None) -> Indicator | None:
        return before if before is None or after is None else replace(before, rule=after.rule)

    schedule, budget, risk = old.schedule, old.budget, old.risk
    if schedule is not None and new.schedule is not None:
        schedule = replace(schedule, indicator=ruled(schedule.indicator, new.schedule.indicator))
    if budget is not None and new.budget is not None:
        budget = replace(budget, indicator=ruled(budget.indicator, new.budget.indicator))
    if risk is not None and new.risk is not None:
        risk = replace(risk, indicator=ruled(risk.indicator, new.risk.indicator))
    overall = ruled(old.overall, new.overall)
    return replace(
        old, headline=new.headline, scope=new.scope, overall=overall, schedule=schedule, budget=budget, risk=risk
    )


def _indicator(old: Indicator | None, new: Indicator | None) -> Indicator | None:
    """Return the indicator before; whether its earlier status is told depends on the agreement."""
    return new if old is None or new is None else msgspec.structs.replace(old, previous=new.previous)


def _baselines(old: ClientView, new: ClientView) -> object:
    """Return the plans before; another agreement may tell fewer or more of the same ones."""
    if not old.baselines or not new.baselines or old.baselines[-1].approved_on == new.baselines[-1].approved_on:
        return new.baselines
    return old.baselines


def _present(old: Part, new: Part, item: catalogue.Item) -> Part:
    """Return a part with the values of `new` wherever one of both has none, and with what was said by now."""
    fields = [field for field in catalogue.shown(item) if field != "indicator"]
    pairs = [(field, getattr(old, field), getattr(new, field)) for field in fields]
    taken = {field: now for field, was, now in pairs if absent(field, was) or absent(field, now)}
    return msgspec.structs.replace(old, **{**taken, "remarks": new.remarks})


def _milestone(old: MilestoneRow, new: MilestoneRow, unit: DateUnit, coarse: bool) -> MilestoneRow:
    """Return a milestone; how far its past goes back depends on the agreement, and in what unit a slip is told."""
    row = _present(old, new, "milestone")
    days = [(field, getattr(row, field), getattr(new, field)) for field in DATES]
    said = words.day_year_in
    same = {field: now for field, was, now in days if was and now and said(was, unit) == said(now, unit)}
    slip = new.slip if coarse else row.slip
    past = {"original_baseline": new.original_baseline, "trend": new.trend, "slip": slip}
    return msgspec.structs.replace(row, **{**same, **past})


def _risk(old: RiskCard, new: RiskCard) -> RiskCard:
    """Return a risk; since when its scores hold depends on the agreement."""
    card = _present(old, new, "risk")
    scores = [(field, getattr(card, field), getattr(new, field)) for field in ("score", "previous", "inherent")]
    same = {field: now for field, was, now in scores if was and now and _points(was) == _points(now)}
    return msgspec.structs.replace(card, **same)


def _points(score: Score) -> tuple[int, int]:
    return score.probability, score.impact


def _budget(old: ClientView, new: ClientView) -> BudgetVital | None:
    """Return the budget before, and of another measure or at another step only what is no rounding."""
    if old.budget is None or new.budget is None:
        return new.budget
    indicator = _indicator(old.budget.indicator, new.budget.indicator)
    vital = _present(old.budget, new.budget, "budget")
    if old.budget.measure != new.budget.measure:
        vital = new.budget
    elif old.money_step != new.money_step:
        step = Decimal(max(old.money_step, new.money_step))
        fields = list(catalogue.BY_ID["budget.amounts"].shows)
        pairs = [(field, getattr(vital, field), getattr(new.budget, field)) for field in fields]
        moved = {field: was for field, was, now in pairs if _apart(was, now) >= step}
        vital = msgspec.structs.replace(new.budget, **moved, status_date=vital.status_date)
    return msgspec.structs.replace(vital, indicator=indicator, curve=new.budget.curve)


def _apart(was: Money | None, now: Money | None) -> Decimal:
    return abs((now - was).amount) if was and now else Decimal(0)
