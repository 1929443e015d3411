"""Who has access, and to what: all that is recorded of the organisation itself, its clients and its people."""

from domain.people.brand import BrandCommand, BrandEvent
from domain.people.clients import ClientCommand, ClientEvent
from domain.people.person import ErasePerson, PersonCommand, PersonErased, PersonEvent
from domain.people.rules import RuleCommand, RuleEvent

OrganisationEvent = BrandEvent | RuleEvent
AccessEvent = OrganisationEvent | ClientEvent | PersonErased | PersonEvent
OrganisationCommand = BrandCommand | RuleCommand
AccessCommand = OrganisationCommand | ClientCommand | ErasePerson | PersonCommand
