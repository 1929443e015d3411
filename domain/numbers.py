"""Numbers as people type and tables hold them: one reading of amounts and percentages, for forms and for CSV.

Rule: a decimal comma and a decimal point are both understood, and so are thousands that are parted by a space of any
width, an apostrophe, a comma or a point. A number that can be read in two ways is refused with both readings, because
1.250 is 1250 in Germany and 1.25 in Britain: nothing is guessed from the language, the currency or other fields.
JSON commands do not come by here; they take the decimal point alone.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from domain.language import gettext as _

LONGEST = 60  # characters that are looked at
SPACES = " \t\u00a0\u2007\u2009\u202f"  # space, tab, no-break, figure, thin and narrow no-break space
APOSTROPHES = "'\u2019"
MINUS = ("-", "\u2212", "\u2013")
_GROUPS = ("", f"[{SPACES}]", f"[{APOSTROPHES}]", ",", r"\.")  # what parts the thousands
_FRACTION = (r"\.", ",")  # what comes before the decimal places
_INDIA = re.compile(r"[1-9]\d?(?:,\d\d)+,\d{3}(?:\.\d+)?", re.ASCII)  # 12,50,000: lakhs and crores


class Ambiguous(ValueError):
    """A number that can be read in two ways."""


class NoNumber(ValueError):
    """Text that is no number, in whichever way it is read."""


def number(text: str, most: Decimal | None = None, *, whole: bool = False) -> Decimal:
    """Return the number that a text stands for; with `whole` one without a fraction, never above `most` in size.

    Raises: NoNumber; Ambiguous with a sentence that says both readings and how to type each.
    """
    found = {
        value
        for value in _readings(text)
        if (most is None or abs(value) <= most) and (not whole or value == value.to_integral_value())
    }
    if len(found) == 1:
        return found.pop()
    if not found:
        raise NoNumber(text)
    small, large = sorted(found, key=abs)
    raise Ambiguous(
        _(
            "“{text}” can mean {large} or {small}. Type {large} or {grouped} for the first, {small} for the second.",
            text=text.strip()[:40],
            large=plain(large),
            grouped=grouped(large),
            small=plain(small),
        )
    )


def percentage(text: str) -> Decimal:
    """Return the percent from 0 to 100 that a cell of a table stands for, with or without a percent sign.

    Raises: NoNumber; Ambiguous also for a fraction without a sign, since 0.5 is how spreadsheets write 50 %.
    """
    bare = text.strip()
    signed = bare.endswith("%")
    value = number(bare.removesuffix("%"), Decimal(100))
    if value < 0:
        raise NoNumber(text)
    if not signed and 0 < value <= 1 and re.search("[.,]", bare):
        raise Ambiguous(
            _(
                "“{text}” can mean {small} % or {large} %. Write one of them, with the percent sign.",
                text=bare[:40],
                small=plain(value),
                large=plain(value * 100),
            )
        )
    return value


def plain(value: Decimal) -> str:
    """Return a number as it can be typed without thousands, to be read in one way: "1250", "1.25", "1.2340"."""
    text = f"{value.normalize():f}" if value else "0"
    return text if len(set(_readings(text))) == 1 else f"{text}0"


def grouped(value: Decimal) -> str:
    """Return a number as a form shows it, to be read in one way: "1,250.00", "1,250,000", "0.95", "1.2340"."""
    text = f"{value.normalize():,f}" if value else "0"
    if len(set(_readings(text))) == 1:
        return text
    return f"{text}0" if "." in text else f"{text}.00"


def _readings(text: str) -> Iterator[Decimal]:
    """Yield every number that a text can stand for; one may come more than once."""
    text = text.strip()
    sign, digits = ("-", text[1:].strip()) if text.startswith(MINUS) else ("", text.removeprefix("+"))
    if len(text) > LONGEST:
        return
    for group in _GROUPS:
        for point in _FRACTION:
            if group != point and (found := _pattern(group, point).fullmatch(digits)):
                whole, places = re.sub("[^0-9]", "", found["whole"] or "0"), found["fraction"]
                yield Decimal(f"{sign}{whole}.{places}" if places else f"{sign}{whole}")
    if _INDIA.fullmatch(digits):
        yield Decimal(sign + digits.replace(",", ""))


def _pattern(group: str, point: str) -> re.Pattern[str]:
    """Return what a number looks like whose thousands and decimal places are parted so; groups have three digits."""
    whole = rf"[1-9]\d{{0,2}}(?:{group}\d{{3}})+" if group else r"\d+"
    return re.compile(rf"(?P<whole>{whole})?(?:{point}(?P<fraction>\d+))?(?<=\d)", re.ASCII)
