"""Reads a table into a plan by a mapping, and suggests a mapping.

Rule: one odd value never costs the file. It is left out, counted, and its first line is named. What stops the reading
is what would make other values wrong: columns that are not there, and values that can mean two things.
"""

import hashlib
from collections.abc import Callable, Sequence

import msgspec

from domain.language import gettext as _
from web.importers.findings import Findings, shown
from web.importers.mspdi.xml_stream import Progress
from web.importers.plan import (
    MAX_BYTES,
    MAX_MILESTONES,
    MAX_TASKS,
    BrokenFile,
    Plan,
    PlannedMilestone,
    broken,
    too_large,
)
from web.importers.table.headings import COSTS, known, normal
from web.importers.table.mapping import Mapping
from web.importers.table.rows import ColumnPlaces, Rows
from web.importers.table.suggesting import suggest, suggested
from web.importers.table.tables import Heading, Table, heading, tables, the_table

__all__ = ["Mapping", "of_table", "read", "suggest"]

EVERY = 1000  # rows between two signs of progress


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """What a person can choose columns from."""

    header: tuple[str, ...]
    sheets: tuple[str, ...]  # of a workbook
    suggested: Mapping


Choose = Callable[[Offered], Mapping]  # the columns to read by, of what a table offers


def read(
    data: bytes,
    mapping: Mapping | None = None,
    progress: Progress | None = None,
    *,
    choose: Choose | None = None,
    max_bytes: int = MAX_BYTES,
) -> Plan:
    """Return the plan in a table: by a mapping, by the one that is chosen, or by the one its headings suggest.

    `progress` is told the part done, 0 to 1. Raises: BrokenFile with up to 20 problems.
    """
    if len(data) > max_bytes:
        raise broken(too_large(max_bytes))
    found = tables(data, mapping)
    if mapping is None:
        first = the_table(found, None)
        suggestion = suggested(first)
        names = tuple(table.name for table in found if table.name)
        offered = Offered(header=tuple(heading(first).names), sheets=names, suggested=suggestion)
        mapping = choose(offered) if choose else suggestion
    return of_table(the_table(found, mapping), mapping, hashlib.sha256(data).hexdigest(), progress)


def of_table(table: Table, mapping: Mapping, file_hash: str, progress: Progress | None = None) -> Plan:
    """Return the plan in a table that is at hand, which `file_hash` stands for.

    Raises: BrokenFile with up to 20 problems.
    """
    findings = Findings()
    for note in table.notes:
        findings.note(note)
    reader = _Reader(table, mapping, findings)
    for number, (line, cells) in enumerate(table.rows(findings)):
        reader.take(line, cells)
        if progress and number % EVERY == 0:
            progress(min(line / table.size, 1.0))
    findings.stop_if_broken()
    if progress:
        progress(1.0)
    return Plan(
        format="sheet" if table.is_sheet else "csv",
        file_hash=file_hash,
        milestones=tuple(reader.milestones),
        tasks=tuple(task for task in reader.tasks if task.source_id not in reader.lines),
        read=reader.read,
        undecided=reader.undecided,
        present=frozenset(reader.present),
        lost=reader.lost,
        notes=(*reader.said(table), *findings.notes()),
        columns=mapping,
    )


class _Reader:
    """Takes in the rows below the headings."""

    def __init__(self, table: Table, mapping: Mapping, findings: Findings) -> None:
        self.milestones: list[PlannedMilestone] = []
        self.tasks: list[PlannedMilestone] = []  # rows that are no milestones and have a forecast
        self.lines: dict[str, int] = {}  # of milestones by their id
        self.present: set[str] = set()  # ids of all rows
        self.lost = False  # whether a row has no id that can be read
        self.read = 0
        self._mapping = mapping
        self._findings = findings
        self._head = heading(table, mapping)
        self._columns = columns_of(mapping, self._head, findings)
        self._rows = Rows(self._columns, mapping, table, findings)
        self._others: dict[str, int] = {}  # of other rows
        findings.stop_if_broken()

    @property
    def undecided(self) -> bool:
        """Whether no column says which rows are milestones, and each is asked about."""
        return self._mapping.rows == "ask" and not ({"milestone", "duration"} & self._columns.keys())

    def said(self, table: Table) -> list[str]:
        """Return what the reader of the plan has to know of how the table was read."""
        said = []
        if table.name:
            said.append(_("Read from the sheet “{name}”.", name=table.name))
        if self.undecided:
            said.append(
                _(
                    "No column says which rows are milestones. Tick the rows that are, or choose the column that "
                    "says so."
                )
            )
        elif not {"milestone", "duration"} & self._columns.keys() and self.milestones:
            said.append(_("No column says which rows are milestones; all {n} were taken.", n=len(self.milestones)))
        if costs := [name for name in self._head.names if normal(name) in COSTS]:
            told = _(
                "Columns of costs that are not read of a plan: {names}. Send them as budget figures.",
                names=_listed(costs),
            )
            said.append(told)
        if self._mapping.id == self._mapping.title:
            said.append(
                _("There is no column of ids, so titles are ids: a milestone renamed reads as one gone and one new.")
            )
        return said

    def take(self, line: int, cells: list[str]) -> None:
        """Take in one row; those above the headings, and a second row of headings, are none."""
        if line <= self._head.line or (not self.read and known(cells) >= 2 and not any(map(_has_digit, cells))):
            return
        if not (row := self._row(line, cells)):
            return
        self.read += 1
        if source_id := self._rows.id_of(line, row):
            self.present.add(source_id)
        else:
            self.lost = True
        if not self._rows.counts(line, row):
            return
        if self.undecided:
            self._offer(line, row)
        elif self._rows.is_milestone(line, row):
            self._take_milestone(line, row)
        elif len(self.tasks) < MAX_TASKS and row["id"] not in self._others:
            self._set_aside(line, row)

    def _row(self, line: int, cells: list[str]) -> dict[str, str]:
        """Return the cells by field, nothing (and a problem) where the row is cut in another way than the headings."""
        width = self._head.width
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]
        if len(cells) > width or (len(cells) < width and not self._rows.may_be_short):
            message = _(
                "This row has {cells} cells, the header has {width}. Put a cell that contains the delimiter in "
                "quotation marks, or send the whole file again if it was cut off.",
                cells=len(cells),
                width=width,
            )
            self._findings.problem(line, message)
            return {}
        return {field: cells[at] if at < len(cells) else "" for field, at in self._columns.items()}

    def _take_milestone(self, line: int, row: dict[str, str]) -> None:
        planned = self._rows.planned(line, row, self.lines)
        if planned is None:
            return
        self.lines[planned.source_id] = line
        self.milestones.append(planned)
        if len(self.milestones) > MAX_MILESTONES:
            raise broken(
                _(
                    "The file has more than {most} milestones. Send those that are followed, or choose the column "
                    "that says which rows are milestones.",
                    most=f"{MAX_MILESTONES:,}",
                ),
                line,
            )

    def _offer(self, line: int, row: dict[str, str]) -> None:
        """Keep a row that may be a milestone, and say of one that cannot be followed why, as of any milestone."""
        task = self._task(self._rows, line, row)
        if task is not None and task.forecast is None:
            self._findings.count(_("Rows left out that have no date to follow"), line)
        elif task is not None and len(self.tasks) < MAX_TASKS:
            self._keep(line, task)

    def _set_aside(self, line: int, row: dict[str, str]) -> None:
        """Keep a row that is no milestone if it can be followed; nothing is said of one that cannot."""
        findings = Findings()
        try:
            task = self._task(self._rows.told_to(findings), line, row)
            findings.stop_if_broken()
        except BrokenFile:
            return
        if task is not None and task.forecast is not None:
            self._keep(line, task)

    def _task(self, rows: Rows, line: int, row: dict[str, str]) -> PlannedMilestone | None:
        return rows.planned(line, {**row, "start": ""}, self._others)  # a start says nothing of when a task is done

    def _keep(self, line: int, task: PlannedMilestone) -> None:
        self._others[task.source_id] = line
        self.tasks.append(task)


def _has_digit(cell: str) -> bool:
    return any(character.isdigit() for character in cell)


def columns_of(mapping: Mapping, head: Heading, findings: Findings) -> ColumnPlaces:
    """Return the place of each mapped column; a column that is not there is a problem."""
    if not head.names:
        raise broken(
            _("The file has no rows; expected a header with the names of the columns, then a row per milestone.")
        )
    return ColumnPlaces.of(mapping, head, there=_listed(head.names), findings=findings)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(shown(name) for name in names[:30] if name)
