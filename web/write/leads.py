"""What a lead of a client may do: invite colleagues within the client's email domains, and end them.

Rule: a lead is told of their own client alone. What is refused is refused for reasons that lie in that client, but for
one: the address of somebody of the organisation is no colleague's, whoever asks.
"""

from domain.errors import Conflict, Denied, Invalid, Refused
from domain.ids import ClientId
from domain.language import gettext as _
from domain.people import mail_domains
from domain.people.memberships import EndMembership, Membership, same_address
from domain.people.person import InvitePerson, Person
from projections.events.world import World


def leads_of(world: World, client: ClientId) -> list[Person]:
    """Return the leads of a client."""
    return [person for person in world.viewers_of(client) if person.leads(client)]


def known_at(world: World, client: ClientId, email: str) -> list[tuple[Person, Membership]]:
    """Return who is or was a viewer of a client by an address, in the order of their invitations."""
    members = [(person, person.known_to(client)) for person in world.members_of(client)]
    return [(person, known) for person, known in members if known is not None and same_address(known.email, email)]


def of_ours(world: World, email: str) -> bool:
    """Return whether an address is or was that of somebody of the organisation."""
    return any(not person.viewer for person in world.addressed(email))


def refusal(world: World, lead: Person, command: InvitePerson | EndMembership) -> Refused | None:
    """Return why a lead may not do this, in words for them; None where they may."""
    client = command.client
    if client is None or not lead.leads(client):
        return Denied(_("You are no lead of this client, or no more."))
    if isinstance(command, InvitePerson):
        return _not_invited(world, client, command)
    return _not_ended(world, lead, client, command)


def _not_invited(world: World, client: ClientId, command: InvitePerson) -> Refused | None:
    record, organisation = world.clients[client], world.organisation or _("your supplier")
    if command.role != "viewer":
        return Denied(_("You are no lead of this client, or no more."))
    if not record.domains:
        told = _("{organisation} has not said yet which email domains are yours. Ask them.", organisation=organisation)
        return Conflict(told, "email")
    if mail_domains.of(command.email) not in record.domains:
        names = ", ".join(record.domains)
        return Invalid(_("You can invite colleagues with an address at {domains}.", domains=names), "email")
    there = known_at(world, client, command.email)
    if any(client in person.clients for person, _known in there):
        return Conflict(_("{email} has access already.", email=command.email), "email")
    if there:
        told = _(
            "Access of {email} was ended. Ask {organisation} to let them in again.",
            email=command.email,
            organisation=organisation,
        )
        return Conflict(told, "email")
    if of_ours(world, command.email):
        told = _("This address cannot be invited from here. Ask {organisation}.", organisation=organisation)
        return Invalid(told, "email")
    return None


def _not_ended(world: World, lead: Person, client: ClientId, command: EndMembership) -> Refused | None:
    person = world.people.get(command.person)
    known = person.known_to(client) if person is not None else None
    if person is None or known is None or client not in person.clients or not may_end(world, lead, person, client):
        return Denied(_("You end colleagues within your email domains, and no leads. Ask whoever works with you."))
    return None


def may_end(world: World, lead: Person, person: Person, client: ClientId) -> bool:
    """Return whether a lead may end a viewer of their client: a colleague within its email domains, who is no lead."""
    within = mail_domains.of(person.memberships[client].email) in world.clients[client].domains
    return lead.leads(client) and lead.id != person.id and not person.leads(client) and within
