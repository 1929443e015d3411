"""Who has access: the organisation by name, and all that is recorded of it, its clients and its people."""

from domain import check
from domain.message import Command, Event
from domain.people import devices
from domain.people.clients import ClientCommand, ClientEvent
from domain.people.person import ErasePerson, PersonCommand, PersonErased, PersonEvent

# events


class OrganisationNamed(Event, frozen=True, kw_only=True):
    name: str


class DeviceDaysSet(Event, frozen=True, kw_only=True):
    """For how many days a device may stay signed in from now on, at most; 0: none may."""

    days: int


AccessEvent = OrganisationNamed | DeviceDaysSet | ClientEvent | PersonErased | PersonEvent

# commands


class NameOrganisation(Command, frozen=True, kw_only=True):
    name: str


class SetDeviceDays(Command, frozen=True, kw_only=True):
    """Say for how many days a device may stay signed in, at most; 0: none may. It holds for devices kept already."""

    days: int


AccessCommand = NameOrganisation | SetDeviceDays | ClientCommand | ErasePerson | PersonCommand


def decide_organisation(name: str | None, command: NameOrganisation) -> list[OrganisationNamed]:
    """Return the event that names the organisation; none when it has that name already."""
    new = check.line("name", command.name)
    return [] if new == name else [OrganisationNamed(name=new)]


def decide_device_days(days: int, command: SetDeviceDays) -> list[DeviceDaysSet]:
    """Return the event that sets for how many days a device may stay signed in; none where it is so already.

    Raises: Invalid.
    """
    new = devices.checked_days(command.days)
    return [] if new == days else [DeviceDaysSet(days=new)]
