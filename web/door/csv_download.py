"""Tables as CSV files that spreadsheets open safely (RFC 4180, UTF-8). Pure.

Threat: a cell that begins like a formula would be run by a spreadsheet; it is written with an apostrophe before it.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from starlette.responses import Response

RUN = ("=", "+", "-", "@", "\t", "\r")


def sheet(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return a table as CSV with a byte order mark, so that its letters survive being opened by a double click."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(RUN) else value


def download(content: bytes, name: str) -> Response:
    """Return the file as a download that no cache keeps."""
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
