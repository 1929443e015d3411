"""Tables as CSV files (RFC 4180, UTF-8) that are safe to open in a spreadsheet.

Threat: a spreadsheet runs a cell that begins like a formula; such a cell is written with an apostrophe before it.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from starlette.responses import Response

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def sheet(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return a table as CSV with a byte order mark, by which spreadsheets recognise UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def download(content: bytes, name: str) -> Response:
    """Return the response that downloads a CSV file under a name; no cache keeps it."""
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
