"""When a digest is due: computed from the share's own updates, the person's choice and the clock. Pure.

Rule: neither the hour nor the extent of a daily or weekly mail depends on anything but the calendar and what was
shared by then; when a mail comes as it happens depends on shared updates alone.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.people.mails import Cadence

QUIET = timedelta(seconds=20)  # several updates of one sitting become one mail
GAP = timedelta(minutes=5)  # between two mails of one share to one person
GRACE = timedelta(seconds=20)  # after the hour, until what was shared by then is surely recorded
PUT_OFF = tuple(timedelta(minutes=m) for m in (1, 5, 15, 30, 60))  # between tries, the last one from then on
GIVE_UP = timedelta(days=3)  # after which a mail that is put off again and again counts as refused


def slot(now: datetime, cadence: Cadence, hour: int, zone: str) -> datetime:
    """Return the last time, UTC, at which daily or weekly mails (on Monday) were due, at `hour` in the zone."""
    there = (now - GRACE).astimezone(ZoneInfo(zone))
    day = there.date()
    if there < datetime.combine(day, time(hour), there.tzinfo):
        day -= timedelta(days=1)
    if cadence == "weekly":
        day -= timedelta(days=day.weekday())
    return datetime.combine(day, time(hour), there.tzinfo).astimezone(UTC)


def settled_down(oldest: datetime, last: datetime | None, now: datetime) -> bool:
    """Tell whether a mail as it happens is due: the oldest update not mailed yet, and when the last mail was queued."""
    return now >= max(oldest + QUIET, last + GAP if last else oldest)


def again(tries: int, put_off: datetime) -> datetime:
    """Return when a mail that was put off for the n-th time is tried again, UTC."""
    return put_off + PUT_OFF[min(max(tries, 1), len(PUT_OFF)) - 1]
