"""Who had an update on screen, by the claims of people's pages, and how each person stood at one instant.

Rule: sent, delivered and displayed are kept apart. Reads are bounded; where they end before the update was replaced,
`upto` says up to when claims were counted.
"""

from collections.abc import Iterable, Mapping, Sequence
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
    tone: str  # how it stood at the instant: "ok" for on screen, "warn", "none"
    state: str  # the same in words


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody who may watch or claimed something; `upto` tells when counting ended, None when nothing is left out."""

    people: tuple[Had, ...]
    upto: datetime | None

    @property
    def watched(self) -> bool:
        """A page claimed to show the update at the instant."""
        return any(had.tone == "ok" for had in self.people)


def viewers_at(
    log: ReceiptLog, share: str, n: int, span: tuple[datetime, datetime], at: datetime, people: Iterable[str]
) -> Audience:
    """Return what became of update n with everybody, and how they stood at `at`.

    The update was shown from span[0] to span[1] (UTC); `people` are those who may watch.
    """
    first, last = log.row_at(share, span[0] - SLACK), log.row_at(share, span[1] + SLACK)
    end = min(last, first + ROWS)
    tabs, rows = log.between(share, first, end)
    until = rows[-1].at if end < last and rows else span[1]
    claims = sorted((c for row in rows for c in row.claims(share)), key=lambda c: c.at)
    tabs = _brought_to(tabs, claims, span[0])
    within = [c for c in claims if span[0].timestamp() < c.at <= until.timestamp()]
    counted = _Counted(
        n=n,
        at=at,
        receptions=receptions(n, tabs, within, until),
        devices=_devices(log, share, end, claims),
        standing=log.window(share, at, at).standing,
        still=_brought_to(tabs, within, until),
    )
    named = {*people, *counted.receptions, *(tab.person for tab in counted.standing)}
    listed = [_had(person, counted) for person in named]
    return Audience(people=tuple(sorted(listed, key=_order)), upto=until if end < last else None)


class _Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What was claimed about update n."""

    n: int
    at: datetime  # the instant in question, UTC
    receptions: Mapping[str, Reception]  # by person
    devices: Mapping[str, str]  # by person
    standing: Sequence[Tab]  # at the instant
    still: Sequence[Tab]  # when the counting ended


def _brought_to(tabs: Sequence[Tab], claims: Sequence[Receipt], at: datetime) -> list[Tab]:
    """Return the tabs as they stood at an instant, after the claims up to it."""
    screens = Screens(tabs)
    for claim in claims:
        if claim.at <= at.timestamp():
            screens.take(claim)
    return list(screens.tabs.values())


def _devices(log: ReceiptLog, share: str, upto: int, claims: Sequence[Receipt]) -> dict[str, str]:
    """Return the device each person used last, up to row `upto`."""
    standing = {person: viewer.device for person, viewer in log.standing(share, upto)[0].viewers.items()}
    return standing | {claim.person: claim.device for claim in claims if claim.device}


def _had(person: str, counted: _Counted) -> Had:
    reception = counted.receptions.get(person) or Reception(person=person, n=counted.n)
    tone, state = _state(reception, [tab for tab in counted.standing if tab.person == person], counted.at)
    going = any(tab.person == person and tab.n == counted.n for tab in counted.still)
    device = counted.devices.get(person, "")
    return Had(person=person, device=device, reception=reception, going=going, tone=tone, state=state)


def _state(reception: Reception, tabs: Sequence[Tab], at: datetime) -> tuple[str, str]:
    """Return the tone and the words for how a person with these tabs stood at an instant."""
    here = [tab for tab in tabs if tab.n == reception.n]
    if here:
        return "ok", _("On screen, paused") if all(tab.paused for tab in here) else _("On screen")
    if other := max((tab.n for tab in tabs), default=0):
        return "warn", _("Update {other} on screen", other=other)
    if tabs:
        return "none", _("Not visible")
    if reception.displayed and reception.displayed > at:
        return "none", _("Not yet")
    if reception.superseded:
        return "none", _("Superseded")
    return "none", _("Not connected")


def _order(had: Had) -> tuple[int, str, str]:
    """Return where a person stands in the list: those who had it on screen first, each class by time."""
    r = had.reception
    rank = 0 if r.displayed else 1 if r.superseded else 2 if r.delivered else 3 if r.sent else 4
    first = r.displayed or r.delivered or r.sent
    return rank, first.isoformat() if first else "", had.person


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
