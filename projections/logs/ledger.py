"""The ledger: what the operator did with the record, such as checkpoints, look-ups and erasures; docs/spec.md 4.8.

Rule: append-only, one statement per row, each row in the ledger's own tree; only the organisation and auditors see it.
"""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from eventsourcing.persistence import ApplicationRecorder, IntegrityError, StoredEvent

from domain.message import UNREADABLE
from projections.logs.disclosure_log import row
from projections.proof import tree

STREAM = "ledger"
DAMAGED = "damaged"  # kind of a line that cannot be read; never stored
FOUND_AGAIN = (
    "checkpoint",
    "entries-erased",
    "receipts-expired",
    "time-stamped",
    "key-added",
    "key-rotated",
    "names-due",
)  # by subject


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One act. Fields that a kind does not use are left empty."""

    kind: str  # see FOUND_AGAIN; and consulted
    at: datetime
    who: str = ""  # id of the person, or "operator"
    subject: str = ""  # an origin, a share, a person
    text: str = ""  # a note; what was asked; why


class LedgerLine(msgspec.Struct, frozen=True):
    """A statement as it lies in the ledger."""

    index: int  # from 1
    statement: Statement
    raw: bytes
    leaf: bytes
    frontier: tuple[bytes, ...]


class _StoredLine(msgspec.Struct, frozen=True, array_like=True):
    raw: bytes
    leaf: bytes
    frontier: tuple[bytes, ...]


_json = msgspec.json.Encoder(order="sorted")
_statement = msgspec.json.Decoder(Statement)
_encode = msgspec.msgpack.Encoder().encode
_stored = msgspec.msgpack.Decoder(_StoredLine)


class Ledger:
    """Thread-safe; several processes may write to it."""

    def __init__(self, recorder: ApplicationRecorder) -> None:
        self._recorder, self._lock = recorder, threading.Lock()

    def append(self, *statements: Statement) -> int:
        """Record statements in order, all or none, and return the index of the last; durable when it returns.

        Statements of the kinds in FOUND_AGAIN can be found by their subject with `of` and `newest`.
        """
        with self._lock:
            while True:
                last = self.last()
                index, frontier = (last.index, last.frontier) if last else (0, ())
                rows = []
                for statement in statements:
                    raw = _json.encode(statement)
                    leaf = tree.leaf_hash(raw, b"")
                    frontier = tree.append(frontier, index, leaf)
                    index += 1
                    rows.append(row(STREAM, index, statement.kind, _encode(_StoredLine(raw, leaf, frontier))))
                    if statement.kind in FOUND_AGAIN:
                        k = self._newest(f"{statement.kind} {statement.subject}") + 1
                        rows.append(row(f"{statement.kind} {statement.subject}", k, "at", str(index).encode()))
                try:
                    self._recorder.insert_events(rows)
                except IntegrityError:  # another process was first, or these rows were recorded but the answer was lost
                    if not self._holds(rows):
                        continue
                return index

    def _holds(self, rows: Sequence[StoredEvent]) -> bool:
        kept = [self._recorder.select_events(str(r.originator_id), gt=r.originator_version - 1, limit=1) for r in rows]
        return all(stored and stored[0].state == r.state for stored, r in zip(kept, rows, strict=True))

    def last(self) -> LedgerLine | None:
        """Return the newest line, None when there is none."""
        rows = self._recorder.select_events(STREAM, desc=True, limit=1)
        return _line(rows[0].originator_version, rows[0].state) if rows else None

    def lines(self, after: int, limit: int, upto: int | None = None) -> list[LedgerLine]:
        """Return lines after + 1 ... in order, at most `limit`, none beyond `upto`."""
        rows = self._recorder.select_events(STREAM, gt=after, lte=upto, limit=limit)
        return [_line(stored.originator_version, stored.state) for stored in rows]

    def every(self, kind: str) -> list[LedgerLine]:
        """Return all lines of a kind, oldest first, whatever they are about."""
        found, after = list[LedgerLine](), 0
        while batch := self.lines(after, 200):
            found += [line for line in batch if line.statement.kind == kind]
            after = batch[-1].index
        return found

    def of(self, kind: str, subject: str, after: int = 0, limit: int = 1_000_000) -> list[LedgerLine]:
        """Return up to `limit` lines of a kind in FOUND_AGAIN on a subject, oldest first, from number `after + 1`."""
        rows = self._recorder.select_events(f"{kind} {subject}", gt=after, limit=limit)
        return [self.lines(int(stored.state) - 1, 1)[0] for stored in rows]

    def newest(self, kind: str, subject: str) -> tuple[int, LedgerLine] | None:
        """Return the number (from 1) and the newest line of a kind in FOUND_AGAIN on a subject, if there is one."""
        k = self._newest(f"{kind} {subject}")
        return (k, self.of(kind, subject, k - 1, 1)[0]) if k else None

    def _newest(self, stream: str) -> int:
        rows = self._recorder.select_events(stream, desc=True, limit=1)
        return rows[0].originator_version if rows else 0


def _line(index: int, state: bytes) -> LedgerLine:
    try:
        line = _stored.decode(state)
        return LedgerLine(index, _statement.decode(line.raw), line.raw, line.leaf, line.frontier)
    except UNREADABLE:  # the line is shown as damaged, and its proof fails
        damaged = Statement(kind=DAMAGED, at=datetime.min.replace(tzinfo=UTC))
        return LedgerLine(index, damaged, state, b"", ())
