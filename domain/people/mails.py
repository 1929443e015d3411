"""Mails to one person and what became of them, and how often they want to be told. Part of a person's stream.

Rule: a mail is recorded before it is handed over. One that may have gone out is never sent twice; only what was put off
is tried again.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from domain import check
from domain.ids import PersonId, ShareId
from domain.message import Command, Event

Cadence = Literal["off", "instant", "daily", "weekly"]
Settled = Literal["accepted", "refused", "deferred", "dropped"]
MAILS_KEPT = 30  # of one person, in memory; the log has them all

# events


class DigestChosen(Event, frozen=True, kw_only=True):
    """How often somebody is mailed what changed; from the updates after `since` (share to number)."""

    cadence: Cadence
    since: dict[ShareId, int] = {}


class MailQueued(Event, frozen=True, kw_only=True):
    """A mail is about to be handed to the mail server. What it says is in the log: updates `first` to `to`.

    The same mail again: it was put off, and is tried once more.
    """

    mail: str
    kind: Literal["invitation", "digest"]
    share: ShareId | None = None
    first: int = 0
    to: int = 0


class MailSettled(Event, frozen=True, kw_only=True):
    """What became of a mail: the server took it, refused it for good or put it off; dropped: no reason was left."""

    mail: str
    state: Settled
    told: str = ""


# state


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    kind: Literal["invitation", "digest"]
    share: ShareId | None
    first: int
    to: int
    at: datetime  # queued first
    state: Literal["queued"] | Settled = "queued"  # queued without an answer: it may have gone out
    told: str = ""
    settled: datetime | None = None  # the last answer
    tries: int = 0  # that were put off


def evolve(state: tuple[Mail, ...], event: MailQueued | MailSettled, at: datetime) -> tuple[Mail, ...]:
    """Return somebody's latest mails after `event`, recorded at `at` (UTC)."""
    replace = msgspec.structs.replace
    if isinstance(event, MailSettled):
        return _changed(state, event.mail, lambda mail: _settled(mail, event, at))
    if any(mail.id == event.mail for mail in state):
        return _changed(state, event.mail, lambda mail: replace(mail, state="queued"))
    new = Mail(id=event.mail, kind=event.kind, share=event.share, first=event.first, to=event.to, at=at)
    return (*state[1 - MAILS_KEPT :], new)


def _changed(state: tuple[Mail, ...], key: str, change: Callable[[Mail], Mail]) -> tuple[Mail, ...]:
    return tuple(change(mail) if mail.id == key else mail for mail in state)


def _settled(mail: Mail, event: MailSettled, at: datetime) -> Mail:
    tries = mail.tries + (event.state == "deferred")
    return msgspec.structs.replace(mail, state=event.state, told=event.told, settled=at, tries=tries)


# commands


class ChooseDigest(Command, frozen=True, kw_only=True):
    person: PersonId
    cadence: Cadence
    since: dict[ShareId, int] = {}  # the newest update of each share, which needs no mail


class QueueMail(Command, frozen=True, kw_only=True):
    """Record that a mail is about to be sent, before it is; `after` is the last update mailed until then.

    The id of a mail that was put off asks to try that one again.
    """

    person: PersonId
    mail: str
    kind: Literal["invitation", "digest"]
    share: ShareId | None = None
    after: int = 0
    to: int = 0


class SettleMail(Command, frozen=True, kw_only=True):
    person: PersonId
    mail: str
    state: Settled
    told: str = ""


def queue(state: tuple[Mail, ...], digested: Mapping[ShareId, int], command: QueueMail) -> list[MailQueued]:
    """Return the event that queues a mail; no update is mailed twice, whoever asks at the same moment.

    `digested` is the last update that was mailed, by share.
    """
    known = next((mail for mail in state if mail.id == command.mail), None)
    if known is not None:
        again = MailQueued(mail=known.id, kind=known.kind, share=known.share, first=known.first, to=known.to)
        return [again] if known.state == "deferred" else []
    key = check.identifier("mail", command.mail)
    if command.kind == "invitation" or command.share is None:
        return [MailQueued(mail=key, kind=command.kind)]
    if digested.get(command.share, 0) != command.after:
        return []
    return [MailQueued(mail=key, kind="digest", share=command.share, first=command.after + 1, to=command.to)]


def settle(state: tuple[Mail, ...], command: SettleMail) -> list[MailSettled]:
    """Return the event that says what became of a mail, once."""
    waits = any(mail.id == command.mail and mail.state in ("queued", "deferred") for mail in state)
    told = check.text("told", command.told)[:500]
    return [MailSettled(mail=command.mail, state=command.state, told=told)] if waits else []
