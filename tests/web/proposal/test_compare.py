"""What a plan would change: compared by source id, nothing guessed, and the same file twice proposes nothing."""

import itertools
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from domain.errors import Refused
from domain.ids import PersonId, ProjectId
from domain.plan import project as projects
from domain.plan.project import Project, StartProject
from domain.plan.schedule import ForecastMoved, PlanConfirmed
from web.importers.plan import Plan, PlannedCosts, PlannedMilestone
from web.proposal.compare import Proposal, accept, propose

pytestmark = pytest.mark.once

NOW = datetime(2027, 5, 1, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
P = ProjectId("p")
HASH = "a" * 64


def day(number: int) -> date:
    return date(2027, 5, 1) + timedelta(days=number)


def row(source: str, forecast: int | None = 30, **more: object) -> PlannedMilestone:
    when = None if forecast is None else day(forecast)
    given = {"source_id": source, "title": f"Step {source}", "forecast": when, "line": 7} | more
    return PlannedMilestone(**given)  # type: ignore[arg-type]


def plan(*rows: PlannedMilestone, costs: PlannedCosts | None = None, data_date: date | None = TODAY) -> Plan:
    return Plan(format="csv", file_hash=HASH, milestones=rows, costs=costs, data_date=data_date)


COUNTER = itertools.count(1)


def new_id() -> str:
    return f"new{next(COUNTER)}"


def started() -> Project:
    command = StartProject(
        project=P, title="T", client_title="C", owner=PersonId("o"), currency="GBP", time_zone="Europe/London"
    )
    return after(None, command)


def after(project: Project | None, command: projects.ProjectCommand) -> Project:
    for event in projects.decide(project, command, NOW):
        project = projects.evolve(project, event, NOW)
    assert project is not None
    return project


def look(project: Project, found: Plan) -> Proposal:
    return propose(project, found, new_id, TODAY)


def taken(project: Project, found: Plan, reason: str = "") -> Project:
    return after(project, accept(project, found, look(project, found).lines, reason))


def kinds(proposal: Proposal) -> list[str]:
    return [line.kind for line in proposal.lines]


def test_an_empty_project_takes_the_whole_plan_with_its_baseline() -> None:
    found = plan(row("1", baseline=day(28)), row("2", None, actual=day(-3)), row("3", 50, percent_complete=40))
    project = taken(started(), found)
    by_source = {m.source_id: m for m in project.schedule.milestones.values()}
    assert by_source["2"].actual == day(-3)
    assert by_source["3"].percent == 40
    assert project.schedule.baseline_of(by_source["1"].id) == day(28)
    assert project.schedule.baselines[0].approver == "As in the imported plan"
    assert project.schedule.files == (HASH,)


def test_the_same_file_again_proposes_nothing_and_is_one_confirmation() -> None:
    found = plan(
        row("1"), row("2", baseline=day(3)), costs=PlannedCosts(status_date=TODAY, bac=Decimal(9), ac=Decimal(1))
    )
    project = taken(started(), found)
    again = look(project, found)
    assert (again.lines, again.unchanged) == ((), 2)
    events = projects.decide(project, accept(project, found, again.lines), NOW)
    assert [type(event) for event in events] == [PlanConfirmed]


def test_a_moved_date_says_both_dates_and_the_slip() -> None:
    project = taken(started(), plan(row("1", 10)))
    (line,) = look(project, plan(row("1", 14))).lines
    assert (line.kind, line.before, line.after, line.note) == ("moved", "11 May 2027", "15 May 2027", "+4 days")


def test_the_reason_of_moved_dates_can_be_given() -> None:
    project = taken(started(), plan(row("1", 10)))
    found = plan(row("1", 14))
    lines = look(project, found).lines
    default = projects.decide(project, accept(project, found, lines), NOW)
    given = projects.decide(project, accept(project, found, lines, "Frost"), NOW)
    assert [e.reason for e in default if isinstance(e, ForecastMoved)] == ["Imported plan, data date 1 May 2027"]
    assert [e.reason for e in given if isinstance(e, ForecastMoved)] == ["Frost"]


def test_a_name_a_deadline_and_progress_each_have_a_line() -> None:
    project = taken(started(), plan(row("1"), row("2"), row("3")))
    found = plan(row("1", title="Gate"), row("2", deadline=day(60)), row("3", percent_complete=30))
    assert kinds(look(project, found)) == ["renamed", "deadline", "progress"]
    assert look(taken(project, found), found).lines == ()


def test_renaming_keeps_what_only_we_know() -> None:
    project = taken(started(), plan(row("1")))
    (key,) = project.schedule.milestones
    described = next(iter(project.schedule.milestones.values())).details
    import msgspec

    from domain.plan.schedule import DescribeMilestone

    shared = msgspec.structs.replace(described, client_title="Ours", client_facing=True, note="Between us")
    project = after(project, DescribeMilestone(project=P, milestone=key, details=shared))
    project = taken(project, plan(row("1", title="Gate")))
    details = project.schedule.milestones[key].details
    assert (details.title, details.client_title, details.note) == ("Gate", "Ours", "Between us")


def test_what_left_the_file_is_proposed_to_leave_the_plan_and_what_was_typed_stays() -> None:
    from domain.ids import MilestoneId
    from domain.plan.schedule import AddMilestone, MilestoneDetails

    typed = AddMilestone(
        project=P, milestone=MilestoneId("typed"), details=MilestoneDetails(title="T"), forecast=day(1)
    )
    project = after(taken(started(), plan(row("1"), row("2"))), typed)
    proposal = look(project, plan(row("1")))
    assert [(line.kind, line.source_id) for line in proposal.lines] == [("missing", "2")]
    left = taken(project, plan(row("1"))).schedule.milestones.values()
    assert {m.details.title for m in left} == {"Step 1", "T"}


def test_a_milestone_met_here_is_not_opened_by_a_file() -> None:
    project = taken(started(), plan(row("1", actual=day(-1))))
    proposal = look(project, plan(row("1")))
    assert proposal.lines == ()
    assert "the file has it open" in proposal.notes[0]


def test_a_corrected_actual_date_reopens_and_meets_again() -> None:
    project = taken(started(), plan(row("1", actual=day(-1))))
    project = taken(project, plan(row("1", actual=day(-4))))
    (milestone,) = project.schedule.milestones.values()
    assert milestone.actual == day(-4)


def test_a_date_met_in_the_future_is_a_note_and_no_line() -> None:
    project = taken(started(), plan(row("1")))
    proposal = look(project, plan(row("1", actual=day(9))))
    assert proposal.lines == ()
    assert "after today" in proposal.notes[0]


def test_a_milestone_without_any_date_is_left_out_with_its_line() -> None:
    proposal = look(started(), plan(row("1", None)))
    assert proposal.lines == ()
    assert "line 7" in proposal.notes[0]


def test_an_agreed_plan_is_never_replaced_by_a_file() -> None:
    project = taken(started(), plan(row("1", baseline=day(5))))
    proposal = look(project, plan(row("1", baseline=day(8))))
    assert proposal.lines == ()
    assert "set a new agreed plan" in proposal.notes[0]


def test_costs_become_the_cost_measure_and_never_the_price() -> None:
    costs = PlannedCosts(
        currency="GBP",
        status_date=TODAY,
        bac=Decimal(100),
        pv=Decimal(40),
        ev=Decimal(30),
        ac=Decimal(35),
        eac=Decimal(110),
    )
    proposal = look(started(), plan(row("1"), costs=costs))
    assert [line.kind for line in proposal.changes] == ["added", "budget", "measured", "forecast"]
    project = taken(started(), plan(row("1"), costs=costs))
    assert list(project.budget.accounts) == ["cost"]
    assert project.budget.accounts["cost"].earned_value().eac == 110


@pytest.mark.parametrize(
    ("costs", "told"),
    [
        (PlannedCosts(currency="USD", bac=Decimal(9)), "left out"),
        (PlannedCosts(bac=Decimal(9), ac=Decimal(1)), "no status date"),
        (PlannedCosts(bac=Decimal(9), ac=Decimal(1), status_date=day(3)), "after today"),
        (PlannedCosts(bac=Decimal(9), ev=Decimal(10), status_date=TODAY), "above the approved budget"),
    ],
)
def test_figures_that_cannot_be_right_are_notes(costs: PlannedCosts, told: str) -> None:
    proposal = look(started(), plan(costs=costs))
    assert any(told in note for note in proposal.notes)
    assert "measured" not in kinds(proposal)


def test_a_line_left_out_takes_nothing_else_with_it() -> None:
    found = plan(row("1", baseline=day(3)), row("2", baseline=day(4)))
    lines = tuple(line for line in look(started(), found).lines if line.source_id != "2")
    project = after(started(), accept(started(), found, lines))
    assert [m.source_id for m in project.schedule.milestones.values()] == ["1"]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_two_files_say_accepting_all_makes_the_second_import_empty(seed: int) -> None:
    chance = random.Random(seed)

    def some_file() -> Plan:
        rows = []
        for source in chance.sample("abcdefgh", chance.randrange(1, 8)):
            met = day(-chance.randrange(1, 90)) if chance.random() < 0.3 else None
            due = chance.choice([None, day(90)])
            agreed = day(chance.randrange(60)) if chance.random() < 0.5 else None
            percent = 100 if met else chance.choice([None, 0, 50])
            title = chance.choice(["Gate", "Step", f"Milestone {source}"])
            more = {"actual": met, "deadline": due, "baseline": agreed, "percent_complete": percent, "title": title}
            rows.append(row(source, chance.randrange(60), **more))
        bac = Decimal(chance.randrange(1, 99))
        return plan(*rows, costs=PlannedCosts(status_date=TODAY, bac=bac, ac=Decimal(chance.randrange(99)), eac=bac))

    project = started()
    for found in (some_file(), some_file(), some_file()):
        try:
            project = taken(project, found)
        except Refused as refused:
            pytest.fail(f"seed {seed}: {refused.message}")
        again = look(project, found)
        left = [line for line in again.lines if line.kind != "met"]
        assert left == [], f"seed {seed}: {left}"


def test_a_date_far_from_all_others_is_marked_in_the_proposal() -> None:
    wrong = date(2019, 5, 3)
    found = propose(started(), plan(row("1"), row("2"), row("3", forecast=None, baseline=wrong)), new_id, TODAY)
    notes = {line.source_id: line.note for line in found.lines}
    assert notes == {
        "1": "", "2": "", "3": "far from all other dates: 3 May 2019",
        "": "2 without a date in it stay without an agreed date; far from all other dates: 3 May 2019",
    }  # fmt: skip


def test_where_no_task_is_a_milestone_tasks_are_offered_and_followed_ever_after() -> None:
    def tasks(*rows: PlannedMilestone) -> Plan:
        return msgspec.structs.replace(plan(), tasks=rows)

    project, found = started(), tasks(row("1"), row("2"))
    proposal = look(project, found)
    assert proposal.changes == ()
    assert [(line.kind, line.offered) for line in proposal.lines] == [
        ("added", True),
        ("added", True),
        ("baseline", True),
    ]
    project = after(project, accept(project, found, proposal.lines[:1]))
    assert [m.details.title for m in project.schedule.milestones.values()] == ["Step 1"]
    later = look(project, tasks(row("1", 37), row("2")))
    assert [(line.kind, line.title, line.offered) for line in later.lines if line.kind != "baseline"] == [
        ("moved", "Step 1", False),
        ("added", "Step 2", True),
    ]
    with_milestones = msgspec.structs.replace(plan(row("9")), tasks=(row("1"), row("2")))
    assert kinds(look(project, with_milestones)) == ["added", "baseline"]  # neither missing nor offered


def test_forecasts_become_the_first_agreed_plan_only_where_that_is_chosen() -> None:
    project, found = started(), plan(row("1"), row("2"))
    proposal = propose(project, found, new_id, TODAY, "Marta")
    assert [line.kind for line in proposal.changes] == ["added", "added"]
    assert after(project, accept(project, found, proposal.changes)).schedule.baselines == ()
    agreed = after(project, accept(project, found, proposal.lines)).schedule.baselines
    assert [(sorted(plan.dates.values()), plan.approver) for plan in agreed] == [([day(30), day(30)], "Marta")]


def test_titles_for_clients_are_part_of_the_one_command_and_of_ticked_lines_alone() -> None:
    project, found = started(), plan(row("1"), row("2"))
    lines = look(project, found).changes
    project = after(project, accept(project, found, lines, client_titles={lines[0].key: "Gate open"}))
    details = [m.details for m in project.schedule.milestones.values()]
    assert [(d.title, d.client_title, d.client_facing) for d in details] == [
        ("Step 1", "Gate open", True),
        ("Step 2", "", False),
    ]


def test_only_what_the_files_baseline_has_is_agreed() -> None:
    project = taken(started(), plan(row("1", baseline=day(28)), row("2", 40)))
    ids = {m.source_id: m.id for m in project.schedule.milestones.values()}
    assert project.schedule.baseline_of(ids["1"]) == day(28)
    assert project.schedule.baseline_of(ids["2"]) is None


def test_a_baseline_of_a_milestone_that_is_new_since_the_agreed_plan_is_offered_and_changes_no_other() -> None:
    project = taken(started(), plan(row("1", baseline=day(28))))
    proposal = look(project, plan(row("1", baseline=day(28)), row("2", 40, baseline=day(35))))
    assert [(line.kind, line.offered) for line in proposal.lines] == [("added", False), ("baseline", True)]
    project = after(project, accept(project, plan(row("1", baseline=day(28))), proposal.lines))
    ids = {m.source_id: m.id for m in project.schedule.milestones.values()}
    assert [project.schedule.baseline_of(ids[key]) for key in ("1", "2")] == [day(28), day(35)]


def test_ids_that_moved_on_by_a_row_are_the_same_milestones_with_their_histories() -> None:
    named = {"title": "Alpha"}, {"title": "Beta"}, {"title": "Gamma"}
    project = taken(started(), plan(*(row(str(n), 10 * n, **one) for n, one in enumerate(named, 1))))
    before = {m.details.title: m.id for m in project.schedule.milestones.values()}
    shifted = plan(row("1", 5, title="New"), *(row(str(n), 10 * n, **one) for n, one in enumerate(named, 2)))
    assert sorted({line.kind for line in look(project, shifted).lines}) == ["added", "moved"]
    project = taken(project, shifted)
    after_it = {m.details.title: (m.id, m.source_id, len(m.moves)) for m in project.schedule.milestones.values()}
    assert {title: key for title, (key, _source, _moves) in after_it.items() if title != "New"} == before
    assert {title: source for title, (_key, source, _moves) in after_it.items()} == {
        "New": "1", "Alpha": "2", "Beta": "3", "Gamma": "4",
    }  # fmt: skip
    assert look(project, shifted).lines == ()


def test_milestones_with_the_same_title_are_told_apart_by_the_date_agreed_for_them() -> None:
    twins = row("1", 10, title="Gate", baseline=day(10)), row("2", 20, title="Gate", baseline=day(20))
    project = taken(started(), plan(*twins))
    before = {m.source_id: m.id for m in project.schedule.milestones.values()}
    anew = row("91", 10, title="Gate", baseline=day(10)), row("92", 25, title="Gate", baseline=day(20))
    project = taken(project, plan(*anew))
    now = {m.source_id: m.id for m in project.schedule.milestones.values()}
    assert (now["91"], now["92"]) == (before["1"], before["2"])


def test_a_milestone_that_comes_back_keeps_its_history() -> None:
    project = taken(started(), plan(row("1"), row("2", 10), row("3")))
    project = taken(project, plan(row("1"), row("2", 15), row("3")))
    gone = taken(project, plan(row("1"), row("3")))
    assert len(gone.schedule.milestones) == 2
    (line,) = look(gone, plan(row("1"), row("2", 20), row("3"))).lines
    assert (line.kind, line.note) == ("returned", "comes back with its history")
    back = taken(gone, plan(row("1"), row("2", 20), row("3")))
    (milestone,) = [m for m in back.schedule.milestones.values() if m.source_id == "2"]
    assert [move.forecast for move in milestone.moves] == [day(10), day(15), day(20)]


@pytest.mark.parametrize(
    ("then", "now", "says"),
    [
        (plan(row("1"), row("2")), plan(row("8"), row("9")), "None of the 2 milestones of the plan before"),
        (plan(row("1"), row("2"), row("3")), plan(row("1", title="A"), row("2", title="B"), row("3", title="C")), "3 of 3 would be renamed"),
        (plan(*map(row, "12345")), plan(row("1"), row("2")), "3 of 5 would leave the plan"),
    ],
)  # fmt: skip
def test_what_may_be_another_plan_is_asked_about_and_only_offered(then: Plan, now: Plan, says: str) -> None:
    proposal = look(taken(started(), then), now)
    assert says in proposal.doubt
    assert proposal.lines
    assert proposal.changes == ()


def test_a_plan_that_is_called_otherwise_is_asked_about() -> None:
    named = msgspec.structs.replace(plan(row("1")), title="Harbour")
    project = taken(started(), named)
    other = look(project, msgspec.structs.replace(plan(row("1", 3)), title="Bridge"))
    assert other.doubt == "This plan is called “Bridge”; the one before it was called “Harbour”."
    assert look(project, msgspec.structs.replace(plan(row("1", 3)), title="")).doubt == ""


def test_a_plan_without_milestones_removes_nothing_by_itself() -> None:
    project = taken(started(), plan(row("1"), row("2")))
    assert look(project, plan()).changes == ()
    lost = msgspec.structs.replace(plan(row("1")), lost=True)
    assert [line.kind for line in look(project, lost).lines if line.offered] == ["missing"]
    there = msgspec.structs.replace(plan(row("1")), present=frozenset({"1", "2"}))
    assert look(project, there).lines == (), "a row that could not be read is no milestone that left"


def test_what_is_complete_without_an_actual_date_is_offered_as_met_on_its_finish() -> None:
    project = taken(started(), plan(row("1", -5)))
    lines = look(project, plan(row("1", -5, percent_complete=100))).lines
    assert [(line.kind, line.offered) for line in lines] == [("met", True), ("progress", False)]
    project = after(project, accept(project, plan(), lines[:1]))
    assert [m.actual for m in project.schedule.milestones.values()] == [day(-5)]
    new = look(started(), plan(row("7", -5, percent_complete=100)))
    project = after(started(), accept(started(), plan(), new.lines))
    assert [m.actual for m in project.schedule.milestones.values()] == [day(-5)]
    alone = accept(started(), plan(), tuple(line for line in new.lines if line.kind == "met"))
    assert len(alone.commands) == 1, "what is not added cannot be met"


@pytest.mark.parametrize(
    ("costs", "says"),
    [
        (PlannedCosts(currency="GBP", status_date=TODAY, eac=Decimal(5), ac=Decimal(1)), "The file has costs and no budget"),
        (PlannedCosts(currency="GBP", bac=Decimal(9), eac=Decimal(12)), "no status date, so its cost figures say of no day"),
        (PlannedCosts(currency="GBP", status_date=TODAY, bac=Decimal(9), eac=Decimal(2), ac=Decimal(3)), "below what it says is spent"),
        (PlannedCosts(status_date=TODAY, bac=Decimal(9)), "does not say which currency"),
    ],
)  # fmt: skip
def test_costs_that_are_left_out_are_said(costs: PlannedCosts, says: str) -> None:
    assert any(says in note for note in look(started(), plan(row("1"), costs=costs)).notes)


def test_costs_of_an_unknown_currency_are_only_offered() -> None:
    proposal = look(started(), plan(row("1"), costs=PlannedCosts(status_date=TODAY, bac=Decimal(9), ac=Decimal(1))))
    assert [line.kind for line in proposal.lines if line.offered] == ["baseline", "budget", "measured"]


def test_of_many_notes_of_a_kind_the_first_are_told_and_the_rest_counted() -> None:
    undated = plan(*(row(str(n), None) for n in range(500)))
    notes = look(started(), undated).notes
    assert len(notes) == 4
    assert notes[-1] == "The same of 497 more."
