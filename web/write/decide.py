"""Dispatches a command to the part of the domain that decides it, and names the stream its events belong to."""

from datetime import datetime
from typing import assert_never

from domain.agreement import share
from domain.agreement.share import DraftShare, ShareCommand
from domain.commands import AnyCommand
from domain.errors import Conflict, Invalid, Unknown
from domain.events import AnyEvent
from domain.ids import ClientId, PersonId
from domain.language import gettext as _
from domain.people import brand, clients
from domain.people import person as person_stream
from domain.people import rules as organisation_rules
from domain.people.addresses import AskAddressChange, ConfirmAddress, known_by
from domain.people.brand import BrandCommand
from domain.people.clients import Client, ClientCommand
from domain.people.devices import OfferDisplay
from domain.people.for_you import ForYouCommand
from domain.people.memberships import GrantMembership, NameLead
from domain.people.passkeys import AddPasskey
from domain.people.person import AssignProjects, ChangeRole, ErasePerson, InvitePerson, PersonCommand
from domain.people.providers import SetProvider, UseProvider
from domain.people.rules import RuleCommand
from domain.people.tokens import IssueToken
from domain.plan import project
from domain.plan.project import ProjectCommand
from domain.plan.putting_back import PutBack
from domain.plan.risks import AskClientView, ScoreAsClient
from domain.telling import channels
from domain.telling.channels import AddChannel, ChannelCommand
from projections.events.world import World
from web.write.colleagues import check_on_list


def stream_of(command: AnyCommand) -> str:
    """Return the name of the stream that a command is decided on."""
    match command:
        case _ if isinstance(command, BrandCommand | RuleCommand):
            return "organisation"
        case _ if isinstance(command, ClientCommand):
            return f"client-{command.client}"
        case _ if isinstance(command, ChannelCommand):
            return f"channel-{command.channel}"
        case ErasePerson(person=person):
            return f"erasure-{person}"
        case _ if isinstance(command, PersonCommand):
            return f"person-{command.person}"
        case _ if isinstance(command, ShareCommand):
            return f"share-{command.share}"
        case _ if isinstance(command, ProjectCommand):
            return f"project-{command.project}"
        case _:
            assert_never(command)


def decide(world: World, command: AnyCommand, now: datetime) -> list[AnyEvent]:
    """Return the events of `command`, decided on `world` at `now` (UTC).

    Raises: a kind of Refused.
    """
    match command:
        case _ if isinstance(command, BrandCommand):
            return list(brand.decide(world.brand, command))
        case _ if isinstance(command, RuleCommand):
            return list(organisation_rules.decide(world.rules, command))
        case _ if isinstance(command, ClientCommand):
            return list(clients.decide(world.clients.get(command.client), command))
        case _ if isinstance(command, ChannelCommand):
            return list(channels.decide(world.channels.get(command.channel), command))
        case ErasePerson(person=person):
            return list(person_stream.decide_erasure(world.people.get(person), command))
        case _ if isinstance(command, PersonCommand):
            taken = isinstance(command, ConfirmAddress) and _taken(world, command)
            return list(person_stream.decide(world.people.get(command.person), command, now, taken=taken))
        case _ if isinstance(command, ShareCommand):
            return list(share.decide(world.shares.get(command.share), command, now, world.held(command.share).facts))
        case _ if isinstance(command, ProjectCommand):
            changes = world.latest_changes(command.project) if isinstance(command, PutBack) else ()
            return list(project.decide(world.projects.get(command.project), command, now, changes))
        case _:
            assert_never(command)


def check_references(world: World, command: AnyCommand) -> None:
    """Refuse a command that names a project, client or person that does not exist or has ended.

    Raises: Unknown, Conflict, Invalid.
    """
    match command:
        case DraftShare(project=key, client=client):
            if key not in world.projects:
                raise Unknown(_("There is no such project to share."), "project")
            if _known_client(world, client).ended_at is not None:
                raise Conflict(_("Everything with this client has ended. Register it again under a new id."), "client")
        case InvitePerson(person=person) if person in world.erased:
            raise Conflict(_("Somebody with this id was erased. Use a new id."), "person")
        case InvitePerson(client=str() as client, email=email):
            clients.invitable(_known_client(world, ClientId(client)), email)
        case ChangeRole(person=person, role=role) if role != "admin" and _last_admin(world, person):
            raise Conflict(_("Somebody has to be an admin. Make somebody else one first."), "role")
        case (
            InvitePerson(projects=tuple() as projects) | AssignProjects(projects=tuple() as projects)
            | ChangeRole(projects=tuple() as projects) | IssueToken(projects=tuple() as projects)
        ):  # fmt: skip
            if missing := [key for key in projects if key not in world.projects]:
                raise Unknown(_("There is no project {missing}. Leave it out.", missing=missing[0]), "projects")
        case AddPasskey(person=person, credential=credential) if credential in world.passkeys:
            if world.passkeys[credential].person != person:
                raise Conflict(_("This passkey cannot be added. Use another one."))
        case AskAddressChange(person=person, old=old, clients=about, new=new) if person in world.people:
            for client in known_by(world.people[person], old, about):
                clients.invitable(_known_client(world, client), new)
        case GrantMembership(client=client, email=email):
            clients.invitable(_known_client(world, client), email)
        case AddChannel(project=key) if key not in world.projects:
            raise Unknown(_("There is no such project to tell of."), "project")
        case NameLead(client=client) if not _known_client(world, client).domains:
            told = _(
                "First say which email domains are those of {name}: a lead invites within them.",
                name=world.client_name(client),
            )
            raise Conflict(told, "domains")
        case SetProvider(client=client, provider=provider, domains=domains):
            _check_domains(world, client, provider, domains)
        case UseProvider(client=client, provider=provider) if (
            known := _known_client(world, client).providers.get(provider)
        ) is not None and known.draft is not None:
            _check_domains(world, client, provider, known.draft.domains)
        case _ if isinstance(command, ForYouCommand):
            check_on_list(world, command)
        case OfferDisplay(share=key, client=client):
            shown = world.shares.get(key)
            if shown is None or shown.client != client or not shown.active:
                raise Unknown(_("There is no such share in force to put on a wall display."), "share")
        case AskClientView(client=client):
            _known_client(world, client)
        case ScoreAsClient(client=client, by=by):
            _known_client(world, client)
            if (scorer := world.people.get(by)) is None or scorer.known_to(client) is None:
                raise Invalid(_("This person is not of that client. Choose somebody who is."), "by")
        case _:
            pass


def _taken(world: World, command: ConfirmAddress) -> bool:
    """Return whether somebody else comes in by the address that a person asks for."""
    person = world.people.get(command.person)
    asked = person.address_changes.asked if person is not None else None
    others = world.addressed(asked.new) if asked is not None else []
    return any(one.id != command.person and one.comes_in for one in others)


def _check_domains(world: World, client: ClientId, provider: str, domains: tuple[str, ...]) -> None:
    """Refuse email domains that another provider in use vouches for: who comes by one domain is led to one provider."""
    there = world.provider(provider)
    if there is not None and there[0] != client:
        raise Conflict(_("There is an identity provider by this id already. Use a new id."), "provider")
    for domain in domains:
        taken = world.provider_for(f"x@{domain.strip().removeprefix('@')}")
        if taken is not None and taken[1].id != provider:
            told = _(
                "{domain} is vouched for by the identity provider of {client}. Take it away there first.",
                domain=domain,
                client=world.client_name(taken[0]),
            )
            raise Conflict(told, "domains")


def _last_admin(world: World, person: PersonId) -> bool:
    """Return whether somebody is the only admin who comes in."""
    return [p.id for p in world.colleagues() if p.role == "admin" and p.comes_in] == [person]


def _known_client(world: World, client: ClientId) -> Client:
    if client not in world.clients:
        raise Unknown(_("There is no such client. Register it first."), "client")
    return world.clients[client]
