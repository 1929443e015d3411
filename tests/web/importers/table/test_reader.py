"""CSV: columns by a mapping, cells as text, dates only where they can mean one day, every problem with its line."""

import os
import random
from datetime import date

import msgspec
import pytest

from tests.web.importers.plans import HARBOUR_CSV, edited, told
from web.importers.plan import BrokenFile, Plan, PlannedMilestone
from web.importers.table import mapping, reader
from web.importers.table.reader import Mapping

pytestmark = pytest.mark.once

SEED = int(os.environ.get("SEED", "20270331"))
CASES = 600
ALL = Mapping(
    id="ID",
    title="Name",
    outline="WBS",
    baseline="Baseline Finish",
    forecast="Finish",
    actual="Actual Finish",
    deadline="Deadline",
    percent="% Complete",
)
SMALL = Mapping(id="ID", title="Name", forecast="Finish")
ALL_TAKEN = "No column says which rows are milestones; all {n} were taken."


def problems(data: bytes, columns: Mapping = SMALL) -> list[tuple[int | None, str]]:
    """Return the problems a file is refused with."""
    with pytest.raises(BrokenFile) as raised:
        reader.read(data, columns)
    return told(raised.value)


def test_a_table_is_read_row_by_row_with_the_line_of_each() -> None:
    read = reader.read(HARBOUR_CSV, ALL)
    assert read.format == "csv"
    assert (read.data_date, read.costs) == (None, None)
    assert read.milestones == (
        PlannedMilestone(
            source_id="M1",
            title="Foundations accepted",
            outline="1.1",
            baseline=date(2027, 3, 5),
            baselines=((0, date(2027, 3, 5)),),
            forecast=date(2027, 3, 12),
            actual=date(2027, 3, 12),
            deadline=date(2027, 3, 15),
            percent_complete=100,
            line=2,
        ),
        PlannedMilestone(
            source_id="M2",
            title="Lamps delivered, both piers",
            outline="1.2",
            forecast=date(2027, 6, 1),
            percent_complete=40,
            line=3,
        ),
        PlannedMilestone(
            source_id="M3",
            title='=HYPERLINK("http://example.com")',
            outline="2",
            baseline=date(2027, 9, 15),
            baselines=((0, date(2027, 9, 15)),),
            forecast=date(2027, 9, 30),
            percent_complete=0,
            line=5,
        ),
    )


def test_cells_that_a_spreadsheet_would_compute_stay_text() -> None:
    for cell in ("=1+1", "+44 20", "-1", "@SUM(A1)", "\ufeff"[:0] + "'quoted"):
        read = reader.read(f"ID,Name,Finish\n1,{cell},2027-01-31\n".encode(), SMALL)
        assert read.milestones[0].title == cell


def test_the_suggested_mapping_reads_the_file() -> None:
    suggested = reader.suggest(HARBOUR_CSV)
    assert msgspec.structs.replace(suggested, delimiter="", rows="") == ALL
    everyone = msgspec.structs.replace(suggested, rows="")
    assert reader.read(HARBOUR_CSV, everyone).milestones == reader.read(HARBOUR_CSV, ALL).milestones


def test_where_no_column_says_what_is_a_milestone_it_is_asked_and_never_assumed() -> None:
    read = reader.read(HARBOUR_CSV)
    assert read.undecided
    assert read.milestones == ()
    assert [task.source_id for task in read.tasks] == ["M1", "M2", "M3"]
    assert any("No column says which rows are milestones. Tick the rows that are" in note for note in read.notes)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("2,Review,2027-03-26,0.5", "Line 3: Column '% complete': “0.5” can mean 0.5 % or 50 %."),
        ("2,Review,03/04/2027,10", "Line 3: Column 'Finish' is '03/04/2027'; expected YYYY-MM-DD"),
    ],
)
def test_a_row_that_is_asked_about_is_refused_for_what_can_mean_two_things(row: str, told: str) -> None:
    with pytest.raises(BrokenFile) as raised:
        reader.read(f"ID,Name,Finish,% complete\n1,Design,2027-03-26,20\n{row}\n".encode())
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("2,\u200b\u200b,2027-03-26,10", "Rows left out that have no title: 1 (first on line 3)."),
        ("1,Review,2027-03-26,10", "Rows left out whose id is on an earlier row: 1 (first on line 3)."),
        ("2,Review,,10", "Rows left out that have no date to follow: 1 (first on line 3)."),
        ("2,Review,soon,10", "Cells of column 'Finish' that hold no date from 1950 to 2149, left out: 1"),
        ("2,Review,2027-03-26,most", "Percentages left out that are no number from 0 to 100: 1 (first on line 3)."),
        ("2,\u202bReview\u202c,2027-03-26,1", "Titles and ids from which invisible characters were left out: 1"),
    ],
)
def test_of_a_row_that_is_asked_about_it_is_told_what_was_left_out(row: str, told: str) -> None:
    plan = reader.read(f"ID,Name,Finish,% complete\n1,Design,2027-03-26,20\n{row}\n".encode())
    assert plan.undecided
    assert any(told in note for note in plan.notes), plan.notes


def test_a_mapping_survives_being_saved() -> None:
    chosen = msgspec.structs.replace(ALL, date_format="DD/MM/YYYY", delimiter="\t")
    assert mapping.decode(mapping.encode(chosen)) == chosen


@pytest.mark.parametrize("payload", [b"{}x", b'{"colum": "ID"}', b'{"id": 3}', b"\xff"])
def test_a_mapping_that_is_none_is_refused_with_an_example(payload: bytes) -> None:
    with pytest.raises(BrokenFile) as raised:
        mapping.decode(payload)
    assert "The mapping is not understood" in str(raised.value)
    assert '"date_format": "DD/MM/YYYY"' in str(raised.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_endings_are_found_out(delimiter: str, ending: str) -> None:
    lines = ["ID,Name,Finish", "1,Topping out,2027-01-31", "2,Handover,2027-02-28"]
    read = reader.read(ending.join(lines).replace(",", delimiter).encode(), SMALL)
    assert [(m.title, str(m.forecast), m.line) for m in read.milestones] == [
        ("Topping out", "2027-01-31", 2),
        ("Handover", "2027-02-28", 3),
    ]


def test_the_first_line_may_name_the_delimiter_as_excel_does() -> None:
    read = reader.read(b"sep=|\nID|Name|Finish\n1|A, B; C|2027-01-31\n", SMALL)
    assert [(m.title, m.line) for m in read.milestones] == [("A, B; C", 3)]


def test_a_delimiter_that_cannot_be_one_is_refused() -> None:
    for delimiter in ("ab", '"', "\n", "x"):
        columns = msgspec.structs.replace(SMALL, delimiter=delimiter)
        assert "The delimiter is" in problems(HARBOUR_CSV, columns)[0][1]


def test_utf8_with_its_mark_and_utf16_read_alike_and_windows_1252_is_noted() -> None:
    text = "ID;Name;Finish\n1;Übergabe – Zürich;2027-01-31\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert reader.read(text.encode(encoding), SMALL).milestones[0].title == "Übergabe – Zürich"
    western = reader.read(text.encode("cp1252"), SMALL)
    assert western.milestones[0].title == "Übergabe – Zürich"
    assert "The file is not UTF-8 and was read as Windows-1252: check accented letters." in western.notes


def test_right_to_left_text_and_a_cell_of_several_lines_are_kept_and_lines_still_count() -> None:
    read = reader.read('ID,Name,Finish\n1,"מסירה\nללקוח",2027-01-31\n2,تسليم,2027-02-28\n'.encode(), SMALL)
    assert [(m.title, m.line) for m in read.milestones] == [("מסירה ללקוח", 2), ("تسليم", 4)]


@pytest.mark.parametrize(
    ("written", "cell", "day"),
    [
        ("DD/MM/YYYY", "03/04/2027", date(2027, 4, 3)),
        ("MM/DD/YYYY", "03/04/2027", date(2027, 3, 4)),
        ("MM/DD/YYYY", "3/4/2027", date(2027, 3, 4)),
        ("DD.MM.YYYY", "31.12.2027 17:00", date(2027, 12, 31)),
        ("DD MMM YYYY", "3 Sept 2027", date(2027, 9, 3)),
        ("DD/MM/YY", "Fri 05/03/27", date(2027, 3, 5)),
        ("YYYYMMDD", "20270305", date(2027, 3, 5)),
        ("DD/MM/YYYY", "2027-03-05T08:00:00", date(2027, 3, 5)),
    ],
)
def test_dates_are_read_by_the_format_of_the_mapping_and_always_as_iso(written: str, cell: str, day: date) -> None:
    columns = msgspec.structs.replace(SMALL, date_format=written)
    assert reader.read(f"ID,Name,Finish\n1,Go,{cell}\n".encode(), columns).milestones[0].forecast == day


def test_a_date_that_can_be_two_days_is_refused_with_a_request_for_the_format() -> None:
    ((line, message),) = problems(b"ID,Name,Finish\n1,Go,03/04/2027\n")
    assert line == 2
    assert message == (
        "Column 'Finish' is '03/04/2027'; expected YYYY-MM-DD, because day and month can be mixed up here. "
        "Set the date format of the mapping, such as DD/MM/YYYY or MM/DD/YYYY."
    )


def test_a_date_format_is_suggested_only_where_the_dates_allow_a_single_one() -> None:
    head = b"ID,Name,Finish\n1,Go,03/04/2027\n"
    assert reader.suggest(head).date_format == ""
    assert reader.suggest(head + b"2,Stop,25/12/2027\n").date_format == "DD/MM/YYYY"
    assert reader.suggest(head + b"2,Stop,12/25/2027\n").date_format == "MM/DD/YYYY"
    assert reader.suggest(head + b"2,Stop,25/12/2027\n3,Odd,12/25/2027\n").date_format == ""


def test_a_yes_or_no_column_says_which_rows_are_milestones() -> None:
    data = b"ID,Name,Finish,Milestone\n1,Dig,2027-01-31,No\n2,Dug,2027-02-01,Yes\n3,Rest,2027-02-02,\n"
    assert reader.suggest(data).milestone == "Milestone"
    read = reader.read(data, reader.suggest(data))
    assert [m.source_id for m in read.milestones] == ["2"]
    assert ([t.source_id for t in read.tasks], read.read) == (["1", "3"], 3)
    assert read.notes == ("Rows that are no milestones skipped: 2 (first on line 2).",)


def test_a_row_that_is_no_milestone_stops_no_import_and_is_no_task_where_it_cannot_be_one() -> None:
    rows = "1,Dig,2027-13-31,No\n2,,2027-02-01,No\n3,Rest,,No\n4,Go,2027-02-03,No\n4,Go on,2027-02-04,No\n5,Twin,2027-02-05,No\n"
    data = f"ID,Name,Finish,Milestone\n{rows}5,Dug,2027-02-05,Yes\n".encode()
    read = reader.read(data, reader.suggest(data))
    assert [m.title for m in read.milestones] == ["Dug"]
    assert ([t.title for t in read.tasks], read.read) == (["Go"], 7)


def test_a_column_called_milestone_that_holds_names_is_the_title() -> None:
    suggested = reader.suggest(b"No,Milestone,Due\n1,Topping out,2027-01-31\n")
    assert (suggested.id, suggested.title, suggested.forecast, suggested.milestone) == ("No", "Milestone", "Due", "")


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        (",,,40%", ",40%", 3, "This row has 6 cells, the header has 8"),
        ('"Lamps delivered, both piers"', '"Lamps" delivered', 3, "This row is no CSV"),
        ("Baseline Finish", "Base", 1, "Column 'Baseline Finish', mapped to the baseline, is not there"),
        ("Baseline Finish", "Finish", 1, "Column 'Finish', mapped to the forecast, is there more than once"),
        ("2027-03-12,2027", "2027-03-12\x00,2027", 2, "A NUL byte"),
    ],
)
def test_a_problem_names_its_line_its_column_and_what_was_expected(old: str, new: str, line: int, says: str) -> None:
    found = problems(edited(old, new, HARBOUR_CSV), ALL)
    assert any(at == line and says in message for at, message in found), found


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("2027-06-01", "2027-06-31", 3, "Cells of column 'Finish' that hold no date from 1950 to 2149, left out"),
        ("2027-06-01", "1850-06-01", 3, "Cells of column 'Finish' that hold no date from 1950 to 2149, left out"),
        ("2027-06-01", "TBD", 3, "Cells of column 'Finish' that hold no date from 1950 to 2149, left out"),
        ("40%", "400%", 3, "Percentages left out that are no number from 0 to 100"),
        ("40%", "half", 3, "Percentages left out that are no number from 0 to 100"),
        ("M2", "M1", 3, "Rows left out whose id is on an earlier row"),
        ("M2", "", 3, "Rows left out that have no id of 1 to 200 characters"),
        ("Foundations accepted", "", 2, "Rows left out that have no title"),
        ("Foundations accepted", "Found\x1bations \u202aaccepted", 2, "invisible characters were left out"),
    ],
)
def test_one_odd_value_never_costs_the_file_and_is_counted_with_its_line(
    old: str, new: str, line: int, says: str
) -> None:
    read = reader.read(edited(old, new, HARBOUR_CSV), ALL)
    assert [note for note in read.notes if says in note and f": 1 (first on line {line})." in note], read.notes
    assert "M3" in {milestone.source_id for milestone in read.milestones}


def test_a_row_without_an_id_is_lost_and_one_that_cannot_be_read_is_still_there() -> None:
    assert reader.read(edited("M2", "", HARBOUR_CSV), ALL).lost
    read = reader.read(edited("Foundations accepted", "", HARBOUR_CSV), ALL)
    assert ("M1" in read.present, read.lost) == (True, False)


def test_all_problems_are_told_at_once_in_order_but_no_more_than_twenty() -> None:
    found = problems(b"ID,Name,Finish\n1,A,02/03/2027\n2,B,03/04/2027\n3,C\n")
    assert [line for line, _ in found] == [2, 3, 4]
    many = b"ID,Name,Finish\n" + b"".join(b"%d,A,03/04/2027\n" % n for n in range(5000))
    assert len(problems(many)) == 20


def test_a_mapping_without_an_id_is_answered_with_the_columns_there_are() -> None:
    ((line, message),) = problems(b"Ref,Name,Finish\n1,A,2027-01-31\n", Mapping(title="Name"))
    assert line == 1
    assert message == (
        "The mapping names no column for the id. Choose one of: 'Ref', 'Name', 'Finish'. "
        "Where every title is there once, it can be the id."
    )


def test_a_format_that_is_none_and_an_empty_file_are_refused() -> None:
    odd = msgspec.structs.replace(SMALL, date_format="dd.mm.yy")
    assert "'dd.mm.yy' is no date format; expected day, month and year" in problems(HARBOUR_CSV, odd)[0][1]
    assert "The file has no rows" in problems(b"\n\n")[0][1]
    with pytest.raises(BrokenFile, match="The file has no rows"):
        reader.suggest(b"")


def test_an_actual_finish_beside_less_than_a_hundred_percent_is_left_out() -> None:
    read = reader.read(edited("2027-03-15,100", "2027-03-15,90", HARBOUR_CSV), ALL)
    assert read.milestones[0].actual is None
    assert read.notes == (
        ALL_TAKEN.format(n=3),
        "Actual finish left out, as less than 100 % is complete: 1 (first on line 2).",
    )


def test_progress_runs_to_one() -> None:
    seen: list[float] = []
    reader.read(b"ID,Name,Finish\n" + b"".join(b"%d,A,2027-01-31\n" % n for n in range(3000)), SMALL, seen.append)
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def outcome(data: bytes) -> Plan | BrokenFile:
    """Return what reading comes to; any other exception passes through and fails the test."""
    try:
        reader.suggest(data)
        return reader.read(data, ALL)
    except BrokenFile as error:
        return error


def test_whatever_happens_to_a_table_it_is_a_plan_or_a_broken_file_with_a_sentence() -> None:
    print(f"SEED={SEED} repeats these {CASES} files")
    outcomes = []
    for case in range(CASES):
        chance, data = random.Random(SEED + case), bytearray(HARBOUR_CSV)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(data))
            data[at] = chance.choice([data[at] ^ (1 << chance.randrange(8)), *b'"\r\n,;\x00\xff='])
        outcomes.append(outcome(bytes(data[: chance.randint(1, len(data))] if case % 10 == 0 else data)))
    refused = [error for error in outcomes if isinstance(error, BrokenFile)]
    assert len(refused) > CASES // 20, "the mangling is too gentle to prove anything"
    assert CASES - len(refused) > CASES // 20, "the mangling is too harsh to prove anything"
    assert all(problem.message.endswith(".") for error in refused for problem in error.problems)


PERCENT = Mapping(id="id", title="name", forecast="finish", percent="% complete")


@pytest.mark.parametrize(
    ("cell", "percent"),
    [("33.33%", 33), ("10.0", 10), ('"50,0 %"', 50), ("100.00%", 100), ("99.9 %", 99), ("0.5 %", 1), ("50 %", 50)],
)
def test_a_percentage_is_read_however_a_spreadsheet_writes_it(cell: str, percent: int) -> None:
    plan = reader.read(f"id,name,finish,% complete\n1,Design,2027-03-26,{cell}\n".encode(), PERCENT)
    assert plan.milestones[0].percent_complete == percent
    rounded = "Percent complete rounded down to a whole number: 1 (first on line 2)."
    assert (rounded in plan.notes) == (cell in ("33.33%", "99.9 %"))
    assert ("Percent complete below 1 read as 1: 1 (first on line 2)." in plan.notes) == (cell == "0.5 %")


@pytest.mark.parametrize("cell", ["0.5", '"0,5"', "1.0"])
def test_a_fraction_without_a_sign_is_asked_about(cell: str) -> None:
    with pytest.raises(BrokenFile, match=r"Column '% complete': “.*” can mean (0.5 % or 50|1 % or 100) %"):
        reader.read(f"id,name,finish,% complete\n1,Design,2027-03-26,{cell}\n".encode(), PERCENT)
