"""Reads budget figures from a table: BAC, PV, EV, AC, EAC and the planned spend, at status dates or by period.

Rule: an amount, a date or a column of amounts that can mean two things is asked about, and nothing is recorded of it.
"""

import hashlib
import itertools
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from domain import numbers
from domain.language import gettext as _
from web.importers.findings import Findings, shown
from web.importers.plan import EARLIEST, LATEST, broken
from web.importers.registers.columns import FIGURE_FIELDS, FigureColumns
from web.importers.registers.found import FiguresAt, FigureTable
from web.importers.registers.guess import Head, head_of
from web.importers.registers.headings import AMOUNTS, MILLIONS, THOUSANDS, TOTALS
from web.importers.registers.periods import Days, first_days, period_end
from web.importers.registers.rows import listed, places_of, rows_of, said, unread
from web.importers.table.headings import normal
from web.importers.table.mapping import NOTHING
from web.importers.table.tables import Table

MAX_ROWS = 2000
MOST = Decimal(10) ** 15
PLACES = Decimal("0.00000001")
SYMBOLS = {"€": "EUR", "£": "GBP", "¥": "", "$": ""}  # the last two are of several currencies
_CODE = re.compile(r"(?<![A-Za-z])[TKM]?([A-Z]{3})(?![A-Za-z])")
_CODES = frozenset({"EUR", "GBP", "USD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "CAD", "AUD", "NZD", "JPY",
                    "CNY", "INR", "BRL", "MXN", "ZAR", "SGD", "HKD", "AED", "SAR", "TRY", "RON", "BGN", "ISK", "KRW",
                    "COP", "CLP", "PEN", "ARS", "KWD"})  # fmt: skip
UNITS = {
    **dict.fromkeys(("k", "tsd", "t", "thousand", "mille"), Decimal(1000)),
    **dict.fromkeys(("m", "mio", "mn", "mln", "million", "millions"), Decimal(1_000_000)),
}
_WORD = re.compile(r"[^\W\d_]+")
_AROUND = re.compile(r"^[^\d(+\-−–.,]*|[^\d)]*$")
_DECIMALS = {
    ".": re.compile(r"[+\-−–]?\d[\d,' \u00a0\u2009\u202f’]*(?:\.\d+)?"),
    ",": re.compile(r"[+\-−–]?\d[\d.' \u00a0\u2009\u202f’]*(?:,\d+)?"),
}


def read(data: bytes, table: Table, columns: FigureColumns) -> FigureTable:
    """Return the figures in a table, sums since the beginning, by date.

    Raises: BrokenFile.
    """
    findings = Findings()
    wanted = tuple(getattr(columns, field) for field in FIGURE_FIELDS)
    head = head_of(table, "figures", wanted)
    if not head.names:
        raise broken(_("The file has no rows; expected a header with the names of the columns, then a row per period."))
    places = places_of(head, dict(zip(FIGURE_FIELDS, wanted, strict=True)), findings)
    if not set(AMOUNTS) & places.keys() and not findings.notes():
        told = _("The mapping names no column of amounts. Choose at least one of: {there}.", there=listed(head))
        findings.problem(head.line, told)
    findings.stop_if_broken()
    reader = _FigureReader(table, head, columns, findings)
    for line, cells in rows_of(table, head, places, findings):
        reader.take(line, cells)
    findings.stop_if_broken()
    rows = reader.result()
    findings.stop_if_broken()
    notes = [_("Read from the sheet “{name}”.", name=table.name)] if table.name else []
    return FigureTable(
        format="sheet" if table.is_sheet else "csv",
        file_hash=hashlib.sha256(data).hexdigest(),
        header=tuple(name for name in head.names if name),
        read=reader.read,
        notes=(*table.notes, *notes, *reader.notes, *unread(head, places), *findings.notes()),
        rows=rows,
        currency=reader.currency,
        columns=columns,
    )


def _unit_of(cell: str) -> Decimal:
    """Return what one of an amount is by the words beside it.

    Raises: NoNumber where they are of no amount.
    """
    factor = Decimal(1)
    for word in _WORD.findall(cell):
        if word.upper() in _CODES:
            continue
        unit = UNITS.get(word.casefold())
        if unit is None and word[:1] in "TKMtkm" and word[1:].upper() in _CODES:
            unit = UNITS["k" if word[:1] in "TKtk" else "m"]
        if unit is None:
            raise numbers.NoNumber(cell)
        factor *= unit
    return factor


class _FigureReader:
    """Takes in the rows below the headings, and makes sums of what is of each period."""

    def __init__(self, table: Table, head: Head, columns: FigureColumns, findings: Findings) -> None:
        self.read = 0
        self.notes: list[str] = []
        self._rows: list[tuple[int, date | None, dict[str, Decimal | None]]] = []
        self._texts: list[str] = []  # of dates
        self._currencies: set[str] = set()
        self._table, self._head, self._columns, self._findings = table, head, columns, findings
        self._names = {normal(name): at for at, name in enumerate(head.names)}
        self._units = {field: self._unit(field) for field in AMOUNTS if getattr(columns, field)}
        try:
            self._days = Days(columns.date_format)
        except ValueError as error:
            findings.problem(None, str(error))
            self._days = Days("")

    @property
    def currency(self) -> str:
        """The one currency that headings and amounts name, "" where they name none or several."""
        return next(iter(self._currencies)) if len(self._currencies) == 1 else ""

    def _unit(self, field: str) -> Decimal:
        """Return what one of a column is, as a person or its heading says."""
        heading = getattr(self._columns, field)
        self._note_currency(heading)
        if self._columns.unit:
            return Decimal(self._columns.unit)
        told = heading.casefold()
        return Decimal(1_000_000) if MILLIONS.search(told) else Decimal(1000) if THOUSANDS.search(told) else Decimal(1)

    def _note_currency(self, told: str) -> None:
        for symbol, code in SYMBOLS.items():
            if symbol in told and code:
                self._currencies.add(code)
        self._currencies |= {code for code in _CODE.findall(told) if code in _CODES}

    def take(self, line: int, cells: dict[str, str]) -> None:
        """Take in one row; totals are none."""
        if not said(cells, AMOUNTS):
            return
        told = cells.get("date", "")
        if told.casefold().rstrip(":") in TOTALS:
            self._findings.count(_("Rows of totals left out"), line)
            return
        self.read += 1
        on = self._day(line, told) if "date" in cells else None
        if "date" in cells and on is None:
            return
        amounts = {field: self._amount(line, field, cells[field]) for field in AMOUNTS if field in cells}
        self._rows.append((line, on, amounts))
        if len(self._rows) > MAX_ROWS:
            raise broken(_("The file has more than {most:,} rows of figures.", most=MAX_ROWS), line)

    def _day(self, line: int, cell: str) -> date | None:
        """Return the day of a row, None (and a note or a problem) where it has none."""
        if ends := period_end(cell):
            return ends if EARLIEST <= ends < LATEST else None
        if day := self._days.day(cell):
            self._texts.append(cell)
            return day
        if self._days.like(cell) and not self._columns.date_format and not Days("").day(cell):
            expected = _(
                "YYYY-MM-DD, because day and month can be mixed up here. Set the date format of the mapping, such "
                "as DD/MM/YYYY or MM/DD/YYYY"
            )
            column = shown(self._columns.date)
            message = _(
                "Column {column} is {came}; expected {expected}.", column=column, came=shown(cell), expected=expected
            )
            self._findings.problem(line, message)
        else:
            self._findings.count(_("Rows left out that have no date or period"), line)
        return None

    def _amount(self, line: int, field: str, cell: str) -> Decimal | None:
        if cell.upper() in NOTHING:
            return None
        self._note_currency(cell)
        try:
            value = self._number(line, field, _AROUND.sub("", cell.strip())) * _unit_of(cell)
        except numbers.Ambiguous as told:
            where = shown(getattr(self._columns, field))
            message = _(
                "Column {column}: {told} Or set what parts the decimal places (in a mapping: decimal).",
                column=where,
                told=told,
            )
            self._findings.problem(line, message)
            return None
        except numbers.NoNumber:
            value = None
        if value is None or not 0 <= value * self._units[field] < MOST:
            self._findings.count(_("Amounts left out that are no number from 0 to below 10^15"), line)
            return None
        whole = (value * self._units[field]).quantize(PLACES).normalize()
        return whole.quantize(Decimal(1)) if whole == whole.to_integral_value() else whole

    def _number(self, line: int, field: str, bare: str) -> Decimal:
        """Return the number of a cell; of a cell that holds a number, and no text, there is one reading."""
        at = self._names[normal(getattr(self._columns, field))]
        if (
            self._table.is_sheet
            and (line, at) not in self._table.texts
            and re.fullmatch(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", bare)
        ):
            return Decimal(bare)
        mark = self._columns.decimal
        if mark and _DECIMALS[mark].fullmatch(bare):
            digits = re.sub(r"[^\d+\-−–.,]", "", bare).replace("." if mark == "," else ",", "").replace(",", ".")
            try:
                return numbers.number(bare)
            except numbers.Ambiguous:
                return Decimal(digits)
        return numbers.number(bare)

    def result(self) -> tuple[FiguresAt, ...]:
        """Return the rows in order, with sums since the beginning; what can be meant in two ways is a problem."""
        self._whole_months()
        dated = [row for row in self._rows if row[1] is not None]
        rows = sorted(dated, key=lambda row: row[1] or date.min) if dated else self._rows
        if not dated and len(rows) > 1:
            told = _(
                "{n} rows have amounts and none has a date. Choose the column of dates or periods, or send one row.",
                n=len(rows),
            )
            self._findings.problem(rows[0][0], told)
            return ()
        for before, after in itertools.pairwise(rows):
            if before[1] == after[1]:
                told = _(
                    "Two rows are of {day}, lines {first} and {second}. Send one for each date.",
                    day=before[1],
                    first=before[0],
                    second=after[0],
                )
                self._findings.problem(after[0], told)
                return ()
        if self._of_periods(rows) == "periods":
            rows = self._summed(rows)
        return tuple(FiguresAt(line=line, on=on, **amounts) for line, on, amounts in rows)

    def _whole_months(self) -> None:
        """Turn the first of a month into its last day where it stands for the month; ask where that is not known."""
        if not first_days(self._texts, self._columns.date_format):
            return
        if not self._columns.days:
            told = _(
                "Every date in column {column} is the first of a month. Set whether it means that day or the whole "
                "month (in a mapping: days).",
                column=shown(self._columns.date),
            )
            self._findings.problem(self._rows[0][0], told)
        elif self._columns.days == "months":
            self._rows = [(line, period_end(f"{on:%Y-%m}") if on else on, amounts) for line, on, amounts in self._rows]

    def _of_periods(
        self, rows: Sequence[tuple[int, date | None, dict[str, Decimal | None]]]
    ) -> Literal["sums", "periods"]:
        """Return how amounts are meant; ask where neither a person, a heading nor the amounts themselves say it."""
        given = [amounts for _line, _on, amounts in rows if any(amounts.get(name) for name in ("pv", "ev", "ac"))]
        if self._columns.amounts:
            return self._columns.amounts
        if len(given) < 2:
            return "sums"
        for name in ("pv", "ev"):
            values = [value for amounts in given if (value := amounts.get(name)) is not None]
            if any(after < before for before, after in itertools.pairwise(values)):
                self.notes.append(_("Amounts fall from row to row, so they were read as those of each period."))
                return "periods"
        planned = [value for amounts in given if (value := amounts.get("pv")) is not None]
        budgets = {value for amounts in given if (value := amounts.get("bac"))}
        if len(budgets) == 1 and len(planned) > 1:
            (budget,) = budgets
            if planned[-1] == budget:
                self.notes.append(_("The last planned amount is the budget, so amounts were read as sums so far."))
                return "sums"
            if sum(planned) == budget:
                self.notes.append(
                    _("The planned amounts add up to the budget, so they were read as those of each period.")
                )
                return "periods"
        told = _("Nothing says whether amounts are sums so far or of each period. Set it (in a mapping: amounts).")
        self._findings.problem(rows[0][0], told)
        return "sums"

    def _summed(
        self, rows: Sequence[tuple[int, date | None, dict[str, Decimal | None]]]
    ) -> list[tuple[int, date | None, dict[str, Decimal | None]]]:
        """Return the rows with PV, EV and AC added up; after its last amount a figure is not known."""
        summed = [(line, on, dict(amounts)) for line, on, amounts in rows]
        for name in ("pv", "ev", "ac"):
            last = max((n for n, row in enumerate(rows) if row[2].get(name) is not None), default=-1)
            total = Decimal(0)
            for n, (line, _on, amounts) in enumerate(summed[: last + 1]):
                if amounts.get(name) is None:
                    self._findings.count(_("Empty amounts between others read as nothing in that period"), line)
                total += amounts.get(name) or Decimal(0)
                summed[n][2][name] = total
        return summed
