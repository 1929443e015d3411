"""Clients, people, shares and channels, folded from their events. It holds nothing of any project."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import assert_never

import msgspec

from domain.agreement import share as agreement_share
from domain.agreement.share import Share, ShareEvent
from domain.ids import ChannelId, ClientId, PersonId, ProjectId, ShareId
from domain.language import ENGLISH
from domain.language import gettext as _
from domain.people import brand, clients
from domain.people import person as person_stream
from domain.people import rules as organisation_rules
from domain.people.access import AccessEvent
from domain.people.addresses import AddressChanged
from domain.people.brand import Brand, BrandEvent
from domain.people.clients import Client, ClientEnded, ClientEvent
from domain.people.devices import Device, DeviceKept, DisplayOffered, PlannedDisplay, displayed_by
from domain.people.mail_domains import of as domain_of
from domain.people.memberships import MembershipEnded, MembershipGranted, compared
from domain.people.passkeys import PasskeyAdded, PasskeyRemoved
from domain.people.person import Person, PersonDisabled, PersonErased, PersonEvent, PersonInvited
from domain.people.providers import Provider, ProviderRemoved, ProviderUsed
from domain.people.rules import RuleEvent, Rules
from domain.people.sign_ins import LinkIssued, SessionEnded, SessionStarted
from domain.people.tokens import TokenIssued, TokenRevoked
from domain.telling import channels
from domain.telling.channels import Channel, ChannelAdded, ChannelEvent


class Key(msgspec.Struct, frozen=True):
    """Whose a session, sign-in link or token is, and which one it is, by its public id."""

    person: PersonId
    id: str


def _never(_setup: int) -> bool:
    return False


def _with(people: tuple[PersonId, ...], person: PersonId) -> tuple[PersonId, ...]:
    return people if person in people else (*people, person)


class Directory:
    """The present state of every stream except projects. Not thread-safe; owned by the thread that folds the events."""

    def __init__(self) -> None:
        self.brand = Brand()
        self.rules = Rules()
        self.shares: dict[ShareId, Share] = {}
        self.clients: dict[ClientId, Client] = {}
        self.people: dict[PersonId, Person] = {}
        self.sessions: dict[str, Key] = {}  # by hash of the secret
        self.links: dict[str, Key] = {}
        self.tokens: dict[str, Key] = {}
        self.passkeys: dict[str, Key] = {}  # by credential, base64url
        self.erased: set[PersonId] = set()
        self.channels: dict[ChannelId, Channel] = {}
        self._told: dict[ProjectId, tuple[ChannelId, ...]] = {}  # the channels of a project, ended ones too
        self.put_out: dict[str, tuple[str, ...]] = {}  # the sessions that ended with a provider or a setup of it
        self._devices: dict[str, PersonId] = {}  # whose a device is, by its id; also of those that ended
        self._offers: dict[str, PersonId] = {}  # whose an offer of a wall display is, by hash of its code
        self._displays: dict[str, str] = {}  # what a wall display is called, by its id; also of those that ended
        self._of_project: dict[ProjectId, tuple[ShareId, ...]] = {}  # a share never changes its project or client
        self._of_client: dict[ClientId, tuple[ShareId, ...]] = {}
        self._members: dict[ClientId, tuple[PersonId, ...]] = {}  # who ever was a viewer of a client
        self._addressed: dict[str, tuple[PersonId, ...]] = {}  # whoever was ever invited by an address, as compared

    def apply_access(self, event: AccessEvent, key: str, at: datetime) -> None:
        """Take in the next event of the organisation, a client, a channel or a person, recorded at `at` (UTC).

        `key` is the id in the stream's name, after the kind. After an erasure a person's earlier events can no
        longer be read, so the first event of that person may be missing.
        """
        match event:
            case _ if isinstance(event, BrandEvent):
                self.brand = brand.evolve(self.brand, event)
            case _ if isinstance(event, RuleEvent):
                self.rules = organisation_rules.evolve(self.rules, event, at)
            case _ if isinstance(event, ClientEvent):
                self._apply_client(ClientId(key), event, at)
            case _ if isinstance(event, ChannelEvent):
                channel = self.channels[ChannelId(key)] = channels.evolve(self.channels.get(ChannelId(key)), event, at)
                if isinstance(event, ChannelAdded):
                    self._told[channel.project] = (*self._told.get(channel.project, ()), channel.id)
            case PersonErased(person=person):
                self._erase(person)
            case _ if isinstance(event, PersonEvent):
                self._apply_person(PersonId(key), event, at)
            case _:
                assert_never(event)

    @property
    def organisation(self) -> str:
        """The name of the organisation, "" where it has none."""
        return self.brand.name

    def _apply_client(self, key: ClientId, event: ClientEvent, at: datetime) -> None:
        """Take in an event of a client. The end of a client also ends its shares and the memberships of its people."""
        self.clients[key] = clients.evolve(self.clients.get(key), event, at)
        if isinstance(event, ProviderUsed | ProviderRemoved):
            for person in self.members_of(key):
                self._put_out(person, key, event.provider)
        if not isinstance(event, ClientEnded):
            return
        for share in self.all_of_client(key):
            self._end_share(share, at)
        for person in self.members_of(key):
            self._end_membership(person, key, at)

    def _put_out(self, person: Person, client: ClientId, provider: str) -> None:
        """End the sessions of a person that a client's provider no longer vouches for."""
        there = self.clients[client].providers.get(provider)
        left = person_stream.without_sessions(person, provider, there.holds if there is not None else _never)
        gone = tuple(person.sessions.keys() - left.sessions.keys())
        if gone:
            self.people[person.id] = left
            self.put_out[provider] = (*self.put_out.get(provider, ()), *gone)
            self._forget(person.id, left)

    def provider_for(self, address: str) -> tuple[ClientId, Provider] | None:
        """Return the provider in use that vouches for addresses in a domain, and whose it is; None where there is none.

        It depends on the domain alone. Should two claim one domain, it is that of whoever used it first.
        """
        domain = domain_of(address)
        found = [
            (one.used_at, client.id, one)
            for client in self.clients.values()
            if client.ended_at is None
            for one in client.providers.values()
            if one.used is not None and one.used_at is not None and domain in one.used.domains
        ]
        first = min(found, key=lambda each: (each[0], each[2].id), default=None)
        return (first[1], first[2]) if first is not None else None

    @property
    def vouched_for(self) -> bool:
        """Whether people of any client sign in by a provider of its own."""
        going_on = (client for client in self.clients.values() if client.ended_at is None)
        return any(one.used is not None for client in going_on for one in client.providers.values())

    def provider(self, key: str) -> tuple[ClientId, Provider] | None:
        """Return a provider by its id and the client it is of, tried or not; None where there is none."""
        for client in self.clients.values():
            if client.ended_at is None and (found := client.providers.get(key)) is not None:
                return client.id, found
        return None

    def _ended(self, client: ClientId | None) -> bool:
        record = self.clients.get(client) if client else None
        return record is not None and record.ended_at is not None

    def _end_share(self, share: Share, at: datetime) -> None:
        if share.revoked_at is None:
            why = self.clients[share.client].ended_why
            ended = {"draft": None, "revoked_at": at, "revoked_why": why, "revoked_cause": "client_ended"}
            self.shares[share.id] = msgspec.structs.replace(share, **ended)

    def _end_membership(self, person: Person, client: ClientId, at: datetime) -> None:
        if client in person.clients:
            left = self.people[person.id] = person_stream.without(person, client, at)
            self._forget(person.id, left)

    def _apply_person(self, key: PersonId, event: PersonEvent, at: datetime) -> None:
        before = self.people.get(key)
        person = self.people[key] = person_stream.evolve(before, event, at)
        if isinstance(event, PersonInvited | MembershipGranted):
            self._index(person)
        match event:
            case PersonInvited(client=str() as client) | MembershipGranted(client=client) if self._ended(client):
                self._end_membership(person, client, at)  # the client ended before the invitation was recorded
            case SessionStarted(session=session, hash=digest):
                self._forget_sessions(before, person)
                self.sessions[digest] = Key(key, session)
                if event.provider and event.clients:
                    self._put_out(person, event.clients[0], event.provider)  # it was removed before this was recorded
            case DeviceKept(device=device):
                self._devices[device] = key
            case DisplayOffered(device=device, name=name, hash=digest):
                self._devices[device], self._displays[device], self._offers[digest] = key, name, key
            case LinkIssued(hash=digest):
                self._forget_links(before, person)
                self.links[digest] = Key(key, digest)
            case TokenIssued(token=token, hash=digest):
                self.tokens[digest] = Key(key, token)
            case PasskeyAdded(passkey=passkey, credential=credential):
                self.passkeys[credential] = Key(key, passkey)
            case AddressChanged(old=old):
                self._forget_links(before, person)
                self._unindex(person, old)
                self._index(person)
            case SessionEnded() | TokenRevoked() | PasskeyRemoved() | PersonDisabled() | MembershipEnded():
                self._forget(key, person)
            case _:
                pass

    def _index(self, person: Person) -> None:
        """Make a person found by their clients and addresses."""
        for client in person.memberships:
            self._members[client] = _with(self._members.get(client, ()), person.id)
        for address in map(compared, person.addresses):
            self._addressed[address] = _with(self._addressed.get(address, ()), person.id)

    def _unindex(self, person: Person, address: str) -> None:
        """Make a person found no more by an address that none of their clients knows them by."""
        if (key := compared(address)) not in map(compared, person.addresses):
            self._addressed[key] = tuple(one for one in self._addressed.get(key, ()) if one != person.id)

    def _erase(self, person: PersonId) -> None:
        self.erased.add(person)
        record = self.people.pop(person, None)
        for address in map(compared, record.addresses if record else ()):
            left = tuple(one for one in self._addressed.pop(address, ()) if one != person)
            if left:
                self._addressed[address] = left
        self.sessions = {h: k for h, k in self.sessions.items() if k.person != person}
        self.links = {h: k for h, k in self.links.items() if k.person != person}
        self.tokens = {h: k for h, k in self.tokens.items() if k.person != person}
        self.passkeys = {h: k for h, k in self.passkeys.items() if k.person != person}
        for device in [device for device, of in self._devices.items() if of == person]:
            self._displays.pop(device, None)

    def person_name(self, person: str, client: ClientId | None = None) -> str:
        """Return a person's name, "Erased person" after an erasure, or the id of a person who was never recorded.

        With `client`: the name by which that client's side knows a viewer, which may differ from client to client.
        """
        if (display := displayed_by(person)) is not None:
            return self._display_name(display)
        record = self.people.get(PersonId(person))
        if record is None:
            return _("Erased person") if person in self.erased else person
        known = record.known_to(client) if client else None
        return known.name if known else record.name

    def _display_name(self, device: str) -> str:
        name = self._displays.get(device)
        return _("Wall display: {name}", name=name) if name else _("Wall display")

    def device(self, key: str) -> tuple[Person, Device] | None:
        """Return whose a device is, and the device; None where there is none by this id, or no more."""
        person = self.people.get(self._devices.get(key, PersonId("")))
        device = person.devices.kept.get(key) if person is not None else None
        return (person, device) if person is not None and device is not None else None

    def offered(self, code: str) -> tuple[Person, PlannedDisplay] | None:
        """Return who offers a wall display by a code (its hash), and the offer; None where there is none any more."""
        person = self.people.get(self._offers.get(code, PersonId("")))
        offer = person.devices.offers.get(code) if person is not None else None
        return (person, offer) if person is not None and offer is not None else None

    def names_for(self, client: ClientId) -> Callable[[str], str]:
        """Return the function from a person's id to the name by which a client's side knows them."""
        return lambda person: self.person_name(person, client)

    def viewers_of(self, client: ClientId) -> list[Person]:
        """Return who is a viewer of a client now."""
        return [person for person in self.members_of(client) if client in person.clients]

    def members_of(self, client: ClientId) -> list[Person]:
        """Return who is or ever was a viewer of a client, but for erased people, in the order of their invitations."""
        return [self.people[person] for person in self._members.get(client, ()) if person in self.people]

    def addressed(self, email: str) -> list[Person]:
        """Return whoever was ever invited by an email address, in the order of their invitations."""
        return [self.people[person] for person in self._addressed.get(compared(email), ())]

    def known_viewer(self, email: str) -> Person | None:
        """Return the viewer, of any client, who was invited first by an email address; None where nobody was."""
        return next((p for p in self.addressed(email) if p.role == "viewer" and not p.disabled), None)

    def _forget(self, key: PersonId, person: Person) -> None:
        open_sessions = {s.hash for s in person.sessions.values()}
        open_tokens = {token.hash for token in person.tokens.values()}
        held = {passkey.credential for passkey in person.keyring.passkeys.values()}
        self.sessions = {h: k for h, k in self.sessions.items() if k.person != key or h in open_sessions}
        self.tokens = {h: k for h, k in self.tokens.items() if k.person != key or h in open_tokens}
        self.passkeys = {c: k for c, k in self.passkeys.items() if k.person != key or c in held}

    def _forget_sessions(self, before: Person | None, person: Person) -> None:
        """Drop the sessions that somebody has no longer: those that have run out."""
        for session in before.sessions.values() if before else ():
            if session.id not in person.sessions:
                self.sessions.pop(session.hash, None)

    def _forget_links(self, before: Person | None, person: Person) -> None:
        """Drop the links that somebody has no longer: those they asked for that have run out."""
        for digest in before.links if before else ():
            if digest not in person.links:
                self.links.pop(digest, None)

    def apply_share(self, event: ShareEvent, key: str, at: datetime) -> None:
        """Take in the next event of a share, recorded at `at` (UTC)."""
        share_id = ShareId(key)
        new = share_id not in self.shares
        share = self.shares[share_id] = agreement_share.evolve(self.shares.get(share_id), event, at)
        if new:
            self._of_project[share.project] = (*self._of_project.get(share.project, ()), share_id)
            self._of_client[share.client] = (*self._of_client.get(share.client, ()), share_id)
        if self._ended(share.client):  # the client ended while this share was being drafted
            self._end_share(share, at)

    def shares_of_project(self, project: ProjectId) -> list[Share]:
        """Return the shares of a project, by client name."""
        return sorted(self.all_of_project(project), key=lambda s: (self.client_name(s.client), s.id))

    def shares_of_client(self, client: ClientId) -> list[Share]:
        """Return the shares of a client that were activated at least once."""
        return [s for s in self.all_of_client(client) if s.versions]

    def all_of_project(self, project: str) -> list[Share]:
        """Return the shares of a project, drafted ones too, in the order they were made."""
        return [self.shares[share] for share in self._of_project.get(ProjectId(project), ())]

    def all_of_client(self, client: str) -> list[Share]:
        """Return the shares of a client, drafted ones too, in the order they were made."""
        return [self.shares[share] for share in self._of_client.get(ClientId(client), ())]

    def channels_of(self, project: ProjectId) -> list[Channel]:
        """Return the channels of a project that have not ended, in the order they were added."""
        found = [self.channels[key] for key in self._told.get(project, ())]
        return [channel for channel in found if channel.ended is None]

    def common_zone(self, clients: Iterable[ClientId]) -> str:
        """Return the time zone (IANA name) that all of some clients have; "UTC" where there is none."""
        zones = {self.clients[client].time_zone for client in clients if client in self.clients}
        return zones.pop() if len(zones) == 1 else "UTC"

    def client_name(self, client: ClientId) -> str:
        """Return a client's name, or its id where it was never registered."""
        record = self.clients.get(client)
        return record.name if record else client


class Called(msgspec.Struct, frozen=True):
    """The names that a client's pages show for a share."""

    organisation: str
    client: str
    zone: str  # IANA name of the time zone that the share's instants are shown in
    language: str = ENGLISH  # BCP 47; that the share's page is in
