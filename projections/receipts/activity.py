"""`Activity`: when somebody last did something in a session, over all processes and restarts.

Rule: only what a person does counts: a page asked for, a form sent, an update displayed. What a page does by itself,
and what was sent to it, does not. Kept beside the receipts, in no tree, with nothing but a session's id and a time.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from projections.receipts.claims import Receipt
from projections.receipts.receipt_log import ReceiptLog

ACTIVE = ("displayed", "paused", "resumed")  # claims that somebody's tab is in front of them
PARTS = 10  # times at most that activity is recorded while a session may be idle


class Activity:
    """The last activity in every session. For any thread. `idle`: how long a session may go without."""

    def __init__(self, record: ReceiptLog, clock: Callable[[], datetime], idle: timedelta) -> None:
        self._record, self._clock, self.idle = record, clock, idle
        self._seen: dict[str, datetime] = {}
        self._written: dict[str, datetime] = {}

    def note(self, session: str) -> None:
        """Take note that somebody did something in a session just now."""
        self._seen[session] = self._clock()

    def claimed(self, claims: Iterable[Receipt]) -> None:
        """Take note of claims of open pages that somebody is there."""
        for claim in claims:
            if claim.kind in ACTIVE and claim.session:
                self.note(claim.session)

    def write(self) -> None:
        """Record what is new, of each session at most `PARTS` times in `idle`."""
        oldest = self._clock() - 2 * self.idle
        for session, at in list(self._seen.items()):
            if at < oldest:
                self.forget(session)
                continue
            if at - self._written.get(session, datetime.min.replace(tzinfo=UTC)) >= self.idle / PARTS:
                self._record.active(session, at)
                self._written[session] = at

    def over(self, session: str, since: datetime | None) -> bool:
        """Return whether a session that began at `since` has been idle for too long.

        What other processes recorded is read where this one knows of nothing recent.
        """
        oldest = self._clock() - self.idle
        if since is None or since > oldest or self._seen.get(session, oldest) > oldest:
            return False
        last = self._record.last_active(session)
        if last is not None and last > oldest:
            self._seen[session] = self._written[session] = last
            return False
        return True

    def forget(self, session: str) -> None:
        """Drop a session that has ended."""
        self._seen.pop(session, None)
        self._written.pop(session, None)
