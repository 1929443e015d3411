"""The two sheets of the page: each side in the compact form of the comparison, with what differs marked.

Rule: every word, tone, figure and date of a sheet is one that its page prints: that of the update as it was recorded,
and for the plan the page that all of it would make today. Where marks stand on the axis is read from the views.
"""

from collections.abc import Collection, Sequence
from datetime import date
from difflib import SequenceMatcher

import msgspec

from domain.view import ClientView, DateUnit, MilestoneRow
from projections.wording import words
from web.render.charts import Axis, axis_of
from web.seen.compare import Difference, Key
from web.seen.printed import Printed, PrintedRow, PrintedVital, Status

ROWS = 12  # open milestones set out; those that differ come first where there are more


class Piece(msgspec.Struct, frozen=True):
    """Some text, marked where the other sheet says something else."""

    text: str
    mark: bool = False


class Vital(msgspec.Struct, frozen=True, kw_only=True):
    """One vital sign in a line."""

    key: str  # the id of its part of the page
    name: str
    big: Piece
    more: tuple[Piece, ...] = ()
    tone: str = ""  # of the status, "" when there is none
    status: Piece = Piece("")


class SheetLine(msgspec.Struct, frozen=True, kw_only=True):
    """One milestone: agreed and forecast on the axis, both in percent, "" where not known."""

    id: str
    title: str
    agreed: str
    expected: str
    tone: str  # of the marks
    date: Piece
    slip: Piece
    status: Piece
    so_far: str  # for how many days its date had passed at the instant, "" where it had not

    @property
    def differs(self) -> bool:
        """Whether the other sheet says something else."""
        return self.date.mark or self.slip.mark


class Side(msgspec.Struct, frozen=True):
    """One side of the comparison: the view, and how its page prints it."""

    view: ClientView
    printed: Printed


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One side in the compact form."""

    sentence: tuple[Piece, ...]
    overall: Piece
    overall_tone: str
    vitals: tuple[Vital, ...]
    lines: tuple[SheetLine, ...]
    more: int  # milestones that are not set out, the same on both
    notes: tuple[tuple[str, str], ...]  # what follows, and how it stands


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How both sheets are laid out: the same milestones on the same axis, today in percent."""

    ids: tuple[str, ...]
    more: int
    axis: Axis | None
    on: date  # the civil day of the instant
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
    return Spread(ids=ids, more=len(wanted) - len(ids), axis=axis, on=today, today=at)


def sheet(
    side: Side,
    other: Side | None,
    laid: Spread,
    marked: Collection[Key],
    notes: tuple[tuple[str, str], ...],
) -> Sheet:
    """Return the sheet of one side beside the other; `marked` are the figures that differ."""
    said = side.printed
    rows = {row.id: row for row in side.view.milestones if row.id in said.rows}
    return Sheet(
        sentence=sentence(said.sentence, other.printed.sentence if other else said.sentence),
        overall=Piece(said.overall.word, ("page", "", "overall") in marked),
        overall_tone=said.overall.tone,
        vitals=_vitals(said, other.printed if other else None, marked),
        lines=tuple(
            _line(rows[key], said.rows[key], side.view.date_unit, laid, marked) for key in laid.ids if key in rows
        ),
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


OF = {"v-schedule": "schedule", "v-budget": "budget", "v-risk": "risks"}  # the kind of a vital sign's figures
BELOW = ("v-budget", "v-risk")  # those whose figures go on in the line below


def _vitals(said: Printed, other: Printed | None, marked: Collection[Key]) -> tuple[Vital, ...]:
    return tuple(
        _vital(key, vital, other.vitals.get(key) if other else None, marked) for key, vital in said.vitals.items()
    )


def _vital(key: str, vital: PrintedVital, other: PrintedVital | None, marked: Collection[Key]) -> Vital:
    """Return a vital sign in a line; a figure of it that differs marks those of its texts that do."""
    differ = {figure for kind, _id, figure in marked if kind == OF[key]}
    stands = vital.status.word and vital.big == vital.status.word  # the status alone, and its rule
    texts = ("", "", "") if stands else (vital.big, vital.small, vital.line if key in BELOW else "")
    others = (other.big, other.small, other.line) if other else ("", "", "")
    marks = bool(differ - {"status"})
    big, *more = (Piece(text, marks and text != theirs) for text, theirs in zip(texts, others, strict=True))
    status = Piece(vital.status.word, "status" in differ and vital.status != (other.status if other else None))
    return Vital(
        key=key,
        name=vital.name,
        big=big,
        more=tuple(piece for piece in more if piece.text),
        tone=vital.status.tone,
        status=status,
    )


def _line(row: MilestoneRow, said: PrintedRow, unit: DateUnit, laid: Spread, marked: Collection[Key]) -> SheetLine:
    expected, axis = row.actual or row.forecast, laid.axis
    figure = "met" if row.actual else "forecast"
    late = (laid.on - said.due).days if said.due else 0
    return SheetLine(
        id=row.id,
        title=said.title,
        agreed=axis.mark(row.baseline, unit) if axis and row.baseline else "",
        expected=axis.mark(expected, unit) if axis and expected else "",
        tone=said.status.tone or "mute",
        date=Piece(dated(said), ("milestone", row.id, figure) in marked),
        slip=Piece(said.slip, ("milestone", row.id, "slip") in marked),
        status=Piece(said.status.word, ("milestone", row.id, "status") in marked),
        so_far=words.days_so_far(late) if late > 0 else "",
    )


def as_printed(apart: Sequence[Difference], shown: Printed) -> list[Difference]:
    """Return differences with what was shown as the page prints it, where it stands in the sheet."""
    texts = printed_texts(shown)
    return [msgspec.structs.replace(d, shown=texts[d.key] if d.shown and d.key in texts else d.shown) for d in apart]


def dated(row: PrintedRow) -> str:
    """Return the date that a row prints, with the year that stands in it for machines where it prints none."""
    year = row.machine[:4]
    return f"{row.day} {year}" if row.day and year and year not in row.day else row.day


def printed_texts(said: Printed) -> dict[Key, str]:
    """Return how a page prints those of its figures that stand in the sheet, by which figure it is."""
    found: dict[Key, str] = {("page", "", "sentence"): said.sentence, ("page", "", "overall"): said.overall.word}
    for key, kind in (("v-schedule", "schedule"), ("v-budget", "budget"), ("v-risk", "risks")):
        status = said.vitals[key].status if key in said.vitals else Status()
        found[kind, "", "status"] = status.word  # type: ignore[index]
    for key, row in said.rows.items():
        found |= {("milestone", key, figure): dated(row) for figure in ("forecast", "met")}
        found |= {("milestone", key, "slip"): row.slip, ("milestone", key, "status"): row.status.word}
    return {key: text for key, text in found.items() if text}
