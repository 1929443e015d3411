"""Dates as people write them in tables: read by a stated format, because 03/04/2027 is two different days."""

import re
import unicodedata
from datetime import date

from domain.language import gettext as _
from web.importers.plan import EARLIEST, LATEST

COMMON = (
    *("DD/MM/YYYY", "MM/DD/YYYY", "DD.MM.YYYY", "DD-MM-YYYY", "MM-DD-YYYY", "YYYY/MM/DD", "YYYY.MM.DD"),
    *("DD MMM YYYY", "DD-MMM-YYYY", "MMM DD, YYYY", "DD/MM/YY", "MM/DD/YY", "DD.MM.YY", "DD MMM YY", "DD-MMM-YY"),
    *("DD/MMM/YYYY", "DD/MMM/YY", "DD. MMM YYYY", "DD. MMM YY", "MMM DD YYYY", "YY/MM/DD", "YY.MM.DD"),
)
# Of January to December the first letters without accents: English, German, French, Spanish, Italian, Dutch,
# Portuguese, Polish and Swedish.
_MONTHS = (
    ("jan", "ene", "gen", "sty"),
    ("feb", "fev", "lut"),
    ("mar", "mrz", "mae", "mrt"),
    ("apr", "avr", "abr", "kwi"),
    ("may", "mai", "mag", "mei", "maj"),
    ("jun", "juin", "giu", "cze"),
    ("jul", "juil", "lug", "lip"),
    ("aug", "aou", "ago", "sie"),
    ("sep", "set", "wrz"),
    ("oct", "okt", "ott", "out", "paz"),
    ("nov", "lis"),
    ("dec", "dez", "dic", "gru"),
)
_WEEKDAY = r"(?:(?P<weekday>[^\W\d_]{2,10})\.?,? +)?"
# By their first two letters in English, German, French and Spanish; Monday is 0.
_WEEKDAYS: dict[str, tuple[int, ...]] = {
    "mo": (0,), "lu": (0,), "tu": (1,), "di": (1, 6), "ma": (1,), "we": (2,), "mi": (2,), "me": (2,), "th": (3,),
    "do": (3, 6), "je": (3,), "ju": (3,), "fr": (4,), "ve": (4,), "vi": (4,), "sa": (5,), "su": (6,), "so": (6,),
}  # fmt: skip
_TIME = r"(?:,?[T ] *\d{1,2}[:.]\d{2}.*)?"
_PARTS = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "YY": r"(?P<year>[0-9]{2})",
    "MMM": r"(?P<month>[^\W\d_]{3,12}\.?)",
    "MM": r"(?P<month>[0-9]%s)",
    "DD": r"(?P<day>[0-9]%s)",
}
_TOKEN = re.compile("YYYY|YY|MMM|MM|DD")
_MARKED = re.compile(r"(?P<day>.*\d.*?)\s*(?P<mark>\*|(?<=\s)A\*?)")
LIKE_A_DAY = re.compile(
    r"\D{0,12}\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}(?:\D.*)?|\D{0,12}\d{1,2}\W+[^\W\d_]{3,12}\W+\d{2,4}(?:\D.*)?"
)


class DayFormat:
    """A format such as DD/MM/YYYY; a time after the day is skipped, and a weekday before it has to be the right one.

    Raises: ValueError with what a format has to look like.
    """

    def __init__(self, written: str) -> None:
        tokens = _TOKEN.findall(written)
        between = _TOKEN.split(written)
        if sorted(token[0] for token in tokens) != ["D", "M", "Y"] or any(
            c.isalnum() for part in between for c in part
        ):
            message = _(
                "{written!r} is no date format; expected day, month and year such as DD/MM/YYYY.", written=written
            )
            raise ValueError(message)
        digits = "{1,2}" if all(between[1:-1]) else "{2}"
        body = re.escape(between[0])
        for token, after in zip(tokens, between[1:], strict=True):
            part = _PARTS[token]
            body += (part % digits if "%s" in part else part) + re.escape(after)
        self.written = written
        self._pattern = re.compile(f"{_WEEKDAY}{body}{_TIME}", re.IGNORECASE)

    def day(self, text: str) -> date | None:
        """Return the day, None where the text is none of this format between 1950 and 2149."""
        if len(text) > 100 or not (found := self._pattern.fullmatch(text)):
            return None
        year, month = int(found["year"]), found["month"]
        number = int(month) if month.isdecimal() else _month(month)
        try:
            day = date(year + 2000 if len(found["year"]) == 2 else year, number, int(found["day"]))
        except ValueError:
            return None
        weekdays = _WEEKDAYS.get((found["weekday"] or "")[:2].casefold())
        if weekdays and day.weekday() not in weekdays:
            return None
        return day if EARLIEST <= day < LATEST else None

    def looks(self, text: str) -> bool:
        """Tell whether a text is written in this format, even where there is no such day."""
        return len(text) <= 100 and self._pattern.fullmatch(text) is not None


ISO = DayFormat("YYYY-MM-DD")


def _month(name: str) -> int:
    """Return the number of a month named in one of the languages of `_MONTHS`, 0 where it is none."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if c.isalpha() and c.isascii())
    for number, beginnings in enumerate(_MONTHS, 1):
        if any(plain.startswith(beginning) for beginning in beginnings):
            return number
    return 0


def unmarked(text: str) -> tuple[str, bool]:
    """Return a date without the marks Primavera P6 puts behind it, and whether they say that it is an actual one."""
    found = _MARKED.fullmatch(text)
    return (found["day"], found["mark"].startswith("A")) if found else (text, False)


def fitting(texts: list[str]) -> list[str]:
    """Return the common formats that fit every one of these dates.

    Where none fits them all, one is returned that fits four of five of them, and twice as many as any other.
    """
    if not texts:
        return []
    fits = sorted(((sum(fmt.day(text) is not None for text in texts), fmt.written) for fmt in _COMMON), reverse=True)
    if every := [written for written in COMMON if (len(texts), written) in fits]:
        return every
    (most, best), (next_most, _next) = fits[:2]
    return [best] if most * 5 >= len(texts) * 4 and most >= 2 * next_most else []


_COMMON = tuple(DayFormat(written) for written in COMMON)
