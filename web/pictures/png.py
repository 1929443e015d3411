"""PNG (W3C PNG Third Edition) read strictly and written anew: header, palette, transparency and pixels, nothing else.

Rule: the pixels are inflated into exactly the room that the header asks for, which is bounded, so no small file becomes
a large one; texts, profiles, times and whatever lies behind the end are left out.
"""

import struct
import zlib
from collections.abc import Iterator

import msgspec

from domain.language import gettext as _
from web.pictures.refused import PictureRefused

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIDE = 2048  # pixels
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type; section 11.2.1
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
ADAM7 = ((0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2))
CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A PNG as it was read; `pixels` are the filtered lines as the header orders them."""

    width: int
    height: int
    header: bytes
    palette: bytes
    transparency: bytes
    pixels: bytes
    left_out: tuple[str, ...]


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool


def read(data: bytes) -> Image:
    """Return the picture in a PNG.

    Raises: PictureRefused.
    """
    found: dict[bytes, bytes] = {}
    packed: list[bytes] = []
    left_out: list[str] = []
    before = b""
    for name, body in _chunks(data):
        if name == b"IDAT":
            if packed and before != b"IDAT":
                raise _broken()
            packed.append(body)
        elif name in (b"IHDR", b"PLTE", b"tRNS"):
            if name in found or packed or (name == b"IHDR") != (not found and before == b""):
                raise _broken()
            found[name] = body
        elif name not in CRITICAL:
            if name[0] < 0x60:  # a critical chunk of an unknown kind: 5.4
                raise _broken()
            left_out.append(name.decode())
        before = name
    header = _header(found.get(b"IHDR", b""))
    pixels = _inflated(b"".join(packed), header)
    palette, transparency = found.get(b"PLTE", b""), found.get(b"tRNS", b"")
    _check_colours(header, palette, transparency)
    return Image(
        width=header.width,
        height=header.height,
        header=found[b"IHDR"],
        palette=palette if header.colour == 3 else b"",
        transparency=transparency,
        pixels=pixels,
        left_out=tuple(dict.fromkeys(left_out)),
    )


def written(image: Image) -> bytes:
    """Return the picture as a PNG, the same bytes for the same pixels."""
    chunks = [(b"IHDR", image.header), (b"PLTE", image.palette), (b"tRNS", image.transparency)]
    chunks += [(b"IDAT", zlib.compress(image.pixels, 9))]
    return SIGNATURE + b"".join(_chunk(name, body) for name, body in chunks if body) + _chunk(b"IEND", b"")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks up to the end of the picture, each as long as it says and with the checksum it says."""
    at = len(SIGNATURE)
    while True:
        if at + 12 > len(data):
            raise _broken()
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data) or not (name.isalpha() and name.isascii()):
            raise _broken()
        body = data[at + 8 : end - 4]
        if struct.unpack_from(">I", data, end - 4)[0] != zlib.crc32(name + body):
            raise _broken()
        if name == b"IEND":
            return
        yield name, body
        at = end


def _header(body: bytes) -> _Header:
    if len(body) != 13:
        raise _broken()
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", body)
    if not (0 < width <= SIDE and 0 < height <= SIDE):
        message = _(
            "The picture is {width} by {height} pixels; at most {most} by {most} are taken. Save it smaller.",
            width=width,
            height=height,
            most=SIDE,
        )
        raise PictureRefused(message)
    if depth not in DEPTHS.get(colour, ()) or (compression, filtering) != (0, 0) or interlace > 1:
        raise _broken()
    return _Header(width=width, height=height, depth=depth, colour=colour, interlaced=bool(interlace))


def _lines(header: _Header) -> Iterator[tuple[int, int]]:
    """Yield how many lines there are and how many bytes one has, after the byte that names its filter."""
    bits = CHANNELS[header.colour] * header.depth
    if not header.interlaced:
        yield header.height, -(-header.width * bits // 8)
        return
    for left, across, top, down in ADAM7:
        wide, high = -(-(header.width - left) // across), -(-(header.height - top) // down)
        if wide > 0 and high > 0:
            yield high, -(-wide * bits // 8)


def _inflated(packed: bytes, header: _Header) -> bytes:
    """Return the filtered lines, which fill exactly the room that the header asks for."""
    room = sum(high * (1 + wide) for high, wide in _lines(header))
    inflater = zlib.decompressobj()
    try:
        pixels = inflater.decompress(packed, room + 1)
    except zlib.error:
        raise _broken() from None
    if len(pixels) != room or not inflater.eof:
        raise _broken()
    at = 0
    for high, wide in _lines(header):
        step = 1 + wide
        if max(pixels[at : at + high * step : step]) > 4:  # a filter there is not: 9.2
            raise _broken()
        at += high * step
    return pixels


def _check_colours(header: _Header, palette: bytes, transparency: bytes) -> None:
    entries = len(palette) // 3
    if header.colour == 3:
        fits = len(palette) % 3 == 0 and 0 < entries <= 1 << header.depth and len(transparency) <= entries
    else:
        fits = len(transparency) in {0: (0, 2), 2: (0, 6)}.get(header.colour, (0,))
    if not fits:
        raise _broken()


def _broken() -> PictureRefused:
    return PictureRefused(_("This PNG is damaged, or not as the format says. Save it anew from a drawing program."))
