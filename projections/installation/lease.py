"""Which process follows: one at a time, by a lease that runs out and a term that every write of the follower names.

Rule: the lease is for availability, the term for safety. A process that was paused and goes on may believe that it
still leads; its writes name a term that is over, and are refused in the transaction itself.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec

log = logging.getLogger("fanlight.lease")
LASTS = 4.0  # seconds a lease holds unless it is renewed
RENEW = 1.0  # seconds between renewals
WEDGED = 60.0  # seconds without a sign of life after which a follower's lease is not renewed


class Tenure(msgspec.Struct, frozen=True, kw_only=True):
    """Which process follows, in which term; `left` is the rest of the lease in seconds, negative once it is over."""

    holder: str
    term: int
    left: float
    since: datetime | None = None  # UTC


class Lease(Protocol):
    """The right to follow. Thread-safe."""

    def take(self, holder: str) -> int | None:
        """Take the lease or keep it; return the term, None while another process has it."""
        ...

    def release(self, holder: str) -> None:
        """Give up the lease, so that another process can follow at once."""
        ...

    def tenure(self) -> Tenure:
        """Return which process follows now, and in which term."""
        ...


class FolderLease:
    """The lease of a folder, which only one process can serve: it holds the folder's lock already."""

    def __init__(self) -> None:
        self._holder = ""

    def take(self, holder: str) -> int | None:
        """Take it; the term is always 1."""
        self._holder = holder
        return 1

    def release(self, holder: str) -> None:
        """Give it back."""
        if self._holder == holder:
            self._holder = ""

    def tenure(self) -> Tenure:
        """Return which process follows now, and in which term."""
        return Tenure(holder=self._holder, term=1, left=LASTS if self._holder else -1.0)


class LeaseKeeper:
    """Keeps the lease for one follower, from a thread of its own, while that follower shows signs of life."""

    def __init__(self, lease: Lease, holder: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._lease, self.holder, self._clock = lease, holder, clock
        self._term: int | None = None
        self._until = 0.0

    @property
    def term(self) -> int | None:
        """The term in which to follow; None when another process has the lease, or may have it by now."""
        return self._term if self._clock() < self._until else None

    def renew(self) -> int | None:
        """Take the lease or keep it; return the term, None while another process has it."""
        asked = self._clock()  # read before the lease is taken, so that it ends here before it ends there
        term = self._lease.take(self.holder)
        if term is not None and term != self._term:
            log.info("follows from now on, term %d", term)
        self._term, self._until = term, asked + LASTS if term is not None else 0.0
        return self.term

    def lost(self) -> None:
        """Follow no longer: a write was refused, so another process has the lease."""
        self._until = 0.0

    def run(self, stop: threading.Event, beat: Callable[[], float], on_change: Callable[[], None]) -> None:
        """Renew until `stop`, then release; `beat` is when the follower was last alive, by the same clock."""
        while not stop.is_set():
            before = self.term
            try:
                if self._clock() - beat() < WEDGED:
                    self.renew()
            except Exception as error:  # noqa: BLE001  # the database is away; the lease runs out by itself
                log.warning("the lease could not be renewed: %s", error)
            if self.term != before:
                on_change()
            stop.wait(RENEW)

    def end(self) -> None:
        """Give up the lease, once this process records nothing more."""
        held, self._until = self.term, 0.0
        if held is not None:
            try:
                self._lease.release(self.holder)
            except Exception as error:  # noqa: BLE001  # it runs out by itself
                log.warning("the lease could not be released: %s", error)
