"""Checks on values that come from people; each refusal names the field and says what would be right."""

import re
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from domain.errors import Invalid

EARLIEST, LATEST = date(1950, 1, 1), date(2150, 1, 1)
LINE, TEXT = 200, 4000


def line(field: str, value: str, *, required: bool = True) -> str:
    """Return `value` as one trimmed line of at most 200 characters."""
    value = _clean(field, value)
    if "\n" in value:
        raise Invalid(f"{_name(field)} has to be on one line.", field)
    if required and not value:
        raise Invalid(f"{_name(field)} is missing. Type it and send again.", field)
    if len(value) > LINE:
        raise Invalid(f"{_name(field)} has {len(value)} characters; at most {LINE} are kept. Shorten it.", field)
    return value


def text(field: str, value: str, *, required: bool = False) -> str:
    """Return `value` as trimmed text of at most 4,000 characters."""
    value = _clean(field, value)
    if required and not value:
        raise Invalid(f"{_name(field)} is missing. A sentence is enough.", field)
    if len(value) > TEXT:
        raise Invalid(f"{_name(field)} has {len(value)} characters; at most {TEXT} are kept. Shorten it.", field)
    return value


def day(field: str, value: date) -> date:
    """Return `value` if it is a plausible civil date."""
    if not EARLIEST <= value < LATEST:
        raise Invalid(f"{_name(field)} is {value.isoformat()}; expected a date from 1950 to 2149.", field)
    return value


def whole(field: str, value: int, low: int, high: int) -> int:
    """Return `value` if it lies in low..high."""
    if not low <= value <= high:
        raise Invalid(f"{_name(field)} is {value}; expected a whole number from {low} to {high}.", field)
    return value


def amount(field: str, value: Decimal, *, negative: bool = False) -> Decimal:
    """Return `value` if it is a finite amount of money, not negative unless allowed."""
    if not value.is_finite() or abs(value) >= Decimal(10) ** 15:
        raise Invalid(f"{_name(field)} is {value}; expected an amount of money.", field)
    if value < 0 and not negative:
        raise Invalid(f"{_name(field)} is {value}; an amount here cannot be negative.", field)
    return value


def currency(field: str, value: str) -> str:
    """Return an ISO 4217 code in capitals."""
    if not re.fullmatch(r"[A-Z]{3}", value):
        raise Invalid(f"{_name(field)} is {value!r}; expected a three-letter ISO 4217 code such as GBP or EUR.", field)
    return value


def zone(field: str, value: str) -> str:
    """Return an IANA time zone name."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise Invalid(f"{value!r} is no time zone; expected a name such as Europe/London.", field) from None
    return value


def _clean(field: str, value: str) -> str:
    for character in value:
        if ord(character) < 32 and character not in "\n\t\r":
            raise Invalid(f"{_name(field)} contains a control character. Type it again without it.", field)
    return value.replace("\r\n", "\n").strip()


def _name(field: str) -> str:
    return field.replace("_", " ").capitalize()
