"""A ClientView as markup: pure, deterministic, inert. What depends on the reader or on today's date is not made here.

Rule: templates in `templates/parts/` make one part each; `tests/web/test_render.py` rejects whatever is not inert.
"""

import hashlib
from collections import Counter
from collections.abc import Hashable, Sequence
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from markupsafe import Markup

from domain.headline import count, number
from domain.view import BudgetVital, ClientView, MilestoneRow, RiskCard, ScheduleVital, Score
from projections import changes as differences
from projections import words
from projections.disclosure import Change, Part, Rendered, instant
from web import charts
from web.pages import environment

TONE = {"on_track": "ok", "at_risk": "warn", "off_track": "bad", "met": "done", "planned": "none"}
WORD = {"on_track": "On track", "at_risk": "At risk", "off_track": "Off track", "met": "Done", "planned": "Planned"}
PROXIMITY = {
    "imminent": "imminent",
    "within_stage": "within this stage",
    "within_project": "within the project",
    "beyond_project": "beyond the project",
}
REMEMBERED = 5_000  # parts
STYLESHEET = Path(__file__).parent / "static" / "dashboard.css"


class Renderer:
    """Turns views into parts, and changes into list items."""

    def __init__(self) -> None:
        self.css = STYLESHEET.read_bytes()
        self.stylesheet = hashlib.sha256(self.css).hexdigest()
        self._environment = environment()
        self._environment.finalize = _finalize
        macros: Any = self._environment.get_template("parts/macros.html").module
        self._environment.globals.update(m=macros, w=words, tone=TONE, word=WORD)
        self._made: dict[tuple[Hashable, ...], str] = {}

    def render(self, view: ClientView) -> Rendered:
        """Return the view as markup."""
        return Rendered(("summary", "body"), _Page(self, view).parts(), self.stylesheet)

    def changes(self, previous: ClientView | None, view: ClientView) -> tuple[Change, ...]:
        """Return what became different, most important first."""
        return differences.changes(previous, view)

    def items(self, changes: Sequence[Change], n: int, at: datetime, time_zone: str) -> str:
        """Return the changes as list items."""
        moment = words.moment(at, time_zone)
        return self.template("items.html", changes=changes, n=n, at=instant(at), moment=moment)

    def template(self, name: str, **context: Any) -> str:
        """Return the markup of one part."""
        return self._environment.get_template(f"parts/{name}").render(**context).strip()

    def part(self, inputs: tuple[Hashable, ...], name: str, **context: Any) -> str:
        """Return the markup of one part, from memory when the same inputs made it before."""
        key = (name, *inputs)
        known = self._made.get(key)
        if known is None:
            if len(self._made) >= REMEMBERED:
                self._made.clear()
            known = self._made[key] = self.template(name, **context)
        return known


def _finalize(value: Any) -> Any:
    return words.plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


class _Page:
    """One rendering."""

    def __init__(self, renderer: Renderer, view: ClientView) -> None:
        self._renderer, self._view = renderer, view
        self._parts: dict[str, Part] = {}

    def parts(self) -> dict[str, Part]:
        self._container("summary", '<div id="summary">', ("lead", *self._vitals()), "</div>")
        view = self._view
        self._leaf("lead", "lead.html", view.project, view.headline, view.overall)
        body = [*self._milestones(), *self._trend(), *self._risks(), "scope"]
        self._container("body", '<div id="body">', tuple(body), "</div>")
        scope = words.plain(self._view.scope)
        self._parts["scope"] = Part("scope", f'<p class="scope" id="scope">{Markup.escape(scope)}</p>')
        return self._parts

    def _leaf(self, key: str, template: str, *inputs: Hashable, **context: Any) -> None:
        """Make a part; `inputs` are all that its markup depends on."""
        self._parts[key] = Part(key, self._renderer.part(inputs, template, view=self._view, **context))

    def _container(self, key: str, head: str, children: tuple[str, ...], tail: str) -> None:
        self._parts[key] = Part(key, head, children, tail)

    # vitals

    def _vitals(self) -> tuple[str, ...]:
        view, shown = self._view, []
        if view.schedule is not None:
            title = view.schedule.title
            final = title[:1].lower() + title[1:]
            self._leaf("v-schedule", "v-schedule.html", view.schedule, final=final, bar=_slip_bar(view.schedule))
            shown.append("v-schedule")
        if view.budget is not None:
            self._leaf("v-budget", "v-budget.html", view.budget, budget_bar=_budget_bar(view.budget))
            shown.append("v-budget")
        if view.risk is not None:
            self._leaf("v-risk", "v-risk.html", view.risk, **_risk_vital(view))
            shown.append("v-risk")
        if not shown:
            return ()
        self._container("vitals", f'<div class="vitals n{len(shown)}" id="vitals">', tuple(shown), "</div>")
        return ("vitals",)

    # milestones

    def _milestones(self) -> tuple[str, ...]:
        view = self._view
        if not view.milestones_shared and not view.milestones:
            return ()
        if not view.milestones:
            heading = '<section class="sec" id="milestones"><header><h2>Milestones</h2></header>'
            self._parts["milestones"] = Part("milestones", f"{heading}<p>No milestones are shared.</p></section>")
            return ("milestones",)
        axis = charts.axis_of(view.milestones)
        has = SimpleNamespace(
            date=axis is not None,
            slip=any(r.slip for r in view.milestones),
            status=any(r.status for r in view.milestones),
        )
        head = self._renderer.template(
            "milestones-head.html",
            view=view,
            axis=axis,
            has=has,
            counted=_sentence(count(len(view.milestones), "milestone shared", "milestones shared")),
            plans=_plans(len(view.baselines)),
        )
        for row in view.milestones:
            self._row(row, axis, has)
        rows = tuple(f"ms-{row.id}" for row in view.milestones)
        self._container("milestones", head, rows, "</tbody></table></div></section>")
        return ("milestones",)

    def _row(self, row: MilestoneRow, axis: charts.Axis | None, has: SimpleNamespace) -> None:
        mark = TONE[row.status] if row.status else "mute"
        mark = "mute" if mark in ("none", "done") else mark
        shown = row.actual or row.forecast
        inputs = (row, axis, has.date, has.slip, has.status)
        context = {"row": row, "axis": axis, "has": has, "mark": mark, "shown": shown, "slip_words": _slip(row)}
        self._leaf(f"ms-{row.id}", "milestone.html", *inputs, **context)

    # trend

    def _trend(self) -> tuple[str, ...]:
        view, shown = self._view, []
        trend = charts.trend_of(view)
        if trend is not None:
            self._leaf("c-trend", "trend.html", trend, trend=trend)
            shown.append("c-trend")
        spend = charts.spend_of(view.budget) if view.budget else None
        if spend is not None and view.budget is not None:
            self._leaf("c-spend", "spend.html", view.budget, spend=spend, **_spend_words(view.budget))
            shown.append("c-spend")
        if not shown:
            return ()
        hint = "<p>Flat is steady. Rising means later.</p>" if trend else ""
        head = (
            f'<section class="sec" id="trend" aria-labelledby="h-tr"><header><h2 id="h-tr">Trend</h2>{hint}</header>'
            f'<div class="pair n{len(shown)}">'
        )
        self._container("trend", head, tuple(shown), "</div></section>")
        return ("trend",)

    # risks

    def _risks(self) -> tuple[str, ...]:
        view = self._view
        if not view.risks_shared:
            return ()
        heading = '<section class="sec" id="risks" aria-labelledby="h-rk"><header><h2 id="h-rk">Shared risks</h2>'
        if not view.risks:
            empty = f"{heading}</header><p>No risks are shared, which does not mean there are none.</p></section>"
            self._parts["risks"] = Part("risks", empty)
            return ("risks",)
        for card in view.risks:
            self._leaf(f"r-{card.id}", "risk.html", card, view.client, r=card, told=_told(card), facts=_facts(card))
        self._container(
            "risk-list", '<ul class="risks" id="risk-list">', tuple(f"r-{c.id}" for c in view.risks), "</ul>"
        )
        drawn = view.scale is not None and any(c.score and c.status == "active" for c in view.risks)
        children = ["risk-list"]
        if drawn:
            self._leaf("heat", "heat.html", view.scale, view.risks, **_heat(view))
            children.insert(0, "heat")
        note = ""
        if view.scale is not None:
            both = any(c.client_score or c.view_needed for c in view.risks)
            sides = " Solid is our view; dashed is yours where it differs." if both else ""
            note = f"<p>Scored 1 to {view.scale.size}.{sides}</p>"
        grid = "risk-grid" if drawn else "risk-plain"
        self._container("risks", f'{heading}{note}</header><div class="{grid}">', tuple(children), "</div></section>")
        return ("risks",)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _plans(plans: int) -> str:
    between = plans - 2
    return _sentence(f"agreed {number(plans)} times" + (f", {number(between)} in between" if between > 0 else ""))


def _slip(row: MilestoneRow) -> str:
    if row.slip is None:
        return ""
    current, working = words.signed(row.slip.since_current), words.signed(row.slip.working)
    told = f"{current} against the agreed plan, {working} in working days"
    if row.slip.since_original is not None and row.slip.since_original != row.slip.since_current:
        told += f"; {words.signed(row.slip.since_original)} against the first plan"
    return told


def _slip_bar(vital: ScheduleVital) -> SimpleNamespace:
    """The agreed date and the forecast on a line of thirty days, wider when the slip is."""
    slip = vital.slip_days or 0
    span = max(30, abs(slip) * 2)
    start = 100 * (7 if slip >= 0 else span - 7) / span if span == 30 else (15.0 if slip >= 0 else 85.0)
    end = start + 100 * slip / span
    tone = TONE[vital.indicator.status] if vital.indicator else "mute" if slip <= 0 else "ink"
    return SimpleNamespace(
        **{"from": f"{start:.2f}", "to": f"{end:.2f}", "tone": tone, "close": abs(slip) * 100 / span < 25}
    )


def _budget_bar(vital: BudgetVital) -> SimpleNamespace:
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


def _risk_vital(view: ClientView) -> dict[str, Any]:
    v = view.risk
    if v is None or not v.top:
        return {"worst_risk": "", "risk_counts": "", "risk_boxes": []}
    bands = [("bad", "high", v.high), ("warn", "medium", v.medium), ("ok", "low", v.low)]
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
        "worst_risk": _sentence(f"{number(worst[0])} {worst[1]}")[:-1],
        "risk_counts": f"{_sentence(number(len(tones)) + ' shared')[:-1]}: {told}",
        "risk_boxes": boxes,
    }


def _spend_words(budget: BudgetVital) -> dict[str, str]:
    if budget.curve_currency and budget.budget:
        return {
            "spend_finding": _spend_finding(budget),
            "spend_unit": f"Cumulative, {budget.curve_currency}",
            "approved": f"Approved {words.money(budget.budget)}",
            "spent_words": f"Spent {words.money(budget.spent)}" if budget.spent else "",
            "forecast_words": f"Forecast {words.money(budget.forecast)}" if budget.forecast else "",
            "spend_label": _spend_label(
                words.money(budget.budget),
                words.money(budget.spent) if budget.spent else "an unknown amount",
                words.money(budget.forecast) if budget.forecast else "unknown",
            ),
        }
    spent = words.percent(budget.spent_share) if budget.spent_share is not None else ""
    forecast = words.percent(budget.forecast_share) if budget.forecast_share is not None else ""
    return {
        "spend_finding": _spend_finding(budget),
        "spend_unit": "Cumulative, percent of the budget",
        "approved": "Approved 100 %",
        "spent_words": f"Spent {spent}" if spent else "",
        "forecast_words": f"Forecast {forecast}" if forecast else "",
        "spend_label": _spend_label("100 %", spent or "an unknown part", forecast or "unknown"),
    }


def _spend_label(approved: str, spent: str, forecast: str) -> str:
    return f"Cumulative spend. Approved {approved}; spent {spent}; forecast at completion {forecast}."


def _spend_finding(budget: BudgetVital) -> str:
    if budget.spent_share is None or budget.planned_share is None:
        return "Planned spend"
    difference = budget.spent_share - budget.planned_share
    if abs(difference) <= budget.planned_share / 20:
        return "Spend is following the plan"
    return "Spend is ahead of the plan" if difference > 0 else "Spend is behind the plan"


def _told(card: RiskCard) -> str:
    return " ".join(part for part in (card.cause, card.event, card.effect) if part)


def _facts(card: RiskCard) -> str:
    found = []
    if card.response:
        kind = card.response.replace("_", " ")
        found.append(f"Response, {kind}: {card.response_actions}" if card.response_actions else f"Response: {kind}.")
    if card.proximity:
        found.append(f"Expected {PROXIMITY[card.proximity]}.")
    if card.owner:
        found.append(f"Owner: {card.owner}.")
    if card.inherent:
        found.append(
            f"Before any response: {card.inherent.probability}×{card.inherent.impact} = {card.inherent.value}."
        )
    return " ".join(found)


def _heat(view: ClientView) -> dict[str, Any]:
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
    told = "; ".join(f"{c.ref} scores {c.score.value}, {c.band}" for c in active if c.score)
    return {
        "cells": charts.cells(scale),
        "high_edge": charts.band_edge(scale, scale.high_from),
        "medium_edge": charts.band_edge(scale, scale.medium_from),
        "pins": pins,
        "theirs": theirs,
        "size": scale.size,
        "side": 46 * scale.size,
        "heat_label": f"Risk matrix, likelihood by impact. {told}.",
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
