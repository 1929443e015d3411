"""Civil days as instants, and back: when a day begins in a time zone, and which day was the last before an end. Pure.

Rule: an interval is added or taken away in UTC and only then turned to local time. Local times may not exist or come
twice: in Santiago, Beirut, Cairo, Asuncion and Havana clocks change at midnight.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)


def start_of(day: date, zone: str) -> datetime:
    """Return the instant (UTC) at which a civil day begins in a time zone (IANA name).

    Where midnight comes twice it is the first, and where it does not exist it is the change of the clocks.

    Raises: OverflowError outside of the years 1 to 9999 in UTC.
    """
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def end_of(day: date, zone: str) -> datetime:
    """Return the instant (UTC) at which a civil day is over in a time zone: the beginning of the next."""
    return start_of(day + timedelta(days=1), zone)


def last_day(end: datetime, zone: str) -> date:
    """Return the last civil day in a time zone of what ends at an instant: midnight ends the day before."""
    return (end - SECOND).astimezone(ZoneInfo(zone)).date()
