"""How long a start takes with many events: with a snapshot against decoding it, without one against reading the log.

`BENCH_EVENTS=100000 python -m bench starting` measures with as many events as that; 1,000,000 by itself. Each
start is a process of its own, measured from the first line of `web/process/process.py::Process` on, so that imports are
left out.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil

from bench.bulk import Bulk
from bench.gate import Row, median, spread
from projections.events import fingerprint, kept
from projections.events.event_log import SNAPSHOT
from projections.events.present import CurrentWorld
from projections.installation.folder import SNAPSHOT_FILE, Folder
from projections.installation.snapshots import FileSnapshots, SnapshotHeader
from projections.logs.vault import open_with
from web import app, languages
from web.door import assets
from web.door.templates import Pages
from web.process.process import Given, Process
from web.render.page import Renderer
from web.settings import Settings

EVENTS = int(os.environ.get("BENCH_EVENTS", "1000000"))
SHARES = min(3000, EVENTS // 300)
RUNS = 5


class Times(msgspec.Struct):
    """Seconds, of one process."""

    started: float
    baseline: float
    kept: float = 0.0  # bytes of memory an event takes, more than none


def run() -> list[Row]:
    """Return both ratios, and how much memory a fold keeps."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        filled(folder)
        rebuilt = [_measured("rebuild", folder) for _ in range(RUNS)]
        kept_now(folder)
        started = [_measured("start", folder) for _ in range(RUNS)]
        size = (folder / SNAPSHOT_FILE).stat().st_size
    with_it, without = [[t.started / t.baseline for t in times] for times in (started, rebuilt)]
    of = f"{EVENTS:,} events, {SHARES:,} shares"
    seconds = f"{median(t.started for t in started):.2f} s; snapshot {size >> 10:,} KiB"
    read = f"{median(t.started for t in rebuilt):.2f} s"
    kept = median(t.kept for t in rebuilt)
    decoding, reading = "of reading and decoding the snapshot", "of iterating over the log"
    return [
        Row("a start with a snapshot", median(with_it), f"{decoding}; {of}", 2.0, f"{seconds}; {spread(with_it)}"),
        Row("a rebuild without a snapshot", median(without), f"{reading}; {of}", 2.0, f"{read}; {spread(without)}"),
        Row("memory of a fold", kept / 512, f"of 512 bytes an event; {of}", 1.0, f"{kept:.0f} bytes"),
    ]


def filled(folder: Path) -> None:
    """Record an organisation, as if all its updates were recorded as well."""
    logs = Folder(folder)
    bulk = Bulk(logs.events)
    bulk.organisation(SHARES)
    bulk.moves(EVENTS, SHARES)
    logs.disclosure.record([], [], [], logs.events.head())
    logs.close()


def kept_now(folder: Path) -> None:
    """Write a snapshot, as a server does."""
    logs = Folder(folder)
    present = CurrentWorld(logs.events, follow=logs.disclosure.position())
    assert present.feed is not None
    assert logs.snapshots.keep(present.feed.recorded, lambda: present.refresh().erased)
    logs.close()


def _measured(what: str, folder: Path) -> Times:
    done = subprocess.run([sys.executable, "-m", "bench.starting", what, str(folder)], check=True, capture_output=True)
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Times)


# in a process of its own


def rebuild(folder: Path) -> Times:
    """Fold everything for doors and follower, and iterate over the same log; what is kept is what the states are."""
    logs = Folder(folder)
    for _recorded in logs.events.everything(2000):
        pass  # what the first use of anything costs
    read = _timed(lambda: [None for _recorded in logs.events.everything()])
    before, kept_alive = psutil.Process().memory_info().rss, []
    folded = _timed(lambda: kept_alive.append(CurrentWorld(logs.events, follow=logs.disclosure.position())))
    memory = psutil.Process().memory_info().rss - before
    events = logs.events.head()
    logs.close()
    return Times(folded, read, memory / events)


def start(folder: Path) -> Times:
    """Start a server until it is ready, and read and decode the snapshot alone."""
    settings = Settings(data=folder, public_url="http://bench.test")
    languages.install(tests=False)
    renderer, pages = Renderer(), Pages(asset=assets.asset_url, demo=False)
    assert app.routes(demo=False)
    began = time.perf_counter()
    process = Process(settings, renderer, pages, Given())
    took = asyncio.run(_ready(process, began))
    return Times(took, median(_timed(lambda: _decoded(folder)) for _ in range(3)))


async def _ready(process: Process, began: float) -> float:
    async with process.running():
        assert process.services.health.ready  # what /readyz says
        return time.perf_counter() - began


def _decoded(folder: Path) -> object:
    fingerprint.of_states()
    logs = Folder(folder)
    key = logs.vault.existing(SNAPSHOT)
    logs.close()
    rows = FileSnapshots(folder / SNAPSHOT_FILE).read()
    header = msgspec.json.decode(rows[0], type=SnapshotHeader)
    return kept.read([open_with(key, row, header.bound(i)) for i, row in enumerate(rows[1:])])


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    times = {"rebuild": rebuild, "start": start}[sys.argv[1]](Path(sys.argv[2]))
    print(msgspec.json.encode(times).decode())
