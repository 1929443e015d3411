"""Rate limits in memory: a bucket a key, refilled by the clock, forgotten when full."""

import time
from collections.abc import Callable


class Limit:
    """At most `burst` at once and `per_minute` on average for each key. Not thread-safe: the event loop owns it."""

    def __init__(
        self, per_minute: float, burst: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = per_minute / 60, float(burst or per_minute), clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def allows(self, key: str) -> bool:
        """Take one from the key's bucket; False when it is empty."""
        now = self._clock()
        level, at = self._buckets.get(key, (self._burst, now))
        level = min(self._burst, level + (now - at) * self._rate)
        if len(self._buckets) > 10_000:
            self._forget(now)
        if level < 1:
            self._buckets[key] = (level, now)
            return False
        self._buckets[key] = (level - 1, now)
        return True

    def _forget(self, now: float) -> None:
        full = self._burst / self._rate
        self._buckets = {k: (lv, at) for k, (lv, at) in self._buckets.items() if now - at < full}
