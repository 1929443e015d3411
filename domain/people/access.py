"""Who has access, and to what: all that is recorded of the organisation itself, its clients and its people."""

from domain.people.brand import OrganisationCommand, OrganisationEvent
from domain.people.clients import ClientCommand, ClientEvent
from domain.people.person import ErasePerson, PersonCommand, PersonErased, PersonEvent

AccessEvent = OrganisationEvent | ClientEvent | PersonErased | PersonEvent
AccessCommand = OrganisationCommand | ClientCommand | ErasePerson | PersonCommand
