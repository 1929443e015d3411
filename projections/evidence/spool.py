"""The files of a bundle on disk while it is made, so that it takes little memory however long the record is."""

import tempfile
from collections.abc import Iterator

import msgspec

from projections.verify import container

IN_MEMORY = 1 << 20  # bytes of small bundles, which need no file
PIECE = 1 << 18  # bytes handed on at a time, at least where there are as many


class SpooledMember(msgspec.Struct, frozen=True):
    """A member of the container whose data lies in the spool."""

    spool: "Spool"
    path: str
    crc: int
    size: int
    digest: str  # SHA-256 (hex) of the data as it is stored
    at: int
    length: int

    @property
    def packed(self) -> bytes:
        """The data as it is stored."""
        return self.spool.read(self.at, self.length)


class Spool:
    """Files by path, packed and written away as they come. One thread at a time; `close` destroys it."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed by `close`
        self._end = 0
        self.members: list[SpooledMember] = []

    def __setitem__(self, path: str, content: bytes) -> None:
        """Take in a file, each path once."""
        member = container.pack(path, content)
        self._file.seek(self._end)
        self._file.write(member.packed)
        place = (member.digest, self._end, len(member.packed))
        self.members.append(SpooledMember(self, path, member.crc, member.size, *place))
        self._end += len(member.packed)

    def read(self, at: int, length: int) -> bytes:
        """Return so many bytes of the spool."""
        self._file.seek(at)
        return self._file.read(length)

    @property
    def size(self) -> int:
        """The bytes of the container of all files."""
        return container.length_of([(member.path, member.length) for member in self.members])

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes of the container of all files."""
        held = bytearray()
        for piece in container.pieces(self.members):
            held += piece
            if len(held) >= PIECE:
                yield bytes(held)
                held.clear()
        yield bytes(held)

    def whole(self) -> bytes:
        """Return the bytes of the container of all files, and destroy the spool."""
        try:
            return b"".join(self.pieces())
        finally:
            self.close()

    def close(self) -> None:
        """Destroy the spool."""
        self._file.close()
