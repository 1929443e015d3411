"""What lets somebody in: one-time links and sessions, started and ended by events. Part of a person's stream.

Rule: a secret is recorded only as its hash, and a link works once.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import ClientId, PersonId
from domain.language import gettext as _
from domain.message import Command, Event

Way = Literal["link", "openid", "passkey", "device"]  # by which a session is started

# events


class LinkIssued(Event, frozen=True, kw_only=True):
    """A one-time sign-in link; `hash` is the sha256 hex of its secret. It opens one client, None: all of that time."""

    hash: str
    expires: datetime
    client: ClientId | None = None
    asked: bool = False  # on the sign-in page, by whoever typed the address it was mailed to


class LinkUsed(Event, frozen=True, kw_only=True):
    hash: str


class SessionStarted(Event, frozen=True, kw_only=True):
    """`hash` is the sha256 hex of the cookie's secret; `session` its public id; None of `clients`: all of that time.

    Of a device that stays signed in: which one, and the hashes of the credential that was used and of its successor.
    """

    session: str
    hash: str
    expires: datetime
    device: str = ""  # "Computer", "Phone", "Tablet", and nothing finer
    via: Way = "link"
    clients: tuple[ClientId, ...] | None = None  # whose shares it opens, of a viewer
    passkey: str = ""  # id of the passkey by which it was started, or that vouches for its device
    provider: str = ""  # of the one client it opens, which vouched for them; "": the organisation's, or a link
    setup: int = 0  # of that provider
    kept: str = ""  # id of the device
    used: str = ""
    issued: str = ""


class SessionEnded(Event, frozen=True, kw_only=True):
    """A session has ended. over: its device goes on, and opens less now, or its person used a passkey on it."""

    session: str
    cause: Literal["signed_out", "ended", "disabled", "idle", "over"]


SessionEvent = SessionStarted | SessionEnded


# state


class Link(msgspec.Struct, frozen=True, kw_only=True):
    hash: str
    expires: datetime
    used: bool = False
    asked: bool = False  # on the sign-in page
    clients: tuple[ClientId, ...] = ()  # whose shares it opens, of a viewer


class Session(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    hash: str
    expires: datetime
    started: datetime | None = None
    device: str = ""
    via: Way = "link"
    clients: tuple[ClientId, ...] = ()  # whose shares it opens, of a viewer
    passkey: str = ""  # id of the passkey that was used or added in it last, or that vouches for its device
    provider: str = ""  # of that client, which vouched for them
    setup: int = 0
    kept: str = ""  # id of the device that stays signed in, where it is one


def evolve(
    state: Mapping[str, Link], event: LinkIssued | LinkUsed, clients: tuple[ClientId, ...], at: datetime
) -> dict[str, Link]:
    """Return the links after `event`, recorded at `at` (UTC), of somebody who is a viewer of `clients`.

    Of those that were asked for, the ones that have run out are forgotten: anybody may ask for any number over time.
    """
    if isinstance(event, LinkUsed):
        link = state.get(event.hash)
        return {**state, event.hash: msgspec.structs.replace(link, used=True)} if link is not None else dict(state)
    opens = clients if event.client is None else (event.client,)
    kept = {key: link for key, link in state.items() if not (link.asked and link.expires <= at)}
    new = Link(hash=event.hash, expires=event.expires, clients=opens, asked=event.asked)
    return {**kept, event.hash: new}


class Holder(Protocol):
    """What deciding on a link or a session asks of a person."""

    @property
    def viewer(self) -> bool:
        """Whether what they open is bound to clients."""

    @property
    def clients(self) -> tuple[ClientId, ...]:
        """The clients they are a viewer of now."""

    @property
    def comes_in(self) -> bool:
        """Whether they have access."""

    @property
    def links(self) -> dict[str, Link]:
        """Their links, by hash."""

    @property
    def sessions(self) -> dict[str, Session]:
        """Their open sessions, by id."""


# commands


class IssueLink(Command, frozen=True, kw_only=True):
    """Issue a sign-in link, to shares of one client, or without `client` to those of all the person belongs to."""

    person: PersonId
    hash: str
    expires: datetime
    client: ClientId | None = None
    asked: bool = False  # on the sign-in page


class UseLink(Command, frozen=True, kw_only=True):
    """Use a sign-in link, which works once, and start a session.

    `carry`: an open session of the same person in that browser; the new one opens what it opened as well.
    """

    person: PersonId
    hash: str
    session: str
    session_hash: str
    session_expires: datetime
    device: str = ""
    carry: str = ""


class StartSession(Command, frozen=True, kw_only=True):
    """Start a session for a person whom the organisation's single sign-on has identified, or a client's provider.

    By a client's provider (`client`, `provider`, `setup`) it opens that client alone.
    """

    person: PersonId
    session: str
    session_hash: str
    session_expires: datetime
    device: str = ""
    client: ClientId | None = None
    provider: str = ""
    setup: int = 0


class EndSession(Command, frozen=True, kw_only=True):
    person: PersonId
    session: str
    cause: Literal["signed_out", "ended", "idle", "over"] = "signed_out"


class Starting(Protocol):
    """What a command says of the session it starts."""

    @property
    def session(self) -> str:
        """Its public id."""

    @property
    def session_hash(self) -> str:
        """The sha256 hex of its secret."""

    @property
    def session_expires(self) -> datetime:
        """When it expires, UTC."""

    @property
    def device(self) -> str:
        """The kind of device, "" where it is not known."""


def issue(state: Holder, command: IssueLink, now: datetime) -> list[LinkIssued]:
    """Return the event that issues a link. A link that was used is never issued again, or it would work twice.

    Raises: a kind of Refused.
    """
    expires, client = ahead("expires", command.expires, now), command.client
    if client is not None and client not in state.clients:
        raise Unknown(_("This person is no viewer of that client, or no more."), "client")
    if client is None and not state.comes_in:
        raise Conflict(_("This person is a viewer of no client any more. Invite them again."))
    old = state.links.get(check.line("hash", command.hash))
    if old is not None and (
        old.used or old.expires != expires or old.clients != ((client,) if client else state.clients)
    ):
        raise Conflict(_("A link with this secret was issued already. Make a new secret."), "hash")
    return [] if old else [LinkIssued(hash=command.hash, expires=expires, client=client, asked=command.asked)]


def use(state: Holder, command: UseLink, now: datetime) -> list[LinkUsed | SessionStarted]:
    """Return the events that use a link up and start a session.

    Raises: Unknown when the link does not work.
    """
    link = state.links.get(command.hash)
    if link is None or link.used or link.expires <= now:
        raise Unknown(_("This link has been used or has expired. Ask whoever sent it for a new one."))
    carried = state.sessions.get(command.carry)
    goes_on = carried is not None and carried.expires > now and not carried.provider  # that ends with its provider
    opens = {*link.clients, *(carried.clients if carried is not None and goes_on else ())}
    clients = tuple(client for client in state.clients if client in opens)
    if state.viewer and not clients:
        raise Unknown(_("This link has been used or has expired. Ask whoever sent it for a new one."))
    return [LinkUsed(hash=command.hash), start(state, command, now, "link", clients)]


def vouched(state: Holder, command: StartSession, now: datetime) -> SessionStarted:
    """Return the event that starts a session for whom a provider identified: of a client's, for that client alone.

    Raises: a kind of Refused.
    """
    if not command.provider:
        return start(state, command, now, "openid", state.clients)
    if not state.viewer or command.client is None or command.client not in state.clients:
        raise Unknown(_("This person is no viewer of that client, or no more."), "client")
    begun = start(state, command, now, "openid", (command.client,))
    by = {"clients": (command.client,), "provider": command.provider, "setup": command.setup}
    return msgspec.structs.replace(begun, **by)


def start(
    state: Holder, command: Starting, now: datetime, via: Way,
    clients: tuple[ClientId, ...],
) -> SessionStarted:  # fmt: skip
    """Return the event that starts a session which opens `clients`.

    Raises: a kind of Refused.
    """
    if not state.comes_in:
        raise Conflict(_("This person is a viewer of no client any more. Invite them again."))
    if check.identifier("session", command.session) in state.sessions:
        raise Conflict(_("A session with this id is open already. Use a new id."), "session")
    return SessionStarted(
        session=command.session,
        hash=check.line("session_hash", command.session_hash),
        expires=ahead("session_expires", command.session_expires, now),
        device=check.line("device", command.device, required=False),
        via=via,
        clients=None if clients == state.clients else clients,
    )


def ahead(field: str, value: datetime, now: datetime) -> datetime:
    """Return an instant that lies after `now` (UTC).

    Raises: Invalid.
    """
    value = check.instant(field, value)
    if value <= now:
        raise Invalid(
            _("It has to end in the future; {value} is past. Choose a later time.", value=value.isoformat()), field
        )
    return value
