"""The project: its events, state and commands, including those of its schedule, budget, risks and health."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, assert_never, cast, get_args
from zoneinfo import ZoneInfo

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Stale, Unknown
from domain.ids import PersonId, ProjectId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.plan import budget as budgets
from domain.plan import health as healths
from domain.plan import putting_back
from domain.plan import risks as registers
from domain.plan import schedule as schedules
from domain.plan.calendar import Calendar, working
from domain.plan.health import Tolerances
from domain.plan.putting_back import ChangePutBack, LatestChange, PutBack
from domain.plan.risks import Scale
from domain.plan.scores import rising
from domain.plan.sources import commands as source_commands
from domain.plan.sources import origins as origin
from domain.plan.sources import pulls
from domain.plan.sources import source as attached
from domain.plan.sources.rules import Proposed

# events


class ProjectStarted(Event, frozen=True, kw_only=True):
    project: ProjectId
    title: str  # internal, never disclosed
    client_title: str
    owner: PersonId
    currency: str
    time_zone: str
    calendar: Calendar
    tolerances: Tolerances
    scale: Scale


class ProjectDescribed(Event, frozen=True, kw_only=True):
    title: str
    client_title: str
    owner: PersonId


class ProjectCorrected(Event, frozen=True, kw_only=True):
    """Currency and zone were put right before anything depended on them."""

    currency: str
    time_zone: str


class CalendarSet(Event, frozen=True, kw_only=True):
    calendar: Calendar


class TolerancesSet(Event, frozen=True, kw_only=True):
    tolerances: Tolerances
    reason: str


class ProjectHeld(Event, frozen=True, kw_only=True):
    reason: str


class ProjectResumed(Event, frozen=True, kw_only=True):
    reason: str


class ProjectClosed(Event, frozen=True, kw_only=True):
    reason: str


OwnEvent = (
    ProjectStarted
    | ProjectDescribed
    | ProjectCorrected
    | CalendarSet
    | TolerancesSet
    | ProjectHeld
    | ProjectResumed
    | ProjectClosed
    | ChangePutBack
)
ProjectEvent = (
    OwnEvent
    | schedules.ScheduleEvent
    | budgets.BudgetEvent
    | registers.RiskEvent
    | healths.HealthEvent
    | attached.SourceEvent
)


# state

Phase = Literal["running", "on_hold", "closed"]


class Project(msgspec.Struct, frozen=True, kw_only=True):
    id: ProjectId
    title: str
    client_title: str
    owner: PersonId
    currency: str
    time_zone: str
    calendar: Calendar
    tolerances: Tolerances
    scale: Scale
    phase: Phase = "running"
    schedule: schedules.Schedule = schedules.Schedule()
    budget: budgets.Budget = budgets.Budget()
    risks: registers.Register = registers.Register()
    health: healths.Health = healths.Health()
    sources: attached.Sources = {}
    origins: origin.Origins = origin.Origins()
    changed_at: datetime

    def civil(self, at: datetime) -> date:
        """Return the civil date of an instant in the project's zone."""
        return at.astimezone(ZoneInfo(self.time_zone)).date()

    def facts(self) -> healths.Facts:
        """Return the parts of the project that health is judged by."""
        return healths.Facts(self.tolerances, self.scale, self.schedule, self.budget, self.risks)


def evolve(state: Project | None, event: ProjectEvent, at: datetime) -> Project:
    """Return the project after `event`, recorded at `at` (UTC)."""
    if isinstance(event, ProjectStarted):
        return _started(event, at)
    if state is None:
        message = f"expected ProjectStarted first, got {type(event).__name__}"
        raise ValueError(message)
    if type(event) in _OF_SCHEDULE:
        return _rescheduled(state, cast("schedules.ScheduleEvent", event), at)
    moved = _evolve(state, event, at)
    health = healths.assess(moved.health, state.facts(), moved.facts())
    return msgspec.structs.replace(moved, changed_at=at, health=health)


_OF_SCHEDULE = frozenset(get_args(schedules.ScheduleEvent))  # most events of a project, so they are told apart first


def _rescheduled(state: Project, event: schedules.ScheduleEvent, at: datetime) -> Project:
    schedule = schedules.evolve(state.schedule, event, at)
    new = healths.Facts(state.tolerances, state.scale, schedule, state.budget, state.risks)
    return msgspec.structs.replace(
        state,
        schedule=schedule,
        origins=origin.changed(state.origins, event, state.schedule, schedule),
        changed_at=at,
        health=healths.assess(state.health, state.facts(), new),
    )


def _evolve(state: Project, event: ProjectEvent, at: datetime) -> Project:
    replace = msgspec.structs.replace
    match event:
        case ProjectDescribed(title=title, client_title=client_title, owner=owner):
            return replace(state, title=title, client_title=client_title, owner=owner)
        case ProjectCorrected(currency=currency, time_zone=time_zone):
            return replace(state, currency=currency, time_zone=time_zone)
        case CalendarSet(calendar=calendar):
            return replace(state, calendar=calendar)
        case TolerancesSet(tolerances=tolerances):
            return replace(state, tolerances=tolerances)
        case ProjectHeld():
            return replace(state, phase="on_hold")
        case ProjectResumed():
            return replace(state, phase="running")
        case ProjectClosed():
            return replace(state, phase="closed")
        case ProjectStarted():
            return _started(event, at)
        case ChangePutBack():
            return state
        case healths.HealthOverridden() | healths.HealthOverrideEnded():
            return replace(state, health=healths.evolve(state.health, event))
        case _ if isinstance(event, schedules.ScheduleEvent):
            return _rescheduled(state, event, at)
        case _ if isinstance(event, attached.SourceEvent):
            known = attached.evolve(state.sources, event, at)
            if isinstance(event, attached.SourcePulled | attached.SourceSettled):
                return replace(state, sources=known, origins=origin.pulled(state.origins, event, at))
            return replace(state, sources=known)
        case _ if isinstance(event, budgets.BudgetEvent):
            return replace(state, budget=budgets.evolve(state.budget, event, at))
        case _ if isinstance(event, registers.RiskEvent):
            return replace(state, risks=registers.evolve(state.risks, event, at))
        case _:
            assert_never(event)


def _started(event: ProjectStarted, at: datetime) -> Project:
    return Project(
        id=event.project,
        title=event.title,
        client_title=event.client_title,
        owner=event.owner,
        currency=event.currency,
        time_zone=event.time_zone,
        calendar=event.calendar,
        tolerances=event.tolerances,
        scale=event.scale,
        changed_at=at,
    )


# commands


class StartProject(Command, frozen=True, kw_only=True):
    project: ProjectId
    title: str
    client_title: str
    owner: PersonId
    currency: str
    time_zone: str
    calendar: Calendar = Calendar()
    tolerances: Tolerances = Tolerances()
    scale: Scale = Scale()


class DescribeProject(Command, frozen=True, kw_only=True):
    project: ProjectId
    title: str
    client_title: str
    owner: PersonId


class CorrectProject(Command, frozen=True, kw_only=True):
    """Put currency and time zone right while no figure and no date depends on them."""

    project: ProjectId
    currency: str
    time_zone: str


class SetCalendar(Command, frozen=True, kw_only=True):
    project: ProjectId
    calendar: Calendar


class SetTolerances(Command, frozen=True, kw_only=True):
    project: ProjectId
    tolerances: Tolerances
    reason: str


class HoldProject(Command, frozen=True, kw_only=True):
    project: ProjectId
    reason: str


class ResumeProject(Command, frozen=True, kw_only=True):
    project: ProjectId
    reason: str


class CloseProject(Command, frozen=True, kw_only=True):
    project: ProjectId
    reason: str


OwnCommand = (
    StartProject
    | DescribeProject
    | CorrectProject
    | SetCalendar
    | SetTolerances
    | HoldProject
    | ResumeProject
    | CloseProject
)
PlainCommand = (
    OwnCommand | schedules.ScheduleCommand | budgets.BudgetCommand | registers.RiskCommand | healths.HealthCommand
)


class ChangeTogether(Command, frozen=True, kw_only=True):
    """Several commands on one project that are carried out together or not at all, as one update."""

    project: ProjectId
    commands: tuple[PlainCommand, ...]


SourcesCommand = source_commands.SourceCommand | pulls.PullCommand
ProjectCommand = PlainCommand | ChangeTogether | PutBack | SourcesCommand


def decide(
    state: Project | None, command: ProjectCommand, now: datetime, changes: Sequence[LatestChange] = ()
) -> list[ProjectEvent]:
    """Return the events that carry out `command` at `now` (UTC); none when nothing would change.

    `changes`: the latest of the project, of which one can be put back.

    Raises: a kind of Refused.
    """
    if isinstance(command, ChangeTogether):
        return _together(state, command, now)
    if isinstance(command, StartProject):
        return _start(state, command)
    if state is None:
        raise Unknown(_("There is no such project. Check the address, or start the project first."))
    if state.phase == "closed" and not isinstance(command, schedules.EndDay):  # whose days pass all the same
        raise Conflict(
            _("This project is closed: its record can be read, but nothing changes any more. Start a new one.")
        )
    if isinstance(command, PutBack):
        return _put_back(state, command, now, changes)
    if isinstance(command, SourcesCommand):
        return _sourced(state, command, now)
    return _decide(state, command, now)


def _sourced(state: Project, command: SourcesCommand, now: datetime) -> list[ProjectEvent]:
    """Return what a command on a source does; of a pull, what it takes and then its record."""
    if isinstance(command, source_commands.SourceCommand):
        return list(source_commands.decide(state.sources, command))
    source = source_commands.attached(state.sources, command.source)
    now = max(now, state.changed_at)  # a clock that was set back puts nothing before what is recorded
    events: list[ProjectEvent] = []
    after = state

    def carry(parts: Sequence[Proposed]) -> schedules.Schedule:
        nonlocal after
        new, then = list[ProjectEvent](), after
        for part in parts:
            for event in _decide(then, part, now):
                new.append(event)
                then = evolve(then, event, now)
        events.extend(new)
        after = then
        return after.schedule

    before = pulls.Before(state.schedule, state.origins.stood_for)
    match command:
        case pulls.TakePull():
            record = pulls.take(source, before, command, carry)
            return [*events, record]
        case pulls.SettleSource():
            settled = pulls.settle(source, before, command, carry)
            return [*events, settled]
        case pulls.PutPullBack():
            back = pulls.put_back(source, before, command, carry)
            return [*events, *back]
        case _:
            assert_never(command)


def _put_back(state: Project, command: PutBack, now: datetime, changes: Sequence[LatestChange]) -> list[ProjectEvent]:
    events = putting_back.decide(command, changes, state.schedule, state.risks, now)
    after = state
    for event in events:
        after = evolve(after, event, now)
    return [*events, *schedules.days_passed(state.schedule, after.schedule, state.civil(now))]


def _decide(state: Project, command: PlainCommand, now: datetime) -> list[ProjectEvent]:
    as_of: datetime | None = getattr(command, "as_of", None)
    if as_of is not None:
        as_of = check.not_after("as_of", as_of, now)
        command = msgspec.structs.replace(command, as_of=as_of)
    today = state.civil(as_of or now)
    match command:
        case DescribeProject():
            return _describe(state, command)
        case CorrectProject():
            return _correct(state, command)
        case SetCalendar(calendar=calendar):
            checked = working(calendar)
            return [] if checked == state.calendar else [CalendarSet(calendar=checked)]
        case SetTolerances(tolerances=tolerances, reason=reason):
            healths.tolerable(tolerances)
            if tolerances == state.tolerances:
                return []
            return [TolerancesSet(tolerances=tolerances, reason=check.text("reason", reason, required=True))]
        case HoldProject(reason=reason):
            if state.phase == "on_hold":
                raise Conflict(_("This project is on hold already."))
            return [ProjectHeld(reason=check.text("reason", reason, required=True))]
        case ResumeProject(reason=reason):
            if state.phase == "running":
                raise Conflict(_("This project is running already."))
            return [ProjectResumed(reason=check.text("reason", reason))]
        case CloseProject(reason=reason):
            return [ProjectClosed(reason=check.text("reason", reason, required=True))]
        case StartProject():
            return _start(state, command)
        case _ if isinstance(command, schedules.ScheduleCommand):
            return _scheduled(state, command, today, now)
        case _ if isinstance(command, budgets.BudgetCommand):
            return list(budgets.decide(state.budget, command, today, state.currency))
        case _ if isinstance(command, registers.RiskCommand):
            return list(registers.decide(state.risks, command, state.scale))
        case _ if isinstance(command, healths.HealthCommand):
            return list(healths.decide(state.health, command, now))
        case _:
            assert_never(command)


def _scheduled(state: Project, command: schedules.ScheduleCommand, today: date, now: datetime) -> list[ProjectEvent]:
    """Return what a command does to the schedule; a date that is past when it is set is overdue at once."""
    events = schedules.decide(state.schedule, command, today, state.currency)
    after = state.schedule
    for event in events:
        after = schedules.evolve(after, event, now)
    return [*events, *schedules.days_passed(state.schedule, after, state.civil(now))]


def _together(state: Project | None, command: ChangeTogether, now: datetime) -> list[ProjectEvent]:
    if not command.commands:
        raise Invalid(_("There is nothing to change. Choose at least one line."), "commands")
    events: list[ProjectEvent] = []
    for part in command.commands:
        if part.project != command.project:
            raise Invalid(_("Changes made together have to be of one project."), "commands")
        new = decide(state, part, now)
        for event in new:
            state = evolve(state, event, now)
        events += new
    return events


def _start(state: Project | None, command: StartProject) -> list[ProjectEvent]:
    if state is not None:
        raise Conflict(_("A project with this id exists already. Use a new id."), "project")
    healths.tolerable(command.tolerances)
    rising(command.scale)
    return [
        ProjectStarted(
            project=ProjectId(check.identifier("project", command.project)),
            title=check.line("title", command.title),
            client_title=check.line("client_title", command.client_title),
            owner=PersonId(check.identifier("owner", command.owner)),
            currency=check.currency("currency", command.currency),
            time_zone=check.zone("time_zone", command.time_zone),
            calendar=working(command.calendar),
            tolerances=command.tolerances,
            scale=command.scale,
        )
    ]


def _describe(state: Project, command: DescribeProject) -> list[ProjectEvent]:
    title = check.line("title", command.title)
    client_title = check.line("client_title", command.client_title)
    owner = PersonId(check.identifier("owner", command.owner))
    if (state.title, state.client_title, state.owner) == (title, client_title, owner):
        return []
    return [ProjectDescribed(title=title, client_title=client_title, owner=owner)]


def _correct(state: Project, command: CorrectProject) -> list[ProjectEvent]:
    currency = check.currency("currency", command.currency)
    time_zone = check.zone("time_zone", command.time_zone)
    if currency != state.currency and _has_amounts(state):
        raise Conflict(
            _(
                "This project keeps amounts in {currency} already, and they would be read in another currency. Start a "
                "new project for {other}.",
                currency=state.currency,
                other=currency,
            ),
            "currency",
        )
    if time_zone != state.time_zone and _has_dates(state):
        raise Conflict(
            _(
                "This project has dates already, which are days in {time_zone}. Start a new project for {other}.",
                time_zone=state.time_zone,
                other=time_zone,
            ),
            "time_zone",
        )
    if (currency, time_zone) == (state.currency, state.time_zone):
        return []
    return [ProjectCorrected(currency=currency, time_zone=time_zone)]


def _has_amounts(state: Project) -> bool:
    return bool(state.budget.accounts) or any(m.details.value for m in state.schedule.milestones.values())


def _has_dates(state: Project) -> bool:
    s = state.schedule
    dated = s.milestones or s.baselines or s.confirmed_at or state.budget.accounts or state.health.overrides
    return bool(dated)


def expect(version: int, expected: int | None) -> None:
    """Raise Stale unless the sender expects the present version, or none."""
    if expected is not None and expected != version:
        message = _(
            "You looked at version {expected} and this is version {version}. Look at what changed, then repeat.",
            expected=expected,
            version=version,
        )
        raise Stale(message)
