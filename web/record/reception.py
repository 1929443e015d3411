"""What became of a fact with each viewer: sent, delivered, displayed, each as pages claimed it; nobody claims "read".

Rule: reads are bounded. Claims are read one by one for a while after the update; a display much later is found by
bisection over the standings that are stored every `STANDING_EVERY` rows beside the claims.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, get_args

import msgspec

from projections.receipts.claims import Receipt
from projections.receipts.on_screen import moment
from projections.receipts.openings import Openings
from projections.receipts.receipt_log import SLACK, STANDING_EVERY, ReceiptLog
from web.push.viewer import Watching

Class = Literal["displayed", "superseded", "delivered", "sent", "never"]
ROWS = 1024  # rows of claims read one by one
Tab = tuple[str, str, str]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One viewer and the updates that carry the fact. Times are UTC and of one tab, None where nothing was claimed."""

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
    """Every viewer; `gap` is when the claims that were read one by one end (UTC), None when all were read."""

    seen: list[Seen]
    gap: datetime | None


class _Claims:
    """What claims say about the updates first ... beyond - 1 (beyond 0: no end); they are taken in oldest first."""

    def __init__(self, first: int, beyond: int, delivered: Mapping[Tab, int]) -> None:
        self.first, self._beyond = first, beyond or 1 << 62
        self._delivered, self._openings = dict(delivered), Openings(delivered)
        self._tabs: dict[Tab, Seen] = {}
        self._newest: dict[str, int] = {}
        self._displayed: set[str] = set()

    def take(self, claims: Iterable[Receipt]) -> None:
        """Take in a row of claims."""
        for claim in sorted(claims, key=lambda c: c.at):
            page = self._openings.take(claim)
            if claim.kind != "opened":
                self._take(claim, page)

    def _take(self, claim: Receipt, page: Receipt | None) -> None:
        """Take in a claim of a tab; `page` is what the tab began as, where the claim is its first."""
        tab = claim.person, claim.session, claim.tab
        before = self._tabs.get(tab) or Seen(person=claim.person)
        if page is not None and self._here(page.n):
            before = msgspec.structs.replace(before, sent=moment(page.at))
        after = self._tabs[tab] = self._after(before, claim, self._delivered.get(tab))
        if claim.kind in ("delivered", "displayed"):
            self._delivered[tab] = max(self._delivered.get(tab, 0), claim.n)
        if claim.kind == "displayed":
            self._newest[claim.person] = max(self._newest.get(claim.person, 0), claim.n)
        if after.displayed is not None:
            self._displayed.add(claim.person)

    def displayed(self, person: str) -> bool:
        """Tell whether one of the updates was on a screen of somebody."""
        return person in self._displayed

    def by_person(self) -> dict[str, Seen]:
        """Return for each person the tab that came furthest, of several the one that did so first."""
        pages = [page for page in self._openings.alone() if self._here(page.n)]
        each = [*self._tabs.values(), *(Seen(person=page.person, sent=moment(page.at)) for page in pages)]
        seen: dict[str, Seen] = {}
        for one in sorted(each, key=reached):
            seen.setdefault(one.person, msgspec.structs.replace(one, newest=self._newest.get(one.person, 0)))
        return seen

    def _here(self, n: int) -> bool:
        return self.first <= n < self._beyond

    def _after(self, seen: Seen, claim: Receipt, had: int | None) -> Seen:
        replace, at, here = msgspec.structs.replace, moment(claim.at), self._here(claim.n)
        match claim.kind:
            case "displayed" if here:
                delivered, displayed = seen.delivered or at, seen.displayed or at
                return replace(seen, n=seen.n or claim.n, delivered=delivered, displayed=displayed)
            case "displayed":
                passed = 0 < claim.came_from < self._beyond <= claim.n and seen.delivered is not None
                return replace(seen, superseded=seen.superseded or (passed and seen.displayed is None))
            case "delivered" if here or (had is not None and had < self.first <= claim.n):
                return replace(seen, delivered=seen.delivered or at)
            case "closed" if here and seen.delivered is None:
                return replace(seen, sent=seen.sent or at)
            case _:
                return seen


def reached(seen: Seen) -> tuple[int, str]:
    """Order what was claimed: what came furthest first, of several what did so first."""
    at = seen.displayed or seen.delivered or seen.sent
    return get_args(Class).index(seen.state), at.isoformat() if at else ""


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
        if newest[person] >= span[0] and not claims.displayed(person):
            _find_display(log, share, claims, person, (at, head))
    tail = [claim for row in log.rows(share, kept, STANDING_EVERY, head) for claim in row.claims(share)]
    claims.take(tail if kept >= at else ())
    now = _on_screens(watching)
    _raise(newest, tail, watching)
    seen = claims.by_person()
    named = wanted | {person for person, one in seen.items() if one.state != "never"} | now.keys()
    listed = [_now(seen.get(person) or Seen(person=person), newest, now) for person in sorted(named)]
    return Viewers(listed, gap)


def _all_displayed(claims: _Claims, wanted: set[str]) -> bool:
    return bool(wanted) and all(claims.displayed(person) for person in wanted)


def _raise(newest: dict[str, int], tail: Iterable[Receipt], watching: Iterable[Watching]) -> None:
    """Bring the newest update on each person's screen from the last standing up to now."""
    for claim in tail:
        if claim.kind in ("displayed", "resumed"):
            newest[claim.person] = max(newest.get(claim.person, 0), claim.n)
    for watcher in watching:
        newest[watcher.person] = max(newest.get(watcher.person, 0), watcher.displayed)


def _find_display(log: ReceiptLog, share: str, claims: _Claims, person: str, rows: tuple[int, int]) -> None:
    """Take in the rows in which somebody had one of the updates or a later one on screen for the first time."""
    low, high = rows[0] // STANDING_EVERY, rows[1] // STANDING_EVERY + 1
    while high - low > 1:
        middle = (low + high) // 2
        viewer = log.standing(share, middle * STANDING_EVERY)[0].viewers.get(person)
        if viewer is not None and viewer.displayed >= claims.first:
            high = middle
        else:
            low = middle
    after = max(rows[0], low * STANDING_EVERY)
    nearby = log.rows(share, after, STANDING_EVERY, rows[1])
    claims.take(c for row in nearby for c in row.claims(share) if c.person == person)


def _on_screens(watching: Sequence[Watching]) -> dict[str, Watching]:
    """Return what each person has on a visible screen now; of several the one with the oldest update."""
    shown: dict[str, Watching] = {}
    for watcher in watching:
        oldest = shown.get(watcher.person, watcher)
        if watcher.visible and watcher.displayed and watcher.displayed <= oldest.displayed:
            shown[watcher.person] = watcher
    return shown


def _now(seen: Seen, newest: Mapping[str, int], now: Mapping[str, Watching]) -> Seen:
    here, top = now.get(seen.person), max(seen.newest, newest.get(seen.person, 0))
    return msgspec.structs.replace(
        seen, newest=top, watching=here.displayed if here else 0, paused=bool(here and here.paused)
    )
