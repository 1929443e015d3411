"""The two sheets of the page: each view in the compact form of the comparison, with what differs marked."""

from collections.abc import Collection, Mapping
from datetime import date
from difflib import SequenceMatcher

import msgspec

from domain.headline import number
from domain.language import gettext as _
from domain.view import BudgetVital, ClientView, DateUnit, Indicator, MilestoneRow
from projections.wording import words
from web.render.charts import Axis, axis_of
from web.seen.compare import Difference, Key, Kind, figures
from web.staff.tones import TONE

ROWS = 12  # open milestones set out; those that differ come first where there are more


class Piece(msgspec.Struct, frozen=True):
    """Some text, marked where the other sheet says something else."""

    text: str
    mark: bool = False


class Vital(msgspec.Struct, frozen=True, kw_only=True):
    """One vital sign in a line."""

    name: str
    big: Piece
    more: tuple[Piece, ...] = ()
    tone: str = ""  # of the status, "" when there is none
    status: Piece = Piece("")


class SheetLine(msgspec.Struct, frozen=True, kw_only=True):
    """One milestone: agreed and forecast on the axis, both in percent, "" where not known."""

    title: str
    agreed: str
    expected: str
    tone: str
    date: Piece
    slip: Piece

    @property
    def differs(self) -> bool:
        """Whether the other sheet says something else."""
        return self.date.mark or self.slip.mark


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One view in the compact form."""

    sentence: tuple[Piece, ...]
    vitals: tuple[Vital, ...]
    lines: tuple[SheetLine, ...]
    more: int  # milestones that are not set out, the same on both
    notes: tuple[tuple[str, str], ...]  # what follows, and how it stands


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How both sheets are laid out: the same milestones on the same axis, today in percent."""

    ids: tuple[str, ...]
    more: int
    axis: Axis | None
    today: str


def spread(
    plan: ClientView | None,
    shown: ClientView | None,
    due: ClientView | None,
    apart: Collection[Difference],
    today: date,
) -> Spread:
    """Return the milestones both sheets set out: those shown or due, open or differing, on one axis."""
    rows = {row.id: row for view in (plan, due, shown) if view for row in view.milestones}
    on_page = {row.id for view in (due, shown) if view for row in view.milestones} if due or shown else set(rows)
    differ = {d.key[1] for d in apart if d.key[0] == "milestone"}
    wanted = [key for key, row in rows.items() if key in on_page and (row.status != "met" or key in differ)]
    first = sorted(wanted, key=lambda key: (key not in differ, wanted.index(key)))[:ROWS]
    ids = tuple(key for key in wanted if key in first)
    units: set[DateUnit] = {view.date_unit for view in (plan, due, shown) if view}
    coarsest: DateUnit = "quarter" if "quarter" in units else "month" if "month" in units else "day"
    axis = axis_of([row for key, row in rows.items() if key in ids], coarsest)
    if axis is not None and today < axis.start:
        axis = Axis(today.replace(day=1), axis.end)
    at = axis.at(today) if axis is not None and today <= axis.end else ""
    return Spread(ids=ids, more=len(wanted) - len(ids), axis=axis, today=at)


def sheet(
    view: ClientView,
    other: ClientView | None,
    laid: Spread,
    marked: Collection[Key],
    notes: tuple[tuple[str, str], ...],
) -> Sheet:
    """Return the sheet of a view beside another; `marked` are the figures that differ."""
    texts = figures(view)
    rows = {row.id: row for row in view.milestones}
    return Sheet(
        sentence=sentence(view.headline.sentence, other.headline.sentence if other else view.headline.sentence),
        vitals=_vitals(view, texts, marked),
        lines=tuple(_line(rows[key], view.date_unit, laid.axis, marked) for key in laid.ids if key in rows),
        more=laid.more,
        notes=notes,
    )


def sentence(text: str, other: str) -> tuple[Piece, ...]:
    """Return a sentence with the words marked that the other one lacks; punctuation makes no difference."""
    mine, theirs = text.split(), other.split()
    pieces: list[Piece] = []
    left, right = ([word.strip(".,") for word in side] for side in (mine, theirs))
    for what, start, end, _from, _to in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if end > start:
            pieces.append(Piece(" ".join(mine[start:end]), what != "equal"))
    return tuple(pieces)


def _vitals(view: ClientView, texts: Mapping[Key, str], marked: Collection[Key]) -> tuple[Vital, ...]:
    vitals = []

    def piece(kind: Kind, figure: str) -> Piece:
        return Piece(texts.get((kind, "", figure), ""), (kind, "", figure) in marked)

    if view.schedule:
        final = (Piece(_("at {title}", title=view.schedule.title)),) if view.schedule.title else ()
        slip, status = piece("schedule", "slip"), piece("schedule", "status")
        vitals.append(_vital(_("Schedule"), slip, final, status, view.schedule.indicator))
    if view.budget:
        more = _of_budget(view.budget, piece("budget", "budget"), piece("budget", "spent"))
        forecast, status = piece("budget", "forecast"), piece("budget", "status")
        vitals.append(_vital(_("Budget"), forecast, more, status, view.budget.indicator))
    if view.risk and (view.risk.top or view.risk.indicator):
        counted = Piece(risks_counted(view), ("risks", "", "status") in marked)
        vitals.append(_vital(_("Risk"), Piece(""), (counted,), piece("risks", "status"), view.risk.indicator))
    return tuple(vitals)


def _of_budget(vital: BudgetVital, budget: Piece, spent: Piece) -> tuple[Piece, ...]:
    """Return what follows the forecast: "of €4.0m, €2.1m spent"."""
    whole = Piece(budget.text + ",", budget.mark) if budget.text and spent.text else budget
    if vital.forecast is None and vital.forecast_share is not None:
        whole = Piece(_("the budget,") if spent.text else _("the budget"))
    return (*((Piece(_("of")), whole) if whole.text else ()), *((spent, Piece(_("spent"))) if spent.text else ()))


def _vital(name: str, big: Piece, more: tuple[Piece, ...], status: Piece, indicator: Indicator | None) -> Vital:
    tone = TONE[indicator.status] if indicator else ""
    return Vital(name=name, big=big, more=more, tone=tone, status=status)


def risks_counted(view: ClientView) -> str:
    """Return "six, highest R-11 at 9"."""
    active = [card for card in view.risks if card.status == "active"]
    if not active:
        return _("none")
    top = active[0]
    if top.score is None and top.band:
        alike = sum(card.band == top.band for card in active)
        return f"{number(len(active))}, {number(alike)} {top.band}"
    return number(len(active)) + (
        _(", highest {ref} at {value}", ref=top.ref, value=top.score.value) if top.score else ""
    )


def _line(row: MilestoneRow, unit: DateUnit, axis: Axis | None, marked: Collection[Key]) -> SheetLine:
    expected = row.actual or row.forecast
    figure = "met" if row.actual else "forecast"
    return SheetLine(
        title=row.title,
        agreed=axis.mark(row.baseline, unit) if axis and row.baseline else "",
        expected=axis.mark(expected, unit) if axis and expected else "",
        tone=TONE[row.status] if row.status else "mute",
        date=Piece(words.day_year_in(expected, unit) if expected else "", ("milestone", row.id, figure) in marked),
        slip=Piece(
            "" if row.slip is None else words.signed_in(row.slip.since_current, unit, short=True),
            ("milestone", row.id, "slip") in marked,
        ),
    )
