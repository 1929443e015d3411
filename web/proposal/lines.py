"""`Proposal` and its lines: what a plan would change in a project."""

import hashlib
from typing import Literal

import msgspec

from domain.plan.budget import ForecastCompletion
from domain.plan.project import PlainCommand
from domain.plan.risks import CloseRisk, ReopenRisk, ScoreRisk
from domain.plan.schedule import MoveForecast, ReopenMilestone

REASONED = (MoveForecast, ReopenMilestone, ForecastCompletion, ScoreRisk, ReopenRisk, CloseRisk)

Kind = Literal[
    "added", "returned", "moved", "met", "renamed", "linked", "deadline", "progress", "missing", "baseline", "budget",
    "measured", "forecast", "spend", "raised", "described", "scored", "closed", "reopened",
]  # fmt: skip
ORDER: tuple[Kind, ...] = (
    "moved", "met", "added", "returned", "renamed", "linked", "deadline", "progress", "missing", "baseline", "budget",
    "spend", "measured", "forecast", "scored", "described", "raised", "reopened", "closed",
)  # fmt: skip


class ProposalLine(msgspec.Struct, frozen=True, kw_only=True):
    """One proposed change; `commands` carry it out, in this order."""

    kind: Kind
    source_id: str
    title: str
    before: str  # as people read it, "" when there was nothing
    after: str
    note: str = ""  # the slip, what else happens
    offered: bool = False  # accepted only where somebody ticks it
    a_task: bool = False  # no milestone in the file; it becomes one here where somebody ticks it
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
    left: int = 0  # tasks that could be followed, beyond those offered
    doubt: str = ""  # why this may be another plan than before, "" where nothing says so
    notes: tuple[str, ...]
    reason: str  # of what is recorded with one, unless another is given

    @property
    def changes(self) -> tuple[ProposalLine, ...]:
        """What is accepted unless somebody unticks it."""
        return tuple(line for line in self.lines if not line.offered)

    @property
    def reasoned(self) -> bool:
        """Whether some of its lines carry a reason that clients may read."""
        return any(isinstance(command, REASONED) for line in self.lines for command in line.commands)
