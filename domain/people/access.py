"""Who has access, and to what: all that is recorded of the organisation itself, its clients and its people."""

from domain.people.brand import NameOrganisation, OrganisationCommand, OrganisationEvent, OrganisationNamed
from domain.people.clients import ClientCommand, ClientEvent
from domain.people.person import ErasePerson, PersonCommand, PersonErased, PersonEvent

__all__ = ["AccessCommand", "AccessEvent", "NameOrganisation", "OrganisationNamed"]

AccessEvent = OrganisationEvent | ClientEvent | PersonErased | PersonEvent
AccessCommand = OrganisationCommand | ClientCommand | ErasePerson | PersonCommand
