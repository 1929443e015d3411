"""Small phrases that several pages say the same way. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from domain.headline import count


def listed(names: Sequence[str]) -> str:
    """Return "A", "A and B", "A, B and C", "" for none."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def kept(days: Iterable[int]) -> str:
    """Return "730 days", "365 to 730 days" where they differ, "" for none."""
    found = sorted(set(days))
    if not found:
        return ""
    return f"{found[0]} days" if len(found) == 1 else f"{found[0]} to {found[-1]} days"


def lasted(seconds: float) -> str:
    """Return how long something took: "40 s", "12 min", "3 h 5 min", "2 days"."""
    span = timedelta(seconds=max(0, round(seconds)))
    minutes = int(span.total_seconds()) // 60
    if minutes < 1:
        return f"{span.seconds} s"
    if minutes < 60:
        return f"{minutes} min"
    if span.days < 2:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return count(span.days, "day")


def after(start: datetime, end: datetime) -> str:
    """Return how long after something else happened: "at once", "40 s later", "3 h 5 min later", "12 days later"."""
    seconds = round((end - start).total_seconds())
    if seconds < 1:
        return "at once"
    if seconds < 90:
        return f"{seconds} s later"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min later"
    hours, rest = divmod(minutes, 60)
    if hours < 36:
        return f"{hours} h {rest} min later" if rest else f"{hours} h later"
    return f"{count(round(seconds / timedelta(days=1).total_seconds()), 'day')} later"


def in_time(until: datetime, now: datetime) -> str:
    """Return when it goes out by itself: "in 52 min", "in 3 h 5 min", "in 2 days"."""
    minutes = -((now - until) // timedelta(minutes=1))
    if minutes < 1:
        return "any moment now"
    if minutes < 90:
        return f"in {minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 36:
        return f"in {hours} h {rest} min" if rest else f"in {hours} h"
    return f"in {count(round(hours / 24), 'day')}"


def grouped(digits: str) -> Sequence[str]:
    """Return a hash in groups of four digits, to be read out loud."""
    return [digits[i : i + 4] for i in range(0, len(digits), 4)]
