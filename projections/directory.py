"""Clients, people, shares and channels, folded from their events. It holds nothing of any project.

Rule: whatever is looked for is found by an index, never by looking at everybody. An index says what a search of the
records would (tests/projections/events/test_found_by_index.py), and is kept where the record changes.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import TypeVar, assert_never

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
from domain.people.brand import Brand, BrandEvent
from domain.people.clients import Client, ClientEnded, ClientEvent
from domain.people.devices import Device, DeviceKept, DisplayOffered, PlannedDisplay, displayed_by
from domain.people.mail_domains import of as domain_of
from domain.people.memberships import MembershipGranted, compared
from domain.people.person import Person, PersonErased, PersonEvent, PersonInvited
from domain.people.providers import Provider, ProviderRemoved, ProviderUsed
from domain.people.rules import RuleEvent, Rules
from domain.people.sign_ins import SessionStarted
from domain.telling import channels
from domain.telling.channels import Channel, ChannelAdded, ChannelEvent
from projections.sharing import Sharing

K = TypeVar("K", bound=str)
T = TypeVar("T")


class Key(msgspec.Struct, frozen=True):
    """Whose a session, sign-in link or token is, and which one it is, by its public id."""

    person: PersonId
    id: str


def _never(_setup: int) -> bool:
    return False


def _with(among: tuple[T, ...], one: T) -> tuple[T, ...]:
    return among if one in among else (*among, one)


def _going_on(client: Client | None) -> Collection[Provider]:
    return client.providers.values() if client is not None and client.ended_at is None else ()


def _provided(client: Client | None) -> dict[str, None]:
    return dict.fromkeys(one.id for one in _going_on(client))


def _claimed(client: Client | None) -> dict[str, None]:
    used = [one.used for one in _going_on(client) if one.used is not None and one.used_at is not None]
    return dict.fromkeys(domain for setup in used for domain in setup.domains)


def _addresses(person: Person | None) -> dict[str, None]:
    return dict.fromkeys(map(compared, person.addresses if person is not None else ()))


def _sessions(person: Person | None) -> dict[str, str]:
    return {one.hash: one.id for one in person.sessions.values()} if person is not None else {}


def _links(person: Person | None) -> dict[str, str]:
    return {digest: digest for digest in person.links} if person is not None else {}


def _tokens(person: Person | None) -> dict[str, str]:
    return {one.hash: one.id for one in person.tokens.values()} if person is not None else {}


def _passkeys(person: Person | None) -> dict[str, str]:
    return {one.credential: one.id for one in person.keyring.passkeys.values()} if person is not None else {}


def _swapped(index: Sharing[str, Key], before: dict[str, str], after: dict[str, str], person: PersonId) -> None:
    """Make what opens something for a person, by hash, found as it is after an event."""
    for digest in before:
        if digest not in after and digest in index and index[digest].person == person:
            del index[digest]
    for digest, key in after.items():
        if before.get(digest) != key:
            index[digest] = Key(person, key)


def _moved(index: Sharing[K, tuple[T, ...]], before: Mapping[K, None], after: Mapping[K, None], one: T) -> None:
    """Make somebody found by the keys they have after an event, and by no other that they had."""
    for key in before:
        if key not in after and (among := index.get(key)):
            if left := tuple(other for other in among if other != one):
                index[key] = left
            else:
                del index[key]
    for key in after:
        if key not in before:
            index[key] = _with(index.get(key, ()), one)


def _set(index: Sharing[K, None], key: K, *, there: bool) -> None:
    if not there:
        index.pop(key, None)
    elif key not in index:
        index[key] = None


class Directory:
    """The present state of every stream except projects. Not thread-safe; owned by the thread that folds the events."""

    def __init__(self) -> None:
        self.brand = Brand()
        self.rules = Rules()
        self.shares: Sharing[ShareId, Share] = Sharing()
        self.clients: Sharing[ClientId, Client] = Sharing()
        self.people: Sharing[PersonId, Person] = Sharing()
        self.sessions: Sharing[str, Key] = Sharing()  # by hash of the secret
        self.links: Sharing[str, Key] = Sharing()
        self.tokens: Sharing[str, Key] = Sharing()
        self.passkeys: Sharing[str, Key] = Sharing()  # by credential, base64url
        self.erased: frozenset[PersonId] = frozenset()
        self.channels: Sharing[ChannelId, Channel] = Sharing()
        self._told: Sharing[ProjectId, tuple[ChannelId, ...]] = Sharing()  # a project's channels, ended ones too
        self.put_out: Sharing[str, tuple[str, ...]] = Sharing()  # sessions that ended with a provider or a setup of it
        self._devices: Sharing[str, PersonId] = Sharing()  # whose a device is, by its id; also of those that ended
        self._offers: Sharing[str, PersonId] = Sharing()  # whose an offer of a wall display is, by hash of its code
        self._displays: Sharing[str, str] = Sharing()  # what a wall display is called, by its id; of ended ones too
        self._offered: Sharing[PersonId, tuple[str, ...]] = Sharing()  # the wall displays somebody ever offered
        self._ending: Sharing[ShareId, None] = Sharing()  # shares in force whose end is agreed
        self._of_project: Sharing[ProjectId, tuple[ShareId, ...]] = Sharing()  # no share changes its project or client
        self._of_client: Sharing[ClientId, tuple[ShareId, ...]] = Sharing()
        self._members: Sharing[ClientId, tuple[PersonId, ...]] = Sharing()  # who ever was a viewer of a client
        self._addressed: Sharing[str, tuple[PersonId, ...]] = Sharing()  # whoever is known by an address, as compared
        self._colleagues: Sharing[PersonId, None] = Sharing()  # who is no viewer
        self._holding: Sharing[PersonId, None] = Sharing()  # who has a device that stays signed in
        self._claiming: Sharing[str, tuple[ClientId, ...]] = Sharing()  # whose provider in use has an email domain
        self._providing: Sharing[str, tuple[ClientId, ...]] = Sharing()  # whose a provider is, by its id
        self._vouching: Sharing[ClientId, None] = Sharing()  # who has a provider in use

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
        before = self.clients.get(key)
        after = self.clients[key] = clients.evolve(before, event, at)
        self._index_providers(before, after)
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
            self._index(person, left)

    def _index_providers(self, before: Client | None, after: Client) -> None:
        """Make a client found by its providers and by the email domains that those in use claim."""
        _moved(self._providing, _provided(before), _provided(after), after.id)
        _moved(self._claiming, _claimed(before), _claimed(after), after.id)
        if any(one.used is not None for one in _going_on(after)):
            self._vouching[after.id] = None
        else:
            self._vouching.pop(after.id, None)

    def provider_for(self, address: str) -> tuple[ClientId, Provider] | None:
        """Return the provider in use that vouches for addresses in a domain, and whose it is; None where there is none.

        It depends on the domain alone. Should two claim one domain, it is that of whoever used it first.
        """
        domain = domain_of(address)
        found = [
            (one.used_at, client, one)
            for client in self._claiming.get(domain, ())
            for one in _going_on(self.clients[client])
            if one.used is not None and one.used_at is not None and domain in one.used.domains
        ]
        first = min(found, key=lambda each: (each[0], each[2].id), default=None)
        return (first[1], first[2]) if first is not None else None

    @property
    def vouched_for(self) -> bool:
        """Whether people of any client sign in by a provider of its own."""
        return len(self._vouching) > 0

    def provider(self, key: str) -> tuple[ClientId, Provider] | None:
        """Return a provider by its id and the client it is of, tried or not; None where there is none."""
        client = next(iter(self._providing.get(key, ())), None)
        return None if client is None else (client, self.clients[client].providers[key])

    def _ended(self, client: ClientId | None) -> bool:
        record = self.clients.get(client) if client else None
        return record is not None and record.ended_at is not None

    def _end_share(self, share: Share, at: datetime) -> None:
        if share.revoked_at is None:
            why = self.clients[share.client].ended_why
            ended = {"draft": None, "revoked_at": at, "revoked_why": why, "revoked_cause": "client_ended"}
            self.shares[share.id] = msgspec.structs.replace(share, **ended)
            self._ending.pop(share.id, None)

    def _end_membership(self, person: Person, client: ClientId, at: datetime) -> None:
        if client in person.clients:
            left = self.people[person.id] = person_stream.without(person, client, at)
            self._index(person, left)

    def _apply_person(self, key: PersonId, event: PersonEvent, at: datetime) -> None:
        before = self.people.get(key)
        person = self.people[key] = person_stream.evolve(before, event, at)
        self._index(before, person)
        match event:
            case PersonInvited(client=str() as client) | MembershipGranted(client=client) if self._ended(client):
                self._end_membership(person, client, at)  # the client ended before the invitation was recorded
            case SessionStarted(provider=provider, clients=tuple() as opened) if provider and opened:
                self._put_out(person, opened[0], provider)  # it was removed before this was recorded
            case DeviceKept(device=device):
                self._devices[device] = key
            case DisplayOffered(device=device, name=name, hash=digest):
                self._devices[device], self._displays[device], self._offers[digest] = key, name, key
                self._offered[key] = (*self._offered.get(key, ()), device)
            case _:
                pass

    def _index(self, before: Person | None, person: Person) -> None:
        """Make a person found by what opens something for them now, and by their clients and addresses."""
        key = person.id
        if before is None or before.sessions is not person.sessions:
            _swapped(self.sessions, _sessions(before), _sessions(person), key)
        if before is None or before.links is not person.links:
            _swapped(self.links, _links(before), _links(person), key)
        if before is None or before.tokens is not person.tokens:
            _swapped(self.tokens, _tokens(before), _tokens(person), key)
        if before is None or before.keyring is not person.keyring:
            _swapped(self.passkeys, _passkeys(before), _passkeys(person), key)
        if before is None or before.memberships is not person.memberships or before.email != person.email:
            for client in person.memberships:
                self._members[client] = _with(self._members.get(client, ()), key)
            _moved(self._addressed, _addresses(before), _addresses(person), key)
        if before is None or before.role != person.role:
            _set(self._colleagues, key, there=person.role != "viewer")
        if before is None or before.devices is not person.devices:
            _set(self._holding, key, there=bool(person.devices.kept))

    def _erase(self, person: PersonId) -> None:
        self.erased |= {person}
        record = self.people.pop(person, None)
        if record is not None:
            _moved(self._addressed, _addresses(record), {}, person)
            _moved(self._members, dict.fromkeys(record.memberships), {}, person)
            _swapped(self.sessions, _sessions(record), {}, person)
            _swapped(self.links, _links(record), {}, person)
            _swapped(self.tokens, _tokens(record), {}, person)
            _swapped(self.passkeys, _passkeys(record), {}, person)
        self._colleagues.pop(person, None)
        self._holding.pop(person, None)
        for device in self._offered.get(person, ()):
            self._displays.pop(device, None)
        for index in (self.people, self._addressed, self._displays):
            index.forget()  # of an erased person nothing stays in memory

    def colleagues(self) -> list[Person]:
        """Return everybody who is no viewer, disabled ones too, in the order of their invitations."""
        return [self.people[person] for person in self._colleagues]

    def holding_devices(self) -> list[Person]:
        """Return who has a device that stays signed in."""
        return [self.people[person] for person in self._holding]

    def signed_in(self) -> list[Person]:
        """Return who has a session, run out or not."""
        return [self.people[person] for person in dict.fromkeys(key.person for key in self.sessions.values())]

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

    def apply_share(self, event: ShareEvent, key: str, at: datetime) -> None:
        """Take in the next event of a share, recorded at `at` (UTC)."""
        share_id = ShareId(key)
        new = share_id not in self.shares
        share = self.shares[share_id] = agreement_share.evolve(self.shares.get(share_id), event, at)
        if new:
            self._of_project[share.project] = (*self._of_project.get(share.project, ()), share_id)
            self._of_client[share.client] = (*self._of_client.get(share.client, ()), share_id)
        _set(self._ending, share_id, there=share.active and share.ways.expires is not None)
        if self._ended(share.client):  # the client ended while this share was being drafted
            self._end_share(share, at)

    def ending(self) -> list[Share]:
        """Return the shares in force whose end is agreed, run out or not."""
        return [self.shares[share] for share in self._ending]

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
