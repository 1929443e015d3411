"""Who has access: the organisation by name, and all that is recorded of it, its clients and its people."""

from domain import check
from domain.message import Command, Event
from domain.people.clients import ClientCommand, ClientEvent
from domain.people.person import ErasePerson, PersonCommand, PersonErased, PersonEvent

# events


class OrganisationNamed(Event, frozen=True, kw_only=True):
    name: str


class PasskeysRequired(Event, frozen=True, kw_only=True):
    """Whether the organisation's own people go nowhere before they have used a passkey."""

    required: bool


OrganisationEvent = OrganisationNamed | PasskeysRequired
AccessEvent = OrganisationEvent | ClientEvent | PersonErased | PersonEvent

# commands


class NameOrganisation(Command, frozen=True, kw_only=True):
    name: str


class RequirePasskeys(Command, frozen=True, kw_only=True):
    required: bool


OrganisationCommand = NameOrganisation | RequirePasskeys
AccessCommand = OrganisationCommand | ClientCommand | ErasePerson | PersonCommand


def decide_organisation(
    name: str | None, command: OrganisationCommand, *, required: bool = False
) -> list[OrganisationEvent]:
    """Return the event that changes what holds for the organisation; none when it holds already.

    `name`: its name, None for none; `required`: whether its people need a passkey.
    """
    if isinstance(command, RequirePasskeys):
        return [] if command.required == required else [PasskeysRequired(required=command.required)]
    new = check.line("name", command.name)
    return [] if new == name else [OrganisationNamed(name=new)]
