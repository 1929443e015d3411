"""What a plan would change in a project: lines to accept one by one, compared by source id. Pure.

Rule: nothing is guessed. What the file does not say stays as it is, and what cannot be taken over is a note.
"""

from collections.abc import Callable
from datetime import date

import msgspec

from domain.ids import MilestoneId
from domain.language import gettext as _
from domain.plan.project import ChangeTogether, PlainCommand, Project
from domain.plan.schedule import (
    AddMilestone,
    ApproveBaseline,
    ConfirmPlan,
    MoveForecast,
)
from web.importers.plan import Plan
from web.proposal.costs import costs
from web.proposal.lines import ORDER, Proposal, ProposalLine
from web.proposal.schedule import Compared

__all__ = ["Proposal", "ProposalLine", "accept", "propose"]


def propose(project: Project, plan: Plan, new_id: Callable[[], str], today: date | None = None) -> Proposal:
    """Return what `plan` would change in `project`.

    `new_id` gives the id of each new milestone; `today` (default: the day of the project's last event) is the civil
    date beyond which nothing can have happened.
    """
    found = Compared(project, plan, new_id, today or project.civil(project.changed_at))
    for planned in plan.milestones:
        found.take(planned)
    found.missing()
    found.baseline()
    money, told = costs(project, plan, found.today, found.reason)
    lines = sorted([*found.lines, *money], key=lambda line: ORDER.index(line.kind))
    return Proposal(
        lines=tuple(lines), unchanged=found.unchanged, notes=(*found.notes, *told, *plan.notes), reason=found.reason
    )


def accept(project: Project, plan: Plan, lines: tuple[ProposalLine, ...], reason: str = "") -> ChangeTogether:
    """Return the one command that records the accepted lines and that the plan was looked at.

    `reason` replaces the one of moved forecasts.
    """
    chosen = [_because(command, reason) for line in lines for command in line.commands]
    added = {command.milestone for command in chosen if isinstance(command, AddMilestone)}
    commands = [_agreed(command, added | project.schedule.milestones.keys()) for command in chosen]
    known = plan.file_hash in project.schedule.files
    note = _("The same file as before.") if known and not lines else ""
    confirmed = ConfirmPlan(
        project=project.id, source="import", file_hash=plan.file_hash, data_date=plan.data_date, note=note
    )
    return ChangeTogether(project=project.id, commands=(*commands, confirmed))


def _because(command: PlainCommand, reason: str) -> PlainCommand:
    if reason and isinstance(command, MoveForecast):
        return msgspec.structs.replace(command, reason=reason)
    return command


def _agreed(command: PlainCommand, there: set[MilestoneId]) -> PlainCommand:
    """A baseline names only milestones that are there or were accepted with it."""
    if isinstance(command, ApproveBaseline):
        dates = {key: day for key, day in command.dates.items() if key in there}
        return msgspec.structs.replace(command, dates=dates)
    return command
