"""The instants at which a tool that remembers is asked how its plan stood: each week of the year before."""

from collections.abc import Sequence
from datetime import datetime, timedelta

WEEKS = 52


def weeks(now: datetime, many: int = WEEKS) -> Sequence[datetime]:
    """Return the instants of the weeks before `now`, UTC, oldest first; what changed twice within one is lost."""
    return [now - timedelta(weeks=week) for week in range(many, 0, -1)]
