"""By what somebody signs in beside links: their address, their passkeys, and the tokens of their programs, counted."""

from collections.abc import Collection, Sequence

import msgspec

from domain.ids import ClientId
from domain.people.memberships import compared
from domain.people.passkeys import Passkey
from domain.people.person import Person
from web.door.guard import STAFF, Signed
from web.process.services import Services


class Ways(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of one's account leads on to."""

    addresses: Sequence[str]  # that this session knows
    passkeys: int
    tokens: int
    makes_tokens: bool  # whether whoever asks makes tokens of their own
    told: bool  # whether they choose what they are told of


def ways_of(services: Services, signed: Signed, person: Person) -> Ways:
    """Return the ways in of whoever asks that this session may know of."""
    now, ends = services.now(), services.settings.token_ends
    return Ways(
        addresses=addresses_of(person, signed.clients),
        passkeys=len(seen_by(signed.clients, person)),
        tokens=sum(ends(token) > now for token in person.tokens.values()),
        makes_tokens=not person.viewer,
        told=person.role in STAFF,
    )


def addresses_of(person: Person, clients: Collection[ClientId]) -> Sequence[str]:
    """Return the addresses by which some clients know a viewer, each once; of everybody else their own."""
    if not person.viewer:
        return [person.email]
    known = [person.memberships[client].email for client in person.clients if client in clients]
    return list({compared(address): address for address in known}.values())


def seen_by(clients: Collection[ClientId], person: Person) -> list[Passkey]:
    """Return the passkeys of somebody, newest first; of a viewer those that open nothing but some clients.

    Threat: whoever made the link to one client can come in by it, and must not learn of another.
    """
    held = sorted(person.keyring.passkeys.values(), key=lambda passkey: passkey.added, reverse=True)
    return [one for one in held if set(one.clients) <= set(clients)] if person.viewer else held
