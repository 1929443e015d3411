"""The schedule: milestones and the plans agreed for them.

Rule: a baseline is approved once and never overwritten.
"""

from datetime import date, datetime
from typing import Literal

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import MilestoneId, ProjectId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.plan import milestones
from domain.plan.calendar import Calendar, calendar_days, working_days
from domain.plan.milestones import (
    AcceptMilestone,
    AddMilestone,
    DescribeMilestone,
    ForecastMoved,
    LinkMilestone,
    MeetMilestone,
    Milestone,
    MilestoneAccepted,
    MilestoneAdded,
    MilestoneCommand,
    MilestoneDescribed,
    MilestoneDetails,
    MilestoneEvent,
    MilestoneKind,
    MilestoneLinked,
    MilestoneMet,
    MilestoneRemoved,
    MilestoneReopened,
    MilestoneRestored,
    Move,
    MoveForecast,
    OwnerSide,
    ProgressReported,
    RemoveMilestone,
    ReopenMilestone,
    ReportProgress,
    RestoreMilestone,
)

__all__ = [
    "AcceptMilestone", "AddMilestone", "ApproveBaseline", "ApprovedBaseline", "BaselineApproved", "ConfirmPlan",
    "DayEnded", "DescribeMilestone", "EndDay", "ForecastMoved", "LinkMilestone", "MeetMilestone", "Milestone",
    "MilestoneAccepted", "MilestoneAdded", "MilestoneDescribed", "MilestoneDetails", "MilestoneKind",
    "MilestoneLinked", "MilestoneMet", "MilestoneRemoved", "MilestoneReopened", "MilestoneRestored", "Move",
    "MoveForecast", "OwnerSide", "PlanConfirmed", "ProgressReported", "RemoveMilestone", "ReopenMilestone",
    "ReportProgress", "RestoreMilestone", "Schedule", "ScheduleCommand", "ScheduleEvent", "decide", "evolve",
]  # fmt: skip


# events


class BaselineApproved(Event, frozen=True, kw_only=True):
    number: int
    dates: dict[MilestoneId, date]
    reason: str
    approver: str
    on: date


class PlanConfirmed(Event, frozen=True, kw_only=True):
    source: Literal["person", "import", "source"]
    file_hash: str = ""  # sha256 hex of the imported file
    data_date: date | None = None
    note: str = ""
    as_of: datetime | None = None
    title: str = ""  # of the plan, as the imported file has it


class DayEnded(Event, frozen=True, kw_only=True):
    """A day in which a date of the plan lies is over in the project's zone; it judges nothing."""

    day: date


ScheduleEvent = MilestoneEvent | BaselineApproved | PlanConfirmed | DayEnded


# state


class ApprovedBaseline(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    dates: dict[MilestoneId, date]
    reason: str
    approver: str
    on: date


class Confirmation(msgspec.Struct, frozen=True):
    """When a confirmation was recorded, and since when it held in its source; UTC."""

    at: datetime | None
    as_of: datetime | None
    quietly: bool = False  # by a source that had nothing new, or with what it had: nobody is told of it


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    milestones: dict[MilestoneId, Milestone] = {}
    removed: dict[MilestoneId, Milestone] = {}  # as each was when it left the plan; none of them is shown
    baselines: tuple[ApprovedBaseline, ...] = ()
    agreed: dict[MilestoneId, date] = {}  # from the baselines: the newest date agreed for each milestone
    agreed_first: dict[MilestoneId, date] = {}  # from the baselines: the first date agreed
    confirmed_at: datetime | None = None  # when the confirmation that holds since latest was recorded
    confirmed_as_of: datetime | None = None  # since when it held in its source, where that is said
    confirmed_quietly: bool = False  # by a source
    data_date: date | None = None
    files: tuple[str, ...] = ()  # hashes of imported files, newest last
    plan_title: str = ""  # as the last imported file that had one had it
    ended: date | None = None  # the last day that is recorded as over in the project's zone

    @property
    def confirmed_since(self) -> datetime | None:
        """The newest instant (UTC) at which the plan is known to have been confirmed."""
        return self.confirmed_as_of or self.confirmed_at

    @property
    def listed(self) -> tuple[ApprovedBaseline, ...]:
        """The agreed plans, of which a list may be shown."""
        return self.baselines

    @property
    def withheld(self) -> tuple[object, ...]:
        """What else than these fields some milestones are shown by; nothing unless some wait for review."""
        return ()

    def confirmation(self, _milestone: MilestoneId | None = None) -> Confirmation:
        """Return the confirmation that holds since latest: of a milestone, None for the whole plan."""
        return Confirmation(self.confirmed_at, self.confirmed_as_of, self.confirmed_quietly)

    def baseline_of(self, milestone: MilestoneId) -> date | None:
        """Return the date in the newest baseline that has this milestone."""
        return self.agreed.get(milestone)

    def original_of(self, milestone: MilestoneId) -> date | None:
        """Return the date in the first baseline that has this milestone."""
        return self.agreed_first.get(milestone)

    def slip_of(self, milestone: MilestoneId) -> int | None:
        """Return the slip against the current baseline in calendar days, positive = late."""
        baseline = self.baseline_of(milestone)
        return None if baseline is None else calendar_days(baseline, self.milestones[milestone].expected)

    def working_slip_of(self, milestone: MilestoneId, calendar: Calendar) -> int | None:
        """Return the slip against the current baseline in working days, positive = late."""
        baseline = self.baseline_of(milestone)
        return None if baseline is None else working_days(calendar, baseline, self.milestones[milestone].expected)

    def has_passed(self, day: date) -> bool:
        """Tell whether a day is over, as far as it is recorded."""
        return self.ended is not None and day <= self.ended

    def overdue(self) -> frozenset[MilestoneId]:
        """Return the milestones whose forecast has passed without their being met."""
        if (ended := self.ended) is None:
            return frozenset()
        return frozenset(m.id for m in self.milestones.values() if m.moves[-1].forecast <= ended and m.actual is None)

    def final(self, among: frozenset[MilestoneId] | None = None) -> MilestoneId | None:
        """Return the milestone that ends the plan, None where there is none; `among` limits it to these milestones.

        It is the one with the latest agreed date or, while no date is agreed, with the latest forecast.
        """
        ids = [m for m in self.milestones if among is None or m in among]
        if agreed := list(filter(self.agreed.__contains__, ids)):
            return max(zip(map(self.agreed.__getitem__, agreed), agreed, strict=True))[1]
        return max([(self.milestones[m].forecast, m) for m in ids])[1] if ids else None


def evolve(state: Schedule, event: ScheduleEvent, at: datetime) -> Schedule:
    """Return the schedule after `event`, recorded at `at` (UTC)."""
    match event:
        case ForecastMoved(milestone=key):  # most of them, so it is asked for first
            return _with(state, milestones.evolve(state.milestones[key], event, at))
        case MilestoneAdded():
            return _with(state, milestones.begin(event, at))
        case MilestoneRemoved(milestone=key):
            rest = {k: v for k, v in state.milestones.items() if k != key}
            gone = {**state.removed, key: state.milestones[key]}
            return msgspec.structs.replace(state, milestones=rest, removed=gone)
        case MilestoneRestored(milestone=key, source_id=source):
            gone = {k: v for k, v in state.removed.items() if k != key}
            back = msgspec.structs.replace(state.removed[key], source_id=source)
            return _with(msgspec.structs.replace(state, removed=gone), back)
        case BaselineApproved():
            return _agreed(state, event)
        case PlanConfirmed():
            return _confirmed(state, event, at)
        case DayEnded(day=day):
            return msgspec.structs.replace(state, ended=day)
        case _:
            return _with(state, milestones.evolve(state.milestones[event.milestone], event, at))


def _with(state: Schedule, milestone: Milestone) -> Schedule:
    return msgspec.structs.replace(state, milestones={**state.milestones, milestone.id: milestone})


def _confirmed(state: Schedule, event: PlanConfirmed, at: datetime) -> Schedule:
    files = (*state.files, event.file_hash) if event.file_hash else state.files
    state = msgspec.structs.replace(state, plan_title=event.title or state.plan_title)
    if state.confirmed_since is not None and (event.as_of or at) < state.confirmed_since:
        return msgspec.structs.replace(state, files=files)
    newest = event.data_date or state.data_date
    quietly = event.source == "source"
    return msgspec.structs.replace(
        state, confirmed_at=at, confirmed_as_of=event.as_of, confirmed_quietly=quietly, files=files, data_date=newest
    )


def _agreed(state: Schedule, event: BaselineApproved) -> Schedule:
    new = ApprovedBaseline(
        number=event.number, dates=event.dates, reason=event.reason, approver=event.approver, on=event.on
    )
    return msgspec.structs.replace(
        state,
        baselines=(*state.baselines, new),
        agreed={**state.agreed, **event.dates},
        agreed_first={**event.dates, **state.agreed_first},
    )


# commands


class ApproveBaseline(Command, frozen=True, kw_only=True):
    """Approve the present forecasts as the plan of record, or the dates given for some milestones."""

    project: ProjectId
    reason: str
    approver: str
    on: date
    dates: dict[MilestoneId, date] = {}  # for these instead of their forecast
    only: bool = False  # whether nothing but these dates is agreed; every other milestone keeps what was agreed for it


class ConfirmPlan(Command, frozen=True, kw_only=True):
    project: ProjectId
    source: Literal["person", "import", "source"] = "person"
    file_hash: str = ""
    data_date: date | None = None
    note: str = ""
    as_of: datetime | None = None
    title: str = ""


class EndDay(Command, frozen=True, kw_only=True):
    """Record that a day is over; for the system alone, and only for days that a date of the plan makes worth it."""

    project: ProjectId
    day: date


ScheduleCommand = MilestoneCommand | ApproveBaseline | ConfirmPlan | EndDay


def decide(state: Schedule, command: ScheduleCommand, today: date, currency: str) -> list[ScheduleEvent]:
    """Return the events that carry out `command`; `today` is the civil date in the project's zone.

    Raises: a kind of Refused.
    """
    match command:
        case AddMilestone():
            return [_add(state, command, currency)]
        case RestoreMilestone():
            return [_restore(state, command)]
        case LinkMilestone(milestone=key, source_id=source):
            _free(state, source, key)
            return list(milestones.decide(_existing(state, key), command, today, currency))
        case ApproveBaseline():
            return _approve(state, command, today)
        case ConfirmPlan():
            return [_confirm(command)]
        case EndDay(day=day):
            if day >= today:
                raise Invalid(_("{day} is not over yet; today is {today}.", day=day, today=today), "day")
            return [] if state.has_passed(day) else [DayEnded(day=day)]
        case _:
            return list(milestones.decide(_existing(state, command.milestone), command, today, currency))


def days_passed(before: Schedule, after: Schedule, today: date) -> list[DayEnded]:
    """Return that the newest date set that lies in the past is over: so it is overdue at once.

    No later day is recorded: it would end for other dates, at the instant of a command that need not be shared.
    """
    new = (m for key, m in after.milestones.items() if m is not before.milestones.get(key) and m.actual is None)
    passed = [m.forecast for m in new if m.forecast < today and not after.has_passed(m.forecast)]
    return [DayEnded(day=max(passed))] if passed else []


def _existing(state: Schedule, key: MilestoneId) -> Milestone:
    if key not in state.milestones:
        raise Unknown(_("There is no such milestone in this project. It may have been removed: reload the plan."))
    return state.milestones[key]


def _add(state: Schedule, command: AddMilestone, currency: str) -> MilestoneAdded:
    check.identifier("milestone", command.milestone)
    if command.milestone in state.milestones:
        raise Conflict(_("A milestone with this id is in the plan already. Use a new id."), "milestone")
    source = check.line("source_id", command.source_id, required=False)
    _free(state, source, command.milestone)
    return MilestoneAdded(
        milestone=command.milestone,
        details=milestones.described(command.details, currency),
        forecast=check.day("forecast", command.forecast),
        source_id=source,
        as_of=command.as_of,
    )


def _restore(state: Schedule, command: RestoreMilestone) -> MilestoneRestored:
    key = command.milestone
    if key in state.milestones:
        raise Conflict(_("This milestone is on the plan, so there is nothing to restore."), "milestone")
    if key not in state.removed:
        raise Unknown(_("No milestone with this id was ever removed from this plan. Add a new one."), "milestone")
    source = check.line("source_id", command.source_id, required=False) or state.removed[key].source_id
    _free(state, source, key)
    return MilestoneRestored(milestone=key, source_id=source)


def _free(state: Schedule, source: str, key: MilestoneId) -> None:
    """Do nothing where no other milestone of the plan has this id in the plan it comes from.

    Raises: Conflict.
    """
    if source and any(m.source_id == source and m.id != key for m in state.milestones.values()):
        raise Conflict(
            _("A milestone with the source id {source} is in the plan already. Move that one.", source=source),
            "source_id",
        )


def _confirm(command: ConfirmPlan) -> PlanConfirmed:
    if command.data_date is not None:
        check.day("data_date", command.data_date)
    return PlanConfirmed(
        source=command.source,
        file_hash=check.line("file_hash", command.file_hash, required=False),
        data_date=command.data_date,
        note=check.text("note", command.note),
        as_of=command.as_of,
        title=check.line("title", command.title, required=False),
    )


def _approve(state: Schedule, command: ApproveBaseline, today: date) -> list[ScheduleEvent]:
    if not state.milestones:
        raise Conflict(_("There is no milestone to agree on yet. Add one or import a plan first."))
    event = BaselineApproved(
        number=len(state.baselines) + 1,
        dates=_dates(state, command.dates, only=command.only),
        reason=check.text("reason", command.reason, required=True),
        approver=check.line("approver", command.approver),
        on=check.day("on", command.on),
    )
    if event.on > today:
        raise Invalid(
            _("A plan cannot have been agreed on {on}, which is after today, {today}.", on=event.on, today=today), "on"
        )
    if not state.baselines:
        return [event]
    last = state.baselines[-1]
    if event.on < last.on:
        raise Invalid(
            _("The last plan was agreed on {on}; this one cannot be older. Correct the date.", on=last.on), "on"
        )
    new = (event.dates, event.reason, event.approver, event.on)
    return [] if new == (last.dates, last.reason, last.approver, last.on) else [event]


def _dates(state: Schedule, given: dict[MilestoneId, date], *, only: bool) -> dict[MilestoneId, date]:
    """Return the dates of a new plan. A met milestone keeps its agreed date, or a late one would become punctual.

    With `only`, a milestone without a date of its own stays without one, or keeps the one agreed before.

    Raises: Unknown, Invalid, Conflict.
    """
    for key, value in given.items():
        milestone = _existing(state, key)
        check.day("dates", value)
        if milestone.actual and state.baseline_of(key) not in (None, value):
            message = _(
                "“{title}” was met on {actual}, so the date agreed for it stays.",
                title=milestone.details.title,
                actual=milestone.actual,
            )
            raise Conflict(_("{message} Leave it out of the new plan.", message=message), "dates")
    if only and not given:
        raise Invalid(_("No date is given to agree on. Give at least one."), "dates")
    if only:
        kept = {key: state.agreed[key] for key in state.milestones if key in state.agreed}
        return {key: day for key in state.milestones if (day := given.get(key) or kept.get(key))}
    return {key: given.get(key) or _to_agree(state, milestone) for key, milestone in state.milestones.items()}


def _to_agree(state: Schedule, milestone: Milestone) -> date:
    return (state.baseline_of(milestone.id) if milestone.actual else None) or milestone.expected
