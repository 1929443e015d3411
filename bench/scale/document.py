"""`python -m bench.scale.document [--units FILE] [--check]`: writes the tables of docs/scale.md.

Rule: a table stands between `<!-- name -->` and `<!-- end -->` and is made from what is recorded beside this file and
nothing else, so that a test can tell whether the document is what the scripts say.
"""

import argparse
import math
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from bench.load import HERE
from bench.scale import model
from bench.scale.model import DEPLOYMENTS, GIB, MIB, SIZES, THEN, Habits, Size
from bench.scale.recorded import BASELINES, PEERS, SIMULATED, UNITS, Peers, Simulated, Units, read_units

DOCUMENT = HERE.parent / "docs" / "scale.md"
PLACE = re.compile(r"<!-- (?P<name>[a-z-]+) -->\n.*?<!-- end -->\n", re.DOTALL)

COSTS = (
    ("A command: decided and recorded", "{store}.command", "decode"),
    ("the same, each further change in it", "{store}.command.each", "decode"),
    ("the same, CPU of Postgres and Redis", "{store}.command.server", "decode"),
    ("An update of a share: revealed, rendered, sealed, recorded", "{store}.update", "decode"),
    ("the same, each further change in it", "{store}.update.each", "decode"),
    ("the same, CPU of Postgres and Redis", "{store}.update.server", "decode"),
    ("Following a command that no client is shown", "{store}.unseen", "decode"),
    ("A command that another worker recorded, taken in", "{store}.heard", "decode"),
    ("An update that another process recorded, read to be sent", "{store}.read", "decode"),
    ("A receipt, recorded in a batch of 200", "{store}.claim", "decode"),
)
OF_PAGES = (
    ("A delivery, one by one", "delivery", "send"),
    ("A delivery in a burst", "delivery.joined", "send"),
    ("A receipt that comes back, before it is recorded", "receipt", "send"),
    ("An idle page, a second", "idle", "send"),
    ("A handshake, signed in and judged", "handshake", "shake"),
    ("A dashboard that is opened", "page", "decode"),
    ("A change from its POST to one page, all in one process", "change", "decode"),
    ("A row of the log, folded at a start without a snapshot", "fold", "decode"),
)
BYTES = (
    ("A row of the event log", "{store}.bytes.event"),
    ("An update in the disclosure log", "{store}.bytes.update"),
    ("A receipt", "{store}.bytes.receipt"),
)
MEMORY = (
    ("A message as it is recorded, project of 20 milestones", "bytes.message"),
    ("the same as it is sent, compressed", "bytes.sent"),
    ("Memory of a process as it starts", "memory.process"),
    ("Memory of a project with 20 milestones and a share", "memory.project"),
    ("Memory of a row of the event log", "memory.event"),
    ("Memory of an idle page", "memory.page"),
)
HABITS = {
    "by_hand": "part of the rows of the event log that are of changes by hand, two rows each; the others come by"
    " imports and pulls",
    "together": "changes in one import or pull",
    "scripted": "part of the imports and pulls that come in a row, from a script that sends many plans",
    "row": "plans in such a row",
    "seen": "part of the commands that change what the client is shown",
    "monday": "changes of a Monday, of those of an average day",
    "hand_hour": "part of a day's changes by hand in its busiest hour",
    "plan_hour": "part of a day's imports and pulls in its busiest hour",
    "open": "part of the viewers whose page is open in the busiest hour",
    "come": "pages that a viewer opens in the busiest hour",
    "receipts": "receipts that come back for each delivery",
    "days": "working days in a year",
}
NAMES = {model.one_process: "one process", model.compose: "Compose", model.fleet: "a fleet"}


class Recorded(msgspec.Struct, frozen=True):
    """Everything the tables are made from."""

    units: Units
    simulated: Simulated | None = None
    peers: Peers | None = None


def recorded(units: Path = UNITS) -> Recorded:
    """Return what is recorded; without the simulation and the peers where they were not run yet."""
    simulated = msgspec.json.decode(SIMULATED.read_bytes(), type=Simulated) if SIMULATED.exists() else None
    peers = msgspec.json.decode(PEERS.read_bytes(), type=Peers) if PEERS.exists() else None
    return Recorded(read_units(units), simulated, peers)


def written(text: str, told: Recorded) -> str:
    """Return the document with its tables made anew. Raises: ValueError for a table that nobody makes."""

    def made(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in TABLES:
            message = f"no table is called {name}; there are {', '.join(TABLES)}"
            raise ValueError(message)
        return f"<!-- {name} -->\n{TABLES[name](told)}\n<!-- end -->\n"

    return PLACE.sub(made, text)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|---" * (lines[0].count("|") - 1) + "|", *lines[1:]])


def _number(value: float) -> str:
    """Return a figure with three digits that count."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "more than there is"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def _used(value: float) -> str:
    return f"{value:.0%}" if value >= 0.1 else f"{value:.1%}" if value >= 0.001 else "< 0.1%"


def _large(value: float) -> str:
    return f"{_number(value / GIB)} GiB" if value >= GIB else f"{_number(value / MIB)} MiB"


def _time(seconds: float) -> str:
    for size, unit in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds")):
        if seconds >= 2 * size:
            return f"{_number(seconds / size)} {unit}"
    return f"{_number(seconds * 1000)} ms"


def _rounded(size: Size) -> Size:
    """Return a size with two digits that count: a model says no more."""

    def two(value: float) -> int:
        step = 10 ** max(0, math.floor(math.log10(max(1.0, value))) - 1)
        return int(value // step * step)

    return Size(two(size.projects), two(size.viewers), two(size.events))


def _size(size: Size) -> list[str]:
    return [f"{size.projects:,}", f"{size.viewers:,}", f"{size.events:,}"]


CROWDED = 0.15  # of a core


def _crowd(cores: float) -> str:
    """Return what is to be said where the machine had other work meanwhile."""
    if cores <= CROWDED:
        return ""
    work = f"Other work took up to {cores:.1f} cores of the machine meanwhile"
    return f"\n\n{work}: what is CPU is rough, and more than it would be alone; what takes time is much more."


def _baselines(told: Recorded) -> str:
    rows = [(f"`{name}`", what, f"{_number(told.units.baselines[name] * 1e6)} µs") for name, what in BASELINES.items()]
    head = ("baseline", "what it is", f"when this was measured, {told.units.made_on}")
    return _table(head, rows) + _crowd(told.units.crowd)


def _costs(told: Recorded) -> str:
    rows = []
    for what, name, of in COSTS:
        cells = []
        for store in ("sqlite", "postgres"):
            unit = told.units.units.get(name.format(store=store))
            cells.append(f"{_number(unit.value)}" if unit else "–")
        rows.append((what, *cells, f"`{of}`"))
    rows += [(what, cell := _number(told.units.units[name].value), cell, f"`{of}`") for what, name, of in OF_PAGES]
    return _table(("what", "SQLite", "Postgres and Redis", "times"), rows)


def _bytes(told: Recorded) -> str:
    rows = []
    for what, name in BYTES:
        rows.append((what, *(f"{told.units.bytes(name.format(store=s)):,.0f}" for s in ("sqlite", "postgres"))))
    rows += [(what, cell := f"{told.units.bytes(name):,.0f}", cell) for what, name in MEMORY]
    return _table(("what, in bytes", "SQLite", "Postgres"), rows)


def _habits(_told: Recorded) -> str:
    return _table(
        ("habit", "", "is"), ((f"`{key}`", what, f"{getattr(Habits(), key)}") for key, what in HABITS.items())
    )


def _rates(_told: Recorded) -> str:
    rows = []
    for size in SIZES:
        now = model.rates(size, Habits())
        cells = (now.hand, now.plans, now.updates, now.deliveries, now.come)
        rows.append([*_size(size), f"{now.open:,.0f}", *map(_number, cells)])
    head = ("projects", "viewers", "events a day", "open pages", "changes by hand", "imports and pulls", "updates")
    return _table((*head, "deliveries", "pages opened"), rows)


def _uses(told: Recorded) -> str:
    rows = []
    for size in SIZES:
        for deployment in DEPLOYMENTS:
            site = deployment(size)
            found = model.uses(size, site, told.units, Habits())
            most = model.first([model.limited(use) for use in found]).what
            cells = ", ".join(
                f"**{use.what} {_used(use.used)}**" if use.what == most else f"{use.what} {_used(use.used)}"
                for use in found
            )
            name = NAMES[deployment] + (f", {site.workers} workers" if deployment is model.fleet else "")
            rows.append((f"{size.projects:,}", name, cells))
    return _table(("projects", "on", "used in the busiest hour; what is used up first is bold"), rows)


def _goes_to(told: Recorded) -> str:
    rows = []
    for deployment in DEPLOYMENTS:
        size, stops = model.goes_to(deployment, told.units, Habits())
        rows.append((NAMES[deployment], *_size(_rounded(size)), stops.what, THEN[stops.what]))
    return _table(("on", "projects", "viewers", "events a day", "what stops it", "what to do then"), rows)


def _goes_to_without_memory(told: Recorded) -> str:
    """What would stop each where memory were no matter."""
    rows = []
    for deployment in DEPLOYMENTS:

        def roomy(size: Size, deployment: Callable[[Size], model.Site] = deployment) -> model.Site:
            return msgspec.structs.replace(deployment(size), memory=math.inf, connections=1_000_000)

        size, stops = model.goes_to(roomy, told.units, Habits())
        rows.append((NAMES[deployment], *_size(_rounded(size)), stops.what, THEN[stops.what]))
    return _table(("on", "projects", "viewers", "events a day", "what stops it", "what to do then"), rows)


def _after_a_year(told: Recorded) -> str:
    rows = []
    for size in SIZES:
        alone, habits = model.one_process(size), Habits()
        site = model.fleet(size)
        rows.append(
            (
                f"{size.projects:,}",
                f"{size.events * habits.days:,}",
                _large(model.kept(size, alone, told.units, habits)),
                _large(model.kept(size, site, told.units, habits)),
                _large(model.memory(size, site, told.units, habits)),
                _time(model.rebuilt(size, told.units, habits)),
                _time(model.back(size, alone, told.units, habits)),
                _time(model.back(size, site, told.units, habits)),
            )
        )
    head = ("projects", "rows of the event log", "on disk, SQLite", "on disk, Postgres", "memory of a worker")
    more = ("a start without a snapshot", "all pages back, one process", "all pages back, a fleet")
    return _table((*head, *more), rows)


def _simulation(told: Recorded) -> str:
    if told.simulated is None:
        return "Not measured yet: `python -m bench.scale.simulation --record`."
    done = told.simulated
    said = (
        f"{done.made_on}: {done.projects:,} projects with {done.events_a_day:,} events a day; in the hour"
        f" {done.commands:,} commands, {done.events:,} rows of the event log, {done.updates:,} updates."
    )
    rows = []
    for pace in done.paces:
        name = "as measured" if pace.slower == 1 else f"{_number(pace.slower)} times slower"
        for row in pace.rows:
            figures = (f"{_number(value)} {row.unit}" for value in (row.model, row.came_out))
            rows.append((name, row.what, *figures, f"{row.off:+.0%}"))
    return f"{said}\n\n" + _table(("machine", "what", "model", "came out", "the model is off by"), rows)


def _peers(told: Recorded) -> str:
    if told.peers is None:
        return "Not measured yet: `python -m bench.peers --record`."
    said = f"{told.peers.made_on}, medians of {told.peers.runs} runs."
    lines = [[cell.split(" (")[0] for cell in column] for column in zip(*told.peers.rows, strict=True)]
    if told.peers.crowd <= CROWDED:
        return f"{said}\n\n" + _table(lines[0], lines[1:])
    lines = [line for line in lines if not line[0].startswith(("p50", "p99", "time"))]
    more = (
        "Waits are left out for that. What comes one by one then waits for a core too, and goes out joined where a"
        " server joins what waits: the push layer's rows of one by one are better than they would be alone."
    )
    return f"{said}\n\n" + _table(lines[0], lines[1:]) + f"{_crowd(told.peers.crowd)} {more}"


TABLES: dict[str, Callable[[Recorded], str]] = {
    "baselines": _baselines,
    "costs": _costs,
    "bytes": _bytes,
    "habits": _habits,
    "rates": _rates,
    "uses": _uses,
    "goes-to": _goes_to,
    "goes-to-without-memory": _goes_to_without_memory,
    "after-a-year": _after_a_year,
    "simulation": _simulation,
    "peers": _peers,
}


def main(arguments: list[str]) -> int:
    """Return the exit code: 1 where the document is not what it would be, with --check."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale.document", description=__doc__)
    parser.add_argument("--units", type=Path, default=UNITS, help="costs of one's own machine, printed and not written")
    parser.add_argument("--check", action="store_true", help="only tell whether the document is up to date")
    given = parser.parse_args(arguments)
    before = DOCUMENT.read_text()
    after = written(before, recorded(given.units))
    if given.check:
        return int(before != after)
    if given.units == UNITS:
        DOCUMENT.write_text(after)
    else:
        print(after)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
