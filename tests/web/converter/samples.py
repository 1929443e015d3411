"""Plans of other tools, written and read by mpxj itself, in one Java process: `... samples FOLDER [MPP FILE ...]`.

It writes a sample of each kind that mpxj writes, says what mpxj reads in it again, and has each converted by the same
function as the converter's process: all of it as JSON on standard output.
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from web.converter import child

KINDS = ("xer", "pmxml", "mpx", "planner")
DATA_DATE = (2027, 3, 31)


def main() -> None:
    folder = Path(sys.argv[1])
    child.start(512)
    import jpype

    made = {"baseline": written(folder)}
    told: dict[str, Any] = {}
    files = [(kind, folder / f"plan.{kind}") for kind in KINDS]
    files += [("pmxml", folder / "base.pmxml"), ("xer", folder / "two.xer")]
    files += [("mpp", Path(one)) for one in sys.argv[2:]]
    for kind, path in files:
        out = folder / f"{path.name}.xml"
        told[path.name] = {
            "mpxj": reported(jpype.JClass(child.READERS[kind])().read(str(path))),
            "converted": msgspec.to_builtins(child.convert(kind, path, out)),
        }
    print(json.dumps(told | made))


def written(folder: Path) -> bool:
    """Write every sample."""
    import jpype

    plan = project("Harbour lights", 0)
    base = project("Harbour lights, agreed", -14, plan)
    writers = {
        "xer": "org.mpxj.primavera.PrimaveraXERFileWriter",
        "pmxml": "org.mpxj.primavera.PrimaveraPMFileWriter",
        "mpx": "org.mpxj.mpx.MPXWriter",
        "planner": "org.mpxj.planner.PlannerWriter",
    }
    for kind, name in writers.items():
        jpype.JClass(name)().write(plan, str(folder / f"plan.{kind}"))
    both = jpype.java.util.ArrayList()
    both.add(plan)
    base.getProjectProperties().setUniqueID(jpype.java.lang.Integer(77))
    base.getProjectProperties().setProjectID("OTHER")
    both.add(base)
    jpype.JClass(writers["xer"])().write(both, str(folder / "two.xer"))
    plan.setBaseline(base)
    writer = jpype.JClass(writers["pmxml"])()
    writer.setWriteBaselines(True)
    writer.write(plan, str(folder / "base.pmxml"))
    return True


def project(title: str, earlier: int, beside: Any = None) -> Any:
    """Return a plan: a phase with work, a milestone that was met, two to come; its dates moved by so many days."""
    import jpype

    moment, days = jpype.java.time.LocalDateTime, jpype.JClass("org.mpxj.TimeUnit").DAYS
    lasting, kinds = jpype.JClass("org.mpxj.Duration").getInstance, jpype.JClass("org.mpxj.ActivityType")

    def at(month: int, day: int) -> Any:
        return moment.of(2027, month, day, 17, 0).plusDays(earlier)

    kind = jpype.JClass("org.mpxj.ProjectFile")
    plan = kind(beside.getProjectContext()) if beside is not None else kind()
    properties = plan.getProjectProperties()
    properties.setProjectTitle(title)
    properties.setName(title)
    properties.setProjectID("HARBOUR")
    properties.setStatusDate(moment.of(*DATA_DATE, 17, 0))
    properties.setStartDate(at(1, 4))
    properties.setUniqueID(jpype.java.lang.Integer(1))
    calendar = plan.addDefaultBaseCalendar()
    properties.setDefaultCalendar(calendar)
    phase = plan.addTask()
    phase.setName("Lights")
    phase.setSummary(True)
    phase.setDuration(lasting(128.0, days))
    phase.setWork(lasting(0.0, days))
    phase.setStart(at(2, 1))
    phase.setFinish(at(6, 30))

    def task(name: str, start: Any, finish: Any, length: int, kind: Any) -> Any:
        one = phase.addTask()
        one.setName(name)
        one.setActivityType(kind)
        one.setMilestone(length == 0)
        one.setCalendar(calendar)
        for field in ("Duration", "PlannedDuration", "RemainingDuration"):
            getattr(one, f"set{field}")(lasting(float(length), days))
        for field in ("Start", "PlannedStart", "EarlyStart", "RemainingEarlyStart"):
            getattr(one, f"set{field}")(start)
        for field in ("Finish", "PlannedFinish", "EarlyFinish", "RemainingEarlyFinish"):
            getattr(one, f"set{field}")(finish)
        one.setWork(lasting(0.0, days))
        one.setPercentageComplete(0)
        return one

    task("Cables laid", at(2, 1), at(5, 7), 69, kinds.TASK_DEPENDENT)
    task("Lamps, lit & tested", at(5, 28), at(5, 28), 0, kinds.FINISH_MILESTONE)
    met = task("Permit received", at(3, 1), at(3, 1), 0, kinds.START_MILESTONE)
    met.setActualStart(at(3, 1))
    met.setActualFinish(at(3, 1))
    met.setRemainingDuration(lasting(0.0, days))
    met.setPercentageComplete(100)
    task("Übergabe", at(6, 30), at(6, 30), 0, kinds.FINISH_MILESTONE)
    return plan


def reported(plan: Any) -> dict[str, Any]:
    """Return what mpxj says is in a plan."""
    day = lambda value: str(value)[:10] if value is not None else None  # noqa: E731
    properties = plan.getProjectProperties()
    milestones = [
        {"id": str(one.getUniqueID()), "title": str(one.getName()), "finish": day(one.getFinish() or one.getStart()),
         "actual": day(one.getActualFinish())}
        for one in plan.getTasks() if one.getMilestone() and not one.getSummary()
    ]  # fmt: skip
    return {
        "data date": day(properties.getStatusDate()),
        "tasks": int(plan.getTasks().size()),
        "milestones": milestones,
    }


if __name__ == "__main__":
    main()
