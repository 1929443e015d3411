"""Devices that stay signed in, and wall displays: kept, renewed by their credential, and ended.

Rule: a credential is `device.number.secret.tag`. The secret has 192 bits and is recorded only as its hash; the tag,
made with a key of the installation, tells one that was once issued from what somebody made up, so that nobody ends a
device by guessing. A successor is derived from the credential before it: whoever asks again, as tabs do that a browser
restores at once, gets the same answer, and nothing more is recorded.
"""

import base64
import hashlib
import hmac
import logging
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from domain.errors import Refused
from domain.ids import ClientId, CommandId, PersonId, ShareId
from domain.language import gettext as _
from domain.people.devices import (
    DISPLAY_DAYS,
    BeginDisplay,
    Device,
    EndCause,
    EndDevice,
    KeepDevice,
    OfferDisplay,
    RenewDevice,
)
from domain.people.person import Person
from domain.people.sign_ins import Session
from projections.directory import Directory
from projections.events.present import CurrentWorld
from web.door.limit import Limit
from web.door.renewal import Outcome, Renewed
from web.ids import digest, new_id, new_secret
from web.write.permission import OPERATOR, Actor
from web.write.service import Service

log = logging.getLogger("fanlight.devices")
CODE, CODE_LASTS = 12, timedelta(hours=1)  # letters of a code for a wall display: 60 bits; and for how long it is good
LETTERS = "abcdefghjkmnpqrstvwxyz0123456789"  # 32 of them, no two alike
RENEWALS = 30  # of one device a minute, that are recorded; more wait
KEY = "devices"  # of the installation's, in its table of keys


class Credential(msgspec.Struct, frozen=True):
    """What a device's cookie holds."""

    device: str
    number: int  # of credentials one after the other, from 1
    secret: str


class Offered(msgspec.Struct, frozen=True):
    """A wall display that waits for its screen: its id, and the code it begins by."""

    device: str
    code: str


# for how long


def allowed_days(directory: Directory, client: ClientId | None) -> int:
    """Return for how many days a device may open a client's shares; None: be that of one of our own people."""
    known = directory.clients.get(client) if client is not None else None
    own = directory.rules.device_days
    return own if known is None or known.device_days is None else min(own, known.device_days)


def until(directory: Directory, device: Device) -> datetime:
    """Return when a device is signed in no more, UTC, as it is allowed now."""
    if device.display:
        return device.kept + timedelta(days=DISPLAY_DAYS)
    days = [allowed_days(directory, client) for client in device.clients or (None,)]
    return device.kept + timedelta(days=max(days))


def opens(directory: Directory, person: Person, device: Device, now: datetime) -> tuple[ClientId, ...]:
    """Return the clients whose shares a viewer's device opens now: those that allow it, with a share in force."""
    return tuple(
        client
        for client in device.clients
        if client in person.clients and _lasts(directory, device, client, now) and _shows(directory, device, client)
    )


def _lasts(directory: Directory, device: Device, client: ClientId, now: datetime) -> bool:
    days = DISPLAY_DAYS if device.display else allowed_days(directory, client)
    return now < device.kept + timedelta(days=days) and allowed_days(directory, client) > 0


def _shows(directory: Directory, device: Device, client: ClientId) -> bool:
    if device.share is not None:
        return any(share.id == device.share and share.active for share in directory.all_of_client(client))
    return _open(directory, client)


def _open(directory: Directory, client: ClientId) -> bool:
    """Return whether not all that was shared with a client has ended."""
    shares = directory.all_of_client(client)
    return not shares or any(share.revoked_at is None for share in shares)


def over(directory: Directory, person: Person, device: Device, now: datetime) -> EndCause | None:
    """Return why a device has to end now; None while it opens something."""
    if until(directory, device) <= now:
        return "over"
    if person.viewer:
        if opens(directory, person, device, now):
            return None
        late = any(not _lasts(directory, device, client, now) for client in device.clients)
        return "over" if late else "nothing_left"
    return "over" if allowed_days(directory, None) == 0 else None


class Devices:
    """Keeps, renews and ends devices. For any thread; several processes may do so at once.

    `clock` returns UTC; `key` returns the installation's key for devices.
    """

    def __init__(
        self,
        service: Service,
        present: CurrentWorld,
        clock: Callable[[], datetime],
        key: Callable[[], bytes],
        session_hours: int,
    ) -> None:
        self._service, self._present, self._clock, self._key = service, present, clock, key
        self._session = timedelta(hours=session_hours)
        self._asked, self._lock = Limit(RENEWALS), threading.Lock()

    # beginning

    def may_keep(self, person: Person, clients: tuple[ClientId, ...]) -> int:
        """Return for how many days a device of somebody may stay signed in that opens `clients`; 0: it may not."""
        world = self._present.world
        open_ones = [client for client in clients if _open(world, client)] if person.viewer else [None]
        return max((allowed_days(world, client) for client in open_ones), default=0)

    def keep(self, person: PersonId, session: str, name: str) -> Renewed | None:
        """Keep the device of a session signed in; None where that is not allowed. The session goes on as it is.

        Raises: Refused when the session has ended or is a device's already.
        """
        world = self._present.refresh()
        known = world.people.get(person)
        open_one = known.sessions.get(session) if known is not None else None
        if known is None or open_one is None or not self.may_keep(known, open_one.clients):
            return None
        key, secret = new_id(), new_secret()
        command = KeepDevice(person=person, device=key, session=session, hash=digest(secret), name=name)
        self._execute(OPERATOR, command)
        return self._first(key, secret)

    def offer(self, actor: Actor, share: ShareId, client: ClientId, name: str) -> Offered:
        """Let a screen become a wall display of a share, and return the code it becomes one by.

        Raises: Refused.
        """
        offered = Offered(new_id(), "".join(secrets.choice(LETTERS) for _letter in range(CODE)))
        command = OfferDisplay(
            person=actor.person,
            device=offered.device,
            name=name,
            share=share,
            client=client,
            hash=digest(offered.code),
            expires=self._clock() + CODE_LASTS,
        )
        self._execute(actor, command)
        return offered

    def begin(self, code: str) -> Renewed | None:
        """Make a screen the wall display that a code was made for; None where the code is good no more."""
        hashed = digest(plain(code))
        world = self._present.refresh()
        found = world.offered(hashed)
        if found is None or not allowed_days(world, found[1].client):
            return None
        secret = new_secret()
        try:
            self._execute(OPERATOR, BeginDisplay(person=found[0].id, code=hashed, hash=digest(secret)))
        except Refused:
            return None  # somebody else was faster, or it ran out a moment ago
        return self._first(found[1].device, secret)

    def _first(self, key: str, secret: str) -> Renewed | None:
        world = self._present.refresh()
        found = world.device(key)
        if found is None:
            return None
        return Renewed("", self._written(Credential(key, 1, secret)), self._seconds(world, found[1]))

    # renewing

    def renew(self, written: str, kind: str, display: bool) -> Outcome:
        """Begin a session by a credential, on a kind of device; a copied credential ends its device instead."""
        credential = self._read(written)
        world = self._present.refresh()
        found = world.device(credential.device) if credential is not None else None
        if credential is None or found is None or found[1].display != display:
            return "gone"
        person, device = found
        if not person.comes_in or over(world, person, device, self._clock()) is not None:
            return "gone"
        return self._renewed(credential, kind, found)

    def _renewed(self, credential: Credential, kind: str, found: tuple[Person, Device]) -> Outcome:
        person, device = found
        now, world = self._clock(), self._present.world
        which = device.successor(digest(credential.secret), now)
        known = which is not None and which < device.successors and digest(credential.secret) == device.used
        if not known and not self._allows(device.id):
            return "later"
        successor = self._derived(credential, "credential", which or 0)
        secret = self._derived(credential, "session", which or 0)
        if not known:
            command = RenewDevice(
                person=person.id,
                device=device.id,
                number=credential.number,
                hash=digest(credential.secret),
                successor=which or 0,
                issued=digest(successor),
                session=digest(f"id\n{secret}")[:16],
                session_hash=digest(secret),
                session_expires=min(now + self._session, until(world, device)),
                kind=kind,
                clients=opens(world, person, device, now),
            )
            try:
                self._execute(OPERATOR, command)
            except Refused:
                return "gone"  # it ended a moment ago
        return self._answer(credential, successor, secret)

    def _answer(self, credential: Credential, successor: str, secret: str) -> Outcome:
        """Return the session and the successor if they are recorded: else the device has ended."""
        world = self._present.refresh()
        found = world.device(credential.device)
        if found is None:
            log.warning("a device was ended: a credential was used that is older than the one before")
            return "gone"
        if digest(secret) not in world.sessions:
            return "gone"
        following = Credential(credential.device, credential.number + 1, successor)
        return Renewed(secret, self._written(following), self._seconds(world, found[1]))

    def _allows(self, device: str) -> bool:
        with self._lock:
            return self._asked.allows(device)

    # ending

    def end(self, actor: Actor, person: PersonId, device: str, cause: EndCause = "ended") -> None:
        """End a device: its sessions end, and their pages close.

        Raises: Refused.
        """
        self._execute(actor, EndDevice(person=person, device=device, cause=cause))

    def replaced(self, written: str, by: PersonId, *, kept: bool) -> bool:
        """End the device of a browser in which somebody signed in anew, and return whether it ended.

        It goes on where it is the same person's, unless a new one was `kept`.
        """
        credential = self._read(written)
        found = self._present.refresh().device(credential.device) if credential is not None else None
        if found is None or found[1].display or (found[0].id == by and not kept):
            return False
        self.end(OPERATOR, found[0].id, found[1].id, "replaced")
        return True

    def of(self, session: Session | None, person: Person) -> Device | None:
        """Return the device of a session, None where it is of none."""
        return person.devices.kept.get(session.kept) if session is not None else None

    # credentials

    def _execute(
        self, actor: Actor, command: KeepDevice | RenewDevice | EndDevice | OfferDisplay | BeginDisplay
    ) -> None:
        self._service.execute(actor, command, command_id=CommandId(new_id(24)))

    def _seconds(self, world: Directory, device: Device) -> int:
        return max(0, int((until(world, device) - self._clock()).total_seconds()))

    def _derived(self, credential: Credential, what: str, which: int) -> str:
        """Return 192 bits that only this credential and the installation's key give."""
        text = f"{what}\n{credential.device}\n{credential.number}\n{credential.secret}\n{which}"
        made = hmac.new(self._key(), text.encode(), hashlib.sha256).digest()[:24]
        return base64.urlsafe_b64encode(made).decode()

    def _tag(self, credential: Credential) -> str:
        text = f"tag\n{credential.device}\n{credential.number}\n{credential.secret}"
        return hmac.new(self._key(), text.encode(), hashlib.sha256).hexdigest()[:32]

    def _written(self, credential: Credential) -> str:
        return f"{credential.device}.{credential.number}.{credential.secret}.{self._tag(credential)}"

    def _read(self, written: str) -> Credential | None:
        """Return a credential as it was issued, None for what never was."""
        parts = written.split(".")
        if len(parts) != 4 or len(written) > 200 or not (parts[1].isdecimal() and parts[1].isascii()):
            return None
        credential = Credential(parts[0], int(parts[1]), parts[2])
        tag = self._tag(credential).encode()
        return credential if hmac.compare_digest(tag, parts[3].encode(errors="replace")) else None


def plain(code: str) -> str:
    """Return a code as it was made, from what somebody typed."""
    typed = "".join(letter for letter in code.lower() if letter.isalnum())
    return typed.translate(str.maketrans("oilu", "011v"))


def grouped(code: str) -> str:
    """Return a code in groups of four, to be read and typed."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def said(cause: EndCause) -> str:
    """Return why a device ended, in words."""
    match cause:
        case "copied":
            return _("a copy of it was used")
        case "restored":
            return _("the record was restored from a backup")
        case "over":
            return _("its days were over")
        case "nothing_left":
            return _("what it opened has ended")
        case "replaced":
            return _("somebody signed in anew in its browser")
        case "ended" | "signed_out":
            return _("signed out")
