"""The clients of the organisation: name, time zone, the email domains that may be invited, and their end.

Their identity providers have a module of their own.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import ClientId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.people import devices, mail_domains, providers
from domain.people.providers import Provider, ProviderCommand, ProviderEvent

# events


class ClientRegistered(Event, frozen=True, kw_only=True):
    client: ClientId
    name: str
    time_zone: str


class ClientEnded(Event, frozen=True, kw_only=True):
    """Every share with a client ended at once, and nobody of the client can sign in any more."""

    reason: str


class MailDomainsSet(Event, frozen=True, kw_only=True):
    """Only people with an address in one of these domains can be invited for the client; none: any."""

    domains: tuple[str, ...]


class ClientDeviceDaysSet(Event, frozen=True, kw_only=True):
    """For how many days a device of a viewer may open this client's shares, at most.

    None: as the organisation allows; 0: no device may.
    """

    days: int | None


ClientEvent = ClientRegistered | ClientEnded | MailDomainsSet | ClientDeviceDaysSet | ProviderEvent

# state


class Client(msgspec.Struct, frozen=True, kw_only=True):
    id: ClientId
    name: str
    time_zone: str
    domains: tuple[str, ...] = ()  # of mail addresses that may be invited; none: any
    ended_at: datetime | None = None
    ended_why: str = ""
    providers: Mapping[str, Provider] = {}
    device_days: int | None = None  # for which a device may stay signed in, None: as the organisation allows


def evolve(state: Client | None, event: ClientEvent, at: datetime) -> Client:
    """Return the client after `event`, recorded at `at` (UTC)."""
    if isinstance(event, ClientRegistered):
        return Client(id=event.client, name=event.name, time_zone=event.time_zone)
    if state is None:
        message = f"expected ClientRegistered first, got {type(event).__name__}"
        raise ValueError(message)
    match event:
        case ClientEnded(reason=reason):
            return msgspec.structs.replace(state, ended_at=at, ended_why=reason)
        case MailDomainsSet(domains=domains):
            return msgspec.structs.replace(state, domains=domains)
        case _ if isinstance(event, ProviderEvent):
            return msgspec.structs.replace(state, providers=providers.evolve(state.providers, event, at))
        case ClientDeviceDaysSet(days=days):
            return msgspec.structs.replace(state, device_days=days)
        case _:
            assert_never(event)


# commands


class RegisterClient(Command, frozen=True, kw_only=True):
    client: ClientId
    name: str
    time_zone: str


class EndClient(Command, frozen=True, kw_only=True):
    """End everything with a client: its shares end, its open pages close, its people can no longer sign in."""

    client: ClientId
    reason: str


class SetMailDomains(Command, frozen=True, kw_only=True):
    client: ClientId
    domains: tuple[str, ...]


class SetClientDeviceDays(Command, frozen=True, kw_only=True):
    """Say for how many days a device may open this client's shares, at most; it holds for devices kept already."""

    client: ClientId
    days: int | None


ClientCommand = RegisterClient | EndClient | SetMailDomains | SetClientDeviceDays | ProviderCommand


def decide(state: Client | None, command: ClientCommand) -> list[ClientEvent]:
    """Return the events that carry out `command`.

    Raises: a kind of Refused.
    """
    if isinstance(command, RegisterClient):
        if state is not None:
            raise Conflict(_("A client with this id exists already. Use a new id."), "client")
        return [
            ClientRegistered(
                client=ClientId(check.identifier("client", command.client)),
                name=check.line("name", command.name),
                time_zone=check.zone("time_zone", command.time_zone),
            )
        ]
    if state is None:
        raise Unknown(_("There is no such client. Register it first."), "client")
    if state.ended_at is not None:
        raise Conflict(_("Everything with this client has ended. Register it again under a new id."), "client")
    match command:
        case EndClient(reason=reason):
            why = check.text("reason", reason, required=True)
            return [*providers.removed(state.providers, why), ClientEnded(reason=why)]
        case SetMailDomains(domains=domains):
            allowed = tuple(sorted({mail_domains.read(domain) for domain in domains}))
            return [] if allowed == state.domains else [MailDomainsSet(domains=allowed)]
        case _ if isinstance(command, ProviderCommand):
            return list(providers.decide(state.providers, state.domains, command))
        case SetClientDeviceDays(days=days):
            new = None if days is None else devices.checked_days(days)
            return [] if new == state.device_days else [ClientDeviceDaysSet(days=new)]
        case _:
            assert_never(command)


def invitable(client: Client, email: str) -> None:
    """Raise Invalid unless the client's domains allow this address, and Conflict when the client has ended."""
    if client.ended_at is not None:
        raise Conflict(
            _("Everything with {name} has ended, so nobody of it can be invited.", name=client.name), "client"
        )
    if client.domains and mail_domains.of(email) not in client.domains:
        problem = _(
            "Only addresses at {domains} can be invited for {name}", domains=", ".join(client.domains), name=client.name
        )
        raise Invalid(_("{told}. Use one of those, or change the domains of the client.", told=problem), "email")
