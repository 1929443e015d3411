"""The plan of a project as Microsoft Project's XML imports to no change, and says what the project says."""

import os
import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from domain.errors import Refused
from domain.ids import MilestoneId
from domain.money import Money
from domain.plan import schedule
from domain.plan.budget import ApproveBudget, ApproveBudgetChange, ForecastCompletion, MeasureCost
from domain.plan.project import Project, ProjectCommand
from domain.plan.schedule import MilestoneDetails
from tests.web.proposal.test_compare import TODAY, P, after, new_id, started
from web.importers import Plan, read
from web.importers.mspdi.names import NAMESPACE
from web.proposal.compare import Proposal, accept, propose
from web.proposal.writing import written

pytestmark = pytest.mark.once

SEED = int(os.environ.get("SEED", "20270501"))
CASES, COMMANDS = 60, 40
TITLES = ("Gate", "Übergabe & Abnahme", "a < b > c", "מסירה ללקוח", "Two  blanks", "Fin 🏁", 'the "end"', "x" * 200)


def exported(project: Project) -> Plan:
    return read("plan.xml", written(project)[0])


def compared(project: Project) -> Proposal:
    return propose(project, exported(project), new_id, TODAY)


def day(chance: random.Random, low: int = -200, high: int = 300) -> date:
    return TODAY + timedelta(days=chance.randint(low, high))


def commands(chance: random.Random, number: int) -> list[Callable[[MilestoneId], ProjectCommand]]:
    """Makers of commands, each given some milestone of the project."""
    title = chance.choice(TITLES) if chance.random() < 0.5 else f"Step {number}"
    details = MilestoneDetails(title=title, deadline=chance.choice([None, day(chance)]))
    source = chance.choice(["", str(number), f"ID-{number}", "0", "07", "1000001", str(10**12 + number), "task 5"])
    amount = Decimal(chance.randint(0, 10**7)) / chance.choice([1, 10, 100, 1000])
    status = chance.choice([TODAY, TODAY, TODAY - timedelta(days=30)])
    share = Decimal(chance.randint(0, 100)) / 100
    figures = [chance.choice([None, (amount * share).quantize(Decimal("0.01"))]) for _ in range(3)]
    return [
        lambda _m: schedule.AddMilestone(project=P, milestone=MilestoneId(f"m{number}"), details=details, forecast=day(chance), source_id=source),
        lambda m: schedule.MoveForecast(project=P, milestone=m, forecast=day(chance), reason="Later"),
        lambda m: schedule.ReportProgress(project=P, milestone=m, percent=chance.randint(0, 100)),
        lambda m: schedule.MeetMilestone(project=P, milestone=m, actual=day(chance, -100, 0)),
        lambda m: schedule.ReopenMilestone(project=P, milestone=m, reason="Not done"),
        lambda m: schedule.RemoveMilestone(project=P, milestone=m, reason="Gone"),
        lambda m: schedule.RestoreMilestone(project=P, milestone=m),
        lambda m: schedule.LinkMilestone(project=P, milestone=m, source_id=source),
        lambda m: schedule.ApproveBaseline(project=P, reason="Agreed", approver="Ines", on=TODAY, dates={m: day(chance)}),
        lambda _m: schedule.ApproveBaseline(project=P, reason="All agreed", approver="Ines", on=TODAY),
        lambda _m: schedule.ConfirmPlan(project=P, source="import", file_hash="a" * 64, data_date=status, title=chance.choice(["", "The plan"])),
        lambda _m: ApproveBudget(project=P, measure="cost", amount=Money(amount, "GBP"), reason="Approved"),
        lambda _m: ApproveBudgetChange(project=P, measure="cost", amount=Money(amount, "GBP"), reason="More", approver="Ines"),
        lambda _m: MeasureCost(project=P, measure="cost", status_date=status, pv=figures[0], ev=figures[1], ac=figures[2]),
        lambda _m: ForecastCompletion(project=P, measure="cost", status_date=status, eac=amount, reason="As it looks"),
    ]  # fmt: skip


def random_project(chance: random.Random) -> Project:
    project = started()
    for number in range(1, COMMANDS):
        known = [*project.schedule.milestones, *project.schedule.removed]
        some = chance.choice(known) if known else MilestoneId("none")
        weights = [6, 3, 3, 2, 1, 1, 1, 1, 2, 1, 2, 2, 1, 3, 2]
        maker = chance.choices(commands(chance, number), weights)[0]
        try:
            project = after(project, maker(some))
        except Refused:
            continue
    return project


def test_a_project_exported_and_imported_again_changes_nothing() -> None:
    print(f"SEED={SEED} repeats these {CASES} projects")
    seen = {"milestones": 0, "met": 0, "agreed": 0, "measured": 0, "forecast": 0, "without id": 0, "data date": 0}
    for case in range(CASES):
        project = random_project(random.Random(SEED + case))
        plan, proposal = exported(project), compared(project)
        assert proposal.changes == (), (SEED + case, proposal.changes)
        assert proposal.doubt == ""
        here = project.schedule.milestones
        assert plan.read == len(plan.milestones) == len(here)
        for one in plan.milestones:
            ours = here[MilestoneId(one.own_id)]
            assert (one.title, one.actual) == (" ".join(ours.details.title.split()), ours.actual)
            assert one.forecast == ours.expected
            assert one.percent_complete == ours.percent
            assert one.deadline == ours.details.deadline
            assert one.baseline == project.schedule.baseline_of(ours.id)
            agreed = [made.dates[ours.id] for made in project.schedule.baselines[-10:] if ours.id in made.dates]
            assert [when for slot, when in one.baselines if slot] == agreed
            seen["met"] += one.actual is not None
            seen["agreed"] += one.baseline is not None
            seen["without id"] += not ours.source_id
        if project.schedule.data_date:
            assert plan.data_date == project.schedule.data_date
        seen["milestones"] += len(here)
        seen["data date"] += plan.data_date is not None
        seen["measured"] += plan.costs is not None and plan.costs.pv is not None
        seen["forecast"] += plan.costs is not None and plan.costs.eac is not None
    assert all(seen.values()), f"some of it never came up: {seen}"


def test_what_somebody_changes_in_the_exported_plan_is_what_the_import_proposes() -> None:
    """So that no change is not what any file gives."""
    project = random_project(random.Random(SEED))
    for old in [m for m in project.schedule.milestones.values() if m.actual is None][:1]:
        was = f"<Finish>{old.forecast.isoformat()}T17:00:00</Finish>"
        data = written(project)[0].decode()
        at = data.index(f"fanlight:{old.id}<")
        begins = data.rindex("<Task>", 0, at)
        changed = data[:begins] + data[begins:].replace(was, "<Finish>2028-01-15T17:00:00</Finish>", 1)
        lines = propose(project, read("plan.xml", changed.encode()), new_id, TODAY).changes
        assert [(line.kind, line.source_id != "") for line in lines] == [("moved", True)]
        return
    pytest.fail("the project has no open milestone")


def test_a_new_project_takes_the_exported_plan_over_whole() -> None:
    project = random_project(random.Random(SEED + 1))
    plan, other = exported(project), started()
    proposal = propose(other, plan, new_id, TODAY)
    taken = after(other, accept(other, plan, proposal.changes))
    ours = {one.source_id: one for one in plan.milestones}
    assert len(taken.schedule.milestones) == len(project.schedule.milestones) > 3
    for one in taken.schedule.milestones.values():
        assert one.actual == ours[one.source_id].actual
        assert taken.schedule.baseline_of(one.id) == ours[one.source_id].baseline


def test_a_task_that_was_copied_in_the_tool_is_a_new_milestone() -> None:
    project = after(started(), schedule.AddMilestone(project=P, milestone=MilestoneId("m1"), details=MilestoneDetails(title="Gate"), forecast=TODAY))  # fmt: skip
    data = written(project)[0].decode()
    begins, ends = data.rindex("<Task>"), data.rindex("</Task>") + len("</Task>")
    copy = data[begins:ends].replace("<UID>1000001<", "<UID>1000002<").replace("<Name>Gate<", "<Name>Gate 2<")
    plan = read("plan.xml", (data[:ends] + copy + data[ends:]).encode())
    lines = propose(project, plan, new_id, TODAY).changes
    assert [(line.kind, line.title) for line in lines] == [("added", "Gate 2")]


def test_figures_that_the_format_cannot_say_exactly_are_left_out_and_that_is_told() -> None:
    project = started()
    for command in (
        ApproveBudget(project=P, measure="cost", amount=Money(Decimal(1000), "GBP"), reason="Approved"),
        MeasureCost(project=P, measure="cost", status_date=TODAY, pv=Decimal(10), ev=Decimal(9), ac=Decimal(8)),
        schedule.ConfirmPlan(project=P, source="import", file_hash="a" * 64, data_date=TODAY - timedelta(days=9)),
    ):
        project = after(project, command)
    data, notes = written(project)
    assert "of another day than the dates of the plan" in " ".join(notes)
    assert notes[0].encode() in data
    costs = read("plan.xml", data).costs
    assert costs is not None
    assert (costs.bac, costs.ac, costs.pv, costs.ev) == (Decimal(1000), None, None, None)


def test_the_price_of_a_project_and_its_notes_are_not_in_the_file() -> None:
    secret = MilestoneDetails(title="Gate", note="a remark among us", value=Money(Decimal(4711), "GBP"))
    project = after(started(), schedule.AddMilestone(project=P, milestone=MilestoneId("m1"), details=secret, forecast=TODAY))  # fmt: skip
    project = after(project, ApproveBudget(project=P, measure="price", amount=Money(Decimal(987654), "GBP"), reason="x"))  # fmt: skip
    data = written(project)[0]
    assert not any(word in data for word in (b"remark", b"4711", b"987654"))


def test_the_file_is_well_formed_and_every_id_in_it_stands_once() -> None:
    project = random_project(random.Random(SEED + 2))
    root = ET.fromstring(written(project)[0])
    found = [task.findtext(f"{{{NAMESPACE}}}UID") for task in root.iter(f"{{{NAMESPACE}}}Task")]
    assert len(found) == len(set(found)) == len(project.schedule.milestones) + 1
