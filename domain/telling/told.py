"""Which lines of a list *For you* were told somewhere, so that none is told twice.

Rule: it is recorded before anything is sent. What is forgotten for want of room counts as told.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

Kind = Literal[
    "concern", "comment", "score", "ack", "hold", "mail", "stopped", "confirm", "expires", "joined", "channel",
    "source", "proposal",
]  # fmt: skip
KEPT = 3000  # lines; the log has them all


class News(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is to be told, and since when it is as it is (UTC); None: not known."""

    line: str
    since: datetime | None = None


class ToldLines(msgspec.Struct, frozen=True, kw_only=True):
    """What was told at one place: by line, when last."""

    lines: Mapping[str, datetime] = {}
    before: datetime | None = None  # everything that was there by then counts as told

    def has(self, line: str, since: datetime | None) -> bool:
        """Tell whether a line was told as it is since an instant (UTC)."""
        at = self.lines.get(line)
        if at is None:
            return self.before is not None and since is not None and since <= self.before
        return since is None or since <= at

    def new(self, news: Iterable[News]) -> tuple[str, ...]:
        """Return the lines among some that were not told."""
        return tuple(one.line for one in news if not self.has(one.line, one.since))

    def after(self, lines: Sequence[str], at: datetime) -> "ToldLines":
        """Return what was told once some lines were as well, at an instant (UTC)."""
        kept = {key: when for key, when in self.lines.items() if key not in lines} | dict.fromkeys(lines, at)
        gone = list(kept)[: max(0, len(kept) - KEPT)]
        before = max((kept[key] for key in gone), default=self.before)
        return ToldLines(
            lines={key: when for key, when in kept.items() if key not in gone}, before=_later(before, self)
        )


def _later(before: datetime | None, known: ToldLines) -> datetime | None:
    return max(before, known.before) if before is not None and known.before is not None else before
