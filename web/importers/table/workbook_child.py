"""The process that reads a workbook: from standard input to rows on standard output, and nothing else.

Run as `python -m web.importers.table.workbook_child` by `web.importers.table.workbook` alone.
"""

import io
import re
import resource
import sys
from datetime import date, datetime, time, timedelta

import msgspec
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

MEMORY = 3 * 2**29  # bytes of address space
PROCESSOR = 100  # seconds
CELLS = 2_000_000  # that hold something
AREA = 30_000_000  # from the first cell that holds something to the last: each of it takes memory, also an empty one
COLUMNS = 1000
TWO_WAYS = re.compile(r"\D{0,5}\d{1,3}(?:[.,]\d{3})+\D{0,5}")  # text, and no number, that can be meant in two ways


class TooManyCells(Exception):
    """The workbook holds more than is read."""


class FarApart(Exception):
    """Between the cells of a sheet there is more room than is looked through."""


def as_text(value: object) -> str:
    """Return a cell as it would stand in a comma-separated file: days as ISO 8601, whole numbers without a point."""
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case float():
            return str(int(value)) if value == int(value) and abs(value) < 10**15 else repr(value)
        case timedelta() | time():
            return str(value)
        case _:
            return str(value).strip()


def rows_of(book: CalamineWorkbook, name: str, left: int) -> tuple[list[tuple[int, list[str]]], list[tuple[int, int]]]:
    """Return the rows of a sheet that are not blank, and where text stands that looks like a number.

    Raises: TooManyCells, FarApart.
    """
    sheet = book.get_sheet_by_name(name)
    if sheet.height * sheet.width > AREA:
        raise FarApart
    found: list[tuple[int, list[str]]] = []
    texts: list[tuple[int, int]] = []
    first = sheet.start[0] if sheet.start else 0
    for number, row in enumerate(sheet.iter_rows(), first + 1):
        cells = [as_text(cell) for cell in row[:COLUMNS]]
        while cells and not cells[-1]:
            cells.pop()
        left -= len(cells)
        if left < 0:
            raise TooManyCells
        if cells:
            found.append((number, cells))
            texts += [
                (number, at)
                for at, cell in enumerate(row[:COLUMNS])
                if isinstance(cell, str) and TWO_WAYS.fullmatch(cell.strip())
            ]
    return found, texts


def read(data: bytes) -> dict[str, object]:
    """Return the sheets that are visible, or what is wrong."""
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = [
            about.name
            for about in book.sheets_metadata
            if about.typ == SheetTypeEnum.WorkSheet and about.visible == SheetVisibleEnum.Visible
        ]
        sheets: list[tuple[str, list[tuple[int, list[str]]]]] = []
        texts: list[list[tuple[int, int]]] = []
        left = CELLS
        for name in names:
            rows, doubtful = rows_of(book, name, left)
            left -= sum(len(cells) for _number, cells in rows)
            sheets.append((name, rows))
            texts.append(doubtful)
    except PasswordError:
        return {"wrong": "password"}
    except TooManyCells:
        return {"wrong": "cells"}
    except FarApart:
        return {"wrong": "apart"}
    except (CalamineError, OSError, ValueError, OverflowError):
        return {"wrong": "broken"}
    return {"sheets": sheets, "texts": texts}


def main() -> None:
    """Read standard input, and answer once."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR, PROCESSOR))
    sys.stdout.buffer.write(msgspec.msgpack.encode(read(sys.stdin.buffer.read())))


if __name__ == "__main__":
    main()
