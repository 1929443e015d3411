"""The record: what 10,000 receipts do to the next update, what a receipt costs, what checking costs."""

import hashlib
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from eventsourcing.persistence import StoredEvent

from bench.gate import Row, median, spread
from projections.receipts.claims import Receipt
from projections.verify import bundle, standalone
from tests.world import SHARE, World
from web.render.page import Renderer

VIEWERS, UPDATES, BUNDLED = 10_000, 25, 400


@contextmanager
def _world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), Renderer())
        world.harbour()
        yield world
        world.close()


def _claims(n: int, at: float) -> list[Receipt]:
    return [
        Receipt(share=SHARE, person=f"p{i:011}", session=f"s{i:011}", tab=f"t{i:011}", kind="displayed", n=n, at=at)
        for i in range(VIEWERS)
    ]


def _next_update(world: World, i: int) -> float:
    """Return the seconds from a command to its recorded entry."""
    day = world.clock.at.date() + timedelta(days=100 + i)
    began = time.perf_counter()
    world.move("m1", day)
    return time.perf_counter() - began


def acknowledged() -> list[Row]:
    """Return how much later an update is recorded when 10,000 viewers have just acknowledged the one before."""
    ratios, costs = [], []
    with _world() as world:
        for repeat in range(3):
            calm = median(_next_update(world, 1000 * repeat + i) for i in range(UPDATES))
            busy = []
            for i in range(UPDATES):
                claims = _claims(i, world.clock.at.timestamp())
                began = threading.Event()

                def flush(claims: list[Receipt] = claims, began: threading.Event = began) -> None:
                    world.receipts.take(claims)
                    began.set()
                    world.receipts.flush()

                thread = threading.Thread(target=flush)
                thread.start()
                began.wait()
                busy.append(_next_update(world, 1000 * repeat + 500 + i))
                thread.join()
            ratios.append(median(busy) / calm)
            costs.append(_a_receipt(world))
    told = f"{VIEWERS:,} receipts while the next update is recorded"
    return [
        Row(told, median(ratios), "of an update with none", 6.0, spread(ratios)),
        Row("a receipt recorded in a batch", median(costs), "of its bytes in one bare insert", None, spread(costs)),
    ]


def _a_receipt(world: World) -> float:
    """Return the time of recording a batch, to the time of inserting as many bytes in as many rows of one insert."""
    claims = _claims(1, world.clock.at.timestamp())
    began = time.perf_counter()
    world.receipts.take(claims)
    world.receipts.flush()
    ours = time.perf_counter() - began
    recorder = world.folder.receipts._recorder
    raw = [f"{c.person}{c.session}{c.tab}{c.kind}{c.n}{c.at}".encode() for c in claims]
    began = time.perf_counter()
    version = int(began * 1e6)
    recorder.insert_events([StoredEvent(f"bare-{version}", i, "bare", one) for i, one in enumerate(raw, 1)])
    return ours / (time.perf_counter() - began)


def checked() -> list[Row]:
    """Return what checking a bundle costs, to hashing its bytes once."""
    with _world() as world:
        for i in range(BUNDLED):
            world.move("m1", world.clock.at.date() + timedelta(days=100 + i))
        data = world.bundle(receipts=False)
        entries = sum(len(entry.raw) for entry in world.entries())
    plain = median(_timed(lambda: hashlib.sha256(bytes(entries)).digest()) for _ in range(9))
    rows = []
    for name, check in (("ours", bundle.check), ("stand-alone", standalone.check)):
        spent = median(_timed(lambda check=check: check(data)) for _ in range(3))
        rows.append(Row(f"checking {BUNDLED} updates, {name}", spent / plain, "of hashing their contents once", None))
    return rows


def _timed(work: object) -> float:
    began = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - began


def run() -> list[Row]:
    """Return every row of this bench."""
    return [*acknowledged(), *checked()]
