"""`read`: the plan in a file of any format that is known; others are refused with advice on how to save the plan."""

import codecs
from typing import Literal

from domain.language import N_
from domain.language import gettext as _
from web.importers.csv import reader
from web.importers.csv.mapping import Mapping
from web.importers.findings import shown
from web.importers.mspdi import reader as mspdi_reader
from web.importers.mspdi.xml_stream import Progress
from web.importers.plan import MAX_BYTES, Plan, broken

_EXCEL = N_("an Excel workbook. In Excel choose Save As, CSV UTF-8, and send that")
_MPP = N_("a Microsoft Project file (MPP). In Microsoft Project choose Save As, XML Format, and send that")
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"ERMHDR", N_("a Primavera P6 file (XER). In P6 choose File, Export, Microsoft Project XML, and send that")),
    (b"MPX,", N_("an MPX file. In the planning tool choose Save As, Microsoft Project XML, and send that")),
    (b"%PDF", N_("a PDF document, a picture of a plan. Export the plan itself as Microsoft Project XML or as CSV")),
    (b"\x1f\x8b", N_("a compressed file. Unpack it and send the plan inside")),
)
_WORKBOOK = "Workbook".encode("utf-16-le")  # the stream every old Excel file has
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_BLANK = b" \t\r\n"


def read(
    name: str,
    data: bytes,
    mapping: Mapping | None = None,
    progress: Progress | None = None,
    *,
    max_bytes: int = MAX_BYTES,
) -> Plan:
    """Return the plan in a file named `name`; a CSV without a mapping is read by the one its header suggests.

    Raises: BrokenFile.
    """
    match _kind(name, data):
        case "mspdi":
            return mspdi_reader.read(data, progress, max_bytes=max_bytes)
        case "csv":
            return reader.read(data, mapping or reader.suggest(data), progress, max_bytes=max_bytes)


def _kind(name: str, data: bytes) -> Literal["mspdi", "csv"]:
    if not data.strip(_BLANK):
        raise broken(_("{name} is empty. Save the plan again and send it.", name=shown(name)))
    if what := _unknown_kind(name, data):
        raise broken(_("{name} is {what}.", name=shown(name), what=what))
    if _begins_as_xml(data):
        return "mspdi"
    if name.lower().endswith(".xml"):
        start = data[:20].decode("utf-8", "replace")
        raise broken(
            _(
                "{name} is named XML but begins with {start}; expected '<?xml'. Save the plan again.",
                name=shown(name),
                start=shown(start),
            ),
            1,
        )
    return "csv"


def _unknown_kind(name: str, data: bytes) -> str:
    """Return what a file is and what to do with it, "" where it may be of a format that is known."""
    if data.startswith(_ZIP):
        head = data[: 64 * 1024]
        spreadsheet = b"xl/" in head or name.lower().endswith((".xlsx", ".xlsm"))
        return _EXCEL if spreadsheet else _("a ZIP archive. Unpack it and send the plan inside")
    if data.startswith(_OLE2):
        return _EXCEL if _WORKBOOK in data else _MPP
    return next((what for magic, what in _OTHERS if data.startswith(magic)), "")


def _begins_as_xml(data: bytes) -> bool:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data[2:4].strip(b"\0") == b"<"
    return data.removeprefix(codecs.BOM_UTF8).lstrip(_BLANK).startswith(b"<")
