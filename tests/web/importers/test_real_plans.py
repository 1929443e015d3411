"""Plans from real tools are read; what is expected of each was counted by another XML reader and by eye."""

from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.web.importers.plans import REAL
from web.importers import read as read_any
from web.importers.mspdi import reader

N = "{http://schemas.microsoft.com/project}"
COUNTS = {  # milestones of each real plan
    "assignment-fields": 0,
    "deployment-323-tasks": 23,
    "new-product": 12,
    "office-fitout-sample": 1,
    "sample1": 1,
    "task-baselines-2019": 0,
}
pytestmark = pytest.mark.once
PLANS = sorted(REAL.glob("*.mspdi.xml"))


def plan_bytes(name: str) -> bytes:
    """Return the bytes of a real plan."""
    return (REAL / f"{name}.mspdi.xml").read_bytes()


def test_all_six_real_plans_are_tried() -> None:
    assert [path.name.removesuffix(".mspdi.xml") for path in PLANS] == sorted(COUNTS)


def milestones_by_another_reader(path: Path) -> list[tuple[str, str]]:
    """Return (UID, day of finish) of the milestones as another reader and three lines of rules see them."""
    found = []
    for task in ET.parse(path).getroot().iterfind(f"{N}Tasks/{N}Task"):
        told = {child.tag.removeprefix(N): child.text or "" for child in task}
        instant = told.get("Duration") == "PT0H0M0S" and told.get("Summary") != "1"
        left_out = told.get("IsNull") == "1" or told.get("Active") == "0" or told["UID"] == "0"
        if not left_out and (told.get("Milestone") == "1" or instant):
            found.append((told["UID"], told["Finish"][:10]))
    return found


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.name)
def test_every_milestone_of_a_plan_is_found_in_its_order_and_with_its_line(path: Path) -> None:
    data = path.read_bytes()
    plan = read_any(path.name, data)
    assert [(m.source_id, str(m.forecast)) for m in plan.milestones] == milestones_by_another_reader(path)
    assert len(plan.milestones) == COUNTS[path.name.removesuffix(".mspdi.xml")]
    lines = data.split(b"\n")
    assert all(b"<Task>" in lines[m.line - 1] for m in plan.milestones)


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.name)
def test_no_element_of_a_plan_a_tool_saved_is_unknown(path: Path) -> None:
    assert not [note for note in reader.read(path.read_bytes()).notes if "Unknown element" in note]


def test_the_milestones_of_a_plan_that_sets_no_flag_are_known_by_their_duration() -> None:
    notes = reader.read(plan_bytes("new-product")).notes
    assert "Milestones recognised by zero duration, their flag is not set: 12 (first on line 1519)." in notes


def test_money_agrees_with_rates_times_hours() -> None:
    """200 h at 10 and 300 h at 5, and half of 30 and three quarters of 15 for each use: 3526.25."""
    costs = reader.read(plan_bytes("office-fitout-sample")).costs
    assert costs is not None
    by_hand = Decimal(200 * 10 + 300 * 5) + Decimal(30) * Decimal("0.5") + Decimal(15) * Decimal("0.75")
    assert costs.eac == by_hand == Decimal("3526.25")


def test_a_plan_with_actuals_but_no_baseline_cost_gives_only_what_it_says() -> None:
    plan = reader.read(plan_bytes("assignment-fields"))
    assert plan.costs is not None
    assert (plan.costs.currency, plan.costs.ac, plan.costs.eac) == ("GBP", Decimal("299.08"), Decimal("5052.00"))
    assert (plan.costs.bac, plan.costs.pv, plan.costs.ev, plan.costs.status_date) == (None, None, None, None)


def test_sparse_baselines_of_all_eleven_slots_are_read() -> None:
    """The plan has ordinary tasks only, so its first task with a finish in each slot is made a milestone here."""
    data = plan_bytes("task-baselines-2019").replace(b"<Milestone>0<", b"<Milestone>1<")
    slots = {number for milestone in reader.read(data).milestones for number, _ in milestone.baselines}
    assert slots == set(range(11))
