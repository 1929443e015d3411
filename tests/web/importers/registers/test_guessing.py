"""What a table is taken for, and its columns: as registers and sheets of figures are written in four languages."""

import contextlib

import msgspec
import pytest

from tests.web.importers.registers.tables import FIGURES, REGISTERS, chosen
from tests.web.importers.table.test_shapes import SHAPES, xlsx
from web.importers.plan import BrokenFile
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


def test_columns_survive_being_saved_and_those_of_a_plan_stay_as_they_were() -> None:
    kept = RiskColumns(ref="ID", title="Risk", meanings={meaning("impact", "High", 5): "4"})
    assert columns.decode(columns.encode(kept)) == kept
    figures = FigureColumns(date="Month", pv="Plan", amounts="sums")
    assert columns.decode(columns.encode(figures)) == figures
    assert columns.kind_of(columns.decode(b'{"id": "ID", "title": "Name"}')) == "plan"
    with pytest.raises(BrokenFile, match="The mapping is not understood"):
        columns.decode(b'{"kind": "risks", "refs": "ID"}')
