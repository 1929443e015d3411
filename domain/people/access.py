"""Who has access: the organisation by name, and all that is recorded of it, its clients and its people."""

from domain import check
from domain.message import Command, Event
from domain.people.clients import ClientCommand, ClientEvent
from domain.people.person import ErasePerson, PersonCommand, PersonErased, PersonEvent

# events


class OrganisationNamed(Event, frozen=True, kw_only=True):
    name: str


AccessEvent = OrganisationNamed | ClientEvent | PersonErased | PersonEvent

# commands


class NameOrganisation(Command, frozen=True, kw_only=True):
    name: str


AccessCommand = NameOrganisation | ClientCommand | ErasePerson | PersonCommand


def decide_organisation(name: str | None, command: NameOrganisation) -> list[OrganisationNamed]:
    """Return the event that names the organisation; none when it has that name already."""
    new = check.line("name", command.name)
    return [] if new == name else [OrganisationNamed(name=new)]
