"""Whom a mail address reaches, and which clients a link opens that is mailed to it."""

from collections.abc import Sequence

from domain.ids import ClientId
from domain.people.memberships import Membership, same_address
from domain.people.person import Person


def opened_for(person: Person, address: str) -> Sequence[ClientId] | None:
    """Return the clients a link mailed to an address opens, none for our own people; None where nothing is opened.

    Of a viewer: those that invited that address. Where it is not all of theirs, the first of them alone.
    """
    if not person.viewer:
        return () if same_address(person.email, address) else None
    fits = [client for client in person.clients if same_address(person.memberships[client].email, address)]
    return (fits if len(fits) == len(person.clients) else fits[:1]) or None


def known_as(person: Person, client: ClientId | None) -> Membership | Person:
    """Return by which name and address somebody is written to, about one client or None for all they belong to."""
    if not person.viewer:
        return person
    return person.memberships[client or person.clients[0]]


def reached_at(person: Person, client: ClientId | None) -> str:
    """Return the address for a link to one client, or None for all; "" where they have no access, or no one address."""
    if not person.comes_in or (client is not None and client not in person.clients):
        return ""
    address = known_as(person, client).email
    return address if client is not None or opened_for(person, address) == _all(person) else ""


def _all(person: Person) -> Sequence[ClientId]:
    return list(person.clients) if person.viewer else ()
