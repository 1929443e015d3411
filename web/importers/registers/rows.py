"""The rows of a register or of figures by field, and what was not read of them."""

from collections.abc import Iterator, Mapping, Sequence

from domain import check
from domain.language import gettext as _
from web.importers.findings import Findings, shown, visible
from web.importers.registers.guess import Head
from web.importers.table.headings import normal
from web.importers.table.mapping import NOTHING
from web.importers.table.tables import Table

TEXT = 4000  # characters of a text, as many as a project takes


def places_of(head: Head, chosen: Mapping[str, str], findings: Findings) -> dict[str, int]:
    """Return the column of each field that has one; a column that is not there once is a problem."""
    names = [normal(name) for name in head.names]
    found: dict[str, int] = {}
    for field, column in chosen.items():
        name = normal(column)
        if not name:
            continue
        if names.count(name) != 1:
            findings.problem(
                head.line,
                _(
                    "Column {wanted} is not there, or more than once. The header has: {there}.",
                    wanted=shown(column),
                    there=listed(head),
                ),
            )
        else:
            found[field] = names.index(name)
    return found


def listed(head: Head) -> str:
    """Return the headings for a sentence."""
    return ", ".join(shown(name) for name in head.names[:30] if name)


def rows_of(
    table: Table, head: Head, places: Mapping[str, int], findings: Findings
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line and the cells by field of each row below the headings."""
    width = len(head.names)
    for line, cells in table.rows(findings):
        if line <= head.line:
            continue
        if not (table.is_sheet or table.turned) and (len(cells) < width or any(cells[width:])):
            message = _(
                "This row has {cells} cells, the header has {width}. Put a cell that contains the delimiter in "
                "quotation marks, or send the whole file again if it was cut off.",
                cells=len(cells),
                width=width,
            )
            findings.problem(line, message)
            continue
        yield line, {field: cells[at] if at < len(cells) else "" for field, at in places.items()}


def unread(head: Head, places: Mapping[str, int]) -> list[str]:
    """Return the note on columns that hold something and are not read; nothing where there is none."""
    left = [
        name
        for at, name in enumerate(head.names)
        if name and at not in places.values() and any(at < len(cells) and cells[at] for _line, cells in head.body)
    ]
    if not left:
        return []
    return [_("Columns that are not read: {names}.", names=", ".join(shown(name) for name in left[:30]))]


def text(cell: str, line: int, findings: Findings) -> str:
    """Return a text of several lines of at most `TEXT` characters; shortened ones are counted in `findings`."""
    if cell.strip().upper() in NOTHING:
        return ""
    told = visible(cell.replace("\r\n", "\n").replace("\r", "\n"), line, findings).strip()
    if check.blank(told):
        return ""
    if len(told) <= TEXT:
        return told
    findings.count(_("Texts shortened to {n} characters", n=TEXT), line)
    return told[: TEXT - 1] + "…"


def said(cells: Mapping[str, str], fields: Sequence[str]) -> bool:
    """Tell whether a row says something in one of these fields."""
    return any(cells.get(field, "").upper() not in NOTHING for field in fields)
