"""When a digest is due, computed from the updates of the share, the person's choice and the clock.

Rule: when a daily or weekly mail is sent, and what it covers, depends only on the calendar and on what was shared by
then. When an instant mail is sent depends only on shared updates.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.people.mails import Cadence

QUIET = timedelta(seconds=20)  # after the oldest update not mailed, so that several become one mail
GAP = timedelta(minutes=5)  # between two mails of one share to one person
GRACE = timedelta(seconds=20)  # after the hour, until everything shared by then is recorded
PUT_OFF = tuple(timedelta(minutes=m) for m in (1, 5, 15, 30, 60))  # between attempts; the last one repeats
GIVE_UP = timedelta(days=3)  # after which a mail that was put off every time counts as refused


def slot(now: datetime, cadence: Cadence, hour: int, zone: str) -> datetime:
    """Return the last instant (UTC) at which such mails were due: `hour` in the zone, weekly ones on Monday."""
    local = (now - GRACE).astimezone(ZoneInfo(zone))
    day = local.date()
    if local < datetime.combine(day, time(hour), local.tzinfo):
        day -= timedelta(days=1)
    if cadence == "weekly":
        day -= timedelta(days=day.weekday())
    return datetime.combine(day, time(hour), local.tzinfo).astimezone(UTC)


def settled_down(oldest: datetime, last: datetime | None, now: datetime) -> bool:
    """Return whether an instant mail is due.

    `oldest`: when the oldest update that was not mailed yet was recorded; `last`: when the last mail was queued.
    """
    return now >= max(oldest + QUIET, last + GAP if last else oldest)


def again(tries: int, put_off: datetime) -> datetime:
    """Return when a mail is tried again (UTC) after `tries` attempts, the last of them put off at `put_off`."""
    return put_off + PUT_OFF[min(max(tries, 1), len(PUT_OFF)) - 1]
