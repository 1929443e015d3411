"""Writes and reads the ZIP file of an evidence bundle, each byte of which follows from its members. Pure.

docs/spec.md 8.1: nothing can hide in a file that is rewritten from its members to the same bytes.
"""

import hashlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from domain.language import gettext as _

NOTE = "bundle.note"
STORED, DEFLATED = 0, 8
MIB = 1 << 20
ALL = 4096 * MIB  # bytes of all members together, inflated
MEMBERS = 65_535  # a ZIP file without extensions lists no more
SMALL = 1 * MIB
LARGE = re.compile(r"(?:entries|receipts)/.*|bases/.*|base\.json|names\.json|index\.html")
MIDDLE = re.compile(r"(?:stylesheets|assets|erasures)/.*")
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_DATE = 0x0021  # 1980-01-01


class BadContainer(Exception):
    """The file is no container as 8.1 defines it; says what was expected."""


class ZipMember(msgspec.Struct, frozen=True):
    """One file in the container: its data as stored there (`packed`), and CRC-32 and size of what that inflates to."""

    path: str
    packed: bytes
    crc: int
    size: int

    @property
    def method(self) -> int:
        """The ZIP compression method."""
        return method(self.path)

    @property
    def longest(self) -> int:
        """The bytes that the member may inflate to; docs/spec.md 8.1."""
        if LARGE.fullmatch(self.path):
            return 128 * MIB
        return 8 * MIB if MIDDLE.fullmatch(self.path) else SMALL

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the data as stored in the container."""
        return hashlib.sha256(self.packed).hexdigest()

    def content(self) -> bytes:
        """Return the file itself.

        Raises: BadContainer.
        """
        if self.method == STORED:
            return self.packed
        self._check_size()
        inflate = zlib.decompressobj(-15)
        try:
            content = inflate.decompress(self.packed, self.size + 1)
        except zlib.error as error:
            raise BadContainer(_("{path} cannot be inflated: {error}", path=self.path, error=error)) from error
        if len(content) != self.size or not inflate.eof or zlib.crc32(content) != self.crc:
            raise BadContainer(_("{path} is not what the container says it is", path=self.path))
        return content

    def readable(self) -> tuple[bytes, str]:
        """Return as much of the file as can be inflated, and what is wrong with the rest, "" when nothing is."""
        try:
            return self.content(), ""
        except BadContainer as error:
            return (self.packed if self.method == STORED else self._inflated_to_error()), str(error)

    def _check_size(self) -> None:
        if self.size > self.longest:
            mib = self.longest // MIB
            raise BadContainer(_("{path} would be larger than {mib} MiB (8.1)", path=self.path, mib=mib))

    def _inflated_to_error(self) -> bytes:
        inflate, out = zlib.decompressobj(-15), bytearray()
        for i in range(len(self.packed)):
            try:
                out += inflate.decompress(self.packed[i : i + 1])  # of one byte come 1,032 at most
            except zlib.error:
                break
            if len(out) > self.longest:
                return b""
        return bytes(out)


def pack(path: str, content: bytes) -> ZipMember:
    """Return a file as a member."""
    if path == NOTE:
        return ZipMember(path, content, zlib.crc32(content), len(content))
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return ZipMember(path, deflate.compress(content) + deflate.flush(), zlib.crc32(content), len(content))


def write(members: Sequence[ZipMember]) -> bytes:
    """Return the bytes of the container of some members, `bundle.note` first, the others by path."""
    return b"".join(pieces(members))


class Packed(Protocol):
    """A member whose data may lie elsewhere until it is asked for."""

    @property
    def path(self) -> str: ...
    @property
    def packed(self) -> bytes: ...
    @property
    def crc(self) -> int: ...
    @property
    def size(self) -> int: ...


def pieces(members: Sequence[Packed]) -> Iterator[bytes]:
    """Yield the bytes of the container of some members in order; the data of one member is asked for at a time."""
    length, central = 0, bytearray()
    ordered = sorted(members, key=lambda member: (member.path != NOTE, member.path.encode()))
    for member in ordered:
        name, packed = member.path.encode("ascii"), member.packed
        sizes, fixed = (member.crc, len(packed), member.size), (20, 0, method(member.path), 0, _DATE)
        central += _CENTRAL.pack(b"PK\x01\x02", 20, *fixed, *sizes, len(name), 0, 0, 0, 0, 0, length) + name
        head = _LOCAL.pack(b"PK\x03\x04", *fixed, *sizes, len(name), 0) + name
        length += len(head) + len(packed)
        yield head
        yield packed
    count = len(ordered)
    yield bytes(central) + _END.pack(b"PK\x05\x06", 0, 0, count, count, len(central), length, 0)


def length_of(members: Sequence[tuple[str, int]]) -> int:
    """Return the bytes of a container of members of these paths and lengths, as stored."""
    return _END.size + sum(_LOCAL.size + _CENTRAL.size + 2 * len(path) + length for path, length in members)


def method(path: str) -> int:
    """Return the ZIP compression method of a member: stored for the note, deflated for everything else."""
    return STORED if path == NOTE else DEFLATED


def read(data: bytes, most: int = ALL) -> tuple[Mapping[str, ZipMember], bool]:
    """Return the members of a container by path, and whether its bytes are exactly those that follow from them.

    Raises: BadContainer when they cannot even be listed, or would be larger than `most` bytes together.
    """
    if data.count(b"PK\x01\x02") > MEMBERS:
        raise BadContainer(_("it lists more than {most} files (8.1)", most=MEMBERS))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
        _check_sizes(data, listed, most)
        members = [_member(data, info) for info in listed]
        same = write(members) == data
    except (zipfile.BadZipFile, UnicodeError, struct.error, ValueError, NotImplementedError, OSError) as error:
        raise BadContainer(
            _("expected an evidence bundle (a ZIP file), but its files cannot be listed: {error}", error=error)
        ) from error
    by_path = {member.path: member for member in members}
    return by_path, same and len(by_path) == len(members)


def _check_sizes(data: bytes, listed: Sequence[zipfile.ZipInfo], most: int) -> None:
    """Check the sizes a container claims: members may not lie on each other, or be too large together when inflated."""
    if sum(info.compress_size for info in listed) > len(data):
        raise BadContainer(_("its files lie on each other (8.1)"))
    if sum(info.file_size for info in listed) > most:
        raise BadContainer(_("its files would be larger than {mib} MiB together (8.1)", mib=most // MIB))


def _member(data: bytes, info: zipfile.ZipInfo) -> ZipMember:
    start = info.header_offset
    name, extra = struct.unpack_from("<HH", data, start + 26)
    begin = start + _LOCAL.size + name + extra
    return ZipMember(info.filename, data[begin : begin + info.compress_size], info.CRC, info.file_size)
