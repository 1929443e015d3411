"""The table of keys, in a file of its own; a database keeps the same table.

Rule: kept apart from every log and from the backups of the logs. A key is durable before anything is sealed with it,
and is gone from the file before its destruction is reported.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import quote


class Keys(Protocol):
    """A table of keys by name. Used by one thread at a time; several processes may share it."""

    def version(self) -> int:
        """Return a number that differs once another process has written."""

    def look(self) -> None:
        """Ask for that number ahead, where that takes a while, so that who needs a key soon need not. For threads."""

    def read(self, name: str) -> bytes | None:
        """Return a key, None when there is none of this name."""

    def keep(self, name: str, key: bytes) -> bytes:
        """Keep a key unless there is one of this name; return the one that is kept."""

    def delete(self, name: str) -> bool:
        """Destroy a key; return whether there was one."""

    def change(self, name: str, how: Callable[[bytes | None], bytes]) -> bytes:
        """Replace a key by what `how` makes of it, in one transaction, and return that."""

    def all(self) -> list[tuple[str, bytes]]:
        """Return every key with its name."""

    def close(self) -> None:
        """Close the table."""


class FileKeys:
    """Keys in an SQLite file that only its owner can read; deleted content is overwritten.

    Of a file that can only be read a key that is destroyed is never given out again. A file that is not there, since
    copies are made without it, has no keys.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        fresh = not path.exists()
        self._read_only, self._destroyed = read_only, set[str]()
        if read_only and not fresh:
            there = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
            self._db = sqlite3.connect(there, isolation_level=None, check_same_thread=False, uri=True)
            return
        where = ":memory:" if read_only else path
        self._db = sqlite3.connect(where, timeout=15, isolation_level=None, check_same_thread=False)
        if fresh and not read_only:
            path.chmod(0o600)
        for pragma in ("journal_mode=TRUNCATE", "secure_delete=ON", "synchronous=FULL"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("CREATE TABLE IF NOT EXISTS keys (name TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID")

    def version(self) -> int:
        """Return a number that differs once another process has written."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def look(self) -> None:
        """Do nothing: a file is asked each time."""

    def read(self, name: str) -> bytes | None:
        """Return a key, None when there is none of this name."""
        row = self._db.execute("SELECT key FROM keys WHERE name = ?", (name,)).fetchone()
        return row[0] if row and name not in self._destroyed else None

    def keep(self, name: str, key: bytes) -> bytes:
        """Keep a key unless there is one of this name; return the one that is kept."""
        kept = self.read(name)
        if kept is None:
            self._db.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", (name, key))
            kept = self.read(name)
            assert kept is not None
        return kept

    def delete(self, name: str) -> bool:
        """Destroy a key; return whether there was one."""
        if self._read_only:
            there = self.read(name) is not None
            self._destroyed.add(name)
            return there
        return self._db.execute("DELETE FROM keys WHERE name = ?", (name,)).rowcount > 0

    def change(self, name: str, how: Callable[[bytes | None], bytes]) -> bytes:
        """Replace a key by what `how` makes of it, in one transaction, and return that."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            key = how(self.read(name))
            self._db.execute("INSERT OR REPLACE INTO keys VALUES (?, ?)", (name, key))
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        return key

    def all(self) -> list[tuple[str, bytes]]:
        """Return every key with its name."""
        return [(str(name), bytes(key)) for name, key in self._db.execute("SELECT name, key FROM keys ORDER BY name")]

    def close(self) -> None:
        """Close the file."""
        self._db.close()
