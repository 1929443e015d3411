"""The organisation, its people with their roles, and what they sign in with.

Rule: a secret is recorded only as its hash.
"""

import re
from datetime import datetime
from typing import Literal, assert_never

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import ClientId, PersonId, ProjectId, ShareId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.people import mails
from domain.people.clients import ClientCommand, ClientEvent
from domain.people.mails import (
    Cadence,
    ChooseDigest,
    DigestChosen,
    Mail,
    MailQueued,
    MailSettled,
    QueueMail,
    SettleMail,
)

Role = Literal["admin", "manager", "auditor", "viewer"]

# events


class OrganisationNamed(Event, frozen=True, kw_only=True):
    name: str


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
    """`hash` is the sha256 hex of the cookie's secret; `session` is its public id."""

    session: str
    hash: str
    expires: datetime
    device: str = ""  # "Computer", "Phone", "Tablet", and nothing finer
    via: Literal["link", "openid"] = "link"


class SessionEnded(Event, frozen=True, kw_only=True):
    session: str
    cause: Literal["signed_out", "ended", "disabled"]


class TokenIssued(Event, frozen=True, kw_only=True):
    """A bearer token for the JSON interface; `hash` is the sha256 hex of its secret."""

    token: str
    hash: str
    label: str


class TokenRevoked(Event, frozen=True, kw_only=True):
    token: str


class PersonDisabled(Event, frozen=True, kw_only=True):
    reason: str


class PersonErased(Event, frozen=True, kw_only=True):
    """Name, address and sign-ins were destroyed; recorded in a stream of its own, as nobody can read the person's."""

    person: PersonId
    role: Role
    client: ClientId | None
    reason: str


PersonEvent = (
    PersonInvited | ProjectsAssigned | LinkIssued | LinkUsed | SessionStarted | SessionEnded | TokenIssued
    | TokenRevoked | PersonDisabled | DigestChosen | MailQueued | MailSettled
)  # fmt: skip
AccessEvent = OrganisationNamed | ClientEvent | PersonErased | PersonEvent

# state


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


class Person(msgspec.Struct, frozen=True, kw_only=True):
    id: PersonId
    name: str
    email: str
    role: Role
    client: ClientId | None
    links: dict[str, Link] = {}
    sessions: dict[str, Session] = {}  # open ones
    signed_in: datetime | None = None  # when they last signed in, UTC
    tokens: dict[str, str] = {}  # token id -> hash
    disabled: bool = False
    projects: tuple[ProjectId, ...] | None = None  # that a manager manages; None: all
    digest: Cadence = "off"
    digested: dict[ShareId, int] = {}  # the last update that was mailed, or the newest one when mails were asked for
    digested_at: dict[ShareId, datetime] = {}
    mails: tuple[Mail, ...] = ()  # the latest ones

    def manages(self, project: ProjectId) -> bool:
        """Tell whether the person manages a project; their role is looked at elsewhere."""
        return self.projects is None or project in self.projects


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
        case MailQueued(share=share, to=to) if share is not None and event.mail not in {m.id for m in state.mails}:
            digested, when = {**state.digested, share: to}, {**state.digested_at, share: at}
            return replace(state, mails=mails.evolve(state.mails, event, at), digested=digested, digested_at=when)
        case MailQueued() | MailSettled():
            return replace(state, mails=mails.evolve(state.mails, event, at))
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
    """Use a sign-in link, which works once, and start a session."""

    person: PersonId
    hash: str
    session: str
    session_hash: str
    session_expires: datetime
    device: str = ""


class StartSession(Command, frozen=True, kw_only=True):
    """Start a session for a person whom the organisation's single sign-on has identified."""

    person: PersonId
    session: str
    session_hash: str
    session_expires: datetime
    device: str = ""


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
    """Destroy the name, address and sign-ins of a person for ever; the reason must not name them."""

    person: PersonId
    reason: str


PersonCommand = (
    InvitePerson | AssignProjects | IssueLink | UseLink | StartSession | EndSession | IssueToken | RevokeToken
    | DisablePerson | ChooseDigest | QueueMail | SettleMail
)  # fmt: skip
AccessCommand = NameOrganisation | ClientCommand | ErasePerson | PersonCommand


def decide_organisation(name: str | None, command: NameOrganisation) -> list[OrganisationNamed]:
    """Return the event that names the organisation; none when it has that name already."""
    new = check.line("name", command.name)
    return [] if new == name else [OrganisationNamed(name=new)]


def decide_erasure(state: Person | None, command: ErasePerson) -> list[PersonErased]:
    """Return the event that erases a person.

    Raises: Unknown when they are erased already or were never invited, Invalid when the reason names them.
    """
    if state is None:
        raise Unknown(_("There is no such person, or they have been erased already."), "person")
    reason = check.text("reason", command.reason, required=True)
    folded = reason.casefold()
    if state.email.casefold() in folded or any(word.casefold() in folded.split() for word in state.name.split()):
        raise Invalid(_("The reason names the person, and it is kept for ever. Say why without their name."), "reason")
    return [PersonErased(person=state.id, role=state.role, client=state.client, reason=reason)]


def decide(state: Person | None, command: PersonCommand, now: datetime) -> list[PersonEvent]:
    """Return the events that carry out `command` at `now` (UTC).

    Raises: a kind of Refused.
    """
    if isinstance(command, InvitePerson):
        return [_invite(state, command)]
    if state is None:
        raise Unknown(_("There is no such person. Invite them first."))
    if state.disabled:
        raise Conflict(_("This person's access has been ended. Invite them again under a new id."))
    match command:
        case IssueLink(hash=digest, expires=expires):
            return _issue(state, digest, _ahead("expires", expires, now))
        case UseLink():
            return _use(state, command, now)
        case StartSession():
            return [_session(state, command, now, "openid")]
        case AssignProjects(projects=projects):
            if state.role != "manager":
                raise Invalid(
                    _("Projects are assigned to managers; {name} is {role}.", name=state.name, role=state.role),
                    "person",
                )
            return [] if projects == state.projects else [ProjectsAssigned(projects=projects)]
        case ChooseDigest(cadence=cadence, since=since):
            return [] if cadence == state.digest else [DigestChosen(cadence=cadence, since=since)]
        case QueueMail():
            return list(mails.queue(state.mails, state.digested, command))
        case SettleMail():
            return list(mails.settle(state.mails, command))
        case EndSession(session=key, cause=cause):
            return [SessionEnded(session=key, cause=cause)] if key in state.sessions else []
        case IssueToken(token=key, hash=digest, label=label):
            if check.identifier("token", key) in state.tokens:
                raise Conflict(_("A token with this id is in use already. Use a new id."), "token")
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
        raise Conflict(_("A person with this id exists already. Use a new id."), "person")
    if (command.role == "viewer") != (command.client is not None):
        problem = _("A viewer belongs to exactly one client, and nobody else to any")
        raise Invalid(_("{told}. Choose a client for a viewer, none for others.", told=problem), "client")
    email = check.line("email", command.email)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise Invalid(_("{email!r} is no mail address. Expected name@domain.", email=email), "email")
    return PersonInvited(
        person=PersonId(check.identifier("person", command.person)),
        name=check.line("name", command.name),
        email=email,
        role=command.role,
        client=command.client,
        projects=command.projects if command.role == "manager" else None,
    )


def _issue(state: Person, digest: str, expires: datetime) -> list[PersonEvent]:
    """Return the event that issues a link. A link that was used is never issued again, or it would work twice."""
    old = state.links.get(check.line("hash", digest))
    if old is not None and (old.used or old.expires != expires):
        raise Conflict(_("A link with this secret was issued already. Make a new secret."), "hash")
    return [] if old else [LinkIssued(hash=digest, expires=expires)]


def _ahead(field: str, value: datetime, now: datetime) -> datetime:
    value = check.instant(field, value)
    if value <= now:
        raise Invalid(
            _("It has to end in the future; {value} is past. Choose a later time.", value=value.isoformat()), field
        )
    return value


def _use(state: Person, command: UseLink, now: datetime) -> list[PersonEvent]:
    link = state.links.get(command.hash)
    if link is None or link.used or link.expires <= now:
        raise Unknown(_("This link has been used or has run out. Ask whoever sent it for a new one."))
    return [LinkUsed(hash=command.hash), _session(state, command, now, "link")]


def _session(
    state: Person, command: UseLink | StartSession, now: datetime, via: Literal["link", "openid"]
) -> SessionStarted:
    if check.identifier("session", command.session) in state.sessions:
        raise Conflict(_("A session with this id is open already. Use a new id."), "session")
    return SessionStarted(
        session=command.session,
        hash=check.line("session_hash", command.session_hash),
        expires=_ahead("session_expires", command.session_expires, now),
        device=check.line("device", command.device, required=False),
        via=via,
    )
