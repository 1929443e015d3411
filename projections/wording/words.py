"""Dates, instants, amounts of money and percentages in the language that is spoken, with 24-hour time. Pure.

Rule: English is British and written here, byte for byte as it was always recorded; `locales` writes the others.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from domain.check import PLACES
from domain.headline import MONTH as LONG
from domain.headline import in_units
from domain.language import ENGLISH, N_, Said, ngettext, spoken
from domain.language import gettext as _
from domain.money import Money, places
from domain.view import DateUnit
from projections.wording import locales

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$"}
MINUS = "−"


def day(value: date) -> str:
    """Return "5 Oct"."""
    if elsewhere():
        return locales.day(value)
    return f"{value.day} {MONTHS[value.month - 1]}"


def long_day(value: date) -> str:
    """Return "5 October 2027"."""
    if elsewhere():
        return locales.long_day(value)
    return f"{value.day} {LONG[value.month - 1]} {value.year}"


def day_year(value: date) -> str:
    """Return "5 Oct 2027"."""
    if elsewhere():
        return locales.day_year(value)
    return f"{day(value)} {value.year}"


def month(value: date) -> str:
    """Return "Oct"."""
    return locales.month(value) if elsewhere() else MONTHS[value.month - 1]


def weekday(value: date) -> str:
    """Return "Tue"."""
    return locales.weekday(value) if elsewhere() else f"{value:%a}"


def long_weekday(value: date) -> str:
    """Return "Tuesday"."""
    return locales.long_weekday(value) if elsewhere() else f"{value:%A}"


def month_year(value: date) -> str:
    """Return "Mar ’27"."""
    return f"{month(value)} ’{value.year % 100:02}"


def quarter_year(value: date) -> str:
    """Return "Q1 ’27"."""
    return _("Q{quarter} ’{year}", quarter=(value.month + 2) // 3, year=f"{value.year % 100:02}")


def day_year_in(value: date, unit: DateUnit) -> str:
    """Return a date as its unit tells it, with the year: "5 Oct 2027", "Oct 2027", "Q4 2027"."""
    match unit:
        case "day":
            return day_year(value)
        case "month":
            return locales.month_of(value) if elsewhere() else f"{month(value)} {value.year}"
        case "quarter":
            return _("Q{quarter} {year}", quarter=(value.month + 2) // 3, year=value.year)


def long_in(value: date, unit: DateUnit) -> str:
    """Return a date as its unit tells it, in full: "5 October 2027", "October 2027", "Q4 2027"."""
    if unit == "month":
        return locales.long_month_of(value) if elsewhere() else f"{LONG[value.month - 1]} {value.year}"
    return long_day(value) if unit == "day" else day_year_in(value, unit)


def machine(value: date, unit: DateUnit) -> str:
    """Return a date as a machine reads it: "2027-10-05", "2027-10"; "" for a quarter, for which HTML has no form."""
    return {"day": value.isoformat(), "month": value.isoformat()[:7], "quarter": ""}[unit]


def local(at: datetime, zone: str) -> datetime:
    """Return an instant in a time zone (IANA name)."""
    return at.astimezone(ZoneInfo(zone))


def iso(at: datetime) -> str:
    """Return an instant in ISO 8601, UTC to the second: "2027-03-16T13:58:00Z"; the year has four digits."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def moment(at: datetime, zone: str) -> str:
    """Return an instant as "16 Mar 13:58" in a time zone (IANA name)."""
    in_zone = local(at, zone)
    return f"{day(in_zone.date())} {in_zone:%H:%M}"


def moment_year(at: datetime, zone: str) -> str:
    """Return an instant as "16 Mar 2027, 13:58" in a time zone (IANA name)."""
    in_zone = local(at, zone)
    return f"{day_year(in_zone.date())}, {in_zone:%H:%M}"


def signed(days: int, unit: str = "") -> str:
    """Return "+11 days", "−3 days" or "0"; with `unit` "d": "+11 d"."""
    if days == 0:
        return "0"
    text = f"{'+' if days > 0 else MINUS}{abs(days)}"
    return f"{text} {unit}" if unit else _many(abs(days), "day", text)


def _many(size: int, unit: DateUnit, text: str) -> str:
    """Return a number, written as `text`, with its unit."""
    match unit:
        case "day":
            return ngettext("{many} day", "{many} days", size, many=text)
        case "month":
            return ngettext("{many} month", "{many} months", size, many=text)
        case "quarter":
            return ngettext("{many} quarter", "{many} quarters", size, many=text)


SHORT: dict[DateUnit, str] = Said({"day": N_("{many} d"), "month": N_("{many} mo"), "quarter": N_("{many} q")})


def signed_in(days: int, unit: DateUnit, *, short: bool = False) -> str:
    """Return a number of days between the ends of two units in those: "+11 days", "−1 month", "0"; short: "+11 d"."""
    many = in_units(days, unit)
    if many == 0:
        return "0"
    text = f"{'+' if many > 0 else MINUS}{abs(many)}"
    return _(SHORT[unit], many=text) if short else _many(abs(many), unit, text)


ON_TIME: dict[DateUnit, str] = Said(
    {
        "day": N_("On the agreed day"),
        "month": N_("In the agreed month"),
        "quarter": N_("In the agreed quarter"),
    }
)


def late(days: int, unit: DateUnit) -> str:
    """Return a number of days between the ends of two units without a sign: "11 days", "1 month"."""
    many = in_units(days, unit)
    return _many(many, unit, str(many))


def days_so_far(days: int) -> str:
    """Return for how long a date has passed, as live/today.js says it: "1 day so far", "12 days so far"."""
    return ngettext("{days} day so far", "{days} days so far", days, days=days)


UNITS = (
    (Decimal(10) ** 3, N_("{amount}k"), 0),
    (Decimal(10) ** 6, N_("{amount}m"), 2),
    (Decimal(10) ** 9, N_("{amount}bn"), 2),
    (Decimal(10) ** 12, N_("{amount}tn"), 2),
)  # of amounts in short: factor, how it is said, decimal places


def money(value: Money) -> str:
    """Return an amount in short: "£0.50", "£950", "£412k", "£6.72m", "£1.50bn", "IDR 125.00tn".

    Rounded first, so that £999,600 is "£1.00m" and £9,999.60 is "£10k". An amount is never shown as nothing: below 100
    it has its decimal places, and all of its digits where it is smaller than those.
    """
    size = abs(value.amount)
    least = Decimal(1).scaleb(-places(value.currency))
    if size < 100 and size != size.to_integral_value():
        short = size.quantize(least)
        return _of(value, _digits(short)) if short else exact(value)
    if (whole := size.quantize(Decimal(1))) < 10_000:
        return _of(value, _digits(whole))
    text = ""
    for factor, unit, kept in UNITS:
        many = (size / factor).quantize(Decimal(1).scaleb(-kept))
        text = _(unit, amount=_digits(many))
        if many < 1000:
            break
    return _of(value, text)


def round_money(value: Money) -> str:
    """Return a round amount as the label of an axis, as short as it can be: "£0.5", "£250k", "£1.5m", "50tn".

    Without the code of a currency that has no symbol: beside an axis the caption names it.
    """
    if not value.amount:
        return "0"
    size, sign = abs(value.amount), MINUS if value.amount < 0 else ""
    factor, unit = next(((f, u) for f, u, _kept in reversed(UNITS) if size >= f), (Decimal(1), ""))
    digits = _digits((size / factor).normalize())
    text = _(unit, amount=digits) if unit else digits
    if elsewhere():
        return f"{sign}{locales.amount(text, value.currency) if value.currency in SYMBOLS else text}"
    return f"{sign}{SYMBOLS.get(value.currency, '')}{text}"


def exact(value: Money) -> str:
    """Return an amount to its last digit: "£6,721,300", "£412.50", "JPY 1,500", "KWD 1.234", "£0.0625".

    It has the decimal places of its currency, none where it is whole, and more where it was typed with more. What has
    more than can be typed was computed, and is rounded to those of its currency.
    """
    size = abs(value.amount)
    if size == size.to_integral_value():
        return _of(value, _digits(size, 0))
    exponent = size.normalize().as_tuple().exponent
    assert isinstance(exponent, int)  # an amount is finite
    kept = -exponent if -exponent <= PLACES else 0
    return _of(value, _digits(size, max(places(value.currency), kept)))


def _of(value: Money, digits: str) -> str:
    """Return the digits with the sign of an amount and the symbol of its currency, or its code."""
    sign = MINUS if value.amount < 0 else ""
    if elsewhere():
        return sign + locales.amount(digits, value.currency)
    return f"{sign}{SYMBOLS.get(value.currency, f'{value.currency} ')}{digits}"


def _digits(value: Decimal, kept: int | None = None) -> str:
    """Return the digits of a number in groups; `kept`: with so many decimal places, else with those it has."""
    if elsewhere():
        return locales.number(value, kept) if kept is not None else locales.number(value, _places_of(value))
    return f"{value:,.{kept}f}" if kept is not None else f"{value:,f}"


def _places_of(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def rounded_to(step: int, currency: str) -> str:
    """Return how amounts are rounded: "rounded to £10,000", "" where they are exact."""
    return _("rounded to {step}", step=exact(Money(Decimal(step), currency))) if step else ""


def elsewhere() -> bool:
    """Tell whether another language than English is spoken."""
    return spoken() != ENGLISH


def whose(name: str) -> str:
    """Return the possessive of a name: "Acme Rail’s", "Northgate Developments’"."""
    return f"{name}’" if name.endswith("s") else f"{name}’s"


def index(value: Decimal) -> str:
    """Return an index with the decimal places it has: "0.94"."""
    return locales.number(value, _places_of(value)) if elsewhere() else str(value)


TENTH = Decimal("0.1")  # of a percent


def percent(share: Decimal) -> str:
    """Return a share of four digits (1 = all) as "94 %", or as "94.5 %" where it is no whole number of percent.

    With both digits, "94.55 %", where leaving one out could round the exact share twice, or say all or nothing of what
    is neither.
    """
    value = share * 100
    if value == value.to_integral_value():
        return _percent(value, 0)
    shown = value.quantize(TENTH)
    tie = abs(value - shown) * 2 == TENTH
    return _percent(value, 2) if tie or shown in (0, 100) else _percent(shown, 1)


def percents(old: Decimal, new: Decimal) -> tuple[str, str]:
    """Return two shares that differ as texts that differ."""
    one = percent(old), percent(new)
    return one if one[0] != one[1] else (_percent(old * 100, 2), _percent(new * 100, 2))


def _percent(value: Decimal, kept: int) -> str:
    """Return percent with so many decimal places."""
    digits = _digits(value, kept)
    return locales.percent(digits) if elsewhere() else f"{digits} %"


# Control characters except line breaks and tabs, and the characters that change the reading direction.
UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Return text without the characters of `UNSHOWABLE`, which could disturb or disguise what stands around it."""
    return UNSHOWABLE.sub("", text) if UNSHOWABLE.search(text) else text
