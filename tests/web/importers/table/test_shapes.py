"""Tables as planning tools write them come out right as suggested, or with the right question; see what each tool exports."""

import contextlib
import io
import sys
import time
from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter
import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table as OdfTable
from odf.table import TableCell, TableRow
from odf.text import P

from web.importers import read
from web.importers.plan import BrokenFile, Plan
from web.importers.table import reader, workbook
from web.importers.table.days import DayFormat, fitting
from web.importers.table.mapping import Mapping

pytestmark = pytest.mark.once


def found(plan: Plan) -> dict[str, str]:
    """Return the forecast of each milestone by its title."""
    return {milestone.title: str(milestone.forecast) for milestone in plan.milestones}


SHAPES = {
    "Jira, milestones by type": (
        ("Summary,Issue key,Issue id,Issue Type,Status,Comment,Comment,Description,Due date\n"
        "Sign off,HL-1,10001,Milestone,Open,a,b,Long text,15/Mar/27 12:00 AM\n"
        "Write it,HL-2,10002,Story,Open,,,Long text,20/Mar/27 12:00 AM\n"),
        {"Sign off": "2027-03-15"},
        "Issue key",
    ),
    "OpenProject": (
        ("ID,Subject,Type,Status,Start date,Finish date,% Complete\n"
        "7,Dig,Task,In progress,2027-01-01,2027-02-01,40\n"
        "8,Dug,Milestone,New,2027-02-02,2027-02-02,0\n"),
        {"Dug": "2027-02-02"},
        "ID",
    ),
    "Smartsheet": (
        ("Task Name,Duration,Start,Finish,% Complete\n"
        "Phase 1,60d,01/02/2027,27/03/2027,33.3%\n"
        "Gate 1,0,27/03/2027,27/03/2027,0%\n"),
        {"Gate 1": "2027-03-27"},
        "Task Name",
    ),
    "Microsoft Project, default map": (
        ("ID,Active,Task_Mode,Name,Duration,Start_Date,Finish_Date,Predecessors,Outline_Level\n"
        "1,Yes,Auto Scheduled,Phase 1,20 days,Mon 01/02/27,Fri 26/02/27,,1\n"
        "2,Yes,Auto Scheduled,Gate 1,0 days,Fri 26/02/27,Fri 26/02/27,1,2\n"
        "3,No,Auto Scheduled,Gate 2,0 days,Fri 26/03/27,Fri 26/03/27,1,2\n"),
        {"Gate 1": "2027-02-26"},
        "Name",
    ),
    "Microsoft Project, own map": (
        ("Unique_ID,Task_Name,Milestone,Finish,Baseline_Finish,Deadline\n"
        "4,Dig,No,2027-02-26,NA,NA\n"
        "5,Gate 1,Yes,2027-02-26,2027-02-20,NA\n"),
        {"Gate 1": "2027-02-26"},
        "Unique_ID",
    ),
    "P6, spreadsheet": (
        ("task_code,task_name,task_type,end_date,act_end_date,base_end_date\n"
        "Activity ID,Activity Name,Activity Type,(*)Finish,Actual Finish,BL Finish\n"
        "A100,Dig,Task Dependent,2027-02-20,,2027-02-20\n"
        "A110,Gate,Finish Milestone,2027-03-15,,2027-03-01\n"),
        {"Gate": "2027-03-15"},
        "task_code",
    ),
    "Excel, German": (
        ("Nr.;Vorgangsname;Meilenstein;Ende;% Abgeschlossen\n"
        "1;Graben;Nein;01.03.2027;33,5\n"
        "2;Übergabe;Ja;15.03.2027;0\n"),
        {"Übergabe": "2027-03-15"},
        "Nr.",
    ),
    "French": (
        "Id unique;Nom de la tâche;Jalon;Fin\n1;Creuser;Non;01/03/2027\n2;Réception;Oui;15 mars 2027\n".replace("15 mars 2027", "15/03/2027"),
        {"Réception": "2027-03-15"},
        "Id unique",
    ),
    "ticks": ("ID,Name,Milestone,Finish\n1,A,,2027-03-01\n2,B,✓,2027-04-01\n", {"B": "2027-04-01"}, "ID"),
    "duration": ("ID,Name,Duration,Finish\n1,A,60 days,2027-03-01\n2,B,0 days,2027-04-01\n", {"B": "2027-04-01"}, "ID"),
    "the plainest sheet": (
        "Milestone,Baseline,Forecast,Actual\nGate 1,2027-03-01,2027-03-08,\nGate 2,2027-04-01,2027-04-01,\n",
        {"Gate 1": "2027-03-08", "Gate 2": "2027-04-01"},
        "Milestone",
    ),
    "monday, rows above the headings": (
        "Harbour Line,,\nExported on 1 March,,\n,,\nName,Type,Due date\nDig,Task,2027-03-01\nGate,Milestone,2027-03-09\n",
        {"Gate": "2027-03-09"},
        "Name",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_a_table_comes_out_right_as_its_headings_suggest(name: str) -> None:
    text, forecasts, id_column = SHAPES[name]
    plan = read("plan.csv", text.encode())
    assert found(plan) == forecasts
    assert isinstance(plan.columns, Mapping)
    assert plan.columns.id == id_column
    if id_column == plan.columns.title:
        assert any("titles are ids: a milestone renamed reads as one gone and one new" in note for note in plan.notes)


def test_p6_marks_an_actual_date_with_an_a_and_a_constraint_with_a_star() -> None:
    plan = read(
        "p6.csv",
        b"Activity ID,Activity Name,Activity Type,Finish\nA1,Won,Finish Milestone,21-Sep-26 A\nA2,Go,Finish Milestone,15-Mar-27*\n",
    )
    assert [(m.forecast, m.actual) for m in plan.milestones] == [
        (date(2026, 9, 21), date(2026, 9, 21)),
        (date(2027, 3, 15), None),
    ]


def test_year_first_with_two_digits_can_be_another_day_so_it_is_asked() -> None:
    assert {"DD/MM/YY", "YY/MM/DD"} <= set(fitting(["27/04/28"]))
    with pytest.raises(BrokenFile, match="day and month can be mixed up here"):
        read("plan.csv", b"ID,Milestone,Finish\n1,A,27/04/28\n")
    assert fitting(["Wed 28/04/27"]) == ["DD/MM/YY"], "a weekday says which"
    assert reader.suggest(b"ID,Milestone,Start,Finish\n1,A,13/12/99,27/04/28\n").date_format == "DD/MM/YY"


@pytest.mark.parametrize(
    ("written", "cell", "day"),
    [
        ("DD. MMM YYYY", "5. März 2027", date(2027, 3, 5)),
        ("DD MMM YYYY", "5 mars 2027", date(2027, 3, 5)),
        ("DD MMM YYYY", "5 août 2027", date(2027, 8, 5)),
        ("DD MMM YYYY", "5 juil. 2027", date(2027, 7, 5)),
        ("DD MMM YYYY", "5 ene 2027", date(2027, 1, 5)),
        ("DD MMM YYYY", "5 dic 2027", date(2027, 12, 5)),
        ("DD.MM.YY", "Fr 05.03.27", date(2027, 3, 5)),
        ("MMM DD, YYYY", "Mar 5, 2027", date(2027, 3, 5)),
        ("YY/MM/DD", "27/04/28", date(2027, 4, 28)),
        ("DD/MMM/YY", "15/Mar/27 12:00 AM", date(2027, 3, 15)),
    ],
)
def test_dates_are_read_as_tools_in_other_languages_write_them(written: str, cell: str, day: date) -> None:
    assert DayFormat(written).day(cell) == day


def test_a_hundred_percent_without_an_actual_date_is_noted() -> None:
    plan = read("plan.csv", b"ID,Milestone,Finish,% Complete\n1,A,2027-03-01,100\n")
    assert plan.milestones[0].actual is None
    assert any("100 % complete without an actual finish, so not taken as met: 1" in note for note in plan.notes)


def test_a_type_whose_values_nobody_knows_is_asked_and_a_value_can_be_chosen() -> None:
    data = b"ID,Name,Type,Finish\n1,A,Task,2027-03-01\n2,B,Gateway,2027-04-01\n"
    assert read("plan.csv", data).undecided
    chosen = Mapping(id="ID", title="Name", forecast="Finish", milestone="Type", milestone_value="Gateway | Gate")
    assert found(read("plan.csv", data, chosen)) == {"B": "2027-04-01"}
    with pytest.raises(
        BrokenFile, match=r"Column 'Type' is 'Task'; expected yes or no\. Choose the value that means a milestone"
    ):
        read("plan.csv", data, Mapping(id="ID", title="Name", forecast="Finish", milestone="Type"))


def test_the_delimiter_of_saved_columns_is_found_anew_for_each_file() -> None:
    saved = Mapping(id="ID", title="Name", forecast="Finish", delimiter=",")
    assert found(read("plan.csv", b"ID;Name;Finish\n1;A, B;2027-03-01\n", saved)) == {"A, B": "2027-03-01"}


def test_a_total_row_and_short_and_long_rows_of_blanks_cost_nothing() -> None:
    plan = read("plan.csv", b"ID,Milestone,Finish\n1,A,2027-03-01,,\n,Total,\n")
    assert found(plan) == {"A": "2027-03-01"}
    assert plan.lost


ROWS: list[list[object]] = [
    ["Harbour Line", "", "", ""],
    ["ID", "Name", "Type", "Finish", "% Complete"],
    [1, "Dig", "Task", date(2027, 2, 1), 0.5],
    [2, "Gate", "Milestone", date(2027, 3, 9), 0.25],
]


def xlsx(rows: list[list[object]] = ROWS) -> bytes:
    """Return a workbook of Excel with a sheet of remarks and one with these rows."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.add_worksheet("Remarks").write(0, 0, "Nothing here")
    sheet, day = book.add_worksheet("Plan"), book.add_format({"num_format": "dd/mm/yyyy"})
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            if isinstance(value, date):
                sheet.write_datetime(y, x, datetime(value.year, value.month, value.day), day)
            else:
                sheet.write(y, x, value)
    book.close()
    return out.getvalue()


def xls() -> bytes:
    """Return the same as an old workbook."""
    book = xlwt.Workbook()
    sheet, day = book.add_sheet("Plan"), xlwt.easyxf(num_format_str="DD/MM/YYYY")
    for y, row in enumerate(ROWS):
        for x, value in enumerate(row):
            sheet.write(y, x, value, day) if isinstance(value, date) else sheet.write(y, x, value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods(repeated: int = 1) -> bytes:
    """Return the same as LibreOffice writes it, the last row so many times."""
    book = OpenDocumentSpreadsheet()
    table = OdfTable(name="Plan")
    for at, row in enumerate(ROWS):
        more = {"numberrowsrepeated": str(repeated)} if at == len(ROWS) - 1 and repeated > 1 else {}
        line = TableRow(**more)
        for value in row:
            if isinstance(value, date):
                cell = TableCell(valuetype="date", datevalue=value.isoformat())
            elif isinstance(value, float | int):
                cell = TableCell(valuetype="float", value=str(value))
            else:
                cell = TableCell(valuetype="string")
            cell.addElement(P(text=str(value)))
            line.addElement(cell)
        table.addElement(line)
    book.spreadsheet.addElement(table)
    out = io.BytesIO()
    book.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "made"), [("plan.xlsx", xlsx), ("plan.xls", xls), ("plan.ods", ods), ("plan.csv", xlsx)]
)
def test_a_workbook_is_read_whatever_its_name_with_days_as_days_and_fractions_as_percent(name: str, made) -> None:
    plan = read(name, made())
    assert plan.format == "sheet"
    assert [(m.source_id, m.title, m.forecast, m.percent_complete, m.line) for m in plan.milestones] == [
        ("2", "Gate", date(2027, 3, 9), 25, 4)
    ]
    assert "Read from the sheet “Plan”." in plan.notes


def test_a_sheet_can_be_chosen() -> None:
    chosen = Mapping(id="Nothing here", title="Nothing here", sheet="Remarks")
    assert read("plan.xlsx", xlsx(), chosen).milestones == ()


def test_a_workbook_that_unpacks_to_more_than_it_says_or_than_is_read_is_refused() -> None:
    with pytest.raises(BrokenFile, match="more than 2,000,000 cells"):
        read("plan.ods", ods(repeated=900_000))
    damaged = bytearray(xlsx())
    damaged[len(damaged) // 2] ^= 255
    with pytest.raises(BrokenFile, match=r"cannot be (unpacked|read|opened)|ZIP"):
        read("plan.xlsx", bytes(damaged))
    with pytest.raises(BrokenFile):
        read("plan.xlsx", xlsx()[:-100])


@pytest.mark.slow
def test_some_kilobytes_that_ask_for_gigabytes_are_refused_at_once() -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet("Plan")
    sheet.write(0, 0, "Title")
    sheet.write(1_048_575, 29, "far away")
    book.close()
    begun = time.monotonic()
    with pytest.raises(BrokenFile, match="cells so far apart that it is not read"):
        read("plan.xlsx", out.getvalue())
    assert len(out.getvalue()) < 10_000
    assert time.monotonic() - begun < 60, "of which a busy machine takes the most"


def test_few_workbooks_are_read_at_a_time_and_none_of_our_settings_goes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = tmp_path / "spy"
    spy.write_text('#!/bin/sh\nenv | cut -d= -f1 > "$0.seen"; exit 3\n')
    spy.chmod(0o755)
    monkeypatch.setenv("FANLIGHT_OPERATOR_TOKEN", "secret")
    monkeypatch.setattr(sys, "executable", str(spy))
    with pytest.raises(BrokenFile, match="cannot be read"):
        read("plan.xlsx", xlsx())
    seen = Path(f"{spy}.seen").read_text().split()
    assert "PATH" in seen
    assert not [name for name in seen if name.startswith("FANLIGHT")]
    monkeypatch.setattr(workbook, "PATIENCE", 0.01)
    with contextlib.ExitStack() as stack:
        for _turn in range(workbook.AT_ONCE):
            stack.enter_context(workbook._turns)
        with pytest.raises(BrokenFile, match=r"Other workbooks are being read\. Try again"):
            read("plan.xlsx", xlsx())


def test_a_percentage_of_a_sheet_that_can_be_a_hundred_or_one_is_asked() -> None:
    rows = [*ROWS[:2], [1, "Gate", "Milestone", date(2027, 2, 1), "1.0"]]
    with pytest.raises(BrokenFile, match="can mean 1 % or 100 %"):
        read("plan.xlsx", xlsx(rows))


def test_suggesting_is_the_same_for_the_same_headings_in_another_order() -> None:
    one = reader.suggest(b"ID,Milestone,Finish\n1,A,2027-03-01\n")
    other = reader.suggest(b"Finish;Milestone;ID\n2027-03-01;A;1\n")
    assert (one.id, one.title, one.forecast) == (other.id, other.title, other.forecast)
