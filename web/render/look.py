"""What the look of an organisation adds to a page: a few rules after the product's stylesheet, and its logo.

Rule: the accent colours links under the pointer, focus, primary buttons, today and what is new; no status, no drawing
of a status and no text of its own depends on it. The address of a picture holds its SHA-256.
"""

import hashlib

from domain.look.colour import Accent
from domain.look.look import Look, Picture
from web.door.worn import Logo

HIGH, WIDE = 28, 168  # pixels of the room that a logo has in the bar

RULES = """
/* the accent of the organisation */
:root {{ --accent: {light.colour}; --accent-t: {light.tint}; }}
@media (prefers-color-scheme: dark) {{ :root {{ --accent: {dark.colour}; --accent-t: {dark.tint}; }} }}
.btn.primary {{ background: var(--accent); border-color: var(--accent); color: var(--bg); }}
"""


def dressed(css: bytes, look: Look | None) -> bytes:
    """Return a stylesheet with the accent of a look, the same bytes where it has none."""
    return css if look is None or look.accent is None else css + rules(look.accent).encode()


def rules(accent: Accent) -> str:
    """Return the rules that put an accent in place of the product's."""
    return RULES.format(light=accent.light, dark=accent.dark)


def digest_of(css: bytes) -> str:
    """Return the SHA-256 of a stylesheet, hex."""
    return hashlib.sha256(css).hexdigest()


def logo_of(look: Look | None) -> Logo | None:
    """Return the logo of a look, None where it has none."""
    if look is None or look.logo is None:
        return None
    width, height = _room(look.logo)
    dark = look.logo_dark.address if look.logo_dark is not None else ""
    return Logo(light=look.logo.address, dark=dark, width=width, height=height)


def _room(picture: Picture) -> tuple[int, int]:
    """Return the width and height of a picture in the bar."""
    scale = min(HIGH / picture.height, WIDE / picture.width)
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
