"""What became of a fact with each viewer: sent, delivered and displayed are claims of pages, kept apart, never "read".

Rule: bounded reads. Claims are read one by one for a while after the update; a display much later is found by
bisection over the standings that are kept beside the claims.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from projections.receipts.claims import Receipt
from projections.receipts.on_screen import moment
from projections.receipts.receipt_log import SLACK, STANDING_EVERY, ReceiptLog
from web.push.viewer import Watching

Class = Literal["displayed", "superseded", "delivered", "sent", "never"]
ROWS = 1024  # rows of claims read one by one
Tab = tuple[str, str, str]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One viewer and the updates that carry the fact. Times are UTC, None where nothing was claimed."""

    person: str
    sent: datetime | None = None
    delivered: datetime | None = None
    displayed: datetime | None = None
    n: int = 0  # the first of those updates that was on screen
    superseded: bool = False  # delivered, and a later update was drawn before it could be
    newest: int = 0  # the newest update ever on screen
    watching: int = 0  # the update on a visible screen now
    paused: bool = False

    @property
    def state(self) -> Class:
        """The furthest class that was claimed."""
        if self.displayed is not None:
            return "displayed"
        if self.superseded:
            return "superseded"
        return "delivered" if self.delivered else "sent" if self.sent else "never"


class Viewers(msgspec.Struct, frozen=True):
    """Every viewer; `gap` tells when the claims read one by one end, None when all were read."""

    seen: list[Seen]
    gap: datetime | None


class _Claims:
    """Folds claims about the updates first ... beyond - 1 (beyond 0: no end), oldest first."""

    def __init__(self, first: int, beyond: int, delivered: Mapping[Tab, int]) -> None:
        self._first, self._beyond = first, beyond or 1 << 62
        self._delivered = dict(delivered)
        self.found: dict[str, Seen] = {}

    def take(self, claims: Iterable[Receipt]) -> None:
        """Take in a row of claims."""
        for claim in sorted(claims, key=lambda c: c.at):
            known = self.found.get(claim.person) or Seen(person=claim.person)
            self.found[claim.person] = self._after(known, claim)
            if claim.kind in ("delivered", "displayed"):
                tab = claim.person, claim.session, claim.tab
                self._delivered[tab] = max(self._delivered.get(tab, 0), claim.n)

    def _after(self, known: Seen, claim: Receipt) -> Seen:
        replace, at = msgspec.structs.replace, moment(claim.at)
        here = self._first <= claim.n < self._beyond
        had = self._delivered.get((claim.person, claim.session, claim.tab))
        match claim.kind:
            case "displayed" if here:
                newest = max(known.newest, claim.n)
                n = known.n or claim.n
                delivered, displayed = known.delivered or at, known.displayed or at
                return replace(known, newest=newest, n=n, delivered=delivered, displayed=displayed)
            case "displayed":
                passed = 0 < claim.came_from < self._beyond <= claim.n and known.delivered is not None
                superseded = known.superseded or (passed and known.displayed is None)
                return replace(known, newest=max(known.newest, claim.n), superseded=superseded)
            case "delivered" if here or (had is not None and had < self._first <= claim.n):
                return replace(known, delivered=known.delivered or at)
            case "opened" | "closed" if here:
                return replace(known, sent=known.sent or at)
            case _:
                return known


def viewers(
    log: ReceiptLog,
    share: str,
    span: tuple[int, int],
    since: datetime,
    people: Iterable[str],
    watching: Sequence[Watching],
) -> Viewers:
    """Return what became of the updates `span` = (first, beyond) with everybody who may watch or ever claimed them.

    `since` is when the first of them was recorded (UTC); `people` are those who may watch now.
    """
    head, start = log.head(share), log.row_at(share, since - SLACK)
    standing, kept = log.standing(share, start)
    claims = _Claims(*span, {(t.person, t.session, t.tab): t.delivered for t in standing.tabs})
    wanted, at = set(people), kept
    while at < head and at - kept < ROWS and not _all_displayed(claims, wanted):
        rows = log.rows(share, at, STANDING_EVERY, head)
        claims.take(c for row in rows for c in row.claims(share))
        at, ended = rows[-1].k, rows[-1].at
    gap = ended if at < head and not _all_displayed(claims, wanted) else None
    last, kept = log.standing(share, head)
    newest = {person: viewer.displayed for person, viewer in last.viewers.items()}
    for person in newest if gap else ():
        if newest[person] >= span[0] and not (person in claims.found and claims.found[person].displayed):
            _later(log, share, claims, person, span[0], (at, head))
    tail = [claim for row in log.rows(share, kept, STANDING_EVERY, head) for claim in row.claims(share)]
    claims.take(tail if kept >= at else ())
    for claim in tail:
        if claim.kind in ("displayed", "resumed"):
            newest[claim.person] = max(newest.get(claim.person, 0), claim.n)
    for one in watching:
        newest[one.person] = max(newest.get(one.person, 0), one.displayed)
    now = _on_screens(watching)
    named = wanted | {p for p, s in claims.found.items() if s.state != "never"} | now.keys()
    return Viewers([_now(claims, person, newest, now) for person in sorted(named)], gap)


def _all_displayed(claims: _Claims, wanted: set[str]) -> bool:
    return bool(wanted) and all(p in claims.found and claims.found[p].displayed for p in wanted)


def _later(log: ReceiptLog, share: str, claims: _Claims, person: str, first: int, rows: tuple[int, int]) -> None:
    """Take in the rows in which somebody had update `first` or a later one on screen for the first time."""
    low, high = rows[0] // STANDING_EVERY, rows[1] // STANDING_EVERY + 1
    while high - low > 1:
        middle = (low + high) // 2
        viewer = log.standing(share, middle * STANDING_EVERY)[0].viewers.get(person)
        if viewer is not None and viewer.displayed >= first:
            high = middle
        else:
            low = middle
    after = max(rows[0], low * STANDING_EVERY)
    found = log.rows(share, after, STANDING_EVERY, rows[1])
    claims.take(c for row in found for c in row.claims(share) if c.person == person)


def _on_screens(watching: Sequence[Watching]) -> dict[str, Watching]:
    """Return what each person has on a visible screen now; of several the oldest, which is the one to know of."""
    shown: dict[str, Watching] = {}
    for one in watching:
        if one.visible and one.displayed and one.displayed <= shown.get(one.person, one).displayed:
            shown[one.person] = one
    return shown


def _now(claims: _Claims, person: str, newest: Mapping[str, int], now: Mapping[str, Watching]) -> Seen:
    known, here = claims.found.get(person) or Seen(person=person), now.get(person)
    top = max(known.newest, newest.get(person, 0))
    return msgspec.structs.replace(
        known, newest=top, watching=here.displayed if here else 0, paused=bool(here and here.paused)
    )
