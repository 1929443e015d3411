"""Mails to one person, their delivery, and how often the person wants them. Part of a person's stream.

Rule: a mail is recorded before it is sent. A mail that may have been delivered is never sent twice; only a deferred one
is tried again.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from domain import check
from domain.ids import ClientId, PersonId, ShareId
from domain.message import Command, Event
from domain.telling.told import News, ToldLines

Cadence = Literal["off", "instant", "daily", "weekly"]
# link: asked for on the sign-in page; device, copied: that a device stays signed in, that it was copied
Kind = Literal["invitation", "digest", "link", "address", "passkey", "notice", "device", "copied"]
Settled = Literal["accepted", "refused", "deferred", "dropped"]
MAILS_KEPT = 30  # of a kind, about one share or client, in memory; the log has them all
LINKS, LINKS_WITHIN = 3, timedelta(minutes=15)  # at most so many mails with a link that was asked for, in that time

# events


class DigestChosen(Event, frozen=True, kw_only=True):
    """How often a person is mailed what changed; from the updates after `since` (share to number) on.

    On shares of `client`; None: of all they were a viewer of then.
    """

    cadence: Cadence
    since: dict[ShareId, int] = {}
    client: ClientId | None = None


class MailQueued(Event, frozen=True, kw_only=True):
    """A mail is about to be sent. A digest is about the updates `first` to `to` of its share.

    Recorded again for the same mail when that was deferred and is tried once more.
    """

    mail: str
    kind: Kind
    share: ShareId | None = None
    first: int = 0
    to: int = 0
    client: ClientId | None = None  # that an invitation is for, None: the person's first; that a link opens, None: all
    about: str = ""  # of what tells somebody of a change of theirs: which, "old k3v9x0q2m7ab"; of a device, its id
    address: str = ""  # it goes to, where that is not the address the person has then
    lines: tuple[str, ...] = ()  # of the list *For you*, that a notice is about


class MailSettled(Event, frozen=True, kw_only=True):
    """The outcome of a mail: the mail server accepted, refused or deferred it; dropped: it was no longer needed."""

    mail: str
    state: Settled
    told: str = ""


# state


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    kind: Kind
    share: ShareId | None
    first: int
    to: int
    at: datetime  # queued first
    state: Literal["queued"] | Settled = "queued"  # queued: it may have been sent, there is no answer yet
    told: str = ""
    settled: datetime | None = None  # the last answer
    tries: int = 0  # how often it was deferred
    client: ClientId | None = None  # that an invitation is for, None: the person's first; that a link opens, None: all
    about: str = ""
    address: str = ""
    lines: tuple[str, ...] = ()  # that a notice is about


def evolve(state: tuple[Mail, ...], event: MailQueued | MailSettled, at: datetime) -> tuple[Mail, ...]:
    """Return a person's latest mails after `event`, recorded at `at` (UTC)."""
    replace = msgspec.structs.replace
    if isinstance(event, MailSettled):
        return _changed(state, event.mail, lambda mail: _settled(mail, event, at))
    if any(mail.id == event.mail for mail in state):
        return _changed(state, event.mail, lambda mail: replace(mail, state="queued"))
    new = Mail(
        id=event.mail, kind=event.kind, share=event.share, first=event.first, to=event.to, at=at, client=event.client,
        about=event.about, address=event.address, lines=event.lines,
    )  # fmt: skip
    alike = [mail.id for mail in state if _about(mail) == _about(new)]
    gone = alike[: max(0, len(alike) - MAILS_KEPT + 1)]
    return (*(mail for mail in state if mail.id not in gone), new)


def _about(mail: Mail) -> tuple[Kind, ShareId | None, ClientId | None]:
    return mail.kind, mail.share, mail.client


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
    client: ClientId | None = None  # on whose shares; None: of all they are a viewer of


class QueueMail(Command, frozen=True, kw_only=True):
    """Record that a mail is about to be sent; `after` is the last update mailed before it.

    With the id of a deferred mail: try that one again.
    """

    person: PersonId
    mail: str
    kind: Kind
    share: ShareId | None = None
    after: int = 0
    to: int = 0
    client: ClientId | None = None  # that an invitation is for, or that a link opens
    about: str = ""
    address: str = ""
    most: int = LINKS  # of a link: how many in `LINKS_WITHIN`, where several people have its address
    news: tuple[News, ...] = ()  # what a notice is about


class SettleMail(Command, frozen=True, kw_only=True):
    person: PersonId
    mail: str
    state: Settled
    told: str = ""


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What a person was mailed before: the last update by share, and lines of their list."""

    digested: Mapping[ShareId, int]
    told: ToldLines = ToldLines()


def queue(state: tuple[Mail, ...], before: Before, command: QueueMail, now: datetime) -> list[MailQueued]:
    """Return the event that queues a mail at `now` (UTC).

    No update or line is mailed twice and no link too often, even when two processes ask at once: then there is none.
    """
    mail = next((mail for mail in state if mail.id == command.mail), None)
    if mail is not None:
        again = MailQueued(
            mail=mail.id, kind=mail.kind, share=mail.share, first=mail.first, to=mail.to, client=mail.client,
            about=mail.about, address=mail.address, lines=mail.lines,
        )  # fmt: skip
        return [again] if mail.state == "deferred" else []
    key = check.identifier("mail", command.mail)
    if command.kind == "link":
        recent = sum(mail.kind == "link" and mail.at > now - LINKS_WITHIN for mail in state)
        often = recent >= min(command.most, LINKS)
        return [] if often else [MailQueued(mail=key, kind="link", client=command.client)]
    if command.kind == "notice":
        lines = before.told.new(command.news)
        return [MailQueued(mail=key, kind="notice", lines=lines)] if lines else []
    if command.kind == "invitation" or command.share is None:
        about, address = check.line("about", command.about, required=False), command.address
        if address:
            check.address("address", address)
        return [MailQueued(mail=key, kind=command.kind, client=command.client, about=about, address=address)]
    if before.digested.get(command.share, 0) != command.after:
        return []
    return [MailQueued(mail=key, kind="digest", share=command.share, first=command.after + 1, to=command.to)]


def settle(state: tuple[Mail, ...], command: SettleMail) -> list[MailSettled]:
    """Return the event that records the outcome of a mail; none when there is an outcome already."""
    waits = any(mail.id == command.mail and mail.state in ("queued", "deferred") for mail in state)
    answer = check.text("told", command.told)[:500]
    return [MailSettled(mail=command.mail, state=command.state, told=answer)] if waits else []
