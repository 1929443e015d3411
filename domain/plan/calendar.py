"""Working calendars, and days between dates. Dates are civil dates, without time zone or time of day."""

from datetime import date, timedelta

import msgspec

from domain import check
from domain.errors import Invalid
from domain.language import gettext as _


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """The project's working calendar."""

    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)  # Monday is 0
    holidays: tuple[date, ...] = ()  # public holidays and other days without work, ascending
    region: str = ""  # whose holidays they are: "GB" or "DE-BY", "" when typed by hand


def working_days(calendar: Calendar, start: date, end: date) -> int:
    """Return the working days from `start` (exclusive) to `end` (inclusive); negative when `end` comes first."""
    if end < start:
        return -working_days(calendar, end, start)
    weeks, rest = divmod((end - start).days, 7)
    tail = (start + timedelta(days=weeks * 7 + i) for i in range(1, rest + 1))
    days = weeks * len(calendar.weekdays) + sum(day.weekday() in calendar.weekdays for day in tail)
    return days - sum(start < day <= end and day.weekday() in calendar.weekdays for day in calendar.holidays)


def calendar_days(start: date, end: date) -> int:
    """Return the calendar days from `start` to `end`; negative when `end` comes first."""
    return (end - start).days


def working(calendar: Calendar) -> Calendar:
    """Return the calendar as it is to be kept: days in order, none twice.

    Raises: Invalid.
    """
    if not calendar.weekdays or not set(calendar.weekdays) <= set(range(7)):
        raise Invalid(_("A working week needs at least one day, Monday 0 to Sunday 6."), "weekdays")
    return msgspec.structs.replace(
        calendar,
        region=check.line("region", calendar.region, required=False),
        weekdays=tuple(sorted(set(calendar.weekdays))),
        holidays=tuple(sorted({check.day("holidays", d) for d in calendar.holidays})),
    )
