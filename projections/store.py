"""What was shown: the disclosure log on the event-store library's process recorder.

Rule: no SQL of ours. `(stream, version)` is unique and the follower's position only moves forward, in one transaction:
our exactly-once, our gap-free numbers and our fence against a second follower.
"""

import zlib
from collections.abc import Sequence
from datetime import datetime

import msgspec
from eventsourcing.persistence import IntegrityError, ProcessRecorder, StoredEvent, Tracking

from projections.disclosure import Entry, Keyframe, Step, moment, open_content, open_step

FOLLOWER = "follower"


class Moved(Exception):  # a fact for the caller, who reads again
    """Somebody else wrote to the stream first."""


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A share that stopped: where, and why. `position` is the last event it has taken in."""

    share: str
    position: int
    error: str


class DisclosureLog:
    """Entry n of a share is version n of its stream; beside it keyframes, stylesheets and parked shares."""

    def __init__(self, recorder: ProcessRecorder) -> None:
        self._recorder = recorder

    # reading

    def head(self, share: str) -> int:
        """Return the number of the newest entry, 0 when nothing was disclosed yet."""
        rows = self._recorder.select_events(f"share-{share}", desc=True, limit=1)
        return rows[0].originator_version if rows else 0

    def entry(self, share: str, n: int) -> Entry | None:
        """Return entry n."""
        rows = self._recorder.select_events(f"share-{share}", gt=n - 1, lte=n)
        return _entry(rows[0].state) if rows else None

    def last(self, share: str) -> Entry | None:
        """Return the newest entry."""
        rows = self._recorder.select_events(f"share-{share}", desc=True, limit=1)
        return _entry(rows[0].state) if rows else None

    def entries(self, share: str, after: int, limit: int, upto: int | None = None) -> list[Entry]:
        """Return entries after + 1 ... in order, at most `limit`, none beyond `upto`."""
        rows = self._recorder.select_events(f"share-{share}", gt=after, lte=upto, limit=limit)
        return [_entry(row.state) for row in rows]

    def steps(self, share: str, after: int, upto: int) -> list[Step]:
        """Return what folding needs of entries after + 1 ... upto."""
        rows = self._recorder.select_events(f"share-{share}", gt=after, lte=upto)
        return [open_step(_unpacked(found.state).raw) for found in rows]

    def recorded_at(self, share: str, n: int) -> datetime | None:
        """Return when entry n was recorded, UTC."""
        rows = self._recorder.select_events(f"share-{share}", gt=n - 1, lte=n)
        return moment(_unpacked(rows[0].state).raw) if rows else None

    def keyframe(self, share: str, upto: int) -> Keyframe | None:
        """Return the newest keyframe that is not beyond entry `upto`."""
        rows = self._recorder.select_events(f"key-{share}", lte=upto, desc=True, limit=1)
        return _keyframes.decode(zlib.decompress(rows[0].state)) if rows else None

    def stylesheet(self, digest: str) -> bytes | None:
        """Return a stylesheet that some entry was shown with."""
        rows = self._recorder.select_events(f"style-{digest}", limit=1)
        return zlib.decompress(rows[0].state) if rows else None

    def position(self) -> int:
        """Return the position in the event log up to which everything is disclosed."""
        return self._recorder.max_tracking_id(FOLLOWER) or 0

    def parked(self, share: str) -> Parked | None:
        """Return where a share stopped, if it is stopped."""
        rows = self._recorder.select_events(f"parked-{share}", desc=True, limit=1)
        found = _parked.decode(rows[0].state) if rows else None
        return found if found and found.error else None

    # writing (the follower alone)

    def record(
        self,
        entries: Sequence[Entry],
        keyframes: Sequence[tuple[str, Keyframe]],
        parked: Sequence[tuple[Parked, int]],
        position: int | None,
    ) -> None:
        """Record entries, keyframes, parked shares and the follower's position in one transaction.

        Raises: Moved when a number is taken or the position is not ahead: another follower was here.
        """
        rows = [row(f"share-{e.content.share}", e.n, "entry", _packed(e)) for e in entries]
        rows += [row(f"key-{s}", k.n, "keyframe", zlib.compress(_encode(k))) for s, k in keyframes]
        rows += [row(f"parked-{p.share}", version, "parked", _encode(p)) for p, version in parked]
        tracking = None if position is None else Tracking(FOLLOWER, position)
        try:
            self._recorder.insert_events(rows, tracking=tracking)
        except IntegrityError as error:
            raise Moved(str(error)) from error

    def parked_versions(self, share: str) -> int:
        """Return how often a share was parked or released."""
        rows = self._recorder.select_events(f"parked-{share}", desc=True, limit=1)
        return rows[0].originator_version if rows else 0

    def keep_stylesheet(self, digest: str, css: bytes) -> None:
        """Keep a stylesheet for ever."""
        if self.stylesheet(digest) is None:
            self._recorder.insert_events([row(f"style-{digest}", 1, "stylesheet", zlib.compress(css))])


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    raw: bytes
    salt: bytes
    leaf: bytes
    frontier: tuple[bytes, ...]


_pack = msgspec.msgpack.Encoder()
_unpack = msgspec.msgpack.Decoder(_Packed)
_encode = msgspec.msgpack.Encoder().encode
_keyframes = msgspec.msgpack.Decoder(Keyframe)
_parked = msgspec.msgpack.Decoder(Parked)


def _packed(entry: Entry) -> bytes:
    return zlib.compress(_pack.encode(_Packed(entry.raw, entry.salt, entry.leaf, entry.frontier)))


def _unpacked(state: bytes) -> _Packed:
    return _unpack.decode(zlib.decompress(state))


def _entry(state: bytes) -> Entry:
    packed = _unpacked(state)
    return Entry(
        content=open_content(packed.raw),
        raw=packed.raw,
        salt=packed.salt,
        leaf=packed.leaf,
        frontier=packed.frontier,
    )


def row(stream: str, version: int, topic: str, state: bytes) -> StoredEvent:
    return StoredEvent(originator_id=stream, originator_version=version, topic=topic, state=state)
