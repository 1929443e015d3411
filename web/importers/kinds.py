"""What kind of file something is, told from its content: a plan that can be read, or what else and the way out."""

import codecs
import re
import zipfile
from typing import Literal

import olefile

from domain.language import N_
from domain.language import gettext as _
from web.importers.source import Source

Kind = Literal["mspdi", "table", "mpp", "xer", "mpx", "pmxml", "planner", "asta", "other"]
CONVERTED: frozenset[Kind] = frozenset({"mpp", "xer", "mpx", "pmxml", "planner", "asta"})  # what a converter reads

_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_BLANK = b" \t\r\n"
_ASTA, _SQLITE = b"\0\x00000000", b"SQLite format 3\0"  # a Powerproject file is the one or the other
_PROJECT_STREAMS = ("props", "   1", "tbk", "olk")  # beginnings of what only a Microsoft Project file has at its root

WAY_OUT: dict[Kind, str] = {
    "mpp": N_("a Microsoft Project file (MPP). In Microsoft Project choose Save As, XML Format, and send that"),
    "xer": N_("a Primavera P6 file (XER). In P6 choose File, Export, Microsoft Project XML, and send that"),
    "mpx": N_("an MPX file. In the planning tool choose Save As, Microsoft Project XML, and send that"),
    "pmxml": N_("a Primavera P6 file (PMXML). In P6 choose File, Export, Microsoft Project XML, and send that"),
    "planner": N_("a Planner file. Open it in a tool that saves Microsoft Project XML, and send that"),
    "asta": N_("an Asta Powerproject file (PP). In it choose File, Save As, Microsoft Project XML, and send that"),
}
_BEGINNINGS: tuple[tuple[bytes, Kind | str], ...] = (
    (b"ERMHDR", "xer"),
    (b"MPX,", "mpx"),
    (b"MPX;", "mpx"),
    (b"MPX\t", "mpx"),
    (b"\x00\x01\x00\x00Standard Jet DB", N_("a database (MPD). In Microsoft Project choose Save As, XML Format")),
    (b"\x00\x01\x00\x00Standard ACE DB", N_("an Access database. Export the table with the plan as CSV UTF-8")),
    (b"SQLite format 3\0", N_("a database. In P6 choose File, Export, Microsoft Project XML, and send that")),
    (b"\xac\xed\x00\x05", N_("a ProjectLibre file. In ProjectLibre choose File, Save as, XML, and send that")),
    (b"%PDF", N_("a PDF document, a picture of a plan. Export the plan itself as Microsoft Project XML or as CSV")),
    (b"\x1f\x8b", N_("a compressed file. Unpack it and send the plan inside")),
    (b"7z\xbc\xaf\x27\x1c", N_("a compressed file. Unpack it and send the plan inside")),
    (b"Rar!\x1a\x07", N_("a compressed file. Unpack it and send the plan inside")),
    (b"\x89PNG", N_("a picture. Export the plan itself as Microsoft Project XML or as CSV")),
    (b"\xff\xd8\xff", N_("a picture. Export the plan itself as Microsoft Project XML or as CSV")),
    (b"GIF8", N_("a picture. Export the plan itself as Microsoft Project XML or as CSV")),
    (b"{\\rtf", N_("a text document (RTF). Export the plan itself as Microsoft Project XML or as CSV")),
    (b"BEGIN:VCALENDAR", N_("a calendar. Export the plan itself as Microsoft Project XML or as CSV")),
)
_JSON = re.compile(rb'\{\s*["}]|\[\s*[\[{"\]]')  # a heading in brackets is none: [ID],[Name]
_ROOTS: tuple[tuple[bytes, Kind | str], ...] = (
    (b"<APIBusinessObjects", "pmxml"),
    (b"<ganttproject", N_("a GanttProject file. In GanttProject choose Project, Export, Microsoft Project, XML")),
    (b"schemas-microsoft-com:office:spreadsheet", N_("an Excel 2003 XML sheet. In Excel choose Save As, XLSX")),
    (b"mrproject-version", "planner"),
    (b"<rss", N_("a feed. Export the plan itself as Microsoft Project XML or as CSV")),
    (b"<html", N_("a web page. Export the plan itself as Microsoft Project XML or as CSV")),
    (b"<!DOCTYPE html", N_("a web page. Export the plan itself as Microsoft Project XML or as CSV")),
)
_PARTS: tuple[tuple[str, str], ...] = (
    ("word/document.xml", N_("a Word document. Export the plan itself as Microsoft Project XML or as CSV")),
    ("ppt/presentation.xml", N_("a presentation. Export the plan itself as Microsoft Project XML or as CSV")),
    ("Index/Document.iwa", N_("a Numbers document. In Numbers choose File, Export To, Excel or CSV")),
)
_ARCHIVE = N_("a ZIP archive. Unpack it and send the plan inside")


def kind_of(source: Source) -> tuple[Kind, str]:
    """Return the kind of a file, and for one of `other` what it is and what to do with it."""
    head = source.head()
    if head.startswith(_ASTA) or (head.startswith(_SQLITE) and source.name.lower().endswith(".pp")):
        return _known("asta")
    if head.startswith(_ZIP):
        return _packed(source)
    if head.startswith(_OLE2):
        return _compound(source)
    bare = head.removeprefix(codecs.BOM_UTF8).lstrip(_BLANK)
    if _JSON.match(bare):
        return "other", _("JSON. Export the plan as Microsoft Project XML or as CSV")
    for beginning, kind in _BEGINNINGS:
        if bare.startswith(beginning):
            return _known(kind)
    if begins_as_xml(head):
        for root, kind in _ROOTS:
            if root.lower() in bare[:4096].replace(b"\0", b"").lower():
                return _known(kind)
        return "mspdi", ""
    if b"ProjectLibre" in head[:4096] and b"\0" in head[:4096]:
        return "other", _("a ProjectLibre file. In ProjectLibre choose File, Save as, XML, and send that")
    return "table", ""


def begins_as_xml(head: bytes) -> bool:
    """Tell whether a file begins as XML does."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head[2:4].strip(b"\0") == b"<"
    return head.removeprefix(codecs.BOM_UTF8).lstrip(_BLANK).startswith(b"<")


def _known(kind: Kind | str) -> tuple[Kind, str]:
    for name, told in WAY_OUT.items():
        if kind == name:
            return name, _(told)
    return "other", _(kind)


def _packed(source: Source) -> tuple[Kind, str]:
    """Return what a ZIP archive is by the names of its parts."""
    try:
        with source.open() as stream, zipfile.ZipFile(stream) as archive:
            names = set(archive.namelist())
            if {"xl/workbook.xml", "xl/workbook.bin"} & names:
                return "table", ""
            if "mimetype" in names:
                with archive.open("mimetype") as told:
                    if told.read(100).startswith(b"application/vnd.oasis.opendocument.spreadsheet"):
                        return "table", ""
                return "other", _("a document, and no spreadsheet. Export the plan itself as XML or as CSV")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError):
        return "other", _("a ZIP archive that cannot be opened. Send the whole file again, or the plan inside")
    return "other", next((_(told) for part, told in _PARTS if part in names), _(_ARCHIVE))


def _compound(source: Source) -> tuple[Kind, str]:
    """Return what an OLE file is by the streams at its root; a workbook inside of a plan lies deeper."""
    try:
        with source.open() as stream, olefile.OleFileIO(stream) as ole:
            names = {entry[0].casefold() for entry in ole.listdir(streams=True, storages=True)}
            roots = {entry[0].casefold() for entry in ole.listdir(streams=True) if len(entry) == 1}
    except (OSError, ValueError, IndexError, TypeError):
        if source.name.lower().endswith(".mpp"):
            return _known("mpp")
        return "other", _("damaged: its table of contents cannot be read. Send the whole file again")
    if any(name.startswith(_PROJECT_STREAMS) for name in names):
        return _known("mpp")
    if roots & {"workbook", "book"}:
        return "table", ""
    if "worddocument" in roots:
        return "other", _("a Word document. Export the plan itself as Microsoft Project XML or as CSV")
    return "other", _("no plan that is known. Export it as Microsoft Project XML or as CSV")
