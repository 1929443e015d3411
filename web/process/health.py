"""How this process and the installation are: looked at by the clock, told from memory, true within seconds.

Rule: a look that does not come back is itself the answer. Nothing here trusts a lag that a dead follower would keep
flat, nor another machine's clock.
"""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import msgspec

from projections.evidence.notary import Notary
from projections.follow.follower import Follower
from projections.installation.folder import Logs
from projections.receipts.taking import Receipts
from projections.replay.tail import Tail
from web.push.live import Live

if TYPE_CHECKING:
    from web.process.hints import Hints

log = logging.getLogger("fanlight")
LOST = 5.0  # seconds without a look that came back: the logs are away
LATE = 10.0  # seconds without any progress of a follower that has something to take in
FAILED = 15.0  # seconds for which a request that failed for the logs' sake counts
DEAD = 90.0  # seconds without a turn of this process's own follower

Following = Literal["follows", "failing", "late", "dead", "nobody"]


class HealthReport(msgspec.Struct, frozen=True, kw_only=True):
    """What is told to the operator. Seconds where no unit is named."""

    ok: bool
    ready: bool
    logs: Literal["there", "failing", "away"]
    follower: Following
    leads: bool  # this process follows
    term: int
    events_behind: int  # recorded, and not yet taken in by the follower
    seconds_behind: float  # for how long it has made no progress with them
    entries_behind: int  # recorded, and not yet handed on by this process
    stopped: int  # shares that are stopped
    receipts: Literal["recording", "failing"]
    receipts_waiting: int
    unsigned: int  # trees of which nothing is signed because something does not agree
    hints: Literal["none", "heard", "away"]
    dashboards: int
    draining: bool


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked at. `leads` and `draining` are asked: whether this process makes the updates, and is stopping."""

    logs: Logs
    follower: Follower
    tail: Tail
    receipts: Receipts
    notary: Notary
    live: Live
    hints: "Hints | None"
    leads: Callable[[], bool]
    draining: Callable[[], bool]


class Health:
    """The newest look."""

    def __init__(self, observed: Observed) -> None:
        self._of = observed
        self._looked = float("-inf")
        self._holder, self._left, self._term = "", 0.0, 0
        self._events = self._position = self._entries = 0
        self._stuck = time.monotonic()
        self._stopped = 0
        self._failed = float("-inf")

    def failed(self, error: Exception) -> None:
        """Note that a request could not be answered because the logs did not answer or took nothing."""
        self._failed = time.monotonic()
        log.warning("a request could not be answered: %s", type(error).__name__)

    def look(self) -> None:
        """Ask the logs. For threads. Raises: whatever keeps them from answering."""
        of, now = self._of, time.monotonic()
        tenure, position = of.logs.lease.tenure(), of.logs.disclosure.position()
        self._holder, self._left, self._term = tenure.holder, tenure.left, tenure.term
        self._events = of.logs.events.head()
        if position != self._position or self._events <= position:
            self._stuck = now
        self._position = position
        self._entries = of.tail.behind() if of.logs.shared else 0
        self._stopped = len((of.tail if of.logs.shared else of.follower).parked)
        self._looked = time.monotonic()

    @property
    def away(self) -> bool:
        """The logs do not answer."""
        return self._of.logs.shared and time.monotonic() - self._looked > LOST

    @property
    def following(self) -> Following:
        """Whether updates are being made, by whichever process."""
        of, now = self._of, time.monotonic()
        if of.leads() and of.follower.failure:
            return "failing"
        if of.logs.shared:
            if self._left <= 0:
                return "nobody"
        elif now - of.follower.beat > DEAD:
            return "dead"
        if self._events > self._position and now - self._stuck > LATE:
            return "late"
        return "follows"

    @property
    def behind(self) -> bool:
        """Pages may be older than what is recorded, and somebody should know."""
        return self.away or self.following != "follows"

    @property
    def ready(self) -> bool:
        """Whether requests should come here."""
        return not (self._of.draining() or self.away)

    def report(self) -> HealthReport:
        """Return how things are."""
        of = self._of
        away, following, stuck = self.away, self.following, self._events > self._position
        failing = time.monotonic() - self._failed < FAILED
        return HealthReport(
            ok=not (away or failing) and following == "follows" and not of.receipts.failure and not self._stopped,
            ready=self.ready,
            logs="away" if away else "failing" if failing else "there",
            follower=following,
            leads=of.leads(),
            term=self._term,
            events_behind=max(0, self._events - self._position),
            seconds_behind=round(time.monotonic() - self._stuck, 1) if stuck else 0.0,
            entries_behind=self._entries,
            stopped=self._stopped,
            receipts="failing" if of.receipts.failure else "recording",
            receipts_waiting=of.receipts.waiting,
            unsigned=len(of.notary.refused),
            hints="none" if of.hints is None else "heard" if of.hints.listening else "away",
            dashboards=of.live.open(),
            draining=self._of.draining(),
        )
