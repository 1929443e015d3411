"""Which update was on whose screen from when to when, derived from claims; docs/spec.md 7.2.

Rule: no sum of claims ever means "read". From `displayed` n to the next claim of that tab, n was on its screen; an
update that was delivered and never drawn was superseded.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal

import msgspec

from projections.receipts.claims import Receipt
from projections.receipts.openings import Key, Openings

End = Literal["", "superseded", "hidden", "closed", "lost"]


class Tab(msgspec.Struct, frozen=True, kw_only=True):
    """One open page now: which update is on its screen (0: none) and since when, and which it has received."""

    person: str
    session: str
    tab: str
    n: int = 0
    since: float = 0.0  # POSIX seconds
    delivered: int = 0
    paused: bool = False
    heard: float = 0.0  # of its last claim


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """The time update n was on one screen, `start` to `end` (UTC); `end` is None while it still is."""

    person: str
    session: str
    tab: str
    n: int
    start: datetime
    end: datetime | None
    ended: End = ""


class Reception(msgspec.Struct, frozen=True, kw_only=True):
    """What one person's pages claimed about update n; times are UTC and of one tab, None where nothing was claimed."""

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
    """The state of every tab, brought forward claim by claim."""

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
    """Return every interval of a window, by start: `standing` are the tabs before it, `claims` those in it, by time."""
    screens = Screens(standing)
    over = [ended for claim in claims if (ended := screens.take(claim)) is not None]
    return sorted(over + screens.on_screen(), key=lambda interval: (interval.start, interval.person, interval.tab))


def receptions(n: int, standing: Iterable[Tab], claims: Iterable[Receipt], until: datetime) -> dict[str, Reception]:
    """Return what each person's pages claimed about update n up to `until` (UTC), by person; nobody without a claim.

    The times of one person are those of one of their tabs: the one that came furthest, of several the first.
    """
    tabs = list(standing)
    claims_until = [claim for claim in claims if claim.at <= until.timestamp()]
    taken = _Taken(n, {(tab.person, tab.session, tab.tab): tab.delivered for tab in tabs})
    for claim in claims_until:
        taken.take(claim)
    for interval in intervals(tabs, claims_until):
        if interval.n == n:
            taken.on_screen(interval, until)
    return taken.by_person()


class _Taken:
    """What was claimed about update n, tab by tab; `delivered` is the highest number delivered to each tab before."""

    def __init__(self, n: int, delivered: Mapping[Key, int]) -> None:
        self._n, self._delivered = n, dict(delivered)
        self._tabs: dict[Key, Reception] = {}
        self._openings = Openings(delivered)

    def take(self, claim: Receipt) -> None:
        """Take in the next claim."""
        page = self._openings.take(claim)
        if claim.kind == "opened":
            return
        key = claim.person, claim.session, claim.tab
        known = self._of(key)
        if page is not None and page.n == self._n:
            known = msgspec.structs.replace(known, sent=moment(page.at))
        self._tabs[key] = self._after(known, claim, self._delivered.get(key))
        if claim.kind in ("delivered", "displayed"):
            self._delivered[key] = max(self._delivered.get(key, 0), claim.n)

    def _of(self, key: Key) -> Reception:
        return self._tabs.get(key) or Reception(person=key[0], n=self._n)

    def _after(self, known: Reception, claim: Receipt, had: int | None) -> Reception:
        n, at, replace = self._n, moment(claim.at), msgspec.structs.replace
        match claim.kind:
            case "closed" if claim.n == n and known.delivered is None:
                return replace(known, sent=known.sent or at)
            case "delivered" if (had or 0) < n <= claim.n and (had is not None or claim.n == n):
                return replace(known, delivered=known.delivered or at)
            case "displayed" if claim.n == n:
                return replace(known, delivered=known.delivered or at, displayed=known.displayed or at)
            case "displayed" if 0 < claim.came_from < n < claim.n and known.displayed is None:
                return replace(known, superseded=True)
            case _:
                return known

    def on_screen(self, interval: Interval, until: datetime) -> None:
        """Take in a time in which update n was on the screen of a tab."""
        key = interval.person, interval.session, interval.tab
        known, seconds = self._of(key), ((interval.end or until) - interval.start).total_seconds()
        displayed = min(filter(None, (known.displayed, interval.start)))
        self._tabs[key] = msgspec.structs.replace(
            known,
            seconds=known.seconds + max(0.0, seconds),
            visits=known.visits + 1,
            delivered=min(known.delivered or displayed, displayed),
            displayed=displayed,
            superseded=False,
        )

    def by_person(self) -> dict[str, Reception]:
        """Return the tab of each person that came furthest, with the time on screen of all their tabs."""
        pages = [page for page in self._openings.alone() if page.n == self._n]
        each = [*self._tabs.values(), *(Reception(person=p.person, n=p.n, sent=moment(p.at)) for p in pages)]
        found: dict[str, Reception] = {}
        for one in sorted(each, key=_reached):
            if _reached(one)[0] < NOTHING:
                found.setdefault(one.person, one)
        for person, one in found.items():
            mine = [tab for tab in self._tabs.values() if tab.person == person]
            seconds, visits = sum(tab.seconds for tab in mine), sum(tab.visits for tab in mine)
            found[person] = msgspec.structs.replace(one, seconds=float(seconds), visits=visits)
        return found


NOTHING = 4


def _reached(known: Reception) -> tuple[int, float]:
    """Order tabs: the one that came furthest first, of several the one that did so first; `NOTHING` claimed last."""
    at = known.displayed or known.delivered or known.sent
    far = 0 if known.displayed else 1 if known.superseded else 2 if known.delivered else 3 if known.sent else NOTHING
    return far, at.timestamp() if at else 0.0


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
