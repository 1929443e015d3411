"""What a pull brings is decided in one command: what is taken by itself, what waits, and that the plan is confirmed.

Rule: the lines of a pull are judged on the plan as it is when they are recorded, whatever the sender thought of them.
The event of the pull comes after the events of what it took, so that both are one change, or none.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Refused, Stale, Unknown
from domain.ids import MilestoneId, ProjectId, SourceId
from domain.language import gettext as _
from domain.language import speaking
from domain.message import Command
from domain.plan.milestones import Milestone, ProgressReported
from domain.plan.schedule import (
    ConfirmPlan,
    DescribeMilestone,
    MoveForecast,
    RemoveMilestone,
    ReopenMilestone,
    ReportProgress,
    Schedule,
)
from domain.plan.sources.lines import PulledLine, shorter
from domain.plan.sources.rules import Judged, Line, PlanAsIs, Proposed, judged, owner
from domain.plan.sources.source import (
    Field,
    Pull,
    Source,
    SourcePulled,
    SourcePullPutBack,
    SourceSettled,
    TakenValue,
)

MOST_LINES = 2000
MOST_NOTES = 50
TURN: tuple[Field, ...] = ("milestone", "title", "actual", "forecast", "percent")  # a met milestone is opened first
Carry = Callable[[Sequence[Proposed]], Schedule]  # carries commands out, one after the other; raises Refused


class TakePull(Command, frozen=True, kw_only=True):
    """Record what a pull brought, and take what the rules take; for the system alone."""

    project: ProjectId
    source: SourceId
    pull: str
    after: str = ""  # the newest pull that the sender knew, so that two processes never record the same news
    lines: tuple[Line, ...] = ()
    cursor: str = ""
    content_hash: str = ""
    data_date: date | None = None
    title: str = ""
    unchanged: int = 0
    doubt: str = ""
    notes: tuple[str, ...] = ()
    confirm: bool = False  # the plan, where nothing waits


class SettleSource(Command, frozen=True, kw_only=True):
    """Take lines of the newest pull that wait, by key, and leave others as they are."""

    project: ProjectId
    source: SourceId
    pull: str
    take: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()


class PutPullBack(Command, frozen=True, kw_only=True):
    """Make what a pull took by itself as it was before, as long as nobody changed it since."""

    project: ProjectId
    source: SourceId
    pull: str
    reason: str = ""


PullCommand = TakePull | SettleSource | PutPullBack


class Before(msgspec.Struct, frozen=True):
    """The plan before a command, and for which forecasts people stood."""

    schedule: Schedule
    stood_for: Mapping[MilestoneId, date]


def take(source: Source, before: Before, command: TakePull, carry: Carry) -> SourcePulled:
    """Carry out what the rules take, and return the record of the pull, in the language of the source.

    Raises: Conflict, Invalid, Stale, in the language of whoever asks.
    """
    if command.after != (source.last.id if source.last is not None else ""):
        raise Stale(_("Something newer was pulled meanwhile. Nothing of this pull is recorded."))
    if source.paused is not None:
        raise Conflict(_("This source is paused, so nothing is taken. Let it go on at its page."), "source")
    if len(command.lines) > MOST_LINES:
        raise Invalid(_("A pull has at most {most} lines.", most=MOST_LINES), "lines")
    with speaking(source.language):
        schedule, lines = _judged(source, before, command.lines, carry)
    confirmed = (
        command.confirm
        and not command.doubt
        and all(one.outcome != "waits" for one in lines)
        and _stands_for(source, schedule, command.data_date)
    )
    if confirmed:
        carry([ConfirmPlan(project=command.project, source="source", data_date=command.data_date)])
    record = SourcePulled(
        source=source.id, pull=check.identifier("pull", command.pull), cursor=command.cursor[:4000],
        content_hash=check.line("content_hash", command.content_hash, required=False), data_date=command.data_date,
        title=_short(command.title), lines=tuple(lines),
        values=tuple(_values(before, schedule, [one.line for one in lines if one.outcome == "taken"])),
        unchanged=command.unchanged, doubt=command.doubt[:1000],
        notes=tuple(one[:1000] for one in command.notes[:MOST_NOTES]), confirmed=confirmed,
    )  # fmt: skip
    return _as_it_goes_on(source.last, record)


def _as_it_goes_on(last: Pull | None, record: SourcePulled) -> SourcePulled:
    """Return the record of a pull with what changed since the one before, where some of that goes on."""
    short = shorter(last.going_on, record.lines) if last is not None else None
    if last is None or short is None:
        return record
    same_notes = record.notes == last.notes
    return msgspec.structs.replace(
        record, since=last.id, lines=short.lines, places=short.places, gone=short.gone,
        reason_of_moves=short.reason_of_moves, same_notes=same_notes, notes=() if same_notes else record.notes,
    )  # fmt: skip


def _judged(source: Source, before: Before, lines: Sequence[Line], carry: Carry) -> tuple[Schedule, list[PulledLine]]:
    """Carry out what the rules take of some lines, and return the plan after it and what became of each line."""
    schedule, told, left = before.schedule, list[PulledLine](), frozenset(source.left)
    for line in lines:
        standing = PlanAsIs(
            source=source.id, rules=source.rules, schedule=schedule, stood_for=before.stood_for, left=left
        )
        verdict = judged(line, standing)
        if verdict.outcome == "taken":
            try:
                schedule = carry(line.commands)
            except Refused as refused:
                verdict = Judged("waits", refused.message)
        told.append(PulledLine(line=line, outcome=verdict.outcome, why=verdict.why))
    return schedule, told


def _stands_for(source: Source, schedule: Schedule, data_date: date | None) -> bool:
    """Tell whether a source can confirm a plan: it keeps some of it, and says nothing older than it confirmed."""
    older = data_date is not None and source.confirmed_for is not None and data_date < source.confirmed_for
    return not older and any(owner(one.source_id) == source.id for one in schedule.milestones.values())


def settle(source: Source, before: Before, command: SettleSource, carry: Carry) -> SourceSettled:
    """Carry out lines that waited. Raises: a kind of Refused, which names the line."""
    newest = source.last
    if newest is None or newest.id != command.pull:
        raise Conflict(_("The source brought something newer. Look at what waits now, then decide."), "pull")
    waits = {one.line.key: one.line for one in newest.waits}
    if not command.take and not command.leave:
        raise Invalid(_("Nothing is ticked. Tick what should change."), "take")
    if unknown := [key for key in (*command.take, *command.leave) if key not in waits]:
        told = _("Some of it was decided a moment ago. Look at what waits now, then decide.")
        raise Conflict(told, "take" if unknown[0] in command.take else "leave")
    chosen = [line for key, line in waits.items() if key in command.take]
    schedule = before.schedule
    for line in chosen:
        try:
            schedule = carry([_as_described(one, schedule) for one in line.commands])
        except Refused as refused:
            told = _("“{title}”: {told}", title=line.title, told=refused.message)
            raise type(refused)(told, "take") from None
    return SourceSettled(
        source=source.id, pull=newest.id, taken=tuple(line.key for line in chosen),
        left=tuple(key for key in command.leave if key not in command.take),
        values=tuple(_values(before, schedule, chosen)),
    )  # fmt: skip


def _as_described(command: Proposed, schedule: Schedule) -> Proposed:
    """Return a command, another description with what people changed of the milestone since it was proposed."""
    milestone = schedule.milestones.get(command.milestone) if isinstance(command, DescribeMilestone) else None
    if not isinstance(command, DescribeMilestone) or milestone is None:
        return command
    given = command.details
    details = msgspec.structs.replace(milestone.details, title=given.title, deadline=given.deadline)
    return msgspec.structs.replace(command, details=details)


def put_back(
    source: Source, before: Before, command: PutPullBack, carry: Carry
) -> list[ProgressReported | SourcePullPutBack]:
    """Make as it was what a pull took by itself, and return what is recorded of it. Raises: Unknown, Conflict."""
    pull = source.pull(command.pull)
    if pull is None:
        raise Unknown(_("There is no such pull of this source among the latest ones."), "pull")
    if told := refusal(pull, before.schedule):
        raise Conflict(told, "pull")
    why = check.text("reason", command.reason) or _("Put back to what it was before.")
    unknown: list[ProgressReported] = []
    for value in sorted(pull.values, key=lambda one: TURN.index(one.field)):
        milestone = before.schedule.milestones[value.milestone]
        if value.field == "percent" and not value.before:
            unknown.append(ProgressReported(milestone=value.milestone, percent=None))
        elif commands := list(_back(milestone, value, command.project, why)):
            carry(commands)
    return [*unknown, SourcePullPutBack(source=source.id, pull=pull.id, reason=why)]


def refusal(pull: Pull, schedule: Schedule) -> str:
    """Return why what a pull took cannot be put back, in a sentence; "" where it can be."""
    if pull.put_back is not None:
        return _("This pull was put back already.")
    if not pull.values:
        return _("This pull took nothing by itself, so there is nothing to put back.")
    for value in pull.values:
        milestone = schedule.milestones.get(value.milestone)
        if milestone is None:
            return _("A milestone that it changed left the plan since. Change the others by hand.")
        if _changed_since(milestone, value, schedule):
            return _(
                "“{title}” was changed again since, so this pull cannot be put back. Put back what came later first.",
                title=milestone.details.title,
            )
    return ""


def _changed_since(milestone: Milestone, value: TakenValue, schedule: Schedule) -> bool:
    """Tell whether a value is another one by now; one that was added, whether anything else was built on it."""
    if value.field != "milestone":
        return present(milestone, value.field) != value.after
    details = milestone.details
    told = details.client_facing or bool(details.client_title) or schedule.baseline_of(milestone.id) is not None
    return told or len(milestone.moves) > 1


def present(milestone: Milestone, field: Field) -> str:
    """Return a value of a milestone as it is recorded with a pull, "" for none."""
    match field:
        case "forecast":
            return milestone.forecast.isoformat()
        case "actual":
            return milestone.actual.isoformat() if milestone.actual is not None else ""
        case "percent":
            reported = milestone.reports[-1].percent if milestone.reports else None
            return "" if reported is None else str(reported)
        case "title":
            return milestone.details.title
        case "milestone":
            return milestone.id


def _values(before: Before, after: Schedule, lines: Sequence[Line]) -> Iterator[TakenValue]:
    """Yield each value that differs for the milestones of some lines, as it was and as it became."""
    fields: tuple[Field, ...] = ("title", "forecast", "actual", "percent")
    keys = dict.fromkeys(
        key for line in lines for one in line.commands if (key := getattr(one, "milestone", None)) is not None
    )
    for key in keys:
        old, new = before.schedule.milestones.get(key), after.milestones.get(key)
        if new is None:
            continue
        if old is None:
            yield TakenValue(milestone=key, field="milestone", before="", after=key)
            continue
        for field in fields:
            was, now = present(old, field), present(new, field)
            if was != now:
                stood = before.stood_for.get(key, old.forecast) if field == "forecast" else None
                yield TakenValue(milestone=key, field=field, before=was, after=now, stood_for=stood)


def _back(milestone: Milestone, value: TakenValue, project: ProjectId, why: str) -> Iterator[Proposed]:
    """Yield what makes one value as it was before a pull."""
    key = milestone.id
    match value.field:
        case "milestone":
            yield RemoveMilestone(project=project, milestone=key, reason=why)
        case "title":
            details = msgspec.structs.replace(milestone.details, title=value.before)
            yield DescribeMilestone(project=project, milestone=key, details=details)
        case "forecast":
            day = date.fromisoformat(value.before)
            yield MoveForecast(project=project, milestone=key, forecast=day, reason=why)
        case "actual" if not value.before:
            yield ReopenMilestone(project=project, milestone=key, reason=why)
        case "percent":
            yield ReportProgress(project=project, milestone=key, percent=int(value.before))
        case _:
            return


def _short(title: str) -> str:
    return check.without_refused(" ".join(title.split()))[:200]
