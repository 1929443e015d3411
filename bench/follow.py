"""What an update costs: against decoding its events with msgspec alone, and as a plan and its past grow.

Rule: both sides of a ratio are processor time of one run. Entries are made, sealed and recorded as in the product, by
the real follower and renderer, twenty updates in a transaction, with the keyframes that fall due.
"""

import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from bench.gate import Row, median, spread
from domain.events import Recorded, Stored, encode
from domain.ids import MilestoneId
from domain.plan.schedule import MoveForecast
from tests.world import HARBOUR, SHARE, World
from web.push.server import tune_gc
from web.render.page import Renderer

FEW, MANY = 20, 200  # milestones
TOGETHER = 20  # updates in one transaction
UPDATES = 200  # that are measured at a time
ROUNDS = 5
EARLY, LATE = 100, 10_000  # updates of the share before those
APART = timedelta(hours=8)  # from one move of the long past to the next
RUNS = 5


class Cost(msgspec.Struct):
    """Of an update: seconds of processor time, and how many times decoding its events that is; medians of rounds."""

    seconds: float
    times: float
    spread: str


def run() -> list[Row]:
    """Return what an update costs where its event is shown and where it is not, and what it costs later."""
    tune_gc()  # as a server does
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        few, many = _shown(Path(folder) / "few", FEW), _shown(Path(folder) / "many", MANY)
        hidden, hidden_decode = _hidden(Path(folder) / "hidden")
        early, late = _long(Path(folder) / "long")
    of, note = "of decoding its events", f"{few.seconds * 1e6:.0f} us; {few.spread}"
    return [
        Row(f"an update that is shown, {FEW} milestones", few.times, of, 250, note),
        Row(f"the same with {MANY} milestones", many.seconds / few.seconds, f"of that with {FEW}", 1.6),
        Row("following an event that nobody shares", hidden / hidden_decode, of),
        Row(f"an update after {LATE:,} updates of the share", late / early, f"of one after {EARLY}", 1.3),
    ]


def _world(folder: Path, milestones: int) -> World:
    world = World(folder, Renderer())
    world.harbour()
    first = world.clock.at.date()
    for i in range(milestones - 2):  # beside two that are there and shared
        world.milestone(f"x{i}", first + timedelta(days=60 + 7 * (i % 40)), f"Milestone {i}")
    world.baseline()
    return world


def _tell(world: World, milestone: str, updates: int, apart: timedelta = timedelta()) -> list[Recorded]:
    """Have a milestone move so often, and return the events, not yet followed."""
    before = world.folder.events.head()
    for i in range(updates):
        world.clock.at += apart
        to = world.clock.at.date() + timedelta(days=100 + i % 60)
        move = MoveForecast(project=HARBOUR, milestone=MilestoneId(milestone), forecast=to, reason=f"move {i}")
        world.tell(move, follow=False)
    return [r for r in world.folder.events.everything() if isinstance(r, Recorded) and r.position > before]


def _followed(world: World, updates: int) -> float:
    """Follow so many updates that wait, and return the seconds of processor time of each."""
    begun = time.process_time()
    for _ in range(updates // TOGETHER):
        world.follower.step(2 * TOGETHER)  # an event, and that its command was carried out
    return (time.process_time() - begun) / updates


def _shown(folder: Path, milestones: int) -> Cost:
    """Measure updates of a share, and decoding their events between them."""
    world = _world(folder, milestones)
    told = _tell(world, "m1", ROUNDS * UPDATES + TOGETHER)
    _followed(world, TOGETHER)  # the first of a process reads and makes everything
    before = world.folder.disclosure.head(SHARE)
    measured = [(_followed(world, UPDATES), _decoded(told) / (ROUNDS * UPDATES + TOGETHER)) for _round in range(ROUNDS)]
    assert world.folder.disclosure.head(SHARE) == before + ROUNDS * UPDATES
    world.close()
    times = [update / decode for update, decode in measured]
    return Cost(median(update for update, _decode in measured), median(times), spread(times))


def _hidden(folder: Path) -> tuple[float, float]:
    world = _world(folder, FEW)
    told = _tell(world, "hidden", UPDATES)
    follow = _followed(world, UPDATES)
    world.close()
    return follow, _decoded(told) / UPDATES


def _long(folder: Path) -> tuple[float, float]:
    """Return the seconds of an update after few updates of its share, and after many."""
    world = _world(folder, FEW)
    _tell(world, "m1", LATE + UPDATES, APART)
    _followed(world, EARLY)
    early = _followed(world, UPDATES)
    _followed(world, LATE - EARLY - UPDATES)
    late = _followed(world, UPDATES)
    assert world.folder.disclosure.head(SHARE) >= LATE + UPDATES
    world.close()
    return early, late


def _decoded(told: Sequence[Recorded]) -> float:
    """Return the seconds of processor time of decoding events."""
    names = ("stream", "at", "actor", "command", "event")
    payloads = [encode(Stored(**{name: getattr(recorded, name) for name in names})) for recorded in told]
    decoder = msgspec.json.Decoder(Stored)

    def once() -> float:
        begun = time.process_time()
        for payload in payloads:
            decoder.decode(payload)
        return time.process_time() - begun

    return median(once() for _ in range(RUNS))
