"""A file to be read: its bytes, or where it lies, so that a large one is never held in memory whole."""

import hashlib
import io
from pathlib import Path
from typing import BinaryIO

import msgspec

BLOCK = 64 * 1024
_BLANK = b" \t\r\n\0\xef\xbb\xbf\xff\xfe"


class Source(msgspec.Struct, frozen=True):
    """A file as it came."""

    name: str
    content: bytes | Path

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    def open(self) -> BinaryIO:
        """Return a stream of it, from its beginning."""
        return io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb")

    def head(self) -> bytes:
        """Return its first 64 KiB."""
        with self.open() as stream:
            return stream.read(BLOCK)

    def all(self) -> bytes:
        """Return all of it."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()

    def hash(self) -> str:
        """Return the sha256 hex of its bytes."""
        digest = hashlib.sha256()
        with self.open() as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
        return digest.hexdigest()

    def is_blank(self) -> bool:
        """Tell whether nothing but blanks is in it."""
        with self.open() as stream:
            while block := stream.read(BLOCK):
                if block.strip(_BLANK):
                    return False
        return True
