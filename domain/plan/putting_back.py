"""Putting a change back: within ten minutes, what one command changed of milestones and risks becomes as it was before.

Rule: the record is added to, never taken from. A put back is a change of its own: the event `change-put-back` names the
events it puts back, and events of the usual kinds follow it, so it is judged, held and shown like any other change.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from domain import check
from domain.errors import Conflict, Unknown
from domain.ids import MilestoneId, PersonId, ProjectId, RiskId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.plan.milestones import (
    ForecastMoved,
    Milestone,
    MilestoneAccepted,
    MilestoneAdded,
    MilestoneDescribed,
    MilestoneEvent,
    MilestoneMet,
    MilestoneRemoved,
    MilestoneReopened,
    ProgressReported,
)
from domain.plan.risks import (
    Register,
    Risk,
    RiskClosed,
    RiskDescribed,
    RiskEvent,
    RiskReopened,
    RiskScored,
)
from domain.plan.schedule import DayEnded, Schedule

WITHIN = timedelta(minutes=10)


class ChangePutBack(Event, frozen=True, kw_only=True):
    """A change was a mistake; the events after this one, of the same command, make it as it was before."""

    first: int  # version of the first event that is put back, in the stream of the project
    last: int
    reason: str


class PutBack(Command, frozen=True, kw_only=True):
    """Put back the change that recorded event `version` of the project."""

    project: ProjectId
    version: int
    reason: str = ""


CAN_BE = (
    MilestoneAdded | MilestoneDescribed | ForecastMoved | ProgressReported | MilestoneMet | MilestoneReopened
    | MilestoneAccepted | RiskDescribed | RiskScored | RiskClosed | RiskReopened | DayEnded | ChangePutBack
)  # fmt: skip


class LatestChange(msgspec.Struct, frozen=True, kw_only=True):
    """What one command changed: each milestone and risk before it (None where there was none) and after it."""

    first: int  # versions of its events in the stream of the project
    last: int
    at: datetime  # UTC
    by: PersonId
    possible: bool  # whether each of its events is of a kind that can be put back
    puts_back: bool  # whether it put back another change itself
    milestones: Mapping[MilestoneId, tuple[Milestone | None, Milestone | None]] = {}
    risks: Mapping[RiskId, tuple[Risk | None, Risk | None]] = {}
    plans: int  # agreed plans there were after it

    @property
    def until(self) -> datetime:
        """Until when it can be put back, UTC."""
        return self.at + WITHIN


class Parts(msgspec.Struct, frozen=True):
    """The parts of a project of which changes can be put back."""

    schedule: Schedule
    risks: Register


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when a command was recorded, and by whom."""

    first: int  # versions of its events
    last: int
    at: datetime  # UTC
    by: PersonId


def change_of(events: Sequence[object], before: Parts, after: Parts, place: Placed) -> LatestChange:
    """Return what the events of one command changed, as it is kept for putting it back."""
    keys = dict.fromkeys(key for event in events if (key := getattr(event, "milestone", None)) is not None)
    risks = dict.fromkeys(key for event in events if (key := getattr(event, "risk", None)) is not None)
    old, new = before.schedule.milestones, after.schedule.milestones
    return LatestChange(
        first=place.first,
        last=place.last,
        at=place.at,
        by=place.by,
        possible=all(isinstance(event, CAN_BE) for event in events),
        puts_back=any(isinstance(event, ChangePutBack) for event in events),
        milestones={key: (old.get(key), new.get(key)) for key in keys},
        risks={key: (before.risks.risks.get(key), after.risks.risks.get(key)) for key in risks},
        plans=len(after.schedule.baselines),
    )


def found(changes: Sequence[LatestChange], version: int) -> LatestChange | None:
    """Return the change that recorded an event, None where it is not among these."""
    return next((one for one in changes if one.first <= version <= one.last), None)


def refused(change: LatestChange, schedule: Schedule, register: Register, now: datetime) -> str:
    """Return why a change cannot be put back at `now` (UTC), in a sentence; "" where it can be."""
    if now > change.until:
        return _("More than ten minutes have passed, so this change stays. Change it by hand.")
    if not change.possible or not (change.milestones or change.risks):
        return _("This kind of change cannot be put back. Change it by hand.")
    if len(schedule.baselines) != change.plans:
        return _("A plan was agreed since this change, so it stays. Change it by hand.")
    for key, (_before, after) in change.milestones.items():
        if schedule.milestones.get(key) != after:
            return _since(after.details.title if after else key)
    for risk, (_was, then) in change.risks.items():
        if register.risks.get(risk) != then:
            return _since(then.details.ref if then else risk)
    return ""


def _since(title: str) -> str:
    return _(
        "“{title}” was changed again since, so this change cannot be put back. Look at it, and change it by hand.",
        title=title,
    )


def decide(
    command: PutBack, changes: Sequence[LatestChange], schedule: Schedule, register: Register, now: datetime
) -> list[ChangePutBack | MilestoneEvent | RiskEvent]:
    """Return the events that put a change back at `now` (UTC); `changes` are the latest of the project.

    Raises: Unknown, Conflict, Invalid.
    """
    change = found(changes, command.version)
    if change is None and command.version > max((one.last for one in changes), default=command.version):
        raise Unknown(_("There is no such change in this project."), "version")
    if change is None:
        raise Conflict(_("More than ten minutes have passed, so this change stays. Change it by hand."), "version")
    if told := refused(change, schedule, register, now):
        raise Conflict(told, "version")
    why = check.text("reason", command.reason) or _("Put back to what it was before.")
    events: list[MilestoneEvent | RiskEvent] = []
    for key, (before, after) in change.milestones.items():
        events += _milestone(key, before, after, why)
    for was, then in change.risks.values():
        events += _risk(was, then, why)
    if not events:
        raise Conflict(_("It is as it was before this change, so there is nothing to put back."), "version")
    return [ChangePutBack(first=change.first, last=change.last, reason=why), *events]


def _milestone(key: MilestoneId, before: Milestone | None, now: Milestone | None, why: str) -> Iterator[MilestoneEvent]:
    """Yield what makes a milestone as it was before a change; the one that it leaves is open while it is moved."""
    if now is None:
        return
    if before is None:
        yield MilestoneRemoved(milestone=key, reason=why)
        return
    if now.details != before.details:
        yield MilestoneDescribed(milestone=key, details=before.details)
    settled = (before.actual, before.accepted_on, before.accepted_by)
    again = (now.actual, now.accepted_on, now.accepted_by) != settled or _course(now) != _course(before)
    reopened = again and now.actual is not None
    if reopened:
        yield MilestoneReopened(milestone=key, reason=why)
    if (now.forecast, now.earliest, now.latest) != (before.forecast, before.earliest, before.latest):
        yield ForecastMoved(
            milestone=key, forecast=before.forecast, reason=why, earliest=before.earliest, latest=before.latest
        )
    if (None if reopened else _reported(now)) != _reported(before):
        yield ProgressReported(milestone=key, percent=_reported(before))
    if before.actual is not None and (reopened or now.actual is None):
        yield MilestoneMet(milestone=key, actual=before.actual)
        if before.accepted_on is not None:
            yield MilestoneAccepted(milestone=key, on=before.accepted_on, by=before.accepted_by)
    elif before.accepted_on is not None and now.accepted_on is None:
        yield MilestoneAccepted(milestone=key, on=before.accepted_on, by=before.accepted_by)


def _course(milestone: Milestone) -> tuple[date, date | None, date | None, int | None]:
    return milestone.forecast, milestone.earliest, milestone.latest, _reported(milestone)


def _reported(milestone: Milestone) -> int | None:
    """Return the percentage that was reported last, which a met milestone keeps beside its own 100."""
    return milestone.reports[-1].percent if milestone.reports else None


def _risk(before: Risk | None, now: Risk | None, why: str) -> Iterator[RiskEvent]:
    """Yield what makes a risk as it was before a change; it is open while it is scored."""
    if before is None or now is None:
        return
    if now.details != before.details:
        yield RiskDescribed(risk=now.id, details=before.details)
    scored = now.residual != before.residual
    if now.closed and (scored or not before.closed):
        yield RiskReopened(risk=now.id, reason=why)
    if scored:
        yield RiskScored(risk=now.id, residual=before.residual, reason=why)
    if before.closed and (scored or not now.closed):
        yield RiskClosed(risk=now.id, reason=why)
