"""`Tail`: reads new entries of all shares, whichever process recorded them, and hands them to open dashboards.

Rule: one read serves all who watch, and a hint only shortens the wait. What reads the entries takes in the event log
as it was then: a right that ended before they were recorded has ended in this process too before they are handed on.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence

from projections.entries.entry import Entry
from projections.logs.disclosure_log import WAITS, DisclosureLog, Parked, Row
from projections.logs.vault import Damaged

log = logging.getLogger("fanlight.tail")
BATCH = 200


class Tail:
    """Follows the disclosure log. Not thread-safe except `wake`; owned by the thread that runs `run`."""

    def __init__(
        self,
        disclosure: DisclosureLog,
        shares: Callable[[], Iterable[str]],
        watched: Callable[[], Collection[str]],
        read: Callable[[int, int], list[Row]],
        on_entries: Callable[[str, Sequence[Entry]], None],
    ) -> None:
        """`read` does what `DisclosureLog.since` does, and takes in all events recorded before what it finds."""
        self._disclosure, self._shares, self._watched = disclosure, shares, watched
        self._read, self._on_entries = read, on_entries
        self._awake = threading.Event()
        self._place: int | None = None
        self.beat = time.monotonic()  # when it last read, for health
        self.failure = ""
        self.parked: dict[str, Parked] = {}  # shares that are stopped, by any process

    def wake(self) -> None:
        """Hint that something was recorded."""
        self._awake.set()

    def behind(self) -> int:
        """Return how many recorded rows are not read yet; gaps between places count as rows."""
        return 0 if self._place is None else max(0, self._disclosure.newest() - self._place)

    def run(self, stop: threading.Event, poll: Callable[[], float] = lambda: 0.25) -> None:
        """Follow until `stop` is set; `poll` gives the longest wait in seconds without a hint."""
        while not stop.is_set():
            self._awake.clear()
            try:
                more = self.step()
                self.failure = ""
            except Exception as error:
                more, self.failure = 0, f"{type(error).__name__}: {error}"
                log.exception("what others recorded could not be read; it is tried again")
            if more < BATCH:
                self._awake.wait(poll())

    def step(self) -> int:
        """Hand on the new entries of watched shares; return how many rows of any kind were read."""
        if self._place is None:
            place = self._disclosure.newest()  # a page that opens later reads older entries from the log itself
            for share in list(self._shares()):
                if (parked := self._disclosure.parked(share)) is not None:
                    self._park(parked)
            self._place = place
        rows = self._read(self._place, BATCH)
        self.beat = time.monotonic()
        if not rows:
            return 0
        watched = self._watched()  # asked after the read: who opens a page later finds these entries in the log
        by_share: dict[str, list[Entry]] = {}
        for row in rows:
            if row.stored.topic == "parked":
                self._park(self._disclosure.parking(row))
            elif row.stored.topic == "entry" and row.share in watched and (entry := self._opened(row)) is not None:
                by_share.setdefault(row.share, []).append(entry)
        for share, entries in by_share.items():
            self._on_entries(share, entries)
        self._place = rows[-1].place
        return len(rows)

    def _opened(self, row: Row) -> Entry | None:
        try:
            return self._disclosure.opened(row)
        except Damaged:
            log.exception("an entry of %s cannot be read", row.share)
            return None

    def _park(self, parked: Parked) -> None:
        if parked.error and parked.error != WAITS:
            self.parked[parked.share] = parked
        else:
            self.parked.pop(parked.share, None)
