"""The project: one stream of events, its state, and everything that can be asked of it."""

from datetime import date, datetime
from typing import Literal, assert_never
from zoneinfo import ZoneInfo

import msgspec

from domain import budget as budgets
from domain import check
from domain import health as healths
from domain import risks as registers
from domain import schedule as schedules
from domain.calendar import Calendar
from domain.errors import Conflict, Invalid, Stale, Unknown
from domain.health import Tolerances
from domain.ids import PersonId, ProjectId
from domain.message import Command, Event
from domain.risks import Scale

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
    ProjectStarted | ProjectDescribed | CalendarSet | TolerancesSet | ProjectHeld | ProjectResumed | ProjectClosed
)
ProjectEvent = OwnEvent | schedules.ScheduleEvent | budgets.BudgetEvent | registers.RiskEvent | healths.HealthEvent


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
    changed_at: datetime

    def civil(self, at: datetime) -> date:
        """Return the civil date of an instant in the project's zone."""
        return at.astimezone(ZoneInfo(self.time_zone)).date()


def evolve(state: Project | None, event: ProjectEvent, at: datetime) -> Project:
    """Return the project after `event`, recorded at `at` (UTC)."""
    if isinstance(event, ProjectStarted):
        return _started(event, at)
    if state is None:
        message = f"expected ProjectStarted first, got {type(event).__name__}"
        raise ValueError(message)
    moved = msgspec.structs.replace(_evolve(state, event, at), changed_at=at)
    return msgspec.structs.replace(
        moved,
        health=healths.assess(moved.health, moved.tolerances, moved.scale, moved.schedule, moved.budget, moved.risks),
    )


def _evolve(state: Project, event: ProjectEvent, at: datetime) -> Project:
    replace = msgspec.structs.replace
    match event:
        case ProjectDescribed(title=title, client_title=client_title, owner=owner):
            return replace(state, title=title, client_title=client_title, owner=owner)
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
        case healths.HealthOverridden() | healths.HealthOverrideEnded():
            return replace(state, health=healths.evolve(state.health, event))
        case _ if isinstance(event, schedules.ScheduleEvent):
            return replace(state, schedule=schedules.evolve(state.schedule, event, at))
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


OwnCommand = StartProject | DescribeProject | SetCalendar | SetTolerances | HoldProject | ResumeProject | CloseProject
PlainCommand = (
    OwnCommand | schedules.ScheduleCommand | budgets.BudgetCommand | registers.RiskCommand | healths.HealthCommand
)


class ChangeTogether(Command, frozen=True, kw_only=True):
    """Several changes of one project that are recorded together or not at all, as one update."""

    project: ProjectId
    commands: tuple[PlainCommand, ...]


ProjectCommand = PlainCommand | ChangeTogether


def decide(state: Project | None, command: ProjectCommand, now: datetime) -> list[ProjectEvent]:
    """Return the events that carry out `command` at `now` (UTC); none when nothing would change.

    Raises: a kind of Refused.
    """
    if isinstance(command, ChangeTogether):
        return _together(state, command, now)
    if isinstance(command, StartProject):
        return _start(state, command)
    if state is None:
        raise Unknown("There is no such project. Check the address, or start the project first.")
    if state.phase == "closed":
        raise Conflict("This project is closed. Its record can be read, but nothing more can change.")
    return _decide(state, command, now)


def _decide(state: Project, command: PlainCommand, now: datetime) -> list[ProjectEvent]:
    today = state.civil(now)
    match command:
        case DescribeProject():
            return _describe(state, command)
        case SetCalendar(calendar=calendar):
            return [] if calendar == state.calendar else [CalendarSet(calendar=_calendar(calendar))]
        case SetTolerances(tolerances=tolerances, reason=reason):
            _tolerances(tolerances)
            if tolerances == state.tolerances:
                return []
            return [TolerancesSet(tolerances=tolerances, reason=check.text("reason", reason, required=True))]
        case HoldProject(reason=reason):
            if state.phase == "on_hold":
                raise Conflict("This project is on hold already.")
            return [ProjectHeld(reason=check.text("reason", reason, required=True))]
        case ResumeProject(reason=reason):
            if state.phase == "running":
                raise Conflict("This project is running already.")
            return [ProjectResumed(reason=check.text("reason", reason))]
        case CloseProject(reason=reason):
            return [ProjectClosed(reason=check.text("reason", reason, required=True))]
        case StartProject():
            return _start(state, command)
        case _ if isinstance(command, schedules.ScheduleCommand):
            return list(schedules.decide(state.schedule, command, today, state.currency))
        case _ if isinstance(command, budgets.BudgetCommand):
            return list(budgets.decide(state.budget, command, today, state.currency))
        case _ if isinstance(command, registers.RiskCommand):
            return list(registers.decide(state.risks, command, state.scale))
        case _ if isinstance(command, healths.HealthCommand):
            return list(healths.decide(state.health, command, now))
        case _:
            assert_never(command)


def _together(state: Project | None, command: ChangeTogether, now: datetime) -> list[ProjectEvent]:
    if not command.commands:
        raise Invalid("There is nothing to change. Choose at least one line.", "commands")
    events: list[ProjectEvent] = []
    for part in command.commands:
        if part.project != command.project:
            raise Invalid("Changes made together have to be of one project.", "commands")
        new = decide(state, part, now)
        for event in new:
            state = evolve(state, event, now)
        events += new
    return events


def _start(state: Project | None, command: StartProject) -> list[ProjectEvent]:
    if state is not None:
        raise Conflict("A project with this id exists already. Use a new id.", "project")
    _tolerances(command.tolerances)
    _scale(command.scale)
    return [
        ProjectStarted(
            project=ProjectId(check.line("project", command.project)),
            title=check.line("title", command.title),
            client_title=check.line("client_title", command.client_title),
            owner=command.owner,
            currency=check.currency("currency", command.currency),
            time_zone=check.zone("time_zone", command.time_zone),
            calendar=_calendar(command.calendar),
            tolerances=command.tolerances,
            scale=command.scale,
        )
    ]


def _describe(state: Project, command: DescribeProject) -> list[ProjectEvent]:
    title = check.line("title", command.title)
    client_title = check.line("client_title", command.client_title)
    if (state.title, state.client_title, state.owner) == (title, client_title, command.owner):
        return []
    return [ProjectDescribed(title=title, client_title=client_title, owner=command.owner)]


def _calendar(calendar: Calendar) -> Calendar:
    if not calendar.weekdays or not set(calendar.weekdays) <= set(range(7)):
        raise Invalid("A working week needs at least one day, Monday 0 to Sunday 6.", "weekdays")
    return msgspec.structs.replace(
        calendar,
        weekdays=tuple(sorted(set(calendar.weekdays))),
        holidays=tuple(sorted({check.day("holidays", d) for d in calendar.holidays})),
    )


def _tolerances(t: Tolerances) -> None:
    for name, ordered in (
        ("slip_off_track", 0 <= t.slip_at_risk < t.slip_off_track),
        ("cost_off_track", 0 <= t.cost_at_risk < t.cost_off_track),
        ("spi_off_track", 0 < t.spi_off_track < t.spi_at_risk),
    ):
        if not ordered:
            raise Invalid("The off-track threshold has to lie beyond the at-risk one, and both above zero.", name)


def _scale(scale: Scale) -> None:
    if not (2 <= scale.size <= 9 and 1 < scale.medium_from < scale.high_from <= scale.size**2):
        raise Invalid("The bands have to rise: 1 < medium < high, on a scale of 2 to 9.", "scale")


def expect(version: int, expected: int | None) -> None:
    """Raise Stale when the sender looked at another version than the present one."""
    if expected is not None and expected != version:
        message = f"You looked at version {expected} and this is version {version}. Look at what changed, then repeat."
        raise Stale(message)
