"""Phrases that several pages share: lists of names, spans of time, hashes in groups of digits. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from domain.headline import counted
from domain.language import gettext as _
from domain.language import listed, ngettext

__all__ = ["listed"]


def kept(days: Iterable[int]) -> str:
    """Return how long something is kept: "730 days", "365 to 730 days" where the numbers differ, "" for none."""
    lengths = sorted(set(days))
    if not lengths:
        return ""
    return (
        ngettext("{found} day", "{found} days", lengths[0], found=lengths[0])
        if len(lengths) == 1
        else _("{found} to {last} days", found=lengths[0], last=lengths[-1])
    )


def lasted(seconds: float, *, rounded: bool = False) -> str:
    """Return how long something took: "40 s", "12 min", "3 h 5 min", "2 days".

    Each unit counts what is complete, up to 60 s, 60 min and 48 h. With `rounded` it is rounded to the nearest one,
    and the smaller unit is kept longer: up to 90 s and 90 min, and up to 36 h.
    """
    most_seconds, most_minutes, most_hours = (90, 90, 36) if rounded else (60, 60, 48)
    whole = round(seconds)
    if whole < most_seconds:
        return _("{seconds} s", seconds=whole)
    minutes = round(whole / 60) if rounded else whole // 60
    if minutes < most_minutes:
        return _("{minutes} min", minutes=minutes)
    hours, rest = divmod(minutes, 60)
    if hours < most_hours:
        return _("{hours} h {rest} min", hours=hours, rest=rest) if rest else _("{hours} h", hours=hours)
    return counted("one day", "{many} days", round(hours / 24) if rounded else hours // 24)


def after(start: datetime, end: datetime) -> str:
    """Return how long after `start` the `end` is: "at once", "40 s later", "3 h 5 min later", "12 days later"."""
    if round((end - start).total_seconds()) < 1:
        return _("at once")
    return _("{span} later", span=span(start, end))


def span(start: datetime, end: datetime) -> str:
    """Return how long it is from `start` to `end`, a second or more: "40 s", "3 h 5 min", "12 days"."""
    seconds = round((end - start).total_seconds())
    if seconds < 90:
        return _("{seconds} s", seconds=seconds)
    minutes = round(seconds / 60)
    if minutes < 90:
        return _("{minutes} min", minutes=minutes)
    hours, rest = divmod(minutes, 60)
    if hours < 36:
        return _("{hours} h {rest} min", hours=hours, rest=rest) if rest else _("{hours} h", hours=hours)
    return counted("one day", "{many} days", round(seconds / timedelta(days=1).total_seconds()))


def in_time(until: datetime, now: datetime) -> str:
    """Return how long it is from `now` until an instant: "in 52 min", "in 3 h 5 min", "in 2 days"."""
    minutes = -((now - until) // timedelta(minutes=1))
    if minutes < 1:
        return _("any moment now")
    if minutes < 90:
        return _("in {minutes} min", minutes=minutes)
    hours, rest = divmod(minutes, 60)
    if hours < 36:
        return _("in {hours} h {rest} min", hours=hours, rest=rest) if rest else _("in {hours} h", hours=hours)
    return counted("in one day", "in {many} days", round(hours / 24))


def grouped(digits: str) -> Sequence[str]:
    """Return the digits of a hash in groups of four, which people can read out and compare."""
    return [digits[i : i + 4] for i in range(0, len(digits), 4)]
