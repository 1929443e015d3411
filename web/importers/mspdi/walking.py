"""`walk`: a visitor is told what a file has of what is wanted, the usual way where it is usual, else the strict one."""

import hashlib
import io
from collections.abc import Callable
from typing import BinaryIO, TypeVar

from web.importers.mspdi.tree_stream import TreeWalker, Unusual
from web.importers.mspdi.xml_stream import Node, Progress, StrictWalker, Visitor
from web.importers.plan import MAX_BYTES, broken, too_large

BLOCK = 16 * 1024  # bytes at a time: a tree of more lies beyond the fast memory of a processor before it is looked at
V = TypeVar("V", bound=Visitor)


def walk(
    source: bytes | BinaryIO,
    begin: Callable[[], V],
    tree: Node,
    *,
    namespace: str,
    max_bytes: int = MAX_BYTES,
    progress: Progress | None = None,
) -> tuple[V, str]:
    """Return a visitor made by `begin` that was told of what the tree of names wants, and the sha256 hex of the bytes.

    Raises: BrokenFile.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    if stream.seekable():
        here, visitor = stream.tell(), begin()
        try:
            return visitor, _walked(stream, TreeWalker(visitor, tree, namespace), max_bytes, progress)
        except Unusual:
            stream.seek(here)
    visitor = begin()
    return visitor, _walked(stream, StrictWalker(visitor, tree, namespace), max_bytes, progress)


def _walked(stream: BinaryIO, walker: TreeWalker | StrictWalker, max_bytes: int, progress: Progress | None) -> str:
    total, digest, done = _size(stream), hashlib.sha256(), 0
    while block := stream.read(BLOCK):
        done += len(block)
        if done > max_bytes:
            raise broken(too_large(max_bytes))
        digest.update(block)
        walker.feed(block)
        if progress and total:
            progress(min(done / total, 1.0))
    walker.finish()
    if progress:
        progress(1.0)
    return digest.hexdigest()


def _size(stream: BinaryIO) -> int:
    """Return the bytes to come, 0 where the stream cannot tell."""
    if not stream.seekable():
        return 0
    here = stream.tell()
    size = stream.seek(0, io.SEEK_END) - here
    stream.seek(here)
    return size
