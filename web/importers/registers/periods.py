"""Dates and periods of figures: a day, or a month, quarter or year that stands for its last day."""

import calendar
import re
from collections.abc import Sequence
from datetime import date

from web.importers.table.days import ISO, LIKE_A_DAY, DayFormat, fitting

_MONTH = re.compile(r"(?P<month>[^\W\d_]{3,12})\.?[\s\-/.’']*(?P<year>\d{4}|\d{2})")
_NUMBERED = re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})|(?P<month2>\d{1,2})[-/.](?P<year2>\d{4})")
_QUARTER = re.compile(
    r"(?:[qt]|trimestre|quarter|quartal)\s?(?P<q>[1-4])[\s\-/.]*(?P<y>\d{4})|(?P<y2>\d{4})[\s\-/.]*[qt]\s?(?P<q2>[1-4])"
    r"|(?P<q3>[1-4])\.?\s?(?:quartal|trimestre)\s?(?P<y3>\d{4})",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20|21)\d{2}")
_WRITTEN = DayFormat("DD MMM YYYY")


def _last(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def period_end(text: str) -> date | None:
    """Return the last day of a month, quarter or year, None where a text names none."""
    text = text.strip()
    try:
        if found := _QUARTER.fullmatch(text):
            quarter = int(found["q"] or found["q2"] or found["q3"])
            return _last(int(found["y"] or found["y2"] or found["y3"]), 3 * quarter)
        if found := _NUMBERED.fullmatch(text):
            return _last(int(found["year"] or found["year2"]), int(found["month"] or found["month2"]))
        if (found := _MONTH.fullmatch(text)) and (
            day := _WRITTEN.day(
                f"1 {found['month']} {found['year'] if len(found['year']) == 4 else '20' + found['year']}"
            )
        ):
            return _last(day.year, day.month)
        if _YEAR.fullmatch(text):
            return date(int(text), 12, 31)
    except (ValueError, calendar.IllegalMonthError):
        return None
    return None


def is_period(text: str) -> bool:
    """Tell whether a text is a day or a period."""
    return Days("").like(text) or period_end(text) is not None


class Days:
    """Reads days by a format, "" for none; YYYY-MM-DD is always understood."""

    def __init__(self, written: str) -> None:
        """Raises: ValueError with what a format has to look like."""
        self._format = DayFormat(written) if written else None

    def day(self, text: str) -> date | None:
        """Return the day of a text, None where it is none that can be told."""
        return ISO.day(text) or (self._format.day(text) if self._format else None)

    def like(self, text: str) -> bool:
        """Tell whether a text is written like a day, whichever it is."""
        return ISO.looks(text) or bool(LIKE_A_DAY.fullmatch(text))


def _days_of(texts: Sequence[str], written: str) -> list[date]:
    days = Days(written)
    return [day for text in texts if period_end(text) is None and (day := days.day(text))]


def format_of(texts: Sequence[str]) -> str:
    """Return the one format that fits all texts that are written like days, "" where there is not one."""
    like = [text for text in texts if period_end(text) is None and LIKE_A_DAY.fullmatch(text) and not ISO.looks(text)]
    fit = fitting(sorted(set(like)))
    return fit[0] if len(fit) == 1 else ""


def first_days(texts: Sequence[str], written: str | None = None) -> bool:
    """Tell whether at least two days, and all there are, begin a month, so that each may stand for the whole of it."""
    days = set(_days_of(texts, format_of(texts) if written is None else written))
    return len(days) > 1 and all(day.day == 1 for day in days)
