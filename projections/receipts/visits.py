"""Visits of one share, derived from claims: who opened a page when, on what device, for how long, up to which update.

Rule: a visit is one page that was made for somebody. What its socket claims afterwards belongs to it until the socket
ends; a tab that reconnects without a new page continues its visit. Claims are no proof of reading.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from projections.receipts.claims import Receipt
from projections.receipts.on_screen import Screens, moment

KEPT = 20_000  # visits of one share that are kept in memory, the newest; the log has them all
SLACK = 10.0  # seconds between two processes' recording of one page and of its socket
WAITING = 3600.0  # seconds after which the socket of a page that was made is no longer expected
RELOADING = 60.0  # seconds within which a new page of a known tab is that tab, loaded again


class Visit(msgspec.Struct, kw_only=True):
    """One page of one viewer. Times are POSIX seconds."""

    person: str
    session: str
    device: str
    opened: float
    first: int  # update the page was made at
    last: int  # highest update that was handed to it
    displayed: int = 0  # highest that was on a visible screen
    heard: float = 0.0
    closed: float = 0.0  # 0 while it is open
    lost: bool = False  # the server went down with it open
    live: bool = False  # its socket was ever heard of
    seconds: float = 0.0  # on a visible screen, up to `since` where it is on one now
    since: float = 0.0

    @property
    def open(self) -> bool:
        """Whether its socket is open as far as is known."""
        return self.live and not self.closed

    def lasted(self, until: float) -> float:
        """Return for how many seconds it was open, up to `until` (POSIX) where it still is."""
        return max(0.0, (self.closed or until) - self.opened) if self.live else 0.0

    def on_screen(self, until: float) -> float:
        """Return for how many seconds it was on a visible screen, up to `until` (POSIX) where it still is."""
        return self.seconds + (max(0.0, until - self.since) if self.since else 0.0)


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """The last update that can have reached a person: the highest that was handed to any page of theirs."""

    n: int
    displayed: int
    at: datetime  # of the last claim that says so


class Visits:
    """The visits of one share, brought forward claim by claim. Not thread-safe."""

    def __init__(self) -> None:
        self.found: list[Visit] = []  # oldest first
        self.reached: dict[str, Reached] = {}
        self.dropped = 0  # older ones that are not kept
        self._waiting: dict[tuple[str, str], list[Visit]] = {}  # by person and session: made, and no socket yet
        self._of: dict[tuple[str, str, str], Visit] = {}  # by tab: the visit it is or was part of
        self._early: dict[tuple[str, str], Visit] = {}  # by person and session: its socket was heard of first
        self._screens = Screens()

    def take(self, claim: Receipt) -> None:
        """Take in the next claim."""
        self._reach(claim)
        if claim.kind == "opened":
            self._open(claim)
            return
        key = claim.person, claim.session, claim.tab
        visit = self._visit(key, claim)
        visit.live, visit.heard = True, max(visit.heard, claim.at)
        visit.last = max(visit.last, claim.n)
        if claim.kind == "displayed":
            visit.displayed = max(visit.displayed, claim.n)
        ended = self._screens.take(claim)
        if ended is not None and ended.end is not None:
            visit.seconds += (ended.end - ended.start).total_seconds()
        tab = self._screens.tabs.get(key)
        visit.since = tab.since if tab and tab.n else 0.0
        visit.closed = 0.0 if tab else claim.at
        visit.lost = claim.kind == "lost" and tab is None

    def _open(self, claim: Receipt) -> None:
        session = claim.person, claim.session
        early = self._early.pop(session, None)
        if early is not None and abs(early.opened - claim.at) <= SLACK:  # another process recorded its socket first
            early.device, early.first, early.opened = claim.device, claim.n, min(claim.at, early.opened)
            early.last = max(early.last, claim.n)
            return
        visit = Visit(
            person=claim.person, session=claim.session, device=claim.device, opened=claim.at, first=claim.n,
            last=claim.n, heard=claim.at,
        )  # fmt: skip
        self._keep(visit)
        self._waiting.setdefault(session, []).append(visit)

    def _visit(self, key: tuple[str, str, str], claim: Receipt) -> Visit:
        """Return the visit a tab's claim belongs to: the one that goes on, else the page made last, else a new one."""
        known = self._of.get(key)
        if known is not None and not known.closed:
            return known
        waiting = self._waiting.get(key[:2], [])
        while waiting and claim.at - waiting[0].opened > WAITING:
            waiting.pop(0)
        if claim.kind in ("closed", "lost"):  # ended before it was heard of: the page that waits longest
            visit = known or (waiting.pop(0) if waiting else self._without_page(claim))
        elif waiting and (known is None or claim.at - waiting[-1].opened <= RELOADING):
            visit = waiting.pop()
        else:
            visit = known or self._without_page(claim)
            if known is None:
                self._early[key[:2]] = visit
        self._of[key] = visit
        return visit

    def _without_page(self, claim: Receipt) -> Visit:
        """Begin a visit whose page was made before the oldest receipt that is kept, or is recorded a moment later."""
        visit = Visit(
            person=claim.person, session=claim.session, device="", opened=claim.at, first=claim.n, last=claim.n
        )
        self._keep(visit)
        return visit

    def _keep(self, visit: Visit) -> None:
        self.found.append(visit)
        if len(self.found) > KEPT + KEPT // 10:
            over = self.found[: len(self.found) - KEPT]
            self.dropped += len(over)
            self._let_go(over)

    def _let_go(self, those: Iterable[Visit]) -> None:
        gone = {id(visit) for visit in those}
        self.found = [visit for visit in self.found if id(visit) not in gone]
        self._of = {key: visit for key, visit in self._of.items() if id(visit) not in gone}
        self._early = {key: visit for key, visit in self._early.items() if id(visit) not in gone}
        self._waiting = {k: kept for k, v in self._waiting.items() if (kept := [o for o in v if id(o) not in gone])}

    def _reach(self, claim: Receipt) -> None:
        known = self.reached.get(claim.person)
        n, displayed = claim.n, claim.n if claim.kind in ("displayed", "resumed") else 0
        if known is not None and n < known.n:
            n, at = known.n, known.at
        else:
            at = moment(claim.at)
        displayed = max(displayed, known.displayed if known else 0)
        self.reached[claim.person] = Reached(n=n, displayed=displayed, at=at)

    def forget(self, before: datetime) -> None:
        """Drop the visits older than `before` (UTC), from which on receipts are kept."""
        oldest = before.timestamp()
        if old := [visit for visit in self.found if max(visit.opened, visit.heard) < oldest]:
            self._let_go(old)
        self.reached = {person: newest for person, newest in self.reached.items() if newest.at >= before}


def visits(claims: Iterable[Receipt]) -> Visits:
    """Return the visits that follow from claims, oldest claim first."""
    folded = Visits()
    for claim in claims:
        folded.take(claim)
    return folded
