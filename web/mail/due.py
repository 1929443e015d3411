"""Which mails are to be sent now: digests that are due, and mails that were put off long enough. Only reads.

Rule: whether a digest of a share is due depends only on the record of that share.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import cast

import msgspec

from domain.agreement.share import Share
from domain.ids import ClientId, PersonId, ShareId
from domain.people.mails import LINKS, Kind, Mail
from domain.people.person import Person
from domain.telling.told import News
from projections.events.world import World
from projections.logs.disclosure_log import DisclosureLog
from projections.replay import pages
from web.ids import digest
from web.mail import cadence
from web.mail.own import reasons

TOLD_WITHIN = timedelta(days=3)  # of a device that was kept or copied: what is older is no news


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """A mail to be sent: a new one, or one that was put off."""

    person: PersonId
    mail: str
    kind: Kind
    share: ShareId | None = None
    after: int = 0  # number of the last update that was mailed before
    to: int = 0  # number of the last update to mail
    client: ClientId | None = None  # that an invitation is for, or that a link opens
    most: int = LINKS  # of a link: how many in a quarter of an hour
    about: str = ""  # which change of their own somebody is told of, or the id of a device
    address: str = ""  # it goes to, where that is not the one they have then
    news: tuple[News, ...] = ()  # what a notice is about


class Due:
    """Finds the mails that are due. What it keeps in memory is a cache of the record."""

    def __init__(self, disclosure: DisclosureLog, hour: int) -> None:
        self._disclosure, self._hour = disclosure, hour
        self._at_slot: dict[ShareId, tuple[datetime, int]] = {}  # newest update at the newest slot, by share

    def errands(self, world: World, now: datetime) -> list[Errand]:
        """Return every mail to be sent at `now` (UTC).

        They are sorted by random id, so that the order of sending reveals nothing.
        """
        people = sorted(world.people.values(), key=_id)
        errands = [again for person in people for again in _put_off(person, now)]
        errands += [new for person in people for new in (*_own(person, now), *_of_devices(person, now))]
        for share in sorted(world.shares.values(), key=_id):
            readers = [one for one in sorted(world.members_of(share.client), key=_id) if wants(one, share, now)]
            errands += [new for person in readers for new in self._digest(world, share.id, person, now)]
        return errands

    def _digest(self, world: World, share: ShareId, person: Person, now: datetime) -> Iterator[Errand]:
        """Yield the digest of a share to somebody, if one is due."""
        if any(mail.state == "deferred" and mail.share == share for mail in person.mails):
            return  # later updates go into the mail after that one
        after = person.digested.get(share, 0)
        to = self._upto(world, share, person, after, now)
        if to > after:
            mail = digest(f"{share} {after + 1} {to} {person.id}")[:24]
            yield Errand(person=person.id, mail=mail, kind="digest", share=share, after=after, to=to)

    def _upto(self, world: World, share: ShareId, person: Person, after: int, now: datetime) -> int:
        """Return the number of the last update that should have been mailed to somebody by now."""
        client = world.shares[share].client
        cadence_there = person.digest(client)
        if cadence_there == "instant":
            oldest = self._disclosure.headers(share, after, 1)
            last = person.digested_at.get(share)
            due = bool(oldest) and cadence.settled_down(oldest[0].instant, last, now)
            return self._disclosure.head(share) if due else after
        slot = cadence.slot(now, cadence_there, self._hour, world.clients[client].time_zone)
        cached = self._at_slot.get(share)
        if cached is None or cached[0] != slot:
            cached = self._at_slot[share] = slot, pages.number_at(self._disclosure, share, slot)
        return cached[1]


def _put_off(person: Person, now: datetime) -> Iterator[Errand]:
    """Yield the mails to somebody that were put off and are to be tried again."""
    for mail in person.mails if person.comes_in else ():
        if mail.state == "deferred" and now >= cadence.again(mail.tries, mail.settled or mail.at):
            yield _again(person, mail)


def _own(person: Person, now: datetime) -> Iterator[Errand]:
    """Yield the mails about what somebody changed of their own."""
    for why in reasons(person, now):
        yield Errand(person=person.id, mail=why.mail, kind=why.kind, about=why.about, address=why.address)


def _again(person: Person, mail: Mail) -> Errand:
    return Errand(
        person=person.id,
        mail=mail.id,
        kind=mail.kind,
        share=mail.share,
        after=max(mail.first - 1, 0),
        to=mail.to,
        client=mail.client,
        about=mail.about,
        address=mail.address,
    )


def _of_devices(person: Person, now: datetime) -> Iterator[Errand]:
    """Yield what somebody is to be told of their devices: a new one, and one of which a copy was used."""
    if not person.comes_in:
        return
    told = {mail.id for mail in person.mails}
    new = [
        (device.id, device.clients, "device") for device in person.devices.kept.values() if _recent(device.kept, now)
    ]
    gone = [one for one in person.devices.gone if one.cause == "copied" and _recent(one.at, now)]
    for key, clients, kind in (*new, *((one.id, one.clients, "copied") for one in gone)):
        mail = digest(f"{kind} {key}")[:24]
        if mail not in told and (not person.viewer or clients):
            to = next((client for client in clients if client in person.clients), None)
            if to is not None or not person.viewer:
                yield Errand(person=person.id, mail=mail, kind=cast("Kind", kind), client=to, about=key)


def _recent(at: datetime, now: datetime) -> bool:
    return now - at <= TOLD_WITHIN


def wants(person: Person, share: Share, now: datetime) -> bool:
    """Return whether somebody gets digests of a share."""
    return person.digest(share.client) != "off" and share.active and share.ended_on(now) is None


def _id(item: Person | Share) -> str:
    return item.id
