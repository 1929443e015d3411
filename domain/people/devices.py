"""Devices that stay signed in, and wall displays. Part of a person's stream.

See docs/spec.md 2.29.

Rule: a device holds one credential, of which only the hash is recorded. Using it starts a session and issues its
successor, in one event. The credential before stays good until its successor was used; one that is older was copied,
or the record went back to a backup: it ends the device. Each device that is shown a share without its person is a
display, and opens nothing else.
"""

from datetime import datetime, timedelta
from typing import Literal, Protocol, assert_never

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import ClientId, PersonId, ShareId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.people.sign_ins import Session, SessionEnded, SessionStarted, ahead

DAYS, MOST_DAYS = 30, 365  # for which a device stays signed in where nobody said otherwise, and at most
DISPLAY_DAYS = 365  # for which a wall display lasts
GRACE = timedelta(seconds=20)  # in which the same credential is answered with the same successor, as by tabs restored
SUCCESSORS = 20  # of one credential that are known at once: so often its answer may be lost
NAME = 60  # letters of a name that its person gives it, at most
GONE_KEPT = 20  # ended devices, in memory; the log has them all

EndCause = Literal["signed_out", "ended", "replaced", "over", "nothing_left", "copied", "restored"]

# events


class DeviceKept(Event, frozen=True, kw_only=True):
    """The device of a session stays signed in; `hash` is the sha256 hex of its first credential."""

    device: str
    name: str  # "Firefox on Windows"
    session: str
    hash: str
    clients: tuple[ClientId, ...] = ()  # whose shares it opens, of a viewer
    passkey: str = ""  # id of the passkey that vouched for the session


class DeviceEnded(Event, frozen=True, kw_only=True):
    """A device is signed in no more. copied: a credential was used that is older than the one before.

    restored: the record went back to a backup. over: its days ran out. nothing_left: all that it opened has ended.
    """

    device: str
    cause: EndCause


class DeviceRenamed(Event, frozen=True, kw_only=True):
    """A device that stays signed in is called otherwise by its person from now on."""

    device: str
    name: str


class DisplayOffered(Event, frozen=True, kw_only=True):
    """A screen may become a wall display of a share by a code, good once; `hash` is the code's sha256 hex."""

    device: str
    name: str  # as its person calls the place
    share: ShareId
    client: ClientId
    hash: str
    expires: datetime


class DisplayBegun(Event, frozen=True, kw_only=True):
    """A screen became the wall display that was offered; `hash` is the sha256 hex of its first credential."""

    device: str
    hash: str


DeviceEvent = DeviceKept | DeviceEnded | DeviceRenamed | DisplayOffered | DisplayBegun

# state


class Device(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    kept: datetime  # since when, UTC
    clients: tuple[ClientId, ...]  # whose shares it opens, of a viewer
    first: str  # hash of its first credential
    used: str = ""  # hash of the credential used last
    issued: tuple[str, ...] = ()  # hashes of its successors, of which none was used
    number: int = 1  # of credentials one after the other, up to `issued`
    successors: int = 0  # how many `used` had
    renewed: datetime | None = None  # when the last one was issued, UTC
    share: ShareId | None = None  # of a wall display: the one it shows
    passkey: str = ""  # id of the passkey that vouched for the session in which it was kept, and so for its own

    @property
    def display(self) -> bool:
        """Whether it is a wall display."""
        return self.share is not None

    def successor(self, credential: str, now: datetime) -> int | None:
        """Return which successor a credential (its hash) gets at `now`, counted from 0; None where it is too old."""
        if credential in self.issued:
            return 0
        if not credential or credential != self.used:
            return None
        answered = self.renewed is not None and abs(now - self.renewed) <= GRACE
        return self.successors - 1 if answered else self.successors


class GoneDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device that is signed in no more."""

    id: str
    name: str
    clients: tuple[ClientId, ...]
    at: datetime
    cause: EndCause
    share: ShareId | None = None


class PlannedDisplay(msgspec.Struct, frozen=True, kw_only=True):
    """A wall display that waits for its screen."""

    device: str
    name: str
    share: ShareId
    client: ClientId
    hash: str
    expires: datetime


class Devices(msgspec.Struct, frozen=True):
    """The devices of one person."""

    kept: dict[str, Device] = {}  # by id
    gone: tuple[GoneDevice, ...] = ()  # the latest
    offers: dict[str, PlannedDisplay] = {}  # by hash of the code

    def less(self, client: ClientId, at: datetime | None) -> "Devices":
        """Return them once their person is no viewer of a client any more, at `at` (UTC)."""
        replace, left, gone = msgspec.structs.replace, dict[str, Device](), list(self.gone)
        for device in self.kept.values():
            clients = tuple(one for one in device.clients if one != client)
            if clients or not device.clients:
                left[device.id] = replace(device, clients=clients)
            elif at is not None:
                gone.append(_gone(device, at, "nothing_left"))
        offers = {key: offer for key, offer in self.offers.items() if offer.client != client}
        return Devices(left, tuple(gone[-GONE_KEPT:]), offers)


NONE = Devices()


def evolve(state: Devices, event: DeviceEvent | SessionStarted, at: datetime) -> Devices:
    """Return the devices after `event`, recorded at `at` (UTC)."""
    replace = msgspec.structs.replace
    match event:
        case DeviceKept():
            new = Device(
                id=event.device, name=event.name, kept=at, clients=event.clients, first=event.hash,
                issued=(event.hash,), passkey=event.passkey,
            )  # fmt: skip
            return replace(state, kept={**state.kept, new.id: new})
        case DisplayOffered():
            offer = PlannedDisplay(
                device=event.device, name=event.name, share=event.share, client=event.client, hash=event.hash,
                expires=event.expires,
            )  # fmt: skip
            waiting = {key: one for key, one in state.offers.items() if one.expires > at}
            return replace(state, offers={**waiting, offer.hash: offer})
        case DisplayBegun(device=key):
            return _begun(state, event, at) if any(one.device == key for one in state.offers.values()) else state
        case DeviceEnded(device=key, cause=cause):
            if key not in state.kept:
                return state
            gone = (*state.gone, _gone(state.kept[key], at, cause))[-GONE_KEPT:]
            return replace(state, kept={k: one for k, one in state.kept.items() if k != key}, gone=gone)
        case DeviceRenamed(device=key, name=name):
            if key not in state.kept:
                return state
            return replace(state, kept={**state.kept, key: replace(state.kept[key], name=name)})
        case SessionStarted(kept=key):
            if key not in state.kept:
                return state
            return replace(state, kept={**state.kept, key: _renewed(state.kept[key], event, at)})
        case _:
            assert_never(event)


def _begun(state: Devices, event: DisplayBegun, at: datetime) -> Devices:
    offer = next(one for one in state.offers.values() if one.device == event.device)
    new = Device(
        id=offer.device, name=offer.name, kept=at, clients=(offer.client,), first=event.hash, issued=(event.hash,),
        share=offer.share,
    )  # fmt: skip
    offers = {key: one for key, one in state.offers.items() if one.device != offer.device}
    return msgspec.structs.replace(state, kept={**state.kept, new.id: new}, offers=offers)


def _renewed(device: Device, event: SessionStarted, at: datetime) -> Device:
    replace = msgspec.structs.replace
    if event.used in device.issued:
        return replace(
            device, used=event.used, issued=(event.issued,), number=device.number + 1, successors=1, renewed=at
        )
    issued = (*device.issued, event.issued)[-SUCCESSORS:]
    return replace(device, issued=issued, successors=device.successors + 1, renewed=at)


def _gone(device: Device, at: datetime, cause: EndCause) -> GoneDevice:
    return GoneDevice(
        id=device.id, name=device.name, clients=device.clients, at=at, cause=cause, share=device.share
    )  # fmt: skip


# commands


class KeepDevice(Command, frozen=True, kw_only=True):
    """Keep the device of an open session signed in."""

    person: PersonId
    device: str
    session: str
    hash: str
    name: str


class RenewDevice(Command, frozen=True, kw_only=True):
    """Use a credential: start a session and issue a successor, the `successor`-th from 0. `number`: the credential's.

    Who sends it has made sure that the credential was once issued for this device.
    """

    person: PersonId
    device: str
    number: int
    hash: str
    successor: int
    issued: str
    session: str
    session_hash: str
    session_expires: datetime
    kind: str = ""  # "Computer", "Phone", "Tablet"
    clients: tuple[ClientId, ...] = ()  # that the session opens, of a viewer


class EndDevice(Command, frozen=True, kw_only=True):
    """End a device: its sessions end, and their pages close."""

    person: PersonId
    device: str
    cause: EndCause = "ended"


class RenameDevice(Command, frozen=True, kw_only=True):
    """Call a device of one's own that stays signed in otherwise. A wall display keeps the name of its place."""

    person: PersonId
    device: str
    name: str


class OfferDisplay(Command, frozen=True, kw_only=True):
    """Let a screen become a wall display of a share, by a code."""

    person: PersonId
    device: str
    name: str
    share: ShareId
    client: ClientId
    hash: str
    expires: datetime


class BeginDisplay(Command, frozen=True, kw_only=True):
    """Make a screen the wall display that was offered by a code."""

    person: PersonId
    code: str  # hash of it
    hash: str


DeviceCommand = KeepDevice | RenewDevice | EndDevice | RenameDevice | OfferDisplay | BeginDisplay
CREDENTIALED = KeepDevice | RenewDevice | BeginDisplay  # whose credential is made or read first; never sent by anybody
Decided = DeviceEvent | SessionStarted | SessionEnded


class Owner(Protocol):
    """What deciding on a device asks of its person."""

    @property
    def viewer(self) -> bool:
        """Whether what they open is bound to clients."""

    @property
    def clients(self) -> tuple[ClientId, ...]:
        """The clients they are a viewer of now."""

    @property
    def comes_in(self) -> bool:
        """Whether they have access."""

    @property
    def sessions(self) -> dict[str, Session]:
        """Their open sessions, by id."""

    @property
    def devices(self) -> Devices:
        """Their devices."""


def decide(state: Owner, command: DeviceCommand, now: datetime) -> list[Decided]:
    """Return the events that carry out `command` at `now` (UTC).

    Raises: a kind of Refused.
    """
    match command:
        case KeepDevice():
            return [_keep(state, command, now)]
        case RenewDevice():
            return _renew(state, command, now)
        case EndDevice(device=key, cause=cause):
            return end(state, key, cause)
        case RenameDevice():
            return list(_rename(state, command))
        case OfferDisplay():
            return [_offer(state, command, now)]
        case BeginDisplay():
            return [_begin(state, command, now)]
        case _:
            assert_never(command)


def end(state: Owner, device: str, cause: EndCause) -> list[Decided]:
    """Return the events that end a device and its sessions, none where it ended already."""
    if device not in state.devices.kept:
        return []
    how: Literal["signed_out", "ended"] = "signed_out" if cause == "signed_out" else "ended"
    sessions = [SessionEnded(session=s.id, cause=how) for s in state.sessions.values() if s.kept == device]
    return [DeviceEnded(device=device, cause=cause), *sessions]


def _keep(state: Owner, command: KeepDevice, now: datetime) -> DeviceKept:
    session = state.sessions.get(command.session)
    if session is None or session.expires <= now:
        raise Unknown(_("This session has ended. Sign in again, and choose it then."), "session")
    if session.kept:
        raise Conflict(_("This device stays signed in already."), "session")
    if session.provider:  # which vouches for somebody time and again, and may cease to
        raise Conflict(_("You came by your organisation’s own sign-on. Sign in by it again each time."), "session")
    _new(state, command.device)
    return DeviceKept(
        device=command.device,
        name=check.line("name", command.name),
        session=session.id,
        hash=check.line("hash", command.hash),
        clients=session.clients,
        passkey=session.passkey,
    )


def _renew(state: Owner, command: RenewDevice, now: datetime) -> list[Decided]:
    device = state.devices.kept.get(command.device)
    opens = set(device.clients).intersection(command.clients) if device is not None else set[ClientId]()
    clients = tuple(client for client in state.clients if client in opens)
    if device is None or not state.comes_in or (state.viewer and not clients):
        raise Unknown(_("This device is signed in no more."), "device")
    if device.successor(command.hash, now) is None:
        return end(state, device.id, "restored" if command.number > device.number else "copied")
    if command.hash == device.used and command.successor < device.successors:
        return []  # another tab, or another process, was faster: the answer is the same
    check.identifier("session", command.session)
    return [
        SessionStarted(
            session=command.session,
            hash=check.line("session_hash", command.session_hash),
            expires=ahead("session_expires", command.session_expires, now),
            device=check.line("kind", command.kind, required=False),
            via="device",
            clients=clients,
            passkey=device.passkey,
            kept=device.id,
            used=command.hash,
            issued=check.line("issued", command.issued),
        )
    ]


def _rename(state: Owner, command: RenameDevice) -> list[DeviceRenamed]:
    device = state.devices.kept.get(command.device)
    if device is None:
        raise Unknown(_("This device is signed in no more."), "device")
    if device.display:
        raise Conflict(_("A wall display keeps the name of its place. End it, and put up another."), "device")
    name = check.line("name", command.name)
    if len(name) > NAME:
        raise Invalid(_("A name has at most {most} letters. Choose a shorter one.", most=NAME), "name")
    return [] if name == device.name else [DeviceRenamed(device=device.id, name=name)]


def _offer(state: Owner, command: OfferDisplay, now: datetime) -> DisplayOffered:
    if command.client not in state.clients:
        raise Unknown(_("This person is no viewer of that client, or no more."), "client")
    _new(state, command.device)
    return DisplayOffered(
        device=command.device,
        name=check.line("name", command.name),
        share=command.share,
        client=command.client,
        hash=check.line("hash", command.hash),
        expires=ahead("expires", command.expires, now),
    )


def _begin(state: Owner, command: BeginDisplay, now: datetime) -> DisplayBegun:
    offer = state.devices.offers.get(command.code)
    if offer is None or offer.expires <= now or offer.client not in state.clients:
        raise Unknown(_("This code has been used or has expired. Make a new one on your own device."), "code")
    return DisplayBegun(device=offer.device, hash=check.line("hash", command.hash))


def _new(state: Owner, device: str) -> None:
    """Raise Conflict where there is or was a device with an id."""
    known = {*state.devices.kept, *(one.id for one in state.devices.gone)}
    known |= {offer.device for offer in state.devices.offers.values()}
    if check.identifier("device", device) in known:
        raise Conflict(_("A device with this id is known already. Use a new id."), "device")


# for how long


def checked_days(days: int) -> int:
    """Return for how many days devices may stay signed in, 0 for none.

    Raises: Invalid.
    """
    return check.whole("days", days, 0, MOST_DAYS)


def recipient(device: str) -> str:
    """Return by which name the delivery record knows a wall display: that of no person, since no id holds a stop."""
    return f"wall.{device}"


def displayed_by(person: str) -> str | None:
    """Return the id of the wall display that the delivery record means by a name; None where it means a person."""
    kind, stop, device = person.partition(".")
    return device if stop and kind == "wall" else None
