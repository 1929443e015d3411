"""One timer for every open socket: heartbeats, dead peers, stalled readers, expired sign-ins, closes never answered.

Rule: a watcher has its turn exactly once per tick, counted from its own arrival, whatever happens elsewhere; a turn
looks at a slice of the watchers, never at all of them.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from web.push import messages, wire
from web.push.room import PushContext
from web.push.standing import UNCHECKED
from web.push.watcher import Watcher

logger = logging.getLogger("fanlight.push")
STEPS_A_SECOND = 4


class Sweep:
    """Watchers in slices, a slice per step, all slices within one tick."""

    def __init__(self, house: PushContext, every_step: Callable[[], None]) -> None:
        self.house, self.pace, self._every_step = house, house.pace, every_step
        self._slices: list[set[Watcher]] = [set() for _ in range(max(1, round(self.pace.tick_every * STEPS_A_SECOND)))]
        self._at = 0
        self.running = False

    def add(self, watcher: Watcher) -> None:
        """Give a watcher its turn from now on, the first one a whole tick away."""
        watcher.phase = self._at
        self._slices[watcher.phase].add(watcher)

    def keep_running(self, needed: Callable[[], bool]) -> None:
        """Sweep from now on until nothing needs it; one sweep, however many arrive at once."""
        if not self.running:
            self.running = True
            self.house.spawn(self._run(needed))

    async def _run(self, needed: Callable[[], bool]) -> None:
        step = self.pace.tick_every / len(self._slices)
        due = time.monotonic() + step
        try:
            while needed():
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                due = max(due + step, time.monotonic())
                self._at = (self._at + 1) % len(self._slices)
                await self._step()
        finally:
            self.running = False

    async def _step(self) -> None:
        try:
            await self._turn(self._slices[self._at])
            self._abort_overdue()
            self._every_step()
        except Exception:
            logger.exception("a step of the sweep failed; the next one goes on")

    async def _turn(self, watchers: set[Watcher]) -> None:
        now, clock = time.monotonic(), self.house.clock()
        beats: dict[int, bytes] = {}
        for i, watcher in enumerate(list(watchers), 1):
            if watcher.gone:
                watchers.discard(watcher)
            else:
                self._visit(watcher, now, clock, beats)
            if not i % self.pace.chunk:
                await asyncio.sleep(0)

    def _visit(self, watcher: Watcher, now: float, clock: float, beats: dict[int, bytes]) -> None:
        watcher.budget, watcher.views = self.pace.inbound, self.pace.views
        if watcher.expired(clock):
            return
        if now - watcher.heard > self.pace.dead_after:
            self._abort(watcher)
        elif watcher.blocked:
            if now - watcher.blocked_at > self.pace.dead_after:
                self._abort(watcher)
        elif not watcher.greeted:
            if now - watcher.blocked_at > self.pace.hello_within:
                watcher.close(messages.RELOAD)
        elif watcher.sent != UNCHECKED:
            head = watcher.sent  # the share's head, for everyone who is up to date
            beat = beats.get(head)
            if beat is None:
                beat = beats[head] = messages.tick(head) + wire.PING
            watcher.write(beat)

    def _abort(self, watcher: Watcher) -> None:
        self.house.counts.aborted += 1
        watcher.lost()
        watcher.transport.abort()

    def _abort_overdue(self) -> None:
        now = time.monotonic()
        for watcher in [watcher for watcher, deadline in self.house.leaving.items() if now >= deadline]:
            del self.house.leaving[watcher]
            watcher.transport.abort()
