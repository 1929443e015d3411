"""Checks on values that come from people; each refusal names the field and says what would be right."""

import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from domain.errors import Invalid
from domain.money import Money

EARLIEST, LATEST = date(1950, 1, 1), date(2150, 1, 1)
LINE, TEXT = 200, 4000
MOST, PLACES = Decimal(10) ** 15, 8  # an amount stays below this, with at most so many decimal places

# Marks that reorder the text around them: what is read would not be what is stored (Unicode TR36, "Trojan Source").
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def identifier(field: str, value: str) -> str:
    """Return `value` if it can name something: it becomes part of stream names, addresses and page anchors."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", value):
        told = f"{_name(field)} {value[:40]!r} cannot be an id"
        raise Invalid(f"{told}; expected 1 to 64 letters, digits, hyphens or underscores. Choose another.", field)
    return value


def line(field: str, value: str, *, required: bool = True) -> str:
    """Return `value` as one trimmed line of at most 200 characters."""
    value = _clean(field, value)
    if "\n" in value:
        raise Invalid(f"{_name(field)} has to be on one line.", field)
    if required and _blank(value):
        raise Invalid(f"{_name(field)} is missing. Type it and send again.", field)
    if len(value) > LINE:
        raise Invalid(f"{_name(field)} has {len(value)} characters; at most {LINE} are kept. Shorten it.", field)
    return value


def text(field: str, value: str, *, required: bool = False) -> str:
    """Return `value` as trimmed text of at most 4,000 characters."""
    value = _clean(field, value)
    if required and _blank(value):
        raise Invalid(f"{_name(field)} is missing. A sentence is enough.", field)
    if len(value) > TEXT:
        raise Invalid(f"{_name(field)} has {len(value)} characters; at most {TEXT} are kept. Shorten it.", field)
    return value


def day(field: str, value: date) -> date:
    """Return `value` if it is a plausible civil date."""
    if not EARLIEST <= value < LATEST:
        raise Invalid(f"{_name(field)} is {value.isoformat()}; expected a date from 1950 to 2149.", field)
    return value


def instant(field: str, value: datetime) -> datetime:
    """Return `value` in UTC if it carries a zone and lies in a plausible year."""
    if value.tzinfo is None:
        raise Invalid(f"{_name(field)} {value} has no time zone. Add one, such as Z for UTC.", field)
    day(field, value.date())
    return value.astimezone(UTC)


def whole(field: str, value: int, low: int, high: int) -> int:
    """Return `value` if it lies in low..high."""
    if not low <= value <= high:
        raise Invalid(f"{_name(field)} is {_digits(value)}; expected a whole number from {low} to {high}.", field)
    return value


def number(field: str, value: Decimal, low: int, high: int) -> Decimal:
    """Return `value` if it is a number in low..high."""
    if not value.is_finite() or not low <= value <= high or not _short(value):
        told = f"{_name(field)} is {_digits(value)}; expected a number from {low} to {high}"
        raise Invalid(f"{told}, with at most {PLACES} decimal places.", field)
    return value


def amount(field: str, value: Decimal, *, negative: bool = False) -> Decimal:
    """Return `value` if it is a finite amount of money, not negative unless allowed."""
    if value.is_zero():
        return Decimal(0)
    if not value.is_finite() or abs(value) >= MOST:
        raise Invalid(f"{_name(field)} is {_digits(value)}; expected an amount of money below 10^15.", field)
    if not _short(value):
        told = f"{_name(field)} has more decimal places than any currency"
        raise Invalid(f"{told}; at most {PLACES} are kept. Round it.", field)
    if value < 0 and not negative:
        raise Invalid(f"{_name(field)} is {value}; an amount here cannot be negative.", field)
    return value


def money(field: str, value: Money, kept: str, *, negative: bool = False) -> Money:
    """Return `value` if it is an amount in the currency that is kept."""
    if value.currency != kept:
        told = f"{_name(field)} is in {value.currency[:12]}; this project keeps {kept}"
        raise Invalid(f"{told}. Give it in {kept}.", field)
    return Money(amount(field, value.amount, negative=negative), kept)


def currency(field: str, value: str) -> str:
    """Return an ISO 4217 code in capitals."""
    if not re.fullmatch(r"[A-Z]{3}", value):
        told = f"{_name(field)} is {value[:12]!r}"
        raise Invalid(f"{told}; expected a three-letter ISO 4217 code such as GBP or EUR.", field)
    return value


def zone(field: str, value: str) -> str:
    """Return an IANA time zone name."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise Invalid(f"{value[:40]!r} is no time zone; expected a name such as Europe/London.", field) from None
    return value


def _clean(field: str, value: str) -> str:
    value = re.sub("\r\n?|[\u2028\u2029]", "\n", value).strip()
    for place, character in enumerate(value, 1):
        if character in _REORDERING or (character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cs")):
            told = f"{_name(field)} contains an invisible control character, U+{ord(character):04X}, at place {place}"
            raise Invalid(f"{told}. Type it again without it.", field)
    return value


def _blank(value: str) -> bool:
    """Nothing that can be seen: only spaces and formatting marks."""
    return all(unicodedata.category(character)[0] in "ZC" for character in value)


def _short(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and -PLACES <= exponent <= len(str(MOST))


def _digits(value: int | Decimal) -> str:
    exact = Decimal(value)
    if not exact.is_finite():
        return str(exact)
    return str(value) if abs(exact) < MOST and _short(exact) else f"{exact:.3e}"


def _name(field: str) -> str:
    return field.replace("_", " ").capitalize()
