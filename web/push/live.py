"""The push layer's front: what was recorded goes to every open dashboard of its share, and claims come back.

Rule: called on the event loop thread alone (`publish_threadsafe` excepted), and never waits. Rooms are made when a
page comes and dropped some time after the last one went.
"""

import asyncio
import logging
import math
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from starlette.websockets import WebSocket

from web.push import fallback, messages
from web.push.handover import EXTENSION, FanProtocol
from web.push.pace import Pace
from web.push.room import Log, PushContext, Room
from web.push.server import server_config, tune_gc
from web.push.standing import Receipt
from web.push.sweep import Sweep
from web.push.viewer import Viewer, Watching
from web.push.watcher import Watcher

__all__ = ["Live", "Log", "Pace", "Receipt", "Viewer", "Watching", "server_config", "tune_gc"]

logger = logging.getLogger("fanlight.push")
ENDS_KEPT = 4096
BACK = 100, 1500  # milliseconds after which pages of a process that stops are asked to come back
DRAIN_STEP, DRAIN_PATIENCE, DRAIN_AT_ONCE = 0.05, 1.0, 64


class Live:
    """Every room of this process."""

    def __init__(
        self,
        log: Log,
        on_receipts: Callable[[Sequence[Receipt]], None],
        clock: Callable[[], float] = time.time,
        pace: Pace | None = None,
    ) -> None:
        self.pace = pace or Pace()
        self._on_receipts = on_receipts
        self._house = PushContext(log, clock, self.pace, self._claimed)
        self.counts = self._house.counts
        self._sweep = Sweep(self._house, self._step)
        self._rooms: dict[str, Room] = {}
        self._claims: list[Receipt] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ends: deque[tuple[int, str | None, str | None, str | None, int]] = deque(maxlen=ENDS_KEPT)
        self._marks = 0
        self._draining: asyncio.Task[None] | None = None

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the loop that everything here runs on, for `publish_threadsafe`."""
        self._loop = loop

    # what was recorded

    def publish(self, share: str, frames: Sequence[tuple[int, bytes]]) -> None:
        """Send numbers just committed to the log. Duplicates are dropped and gaps are filled from the log."""
        room = self._rooms.get(share)
        if room is not None:
            room.publish(frames)

    def publish_threadsafe(self, share: str, frames: Sequence[tuple[int, bytes]]) -> None:
        """Do the same from another thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():  # without a loop nobody watches yet
            loop.call_soon_threadsafe(self.publish, share, frames)

    # pages

    def mark(self) -> int:
        """Return a point to take before deciding a viewer's rights: whatever ends after it ends that viewer too."""
        return self._marks

    async def serve(self, websocket: WebSocket, viewer: Viewer, mark: int | None = None) -> None:
        """Take over an accepted socket: at once where the server can hand it over, else to its end.

        Nothing is sent before the page's hello, and a page that does not say it is closed. `websocket` must not have
        been received from.
        """
        admit = partial(self._admit, mark=self._marks if mark is None else mark)
        fan = websocket.scope.get("extensions", {}).get(EXTENSION)
        if isinstance(fan, FanProtocol):
            fan.hand_over(viewer, admit, self._going_down)
        else:
            await fallback.serve(websocket, viewer, admit)

    def _admit(self, watcher: Watcher, mark: int) -> None:
        viewer = watcher.viewer
        self._room(viewer.share).join(watcher)
        self._sweep.add(watcher)
        if (code := self._ended_since(mark, viewer)) is not None:
            watcher.close(code)
        elif self._draining is not None:
            watcher.close(messages.RESTART)
        self._sweep.keep_running(lambda: bool(self._rooms or self._house.leaving))

    def _room(self, share: str) -> Room:
        self.bind(asyncio.get_running_loop())
        room = self._rooms.get(share)
        if room is None or room.hub.ended:
            room = self._rooms[share] = Room(share, self._house)
        return room

    def watching(self, share: str) -> list[Watching]:
        """Return the open dashboards of a share."""
        room = self._rooms.get(share)
        return room.watching() if room else []

    def shares(self) -> frozenset[str]:
        """Return the shares that are watched here. From any thread."""
        return frozenset(list(self._rooms))

    def everyone(self) -> dict[str, list[Watching]]:
        """Return every open dashboard, by share."""
        return {share: found for share, room in self._rooms.items() if (found := room.watching())}

    def open(self) -> int:
        """Return how many dashboards are open. From any thread."""
        return sum(len(room.watchers) for room in list(self._rooms.values()))

    def forget(self, share: str) -> None:
        """Drop the frames of a share from memory: the content of some of them was erased."""
        room = self._rooms.get(share)
        if room is not None:
            room.hub.forget()

    # ends

    def end_share(self, share: str) -> None:
        """Close everyone on a share with 4403. Nothing that is numbered after this call is sent."""
        self._end(messages.ENDED, share=share)
        room = self._rooms.pop(share, None)
        if room is not None:
            room.end(messages.ENDED)

    def end_person(self, share: str | None, person: str, code: int = messages.ENDED) -> None:
        """Close a person's sockets on a share, or on all of them."""
        self._end(code, share=share, person=person)

    def end_session(self, session: str) -> None:
        """Close every socket of a sign-in session with 4401."""
        self._end(messages.SIGNED_OUT, session=session)

    def _end(
        self, code: int, *, share: str | None = None, person: str | None = None, session: str | None = None
    ) -> None:
        self._marks += 1
        self._ends.append((self._marks, share, person, session, code))
        for room in list(self._rooms.values()) if share is None else filter(None, [self._rooms.get(share)]):
            for watcher in list(room.watchers):
                if _meets(watcher.viewer, share, person, session):
                    watcher.close(code)

    def _ended_since(self, mark: int, viewer: Viewer) -> int | None:
        if self._marks - mark > ENDS_KEPT:
            return messages.BUSY  # too long ago to know: the page comes back and is judged anew
        for at, share, person, session, code in reversed(self._ends):
            if at <= mark:
                break
            if _meets(viewer, share, person, session):
                return code
        return None

    # claims

    def _claimed(self, receipt: Receipt) -> None:
        if not self._claims:
            asyncio.get_running_loop().call_later(self.pace.claims_every, self._hand_on)
        self._claims.append(receipt)

    def _hand_on(self) -> None:
        claims, self._claims = self._claims, []
        if not claims:
            return
        try:
            self._on_receipts(claims)
        except Exception:
            logger.exception("%d receipts were not taken", len(claims))

    # housekeeping

    def _step(self) -> None:
        oldest = time.monotonic() - self.pace.empty_room
        for share, room in list(self._rooms.items()):
            room.kick()
            if not room.watchers and room.empty_since < oldest:
                del self._rooms[share]

    def _going_down(self) -> None:
        if self._draining is None:
            self._draining = asyncio.get_running_loop().create_task(self._drain(self.pace.drain))

    async def drain(self, seconds: float) -> None:
        """Close everyone with 1012 in slices within these seconds, and end those who do not answer."""
        if self._draining is None:
            self._draining = asyncio.get_running_loop().create_task(self._drain(seconds))
        await asyncio.shield(self._draining)

    async def _drain(self, seconds: float) -> None:
        everyone = [watcher for room in self._rooms.values() for watcher in room.watchers]
        turns = max(1, min(math.ceil(len(everyone) / DRAIN_AT_ONCE), round(seconds / DRAIN_STEP)))
        size = math.ceil(len(everyone) / turns)
        for start in range(0, len(everyone), max(size, 1)):
            for watcher in everyone[start : start + size]:
                watcher.close(messages.RESTART, messages.back(random.randrange(*BACK)))  # noqa: S311  # to spread them
            await asyncio.sleep(DRAIN_STEP)
        for _ in range(round(min(DRAIN_PATIENCE, self.pace.close_grace) / DRAIN_STEP)):
            if not self._house.leaving:
                break
            await asyncio.sleep(DRAIN_STEP)
        for watcher in list(self._house.leaving):
            watcher.transport.abort()
        self._hand_on()


def _meets(viewer: Viewer, share: str | None, person: str | None, session: str | None) -> bool:
    return all(
        asked is None or asked == own
        for asked, own in ((share, viewer.share), (person, viewer.person), (session, viewer.session))
    )
