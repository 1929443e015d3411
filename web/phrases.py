"""Small phrases that several pages say the same way. Pure."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

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
