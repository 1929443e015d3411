"""Emails about what somebody changed of their own: an address to be confirmed or given up, a passkey that was added.

Rule: what is due is worked out of the record, so that a process that ends between a change and its email leaves nobody
untold. The secret in an email is derived from a key of that person's own, so a new try holds the same one, and nothing
of it is recorded.
"""

import hmac
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import msgspec

from domain.ids import PersonId
from domain.language import gettext as _
from domain.people.addresses import AddressChange, Side
from domain.people.mails import Kind, Mail
from domain.people.memberships import compared
from domain.people.passkeys import Passkey
from domain.people.person import Person
from projections.events.world import World
from projections.wording import words
from web.ids import digest
from web.mail import cadence
from web.mail.letters import OwnChange
from web.mail.stop import Fingerprint

SIDES: tuple[Side, ...] = ("old", "new")
TOLD = "told"  # of an address that was given up: that it was


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why somebody is written to: `about` says which change, "old k3v9x0q2m7ab"."""

    mail: str  # id
    kind: Kind
    about: str
    address: str


def reasons(person: Person, now: datetime) -> Iterator[Reason]:
    """Yield what somebody is to be told at `now` (UTC) and is not yet."""
    known = {mail.id for mail in person.mails}
    yield from (reason for reason in _all(person, now) if reason.mail not in known)


def _all(person: Person, now: datetime) -> Iterator[Reason]:
    if not person.comes_in:
        return
    if (asked := person.address_changes.pending(now)) is not None:
        yield from (_reason(person, "address", f"{side} {asked.id}", getattr(asked, side)) for side in SIDES)
    for made in person.address_changes.made:
        if now - made.at < cadence.GIVE_UP:
            yield _reason(person, "address", f"{TOLD} {made.id}", made.old)
    for passkey in person.keyring.passkeys.values():
        if now - passkey.added < cadence.GIVE_UP:
            yield from (_reason(person, "passkey", passkey.id, to) for to in _reached(person, passkey))


def _reason(person: Person, kind: Kind, about: str, address: str) -> Reason:
    key = digest(f"{kind} {about} {compared(address)} {person.id}")[:24]
    return Reason(mail=key, kind=kind, about=about, address=address)


def _reached(person: Person, passkey: Passkey) -> list[str]:
    """Return the addresses at which somebody is told of a passkey: those that the clients it opens know."""
    if not person.viewer:
        return [person.email]
    known = [person.memberships[client].email for client in person.clients if client in passkey.clients]
    return list({compared(address): address for address in known}.values())


# the secret of an email that asks to confirm


def confirm_token(fingerprint: Fingerprint, person: PersonId, change: str, side: Side) -> str:
    """Return the secret by which an address confirms a change."""
    secret = fingerprint(f"person-{person}", f"confirm the address {change} {side}".encode())[:40]
    return f"{person}.{change}.{side}.{secret}"


def confirmed_by(
    fingerprint: Fingerprint, people: Mapping[PersonId, Person], token: str
) -> tuple[Person, str, Side] | None:
    """Return whose change a secret confirms, which one, and from which address; None for a wrong one."""
    parts = token.split(".")
    if len(parts) != 4 or parts[2] not in SIDES:
        return None
    person, change = people.get(PersonId(parts[0])), parts[1]
    side: Side = "old" if parts[2] == "old" else "new"
    if person is None:
        return None
    right = confirm_token(fingerprint, person.id, change, side)
    return (person, change, side) if hmac.compare_digest(right.encode(), token.encode(errors="replace")) else None


# what an email says


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """What notices are made from. `confirm` returns the secret by which an address confirms a change."""

    world: World
    origin: str
    now: datetime  # UTC
    confirm: Callable[[PersonId, str, Side], str]


def change(sources: Sources, person: Person, mail: Mail) -> OwnChange | None:
    """Return what an email says to somebody; None where there is no reason any more."""
    organisation = sources.world.organisation or _("Your supplier")
    name = _named(person, mail.address)
    if mail.kind == "passkey":
        return _of_passkey(sources, person, mail, organisation, name)
    what, _space, change = mail.about.partition(" ")
    if what == TOLD:
        return _given_up(organisation, name)
    asked = person.address_changes.pending(sources.now)
    if asked is None or asked.id != change or what not in SIDES:
        return None
    side: Side = "old" if what == "old" else "new"
    return _to_confirm(sources, person, asked, side, organisation)


def _named(person: Person, address: str) -> str:
    """Return the name by which whoever knows somebody by an address knows them."""
    for client in person.clients:
        if compared(person.memberships[client].email) == compared(address):
            return person.memberships[client].name
    return person.name


def _to_confirm(sources: Sources, person: Person, asked: AddressChange, side: Side, organisation: str) -> OwnChange:
    zone = sources.world.common_zone(asked.clients) if person.viewer else "UTC"
    until = f"{words.moment_year(asked.expires, zone)} ({zone})"
    name = _named(person, asked.old)
    if side == "old":
        subject = _("Confirm a change of your address at {organisation}", organisation=organisation)
        first = _(
            "You asked at {organisation} to sign in by {new} from now on, in place of this address.",
            organisation=organisation, new=asked.new,
        )  # fmt: skip
        wrong = _(
            "If it was not you who asked, do nothing and nothing changes. Somebody is in your account then: sign in, "
            "and sign out the devices you do not recognise."
        )
    else:
        subject = _("Confirm your new address at {organisation}", organisation=organisation)
        first = _("{name} asked to sign in at {organisation} by this address.", name=name, organisation=organisation)
        wrong = _("If you know nothing of it, do nothing: nobody signs in by this email.")
    return OwnChange(
        organisation=organisation,
        name=name,
        subject=subject,
        lines=(first, _("It changes once both addresses have confirmed, until {until}.", until=until)),
        link=f"{sources.origin}/address/{sources.confirm(person.id, asked.id, side)}",
        button=_("Confirm"),
        last=wrong,
    )


def _given_up(organisation: str, name: str) -> OwnChange:
    return OwnChange(
        organisation=organisation,
        name=name,
        subject=_("Your address at {organisation} was changed", organisation=organisation),
        lines=(
            _(
                "Both addresses confirmed. This one signs nobody in at {organisation} any more.",
                organisation=organisation,
            ),
        ),
        link="",
        button="",
        last=_("If it was not you, tell whoever works with you at {organisation} at once.", organisation=organisation),
    )  # fmt: skip


def _of_passkey(sources: Sources, person: Person, mail: Mail, organisation: str, name: str) -> OwnChange | None:
    passkey = person.keyring.passkeys.get(mail.about)
    if passkey is None:
        return None
    zone = sources.world.common_zone(passkey.clients) if person.viewer else "UTC"
    added = f"{words.moment_year(passkey.added, zone)} ({zone})"
    return OwnChange(
        organisation=organisation,
        name=name,
        subject=_("A passkey signs you in at {organisation}", organisation=organisation),
        lines=(
            _(
                "The passkey “{passkey}” was added to your account at {organisation}, {added}.",
                passkey=passkey.name, organisation=organisation, added=added,
            ),
        ),
        link=f"{sources.origin}/me/passkeys",
        button=_("See your passkeys"),
        last=_("If it was not you, remove it there, and sign out the devices you do not recognise."),
    )  # fmt: skip
