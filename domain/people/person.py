"""Somebody who may come in, with their role; what lets them in and what they are mailed has modules of its own."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, assert_never

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import ClientId, PersonId, ProjectId, ShareId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.people import addresses, devices, for_you, mails, memberships, passkeys, sign_ins, tokens
from domain.people.addresses import (
    AddressChanged,
    AddressChanges,
    AddressCommand,
    AddressEvent,
)
from domain.people.devices import DeviceCommand, DeviceEvent, DeviceKept, Devices
from domain.people.for_you import Desk, ForYouCommand, ForYouEvent
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
from domain.people.memberships import (
    EndLead,
    EndMembership,
    GrantMembership,
    LeadEnded,
    LeadNamed,
    Membership,
    MembershipEnded,
    MembershipGranted,
    NameLead,
)
from domain.people.naming import names_somebody
from domain.people.passkeys import Keyring, PasskeyAdded, PasskeyCommand, PasskeyEvent
from domain.people.sign_ins import (
    EndSession,
    IssueLink,
    Link,
    LinkIssued,
    LinkUsed,
    Session,
    SessionEnded,
    SessionStarted,
    StartSession,
    UseLink,
)
from domain.people.tokens import Token, TokenCommand, TokenEvent
from domain.telling import notices
from domain.telling.notices import ChooseNotices, Notices, NoticesChosen

Role = Literal["admin", "manager", "auditor", "viewer"]

# events


class PersonInvited(Event, frozen=True, kw_only=True):
    person: PersonId
    name: str
    email: str
    role: Role
    client: ClientId | None  # of a viewer: their first membership
    projects: tuple[ProjectId, ...] | None = None  # of a manager; None: all
    lead: PersonId | None = None  # of the client, who invited them
    provider: str = ""  # of the client, by which they joined uninvited


class ProjectsAssigned(Event, frozen=True, kw_only=True):
    """Which projects a manager manages from now on; None: all."""

    projects: tuple[ProjectId, ...] | None


class RoleChanged(Event, frozen=True, kw_only=True):
    """What somebody of the organisation is from now on, and of a manager, which projects they manage; None: all."""

    role: Role
    projects: tuple[ProjectId, ...] | None = None


class LanguageChosen(Event, frozen=True, kw_only=True):
    """In which language (BCP 47) the person's own pages are from now on; "": in the one their browser asks for."""

    language: str


class PersonDisabled(Event, frozen=True, kw_only=True):
    reason: str


class PersonErased(Event, frozen=True, kw_only=True):
    """Name, address and sign-ins were destroyed; recorded in a stream of its own, as nobody can read the person's."""

    person: PersonId
    role: Role
    client: ClientId | None  # the first membership
    reason: str
    clients: tuple[ClientId, ...] = ()  # all memberships there ever were


PersonEvent = (
    PersonInvited | ProjectsAssigned | RoleChanged | LinkIssued | LinkUsed | SessionStarted | SessionEnded
    | PersonDisabled | DigestChosen | MailQueued | MailSettled | MembershipGranted | MembershipEnded
    | LeadNamed | LeadEnded | TokenEvent | PasskeyEvent | AddressEvent | LanguageChosen | ForYouEvent | NoticesChosen
    | DeviceEvent
)  # fmt: skip

# state


class Person(msgspec.Struct, frozen=True, kw_only=True):
    id: PersonId
    name: str
    email: str
    role: Role
    memberships: dict[ClientId, Membership] = {}  # of a viewer, also ended ones
    links: dict[str, Link] = {}
    sessions: dict[str, Session] = {}  # open ones
    signed_in: datetime | None = None  # when they last signed in, UTC
    tokens: dict[str, Token] = {}  # by id
    disabled: bool = False
    projects: tuple[ProjectId, ...] | None = None  # that a manager manages; None: all
    digested: dict[ShareId, int] = {}  # the last update that was mailed, or the newest one when mails were asked for
    digested_at: dict[ShareId, datetime] = {}
    mails: tuple[Mail, ...] = ()  # the latest ones
    keyring: Keyring = Keyring()  # their passkeys
    address_changes: AddressChanges = AddressChanges()  # of their own address
    language: str = ""  # BCP 47, of their own pages; "": the one their browser asks for
    desk: Desk = Desk()  # what they said of the lines of their list
    notices: Notices = Notices()  # what they are mailed of these
    devices: Devices = devices.NONE  # that stay signed in

    @property
    def viewer(self) -> bool:
        """Whether what they open is bound to clients."""
        return self.role == "viewer"

    @property
    def clients(self) -> tuple[ClientId, ...]:
        """The clients the person is a viewer of now."""
        return () if self.disabled else tuple(m.client for m in self.memberships.values() if not m.ended)

    @property
    def names(self) -> set[str]:
        """Every name the person was invited by."""
        return {self.name, *(known.name for known in self.memberships.values())}

    @property
    def addresses(self) -> set[str]:
        """Every mail address the person was invited by, or has taken since in place of one."""
        return {self.email, *(known.email for known in self.memberships.values())}

    @property
    def reached(self) -> set[str]:
        """The addresses by which the person comes in now."""
        if not self.viewer:
            return set() if self.disabled else {self.email}
        return {self.memberships[client].email for client in self.clients}

    @property
    def comes_in(self) -> bool:
        """Whether the person has access: a viewer by a membership, everybody else until it is ended."""
        return not self.disabled and (self.role != "viewer" or bool(self.clients))

    def known_to(self, client: ClientId) -> Membership | None:
        """Return what a client's side knows of the person, None where they never were a viewer of that client."""
        return self.memberships.get(client)

    def leads(self, client: ClientId) -> bool:
        """Return whether the person is a lead of a client: may invite colleagues of it, and end them."""
        return client in self.clients and self.memberships[client].lead

    def digest(self, client: ClientId) -> Cadence:
        """Return how often the person is mailed what changed on shares of a client."""
        return self.memberships[client].digest if client in self.clients else "off"

    def manages(self, project: ProjectId) -> bool:
        """Tell whether the person manages a project; their role is looked at elsewhere."""
        return self.projects is None or project in self.projects


def evolve(state: Person | None, event: PersonEvent, at: datetime) -> Person:
    """Return the person after `event`, recorded at `at` (UTC)."""
    if isinstance(event, PersonInvited):
        return Person(
            id=event.person, name=event.name, email=event.email, role=event.role, projects=event.projects,
            memberships=_first_membership(event, at),
        )  # fmt: skip
    if state is None:
        message = f"expected PersonInvited first, got {type(event).__name__}"
        raise ValueError(message)
    replace = msgspec.structs.replace
    match event:
        case LinkIssued() | LinkUsed():
            return replace(state, links=sign_ins.evolve(state.links, event, state.clients, at))
        case SessionStarted():
            return _begun(state, event, at)
        case ProjectsAssigned(projects=projects):
            return replace(state, projects=projects)
        case RoleChanged(role=role, projects=projects):
            return replace(state, role=role, projects=projects)
        case DigestChosen(cadence=cadence, since=since, client=client):
            chosen = memberships.changed(state.memberships, _meant(state, client), digest=cadence)
            return replace(state, memberships=chosen, digested={**state.digested, **since})
        case MailQueued(share=share, to=to) if share is not None and event.mail not in {m.id for m in state.mails}:
            digested, when = {**state.digested, share: to}, {**state.digested_at, share: at}
            return replace(state, mails=mails.evolve(state.mails, event, at), digested=digested, digested_at=when)
        case MailQueued(kind="notice", lines=lines) if event.mail not in {m.id for m in state.mails}:
            mailed = notices.mailed(state.notices, lines, at)
            return replace(state, mails=mails.evolve(state.mails, event, at), notices=mailed)
        case MailQueued() | MailSettled():
            return replace(state, mails=mails.evolve(state.mails, event, at))
        case SessionEnded(session=key):
            return replace(state, sessions={k: v for k, v in state.sessions.items() if k != key})
        case LanguageChosen(language=language):
            return replace(state, language=language)
        case PersonDisabled():
            ended = replace(state, disabled=True, sessions={}, tokens={}, links={})
            return replace(ended, keyring=Keyring(), devices=devices.NONE)
        case MembershipGranted():
            return replace(state, memberships=memberships.granted(state.memberships, event, at))
        case MembershipEnded(client=client, lead=lead):
            return without(state, client, at, lead)
        case LeadNamed(client=client) | LeadEnded(client=client):
            leads = isinstance(event, LeadNamed)
            return replace(state, memberships=memberships.changed(state.memberships, (client,), lead=leads))
        case _ if isinstance(event, TokenEvent):
            return replace(state, tokens=tokens.evolve(state.tokens, event, at))
        case _ if isinstance(event, PasskeyEvent):
            return _with_keys(state, event, at)
        case _ if isinstance(event, AddressEvent):
            return _with_address(state, event, at)
        case NoticesChosen():
            return replace(state, notices=notices.evolve(state.notices, event, at))
        case _ if isinstance(event, ForYouEvent):
            return replace(state, desk=for_you.evolve(state.desk, event, at))
        case _ if isinstance(event, DeviceEvent):
            return replace(state, devices=devices.evolve(state.devices, event, at), sessions=_of_a_device(state, event))
        case _:
            assert_never(event)


def _with_keys(state: Person, event: PasskeyEvent, at: datetime) -> Person:
    """Return the person after an event of their passkeys; a session in which one was added is vouched for by it."""
    keyring, sessions = passkeys.evolve(state.keyring, event, state.clients, at), state.sessions
    if isinstance(event, PasskeyAdded) and event.session in sessions:
        vouched = msgspec.structs.replace(sessions[event.session], passkey=event.passkey)
        sessions = {**sessions, vouched.id: vouched}
    return msgspec.structs.replace(state, keyring=keyring, sessions=sessions)


def _with_address(state: Person, event: AddressEvent, at: datetime) -> Person:
    """Return the person after an event of their address; links mailed to the old one open nothing any more."""
    replace = msgspec.structs.replace
    changed = replace(state, address_changes=addresses.evolve(state.address_changes, event, state.clients, at))
    if not isinstance(event, AddressChanged):
        return changed
    about = (state.clients if event.clients is None else event.clients) if state.viewer else ()
    first = next(iter(state.memberships), None)
    return replace(
        changed,
        email=event.new if first is None or first in about else state.email,
        memberships=memberships.changed(state.memberships, about, email=event.new),
        links={k: x for k, x in state.links.items() if x.used or (state.viewer and not set(x.clients) & set(about))},
    )


def _first_membership(event: PersonInvited, at: datetime) -> dict[ClientId, Membership]:
    if event.client is None:
        return {}
    first = Membership(
        client=event.client, name=event.name, email=event.email, invited_by=event.lead, provider=event.provider,
        invited_at=at,
    )  # fmt: skip
    return {event.client: first}


def _of_a_device(state: Person, event: DeviceEvent) -> dict[str, Session]:
    """Return the sessions of the person; one may have become that of a device."""
    session = state.sessions.get(event.session) if isinstance(event, DeviceKept) else None
    if session is None or not isinstance(event, DeviceKept):
        return state.sessions
    return {**state.sessions, session.id: msgspec.structs.replace(session, kept=event.device)}


def _begun(state: Person, event: SessionStarted, at: datetime) -> Person:
    """Return the person with a session more, and without those of the same device that have run out.

    A wall display's is not that of its person, who need not be there.
    """
    opens = state.clients if event.clients is None else event.clients
    new = Session(
        id=event.session, hash=event.hash, expires=event.expires, started=at, device=event.device, via=event.via,
        clients=opens, passkey=event.passkey, kept=event.kept, provider=event.provider, setup=event.setup,
    )  # fmt: skip
    over = [one.id for one in state.sessions.values() if event.kept and one.kept == event.kept and one.expires <= at]
    sessions = {key: one for key, one in state.sessions.items() if key not in over} | {new.id: new}
    state = msgspec.structs.replace(state, sessions=sessions, devices=devices.evolve(state.devices, event, at))
    if event.kept in state.devices.kept and state.devices.kept[event.kept].display:
        return state
    known = memberships.came_in(state.memberships, opens, at)
    return msgspec.structs.replace(state, signed_in=at, memberships=known)


def _meant(state: Person, client: ClientId | None) -> tuple[ClientId, ...]:
    """Return the client that is named, or all the person is a viewer of."""
    return state.clients if client is None else (client,)


def without(state: Person, client: ClientId, at: datetime | None = None, lead: PersonId | None = None) -> Person:
    """Return the person without their membership of a client, ended at `at` (UTC) by `lead` of the client, if by one.

    What opened that client alone is gone.
    """
    replace = msgspec.structs.replace
    if client not in state.memberships:
        return state
    links = {k: replace(x, clients=_less(x.clients, client)) for k, x in state.links.items() if x.clients != (client,)}
    sessions = {k: replace(x, clients=_less(x.clients, client)) for k, x in state.sessions.items()}
    return replace(
        state, links=links, sessions={k: x for k, x in sessions.items() if x.clients},
        keyring=passkeys.without(state.keyring, client),
        devices=state.devices.less(client, at),
        memberships=memberships.changed(
            state.memberships, (client,), ended=True, digest="off", lead=False, ended_by=lead
        ),
    )  # fmt: skip


def without_sessions(state: Person, provider: str, holds: Callable[[int], bool]) -> Person:
    """Return the person without the sessions that a provider made by setups which no longer hold."""
    left = {key: one for key, one in state.sessions.items() if one.provider != provider or holds(one.setup)}
    return state if len(left) == len(state.sessions) else msgspec.structs.replace(state, sessions=left)


def _less(clients: tuple[ClientId, ...], client: ClientId) -> tuple[ClientId, ...]:
    return tuple(one for one in clients if one != client)


# commands


class InvitePerson(Command, frozen=True, kw_only=True):
    person: PersonId
    name: str
    email: str
    role: Role
    client: ClientId | None = None
    projects: tuple[ProjectId, ...] | None = None
    lead: PersonId | None = None  # who of the client invites them
    provider: str = ""  # of the client, by which they join uninvited


class AssignProjects(Command, frozen=True, kw_only=True):
    """Say which projects a manager manages; None: all."""

    person: PersonId
    projects: tuple[ProjectId, ...] | None


class ChangeRole(Command, frozen=True, kw_only=True):
    """Make somebody of the organisation something else of it: a manager of all projects or some, auditor or admin."""

    person: PersonId
    role: Role
    projects: tuple[ProjectId, ...] | None = None


class ChooseLanguage(Command, frozen=True, kw_only=True):
    """Have one's own pages in a language (BCP 47); "": in the one the browser asks for."""

    person: PersonId
    language: str


class DisablePerson(Command, frozen=True, kw_only=True):
    person: PersonId
    reason: str


class ErasePerson(Command, frozen=True, kw_only=True):
    """Destroy the name, address and sign-ins of a person for ever; the reason must not name them."""

    person: PersonId
    reason: str


PersonCommand = (
    InvitePerson | AssignProjects | ChangeRole | IssueLink | UseLink | StartSession | EndSession
    | DisablePerson | ChooseDigest | QueueMail | SettleMail | GrantMembership | EndMembership
    | NameLead | EndLead | TokenCommand | PasskeyCommand | AddressCommand | ChooseLanguage | ForYouCommand
    | ChooseNotices | DeviceCommand
)  # fmt: skip


def decide_erasure(state: Person | None, command: ErasePerson) -> list[PersonErased]:
    """Return the event that erases a person.

    Raises: Unknown when they are erased already or were never invited, Invalid when the reason names them.
    """
    if state is None:
        raise Unknown(_("There is no such person, or they have been erased already."), "person")
    reason = check.text("reason", command.reason, required=True)
    if names_somebody(reason, state.names, {*state.addresses, *state.address_changes.former}):
        raise Invalid(_("The reason names the person, and it is kept for ever. Say why without their name."), "reason")
    clients = tuple(state.memberships)
    first = clients[0] if clients else None
    return [PersonErased(person=state.id, role=state.role, client=first, clients=clients, reason=reason)]


def decide(state: Person | None, command: PersonCommand, now: datetime, *, taken: bool = False) -> list[PersonEvent]:
    """Return the events that carry out `command` at `now` (UTC); `taken`: somebody else has the address it asks for.

    Raises: a kind of Refused.
    """
    if isinstance(command, InvitePerson):
        return [_invite(state, command)]
    if state is None:
        raise Unknown(_("There is no such person. Invite them first."))
    if state.disabled:
        raise Conflict(_("This person's access has been ended. Invite them again under a new id."))
    match command:
        case IssueLink():
            return list(sign_ins.issue(state, command, now))
        case UseLink():
            return list(sign_ins.use(state, command, now))
        case StartSession():
            return [sign_ins.vouched(state, command, now)]
        case AssignProjects(projects=projects):
            if state.role != "manager":
                raise Invalid(
                    _("Projects are assigned to managers; {name} is {role}.", name=state.name, role=state.role),
                    "person",
                )
            return [] if projects == state.projects else [ProjectsAssigned(projects=projects)]
        case ChangeRole():
            return list(_change_role(state, command))
        case ChooseDigest(cadence=cadence, since=since, client=client):
            same = all(state.digest(one) == cadence for one in _meant(state, client))
            return [] if same else [DigestChosen(cadence=cadence, since=since, client=client)]
        case ChooseLanguage(language=language):
            chosen = check.language("language", language) if language else ""
            return [] if chosen == state.language else [LanguageChosen(language=chosen)]
        case QueueMail():
            before = mails.Before(digested=state.digested, told=state.notices.told)
            return list(mails.queue(state.mails, before, command, now))
        case SettleMail():
            return list(mails.settle(state.mails, command))
        case EndSession():
            return list(_end_session(state, command))
        case DisablePerson(reason=reason):
            ended: list[PersonEvent] = [SessionEnded(session=key, cause="disabled") for key in state.sessions]
            return [*ended, PersonDisabled(reason=check.text("reason", reason, required=True))]
        case GrantMembership():
            if state.role != "viewer":
                raise Invalid(_("Only viewers belong to clients; {name} is {role}.", name=state.name, role=state.role))
            return list(memberships.grant(state.memberships, command))
        case EndMembership():
            return list(memberships.end(state.memberships, command))
        case _ if isinstance(command, TokenCommand):
            return list(tokens.decide(state.tokens, command, now))
        case _ if isinstance(command, PasskeyCommand):
            return list(passkeys.decide(state, command, now))
        case _ if isinstance(command, AddressCommand):
            return list(addresses.decide(state, command, now, taken=taken))
        case ChooseNotices():
            return list(notices.choose(state.notices, command, viewer=state.viewer))
        case NameLead() | EndLead():
            return list(memberships.lead(state.memberships, command))
        case _ if isinstance(command, ForYouCommand):
            return list(for_you.decide(state.desk, command, now))
        case _ if isinstance(command, DeviceCommand):
            return list(devices.decide(state, command, now))
        case _:
            assert_never(command)


def _end_session(state: Person, command: EndSession) -> list[devices.Decided]:
    """Return what ends a session, with the device it is of: that would begin another at once."""
    session, cause = state.sessions.get(command.session), command.cause
    if session is None:
        return []
    if session.kept in state.devices.kept and cause in ("ended", "signed_out"):
        return devices.end(state, session.kept, cause)
    return [SessionEnded(session=session.id, cause=cause)]


def _change_role(state: Person, command: ChangeRole) -> list[RoleChanged]:
    if state.viewer or command.role == "viewer":
        told = _("Viewers belong to clients and to nobody else. Invite them under another address for another role.")
        raise Invalid(told, "role")
    projects = command.projects if command.role == "manager" else None
    same = (command.role, projects) == (state.role, state.projects)
    return [] if same else [RoleChanged(role=command.role, projects=projects)]


def _invite(state: Person | None, command: InvitePerson) -> PersonInvited:
    if state is not None:
        raise Conflict(_("A person with this id exists already. Use a new id."), "person")
    if (command.role == "viewer") != (command.client is not None):
        problem = _("A viewer is invited for one client at a time, and nobody else for any")
        raise Invalid(_("{told}. Choose a client for a viewer, none for others.", told=problem), "client")
    email = check.address("email", command.email)
    return PersonInvited(
        person=PersonId(check.identifier("person", command.person)),
        name=check.line("name", command.name),
        email=email,
        role=command.role,
        client=command.client,
        projects=command.projects if command.role == "manager" else None,
        lead=command.lead if command.client is not None else None,
        provider=command.provider if command.client is not None else "",
    )
