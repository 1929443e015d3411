"""`Proposal` and its lines: what a plan would change in a project."""

import hashlib
from typing import Literal

import msgspec

from domain.plan.project import PlainCommand

Kind = Literal[
    "added", "moved", "met", "renamed", "deadline", "progress", "missing", "baseline", "budget", "measured", "forecast"
]  # fmt: skip
ORDER: tuple[Kind, ...] = (
    "moved", "met", "added", "renamed", "deadline", "progress", "missing", "baseline", "budget", "measured", "forecast",
)  # fmt: skip


class ProposalLine(msgspec.Struct, frozen=True, kw_only=True):
    """One proposed change; `commands` carry it out, in this order."""

    kind: Kind
    source_id: str
    title: str
    before: str  # as people read it, "" when there was nothing
    after: str
    note: str = ""  # the slip, what else happens
    commands: tuple[PlainCommand, ...]

    @property
    def key(self) -> str:
        """The value of a line's checkbox: it names the line, and changes with what the line proposes."""
        content = f"{self.kind}\0{self.source_id}\0{self.title}\0{self.before}\0{self.after}"
        return hashlib.sha256(content.encode()).hexdigest()[:20]


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """All that a plan would change."""

    lines: tuple[ProposalLine, ...]
    unchanged: int  # milestones that are in both and the same
    notes: tuple[str, ...]
    reason: str  # of moved forecasts, unless another is given
