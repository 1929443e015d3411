"""Compares a plan with a project, and turns the accepted changes into one command.

Rule: nothing is guessed. What the file does not say stays as it is, and what cannot be taken over becomes a note.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import msgspec

from domain.ids import MilestoneId
from domain.language import gettext as _
from domain.plan.project import ChangeTogether, PlainCommand, Project
from domain.plan.schedule import (
    AddMilestone,
    ApproveBaseline,
    ConfirmPlan,
    LinkMilestone,
    MeetMilestone,
    RestoreMilestone,
)
from web.importers.plan import Plan
from web.proposal.costs import costs
from web.proposal.lines import ORDER, REASONED, Proposal, ProposalLine
from web.proposal.schedule import Compared

__all__ = ["Proposal", "ProposalLine", "accept", "propose"]


def propose(
    project: Project, plan: Plan, new_id: Callable[[], str], today: date | None = None, by: str = ""
) -> Proposal:
    """Return what `plan` would change in `project`.

    `new_id` gives the id of each new milestone; `today` (default: the day of the project's last event) is the civil
    date beyond which nothing can have happened; `by` is who looks at it, and agrees a first plan that is only offered.
    """
    milestones = Compared(project, plan, new_id, today or project.civil(project.changed_at))
    milestones.by = by
    for planned in milestones.planned:
        milestones.take(planned)
    milestones.missing()
    left = milestones.offer_tasks()
    milestones.baseline()
    cost_lines, cost_notes = costs(project, plan, milestones.today, milestones.reason)
    if milestones.doubt:
        cost_lines = [msgspec.structs.replace(line, offered=True) for line in cost_lines]
    return Proposal(
        lines=tuple(sorted([*milestones.lines, *cost_lines], key=lambda line: ORDER.index(line.kind))),
        unchanged=milestones.unchanged,
        left=left,
        doubt=milestones.doubt,
        notes=(*milestones.notes.all(), *cost_notes, *plan.notes),
        reason=milestones.reason,
    )


def accept(
    project: Project,
    plan: Plan,
    lines: tuple[ProposalLine, ...],
    reason: str = "",
    client_titles: Mapping[str, str] | None = None,
) -> ChangeTogether:
    """Return one command that records the accepted lines, and that this plan was compared.

    `reason` replaces the one of whatever moved. `client_titles`: of the added milestones that clients may see, by line.
    """
    titles = client_titles or {}
    chosen = [
        _with_title(_with_reason(command, reason), titles.get(line.key)) for line in lines for command in line.commands
    ]
    added = {command.milestone for command in chosen if isinstance(command, AddMilestone | RestoreMilestone)}
    present = added | project.schedule.milestones.keys()
    possible = [command for command in chosen if getattr(command, "milestone", None) in {None, *present}]
    possible.sort(key=_turn)
    commands = [*_unlinked(project, possible), *(_among(command, present) for command in possible)]
    same_file = plan.file_hash in project.schedule.files
    note = _("The same file as before.") if same_file and not lines else ""
    confirmed = ConfirmPlan(
        project=project.id,
        source="import",
        file_hash=plan.file_hash,
        data_date=plan.data_date,
        note=note,
        title=plan.title,
    )
    return ChangeTogether(project=project.id, commands=(*commands, confirmed))


def _with_reason(command: PlainCommand, reason: str) -> PlainCommand:
    if reason and isinstance(command, REASONED):
        return msgspec.structs.replace(command, reason=reason)
    return command


def _with_title(command: PlainCommand, client_title: str | None) -> PlainCommand:
    """Return a command, a milestone that it adds with a title for clients and client-facing."""
    if client_title is not None and isinstance(command, AddMilestone):
        details = msgspec.structs.replace(command.details, client_title=client_title, client_facing=True)
        return msgspec.structs.replace(command, details=details)
    return command


def _turn(command: PlainCommand) -> int:
    """Return when a command has its turn: what is added or restored first, what is met last, for it moves no more."""
    return 0 if isinstance(command, AddMilestone | RestoreMilestone) else 2 if isinstance(command, MeetMilestone) else 1


def _unlinked(project: Project, commands: Sequence[PlainCommand]) -> list[LinkMilestone]:
    """Return what frees the ids that these commands give to other milestones, as where ids moved on by a row."""
    given = {
        command.source_id: command.milestone
        for command in commands
        if isinstance(command, LinkMilestone | RestoreMilestone | AddMilestone) and command.source_id
    }
    return [
        LinkMilestone(project=project.id, milestone=one.id, source_id="")
        for one in project.schedule.milestones.values()
        if one.source_id and given.get(one.source_id, one.id) != one.id
    ]


def _among(command: PlainCommand, present: set[MilestoneId]) -> PlainCommand:
    """Return a command, a baseline without the milestones that are not present and were not accepted with it."""
    if isinstance(command, ApproveBaseline):
        dates = {key: day for key, day in command.dates.items() if key in present}
        return msgspec.structs.replace(command, dates=dates)
    return command
