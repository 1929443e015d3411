"""A ClientView as markup: pure, deterministic, inert. What depends on the reader or on today's date is not made here.

Rule: templates in `templates/parts/` make one part each; `tests/web/render/test_page.py` rejects whatever is not inert.
"""

import hashlib
from collections.abc import Hashable, Sequence
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from markupsafe import Markup

from domain.headline import count
from domain.language import N_
from domain.language import gettext as _
from domain.view import ClientView, MilestoneRow
from projections.entries import changes as differences
from projections.entries.entry import Change, Part, Rendered, instant
from projections.wording import words
from web.door.templates import environment
from web.render import charts, figures

WORD = {
    "on_track": N_("On track"),
    "at_risk": N_("At risk"),
    "off_track": N_("Off track"),
    "met": N_("Done"),
    "planned": N_("Planned"),
}
REMEMBERED = 5_000  # parts
STYLESHEET = Path(__file__).parents[1] / "static" / "dashboard.css"


class Renderer:
    """Turns views into parts, and changes into list items."""

    def __init__(self) -> None:
        self.css = STYLESHEET.read_bytes()
        self.stylesheet = hashlib.sha256(self.css).hexdigest()
        self._environment = environment(_finalize)
        macros: Any = self._environment.get_template("parts/macros.html").module
        self._environment.globals.update(m=macros, w=words, tone=figures.TONE, word=WORD)
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
        body = [*self._milestones(), *self._trend(), *self._risks(), *self._concerns(), "scope"]
        self._container("body", '<div id="body">', tuple(body), "</div>")
        self._leaf("scope", "scope.html", view.scope, view.terms_version, view.agreement_ack)
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
            self._leaf("v-schedule", "v-schedule.html", view.schedule, final=final, bar=figures.slip_bar(view.schedule))
            shown.append("v-schedule")
        if view.budget is not None:
            self._leaf(
                "v-budget", "v-budget.html", view.budget, view.time_zone, budget_bar=figures.budget_bar(view.budget)
            )
            shown.append("v-budget")
        if view.risk is not None:
            self._leaf("v-risk", "v-risk.html", view.risk, **figures.risk_vital(view))
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
            title, said = _("Milestones"), _("No milestones are shared.")
            heading = f'<section class="sec" id="milestones"><header><h2>{title}</h2></header>'
            self._parts["milestones"] = Part("milestones", f"{heading}<p>{said}</p></section>")
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
            counted=figures.sentence(count(len(view.milestones), _("milestone shared"), _("milestones shared"))),
            plans=figures.plans_agreed(len(view.baselines)),
        )
        rows = [part for row in view.milestones for part in self._row(row, axis, has)]
        self._container("milestones", head, tuple(rows), "</tbody></table></div></section>")
        return ("milestones",)

    def _row(self, row: MilestoneRow, axis: charts.Axis | None, has: SimpleNamespace) -> tuple[str, ...]:
        """Make a milestone's row, and one for what was said about it, where something was."""
        mark = figures.TONE[row.status] if row.status else "mute"
        mark = "mute" if mark in ("none", "done") else mark
        shown = row.actual or row.forecast
        inputs = (row, axis, has.date, has.slip, has.status)
        context = {
            "row": row,
            "axis": axis,
            "has": has,
            "mark": mark,
            "shown": shown,
            "slip_words": figures.slip_words(row),
        }
        self._leaf(f"ms-{row.id}", "milestone.html", *inputs, **context)
        if not row.remarks and row.ack is None:
            return (f"ms-{row.id}",)
        columns = 1 + (axis is not None) + has.date + has.slip + has.status
        said = (row.remarks, row.ack, row.title, columns, self._view.time_zone)
        self._leaf(f"said-{row.id}", "milestone-said.html", row.id, *said, row=row, columns=columns)
        return (f"ms-{row.id}", f"said-{row.id}")

    # trend

    def _trend(self) -> tuple[str, ...]:
        view, shown = self._view, []
        trend = charts.trend_of(view)
        if trend is not None:
            self._leaf("c-trend", "trend.html", trend, trend=trend)
            shown.append("c-trend")
        spend = charts.spend_of(view.budget) if view.budget else None
        if spend is not None and view.budget is not None:
            self._leaf("c-spend", "spend.html", view.budget, spend=spend, **figures.spend_words(view.budget))
            shown.append("c-spend")
        if not shown:
            return ()
        title, steady = _("Trend"), _("Flat is steady. Rising means later.")
        hint = f"<p>{steady}</p>" if trend else ""
        head = (
            f'<section class="sec" id="trend" aria-labelledby="h-tr"><header><h2 id="h-tr">{title}</h2>{hint}</header>'
            f'<div class="pair n{len(shown)}">'
        )
        self._container("trend", head, tuple(shown), "</div></section>")
        return ("trend",)

    # risks

    def _risks(self) -> tuple[str, ...]:
        view = self._view
        if not view.risks_shared:
            return ()
        title = _("Shared risks")
        heading = f'<section class="sec" id="risks" aria-labelledby="h-rk"><header><h2 id="h-rk">{title}</h2>'
        if not view.risks:
            said = _("No risks are shared, which does not mean there are none.")
            empty = f"{heading}</header><p>{said}</p></section>"
            self._parts["risks"] = Part("risks", empty)
            return ("risks",)
        for card in view.risks:
            self._leaf(
                f"r-{card.id}",
                "risk.html",
                card,
                view.client,
                view.time_zone,
                r=card,
                sides=figures.sides(card),
                said_count=count(len(card.remarks), _("comment")),
                told=figures.told(card),
                facts=figures.facts(card),
            )
        self._container(
            "risk-list", '<ul class="risks" id="risk-list">', tuple(f"r-{c.id}" for c in view.risks), "</ul>"
        )
        drawn = view.scale is not None and any(c.score and c.status == "active" for c in view.risks)
        children = ["risk-list"]
        if drawn:
            self._leaf("heat", "heat.html", view.scale, view.risks, **figures.heat(view))
            children.insert(0, "heat")
        note = ""
        if view.scale is not None:
            both = any(c.client_score or c.view_needed for c in view.risks)
            sides = _(" Solid is our view; dashed is yours where it differs.") if both else ""
            scored = _("Scored 1 to {size}.{sides}", size=view.scale.size, sides=sides)
            note = f"<p>{scored}</p>"
        grid = "risk-grid" if drawn else "risk-plain"
        self._container("risks", f'{heading}{note}</header><div class="{grid}">', tuple(children), "</div></section>")
        return ("risks",)

    # what the client raised

    def _concerns(self) -> tuple[str, ...]:
        view = self._view
        if not view.concerns:
            return ()
        for one in view.concerns:
            self._leaf(f"concern-{one.id}", "concern.html", one, view.time_zone, c=one)
        items = tuple(f"concern-{one.id}" for one in view.concerns)
        title = _("Your concerns")
        head = (
            f'<section class="sec" id="concerns" aria-labelledby="h-co"><header><h2 id="h-co">{title}</h2>'
            f"<p>{figures.open_concerns(view)}</p></header>"
            '<ol class="concerns">'
        )
        self._container("concerns", head, items, "</ol></section>")
        return ("concerns",)
