"""What waits for review on each share, what waited there at every instant, and how each hold ended.

Rule: its size grows with the number of holds, never with the number of events; states are shared with the fold, not
copied.
"""

import bisect
from datetime import datetime
from typing import Literal

import msgspec

from domain.agreement.share import HeldFact, HeldReleased
from domain.ids import PersonId, ShareId
from domain.reveal import holding
from domain.reveal.holding import Holds
from projections.sharing import Sharing

How = Literal["waiting", "released", "time_up", "amended", "share_ended"]


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """One change that waited for review, and how the wait ended."""

    fact: HeldFact
    how: How = "waiting"
    ended: datetime | None = None  # UTC, None while it waits
    by: PersonId = PersonId("")  # who released it, empty when no person did
    note: str = ""  # for the client, shown with the released change

    @property
    def shown(self) -> bool:
        """Whether the client was shown it; a change whose share ended while it waited never was."""
        return self.how in ("released", "time_up", "amended")

    def waits_at(self, at: datetime) -> bool:
        """Tell whether it waited at an instant (UTC)."""
        return self.fact.since <= at and (self.ended is None or at < self.ended)


class HoldBook:
    """The holds of all shares. Owned by the thread that folds the events; what `still` returned is anybody's."""

    def __init__(
        self,
        now: Sharing[ShareId, Holds] | None = None,
        past: Sharing[ShareId, tuple[tuple[datetime, Holds], ...]] | None = None,
        holds: Sharing[ShareId, dict[tuple[str, datetime], Hold]] | None = None,
    ) -> None:
        self.now = Sharing[ShareId, Holds]() if now is None else now
        self._past = Sharing[ShareId, tuple[tuple[datetime, Holds], ...]]() if past is None else past
        self._holds = Sharing[ShareId, dict[tuple[str, datetime], Hold]]() if holds is None else holds  # never altered

    def still(self) -> "HoldBook":
        """Return the book as it is now; later holds are in neither of the two that they are not written to."""
        return HoldBook(self.now.still(), self._past.still(), self._holds.still())

    def version(self) -> "HoldBook":
        """Return the book as it is now, to read alone."""
        return HoldBook(self.now.version(), self._past.version(), self._holds.version())

    def waiting(self, share: ShareId) -> Holds:
        """Return what waits on a share."""
        return self.now.get(share, holding.NOTHING)

    def at(self, share: ShareId, at: datetime) -> Holds:
        """Return what waited on a share at an instant (UTC)."""
        past = self._past.get(share, ())
        count = bisect.bisect_right(past, at, key=lambda dated: dated[0])
        return past[count - 1][1] if count else holding.NOTHING

    def record(self, share: ShareId) -> tuple[Hold, ...]:
        """Return every hold there ever was on a share, oldest first."""
        return tuple(self._holds.get(share, {}).values())

    def put(self, share: ShareId, waits: Holds, at: datetime, how: How = "amended") -> None:
        """Take in what waits on a share from `at` (UTC) on; a hold that is no longer among it ended then, by `how`."""
        before = self.waiting(share)
        if waits == before:
            return
        if waits.held:
            self.now[share] = waits
        else:
            self.now.pop(share, None)
        self._past[share] = (*self._past.get(share, ()), (at, waits))
        new = {(s, held.fact.since): Hold(fact=held.fact) for s, held in waits.held.items() if s not in before.held}
        if new:
            self._holds[share] = {**self._holds.get(share, {}), **new}
        for subject, held in before.held.items():
            if subject not in waits.held:
                self._end(share, held.fact, Hold(fact=held.fact, how=how, ended=at))

    def released(self, share: ShareId, waits: Holds, event: HeldReleased, at: datetime) -> None:
        """Take in that some held changes were released at `at` (UTC), and what still waits."""
        self.put(share, waits, at, event.cause)
        by = event.by if event.cause == "released" else PersonId("")
        for fact in event.held:
            self._end(share, fact, Hold(fact=fact, how=event.cause, ended=at, by=by, note=event.note))

    def _end(self, share: ShareId, fact: HeldFact, ended: Hold) -> None:
        self._holds[share] = {**self._holds.get(share, {}), (fact.subject, fact.since): ended}
