"""The Merkle tree of one share, RFC 6962 hashing: leaf i is entry i, so size and index are the entry's number. Pure."""

import hashlib
import hmac
from collections.abc import Sequence

EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(header: bytes, commitment: bytes) -> bytes:
    """Return SHA-256(0x00 || header || commitment); docs/spec.md 4.1."""
    return hashlib.sha256(b"\x00" + header + commitment).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right); RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def commit(salt: bytes, content: bytes) -> bytes:
    """Return the salted commitment to an entry's content: without the salt it says nothing of the content."""
    return hmac.new(salt, content, hashlib.sha256).digest()


def append(frontier: Sequence[bytes], size: int, leaf: bytes) -> tuple[bytes, ...]:
    """Return the frontier (roots of the perfect subtrees, largest first) of `size` leaves after one more leaf."""
    peaks, node = list(frontier), leaf
    while size & 1:
        node = node_hash(peaks.pop(), node)
        size >>= 1
    return (*peaks, node)


def root_of(frontier: Sequence[bytes]) -> bytes:
    """Return the tree head of a frontier."""
    if not frontier:
        return EMPTY
    node = frontier[-1]
    for peak in reversed(frontier[:-1]):
        node = node_hash(peak, node)
    return node
