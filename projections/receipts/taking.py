"""`Receipts`: takes claims of open pages from any thread and records them in batches.

Rule: claims wait in bounded memory, are recorded before anybody is shown them, and wait until they are recorded,
whatever fails.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from eventsourcing.persistence import IntegrityError

from projections.receipts.batches import BatchRow, seal
from projections.receipts.claims import Receipt
from projections.receipts.on_screen import Screens, Tab
from projections.receipts.receipt_log import STANDING_EVERY, ReceiptLog, TabStanding, ViewerReceipts

log = logging.getLogger("fanlight.receipts")
VISIT_GAP = timedelta(minutes=30)  # away for longer makes the next opening a new visit
BACKLOG = 20_000  # receipts kept in memory while the disk is slow; beyond that new ones are refused and counted
SLICE = 250  # claims in one row: small enough that nothing else waits long for the interpreter
BREATH = 0.002  # seconds between two rows, so that an update on its way goes first
BEAT = 30.0  # seconds between signs of life of this process while pages are open


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A viewer's present visit to a share, by what the visit before it ended with."""

    since: int  # last displayed of the visit before, 0 on the first and where no page reported that one was
    ended: datetime | None  # when that visit was last heard of, UTC


class _Share:
    """The state of one share's receipts in memory: its newest row, its viewers and tabs. Not thread-safe."""

    def __init__(self, record: ReceiptLog, share: str) -> None:
        standing, self.k = record.standing(share, record.head(share))
        self.at, self.frontier = datetime.min.replace(tzinfo=UTC), tuple[bytes, ...]()
        self.viewers, self.screens = dict(standing.viewers), Screens(standing.tabs)
        self.holders = dict(standing.holders)
        self.catch_up(record, share, max(self.k - 1, 0))

    def catch_up(self, record: ReceiptLog, share: str, after: int | None = None) -> None:
        """Take in rows that another process recorded."""
        rows = record.rows(share, self.k if after is None else after, 2 * STANDING_EVERY)
        while rows:
            for row in rows:
                if row.k > self.k:
                    for claim in row.claims(share):
                        self.note(claim, row.by)
                self.take(row)
            rows = record.rows(share, self.k, 2 * STANDING_EVERY)

    def take(self, row: BatchRow) -> None:
        """Make a row the newest one."""
        self.k, self.at, self.frontier = row.k, row.at, row.frontier

    def note(self, claim: Receipt, by: str) -> None:
        """Take in a claim that is recorded or about to be; `by` is the process it came to."""
        viewer = self.viewers.setdefault(claim.person, ViewerReceipts())
        if claim.kind == "opened" and viewer.heard and claim.at - viewer.heard > VISIT_GAP.total_seconds():
            viewer.since, viewer.ended = viewer.displayed, viewer.heard
        viewer.device = claim.device or viewer.device
        if claim.kind in ("displayed", "resumed"):
            viewer.displayed = max(viewer.displayed, claim.n)
        viewer.heard = max(viewer.heard, claim.at)
        self.screens.take(claim)
        if claim.tab and claim.kind not in ("closed", "lost"):
            self.holders[claim.tab] = by
        elif self.holders.get(claim.tab) == by or claim.kind == "lost":
            self.holders.pop(claim.tab, None)


class Receipts:
    """Takes claims, records many in one transaction, and keeps the state of each viewer and tab. For any thread."""

    def __init__(
        self,
        record: ReceiptLog,
        clock: Callable[[], datetime],
        salt: Callable[[str, int], bytes],
        worker: str = "",
    ) -> None:
        self.log, self._clock, self._salt, self.worker = record, clock, salt, worker
        self._lock, self._awake, self._writing = threading.Lock(), threading.Event(), threading.Lock()
        self._inbox: deque[Receipt] = deque()  # taken from any thread, without waiting for the log
        self._waiting: list[Receipt] = []
        self._noted = 0  # of those that wait, how many are in the standing already
        self._shares: dict[str, _Share] = {}
        self._beaten = 0.0
        self.refused = 0
        self.failure = ""  # what keeps it from recording, for health

    # taking

    def take(self, receipts: Sequence[Receipt]) -> None:
        """Accept claims without waiting; they are durable after the next flush. Those beyond `BACKLOG` are refused."""
        room = max(0, BACKLOG - self.waiting)
        self.refused += max(0, len(receipts) - room)
        self._inbox.extend(receipts[:room])
        self._awake.set()

    def opened(self, share: str, person: str, session: str, n: int, device: str = "") -> Visit:
        """Record that a viewer's page was made at entry n, and return the visit it belongs to."""
        now = self._clock().timestamp()
        mark = Receipt(share=share, person=person, session=session, kind="opened", n=n, at=now, device=device)
        with self._lock:
            self._empty_inbox()
            self._waiting.append(mark)
            state = self._share(share)
            if self.worker:  # others record as well
                state.catch_up(self.log, share)
            self._note_waiting()
            viewer = state.viewers[person]
            ended = datetime.fromtimestamp(viewer.ended, UTC) if viewer.ended else None
            visit = Visit(since=viewer.since, ended=ended)
        self._awake.set()
        return visit

    def last_visit(self, share: str, person: str) -> Visit:
        """Return what a viewer last had on screen of a share, and when they were last heard of; records nothing."""
        with self._lock:
            self._empty_inbox()
            state = self._share(share)
            if self.worker:  # others record as well
                state.catch_up(self.log, share)
            self._note_waiting()
            viewer = state.viewers.get(person, ViewerReceipts())
        return Visit(since=viewer.displayed, ended=datetime.fromtimestamp(viewer.heard, UTC) if viewer.heard else None)

    @property
    def waiting(self) -> int:
        """How many claims are not recorded yet."""
        return len(self._waiting) + len(self._inbox)

    def _empty_inbox(self) -> None:
        while self._inbox:
            self._waiting.append(self._inbox.popleft())

    def _note_waiting(self, upto: int | None = None) -> None:
        for receipt in self._waiting[self._noted : upto]:
            self._share(receipt.share).note(receipt, self.worker)
            self._noted += 1

    # recording

    def flush(self) -> int:
        """Record what waits, one transaction for each `SLICE` of it; return how many claims that were.

        Whatever fails, the claims that are not recorded stay for the next flush.
        """
        with self._writing:
            with self._lock:
                self._empty_inbox()
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
            except IntegrityError:  # another process recorded on one of these shares, or we did and did not hear so
                if self.log.holds(made):
                    break
                made, standing = self._rows_again(batch)
        with self._lock:
            for share, row in made.items():
                if row.k > self._share(share).k:
                    self._share(share).take(row)
            del self._waiting[:count]
            self._noted -= count
        return count

    def _rows(self, batch: Sequence[Receipt]) -> tuple[dict[str, BatchRow], dict[str, TabStanding]]:
        """Return the next row of each share of a batch, and the state after it where it is to be stored."""
        by_share: dict[str, list[Receipt]] = {}
        for receipt in batch:
            by_share.setdefault(receipt.share, []).append(receipt)
        made, standing = {}, {}
        for share, claims in by_share.items():
            state = self._share(share)
            k, at = state.k + 1, max(self._clock(), state.at)
            row = seal(share, k, at, claims, self._salt(share, k), state.frontier)
            made[share] = msgspec.structs.replace(row, by=self.worker)
            if k % STANDING_EVERY == 0:
                tabs = list(state.screens.tabs.values())
                held = {tab.tab: state.holders.get(tab.tab, "") for tab in tabs}
                standing[share] = TabStanding(dict(state.viewers), tabs, held)
        return made, standing

    def _rows_again(self, batch: Sequence[Receipt]) -> tuple[dict[str, BatchRow], dict[str, TabStanding]]:
        with self._lock:
            self._shares.clear()  # what was noted after this batch is noted again
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

    # signs of life: after a crash, an open tab is taken to have ended when its process was last heard of

    def beat(self) -> None:
        """Record that this process is alive: while pages are open, at most every `BEAT` seconds."""
        now = self._clock().timestamp()
        with self._lock:
            watched = any(state.screens.tabs for state in self._shares.values())
        if watched and now - self._beaten >= BEAT:
            self.log.beat(now, self.worker)
            self._beaten = now

    def recover(self, shares: Iterable[str], gone: Callable[[str], bool] = lambda _worker: True) -> int:
        """Record the end of every tab left open by a process that has ended; return how many there were.

        `gone` tells whether a process has ended; the default is for the only process of an installation, before any
        page is served.
        """
        with self._lock:
            lost = [claim for share in shares for claim in self._lost(share, gone)]
        self.take(lost)
        self.flush()
        return len(lost)

    def _lost(self, share: str, gone: Callable[[str], bool]) -> list[Receipt]:
        """Return the claims that end the tabs of a share whose process has ended."""
        state = self._share(share)
        if self.worker:
            state.catch_up(self.log, share)
        heard = max((viewer.heard for viewer in state.viewers.values()), default=0.0)
        lost = []
        for tab in state.screens.tabs.values():
            worker = state.holders.get(tab.tab, "")
            mine = bool(worker) and worker == self.worker
            if mine or not gone(worker):
                continue
            at = max(self.log.last_beat(worker)[1], tab.since, tab.heard if self.worker else heard)
            lost.append(
                Receipt(share=share, person=tab.person, session=tab.session, tab=tab.tab, kind="lost", n=tab.n, at=at)
            )
        return lost

    def holders(self, shares: Iterable[str]) -> set[str]:
        """Return the processes that have a tab open, as far as is recorded."""
        with self._lock:
            workers = set[str]()
            for share in shares:
                state = self._share(share)
                state.catch_up(self.log, share)
                workers |= {state.holders.get(tab.tab, "") for tab in state.screens.tabs.values()}
            return workers

    def open_tabs(self, share: str) -> list[Tab]:
        """Return every tab that is open as far as is recorded, whichever process has it."""
        with self._lock:
            state = self._share(share)
            state.catch_up(self.log, share)
            return list(state.screens.tabs.values())

    def _share(self, share: str) -> _Share:
        state = self._shares.get(share)
        if state is None:
            state = self._shares[share] = _Share(self.log, share)
        return state
