"""Dates as people write them in tables: read by a stated format, because 03/04/2027 is two different days."""

import re
from datetime import date

from domain.language import gettext as _
from web.importers.plan import EARLIEST, LATEST

COMMON = (
    *("DD/MM/YYYY", "MM/DD/YYYY", "DD.MM.YYYY", "DD-MM-YYYY", "MM-DD-YYYY", "YYYY/MM/DD", "YYYY.MM.DD"),
    *("DD MMM YYYY", "DD-MMM-YYYY", "MMM DD, YYYY", "DD/MM/YY", "MM/DD/YY", "DD.MM.YY", "DD MMM YY", "DD-MMM-YY"),
)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? +)?"
_TIME = r"(?:[T ] *\d{1,2}:\d{2}.*)?"
_PARTS = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<year>\d{2})",
    "MMM": r"(?P<month>[a-z]{3})[a-z]*",
    "MM": r"(?P<month>\d{%s})",
    "DD": r"(?P<day>\d{%s})",
}
_TOKEN = re.compile("YYYY|YY|MMM|MM|DD")


class DayFormat:
    """A format such as DD/MM/YYYY; a weekday before the day and a time after it are skipped.

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
            body += _PARTS[token].replace("{%s}", digits) + re.escape(after)
        self.written = written
        self._pattern = re.compile(f"{_WEEKDAY}{body}{_TIME}", re.ASCII | re.IGNORECASE)

    def day(self, text: str) -> date | None:
        """Return the day, None where the text is none of this format between 1950 and 2149."""
        if not (found := self._pattern.fullmatch(text)):
            return None
        year, month = int(found["year"]), found["month"].lower()
        try:
            number = int(month) if month.isdecimal() else MONTHS.index(month) + 1
            day = date(year + 2000 if len(found["year"]) == 2 else year, number, int(found["day"]))
        except ValueError:
            return None
        return day if EARLIEST <= day < LATEST else None


ISO = DayFormat("YYYY-MM-DD")


def fitting(texts: list[str]) -> list[str]:
    """Return the common formats that fit every one of these dates."""
    formats = [DayFormat(written) for written in COMMON]
    return [fmt.written for fmt in formats if all(fmt.day(text) for text in texts)]
