"""A date as people type it or a spreadsheet holds it: ISO, as the pages show it, or in digits that mean one day only.

Rule: what can be read as two days is refused with both; nothing is guessed from the language or from other dates.
"""

from datetime import date

from domain.headline import MONTH
from domain.language import gettext as _
from web.importers.table.days import COMMON, DayFormat

LONGEST = 40  # characters that are looked at
_ALSO = ("YYYY-MM-DD", "YY/MM/DD", "DD-MM-YY", "MM-DD-YY", "YY-MM-DD", "YY.MM.DD")
_FORMATS = tuple(DayFormat(written) for written in (*COMMON, *_ALSO))


def typed_day(text: str) -> date:
    """Return the day that a text means.

    Raises: ValueError with a sentence for whoever typed it.
    """
    plain = " ".join(text.split())[:LONGEST]
    found = sorted({day for one in _FORMATS if (day := one.day(plain)) is not None})
    if len(found) == 1:
        return found[0]
    if not found:
        raise ValueError(_("“{text}” is no date. Expected one such as 2027-05-03 or 3 May 2027.", text=plain))
    raise ValueError(
        _(
            "“{text}” can mean {said}. Type {typed}.",
            text=plain,
            said=_either([_long(day) for day in found], between=""),
            typed=_either([day.isoformat() for day in found], between=", "),
        )
    )


def _either(texts: list[str], *, between: str) -> str:
    """Return "A or B", "A, B or C", or without a text between them "A or B or C"."""
    text = texts[0]
    for one in texts[1:-1]:
        text = f"{text}{between}{one}" if between else _("{first} or {last}", first=text, last=one)
    return _("{first} or {last}", first=text, last=texts[-1])


def _long(day: date) -> str:
    return f"{day.day} {MONTH[day.month - 1]} {day.year}"
