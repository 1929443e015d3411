"""`python -m bench.scale.units [--record [FILE]] [--seconds]`: what one of each thing costs.

Each cost is a ratio to a baseline measured in the same run, on SQLite and on Postgres with Redis; `--seconds` prints
what they come to on this machine, `--record` keeps them for the model and docs/scale.md. CPU is of the process that
does it unless it says `server`, which is Postgres and Redis. How long something takes beside that is commits.
"""

import argparse
import http.client
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil
import psycopg

from bench import fanout
from bench.bulk import Bulk
from bench.fanout import MANY
from bench.gate import median
from bench.load import Running, Target, load, pin, running, start_load
from bench.peers import servers as peers
from bench.peers.measuring import measured, measured_whole
from bench.product import again, installation, product
from bench.scale.organisation import START, Organisation, Servers, cpu_of, on_postgres, on_sqlite
from bench.scale.recorded import BASELINES, UNITS, Unit, Units, keep
from domain.events import Recorded, Stored, encode
from domain.ids import MilestoneId, ProjectId
from domain.plan.schedule import AddMilestone, MilestoneDetails
from projections.events.present import CurrentWorld
from projections.installation.folder import Folder
from projections.receipts.claims import Receipt
from projections.receipts.taking import Receipts
from projections.replay.tail import Tail
from tests.world import salt
from web.push import packing, wire

SHARES = 30
ONCE = 150  # how often each is done
AT_ONCE = 20  # changes of a command that has many, as of an import
CLAIMS = 2000
PROJECTS, MOVED = 1000, 60_000  # of the worlds whose memory is measured; rows of the log
IDLE = 40  # seconds for which idle pages are watched, two signs of life
LOOKS = 60

Costs = dict[str, Unit]


def quick(times: Iterable[float]) -> float:
    """Return what a tenth of them are quicker than: what something takes where nothing else is in its way."""
    found = sorted(times)
    return found[len(found) // 10]


class Spent:
    """CPU of something, this process's and that of the servers beside it."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self.cpu = self.server = 0.0

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Add what is done inside."""
        server, cpu = self._servers.cpu(), time.process_time()
        yield
        self.cpu += time.process_time() - cpu
        self.server += self._servers.cpu() - server


def of_logs(store: str, servers: Servers, baselines: dict[str, float]) -> Costs:
    """Return what commands, updates and receipts cost on one kind of logs."""
    organisation = Organisation(servers, SHARES, shared_fold=store == "sqlite")
    found: Costs = {}

    def note(name: str, spent: Spent, times: int, less: Spent | None = None) -> None:
        for part, attribute in (("", "cpu"), (".server", "server")):
            value = getattr(spent, attribute) / times
            if less is not None:
                value = max(0.0, value - getattr(less, attribute) / ONCE) / (AT_ONCE - 1)
            if store == "postgres" or not part:
                found[f"{store}.{name}{part}"] = Unit(value / baselines["decode"], "decode")

    alone = _changes(organisation, servers, 1, ONCE)
    together = _changes(organisation, servers, AT_ONCE, ONCE // 5)
    for name, one, many in zip(("command", "update"), alone, together, strict=True):
        note(name, one, ONCE)
        note(f"{name}.each", many, ONCE // 5, one)
    note("unseen", _unseen(organisation, servers), ONCE)
    if store == "postgres":
        heard, read = _elsewhere(organisation, servers)
        note("heard", heard, ONCE)
        note("read", read, ONCE)
    claims = Spent(servers)
    _claims(organisation, claims)
    note("claim", claims, CLAIMS)
    organisation.close()
    return found


def _changes(organisation: Organisation, servers: Servers, changes: int, times: int) -> tuple[Spent, Spent]:
    """Return what commands of so many changes cost, and the updates they make, one by one, each of another share."""
    commands, updates = Spent(servers), Spent(servers)
    for i in range(-20, times):  # the first of a share makes what the others reuse
        organisation.clock.forward(minutes=1)
        spent = (commands, updates) if i >= 0 else (Spent(servers), Spent(servers))
        command = organisation.changed(i % 10, changes)
        with spent[0].counting():
            organisation.execute(command)
        with spent[1].counting():
            organisation.follow()
    return commands, updates


def _unseen(organisation: Organisation, servers: Servers) -> Spent:
    """Return what it costs to follow a change that no client is shown, a command at a time."""
    spent = Spent(servers)
    for i in range(ONCE):
        project = ProjectId(f"p{i % SHARES}")
        organisation.clock.forward(minutes=1)
        details = MilestoneDetails(title=f"Inside {i}")
        added = AddMilestone(project=project, milestone=MilestoneId(f"in{i}"), details=details, forecast=START)
        organisation.execute(added)
        with spent.counting():
            organisation.follow()
    return spent


def _elsewhere(organisation: Organisation, servers: Servers) -> tuple[Spent, Spent]:
    """Return what a worker spends on a command and on an update that others recorded."""
    logs, heard, read = servers.open(), Spent(servers), Spent(servers)
    present = CurrentWorld(logs.events)
    shares = [f"s{i}" for i in range(SHARES)]
    tail = Tail(logs.disclosure, lambda: shares, lambda: shares, lambda: None, lambda _share, _entries: None)
    tail.step()
    for i in range(ONCE):
        organisation.clock.forward(minutes=1)
        organisation.execute(organisation.changed(i % 10))
        organisation.follow()
        with heard.counting():
            present.refresh()
        with read.counting():
            assert tail.step()
    logs.close()
    return heard, read


def _claims(organisation: Organisation, spent: Spent) -> None:
    """Record receipts as they come from open pages, some of each share in a batch."""
    receipts = Receipts(organisation.logs.receipts, organisation.clock, lambda share, k: salt(f"receipts {share}", k))
    at = organisation.clock().timestamp()
    for batch in range(CLAIMS // 200):
        claims = [
            Receipt(share=f"s{i % 10}", person=f"p{i}", session=f"s{i}", tab=f"t{i}", kind="displayed", n=batch, at=at)
            for i in range(200)
        ]
        with spent.counting():
            receipts.take(claims)
            receipts.flush()


# bytes


def bytes_of(store: str, servers: Servers) -> Costs:
    """Return what a row of each log takes on disk."""
    organisation = Organisation(servers, SHARES, shared_fold=store == "sqlite")
    before, head, updates = _sizes(servers), organisation.logs.events.head(), _updates(organisation)
    for i in range(2 * ONCE):
        organisation.clock.forward(minutes=1)
        organisation.execute(organisation.changed(i % 10))
        organisation.follow()
    spent = Spent(Servers(servers.open, servers.place))
    _claims(organisation, spent)
    after = _sizes(servers)
    rows = organisation.logs.events.head() - head
    grown = {name: after[name] - before[name] for name in after}
    found = {
        f"{store}.bytes.event": Unit(grown["events"] / rows, ""),
        f"{store}.bytes.update": Unit(grown["disclosure"] / (_updates(organisation) - updates), ""),
        f"{store}.bytes.receipt": Unit(grown["receipts"] / CLAIMS, ""),
    }
    if store == "sqlite":
        entries = [organisation.logs.disclosure.entries(f"s{i}", 1, 1000) for i in range(10)]
        sent = [len(entry.message) for one in entries for entry in one]
        found["bytes.message"] = Unit(sum(sent) / len(sent), "")
        packed = [_packed([entry.message for entry in one]) for one in entries]
        found["bytes.sent"] = Unit(sum(packed) / len(sent), "")
    organisation.close()
    return found


def _packed(messages: list[bytes]) -> int:
    """Return the bytes that a page is sent of an update after the other, where it takes compression."""
    frames = [wire.framed(message) for message in messages]
    rounds = [packing.Packed([frame], packing.earlier(frames[:i])) for i, frame in enumerate(frames)]
    return sum(len(one.after(i)) for i, one in enumerate(rounds))


def _updates(organisation: Organisation) -> int:
    return sum(organisation.logs.disclosure.head(f"s{i}") for i in range(SHARES))


def _sizes(servers: Servers) -> dict[str, float]:
    """Return the bytes of each log, indexes included."""
    names = ("events", "disclosure", "receipts")
    if "://" in servers.place:
        with psycopg.connect(servers.place) as db:
            told = db.execute(
                "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
                " WHERE relnamespace = 'fanlight'::regnamespace AND relname = ANY(%s)",
                (list(names),),
            )
            return {name: float(size) for name, size in told}
    found = {}
    for name in names:
        with sqlite3.connect(Path(servers.place) / f"{name}.db") as log:
            pages, size, free = (
                log.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "page_size", "freelist_count")
            )
            found[name] = float((pages - free) * size)
    return found


# memory, in processes of their own


def of_memory(folder: Path, baselines: dict[str, float]) -> Costs:
    """Return the bytes of memory that a process takes as it starts, for each project and for each row of the log.

    And the CPU of folding one row, as at a start without a snapshot.
    """
    logs = Folder(folder)
    bulk = Bulk(logs.events)
    bulk.organisation(PROJECTS)
    logs.close()
    begun, few, rows, _spent = _memory(folder)
    logs = Folder(folder)
    Bulk(logs.events).moves(rows + MOVED, PROJECTS)
    logs.close()
    _begun, many, more, spent = _memory(folder)
    return {
        "memory.process": Unit(begun, ""),
        "memory.project": Unit((few - begun) / PROJECTS, ""),
        "memory.event": Unit((many - few) / (more - rows), ""),
        "fold": Unit(spent / more / baselines["decode"], "decode"),
    }


def _memory(folder: Path) -> tuple[float, float, int, float]:
    told = [sys.executable, "-m", "bench.scale.units", "--fold", str(folder)]
    done = subprocess.run(told, check=True, capture_output=True)
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=tuple[float, float, int, float])


def fold(folder: Path) -> None:
    """Print the memory of this process without and with the world, and how many rows it is of."""
    from web import app
    from web.render.page import Renderer

    assert app.routes(demo=False)
    logs, renderer, process = Folder(folder), Renderer(), psutil.Process()
    for _recorded in logs.events.after(0, 1000):
        pass  # what the first use of anything takes
    begun = process.memory_info().rss
    since = time.process_time()
    present = CurrentWorld(logs.events)
    spent, folded = time.process_time() - since, process.memory_info().rss
    assert renderer.css
    assert present.world.projects
    print(msgspec.json.encode((begun, folded, logs.events.head(), spent)).decode())
    logs.close()


# pages


def of_pages(folder: Path, baselines: dict[str, float]) -> Costs:
    """Return what open pages cost: deliveries, receipts, handshakes, being idle, being opened, and a change by POST."""
    push, whole = measured(peers.push_layer()), measured_whole(folder)
    found = {
        "delivery": Unit(push[f"paced_cpu_s_per_M_{MANY}"] / 1e6 / baselines["send"], "send"),
        "delivery.joined": Unit(push[f"cpu_s_per_M_{MANY}"] / 1e6 / baselines["send"], "send"),
        "receipt": Unit(fanout.receipts(peers.push_layer(), 1)[0].ratio * push_few(push) / baselines["send"], "send"),
        "handshake": Unit(whole["hs_cpu_us"] / 1e6 / baselines["shake"], "shake"),
        "memory.page": Unit(whole["kib_idle"] * 1024, ""),
        "idle": Unit(_idle(peers.push_layer()) / baselines["send"], "send"),
    }
    with running(product(folder)) as server:
        load(server, 50)
        look, change = _looked(server), _posted(server, folder)
    return found | {
        "page": Unit(look / baselines["decode"], "decode"),
        "change": Unit(change / baselines["decode"], "decode"),
    }


def push_few(push: dict[str, float]) -> float:
    """Return the seconds of a delivery where receipts were measured."""
    return push[f"paced_cpu_s_per_M_{fanout.FEW}"] / 1e6


def _idle(target: Target) -> float:
    """Return the CPU seconds an idle page takes in a second."""
    with running(target) as server:
        client = start_load(server, MANY, hold=IDLE + 15)
        time.sleep(10)
        before = cpu_of(server.pid)
        time.sleep(IDLE)
        spent = cpu_of(server.pid) - before
        client.communicate(timeout=180)
    return spent / IDLE / MANY


def _looked(server: Running) -> float:
    """Return the CPU seconds of a dashboard that is opened."""
    headers = dict(header.split(": ", 1) for header in server.target.headers)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

    def look() -> None:
        connection.request("GET", server.target.path.removesuffix("/live"), headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.status
        assert b"<html" in answer.read()[:2000]

    look()
    before = cpu_of(server.pid)
    for _ in range(LOOKS):
        look()
    spent = cpu_of(server.pid) - before
    connection.close()
    return spent / LOOKS


def _posted(server: Running, folder: Path) -> float:
    """Return the CPU seconds of a change from its POST to the one page that shows it, all of it in one process."""
    told = [load(again(server, folder), 1, paced=100, rate=25)["paced_cpu_s_per_M"] / 1e6 for _ in range(2)]
    return min(told)


# baselines


def baselines_of(postgres: Servers) -> tuple[dict[str, float], float]:
    """Return what the baselines take on this machine, in seconds, and how many cores other work took meanwhile."""
    limit = [measured(peers.limit()) for _ in range(2)]
    found = {
        "decode": _decoded(),
        "commit": _commit_sqlite(),
        "commit-postgres": _commit_postgres(postgres.place),
        "send": median(one[f"paced_cpu_s_per_M_{MANY}"] for one in limit) / 1e6,
        "shake": median(one["hs_cpu_us"] for one in limit) / 1e6,
    }
    return found, max(one["crowd"] for one in limit)


def _decoded() -> float:
    with tempfile.TemporaryDirectory() as place, on_sqlite(Path(place)) as servers:
        organisation = Organisation(servers, 10, shared_fold=True)
        head = organisation.logs.events.head()
        for i in range(ONCE):
            organisation.execute(organisation.changed(i % 10))
        rows = [one for one in organisation.logs.events.after(head, 10 * ONCE) if isinstance(one, Recorded)]
        organisation.close()
    names = ("stream", "at", "actor", "command", "event")
    payloads = [encode(Stored(**{name: getattr(one, name) for name in names})) for one in rows]
    decoder = msgspec.json.Decoder(Stored)

    def once() -> float:
        begun = time.process_time()
        for _ in range(10):
            for payload in payloads:
                decoder.decode(payload)
        return (time.process_time() - begun) / 10 / len(payloads)

    return median(once() for _ in range(7))


def _commit_sqlite() -> float:
    with tempfile.TemporaryDirectory() as place:
        db = sqlite3.connect(Path(place) / "one.db", isolation_level=None)
        db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE one (at TEXT)")
        found = quick(_timed(lambda: db.execute("INSERT INTO one VALUES ('now')")) for _ in range(ONCE))
        db.close()
    return found


def _commit_postgres(url: str) -> float:
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("CREATE TABLE IF NOT EXISTS one (at timestamptz)")
        return quick(_timed(lambda: db.execute("INSERT INTO one VALUES (now())")) for _ in range(ONCE))


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


# all of it


def measure() -> Units:
    """Return everything, measured in one run."""
    pin(1)
    found: Costs = {}

    def said(what: str, costs: Costs) -> None:
        found.update(costs)
        print(f"  {what} at {datetime.now(UTC):%H:%M:%S}", file=sys.stderr)

    with on_postgres() as postgres:
        baselines, crowd = baselines_of(postgres)
        said("baselines", {})
        said("Postgres", of_logs("postgres", postgres, baselines))
    with on_postgres() as postgres:
        said("bytes on Postgres", bytes_of("postgres", postgres))
    for what in (of_logs, bytes_of):
        with tempfile.TemporaryDirectory() as place, on_sqlite(Path(place)) as folder:
            said(f"SQLite, {what.__name__}", what("sqlite", folder, *([baselines] if what is of_logs else [])))
    with tempfile.TemporaryDirectory() as place:
        said("memory", of_memory(Path(place), baselines))
    with installation() as place:
        said("pages", of_pages(place, baselines))
    return Units(datetime.now(UTC).date(), baselines, dict(sorted(found.items())), crowd)


def told(units: Units, *, seconds: bool) -> str:
    """Return the costs as text."""
    lines = [f"{name:30} {units.baselines[name] * 1e6:12.2f} us   {what}" for name, what in BASELINES.items()]
    for name, unit in units.units.items():
        if not unit.of:
            lines.append(f"{name:30} {unit.value:12.0f} bytes")
        elif seconds:
            lines.append(f"{name:30} {units.seconds(name) * 1e6:12.1f} us")
        else:
            lines.append(f"{name:30} {unit.value:12.2f} of {unit.of}")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale.units", description=__doc__)
    parser.add_argument(
        "--record", nargs="?", type=Path, const=UNITS, help="keep them, for the model and docs/scale.md or in a file"
    )
    parser.add_argument("--seconds", action="store_true", help="print what they come to on this machine")
    parser.add_argument("--fold", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.fold is not None:
        fold(given.fold)
        return 0
    units = measure()
    if given.record is not None:
        keep(given.record, units)
    print(told(units, seconds=given.seconds))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
