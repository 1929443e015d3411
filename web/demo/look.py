"""The look of the demo's organisation: an invented word mark, drawn as lines, its icon, and an accent.

It is set some weeks before the end of the year that is told, so that the pages before it show the look of their day.
"""

from collections.abc import Callable

from domain.people.brand import SetBrand
from web.demo.cast import ORGANISATION
from web.pictures.picture import take

ACCENT = "#0b6e6e"
INK, PAPER = "#17333a", "#e8f1ef"
LETTERS = {  # each in a box 14 high: its width, and its lines
    "E": (8, "M8 0H0V14H8M0 7H7"),
    "X": (9, "M0 0L9 14M9 0L0 14"),
    "A": (10, "M0 14L5 0L10 14M2 9.5H8"),
    "M": (12, "M0 14V0L6 9L12 0V14"),
    "P": (9, "M0 14V0H5a4 4 0 0 1 0 8H0"),
    "L": (8, "M0 0V14H8"),
    "W": (14, "M0 0L3.5 14L7 3L10.5 14L14 0"),
    "O": (14, "M7 0a7 7 0 1 0 0 14a7 7 0 1 0 0 -14"),
    "R": (9, "M0 14V0H5a4 4 0 0 1 0 8H0M5 8L9 14"),
    "K": (9, "M0 0V14M8.5 0L0 8.5M3.2 5.4L9 14"),
    "S": (9, "M8.5 2.2C7.6 .7 6 0 4.6 0C2 0 .6 1.4 .6 3.4C.6 8 9 6 9 10.6C9 12.7 7 14 4.8 14C2.7 14 1 13 .2 11.4"),
}  # fmt: skip
GAP, SPACE, EDGE = 4.0, 6.0, 2.0  # between two letters, more between two words, around all
ICON = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="{ACCENT}"/>'
    '<path d="M13 8H6V24H13M6 16H12M16 8L18.5 24L21 12L23.5 24L26 8" fill="none" stroke="#fff" stroke-width="2"/></svg>'
)


def logo(colour: str) -> bytes:
    """Return the word mark in a colour."""
    at, drawn = EDGE, ""
    for letter in ORGANISATION.upper():
        if letter == " ":
            at += SPACE
            continue
        width, lines = LETTERS[letter]
        drawn += f'<path transform="translate({at:g} {EDGE:g})" d="{lines}"/>'
        at += width + GAP
    size = f'viewBox="0 0 {at - GAP + EDGE:g} {14 + 2 * EDGE:g}"'
    stroke = f'fill="none" stroke="{colour}" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><g {stroke}>{drawn}</g></svg>'.encode()


def kept(keep: Callable[[str, bytes], None]) -> SetBrand:
    """Return the command that sets the look, once its pictures are kept as uploaded ones are."""
    light, dark, icon = (take(one) for one in (logo(INK), logo(PAPER), ICON.encode()))
    for one in (light, dark, icon):
        keep(one.picture.sha256, one.content)
    return SetBrand(
        name=ORGANISATION, accent=ACCENT, logo=light.picture, logo_dark=dark.picture, icon=icon.picture
    )  # fmt: skip
