"""Keys of what must be erasable: one per person, entry and row of receipts. Deleting a key erases its content.

Rule: kept apart from every log and from the backups of the logs. A key is durable before anything is sealed with it,
and gone from the file before its destruction is reported.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY, NONCE = 32, 12
SLOTS = 256  # keys made at a time, so that a new entry costs no write of its own
_NONE = bytes(KEY)


class Gone(Exception):  # a fact for whoever reads: the content was erased
    """The key of what was to be opened is destroyed, or was never here."""


class Damaged(Exception):
    """What was to be opened is not what was sealed."""


class Vault:
    """A small table of keys in a file of its own. Thread-safe; several processes may share it."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        fresh = not path.exists()
        self._db = sqlite3.connect(path, timeout=15, isolation_level=None, check_same_thread=False)
        if fresh:
            path.chmod(0o600)
        for pragma in ("journal_mode=TRUNCATE", "secure_delete=ON", "synchronous=FULL"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("CREATE TABLE IF NOT EXISTS keys (name TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID")
        self._known: dict[str, bytes] = {}
        self._seen = self._version()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # sealing

    def seal(self, name: str, content: bytes, bound: bytes) -> bytes:
        """Return `content` sealed with the key `name`, made if need be; it opens only together with `bound`."""
        return _seal(self._ensured(name, lambda: os.urandom(KEY)), content, bound)

    def open(self, name: str, sealed: bytes, bound: bytes) -> bytes:
        """Return what was sealed.

        Raises: Gone, Damaged.
        """
        return _open(self._found(name), sealed, bound)

    def seal_slot(self, pool: str, i: int, content: bytes, bound: bytes) -> bytes:
        """Return `content` sealed with key `i` (from 1) of a pool."""
        return _seal(self._slot(pool, i, make=True), content, bound)

    def open_slot(self, pool: str, i: int, sealed: bytes, bound: bytes) -> bytes:
        """Return what was sealed with key `i` of a pool.

        Raises: Gone, Damaged.
        """
        return _open(self._slot(pool, i, make=False), sealed, bound)

    def secret(self, name: str) -> bytes:
        """Return the key `name` itself, made if need be, for keyed hashes."""
        return self._ensured(name, lambda: os.urandom(KEY))

    # destroying

    def destroy(self, name: str) -> bool:
        """Destroy a key; return whether there was one."""
        with self._lock:
            self._known.pop(name, None)
            return self._db.execute("DELETE FROM keys WHERE name = ?", (name,)).rowcount > 0

    def destroy_slots(self, pool: str, numbers: Iterable[int]) -> None:
        """Destroy some keys of a pool."""
        blocks: dict[str, list[int]] = {}
        for i in numbers:
            name, at = _place(pool, i)
            blocks.setdefault(name, []).append(at)
        with self._lock:
            for name, places in blocks.items():
                self._punch(name, places)

    def _punch(self, name: str, places: list[int]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            block = bytearray(self._read(name) or bytes(KEY * SLOTS))
            for at in places:
                block[at : at + KEY] = _NONE
            self._db.execute("INSERT OR REPLACE INTO keys VALUES (?, ?)", (name, bytes(block)))
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        self._known[name] = bytes(block)

    # the table

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _cached(self, name: str) -> bytes | None:
        """Return a key from memory, unless another process has written since: it may have destroyed it."""
        if (now := self._version()) != self._seen:
            self._known.clear()
            self._seen = now
        return self._known.get(name)

    def _slot(self, pool: str, i: int, *, make: bool) -> bytes:
        name, at = _place(pool, i)
        block = self._ensured(name, lambda: os.urandom(KEY * SLOTS)) if make else self._found(name)
        key = block[at : at + KEY]
        if key == _NONE:
            raise Gone(f"the key {i} of {pool} is destroyed")
        return key

    def _found(self, name: str) -> bytes:
        with self._lock:
            key = self._cached(name) or self._read(name)
            if key is None:
                raise Gone(f"there is no key {name}")
            self._known[name] = key
            return key

    def _ensured(self, name: str, make: Callable[[], bytes]) -> bytes:
        with self._lock:
            key = self._cached(name) or self._read(name)
            if key is None:
                self._db.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", (name, make()))
                key = self._read(name)
                assert key is not None
            self._known[name] = key
            return key

    def _read(self, name: str) -> bytes | None:
        row = self._db.execute("SELECT key FROM keys WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None


def _place(pool: str, i: int) -> tuple[str, int]:
    return f"{pool}/{(i - 1) // SLOTS}", (i - 1) % SLOTS * KEY


def _seal(key: bytes, content: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, bound)


def _open(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], bound)
    except (InvalidTag, ValueError) as error:
        raise Damaged("what was stored is not what was sealed") from error
