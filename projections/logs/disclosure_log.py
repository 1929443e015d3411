"""The disclosure log: what each share showed its client, on the event-store library's process recorder.

Rule: no SQL here. `(stream, version)` is unique and the follower's position only moves forward, in one transaction: so
each event is disclosed exactly once, numbers have no gaps, and a second follower is refused.
"""

import contextlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec
from eventsourcing.persistence import IntegrityError, Notification, ProcessRecorder, StoredEvent, Tracking

from domain.language import gettext as _
from domain.message import UNREADABLE
from projections.entries import names
from projections.entries.entry import (
    Carried,
    Content,
    Entry,
    Header,
    Kept,
    Keyframe,
    delivered,
    open_carried,
    open_content,
    open_header,
)
from projections.entries.names import SealedName
from projections.logs.vault import Damaged, Gone, Vault
from projections.proof import tree

FOLLOWER = "follower"
CUTS = (
    "terms-activated",
    "share-revoked",
    "client-ended",
)  # tags of events after which no entry made before them may be recorded


class Moved(Exception):  # the caller reads again
    """Another writer was first: the version in the stream is taken."""


class TermsMoved(Exception):  # the follower reads on and tries again
    """Terms came into force or ended meanwhile; nothing was recorded."""


class LeaseLost(Exception):  # the follower stands by from then on
    """Another process follows now; nothing was recorded."""


WAITS = "waits for its turn"  # why a share is parked that is large and goes on by itself


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """Where and why a share stopped. `position` is of the last event it has taken in; `error` is "" once it goes on."""

    share: str
    position: int
    error: str


class Row(NamedTuple):
    """A stored row of a share, not opened, and its `place` among the rows of all shares."""

    place: int
    share: str
    stored: StoredEvent


class DisclosureLog:
    """Entry n of a share is version n of its stream; beside it keyframes, stylesheets and parked shares."""

    def __init__(self, recorder: ProcessRecorder, vault: Vault) -> None:
        self._recorder, self._vault = recorder, vault

    # reading

    def head(self, share: str) -> int:
        """Return the number of the newest entry, 0 when nothing was disclosed yet."""
        rows = self._recorder.select_events(f"share-{share}", desc=True, limit=1)
        return rows[0].originator_version if rows else 0

    def entry(self, share: str, n: int) -> Entry | None:
        """Return entry n; None when there is none, or its content was erased.

        Raises: Damaged.
        """
        entries = self.entries(share, n - 1, 1, n)
        return entries[0] if entries else None

    def last(self, share: str) -> Entry | None:
        """Return the newest entry."""
        return self.entry(share, self.head(share))

    def entries(self, share: str, after: int, limit: int, upto: int | None = None) -> list[Entry]:
        """Return entries after + 1 ... in order, at most `limit`, none beyond `upto`; erased ones are left out.

        Raises: Damaged.
        """
        return [self._entry(share, kept) for kept in self.kept(share, after, limit, upto) if kept.state != "erased"]

    def kept(self, share: str, after: int, limit: int, upto: int | None = None) -> list[Kept]:
        """Return entries after + 1 ... as they lie in the log, erased and damaged ones too."""
        rows = self._recorder.select_events(f"share-{share}", gt=after, lte=upto, limit=limit)
        return [self._kept(share, stored) for stored in rows]

    def headers(self, share: str, after: int, limit: int, upto: int | None = None) -> list[Header]:
        """Return the headers of entries after + 1 ..., also of erased ones, without opening any content."""
        rows = self._recorder.select_events(f"share-{share}", gt=after, lte=upto, limit=limit)
        return [open_header(_stored.decode(stored.state).header) for stored in rows]

    def leaves(self, share: str, after: int, limit: int, upto: int | None = None) -> list[bytes]:
        """Return the leaf hashes of entries after + 1 ..., without opening any content."""
        rows = self._recorder.select_events(f"share-{share}", gt=after, lte=upto, limit=limit)
        entries = (_stored.decode(stored.state) for stored in rows)
        return [tree.leaf_hash(entry.header, entry.commitment) for entry in entries]

    def carried(self, share: str, after: int, upto: int) -> list[Carried]:
        """Return what folding needs of entries after + 1 ... `upto`, without the erased ones.

        Raises: Damaged.
        """
        entries = self.kept(share, after, max(upto - after, 0), upto)
        return [_carried(kept) for kept in entries if kept.state != "erased"]

    def content(self, share: str, kept: Kept) -> Content | None:
        """Return the content of an entry as it is delivered, with people's names; None when it cannot be read."""
        if kept.raw is None:
            return None
        return delivered(open_content(kept.raw), self.called(share, kept.names))

    # names of people, sealed with the key of each

    def called(self, share: str, sealed: Mapping[str, SealedName]) -> dict[str, str]:
        """Return the names that are sealed in entries of a share, by key, without those of erased people."""
        return {key: opened[1] for key in sealed if (opened := self.opened_name(share, key, sealed[key])) is not None}

    def opened_name(self, share: str, key: str, sealed: SealedName) -> tuple[bytes, str] | None:
        """Return the salt of a sealed name's commitment and the name; None when the person was erased.

        Raises: Damaged.
        """
        try:
            opened = self._vault.open(f"person-{sealed.person}", sealed.sealed, _bound(share, key))
        except Gone:
            return None
        return opened[:32], opened[32:].decode()

    def seal_name(self, share: str, person: str, name: str, salt: bytes) -> SealedName:
        """Return a person's name sealed for the entries of a share; `salt` is 32 secret bytes."""
        key = names.key_of(share, person)
        sealed = self._vault.seal(f"person-{person}", salt + name.encode(), _bound(share, key))
        return SealedName(person=person, commitment=names.commitment(salt, name), sealed=sealed)

    def recorded_at(self, share: str, n: int) -> datetime | None:
        """Return when entry n was recorded (UTC), None when there is none."""
        headers = self.headers(share, n - 1, 1, n)
        return headers[0].instant if headers else None

    def keyframe(self, share: str, upto: int) -> Keyframe | None:
        """Return the newest keyframe that is not beyond entry `upto` and not erased."""
        while upto > 0:
            rows = self._recorder.select_events(f"key-{share}", lte=upto, desc=True, limit=1)
            if not rows:
                return None
            n = rows[0].originator_version
            try:
                return _keyframes.decode(
                    _inflated(self._vault.open_slot(_pool(share), n, rows[0].state, b"keyframe"))[0]
                )
            except Gone:
                upto = n - 1
        return None

    def stylesheet(self, digest: str) -> bytes | None:
        """Return the stylesheet with this sha256 (hex) that entries were shown with, None when there is none."""
        rows = self._recorder.select_events(f"style-{digest}", limit=1)
        return zlib.decompress(rows[0].state) if rows else None

    def newest(self) -> int:
        """Return the place of the newest row of all shares, for `since`."""
        return self._recorder.max_notification_id() or 0

    def since(self, place: int, limit: int) -> list[Row]:
        """Return up to `limit` rows of all shares after a place, in the order they were recorded, unopened."""
        return self.placed(self._recorder.select_notifications(place, limit, inclusive_of_start=False))

    def placed(self, rows: Iterable[Notification]) -> list[Row]:
        """Return rows of this log as `since` does."""
        return [Row(stored.id, str(stored.originator_id).removeprefix("share-"), stored) for stored in rows]

    def opened(self, entry_row: Row) -> Entry | None:
        """Return the entry of a row; None when its content was erased.

        Raises: Damaged.
        """
        kept = self._kept(entry_row.share, entry_row.stored)
        return None if kept.state == "erased" else self._entry(entry_row.share, kept)

    def parking(self, parked_row: Row) -> Parked:
        """Return what a row of the topic "parked" holds; its error is "" where the share was released."""
        return _parked.decode(parked_row.stored.state)

    def position(self) -> int:
        """Return the position in the event log up to which everything is disclosed."""
        return self._recorder.max_tracking_id(FOLLOWER) or 0

    def parked(self, share: str) -> Parked | None:
        """Return where a share stopped, if it is stopped."""
        rows = self._recorder.select_events(f"parked-{share}", desc=True, limit=1)
        parked = _parked.decode(rows[0].state) if rows else None
        return parked if parked and parked.error else None

    # writing (the follower alone)

    @property
    def refuses_cuts(self) -> bool:
        """Whether `record` itself looks for terms that came into force or ended, whichever process brought them."""
        return getattr(self._recorder, "refuses_cuts", False)

    @property
    def quiet(self) -> bool:
        """Whether it is known that no event was recorded after `read` before what `record` recorded last."""
        return getattr(self._recorder, "quiet", False)

    def record(
        self,
        entries: Sequence[Entry],
        keyframes: Sequence[tuple[str, Keyframe]],
        parked: Sequence[tuple[Parked, int]],
        position: int | None,
        term: int | None = None,
        read: int | None = None,
    ) -> None:
        """Record entries, keyframes, parked shares and the follower's position in one transaction, while `term` lasts.

        `read` is the position up to which the follower knows what was agreed or ended.

        Raises: Moved when a number is taken or the position is not ahead, as another follower was first. LeaseLost when
        the term is over. TermsMoved when terms came into force or ended after `read`.
        """
        rows = self._packed(entries)
        rows += [self._keyed(s, k) for s, k in keyframes]
        rows += [row(f"parked-{p.share}", version, "parked", _encode(p)) for p, version in parked]
        tracking = None if position is None else Tracking(FOLLOWER, position)
        try:
            self._recorder.insert_events(rows, tracking=tracking, term=term, read=read if entries else None)
        except IntegrityError as error:
            raise Moved(str(error)) from error

    def parked_versions(self, share: str) -> int:
        """Return how often a share was parked or released."""
        rows = self._recorder.select_events(f"parked-{share}", desc=True, limit=1)
        return rows[0].originator_version if rows else 0

    def keep_stylesheet(self, digest: str, css: bytes) -> None:
        """Keep a stylesheet under its sha256 (hex), unless it is kept already."""
        if self.stylesheet(digest) is None:
            with contextlib.suppress(IntegrityError):  # another process keeps it at this moment
                self._recorder.insert_events([row(f"style-{digest}", 1, "stylesheet", zlib.compress(css))])

    def keep_keyframe(self, share: str, keyframe: Keyframe) -> None:
        """Keep all parts after an entry, unless they are kept already."""
        if not self._recorder.select_events(f"key-{share}", gt=keyframe.n - 1, lte=keyframe.n):
            with contextlib.suppress(IntegrityError):  # another process keeps it at this moment
                self._recorder.insert_events([self._keyed(share, keyframe)])

    def erase(self, share: str, numbers: Iterable[int]) -> None:
        """Destroy the keys of entries and of the keyframes with their numbers: nobody can read their content again."""
        self._vault.destroy_slots(_pool(share), numbers)

    def keep_asset(self, digest: str, asset: bytes) -> None:
        """Keep a font or an image under its sha256 (hex), unless it is kept already."""
        if self.asset(digest) is None:
            with contextlib.suppress(IntegrityError):
                self._recorder.insert_events([row(f"asset-{digest}", 1, "asset", asset)])

    def asset(self, digest: str) -> bytes | None:
        """Return the font or image with this sha256 (hex), None when there is none."""
        rows = self._recorder.select_events(f"asset-{digest}", limit=1)
        return bytes(rows[0].state) if rows else None

    # rows

    def _entry(self, share: str, kept: Kept) -> Entry:
        """Return an entry with people's names in it.

        Raises: Damaged.
        """
        raw, salt = _whole(kept)
        return Entry(
            content=delivered(open_content(raw), self.called(share, kept.names)),
            raw=raw,
            salt=salt,
            header=kept.header,
            commitment=kept.commitment,
            leaf=kept.leaf,
            frontier=kept.frontier,
            names=kept.names,
        )

    def _packed(self, entries: Sequence[Entry]) -> list[StoredEvent]:
        packed = [e.salt + zlib.compress(e.raw) + (_encode(e.names) if e.names else b"") for e in entries]
        shares = [e.content.share for e in entries]
        sealed = self._vault.seal_slots(
            (_pool(share), e.n, content, e.header) for share, e, content in zip(shares, entries, packed, strict=True)
        )
        return [
            row(f"share-{share}", e.n, "entry", _encode(_StoredEntry(e.header, e.commitment, e.leaf, e.frontier, one)))
            for share, e, one in zip(shares, entries, sealed, strict=True)
        ]

    def _keyed(self, share: str, keyframe: Keyframe) -> StoredEvent:
        packed = zlib.compress(_encode(keyframe))
        return row(
            f"key-{share}", keyframe.n, "keyframe", self._vault.seal_slot(_pool(share), keyframe.n, packed, b"keyframe")
        )

    def _kept(self, share: str, stored: StoredEvent) -> Kept:
        n = stored.originator_version
        try:
            entry = _stored.decode(stored.state)
        except UNREADABLE:
            return Kept(n=n, header=b"", commitment=b"", leaf=b"", frontier=(), raw=None, salt=None, state="damaged")
        salt = raw = None
        beside: dict[str, SealedName] = {}
        state: Literal["whole", "erased", "damaged"] = "whole"
        try:
            opened = self._vault.open_slot(_pool(share), n, entry.sealed, entry.header)
            salt, (raw, rest) = opened[:32], _inflated(opened[32:])
            beside = _names.decode(rest) if rest else {}
        except Gone:
            state = "erased"
        except (Damaged, *UNREADABLE):
            state = "damaged"
        return Kept(
            n=n, header=entry.header, commitment=entry.commitment, leaf=entry.leaf, frontier=entry.frontier,
            raw=raw, salt=salt, state=state, names=beside,
        )  # fmt: skip


class _StoredEntry(msgspec.Struct, frozen=True, array_like=True):
    header: bytes
    commitment: bytes
    leaf: bytes
    frontier: tuple[bytes, ...]
    sealed: bytes  # salt, content and names, with the entry's own key


_encode = msgspec.msgpack.Encoder().encode
_stored = msgspec.msgpack.Decoder(_StoredEntry)
_keyframes = msgspec.msgpack.Decoder(Keyframe)
_parked = msgspec.msgpack.Decoder(Parked)
_names = msgspec.msgpack.Decoder(dict[str, SealedName])


def _pool(share: str) -> str:
    return f"entries-{share}"


def _inflated(packed: bytes) -> tuple[bytes, bytes]:
    """Return what was compressed, and what follows it.

    Raises: Damaged.
    """
    inflate = zlib.decompressobj()
    try:
        content = inflate.decompress(packed)
    except zlib.error as error:
        raise Damaged(str(error)) from error
    if not inflate.eof:
        raise Damaged(_("the content ends in the middle"))
    return content, inflate.unused_data


def _whole(kept: Kept) -> tuple[bytes, bytes]:
    """Return content and salt of an entry.

    Raises: Damaged.
    """
    if kept.raw is None or kept.salt is None:
        message = _("entry {n} cannot be read: what is stored is not what was recorded", n=kept.n)
        raise Damaged(message)
    return kept.raw, kept.salt


def _carried(kept: Kept) -> Carried:
    """Return what folding needs of an entry.

    Raises: Damaged.
    """
    return msgspec.structs.replace(open_carried(_whole(kept)[0]), names=kept.names)


def _bound(share: str, key: str) -> bytes:
    """Return what a sealed name opens together with."""
    return b" ".join((b"name", share.encode(), key.encode()))


def row(stream: str, version: int, topic: str, state: bytes) -> StoredEvent:
    """Return a row as the event-store library takes it."""
    return StoredEvent(originator_id=stream, originator_version=version, topic=topic, state=state)
