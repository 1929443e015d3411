"""One timer for all open sockets: sends heartbeats, ends expired sign-ins, aborts peers that are dead or do not read.

Rule: a watcher is visited exactly once per tick, counted from its own arrival; a step of the timer visits a slice of
the watchers, never all of them.
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
    """Visits the watchers in slices: one slice per step, every slice once per tick."""

    def __init__(self, context: PushContext, every_step: Callable[[], None]) -> None:
        self._context, self._pace, self._every_step = context, context.pace, every_step
        self._slices: list[set[Watcher]] = [set() for _ in range(max(1, round(self._pace.tick_every * STEPS_A_SECOND)))]
        self._at = 0
        self.running = False

    def add(self, watcher: Watcher) -> None:
        """Visit a watcher from now on, first after a whole tick."""
        watcher.phase = self._at
        self._slices[watcher.phase].add(watcher)

    def keep_running(self, needed: Callable[[], bool]) -> None:
        """Start the timer unless it runs; it stops when `needed` returns False."""
        if not self.running:
            self.running = True
            self._context.spawn(self._run(needed))

    async def _run(self, needed: Callable[[], bool]) -> None:
        step = self._pace.tick_every / len(self._slices)
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
            await self._visit_all(self._slices[self._at])
            self._abort_overdue()
            self._every_step()
        except Exception:
            logger.exception("a step of the sweep failed; the next one goes on")

    async def _visit_all(self, watchers: set[Watcher]) -> None:
        now, clock = time.monotonic(), self._context.clock()
        beats: dict[int, bytes] = {}
        for i, watcher in enumerate(list(watchers), 1):
            if watcher.gone:
                watchers.discard(watcher)
            else:
                try:
                    self._visit(watcher, now, clock, beats)
                except Exception:  # those after it are visited: their beats, and the ends of their sign-ins
                    logger.exception("a page could not be visited, so it is cut off and comes back")
                    self._abort(watcher)
            if not i % self._pace.chunk:
                await asyncio.sleep(0)

    def _visit(self, watcher: Watcher, now: float, clock: float, beats: dict[int, bytes]) -> None:
        watcher.budget, watcher.views = self._pace.inbound, self._pace.views
        if watcher.expired(clock):
            return
        if now - watcher.heard > self._pace.dead_after:
            self._abort(watcher)
        elif watcher.blocked:
            if now - watcher.blocked_at > self._pace.dead_after:
                self._abort(watcher)
        elif not watcher.greeted:
            if now - watcher.blocked_at > self._pace.hello_within:
                watcher.close(messages.RELOAD)
        elif watcher.sent != UNCHECKED:
            head = watcher.sent  # the share's head, for everyone who is up to date
            beat = beats.get(head)
            if beat is None:
                beat = beats[head] = messages.tick(head) + wire.PING
            watcher.write(beat)

    def _abort(self, watcher: Watcher) -> None:
        self._context.counts.aborted += 1
        watcher.lost()
        watcher.transport.abort()

    def _abort_overdue(self) -> None:
        now = time.monotonic()
        for watcher in [watcher for watcher, deadline in self._context.leaving.items() if now >= deadline]:
            del self._context.leaving[watcher]
            watcher.transport.abort()
