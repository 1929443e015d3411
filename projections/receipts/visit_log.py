"""`VisitLog`: the visits of every share, derived from the recorded receipts and cached in memory."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime

import msgspec

from projections.receipts.receipt_log import ReceiptLog
from projections.receipts.visits import Reached, Visit, Visits

SLICE = 200  # rows of receipts read at a time
SHARES = 64  # whose visits are kept; others are read again


class VisitsTold(msgspec.Struct, frozen=True):
    """The visits of a share at one time, as a copy that does not change."""

    visits: Sequence[Visit]  # newest first
    reached: dict[str, Reached]
    dropped: int  # older visits that are not among them


class VisitLog:
    """Keeps the visits of the shares asked for last. Thread-safe."""

    def __init__(self, record: ReceiptLog) -> None:
        self._record, self._lock = record, threading.Lock()
        self._shares: OrderedDict[str, tuple[int, Visits]] = OrderedDict()

    def told(self, share: str, since: datetime) -> VisitsTold:
        """Return the visits of a share as far as they are recorded and not older than `since` (UTC). For threads."""
        with self._lock:
            visits = self._caught_up(share)
            visits.forget(since)
            ordered = sorted(visits.found, key=lambda visit: visit.opened, reverse=True)
            copies = [msgspec.structs.replace(visit) for visit in ordered]
            return VisitsTold(copies, dict(visits.reached), visits.dropped)

    def reached(self, share: str, since: datetime) -> dict[str, Reached]:
        """Return the last update that can have reached each person, by receipts not older than `since` (UTC)."""
        with self._lock:
            visits = self._caught_up(share)
            visits.forget(since)
            return dict(visits.reached)

    def _caught_up(self, share: str) -> Visits:
        k, visits = self._shares.pop(share, (0, Visits()))
        while rows := self._record.rows(share, k, SLICE):
            for row in rows:
                for claim in sorted(row.claims(share), key=lambda claim: claim.at):
                    visits.take(claim)
            k = rows[-1].k
        self._shares[share] = k, visits
        while len(self._shares) > SHARES:
            self._shares.popitem(last=False)
        return visits
