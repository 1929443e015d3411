"""What of a source's proposals is taken by itself, what waits for a person, and what is not looked at.

Rule: `judged` is the one place where that is decided, for a pull as for a dry run. A removal, a link, an agreed plan,
a figure of the budget and whatever a client reads as a title wait for a person, whatever the rules say.
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal

import msgspec

from domain import check
from domain.errors import Invalid
from domain.headline import day_in_words
from domain.ids import MilestoneId, SourceId
from domain.language import gettext as _
from domain.plan.budget import BudgetCommand
from domain.plan.schedule import (
    AddMilestone,
    DescribeMilestone,
    MeetMilestone,
    MoveForecast,
    ReportProgress,
    Schedule,
    ScheduleCommand,
)

Deal = Literal["take", "ask", "ignore"]
Outcome = Literal["taken", "waits", "ignored"]
Proposed = ScheduleCommand | BudgetCommand
MOST_DAYS = 365
MOST_APART = 5000
MARK = "/"  # between the id of a source and the id that a milestone has there


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one source; `days`: how far a forecast may be from what a person last stood for, either way."""

    forecasts: Deal = "ask"
    days: int = 5
    actuals: Deal = "ask"
    progress: Deal = "ask"
    titles: Deal = "ask"  # internal ones
    new: Deal = "ask"  # milestones, which are never client-facing before a person says so
    missing: Literal["ask", "ignore"] = "ask"
    reason: str = ""  # recorded with a moved forecast; clients who may see reasons read it
    apart: tuple[MilestoneId, ...] = ()  # milestones of this source that are kept by hand


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One change that a pull proposes, as people read it, with what carries it out, in this order."""

    key: str  # names the line, and is another one once it proposes something else
    kind: str
    title: str
    before: str = ""
    after: str = ""
    note: str = ""
    asks: str = ""  # why a person has to look at it whatever the rules say, "" where nothing says so
    commands: tuple[Proposed, ...] = ()


class Judged(msgspec.Struct, frozen=True):
    """What becomes of a line, and why where it is not taken."""

    outcome: Outcome
    why: str = ""


class PlanAsIs(msgspec.Struct, frozen=True, kw_only=True):
    """What the lines of a source are judged by: the plan as it is, what people stood for, and what is left alone."""

    source: SourceId
    rules: Rules
    schedule: Schedule
    stood_for: Mapping[MilestoneId, date] = {}  # forecasts before sources moved them; of others it is the present one
    left: frozenset[str] = frozenset()  # keys of lines that a person left as they were


def checked(rules: Rules) -> Rules:
    """Return rules that can be kept. Raises: Invalid."""
    check.whole("days", rules.days, 1, MOST_DAYS)
    if len(rules.apart) > MOST_APART:
        raise Invalid(_("{most} milestones of a source are kept by hand at most.", most=MOST_APART), "apart")
    return msgspec.structs.replace(rules, reason=check.line("reason", rules.reason, required=False))


def judged(line: Line, by: PlanAsIs) -> Judged:
    """Return what becomes of a line by itself."""
    if line.key in by.left:
        return Judged("ignored", _("A person left it as it was."))
    if any(getattr(command, "milestone", None) in by.rules.apart for command in line.commands):
        return Judged("ignored", _("This milestone is kept by hand."))
    verdicts = [_of(line, command, by) for command in line.commands] or [Judged("waits")]
    if any(one.outcome == "ignored" for one in verdicts):
        return next(one for one in verdicts if one.outcome == "ignored")
    if line.asks:
        return Judged("waits", line.asks)
    return next((one for one in verdicts if one.outcome == "waits"), Judged("taken"))


def _of(line: Line, command: Proposed, by: PlanAsIs) -> Judged:
    rules = by.rules
    match command:
        case MoveForecast():
            found = _dealt(rules.forecasts)
            return _within(command, by) if found.outcome == "taken" else found
        case MeetMilestone():
            return _owned(command.milestone, by) or _dealt(rules.actuals)
        case ReportProgress():
            return _owned(command.milestone, by) or _dealt(rules.progress)
        case DescribeMilestone():
            return _owned(command.milestone, by) or _described(command, by)
        case AddMilestone(details=details):
            if details.client_facing or details.client_title:
                return Judged("waits", _("What clients read is decided by a person."))
            return _dealt(rules.new)
        case _ if line.kind == "missing" and rules.missing == "ignore":
            return Judged("ignored", _("The rules leave it."))
        case _:
            return Judged("waits", _("This is decided by a person."))


def _dealt(deal: Deal) -> Judged:
    match deal:
        case "take":
            return Judged("taken")
        case "ask":
            return Judged("waits", _("The rules ask."))
        case "ignore":
            return Judged("ignored", _("The rules leave it."))


def _owned(key: MilestoneId, by: PlanAsIs) -> Judged | None:
    """Return that a milestone is not the source's, None where it is, or is being added by the same line."""
    milestone = by.schedule.milestones.get(key)
    if milestone is None or owner(milestone.source_id) == by.source:
        return None
    return Judged("waits", _("The milestone does not come from this source so far."))


def _within(command: MoveForecast, by: PlanAsIs) -> Judged:
    """Judge a moved forecast by how far it is from the day that a person last confirmed, agreed or typed."""
    if (foreign := _owned(command.milestone, by)) is not None:
        return foreign
    milestone = by.schedule.milestones.get(command.milestone)
    if milestone is None:
        return Judged("waits", _("The milestone is not on the plan."))
    stood = by.stood_for.get(command.milestone, milestone.forecast)
    days = abs((command.forecast - stood).days)
    if days <= by.rules.days:
        return Judged("taken")
    told = _(
        "{days} days from {day}, for which a person stood last; the rules take {most}.",
        days=days,
        day=day_in_words(stood),
        most=by.rules.days,
    )
    return Judged("waits", told)


def _described(command: DescribeMilestone, by: PlanAsIs) -> Judged:
    """Judge another description: only the internal title may be another one."""
    milestone = by.schedule.milestones.get(command.milestone)
    if milestone is None:
        return Judged("waits", _("The milestone is not on the plan."))
    if msgspec.structs.replace(command.details, title=milestone.details.title) != milestone.details:
        return Judged("waits", _("More than the internal title would change."))
    return _dealt(by.rules.titles)


def owner(source_id: str) -> SourceId | None:
    """Return the source that a milestone's id in its plan names, None where it names none."""
    source, mark, _rest = source_id.partition(MARK)
    return SourceId(source) if mark and source else None
