"""Opening any instant of a share with 100,000 entries, against opening its newest."""

import random
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec
from starlette.testclient import TestClient

from bench.gate import Row, median
from projections.entries.entry import Entry, seal
from projections.entries.frames import State
from projections.follow.next_entry import KEYFRAME_EVERY, Made, Shown, disclose, restore
from projections.logs.disclosure_log import DisclosureLog
from projections.replay import pages
from tests.world import HARBOUR, SHARE, World, salt
from web import app as application
from web.clock import Virtual
from web.process.process import Given
from web.render.page import Renderer
from web.settings import Settings
from web.write.permission import OPERATOR

ENTRIES, SAMPLES = 100_025, 60  # the newest lies halfway between keyframes, as instants do on average

RECEIPTS, SEEN = 6_000, 20


def run() -> list[Row]:
    """Return the time of opening a random instant as a multiple of opening the newest."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), Renderer())
        world.harbour()
        log = world.folder.disclosure
        _fill(world, ENTRIES)
        newest = median(_timed(lambda: pages.page(log, SHARE)) for _ in range(SAMPLES))
        rng = random.Random(1)
        instants = [_instant(log, rng) for _ in range(SAMPLES)]
        times = [_timed(lambda at=at: pages.page(log, SHARE, pages.number_at(log, SHARE, at))) for at in instants]
        _watched(world, rng)
        world.close()
        seen_newest, seen_any = _seen(Path(folder), world.clock, instants)
    unit = f"of opening the newest of {ENTRIES:,}"
    return [
        Row("opening any instant", median(times) / newest, unit, 5.0),
        Row("opening any instant, slowest tenth", sorted(times)[-SAMPLES // 10] / newest, unit),
        Row(
            "what they saw, at any instant",
            median(seen_any) / median(seen_newest),
            f"of the same page at the newest; {RECEIPTS:,} rows of receipts",
            3.0,
            f"slowest tenth {sorted(seen_any)[-len(seen_any) // 10] / median(seen_newest):.1f}",
        ),
    ]


def _watched(world: World, rng: random.Random) -> None:
    """Record receipts through the whole time: somebody opens, looks for a while, and hides it."""
    log, last = world.folder.disclosure, world.clock.at
    end = log.recorded_at(SHARE, ENTRIES)
    assert end is not None
    for i in range(RECEIPTS):
        world.clock.at = last + (end - last) * i / RECEIPTS
        n = pages.number_at(log, SHARE, world.clock.at)
        world.claim("displayed" if i % 2 else "hidden", n, person=f"p{rng.randrange(12)}", tab=f"t{i}")
        world.receipts.flush()
    world.clock.at = end + timedelta(hours=1)


def _seen(folder: Path, clock: Virtual, instants: list[datetime]) -> tuple[list[float], list[float]]:
    """Return the times of the whole page at the newest instant and at any of them, through the real application."""
    process = application.compose(Settings(data=folder, public_url="http://testserver"), Given(now=clock))
    client = TestClient(application.create(process), base_url="http://testserver")
    _, link = process.services.credentials.invite(OPERATOR, name="Marta", email="m@bench.test", role="manager")
    client.cookies.set(process.services.guard.cookie, process.services.credentials.enter(link).secret)

    def look(at: datetime) -> int:
        path = f"/p/{HARBOUR}/shares/{SHARE}/at/{at.isoformat().replace('+00:00', 'Z')}"
        answer = client.get(path, follow_redirects=False)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.status_code

    newest = clock.at - timedelta(hours=1)
    found = [(_timed(lambda: look(newest)), _timed(lambda at=at: look(at))) for at in instants[:SEEN]]
    process.services.logs.close()
    return [one for one, _ in found], [one for _, one in found]


def _fill(world: World, count: int) -> None:
    """Record entries as the follower would, two real updates in turn."""
    made = _two_updates(world)
    shown, log = restore(world.folder.disclosure, SHARE), world.folder.disclosure
    at, frontier, position = shown.at, shown.frontier, log.position()
    for start in range(shown.n + 1, count + 1, 1000):
        entries: list[Entry] = []
        keys = []
        for n in range(start, min(start + 1000, count + 1)):
            at += timedelta(seconds=30)
            pattern = made[n % 2]
            content = pattern.entry.content
            entry = seal(msgspec.structs.replace(content, n=n, at=at), salt(SHARE, n), frontier, pattern.entry.names)
            frontier = entry.frontier
            entries.append(entry)
            if n % KEYFRAME_EVERY == 0 and pattern.shown.rendered:
                rendered = pattern.shown.rendered
                state = State(rendered.parts, pattern.shown.sections, pattern.shown.names)
                keys.append((SHARE, state.keyframe(n, rendered.roots)))
        position += 1
        log.record(entries, keys, [], position)


def _two_updates(world: World) -> list[Made]:
    found = []
    shown: Shown = restore(world.folder.disclosure, SHARE)
    for day in (10, 20):
        world.move("m1", date(2027, 5, day))
        one = disclose(world.follower._world, SHARE, shown, world.renderer, world.clock(), world.follower._secrets)
        assert one is not None
        found.append(one)
        shown = one.shown
    return found


def _instant(log: DisclosureLog, rng: random.Random) -> datetime:
    entry = log.entry(SHARE, rng.randrange(1, ENTRIES))
    assert entry is not None
    return entry.content.at


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    assert work() is not None
    return time.perf_counter() - start
