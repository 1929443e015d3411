"""Tells whether a text names somebody: for what is kept after the person is erased.

Rule: words are compared without punctuation, accents and case, and parts of a name from three letters on. A part that
is an everyday word as well ("Will", "Mark") counts where it is written as a name is.
"""

import re
import unicodedata
from collections.abc import Iterable

SHORTEST = 3  # letters of a part of a name that counts by itself
_EVERYDAY = """
all and any april art august bill can carol chase clay cliff colin dale dawn day dean don drew ernest faith for ford
frank gene glen grace grant guy hope iris ivy jack jade jay jean joy jude june king law lee long love mark may miles
norm not object old olive page pat pearl peg penny per price ray read rich rob robin rose ruby sandy sky skip smith
stone sue sunny the tom victor wade ward was west white will wood young
"""
EVERYDAY = frozenset(_EVERYDAY.split())
_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bDr)[.!?:;\n]\s*$")


def names_somebody(text: str, names: Iterable[str], addresses: Iterable[str]) -> bool:
    """Return whether a text holds an address, a whole name, or a part of a name."""
    if any(address.casefold() in text.casefold() for address in addresses):
        return True
    words = [_plain(word) for word in _WORD.findall(text)]
    written = _as_names(text)
    for name in names:
        parts = [_plain(part) for part in _WORD.findall(name)]
        if _follow(parts, words):
            return True
        if any(part in (written if part in EVERYDAY else words) for part in parts if len(part) >= SHORTEST):
            return True
    return False


def _follow(parts: list[str], words: list[str]) -> bool:
    """Return whether the parts of a whole name stand in a text one after the other."""
    if len(parts) < 2:
        return False
    return any(words[i : i + len(parts)] == parts for i in range(len(words) - len(parts) + 1))


def _as_names(text: str) -> set[str]:
    """Return the words of a text that are written as names: with a capital that no sentence's beginning explains."""
    found = set()
    for match in _WORD.finditer(text):
        before = text[: match.start()]
        if match[0][0].isupper() and before.strip() and not _SENTENCE.search(before):
            found.add(_plain(match[0]))
    return found


def _plain(word: str) -> str:
    """Return a word without case and accents."""
    parts = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c))
