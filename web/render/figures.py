"""What a part says and where its marks stand, computed from the view: words, bars and pins for the templates. Pure."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

from domain.headline import count, number
from domain.language import N_
from domain.language import gettext as _
from domain.view import BudgetVital, ClientView, MilestoneRow, RiskCard, ScheduleVital, Score
from projections.wording import words
from web.render import charts

TONE = {"on_track": "ok", "at_risk": "warn", "off_track": "bad", "met": "done", "planned": "none"}
PROXIMITY = {
    "imminent": N_("imminent"),
    "within_stage": N_("within this stage"),
    "within_project": N_("within the project"),
    "beyond_project": N_("beyond the project"),
}


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def plans_agreed(plans: int) -> str:
    between = plans - 2
    return sentence(
        _("agreed {plans} times", plans=number(plans))
        + (_(", {between} in between", between=number(between)) if between > 0 else "")
    )


def slip_words(row: MilestoneRow) -> str:
    if row.slip is None:
        return ""
    current, working = words.signed(row.slip.since_current), words.signed(row.slip.working)
    told = _("{current} against the agreed plan, {working} in working days", current=current, working=working)
    if row.slip.since_original is not None and row.slip.since_original != row.slip.since_current:
        told += _("; {since_original} against the first plan", since_original=words.signed(row.slip.since_original))
    return told


def slip_bar(vital: ScheduleVital) -> SimpleNamespace:
    """The agreed date and the forecast on a line of thirty days, wider when the slip is."""
    slip = vital.slip_days or 0
    span = max(30, abs(slip) * 2)
    start = 100 * (7 if slip >= 0 else span - 7) / span if span == 30 else (15.0 if slip >= 0 else 85.0)
    end = start + 100 * slip / span
    tone = TONE[vital.indicator.status] if vital.indicator else "mute" if slip <= 0 else "ink"
    return SimpleNamespace(
        **{"from": f"{start:.2f}", "to": f"{end:.2f}", "tone": tone, "close": abs(slip) * 100 / span < 25}
    )


def budget_bar(vital: BudgetVital) -> SimpleNamespace:
    widest = max(1.0, float(vital.forecast_share or 0), float(vital.spent_share or 0)) * 1.07

    def at(share: object) -> str:
        return f"{100 * float(str(share)) / widest:.2f}" if share is not None else ""

    planned = float(vital.planned_share or 0) / widest
    anchor = "start" if planned < 0.15 else "end" if planned > 0.85 else "middle"
    return SimpleNamespace(
        spent=at(vital.spent_share or 0),
        planned=at(vital.planned_share),
        forecast=at(vital.forecast_share),
        anchor=anchor,
    )


def risk_vital(view: ClientView) -> dict[str, Any]:
    v = view.risk
    if v is None or not v.top:
        return {"worst_risk": "", "risk_counts": "", "risk_boxes": []}
    bands = [("bad", _("high"), v.high), ("warn", _("medium"), v.medium), ("ok", _("low"), v.low)]
    tones = [(tone, name) for tone, name, many in bands for _ in range(many)]
    told = ", ".join(f"{many} {name}" for _, name, many in bands if many)
    width = 100 / max(6, len(tones))
    boxes = [
        SimpleNamespace(
            x=f"{i * width + 0.3:.2f}",
            width=f"{width - 1.3:.2f}",
            tone=tone,
            label=name if i == 0 or tones[i - 1][1] != name else "",
        )
        for i, (tone, name) in enumerate(tones)
    ]
    worst = next((many, name) for _, name, many in bands if many)
    return {
        "worst_risk": sentence(f"{number(worst[0])} {worst[1]}")[:-1],
        "risk_counts": _("{tones}: {told}", tones=sentence(number(len(tones)) + _(" shared"))[:-1], told=told),
        "risk_boxes": boxes,
    }


def spend_words(budget: BudgetVital) -> dict[str, str]:
    if budget.curve_currency and budget.budget:
        return {
            "spend_finding": _spend_finding(budget),
            "spend_unit": _("Cumulative, {curve_currency}", curve_currency=budget.curve_currency),
            "approved": _("Approved {budget}", budget=words.money(budget.budget)),
            "spent_words": _("Spent {spent}", spent=words.money(budget.spent)) if budget.spent else "",
            "forecast_words": _("Forecast {forecast}", forecast=words.money(budget.forecast))
            if budget.forecast
            else "",
            "spend_label": _spend_label(
                words.money(budget.budget),
                words.money(budget.spent) if budget.spent else _("an unknown amount"),
                words.money(budget.forecast) if budget.forecast else _("unknown"),
            ),
        }
    spent = words.percent(budget.spent_share) if budget.spent_share is not None else ""
    forecast = words.percent(budget.forecast_share) if budget.forecast_share is not None else ""
    return {
        "spend_finding": _spend_finding(budget),
        "spend_unit": _("Cumulative, percent of the budget"),
        "approved": _("Approved 100 %"),
        "spent_words": _("Spent {spent}", spent=spent) if spent else "",
        "forecast_words": _("Forecast {forecast}", forecast=forecast) if forecast else "",
        "spend_label": _spend_label("100 %", spent or _("an unknown part"), forecast or _("unknown")),
    }


def _spend_label(approved: str, spent: str, forecast: str) -> str:
    return _(
        "Cumulative spend. Approved {approved}; spent {spent}; forecast at completion {forecast}.",
        approved=approved,
        spent=spent,
        forecast=forecast,
    )


def _spend_finding(budget: BudgetVital) -> str:
    if budget.spent_share is None or budget.planned_share is None:
        return _("Planned spend")
    difference = budget.spent_share - budget.planned_share
    if abs(difference) <= budget.planned_share / 20:
        return _("Spend is following the plan")
    return _("Spend is ahead of the plan") if difference > 0 else _("Spend is behind the plan")


def told(card: RiskCard) -> str:
    return " ".join(part for part in (card.cause, card.event, card.effect) if part)


def facts(card: RiskCard) -> str:
    found = []
    if card.response:
        kind = card.response.replace("_", " ")
        found.append(
            _("Response, {kind}: {response_actions}", kind=kind, response_actions=card.response_actions)
            if card.response_actions
            else _("Response: {kind}.", kind=kind)
        )
    if card.proximity:
        found.append(_("Expected {proximity}.", proximity=PROXIMITY[card.proximity]))
    if card.owner:
        found.append(_("Owner: {owner}.", owner=card.owner))
    if card.inherent:
        found.append(
            _(
                "Before any response: {probability}×{impact} = {value}.",
                probability=card.inherent.probability,
                impact=card.inherent.impact,
                value=card.inherent.value,
            )
        )
    return " ".join(found)


def heat(view: ClientView) -> dict[str, Any]:
    scale = view.scale
    assert scale is not None
    active = [c for c in view.risks if c.score and c.status == "active"]
    together = Counter((c.score.probability, c.score.impact) for c in active if c.score)
    placed: Counter[tuple[int, int]] = Counter()
    pins = [_pin(c.score, c.ref, scale.size, together, placed) for c in active if c.score]
    theirs = []
    for card, pin in zip(active, pins, strict=True):
        if card.client_score and card.score and _differs(card.client_score, card.score):
            theirs.append(_ring(card.client_score, scale.size, pin))
    told = "; ".join(
        _("{ref} scores {value}, {band}", ref=c.ref, value=c.score.value, band=c.band) for c in active if c.score
    )
    return {
        "cells": charts.cells(scale),
        "high_edge": charts.band_edge(scale, scale.high_from),
        "medium_edge": charts.band_edge(scale, scale.medium_from),
        "pins": pins,
        "theirs": theirs,
        "size": scale.size,
        "side": 46 * scale.size,
        "heat_label": _("Risk matrix, likelihood by impact. {told}.", told=told),
    }


def _differs(left: Score, right: Score) -> bool:
    return (left.probability, left.impact) != (right.probability, right.impact)


def _pin(
    score: Score, ref: str, size: int, together: Counter[tuple[int, int]], placed: Counter[tuple[int, int]]
) -> SimpleNamespace:
    """Risks of one square stand side by side."""
    key = (score.probability, score.impact)
    x, y = _centre(score, size)
    many, i = together[key], placed[key]
    placed[key] += 1
    if many > 1:
        x += (-10.5, 10.5)[i % 2]
    if many > 2:
        y += (-10.5, 10.5)[(i // 2) % 2]
    return SimpleNamespace(x=x, y=y, label=ref.rpartition("-")[2][:3])


def _ring(score: Score, size: int, pin: SimpleNamespace) -> SimpleNamespace:
    x, y = _centre(score, size)
    return SimpleNamespace(x=x, y=y, fx=pin.x, fy=pin.y)


def _centre(score: Score, size: int) -> tuple[float, float]:
    return 57.0 + 46 * (score.impact - 1), 23.0 + 46 * (size - score.probability)


def sides(card: RiskCard) -> str:
    """Both assessments of a risk with their days, and who gave the client's; "" while there is only ours."""
    ours, theirs = card.score, card.client_score
    if ours is None or theirs is None:
        return ""
    return _("Our score {ours}. Yours {theirs}.", ours=_dated(ours), theirs=_dated(theirs, card.client_scored_by))


def _dated(score: Score, by: str = "") -> str:
    of = [by, words.day(score.on) if score.on else ""]
    told = f"{score.probability}×{score.impact} = {score.value}"
    return ", ".join([told, *(part for part in of if part)])


def open_concerns(view: ClientView) -> str:
    """How many concerns wait for an answer, as a sentence."""
    waiting = sum(not c.answer and not c.settled for c in view.concerns)
    if not waiting:
        return _("Every one is answered.")
    return sentence(_("{wait} for an answer", wait=count(waiting, _("waits"), _("wait"))))
