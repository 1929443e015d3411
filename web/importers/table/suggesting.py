"""Suggests a mapping for a table from its headings and cells; a date format only where a single one can be meant."""

from itertools import islice

from domain.language import gettext as _
from web.importers.findings import Findings
from web.importers.plan import broken
from web.importers.table.days import ISO, LIKE_A_DAY, fitting, unmarked
from web.importers.table.headings import (
    BESIDE_ROW_NUMBERS,
    MILESTONES,
    NO,
    ROW_NUMBERS,
    TITLES,
    WORDS,
    YES,
    known,
    normal,
    takes_no_time,
)
from web.importers.table.mapping import DAYS, NOTHING, VALUES, Mapping
from web.importers.table.tables import Heading, Table, heading, tables, the_table

LOOKED_AT = 5000  # rows
FLAGS = ("milestone", "summary", "active")


def suggest(data: bytes) -> Mapping:
    """Return a mapping to look at and correct.

    Raises: BrokenFile where the file has no header to read.
    """
    found = tables(data)
    return suggested(the_table(found, None))


def suggested(table: Table) -> Mapping:
    """Return a mapping for a table to look at and correct.

    Raises: BrokenFile where the table has no header to read.
    """
    head, body = head_and_body(table)
    if not head.names:
        raise broken(
            _("The file has no rows; expected a header with the names of the columns, then a row per milestone.")
        )
    columns = _Suggestion(head, body)
    columns.choose()
    days = [columns.chosen[field] for field in DAYS if field in columns.chosen]
    named = {field: head.names[at] for field, at in columns.chosen.items()}
    return Mapping(
        **named,
        milestone_value=columns.milestone_value,
        rows=columns.rows,
        date_format=_format(body, days),
        delimiter=table.delimiter,
        sheet=table.name,
    )


def head_and_body(table: Table) -> tuple[Heading, list[list[str]]]:
    """Return the headings of a table and its first rows, without a second row of headings below them.

    Raises: BrokenFile.
    """
    findings = Findings()
    head = heading(table)
    rows = islice(table.rows(findings), head.before + 1, LOOKED_AT)
    body = [cells for _line, cells in rows]
    if not head.names:
        findings.stop_if_broken()
    return head, body[1:] if body and known(body[0]) >= 2 else body


class _Suggestion:
    """Finds the column of each field."""

    def __init__(self, head: Heading, body: list[list[str]]) -> None:
        self.names = [normal(name) for name in head.names]
        self.body = body
        self.chosen: dict[str, int] = {}
        self.milestone_value = self.rows = ""

    def choose(self) -> None:
        """Choose them all."""
        self._flags()
        self._types()
        for field in ("id", "title", *DAYS, "outline", "percent"):
            self._take(field)
        if "title" not in self.chosen and "milestone" in self.chosen and not self.milestone_value:
            self.chosen["title"] = self.chosen.pop("milestone")  # milestones that are called X and Y
        self._row_numbers()
        self._without_an_id()
        self._durations()
        if "milestone" not in self.chosen and "duration" not in self.chosen and not self._all_are():
            self.rows = "ask"

    def _take(self, field: str) -> None:
        for word in WORDS[field]:
            if word in self.names and self.names.index(word) not in self.chosen.values():
                self.chosen[field] = self.names.index(word)
                return

    def _cells(self, at: int) -> set[str]:
        return {row[at].casefold() for row in self.body if at < len(row)}

    def _at(self, field: str) -> list[int]:
        """Return the columns named like a field, the most telling name first."""
        return [self.names.index(word) for word in WORDS[field] if word in self.names]

    def _flags(self) -> None:
        """Choose the columns that say yes or no, and one called milestone that names kinds."""
        for field in FLAGS:
            for at in self._at(field):
                cells = self._cells(at)
                if cells - {""} and cells <= YES | NO and at not in self.chosen.values():
                    self.chosen.setdefault(field, at)
        for at in self._at("milestone"):
            if "milestone" not in self.chosen and self._cells(at) & MILESTONES:
                self._by_value(at)

    def _types(self) -> None:
        for at in self._at("type"):
            if "milestone" not in self.chosen and self._cells(at) & MILESTONES:
                self._by_value(at)

    def _by_value(self, at: int) -> None:
        said = dict.fromkeys(row[at] for row in self.body if at < len(row) and row[at].casefold() in MILESTONES)
        self.chosen["milestone"], self.milestone_value = at, VALUES.join(said)

    def _row_numbers(self) -> None:
        """Choose no id that is the number of the row: one row more, and every milestone below has the id of another."""
        at = self.chosen.get("id")
        if at is not None and self.names[at] in ROW_NUMBERS and BESIDE_ROW_NUMBERS & set(self.names):
            del self.chosen["id"]

    def _without_an_id(self) -> None:
        """Choose the title where it names each row once."""
        at = self.chosen.get("title")
        if "id" in self.chosen or at is None:
            return
        titles = [row[at] for row in self.body if at < len(row) and row[at]]
        if titles and len(set(titles)) * 10 >= len(titles) * 9:
            self.chosen["id"] = at

    def _durations(self) -> None:
        for at in self._at("duration"):
            if "milestone" in self.chosen or at in self.chosen.values():
                return
            if any(takes_no_time(cell) for cell in self._cells(at) if cell):
                self.chosen["duration"] = at
                return

    def _all_are(self) -> bool:
        """Tell whether the headings say that the table lists milestones."""
        return any(self.names[self.chosen[field]] in TITLES for field in ("title", "id") if field in self.chosen) or (
            "milestone id" in self.names
        )


def _format(body: list[list[str]], columns: list[int]) -> str:
    """Return the one format in which these columns can be meant, and every other column that holds dates."""
    others = _texts(body, columns)
    fit = fitting(others)
    if len(fit) > 1:
        width = max(map(len, body))
        beside = [at for at in range(width) if at not in columns and _holds_days(body, at)]
        fit = [one for one in fit if one in fitting(_texts(body, [*columns, *beside]))]
    return fit[0] if len(fit) == 1 else ""


def _texts(body: list[list[str]], columns: list[int]) -> list[str]:
    texts = {unmarked(cells[at])[0] for cells in body for at in columns if at < len(cells)}
    return sorted(text for text in texts if LIKE_A_DAY.fullmatch(text) and not ISO.looks(text))


def _holds_days(body: list[list[str]], at: int) -> bool:
    cells = [row[at] for row in body if at < len(row) and row[at].upper() not in NOTHING]
    return bool(cells) and all(LIKE_A_DAY.fullmatch(cell) for cell in cells)
