"""Merkle trees with the hashing of RFC 6962: appending, heads, proofs of inclusion and consistency. Pure.

docs/spec.md 4.2. Leaf i (from 0) of a share's tree is entry i + 1, so the tree after entry n has n leaves.
"""

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
    """Return the commitment to an entry's content, HMAC-SHA-256 keyed with its salt; docs/spec.md 4.1.

    Without the salt it reveals nothing of the content.
    """
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


def head_of(leaves: Sequence[bytes]) -> bytes:
    """Return the tree head of some leaves."""
    frontier: tuple[bytes, ...] = ()
    for size, leaf in enumerate(leaves):
        frontier = append(frontier, size, leaf)
    return root_of(frontier)


class Subtrees:
    """The perfect subtrees of a list of leaves, hashed once and used for any number of proofs."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._rows: list[list[bytes]] = [list(leaves)]
        while len(row := self._rows[-1]) > 1:
            self._rows.append([node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)])

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._rows[0])

    def root(self, start: int, end: int) -> bytes:
        """Return the head of leaves start ... end - 1; start is a multiple of the power of two not below the span."""
        span = end - start
        if span == 0:
            return EMPTY
        if span & (span - 1) == 0:
            level = span.bit_length() - 1
            return self._rows[level][start >> level]
        split = _split(span)
        return node_hash(self.root(start, start + split), self.root(start + split, end))

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Return the audit path of a leaf in the tree of the first `size` leaves; RFC 6962 section 2.1.1."""
        return self._path(index, 0, self.size if size is None else size)

    def _path(self, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + _split(end - start)
        if index < middle:
            return [*self._path(index, start, middle), self.root(middle, end)]
        return [*self._path(index, middle, end), self.root(start, middle)]

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """Return the proof that the tree of `new` leaves grew out of that of `old`; RFC 6962 section 2.1.2."""
        new = self.size if new is None else new
        return [] if old in (0, new) else self._grown(old, 0, new, whole=True)

    def _grown(self, old: int, start: int, end: int, *, whole: bool) -> list[bytes]:
        if old == end - start:
            return [] if whole else [self.root(start, end)]
        split = _split(end - start)
        if old <= split:
            return [*self._grown(old, start, start + split, whole=whole), self.root(start + split, end)]
        return [*self._grown(old - split, start + split, end, whole=False), self.root(start, start + split)]


def _split(span: int) -> int:
    """Return the largest power of two smaller than `span`."""
    return 1 << ((span - 1).bit_length() - 1)


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], head: bytes) -> bool:
    """Tell whether a path leads from a leaf to a head; RFC 9162 section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    node, at, last = leaf, index, size - 1  # r, fn and sn of the RFC
    for step in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = node_hash(step, node)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            node = node_hash(node, step)
        at >>= 1
        last >>= 1
    return last == 0 and hmac.compare_digest(node, head)


def consistent(old: int, new: int, proof: Sequence[bytes], old_head: bytes, new_head: bytes) -> bool:
    """Tell whether the tree of `new` leaves grew out of that of `old`; RFC 9162 section 2.1.4.2."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and hmac.compare_digest(old_head, new_head)
    if old == 0:
        return not proof and hmac.compare_digest(old_head, EMPTY)
    steps = [old_head, *proof] if old & (old - 1) == 0 else list(proof)
    if not steps:
        return False
    at, last = old - 1, new - 1  # fn and sn of the RFC
    while at & 1:
        at >>= 1
        last >>= 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            after = node_hash(after, step)
        at >>= 1
        last >>= 1
    return last == 0 and hmac.compare_digest(before, old_head) and hmac.compare_digest(after, new_head)
