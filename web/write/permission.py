"""Who may carry out which command (the table in docs/spec.md 2.3)."""

import msgspec

from domain.agreement.answers import Acknowledge, AnswerConcern, MakeComment, RaiseConcern
from domain.agreement.share import DraftShare, ExpireShare, ReleaseDue, ReleaseHeld, ShareCommand
from domain.commands import AnyCommand
from domain.errors import Denied
from domain.events import tag
from domain.ids import ClientId, PersonId, ProjectId
from domain.language import gettext as _
from domain.people import clients, mails
from domain.people.addresses import AskAddressChange, ConfirmAddress, WithdrawAddressChange
from domain.people.clients import ClientCommand
from domain.people.devices import CREDENTIALED, EndDevice, OfferDisplay, RenameDevice
from domain.people.for_you import ForYouCommand
from domain.people.memberships import EndLead, EndMembership, NameLead
from domain.people.passkeys import (
    CEREMONY,
    AskPasskeyReplacement,
    ConfirmPasskeyReplacement,
    RemovePasskey,
)
from domain.people.person import ChooseLanguage, DisablePerson, InvitePerson, Person, Role
from domain.people.providers import ProviderCommand
from domain.people.sign_ins import EndSession, IssueLink, UseLink
from domain.people.tokens import CHANGE, IssueToken, RevokeToken, UseToken
from domain.plan.health import LapseOverrides
from domain.plan.project import ChangeTogether, DescribeProject, ProjectCommand
from domain.plan.risks import AskClientView, ScoreAsClient
from domain.plan.schedule import EndDay
from domain.plan.sources.commands import FailSource, RecoverSource
from domain.plan.sources.pulls import TakePull
from domain.telling.channels import AddChannel, AllowChannelContent, ChannelCommand, QueueMessage, SettleMessage
from domain.telling.notices import ChooseNotices
from projections.events.world import World
from web.write import leads
from web.write.colleagues import permit_on_list
from web.write.viewers import owners, theirs, theirs_alone


class Actor(msgspec.Struct, frozen=True):
    """Who sends a command. The system and the operator of the installation act as admin."""

    person: PersonId
    role: Role
    clients: tuple[ClientId, ...] = ()  # whose shares a viewer may answer
    scopes: tuple[str, ...] | None = None  # of a token; None: whatever the person may
    projects: tuple[ProjectId, ...] | None = None  # that a token is for; None: all of theirs


SYSTEM = Actor(PersonId("system"), "admin")
OPERATOR = Actor(PersonId("operator"), "admin")


def permit(actor: Actor, command: AnyCommand, world: World) -> None:
    """Return only when the actor may carry out the command.

    Raises: Denied.
    """
    actor = _as_recorded(actor, world)
    if actor != OPERATOR and _of_ourselves(actor, command):
        raise Denied(_("This is done on the pages of whom it is about, and is not sent as a command."))
    if not _covered(actor, command, world):
        raise Denied(_("This token does not cover {tag}. Make one that does, at /me.", tag=tag(command)))
    if actor.role == "admin":
        return
    own = (
        EndSession | EndDevice | RenameDevice | UseLink | RevokeToken | mails.ChooseDigest | AskAddressChange
        | WithdrawAddressChange | AskPasskeyReplacement | ChooseLanguage
    )  # fmt: skip
    if isinstance(command, own) and command.person == actor.person:
        return
    if isinstance(command, ChooseNotices) and actor.role == "manager" and command.person == actor.person:
        return
    if isinstance(command, IssueToken) and _own_token(actor, command, world):
        return
    if isinstance(command, ForYouCommand) and actor.role == "manager" and command.person == actor.person:
        permit_on_list(world, command)
        return
    if actor.role == "viewer" and _for_viewers(actor, command, world):
        return
    if (
        actor.role == "manager"
        and _for_managers(command, world)
        and _among_theirs(actor, command, world)
        and _in_own_name(actor, command)
    ):
        return
    message = _(
        "Your role, {role}, does not cover {tag}. Ask an admin of your organisation.", role=actor.role, tag=tag(command)
    )
    raise Denied(message)


def _of_ourselves(actor: Actor, command: AnyCommand) -> bool:
    """Return whether a command records what was verified beforehand, or is another's own to send."""
    match command:
        case _ if isinstance(command, CEREMONY | CREDENTIALED):
            return True
        case ConfirmAddress() | UseToken() | RemovePasskey(cause="removed"):
            return True
        case AskAddressChange() | WithdrawAddressChange() | AskPasskeyReplacement() | RenameDevice():
            return command.person != actor.person
        case ConfirmPasskeyReplacement(person=person):
            return person == actor.person
        case _:
            return False


def _covered(actor: Actor, command: AnyCommand, world: World) -> bool:
    """Return whether a token covers a command: one that names its scopes changes projects and shares, and no people."""
    if actor.scopes is None and actor.projects is None:
        return True
    if actor.scopes is not None and CHANGE not in actor.scopes:
        return False
    match command:
        case _ if isinstance(command, ProjectCommand):
            about = command.project
        case DraftShare(project=project):
            about = project
        case _ if isinstance(command, ShareCommand):
            share = world.shares.get(command.share)
            if share is None:
                return actor.projects is None
            about = share.project
        case _:
            return False
    return actor.projects is None or about in actor.projects


def _own_token(actor: Actor, command: IssueToken, world: World) -> bool:
    """Return whether somebody of the organisation makes a token of their own that says what it covers."""
    person = world.people.get(actor.person)
    if person is None or person.viewer or command.person != person.id or command.scopes is None:
        return False
    return command.projects is None or all(person.manages(project) for project in command.projects)


def _as_recorded(actor: Actor, world: World) -> Actor:
    """Return the actor with the role that is recorded, which may have changed since they were asked who they are."""
    known = world.people.get(actor.person) if actor not in (SYSTEM, OPERATOR) else None
    return actor if known is None or known.role == actor.role else msgspec.structs.replace(actor, role=known.role)


def _for_viewers(actor: Actor, command: AnyCommand, world: World) -> bool:
    """Return whether a viewer may: for a client of theirs, in their own name, on what was shared with it."""
    if isinstance(command, ScoreAsClient):
        return command.client in actor.clients and command.by == actor.person
    if isinstance(command, InvitePerson | EndMembership):
        lead = world.people.get(actor.person)
        there = lead is not None and command.client in actor.clients
        return there and lead is not None and leads.refusal(world, lead, command) is None
    if isinstance(command, OfferDisplay):
        return command.client in actor.clients and command.person == actor.person
    if not isinstance(command, MakeComment | RaiseConcern | Acknowledge):
        return False
    share = world.shares.get(command.share)
    theirs = share is not None and share.client in actor.clients and command.by == actor.person
    return theirs and (not isinstance(command, MakeComment) or command.side == "theirs")


def _among_theirs(actor: Actor, command: AnyCommand, world: World) -> bool:
    """Return whether a command is about the manager's projects, or shares of them; an unrestricted manager has all."""
    person = world.people.get(actor.person)
    if person is None or person.projects is None:
        return True
    if isinstance(command, ProjectCommand):
        return person.manages(command.project) and _names_theirs(person, command, world)
    if isinstance(command, DraftShare):
        return person.manages(command.project) and _is(world, command.client) and theirs(world, person, command.client)
    if isinstance(command, ShareCommand):
        share = world.shares.get(command.share)
        return share is not None and person.manages(share.project)
    if isinstance(command, ChannelCommand):
        return person.manages(_told_of(command, world) or ProjectId(""))
    return _among_their_clients(person, command, world)


def _told_of(command: ChannelCommand, world: World) -> ProjectId | None:
    """Return the project that a channel is told of, None where there is none."""
    if isinstance(command, AddChannel):
        return command.project if command.project in world.projects else None
    channel = world.channels.get(command.channel)
    return channel.project if channel else None


def _names_theirs(person: Person, command: ProjectCommand, world: World) -> bool:
    """Return whether a command on a manager's project names only people and clients they may know of.

    Threat: another answer, or a name on the next page, for an id that exists than for one that does not.
    """
    match command:
        case ChangeTogether(commands=parts):
            return all(_names_theirs(person, part, world) for part in parts)
        case DescribeProject(project=key, owner=owner):
            project = world.projects.get(key)
            return project is None or owner in {one.id for one in owners(world, person, project)}
        case AskClientView(project=key, client=client):
            return _shown(world, key, client)
        case ScoreAsClient(project=key, client=client, by=by):
            return _shown(world, key, client) and _knows(world, by, client)
        case _:
            return True


def _shown(world: World, project: ProjectId, client: ClientId) -> bool:
    """Return whether a project is or was shared with a client."""
    return client in {share.client for share in world.shares_of_project(project)}


def _is(world: World, client: ClientId) -> bool:
    """Return whether there is a client; what names none is denied like what names one that is not theirs."""
    return client in world.clients


def _among_their_clients(person: Person, command: AnyCommand, world: World) -> bool:
    """Return whether a manager may do this to a client or its people.

    To let people in or to change a client, they have to manage every project it is shown; to end access, one of them.
    """
    match command:
        case InvitePerson(client=str() as client):
            return _is(world, ClientId(client)) and theirs_alone(world, person, ClientId(client))
        case IssueLink(person=key, client=client) | mails.QueueMail(person=key, client=client):
            return client is not None and _knows(world, key, client) and theirs_alone(world, person, client)
        case EndMembership(person=key, client=client) | EndLead(person=key, client=client):
            return _knows(world, key, client) and theirs(world, person, client)
        case NameLead(person=key, client=client):
            return _knows(world, key, client) and theirs_alone(world, person, client)
        case EndSession(person=key, session=session):
            viewer = world.people.get(key)
            opened = viewer.sessions.get(session) if viewer else None
            among = opened.clients if opened else viewer.clients if viewer else ()
            return any(theirs(world, person, client) for client in among)
        case EndDevice(person=key, device=device):
            found = world.device(device)
            return found is not None and found[0].id == key and any(theirs(world, person, c) for c in found[1].clients)
        case DisablePerson():
            return False  # it would end what they are to other clients
        case (
            clients.EndClient(client=client)
            | clients.SetMailDomains(client=client)
            | clients.SetClientDeviceDays(client=client)
        ):
            return _is(world, client) and theirs_alone(world, person, client)
        case _:
            return True


def _knows(world: World, person: PersonId, client: ClientId) -> bool:
    """Return whether a client's side knows somebody; who is no viewer of it is answered like nobody."""
    viewer = world.people.get(person)
    return viewer is not None and viewer.known_to(client) is not None


def _in_own_name(actor: Actor, command: AnyCommand) -> bool:
    """Return whether a comment, answer or release names its sender as its author; True for other commands."""
    return not isinstance(command, MakeComment | AnswerConcern | ReleaseHeld) or command.by == actor.person


def _for_managers(command: AnyCommand, world: World) -> bool:
    """Return whether managers may send this command, whatever project or client it is about."""
    match command:
        case LapseOverrides() | EndDay() | ExpireShare() | ReleaseDue() | RaiseConcern() | Acknowledge():
            return False
        case TakePull() | FailSource() | RecoverSource():
            return False  # what a source said is for the machinery to say
        case ScoreAsClient(
            share=share, screen=screen
        ):  # scored in a meeting: then it names no screen of the client's page
            return not share and not screen.n
        case MakeComment(side=side):
            return side == "ours"
        case ChangeTogether(commands=parts):
            return all(_for_managers(part, world) for part in parts)
        case InvitePerson(role=role):
            return role == "viewer"
        case _ if isinstance(command, ProviderCommand):
            return False  # whoever sets one says who comes in
        case AllowChannelContent() | SettleMessage():
            return False
        case QueueMessage(news=news):  # to try it; what was told is for the machinery to say
            return not news
        case mails.QueueMail(
            kind="digest" | "link" | "address" | "passkey" | "notice" | "device" | "copied"
        ):  # or a manager could have a mail count as sent that never was
            return False
        case (
            IssueLink(person=person) | DisablePerson(person=person) | mails.QueueMail(person=person)
            | EndSession(person=person) | EndMembership(person=person) | NameLead(person=person)
            | EndLead(person=person) | EndDevice(person=person)
        ):  # fmt: skip
            return person in world.people and world.people[person].role == "viewer"
        case _:
            return isinstance(command, ProjectCommand | ShareCommand | ClientCommand | ChannelCommand)
