"""The schedule: milestones, forecasts and baselines. A baseline is approved once and never overwritten."""

from datetime import date, datetime
from typing import Literal, assert_never

import msgspec

from domain import check
from domain.calendar import Calendar, calendar_days, working_days
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import MilestoneId, ProjectId
from domain.message import Command, Event
from domain.money import Money

MilestoneKind = Literal[
    "preProcurement", "approval", "engagement", "assessment", "delivery", "reporting", "financing", "payment",
    "procurement", "contractClose",
]  # fmt: skip  # OCDS 1.1 milestone type codelist
OwnerSide = Literal["ours", "theirs", "joint"]


class MilestoneDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What describes a milestone without placing it in time."""

    title: str  # internal, never disclosed
    client_title: str = ""  # what a client reads; required once client-facing
    client_facing: bool = False
    kind: MilestoneKind = "delivery"
    owner_side: OwnerSide = "ours"
    deadline: date | None = None  # contractual
    value: Money | None = None  # payment milestone
    needs_acceptance: bool = False
    client_action: str = ""  # what it waits for from the client
    client_action_due: date | None = None
    note: str = ""  # internal; no terms can select it


# events


class MilestoneAdded(Event, frozen=True, kw_only=True):
    milestone: MilestoneId
    details: MilestoneDetails
    forecast: date
    source_id: str = ""  # in the imported plan


class MilestoneDescribed(Event, frozen=True, kw_only=True):
    milestone: MilestoneId
    details: MilestoneDetails


class ForecastMoved(Event, frozen=True, kw_only=True):
    milestone: MilestoneId
    forecast: date
    reason: str
    earliest: date | None = None
    latest: date | None = None


class ProgressReported(Event, frozen=True, kw_only=True):
    milestone: MilestoneId
    percent: int  # physical percent complete


class MilestoneMet(Event, frozen=True, kw_only=True):
    milestone: MilestoneId
    actual: date


class MilestoneReopened(Event, frozen=True, kw_only=True):
    milestone: MilestoneId
    reason: str


class MilestoneAccepted(Event, frozen=True, kw_only=True):
    milestone: MilestoneId
    on: date
    by: str


class MilestoneRemoved(Event, frozen=True, kw_only=True):
    milestone: MilestoneId
    reason: str


class BaselineApproved(Event, frozen=True, kw_only=True):
    number: int
    dates: dict[MilestoneId, date]
    reason: str
    approver: str
    on: date


class PlanConfirmed(Event, frozen=True, kw_only=True):
    source: Literal["person", "import"]
    file_hash: str = ""  # sha256 hex of the imported file
    data_date: date | None = None
    note: str = ""


ScheduleEvent = (
    MilestoneAdded | MilestoneDescribed | ForecastMoved | ProgressReported | MilestoneMet | MilestoneReopened
    | MilestoneAccepted | MilestoneRemoved | BaselineApproved | PlanConfirmed
)  # fmt: skip


# state


class Move(msgspec.Struct, frozen=True):
    """One forecast on record: when it was said, for which day, why."""

    at: datetime
    forecast: date
    reason: str


class Milestone(msgspec.Struct, frozen=True, kw_only=True):
    id: MilestoneId
    details: MilestoneDetails
    moves: tuple[Move, ...]  # the first is the forecast it was added with
    described_at: datetime
    source_id: str = ""
    earliest: date | None = None
    latest: date | None = None
    percent: int | None = None
    actual: date | None = None
    accepted_on: date | None = None
    accepted_by: str = ""
    confirmed_at: datetime | None = None

    @property
    def forecast(self) -> date:
        return self.moves[-1].forecast

    @property
    def expected(self) -> date:
        """The actual date when met, else the forecast."""
        return self.actual or self.forecast


class ApprovedBaseline(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    dates: dict[MilestoneId, date]
    reason: str
    approver: str
    on: date


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    milestones: dict[MilestoneId, Milestone] = {}
    baselines: tuple[ApprovedBaseline, ...] = ()
    confirmed_at: datetime | None = None
    data_date: date | None = None
    files: tuple[str, ...] = ()  # hashes of imported files, newest last

    def baseline_of(self, milestone: MilestoneId) -> date | None:
        """Return the date in the newest baseline that has this milestone."""
        return next((b.dates[milestone] for b in reversed(self.baselines) if milestone in b.dates), None)

    def original_of(self, milestone: MilestoneId) -> date | None:
        """Return the date in the first baseline that has this milestone."""
        return next((b.dates[milestone] for b in self.baselines if milestone in b.dates), None)

    def slip_of(self, milestone: MilestoneId) -> int | None:
        """Return the slip against the current baseline in calendar days, positive = late."""
        baseline = self.baseline_of(milestone)
        return None if baseline is None else calendar_days(baseline, self.milestones[milestone].expected)

    def working_slip_of(self, milestone: MilestoneId, calendar: Calendar) -> int | None:
        """Return the slip against the current baseline in working days, positive = late."""
        baseline = self.baseline_of(milestone)
        return None if baseline is None else working_days(calendar, baseline, self.milestones[milestone].expected)

    def final(self, among: frozenset[MilestoneId] | None = None) -> MilestoneId | None:
        """Return the milestone that ends the plan: latest by baseline (forecast where it has none), then by id."""
        ids = self.milestones if among is None else [m for m in self.milestones if m in among]
        return max(ids, key=lambda m: (self.baseline_of(m) or self.milestones[m].forecast, m), default=None)


def evolve(state: Schedule, event: ScheduleEvent, at: datetime) -> Schedule:
    """Return the schedule after `event`, recorded at `at` (UTC)."""
    match event:
        case MilestoneAdded(milestone=key, details=details, forecast=forecast, source_id=source_id):
            first = Move(at, forecast, "")
            new = Milestone(id=key, details=details, moves=(first,), described_at=at, source_id=source_id)
            return _with(state, new)
        case MilestoneRemoved(milestone=key):
            rest = {k: v for k, v in state.milestones.items() if k != key}
            return msgspec.structs.replace(state, milestones=rest)
        case BaselineApproved(number=number, dates=dates, reason=reason, approver=approver, on=on):
            new_one = ApprovedBaseline(number=number, dates=dates, reason=reason, approver=approver, on=on)
            return msgspec.structs.replace(state, baselines=(*state.baselines, new_one))
        case PlanConfirmed(file_hash=file_hash, data_date=data_date):
            files = (*state.files, file_hash) if file_hash else state.files
            known = data_date or state.data_date
            return msgspec.structs.replace(state, confirmed_at=at, files=files, data_date=known)
        case _:
            return _with(state, _evolve_milestone(state.milestones[event.milestone], event, at))


def _evolve_milestone(
    old: Milestone,
    event: MilestoneDescribed | ForecastMoved | ProgressReported | MilestoneMet | MilestoneReopened | MilestoneAccepted,
    at: datetime,
) -> Milestone:
    replace = msgspec.structs.replace
    match event:
        case MilestoneDescribed(details=details):
            return replace(old, details=details, described_at=at)
        case ForecastMoved(forecast=forecast, reason=reason, earliest=earliest, latest=latest):
            moves = (*old.moves, Move(at, forecast, reason))
            return replace(old, moves=moves, earliest=earliest, latest=latest)
        case ProgressReported(percent=percent):
            return replace(old, percent=percent)
        case MilestoneMet(actual=actual):
            return replace(old, actual=actual, percent=100)
        case MilestoneReopened():
            return replace(old, actual=None, accepted_on=None, accepted_by="")
        case MilestoneAccepted(on=on, by=by):
            return replace(old, accepted_on=on, accepted_by=by)
        case _:
            assert_never(event)


def _with(state: Schedule, milestone: Milestone) -> Schedule:
    return msgspec.structs.replace(state, milestones={**state.milestones, milestone.id: milestone})


# commands


class AddMilestone(Command, frozen=True, kw_only=True):
    project: ProjectId
    milestone: MilestoneId
    details: MilestoneDetails
    forecast: date
    source_id: str = ""


class DescribeMilestone(Command, frozen=True, kw_only=True):
    project: ProjectId
    milestone: MilestoneId
    details: MilestoneDetails


class MoveForecast(Command, frozen=True, kw_only=True):
    project: ProjectId
    milestone: MilestoneId
    forecast: date
    reason: str
    earliest: date | None = None
    latest: date | None = None


class ReportProgress(Command, frozen=True, kw_only=True):
    project: ProjectId
    milestone: MilestoneId
    percent: int


class MeetMilestone(Command, frozen=True, kw_only=True):
    project: ProjectId
    milestone: MilestoneId
    actual: date


class ReopenMilestone(Command, frozen=True, kw_only=True):
    project: ProjectId
    milestone: MilestoneId
    reason: str


class AcceptMilestone(Command, frozen=True, kw_only=True):
    project: ProjectId
    milestone: MilestoneId
    on: date
    by: str


class RemoveMilestone(Command, frozen=True, kw_only=True):
    project: ProjectId
    milestone: MilestoneId
    reason: str


class ApproveBaseline(Command, frozen=True, kw_only=True):
    """Approve the present forecasts as the plan of record, or the dates given for some milestones."""

    project: ProjectId
    reason: str
    approver: str
    on: date
    dates: dict[MilestoneId, date] = {}  # for these instead of their forecast


class ConfirmPlan(Command, frozen=True, kw_only=True):
    project: ProjectId
    source: Literal["person", "import"] = "person"
    file_hash: str = ""
    data_date: date | None = None
    note: str = ""


ScheduleCommand = (
    AddMilestone | DescribeMilestone | MoveForecast | ReportProgress | MeetMilestone | ReopenMilestone
    | AcceptMilestone | RemoveMilestone | ApproveBaseline | ConfirmPlan
)  # fmt: skip


def decide(state: Schedule, command: ScheduleCommand, today: date, currency: str) -> list[ScheduleEvent]:
    """Return the events that carry out `command`; `today` is the civil date in the project's zone.

    Raises: a kind of Refused.
    """
    match command:
        case AddMilestone():
            return [_add(state, command, currency)]
        case DescribeMilestone(milestone=key, details=details):
            if _known(state, key).details == (checked := _details(details, currency)):
                return []
            return [MilestoneDescribed(milestone=key, details=checked)]
        case MoveForecast():
            return _move(_known(state, command.milestone), command)
        case ReportProgress(milestone=key, percent=percent):
            old = _open(_known(state, key))
            check.whole("percent", percent, 0, 100)
            return [] if old.percent == percent else [ProgressReported(milestone=key, percent=percent)]
        case MeetMilestone(milestone=key, actual=actual):
            return _meet(_known(state, key), check.day("actual", actual), today)
        case ReopenMilestone(milestone=key, reason=reason):
            if _known(state, key).actual is None:
                raise Conflict("This milestone has not been met, so there is nothing to reopen.")
            return [MilestoneReopened(milestone=key, reason=check.text("reason", reason, required=True))]
        case AcceptMilestone(milestone=key, on=on, by=by):
            return _accept(_known(state, key), check.day("on", on), check.line("by", by), today)
        case RemoveMilestone(milestone=key, reason=reason):
            _known(state, key)
            return [MilestoneRemoved(milestone=key, reason=check.text("reason", reason, required=True))]
        case ApproveBaseline():
            return [_approve(state, command, today)]
        case ConfirmPlan(source=source, file_hash=file_hash, data_date=data_date, note=note):
            if data_date is not None:
                check.day("data_date", data_date)
            return [
                PlanConfirmed(source=source, file_hash=file_hash, data_date=data_date, note=check.text("note", note))
            ]
        case _:
            assert_never(command)


def _known(state: Schedule, key: MilestoneId) -> Milestone:
    if key not in state.milestones:
        raise Unknown("There is no such milestone in this project. It may have been removed: reload the plan.")
    return state.milestones[key]


def _open(milestone: Milestone) -> Milestone:
    if milestone.actual is not None:
        raise Conflict(f"This milestone was met on {milestone.actual.isoformat()}. Reopen it first, with a reason.")
    return milestone


def _add(state: Schedule, command: AddMilestone, currency: str) -> MilestoneAdded:
    if command.milestone in state.milestones:
        raise Conflict("A milestone with this id is in the plan already. Use a new id.", "milestone")
    source = command.source_id
    if source and any(m.source_id == source for m in state.milestones.values()):
        raise Conflict(f"A milestone with the source id {source} is in the plan already. Move that one.", "source_id")
    check.line("milestone", command.milestone)
    return MilestoneAdded(
        milestone=command.milestone,
        details=_details(command.details, currency),
        forecast=check.day("forecast", command.forecast),
        source_id=command.source_id,
    )


def _details(details: MilestoneDetails, currency: str) -> MilestoneDetails:
    client_title = check.line("client_title", details.client_title, required=details.client_facing)
    for field in ("deadline", "client_action_due"):
        value = getattr(details, field)
        if value is not None:
            check.day(field, value)
    if details.value is not None:
        check.amount("value", details.value.amount)
        if details.value.currency != currency:
            raise Invalid(f"The value is in {details.value.currency}; this project keeps {currency}.", "value")
    return msgspec.structs.replace(
        details,
        title=check.line("title", details.title),
        client_title=client_title,
        client_action=check.line("client_action", details.client_action, required=False),
        note=check.text("note", details.note),
    )


def _move(old: Milestone, command: MoveForecast) -> list[ScheduleEvent]:
    _open(old)
    forecast = check.day("forecast", command.forecast)
    for field, value, wrong in (
        ("earliest", command.earliest, command.earliest is not None and command.earliest > forecast),
        ("latest", command.latest, command.latest is not None and command.latest < forecast),
    ):
        if value is not None and wrong:
            word = "after" if field == "earliest" else "before"
            raise Invalid(f"The {field} date {value} lies {word} the forecast {forecast}. Put them in order.", field)
    if (old.forecast, old.earliest, old.latest) == (forecast, command.earliest, command.latest):
        return []
    reason = check.text("reason", command.reason, required=True)
    return [
        ForecastMoved(
            milestone=old.id, forecast=forecast, reason=reason, earliest=command.earliest, latest=command.latest
        )
    ]


def _meet(old: Milestone, actual: date, today: date) -> list[ScheduleEvent]:
    if old.actual == actual:
        return []
    _open(old)
    if actual > today:
        raise Invalid(
            f"It cannot have been met on {actual}, which is after today, {today}. Move the forecast.", "actual"
        )
    return [MilestoneMet(milestone=old.id, actual=actual)]


def _accept(old: Milestone, on: date, by: str, today: date) -> list[ScheduleEvent]:
    if not old.details.needs_acceptance:
        raise Conflict("This milestone needs no acceptance. Say so in its details first.")
    if old.actual is None:
        raise Conflict("It has not been met, so it cannot be accepted. Record the actual date first.")
    if on < old.actual:
        raise Invalid(f"Acceptance on {on} lies before it was met on {old.actual}. Put the dates in order.", "on")
    if on > today:
        raise Invalid(f"Acceptance on {on} lies after today, {today}.", "on")
    return [MilestoneAccepted(milestone=old.id, on=on, by=by)]


def _approve(state: Schedule, command: ApproveBaseline, today: date) -> BaselineApproved:
    for key, value in command.dates.items():
        _known(state, key)
        check.day("dates", value)
    if not state.milestones:
        raise Conflict("There is no milestone to agree on yet. Add one or import a plan first.")
    if command.on > today:
        raise Invalid(f"A plan cannot have been agreed on {command.on}, which is after today, {today}.", "on")
    if state.baselines and command.on < state.baselines[-1].on:
        earlier = state.baselines[-1].on
        raise Invalid(f"The last plan was agreed on {earlier}; this one cannot be older. Correct the date.", "on")
    dates = {key: command.dates.get(key) or _to_agree(state, milestone) for key, milestone in state.milestones.items()}
    return BaselineApproved(
        number=len(state.baselines) + 1,
        dates=dates,
        reason=check.text("reason", command.reason, required=True),
        approver=check.line("approver", command.approver),
        on=check.day("on", command.on),
    )


def _to_agree(state: Schedule, milestone: Milestone) -> date:
    """What is met keeps the date it was agreed for: a new plan cannot make a late milestone punctual."""
    return (state.baseline_of(milestone.id) if milestone.actual else None) or milestone.expected
