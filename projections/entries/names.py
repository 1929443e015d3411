"""Names of people in what is recorded: a placeholder wherever one stands, and the name itself sealed beside it. Pure.

Rule: the key of a placeholder is the same in all entries of a share and another in every other share, and it is filled
in the same way for everybody who is shown the entry. docs/spec.md 3.10.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from html import escape

import msgspec

from domain.language import gettext as _

BEGIN, END = "\ue000", "\ue001"  # no text that people enter holds them: domain/check.py
_BEGIN = BEGIN.encode()
_PLACEHOLDER = re.compile(f"{BEGIN}([0-9a-f]{{16}}){END}")


class SealedName(msgspec.Struct, frozen=True, kw_only=True):
    """The name of a person, sealed with a key of that person's own; it lies beside an entry's content, not in it.

    `commitment` is HMAC-SHA-256 (hex) of the name under a salt that is sealed with it. It stands in the content, so
    that a name that is given beside a bundle can be checked; without the person's key nothing can be learned from it.
    """

    person: str
    commitment: str
    sealed: bytes


def key_of(share: str, person: str) -> str:
    """Return the key of a person's placeholder on a share: 16 hex digits."""
    return hashlib.sha256(f"{share}\n{person}".encode()).hexdigest()[:16]


def placeholder(key: str) -> str:
    """Return what stands in place of a name."""
    return f"{BEGIN}{key}{END}"


def keys_in(text: str) -> frozenset[str]:
    """Return the keys of all placeholders in a text."""
    return frozenset(_PLACEHOLDER.findall(text)) if BEGIN in text else frozenset()


def names_in(recorded: bytes) -> bool:
    """Tell whether recorded text may have a placeholder in it."""
    return _BEGIN in recorded


def filled(text: str, called: Mapping[str, str]) -> str:
    """Return plain text with names in place of their placeholders, and "Erased person" where there is none."""
    if BEGIN not in text:
        return text
    return _PLACEHOLDER.sub(lambda found: called.get(found[1], erased()), text)


def filled_markup(markup: str, called: Mapping[str, str]) -> str:
    """Return markup with names, escaped, in place of their placeholders."""
    if BEGIN not in markup:
        return markup
    return _PLACEHOLDER.sub(lambda found: escape(called.get(found[1], erased())), markup)


def filled_json(text: str, called: Mapping[str, str]) -> str:
    """Return a JSON text with names in place of their placeholders, which stand in its strings."""
    if BEGIN not in text:
        return text
    return _PLACEHOLDER.sub(lambda found: json.dumps(called.get(found[1], erased()))[1:-1], text)


def erased() -> str:
    """Return what stands in place of the name of a person who was erased."""
    return _("Erased person")


def commitment(salt: bytes, name: str) -> str:
    """Return the commitment to a name, hex."""
    return hmac.new(salt, name.encode(), hashlib.sha256).hexdigest()
