"""What can mean two things is asked, what is odd is left out and counted: nothing of a register or of figures is guessed."""

from datetime import date

import pytest

from tests.web.importers.plans import told
from tests.web.importers.registers.tables import chosen
from tests.web.importers.table.test_shapes import xlsx
from web.importers.plan import BrokenFile
from web.importers.reading import read_any
from web.importers.registers.found import FigureTable, RiskTable

pytestmark = pytest.mark.once


def figures(text: str, **choice: object) -> FigureTable:
    found = read_any("figures.csv", text.encode(), chosen(**choice))
    assert isinstance(found, FigureTable)
    return found


def register(text: str, **choice: object) -> RiskTable:
    found = read_any("register.csv", text.encode(), chosen(**choice))
    assert isinstance(found, RiskTable)
    return found


def asked(text: str, **choice: object) -> list[tuple[int | None, str]]:
    with pytest.raises(BrokenFile) as raised:
        read_any("figures.csv", text.encode(), chosen(**choice))
    return told(raised.value)


def test_whether_amounts_are_sums_or_of_each_period_is_asked_where_nothing_shows_it() -> None:
    text = "Month,PV,AC\nJan 2027,100,90\nFeb 2027,200,180\n"
    assert asked(text) == [
        (
            2,
            ("Nothing says whether amounts are sums so far or of each period. Set it (in a mapping: amounts)."),
        )
    ]
    assert [row.pv for row in figures(text, amounts="sums").rows] == [100, 200]
    assert [row.pv for row in figures(text, amounts="periods").rows] == [100, 300]


def test_an_amount_that_reads_two_ways_is_asked_and_answered_by_the_decimal_mark_or_by_the_others() -> None:
    text = "Status date;PV;AC\n2027-01-31;1.250;900\n"
    ((line, message),) = asked(text)
    assert (line, "Or set what parts the decimal places" in message) == (2, True)
    assert "“1.250” can mean 1250 or 1.25" in message.replace("1.250 or", "1.25 or")
    assert figures(text, decimal=",").rows[0].pv == 1250
    assert str(figures(text, decimal=".").rows[0].pv) == "1.25"
    shown = "Status date;PV;AC\n2027-01-31;1.250;900,50\n"
    assert figures(shown).rows[0].pv == 1250, "another amount shows that a comma parts the decimal places"


def test_a_number_of_a_sheet_has_one_reading_and_text_that_looks_like_one_is_asked() -> None:
    rows: list[list[object]] = [["Status date", "PV", "AC"], [date(2027, 1, 31), 125.505, 90]]
    found = read_any("figures.xlsx", xlsx(rows), chosen())
    assert isinstance(found, FigureTable)
    assert str(found.rows[0].pv) == "125.505"
    with pytest.raises(BrokenFile, match=r"125\.505"):
        read_any("figures.xlsx", xlsx([rows[0], [date(2027, 1, 31), "125.505", 90]]), chosen())


def test_the_first_of_a_month_is_asked_where_every_date_is_one() -> None:
    text = "Date,PV (cumulative),AC (cumulative)\n2027-01-01,100,90\n2027-02-01,200,180\n"
    ((_line, message),) = asked(text)
    assert message == (
        "Every date in column 'Date' is the first of a month. Set whether it means that day or the whole month (in a "
        "mapping: days)."
    )
    assert [str(row.on) for row in figures(text, days="months").rows] == ["2027-01-31", "2027-02-28"]
    assert [str(row.on) for row in figures(text, days="days").rows] == ["2027-01-01", "2027-02-01"]


def test_a_date_that_can_be_two_days_is_asked() -> None:
    ((line, message),) = asked("Date,PV,AC\n03/04/2027,100,90\n")
    assert (line, "day and month can be mixed up here" in message) == (2, True)


def test_two_rows_of_a_day_and_rows_without_any_date_are_asked() -> None:
    assert "Two rows are of 2027-01-31, lines 2 and 3." in asked("Month,PV,AC\n2027-01,1,2\nJan 2027,2,3\n")[0][1]
    assert "2 rows have amounts and none has a date." in asked("BAC,PV,EV,AC\n9,1,1,1\n9,2,2,2\n")[0][1]


def test_what_is_no_amount_is_left_out_and_counted_and_units_and_currencies_are_understood() -> None:
    found = figures("Status date,BAC,PV,EV,AC,Remark\n2027-01-31,€1.2m,900k EUR,soon,5 days,hello\n")
    row = found.rows[0]
    assert (row.bac, row.pv, row.ev, row.ac, found.currency) == (1_200_000, 900_000, None, None, "EUR")
    assert "Amounts left out that are no number from 0 to below 10^15: 1 (first on line 2)." in found.notes
    assert "Columns that are not read: 'EV', 'Remark'." in found.notes, (
        "a column without a number is no column of amounts"
    )


def test_an_empty_amount_between_others_is_noted() -> None:
    found = figures("Month,PV per month,AC per month\n2027-01,100,90\n2027-02,100,\n2027-03,100,50\n")
    assert [row.ac for row in found.rows] == [90, 90, 140]
    assert "Empty amounts between others read as nothing in that period: 1 (first on line 3)." in found.notes


def test_a_register_without_references_is_refused_with_the_way_out_since_clients_read_them() -> None:
    messages = [message for _line, message in asked("Risk,Probability,Impact\nYard,2,3\n")]
    assert len(messages) == 1
    assert "names no column for the reference" in messages[0]
    assert "add a column such as R-01, R-02" in messages[0]


def test_odd_rows_of_a_register_are_left_out_and_counted() -> None:
    found = register(
        "Risk ID,Risk,Probability,Impact,Colour\n"
        "R1,Ya\u202erd,2,3,red\n,Nameless,1,1,\nR1,Twice,1,1,\nR2,,1,1,\n,,,,\nTotal,,,,12\nR3," + "x" * 300 + ",1,1,\n"
    )
    assert [(risk.ref, risk.title[:5]) for risk in found.risks] == [("R1", "Yard"), ("R3", "xxxxx")]
    assert found.lost
    for note in (
        "Columns that are not read: 'Colour'.",
        "Rows left out that have no reference: 1 (first on line 3).",
        "Rows left out whose reference is on an earlier row: 1 (first on line 4).",
        "Rows left out that have no title: 1 (first on line 5).",
        "Titles and ids from which invisible characters were left out: 1 (first on line 2).",
        "Titles shortened to 200 characters: 1 (first on line 8).",
    ):
        assert note in found.notes, found.notes


def test_notes_of_a_large_register_are_bounded() -> None:
    rows = "".join(f",Risk {n},1,1\n" for n in range(4000))
    found = register("Risk ID,Risk,Probability,Impact\nR1,Yard,1,1\n" + rows)
    assert len(found.notes) == 1
    with pytest.raises(BrokenFile, match="more than 5,000 risks"):
        register("Risk ID,Risk,Probability,Impact\n" + "".join(f"R{n},Risk,1,1\n" for n in range(5001)))
