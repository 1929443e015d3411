"""Tells whether a text names somebody: for what is kept after the person is erased.

Rule: words are compared without punctuation, accents and case, with umlauts written in either way, also in the genitive
("Lindts"), and parts of a name from three letters on with words of as many. A part that is an everyday word as well, or
its genitive is ("Will", "Mark", "Thi"), counts where it is written as a name is.
"""

import re
import unicodedata
from collections.abc import Iterable

SHORTEST = 3  # letters of a part of a name that counts by itself
_EVERYDAY = """
all and any april art august bill can carol chase clay cliff colin dale dawn day dean doe don drew ernest faith for
ford frank gene glen grace grant guy hope iris ivy jack jade jay jean joy jude june king law lee long love mark may
miles norm not object old olive page pat pearl peg penny per price ray read rich rob robin rose ruby sandy sky skip
smith stone sue sunny the thi thu tom victor wade ward was west white will wood young
"""
_LETTERS = str.maketrans({"ø": "o", "æ": "a", "œ": "o", "å": "a", "ł": "l", "đ": "d", "ð": "d", "ı": "i"})
_TWO_FOR_ONE = re.compile(r"([aou])e|a(a)")  # "Mueller", "Aas": what stands where an umlaut or å cannot be typed
_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bDr)[.!?:;\n]\s*$")


def names_somebody(text: str, names: Iterable[str], addresses: Iterable[str]) -> bool:
    """Return whether a text holds an address, a whole name, or a part of a name."""
    if any(address.casefold() in text.casefold() for address in addresses):
        return True
    words = [_forms(word) for word in _WORD.findall(text)]
    anywhere = frozenset[str]().union(*[_forms(word) for word in _WORD.findall(text) if len(word) >= SHORTEST])
    written = _as_names(text)
    for name in names:
        parts = _WORD.findall(name)
        if _follow([_plain(part) for part in parts], words):
            return True
        counting = [_plain(part) for part in parts if len(part) >= SHORTEST]
        if any(part in (written if part in EVERYDAY else anywhere) for part in counting):
            return True
    return False


def _follow(parts: list[str], words: list[frozenset[str]]) -> bool:
    """Return whether the parts of a whole name stand in a text one after the other."""
    if len(parts) < 2:
        return False
    starts = range(len(words) - len(parts) + 1)
    return any(all(part in words[i + k] for k, part in enumerate(parts)) for i in starts)


def _as_names(text: str) -> set[str]:
    """Return the words of a text that are written as names: with a capital that no sentence's beginning explains."""
    found = set[str]()
    for match in _WORD.finditer(text):
        before = text[: match.start()]
        if match[0][0].isupper() and before.strip() and not _SENTENCE.search(before):
            found.update(_forms(match[0]))
    return found


def _forms(word: str) -> frozenset[str]:
    """Return what a word of a text may be of a name: that name, or its genitive."""
    plain = _plain(word)
    return frozenset((plain, plain.removesuffix("s")))


def _plain(word: str) -> str:
    """Return a word without case and accents, the same for both ways to write an umlaut."""
    parts = unicodedata.normalize("NFKD", word.casefold())
    plain = "".join(c for c in parts if not unicodedata.combining(c)).translate(_LETTERS)
    return _TWO_FOR_ONE.sub(lambda two: two[1] or two[2], plain)


EVERYDAY = frozenset(map(_plain, _EVERYDAY.split()))
