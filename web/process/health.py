"""The health of this process and the installation: examined every half second, reported from memory.

Rule: logs that do not answer in time count as away. No lag is trusted that a dead follower would keep constant, and no
clock of another machine.
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
LOST = 5.0  # seconds without an answer of the logs after which they count as away
LATE = 10.0  # seconds without progress after which a follower that has something to do counts as late
FAILED = 15.0  # seconds for which a request that failed because of the logs is reported
DEAD = 90.0  # seconds without a turn of this process's own follower after which it counts as dead

Following = Literal["follows", "failing", "late", "dead", "nobody"]


class HealthReport(msgspec.Struct, frozen=True, kw_only=True):
    """The report for the operator."""

    ok: bool
    ready: bool
    logs: Literal["there", "failing", "away"]
    follower: Following
    leads: bool  # this process makes the updates
    term: int  # of the lease
    events_behind: int  # recorded, and not yet processed by the follower
    seconds_behind: float  # without progress on them
    entries_behind: int  # recorded, and not yet handed on by this process
    stopped: int  # shares that get no updates until somebody mends them
    receipts: Literal["recording", "failing"]
    receipts_waiting: int  # not yet recorded
    unsigned: int  # trees that are not signed because something in them does not agree
    hints: Literal["none", "heard", "away"]
    dashboards: int  # open on this process
    draining: bool

    @property
    def hints_away(self) -> bool:
        """Whether a Redis is set and not heard."""
        return self.hints == "away"


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What is examined. `leads`: whether this process makes the updates; `draining`: whether it is stopping."""

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
    """Examines an installation, and reports what the newest examination showed."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        self._looked = float("-inf")
        self._holder, self._left, self._term = "", 0.0, 0
        self._events = self._position = self._entries = 0
        self._stuck = time.monotonic()
        self._stopped = 0
        self._failed = float("-inf")

    def failed(self, error: Exception) -> None:
        """Note that a request failed because the logs could not be read or written."""
        self._failed = time.monotonic()
        log.warning("a request could not be answered: %s", type(error).__name__)

    def look(self) -> None:
        """Read the state of the logs. For threads.

        Raises: whatever keeps the logs from answering.
        """
        observed, now = self._observed, time.monotonic()
        tenure, position = observed.logs.lease.tenure(), observed.logs.disclosure.position()
        self._holder, self._left, self._term = tenure.holder, tenure.left, tenure.term
        self._events = observed.logs.events.head()
        if position != self._position or self._events <= position:
            self._stuck = now
        self._position = position
        self._entries = observed.tail.behind() if observed.logs.shared else 0
        self._stopped = len((observed.tail if observed.logs.shared else observed.follower).parked)
        self._looked = time.monotonic()

    @property
    def away(self) -> bool:
        """Whether the logs have not answered for `LOST` seconds."""
        return self._observed.logs.shared and time.monotonic() - self._looked > LOST

    @property
    def following(self) -> Following:
        """Whether updates are made, by whichever process."""
        observed, now = self._observed, time.monotonic()
        if observed.leads() and observed.follower.failure:
            return "failing"
        if observed.logs.shared:
            if self._left <= 0:
                return "nobody"
        elif now - observed.follower.beat > DEAD:
            return "dead"
        if self._events > self._position and now - self._stuck > LATE:
            return "late"
        return "follows"

    @property
    def behind(self) -> bool:
        """Whether pages may show less than what is recorded."""
        return self.away or self.following != "follows" or self._hands_on_nothing

    @property
    def _hands_on_nothing(self) -> bool:
        """Whether what other processes recorded cannot be read here, so that no page here gets it."""
        return self._observed.logs.shared and bool(self._observed.tail.failure)

    @property
    def ready(self) -> bool:
        """Whether requests should be sent to this process."""
        return not (self._observed.draining() or self.away)

    def report(self) -> HealthReport:
        """Return the report."""
        observed = self._observed
        away, following, stuck = self.away, self.following, self._events > self._position
        failing = time.monotonic() - self._failed < FAILED
        return HealthReport(
            ok=not (away or failing or observed.receipts.failure or self._stopped or self._hands_on_nothing)
            and following == "follows",
            ready=self.ready,
            logs="away" if away else "failing" if failing else "there",
            follower=following,
            leads=observed.leads(),
            term=self._term,
            events_behind=max(0, self._events - self._position),
            seconds_behind=round(time.monotonic() - self._stuck, 1) if stuck else 0.0,
            entries_behind=self._entries,
            stopped=self._stopped,
            receipts="failing" if observed.receipts.failure else "recording",
            receipts_waiting=observed.receipts.waiting,
            unsigned=len(observed.notary.refused),
            hints="none" if observed.hints is None else "heard" if observed.hints.listening else "away",
            dashboards=observed.live.open(),
            draining=self._observed.draining(),
        )
