"""Reads a risk register from a table.

Rule: words for scores, responses and states stay words here; what they mean on a project's scale is the proposal's.
"""

import hashlib

from domain import check
from domain.language import gettext as _
from web.importers.findings import Findings, one_line
from web.importers.plan import broken
from web.importers.registers.columns import RISK_FIELDS, RiskColumns
from web.importers.registers.found import ListedRisk, RiskTable
from web.importers.registers.guess import Head, head_of
from web.importers.registers.headings import KINDS_OF_LOG, SCORED, TOTALS
from web.importers.registers.rows import listed, places_of, rows_of, said, text, unread
from web.importers.table.mapping import NOTHING
from web.importers.table.tables import Table

MAX_RISKS = 5000  # of a file
LINES = ("owner", "actionee", "author", "category", "proximity")


def read(data: bytes, table: Table, columns: RiskColumns) -> RiskTable:
    """Return the register in a table.

    Raises: BrokenFile.
    """
    findings = Findings()
    head = head_of(table, "risks", (columns.ref, columns.title))
    places = places_of(head, {field: getattr(columns, field) for field in RISK_FIELDS}, findings)
    _required(columns, head, findings)
    findings.stop_if_broken()
    at = places.get("category")
    of_more = at is not None and any(cells[at].casefold() in KINDS_OF_LOG for _, cells in head.body if at < len(cells))
    reader = _RiskReader(findings, of_more=of_more)
    for line, cells in rows_of(table, head, places, findings):
        reader.take(line, cells)
    findings.stop_if_broken()
    notes = [_("Read from the sheet “{name}”.", name=table.name)] if table.name else []
    return RiskTable(
        format="sheet" if table.is_sheet else "csv",
        file_hash=hashlib.sha256(data).hexdigest(),
        header=tuple(name for name in head.names if name),
        read=reader.read,
        notes=(*table.notes, *notes, *unread(head, places), *findings.notes()),
        risks=tuple(reader.risks),
        present=frozenset(reader.present),
        lost=reader.lost,
        fractions=_are_fractions(reader.risks),
        columns=columns,
    )


def _required(columns: RiskColumns, head: Head, findings: Findings) -> None:
    if not head.names:
        raise broken(_("The file has no rows; expected a header with the names of the columns, then a row per risk."))
    if not columns.title:
        findings.problem(
            head.line, _("The mapping names no column for the title. Choose one of: {there}.", there=listed(head))
        )
    if not columns.ref:
        told = _(
            "The mapping names no column for the reference. Choose one of: {there}. Clients read it, so no title is "
            "taken for it; where there is none, add a column such as R-01, R-02.",
            there=listed(head),
        )
        findings.problem(head.line, told)


class _RiskReader:
    """Takes in the rows below the headings."""

    def __init__(self, findings: Findings, *, of_more: bool) -> None:
        self.risks: list[ListedRisk] = []
        self.present: set[str] = set()
        self.lost = False
        self.read = 0
        self._findings, self._of_more = findings, of_more

    def take(self, line: int, cells: dict[str, str]) -> None:
        """Take in one row."""
        if not said(cells, RISK_FIELDS) or cells["title"].casefold() in TOTALS or cells["ref"].casefold() in TOTALS:
            return
        if self._of_more and cells["category"].casefold() not in KINDS_OF_LOG:
            self._findings.count(_("Rows of the log that are no risks left out"), line)
            return
        self.read += 1
        ref, title = self._line(line, cells["ref"]), self._line(line, cells["title"])
        if not ref:
            self.lost = True
            self._findings.count(_("Rows left out that have no reference"), line)
            return
        earlier = ref.casefold() in self.present
        self.present.add(ref.casefold())
        if earlier:
            self._findings.count(_("Rows left out whose reference is on an earlier row"), line)
        elif not title:
            self._findings.count(_("Rows left out that have no title"), line)
        else:
            self._keep(line, cells, ref, title)

    def _keep(self, line: int, cells: dict[str, str], ref: str, title: str) -> None:
        told = {
            field: text(cell, line, self._findings) for field, cell in cells.items() if field not in ("ref", "title")
        }
        for field in LINES:
            if told.get(field):
                told[field] = one_line(told[field], line, self._findings)
        for field in (*SCORED, "status"):
            if field in told:
                told[field] = " ".join(told[field].split())
        if self._of_more:
            told["category"] = ""
        if told.get("event") == title:
            told["event"] = ""
        self.risks.append(ListedRisk(ref=ref, title=title, line=line, **told))
        if len(self.risks) > MAX_RISKS:
            raise broken(
                _("The file has more than {most:,} risks. Send those that are followed.", most=MAX_RISKS), line
            )

    def _line(self, line: int, cell: str) -> str:
        if cell.upper() in NOTHING:
            return ""
        told = one_line(cell, line, self._findings)
        return "" if check.blank(told) else told


def _are_fractions(risks: list[ListedRisk]) -> bool:
    """Tell whether probabilities are given as fractions: all numbers from 0 to 1, and one of them between."""
    values = []
    for risk in risks:
        for cell in (risk.probability, risk.inherent_probability):
            bare = cell.replace(",", ".")
            if bare.replace(".", "", 1).isdecimal() and bare.isascii():
                values.append(float(bare))
    return bool(values) and max(values) <= 1 and any(0 < value < 1 for value in values)
