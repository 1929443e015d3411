"""Of which clients somebody is a viewer: each by a membership, granted and ended by events. Part of a person's stream.

Rule: what a client's side sees of a person (name, address, sign-ins, choice of mails) is kept in the membership of that
client alone, so that it tells nothing of another.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from domain import check
from domain.errors import Conflict, Unknown
from domain.ids import ClientId, PersonId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.people.mails import Cadence

# events


class MembershipGranted(Event, frozen=True, kw_only=True):
    """Somebody who is known already is a viewer of one more client, by the name and address given there."""

    client: ClientId
    name: str
    email: str
    lead: PersonId | None = None  # of the client, who invited them
    provider: str = ""  # of the client, by which they joined uninvited


class MembershipEnded(Event, frozen=True, kw_only=True):
    """Somebody is no longer a viewer of one client; what they are to others stays as it is."""

    client: ClientId
    reason: str
    lead: PersonId | None = None  # of the client, who ended it; None: somebody of the organisation


class LeadNamed(Event, frozen=True, kw_only=True):
    """Somebody may invite colleagues of a client they are a viewer of, within its email domains, and end them."""

    client: ClientId


class LeadEnded(Event, frozen=True, kw_only=True):
    """Somebody is a lead of a client no longer; they stay a viewer of it, and so does whom they invited."""

    client: ClientId


# state


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is to one client."""

    client: ClientId
    name: str
    email: str
    signed_in: datetime | None = None  # when a session that opens this client began last, UTC
    joined: datetime | None = None  # when one did first
    digest: Cadence = "off"
    ended: bool = False
    lead: bool = False
    invited_by: PersonId | None = None  # the lead who did; None: somebody of the organisation, or nobody
    provider: str = ""  # by which they joined uninvited
    invited_at: datetime | None = None  # or joined, UTC
    ended_by: PersonId | None = None  # the lead who ended it; None: nobody did, or somebody of the organisation


Memberships = Mapping[ClientId, Membership]


def granted(state: Memberships, event: MembershipGranted, at: datetime) -> dict[ClientId, Membership]:
    """Return the memberships with one more, granted at `at` (UTC).

    One that is granted again keeps its name, which stands in what was said.
    """
    before = state.get(event.client)
    name = before.name if before else event.name
    new = Membership(
        client=event.client, name=name, email=event.email, invited_by=event.lead, provider=event.provider, invited_at=at
    )
    return {**state, event.client: new}


def changed(state: Memberships, clients: tuple[ClientId, ...], **fields: object) -> dict[ClientId, Membership]:
    """Return the memberships with those of `clients` changed."""
    return {key: msgspec.structs.replace(one, **fields) if key in clients else one for key, one in state.items()}


def came_in(state: Memberships, clients: tuple[ClientId, ...], at: datetime) -> dict[ClientId, Membership]:
    """Return the memberships after a session began at `at` (UTC) that opens `clients`."""
    replace = msgspec.structs.replace
    return {
        key: replace(one, signed_in=at, joined=one.joined or at) if key in clients else one
        for key, one in state.items()
    }


# commands


class GrantMembership(Command, frozen=True, kw_only=True):
    """Make a viewer of some client a viewer of another as well."""

    person: PersonId
    client: ClientId
    name: str
    email: str
    lead: PersonId | None = None
    provider: str = ""


class EndMembership(Command, frozen=True, kw_only=True):
    """End what somebody is to one client: pages of its shares close; sessions and links that open nothing else end."""

    person: PersonId
    client: ClientId
    reason: str
    lead: PersonId | None = None


class NameLead(Command, frozen=True, kw_only=True):
    """Make a viewer of a client a lead of it."""

    person: PersonId
    client: ClientId


class EndLead(Command, frozen=True, kw_only=True):
    """Make a lead of a client a viewer of it again; whom they invited stays."""

    person: PersonId
    client: ClientId


def grant(state: Memberships, command: GrantMembership) -> list[MembershipGranted]:
    """Return the event that grants a membership.

    Raises: Conflict when there is one.
    """
    before = state.get(command.client)
    if before is not None and not before.ended:
        raise Conflict(_("{email} was invited already. Make a new link for them instead.", email=before.email), "email")
    name, email = check.line("name", command.name), check.address("email", command.email)
    by = {"lead": command.lead, "provider": command.provider}
    return [MembershipGranted(client=command.client, name=name, email=email, **by)]  # type: ignore[arg-type]


def end(state: Memberships, command: EndMembership) -> list[MembershipEnded]:
    """Return the event that ends a membership.

    Raises: Unknown when there is none.
    """
    before = state.get(command.client)
    if before is None or before.ended:
        raise Unknown(_("This person is no viewer of that client, or no more."), "client")
    why = check.text("reason", command.reason, required=True)
    return [MembershipEnded(client=command.client, reason=why, lead=command.lead)]


def lead(state: Memberships, command: NameLead | EndLead) -> list[LeadNamed | LeadEnded]:
    """Return the event that makes somebody a lead, or ends that; none where it is so already.

    Raises: Unknown when there is no such membership.
    """
    known, names = state.get(command.client), isinstance(command, NameLead)
    if known is None or known.ended:
        raise Unknown(_("This person is no viewer of that client, or no more."), "client")
    if known.lead == names:
        return []
    return [LeadNamed(client=command.client) if names else LeadEnded(client=command.client)]


def same_address(left: str, right: str) -> bool:
    """Return whether two mail addresses are the same; case is ignored in ASCII alone, so look-alikes differ."""
    return compared(left) == compared(right)


def compared(address: str) -> str:
    """Return an email address in the form in which it is compared with others."""
    return address.lower() if address.isascii() else address
