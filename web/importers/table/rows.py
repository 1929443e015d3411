"""From the cells of a row to a planned milestone: dates, percentages, and whether the row is a milestone at all."""

import copy
from collections.abc import Mapping as Reading
from datetime import date

from domain import check, numbers
from domain.language import gettext as _
from web.importers.findings import Findings, one_line, shown, visible
from web.importers.plan import PlannedMilestone
from web.importers.table.days import ISO, LIKE_A_DAY, DayFormat, unmarked
from web.importers.table.headings import NO, YES, normal, takes_no_time
from web.importers.table.mapping import DAYS, FIELDS, NOTHING, VALUES, Mapping
from web.importers.table.tables import Heading, Table

LONGEST_ID = 200  # characters


class ColumnPlaces(dict[str, int]):
    """The place of the column of each field that has one."""

    @classmethod
    def of(cls, mapping: Mapping, head: Heading, *, there: str, findings: Findings) -> "ColumnPlaces":
        """Return the places; `there` lists the headings for what is said of one that is missing."""
        names, found = [normal(name) for name in head.names], cls()
        for field in FIELDS:
            name = normal(getattr(mapping, field))
            if not name and field in ("id", "title"):
                told = _(
                    "The mapping names no column for the {field}. Choose one of: {there}.", field=field, there=there
                )
                if field == "id":
                    told = _("{told} Where every title is there once, it can be the id.", told=told)
                findings.problem(head.line, told)
            elif name and names.count(name) != 1:
                how = _("is there more than once") if name in names else _("is not there")
                wanted = shown(getattr(mapping, field))
                message = _(
                    "Column {wanted}, mapped to the {field}, {how}. The header has: {there}.",
                    wanted=wanted,
                    field=field,
                    how=how,
                    there=there,
                )
                findings.problem(head.line, message)
            elif name:
                found[field] = names.index(name)
        return found


class Rows:
    """Reads rows by the columns of a mapping."""

    def __init__(self, columns: ColumnPlaces, mapping: Mapping, table: Table, findings: Findings) -> None:
        self.may_be_short = table.is_sheet
        self._columns = columns
        self._mapping = mapping
        self.findings = findings
        self._format = _format(mapping, findings)
        self._values = {value.strip().casefold() for value in mapping.milestone_value.split(VALUES) if value.strip()}
        self._fractions = table.is_sheet and _are_fractions(table, columns)

    def told_to(self, findings: Findings) -> "Rows":
        """Return the same, of which other findings are told."""
        told = copy.copy(self)
        told.findings = findings
        return told

    def counts(self, line: int, row: Reading[str, str]) -> bool:
        """Tell whether a row is part of the plan."""
        if "active" in row and row["active"].casefold() in NO - {""}:
            self.findings.count(_("Inactive tasks skipped"), line)
            return False
        return True

    def id_of(self, line: int, row: Reading[str, str]) -> str:
        """Return the id of a row, "" where it has none that can be kept."""
        source_id = " ".join(visible(" ".join(row["id"].split()), line, Findings()).split())
        return source_id if len(source_id) <= LONGEST_ID else ""

    def is_milestone(self, line: int, row: Reading[str, str]) -> bool:
        """Tell whether a row is a milestone, by the column that says so; without one it is."""
        if "milestone" in row:
            return self._flagged(line, row["milestone"])
        if "duration" not in row:
            return True
        sums_up = row.get("summary", "").casefold() in YES
        if sums_up or not takes_no_time(row["duration"]):
            self.findings.count(_("Rows that are no milestones skipped"), line)
            return False
        return True

    def _flagged(self, line: int, cell: str) -> bool:
        said = cell.casefold()
        if said in (self._values or YES):
            return True
        if not self._values and said not in NO:
            expected = _("yes or no. Choose the value that means a milestone, or another column")
            self._wrong(line, "milestone", cell, expected)
            return False
        self.findings.count(_("Rows that are no milestones skipped"), line)
        return False

    def planned(self, line: int, row: Reading[str, str], earlier: Reading[str, int]) -> PlannedMilestone | None:
        """Return the milestone of a row, None (and a note) where it cannot be one; `earlier` are lines by id."""
        source_id = self.id_of(line, row)
        title = one_line(row["title"], line, self.findings)
        if not source_id:
            self.findings.count(_("Rows left out that have no id of 1 to 200 characters"), line)
            return None
        if check.blank(title):
            self.findings.count(_("Rows left out that have no title"), line)
            return None
        if source_id in earlier:
            self.findings.count(_("Rows left out whose id is on an earlier row"), line)
            return None
        days, met = self._days(line, row)
        return self._milestone(line, row, days, met, source_id=source_id, title=title)

    def _days(self, line: int, row: Reading[str, str]) -> tuple[dict[str, date | None], bool]:
        """Return the dates by field, and whether the forecast is marked as an actual one.

        A milestone without a finish is on the day it starts.
        """
        days: dict[str, date | None] = {}
        marked: dict[str, bool] = {}
        for field in DAYS:
            if field in row:
                cell, marked[field] = unmarked(row[field])
                days[field] = self._day(line, field, cell)
        start = days.pop("start", None)
        if start is None or not ({"forecast", "actual"} & row.keys()):
            return days, marked.get("forecast", False)
        if days.get("forecast") is None and days.get("actual") is None and row.get("forecast", "").upper() in NOTHING:
            self.findings.count(_("Milestones without a finish, dated by their start"), line)
            return days | {"forecast": start}, marked["start"]
        return days, marked.get("forecast", False)

    def _milestone(
        self, line: int, row: Reading[str, str], days: dict[str, date | None], met: bool, *, source_id: str, title: str
    ) -> PlannedMilestone:
        baseline, actual, percent = (
            days.get("baseline"),
            days.get("actual"),
            self._percent(line, row.get("percent", "")),
        )
        if met and actual is None:
            actual = days.get("forecast")
        if actual is not None and percent not in (None, 100):
            self.findings.count(_("Actual finish left out, as less than 100 % is complete"), line)
            actual = None
        if actual is None and percent == 100:
            self.findings.count(_("Milestones 100 % complete without an actual finish, so not taken as met"), line)
        return PlannedMilestone(
            source_id=source_id,
            title=title,
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
        if ISO.looks(cell) or not LIKE_A_DAY.fullmatch(cell) or (self._format and self._format.looks(cell)):
            column = shown(getattr(self._mapping, field))
            told = _("Cells of column {column} that hold no date from 1950 to 2149, left out", column=column)
            self.findings.count(told, line)
            return None
        if self._format:
            expected = _("a date as {written}, from 1950 to 2149", written=self._format.written)
        else:
            expected = _(
                "YYYY-MM-DD, because day and month can be mixed up here. Set the date format of the mapping, such "
                "as DD/MM/YYYY or MM/DD/YYYY"
            )
        self._wrong(line, field, cell, expected)
        return None

    def _percent(self, line: int, cell: str) -> int | None:
        if cell.upper() in NOTHING:
            return None
        try:
            value = numbers.number(cell) * 100 if self._fractions and "%" not in cell else numbers.percentage(cell)
        except numbers.Ambiguous as told:
            self.findings.problem(line, _("Column {column}: {told}", column=shown(self._mapping.percent), told=told))
            return None
        except numbers.NoNumber:
            self.findings.count(_("Percentages left out that are no number from 0 to 100"), line)
            return None
        if not 0 <= value <= 100:
            self.findings.count(_("Percentages left out that are no number from 0 to 100"), line)
            return None
        if 0 < value < 1:  # what has begun does not read as nothing
            self.findings.count(_("Percent complete below 1 read as 1"), line)
            return 1
        if value != int(value):
            self.findings.count(_("Percent complete rounded down to a whole number"), line)
        return int(value)

    def _wrong(self, line: int, field: str, cell: str, expected: str) -> None:
        column = getattr(self._mapping, field)
        came = shown(cell) if cell else _("empty")
        self.findings.problem(
            line,
            _("Column {column} is {came}; expected {expected}.", column=shown(column), came=came, expected=expected),
        )


def _are_fractions(table: Table, columns: ColumnPlaces) -> bool:
    """Tell whether a sheet keeps percentages as fractions, as a cell that is shown as 50 % does: 0.5."""
    at = columns.get("percent")
    if at is None:
        return False
    values = []
    for _line, cells in table.rows(Findings()):
        cell = cells[at] if at < len(cells) else ""
        if cell.replace(".", "", 1).isdecimal():
            values.append(float(cell))
    return bool(values) and max(values) <= 1 and any(0 < value < 1 for value in values)


def _format(mapping: Mapping, findings: Findings) -> DayFormat | None:
    if not mapping.date_format:
        return None
    try:
        return DayFormat(mapping.date_format)
    except ValueError as error:
        findings.problem(None, str(error))
        return None
