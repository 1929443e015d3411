"""Who there is: the organisation, its clients, people with roles, and what lets them in. Secrets only as hashes."""

import re
from datetime import datetime
from typing import Literal, assert_never

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import ClientId, PersonId
from domain.message import Command, Event

Role = Literal["admin", "manager", "auditor", "viewer"]

# events


class OrganisationNamed(Event, frozen=True, kw_only=True):
    name: str


class ClientRegistered(Event, frozen=True, kw_only=True):
    client: ClientId
    name: str
    time_zone: str


class PersonInvited(Event, frozen=True, kw_only=True):
    person: PersonId
    name: str
    email: str
    role: Role
    client: ClientId | None  # of a viewer


class LinkIssued(Event, frozen=True, kw_only=True):
    """A one-time sign-in link; `hash` is the sha256 hex of its secret."""

    hash: str
    expires: datetime


class LinkUsed(Event, frozen=True, kw_only=True):
    hash: str


class SessionStarted(Event, frozen=True, kw_only=True):
    """`hash` is the sha256 hex of the cookie's secret; `session` names it where the secret must not go."""

    session: str
    hash: str
    expires: datetime


class SessionEnded(Event, frozen=True, kw_only=True):
    session: str
    cause: Literal["signed_out", "ended", "disabled"]


class TokenIssued(Event, frozen=True, kw_only=True):
    """A bearer token for the JSON door; `hash` is the sha256 hex of its secret."""

    token: str
    hash: str
    label: str


class TokenRevoked(Event, frozen=True, kw_only=True):
    token: str


class PersonDisabled(Event, frozen=True, kw_only=True):
    reason: str


class PersonErased(Event, frozen=True, kw_only=True):
    """Name, address and sign-ins were destroyed; recorded beside the person's stream, which nobody can read now."""

    person: PersonId
    role: Role
    client: ClientId | None
    reason: str


PersonEvent = (
    PersonInvited | LinkIssued | LinkUsed | SessionStarted | SessionEnded | TokenIssued | TokenRevoked | PersonDisabled
)
AccessEvent = OrganisationNamed | ClientRegistered | PersonErased | PersonEvent

# state


class Client(msgspec.Struct, frozen=True, kw_only=True):
    id: ClientId
    name: str
    time_zone: str


class Link(msgspec.Struct, frozen=True, kw_only=True):
    hash: str
    expires: datetime
    used: bool = False


class Session(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    hash: str
    expires: datetime


class Person(msgspec.Struct, frozen=True, kw_only=True):
    id: PersonId
    name: str
    email: str
    role: Role
    client: ClientId | None
    links: dict[str, Link] = {}
    sessions: dict[str, Session] = {}  # open ones
    tokens: dict[str, str] = {}  # token id -> hash
    disabled: bool = False


def evolve(state: Person | None, event: PersonEvent) -> Person:
    """Return the person after `event`."""
    if isinstance(event, PersonInvited):
        return Person(id=event.person, name=event.name, email=event.email, role=event.role, client=event.client)
    if state is None:
        message = f"expected PersonInvited first, got {type(event).__name__}"
        raise ValueError(message)
    replace = msgspec.structs.replace
    match event:
        case LinkIssued(hash=digest, expires=expires):
            return replace(state, links={**state.links, digest: Link(hash=digest, expires=expires)})
        case LinkUsed(hash=digest):
            return replace(state, links={**state.links, digest: replace(state.links[digest], used=True)})
        case SessionStarted(session=key, hash=digest, expires=expires):
            return replace(state, sessions={**state.sessions, key: Session(id=key, hash=digest, expires=expires)})
        case SessionEnded(session=key):
            return replace(state, sessions={k: v for k, v in state.sessions.items() if k != key})
        case TokenIssued(token=key, hash=digest):
            return replace(state, tokens={**state.tokens, key: digest})
        case TokenRevoked(token=key):
            return replace(state, tokens={k: v for k, v in state.tokens.items() if k != key})
        case PersonDisabled():
            return replace(state, disabled=True, sessions={}, tokens={}, links={})
        case _:
            assert_never(event)


# commands


class NameOrganisation(Command, frozen=True, kw_only=True):
    name: str


class RegisterClient(Command, frozen=True, kw_only=True):
    client: ClientId
    name: str
    time_zone: str


class InvitePerson(Command, frozen=True, kw_only=True):
    person: PersonId
    name: str
    email: str
    role: Role
    client: ClientId | None = None


class IssueLink(Command, frozen=True, kw_only=True):
    person: PersonId
    hash: str
    expires: datetime


class UseLink(Command, frozen=True, kw_only=True):
    """Consume a link and start a session in one step."""

    person: PersonId
    hash: str
    session: str
    session_hash: str
    session_expires: datetime


class EndSession(Command, frozen=True, kw_only=True):
    person: PersonId
    session: str
    cause: Literal["signed_out", "ended"] = "signed_out"


class IssueToken(Command, frozen=True, kw_only=True):
    person: PersonId
    token: str
    hash: str
    label: str


class RevokeToken(Command, frozen=True, kw_only=True):
    person: PersonId
    token: str


class DisablePerson(Command, frozen=True, kw_only=True):
    person: PersonId
    reason: str


class ErasePerson(Command, frozen=True, kw_only=True):
    """Destroy what is known of a person, for ever; the reason must not name them."""

    person: PersonId
    reason: str


PersonCommand = InvitePerson | IssueLink | UseLink | EndSession | IssueToken | RevokeToken | DisablePerson
AccessCommand = NameOrganisation | RegisterClient | ErasePerson | PersonCommand


def decide_organisation(name: str | None, command: NameOrganisation) -> list[OrganisationNamed]:
    """Return the event that names the organisation; none when it has that name already."""
    new = check.line("name", command.name)
    return [] if new == name else [OrganisationNamed(name=new)]


def decide_client(state: Client | None, command: RegisterClient) -> list[ClientRegistered]:
    """Return the event that registers a client."""
    if state is not None:
        raise Conflict("A client with this id exists already. Use a new id.", "client")
    return [
        ClientRegistered(
            client=ClientId(check.identifier("client", command.client)),
            name=check.line("name", command.name),
            time_zone=check.zone("time_zone", command.time_zone),
        )
    ]


def decide_erasure(state: Person | None, command: ErasePerson) -> list[PersonErased]:
    """Return the event that erases a person; none when they are erased or were never here."""
    if state is None:
        raise Unknown("There is no such person, or they have been erased already.", "person")
    reason = check.text("reason", command.reason, required=True)
    told = reason.casefold()
    if state.email.casefold() in told or any(word.casefold() in told.split() for word in state.name.split()):
        raise Invalid("The reason names the person, and it is kept for ever. Say why without their name.", "reason")
    return [PersonErased(person=state.id, role=state.role, client=state.client, reason=reason)]


def decide(state: Person | None, command: PersonCommand, now: datetime) -> list[PersonEvent]:
    """Return the events that carry out `command` at `now` (UTC).

    Raises: a kind of Refused.
    """
    if isinstance(command, InvitePerson):
        return [_invite(state, command)]
    if state is None:
        raise Unknown("There is no such person. Invite them first.")
    if state.disabled:
        raise Conflict("This person's access has been ended. Invite them again under a new id.")
    match command:
        case IssueLink(hash=digest, expires=expires):
            return _issue(state, digest, _ahead("expires", expires, now))
        case UseLink():
            return _use(state, command, now)
        case EndSession(session=key, cause=cause):
            return [SessionEnded(session=key, cause=cause)] if key in state.sessions else []
        case IssueToken(token=key, hash=digest, label=label):
            if check.identifier("token", key) in state.tokens:
                raise Conflict("A token with this id is in use already. Use a new id.", "token")
            return [TokenIssued(token=key, hash=check.line("hash", digest), label=check.line("label", label))]
        case RevokeToken(token=key):
            return [TokenRevoked(token=key)] if key in state.tokens else []
        case DisablePerson(reason=reason):
            ended: list[PersonEvent] = [SessionEnded(session=key, cause="disabled") for key in state.sessions]
            return [*ended, PersonDisabled(reason=check.text("reason", reason, required=True))]
        case _:
            assert_never(command)


def _invite(state: Person | None, command: InvitePerson) -> PersonInvited:
    if state is not None:
        raise Conflict("A person with this id exists already. Use a new id.", "person")
    if (command.role == "viewer") != (command.client is not None):
        told = "A viewer belongs to exactly one client, and nobody else to any"
        raise Invalid(f"{told}. Choose a client for a viewer, none for others.", "client")
    email = check.line("email", command.email)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise Invalid(f"{email!r} is no mail address. Expected name@domain.", "email")
    return PersonInvited(
        person=PersonId(check.identifier("person", command.person)),
        name=check.line("name", command.name),
        email=email,
        role=command.role,
        client=command.client,
    )


def _issue(state: Person, digest: str, expires: datetime) -> list[PersonEvent]:
    """A link that was used must never come alive again by being issued once more."""
    old = state.links.get(check.line("hash", digest))
    if old is not None and (old.used or old.expires != expires):
        raise Conflict("A link with this secret was issued already. Make a new secret.", "hash")
    return [] if old else [LinkIssued(hash=digest, expires=expires)]


def _ahead(field: str, value: datetime, now: datetime) -> datetime:
    value = check.instant(field, value)
    if value <= now:
        raise Invalid(f"It has to end in the future; {value.isoformat()} is past. Choose a later time.", field)
    return value


def _use(state: Person, command: UseLink, now: datetime) -> list[PersonEvent]:
    link = state.links.get(command.hash)
    if link is None or link.used or link.expires <= now:
        raise Unknown("This link has been used or has run out. Ask whoever sent it for a new one.")
    if check.identifier("session", command.session) in state.sessions:
        raise Conflict("A session with this id is open already. Use a new id.", "session")
    expires = _ahead("session_expires", command.session_expires, now)
    digest = check.line("session_hash", command.session_hash)
    return [LinkUsed(hash=command.hash), SessionStarted(session=command.session, hash=digest, expires=expires)]
