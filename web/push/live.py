"""The push layer as the rest of the product calls it: entries are sent to open dashboards, and receipts come back.

Rule: called on the event loop thread alone (`publish_threadsafe`, `shares` and `open` excepted), and never blocks. A
room is made when the first page of a share comes, and dropped `Pace.empty_room` seconds after the last one left.
"""

import asyncio
import logging
import math
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from starlette.websockets import WebSocket

from projections.receipts.claims import Receipt
from web.push import fallback, messages, packing
from web.push.handover import EXTENSION, FanProtocol
from web.push.handshake import Handshake
from web.push.pace import Pace
from web.push.room import Log, PushContext, Room
from web.push.sweep import Sweep
from web.push.viewer import Viewer, Watching
from web.push.watcher import Watcher

logger = logging.getLogger("fanlight.push")
ENDS_KEPT = 4096  # newest ends of rights that are remembered
BACK = 100, 1500  # milliseconds: pages of a process that stops are asked to reconnect after a random time in it
DRAIN_STEP, DRAIN_PATIENCE = 0.05, 1.0  # seconds between slices of closes, and for pages to answer the last one
DRAIN_AT_ONCE = 64  # sockets in a slice, at least


class Ended(msgspec.Struct, frozen=True):
    """Rights that ended: those of a share, a person, a session, or a person on a share; None leaves it open."""

    mark: int
    code: int  # of the close that is sent
    share: str | None
    person: str | None
    session: str | None

    def concerns(self, viewer: Viewer) -> bool:
        """Tell whether these were rights of this viewer."""
        wanted = (self.share, viewer.share), (self.session, viewer.session)
        theirs = self.person is None or self.person in (viewer.person, viewer.by)
        return theirs and all(ended is None or ended == own for ended, own in wanted)


def _shaken(websocket: WebSocket) -> FanProtocol | Handshake | None:
    """Return what has shaken hands with a page, where the server can hand the socket over."""
    found = websocket.scope.get("extensions", {}).get(EXTENSION)
    return found if isinstance(found, (Handshake, FanProtocol)) else None


class Live:
    """Every room of this process. Not thread-safe; owned by the event loop."""

    def __init__(
        self,
        log: Log,
        on_receipts: Callable[[Sequence[Receipt]], None],
        clock: Callable[[], float] = time.time,
        pace: Pace | None = None,
    ) -> None:
        self.pace = pace or Pace()
        self._on_receipts = on_receipts
        self._context = PushContext(log, clock, self.pace, self._take_claim)
        self.counts = self._context.counts
        self._sweep = Sweep(self._context, self._tidy)
        self._rooms: dict[str, Room] = {}
        self._claims: list[Receipt] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ends: deque[Ended] = deque(maxlen=ENDS_KEPT)
        self._marks = 0
        self._draining: asyncio.Task[None] | None = None

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the loop that everything here runs on, for `publish_threadsafe`."""
        self._loop = loop

    # what was recorded

    def publish(self, share: str, frames: Sequence[tuple[int, bytes]]) -> None:
        """Send messages just recorded, by number; duplicates are dropped, and gaps are filled from the log."""
        room = self._rooms.get(share)
        if room is not None:
            room.publish(frames)

    def publish_threadsafe(self, share: str, frames: Sequence[tuple[int, bytes]]) -> None:
        """Publish from another thread; does nothing before `bind` was called."""
        loop = self._loop
        if loop is not None and not loop.is_closed():  # without a loop nobody watches yet
            loop.call_soon_threadsafe(self.publish, share, frames)

    # pages

    def mark(self) -> int:
        """Return a mark to take before a viewer's rights are looked up: rights that end after it close their socket."""
        return self._marks

    async def accept(self, websocket: WebSocket) -> None:
        """Accept a socket, and compressed frames with it where its page offers them and the server can hand it over."""
        shaken = _shaken(websocket)
        if shaken is not None and self.pace.packs:
            offers = [value for name, value in websocket.scope["headers"] if name == packing.HEADER]
            shaken.packs = bool(offers) and packing.is_offered(b",".join(offers).decode("latin-1"))
        packs = shaken is not None and shaken.packs
        await websocket.accept(headers=[(packing.HEADER, packing.ANSWER)] if packs else None)

    async def serve(self, websocket: WebSocket, viewer: Viewer, mark: int | None = None) -> None:
        """Take over an accepted socket: returns at once where the server can hand it over, else when the socket ends.

        Nothing is sent before the page's hello, and a page that sends none is closed. Nothing must have been received
        from `websocket` before. `mark`: from `mark()`, taken before the viewer's rights were looked up.
        """
        admit = partial(self._admit, mark=self._marks if mark is None else mark)
        shaken = _shaken(websocket)
        if shaken is not None:
            shaken.hand_over(viewer, admit, self._going_down)
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
        self._sweep.keep_running(lambda: bool(self._rooms or self._context.leaving))

    def _room(self, share: str) -> Room:
        self.bind(asyncio.get_running_loop())
        room = self._rooms.get(share)
        if room is None or room.hub.ended:
            room = self._rooms[share] = Room(share, self._context)
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
        return {share: watching for share, room in self._rooms.items() if (watching := room.watching())}

    def open(self) -> int:
        """Return how many dashboards are open. From any thread."""
        return sum(len(room.watchers) for room in list(self._rooms.values()))

    def forget_all(self) -> None:
        """Drop the frames of every share from memory: a person was erased, whose name may stand in some of them."""
        for share in self.shares():
            self.forget(share)

    def forget(self, share: str) -> None:
        """Drop the frames of a share from memory, because content of some of them was erased."""
        room = self._rooms.get(share)
        if room is not None:
            room.hub.forget()

    # ends

    def end_share(self, share: str) -> None:
        """Close every socket of a share with 4403; nothing that is published after this call is sent."""
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
        end = Ended(self._marks, code, share, person, session)
        self._ends.append(end)
        for room in list(self._rooms.values()) if share is None else filter(None, [self._rooms.get(share)]):
            for watcher in list(room.watchers):
                if end.concerns(watcher.viewer):
                    watcher.close(code)

    def _ended_since(self, mark: int, viewer: Viewer) -> int | None:
        if self._marks - mark > ENDS_KEPT:
            return messages.BUSY  # more ends than are remembered: the page reconnects and is judged again
        for end in reversed(self._ends):
            if end.mark <= mark:
                break
            if end.concerns(viewer):
                return end.code
        return None

    # claims

    def _take_claim(self, receipt: Receipt) -> None:
        if not self._claims:
            asyncio.get_running_loop().call_later(self.pace.claims_every, self._hand_on_claims)
        self._claims.append(receipt)

    def _hand_on_claims(self) -> None:
        claims, self._claims = self._claims, []
        if not claims:
            return
        try:
            self._on_receipts(claims)
        except Exception:
            logger.exception("%d receipts were not taken", len(claims))

    # housekeeping

    def _tidy(self) -> None:
        oldest = time.monotonic() - self.pace.empty_room
        for share, room in list(self._rooms.items()):
            room.kick()
            if not room.watchers and room.empty_since < oldest:
                del self._rooms[share]

    def _going_down(self) -> None:
        if self._draining is None:
            self._draining = asyncio.get_running_loop().create_task(self._drain(self.pace.drain))

    async def drain(self, seconds: float) -> None:
        """Close every socket with 1012, in slices within so many seconds, and abort those that do not answer."""
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
            if not self._context.leaving:
                break
            await asyncio.sleep(DRAIN_STEP)
        for watcher in list(self._context.leaving):
            watcher.transport.abort()
        self._hand_on_claims()
