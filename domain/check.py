"""Checks on the values that people enter; each refusal names the field and says what would be right.

Each public function returns the value as it is to be kept. Raises: Invalid.
"""

import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from domain.errors import Invalid
from domain.language import gettext as _
from domain.language import offered
from domain.money import Money

_NAMES = frozenset("\ue000\ue001")  # mark the placeholder of a name in what is recorded
EARLIEST, LATEST = date(1950, 1, 1), date(2150, 1, 1)
LINE, TEXT = 200, 4000
MOST, PLACES = Decimal(10) ** 15, 8  # an amount is below MOST and has at most PLACES decimal places

# Marks that reorder the text around them, so that the text read differs from the text stored (Unicode TR36).
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def identifier(field: str, value: str) -> str:
    """Return `value` if it can be an id, which becomes part of stream names, addresses and page anchors."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", value):
        problem = _("{field} {value!r} cannot be an id", field=_name(field), value=value[:40])
        raise Invalid(
            _("{told}; expected 1 to 64 letters, digits, hyphens or underscores. Choose another.", told=problem), field
        )
    return value


def own_id(field: str, value: str) -> str:
    """Return `value` if it can be the id of a command: as every id, but of up to 200 characters."""
    if not re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{LINE - 1}}}", value):
        told = _(
            "A command needs an id of its own, 1 to {line} letters, digits, hyphens or underscores; {value!r} is none.",
            line=LINE,
            value=value[:40],
        )
        raise Invalid(told, field)
    return value


def line(field: str, value: str, *, required: bool = True) -> str:
    """Return `value` as one trimmed line of at most 200 characters."""
    value = _clean(field, value)
    if "\n" in value:
        raise Invalid(_("{field} has to be on one line.", field=_name(field)), field)
    if required and blank(value):
        raise Invalid(_("{field} is missing. Type it and send again.", field=_name(field)), field)
    if len(value) > LINE:
        raise Invalid(
            _(
                "{field} has {value} characters; at most {line} are kept. Shorten it.",
                field=_name(field),
                value=len(value),
                line=LINE,
            ),
            field,
        )
    return value


def address(field: str, value: str) -> str:
    """Return `value` if it can be an email address."""
    value = line(field, value)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise Invalid(_("{email!r} is no email address. Expected name@domain.", email=value), field)
    return value


def text(field: str, value: str, *, required: bool = False) -> str:
    """Return `value` as trimmed text of at most 4,000 characters."""
    value = _clean(field, value)
    if required and blank(value):
        raise Invalid(_("{field} is missing. A sentence is enough.", field=_name(field)), field)
    if len(value) > TEXT:
        raise Invalid(
            _(
                "{field} has {value} characters; at most {text} are kept. Shorten it.",
                field=_name(field),
                value=len(value),
                text=TEXT,
            ),
            field,
        )
    return value


def day(field: str, value: date) -> date:
    """Return `value` if it is a plausible civil date."""
    if not EARLIEST <= value < LATEST:
        raise Invalid(
            _("{field} is {value}; expected a date from 1950 to 2149.", field=_name(field), value=value.isoformat()),
            field,
        )
    return value


def instant(field: str, value: datetime) -> datetime:
    """Return `value` in UTC if it carries a zone and lies in a plausible year."""
    if value.tzinfo is None:
        raise Invalid(
            _("{field} {value} has no time zone. Add one, such as Z for UTC.", field=_name(field), value=value), field
        )
    day(field, value.date())
    return value.astimezone(UTC)


def not_after(field: str, value: datetime, now: datetime) -> datetime:
    """Return `value` in UTC if it is an instant that has come by `now` (UTC)."""
    if instant(field, value) > now:
        raise Invalid(
            _(
                "{field} {value} lies after the time of the command, {now}. Nothing can hold since later than now.",
                field=_name(field),
                value=value.isoformat(),
                now=now.isoformat(timespec="seconds"),
            ),
            field,
        )
    return value.astimezone(UTC)


def whole(field: str, value: int, low: int, high: int) -> int:
    """Return `value` if it is at least `low` and at most `high`."""
    if not low <= value <= high:
        raise Invalid(
            _(
                "{field} is {value}; expected a whole number from {low} to {high}.",
                field=_name(field),
                value=_digits(value),
                low=low,
                high=high,
            ),
            field,
        )
    return value


def number(field: str, value: Decimal, low: int, high: int) -> Decimal:
    """Return `value` if it is a finite number from `low` to `high` with at most 8 decimal places."""
    if not value.is_finite() or not low <= value <= high or not _short(value):
        problem = _(
            "{field} is {value}; expected a number from {low} to {high}",
            field=_name(field),
            value=_digits(value),
            low=low,
            high=high,
        )
        raise Invalid(_("{told}, with at most {places} decimal places.", told=problem, places=PLACES), field)
    return value


def amount(field: str, value: Decimal, *, negative: bool = False) -> Decimal:
    """Return `value` if it is a finite amount of money, not negative unless allowed."""
    if value.is_zero():
        return Decimal(0)
    if not value.is_finite() or value.copy_abs() >= MOST:  # `abs` rounds, and fails where that has no room
        raise Invalid(
            _("{field} is {value}; expected an amount of money below 10^15.", field=_name(field), value=_digits(value)),
            field,
        )
    if not _short(value):
        problem = _("{field} has more decimal places than any currency", field=_name(field))
        raise Invalid(_("{told}; at most {places} are kept. Round it.", told=problem, places=PLACES), field)
    if value < 0 and not negative:
        raise Invalid(
            _("{field} is {value}; an amount here cannot be negative.", field=_name(field), value=value), field
        )
    return value


def money(field: str, value: Money, kept: str, *, negative: bool = False) -> Money:
    """Return `value` if it is an amount in the currency `kept`, which the project uses."""
    if value.currency != kept:
        problem = _(
            "{field} is in {currency}; this project keeps {kept}",
            field=_name(field),
            currency=value.currency[:12],
            kept=kept,
        )
        raise Invalid(_("{told}. Give it in {kept}.", told=problem, kept=kept), field)
    return Money(amount(field, value.amount, negative=negative), kept)


def currency(field: str, value: str) -> str:
    """Return `value` if it has the form of an ISO 4217 code: three capitals."""
    if not re.fullmatch(r"[A-Z]{3}", value):
        problem = _("{field} is {value!r}", field=_name(field), value=value[:12])
        raise Invalid(_("{told}; expected a three-letter ISO 4217 code such as GBP or EUR.", told=problem), field)
    return value


def zone(field: str, value: str) -> str:
    """Return `value` if it is the name of an IANA time zone."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise Invalid(
            _("{value!r} is no time zone; expected a name such as Europe/London.", value=value[:40]), field
        ) from None
    return value


def language(field: str, value: str) -> str:
    """Return `value` if it is the code (BCP 47) of a language that may be chosen."""
    if value not in offered():
        codes = ", ".join(offered())
        raise Invalid(
            _("{value!r} is no language here; expected one of {codes}.", value=value[:20], codes=codes), field
        )
    return value


def _clean(field: str, value: str) -> str:
    value = re.sub("\r\n?|[\u2028\u2029]", "\n", value).strip()
    for place, character in enumerate(value, 1):
        if _refused(character):
            problem = _(
                "{field} contains an invisible control character, U+{ord:04X}, at place {place}",
                field=_name(field),
                ord=ord(character),
                place=place,
            )
            raise Invalid(_("{told}. Type it again without it.", told=problem), field)
    return value


def without_refused(value: str) -> str:
    """Return a text without the characters that `line` and `text` refuse, for what no person typed."""
    return "".join(character for character in value if not _refused(character))


def _refused(character: str) -> bool:
    """Tell whether a character is one that nobody sees and that could mislead, or that marks a place in the record."""
    return (
        character in _NAMES
        or character in _REORDERING
        or (character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cs"))
    )


def blank(value: str) -> bool:
    """Tell whether nothing of a text can be seen: it has only spaces and formatting marks."""
    return all(unicodedata.category(character)[0] in "ZC" for character in value)


def _short(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and -PLACES <= exponent <= len(str(MOST))


def _digits(value: int | Decimal) -> str:
    exact = Decimal(value)
    if not exact.is_finite():
        return str(exact)
    return str(value) if exact.copy_abs() < MOST and _short(exact) else f"{exact:.3e}"


def _name(field: str) -> str:
    return field.replace("_", " ").capitalize()
