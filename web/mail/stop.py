"""The secret in a digest by which its reader stops their digests.

Rule: it is made with a key of that person's own, so that only somebody who was sent it can know it.
"""

import hmac
from collections.abc import Callable, Mapping

from domain.ids import PersonId
from domain.people.person import Person

Fingerprint = Callable[[str, bytes], str]  # of some bytes, with the key of a stream


def stop_token(fingerprint: Fingerprint, person: PersonId) -> str:
    """Return the secret that stops somebody's digests."""
    return f"{person}.{fingerprint(f'person-{person}', b'stop the digests')[:40]}"


def stopped_by(fingerprint: Fingerprint, people: Mapping[PersonId, Person], token: str) -> Person | None:
    """Return the person whose digests a secret stops, None for a wrong one."""
    person = people.get(PersonId(token.partition(".")[0]))
    if person is None or not person.clients:
        return None
    return person if hmac.compare_digest(stop_token(fingerprint, person.id).encode(), token.encode()) else None
