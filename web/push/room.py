"""Carries out what the hub of a share decides: writes to its watchers, reads the log, and takes the pages' messages.

Rule: the hub decides, the room carries out, on the event loop thread alone. The log is read in threads, once for all
watchers that wait for the same read. The number of a watcher does not change while a read for it is under way.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol, assert_never

import msgspec

from projections.receipts.claims import Receipt
from web.push import messages, wire
from web.push.hub import Close, Gap, Hub, Read, ReadFrames, ReadHead, ReadRoot, ReadView, Rest, Round, Send, Step
from web.push.messages import Claim, Hello, Resync
from web.push.pace import Pace
from web.push.packing import Packed
from web.push.standing import PLAIN
from web.push.viewer import Watching
from web.push.watcher import Watcher

logger = logging.getLogger("fanlight.push")
SHORTEST_REST = 0.001  # seconds; what timers of an event loop can tell apart


class Log(Protocol):
    """What the push layer reads of the disclosure log; its methods block and are called in threads only."""

    def head(self, share: str) -> int: ...
    def root(self, share: str, n: int) -> str: ...
    def frames(self, share: str, after: int, limit: int) -> list[tuple[int, bytes]]: ...
    def keyframe(self, share: str, since: int) -> tuple[int, bytes]: ...


class Counts(msgspec.Struct):
    """How often what happened since this process started; for metrics and tests."""

    joined: int = 0
    rounds: int = 0  # writes to every watcher that was up to date
    behind: int = 0  # times a watcher fell behind its transport
    log_reads: int = 0
    views: int = 0  # whole views sent
    resets: int = 0  # pages told to start over
    refused: int = 0  # claims of more than was sent
    aborted: int = 0  # connections


class PushContext:
    """What all rooms of a process share: the log, the clock, the pace, the counts, and the background tasks."""

    def __init__(self, log: Log, clock: Callable[[], float], pace: Pace, claim: Callable[[Receipt], None]) -> None:
        self.log, self.clock, self.pace, self.claim = log, clock, pace, claim
        self.counts = Counts()
        self.leaving: dict[Watcher, float] = {}  # was sent a close; aborted at this time (monotonic)
        self.tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work in the background; it reports the failures it knows of, and any other is reported here."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("work for open dashboards ended unexpectedly", exc_info=error)


class Room:
    """One share: its hub, its watchers and the reads under way. Not thread-safe; owned by the event loop."""

    def __init__(self, share: str, context: PushContext) -> None:
        self.share, self._context, self.pace = share, context, context.pace
        self.hub = Hub[Watcher](context.pace)
        self.watchers: set[Watcher] = set()
        self.empty_since = time.monotonic()
        self._busy = False  # a round task runs
        self._rested = 0.0  # when the next round may begin (monotonic)
        self._first_end = math.inf  # no sign-in of a watcher runs out before it (POSIX seconds)
        self._reads: dict[Read, list[Watcher]] = {}
        context.spawn(self._start())

    # from the follower

    def publish(self, frames: Iterable[tuple[int, bytes]]) -> None:
        """Take committed messages, by number, and start a round."""
        self.hub.publish(frames)
        self.kick()

    def kick(self) -> None:
        """Start rounds if something is due and none is under way."""
        if not self._busy and self.hub.due:
            self._busy = True
            self._context.spawn(self._rounds())

    def end(self, code: int) -> None:
        """Close every watcher; nothing published after this is sent."""
        self.hub.ended = True
        for watcher in list(self.watchers):
            watcher.close(code)

    def watching(self) -> list[Watching]:
        """Return the open dashboards whose page has sent its hello."""
        return [watcher.watching() for watcher in self.watchers if watcher.greeted]

    # from watchers

    def join(self, watcher: Watcher) -> None:
        """Add a watcher; it is sent nothing before its hello."""
        watcher.room = self
        watcher.budget, watcher.views = self.pace.inbound, self.pace.views
        self.watchers.add(watcher)
        self._first_end = min(self._first_end, watcher.viewer.expires or math.inf)
        self.hub.packs = self.hub.packs or watcher.unbroken != PLAIN
        self._context.counts.joined += 1

    def said(self, watcher: Watcher, message: messages.Said) -> None:
        """Act on one message of a page; its hello comes first and only once."""
        if isinstance(message, Claim) and watcher.greeted:  # by far the most frequent
            self._take_claim(watcher, message)
        elif isinstance(message, Hello) and not watcher.greeted:
            watcher.tab = message.tab
            self.hub.greet(watcher, message.n, message.root)
            self.advance(watcher)
        elif isinstance(message, Resync) and watcher.greeted:
            watcher.views -= 1
            if watcher.views < 0:
                watcher.close(messages.BUSY)
                return
            self.hub.ask_view(watcher, message.n)
            self.advance(watcher)
        else:
            watcher.close(messages.RELOAD)

    def _take_claim(self, watcher: Watcher, claim: Claim) -> None:
        verdict, context = watcher.judge(claim), self._context
        if verdict == "new":
            who = watcher.viewer
            context.claim(
                Receipt(
                    share=self.share,
                    person=who.person,
                    session=who.session,
                    tab=watcher.tab,
                    kind=claim.kind,
                    n=claim.n,
                    came_from=claim.came_from,
                    at=context.clock(),
                    head=claim.head,
                )
            )
        elif verdict == "refused":
            self._context.counts.refused += 1
            logger.warning(
                "refused a claim of %s on %s: %s up to %d, but this socket was sent up to %d",
                *(watcher.viewer.person, self.share, claim.kind, claim.n, watcher.sent),
            )
            watcher.spend(self.pace.inbound // 10)  # so that nobody can fill a disk with such lines

    def closing(self, watcher: Watcher) -> None:
        """Send nothing more to a watcher that was sent a close; its page has `Pace.close_grace` to answer."""
        self._forget(watcher)
        self._context.leaving[watcher] = time.monotonic() + self.pace.close_grace

    def lost(self, watcher: Watcher) -> None:
        """Forget a watcher whose connection is gone."""
        self._forget(watcher)
        self._context.leaving.pop(watcher, None)

    def _forget(self, watcher: Watcher) -> None:
        if watcher in self.watchers and watcher.greeted:
            who, n, at = watcher.viewer, max(watcher.sent, 0), self._context.clock()
            gone = Receipt(
                share=self.share, person=who.person, session=who.session, tab=watcher.tab, kind="closed", n=n, at=at
            )
            self._context.claim(gone)
        self.hub.leave(watcher)
        self.watchers.discard(watcher)
        if not self.watchers:
            self.empty_since = time.monotonic()

    # rounds

    async def _rounds(self) -> None:
        try:
            while await self._rest() and (due := self.hub.next_round()) is not None:
                match due:
                    case Round():
                        began = time.thread_time()
                        await self._deliver(due)
                        took = time.thread_time() - began
                        self._rested = time.monotonic() + min(self.pace.longest_rest, self.pace.rest * took)
                        for watcher in self.hub.overtaken():
                            self.advance(watcher)
                    case Gap():
                        if not await self._fill(due):
                            break  # the sweep tries again
        except Exception:
            logger.exception("a round of %s failed; the next publish or sweep tries again", self.share)
        finally:
            self._busy = False

    async def _rest(self) -> bool:
        """Wait until the next round may begin, so that what is published in a burst is joined; return True.

        Rounds of a share take no more than a quarter of the loop's time; whoever publishes has the rest.
        """
        left = self._rested - time.monotonic()
        if left > SHORTEST_REST:
            await asyncio.sleep(left)
        return True

    async def _fill(self, gap: Gap) -> bool:
        """Publish what a gap holds from the log, and return whether there was anything."""
        texts = await asyncio.to_thread(self._context.log.frames, self.share, gap.after, gap.limit)
        self._context.counts.log_reads += 1
        self.hub.publish(texts)
        if not texts:
            logger.error("entries after %d of %s are announced but not in the log", gap.after, self.share)
        return bool(texts)

    async def _deliver(self, due: Round) -> None:
        before, after, data, chunk = due.before, due.after, b"".join(due.frames), self.pace.chunk
        packed, held, some = Packed(due.frames, due.earlier), PLAIN, b""
        self._context.counts.rounds += 1
        self._end_expired()
        watchers = list(self.watchers)
        for start in range(0, len(watchers), chunk):
            for watcher in watchers[start : start + chunk]:
                if watcher.ready and watcher.sent == before:
                    watcher.sent = after
                    if (unbroken := watcher.unbroken) == PLAIN:
                        watcher.transport.write(data)
                        continue
                    if unbroken != held:
                        held, some = unbroken, packed.after(before - unbroken)
                    watcher.transport.write(some)
            if start + chunk <= len(watchers):
                await asyncio.sleep(0)
                if self.hub.ended:
                    return

    def _end_expired(self) -> None:
        """Close the watchers whose sign-in has run out by now."""
        now = self._context.clock()
        if self._first_end <= now:
            for watcher in list(self.watchers):
                watcher.expired(now)
            self._first_end = min((watcher.viewer.expires or math.inf for watcher in self.watchers), default=math.inf)

    # what one watcher is owed

    def advance(self, watcher: Watcher) -> None:
        """Send a watcher what it is owed until it is up to date or has to wait; close it where its sign-in ran out."""
        if not watcher.expired(self._context.clock()):
            self._perform(watcher, self.hub.next_step(watcher))

    def _perform(self, watcher: Watcher, step: Step) -> None:
        while True:
            match step:
                case Rest():
                    return
                case Send(frames=frames):
                    watcher.write(b"".join(frames))
                    if watcher.unbroken != PLAIN:
                        watcher.unbroken = watcher.sent
                    step = self.hub.next_step(watcher)
                case ReadHead() | ReadRoot() | ReadFrames() | ReadView():
                    self._ask(watcher, step)
                    return
                case Close(code=code):
                    watcher.close(code)
                    return
                case _:
                    assert_never(step)

    # reads of the log

    def _ask(self, watcher: Watcher, read: Read) -> None:
        watcher.reading = True
        waiting = self._reads.get(read)
        if waiting is not None and not isinstance(read, ReadHead):  # a head read before may be too old for this page
            waiting.append(watcher)
            return
        waiting = [watcher]
        if not isinstance(read, ReadHead):
            self._reads[read] = waiting
        self._context.spawn(self._read(read, waiting))

    async def _read(self, read: Read, waiting: list[Watcher]) -> None:
        self._context.counts.log_reads += 1
        try:
            answer = await asyncio.to_thread(self._answer, read)
        except Exception:
            logger.exception("the log of %s could not be read", self.share)
            answer = None
        if not isinstance(read, ReadHead):
            self._reads.pop(read, None)
        for i, watcher in enumerate(waiting, 1):
            watcher.reading = False
            try:
                if answer is None:
                    watcher.close(messages.BUSY)
                elif not watcher.expired(self._context.clock()):
                    self._perform(watcher, answer(watcher))
            except Exception:  # those after it wait for the same read
                logger.exception("a page of %s could not be answered", self.share)
                watcher.close(messages.BUSY)
            if not i % self.pace.chunk:
                await asyncio.sleep(0)
        self.kick()

    def _answer(self, read: Read) -> Callable[[Watcher], Step]:
        """Read the log, and return what the hub makes of it for a watcher. For threads."""
        match read:
            case ReadHead():
                head = self._context.log.head(self.share)
                return lambda watcher: self.hub.took_head(watcher, head)
            case ReadRoot():
                root = self._context.log.root(self.share, read.n)
                return lambda watcher: self.hub.took_root(watcher, root)
            case ReadFrames():
                frames = self._frames(read.after, read.limit)
                return lambda watcher: self.hub.took_frames(watcher, read, frames)
            case ReadView():
                n, text = self._context.log.keyframe(self.share, read.since)
                frame = wire.framed(text)
                return lambda watcher: self.hub.took_view(watcher, read, n, frame)
            case _:
                assert_never(read)

    def _frames(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        return [(n, wire.framed(text)) for n, text in self._context.log.frames(self.share, after, limit)]

    async def _start(self) -> None:
        try:
            head, newest = await asyncio.to_thread(self._newest)
        except Exception:
            logger.exception("the log of %s could not be read", self.share)
            self.end(messages.BUSY)
            return
        self.hub.start(head, newest)
        for watcher in list(self.watchers):
            self.advance(watcher)
        self.kick()

    def _newest(self) -> tuple[int, list[tuple[int, bytes]]]:
        head = self._context.log.head(self.share)
        return head, self._frames(max(0, head - self.pace.ring_frames), self.pace.ring_frames)
