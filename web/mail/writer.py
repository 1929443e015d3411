"""Writes a queued mail at the moment it is handed to the mail server.

Rule: nothing is mailed to people who are disabled, of shares that have ended, or of content that was erased, however
long the mail was queued.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from domain.ids import ClientId, PersonId
from domain.language import ENGLISH, N_, Said, speaking
from domain.language import gettext as _
from domain.people.addresses import Side
from domain.people.devices import Device
from domain.people.mails import Mail
from domain.people.memberships import Membership
from domain.people.person import Person, Role
from projections.events.present import CurrentWorld
from projections.logs.disclosure_log import DisclosureLog
from projections.wording import words
from web.identity.credentials import ASKED
from web.identity.devices import until
from web.ids import digest as digest_of
from web.mail import digest, letters, notice, own
from web.mail.due import Errand, wants
from web.mail.reach import known_as, reached_at
from web.mail.worn import worn
from web.mail_server import Server, server
from web.settings import Settings
from web.write.permission import SYSTEM

if TYPE_CHECKING:
    from web.identity.credentials import Credentials


AS: dict[Role, str] = Said(
    {
        "admin": N_("an admin"),
        "manager": N_("a project manager"),
        "auditor": N_("an auditor"),
        "viewer": N_("a viewer"),
    }
)


class MailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How an installation sends mail."""

    server: Server
    sender: str  # the address emails come from
    origin: str  # of the addresses in mails, such as https://status.example.com
    hour: int  # at which daily and weekly emails are due, in the client's time zone


def mail_settings(settings: Settings) -> MailSettings | None:
    """Return how an installation sends mail, None where no mail server is set."""
    if not settings.smtp_url:
        return None
    return MailSettings(
        server=server(settings.smtp_url), sender=settings.mail_from, origin=settings.origin, hour=settings.digest_hour
    )


class MailSources(msgspec.Struct, frozen=True, kw_only=True):
    """What mails are written from. `stop_token` returns the secret by which a person's digests are stopped."""

    present: CurrentWorld
    credentials: "Credentials"
    disclosure: DisclosureLog
    clock: Callable[[], datetime]  # UTC
    stop_token: Callable[[PersonId], str]
    confirm_token: Callable[[PersonId, str, Side], str]  # by which an address confirms a change
    noticed: Callable[[Person, Mail], notice.Notice | None] = lambda _person, _mail: None  # what a notice says


class Writer:
    """Writes mails as bytes; None where there is no reason any more to send one."""

    def __init__(self, mailing: MailSettings, sources: MailSources) -> None:
        self._mailing, self._present, self._credentials = mailing, sources.present, sources.credentials
        self._disclosure, self._clock, self._stop_token = sources.disclosure, sources.clock, sources.stop_token
        self._confirm_token = sources.confirm_token
        self._noticed = sources.noticed

    def content(self, errand: Errand) -> digest.Digest | None:
        """Return what a digest says, None when all of it was erased or nothing changed but by its reader."""
        assert errand.share is not None
        return digest.compose(self._disclosure, errand.share, errand.after, errand.to, errand.person)

    def digest(self, errand: Errand, mail: Mail) -> bytes | None:
        """Return a digest as a mail."""
        world = self._present.refresh()
        person, share = world.people.get(errand.person), world.shares[errand.share] if errand.share else None
        if person is None or share is None or not wants(person, share, self._clock()):
            return None
        content = self.content(errand)
        if content is None:
            return None
        origin, here = self._mailing.origin, f"{self._mailing.origin}/s/{share.id}"
        stop = f"{origin}/mail/stop/{self._stop_token(person.id)}"
        links = letters.Links(dashboard=here, history=f"{here}/history", settings=f"{origin}/home/mail", stop=stop)
        envelope = self._envelope(content.organisation, person.memberships[share.client], mail, stop)
        return letters.digest(envelope, content, links)

    def invitation(self, errand: Errand, mail: Mail, secret: str = "") -> bytes | None:
        """Return an invitation as a mail, with the link of `secret`, or else with a new one.

        None also when no secret is given and the person has used a link to that client, or as a colleague, before.
        """
        person = self._present.refresh().people.get(errand.person)
        key = (errand.client or next(iter(person.memberships), None)) if person is not None else None
        with speaking(self._language(person, key)):
            return self._invitation(person, key, mail, secret)

    def _invitation(self, person: Person | None, key: ClientId | None, mail: Mail, secret: str) -> bytes | None:
        if person is None or not person.comes_in or (person.viewer and key not in person.clients):
            return None
        if not secret:
            if any(link.used and (key is None or key in link.clients) for link in person.links.values()):
                return None
            secret = self._credentials.link(SYSTEM, person.id, key)
        world = self._present.refresh()
        link, reader = world.people[person.id].links[digest_of(secret)], known_as(person, key)
        zone, name = world.clients[key].time_zone if key else "UTC", world.organisation or _("Your supplier")
        content = letters.Invitation(
            organisation=name,
            client=world.client_name(key) if key else "",
            role=_(AS[person.role]),
            name=reader.name,
            link=f"{self._mailing.origin}/in/{secret}",
            until=f"{words.moment_year(link.expires, zone)} ({zone})",
        )
        return letters.invitation(self._envelope(name, reader, mail), content)

    def link(self, errand: Errand, mail: Mail, way_on: str = "") -> bytes | None:
        """Return a mail with a new link, as it was asked for on the sign-in page; `way_on`: where it leads then.

        None when the link would come too late, or the person is nobody any more whom that address reaches.
        """
        person = self._present.refresh().people.get(errand.person)
        if person is None or not reached_at(person, errand.client) or self._clock() - mail.at > ASKED:
            return None
        with speaking(self._language(person, errand.client)):
            return self._link(person, errand, mail, way_on)

    def _link(self, person: Person, errand: Errand, mail: Mail, way_on: str) -> bytes:
        secret = self._credentials.asked_link(person.id, errand.client)
        world = self._present.refresh()
        link = world.people[person.id].links[digest_of(secret)]
        zone = world.common_zone(link.clients)
        name = world.organisation or _("Your supplier")
        reader = known_as(person, errand.client)
        content = letters.OwnLink(
            organisation=name,
            name=reader.name,
            link=f"{self._mailing.origin}/in/{secret}{f'?to={quote(way_on)}' if way_on else ''}",
            until=f"{words.moment_year(link.expires, zone)} ({zone})",
        )
        return letters.own_link(self._envelope(name, reader, mail), content)

    def own_change(self, errand: Errand, mail: Mail) -> bytes | None:
        """Return a mail about what somebody changed of their own, None where there is no reason any more."""
        world = self._present.refresh()
        person, origin = world.people.get(errand.person), self._mailing.origin
        sources = own.Sources(world=world, origin=origin, now=self._clock(), confirm=self._confirm_token)
        told = own.change(sources, person, mail) if person is not None and person.comes_in else None
        if person is None or told is None:
            return None
        envelope = letters.Envelope(
            sender=self._mailing.sender, sender_name=told.organisation, to=mail.address, to_name=told.name,
            mail=mail.id, at=mail.at,
        )  # fmt: skip
        return letters.own_change(envelope, told)

    def notice(self, errand: Errand, mail: Mail) -> bytes | None:
        """Return a mail about lines of somebody's list; None when none of them is on it any more."""
        person = self._present.refresh().people.get(errand.person)
        if person is None or not person.comes_in:
            return None
        content = self._noticed(person, mail)
        return None if content is None else notice.letter(self._envelope(content.organisation, person, mail), content)

    def _language(self, person: Person | None, client: ClientId | None) -> str:
        """Return the language (BCP 47) of a mail about signing in: the person's, else that of the client's shares.

        Nothing of another client of theirs is looked at.
        """
        if person is not None and person.language:
            return person.language
        shares = self._present.world.all_of_client(client) if client else []
        spoken = {share.language for share in shares if share.revoked_at is None}
        return spoken.pop() if len(spoken) == 1 else ENGLISH

    def of_device(self, errand: Errand, mail: Mail) -> bytes | None:
        """Return a mail about a device of somebody; None when it says nothing any more."""
        world = self._present.refresh()
        person = world.people.get(errand.person)
        if person is None or not person.comes_in or (person.viewer and errand.client not in person.clients):
            return None
        kept = person.devices.kept.get(errand.about)
        gone = next((one for one in person.devices.gone if one.id == errand.about and one.cause == "copied"), None)
        found = gone if mail.kind == "copied" else kept
        if found is None:
            return None
        zone = world.common_zone([errand.client]) if errand.client else "UTC"
        name, reader = world.organisation or _("Your supplier"), known_as(person, errand.client)
        at = found.kept if isinstance(found, Device) else found.at
        last = until(world, found).astimezone(ZoneInfo(zone)).date() if isinstance(found, Device) else None
        content = letters.OfDevice(
            organisation=name,
            name=reader.name,
            device=found.name,
            display=found.share is not None,
            copied=mail.kind == "copied",
            at=f"{words.moment_year(at, zone)} ({zone})",
            until=words.day_year(last) if last else "",
            page=f"{self._mailing.origin}/me",
        )
        return letters.of_device(self._envelope(name, reader, mail), content)

    def _envelope(self, name: str, reader: Membership | Person, mail: Mail, stop: str = "") -> letters.Envelope:
        return letters.Envelope(
            sender=self._mailing.sender,
            sender_name=self._present.world.brand.sender or name,
            worn=worn(self._present.world.brand, self._disclosure.asset),
            to=reader.email,
            to_name=reader.name,
            mail=mail.id,
            at=mail.at,
            unsubscribe=stop,
        )
