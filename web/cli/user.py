"""`fanlight user`: clients and people, by the operator of the installation."""

from typing import Any

from domain.errors import Unknown
from domain.ids import ClientId, CommandId, ProjectId
from domain.language import gettext as _
from domain.people.access import AssignProjects, DisablePerson, NameOrganisation, Person
from domain.people.clients import RegisterClient
from projections.events.present import CurrentWorld
from projections.events.world import World
from web import clock
from web.identity.credentials import Credentials
from web.ids import new_id
from web.process import open_logs
from web.settings import Settings
from web.write.permission import OPERATOR
from web.write.service import Service


def run(settings: Settings, given: dict[str, Any]) -> int:
    """Carry out one action and print its result."""
    folder = open_logs.logs(settings)
    try:
        present = CurrentWorld(folder.events)
        service = Service(folder.events, present, clock.now)
        people = Credentials(
            service, present, clock.now, link_hours=settings.link_hours, session_hours=settings.session_hours
        )
        _act(settings, given, present.world, service, people)
    finally:
        folder.close()
    return 0


def _act(settings: Settings, given: dict[str, Any], world: World, service: Service, people: Credentials) -> None:
    match given["action"]:
        case "organisation":
            _tell(service, NameOrganisation(name=given["name"]))
        case "client":
            client = ClientId(new_id())
            _tell(service, RegisterClient(client=client, name=given["name"], time_zone=given["time_zone"]))
            print(client)
        case "invite":
            client_id = _client(world, given["client"]) if given["client"] else None
            projects = _projects(world, given["projects"])
            _, secret = people.invite(
                OPERATOR,
                name=given["name"],
                email=given["email"],
                role=given["role"],
                client=client_id,
                projects=projects,
            )
            _print_link(settings, secret)
        case "link":
            _print_link(settings, people.link(OPERATOR, _person(world, given["email"]).id))
        case "token":
            print(people.token(OPERATOR, _person(world, given["email"]).id, given["label"]))
        case "projects":
            projects = _projects(world, given["projects"])
            _tell(service, AssignProjects(person=_person(world, given["email"]).id, projects=projects))
        case "end":
            _tell(service, DisablePerson(person=_person(world, given["email"]).id, reason=given["reason"]))
        case _:
            _list(world)


def _tell(service: Service, command: NameOrganisation | RegisterClient | DisablePerson | AssignProjects) -> None:
    service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))


def _print_link(settings: Settings, secret: str) -> None:
    print(f"{settings.origin}/in/{secret}")
    print(_("Good once, for {link_hours} hours.", link_hours=settings.link_hours))


def _person(world: World, email: str) -> Person:
    found = [p for p in world.people.values() if p.email == email and not p.disabled]
    if not found:
        raise Unknown(_("Nobody with the address {email} has access. `fanlight user list` shows who has.", email=email))
    return found[0]


def _client(world: World, wanted: str) -> ClientId:
    for client in world.clients.values():
        if wanted in (client.id, client.name):
            return client.id
    raise Unknown(_("There is no client {wanted!r}. `fanlight user client NAME` registers one.", wanted=wanted))


def _projects(world: World, wanted: str) -> tuple[ProjectId, ...] | None:
    """Return the projects that are named, by id or title, with commas between; None for "all"."""
    if wanted == "all":
        return None
    found = []
    for name in filter(None, (one.strip() for one in wanted.split(","))):
        fits = [project.id for project in world.projects.values() if name in (project.id, project.title)]
        if len(fits) != 1:
            raise Unknown(
                _("There is no one project {name!r}. Name it by its id, as in its address, or by its title.", name=name)
            )
        found += fits
    return tuple(sorted(set(found)))


def _list(world: World) -> None:
    print(world.organisation or _("(organisation not named)"))
    for client in sorted(world.clients.values(), key=lambda c: c.name):
        print(_("client   {id}  {name}", id=client.id, name=client.name))
    for person in sorted(world.people.values(), key=lambda p: (p.role, p.name)):
        of = _(" of {client_name}", client_name=world.client_name(person.client)) if person.client else ""
        ended = _("  (ended)") if person.disabled else ""
        only = (
            ""
            if person.projects is None
            else _(" of {projects}", projects=", ".join(person.projects) or _("no project"))
        )
        print(f"{person.role:8} {person.id}  {person.name} <{person.email}>{of}{only}{ended}")
