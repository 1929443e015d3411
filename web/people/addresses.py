"""What somebody changed of their own email address, in words for admins."""

from collections.abc import Collection, Iterator

from domain.ids import ClientId
from domain.language import gettext as _
from domain.people.addresses import AddressChange
from domain.people.person import Person
from projections.wording import words


def addresses_said(person: Person, clients: Collection[ClientId], zone: str) -> list[str]:
    """Return the changes of an address that somebody asked for or made, newest first, with times in `zone`.

    `clients`: those about any of them, of a viewer.
    """
    asked = person.address_changes.asked
    about = [change for change in (asked, *reversed(person.address_changes.made)) if change is not None]
    return list(_said([c for c in about if not person.viewer or set(c.clients) & set(clients)], asked, zone))


def _said(changes: list[AddressChange], asked: AddressChange | None, zone: str) -> Iterator[str]:
    for change in changes:
        at = words.moment_year(change.at, zone)
        if change is not asked:
            yield _("Changed their address from {old}, {at}", old=change.old, at=at)
        elif change.taken:
            yield _("Address not changed to {new}, {at}: somebody else signs in by it", new=change.new, at=at)
        else:
            yield _("Asked to change their address to {new}, {at}", new=change.new, at=at)
