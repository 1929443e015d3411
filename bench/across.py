"""Worker to worker: a commit on one process to the bytes on a socket of another, against what it has to consist of.

The baseline is two publishes through Redis, one durable commit of one row and four selects of one row, bare, measured
in turns with it. `bench/traced.py` stamps the way between, which is printed as a table of parts.
"""

import bisect
import http.client
import itertools
import json
import os
import socket
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg
import redis
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from bench.gate import Row, median
from domain import commands
from tests.fleet import ORIGIN, Fleet, Process, eventually
from web.ids import new_id

BLOCKS, EACH, FIRST = 12, 12, 2  # of each case; changes of a block; those of a block that only warm it up
PAUSE = 0.03  # seconds before and after each measurement of the baseline
GATE = 3.0
CASES = {"a third leads": (1, 2), "the one leads": (0, 1), "the other leads": (1, 0)}  # commit and socket; 0 leads
UNIT = "of two publishes, a commit and four selects"
WHAT = "commit on one worker to bytes on another's socket"


class LeadChanged(Exception):  # it is measured again
    """Another worker leads than at the beginning: the machine was too busy for the lease to be kept."""


class Part(NamedTuple):
    """A part of the way, by the place that it ends at."""

    place: str
    who: str  # passes it: the worker of the commit, the one that leads, that of the socket
    what: str
    crosses: str = ""  # only where the worker that leads is another one than this


PARTS = (
    Part("hint of events", "leads", "through Redis", "commit"),
    Part("follower's turn", "leads", "to the thread of the follower"),
    Part("events read", "leads", "a select; the events folded"),
    Part("update made", "leads", "revealed, rendered, numbered"),
    Part("recorded", "leads", "sealed; a transaction, committed"),
    Part("hint of entries", "socket", "through Redis", "socket"),
    Part("tail's turn", "socket", "to the thread of the tail", "socket"),
    Part("entries read", "socket", "a select: entries, and what ended before them", "socket"),
    Part("handed on", "socket", "opened"),
    Part("on the loop", "socket", "to the event loop"),
    Part("round", "socket", "who is sent what"),
)


class Sample(NamedTuple):
    """One change: which process did what, by its id; when it was sent and when its bytes came, nanoseconds."""

    case: str
    block: int
    by: Mapping[str, int]
    begun: int
    came: int


class Page:
    """A page on a raw socket, after its hello."""

    def __init__(self, installation: Fleet, worker: Process) -> None:
        share = installation.shares[0]
        n, root = installation.heads()[share]
        self._socket = socket.create_connection(("127.0.0.1", worker.port), 10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:{worker.port}/s/{share}/live"), origin=ORIGIN)  # type: ignore[arg-type]
        request = protocol.connect()
        request.headers["cookie"] = f"fanlight={installation.cookies[0]}"
        protocol.send_request(request)
        self._send(protocol)
        while protocol.state.name == "CONNECTING":
            protocol.receive_data(self._socket.recv(65536))
        assert protocol.handshake_exc is None, protocol.handshake_exc
        protocol.send_text(json.dumps({"hello": n, "tab": "bench", "v": 2, "root": root[:16]}).encode())
        self._send(protocol)
        self._socket.recv(65536)

    def _send(self, protocol: ClientProtocol) -> None:
        for data in protocol.data_to_send():
            self._socket.sendall(data)

    def update(self) -> int:
        """Wait for the first bytes of an update, read it whole, and return when they came."""
        while True:
            data = self._socket.recv(262144)
            came = time.perf_counter_ns()
            assert data, "the page was closed"
            if b'"content"' in data:
                return came

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class Door:
    """A connection for commands."""

    def __init__(self, installation: Fleet, worker: Process) -> None:
        self._fleet = installation
        self._http = http.client.HTTPConnection("127.0.0.1", worker.port, timeout=10)
        self._http.connect()
        self._http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self) -> None:
        """Send the next change, and do not wait for the answer."""
        headers = {"authorization": f"Bearer {self._fleet.token}", "idempotency-key": new_id(24)}
        self._http.request("POST", "/api/v1/commands", commands.encode(self._fleet.change()), headers)

    def answer(self) -> None:
        """Read the answer."""
        answer = self._http.getresponse()
        assert answer.status in (200, 201), answer.status
        answer.read()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


class Bare:
    """What an update from worker to worker has to consist of, bare: its time is the baseline."""

    def __init__(self, installation: Fleet) -> None:
        assert installation.redis is not None
        self._says = redis.Redis.from_url(installation.redis.url)
        self._hears = redis.Redis.from_url(installation.redis.url).pubsub()
        self._hears.subscribe("bare")
        self._hears.get_message(timeout=1)
        self._writes = psycopg.connect(installation.owner)
        self._writes.execute("CREATE TABLE one (n integer PRIMARY KEY, at timestamptz)")
        self._writes.commit()
        self._reads = psycopg.connect(installation.owner, autocommit=True)
        self._n = 0
        self.parts: dict[str, list[float]] = defaultdict(list)

    def once(self) -> float:
        """Return the seconds for two publishes, one commit and four selects."""
        self._n += 1
        times = [time.perf_counter()]
        for _ in range(2):
            self._says.publish("bare", b'{"by":"bench","events":true}')
            while self._hears.get_message(timeout=1) is None:
                pass
        times.append(time.perf_counter())
        self._writes.execute("INSERT INTO one VALUES (%s, now())", (self._n,))
        self._writes.commit()
        times.append(time.perf_counter())
        for _ in range(4):
            self._reads.execute("SELECT * FROM one WHERE n = %s", (self._n,)).fetchone()
        times.append(time.perf_counter())
        for what, begun, over in zip(("publishes", "commit", "selects"), times, times[1:], strict=False):
            self.parts[what].append(over - begun)
        return times[-1] - times[0]

    def told(self) -> str:
        """Return the medians of its parts in words."""
        return ", ".join(f"{what} {1e6 * median(took):.0f}" for what, took in self.parts.items()) + " microseconds"

    def close(self) -> None:
        """Close every connection."""
        for one in (self._says, self._hears, self._writes, self._reads):
            one.close()


@contextmanager
def three_workers(folder: Path) -> Iterator[Fleet]:
    """Start three workers of which each could lead; the first one does."""
    (folder / "stamps").mkdir()
    os.environ["BENCH_STAMPS"] = str(folder / "stamps")
    made = Fleet(folder, workers=3)
    try:
        for worker in made.workers:
            worker.module = "bench.traced"
            worker.start()
            eventually(made.leader, what="a leader")
        yield made
        if made.leader() is not made.workers[0]:
            raise LeadChanged
        for worker in made.workers:
            worker.stop()
    finally:
        made.close()


def measured(made: Fleet) -> tuple[list[Sample], dict[tuple[str, int], list[float]]]:
    """Return every change of every case, and the microseconds of the baseline between those of a block."""
    bare = Bare(made)
    found: list[Sample] = []
    bases: dict[tuple[str, int], list[float]] = defaultdict(list)
    for block in range(BLOCKS):
        for case, (commit, reads) in CASES.items():
            page, door = Page(made, made.workers[reads]), Door(made, made.workers[commit])
            for i in range(EACH):
                begun = time.perf_counter_ns()
                door.send()
                came = page.update()
                door.answer()
                time.sleep(PAUSE)
                bases[case, block].append(1e6 * bare.once())
                time.sleep(PAUSE)
                if i >= FIRST:
                    by = {"commit": made.workers[commit], "leads": made.workers[0], "socket": made.workers[reads]}
                    found.append(Sample(case, block, {who: worker.pid for who, worker in by.items()}, begun, came))
            page.close()
            door.close()
    bare.close()
    print(f"  the baseline: {bare.told()}", file=sys.stderr)
    return found, bases


Stamps = dict[int, list[tuple[str, int]]]


def stamps_of(folder: Path) -> Stamps:
    """Return what each process stamped, by its id."""
    return {int(file.stem): json.loads(file.read_text()) for file in (folder / "stamps").iterdir()}


def way(sample: Sample, stamps: Stamps) -> dict[str, float]:
    """Return the microseconds of each part of a change, from its commit on; "" is all of it."""
    at = begun = first(stamps[sample.by["commit"]], "committed", sample.begun)
    parts: dict[str, float] = {}
    for part in PARTS:
        if part.crosses and sample.by[part.crosses] == sample.by["leads"]:
            continue
        if (passed := first(stamps[sample.by[part.who]], part.place, at)) is not None and passed <= sample.came:
            parts[part.place] = (passed - at) / 1000
            at = passed
    return {**parts, "bytes": (sample.came - at) / 1000, "": (sample.came - begun) / 1000}


def first(stamps: Sequence[tuple[str, int]], place: str, after: int) -> int | None:
    """Return when a place was passed for the first time after a moment."""
    begin = bisect.bisect_left(stamps, after, key=lambda stamp: stamp[1])
    return next((at for what, at in itertools.islice(stamps, begin, begin + 200) if what == place), None)


def table(ways: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Return the medians of the parts in microseconds, a column for each case."""
    lines = [f"  {'microseconds, medians':<24}" + "".join(f"{case:>18}" for case in ways)]
    last = Part("bytes", "bench", "through the socket"), Part("", "", "all of it")
    for part in (*PARTS, *last):
        found = [[way[part.place] for way in ways[case] if part.place in way] for case in ways]
        cells = "".join(f"{median(values):>18.0f}" if values else f"{'':>18}" for values in found)
        lines.append(f"  {part.place or 'all of it':<24}{cells}  {part.what}")
    return "\n".join(lines)


def run() -> list[Row]:
    """Return the time from worker to worker as a multiple of what it has to consist of, whichever of them leads."""
    for tries in range(3):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            try:
                with three_workers(folder) as made:
                    found, bases = measured(made)
            except LeadChanged:
                if tries == 2:
                    raise
                continue
            stamps = stamps_of(folder)
            break
    ways = {case: [way(sample, stamps) for sample in found if sample.case == case] for case in CASES}
    print(table(ways), file=sys.stderr)
    rows = []
    for case in CASES:
        blocks: dict[int, list[float]] = defaultdict(list)
        for sample in found:
            if sample.case == case:
                blocks[sample.block].append(way(sample, stamps)[""])
        ratios = sorted(median(took) / median(bases[case, block]) for block, took in blocks.items())
        quarter, three = ratios[len(ratios) // 4], ratios[len(ratios) * 3 // 4]
        note = f"half of {len(ratios)} blocks between {quarter:.2f} and {three:.2f}"
        rows.append(Row(f"{WHAT}, {case}", median(ratios), UNIT, GATE, note))
    return rows
