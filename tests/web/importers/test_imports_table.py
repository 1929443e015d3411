"""Every way in which imports used to fail, by its number, with the right value or the right question.

A row is a file and what has to come of it, or the name of the test that has the same example.
"""

import importlib
import itertools
from collections.abc import Callable
from datetime import date

import msgspec
import pytest

from domain.plan.project import Project
from tests.web.importers.plans import project as mspdi
from tests.web.proposal.test_compare import after, started
from web.importers import BrokenFile, Mapping, Plan, read
from web.proposal.compare import Proposal, accept, propose

pytestmark = pytest.mark.once

TODAY = date(2027, 5, 1)
COUNTER = itertools.count(1)
ASKS = "No column says which rows are milestones. Tick the rows that are"
OFFERED = ("baseline", "The forecasts become the first agreed plan", True)  # wherever nothing is agreed
FLAGGED = "<Milestone>1</Milestone><Duration>PT0H0M0S</Duration>"
ROWS = "ID,Milestone,Finish\n1,A,2027-06-01\n2,B,2027-07-01\n3,C,2027-08-01\n"  # the plan before, where there is one
BASELINE = "<Baseline><Number>0</Number><Finish>{day}T17:00:00</Finish></Baseline>"


def task(uid: int, name: str, day: str = "2027-06-01", more: str = "") -> str:
    """Return a flagged milestone of an MSPDI file."""
    return f"<UID>{uid}</UID><Name>{name}</Name>{FLAGGED}<Finish>{day}T17:00:00</Finish>{more}"


def priced(costs: str, currency: str = "<CurrencyCode>GBP</CurrencyCode>") -> bytes:
    """Return an MSPDI file with these costs in the row of the project, and one milestone."""
    data = mspdi(f"<UID>0</UID><OutlineLevel>0</OutlineLevel><Name>P</Name>{costs}", task(1, "A"))
    return data.replace(b"<Tasks>", currency.encode() + b"<Tasks>", 1)


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One file and what has to come of it; dates by title, and passages of what is said."""

    file: str | bytes
    name: str = "plan.csv"
    columns: Mapping | None = None
    before: str | bytes = ""  # a file that was taken over before
    dates: dict[str, str] | None = None  # forecasts of the milestones
    lines: list[tuple[str, str, bool]] | None = None  # kind, title, whether it is only offered
    says: tuple[str, ...] = ()  # in the notes or, where the file is refused, in the problems
    refused: bool = False
    asks: bool = False  # row by row what is a milestone
    doubt: str = ""


def new_id() -> str:
    return f"m{next(COUNTER)}"


def compared(project: Project, plan: Plan) -> Proposal:
    return propose(project, plan, new_id, TODAY)


def with_plan(data: str | bytes) -> Project:
    """Return a project that took over a file."""
    project = started()
    if not data:
        return project
    plan = read("before.xml" if b"<" in _bytes(data)[:1] else "before.csv", _bytes(data))
    return after(project, accept(project, plan, compared(project, plan).changes, "Plan before"))


def _bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


EXAMPLES: dict[str, Example] = {
    "F1 Milestone: No": Example(
        file="ID,Name,Milestone,Finish\n1,A,No,2027-03-01\n2,B,No,2027-04-01\n",
        dates={},
        says=("Rows that are no milestones skipped: 2 (first on line 2).",),
    ),
    "F1 Nein, Ja": Example(
        file="ID,Name,Meilenstein,Finish\n1,A,Nein,2027-03-01\n2,B,Ja,2027-04-01\n", dates={"B": "2027-04-01"}
    ),
    "F1 Non, Oui": Example(
        file="ID,Name,Milestone,Finish\n1,A,Non,2027-03-01\n2,B,Oui,2027-04-01\n", dates={"B": "2027-04-01"}
    ),
    "F1 a tick or nothing": Example(
        file="ID,Name,Milestone,Finish\n1,A,,2027-03-01\n2,B,✓,2027-04-01\n", dates={"B": "2027-04-01"}
    ),
    "F1 Type": Example(
        file="ID,Name,Type,Finish\n1,A,Task,2027-03-01\n2,B,Milestone,2027-04-01\n", dates={"B": "2027-04-01"}
    ),
    "F1 Duration": Example(
        file="ID,Name,Duration,Finish\n1,A,60 days,2027-03-01\n2,B,0 days,2027-04-01\n", dates={"B": "2027-04-01"}
    ),
    "F1 Active: No": Example(
        file="ID,Name,Active,Duration,Finish\n1,A,Yes,0 days,2027-03-01\n2,B,No,0 days,2027-04-01\n",
        dates={"A": "2027-03-01"},
        says=("Inactive tasks skipped: 1 (first on line 3).",),
    ),
    "F1 Summary: Yes": Example(
        file="ID,Name,Summary,Duration,Finish\n1,A,Yes,0 days,2027-03-01\n2,B,No,0 days,2027-04-01\n",
        dates={"B": "2027-04-01"},
    ),
    "F1 nothing says it": Example(file="ID,Name,Finish\n1,A,2027-03-01\n", dates={}, asks=True, says=(ASKS,)),
    "F1 a list of milestones": Example(
        file="ID,Milestone,Finish\n1,A,2027-03-01\n2,B,2027-04-01\n",
        dates={"A": "2027-03-01", "B": "2027-04-01"},
        says=("No column says which rows are milestones; all 2 were taken.",),
    ),
    "F1 milestones called X and Y, which are also ticks": Example(
        file="ID,Milestone,Finish\n1,X,2027-03-01\n2,Y,2027-04-01\n", dates={"X": "2027-03-01", "Y": "2027-04-01"}
    ),
    "F2 a baseline that is new since the agreed plan": Example(
        before=mspdi(task(1, "A", more=BASELINE.format(day="2027-06-01"))),
        name="plan.xml",
        file=mspdi(
            task(1, "A", more=BASELINE.format(day="2027-06-01")),
            task(2, "B", "2027-07-01", BASELINE.format(day="2027-07-01")),
        ),
        lines=[
            ("added", "B", False),
            ("baseline", "Agree the dates the file’s baseline has for milestones that have none", True),
        ],
    ),
    "F3 costs without a budget": Example(
        name="plan.xml",
        file=priced("<Cost>505200.00</Cost><ACWP>29908.00</ACWP>"),
        says=("The file has costs and no budget, and none is approved here. They were left out",),
    ),
    "F3 a budget without a status date": Example(
        name="plan.xml",
        file=priced(
            "<Cost>505200.00</Cost><ACWP>0</ACWP><BCWS>0</BCWS><BCWP>0</BCWP>"
            "<Baseline><Number>0</Number><Cost>500000.00</Cost></Baseline>"
        ),
        lines=[
            ("added", "A", False),
            ("budget", "Approved budget, cost", False),
        ],
        says=("no status date, so its cost figures say of no day. They were left out.",),
    ),
    "F3 costs in a table": Example(
        file="ID,Milestone,Finish,Baseline Cost,Actual Cost\n1,A,2027-06-01,500,20\n",
        dates={"A": "2027-06-01"},
        says=("Columns of costs that are not read of a plan: 'Baseline Cost', 'Actual Cost'.",),
    ),
    "F4 eur is EUR": Example(
        name="plan.xml",
        file=priced(
            "<Baseline><Number>0</Number><Cost>10000000.00</Cost></Baseline>", "<CurrencyCode>eur</CurrencyCode>"
        ),
        says=("The file’s costs are in EUR; this project keeps GBP. They were left out.",),
    ),
    "F4 a sign is no currency": Example(
        name="plan.xml",
        file=priced(
            "<Baseline><Number>0</Number><Cost>10000000.00</Cost></Baseline>", "<CurrencySymbol>£</CurrencySymbol>"
        ),
        lines=[
            ("added", "A", False),
            ("budget", "Approved budget, cost", True),
        ],
        says=("they are only offered: tick them if it is GBP.",),
    ),
    "F6 27/04/28": Example(file="ID,Milestone,Finish\n1,A,27/04/28\n", refused=True, says=("Set the date format",)),
    "F6 27.04.28": Example(file="ID,Milestone,Finish\n1,A,27.04.28\n", refused=True, says=("Set the date format",)),
    "F6 27/04/28, year first as somebody said": Example(
        file="ID,Milestone,Finish\n1,A,27/04/28\n",
        columns=Mapping(id="ID", title="Milestone", forecast="Finish", date_format="YY/MM/DD"),
        dates={"A": "2027-04-28"},
    ),
    "F8 a baseline on one of two": Example(
        file="ID,Milestone,Finish,Baseline\n1,A,2027-06-01,2027-06-01\n2,B,2027-07-01,\n",
        lines=[
            ("added", "A", False),
            ("added", "B", False),
            ("baseline", "The file’s baseline becomes the first agreed plan", False),
        ],
    ),
    "F9 a row number is no id": Example(
        file="ID,Task_Mode,Name,Duration,Finish_Date,Outline_Level\n1,Auto,A,0 days,2027-06-01,1\n",
        says=("There is no column of ids, so titles are ids",),
        dates={"A": "2027-06-01"},
    ),
    "F9 one row inserted": Example(
        before=ROWS,
        file="ID,Milestone,Finish\n1,New,2027-05-15\n2,A,2027-06-01\n3,B,2027-07-01\n4,C,2027-08-01\n",
        lines=[("added", "New", False), ("linked", "A", False), ("linked", "B", False), ("linked", "C", False)],
    ),
    "F9 another plan": Example(
        before=ROWS,
        file="ID,Milestone,Finish\n1,P,2027-06-01\n2,Q,2027-07-01\n3,R,2027-08-01\n",
        lines=[("renamed", "P", True), ("renamed", "Q", True), ("renamed", "R", True)],
        doubt="3 of 3 would be renamed.",
    ),
    "F9 another plan, and C leaves": Example(
        before=ROWS,
        file="ID,Milestone,Finish\n1,P,2027-06-01\n2,Q,2027-07-01\n",
        lines=[("renamed", "P", True), ("renamed", "Q", True), ("missing", "C", True)],
        doubt="2 of 2 would be renamed.",
    ),
    "F10 saved columns and another delimiter": Example(
        file="ID;Name;Finish\n1;A;2027-06-01\n",
        columns=Mapping(id="ID", title="Name", forecast="Finish", delimiter=","),
        dates={"A": "2027-06-01"},
    ),
    "F11, C1 dates as P6 shows them": Example(
        file=(
            "Activity ID,Activity Name,Activity Type,BL Project Finish,Finish\n"
            "A1000,Permit granted,Finish Milestone,15-Mar-26,20-Mar-26 A\n"
            "A1010,Site handover,Finish Milestone,20-Apr-27,28-Apr-27*\n"
        ),
        dates={"Permit granted": "2026-03-20", "Site handover": "2027-04-28"},
    ),
    "F11 technical headings and captions in row 2": Example(
        file=(
            "task_code,task_name,task_type,end_date,act_end_date,base_end_date\n"
            "Activity ID,Activity Name,Activity Type,(*)Finish,Actual Finish,BL Finish\n"
            "A110,Gate,Finish Milestone,2027-03-15,,2027-03-01\n"
        ),
        dates={"Gate": "2027-03-15"},
    ),
    "F13, C3 decimals of percent in XML": Example(
        name="plan.xml",
        file=mspdi(
            task(1, "A", more="<PercentComplete>33.3</PercentComplete>"),
            task(2, "B", more="<PercentComplete>100.0</PercentComplete>"),
        ),
        dates={"A": "2027-06-01", "B": "2027-06-01"},
        says=("Percent complete rounded down to a whole number: 1",),
    ),
    "F13, C3 decimals of percent in a table": Example(
        file='ID,Milestone,Finish,% Complete\n1,A,2027-06-01,33.3%\n2,B,2027-06-01,"33,5%"\n3,C,2027-06-01,10.0\n',
        dates={"A": "2027-06-01", "B": "2027-06-01", "C": "2027-06-01"},
        says=("Percent complete rounded down to a whole number: 2",),
    ),
    "C3 0.5 is asked": Example(
        file="ID,Milestone,Finish,% Complete\n1,A,2027-06-01,0.5\n", refused=True, says=("can mean 0.5 % or 50 %",)
    ),
    "F14 no column of ids": Example(
        file="Milestone,Baseline,Forecast,Actual\nGate 1,2027-03-01,2027-03-08,\n",
        dates={"Gate 1": "2027-03-08"},
        says=("a milestone renamed reads as one gone and one new",),
    ),
    "F15, C9 equal twins, NA, year 1, a baseline of 1899, baseline 11": Example(
        name="plan.xml",
        file=mspdi(
            task(
                1,
                "A",
                more="<PercentComplete>0</PercentComplete><PercentComplete>0</PercentComplete><Deadline>NA</Deadline>"
                "<ActualFinish>0001-01-01T00:00:00</ActualFinish>"
                "<Baseline><Number>0</Number><Finish>1899-06-01T17:00:00</Finish></Baseline>"
                "<Baseline><Number>11</Number><Finish>2027-06-01T17:00:00</Finish></Baseline>",
            )
        ),
        dates={"A": "2027-06-01"},
        says=("<Finish> that is not a moment", "<Number> that is not a whole number from 0 to 10, left out: 1"),
    ),
    "F15 TBD and a row of totals": Example(
        file="ID,Milestone,Finish\n1,A,TBD\n2,B,2027-06-01\n,Total,\n",
        lines=[("added", "B", False)],
        says=(
            "Cells of column 'Finish' that hold no date from 1950 to 2149, left out: 1 (first on line 2).",
            "“A” (line 2) has no date at all",
            "Rows left out that have no id of 1 to 200 characters: 1 (first on line 4).",
        ),
    ),
    "F16 a start and no finish in XML": Example(
        name="plan.xml",
        file=mspdi(f"<UID>1</UID><Name>A</Name>{FLAGGED}<Start>2027-06-01T17:00:00</Start>"),
        dates={"A": "2027-06-01"},
    ),
    "F16 a start and no finish in a table, as start milestones of P6": Example(
        file=(
            "Activity ID,Activity Name,Activity Type,Start,Finish\n"
            "A1,Go,Start Milestone,15-Mar-27*,\nA2,Won,Finish Milestone,,21-Sep-26 A\nA3,Dig,Task,01-Mar-27,20-Mar-27\n"
        ),
        dates={"Go": "2027-03-15", "Won": "2026-09-21"},
        says=("Milestones without a finish, dated by their start: 1 (first on line 2).",),
    ),
    "F17, C4 characters that nobody sees": Example(
        file="ID,Milestone,Finish\n1,\u202aA\u202c,2027-06-01\n2,B\u0096,2027-06-01\n3,\u200b\u200b,2027-06-01\n",
        lines=[
            ("added", "A", False),
            ("added", "B", False),
        ],
        says=(
            "Titles and ids from which invisible characters were left out: 2 (first on line 2).",
            "Rows left out that have no title: 1 (first on line 4).",
        ),
    ),
    "F19 a column and the value that means a milestone": Example(
        file="ID,Name,Type,Finish\n1,A,Task,2027-06-01\n2,B,Gateway,2027-07-01\n",
        columns=Mapping(id="ID", title="Name", forecast="Finish", milestone="Type", milestone_value="Gateway"),
        dates={"B": "2027-07-01"},
    ),
    "F20 rows above the heading": Example(
        file="Harbour Line,,\nExported on 1 March,,\nID,Milestone,Finish\n1,A,2027-06-01\n", dates={"A": "2027-06-01"}
    ),
    "F21 no column of milestones removes nothing": Example(
        before=ROWS,
        file="ID,Name,Finish\n9,Z,2027-06-01\n",
        asks=True,
        lines=[("added", "Z", True), ("missing", "A", True), ("missing", "B", True), ("missing", "C", True)],
        doubt="3 of 3 would leave the plan.",
    ),
    "F21 no tasks remove nothing": Example(
        before=ROWS,
        name="plan.xml",
        file=mspdi(),
        lines=[("missing", "A", True), ("missing", "B", True), ("missing", "C", True)],
        says=("No milestone among the 0 tasks",),
        doubt="3 of 3 would leave the plan.",
    ),
    "F25 wholly complete without an actual date": Example(
        file="ID,Subject,Type,Finish date,% Complete\n7,Dug,Milestone,2027-02-01,100\n",
        lines=[
            ("met", "Dug", True),
            ("added", "Dug", False),
        ],
        says=("Milestones 100 % complete without an actual finish, so not taken as met: 1",),
    ),
    "C8 a milestone that ends before it starts": Example(
        name="plan.xml",
        file=mspdi(task(1, "A", "2027-11-19", "<Start>2027-11-20T00:00:00</Start>")),
        dates={"A": "2027-11-20"},
        says=("Milestones that finish before they start, dated by their start: 1",),
    ),
    "C14 a table whose name says nothing": Example(
        name="Plan export",
        file="Vorgang;Bezeichnung;Meilenstein;Termin\n1;Permit;Ja;2027-03-20\n",
        dates={"Permit": "2027-03-20"},
    ),
    "03/04/2027 is two days": Example(
        file="ID,Milestone,Finish\n1,A,03/04/2027\n", refused=True, says=("day and month can be mixed up here",)
    ),
}

ELSEWHERE = {  # examples that are tried where their like are
    "F9 ids that moved on keep their histories": "tests.web.proposal.test_compare:"
    "test_ids_that_moved_on_by_a_row_are_the_same_milestones_with_their_histories",
    "F9 another title of the plan": "tests.web.proposal.test_compare:test_a_plan_that_is_called_otherwise_is_asked_about",
    "F10 saved columns, forgotten, on the page": "tests.web.manager.importing.test_page:"
    "test_columns_are_chosen_once_for_tables_of_a_shape_and_can_be_forgotten",
    "F21 --accept removes nothing": "tests.web.cli.test_commands:"
    "test_columns_are_told_and_what_nothing_says_is_a_milestone_is_not_recorded",
    "F23 bounds are settings that are named": "tests.web.importers.test_reading:test_the_size_limit_holds_for_both_kinds",
    "F24 notes are bounded, XML": "tests.web.importers.mspdi.test_reader:"
    "test_however_many_different_things_are_odd_there_are_few_notes",
    "F24 notes are bounded, comparison": "tests.web.proposal.test_compare:"
    "test_of_many_notes_of_a_kind_the_first_are_told_and_the_rest_counted",
    "F26 real MPP files": "tests.web.importers.test_reading:"
    "test_real_mpp_files_are_called_what_they_are_whatever_is_linked_into_them",
    "F27 the command line says its columns": "tests.web.cli.test_commands:"
    "test_columns_are_told_and_what_nothing_says_is_a_milestone_is_not_recorded",
    "wrong formats": "tests.web.importers.test_reading:test_a_file_of_another_kind_is_refused_with_what_to_do",
    "shapes of CSV": "tests.web.importers.table.test_shapes:test_a_table_comes_out_right_as_its_headings_suggest",
    "hostile files": "tests.web.importers.mspdi.test_reader:"
    "test_more_milestones_than_anybody_follows_are_refused_and_endless_baselines_cost_nothing",
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_failed_gives_the_right_value_or_the_right_question(name: str) -> None:
    example = EXAMPLES[name]
    if example.refused:
        with pytest.raises(BrokenFile) as raised:
            read(example.name, _bytes(example.file), example.columns)
        assert all(says in str(raised.value) for says in example.says), str(raised.value)
        return
    plan = read(example.name, _bytes(example.file), example.columns)
    assert plan.undecided == example.asks
    if example.dates is not None:
        assert {one.title: str(one.forecast) for one in plan.milestones} == example.dates
    proposal = compared(with_plan(example.before), plan)
    if example.lines is not None:
        lines = [(line.kind, line.title, line.offered) for line in proposal.lines]
        assert [line for line in lines if line != OFFERED] == example.lines
    assert proposal.doubt == example.doubt
    told = "\n".join(proposal.notes)
    assert all(says in told for says in example.says), told


@pytest.mark.parametrize(
    "name", ["F11, C1 dates as P6 shows them", "F16 a start and no finish in a table, as start milestones of P6"]
)
def test_an_a_behind_a_date_is_an_actual_one(name: str) -> None:
    plan = read("plan.csv", _bytes(EXAMPLES[name].file))
    met = {one.title: str(one.actual) for one in plan.milestones if one.actual}
    assert met in ({"Permit granted": "2026-03-20"}, {"Won": "2026-09-21"})


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_example_has_its_test(name: str) -> None:
    module, test = ELSEWHERE[name].split(":")
    found: Callable[..., object] = getattr(importlib.import_module(module), test)
    assert callable(found)
