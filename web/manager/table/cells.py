"""A table of a project as it is edited: its columns and cells, and what was typed compared with what was seen.

Rule: a cell that was typed into is saved only if what it held is what its sender saw; else the cell says what it holds
now. Nothing typed is lost.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from domain.language import N_
from domain.language import gettext as _
from web.forms.days import typed_day
from web.forms.fields import whole
from web.manager.typed import Typed, first

Kind = Literal["text", "day", "percent", "score", "yes"]
YES = "yes"
YES_WORDS = frozenset(("yes", "y", "true", "1", "x", "✓"))
EMPTY_NO = N_("This cannot be empty.")


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column that is edited. `name` is that of the field in refusals of commands."""

    name: str
    label: str
    kind: Kind = "text"
    required: bool = False
    options: tuple[str, ...] = ()  # of a score


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell: what it shows, and what is wrong with or asked about it."""

    text: str
    was: str  # what the record holds, as the page shows it
    problem: str = ""
    question: str = ""
    note: str = ""  # what somebody else changed meanwhile in a cell that was not typed into


class SheetRow(msgspec.Struct, frozen=True, kw_only=True):
    """One milestone or risk as it stands: its texts by column, what names it, and what is shown beside it."""

    key: str
    title: str
    texts: Mapping[str, str]
    beside: str = ""


class Edited(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed into a table: the cells as they are to be shown again, and the values that change, by row."""

    cells: dict[str, dict[str, Cell]]
    changes: dict[str, dict[str, Any]]
    problem: str = ""

    @property
    def wrong(self) -> bool:
        """Whether something stands in the way of saving."""
        return bool(self.problem) or any(cell.problem for row in self.cells.values() for cell in row.values())

    def told(self, key: str, column: str, *, problem: str = "", question: str = "") -> None:
        """Say at a cell what is wrong or asked."""
        old = self.cells[key][column]
        parts = (" ".join(filter(None, (old.problem, problem))), " ".join(filter(None, (old.question, question))))
        self.cells[key][column] = msgspec.structs.replace(old, problem=parts[0], question=parts[1])


Seen = dict[str, dict[str, str]]


def as_shown(rows: Sequence[SheetRow]) -> Edited:
    """Return a table into which nothing was typed."""
    cells = {row.key: {name: Cell(text=text, was=text) for name, text in row.texts.items()} for row in rows}
    return Edited(cells=cells, changes={})


def seen_in(typed: Typed) -> Seen:
    """Return what the sender of a table saw in it, as its hidden field says; nothing where that cannot be read."""
    try:
        return msgspec.json.decode(first(typed, "seen"), type=Seen)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}


def seen_of(rows: Sequence[SheetRow]) -> str:
    """Return the hidden field that says what a table shows."""
    return msgspec.json.encode({row.key: dict(row.texts) for row in rows}).decode()


def edited(columns: Sequence[Column], rows: Sequence[SheetRow], typed: Typed, seen: Seen) -> Edited:
    """Return what was typed into a table that showed `seen`, beside its rows as they are now."""
    made = as_shown(rows)
    for row in rows:
        shown = seen.get(row.key)
        if shown is None:
            continue  # it was added meanwhile
        for column in columns:
            _take(made, row, column, (first(typed, f"{row.key}.{column.name}"), shown.get(column.name, "")))
    gone = [_lost(columns, key, seen, typed) for key in seen if key not in made.cells]
    told = "; ".join(filter(None, gone))
    if told:
        problem = _("A row that you typed into was removed meanwhile: {told}. Nothing is saved yet.", told=told)
        return msgspec.structs.replace(made, problem=problem)
    return made


def _take(made: Edited, row: SheetRow, column: Column, texts: tuple[str, str]) -> None:
    """Take in one cell; `texts`: what was sent, and what its sender had seen there."""
    sent, saw = (_plain(text) for text in texts)
    now = row.texts[column.name]
    if sent == _plain(saw):
        if _plain(now) != sent:
            note = _("Changed meanwhile from {saw}.", saw=saw or _("nothing"))
            made.cells[row.key][column.name] = Cell(text=now, was=now, note=note)
        return
    made.cells[row.key][column.name] = Cell(text=texts[0], was=now)
    try:
        value = read(column, sent)
        same = sent == _plain(now) or (bool(now) and value == read(column, _plain(now)))
    except ValueError as error:
        made.told(row.key, column.name, problem=str(error))
        return
    if same:
        return
    if _plain(saw) != _plain(now):
        told = _(
            "Somebody changed this since you opened the table: it now says {now}. Save again to write yours.",
            now=now or _("nothing"),
        )
        made.told(row.key, column.name, problem=told)
    made.changes.setdefault(row.key, {})[column.name] = value


def _plain(text: str) -> str:
    return " ".join(text.split())


def _lost(columns: Sequence[Column], key: str, seen: Seen, typed: Typed) -> str:
    """Return what was typed into a row that is there no longer, "" where nothing was."""
    sent = {c.name: first(typed, f"{key}.{c.name}") for c in columns}
    new = [text for name, text in sent.items() if text and _plain(text) != _plain(seen[key].get(name, ""))]
    return ", ".join(f"“{text[:80]}”" for text in new)


def read(column: Column, text: str) -> Any:
    """Return the value of a text in a column, None for an empty one.

    Raises: ValueError with a sentence for whoever typed it.
    """
    if column.kind == "yes":
        return text.casefold() in YES_WORDS
    if not text:
        if column.required:
            raise ValueError(_(EMPTY_NO))
        return "" if column.kind == "text" else None
    match column.kind:
        case "day":
            return typed_day(text)
        case "percent":
            return whole(text.removesuffix("%").strip())
        case "score":
            return whole(text)
        case _:
            return text
