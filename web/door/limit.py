"""A rate limit in memory: a token bucket for each key."""

import math
import time
from collections.abc import Callable

KEYS = 10_000  # buckets kept; beyond that those that are full again are dropped


class Limit:
    """Allows at most `burst` at once and `per_minute` on average for each key.

    `clock` returns monotonic seconds. Not thread-safe; owned by the event loop.
    """

    def __init__(
        self, per_minute: float, burst: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = per_minute / 60, float(burst or per_minute), clock
        self._buckets: dict[str, tuple[float, float]] = {}  # level and when it was that, by key

    def allows(self, key: str) -> bool:
        """Take one token from the key's bucket, and return whether there was one."""
        return self.wait(key) == 0

    def wait(self, key: str) -> int:
        """Take one token from the key's bucket and return 0, or the whole seconds until there is one."""
        now = self._clock()
        level, at = self._buckets.get(key, (self._burst, now))
        level = min(self._burst, level + (now - at) * self._rate)
        if len(self._buckets) > KEYS:
            self._forget(now)
        allowed = level >= 1
        self._buckets[key] = (level - 1 if allowed else level, now)
        return 0 if allowed else math.ceil((1 - level) / self._rate)

    def _forget(self, now: float) -> None:
        """Drop the buckets that are full again."""
        full = self._burst / self._rate
        self._buckets = {k: (lv, at) for k, (lv, at) in self._buckets.items() if now - at < full}
