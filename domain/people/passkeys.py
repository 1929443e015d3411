"""Passkeys: public keys by which somebody signs in without a link. Part of a person's stream.

See docs/spec.md 2.26.

Rule: of a viewer a passkey opens what the session opened in which it was added, so that whoever may make a link to one
client gets no lasting way to another. Of our own people nobody adds one more, or removes one, in a session that no
passkey of theirs vouches for, unless an admin had a second look at it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, Protocol

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import ClientId, PersonId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.people import devices, sign_ins
from domain.people.devices import Devices
from domain.people.sign_ins import Session, SessionEnded, SessionStarted

MOST = 20  # passkeys of one person
KEPT = timedelta(minutes=15)  # for which a challenge that was used is remembered; it is good for a shorter time
NAME = 60  # letters of a name at most

# events


class PasskeyAdded(Event, frozen=True, kw_only=True):
    """A public key by which its holder signs in from now on.

    `credential` and `key` (COSE) are base64url, `handle` is what the authenticator knows the account by. It works for
    `host`, the name in the installation's address (the relying party), and opens `clients`; None: all of that time.
    """

    passkey: str
    name: str
    credential: str
    key: str
    handle: str
    host: str
    count: int = 0  # of signatures, as the authenticator counts them; 0: it does not count
    synced: bool = False  # whether it may be on several devices of its holder
    transports: tuple[str, ...] = ()
    clients: tuple[ClientId, ...] | None = None  # whose shares it opens, of a viewer
    session: str = ""  # in which it was added, and which it vouches for since
    challenge: str = ""  # sha256 hex; it is good once


class PasskeyUsed(Event, frozen=True, kw_only=True):
    """Precedes the session that was started by a passkey."""

    passkey: str
    count: int = 0
    challenge: str = ""


class PasskeyRemoved(Event, frozen=True, kw_only=True):
    """Somebody removed a passkey of their own, or an admin ended it."""

    passkey: str
    cause: Literal["removed", "ended"]


class PasskeyRenamed(Event, frozen=True, kw_only=True):
    """Somebody calls a passkey of their own otherwise from now on."""

    passkey: str
    name: str


class PasskeyDoubted(Event, frozen=True, kw_only=True):
    """A passkey signed with a count that is not above its last one: it may have been copied, and lets nobody in."""

    passkey: str
    count: int
    challenge: str = ""


class PasskeyReplacementAsked(Event, frozen=True, kw_only=True):
    """Somebody of the organisation cannot use the passkeys they have, and asks to add another."""


class PasskeyReplacementConfirmed(Event, frozen=True, kw_only=True):
    """An admin had a second look: one passkey may be added until then (UTC) in a session of any kind."""

    expires: datetime


PasskeyEvent = (
    PasskeyAdded | PasskeyUsed | PasskeyRemoved | PasskeyRenamed | PasskeyDoubted | PasskeyReplacementAsked
    | PasskeyReplacementConfirmed
)  # fmt: skip

# state


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    credential: str
    key: str
    handle: str
    host: str
    count: int
    synced: bool
    transports: tuple[str, ...]
    clients: tuple[ClientId, ...]  # whose shares it opens, of a viewer
    added: datetime  # UTC
    used: datetime | None = None  # when somebody signed in by it last, UTC
    doubted: bool = False  # it may have been copied


class Keyring(msgspec.Struct, frozen=True, kw_only=True):
    """The passkeys of one person."""

    passkeys: Mapping[str, Passkey] = {}  # by id
    challenges: Mapping[str, datetime] = {}  # that were used, when
    lost: bool = False  # whether an admin ended one and none was added since
    asked: datetime | None = None  # when another was asked for, UTC
    until: datetime | None = None  # until when an admin allows another, UTC

    def vouches(self, session: Session | None) -> bool:
        """Tell whether a passkey that is there, and not doubted, was used in a session."""
        used = self.passkeys.get(session.passkey) if session is not None else None
        return used is not None and not used.doubted

    def may_add(self, session: Session | None, host: str, now: datetime) -> bool:
        """Tell whether somebody of the organisation may add a passkey for `host` in a session at `now` (UTC)."""
        first = not self.lost and not any(one.host == host for one in self.passkeys.values())
        return first or self.vouches(session) or (self.until is not None and self.until > now)


def evolve(state: Keyring, event: PasskeyEvent, opens: tuple[ClientId, ...], at: datetime) -> Keyring:
    """Return the passkeys after `event`, recorded at `at` (UTC), of somebody who is a viewer of `opens`."""
    replace, keys = msgspec.structs.replace, state.passkeys
    match event:
        case PasskeyAdded():
            added = _added(event, opens if event.clients is None else event.clients, at)
            used = _used(state, event.challenge, at)
            return Keyring(passkeys={**keys, added.id: added}, challenges=used)
        case PasskeyUsed(passkey=key, count=count, challenge=challenge) if key in keys:
            known = replace(keys[key], count=count, used=at)
            return replace(state, passkeys={**keys, key: known}, challenges=_used(state, challenge, at))
        case PasskeyDoubted(passkey=key, challenge=challenge) if key in keys:
            doubted = replace(keys[key], doubted=True)
            return replace(state, passkeys={**keys, key: doubted}, challenges=_used(state, challenge, at))
        case PasskeyRemoved(passkey=key, cause=cause):
            left = {k: one for k, one in keys.items() if k != key}
            return replace(state, passkeys=left, lost=state.lost or cause == "ended")
        case PasskeyRenamed(passkey=key, name=name) if key in keys:
            return replace(state, passkeys={**keys, key: replace(keys[key], name=name)})
        case PasskeyReplacementAsked():
            return replace(state, asked=at)
        case PasskeyReplacementConfirmed(expires=expires):
            return replace(state, until=expires, asked=None)
        case _:
            return state


def _added(event: PasskeyAdded, clients: tuple[ClientId, ...], at: datetime) -> Passkey:
    return Passkey(
        id=event.passkey, name=event.name, credential=event.credential, key=event.key, handle=event.handle,
        host=event.host, count=event.count, synced=event.synced, transports=event.transports, clients=clients, added=at,
    )  # fmt: skip


def _used(state: Keyring, challenge: str, at: datetime) -> dict[str, datetime]:
    recent = {key: when for key, when in state.challenges.items() if when > at - KEPT}
    return {**recent, challenge: at} if challenge else recent


def without(state: Keyring, client: ClientId) -> Keyring:
    """Return the passkeys of somebody who is no viewer of a client any more: what opened that client alone is gone."""
    replace = msgspec.structs.replace
    less = {k: replace(p, clients=tuple(c for c in p.clients if c != client)) for k, p in state.passkeys.items()}
    return replace(state, passkeys={k: p for k, p in less.items() if p.clients or not state.passkeys[k].clients})


# commands


class AddPasskey(Command, frozen=True, kw_only=True):
    """Add a passkey that was verified in a session; `challenge` is the sha256 hex of what it signed."""

    person: PersonId
    passkey: str
    name: str
    credential: str
    key: str
    handle: str
    host: str
    session: str
    challenge: str
    count: int = 0
    synced: bool = False
    transports: tuple[str, ...] = ()


class UsePasskey(Command, frozen=True, kw_only=True):
    """Start a session for whoever signed a challenge with a passkey, which was verified.

    `carry`: an open session of the same person in that browser; the new one opens what it opened as well.
    """

    person: PersonId
    passkey: str
    count: int
    challenge: str
    session: str
    session_hash: str
    session_expires: datetime
    device: str = ""
    carry: str = ""


class RemovePasskey(Command, frozen=True, kw_only=True):
    """Remove a passkey: of one's own in a session, or of somebody else. What it vouches for ends with it.

    Those are sessions, and devices that stay signed in.
    """

    person: PersonId
    passkey: str
    cause: Literal["removed", "ended"] = "ended"
    session: str = ""  # in which it is removed, and which goes on


class RenamePasskey(Command, frozen=True, kw_only=True):
    """Call a passkey of one's own otherwise, in a session that may remove it."""

    person: PersonId
    passkey: str
    name: str
    session: str


class AskPasskeyReplacement(Command, frozen=True, kw_only=True):
    """Ask an admin to allow another passkey, where those there are cannot be used."""

    person: PersonId


class ConfirmPasskeyReplacement(Command, frozen=True, kw_only=True):
    """Allow somebody of the organisation to add a passkey until then, having made sure that it is they who ask."""

    person: PersonId
    expires: datetime


PasskeyCommand = (
    AddPasskey | UsePasskey | RemovePasskey | RenamePasskey | AskPasskeyReplacement | ConfirmPasskeyReplacement
)  # fmt: skip
CEREMONY = AddPasskey | UsePasskey | RenamePasskey  # whose session is looked at first, and never sent by anybody


class Keyholder(sign_ins.Holder, Protocol):
    """What deciding on a passkey asks of a person."""

    @property
    def keyring(self) -> Keyring:
        """Their passkeys."""

    @property
    def devices(self) -> Devices:
        """Their devices that stay signed in."""


Decided = PasskeyEvent | sign_ins.SessionEvent | devices.Decided


def decide(state: Keyholder, command: PasskeyCommand, now: datetime) -> list[Decided]:
    """Return the events that carry out `command` at `now` (UTC).

    Raises: a kind of Refused.
    """
    match command:
        case AddPasskey():
            return [_add(state, command, now)]
        case UsePasskey():
            return list(_use(state, command, now))
        case RemovePasskey():
            return list(_remove(state, command))
        case RenamePasskey():
            return list(_rename(state, command))
        case AskPasskeyReplacement():
            _of_the_organisation(state)
            if state.keyring.asked is not None:
                return []
            return [PasskeyReplacementAsked()]
        case ConfirmPasskeyReplacement(expires=expires):
            _of_the_organisation(state)
            return [PasskeyReplacementConfirmed(expires=sign_ins.ahead("expires", expires, now))]


def _of_the_organisation(state: Keyholder) -> None:
    if state.viewer:
        raise Conflict(_("A viewer adds another passkey after signing in by a link; nobody has to confirm it."))


def _add(state: Keyholder, command: AddPasskey, now: datetime) -> PasskeyAdded:
    ring, session = state.keyring, state.sessions.get(command.session)
    if session is None or session.expires <= now or command.challenge in ring.challenges:
        raise Conflict(_("This took too long, or was done once already. Begin again."))
    if session.provider:  # which vouches for somebody time and again, and may cease to
        raise Conflict(_("You came by your organisation’s own sign-on. Sign in by it again each time."))
    if not state.viewer and not ring.may_add(session, command.host, now):
        raise Conflict(_("An admin has to confirm first that you add another passkey. Ask them on this page."))
    if check.identifier("passkey", command.passkey) in ring.passkeys:
        raise Conflict(_("A passkey with this id exists already. Use a new id."), "passkey")
    if any(one.credential == command.credential for one in ring.passkeys.values()):
        raise Conflict(_("This passkey is yours already."))
    if len(ring.passkeys) >= MOST:
        raise Conflict(_("You have {most} passkeys, the most there can be. Remove one first.", most=MOST))
    return PasskeyAdded(
        passkey=command.passkey, name=named(command.name),
        credential=check.text("credential", command.credential, required=True),
        key=check.text("key", command.key, required=True), handle=check.line("handle", command.handle),
        host=check.line("host", command.host), count=command.count, synced=command.synced,
        transports=command.transports, clients=None if session.clients == state.clients else session.clients,
        session=session.id, challenge=check.line("challenge", command.challenge),
    )  # fmt: skip


def named(name: str) -> str:
    """Return the name of a passkey.

    Raises: Invalid when there is none, or it is too long.
    """
    given = check.line("name", name)
    if len(given) > NAME:
        raise Invalid(_("A name has at most {most} letters. Choose a shorter one.", most=NAME), "name")
    return given


def _use(state: Keyholder, command: UsePasskey, now: datetime) -> list[PasskeyUsed | PasskeyDoubted | SessionStarted]:
    used = state.keyring.passkeys.get(command.passkey)
    if used is None or used.doubted or command.challenge in state.keyring.challenges:
        raise Unknown(_("This passkey lets nobody in."))
    if (used.count or command.count) and command.count <= used.count:
        return [PasskeyDoubted(passkey=used.id, count=command.count, challenge=command.challenge)]
    carried = state.sessions.get(command.carry)
    opens = {*used.clients, *(carried.clients if carried is not None and carried.expires > now else ())}
    clients = tuple(client for client in state.clients if client in opens)
    if state.viewer and not clients:
        raise Unknown(_("This passkey lets nobody in."))
    begun = sign_ins.start(state, command, now, "passkey", clients)
    signed = PasskeyUsed(passkey=used.id, count=command.count, challenge=check.line("challenge", command.challenge))
    return [signed, msgspec.structs.replace(begun, passkey=used.id)]


def _remove(state: Keyholder, command: RemovePasskey) -> list[Decided]:
    ring, session = state.keyring, state.sessions.get(command.session)
    removed = ring.passkeys.get(command.passkey)
    if removed is None:
        return []
    if command.cause == "removed":
        if not _told_of(state, session, removed):
            return []
        if not state.viewer and not ring.vouches(session):
            raise Conflict(_("Sign in by a passkey first; then you can remove one. An admin can remove one you lost."))
    going = [one for one in state.sessions.values() if one.passkey == removed.id and one.id != command.session]
    here = session.kept if session is not None else ""
    vouched = {one.id for one in state.devices.kept.values() if one.passkey == removed.id}
    leaving = sorted({*vouched, *(one.kept for one in going if one.kept in state.devices.kept)} - {here})
    ended = [event for key in leaving for event in devices.end(state, key, "ended")]
    alone = [SessionEnded(session=one.id, cause="ended") for one in going if one.kept not in leaving]
    return [*ended, *alone, PasskeyRemoved(passkey=removed.id, cause=command.cause)]


def _told_of(state: Keyholder, session: Session | None, passkey: Passkey) -> bool:
    """Return whether a session may know of a passkey: of a viewer, one that opens nothing which it does not."""
    return not state.viewer or (session is not None and set(passkey.clients) <= set(session.clients))


def _rename(state: Keyholder, command: RenamePasskey) -> list[PasskeyRenamed]:
    ring, session = state.keyring, state.sessions.get(command.session)
    renamed = ring.passkeys.get(command.passkey)
    if renamed is None or not _told_of(state, session, renamed):
        return []
    if not state.viewer and not ring.vouches(session):  # or whoever reads their email could have them remove another
        raise Conflict(_("Sign in by a passkey first; then you can rename one."))
    name = named(command.name)
    return [] if name == renamed.name else [PasskeyRenamed(passkey=renamed.id, name=name)]
