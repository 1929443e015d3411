"""The event log: every event of every stream, on the event-store library's application recorder.

Rule: no SQL here. `(stream, version)` is unique, which is the optimistic concurrency; a `position` never leaves the
organisation.
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec
from eventsourcing.persistence import ApplicationRecorder, IntegrityError, Notification

from domain.events import (
    CommandCarriedOut,
    ContentErased,
    Recorded,
    Sealed,
    Stored,
    closing_stream,
    decode,
    encode,
    tag,
)
from domain.ids import CommandId, PersonId
from domain.language import gettext as _
from domain.message import UNREADABLE
from domain.people.person import PersonErased
from domain.people.providers import ProviderRemoved, ProviderSet, ProviderUsed
from domain.plan.sources.source import SourceDetached, SourceSecretSet
from domain.telling.channels import ChannelEnded
from projections.logs.disclosure_log import CUTS, Moved, TermsMoved, row
from projections.logs.vault import Damaged, Gone, Vault

BATCH = 500
PERSON_ERASED, ERASED = "person-erased", 1_000_000
LONGEST_ID = 200  # characters of a command id
PERSONAL = "person-"  # streams sealed with a key of their own
KEYED = (PERSONAL, "channel-")  # streams whose commands leave no hash that could be guessed at
SNAPSHOT = "snapshot"  # the key that seals a snapshot of the world beside the logs
PROVIDER = "provider-"  # keys that seal the secret of a client's identity provider
SOURCE = "source-"  # keys that seal the secret of a source


class Unreadable(Exception):  # the follower stops the shares that depend on the stream
    """A stored event is damaged or of an unknown kind."""

    def __init__(self, stream: str, position: int, cause: Exception) -> None:
        super().__init__(
            _("event {position} of {stream} cannot be read: {cause}", position=position, stream=stream, cause=cause)
        )
        self.stream, self.position = stream, position


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it lies in the log: its leaf (docs/spec.md 4.6) and what was read there."""

    position: int
    stream: str
    version: int
    topic: str
    leaf: bytes
    read: Recorded | Unreadable
    misplaced: bool  # what is stored says another stream


@runtime_checkable
class ReadsTogether(Protocol):
    """A recorder that says by one read what is new, and what some streams begin with."""

    def select_new_and_first(
        self, start: int, limit: int, streams: Sequence[str]
    ) -> tuple[Sequence[Notification], Sequence[Notification]]:
        """Return up to `limit` events after a position, and the first event of each stream."""
        ...


class EventLog:
    """Every event of every stream, in one order. Thread-safe; several processes may write to the same log."""

    def __init__(self, recorder: ApplicationRecorder, vault: Vault) -> None:
        self._recorder, self._vault = recorder, vault
        self._together = recorder if isinstance(recorder, ReadsTogether) else None
        self._writing = threading.Lock()

    def append(self, events: Sequence[tuple[Stored, int]]) -> list[Recorded | Unreadable]:
        """Record events with their versions, all or none; return them as whoever reads the log gets them.

        Raises: Moved when one of the versions is taken.
        """
        rows = [row(stored.stream, version, tag(stored.event), self._sealed(stored)) for stored, version in events]
        try:
            with self._writing:
                positions = self._recorder.insert_events(rows) or ()
        except IntegrityError as error:
            raise Moved(str(error)) from error
        return [
            self._notified(
                Notification(
                    id=position,
                    originator_id=one.originator_id,
                    originator_version=one.originator_version,
                    topic=one.topic,
                    state=one.state,
                )
            )
            for position, one in zip(positions, rows, strict=True)
        ]

    @contextlib.contextmanager
    def uncut(self, position: int) -> Iterator[None]:
        """Keep this process from recording an event inside the `with` block. The recorder keeps other processes off.

        Raises: TermsMoved when terms came into force or ended after `position`.
        """
        with self._writing:
            if self.cuts(position, 1):
                raise TermsMoved(position)
            yield

    def cuts(self, position: int, limit: int | None = None) -> list[Recorded | Unreadable]:
        """Return the events after `position` that brought terms into force or ended them, oldest first."""
        cuts: list[Recorded | Unreadable] = []
        while limit is None or len(cuts) < limit:
            rows = self._recorder.select_notifications(position, BATCH, topics=CUTS, inclusive_of_start=False)
            cuts += [self._notified(notification) for notification in rows]
            if len(rows) < BATCH:
                break
            position = rows[-1].id
        return cuts

    def erased_people(self) -> frozenset[PersonId]:
        """Return everybody who is erased."""
        rows = self._recorder.select_notifications(0, ERASED, topics=(PERSON_ERASED,), inclusive_of_start=False)
        events = [self._notified(notification) for notification in rows]
        return frozenset(
            r.event.person for r in events if isinstance(r, Recorded) and isinstance(r.event, PersonErased)
        )

    def carried_out(self, actor: PersonId, command: str) -> CommandCarriedOut | None:
        """Return what closed a command of `actor`, None where they carried out none by this id.

        Earlier versions kept the ids of everybody in one name space; what stands there is its own actor's alone.
        """
        streams = self._closing(actor, command)
        if streams and self._together is not None:
            return self._read_together(self._together, (0, 0), actor, streams)[1]
        for stream in streams:
            if closing := self.part(stream, 0, 1):
                return self._closed_by(actor, closing)
        return None

    def after_and_carried_out(
        self, position: int, actor: PersonId, command: str
    ) -> tuple[list[Recorded | Unreadable], CommandCarriedOut | None]:
        """Return what `after` and `carried_out` do; from a database by one read."""
        streams = self._closing(actor, command)
        if streams and self._together is not None:
            return self._read_together(self._together, (position, BATCH), actor, streams)
        done = self.carried_out(actor, command)  # before the events: what it is of is among them
        return self.after(position), done

    def _read_together(
        self, recorder: ReadsTogether, after: tuple[int, int], actor: PersonId, streams: Sequence[str]
    ) -> tuple[list[Recorded | Unreadable], CommandCarriedOut | None]:
        new, first = recorder.select_new_and_first(*after, streams)
        of_stream = {str(one.originator_id): one for one in first}
        closing = [
            self._recorded(name, one.originator_version, one.id, one.state)
            for name in streams
            if (one := of_stream.get(name)) is not None
        ]
        return [self._notified(notification) for notification in new], self._closed_by(actor, closing)

    def _closing(self, actor: PersonId, command: str) -> tuple[str, ...]:
        """Return the streams that a command of `actor` may have closed, none where there can be no such command."""
        if not command or len(command) > LONGEST_ID or not _stored_as_it_is(command):
            return ()
        return closing_stream(actor, CommandId(command)), f"command-{command}"

    @staticmethod
    def _closed_by(actor: PersonId, closing: Sequence[Recorded]) -> CommandCarriedOut | None:
        for recorded in closing[:1]:
            if recorded.actor == actor and isinstance(recorded.event, CommandCarriedOut):
                return recorded.event
        return None

    def recognised(self, done: CommandCarriedOut, command: bytes) -> bool:
        """Tell whether a closing event closed this encoded command; of somebody erased nothing is recognised."""
        try:
            if done.stream.startswith(KEYED):
                return (
                    hmac.new(self._vault.existing(done.stream), command, hashlib.sha256).hexdigest() == done.fingerprint
                )
        except Gone:
            return False
        return hashlib.sha256(command).hexdigest() == done.fingerprint

    def fingerprint(self, stream: str, command: bytes) -> str:
        """Return a SHA-256 of an encoded command, hex; on a person's or channel's stream an HMAC with its key."""
        if stream.startswith(KEYED):
            return hmac.new(self._vault.secret(stream), command, hashlib.sha256).hexdigest()
        return hashlib.sha256(command).hexdigest()

    def keyed(self, purpose: str, content: bytes) -> str:
        """Return an HMAC-SHA256 of some bytes, hex, with the installation's key for a purpose.

        Every process of the installation has that key, made by whichever needs it first, and nobody else.
        """
        return hmac.new(self._vault.secret(f"installation {purpose}"), content, hashlib.sha256).hexdigest()

    # a person's events are sealed with the person's key, and erased by destroying that key

    def _sealed(self, stored: Stored) -> bytes:
        if not stored.stream.startswith(PERSONAL):
            return encode(stored)
        kind = tag(stored.event)
        hidden = self._vault.seal(stored.stream, encode(stored), kind.encode())
        return encode(msgspec.structs.replace(stored, event=Sealed(kind=kind, sealed=hidden)))

    def _opened(self, payload: bytes) -> Stored:
        """Return an event as it was recorded, or that its content was erased.

        Reading that a person was erased, or that a secret opens nothing any more, is what destroys the key, the first
        time, after a crash and after a copy of the keys was restored.
        """
        stored = decode(payload)
        match stored.event:
            case Sealed(kind=kind, sealed=hidden):
                try:
                    return decode(self._vault.open(stored.stream, hidden, kind.encode()))
                except Gone:
                    return msgspec.structs.replace(stored, event=ContentErased(kind=kind))
            case PersonErased(person=person):
                self._destroy_key_of(person)
            case ChannelEnded():
                self._vault.destroy(_secret(stored.stream))
            case ProviderSet(drops=keys) | ProviderUsed(drops=keys) | ProviderRemoved(drops=keys):
                for key in keys:
                    self._vault.destroy(f"{PROVIDER}{key}")
            case SourceSecretSet(drops=keys) | SourceDetached(drops=keys):
                for key in keys:
                    self._vault.destroy(f"{SOURCE}{key}")
        return stored

    # a secret is sealed before it becomes part of an event, so that whoever reads events does not read it

    def seal_secret(self, stream: str, secret: str) -> str:
        """Return a secret of a stream, sealed with a key of its own."""
        return base64.b64encode(self._vault.seal(_secret(stream), secret.encode(), b"secret")).decode()

    def open_secret(self, stream: str, sealed: str) -> str:
        """Return a secret that was sealed.

        Raises: Gone once its key is destroyed, Damaged.
        """
        try:
            return self._vault.open(_secret(stream), base64.b64decode(sealed, validate=True), b"secret").decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Damaged(_("what was stored is not what was sealed")) from error

    def _destroy_key_of(self, person: PersonId) -> None:
        """Destroy a person's key, and first that of the snapshot, in which the person lies as well."""
        if self._vault.has(f"{PERSONAL}{person}"):
            self._vault.destroy(SNAPSHOT)
            self._vault.destroy(f"{PERSONAL}{person}")

    # secrets of providers

    def seal_bound(self, key: str, secret: str, bound: str) -> bytes:
        """Return a secret of a provider, sealed with a key of its own; it opens only together with `bound`."""
        return self._vault.seal(f"{PROVIDER}{key}", secret.encode(), bound.encode())

    def open_bound(self, key: str, sealed: bytes, bound: str) -> str:
        """Return the secret of a provider.

        Raises: Gone, Damaged.
        """
        return self._vault.open(f"{PROVIDER}{key}", sealed, bound.encode()).decode()

    # secrets of sources

    def seal_for_source(self, key: str, secret: str, bound: str) -> bytes:
        """Return a secret of a source, sealed with a key of its own; it opens only together with `bound`."""
        return self._vault.seal(f"{SOURCE}{key}", secret.encode(), bound.encode())

    def open_for_source(self, key: str, sealed: bytes, bound: str) -> str:
        """Return the secret of a source.

        Raises: Gone, Damaged.
        """
        return self._vault.open(f"{SOURCE}{key}", sealed, bound.encode()).decode()

    def derived(self, name: str) -> str:
        """Return a secret of this installation, made if need be, for `name` alone; the same in every process."""
        return hmac.new(self._vault.secret("derived"), name.encode(), hashlib.sha256).hexdigest()

    def stream(self, stream: str, after: int = 0) -> list[Recorded]:
        """Return the events of a stream from version `after + 1`; their positions are not known here and are 0."""
        rows = self._recorder.select_events(stream, gt=after)
        return [self._recorded(stream, event.originator_version, 0, event.state) for event in rows]

    def part(self, stream: str, after: int, limit: int) -> list[Recorded]:
        """Return up to `limit` events of a stream from version `after + 1`."""
        rows = self._recorder.select_events(stream, gt=after, limit=limit)
        return [self._recorded(stream, event.originator_version, 0, event.state) for event in rows]

    def version_at(self, stream: str, at: datetime) -> int:
        """Return the version a stream had at an instant (UTC), 0 before its first event."""
        rows = self._recorder.select_events(stream, desc=True, limit=1)
        low, high = 0, rows[0].originator_version if rows else 0
        while low < high:
            middle = (low + high + 1) // 2
            if self.part(stream, middle - 1, 1)[0].at <= at:
                low = middle
            else:
                high = middle - 1
        return low

    def leaves(self, position: int, limit: int) -> list[tuple[int, bytes]]:
        """Return position and leaf hash of up to `limit` events after `position`; docs/spec.md 4.6."""
        rows = self._recorder.select_notifications(start=position, limit=limit, inclusive_of_start=False)
        return [(notification.id, _leaf(notification)) for notification in rows]

    def rows(self, position: int, limit: int = BATCH) -> list[EventRow]:
        """Return up to `limit` events after `position` as they lie in the log, for whoever checks it."""
        return [
            EventRow(
                position=notification.id,
                stream=str(notification.originator_id),
                version=notification.originator_version,
                topic=notification.topic,
                leaf=_leaf(notification),
                read=self._notified(notification),
                misplaced=self._misplaced(notification),
            )
            for notification in self._recorder.select_notifications(position, limit, inclusive_of_start=False)
        ]

    def _misplaced(self, notification: Notification) -> bool:
        try:
            return self._opened(notification.state).stream != str(notification.originator_id)
        except (*UNREADABLE, ArithmeticError, Damaged):
            return False

    def after(self, position: int, limit: int = BATCH) -> list[Recorded | Unreadable]:
        """Return up to `limit` events after `position`, in the order of the log."""
        return self.opened(self._recorder.select_notifications(start=position, limit=limit, inclusive_of_start=False))

    def opened(self, rows: Iterable[Notification]) -> list[Recorded | Unreadable]:
        """Return rows of this log as `after` does."""
        return [self._notified(notification) for notification in rows]

    def everything(self, upto: int | None = None, after: int = 0) -> Iterator[Recorded | Unreadable]:
        """Yield every event in the order of the log that comes after a position, up to and including `upto`."""
        position = after
        while batch := self.after(position, BATCH):
            for recorded in batch:
                if upto is not None and recorded.position > upto:
                    return
                position = recorded.position
                yield recorded

    def head(self) -> int:
        """Return the last position, 0 for an empty log."""
        return self._recorder.max_notification_id() or 0

    def _recorded(self, stream: str, version: int, position: int, state: bytes) -> Recorded:
        stored = self._opened(state)
        return Recorded(
            stream=stream,
            version=version,
            position=position,
            at=stored.at,
            actor=stored.actor,
            command=stored.command,
            event=stored.event,
        )

    def _notified(self, notification: Notification) -> Recorded | Unreadable:
        stream, position = str(notification.originator_id), notification.id
        try:
            return self._recorded(stream, notification.originator_version, position, notification.state)
        except (*UNREADABLE, ArithmeticError, Damaged) as error:
            return Unreadable(stream, position, error)


def _secret(stream: str) -> str:
    """Return the name of the key of a stream's secrets."""
    return f"{stream}.secret"


def _stored_as_it_is(text: str) -> bool:
    """Tell whether a database takes a text: one may not hold NUL, and half a character has no bytes."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _leaf(notification: Notification) -> bytes:
    place = f"{notification.originator_id}\n{notification.originator_version}\n{notification.topic}\n".encode()
    state: bytes | str = notification.state  # text only where somebody put it there
    return hashlib.sha256(b"\x00" + place + (state.encode() if isinstance(state, str) else state)).digest()
