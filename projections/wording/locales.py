"""Dates, numbers and amounts of money as languages other than English write them, by Babel's data. Pure.

Rule: asked by `projections.wording.words` alone, which writes English itself, as it was always recorded.
"""

import functools
from datetime import date
from decimal import Decimal

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal, get_currency_symbol

from domain.language import spoken

OF_TESTS = {"en-XA": "en_GB", "he-XB": "he"}  # whose ways of writing the languages of tests have


@functools.cache
def _locale(code: str) -> Locale:
    """Return the ways of writing of a language (BCP 47)."""
    return Locale.parse(OF_TESTS.get(code, code.replace("-", "_")))


def locale() -> Locale:
    """Return the ways of writing of the language that is spoken now."""
    return _locale(spoken())


def day(value: date) -> str:
    """Return "5. Okt."."""
    return format_skeleton("MMMd", value, locale=locale())


def long_day(value: date) -> str:
    """Return "5. Oktober 2027"."""
    return format_date(value, "long", locale=locale())


def day_year(value: date) -> str:
    """Return "5. Okt. 2027"."""
    return format_skeleton("yMMMd", value, locale=locale())


def month(value: date) -> str:
    """Return "Okt"."""
    return format_date(value, "LLL", locale=locale())


def month_of(value: date) -> str:
    """Return "Okt. 2027"."""
    return format_skeleton("yMMM", value, locale=locale())


def long_month_of(value: date) -> str:
    """Return "Oktober 2027"."""
    return format_skeleton("yMMMM", value, locale=locale())


def weekday(value: date) -> str:
    """Return "Di."."""
    return format_date(value, "EEE", locale=locale())


def long_weekday(value: date) -> str:
    """Return "Dienstag"."""
    return format_date(value, "EEEE", locale=locale())


def number(value: Decimal, places: int | None = None) -> str:
    """Return a number with groups of digits: "1.250,50"; without `places` as many as it has."""
    if places is None:
        return format_decimal(value, locale=locale(), decimal_quantization=False)
    return format_decimal(value, f"#,##0{'.' if places else ''}{'0' * places}", locale())


def percent(digits: str) -> str:
    """Return digits as a percentage: "94,5 %"."""
    pattern = locale().percent_formats[None].pattern
    return _placed(pattern, digits).replace("%", locale().number_symbols["latn"]["percentSign"])


def symbol(currency: str) -> str:
    """Return the symbol of a currency, or its code where the language has none of its own."""
    return get_currency_symbol(currency, locale=locale())


def amount(digits: str, currency: str) -> str:
    """Return digits with the symbol of a currency, where the language puts it: "6,72 Mio. £"."""
    return _placed(locale().currency_formats["standard"].pattern, digits).replace("¤", symbol(currency))


def placing() -> str:
    """Return where amounts have their currency, as a sentence with `{amount}` and `{symbol}`."""
    return _placed(locale().currency_formats["standard"].pattern, "{amount}").replace("¤", "{symbol}")


def _placed(pattern: str, digits: str) -> str:
    """Return digits in place of those of a pattern of the language, without its form for negative ones."""
    positive = pattern.partition(";")[0]
    inside = [at for at, char in enumerate(positive) if char in "#,0."]
    return positive[: inside[0]] + digits + positive[inside[-1] + 1 :]
