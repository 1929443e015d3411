"""The accepted lines of a register or of figures as one command."""

from collections.abc import Sequence
from datetime import date

import msgspec

from domain.errors import Invalid
from domain.language import gettext as _
from domain.plan.budget import ApproveBudget, ForecastCompletion, MeasureCost, PlanSpend
from domain.plan.project import ChangeTogether, PlainCommand, Project
from domain.plan.risks import CloseRisk, DescribeRisk, ReopenRisk
from web.proposal.lines import REASONED, ProposalLine


def together(project: Project, lines: Sequence[ProposalLine], reason: str = "") -> ChangeTogether:
    """Return one command that records the accepted lines; `reason` replaces the one of whatever carries one.

    Raises: Invalid where there is no line.
    """
    if not lines:
        raise Invalid(_("Nothing is ticked. Tick what should change, or choose another file."), "line")
    commands = [_with_reason(command, reason) for line in lines for command in line.commands]
    return ChangeTogether(project=project.id, commands=tuple(sorted(commands, key=_turn)))


def _with_reason(command: PlainCommand, reason: str) -> PlainCommand:
    if reason and isinstance(command, REASONED):
        return msgspec.structs.replace(command, reason=reason)
    return command


def _turn(command: PlainCommand) -> tuple[int, date]:
    """Return when a command has its turn: budget before plan before figures, what reopens before, what closes last."""
    match command:
        case ApproveBudget() | ReopenRisk():
            return 0, date.min
        case PlanSpend() | DescribeRisk():
            return 1, date.min
        case MeasureCost(status_date=day):
            return 2, day
        case ForecastCompletion():
            return 3, date.min
        case CloseRisk():
            return 4, date.min
        case _:
            return 2, date.min
