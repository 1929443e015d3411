"""Who has access: all that is recorded of the organisation itself, its clients, people and channels."""

from domain.people.brand import BrandCommand, BrandEvent
from domain.people.clients import ClientCommand, ClientEvent
from domain.people.person import ErasePerson, PersonCommand, PersonErased, PersonEvent
from domain.people.rules import RuleCommand, RuleEvent
from domain.telling.channels import ChannelCommand, ChannelEvent

OrganisationEvent = BrandEvent | RuleEvent
AccessEvent = OrganisationEvent | ClientEvent | ChannelEvent | PersonErased | PersonEvent
OrganisationCommand = BrandCommand | RuleCommand
AccessCommand = OrganisationCommand | ClientCommand | ChannelCommand | ErasePerson | PersonCommand
