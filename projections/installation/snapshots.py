"""A snapshot of the world beside the logs, so that a start folds only what came after it; docs/spec.md 1.8.

Rule: it is a cache. It is checked before it is used, thrown away whenever anything does not fit, and nothing is ever
proved by it. It is sealed with a key of its own, which is destroyed before that of anybody who is erased.
"""

import contextlib
import hashlib
import logging
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from projections.events import kept
from projections.events.event_log import SNAPSHOT, EventLog
from projections.events.fingerprint import of_states
from projections.events.folding import Stood
from projections.logs.vault import Damaged, Gone, Vault, open_with, seal_with

log = logging.getLogger("fanlight.snapshot")
MOST = 1 << 30  # bytes; a world that is larger is folded


class Unfit(Exception):
    """A snapshot does not fit the logs or the program; the message says in what."""


class SnapshotStore(Protocol):
    """Where a snapshot lies: some rows, replaced all at once."""

    def read(self) -> list[bytes]:
        """Return the rows, none where there is no snapshot."""

    def write(self, rows: Sequence[bytes]) -> None:
        """Replace the rows, all or none."""

    def clear(self) -> None:
        """Remove the rows. Raises nothing where there are none."""


class SnapshotHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot is of. Nothing in it names anybody."""

    format: int
    position: int  # of the last event in it
    code: str  # fingerprint of what folded it
    log: str  # what identifies the log up to there
    parts: int
    checksum: str  # SHA-256 over the sealed parts, one after another, hex

    def bound(self, i: int) -> bytes:
        """Return what part `i` opens together with."""
        return f"{self.format} {self.position} {self.code} {self.log} {i}".encode()


class Snapshots:
    """Writes and reads the snapshot of an installation. Safe for threads; several processes may share the store.

    `recorded` returns the position up to which updates are recorded: a snapshot behind it would hide events from the
    follower.
    """

    def __init__(self, store: SnapshotStore, events: EventLog, vault: Vault, recorded: Callable[[], int]) -> None:
        self._store, self._events, self._vault, self._recorded = store, events, vault, recorded
        self.position = 0  # of the snapshot that was read or written last

    def read(self) -> Stood | None:
        """Return how everything stood; None, and nothing is left of it, where there is none that fits."""
        try:
            rows = self._store.read()
            if not rows:
                return None
            standing = self._opened(rows)
        except Unfit as unfit:
            log.warning("the snapshot is thrown away, and everything is folded: %s", unfit)
        except Exception:
            log.warning("the snapshot is thrown away, and everything is folded: it cannot be read", exc_info=True)
        else:
            self.position = standing.position
            return standing
        self.clear()
        return None

    def _opened(self, rows: Sequence[bytes]) -> Stood:
        header = msgspec.json.decode(rows[0], type=SnapshotHeader)
        self._refuse(header, rows[1:])
        try:
            key = self._vault.existing(SNAPSHOT)
            parts = [open_with(key, sealed, header.bound(i)) for i, sealed in enumerate(rows[1:])]
        except (Gone, Damaged) as error:  # somebody was erased since
            raise Unfit(str(error)) from error
        standing = kept.read(parts)
        if standing.position != header.position:
            message = "it says another position than it holds"
            raise Unfit(message)
        return standing

    def _refuse(self, header: SnapshotHeader, sealed: Sequence[bytes]) -> None:
        checks: tuple[tuple[Callable[[], bool], str], ...] = (
            (lambda: header.format == kept.FORMAT, "it is of another format"),
            (lambda: header.code == of_states(), "other code made it"),
            (lambda: header.parts == len(sealed), "parts are missing"),
            (lambda: header.position <= self._recorded(), "it is ahead of the updates"),
            (lambda: 2 * header.position >= self._events.head(), "it is too far behind"),
            (lambda: header.log == self._log(header.position), "it is of another log"),
            (lambda: header.checksum == _checksum(sealed), "its bytes are not those that were written"),
        )
        for fits, why in checks:
            if not fits():
                raise Unfit(why)

    def _log(self, position: int) -> str:
        """Return what identifies the log up to an event: its first event and this one, as they lie there."""
        ends = [*self._events.leaves(0, 1), *self._events.leaves(position - 1, 1)]
        if len(ends) < 2 or ends[1][0] != position:
            return ""
        return hashlib.sha256(ends[0][1] + ends[1][1]).hexdigest()

    def keep(self, standing: Stood, erased: Callable[[], frozenset[str]]) -> bool:
        """Write a snapshot, and return whether it was; `erased` reads who is erased by now.

        Whoever is erased after that has the key destroyed with which it is sealed, and whoever was before is not in it.
        """
        if standing.broken or standing.position == 0:
            return False
        key = self._vault.secret(SNAPSHOT)
        if erased() != standing.world.erased:
            return False
        place = SnapshotHeader(
            format=kept.FORMAT,
            position=standing.position,
            code=of_states(),
            log=self._log(standing.position),
            parts=0,
            checksum="",
        )
        parts = [seal_with(key, part, place.bound(i)) for i, part in enumerate(kept.written(standing))]
        if not place.log or sum(map(len, parts)) > MOST:
            return False
        header = msgspec.structs.replace(place, parts=len(parts), checksum=_checksum(parts))
        self._store.write([msgspec.json.encode(header), *parts])
        self.position = standing.position
        return True

    def clear(self) -> None:
        """Remove the snapshot; where that fails it stays, and does not fit."""
        self.position = 0
        try:
            self._store.clear()
        except Exception:
            log.warning("the snapshot could not be removed", exc_info=True)


def _checksum(sealed: Sequence[bytes]) -> str:
    digest = hashlib.sha256()
    for part in sealed:
        digest.update(part)
    return digest.hexdigest()


class NoSnapshots:
    """A place that keeps none."""

    def read(self) -> list[bytes]:
        """Return nothing."""
        return []

    def write(self, rows: Sequence[bytes]) -> None:
        """Keep nothing."""

    def clear(self) -> None:
        """Remove nothing."""


class FileSnapshots:
    """The snapshot of a folder, in an SQLite file of its own that may be deleted at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[bytes]:
        """Return the rows, none where there is no snapshot."""
        if not self._path.exists():
            return []
        with contextlib.closing(self._opened()) as db:
            return [bytes(row[0]) for row in db.execute("SELECT part FROM snapshot ORDER BY n")]

    def write(self, rows: Sequence[bytes]) -> None:
        """Replace the rows, all or none."""
        try:
            self._replace(rows)
        except sqlite3.DatabaseError:  # the file is damaged
            self.clear()
            self._replace(rows)

    def _replace(self, rows: Sequence[bytes]) -> None:
        with contextlib.closing(self._opened()) as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("DELETE FROM snapshot")
            db.executemany("INSERT INTO snapshot VALUES (?, ?)", enumerate(rows))
            db.execute("COMMIT")

    def _opened(self) -> sqlite3.Connection:
        fresh = not self._path.exists()
        db = sqlite3.connect(self._path, timeout=15, isolation_level=None)
        try:
            if fresh:
                self._path.chmod(0o600)
            for pragma in ("journal_mode=TRUNCATE", "secure_delete=ON", "synchronous=NORMAL"):
                db.execute(f"PRAGMA {pragma}")
            db.execute("CREATE TABLE IF NOT EXISTS snapshot (n INTEGER PRIMARY KEY, part BLOB NOT NULL)")
        except sqlite3.Error:
            db.close()
            raise
        return db

    def clear(self) -> None:
        """Remove the file."""
        for path in (self._path, self._path.with_name(f"{self._path.name}-journal")):
            path.unlink(missing_ok=True)
