"""How fast the follower takes events in, against decoding the same events with msgspec alone."""

import statistics
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import msgspec

from bench.gate import Row
from domain.events import Stored, encode
from domain.plan.schedule import MoveForecast
from tests.world import HARBOUR, World
from web.render.page import Renderer

EVENTS, RUNS = 600, 3


def run() -> list[Row]:
    """Return follower time per event as a multiple of decoding it: where every event is shown, and where none is."""
    with tempfile.TemporaryDirectory() as folder:
        shown = _ratio(Path(folder) / "shown", "m1")
        hidden = _ratio(Path(folder) / "hidden", "hidden")
    unit = "of decoding the same events"
    return [Row("following an event that is shown", shown, unit), Row("following an event nobody shares", hidden, unit)]


def _ratio(folder: Path, milestone: str) -> float:
    world = World(folder, Renderer())
    world.harbour()
    before = world.folder.disclosure.position()
    for i in range(EVENTS):
        to = date(2027, 6, 1) + timedelta(days=i % 60)
        move = MoveForecast(project=HARBOUR, milestone=milestone, forecast=to, reason=f"move {i}")
        world.tell(move, follow=False)
    payloads = [_payload(r) for r in world.folder.events.everything() if r.position > before]
    decoder = msgspec.json.Decoder(Stored)
    decode = statistics.median(_timed(lambda: [decoder.decode(p) for p in payloads]) for _ in range(RUNS))
    start = time.perf_counter()
    world.follow()
    follow = time.perf_counter() - start
    world.close()
    return follow / decode


def _payload(recorded: object) -> bytes:
    names = ("stream", "at", "actor", "command", "event")
    return encode(Stored(**{name: getattr(recorded, name) for name in names}))


def _timed(work: object) -> float:
    start = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - start
