"""Clocks: the one place that asks the machine what time it is."""

from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


class Virtual:
    """A clock that moves only when told: for tests, and for a demo that tells a year in a moment."""

    def __init__(self, start: datetime) -> None:
        self.at = start

    def __call__(self) -> datetime:
        """Return the clock's instant, UTC."""
        return self.at

    def forward(self, **delta: float) -> None:
        """Move forward by the arguments of a timedelta."""
        self.at += timedelta(**delta)
