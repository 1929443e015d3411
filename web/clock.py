"""Clocks: the one place that reads the wall clock of the machine."""

from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


class Virtual:
    """A clock that stands still until it is moved: for tests and the demo."""

    def __init__(self, start: datetime) -> None:
        self.at = start

    def __call__(self) -> datetime:
        """Return the clock's instant, UTC."""
        return self.at

    def forward(self, **delta: float) -> None:
        """Move forward by `timedelta(**delta)`."""
        self.at += timedelta(**delta)
