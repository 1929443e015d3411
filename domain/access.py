"""Who there is: the organisation, its clients, people with roles, and what lets them in. Secrets only as hashes."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Literal, assert_never

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import ClientId, PersonId, ProjectId, ShareId
from domain.message import Command, Event

Role = Literal["admin", "manager", "auditor", "viewer"]
Cadence = Literal["off", "instant", "daily", "weekly"]
Settled = Literal["accepted", "refused", "deferred", "dropped"]
MAILS_KEPT = 30  # of one person, in memory; the log has them all

# events


class OrganisationNamed(Event, frozen=True, kw_only=True):
    name: str


class ClientRegistered(Event, frozen=True, kw_only=True):
    client: ClientId
    name: str
    time_zone: str


class ClientEnded(Event, frozen=True, kw_only=True):
    """Everything shared with a client ended at once, and nobody of it comes in any more."""

    reason: str


class MailDomainsSet(Event, frozen=True, kw_only=True):
    """Only people with an address in one of these domains can be invited for the client; none: any."""

    domains: tuple[str, ...]


class PersonInvited(Event, frozen=True, kw_only=True):
    person: PersonId
    name: str
    email: str
    role: Role
    client: ClientId | None  # of a viewer
    projects: tuple[ProjectId, ...] | None = None  # of a manager; None: all


class ProjectsAssigned(Event, frozen=True, kw_only=True):
    """Which projects a manager manages from now on; None: all."""

    projects: tuple[ProjectId, ...] | None


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
    device: str = ""  # "Computer", "Phone", "Tablet", and nothing finer
    via: Literal["link", "openid"] = "link"


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


class PersonErased(Event, frozen=True, kw_only=True):
    """Name, address and sign-ins were destroyed; recorded beside the person's stream, which nobody can read now."""

    person: PersonId
    role: Role
    client: ClientId | None
    reason: str


PersonEvent = (
    PersonInvited | ProjectsAssigned | LinkIssued | LinkUsed | SessionStarted | SessionEnded | TokenIssued
    | TokenRevoked | PersonDisabled | DigestChosen | MailQueued | MailSettled
)  # fmt: skip
ClientEvent = ClientRegistered | ClientEnded | MailDomainsSet
AccessEvent = OrganisationNamed | ClientEvent | PersonErased | PersonEvent

# state


class Client(msgspec.Struct, frozen=True, kw_only=True):
    id: ClientId
    name: str
    time_zone: str
    domains: tuple[str, ...] = ()  # of mail addresses that may be invited; none: any
    ended_at: datetime | None = None
    ended_why: str = ""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    hash: str
    expires: datetime
    used: bool = False


class Session(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    hash: str
    expires: datetime
    started: datetime | None = None
    device: str = ""
    via: Literal["link", "openid"] = "link"


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


class Person(msgspec.Struct, frozen=True, kw_only=True):
    id: PersonId
    name: str
    email: str
    role: Role
    client: ClientId | None
    links: dict[str, Link] = {}
    sessions: dict[str, Session] = {}  # open ones
    signed_in: datetime | None = None  # when they last did, UTC
    tokens: dict[str, str] = {}  # token id -> hash
    disabled: bool = False
    projects: tuple[ProjectId, ...] | None = None  # that a manager manages; None: all
    digest: Cadence = "off"
    digested: dict[ShareId, int] = {}  # the last update that was mailed, or was there when mails were asked for
    digested_at: dict[ShareId, datetime] = {}
    mails: tuple[Mail, ...] = ()  # the latest ones

    def manages(self, project: ProjectId) -> bool:
        """Tell whether a project is theirs to look at and to change, as far as that depends on the project."""
        return self.projects is None or project in self.projects


def evolve_client(state: Client | None, event: ClientEvent, at: datetime) -> Client:
    """Return the client after `event`, recorded at `at` (UTC)."""
    if isinstance(event, ClientRegistered):
        return Client(id=event.client, name=event.name, time_zone=event.time_zone)
    if state is None:
        message = f"expected ClientRegistered first, got {type(event).__name__}"
        raise ValueError(message)
    match event:
        case ClientEnded(reason=reason):
            return msgspec.structs.replace(state, ended_at=at, ended_why=reason)
        case MailDomainsSet(domains=domains):
            return msgspec.structs.replace(state, domains=domains)
        case _:
            assert_never(event)


def evolve(state: Person | None, event: PersonEvent, at: datetime) -> Person:
    """Return the person after `event`, recorded at `at` (UTC)."""
    if isinstance(event, PersonInvited):
        return Person(
            id=event.person, name=event.name, email=event.email, role=event.role, client=event.client,
            projects=event.projects,
        )  # fmt: skip
    if state is None:
        message = f"expected PersonInvited first, got {type(event).__name__}"
        raise ValueError(message)
    replace = msgspec.structs.replace
    match event:
        case LinkIssued(hash=digest, expires=expires):
            return replace(state, links={**state.links, digest: Link(hash=digest, expires=expires)})
        case LinkUsed(hash=digest):
            return replace(state, links={**state.links, digest: replace(state.links[digest], used=True)})
        case SessionStarted(session=key, hash=digest, expires=expires, device=device, via=via):
            new = Session(id=key, hash=digest, expires=expires, started=at, device=device, via=via)
            return replace(state, sessions={**state.sessions, key: new}, signed_in=at)
        case ProjectsAssigned(projects=projects):
            return replace(state, projects=projects)
        case DigestChosen(cadence=cadence, since=since):
            return replace(state, digest=cadence, digested={**state.digested, **since})
        case MailQueued() | MailSettled():
            return _mailed(state, event, at)
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


def _mailed(state: Person, event: MailQueued | MailSettled, at: datetime) -> Person:
    """A digest counts as sent once it is queued: one that may have gone out is never sent twice."""
    replace = msgspec.structs.replace
    if isinstance(event, MailSettled):
        return _changed(state, event.mail, lambda mail: _settled(mail, event, at))
    if any(mail.id == event.mail for mail in state.mails):
        return _changed(state, event.mail, lambda mail: replace(mail, state="queued"))
    new = Mail(id=event.mail, kind=event.kind, share=event.share, first=event.first, to=event.to, at=at)
    state = replace(state, mails=(*state.mails[1 - MAILS_KEPT :], new))
    if event.share is None:
        return state
    return replace(
        state,
        digested={**state.digested, event.share: event.to},
        digested_at={**state.digested_at, event.share: at},
    )


def _changed(state: Person, key: str, change: Callable[[Mail], Mail]) -> Person:
    mails = tuple(change(mail) if mail.id == key else mail for mail in state.mails)
    return msgspec.structs.replace(state, mails=mails)


def _settled(mail: Mail, event: MailSettled, at: datetime) -> Mail:
    tries = mail.tries + (event.state == "deferred")
    return msgspec.structs.replace(mail, state=event.state, told=event.told, settled=at, tries=tries)


# commands


class NameOrganisation(Command, frozen=True, kw_only=True):
    name: str


class RegisterClient(Command, frozen=True, kw_only=True):
    client: ClientId
    name: str
    time_zone: str


class EndClient(Command, frozen=True, kw_only=True):
    """Cut a client off: every share with it ends, every page closes, nobody of it comes in."""

    client: ClientId
    reason: str


class SetMailDomains(Command, frozen=True, kw_only=True):
    client: ClientId
    domains: tuple[str, ...]


class InvitePerson(Command, frozen=True, kw_only=True):
    person: PersonId
    name: str
    email: str
    role: Role
    client: ClientId | None = None
    projects: tuple[ProjectId, ...] | None = None


class AssignProjects(Command, frozen=True, kw_only=True):
    """Say which projects a manager manages; None: all."""

    person: PersonId
    projects: tuple[ProjectId, ...] | None


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
    device: str = ""


class StartSession(Command, frozen=True, kw_only=True):
    """Start a session for somebody whom the organisation's single sign-on vouches for."""

    person: PersonId
    session: str
    session_hash: str
    session_expires: datetime
    device: str = ""


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


PersonCommand = (
    InvitePerson | AssignProjects | IssueLink | UseLink | StartSession | EndSession | IssueToken | RevokeToken
    | DisablePerson | ChooseDigest | QueueMail | SettleMail
)  # fmt: skip
ClientCommand = RegisterClient | EndClient | SetMailDomains
AccessCommand = NameOrganisation | ClientCommand | ErasePerson | PersonCommand


def decide_organisation(name: str | None, command: NameOrganisation) -> list[OrganisationNamed]:
    """Return the event that names the organisation; none when it has that name already."""
    new = check.line("name", command.name)
    return [] if new == name else [OrganisationNamed(name=new)]


def decide_client(state: Client | None, command: ClientCommand) -> list[ClientEvent]:
    """Return the events that register, bound or end a client."""
    if isinstance(command, RegisterClient):
        if state is not None:
            raise Conflict("A client with this id exists already. Use a new id.", "client")
        return [
            ClientRegistered(
                client=ClientId(check.identifier("client", command.client)),
                name=check.line("name", command.name),
                time_zone=check.zone("time_zone", command.time_zone),
            )
        ]
    if state is None:
        raise Unknown("There is no such client. Register it first.", "client")
    if state.ended_at is not None:
        raise Conflict("Everything with this client has ended. Register it again under a new id.", "client")
    match command:
        case EndClient(reason=reason):
            return [ClientEnded(reason=check.text("reason", reason, required=True))]
        case SetMailDomains(domains=domains):
            told = tuple(sorted({_domain(one) for one in domains}))
            return [] if told == state.domains else [MailDomainsSet(domains=told)]
        case _:
            assert_never(command)


def _domain(text: str) -> str:
    domain = check.line("domains", text).lower().removeprefix("@")
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain):
        raise Invalid(f"{text[:60]!r} is no mail domain. Expected one such as acme-rail.example.", "domains")
    return domain


def invitable(client: Client, email: str) -> None:
    """Raise Invalid unless the client's domains allow this address, Conflict where the client was ended."""
    if client.ended_at is not None:
        raise Conflict(f"Everything with {client.name} has ended, so nobody of it can be invited.", "client")
    if client.domains and email.rpartition("@")[2].lower() not in client.domains:
        told = f"Only addresses at {', '.join(client.domains)} can be invited for {client.name}"
        raise Invalid(f"{told}. Use one of those, or change the domains of the client.", "email")


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
        case StartSession():
            return [_session(state, command, now, "openid")]
        case AssignProjects(projects=projects):
            if state.role != "manager":
                raise Invalid(f"Projects are assigned to managers; {state.name} is {state.role}.", "person")
            return [] if projects == state.projects else [ProjectsAssigned(projects=projects)]
        case ChooseDigest(cadence=cadence, since=since):
            return [] if cadence == state.digest else [DigestChosen(cadence=cadence, since=since)]
        case QueueMail():
            return _queue(state, command)
        case SettleMail(mail=key, state=settled, told=told):
            open_ones = [m for m in state.mails if m.id == key and m.state in ("queued", "deferred")]
            return [MailSettled(mail=key, state=settled, told=check.text("told", told)[:500])] if open_ones else []
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
        projects=command.projects if command.role == "manager" else None,
    )


def _queue(state: Person, command: QueueMail) -> list[PersonEvent]:
    """No update is mailed twice, whoever asks at the same moment; only what was put off is tried again."""
    known = next((mail for mail in state.mails if mail.id == command.mail), None)
    if known is not None:
        again = MailQueued(mail=known.id, kind=known.kind, share=known.share, first=known.first, to=known.to)
        return [again] if known.state == "deferred" else []
    key = check.identifier("mail", command.mail)
    if command.kind == "invitation" or command.share is None:
        return [MailQueued(mail=key, kind=command.kind)]
    if state.digested.get(command.share, 0) != command.after:
        return []
    return [MailQueued(mail=key, kind="digest", share=command.share, first=command.after + 1, to=command.to)]


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
    return [LinkUsed(hash=command.hash), _session(state, command, now, "link")]


def _session(
    state: Person, command: UseLink | StartSession, now: datetime, via: Literal["link", "openid"]
) -> SessionStarted:
    if check.identifier("session", command.session) in state.sessions:
        raise Conflict("A session with this id is open already. Use a new id.", "session")
    return SessionStarted(
        session=command.session,
        hash=check.line("session_hash", command.session_hash),
        expires=_ahead("session_expires", command.session_expires, now),
        device=check.line("device", command.device, required=False),
        via=via,
    )
