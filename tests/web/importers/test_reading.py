"""Which reader a file gets: told from its content, and any other kind is refused with the way to save it as one of ours."""

import io
import zipfile
from pathlib import Path

import pytest

from tests.web.importers.plans import HARBOUR, HARBOUR_CSV, REAL
from web.importers import BrokenFile, Mapping, read
from web.importers.mspdi import reader as mspdi_reader
from web.importers.table import reader

pytestmark = pytest.mark.once


def archive_of(name: str) -> bytes:
    """Return a ZIP archive with one file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, HARBOUR)
    return packed.getvalue()


OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


@pytest.mark.parametrize("name", ["plan.xml", "plan.csv", "plan", "PLAN.XML"])
def test_the_content_decides_and_not_the_name(name: str) -> None:
    assert read(name, HARBOUR) == mspdi_reader.read(HARBOUR)
    assert read(name, b"\xef\xbb\xbf\n" + HARBOUR[HARBOUR.index(b"<Project") :]).milestones
    assert read(name, HARBOUR.decode().replace("UTF-8", "UTF-16").encode("utf-16")).format == "mspdi"


def test_a_table_is_read_by_the_mapping_given_or_by_the_one_its_header_suggests() -> None:
    given = Mapping(id="ID", title="Name")
    assert read("plan.csv", HARBOUR_CSV, given) == reader.read(HARBOUR_CSV, given)
    assert read("plan.txt", HARBOUR_CSV) == reader.read(HARBOUR_CSV, reader.suggest(HARBOUR_CSV))


def test_headings_in_brackets_are_a_table_and_no_json() -> None:
    found = read("plan.csv", b"[ID],[Milestone],[Finish]\n1,Go,2027-03-01\n", Mapping(id="[ID]", title="[Milestone]"))
    assert [milestone.title for milestone in found.milestones] == ["Go"]


def test_a_file_on_disk_is_read_as_its_bytes_are(tmp_path: Path) -> None:
    for data in (HARBOUR, HARBOUR_CSV):
        (tmp_path / "plan").write_bytes(data)
        assert read("plan", tmp_path / "plan") == read("plan", data)


def test_real_mpp_files_are_called_what_they_are_whatever_is_linked_into_them() -> None:
    """They are beside the project, or they are not and nothing is tried."""
    for path in sorted((REAL / "mpp").glob("*.mpp")):
        with pytest.raises(BrokenFile, match="is a Microsoft Project file"):
            read("plan.xml", path)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("plan.zip", archive_of("plan.xml"), "is a ZIP archive. Unpack it"),
        ("plan.docx", archive_of("word/document.xml"), "is a Word document"),
        ("plan.numbers", archive_of("Index/Document.iwa"), "In Numbers choose File, Export To"),
        ("plan.mpp", OLE2, "is a Microsoft Project file (MPP). In Microsoft Project choose Save As, XML Format"),
        ("plan.doc", OLE2, "damaged: its table of contents cannot be read"),
        ("plan.csv", b"\xef\xbb\xbfERMHDR\t19.12", "is a Primavera P6 file (XER)"),
        ("plan.mpx", b"MPX;Microsoft Project for Windows;4.0", "is an MPX file"),
        ("plan.xml", b'<?xml version="1.0"?><APIBusinessObjects xmlns="urn:p6"/>', "is a Primavera P6 file (PMXML)"),
        (
            "plan.xml",
            b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
            "In Excel choose Save As, XLSX",
        ),
        ("plan.pod", b"\xac\xed\x00\x05sr", "is a ProjectLibre file. In ProjectLibre choose File, Save as, XML"),
        ("plan.csv", b'{"plan": []}', "is JSON"),
        ("plan.csv", b' [ {"id": 1} ]', "is JSON"),
        ("plan.csv", b"BEGIN:VCALENDAR\n", "is a calendar"),
        ("plan.csv", b"{\\rtf1}", "is a text document (RTF)"),
        ("plan.csv", b"\x89PNG\r\n", "is a picture"),
        ("plan.db", b"SQLite format 3\0", "is a database"),
        ("plan.xer", b"ERMHDR\t19.12\t2027-03-31\tProject", "In P6 choose File, Export, Microsoft Project XML"),
        ("plan.mpx", b"MPX,Microsoft Project for Windows,4.0", "is an MPX file"),
        ("plan.pdf", b"%PDF-1.7", "is a PDF document"),
        ("plan.xml.gz", b"\x1f\x8b\x08", "is a compressed file"),
        ("plan.xml", HARBOUR_CSV, "is named XML but begins with 'ID,Name,WBS,Baseline'"),
        ("plan.csv", b" \n", "'plan.csv' is empty"),
        ("plan.csv", b"", "'plan.csv' is empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_of_another_kind_is_refused_with_what_to_do(name: str, data: bytes, says: str) -> None:
    with pytest.raises(BrokenFile) as raised:
        read(name, data)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_size_limit_holds_for_both_kinds() -> None:
    for data in (HARBOUR + b" " * 2**20, HARBOUR_CSV + b"\n" * 2**20):
        with pytest.raises(BrokenFile, match="is larger than 1 MiB"):
            read("plan", data, max_bytes=2**20)


def test_progress_is_told_for_both_kinds() -> None:
    for data in (HARBOUR, HARBOUR_CSV):
        seen: list[float] = []
        read("plan", data, progress=seen.append)
        assert seen[-1] == 1.0
