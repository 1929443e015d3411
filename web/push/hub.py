"""Who gets what, decided from numbers alone: one Hub per share.

Rule: sans-I/O. It never awaits, reads a clock or touches a socket or the log; it answers with steps that the shell
(`web/push/room.py`) performs. A watcher's whole state is a number, and it is owed every number after it exactly once,
in order, or one whole view; never silence, never half. `sent` moves only here and in `Room.deliver`, and only forward
but for a reset.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from typing import Generic, TypeVar

import msgspec

from web.push import messages, wire
from web.push.pace import Pace
from web.push.standing import OWES_NOTHING, OWES_RESET, OWES_VIEW, UNCHECKED, Standing


class Send(msgspec.Struct, frozen=True):
    """Write these frames to the watcher, which is then at its number."""

    frames: tuple[bytes, ...]


class ReadHead(msgspec.Struct, frozen=True):
    """Ask the log for its head: the page knows a number that the hub does not know yet."""

    since: int


class ReadRoot(msgspec.Struct, frozen=True):
    """Ask the log for the tree head of number n, which the page says it stands at."""

    n: int


class ReadFrames(msgspec.Struct, frozen=True):
    """Read a slice of the log, as long as nothing newer is needed before it."""

    after: int
    limit: int


class ReadView(msgspec.Struct, frozen=True):
    """Read the whole view for a page that stands at `since`; anything older than `at_least` would be a step back."""

    since: int
    at_least: int


class Close(msgspec.Struct, frozen=True):
    """Close the watcher with a code."""

    code: int


class Rest(msgspec.Struct, frozen=True):
    """Nothing to do now: up to date, or waiting for the page, the transport or a read."""


P = TypeVar("P", bound=Standing)
Read = ReadHead | ReadRoot | ReadFrames | ReadView
ROOT = 16  # hex digits of a tree head that a page tells
Step = Send | Read | Close | Rest
REST = Rest()


class Round(msgspec.Struct, frozen=True):
    """One write for every watcher that is ready and stands at `before`."""

    before: int
    after: int
    data: bytes


class Gap(msgspec.Struct, frozen=True):
    """Numbers after `after` are committed but did not come by: read them from the log."""

    after: int
    limit: int


class Hub(Generic[P]):
    """The numbers and the ring of one share."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.started = False
        self.ended = False
        self.head = 0  # every number up to it is in the ring or older
        self.known = 0  # committed, as far as heard
        self._coming: dict[int, bytes] = {}  # framed, beyond head
        self._ring: deque[bytes] = deque()
        self._ring_bytes = 0
        self._ahead: set[P] = set()  # sent more than head: came from the log before the hub heard of it

    # what was committed

    def start(self, head: int, frames: Sequence[tuple[int, bytes]]) -> None:
        """Take the share's head and its newest frames (framed) from the log, so that resumes need no further reads."""
        self.started = True
        run = [wire for n, wire in frames if n <= head]
        contiguous = [n for n, _ in frames][: len(run)] == list(range(head - len(run) + 1, head + 1))
        self.head = head - len(run) if contiguous else head
        self.known = max(self.known, head)
        for frame in run if contiguous else ():
            self._push(frame)

    def publish(self, frames: Iterable[tuple[int, bytes]]) -> None:
        """Note committed messages; numbers that are known, or so far ahead that the log must give them, are dropped."""
        for n, text in frames:
            self.known = max(self.known, n)
            if self.head < n <= self.head + self.pace.far or (not self.started and len(self._coming) < self.pace.far):
                self._coming.setdefault(n, wire.framed(text))

    @property
    def due(self) -> bool:
        """Whether numbers are committed that were not sent yet."""
        return self.started and not self.ended and self.known > self.head

    def next_round(self) -> Round | Gap | None:
        """Return what to do about the numbers that are committed and not yet sent."""
        if not self.due:
            return None
        before, size = self.head, 0
        frames: list[bytes] = []
        while len(frames) < self.pace.ring_frames and (frame := self._coming.pop(self.head + 1, None)) is not None:
            self._push(frame)
            frames.append(frame)
            size += len(frame)
            if size >= self.pace.slice_bytes:
                break
        if frames:
            return Round(before, self.head, b"".join(frames))
        self._coming = {n: frame for n, frame in self._coming.items() if n > self.head}
        return Gap(self.head, self.pace.slice_frames)

    def forget(self) -> None:
        """Keep no frame: what is wanted again is read from the log, which may have lost some to erasure."""
        self._ring.clear()
        self._ring_bytes = 0

    def overtaken(self) -> list[P]:
        """Return the watchers that were ahead of the hub and no longer are."""
        met = [place for place in self._ahead if place.sent <= self.head]
        self._ahead.difference_update(met)
        return met

    def _push(self, frame: bytes) -> None:
        self.head += 1
        self._ring.append(frame)
        self._ring_bytes += len(frame)
        while len(self._ring) > self.pace.ring_frames or (
            self._ring_bytes > self.pace.ring_bytes and len(self._ring) > 1
        ):
            self._ring_bytes -= len(self._ring.popleft())

    # one watcher

    def leave(self, place: P) -> None:
        """Forget a watcher: nothing is sent to it any more."""
        place.gone, place.ready = True, False
        self._ahead.discard(place)

    def greet(self, place: P, since: int, root: str = "") -> None:
        """Take the number a page says it stands at; it is checked before anything is built on it.

        So is the tree head it holds there: after a backup was restored a number may be another update.
        """
        place.greeted, place.since, place.root = True, since, root if since > 0 else ""

    def ask_view(self, place: P, since: int) -> None:
        """Owe a page the whole view: it could not go on from `since`."""
        place.ready = False
        if place.owes == OWES_NOTHING:
            place.owes, place.asked = OWES_VIEW, since if 0 <= since <= place.sent else 0

    def next_step(self, place: P) -> Step:
        """Return what to do for a watcher now. The shell performs it and asks again until the answer is a rest."""
        place.ready = False
        if place.gone or place.blocked or place.reading or not place.greeted or not self.started:
            return REST
        if place.sent == UNCHECKED and place.owes == OWES_NOTHING:
            return self._placed(place)
        if place.owes != OWES_NOTHING:
            return self._whole(place)
        return self._missing(place)

    def _placed(self, place: P) -> Step:
        if place.since > self.head:
            return ReadHead(place.since)
        if place.since < 0:
            place.owes = OWES_RESET
            return self._whole(place)
        if place.root:
            told = self._root(place.since)
            return ReadRoot(place.since) if told is None else self.took_root(place, told)
        return self._accepted(place)

    def _accepted(self, place: P) -> Step:
        place.sent = place.since
        if place.sent >= self.head:  # a hello is always answered
            return Send((messages.tick(place.sent),))
        return self._missing(place)

    def _root(self, n: int) -> str | None:
        """Return the beginning of the tree head that the message of number n carries, None when it is not kept."""
        behind = self.head - n
        if not 0 <= behind < len(self._ring):
            return None
        frame = self._ring[len(self._ring) - 1 - behind]
        at = frame.rfind(b'"root":"')
        return frame[at + 8 : at + 8 + ROOT].decode() if at >= 0 else None

    def _whole(self, place: P) -> Step:
        if self.known:
            return ReadView(place.asked, max(place.sent, self.head))
        begin = (messages.RESET,) if place.owes == OWES_RESET else ()
        place.owes, place.sent = OWES_NOTHING, 0
        return Send((*begin, messages.tick(0)))  # nothing was disclosed yet: there is no view

    def _missing(self, place: P) -> Step:
        behind = self.head - place.sent
        if behind < 0:
            self._ahead.add(place)
            return REST
        if behind == 0:
            place.ready = True
            return REST
        if behind > self.pace.far:
            place.owes, place.asked = OWES_VIEW, place.sent
            return self._whole(place)
        if behind > len(self._ring):
            return ReadFrames(place.sent, min(behind, self.pace.slice_frames))
        return self._replay(place, len(self._ring) - behind)

    def _replay(self, place: P, start: int) -> Send:
        frames, size = [], 0
        for frame in islice(self._ring, start, None):
            frames.append(frame)
            size += len(frame)
            if size >= self.pace.slice_bytes:
                break
        place.sent += len(frames)
        return Send(tuple(frames))

    # what the log answered; the watcher's number has not moved meanwhile

    def took_head(self, place: P, head: int) -> Step:
        """Go on with a page that knew a number the hub had not heard of."""
        self.known = max(self.known, head)
        if place.gone or place.blocked:
            return self.next_step(place)
        if place.since > head:
            place.owes = OWES_RESET
            return self.next_step(place)
        return ReadRoot(place.since) if place.root else self._accepted(place)

    def took_root(self, place: P, told: str) -> Step:
        """Go on with a page whose tree head is the log's; one that holds another history starts over."""
        if place.gone or place.blocked:
            return self.next_step(place)
        same, place.root = told == place.root, ""
        if same:
            return self._accepted(place)
        place.owes = OWES_RESET
        return self.next_step(place)

    def took_frames(self, place: P, asked: ReadFrames, frames: Sequence[tuple[int, bytes]]) -> Step:
        """Send a slice (framed) of the log, or owe the whole view when the log does not have it."""
        if place.gone or place.blocked or place.owes != OWES_NOTHING:
            return self.next_step(place)
        numbers = [asked.after, *(n for n, _ in frames)]
        if not frames or any(b != a + 1 for a, b in pairwise(numbers)):
            place.owes, place.asked = OWES_VIEW, place.sent
            return self.next_step(place)
        place.sent = frames[-1][0]
        return Send(tuple(frame for _, frame in frames))

    def took_view(self, place: P, asked: ReadView, n: int, frame: bytes) -> Step:
        """Send the whole view (framed); the watcher then stands at its number."""
        if place.gone or place.blocked or place.owes == OWES_NOTHING:
            return self.next_step(place)
        if n < asked.at_least:  # a log that went backwards: what is true is not known here
            return Close(messages.BUSY)
        begin = (messages.RESET,) if place.owes == OWES_RESET else ()
        place.owes, place.sent, place.asked = OWES_NOTHING, n, 0
        self.known = max(self.known, n)
        return Send((*begin, frame))
