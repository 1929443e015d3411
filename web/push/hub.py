"""Decides what is sent to which watcher of one share, from the numbers of updates alone.

Rule: sans-I/O. A hub never awaits, reads a clock, or touches a socket or the log; it returns steps, which
`web/push/room.py` carries out. The state of a watcher is the number it was last sent. Every later number is sent to it
exactly once and in order, or replaced by one whole view. Only the hub and `Room` change `sent`; it falls only by a
reset.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from typing import Generic, TypeVar

import msgspec

from web.push import messages, packing, wire
from web.push.pace import Pace
from web.push.standing import OWES_NOTHING, OWES_RESET, OWES_VIEW, UNCHECKED, Standing


class Send(msgspec.Struct, frozen=True):
    """Write these frames; the watcher then stands at its number `sent`."""

    frames: tuple[bytes, ...]


class ReadHead(msgspec.Struct, frozen=True):
    """Read the newest number from the log: the page names one that the hub has not heard of yet."""

    since: int


class ReadRoot(msgspec.Struct, frozen=True):
    """Read the tree head after number `n` from the log, to compare it with the one the page holds."""

    n: int


class ReadFrames(msgspec.Struct, frozen=True):
    """Read at most `limit` frames after number `after` from the log."""

    after: int
    limit: int


class ReadView(msgspec.Struct, frozen=True):
    """Read the newest whole view for a page that stands at `since`; one older than `at_least` must not be sent."""

    since: int
    at_least: int


class Close(msgspec.Struct, frozen=True):
    """Close the watcher with a code."""

    code: int


class Rest(msgspec.Struct, frozen=True):
    """Nothing to do now: up to date, or waiting for the page, the transport or a read."""


W = TypeVar("W", bound=Standing)
Read = ReadHead | ReadRoot | ReadFrames | ReadView
ROOT = 16  # hex digits of a tree head that a page sends in its hello
Step = Send | Read | Close | Rest
REST = Rest()


class Round(msgspec.Struct, frozen=True):
    """Frames up to number `after`, for every watcher that is ready and was sent everything up to `before`."""

    before: int
    after: int
    frames: tuple[bytes, ...]
    earlier: tuple[
        bytes, ...
    ]  # the frames up to `before` that compressed ones may refer to, where any socket takes such


class Gap(msgspec.Struct, frozen=True):
    """Numbers after `after` are committed but were not published here: read at most `limit` of them from the log."""

    after: int
    limit: int


class Hub(Generic[W]):
    """The numbers of one share, and a ring of its newest frames. Not thread-safe; owned by the event loop."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.started = False
        self.ended = False
        self.head = 0  # every number up to it is in the ring or older
        self.known = 0  # the newest committed number this process has heard of
        self.packs = False  # whether a socket takes compressed frames
        self._coming: dict[int, bytes] = {}  # frames of numbers beyond head
        self._ring: deque[bytes] = deque()
        self._ring_bytes = 0
        self._ahead: set[W] = set()  # were sent more than head, from the log, before it was published here

    # what was committed

    def start(self, head: int, frames: Sequence[tuple[int, bytes]]) -> None:
        """Take the share's newest number and its newest frames from the log, so that resumes need no further reads.

        `frames`: number and WebSocket frame, in order. Frames with a gap between them are not kept.
        """
        self.started = True
        newest = [frame for n, frame in frames if n <= head]
        contiguous = [n for n, _ in frames][: len(newest)] == list(range(head - len(newest) + 1, head + 1))
        self.head = head - len(newest) if contiguous else head
        self.known = max(self.known, head)
        for frame in newest if contiguous else ():
            self._push(frame)

    def publish(self, texts: Iterable[tuple[int, bytes]]) -> None:
        """Take committed messages, by number; what is sent already, or too far ahead to keep, is dropped."""
        for n, text in texts:
            self.known = max(self.known, n)
            if self.head < n <= self.head + self.pace.far or (not self.started and len(self._coming) < self.pace.far):
                self._coming.setdefault(n, wire.framed(text))

    @property
    def due(self) -> bool:
        """Whether numbers are committed that were not sent yet."""
        return self.started and not self.ended and self.known > self.head

    def next_round(self) -> Round | Gap | None:
        """Return the next frames to send to everyone, or what to read first; None where nothing is due."""
        if not self.due:
            return None
        before, size = self.head, 0
        earlier = packing.earlier(self._ring) if self.packs else ()
        frames: list[bytes] = []
        while len(frames) < self.pace.ring_frames and (frame := self._coming.pop(self.head + 1, None)) is not None:
            self._push(frame)
            frames.append(frame)
            size += len(frame)
            if size >= self.pace.slice_bytes:
                break
        if frames:
            return Round(before, self.head, tuple(frames), earlier)
        self._coming = {n: frame for n, frame in self._coming.items() if n > self.head}
        return Gap(self.head, self.pace.slice_frames)

    def forget(self) -> None:
        """Drop every frame, because content was erased; what is needed again is read from the log."""
        self._ring.clear()
        self._ring_bytes = 0
        self._coming.clear()

    def overtaken(self) -> list[W]:
        """Return the watchers that were ahead of the hub and no longer are."""
        overtaken = [watcher for watcher in self._ahead if watcher.sent <= self.head]
        self._ahead.difference_update(overtaken)
        return overtaken

    def _push(self, frame: bytes) -> None:
        self.head += 1
        self._ring.append(frame)
        self._ring_bytes += len(frame)
        while len(self._ring) > self.pace.ring_frames or (
            self._ring_bytes > self.pace.ring_bytes and len(self._ring) > 1
        ):
            self._ring_bytes -= len(self._ring.popleft())

    # one watcher

    def leave(self, watcher: W) -> None:
        """Forget a watcher: nothing is sent to it any more."""
        watcher.gone, watcher.ready = True, False
        self._ahead.discard(watcher)

    def greet(self, watcher: W, since: int, root: str = "") -> None:
        """Take the number a page says it stands at, and the beginning of the tree head it holds there.

        Both are checked before anything is sent: after a backup was restored, a number may be another update.
        """
        watcher.greeted, watcher.since, watcher.root = True, since, root if since > 0 else ""

    def ask_view(self, watcher: W, since: int) -> None:
        """Owe a page the whole view: it could not apply what came after `since`."""
        watcher.ready = False
        if watcher.owes == OWES_NOTHING:
            watcher.owes, watcher.asked = OWES_VIEW, since if 0 <= since <= watcher.sent else 0

    def next_step(self, watcher: W) -> Step:
        """Return what to do for a watcher now. The room does it and asks again, until the answer is `Rest`."""
        watcher.ready = False
        if watcher.gone or watcher.blocked or watcher.reading or not watcher.greeted or not self.started:
            return REST
        if watcher.sent == UNCHECKED and watcher.owes == OWES_NOTHING:
            return self._check_greeting(watcher)
        if watcher.owes != OWES_NOTHING:
            return self._whole_view(watcher)
        return self._missing(watcher)

    def _check_greeting(self, watcher: W) -> Step:
        if watcher.since > self.head:
            return ReadHead(watcher.since)
        if watcher.since < 0:
            watcher.owes = OWES_RESET
            return self._whole_view(watcher)
        if watcher.root:
            root = self._root_in_ring(watcher.since)
            return ReadRoot(watcher.since) if root is None else self.took_root(watcher, root)
        return self._accepted(watcher)

    def _accepted(self, watcher: W) -> Step:
        watcher.sent = watcher.since
        if watcher.sent >= self.head:  # a hello is always answered
            return Send((messages.tick(watcher.sent),))
        return self._missing(watcher)

    def _root_in_ring(self, n: int) -> str | None:
        """Return the first `ROOT` hex digits of the tree head in frame `n`, None when the frame is not kept."""
        behind = self.head - n
        if not 0 <= behind < len(self._ring):
            return None
        frame = self._ring[len(self._ring) - 1 - behind]
        at = frame.rfind(b'"root":"')
        return frame[at + 8 : at + 8 + ROOT].decode() if at >= 0 else None

    def _whole_view(self, watcher: W) -> Step:
        if self.known:
            return ReadView(watcher.asked, max(watcher.sent, self.head))
        begin = (messages.RESET,) if watcher.owes == OWES_RESET else ()
        watcher.owes, watcher.sent = OWES_NOTHING, 0
        return Send((*begin, messages.tick(0)))  # nothing was disclosed yet: there is no view

    def _missing(self, watcher: W) -> Step:
        behind = self.head - watcher.sent
        if behind < 0:
            self._ahead.add(watcher)
            return REST
        if behind == 0:
            watcher.ready = True
            return REST
        if behind > self.pace.far:
            watcher.owes, watcher.asked = OWES_VIEW, watcher.sent
            return self._whole_view(watcher)
        if behind > len(self._ring):
            return ReadFrames(watcher.sent, min(behind, self.pace.slice_frames))
        return self._replay(watcher, len(self._ring) - behind)

    def _replay(self, watcher: W, start: int) -> Send:
        frames, size = [], 0
        for frame in islice(self._ring, start, None):
            frames.append(frame)
            size += len(frame)
            if size >= self.pace.slice_bytes:
                break
        watcher.sent += len(frames)
        return Send(tuple(frames))

    # answers of the log; the watcher's number did not change while it was read

    def took_head(self, watcher: W, head: int) -> Step:
        """Go on with a page that named a number the hub had not heard of; `head` is the newest in the log."""
        self.known = max(self.known, head)
        if watcher.gone or watcher.blocked:
            return self.next_step(watcher)
        if watcher.since > head:
            watcher.owes = OWES_RESET
            return self.next_step(watcher)
        return ReadRoot(watcher.since) if watcher.root else self._accepted(watcher)

    def took_root(self, watcher: W, root: str) -> Step:
        """Go on with a page whose tree head is that of the log; one that holds another history starts over."""
        if watcher.gone or watcher.blocked:
            return self.next_step(watcher)
        same, watcher.root = root == watcher.root, ""
        if same:
            return self._accepted(watcher)
        watcher.owes = OWES_RESET
        return self.next_step(watcher)

    def took_frames(self, watcher: W, asked: ReadFrames, frames: Sequence[tuple[int, bytes]]) -> Step:
        """Send frames that were read from the log, or owe the whole view when the log does not have them."""
        if watcher.gone or watcher.blocked or watcher.owes != OWES_NOTHING:
            return self.next_step(watcher)
        numbers = [asked.after, *(n for n, _ in frames)]
        if not frames or any(b != a + 1 for a, b in pairwise(numbers)):
            watcher.owes, watcher.asked = OWES_VIEW, watcher.sent
            return self.next_step(watcher)
        watcher.sent = frames[-1][0]
        return Send(tuple(frame for _, frame in frames))

    def took_view(self, watcher: W, asked: ReadView, n: int, frame: bytes) -> Step:
        """Send the whole view of number `n`; the watcher then stands at `n`."""
        if watcher.gone or watcher.blocked or watcher.owes == OWES_NOTHING:
            return self.next_step(watcher)
        if n < asked.at_least:  # a log that went backwards: what is true is not known here
            return Close(messages.BUSY)
        begin = (messages.RESET,) if watcher.owes == OWES_RESET else ()
        watcher.owes, watcher.sent, watcher.asked = OWES_NOTHING, n, 0
        self.known = max(self.known, n)
        return Send((*begin, frame))
