"""Which colleagues somebody may hand a line of their list to, or be covered by, and on which lists they may say so.

Rule: somebody who manages some projects is told of no other colleague than those of these projects, as `owners` names
them; whoever does not exist is answered like whoever may not be known.
"""

from domain.errors import Denied, Invalid
from domain.ids import ClientId, PersonId, ProjectId
from domain.language import gettext as _
from domain.people.for_you import EndAbsence, ForYouCommand, HandOverLine, OpenPlace, PutOffLine, SetAbsence
from domain.people.person import Person
from projections.events.world import World
from web.write.viewers import bounded, owners, theirs

LISTED = ("manager", "admin")  # who has a list


def takers(world: World, person: Person, project: ProjectId) -> list[Person]:
    """Return who of those somebody may know of can take a line of a project, by name."""
    known = world.projects.get(project)
    among = owners(world, person, known) if known is not None else []
    return [one for one in among if one.role in LISTED and one.comes_in and one.manages(project)]


def covers(world: World, person: Person) -> list[Person]:
    """Return who of those somebody may know of can cover for them, by name."""
    if bounded(world, person.id) is None:
        every = [one for one in world.colleagues() if one.role in LISTED and one.comes_in]
    else:
        every = list({one.id: one for key in person.projects or () for one in takers(world, person, key)}.values())
    return sorted((one for one in every if one.id != person.id), key=lambda one: (one.name, one.id))


def permit_on_list(world: World, command: ForYouCommand) -> None:
    """Return only when a command names what its person may say of their list.

    Raises: Denied, the same for what does not exist.
    """
    person = world.people.get(command.person)
    if person is None or person.role not in LISTED or not _may(world, person, command):
        raise Denied(_("This is not on a list of yours, or goes to nobody who could take it. Reload the page."))


def check_on_list(world: World, command: ForYouCommand) -> None:
    """Refuse what names somebody or something that does not fit, whoever sends it.

    Raises: Invalid.
    """
    try:
        permit_on_list(world, command)
    except Denied as denied:
        raise Invalid(denied.message, "person") from None


def _may(world: World, person: Person, command: ForYouCommand) -> bool:
    match command:
        case PutOffLine(project=project):
            return project in world.projects and person.manages(project)
        case HandOverLine(project=project, to=to):
            return person.manages(project) and _among(to, takers(world, person, project))
        case SetAbsence(cover=cover):
            return _among(cover, covers(world, person))
        case OpenPlace(place=place):
            kind, _dash, key = place.partition("-")
            if kind == "project":
                return ProjectId(key) in world.projects and person.manages(ProjectId(key))
            return ClientId(key) in world.clients and theirs(world, person, ClientId(key))
        case EndAbsence():
            return True


def _among(person: PersonId, people: list[Person]) -> bool:
    return any(one.id == person for one in people)
