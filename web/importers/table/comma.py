"""A CSV file as rows of cells, each with the line it begins on; cells stay text, whatever a spreadsheet would do."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

from domain.language import N_
from domain.language import gettext as _
from web.importers.findings import Findings, shown
from web.importers.plan import broken
from web.importers.table.headings import known

DELIMITERS = (",", ";", "\t", "|")
HEAD, ROWS = 64 * 1024, 30  # characters and rows among which the headings are looked for
MAX_COLUMNS = 1000
_EXAMPLE = N_("In Excel choose Save As, CSV UTF-8.")


def text_of(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the text and notes on how it was decoded.

    Raises: BrokenFile.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded(data, "utf-16"), (_("The file is UTF-16."),)
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise broken(_("A NUL byte; expected text, this is no CSV file. {example}", example=_EXAMPLE), line)
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        return _decoded(data, "cp1252"), (
            _("The file is not UTF-8 and was read as Windows-1252: check accented letters."),
        )


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = _("Bytes that are neither UTF-8 nor {encoding}. {example}", encoding=encoding, example=_EXAMPLE)
        raise broken(message, line) from None


def delimiter_of(text: str) -> str:
    """Return the delimiter: as the first line says (sep=;), else the one by which the first rows name most columns."""
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    if first.lower().startswith("sep=") and len(first) == 5:
        return first[4]
    head = text[:HEAD]
    return max(DELIMITERS, key=lambda delimiter: _weight(head, delimiter))


def _weight(head: str, delimiter: str) -> tuple[int, int]:
    """Return how many columns the row that names most of them names, and the cells of the first row."""
    cut = list(islice(_cut(head, delimiter), ROWS))
    return max(map(known, cut), default=0), len(cut[0]) if cut else 0


def _cut(head: str, delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    except csv.Error:
        return


def rows(text: str, delimiter: str, findings: Findings) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, trimmed cells) of each row that is not blank, the header first; stop at a row that is no CSV.

    Raises: BrokenFile where there is no cutting the text at all.
    """
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"\r\n ':
        raise broken(
            _(
                "The delimiter is {delimiter}; expected a single character such as a comma or a semicolon.",
                delimiter=shown(delimiter),
            )
        )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            findings.problem(line, _("This row is no CSV: {error}. Often a quotation mark is missing.", error=error))
            return
        if cells is None:
            return
        if len(cells) > MAX_COLUMNS:
            findings.problem(
                line,
                _(
                    "This row has {cells} cells; at most {max_columns} are read.",
                    cells=len(cells),
                    max_columns=MAX_COLUMNS,
                ),
            )
            return
        cells = [cell.strip() for cell in cells]
        if any(cells) and not (line == 1 and text[:4].lower() == "sep="):
            yield line, cells
        line = reader.line_num + 1
