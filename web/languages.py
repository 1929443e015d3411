"""The languages of the product: catalogues read once each, their names, and which one a browser asks for.

Rule: a catalogue is `web/locale/<language>.po`, read with Babel when the language is spoken for the first time; a
message without a translation, or with a doubtful one, is said in English. The languages of tests are made of the
catalogue's template.
"""

import functools
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from domain import language
from domain.language import ACCENTED, ENGLISH, LANGUAGES, MIRRORED, TEST_LANGUAGES, Language

LOCALE = Path(__file__).parent / "locale"
MOST = 20  # languages of a browser that are looked at


def install(*, tests: bool = False) -> None:
    """Make the catalogues known; `tests`: the languages of tests as well. Called before anything is said."""
    language.install(found, tests=tests)


@functools.cache
def found(code: str) -> Language | None:
    """Return a language by its code (BCP 47), None for one there is no catalogue of."""
    if code in TEST_LANGUAGES:
        return _of_tests(code)
    if code == ENGLISH or code not in LANGUAGES or not (file := LOCALE / f"{code}.po").is_file():
        return None
    catalog = catalogue(file, code)
    messages = {
        (message.context or "", _id(message.id)): _texts(message.string)
        for message in catalog
        if message.id and not message.fuzzy and all(_texts(message.string))
    }
    rule = Locale.parse(code).plural_form

    def plural(number: int) -> int:
        return 0 if rule(number) == "one" else 1

    return Language(code=code, messages=messages, plural=plural, number=_number(code))


def catalogue(file: Path, code: str) -> Catalog:
    """Return a catalogue of a language as its file has it."""
    with file.open("rb") as opened:
        return read_po(opened, locale=code)


def _id(given: Any) -> str:
    """Return the message id of a message, of one of numbers that of one."""
    return str(given if isinstance(given, str) else given[0])


def _texts(given: Any) -> tuple[str, ...]:
    """Return a text, or those of the plural forms; "" where there is none."""
    return (given or "",) if isinstance(given, str) or given is None else tuple(given)


def _number(code: str) -> Callable[[Decimal], str]:
    locale = Locale.parse(code)

    def number(value: Decimal) -> str:
        return format_decimal(value, locale=locale, decimal_quantization=False)

    return number


# the languages of tests

HELD = re.compile(r"\{[^{}]*\}|%\([^)]*\)[a-z]|%%|<[^<>]*>|&#?\w+;|\n")  # what of a message is no letter of it
ACCENTS = str.maketrans("aceghijklnorsuwyzACEGHIJKLNORSUWYZ", "àçéĝĥîĵķļñöŕšûŵýžÀÇÉĜĤÎĴĶĻÑÖŔŠÛŴÝŽ")
LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "אבגדהוזחטיכלמנסעפצקרשתבגדה" * 2)


def _of_tests(code: str) -> Language:
    made = _accented if code == ACCENTED else _mirrored
    template = catalogue(LOCALE / "fanlight.pot", ENGLISH)
    messages = {
        (message.context or "", _id(message.id)): tuple(map(made, _texts(message.id)))
        for message in template
        if message.id
    }
    return Language(code=code, messages=messages, plural=lambda n: 0 if n == 1 else 1, number=_number("en"))


def _accented(text: str) -> str:
    """Return a message with accents, in brackets, and four tenths longer: "[Šļîþ ~~]"."""
    letters = sum(char.isalpha() for char in HELD.sub("", text))
    if not letters:
        return text
    longer = (" ~~~~" * (letters * 2 // 5 // 4 + 1))[: max(2, letters * 2 // 5)]
    return f"[{_beside_what_is_held(text, ACCENTS)}{longer.rstrip()}]"


def _mirrored(text: str) -> str:
    """Return a message in letters that are read from right to left."""
    return _beside_what_is_held(text, LETTERS)


def _beside_what_is_held(text: str, table: dict[int, int]) -> str:
    pieces, at = [], 0
    for kept in HELD.finditer(text):
        pieces += [text[at : kept.start()].translate(table), kept[0]]
        at = kept.end()
    return "".join((*pieces, text[at:].translate(table)))


# which one a browser asks for


def accepted(header: str) -> str:
    """Return the language that a browser likes best of those there are (`Accept-Language`), English for none."""
    liked: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")[:MOST]):
        name, _sep, quality = part.strip().partition(";")
        code = name.strip().lower()
        known = next((one for one in language.offered() if one.lower() in (code, code.partition("-")[0])), "")
        if known and known not in (ACCENTED, MIRRORED):
            liked.append((-_quality(quality), place, known))
    best = min(liked, default=(0.0, 0, ENGLISH))
    return best[2] if best[0] < 0 else ENGLISH


def _quality(text: str) -> float:
    """Return the weight of a language, from 0 to 1."""
    name, _sep, value = text.strip().partition("=")
    if not name:
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
