"""Who has access: the organisation by name, and all that is recorded of its clients, people and channels."""

from domain import check
from domain.message import Command, Event
from domain.people.clients import ClientCommand, ClientEvent
from domain.people.person import ErasePerson, PersonCommand, PersonErased, PersonEvent
from domain.telling.channels import ChannelCommand, ChannelEvent

# events


class OrganisationNamed(Event, frozen=True, kw_only=True):
    name: str


AccessEvent = OrganisationNamed | ClientEvent | ChannelEvent | PersonErased | PersonEvent

# commands


class NameOrganisation(Command, frozen=True, kw_only=True):
    name: str


AccessCommand = NameOrganisation | ClientCommand | ChannelCommand | ErasePerson | PersonCommand


def decide_organisation(name: str | None, command: NameOrganisation) -> list[OrganisationNamed]:
    """Return the event that names the organisation; none when it has that name already."""
    new = check.line("name", command.name)
    return [] if new == name else [OrganisationNamed(name=new)]
