"""Workbooks of Excel and LibreOffice (XLSX, XLSM, XLS, ODS) as rows of text, read in a process of its own.

Rule: what a stranger sent is unpacked here only after every part of it was unpacked once and counted, and the process
that reads it has so much memory, so much time, none of our settings, and nothing to tell but rows. Some kilobytes can
ask for all of that memory, so few are read at a time.
"""

import io
import os
import subprocess
import sys
import threading
import zipfile

import msgspec

from domain.language import gettext as _
from web.importers.plan import broken, busy

OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
UNPACKED = 512 * 2**20  # bytes of all parts together
PARTS = 10_000
SECONDS = 120
BLOCK = 1024 * 1024
AT_ONCE, PATIENCE = 2, 60.0  # workbooks in a process, and seconds for which others wait
_turns = threading.BoundedSemaphore(AT_ONCE)
Sheets = list[tuple[str, list[tuple[int, list[str]]]]]


class WorkbookRows(msgspec.Struct):
    """What the reading process answers: sheets, or why there are none."""

    sheets: Sheets = []
    texts: list[list[tuple[int, int]]] = []  # of each sheet the row and column of text that looks like a number
    wrong: str = ""  # "password", "cells", "apart", "busy" or "broken"


def is_workbook(data: bytes) -> bool:
    """Tell whether bytes can be a workbook: a ZIP archive or an OLE file, whose kind was looked at before."""
    return data.startswith((ZIP, OLE2))


def sheets(data: bytes) -> WorkbookRows:
    """Return each visible sheet with its rows that are not blank, each with its number.

    Raises: BrokenFile.
    """
    if data.startswith(ZIP):
        _count(data)
    told = _read(data)
    if told.wrong == "password":
        raise broken(_("The workbook is protected by a password. Save it without one and send that."))
    if told.wrong == "cells":
        raise broken(_("The workbook has more than 2,000,000 cells. Send the sheet with the plan alone."))
    if told.wrong == "apart":
        raise broken(
            _(
                "The workbook has cells so far apart that it is not read. Delete what stands far from the plan, or "
                "send the plan as CSV UTF-8."
            )
        )
    if told.wrong == "busy":
        raise busy(_("Other workbooks are being read. Try again in some minutes."))
    if told.wrong:
        raise broken(_("The workbook cannot be read. Open it, save it again as XLSX or as CSV UTF-8, and send that."))
    return told


def _count(data: bytes) -> None:
    """Unpack every part once and keep nothing: a size that the archive gives wrongly shows here.

    Raises: BrokenFile.
    """
    left = UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > PARTS:
                raise broken(_("The workbook has more parts than a workbook has. Save it again and send that."))
            for part in parts:
                with archive.open(part) as packed:
                    while block := packed.read(BLOCK):
                        left -= len(block)
                        if left < 0:
                            raise broken(
                                _("The workbook is larger than 512 MiB once unpacked. Send the sheet with the plan.")
                            )
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise broken(
            _("The workbook cannot be unpacked: {error}. Save it again and send the whole file.", error=error)
        ) from None


def _read(data: bytes) -> WorkbookRows:
    command = [sys.executable, "-m", "web.importers.table.workbook_child"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FANLIGHT_")}
    if not _turns.acquire(timeout=PATIENCE):
        return WorkbookRows(wrong="busy")
    try:
        done = subprocess.run(  # noqa: S603
            command, input=data, capture_output=True, timeout=SECONDS, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        return WorkbookRows(wrong="broken")
    finally:
        _turns.release()
    if done.returncode != 0:
        return WorkbookRows(wrong="broken")
    return msgspec.msgpack.decode(done.stdout, type=WorkbookRows)
