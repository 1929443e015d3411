"""The values an item had, in the order in which they held: by `as_of` where there is one, else by when recorded.

Rule: the last value is the present one. Of two that hold since the same instant the one recorded later wins, so a value
that is added to the past never replaces one that holds since later.
"""

from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import TypeVar

import msgspec


class Dated(msgspec.Struct, frozen=True, kw_only=True):
    """A value with when it was recorded and, where that is said, since when it held in its source, UTC."""

    at: datetime
    as_of: datetime | None = None

    @property
    def since(self) -> datetime:
        """Since when the value held, as far as the record knows."""
        return self.as_of or self.at


Value = TypeVar("Value", bound=Dated)


def _since(value: Dated) -> datetime:
    return value.since


def placed(history: tuple[Value, ...], value: Value) -> tuple[Value, ...]:
    """Return a history with a newly recorded value in its place."""
    if history and history[-1].since <= value.since:
        return (*history, value)  # mostly, and found at once
    i = bisect_right(history, value.since, key=_since)
    return (*history[:i], value, *history[i:])


def held(history: tuple[Value, ...], at: datetime | None) -> Value | None:
    """Return the value that held at an instant (UTC), the present one when None; None where there was none yet."""
    before = history if at is None else history[: bisect_right(history, at, key=_since)]
    return before[-1] if before else None


def set_at(history: tuple[Value, ...], said: Callable[[Value], object]) -> datetime:
    """Return when the record began to say what it says at present (UTC); `said` gives what a value says.

    A past that was added later and ends in the value that was there already changes nothing of that.
    """
    newest = history[-1]
    found = newest.at
    for value in islice(reversed(history), 1, None):
        if value.at >= found:
            continue  # recorded with or after one that holds since later, so it was never the present one
        if said(value) != said(newest):
            break
        found = value.at
    return found
