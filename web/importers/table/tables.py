"""A file as tables of text: one for a comma-separated file, one for each sheet of a workbook; and their headings."""

from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from domain.language import gettext as _
from web.importers.findings import Findings
from web.importers.plan import broken
from web.importers.table import comma, workbook
from web.importers.table.headings import known, normal
from web.importers.table.mapping import Mapping

Row = tuple[int, list[str]]  # the line it begins on, from 1, and its trimmed cells
LOOKED_AT = 30  # rows among which the headings are looked for


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table, to be gone through from its beginning as often as need be."""

    name: str = ""  # of the sheet, "" for a comma-separated file
    text: str = ""  # of a comma-separated file
    delimiter: str = ""
    lines: Sequence[Row] = ()  # of a sheet
    notes: tuple[str, ...] = ()  # on how it was read
    size: int = 1  # lines, about
    texts: frozenset[tuple[int, int]] = frozenset()  # line and column of text in a sheet that looks like a number
    turned: bool = False  # whether rows and columns were exchanged

    @property
    def is_sheet(self) -> bool:
        """Whether numbers came as numbers, so that a percentage may have come as a fraction."""
        return not self.delimiter

    def rows(self, findings: Findings) -> Iterator[Row]:
        """Yield the rows that are not blank; a row that cannot be cut is told to `findings` and ends them."""
        return iter(self.lines) if self.is_sheet or self.turned else comma.rows(self.text, self.delimiter, findings)


class Heading(msgspec.Struct, frozen=True):
    """The row that names the columns."""

    line: int
    names: list[str]
    before: int  # rows above it

    @property
    def width(self) -> int:
        """How many cells a row has."""
        return len(self.names)


def tables(data: bytes, mapping: Mapping | None = None) -> list[Table]:
    """Return the tables of a file that is no XML; a delimiter of `mapping` is used where it cuts out its columns.

    Raises: BrokenFile.
    """
    if workbook.is_workbook(data):
        book = workbook.sheets(data)
        return [
            Table(name=name, lines=lines, size=max(len(lines), 1), texts=frozenset(texts))
            for (name, lines), texts in zip(book.sheets, book.texts, strict=True)
            if lines
        ]
    text, notes = comma.text_of(data)
    found = Table(text=text, delimiter=comma.delimiter_of(text), notes=notes, size=text.count("\n") + 1)
    chosen = mapping.delimiter if mapping else ""
    if chosen and chosen != found.delimiter:
        given = msgspec.structs.replace(found, delimiter=chosen)
        if mapping and _names_of(mapping) <= _normal(heading(given, mapping)):
            return [given]
    return [found]


def the_table(found: Sequence[Table], mapping: Mapping | None) -> Table:
    """Return the table that a mapping names, else the one whose headings name most columns.

    Raises: BrokenFile where there is none.
    """
    if not found:
        raise broken(
            _("The file has no rows; expected a header with the names of the columns, then a row per milestone.")
        )
    wanted = mapping.sheet.casefold() if mapping else ""
    if chosen := [table for table in found if wanted and table.name.casefold() == wanted]:
        return chosen[0]
    return max(found, key=lambda table: known(heading(table, mapping).names))


def heading(table: Table, mapping: Mapping | None = None) -> Heading:
    """Return the row with the headings: the one with the columns of `mapping`, else the first that names two.

    Where no row does, it is the first.
    """
    head = list(islice(table.rows(Findings()), LOOKED_AT))
    wanted = _names_of(mapping) if mapping else set()
    fits = [at for at, (_line, cells) in enumerate(head) if wanted and wanted <= {normal(cell) for cell in cells}]
    knows = [at for at, (_line, cells) in enumerate(head) if known(cells) >= 2]
    at = (fits or knows or [0])[0]
    line, names = head[at] if head else (1, [])
    return Heading(line, names, at)


def _names_of(mapping: Mapping) -> set[str]:
    return {normal(name) for name in (mapping.id, mapping.title) if name}


def _normal(found: Heading) -> set[str]:
    return {normal(name) for name in found.names}
