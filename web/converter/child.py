"""The process that holds Java: one file of a planning tool in, Microsoft Project's XML out, one line of JSON told.

Run as `python -m web.converter.child KIND FILE OUT MEMORY_MB MOST_WRITTEN SECONDS` by `web.converter.running` alone. Of
the readers that mpxj has, the one for this kind is used: no archive is opened and no database but Asta's.
"""

import ctypes
import os
import resource
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from pyexpat import ExpatError, ParserCreate
from typing import Any

import msgspec

from web.converter.bounds import Converted

READERS = {
    "mpp": "org.mpxj.mpp.MPPReader",
    "xer": "org.mpxj.primavera.PrimaveraXERFileReader",
    "pmxml": "org.mpxj.primavera.PrimaveraPMFileReader",
    "mpx": "org.mpxj.mpx.MPXReader",
    "planner": "org.mpxj.planner.PlannerReader",
    "asta": "org.mpxj.asta.AstaFileReader",
}
XML, SEVERAL = ("pmxml", "planner"), ("xer", "pmxml")
BESIDE_THE_HEAP = 3 * 2**30  # bytes of address space that a Java runtime claims, most of which it never touches
FILES, STEP, HEAD = 256, 64, 64 * 1024
NEW_USER, NEW_NETWORK, DIES_WITH_PARENT = 0x10000000, 0x40000000, 1  # of unshare(2) and prctl(2)


class _Doctype(Exception):
    """The file declares a DOCTYPE."""


def bound(memory_mb: int, most_written: int, seconds: int) -> bool:
    """Bound this process, and return whether it is without a network from now on."""
    for what, most in (
        (resource.RLIMIT_AS, memory_mb * 2**20 + BESIDE_THE_HEAP),
        (resource.RLIMIT_CPU, 2 * seconds),  # of all its threads
        (resource.RLIMIT_FSIZE, most_written),
        (resource.RLIMIT_NOFILE, FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file that is too long is an error of the write
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(DIES_WITH_PARENT, signal.SIGKILL)
    return bool(libc.unshare(NEW_USER | NEW_NETWORK) == 0)


def start(memory_mb: int) -> None:
    """Start the Java runtime in this process."""
    import jpype
    import mpxj as _jars  # noqa: F401 - which names its archives to jpype

    jpype.startJVM(
        f"-Xmx{memory_mb}m", "-Xss2m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:CICompilerCount=1",
        "-XX:MaxMetaspaceSize=256m", "-XX:CompressedClassSpaceSize=64m", "-XX:ReservedCodeCacheSize=64m",
        "-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData", "-Djava.awt.headless=true", f"-Djava.io.tmpdir={Path.cwd()}",
        "-Djavax.xml.accessExternalDTD=", "-Djavax.xml.accessExternalSchema=", "-Dlog4j2.disable.jmx=true",
        "-Dlog4j2.StatusLogger.level=OFF", convertStrings=True,
    )  # fmt: skip


def convert(kind: str, file: Path, out: Path) -> Converted:
    """Write the plan in a file as Microsoft Project's XML, and return what was met; Java has started."""
    import jpype

    try:
        projects, plan = _read(kind, file)
        if plan is None or not plan.getTasks().size():
            return Converted(wrong="empty")
        baseline = _agreed(kind, projects, plan)
        properties = plan.getProjectProperties()
        name = properties.getProjectTitle() or properties.getName() or ""
        properties.setProjectTitle(name)  # P6 has no other
        jpype.JClass("org.mpxj.mspdi.MSPDIWriter")().write(plan, str(out))
    except jpype.JException as error:
        return _failed(error)
    return Converted(
        mpxj=version("mpxj"),
        java=str(jpype.java.lang.System.getProperty("java.version")),
        projects=len(projects) or 1,
        title=str(name)[:200],
        tasks=int(plan.getTasks().size()),
        baseline=baseline,
    )


def declares(file: Path) -> bool:
    """Tell whether a file declares a DOCTYPE before its first element, or is so odd that this cannot be told."""
    parser = ParserCreate()
    begun: list[str] = []

    def declared(*_other: object) -> None:
        raise _Doctype

    parser.StartDoctypeDeclHandler = declared
    parser.StartElementHandler = lambda name, _attributes: begun.append(name)
    try:
        with file.open("rb") as stream:
            while not begun and stream.tell() < HEAD and (piece := stream.read(STEP)):
                parser.Parse(piece, False)
    except (_Doctype, ExpatError, LookupError, ValueError):
        return True
    return not begun


def _read(kind: str, file: Path) -> tuple[list[Any], Any]:
    """Return the plans in a file, without those that are a baseline of another, and the one that is taken."""
    import jpype

    reader = jpype.JClass(READERS[kind])()
    if kind not in SEVERAL:
        plan = reader.read(str(file))
        return [plan], plan
    every = list(reader.readAll(str(file)))
    bases = {one.getProjectProperties().getBaselineProjectUniqueID() for one in every} - {None}
    plans = [
        one
        for one in every
        if not one.getProjectProperties().getProjectIsBaseline()
        and one.getProjectProperties().getUniqueID() not in bases
    ]
    plan = next(iter(plans or every), None)
    if plan is not None and not _bases(plan):
        _attach(plan, every)
    return plans, plan


def _bases(plan: Any) -> list[Any]:
    return [one for one in plan.getBaselines() if one is not None]


def _attach(plan: Any, every: list[Any]) -> None:
    """Give a plan the baseline project that it names, where the file has it."""
    wanted = plan.getProjectProperties().getBaselineProjectUniqueID()
    for one in every:
        if wanted is not None and one.getProjectProperties().getUniqueID() == wanted and one is not plan:
            plan.setBaseline(one)


def _agreed(kind: str, projects: list[Any], plan: Any) -> bool:
    """Tell whether baseline dates of a plan are ones that were agreed; those of P6 that were not are taken off.

    Without a baseline project mpxj gives a plan of P6 its own planned dates as a baseline, as P6 does for its columns.
    """
    if kind not in SEVERAL or not projects or _bases(plan):
        return True
    for task in plan.getTasks():
        for name in ("Start", "Finish", "Duration", "Cost", "Work"):
            getattr(task, f"setBaseline{name}")(None)
    return False


def _failed(error: Any) -> Converted:
    """Return what is wrong in the words there are for it; what mpxj said goes along."""
    said = " ".join(str(error).split())[:300]
    cause = error.getCause() if hasattr(error, "getCause") else None
    if cause is not None:
        said = f"{said}: {' '.join(str(cause).split())[:200]}"
    if "OutOfMemory" in said or "StackOverflow" in said:
        return Converted(wrong="memory", told=said)
    return Converted(wrong="password" if "password" in said.lower() else "unreadable", told=said)


def main() -> None:
    """Convert what the arguments name, and tell it on standard output, to which Java does not write."""
    kind, file, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    memory_mb, most_written, seconds = (int(one) for one in sys.argv[4:7])
    told = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    alone = bound(memory_mb, most_written, seconds)
    if kind in XML and declares(file):  # before Java sees any of it
        answer = Converted(wrong="doctype")
    else:
        start(memory_mb)
        answer = msgspec.structs.replace(convert(kind, file, out), alone=alone)
    told.write(msgspec.json.encode(answer))
    told.flush()
    os._exit(0)  # Java has nothing to put in order


if __name__ == "__main__":
    main()
