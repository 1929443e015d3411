"""Takes a picture that was uploaded: says what it is, and returns bytes that were written here.

Rule: no byte of an upload is served. An SVG is written anew from an allow-list (svg.py), a PNG from its pixels
(png.py). What was taken before is taken again and comes out the same, which is how a picture is checked that a
command names.
"""

import hashlib

import msgspec

from domain.language import gettext as _
from domain.look.look import Picture
from web.pictures import png, svg
from web.pictures.refused import PictureRefused

MOST = 128 * 1024  # bytes of an upload
KEPT = 256 * 1024  # bytes of what is kept; a PNG that was packed better may grow a little


class Taken(msgspec.Struct, frozen=True):
    """A picture as it is kept, and what was left out of it."""

    picture: Picture
    content: bytes
    left_out: tuple[str, ...] = ()


def take(data: bytes) -> Taken:
    """Return a picture that was uploaded as it is to be kept.

    Raises: PictureRefused.
    """
    if len(data) > MOST:
        message = _(
            "The picture has {size} KiB; at most {most} are taken. Save it smaller.",
            size=-(-len(data) // 1024), most=MOST // 1024,
        )  # fmt: skip
        raise PictureRefused(message)
    return _taken(data)


def checked(content: bytes) -> Picture | None:
    """Return what picture some kept bytes are, None where they are none that was taken here."""
    if len(content) > KEPT:
        return None
    try:
        again = _taken(content)
    except PictureRefused:
        return None
    return again.picture if again.content == content else None


def _taken(data: bytes) -> Taken:
    if data.startswith(png.SIGNATURE):
        image = png.read(data)
        content, left_out = png.written(image), image.left_out
        return Taken(_picture("png", content, image.width, image.height), content, left_out)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        drawn = svg.read(data)
        return Taken(_picture("svg", drawn.content, drawn.width, drawn.height), drawn.content, drawn.left_out)
    raise PictureRefused(_("This is neither a PNG nor an SVG. Save the picture as one of the two."))


def _picture(kind: str, content: bytes, width: int, height: int) -> Picture:
    sha256 = hashlib.sha256(content).hexdigest()
    return Picture(sha256=sha256, kind="png" if kind == "png" else "svg", width=width, height=height)
