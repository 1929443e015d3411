"""Small phrases that several pages say the same way. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from domain.headline import count
from domain.language import gettext as _


def listed(names: Sequence[str]) -> str:
    """Return "A", "A and B", "A, B and C", "" for none."""
    return _(" and ").join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def kept(days: Iterable[int]) -> str:
    """Return "730 days", "365 to 730 days" where they differ, "" for none."""
    found = sorted(set(days))
    if not found:
        return ""
    return (
        _("{found} days", found=found[0])
        if len(found) == 1
        else _("{found} to {last} days", found=found[0], last=found[-1])
    )


def lasted(seconds: float) -> str:
    """Return how long something took: "40 s", "12 min", "3 h 5 min", "2 days"."""
    span = timedelta(seconds=max(0, round(seconds)))
    minutes = int(span.total_seconds()) // 60
    if minutes < 1:
        return _("{seconds} s", seconds=span.seconds)
    if minutes < 60:
        return _("{minutes} min", minutes=minutes)
    if span.days < 2:
        return (
            _("{minutes} h {rest} min", minutes=minutes // 60, rest=minutes % 60)
            if minutes % 60
            else _("{minutes} h", minutes=minutes // 60)
        )
    return count(span.days, _("day"))


def after(start: datetime, end: datetime) -> str:
    """Return how long after something else happened: "at once", "40 s later", "3 h 5 min later", "12 days later"."""
    seconds = round((end - start).total_seconds())
    if seconds < 1:
        return _("at once")
    if seconds < 90:
        return _("{seconds} s later", seconds=seconds)
    minutes = round(seconds / 60)
    if minutes < 90:
        return _("{minutes} min later", minutes=minutes)
    hours, rest = divmod(minutes, 60)
    if hours < 36:
        return _("{hours} h {rest} min later", hours=hours, rest=rest) if rest else _("{hours} h later", hours=hours)
    return _("{days} later", days=count(round(seconds / timedelta(days=1).total_seconds()), _("day")))


def in_time(until: datetime, now: datetime) -> str:
    """Return when it goes out by itself: "in 52 min", "in 3 h 5 min", "in 2 days"."""
    minutes = -((now - until) // timedelta(minutes=1))
    if minutes < 1:
        return _("any moment now")
    if minutes < 90:
        return _("in {minutes} min", minutes=minutes)
    hours, rest = divmod(minutes, 60)
    if hours < 36:
        return _("in {hours} h {rest} min", hours=hours, rest=rest) if rest else _("in {hours} h", hours=hours)
    return _("in {days}", days=count(round(hours / 24), _("day")))


def grouped(digits: str) -> Sequence[str]:
    """Return a hash in groups of four digits, to be read out loud."""
    return [digits[i : i + 4] for i in range(0, len(digits), 4)]
