"""A ClientView as markup: deterministic and inert. What depends on the reader or on today's date is not made here.

Rule: templates in `templates/parts/` make one part each; `tests/web/render/test_page.py` rejects whatever is not inert.
"""

import functools
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, Template

from domain.headline import counted
from domain.language import ENGLISH, sentence, speaking, spoken
from domain.language import gettext as _
from domain.look.look import Look
from domain.memory import Memory
from domain.view import BudgetVital, ClientView, DateUnit, MilestoneRow, RiskCard, ScheduleVital
from projections.entries import changes as differences
from projections.entries import summed
from projections.entries.entry import Change, Rendered
from projections.entries.names import keys_in
from projections.entries.parts import Part, instant
from projections.wording import words
from projections.wording.values import STATE
from web.door.templates import environment, lang
from web.render import charts, details, direct, figures, look, parts
from web.render.parts import Columns, PartPage

WORD = STATE
REMEMBERED = 5_000  # parts
STYLES = 64  # stylesheets in memory
STYLESHEET = Path(__file__).parents[1] / "static" / "dashboard.css"
FONT = STYLESHEET.with_name("inter.woff2")


class Renderer:
    """Turns views into parts, and changes into list items."""

    def __init__(self) -> None:
        self.css = STYLESHEET.read_bytes()
        self.stylesheet = hashlib.sha256(self.css).hexdigest()
        font = FONT.read_bytes()
        self.assets: dict[str, bytes] = {hashlib.sha256(font).hexdigest(): font}  # that the stylesheet names
        self._styles: dict[str, bytes] = {self.stylesheet: self.css}
        self._remembered: dict[bytes, str] = {}  # by the hash of all that it is made of

    def render(self, view: ClientView, memory: Memory | None = None) -> Rendered:
        """Return the view as markup, in its language.

        With the `memory` of its share, parts of what did not change since the last time are the same objects again.
        """
        memory = memory or Memory()
        memory.turn()
        style = self.dressed(view.look)
        worn = () if view.look is None else tuple(dict.fromkeys(one.sha256 for one in view.look.pictures))
        roots = ("summary", "body") if view.look is None else ("brand", "summary", "body")
        with speaking(view.language):
            return Rendered(roots, _Making(self, view, memory).parts(), style, (*self.assets, *worn))

    def dressed(self, worn: Look | None) -> str:
        """Return the SHA-256 (hex) of the stylesheet that pages of a look are shown with."""
        return self.style_of(worn)[0]

    def style_of(self, worn: Look | None) -> tuple[str, bytes]:
        """Return the SHA-256 (hex) and the bytes of the stylesheet that pages of a look are shown with."""
        if worn is None or worn.accent is None:
            return self.stylesheet, self.css
        css = look.dressed(self.css, worn)
        style = look.digest_of(css)
        if len(self._styles) >= STYLES and style not in self._styles:
            self._styles = {self.stylesheet: self.css}
        self._styles[style] = css
        return style, css

    def css_of(self, stylesheet: str) -> bytes | None:
        """Return a stylesheet that was named a moment ago, None where that is too long ago."""
        return self._styles.get(stylesheet)

    def changes(self, previous: ClientView | None, view: ClientView) -> tuple[Change, ...]:
        """Return what became different, most important first, in the language of `view`."""
        with speaking(view.language):
            return differences.changes(previous, view)

    def items(self, changes: Sequence[Change], n: int, at: datetime, time_zone: str) -> str:
        """Return the changes as list items."""
        moment = words.moment_year(at, time_zone)
        lines = [
            parts.ItemLine(one, summed.thing(one), summed.rank(one), *summed.as_told(one), _key(one.who))
            for one in changes
        ]
        return self.markup(parts.ItemsPart(changes=lines, n=n, at=instant(at), moment=moment))

    def markup(self, part: PartPage) -> str:
        """Return the markup of a part."""
        return direct.markup_of(_template(part.template), part.names()).strip()

    def remembered(self, part: PartPage) -> str:
        """Return the markup of a part, from memory when one that says the same, to the byte, was made before."""
        said = b"\0".join((spoken().encode(), part.template.encode(), _encode(part)))
        key = hashlib.sha256(said).digest()
        markup = self._remembered.get(key)
        if markup is None:
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            markup = self._remembered[key] = self.markup(part)
        return markup

    def forget(self) -> None:
        """Drop all markup that is remembered: a person was erased, whose name may stand in some."""
        self._remembered = {}


_encode, _id = msgspec.msgpack.Encoder().encode, attrgetter("id")


def _key(who: str) -> str:
    """Return the key of a person's placeholder, "" where a name stands as it is or nobody is named."""
    return next(iter(keys_in(who)), "")


@functools.cache
def _environment() -> Environment:
    """Return the environment of all renderers: what it gives to templates is the same for each."""
    made = environment(direct.finalize)
    direct.compiled_by(made)
    made.globals.update(w=words)
    macros: Any = made.get_template("parts/macros.html").module
    made.globals.update(m=macros, tone=figures.TONE, word=WORD)
    return made


@functools.cache
def _template(name: str) -> Template:
    """Return a template whose names that are given to all lie in one dictionary, which is found sooner than a chain."""
    made = _environment().get_template(name)
    made.globals = dict(made.globals)
    return made


class _Making:
    """Makes the parts of one view."""

    def __init__(self, renderer: Renderer, view: ClientView, memory: Memory) -> None:
        self._renderer, self._view, self._memory = renderer, view, memory
        self._spoken = spoken()
        self._parts: dict[str, Part] = {}

    def parts(self) -> dict[str, Part]:
        """Return all parts by id."""
        view = self._view
        self._brand()
        marked = "" if view.language == ENGLISH else f" {lang()}"
        self._container("summary", f'<div id="summary"{marked}>', ("lead", *self._vitals()), "</div>")
        self._lead()
        body = (*self._milestones(), *self._trend(), *self._risks(), *self._concerns(), "scope")
        self._container("body", f'<div id="body"{marked}>', body, "</div>")
        self._leaf("scope", (view.scope, view.terms_version, view.agreement_ack), self._scope_part)
        return self._parts

    def _scope_part(self) -> PartPage:
        view = self._view
        return parts.ScopePart(scope=view.scope, terms_version=view.terms_version, agreement_ack=view.agreement_ack)

    def _brand(self) -> None:
        view = self._view
        if view.look is not None:
            logo, names = look.logo_of(view.look), {"organisation": view.organisation, "client": view.client}
            depends = view.look, view.brand, view.organisation, view.client
            self._leaf("brand", depends, lambda: parts.BrandPart(logo=logo, look=view.brand[:16], **names))

    def _lead(self) -> None:
        view = self._view
        stands = view.phase, view.as_of, view.confirmed_at, view.unconfirmed, view.time_zone
        self._leaf("lead", (view.project, view.headline, view.overall, *stands), self._lead_part)

    def _lead_part(self) -> PartPage:
        view = self._view
        said = view.overall.reason if view.overall and view.overall.overridden else ""
        first, _stop, rest = view.headline.sentence.partition(". ")
        return parts.LeadPart(
            project=view.project,
            headline=view.headline,
            first=f"{first}." if rest else first,
            rest=rest,
            overall=view.overall,
            overall_is=figures.overall_is(view.overall.status) if view.overall else "",
            facts=details.of_status(view.overall, said),
            stands=details.stands_as(view),
        )

    def _leaf(self, key: str, depends: tuple[object, ...], make: Callable[[], PartPage]) -> None:
        """Make a part without others in it; `depends` has all that `make` reads."""
        self._parts[key] = self._memory.of(key, (self._spoken, *depends), lambda: self._made(key, make()))

    def _made(self, key: str, part: PartPage) -> Part:
        return Part(key, self._renderer.remembered(part))

    def _container(self, key: str, head: str, children: tuple[str, ...], tail: str) -> None:
        """Make a part of others, which are named by id."""
        self._parts[key] = Part(key, head, children, tail)

    # Each method below makes the parts of one section and returns the ids of its outermost ones, none where the
    # section is not shown.

    def _vitals(self) -> tuple[str, ...]:
        made = (*self._schedule(), *self._budget(), *self._risk())
        if not made:
            return ()
        self._container("vitals", f'<div class="vitals n{len(made)}" id="vitals">', made, "</div>")
        return ("vitals",)

    def _schedule(self) -> tuple[str, ...]:
        vital, rows = self._view.schedule, self._view.milestones
        if vital is None:
            return ()
        final = next((row for row in reversed(rows) if row.final), None)  # it is one of the last
        passed = final is not None and final.status == "overdue"
        depends = vital, self._view.date_unit, passed
        self._leaf("v-schedule", depends, lambda: _schedule_part(vital, self._view.date_unit, passed=passed))
        return ("v-schedule",)

    def _budget(self) -> tuple[str, ...]:
        view, vital = self._view, self._view.budget
        if vital is None:
            return ()
        depends = vital, view.time_zone, view.money_step
        self._leaf("v-budget", depends, lambda: _budget_part(vital, view.time_zone, view.money_step))
        return ("v-budget",)

    def _risk(self) -> tuple[str, ...]:
        vital = self._view.risk
        if vital is None:
            return ()
        self._leaf("v-risk", (vital,), lambda: figures.risk_vital(vital))
        return ("v-risk",)

    def _milestones(self) -> tuple[str, ...]:
        view = self._view
        if not view.milestones:
            return (*self._no_milestones(), *self._baselines())
        memory, many = self._memory, len(view.milestones)
        spans = memory.each("spans", (), view.milestones, charts.span_of)
        axis = memory.one("axis", charts.axis_around(spans, view.date_unit))
        has = memory.one("columns", _columns(view.milestones, dated=axis is not None))
        depends = self._spoken, view.baselines, axis, has, many
        head = memory.of("milestones.head", depends, lambda: self._milestones_head(axis, has))
        around = (
            self._spoken, axis, has, view.date_unit, view.money_step, view.time_zone, view.organisation, view.client
        )  # fmt: skip
        pairs = memory.each("rows", around, view.milestones, partial(self._row, axis, has))
        rows = list(chain.from_iterable(pairs))
        ids = tuple(map(_id, rows))
        self._parts.update(zip(ids, rows, strict=True))
        self._container("milestones", head, ids, "</tbody></table></div></section>")
        return ("milestones",)

    def _milestones_head(self, axis: charts.Axis | None, has: Columns) -> str:
        view = self._view
        head = parts.MilestonesHead(
            baselines=view.baselines,
            axis=axis,
            has=has,
            counted=sentence(counted("one milestone shared", "{many} milestones shared", len(view.milestones))),
            plans=figures.plans_agreed(len(view.baselines)),
        )
        return self._renderer.markup(head)

    def _no_milestones(self) -> tuple[str, ...]:
        if not self._view.milestones_shared:
            return ()
        title, said = _("Milestones"), _("No milestones are shared.")
        heading = f'<section class="sec" id="milestones"><header><h2>{title}</h2></header>'
        self._parts["milestones"] = Part("milestones", f"{heading}<p>{said}</p></section>")
        return ("milestones",)

    def _baselines(self) -> tuple[str, ...]:
        plans = self._view.baselines
        if not plans:
            return ()
        self._leaf("baselines", (plans,), lambda: parts.BaselinesPart(baselines=plans))
        return ("baselines",)

    def _row(self, axis: charts.Axis | None, has: Columns, row: MilestoneRow) -> tuple[Part, Part]:
        """Make a milestone's row, and the one it opens to."""
        tone = figures.TONE[row.status] if row.status else "mute"
        part = parts.MilestonePart(
            row=row,
            unit=self._view.date_unit,
            axis=axis,
            has=has,
            mark="mute" if tone in ("none", "done") else tone,
            shown=row.actual or row.forecast,
            due=details.due(row),
            said_count=figures.comments(len(row.remarks)),
        )
        more = parts.MilestoneMorePart(
            id=row.id,
            title=row.title,
            facts=details.of_milestone(row, self._view),
            remarks=row.remarks,
            ack=row.ack,
            columns=1 + (axis is not None) + has.date + has.slip + has.status,
            time_zone=self._view.time_zone,
        )
        return self._made(f"ms-{row.id}", part), self._made(f"md-{row.id}", more)

    def _trend(self) -> tuple[str, ...]:
        view, made = self._view, []
        lines = charts.lines_of(view.milestones)
        depends = self._spoken, view.as_of, view.date_unit, *lines
        trend = self._memory.of("trend", depends, lambda: charts.trend_of(view))
        if trend is not None:
            made.append(self._milestone_trend(trend))
        budget = view.budget
        spend = self._memory.of("spend", (self._spoken, budget), lambda: charts.spend_of(budget)) if budget else None
        if spend is not None and budget is not None:
            made.append(self._spend(budget, spend))
        if not made:
            return ()
        title, steady = _("Trend"), _("Flat is steady. Rising means later.")
        hint = f"<p>{steady}</p>" if trend and trend.days >= charts.FEWEST_DAYS else ""
        head = (
            f'<section class="sec" id="trend" aria-labelledby="h-tr"><header><h2 id="h-tr">{title}</h2>{hint}</header>'
            f'<div class="pair n{len(made)}">'
        )
        self._container("trend", head, tuple(made), "</div></section>")
        return ("trend",)

    def _milestone_trend(self, trend: charts.Trend) -> str:
        """Make the milestone trend, each line a part of its own; a sentence where there is little to draw."""
        if trend.days < charts.FEWEST_DAYS:
            words = {"finding": trend.finding, "text": trend.label}
            self._leaf("c-trend", (trend,), lambda: parts.TrendWords(days=trend.days, **words))
            return "c-trend"
        lines = tuple(f"ln-{line.id}" for line in trend.lines)
        for key, line, label in zip(lines, trend.lines, trend.labels, strict=True):
            self._leaf(key, (line, label), partial(parts.TrendLinePart, l=line, label=label))
        self._leaf("c-trend-say", (trend,), lambda: parts.TrendSay(finding=trend.finding, text=trend.label))
        plot = self._memory.of("trend.plot", (self._spoken, trend), lambda: self._trend_plot(trend))
        self._container("c-trend-plot", plot, lines, "</div></div>")
        self._container("c-trend", '<figure id="c-trend">', ("c-trend-say", "c-trend-plot"), "</figure>")
        return "c-trend"

    def _trend_plot(self, trend: charts.Trend) -> str:
        axes = {"x_ticks": trend.x_ticks, "y_ticks": trend.y_ticks}
        plot = parts.TrendPlot(**axes, reached=trend.reached, roomy=trend.roomy)
        return self._renderer.remembered(plot)

    def _spend(self, budget: BudgetVital, spend: charts.Spend) -> str:
        """Make the spend curve, with each day of its table a part of its own."""
        depends = self._spoken, budget, spend
        say, plot, days = self._memory.of("spend.parts", depends, lambda: figures.spend_parts(budget, spend))
        rows = tuple(f"cs-{row.row.on}" for row in days)
        for key, row in zip(rows, days, strict=True):
            self._leaf(key, (row,), partial(_itself, row))
        self._leaf("c-spend-say", (say,), lambda: say)
        self._leaf("c-spend-plot", (plot,), lambda: plot)
        head = self._renderer.remembered(parts.SpendTable())
        self._container("c-spend-more", head, rows, "</tbody></table></details>")
        inside = ("c-spend-say", "c-spend-plot", "c-spend-more")
        self._container("c-spend", '<figure id="c-spend">', inside, "</figure>")
        return "c-spend"

    def _risks(self) -> tuple[str, ...]:
        view = self._view
        if not view.risks_shared:
            return ()
        title = _("Shared risks")
        heading = f'<section class="sec" id="risks" aria-labelledby="h-rk"><header><h2 id="h-rk">{title}</h2>'
        if not view.risks:
            said = _("No risks are shared, which does not mean there are none.")
            self._parts["risks"] = Part("risks", f"{heading}</header><p>{said}</p></section>")
            return ("risks",)
        listed, drawn = self._risk_list(), self._heat()
        grid = "risk-grid" if drawn else "risk-plain"
        head = f'{heading}{self._scale_note()}</header><div class="{grid}">'
        self._container("risks", head, (*drawn, *listed), "</div></section>")
        return ("risks",)

    def _risk_list(self) -> tuple[str, ...]:
        view = self._view
        around = self._spoken, view.client, view.organisation, view.time_zone
        made = self._memory.each("cards", around, view.risks, self._card)
        rows = tuple(part.id for part in made)
        self._parts.update(zip(rows, made, strict=True))
        self._container("risk-list", '<ul class="risks" id="risk-list">', rows, "</ul>")
        return ("risk-list",)

    def _card(self, card: RiskCard) -> Part:
        view = self._view
        part = parts.RiskPart(
            r=card,
            client=view.client,
            time_zone=view.time_zone,
            said_count=figures.comments(len(card.remarks)),
            facts=details.of_risk(card, view),
        )
        return self._made(f"r-{card.id}", part)

    def _heat(self) -> tuple[str, ...]:
        scale, cards = self._view.scale, self._view.risks
        if scale is None or not any(card.score and card.status == "active" for card in cards):
            return ()
        self._leaf("heat", (scale, *cards), lambda: figures.heat(scale, cards))
        return ("heat",)

    def _scale_note(self) -> str:
        """Return the paragraph that says how risks are scored, "" where no scale is shared."""
        view = self._view
        if view.scale is None:
            return ""
        size, medium, high = view.scale.size, view.scale.medium_from, view.scale.high_from
        if any(card.band for card in view.risks) and not any(card.score for card in view.risks):
            scored = _(
                "Bands of likelihood times impact, each 1 to {size}; medium from {medium_from}, high from {high_from}.",
                size=size,
                medium_from=medium,
                high_from=high,
            )
            return f"<p>{scored}</p>"
        both = any(card.client_score or card.view_needed for card in view.risks)
        scored = (
            _(
                "Scored 1 to {size}; medium from {medium_from}, high from {high_from}. Solid is our view; dashed is"
                " yours where it differs.",
                size=size,
                medium_from=medium,
                high_from=high,
            )
            if both
            else _(
                "Scored 1 to {size}; medium from {medium_from}, high from {high_from}.",
                size=size,
                medium_from=medium,
                high_from=high,
            )
        )
        return f"<p>{scored}</p>"

    def _concerns(self) -> tuple[str, ...]:
        view = self._view
        if not view.concerns:
            return ()
        for card in view.concerns:
            part = partial(parts.ConcernPart, c=card, time_zone=view.time_zone)
            self._leaf(f"concern-{card.id}", (card, view.time_zone), part)
        items = tuple(f"concern-{card.id}" for card in view.concerns)
        title = _("Your concerns")
        head = (
            f'<section class="sec" id="concerns" aria-labelledby="h-co"><header><h2 id="h-co">{title}</h2>'
            f"<p>{figures.open_concerns(view)}</p></header>"
            '<ol class="concerns">'
        )
        self._container("concerns", head, items, "</ol></section>")
        return ("concerns",)


def _itself(part: PartPage) -> PartPage:
    return part


def _columns(rows: Sequence[MilestoneRow], *, dated: bool) -> Columns:
    return Columns(date=dated, slip=any(row.slip for row in rows), status=any(row.status for row in rows))


def _schedule_part(vital: ScheduleVital, unit: DateUnit, *, passed: bool) -> PartPage:
    said = "" if vital.slip_days is not None else figures.said_of(vital.indicator)
    return parts.SchedulePart(
        v=vital,
        unit=unit,
        on_time=_(words.ON_TIME[unit]),
        passed=passed,
        was_on_time=figures.was_on_time(vital, unit),
        final=vital.title,
        bar=figures.slip_bar(vital, unit),
        facts=details.of_schedule(vital, unit, said),
    )


def _budget_part(vital: BudgetVital, zone: str, step: int) -> PartPage:
    bar, rounding = figures.budget_bar(vital), words.rounded_to(step, vital.budget.currency) if vital.budget else ""
    facts = details.of_budget(vital, "" if figures.measured(vital) else figures.said_of(vital.indicator))
    return parts.BudgetPart(v=vital, time_zone=zone, budget_bar=bar, rounding=rounding, facts=facts)
