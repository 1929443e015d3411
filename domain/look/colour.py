"""Colours: contrast as WCAG 2.2 defines it, and an accent that is legible in both schemes.

Rule: an accent made here meets 4.5:1 (WCAG 2.2, 1.4.3) against every ground of its scheme and against its own tint, and
so does the ground as text on it; 3:1 for controls and focus (1.4.11) follows. Whoever asks for another colour is told
the figure it would have had.
"""

import re

import msgspec

from domain.errors import Invalid
from domain.language import gettext as _

TEXT = 4.5  # the least contrast of text
GROUNDS = {"light": ("#fbfaf7", "#ffffff", "#f3f2ed"), "dark": ("#121417", "#191c20", "#0d0f11")}  # as dashboard.css
TOWARDS = {"light": "#000000", "dark": "#ffffff"}  # where a colour is moved to until it is legible
TINT = {"light": 0.1, "dark": 0.22}  # how much of the accent its tint has


class Shade(msgspec.Struct, frozen=True, kw_only=True):
    """The accent in one scheme, as #rrggbb."""

    colour: str
    tint: str  # a ground of its own


class Accent(msgspec.Struct, frozen=True, kw_only=True):
    """An accent as it was asked for, and as it is used in each scheme."""

    asked: str  # #rrggbb
    light: Shade
    dark: Shade


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the colour asked for in one scheme; the figures are the least against any of its grounds."""

    scheme: str  # "light" or "dark"
    asked: float
    used: float
    colour: str

    @property
    def adjusted(self) -> bool:
        """Tell whether another colour is used than was asked for."""
        return self.asked < TEXT


def parsed(field: str, text: str) -> str:
    """Return a colour as #rrggbb, given so or as #rgb.

    Raises: Invalid.
    """
    found = re.fullmatch(r"#?([0-9a-f]{6}|[0-9a-f]{3})", text.strip().lower(), re.ASCII)
    if found is None:
        raise Invalid(_("{text!r} is no colour. Expected six hex digits, such as #234e9e.", text=text[:40]), field)
    digits = found[1]
    return f"#{digits if len(digits) == 6 else ''.join(2 * one for one in digits)}"


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21: WCAG 2.2, "contrast ratio"."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour, 0 to 1: WCAG 2.2, "relative luminance" (sRGB, IEC 61966-2-1)."""
    red, green, blue = (_linear(value / 255) for value in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mixed(one: str, other: str, share: float) -> str:
    """Return a colour with `share` (0 to 1) of the other one in it, mixed channel by channel in sRGB."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def least(colour: str, scheme: str) -> float:
    """Return the least contrast of a colour against the grounds of a scheme and its own tint."""
    return min(contrast(colour, ground) for ground in (*GROUNDS[scheme], tint_of(colour, scheme)))


def tint_of(colour: str, scheme: str) -> str:
    """Return the tint of an accent: the ground of its scheme with a little of it."""
    return mixed(GROUNDS[scheme][0], colour, TINT[scheme])


def legible(colour: str, scheme: str) -> Shade:
    """Return the colour nearest to the one asked for, darkened or lightened, that can be read in a scheme."""
    for step in range(101):
        tried = mixed(colour, TOWARDS[scheme], step / 100)
        if least(tried, scheme) >= TEXT:
            return Shade(colour=tried, tint=tint_of(tried, scheme))
    raise AssertionError  # black and white are legible


def accent_of(field: str, text: str) -> Accent:
    """Return the accent that is made of a colour somebody typed.

    Raises: Invalid where it is no colour.
    """
    asked = parsed(field, text)
    return Accent(asked=asked, light=legible(asked, "light"), dark=legible(asked, "dark"))


def findings(accent: Accent) -> tuple[Finding, ...]:
    """Return what became of the colour asked for, in the light and in the dark scheme."""
    return tuple(
        Finding(
            scheme=scheme,
            asked=least(accent.asked, scheme),
            used=least(shade.colour, scheme),
            colour=shade.colour,
        )
        for scheme, shade in (("light", accent.light), ("dark", accent.dark))
    )
