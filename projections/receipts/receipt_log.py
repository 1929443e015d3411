"""The recorded receipts: one stream per share, one row per batch of claims; docs/spec.md 7.3.

With every 64th row the state of all tabs is stored, so that the tabs at any instant are found without reading all rows
before it. The content of a row is encrypted with a key of its own: it is erased by destroying the key.
"""

import contextlib
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec
from eventsourcing.persistence import ApplicationRecorder, IntegrityError, StoredEvent

from domain.message import UNREADABLE
from projections.logs.disclosure_log import row
from projections.logs.vault import Damaged, Gone, Vault
from projections.receipts.batches import BatchRow, recorded_at
from projections.receipts.claims import Receipt
from projections.receipts.on_screen import Screens, Tab

STANDING_EVERY = 64  # rows
SLACK = timedelta(seconds=10)  # between a claim and the row it is recorded in


class Window(msgspec.Struct, frozen=True):
    """The claims between two instants, and the state of every tab at the first of them."""

    standing: list[Tab]
    claims: list[Receipt]


class ViewerReceipts(msgspec.Struct, kw_only=True):
    """What one person was last shown of a share, and when. Times are POSIX seconds."""

    displayed: int = 0
    heard: float = 0.0
    since: int = 0  # highest number displayed in the visit before
    ended: float = 0.0  # when that visit was last heard of
    device: str = ""  # of the page opened last


class TabStanding(msgspec.Struct, frozen=True):
    """The state of all viewers and tabs of a share after a row."""

    viewers: dict[str, ViewerReceipts]
    tabs: list[Tab]
    holders: dict[str, str] = {}  # tab -> the process that has it, where several serve


class _StoredBatch(msgspec.Struct, frozen=True, array_like=True):
    header: bytes
    commitment: bytes
    leaf: bytes
    frontier: tuple[bytes, ...]
    sealed: bytes  # salt and content
    by: str = ""  # the process that recorded it


_encode = msgspec.msgpack.Encoder().encode
_stored = msgspec.msgpack.Decoder(_StoredBatch)
_standing = msgspec.msgpack.Decoder(TabStanding)
_beat = msgspec.msgpack.Decoder(float)


class ReceiptLog:
    """Rows of receipts, by share and number."""

    def __init__(self, recorder: ApplicationRecorder, vault: Vault) -> None:
        self._recorder, self._vault = recorder, vault

    # writing

    def record(self, made: Mapping[str, BatchRow], standing: Mapping[str, TabStanding]) -> None:
        """Record one row for each share of `made` in one transaction, with the state after it where `standing` has one.

        Raises: IntegrityError when another process took a number.
        """
        rows = [row(f"share-{share}", batch.k, "receipts", self._packed(share, batch)) for share, batch in made.items()]
        for share, state in standing.items():
            k = made[share].k
            sealed = self._vault.seal_slot(_pool(share), k, _encode(state), b"standing")
            rows.append(row(f"standing-{share}", k, "standing", sealed))
        self._recorder.insert_events(rows)

    def _packed(self, share: str, made: BatchRow) -> bytes:
        assert made.content is not None
        assert made.salt is not None
        sealed = self._vault.seal_slot(_pool(share), made.k, made.salt + zlib.compress(made.content), made.header)
        return _encode(_StoredBatch(made.header, made.commitment, made.leaf, made.frontier, sealed, made.by))

    def holds(self, made: Mapping[str, BatchRow]) -> bool:
        """Tell whether exactly these rows are recorded; one transaction writes all of them or none."""
        for share, batch in made.items():
            stored = self._recorder.select_events(f"share-{share}", gt=batch.k - 1, lte=batch.k)
            if not stored or _stored.decode(stored[0].state).leaf != batch.leaf:
                return False
        return True

    def beat(self, at: float, worker: str = "") -> None:
        """Record that a process of the server is alive at `at` (POSIX seconds)."""
        stream = _beats(worker)
        self._recorder.insert_events([row(stream, self._newest(stream) + 1, "beat", _encode(at))])

    def last_beat(self, worker: str = "") -> tuple[int, float]:
        """Return how many signs of life of a process are recorded, and when the last was (POSIX seconds, 0 if none)."""
        newest = self._recorder.select_events(_beats(worker), desc=True, limit=1)
        return (newest[0].originator_version, _beat.decode(newest[0].state)) if newest else (0, 0.0)

    def active(self, session: str, at: datetime) -> None:
        """Record that somebody did something in a session at `at` (UTC)."""
        stream = f"active-{session}"
        rows = [row(stream, self._newest(stream) + 1, "active", _encode(at.timestamp()))]
        with contextlib.suppress(IntegrityError):  # another process has just recorded the same
            self._recorder.insert_events(rows)

    def last_active(self, session: str) -> datetime | None:
        """Return when somebody last did something in a session (UTC), None when nothing is recorded."""
        newest = self._recorder.select_events(f"active-{session}", desc=True, limit=1)
        return datetime.fromtimestamp(_beat.decode(newest[0].state), UTC) if newest else None

    def expire(self, share: str, numbers: Iterable[int]) -> None:
        """Destroy the keys of some rows, and with them their content."""
        self._vault.destroy_slots(_pool(share), numbers)

    # reading

    def head(self, share: str) -> int:
        """Return the number of the newest row of a share, 0 when there is none."""
        return self._newest(f"share-{share}")

    def rows(self, share: str, after: int, limit: int, upto: int | None = None) -> list[BatchRow]:
        """Return rows after + 1 and on, in order, at most `limit` and none beyond `upto`."""
        stored = self._recorder.select_events(f"share-{share}", gt=after, lte=upto, limit=limit)
        return [self._opened(share, event) for event in stored]

    def claims(self, share: str, after: int = 0, limit: int = 1000) -> list[Receipt]:
        """Return recorded claims on a share, oldest row first, from row `after + 1`."""
        return [claim for batch in self.rows(share, after, limit) for claim in batch.claims(share)]

    def row_at(self, share: str, at: datetime) -> int:
        """Return the number of the last row recorded up to an instant (UTC), 0 before the first."""
        low, high = 0, self.head(share)
        while low < high:
            middle = (low + high + 1) // 2
            stored = self._recorder.select_events(f"share-{share}", gt=middle - 1, lte=middle)
            if stored and recorded_at(_stored.decode(stored[0].state).header) <= at:
                low = middle
            else:
                high = middle - 1
        return low

    def window(self, share: str, since: datetime, until: datetime) -> Window:
        """Return what was claimed in (since, until] (UTC), oldest first, and how every tab stood at `since`."""
        start, end = self.row_at(share, since - SLACK), self.row_at(share, until + SLACK)
        tabs, rows = self.between(share, start, end)
        screens = Screens(tabs)
        claims = sorted((claim for batch in rows for claim in batch.claims(share)), key=lambda claim: claim.at)
        for claim in claims:
            if claim.at <= since.timestamp():
                screens.take(claim)
        within = [claim for claim in claims if since.timestamp() < claim.at <= until.timestamp()]
        return Window(list(screens.tabs.values()), within)

    def between(self, share: str, after: int, upto: int) -> tuple[list[Tab], list[BatchRow]]:
        """Return how every tab stood after row `after`, and the rows after + 1 ... upto."""
        standing, kept = self.standing(share, after)
        rows, screens = self.rows(share, kept, max(upto - kept, 0), upto), Screens(standing.tabs)
        for claim in (claim for batch in rows if batch.k <= after for claim in batch.claims(share)):
            screens.take(claim)
        return list(screens.tabs.values()), [batch for batch in rows if batch.k > after]

    def standing(self, share: str, upto: int) -> tuple[TabStanding, int]:
        """Return the newest stored state up to row `upto`, and of which row it is; an empty state and 0 if none."""
        kept = self._recorder.select_events(f"standing-{share}", lte=upto, desc=True, limit=1) if upto else []
        if not kept:
            return TabStanding({}, []), 0
        k = kept[0].originator_version
        try:
            return _standing.decode(self._vault.open_slot(_pool(share), k, kept[0].state, b"standing")), k
        except Gone:
            return TabStanding({}, []), k

    def _opened(self, share: str, stored: StoredEvent) -> BatchRow:
        k, content, salt = stored.originator_version, None, None
        try:
            batch = _stored.decode(stored.state)
            at = recorded_at(batch.header)
        except UNREADABLE:  # damaged: an empty row, whose proof will not hold
            batch, at = _StoredBatch(b"", b"", b"", (), b"", ""), datetime.min.replace(tzinfo=UTC)
        try:
            unsealed = self._vault.open_slot(_pool(share), k, batch.sealed, batch.header)
            salt, content = unsealed[:32], zlib.decompress(unsealed[32:])
        except (Gone, Damaged, zlib.error):
            content = salt = None
        return BatchRow(
            k=k,
            at=at,
            header=batch.header,
            content=content,
            salt=salt,
            commitment=batch.commitment,
            leaf=batch.leaf,
            frontier=batch.frontier,
            by=batch.by,
        )

    def _newest(self, stream: str) -> int:
        rows = self._recorder.select_events(stream, desc=True, limit=1)
        return rows[0].originator_version if rows else 0


def _beats(worker: str) -> str:
    return f"beats-{worker}" if worker else "beats"


def _pool(share: str) -> str:
    return f"receipts-{share}"
