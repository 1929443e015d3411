"""Which mails are to be sent now: digests that are due, and whatever was put off long enough. Reads only.

Rule: a share's digest is caused by what its own record holds, and by nothing else.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import msgspec

from domain.agreement.share import Share
from domain.ids import PersonId, ShareId
from domain.people.access import Person
from domain.people.mails import Mail
from projections.events.world import World
from projections.logs.disclosure_log import DisclosureLog
from projections.replay import pages
from web.ids import digest
from web.mail import cadence


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """A mail to be sent: a new one, or one that was put off."""

    person: PersonId
    mail: str
    kind: Literal["invitation", "digest"]
    share: ShareId | None = None
    after: int = 0  # the last update mailed before
    to: int = 0


class Due:
    """Knows what is due. Keeps in memory only what the record answers as well."""

    def __init__(self, disclosure: DisclosureLog, hour: int) -> None:
        self._disclosure, self._hour = disclosure, hour
        self._shown: dict[ShareId, tuple[datetime, int]] = {}

    def errands(self, world: World, now: datetime) -> list[Errand]:
        """Return every mail to be sent at `now` (UTC), in an order that tells nothing."""
        people = sorted(world.people.values(), key=_id)
        found = [again for person in people for again in _put_off(person, now)]
        for share in sorted(world.shares.values(), key=_id):
            wanting = [person for person in people if wants(person, share, now)]
            found += [new for person in wanting for new in self._digest(world, share.id, person, now)]
        return found

    def _digest(self, world: World, share: ShareId, person: Person, now: datetime) -> Iterator[Errand]:
        if any(mail.state == "deferred" and mail.share == share for mail in person.mails):
            return  # what came since joins the mail after that one
        after = person.digested.get(share, 0)
        to = self._upto(world, share, person, after, now)
        if to > after:
            mail = digest(f"{share} {after + 1} {to} {person.id}")[:24]
            yield Errand(person=person.id, mail=mail, kind="digest", share=share, after=after, to=to)

    def _upto(self, world: World, share: ShareId, person: Person, after: int, now: datetime) -> int:
        """Return the last update somebody should have been mailed by now."""
        if person.digest == "instant":
            oldest = self._disclosure.headers(share, after, 1)
            last = person.digested_at.get(share)
            due = bool(oldest) and cadence.settled_down(oldest[0].instant, last, now)
            return self._disclosure.head(share) if due else after
        zone = world.clients[world.shares[share].client].time_zone
        slot = cadence.slot(now, person.digest, self._hour, zone)
        known = self._shown.get(share)
        if known is None or known[0] != slot:
            known = self._shown[share] = slot, pages.number_at(self._disclosure, share, slot)
        return known[1]


def _put_off(person: Person, now: datetime) -> Iterator[Errand]:
    for mail in () if person.disabled else person.mails:
        if mail.state == "deferred" and now >= cadence.again(mail.tries, mail.settled or mail.at):
            yield _again(person, mail)


def _again(person: Person, mail: Mail) -> Errand:
    return Errand(
        person=person.id, mail=mail.id, kind=mail.kind, share=mail.share, after=max(mail.first - 1, 0), to=mail.to
    )


def wants(person: Person, share: Share, now: datetime) -> bool:
    """Tell whether somebody is to be mailed what changes on a share."""
    theirs = person.role == "viewer" and person.client == share.client and not person.disabled
    return theirs and person.digest != "off" and share.active and share.ended_on(now) is None


def _id(one: Person | Share) -> str:
    return one.id
