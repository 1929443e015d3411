"""The secret in a digest that stops the digests of one person.

Rule: it is made with a key of that person's own, which nobody else has, so that whoever holds it was sent it.
"""

import hmac
from collections.abc import Callable, Mapping

from domain.ids import PersonId
from domain.people.access import Person

Fingerprint = Callable[[str, bytes], str]  # of a text, by the key of a stream


def stop_token(fingerprint: Fingerprint, person: PersonId) -> str:
    """Return what stops somebody's digests."""
    return f"{person}.{fingerprint(f'person-{person}', b'stop the digests')[:40]}"


def stopped_by(fingerprint: Fingerprint, people: Mapping[PersonId, Person], token: str) -> Person | None:
    """Return whose digests a token stops."""
    person = people.get(PersonId(token.partition(".")[0]))
    if person is None or person.disabled or person.role != "viewer":
        return None
    return person if hmac.compare_digest(stop_token(fingerprint, person.id).encode(), token.encode()) else None
