"""The hub's decisions, told without a socket: what a watcher is owed follows from numbers alone."""

import ast
import json
from pathlib import Path

import pytest

from tests.web.push.stage import seeded
from web.push import hub as hub_module
from web.push import messages, wire
from web.push.hub import REST, Close, Gap, Hub, ReadFrames, ReadHead, ReadView, Rest, Round, Send
from web.push.pace import Pace
from web.push.standing import Standing
from web.push.viewer import Viewer

pytestmark = pytest.mark.once

TICK = messages.tick


def text(n: int) -> tuple[int, bytes]:
    return n, b'{"n":%d}' % n


def framed(*numbers: int) -> list[tuple[int, bytes]]:
    return [(n, wire.framed(text(n)[1])) for n in numbers]


def at(head: int, *, ring: int = 4, **pace: int) -> Hub[Standing]:
    hub = Hub(Pace(ring_frames=ring, **pace))
    hub.start(head, framed(*range(max(1, head - ring + 1), head + 1)))
    return hub


def watcher(hub: Hub[Standing], since: int) -> Standing:
    place = Standing(Viewer("ann", "acme", "s"))
    hub.greet(place, since)
    return place


def numbers(data: bytes) -> list[int]:
    return [json.loads(payload).get("n") for _, payload in wire.unframed(data)]


def test_the_hub_reads_no_clock_and_awaits_nothing():
    imported = {
        name
        for node in ast.walk(ast.parse(Path(hub_module.__file__).read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert not imported & {"asyncio", "time", "datetime", "socket", "threading", "logging", "random"}


def test_a_page_that_is_up_to_date_is_answered_with_the_head_and_takes_part_in_rounds():
    hub = at(7)
    place = watcher(hub, 7)
    assert hub.next_step(place) == Send((TICK(7),))
    assert hub.next_step(place) == REST
    assert place.ready
    hub.publish([text(8)])
    assert hub.next_round() == Round(7, 8, (wire.framed(text(8)[1]),), ())
    assert hub.next_round() is None


def test_missing_numbers_come_from_the_ring_then_from_the_log_then_as_a_whole_view():
    hub = at(20, ring=4, far=10, slice_frames=3)
    assert hub.next_step(watcher(hub, 16)) == Send(tuple(frame for _, frame in framed(17, 18, 19, 20)))
    assert hub.next_step(watcher(hub, 15)) == ReadFrames(15, 3)
    assert hub.next_step(watcher(hub, 10)) == ReadFrames(10, 3)
    assert hub.next_step(watcher(hub, 9)) == ReadView(9, 20)


def test_a_slice_of_the_log_that_lacks_a_number_is_not_sent_half():
    for found in ([], framed(17, 18), framed(16, 18), framed(18)):
        hub = at(20, ring=2, far=10)
        place = watcher(hub, 15)
        asked = hub.next_step(place)
        assert isinstance(asked, ReadFrames)
        step = hub.took_frames(place, asked, found)
        assert step == ReadView(15, 20)
        assert place.sent == 15


def test_a_number_beyond_the_head_is_checked_against_the_log_before_it_is_believed():
    hub = at(5)
    place = watcher(hub, 6)
    assert hub.next_step(place) == ReadHead(6)
    assert place.sent < 0  # so that no claim about it counts
    assert hub.took_head(place, 6) == Send((TICK(6),))
    assert hub.next_step(place) == REST
    assert not place.ready  # ahead of the hub
    assert hub.next_round() == Gap(5, hub.pace.slice_frames)
    hub.publish([text(6)])
    assert hub.next_round() == Round(5, 6, (wire.framed(text(6)[1]),), ())
    assert hub.overtaken() == [place]
    assert hub.next_step(place) == REST
    assert place.ready


@pytest.mark.parametrize("since", [-1, 99])
def test_a_wrong_number_is_reset_with_nothing_but_the_whole_view(since):
    hub = at(5)
    place = watcher(hub, since)
    step = hub.next_step(place)
    if since == 99:
        assert step == ReadHead(99)
        step = hub.took_head(place, 5)
    assert step == ReadView(0, 5)
    view = wire.framed(b'{"n":5,"key":true}')
    assert hub.took_view(place, step, 5, view) == Send((messages.RESET, view))
    assert place.sent == 5


def test_a_share_that_disclosed_nothing_resets_to_nothing():
    hub = at(0)
    place = watcher(hub, 3)
    hub.next_step(place)
    assert hub.took_head(place, 0) == Send((messages.RESET, TICK(0)))
    assert place.sent == 0


def test_a_log_that_goes_backwards_closes_the_watcher():
    hub = at(5)
    place = watcher(hub, 5)
    hub.next_step(place)
    hub.ask_view(place, 5)
    step = hub.next_step(place)
    assert isinstance(step, ReadView)
    assert hub.took_view(place, step, 4, b"") == Close(messages.BUSY)


def test_who_is_blocked_reading_or_gone_is_owed_nothing_now():
    hub = at(9, ring=4)
    for attribute in ("blocked", "reading", "gone"):
        place = watcher(hub, 7)
        setattr(place, attribute, True)
        assert isinstance(hub.next_step(place), Rest)
        assert not place.ready
        setattr(place, attribute, False)
        assert isinstance(hub.next_step(place), Send)


def test_a_round_is_bounded_so_that_a_long_absence_of_the_follower_is_not_one_write():
    hub = at(0, ring=256, slice_bytes=40)
    hub.publish(text(n) for n in range(1, 31))
    sizes = []
    while isinstance(due := hub.next_round(), Round):
        sizes.append(len(b"".join(due.frames)))
    assert hub.head == 30
    assert max(sizes) <= 40 + 20
    assert len(sizes) > 5


def test_nothing_is_due_after_the_end_and_a_hub_without_a_start_waits():
    hub = at(3)
    hub.publish([text(4)])
    hub.ended = True
    assert hub.next_round() is None
    waiting = Hub[Standing](Pace())
    waiting.publish([text(4), text(5)])
    assert waiting.next_round() is None
    assert isinstance(waiting.next_step(watcher(waiting, 2)), Rest)
    waiting.start(4, framed(3, 4))
    assert waiting.next_round() == Round(4, 5, (wire.framed(text(5)[1]),), ())


def test_announcements_far_beyond_what_is_known_take_no_memory():
    hub = at(3, far=10)
    hub.publish(text(n) for n in range(1000, 5000))
    assert hub._coming == {}
    assert hub.next_round() == Gap(3, hub.pace.slice_frames)


class World:
    """A log, a hub and watchers, with everything that waits done in any order."""

    def __init__(self, chance) -> None:
        self.chance = chance
        self.log = 0
        self.hub: Hub[Standing] = Hub(Pace(ring_frames=4, far=12, slice_frames=3, slice_bytes=60))
        self.got: dict[Standing, list[tuple[str, int]]] = {}
        self.reading: list[tuple[Standing, object, object]] = []
        self.quiet = False

    def advance(self, place: Standing) -> None:
        self.perform(place, self.hub.next_step(place))

    def perform(self, place: Standing, step: object) -> None:
        while not isinstance(step, Rest):
            if isinstance(step, Close):
                self.hub.leave(place)
                return
            if not isinstance(step, Send):
                place.reading = True
                answer = (
                    self.log
                    if isinstance(step, ReadHead | ReadView)
                    else framed(*range(step.after + 1, self.log + 1))[: step.limit]
                )
                self.reading.append((place, step, answer))  # what the log said; it may be old when it arrives
                return
            self.write(place, b"".join(step.frames))
            step = self.hub.next_step(place)

    def write(self, place: Standing, data: bytes) -> None:
        assert not place.blocked, "written to while something was unsent"
        assert not place.gone
        for _, payload in wire.unframed(data):
            message = json.loads(payload)
            kind = "key" if message.get("key") else next(iter(message))
            self.got[place].append((kind, message.get("n", 0)))
        if self.chance.random() < 0.3:
            place.blocked, place.ready = True, False

    def arrive(self) -> None:
        place, step, answer = self.reading.pop(self.chance.randrange(len(self.reading)))
        place.reading = False
        if isinstance(step, ReadHead):
            self.perform(place, self.hub.took_head(place, answer))
        elif isinstance(step, ReadFrames):
            self.perform(place, self.hub.took_frames(place, step, answer))
        else:
            self.perform(place, self.hub.took_view(place, step, answer, wire.framed(b'{"key":true,"n":%d}' % answer)))

    def round(self) -> None:
        due = self.hub.next_round()
        if isinstance(due, Gap):
            self.hub.publish([text(n) for n in range(due.after + 1, self.log + 1)][: due.limit])
        elif isinstance(due, Round):
            for place in self.chance.sample(list(self.got), len(self.got)):
                if not self.quiet and self.chance.random() < 0.3:
                    self.something_small()  # the round yields, and the world goes on
                if place.ready and place.sent == due.before:
                    place.sent = due.after
                    self.write(place, b"".join(due.frames))
            for place in self.hub.overtaken():
                self.advance(place)

    def something_small(self) -> None:
        act = self.chance.randrange(6)
        if act == 0:
            place = watcher(
                self.hub, self.chance.choice([self.log, self.log - 3, self.log - 9, self.log - 30, 0, self.log + 1])
            )
            self.got[place] = []
            self.advance(place)
        elif act == 1 and (blocked := [p for p in self.got if p.blocked]):
            place = self.chance.choice(blocked)
            place.blocked = False
            self.advance(place)
        elif act == 2 and self.reading:
            self.arrive()
        elif act == 3 and self.got:
            place = self.chance.choice(list(self.got))
            if place.sent >= 0:
                self.hub.ask_view(place, place.sent - 1)
                self.advance(place)
        elif act >= 4:
            self.log += 1
            if self.chance.random() < 0.8:  # an announcement may be lost
                self.hub.publish([text(n) for n in range(max(1, self.log - self.chance.randrange(3)), self.log + 1)])

    def settle(self) -> None:
        self.quiet = True
        self.hub.publish([text(self.log)] if self.log else [])
        for _ in range(10_000):
            while self.hub.due:
                self.round()
            if self.reading:
                self.arrive()
            elif blocked := [p for p in self.got if p.blocked]:
                blocked[0].blocked = False
                self.advance(blocked[0])
            else:
                return
        raise AssertionError("it never comes to rest")


def test_in_any_order_of_events_every_watcher_gets_every_number_once_or_one_whole_view():
    chance = seeded()
    for _ in range(150):
        world = World(chance)
        world.log = chance.choice([0, 1, 20, 60])
        world.hub.start(world.log, framed(*range(max(1, world.log - 3), world.log + 1)))
        for _ in range(150):
            if chance.random() < 0.25:
                world.round()
            else:
                world.something_small()
        world.settle()
        assert world.got
        for place, got in world.got.items():
            assert place.ready, got
            assert place.sent == world.log == world.hub.head
            follows(place.since, got, world.log)


def follows(since: int, got: list[tuple[str, int]], head: int) -> None:
    """Read as a page does: a frame is the next number or it is an error; a whole view is a new start."""
    stands, forgiven = since, False
    for kind, n in got:
        if kind == "n":
            assert n == stands + 1, (since, got)
            stands = n
        elif kind == "key":
            assert forgiven or n >= stands, (since, got)
            stands, forgiven = n, False
        elif kind == "reset":
            stands, forgiven = 0, True
    assert stands == head, (since, got, head)
