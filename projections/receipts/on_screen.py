"""What was in front of whom, and when: intervals folded from claims. Pure; docs/spec.md 7.2.

Rule: claims are cumulative and never added up to "read". Between `displayed` n and the next claim of that tab n was on
its screen; what came and was never drawn was superseded.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

import msgspec

from projections.receipts.claims import Receipt

End = Literal["", "superseded", "hidden", "closed", "lost"]
Key = tuple[str, str, str]  # person, session, tab


class Tab(msgspec.Struct, frozen=True, kw_only=True):
    """One open page as it stands: what is on its screen since when (n = 0: nothing), and what it has applied."""

    person: str
    session: str
    tab: str
    n: int = 0
    since: float = 0.0  # POSIX seconds
    delivered: int = 0
    paused: bool = False
    heard: float = 0.0  # of its last claim


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """Update n was on one screen from `start` to `end` (UTC); `end` is None while it still is."""

    person: str
    session: str
    tab: str
    n: int
    start: datetime
    end: datetime | None
    ended: End = ""


class Reception(msgspec.Struct, frozen=True, kw_only=True):
    """What became of update n with one person: separate claims, each None when there is none. Times are UTC."""

    person: str
    n: int
    sent: datetime | None = None  # a page was made at n, or a socket had been handed n when it ended
    delivered: datetime | None = None
    displayed: datetime | None = None
    superseded: bool = False  # delivered, and another number was drawn before this one could be
    seconds: float = 0.0  # on screen, all tabs added up, up to `until`
    visits: int = 0  # intervals on screen


def moment(at: float) -> datetime:
    """Return POSIX seconds as an instant in UTC."""
    return datetime.fromtimestamp(at, UTC)


class Screens:
    """Every tab's state, folded claim by claim."""

    def __init__(self, standing: Iterable[Tab] = ()) -> None:
        self.tabs: dict[Key, Tab] = {(t.person, t.session, t.tab): t for t in standing}

    def take(self, claim: Receipt) -> Interval | None:
        """Take in the next claim and return the interval it ends, if it ends one."""
        if claim.kind == "opened":
            return None
        key = claim.person, claim.session, claim.tab
        tab = self.tabs.get(key) or Tab(person=claim.person, session=claim.session, tab=claim.tab)
        ended: Interval | None = None
        match claim.kind:
            case "displayed":
                if tab.n != claim.n:
                    ended = _ended(tab, claim.at, "superseded")
                    tab = _with(tab, n=claim.n, since=claim.at, delivered=max(tab.delivered, claim.n))
            case "delivered":
                tab = _with(tab, delivered=max(tab.delivered, claim.n))
            case "paused" | "resumed":
                tab = _with(tab, paused=claim.kind == "paused")
            case "hidden":
                ended, tab = _ended(tab, claim.at, "hidden"), _with(tab, n=0, since=0.0)
            case "closed" | "lost":
                if claim.at < tab.heard:  # one of its sockets ended, and it goes on with another
                    return None
                self.tabs.pop(key, None)
                return _ended(tab, claim.at, "closed" if claim.kind == "closed" else "lost")
        self.tabs[key] = _with(tab, heard=max(tab.heard, claim.at))
        return ended

    def on_screen(self) -> list[Interval]:
        """Return what is on a screen now."""
        return [_interval(tab, None, "") for tab in self.tabs.values() if tab.n]


def intervals(standing: Iterable[Tab], claims: Iterable[Receipt]) -> list[Interval]:
    """Return every interval that ended or goes on in a window: `standing` before it, `claims` within, oldest first."""
    screens = Screens(standing)
    found = [ended for claim in claims if (ended := screens.take(claim)) is not None]
    return sorted(found + screens.on_screen(), key=lambda i: (i.start, i.person, i.tab))


def receptions(n: int, standing: Iterable[Tab], claims: Iterable[Receipt], until: datetime) -> dict[str, Reception]:
    """Return what became of update n with each person who claimed anything about it, by person, up to `until` (UTC)."""
    listed = list(standing)
    heard = {(t.person, t.session, t.tab): t.delivered for t in listed}
    found: dict[str, Reception] = {}
    kept = [c for c in claims if c.at <= until.timestamp()]
    for claim in kept:
        _claimed(found, heard, n, claim)
    for one in intervals(listed, kept):
        if one.n == n:
            known = found.get(one.person) or Reception(person=one.person, n=n)
            spent = ((one.end or until) - one.start).total_seconds()
            first = min(filter(None, (known.displayed, one.start)))
            found[one.person] = msgspec.structs.replace(
                known,
                seconds=known.seconds + max(0.0, spent),
                visits=known.visits + 1,
                displayed=first,
                superseded=False,
            )
    return found


def _claimed(found: dict[str, Reception], heard: dict[Key, int], n: int, claim: Receipt) -> None:
    key = claim.person, claim.session, claim.tab
    known = found.get(claim.person) or Reception(person=claim.person, n=n)
    at, replace = moment(claim.at), msgspec.structs.replace
    match claim.kind:
        case "opened" | "closed" if claim.n == n:
            known = replace(known, sent=known.sent or at)
        case "delivered" if heard.get(key, 0) < n <= claim.n and (key in heard or claim.n == n):
            known = replace(known, delivered=known.delivered or at)
        case "displayed" if claim.n == n:
            known = replace(known, delivered=known.delivered or at, displayed=known.displayed or at)
        case "displayed" if 0 < claim.came_from < n < claim.n and known.displayed is None:
            known = replace(known, superseded=True)
        case _:
            pass
    if claim.kind in ("delivered", "displayed"):
        heard[key] = max(heard.get(key, 0), claim.n)
    if known != Reception(person=claim.person, n=n):
        found[claim.person] = known


def _with(tab: Tab, **changed: object) -> Tab:
    return msgspec.structs.replace(tab, **changed)


def _ended(tab: Tab, at: float, how: End) -> Interval | None:
    return _interval(tab, at, how) if tab.n else None


def _interval(tab: Tab, at: float | None, how: End) -> Interval:
    return Interval(
        person=tab.person,
        session=tab.session,
        tab=tab.tab,
        n=tab.n,
        start=moment(tab.since),
        end=None if at is None else moment(max(at, tab.since)),
        ended=how,
    )
