"""What a table is taken for, and its columns: as registers and sheets of figures are written in four languages."""

import contextlib
import io

import msgspec
import pytest
import xlsxwriter

from tests.web.importers.registers.tables import FIGURES, REGISTERS, chosen
from tests.web.importers.table.test_shapes import SHAPES, xlsx
from web.importers.plan import BrokenFile, Plan
from web.importers.reading import read, read_any
from web.importers.registers import columns
from web.importers.registers.columns import FigureColumns, RiskColumns, meaning
from web.importers.registers.found import FigureTable, RiskTable

pytestmark = pytest.mark.once


@pytest.mark.parametrize("name", REGISTERS)
def test_a_register_is_known_by_its_headings_in_the_languages_it_is_written_in(name: str) -> None:
    text, expected = REGISTERS[name]
    found = read_any("register.csv", text.encode(), chosen())
    assert isinstance(found, RiskTable)
    said = [{field: value for field, value in msgspec.structs.asdict(risk).items() if value} for risk in found.risks]
    assert said == expected


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_known_by_their_headings(name: str) -> None:
    text, choice, expected = FIGURES[name]
    found = read_any("figures.csv", text.encode(), chosen(**choice))
    assert isinstance(found, FigureTable)
    rows = [
        (str(row.on), *(None if value is None else str(value) for value in (row.bac, row.pv, row.ev, row.ac, row.eac)))
        for row in found.rows
    ]
    assert rows == expected


@pytest.mark.parametrize("name", SHAPES)
def test_what_was_a_plan_stays_a_plan_read_in_the_same_way(name: str) -> None:
    text = SHAPES[name][0].encode()
    assert read_any("plan.csv", text, chosen()) == read("plan.csv", text)


@pytest.mark.parametrize(
    "text",
    [
        "Milestone,Baseline,Forecast,Actual\nGate 1,2027-03-01,2027-03-08,\n",
        "Milestone,Planned,Actual\nGate 1,2027-03-01,\n",
        "ID,Task name,Finish,Baseline Cost,Cost,Actual Cost\n1,Dig,2027-03-01,5,6,7\n",
        "ID,Summary,Status,Owner,Due date\n1,Dig,Open,Ann,2027-03-01\n",
        "Nr;Was;Wann\nA1;Tor eins;03.06.2027\n",
    ],
)
def test_a_plan_with_costs_owners_or_headings_of_its_own_is_no_register(text: str) -> None:
    taken: list[str] = []

    class Asked:
        def kind(self, _header: object, guess: columns.Kind) -> columns.Kind:
            taken.append(guess)
            return guess

        def columns(self, offered: object) -> columns.Columns:
            return offered.suggested  # type: ignore[attr-defined, no-any-return]

    with contextlib.suppress(BrokenFile):
        read_any("plan.csv", text.encode(), Asked())
    assert taken == ["plan"]


def test_what_a_table_is_can_be_chosen_against_its_headings() -> None:
    text = REGISTERS["English"][0].encode()
    with pytest.raises(BrokenFile, match="names no column for the id"):
        read_any("register.csv", text, chosen(kind="plan"))
    with pytest.raises(BrokenFile, match=r"names no column of amounts\. Choose at least one of: 'Risk ID'"):
        read_any("register.csv", text, chosen(kind="figures"))


def test_in_a_workbook_the_sheet_with_the_register_is_found() -> None:
    rows: list[list[object]] = [
        ["Risk register of the harbour"],
        ["Risk ID", "Risk", "Probability", "Impact"],
        [1, "Yard is late", 0.3, 4],
        [2, "Permit refused", 0.5, 2],
    ]
    found = read_any("register.xlsx", xlsx(rows), chosen())
    assert isinstance(found, RiskTable)
    assert [(risk.ref, risk.probability, risk.line) for risk in found.risks] == [("1", "0.3", 3), ("2", "0.5", 4)]
    assert found.fractions
    assert "Read from the sheet “Plan”." in found.notes


def test_a_workbook_with_a_plan_and_other_sheets_is_a_plan_and_says_what_else_is_there() -> None:
    sheets = {
        "Plan": [
            ["ID", "Name", "Type", "Finish"],
            [1, "Dig", "Task", "2027-02-01"],
            [2, "Gate", "Milestone", "2027-03-01"],
        ],
        "Risks": [["Risk ID", "Risk", "Cause", "Probability", "Impact"], ["R1", "Yard", "c", 2, 4]],
        "EVM": [["Month", "PV (cumulative)", "EV", "AC"], ["2027-01", 100, 90, 80]],
    }
    data = book(sheets)
    plan = read_any("all.xlsx", data, chosen())
    assert isinstance(plan, Plan)
    assert [one.title for one in plan.milestones] == ["Gate"]
    assert (
        "The sheet “Risks” looks like a risk register, and was not read. Choose “A risk register” for it." in plan.notes
    )
    assert "The sheet “EVM” looks like budget figures, and was not read. Choose “Budget figures” for it." in plan.notes
    risks, figures = (read_any("all.xlsx", data, chosen(kind)) for kind in ("risks", "figures"))
    assert isinstance(risks, RiskTable)
    assert isinstance(figures, FigureTable)
    assert (risks.risks[0].ref, figures.rows[0].ac) == ("R1", 80)


def book(sheets: dict[str, list[list[object]]]) -> bytes:
    """Return a workbook with these sheets."""
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out, {"in_memory": True})
    for name, rows in sheets.items():
        sheet = made.add_worksheet(name)
        for y, row in enumerate(rows):
            for x, value in enumerate(row):
                sheet.write(y, x, value)
    made.close()
    return out.getvalue()


def test_columns_survive_being_saved_and_those_of_a_plan_stay_as_they_were() -> None:
    kept = RiskColumns(ref="ID", title="Risk", meanings={meaning("impact", "High", 5): "4"})
    assert columns.decode(columns.encode(kept)) == kept
    figures = FigureColumns(date="Month", pv="Plan", amounts="sums")
    assert columns.decode(columns.encode(figures)) == figures
    assert columns.kind_of(columns.decode(b'{"id": "ID", "title": "Name"}')) == "plan"
    with pytest.raises(BrokenFile, match="The mapping is not understood"):
        columns.decode(b'{"kind": "risks", "refs": "ID"}')
