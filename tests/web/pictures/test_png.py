"""A PNG is read strictly, comes out with its pixels and nothing else, and never needs more room than it says."""

import struct
import zlib

import pytest

from web.pictures import png
from web.pictures.picture import checked, take
from web.pictures.refused import PictureRefused

pytestmark = pytest.mark.once


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def header(width: int = 8, height: int = 4, depth: int = 8, colour: int = 6, interlaced: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))


PIXELS = b"".join(b"\0" + bytes([n, 0, 0, 255]) * 8 for n in range(4))
END = chunk(b"IEND", b"")
GOOD = png.SIGNATURE + header() + chunk(b"IDAT", zlib.compress(PIXELS)) + END


def test_the_pixels_come_out_and_what_else_there_was_does_not() -> None:
    told = chunk(b"tEXt", b"Comment\0<script>") + chunk(b"eXIf", b"where it was taken")
    halves = zlib.compress(PIXELS, 1)
    given = png.SIGNATURE + header() + told + chunk(b"IDAT", halves[:9]) + chunk(b"IDAT", halves[9:]) + END
    taken = take(given + b"<html>behind the end</html>")
    assert (taken.picture.width, taken.picture.height, taken.left_out) == (8, 4, ("tEXt", "eXIf"))
    assert b"script" not in taken.content
    assert b"html" not in taken.content
    assert png.read(taken.content).pixels == PIXELS
    assert checked(taken.content) == taken.picture
    assert take(GOOD).content == taken.content  # however it was packed


def test_palettes_transparency_and_interlacing_are_kept() -> None:
    lines = b"".join(b"\0" + bytes([0b01_10_11_00, 0b01_10_11_00]) for _ in range(4))
    palette, clear = chunk(b"PLTE", bytes(range(12))), chunk(b"tRNS", b"\0\x80")
    given = png.SIGNATURE + header(depth=2, colour=3) + palette + clear + chunk(b"IDAT", zlib.compress(lines)) + END
    assert palette + clear in take(given).content
    room = b"\0" * sum(
        high * (1 + wide)
        for high, wide in png._lines(png._Header(width=8, height=4, depth=8, colour=6, interlaced=True))
    )
    assert len(room) == 8 * 4 * 4 + 8  # and a byte for the filter of each line: 1, 1, none, 1, 1, 2 and 2 by pass
    assert take(png.SIGNATURE + header(interlaced=1) + chunk(b"IDAT", zlib.compress(room)) + END).picture.width == 8


def packed(pixels: bytes) -> bytes:
    return chunk(b"IDAT", zlib.compress(pixels))


BAD = {
    "cut off": GOOD[:-6],
    "no end": GOOD[:-12],
    "a checksum that is wrong": GOOD[:20] + b"\x01" + GOOD[21:],
    "no pixels": png.SIGNATURE + header() + END,
    "no header": png.SIGNATURE + packed(PIXELS) + END,
    "two headers": png.SIGNATURE + header() + header() + packed(PIXELS) + END,
    "a header that is late": png.SIGNATURE + chunk(b"tEXt", b"a\0b") + header() + packed(PIXELS) + END,
    "too few pixels": png.SIGNATURE + header() + packed(PIXELS[:-1]) + END,
    "too many pixels": png.SIGNATURE + header() + packed(PIXELS + b"\0") + END,
    "a bomb": png.SIGNATURE + header() + packed(b"\0" * 50_000_000) + END,
    "an unfinished stream": png.SIGNATURE + header() + chunk(b"IDAT", zlib.compress(PIXELS)[:-5]) + END,
    "a filter there is not": png.SIGNATURE + header() + packed(b"\x05" + PIXELS[1:]) + END,
    "pixels in two places": GOOD[:-12] + chunk(b"tEXt", b"a\0b") + packed(PIXELS) + END,
    "too wide": png.SIGNATURE + header(width=2049) + packed(PIXELS) + END,
    "no width": png.SIGNATURE + header(width=0) + packed(PIXELS) + END,
    "as large as it can say": png.SIGNATURE + header(width=2**31 - 1, height=2**31 - 1) + packed(PIXELS) + END,
    "a depth there is not": png.SIGNATURE + header(depth=3) + packed(PIXELS) + END,
    "no palette": png.SIGNATURE + header(colour=3) + packed(b"".join(b"\0" * 9 for _ in range(4))) + END,
    "a critical chunk nobody knows": png.SIGNATURE + header() + chunk(b"EVIL", b"") + packed(PIXELS) + END,
    "a chunk longer than the file": png.SIGNATURE + header() + struct.pack(">I", 2**31) + b"IDAT" + END,
    "a GIF": b"GIF89a" + bytes(20),
    "a JPEG": b"\xff\xd8\xff\xe0" + bytes(20),
    "nothing": b"",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_as_the_format_says_is_refused(name: str) -> None:
    assert take(GOOD)  # it is not refused for another reason
    with pytest.raises(PictureRefused):
        take(BAD[name])
