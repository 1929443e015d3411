"""Labels beside the ends of lines: wrapped in two rows and moved apart, so that none is cut, covered or outside.

Rule: everything is computed for the widest letters (semi-bold) and, of each layout, for its lowest drawing, so that
what fits here fits wherever the drawing is taller.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import msgspec

ROW = 15.0  # from one row of a label to the next, px
GAP = 2.0  # between two labels, px
ROWS = 2  # of a name, at most
SIZE = 12.0  # of the letters, px
SLIM = frozenset((*"ijlftrI", *".,:;'’|!()[]{}-·", " ", chr(0xA0)))
BROAD = frozenset("mwMW@%&—…")


class Layout(msgspec.Struct, frozen=True):
    """One way to draw: how high the drawing is at least, and how much room a row has beside it, px."""

    height: float
    room: float


WIDE = Layout(190.0, 158.0)  # screens and paper
NARROW = Layout(248.0, 98.0)  # phones


class SetLabel(msgspec.Struct, frozen=True):
    """The rows of a label, the note at the end of the last, and where its middle is, in percent of the height."""

    rows: tuple[str, ...]
    y: str


class Label(msgspec.Struct, frozen=True):
    """What stands beside one line's end on wide and on narrow screens."""

    wide: SetLabel
    narrow: SetLabel


class Wanted(msgspec.Struct, frozen=True):
    """A label before it has a place: its name, the note that ends it, and where its line ends, in percent."""

    name: str
    note: str
    y: float


@lru_cache(maxsize=4096)
def width(text: str) -> float:
    """Return about how wide semi-bold text is, px; rather more than less."""
    return SIZE * sum(_share(letter) for letter in text)


def _share(letter: str) -> float:
    """Return a letter's width as a part of the size of the font."""
    if letter in SLIM:
        return 0.4
    if letter in BROAD:
        return 0.98
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0.0
    if ord(letter) > 0x2E7F:
        return 1.05
    return 0.76 if letter.isupper() else 0.63


@lru_cache(maxsize=4096)
def rows(name: str, note: str, room: float, *, spare: bool = False) -> tuple[str, ...]:
    """Return a name in at most `ROWS` rows of `room` px, shortened where it must be; the last leaves room for the note.

    The last row is "" where the note has it to itself: below a name of one row, and with a row to `spare` below two.
    """
    beside = width(f" {note}") if note else 0.0
    if width(name) + beside <= room:
        return (name,)
    first, rest = _first(name, room)
    if not rest:
        return (first, "")
    if note and spare and width(rest) + beside > room:
        return first, _shortened(rest, room), ""
    return first, _shortened(rest, room - beside)


def _first(name: str, room: float) -> tuple[str, str]:
    """Return what of a name fits into a row, and the rest: parted between words, within one that is longer than a row.

    Where the first word is longer than a row, the row is filled.
    """
    if width(name) <= room:
        return name, ""
    fits = _fitting(name, room)
    space = name.rfind(" ", 0, fits + 1)
    if space > 0:
        return name[:space].rstrip(), name[space + 1 :].lstrip()
    return name[:fits], name[fits:]


def _fitting(text: str, room: float) -> int:
    """Return how many letters of a text fit, with the marks that belong to them."""
    used = 0.0
    for at, letter in enumerate(text):
        used += SIZE * _share(letter)
        if used > room:
            return at
    return len(text)


def _shortened(text: str, room: float) -> str:
    return text if width(text) <= room else text[: _fitting(text, room - width("…"))].rstrip() + "…"


def labels(wanted: Sequence[Wanted]) -> tuple[Label, ...]:
    """Return labels in the order wanted, each as near to its line's end as the others let it be.

    There is room for six of two rows.
    """
    both = zip(_placed(wanted, WIDE), _placed(wanted, NARROW), strict=True)
    return tuple(Label(wide, narrow) for wide, narrow in both)


def _placed(wanted: Sequence[Wanted], layout: Layout) -> list[SetLabel]:
    made = [rows(w.name, w.note, layout.room, spare=True) for w in wanted]
    if sum(len(r) * ROW + GAP for r in made) > layout.height + GAP:
        made = [rows(w.name, w.note, layout.room) for w in wanted]
    tall = [100 * len(r) * ROW / layout.height for r in made]
    places = _apart([w.y for w in wanted], tall, 100 * GAP / layout.height)
    return [SetLabel(r, f"{y:.2f}") for r, y in zip(made, places, strict=True)]


def _apart(ends: Sequence[float], tall: Sequence[float], gap: float) -> list[float]:
    """Return the middles of labels, all in percent: in the order of the ends, apart from each other, all inside."""
    order = sorted(range(len(ends)), key=lambda i: (ends[i], i))
    places = [0.0] * len(ends)
    free = 0.0
    for i in order:
        places[i] = max(ends[i], free + tall[i] / 2)
        free = places[i] + tall[i] / 2 + gap
    free = 100.0
    for i in reversed(order):
        places[i] = min(places[i], free - tall[i] / 2)
        free = places[i] - tall[i] / 2 - gap
    return places
