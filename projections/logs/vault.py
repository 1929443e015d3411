"""Seals what must be erasable with one key per person, entry and row of receipts; deleting the key erases the content.

Rule: a key that another process destroyed is never used again from memory, and content that was altered does not open.
"""

import os
import threading
from collections.abc import Callable, Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.language import gettext as _
from projections.logs.keys import Keys

KEY, NONCE = 32, 12
SLOTS = 256  # keys made at a time, so that a new entry costs no write of its own
_NONE = bytes(KEY)


class Gone(Exception):  # the content was erased
    """The key of sealed content was destroyed, or there never was one."""


class Damaged(Exception):
    """The stored content is not what was sealed."""


class Vault:
    """Seals and opens with the keys of a table. Thread-safe; several processes may share the table."""

    def __init__(self, keys: Keys) -> None:
        self._lock, self._keys = threading.RLock(), keys
        self._known: dict[str, bytes] = {}
        self._seen = keys.version()

    @property
    def keys(self) -> Keys:
        """The table itself, for moving it."""
        return self._keys

    def close(self) -> None:
        """Close the table."""
        self._keys.close()

    # sealing

    def seal(self, name: str, content: bytes, bound: bytes) -> bytes:
        """Return `content` sealed with the key `name`, made if need be; it opens only together with `bound`."""
        return _seal(self._ensured(name, lambda: os.urandom(KEY)), content, bound)

    def open(self, name: str, sealed: bytes, bound: bytes) -> bytes:
        """Return what was sealed.

        Raises: Gone, Damaged.
        """
        return _open(self._existing(name), sealed, bound)

    def seal_slot(self, pool: str, i: int, content: bytes, bound: bytes) -> bytes:
        """Return `content` sealed with key `i` (from 1) of a pool."""
        return _seal(self._slot(pool, i, make=True), content, bound)

    def seal_slots(self, given: Iterable[tuple[str, int, bytes, bytes]]) -> list[bytes]:
        """Return contents sealed as by `seal_slot`: of each the pool, `i`, the content and what it opens together with.

        Whether another process destroyed a key is looked up once for all.
        """
        with self._lock:
            self._let_go()
            return [
                _seal(self._key_of_slot(pool, i, self._known.get(_place(pool, i)[0])), content, bound)
                for pool, i, content, bound in given
            ]

    def open_slot(self, pool: str, i: int, sealed: bytes, bound: bytes) -> bytes:
        """Return what was sealed with key `i` of a pool.

        Raises: Gone, Damaged.
        """
        return _open(self._slot(pool, i, make=False), sealed, bound)

    def secret(self, name: str) -> bytes:
        """Return the key `name` itself, made if need be, for keyed hashes."""
        return self._ensured(name, lambda: os.urandom(KEY))

    def has(self, name: str) -> bool:
        """Tell whether there is a key of this name."""
        try:
            return bool(self._existing(name))
        except Gone:
            return False

    def existing(self, name: str) -> bytes:
        """Return the key `name` itself, where there is one.

        Raises: Gone.
        """
        return self._existing(name)

    # destroying

    def destroy(self, name: str) -> bool:
        """Destroy a key; return whether there was one."""
        with self._lock:
            self._known.pop(name, None)
            return self._keys.delete(name)

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
        def punched(before: bytes | None) -> bytes:
            block = bytearray(before or bytes(KEY * SLOTS))
            for at in places:
                block[at : at + KEY] = _NONE
            return bytes(block)

        self._known[name] = self._keys.change(name, punched)

    # the table

    def _cached(self, name: str) -> bytes | None:
        """Return a key from memory, unless another process has written since: it may have destroyed it."""
        self._let_go()
        return self._known.get(name)

    def _let_go(self) -> None:
        if (now := self._keys.version()) != self._seen:
            self._known.clear()
            self._seen = now

    def _slot(self, pool: str, i: int, *, make: bool) -> bytes:
        name, _at = _place(pool, i)
        block = None if make else self._existing(name)
        return self._key_of_slot(pool, i, block)

    def _key_of_slot(self, pool: str, i: int, block: bytes | None) -> bytes:
        """Return a key of a pool, given the block it lies in, or None where that is to be looked up or made."""
        name, at = _place(pool, i)
        if block is None:
            block = self._ensured(name, lambda: os.urandom(KEY * SLOTS))
        key = block[at : at + KEY]
        if key == _NONE:
            raise Gone(_("the key {i} of {pool} is destroyed", i=i, pool=pool))
        return key

    def _existing(self, name: str) -> bytes:
        with self._lock:
            key = self._cached(name) or self._keys.read(name)
            if key is None:
                raise Gone(_("there is no key {name}", name=name))
            self._known[name] = key
            return key

    def _ensured(self, name: str, make: Callable[[], bytes]) -> bytes:
        with self._lock:
            key = self._cached(name) or self._keys.keep(name, make())
            self._known[name] = key
            return key


def _place(pool: str, i: int) -> tuple[str, int]:
    return f"{pool}/{(i - 1) // SLOTS}", (i - 1) % SLOTS * KEY


def seal_with(key: bytes, content: bytes, bound: bytes) -> bytes:
    """Return `content` sealed with a key that is at hand, whether or not it was destroyed since."""
    return _seal(key, content, bound)


def _seal(key: bytes, content: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, bound)


def open_with(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    """Return what was sealed with a key that is at hand.

    Raises: Damaged.
    """
    return _open(key, sealed, bound)


def _open(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], bound)
    except (InvalidTag, ValueError) as error:
        raise Damaged(_("what was stored is not what was sealed")) from error
