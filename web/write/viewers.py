"""Which membership a command about a viewer means: of the client named, or else the only one its sender may know of.

Rule: what is made of a command of somebody who manages some projects depends on the clients of these alone, so that its
answer tells nothing of other clients a viewer belongs to.
"""

import msgspec

from domain.commands import AnyCommand
from domain.ids import ClientId, PersonId
from domain.people import mails
from domain.people.memberships import EndMembership, GrantMembership
from domain.people.person import DisablePerson, InvitePerson, Person
from domain.people.sign_ins import IssueLink
from domain.plan.project import Project
from projections.events.world import World
from web.ids import new_id


def theirs(world: World, person: Person, client: ClientId) -> bool:
    """Return whether a colleague may know a client: a project they manage is shared with it, or none is."""
    projects = [share.project for share in world.all_of_client(client)]
    return person.projects is None or not projects or any(person.manages(project) for project in projects)


def theirs_alone(world: World, person: Person, client: ClientId) -> bool:
    """Return whether a colleague manages every project that is shared with a client."""
    return all(person.manages(share.project) for share in world.all_of_client(client))


def bounded(world: World, person: PersonId) -> Person | None:
    """Return somebody who manages some projects only; None for everybody else, who may know of every client."""
    colleague = world.people.get(person)
    if colleague is None or colleague.role != "manager" or colleague.projects is None:
        return None
    return colleague


def owners(world: World, person: Person, project: Project) -> list[Person]:
    """Return whom a colleague may make the owner of a project, by name: of all projects, or those who may know of it.

    Somebody who manages some projects is told of themselves, the owner, and those to whom the project is assigned.
    """
    staff = sorted((x for x in world.colleagues() if x.role in ("manager", "admin")), key=lambda x: x.name)
    there = [x for x in staff if not x.disabled or x.id == project.owner]
    if bounded(world, person.id) is None:
        return there
    return [
        x for x in there if x.id in (person.id, project.owner) or (x.projects is not None and project.id in x.projects)
    ]


def meant(world: World, sender: PersonId, command: AnyCommand) -> AnyCommand:
    """Return a command with the client it means, where its sender manages some projects and named none."""
    manager = bounded(world, sender)
    if manager is None:
        return command
    match command:
        case IssueLink(person=person, client=None) | mails.QueueMail(person=person, kind="invitation", client=None):
            among = [client for client in _clients(world, person) if theirs_alone(world, manager, client)]
            return msgspec.structs.replace(command, client=among[0]) if len(among) == 1 else command
        case DisablePerson(person=person, reason=reason):
            among = [client for client in _clients(world, person) if theirs(world, manager, client)]
            return EndMembership(person=person, client=among[0], reason=reason) if len(among) == 1 else command
        case _:
            return command


def _clients(world: World, person: PersonId) -> tuple[ClientId, ...]:
    viewer = world.people.get(person)
    return viewer.clients if viewer is not None else ()


def invited(world: World, sender: PersonId, command: AnyCommand) -> AnyCommand:
    """Return the command that lets a viewer in: a membership more for whoever is a viewer by that address already.

    Threat: an id chosen by the sender and not used would tell that the address was known. Somebody who manages some
    projects chooses none.
    """
    if isinstance(command, InvitePerson | GrantMembership | EndMembership):
        command = _in_whose_name(world, sender, command)
    client = command.client if isinstance(command, InvitePerson) and command.role == "viewer" else None
    if not isinstance(command, InvitePerson) or client is None:
        return command
    if bounded(world, sender) is not None or command.lead is not None:
        command = msgspec.structs.replace(command, person=PersonId(new_id()))
    known = world.known_viewer(command.email)
    if known is None or client in known.clients or command.person in world.people:
        return command
    return GrantMembership(
        person=known.id, client=client, name=command.name, email=command.email, lead=command.lead,
        provider=command.provider,
    )  # fmt: skip


def _in_whose_name(
    world: World, sender: PersonId, command: InvitePerson | GrantMembership | EndMembership
) -> InvitePerson | GrantMembership | EndMembership:
    """Return a command with the lead who sends it, whoever it named: nobody acts in the name of a client but its own.

    By which provider somebody joined is for this installation alone to say.
    """
    person = world.people.get(sender)
    lead = sender if person is not None and person.viewer else None
    if isinstance(command, EndMembership):
        return msgspec.structs.replace(command, lead=lead)
    return msgspec.structs.replace(command, lead=lead, provider=command.provider if sender == "system" else "")
