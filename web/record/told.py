"""What the record told one client of a fact: the first update that carries it, or why there is none.

Rule: an update is judged by the view recorded in it. Reads are bounded: a few updates after each instant at which the
fact may have been told, and bisection between those instants.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

import msgspec

from domain.agreement.share import Share
from domain.view import ClientView
from projections.events.hold_book import Hold
from projections.logs.disclosure_log import DisclosureLog
from projections.replay import pages
from web.record.carried import Level, carried
from web.record.facts import Fact

How = Literal[
    "told",  # in update n
    "same",  # their page read the same before and after
    "draft",  # never in force
    "later",  # replaced before the share came into force
    "ended",  # the share had ended
    "unshared",  # outside the terms
    "stopped",  # the share is stopped and will be told once it goes on
    "held",  # kept back for review, or ended while it was
    "coming",  # recorded this very moment
    "erased",  # the update that said so can no longer be read
    "missing",  # it ought to be there and is not
]
LOOK = 6  # updates looked at one by one behind an instant; what lies between is found by bisection
LOOK_STOPPED = 64  # the same, of a share that was stopped once: it takes in late, and all at once
INSTANT = timedelta(microseconds=1)


class ClientTold(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a fact with one share. Times are UTC."""

    share: Share
    how: How
    n: int = 0  # the first update that carries it
    at: datetime | None = None  # when that was recorded
    terms: int = 0  # under which agreement, where it was told or read the same
    level: Level = ""
    beyond: int = 0  # the first update after it that no longer says so, 0 while it is on their page
    versions: tuple[int, ...] = ()  # agreements in force while it was true
    blurred: bool = False  # an erased update before n may have said so first
    hold: Hold | None = None  # how it waited for review, where it did
    hold_by: str = ""  # who let it go, by name


class _Updates:
    """Reads, once each, how the updates of a share carry a fact."""

    def __init__(self, log: DisclosureLog, share: str, fact: Fact) -> None:
        self._log, self._share, self._fact = log, share, fact
        self._views = pages.Views(log, share)
        self._levels: dict[int, Level | None] = {}
        self.head = log.head(share)

    def level(self, n: int) -> Level | None:
        """Return how update n carries the fact, None when its content is erased."""
        if n not in self._levels:
            view = self._views.at(n)
            self._levels[n] = None if view is None else carried(view, self._fact)
        return self._levels[n]

    @property
    def erased(self) -> list[int]:
        """The updates read so far whose content is erased."""
        return [n for n, level in self._levels.items() if level is None]

    def before(self, at: datetime) -> int:
        """Return the number shown just before an instant."""
        return pages.number_at(self._log, self._share, at - INSTANT)

    def first(self, after: int, upto: int, holds: Callable[[Level | None], bool], look: int) -> int | None:
        """Return the first number in (after, upto] that holds: among the first `look`, else one found by bisection."""
        near = min(upto, after + look)
        for n in range(after + 1, near + 1):
            if holds(self.level(n)):
                return n
        if upto == near or not holds(self.level(upto)):
            return None
        low, high = near, upto
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if holds(self.level(middle)) else (middle, high)
        return high


def told(
    log: DisclosureLog,
    share: Share,
    fact: Fact,
    revealed: Callable[[datetime], ClientView | None],
    *,
    stopped: bool,
    behind: bool,
) -> ClientTold:
    """Return what the record of a share says of a fact.

    `revealed(at)` is what the terms in force at an instant (UTC) showed of the plan as it then was; `stopped` says that
    the share is stopped now, `behind` that what was recorded last may not be disclosed yet.
    """
    search = _Search(log, share, fact)
    answer = search.found()
    if answer is not None:
        return answer
    how = _not_covered(share, fact, revealed)
    if how is None:
        how = "stopped" if stopped else "erased" if search.updates.erased else "coming" if behind else "missing"
    return ClientTold(share=share, how=how, versions=search.versions)


class _Search:
    """Looks for the first update of a share that carries a fact."""

    def __init__(self, log: DisclosureLog, share: Share, fact: Fact) -> None:
        self._log, self._share, self._fact = log, share, fact
        self._late = bool(log.parked_versions(share.id))
        self._look = LOOK_STOPPED if self._late else LOOK
        self.updates = _Updates(log, share.id, fact)
        self.versions = _versions(share, fact)

    def found(self) -> ClientTold | None:
        """Return the update that told of the fact, or the one before it that said so already; None for neither."""
        before = self.updates.before(self._fact.at)
        level = self.updates.level(before) if before else None
        if _current(level):
            terms = self._log.headers(self._share.id, before - 1, 1, before)[0].terms_version
            said = ClientTold(share=self._share, how="same", n=before, level=level or "", versions=self.versions)
            return msgspec.structs.replace(said, terms=terms)
        for after, upto, replaced in self._stretches(before):
            n = self.updates.first(after, upto, _past if replaced and not self._late else bool, self._look)
            if n is not None:
                return self._told_in(n)
        return None

    def _stretches(self, start: int) -> Iterator[tuple[int, int, bool]]:
        """Yield the numbers between the instants at which a share may begin or cease to carry a fact, after `start`.

        With each comes whether the fact was replaced by then: the same value may come back, and is another fact.
        """
        fact, updates = self._fact, self.updates
        until = fact.next.at if fact.next else None
        began = {version.at for version in self._share.versions if version.at > fact.at}
        instants = began | ({until} if until else set())
        marks = [(start, False), *((updates.before(at), bool(until and at >= until)) for at in sorted(instants))]
        for (after, replaced), (upto, _) in pairwise([*marks, (updates.head, True)]):
            yield max(after, start), max(upto, start), replaced

    def _told_in(self, n: int) -> ClientTold:
        """Return that update n told of the fact, and until which update it stood on the page."""
        header = self._log.headers(self._share.id, n - 1, 1, n)[0]
        level = self.updates.level(n) or ""
        blurred = any(m < n for m in self.updates.erased)

        def gone(later: Level | None) -> bool:
            return later == "" or (level != "earlier" and later == "earlier")

        ends = (self.updates.first(after, upto, gone, self._look) for after, upto, _ in self._stretches(n))
        return ClientTold(
            share=self._share,
            how="told",
            n=n,
            at=header.instant,
            terms=header.terms_version,
            level=level,
            beyond=next((end for end in ends if end is not None), 0),
            versions=self.versions,
            blurred=blurred,
        )


def _current(level: Level | None) -> bool:
    return level in ("value", "coarse", "share")


def _past(level: Level | None) -> bool:
    return level == "earlier"


def _versions(share: Share, fact: Fact) -> tuple[int, ...]:
    """Return the agreements that were in force while the fact was true."""
    until = fact.next.at if fact.next else None
    ends = [v.at for v in share.versions[1:]] + [share.revoked_at]
    return tuple(
        version.number
        for version, end in zip(share.versions, ends, strict=False)
        if (end is None or end > fact.at) and (until is None or version.at < until)
    )


def _not_covered(share: Share, fact: Fact, revealed: Callable[[datetime], ClientView | None]) -> How | None:
    """Return why no agreement let a fact be told, None when one did."""
    if not share.versions:
        return "draft"
    if share.revoked_at is not None and share.revoked_at <= fact.at:
        return "ended"
    if fact.next is not None and fact.next.at <= share.versions[0].at:
        return "later"
    view = revealed(max(fact.at, share.versions[0].at))
    return "unshared" if view is None or not carried(view, fact) else None


def in_force(share: Share, at: datetime) -> Share | None:
    """Return a share as it was at an instant (UTC), None while it was not in force."""
    versions = tuple(version for version in share.versions if version.at <= at)
    if not versions or (share.revoked_at is not None and share.revoked_at <= at):
        return None
    answers = share.answers.until(at)
    return msgspec.structs.replace(
        share, versions=versions, revoked_at=None, revoked_why="", draft=None, answers=answers
    )
