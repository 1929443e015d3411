"""Text as it is looked for: words without case and accents, found by how they begin."""

import re
import unicodedata

LONGEST = 100  # characters of a query that are read
MOST = 6  # words of a query that are looked for
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_WORD = re.compile(r"\w+")


def folded(*texts: str) -> str:
    """Return the words of some texts, each after a space: "Größe, Łódź" is " grosse lodz"."""
    joined = unicodedata.normalize("NFKD", " ".join(texts).casefold())
    bare = "".join(char for char in joined if not unicodedata.combining(char)).translate(_PLAIN)
    return "".join(f" {word}" for word in _WORD.findall(bare.replace("_", " ")))


def wanted(query: str) -> tuple[str, ...]:
    """Return how the words of a query begin in folded text; none for a query without a word."""
    return tuple(f" {word}" for word in folded(query[:LONGEST]).split()[:MOST])


def matches(text: str, beginnings: tuple[str, ...]) -> bool:
    """Tell whether each word of a query begins a word of some folded text."""
    return all(beginning in text for beginning in beginnings)
