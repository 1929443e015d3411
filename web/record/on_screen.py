"""Who had an update on screen: claims of people's pages, each class apart, and how each stood at one instant.

Rule: bounded reads; where claims end before the update does, the page says up to when they were counted.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from domain.language import gettext as _
from projections.receipts.claims import Receipt
from projections.receipts.on_screen import Reception, Screens, Tab, receptions
from projections.receipts.receipt_log import SLACK, ReceiptLog

ROWS = 4096  # rows of claims read


class Had(msgspec.Struct, frozen=True, kw_only=True):
    """One person and one update. Instants are UTC, None where nothing was claimed."""

    person: str
    device: str
    reception: Reception
    going: bool  # it was still on a screen when the counting ended
    tone: str  # how it stood at the instant: shape and word
    state: str


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody who may watch or claimed something; `upto` tells when counting ended, None when nothing is left out."""

    people: tuple[Had, ...]
    upto: datetime | None

    @property
    def watched(self) -> bool:
        """A page claimed to show the update at the instant."""
        return any(one.state.startswith("On screen") for one in self.people)


def audience(
    log: ReceiptLog, share: str, n: int, span: tuple[datetime, datetime], at: datetime, people: Iterable[str]
) -> Audience:
    """Return what became of update n, shown from span[0] to span[1] (UTC), with everybody, and how they stood then."""
    first, last = log.row_at(share, span[0] - SLACK), log.row_at(share, span[1] + SLACK)
    end = min(last, first + ROWS)
    tabs, rows = log.between(share, first, end)
    until = rows[-1].at if end < last and rows else span[1]
    claims = sorted((c for row in rows for c in row.claims(share)), key=lambda c: c.at)
    tabs = _brought_to(tabs, claims, span[0])
    within = [c for c in claims if span[0].timestamp() < c.at <= until.timestamp()]
    found = receptions(n, tabs, within, until)
    still = _brought_to(tabs, within, until)
    standing = log.window(share, at, at).standing
    named = {*people, *found, *(t.person for t in standing)}
    devices = _devices(log, share, end, claims)
    listed = [
        _had(person, found.get(person) or Reception(person=person, n=n), devices, standing, still, at)
        for person in named
    ]
    return Audience(people=tuple(sorted(listed, key=_order)), upto=until if end < last else None)


def _brought_to(tabs: Sequence[Tab], claims: Sequence[Receipt], at: datetime) -> list[Tab]:
    screens = Screens(tabs)
    for claim in claims:
        if claim.at <= at.timestamp():
            screens.take(claim)
    return list(screens.tabs.values())


def _devices(log: ReceiptLog, share: str, upto: int, claims: Sequence[Receipt]) -> dict[str, str]:
    known = {person: viewer.device for person, viewer in log.standing(share, upto)[0].viewers.items()}
    return known | {claim.person: claim.device for claim in claims if claim.device}


def _had(
    person: str, one: Reception, devices: dict[str, str], standing: Sequence[Tab], still: Sequence[Tab], at: datetime
) -> Had:
    tone, state = _state(one, [t for t in standing if t.person == person], at)
    going = any(t.person == person and t.n == one.n for t in still)
    return Had(person=person, device=devices.get(person, ""), reception=one, going=going, tone=tone, state=state)


def _state(one: Reception, tabs: Sequence[Tab], at: datetime) -> tuple[str, str]:
    here = [tab for tab in tabs if tab.n == one.n]
    if here:
        return "ok", _("On screen, paused") if all(tab.paused for tab in here) else _("On screen")
    if other := max((tab.n for tab in tabs), default=0):
        return "warn", _("Update {other} on screen", other=other)
    if tabs:
        return "none", _("Not visible")
    if one.displayed and one.displayed > at:
        return "none", _("Not yet")
    if one.superseded:
        return "none", _("Superseded")
    return "none", _("Not connected")


def _order(one: Had) -> tuple[int, str, str]:
    r = one.reception
    rank = 0 if r.displayed else 1 if r.superseded else 2 if r.delivered else 3 if r.sent else 4
    first = r.displayed or r.delivered or r.sent
    return rank, first.isoformat() if first else "", one.person


def spent(seconds: float) -> str:
    """Return a time on screen: "14 h 20 min", "1 min 20 s", "4 s"."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, left = divmod(minutes, 60)
    if hours:
        return _("{hours} h {left} min", hours=hours, left=left) if left else _("{hours} h", hours=hours)
    if minutes >= 10:
        return _("{minutes} min", minutes=minutes)
    return (
        _("{minutes} min {rest} s", minutes=minutes, rest=rest)
        if minutes and rest
        else _("{minutes} min", minutes=minutes)
        if minutes
        else _("{rest} s", rest=rest)
    )
