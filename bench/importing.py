"""How long a large plan takes to read, against `iterparse` over the same file, and whether its memory grows with it.

The file is made as Microsoft Project writes one: some ninety elements a task, most of which no import needs.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree as ET

from bench.gate import Row, median, spread

TASKS, MILESTONE_EVERY, RUNS = 50_000, 50, 5
SMALL = 5_000
NAMESPACE = "http://schemas.microsoft.com/project"
UNREAD = (
    "ManualStart", "ManualFinish", "ManualDuration", "DurationFormat", "Work", "ResumeValid", "EffortDriven",
    "Recurring", "OverAllocated", "Estimated", "DisplayAsSummary", "Critical", "IsSubproject",
    "IsSubprojectReadOnly", "EarlyStart", "EarlyFinish", "LateStart", "LateFinish", "StartVariance",
    "FinishVariance", "WorkVariance", "FreeSlack", "TotalSlack", "StartSlack", "FinishSlack", "FixedCost",
    "FixedCostAccrual", "PercentWorkComplete", "OvertimeCost", "OvertimeWork", "ActualDuration", "ActualCost",
    "ActualOvertimeCost", "ActualWork", "ActualOvertimeWork", "RegularWork", "RemainingDuration", "RemainingCost",
    "RemainingWork", "RemainingOvertimeCost", "RemainingOvertimeWork", "CV", "ConstraintType", "CalendarUID",
    "LevelAssignments", "LevelingCanSplit", "LevelingDelay", "LevelingDelayFormat", "IgnoreResourceCalendar",
    "HideBar", "Rollup", "PhysicalPercentComplete", "EarnedValueMethod", "IsPublished", "CommitmentType",
)  # fmt: skip
NESTED = (
    "<PredecessorLink><PredecessorUID>1</PredecessorUID><Type>1</Type><CrossProject>0</CrossProject>"
    "<LinkLag>0</LinkLag><LagFormat>7</LagFormat></PredecessorLink>\n"
    "<TimephasedData><Type>11</Type><UID>1</UID><Start>2027-01-01T00:00:00</Start>"
    "<Finish>2027-01-02T00:00:00</Finish><Unit>2</Unit><Value>PT8H0M0S</Value></TimephasedData>\n"
)


def run() -> list[Row]:
    """Return reading time over that of `iterparse`, and peak memory with a file ten times as large."""
    with tempfile.TemporaryDirectory() as folder:
        large, small = write(Path(folder) / "large.xml", TASKS), write(Path(folder) / "small.xml", SMALL)
        ratios = [_ours(large) / _iterparse(large) for _ in range(RUNS)]
        grown = _peak(large) / _peak(small)
    size = f"{TASKS:,} tasks"
    slow = f"{size}; {spread(ratios)}"
    return [
        Row("reading a plan as Project writes it", median(ratios), "of iterparse over the same file", 1.6, slow),
        Row("peak memory of that, of a tenth of the tasks", grown, "resident, a process each", 1.3, size),
    ]


def write(path: Path, tasks: int) -> Path:
    """Write a plan of so many tasks, every fiftieth of them a milestone, and return its path."""
    unread = "".join(f"<{name}>0</{name}>\n" for name in UNREAD)
    with path.open("w") as out:
        out.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<Project xmlns="{NAMESPACE}">\n')
        out.write("<Title>Large</Title>\n<Tasks>\n")
        for uid in range(1, tasks + 1):
            gate = uid % MILESTONE_EVERY == 0
            out.write(
                f"<Task>\n<UID>{uid}</UID>\n<ID>{uid}</ID>\n<Name>Task {uid}</Name>\n<Active>1</Active>\n"
                f"<IsNull>0</IsNull>\n<WBS>1.{uid}</WBS>\n<OutlineNumber>1.{uid}</OutlineNumber>\n"
                f"<OutlineLevel>2</OutlineLevel>\n<Start>2027-02-01T08:00:00</Start>\n"
                f"<Finish>2027-03-{1 + uid % 28:02d}T17:00:00</Finish>\n"
                f"<Duration>PT{0 if gate else 80}H0M0S</Duration>\n<Milestone>{int(gate)}</Milestone>\n"
                f"<Summary>0</Summary>\n<PercentComplete>0</PercentComplete>\n<ExternalTask>0</ExternalTask>\n"
                f"{unread}{NESTED}</Task>\n"
            )
        out.write("</Tasks>\n</Project>\n")
    return path


def _iterparse(path: Path) -> float:
    start = time.process_time()
    for _event, element in ET.iterparse(path):
        element.clear()
    return time.process_time() - start


def _ours(path: Path) -> float:
    from web.importers import read

    start = time.process_time()
    plan = read(path.name, path, max_bytes=2**30)
    assert len(plan.milestones) == TASKS // MILESTONE_EVERY
    return time.process_time() - start


def _peak(path: Path) -> float:
    """Return the most memory a process needs that reads a plan, in KiB."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.importing", str(path)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


if __name__ == "__main__":
    from web.importers import read

    read("plan.xml", Path(sys.argv[1]), max_bytes=2**30)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
