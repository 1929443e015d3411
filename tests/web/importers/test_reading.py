"""Which reader a file gets: told from its content, and any other kind is refused with the way to save it as one of ours."""

import io
import zipfile

import pytest

from tests.web.importers.plans import HARBOUR, HARBOUR_CSV
from web.importers import BrokenFile, Mapping, read
from web.importers.csv import reader
from web.importers.mspdi import reader as mspdi_reader

pytestmark = pytest.mark.once


def workbook() -> bytes:
    """Return the beginnings of an Excel workbook."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return packed.getvalue()


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


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("plan.xlsx", workbook(), "is an Excel workbook. In Excel choose Save As, CSV UTF-8"),
        ("plan.csv", workbook(), "is an Excel workbook"),
        ("plan.zip", archive_of("plan.xml"), "is a ZIP archive. Unpack it"),
        ("plan.mpp", OLE2, "is a Microsoft Project file (MPP). In Microsoft Project choose Save As, XML Format"),
        ("plan.xls", OLE2 + "Workbook".encode("utf-16-le"), "is an Excel workbook"),
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
        with pytest.raises(BrokenFile, match="The file is larger than 1 MiB"):
            read("plan", data, max_bytes=2**20)


def test_progress_is_told_for_both_kinds() -> None:
    for data in (HARBOUR, HARBOUR_CSV):
        seen: list[float] = []
        read("plan", data, progress=seen.append)
        assert seen[-1] == 1.0
