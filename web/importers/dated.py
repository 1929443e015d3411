"""The status date of a plan file: as the file says it, else as its name does; never that of the disk."""

import re
from datetime import date

from web.importers.plan import EARLIEST, LATEST, Plan

_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})[-_. ]?(\d{2})[-_. ]?(\d{2})(?!\d)")
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})([-_. ])(\d{1,2})\2(\d{4})(?!\d)")


def status_date(name: str, plan: Plan) -> date | None:
    """Return the day a plan is of, None where neither it nor its name says one that can be meant in one way only."""
    return plan.data_date or day_in(name)


def day_in(name: str) -> date | None:
    """Return the day in a name such as plan-2026-03-31.xml or Stand 31.03.2026.csv, None where there is not one."""
    found = {day for match in _YEAR_FIRST.finditer(name) if (day := _day(match[1], match[2], match[3]))}
    for match in _DAY_FIRST.finditer(name):
        dotted = match[2] == "."  # nobody writes month.day.year
        either = {_day(match[4], match[3], match[1])} | (set() if dotted else {_day(match[4], match[1], match[3])})
        days = either - {None}
        if len(days) > 1:
            return None
        found |= {day for day in days if day}
    return found.pop() if len(found) == 1 else None


def _day(year: str, month: str, day: str) -> date | None:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return found if EARLIEST <= found < LATEST else None
