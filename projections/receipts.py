"""What was received: claims by people's pages, recorded durably in batches, and what each viewer saw last.

A receipt is a claim, never "read": `delivered` is applied by the page, `displayed` is painted in a visible tab. Claims
are cumulative: displayed n, having come from m, says nothing of the numbers between.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from eventsourcing.persistence import ApplicationRecorder, IntegrityError

from projections.claims import Receipt
from projections.store import row

VISIT_GAP = timedelta(minutes=30)  # away for longer makes the next opening a new visit
BACKLOG = 20_000  # receipts kept in memory while the disk is slow; beyond that the oldest presence claims go first


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A viewer's present visit to a share: what was on screen when the one before it ended."""

    since: int  # last displayed of the visit before, 0 on the first
    ended: datetime | None  # when that visit was last heard of, UTC


class _Standing(msgspec.Struct, kw_only=True):
    displayed: int = 0
    heard: float = 0.0
    since: int = 0
    ended: float = 0.0


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[Receipt, ...])


class Receipts:
    """Takes claims from any thread, records them in one transaction for many, and knows each viewer's standing."""

    def __init__(self, recorder: ApplicationRecorder, clock: Callable[[], datetime]) -> None:
        self._recorder, self._clock = recorder, clock
        self._lock, self._awake = threading.Lock(), threading.Event()
        self._waiting: list[Receipt] = []
        self._standing: dict[tuple[str, str], _Standing] = {}
        self._version = 0
        self.refused = 0
        self._load()

    def _load(self) -> None:
        position = 0
        while found := self._recorder.select_notifications(start=position, limit=500, inclusive_of_start=False):
            for one in found:
                position = one.id
                self._version = max(self._version, one.originator_version)
                for receipt in _decoder.decode(one.state):
                    self._note(receipt)

    # taking

    def take(self, receipts: Sequence[Receipt]) -> None:
        """Accept claims; they are durable after the next flush."""
        with self._lock:
            room = BACKLOG - len(self._waiting)
            self.refused += max(0, len(receipts) - room)
            self._waiting.extend(receipts[:room])
        self._awake.set()

    def opened(self, share: str, person: str, session: str, n: int) -> Visit:
        """Record that a viewer's page was made at entry n, and return the visit it belongs to."""
        now = self._clock().timestamp()
        mark = Receipt(share=share, person=person, session=session, tab="", kind="opened", n=n, came_from=0, at=now)
        with self._lock:
            for receipt in self._waiting:
                self._note(receipt)
            self._note(mark)
            self._waiting.append(mark)
            known = self._standing[share, person]
            ended = datetime.fromtimestamp(known.ended, UTC) if known.ended else None
            visit = Visit(since=known.since, ended=ended)
        self._awake.set()
        return visit

    def _note(self, receipt: Receipt) -> None:
        known = self._standing.setdefault((receipt.share, receipt.person), _Standing())
        if receipt.kind == "opened" and known.heard and receipt.at - known.heard > VISIT_GAP.total_seconds():
            known.since, known.ended = known.displayed, known.heard
        if receipt.kind in ("displayed", "resumed"):
            known.displayed = max(known.displayed, receipt.n)
        known.heard = max(known.heard, receipt.at)

    # recording

    def flush(self) -> int:
        """Record what waits, in one transaction; return how many claims that were."""
        with self._lock:
            batch, self._waiting = tuple(self._waiting), []
            for receipt in batch:
                self._note(receipt)
        if not batch:
            return 0
        while True:
            self._version += 1
            try:
                self._recorder.insert_events([row("receipts", self._version, "receipts", _encoder.encode(batch))])
            except IntegrityError:
                continue
            return len(batch)

    def run(self, stop: threading.Event, interval: float = 0.5) -> None:
        """Flush until `stop` is set, then once more; `interval` in seconds gathers claims into batches."""
        while not stop.is_set():
            self._awake.wait()
            self._awake.clear()
            stop.wait(interval)
            self.flush()
        self.flush()

    def wake(self) -> None:
        """Let `run` look at its stop event."""
        self._awake.set()

    def of(self, share: str, after: int = 0, limit: int = 1000) -> list[Receipt]:
        """Return recorded claims on a share, oldest first, from batch `after + 1`."""
        rows = self._recorder.select_events("receipts", gt=after, limit=limit)
        return [r for one in rows for r in _decoder.decode(one.state) if r.share == share]
