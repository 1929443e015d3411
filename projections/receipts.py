"""What was received: claims by people's pages, taken from any thread, recorded in batches, never "read".

Rule: bounded in memory, durable before they are shown to anybody, and kept until they are recorded whatever fails.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from eventsourcing.persistence import IntegrityError

from projections.batches import Row, seal
from projections.claims import Receipt
from projections.onscreen import Screens
from projections.receiptlog import STANDING_EVERY, ReceiptLog, Standing, Viewer

log = logging.getLogger("fanlight.receipts")
VISIT_GAP = timedelta(minutes=30)  # away for longer makes the next opening a new visit
BACKLOG = 20_000  # receipts kept in memory while the disk is slow; beyond that new ones are refused and counted
SLICE = 250  # claims in one row: small enough that nothing else waits long for the interpreter
BREATH = 0.002  # seconds between two rows, so that an update on its way goes first
BEAT = 30.0  # seconds between signs of life of this process while pages are open


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A viewer's present visit to a share: what was on screen when the one before it ended."""

    since: int  # last displayed of the visit before, 0 on the first
    ended: datetime | None  # when that visit was last heard of, UTC


class _Share:
    """Where one share's receipts stand in memory."""

    def __init__(self, record: ReceiptLog, share: str) -> None:
        standing, self.k = record.standing(share, record.head(share))
        self.at, self.frontier = datetime.min.replace(tzinfo=UTC), tuple[bytes, ...]()
        self.viewers, self.screens = dict(standing.viewers), Screens(standing.tabs)
        for one in record.rows(share, max(self.k - 1, 0), 2 * STANDING_EVERY):
            if one.k > self.k:
                for claim in one.claims(share):
                    self.note(claim)
            self.take(one)

    def take(self, one: Row) -> None:
        """Stand after a row."""
        self.k, self.at, self.frontier = one.k, one.at, one.frontier

    def note(self, claim: Receipt) -> None:
        """Take in a claim, recorded or about to be."""
        known = self.viewers.setdefault(claim.person, Viewer())
        if claim.kind == "opened" and known.heard and claim.at - known.heard > VISIT_GAP.total_seconds():
            known.since, known.ended = known.displayed, known.heard
        known.device = claim.device or known.device
        if claim.kind in ("displayed", "resumed"):
            known.displayed = max(known.displayed, claim.n)
        known.heard = max(known.heard, claim.at)
        self.screens.take(claim)


class Receipts:
    """Takes claims, records them in one transaction for many, and knows how each viewer and tab stands."""

    def __init__(self, record: ReceiptLog, clock: Callable[[], datetime], salt: Callable[[str, int], bytes]) -> None:
        self.log, self._clock, self._salt = record, clock, salt
        self._lock, self._awake, self._writing = threading.Lock(), threading.Event(), threading.Lock()
        self._waiting: list[Receipt] = []
        self._noted = 0  # of those that wait, how many are in the standing already
        self._shares: dict[str, _Share] = {}
        self._beaten = 0.0
        self.refused = 0
        self.failure = ""  # what keeps it from recording, for health

    # taking

    def take(self, receipts: Sequence[Receipt]) -> None:
        """Accept claims; they are durable after the next flush."""
        with self._lock:
            room = max(0, BACKLOG - len(self._waiting))
            self.refused += max(0, len(receipts) - room)
            self._waiting.extend(receipts[:room])
        self._awake.set()

    def opened(self, share: str, person: str, session: str, n: int, device: str = "") -> Visit:
        """Record that a viewer's page was made at entry n, and return the visit it belongs to."""
        now = self._clock().timestamp()
        mark = Receipt(share=share, person=person, session=session, kind="opened", n=n, at=now, device=device)
        with self._lock:
            self._waiting.append(mark)
            self._note_waiting()
            viewer = self._share(share).viewers[person]
            ended = datetime.fromtimestamp(viewer.ended, UTC) if viewer.ended else None
            visit = Visit(since=viewer.since, ended=ended)
        self._awake.set()
        return visit

    def _note_waiting(self, upto: int | None = None) -> None:
        for receipt in self._waiting[self._noted : upto]:
            self._share(receipt.share).note(receipt)
            self._noted += 1

    # recording

    def flush(self) -> int:
        """Record what waits, one transaction for each `SLICE` of it; return how many claims that were.

        Whatever fails, the claims that are not recorded stay for the next flush.
        """
        with self._writing:
            left = recorded = len(self._waiting)
            while left > 0:
                left -= self._record(min(left, SLICE))
                if left > 0:
                    time.sleep(BREATH)
            return recorded

    def _record(self, count: int) -> int:
        with self._lock:
            self._note_waiting(count)
            batch = self._waiting[:count]
            made, standing = self._rows(batch)
        while True:
            try:
                self.log.record(made, standing)
                break
            except IntegrityError:  # another process recorded on one of these shares
                made, standing = self._again(batch)
        with self._lock:
            for share, one in made.items():
                self._share(share).take(one)
            del self._waiting[:count]
            self._noted -= count
        return count

    def _rows(self, batch: Sequence[Receipt]) -> tuple[dict[str, Row], dict[str, Standing]]:
        by_share: dict[str, list[Receipt]] = {}
        for receipt in batch:
            by_share.setdefault(receipt.share, []).append(receipt)
        made, standing = {}, {}
        for share, claims in by_share.items():
            known = self._share(share)
            k, at = known.k + 1, max(self._clock(), known.at)
            made[share] = seal(share, k, at, claims, self._salt(share, k), known.frontier)
            if k % STANDING_EVERY == 0:
                standing[share] = Standing(dict(known.viewers), list(known.screens.tabs.values()))
        return made, standing

    def _again(self, batch: Sequence[Receipt]) -> tuple[dict[str, Row], dict[str, Standing]]:
        with self._lock:
            self._shares.clear()  # what was noted ahead of this batch is noted again
            self._noted = 0
            self._note_waiting(len(batch))
            return self._rows(batch)

    def run(self, stop: threading.Event, interval: float = 0.5) -> None:
        """Flush until `stop` is set, then once more; `interval` in seconds gathers claims into batches."""
        while not stop.is_set():
            self._awake.wait(BEAT)
            self._awake.clear()
            stop.wait(interval)
            self._guarded_flush()
        self._guarded_flush()

    def _guarded_flush(self) -> None:
        try:
            self.flush()
            self.beat()
            self.failure = ""
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"
            log.exception("receipts could not be recorded; they are kept and tried again")
            self._awake.set()

    def wake(self) -> None:
        """Let `run` look at its stop event."""
        self._awake.set()

    # signs of life: after a crash, what was on a screen ends when the server was last heard of

    def beat(self) -> None:
        """Record that this process lives, while pages are open and not more often than needed."""
        now = self._clock().timestamp()
        with self._lock:
            watched = any(known.screens.tabs for known in self._shares.values())
        if watched and now - self._beaten >= BEAT:
            self.log.beat(now)
            self._beaten = now

    def recover(self, shares: Iterable[str]) -> int:
        """Record the end of every tab that a server which is gone left open; return how many there were.

        For the one process of an installation, before any page is served.
        """
        beat, lost = self.log.last_beat(), list[Receipt]()
        with self._lock:
            for share in shares:
                known = self._share(share)
                heard = max((v.heard for v in known.viewers.values()), default=0.0)
                lost += [
                    Receipt(share=share, person=t.person, session=t.session, tab=t.tab, kind="lost", n=t.n, at=at)
                    for t in known.screens.tabs.values()
                    if (at := max(beat, heard, t.since))
                ]
        self.take(lost)
        self.flush()
        return len(lost)

    def _share(self, share: str) -> _Share:
        known = self._shares.get(share)
        if known is None:
            known = self._shares[share] = _Share(self.log, share)
        return known
