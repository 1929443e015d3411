"""What budget figures would change: one command, the newest status date, earlier ones offered, the right account."""

from datetime import date
from decimal import Decimal

import pytest

from domain.errors import Invalid
from domain.plan.project import Project
from tests.web.importers.registers.tables import chosen
from tests.web.proposal.test_compare import TODAY, after, started
from web.importers.reading import read_any
from web.importers.registers.found import FigureTable
from web.proposal.figures import propose
from web.proposal.lines import Proposal
from web.proposal.together import together

pytestmark = pytest.mark.once
HEAD = "Month,PV (£ cumulative),EV (£),AC (£),BAC (£)\n"
ROWS = "2027-02,100,90,95,1000\n2027-03,200,180,190,1000\n2027-04,300,280,310,1000\n2027-12,1000,,,1000\n"


def look(project: Project, rows: str = ROWS, head: str = HEAD, **choice: object) -> Proposal:
    found = read_any("figures.csv", (head + rows).encode(), chosen(**choice))
    assert isinstance(found, FigureTable)
    return propose(project, found, TODAY)


def test_budget_planned_spend_and_figures_are_one_command_and_the_second_time_nothing() -> None:
    found = look(started())
    assert [(line.kind, line.after, line.offered) for line in found.lines] == [
        ("budget", "£1,000", False),
        ("spend", "4 dates to 31 Dec 2027", False),
        ("measured", "PV £100, EV £90, AC £95", True),
        ("measured", "PV £200, EV £180, AC £190", True),
        ("measured", "PV £300, EV £280, AC £310", False),
    ]
    project = after(started(), together(started(), found.changes))
    account = project.budget.accounts["cost"]
    assert account.bac == 1000
    assert [(str(point.on), point.amount) for point in account.planned][-1] == ("2027-12-31", Decimal(1000))
    assert [(m.status_date, m.ac) for m in account.measurements] == [(date(2027, 4, 30), Decimal(310))]
    assert look(project).lines == ()


def test_earlier_status_dates_are_taken_in_order_where_they_are_ticked() -> None:
    found = look(started())
    project = after(started(), together(started(), found.lines[::-1]))
    months = [m.status_date.month for m in project.budget.accounts["cost"].measurements]
    assert months == [2, 3, 4]


def test_figures_of_the_price_go_to_the_price_alone() -> None:
    found = look(started(), measure="price")
    assert [line.title for line in found.changes] == ["Approved budget, price", "Planned spend", "Figures of the price"]
    project = after(started(), together(started(), found.changes))
    assert project.budget.accounts.keys() == {"price"}


def test_another_currency_is_left_out_and_none_is_only_offered() -> None:
    other = look(started(), head=HEAD.replace("£", "EUR"))
    assert (other.lines, "are in EUR; this project keeps GBP" in other.notes[0]) == ((), True)
    unsaid = look(started(), head="Month,PV cumulative,EV,AC,BAC\n")
    assert unsaid.changes == ()
    assert len(unsaid.lines) == 5
    assert "tick them if it is GBP" in unsaid.notes[0]


def test_another_budget_and_too_much_planned_spend_are_said_and_change_nothing() -> None:
    project = after(started(), together(started(), look(started()).changes))
    found = look(project, ROWS.replace(",1000\n", ",1200\n").replace("2027-12,1000", "2027-12,1200"))
    assert found.lines == ()
    assert any("budget is £1,200, the approved one £1,000" in note for note in found.notes)
    assert any("ends at £1,200, above the budget £1,000" in note for note in found.notes)


def test_figures_without_a_day_or_after_today_are_said() -> None:
    undated = look(started(), "1000,300,280,310\n", head="BAC £,PV £,EV £,AC £\n")
    assert [line.kind for line in undated.lines] == ["budget"]
    assert any("no status date" in note for note in undated.notes)
    later = look(started(), "2027-12-31,1000,300,280,310\n", head="Status date,BAC £,PV £,EV £,AC £\n")
    assert [line.kind for line in later.lines] == ["budget"]
    assert any("lies after today" in note for note in later.notes)


def test_nothing_ticked_is_no_command() -> None:
    with pytest.raises(Invalid, match="Nothing is ticked"):
        together(started(), ())
