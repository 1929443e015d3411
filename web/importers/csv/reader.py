"""Reads a CSV file into a plan by a mapping, and suggests a mapping; every problem names its line and column."""

import hashlib
import re
from collections.abc import Sequence
from datetime import date

from domain import numbers
from domain.language import gettext as _
from web.importers.csv.days import ISO, DayFormat
from web.importers.csv.mapping import DAYS, FIELDS, NO, NOTHING, YES, Mapping
from web.importers.csv.rows import delimiter_of, rows, text_of
from web.importers.csv.suggesting import suggest
from web.importers.findings import Findings, one_line, shown
from web.importers.mspdi.xml_stream import Progress
from web.importers.plan import MAX_BYTES, MAX_TASKS, BrokenFile, Plan, PlannedMilestone, broken

__all__ = ["Mapping", "read", "suggest"]

EVERY = 1000  # rows between two signs of progress


def read(data: bytes, mapping: Mapping, progress: Progress | None = None, *, max_bytes: int = MAX_BYTES) -> Plan:
    """Return the plan in a CSV file; `progress` is told the part done, 0 to 1.

    Raises: BrokenFile with up to 20 problems.
    """
    if len(data) > max_bytes:
        raise broken(
            _(
                "The file is larger than {max_bytes} MiB, the most that is read. Send a smaller plan.",
                max_bytes=max_bytes // 2**20,
            )
        )
    text, notes = text_of(data)
    findings = Findings()
    for note in notes:
        findings.note(note)
    table = rows(text, mapping.delimiter or delimiter_of(text), findings)
    line, header = next(table, (1, []))
    findings.stop_if_broken()
    reader = _Reader(mapping, header, line, findings)
    lines = text.count("\n") + 1
    for number, (line, cells) in enumerate(table):
        reader.take(line, cells)
        if progress and number % EVERY == 0:
            progress(min(line / lines, 1.0))
    findings.stop_if_broken()
    if progress:
        progress(1.0)
    file_hash = hashlib.sha256(data).hexdigest()
    return Plan(
        format="csv",
        file_hash=file_hash,
        milestones=tuple(reader.milestones),
        tasks=tuple(task for task in reader.tasks if not reader.knows(task.source_id)),
        read=reader.read,
        notes=findings.notes(),
    )


class _Reader:
    def __init__(self, mapping: Mapping, header: Sequence[str], line: int, findings: Findings) -> None:
        self.milestones: list[PlannedMilestone] = []
        self.tasks: list[PlannedMilestone] = []  # rows that are no milestones and have a forecast
        self.read = 0
        self._mapping = mapping
        self._findings = findings
        self._width = len(header)
        self._columns = _columns(mapping, header, line, findings)
        self._format = _format(mapping, findings)
        self._lines: dict[str, int] = {}  # of milestones by their id
        self._others: dict[str, int] = {}  # of other rows
        findings.stop_if_broken()

    def take(self, line: int, cells: list[str]) -> None:
        """Take in one row."""
        if len(cells) != self._width:
            message = _(
                "This row has {cells} cells, the header has {width}. Put a cell that contains the delimiter in "
                "quotation marks, or send the whole file again if it was cut off.",
                cells=len(cells),
                width=self._width,
            )
            self._findings.problem(line, message)
            return
        row = {field: cells[at] for field, at in self._columns.items()}
        self.read += 1
        if self._is_milestone(line, row):
            self._check(line, row)
            self.milestones.append(self._milestone(line, row))
        elif len(self.tasks) < MAX_TASKS and row["id"] not in self._others:
            self._set_aside(line, row)

    def knows(self, source_id: str) -> bool:
        """Tell whether a milestone has this id."""
        return source_id in self._lines

    def _set_aside(self, line: int, row: dict[str, str]) -> None:
        """Keep a row that is no milestone if it can be followed; nothing is said of one that cannot."""
        said, self._findings = self._findings, Findings()
        known, self._lines = self._lines, self._others
        try:
            self._check(line, row)
            task = self._milestone(line, row)
            self._findings.stop_if_broken()
        except BrokenFile:
            return
        finally:
            self._findings, self._lines = said, known
        if task.forecast is not None:
            self.tasks.append(task)

    def _is_milestone(self, line: int, row: dict[str, str]) -> bool:
        flag = row.get("milestone", "yes").casefold()
        if flag in NO:
            self._findings.count(_("Rows that are no milestones skipped"), line)
            return False
        if flag not in YES:
            self._wrong(line, "milestone", row["milestone"], _("yes or no"))
        return True

    def _check(self, line: int, row: dict[str, str]) -> None:
        for field, cell in row.items():
            if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", cell):
                self._wrong(line, field, cell, _("text without control characters"))
        source_id = row["id"]
        if not source_id or len(source_id) > 200 or "\n" in source_id:
            self._wrong(line, "id", source_id, _("an id of 1 to 200 characters that stays the same from file to file"))
        elif source_id in self._lines:
            message = _(
                "Id {source_id} is on this row and on line {lines}; expected each once.",
                source_id=shown(source_id),
                lines=self._lines[source_id],
            )
            self._findings.problem(line, message)
        self._lines.setdefault(source_id, line)
        if not row["title"]:
            self._wrong(line, "title", "", _("the name of the milestone"))

    def _milestone(self, line: int, row: dict[str, str]) -> PlannedMilestone:
        days = {field: self._day(line, field, row[field]) for field in DAYS if field in row}
        baseline, actual = days.get("baseline"), days.get("actual")
        percent = self._percent(line, row.get("percent", ""))
        if actual is not None and percent not in (None, 100):
            self._findings.count(_("Actual finish left out, as less than 100 % is complete"), line)
            actual = None
        return PlannedMilestone(
            source_id=row["id"],
            title=one_line(row["title"], line, self._findings),
            outline=" ".join(row.get("outline", "").split()),
            baseline=baseline,
            baselines=() if baseline is None else ((0, baseline),),
            forecast=days.get("forecast"),
            actual=actual,
            deadline=days.get("deadline"),
            percent_complete=percent,
            line=line,
        )

    def _day(self, line: int, field: str, cell: str) -> date | None:
        if cell.upper() in NOTHING:
            return None
        if day := ISO.day(cell) or (self._format and self._format.day(cell)):
            return day
        if self._format:
            expected = _("a date as {written}, from 1950 to 2149", written=self._format.written)
        elif re.match(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}", cell):
            expected = _(
                "YYYY-MM-DD, because day and month can be mixed up here. Set the date format of the mapping, such "
                "as DD/MM/YYYY or MM/DD/YYYY"
            )
        else:
            expected = _("a date as YYYY-MM-DD, from 1950 to 2149. Correct it or set the date format of the mapping")
        self._wrong(line, field, cell, expected)
        return None

    def _percent(self, line: int, cell: str) -> int | None:
        if not cell:
            return None
        try:
            value = numbers.percentage(cell)
        except numbers.Ambiguous as told:
            self._findings.problem(line, _("Column {column}: {told}", column=shown(self._mapping.percent), told=told))
            return None
        except numbers.NoNumber:
            self._wrong(line, "percent", cell, _("a number from 0 to 100"))
            return None
        if 0 < value < 1:  # what has begun does not read as nothing
            self._findings.count(_("Percent complete below 1 read as 1"), line)
            return 1
        if value != int(value):
            self._findings.count(_("Percent complete rounded down to a whole number"), line)
        return int(value)

    def _wrong(self, line: int, field: str, cell: str, expected: str) -> None:
        column = getattr(self._mapping, field)
        came = shown(cell) if cell else _("empty")
        self._findings.problem(
            line,
            _("Column {column} is {came}; expected {expected}.", column=shown(column), came=came, expected=expected),
        )


def _columns(mapping: Mapping, header: Sequence[str], line: int, findings: Findings) -> dict[str, int]:
    """Return the place of each mapped column."""
    if not header:
        raise broken(
            _("The file has no rows; expected a header with the names of the columns, then a row per milestone.")
        )
    names = [name.casefold() for name in header]
    there = ", ".join(shown(name) for name in header[:30])
    columns = {}
    for field in FIELDS:
        name = getattr(mapping, field).strip().casefold()
        if not name and field in ("id", "title"):
            findings.problem(
                line,
                _("The mapping names no column for the {field}. Choose one of: {there}.", field=field, there=there),
            )
        elif name and names.count(name) != 1:
            how = _("is there more than once") if name in names else _("is not there")
            wanted = shown(getattr(mapping, field))
            findings.problem(
                line,
                _(
                    "Column {wanted}, mapped to the {field}, {how}. The header has: {there}.",
                    wanted=wanted,
                    field=field,
                    how=how,
                    there=there,
                ),
            )
        elif name:
            columns[field] = names.index(name)
    return columns


def _format(mapping: Mapping, findings: Findings) -> DayFormat | None:
    if not mapping.date_format:
        return None
    try:
        return DayFormat(mapping.date_format)
    except ValueError as error:
        findings.problem(None, str(error))
        return None
