"""Everything around one share's hub that waits: rounds, reads of the log, and what its watchers say.

Rule: the hub decides, the room performs, on the event loop thread alone; the log is read in threads, one read at a
time for any number of watchers that ask for the same. While a read is under way its watcher's number does not move.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol, assert_never

import msgspec

from projections.receipts.claims import Kind
from web.push import messages, wire
from web.push.hub import Close, Gap, Hub, Read, ReadFrames, ReadHead, ReadRoot, ReadView, Rest, Round, Send, Step
from web.push.pace import Pace
from web.push.standing import Receipt
from web.push.viewer import Watching
from web.push.watcher import Watcher

logger = logging.getLogger("fanlight.push")


class Log(Protocol):
    """The disclosure log as the push layer sees it: synchronous, called in threads only."""

    def head(self, share: str) -> int: ...
    def root(self, share: str, n: int) -> str: ...
    def frames(self, share: str, after: int, limit: int) -> list[tuple[int, bytes]]: ...
    def keyframe(self, share: str, since: int) -> tuple[int, bytes]: ...


class Counts(msgspec.Struct):
    """What happened since the start, for tests and for the operator."""

    joined: int = 0
    rounds: int = 0
    behind: int = 0  # a watcher fell behind its transport
    log_reads: int = 0
    views: int = 0
    resets: int = 0
    refused: int = 0  # claims of more than was sent
    aborted: int = 0


class PushContext:
    """What all rooms share."""

    def __init__(self, log: Log, clock: Callable[[], float], pace: Pace, claim: Callable[[Receipt], None]) -> None:
        self.log, self.clock, self.pace, self.claim = log, clock, pace, claim
        self.counts = Counts()
        self.leaving: dict[Watcher, float] = {}  # close sent; aborted at this monotonic time
        self.tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work in the background; it reports its own failures."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class Room:
    """One share's hub, its rounds and its reads."""

    def __init__(self, share: str, house: PushContext) -> None:
        self.share, self.house, self.pace = share, house, house.pace
        self.hub = Hub[Watcher](house.pace)
        self.watchers: set[Watcher] = set()
        self.empty_since = time.monotonic()
        self._busy = False  # a round task runs
        self._reads: dict[Read, list[Watcher]] = {}
        house.spawn(self._start())

    # from the follower

    def publish(self, frames: Iterable[tuple[int, bytes]]) -> None:
        """Take committed messages and see to it that a round follows."""
        self.hub.publish(frames)
        self.kick()

    def kick(self) -> None:
        """Start rounds when something is due and none is under way."""
        if not self._busy and self.hub.due:
            self._busy = True
            self.house.spawn(self._rounds())

    def end(self, code: int) -> None:
        """Close everyone; nothing numbered after this is sent."""
        self.hub.ended = True
        for watcher in list(self.watchers):
            watcher.close(code)

    def watching(self) -> list[Watching]:
        """Return the open dashboards whose page has said where it stands."""
        return [watcher.watching() for watcher in self.watchers if watcher.greeted]

    # from watchers

    def join(self, watcher: Watcher) -> None:
        """Take a watcher in; it is sent nothing before its hello."""
        watcher.room = self
        watcher.budget, watcher.views = self.pace.inbound, self.pace.views
        self.watchers.add(watcher)
        self.house.counts.joined += 1

    def said(self, watcher: Watcher, message: messages.Said) -> None:
        """Act on one message of a page: a hello first and only once."""
        match message:
            case messages.Claim() if watcher.greeted:  # by far the most frequent
                self._claimed(watcher, message)
            case messages.Hello(n=n, tab=tab, root=root) if not watcher.greeted:
                watcher.viewer = msgspec.structs.replace(watcher.viewer, tab=tab)
                self.hub.greet(watcher, n, root)
                self.advance(watcher)
            case messages.Resync(n=n) if watcher.greeted:
                watcher.views -= 1
                if watcher.views < 0:
                    watcher.close(messages.BUSY)
                    return
                self.hub.ask_view(watcher, n)
                self.advance(watcher)
            case _:
                watcher.close(messages.RELOAD)

    def _claimed(self, watcher: Watcher, claim: messages.Claim) -> None:
        verdict = watcher.judge(claim)
        if verdict == "refused":
            self.house.counts.refused += 1
            logger.warning(
                "refused a claim of %s on %s: %s up to %d, but this socket was sent up to %d",
                *(watcher.viewer.person, self.share, claim.kind, claim.n, watcher.sent),
            )
            watcher.spend(self.pace.inbound // 10)  # so that nobody can fill a disk with them
        elif verdict == "new":
            self._record(watcher, claim.kind, claim.n, claim.came_from, claim.head)

    def _record(self, watcher: Watcher, kind: Kind, n: int, came_from: int = 0, head: str = "") -> None:
        who, at = watcher.viewer, self.house.clock()
        self.house.claim(
            Receipt(
                share=self.share,
                person=who.person,
                session=who.session,
                tab=who.tab,
                kind=kind,
                n=n,
                came_from=came_from,
                at=at,
                head=head,
            )
        )

    def closing(self, watcher: Watcher) -> None:
        """Send nothing more to a watcher that was sent a close; give its page a moment to answer."""
        self._forget(watcher)
        self.house.leaving[watcher] = time.monotonic() + self.pace.close_grace

    def lost(self, watcher: Watcher) -> None:
        """Forget a watcher whose connection is gone."""
        self._forget(watcher)
        self.house.leaving.pop(watcher, None)

    def _forget(self, watcher: Watcher) -> None:
        if watcher in self.watchers and watcher.greeted:
            self._record(watcher, "closed", max(watcher.sent, 0))
        self.hub.leave(watcher)
        self.watchers.discard(watcher)
        if not self.watchers:
            self.empty_since = time.monotonic()

    # rounds

    async def _rounds(self) -> None:
        try:
            while (due := self.hub.next_round()) is not None:
                match due:
                    case Round():
                        await self._deliver(due)
                        for watcher in self.hub.overtaken():
                            self.advance(watcher)
                    case Gap():
                        found = await asyncio.to_thread(self.house.log.frames, self.share, due.after, due.limit)
                        self.house.counts.log_reads += 1
                        self.hub.publish(found)
                        if not found:
                            logger.error(
                                "entries after %d of %s are announced but not in the log", due.after, self.share
                            )
                            break  # the sweep tries again
        except Exception:
            logger.exception("a round of %s failed; the next publish or sweep tries again", self.share)
        finally:
            self._busy = False

    async def _deliver(self, due: Round) -> None:
        before, after, data, chunk = due.before, due.after, due.data, self.pace.chunk
        now = self.house.clock()
        self.house.counts.rounds += 1
        for i, watcher in enumerate(list(self.watchers), 1):
            if watcher.ready and watcher.sent == before and not watcher.expired(now):
                watcher.sent = after
                watcher.write(data)
            if not i % chunk:
                await asyncio.sleep(0)
                if self.hub.ended:
                    return

    # what one watcher is owed

    def advance(self, watcher: Watcher) -> None:
        """Bring a watcher on until it is up to date, or has to wait, unless its sign-in is over."""
        if not watcher.expired(self.house.clock()):
            self._perform(watcher, self.hub.next_step(watcher))

    def _perform(self, watcher: Watcher, step: Step) -> None:
        while True:
            match step:
                case Rest():
                    return
                case Send(frames=frames):
                    watcher.write(b"".join(frames))
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
        asking = self._reads.get(read)
        if asking is not None and not isinstance(read, ReadHead):  # a head read before may be too old for this page
            asking.append(watcher)
            return
        asking = [watcher]
        if not isinstance(read, ReadHead):
            self._reads[read] = asking
        self.house.spawn(self._read(read, asking))

    async def _read(self, read: Read, asking: list[Watcher]) -> None:
        self.house.counts.log_reads += 1
        try:
            answer = await asyncio.to_thread(self._answer, read)
        except Exception:
            logger.exception("the log of %s could not be read", self.share)
            answer = None
        self._reads.pop(read, None) if not isinstance(read, ReadHead) else None
        for i, watcher in enumerate(asking, 1):
            watcher.reading = False
            if answer is None:
                watcher.close(messages.BUSY)
            elif not watcher.expired(self.house.clock()):
                self._perform(watcher, answer(watcher))
            if not i % self.pace.chunk:
                await asyncio.sleep(0)
        self.kick()

    def _answer(self, read: Read) -> Callable[[Watcher], Step]:
        match read:
            case ReadHead():
                head = self.house.log.head(self.share)
                return lambda watcher: self.hub.took_head(watcher, head)
            case ReadRoot():
                root = self.house.log.root(self.share, read.n)
                return lambda watcher: self.hub.took_root(watcher, root)
            case ReadFrames():
                found = self._framed(read.after, read.limit)
                return lambda watcher: self.hub.took_frames(watcher, read, found)
            case ReadView():
                n, text = self.house.log.keyframe(self.share, read.since)
                frame = wire.framed(text)
                return lambda watcher: self.hub.took_view(watcher, read, n, frame)
            case _:
                assert_never(read)

    def _framed(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        return [(n, wire.framed(text)) for n, text in self.house.log.frames(self.share, after, limit)]

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
        head = self.house.log.head(self.share)
        return head, self._framed(max(0, head - self.pace.ring_frames), self.pace.ring_frames)
