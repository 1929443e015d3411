"""Milestones: their details, forecasts, progress, and when they are met and accepted. The schedule keeps them.

Rule: a forecast is never overwritten; each move is kept with its reason. A met milestone moves only once reopened.
"""

from datetime import date, datetime
from typing import Literal, assert_never

import msgspec

from domain import check
from domain.errors import Conflict, Invalid
from domain.ids import MilestoneId, ProjectId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.money import Money

MilestoneKind = Literal[
    "preProcurement", "approval", "engagement", "assessment", "delivery", "reporting", "financing", "payment",
    "procurement", "contractClose",
]  # fmt: skip  # OCDS 1.1 milestone type codelist
OwnerSide = Literal["ours", "theirs", "joint"]


class MilestoneDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What describes a milestone, apart from its dates and progress."""

    title: str  # internal, never disclosed
    client_title: str = ""  # what a client reads; required once client-facing
    client_facing: bool = False
    kind: MilestoneKind = "delivery"
    owner_side: OwnerSide = "ours"
    deadline: date | None = None  # contractual
    value: Money | None = None  # payment milestone
    needs_acceptance: bool = False
    client_action: str = ""  # what the client has to do for it
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


Changed = MilestoneDescribed | ForecastMoved | ProgressReported | MilestoneMet | MilestoneReopened | MilestoneAccepted
MilestoneEvent = MilestoneAdded | Changed | MilestoneRemoved


# state


class Move(msgspec.Struct, frozen=True):
    """One forecast: when it was made (UTC), for which day, and why."""

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
    facing_since: datetime | None = None  # when it became client-facing, while it is

    @property
    def forecast(self) -> date:
        return self.moves[-1].forecast

    @property
    def expected(self) -> date:
        """The actual date when met, else the forecast."""
        return self.actual or self.moves[-1].forecast


def begin(event: MilestoneAdded, at: datetime) -> Milestone:
    """Return the milestone that `event` added at `at` (UTC)."""
    first = Move(at, event.forecast, "")
    return Milestone(
        id=event.milestone,
        details=event.details,
        moves=(first,),
        described_at=at,
        source_id=event.source_id,
        facing_since=at if event.details.client_facing else None,
    )


def evolve(old: Milestone, event: Changed, at: datetime) -> Milestone:
    """Return the milestone after `event`, recorded at `at` (UTC)."""
    replace = msgspec.structs.replace
    match event:
        case MilestoneDescribed(details=details):
            since = (old.facing_since or at) if details.client_facing else None
            return replace(old, details=details, described_at=at, facing_since=since)
        case ForecastMoved(forecast=forecast, reason=reason, earliest=earliest, latest=latest):
            moves = (*old.moves, Move(at, forecast, reason))
            return replace(old, moves=moves, earliest=earliest, latest=latest)
        case ProgressReported(percent=percent):
            return replace(old, percent=percent)
        case MilestoneMet(actual=actual):
            return replace(old, actual=actual, percent=100)
        case MilestoneReopened():
            return replace(old, actual=None, percent=None, accepted_on=None, accepted_by="")
        case MilestoneAccepted(on=on, by=by):
            return replace(old, accepted_on=on, accepted_by=by)
        case _:
            assert_never(event)


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


ChangeMilestone = (
    DescribeMilestone | MoveForecast | ReportProgress | MeetMilestone | ReopenMilestone | AcceptMilestone
    | RemoveMilestone
)  # fmt: skip
MilestoneCommand = AddMilestone | ChangeMilestone


def decide(old: Milestone, command: ChangeMilestone, today: date, currency: str) -> list[Changed | MilestoneRemoved]:
    """Return the events that carry out `command` on a milestone; `today` is the civil date in the project's zone.

    Raises: a kind of Refused.
    """
    match command:
        case DescribeMilestone(details=details):
            checked = described(details, currency)
            return [] if old.details == checked else [MilestoneDescribed(milestone=old.id, details=checked)]
        case MoveForecast():
            return _move(_open(old), command)
        case ReportProgress(percent=percent):
            _open(old)
            check.whole("percent", percent, 0, 100)
            return [] if old.percent == percent else [ProgressReported(milestone=old.id, percent=percent)]
        case MeetMilestone(actual=actual):
            return _meet(old, check.day("actual", actual), today)
        case ReopenMilestone(reason=reason):
            if old.actual is None:
                raise Conflict(_("This milestone has not been met, so there is nothing to reopen."))
            return [MilestoneReopened(milestone=old.id, reason=check.text("reason", reason, required=True))]
        case AcceptMilestone(on=on, by=by):
            return _accept(old, check.day("on", on), check.line("by", by), today)
        case RemoveMilestone(reason=reason):
            return [MilestoneRemoved(milestone=old.id, reason=check.text("reason", reason, required=True))]
        case _:
            assert_never(command)


def described(details: MilestoneDetails, currency: str) -> MilestoneDetails:
    """Return `details` as they are kept, checked field by field.

    Raises: Invalid.
    """
    for field in ("deadline", "client_action_due"):
        value = getattr(details, field)
        if value is not None:
            check.day(field, value)
    return msgspec.structs.replace(
        details,
        title=check.line("title", details.title),
        client_title=check.line("client_title", details.client_title, required=details.client_facing),
        value=None if details.value is None else check.money("value", details.value, currency),
        client_action=check.line("client_action", details.client_action, required=False),
        note=check.text("note", details.note),
    )


def _open(milestone: Milestone) -> Milestone:
    if milestone.actual is not None:
        raise Conflict(
            _(
                "This milestone was met on {actual}. Reopen it first, with a reason.",
                actual=milestone.actual.isoformat(),
            )
        )
    return milestone


def _move(old: Milestone, command: MoveForecast) -> list[Changed | MilestoneRemoved]:
    forecast = check.day("forecast", command.forecast)
    for field, value, side in (("earliest", command.earliest, -1), ("latest", command.latest, 1)):
        if value is None:
            continue
        check.day(field, value)
        if (value - forecast).days * side < 0:
            word = _("after") if side < 0 else _("before")
            raise Invalid(
                _(
                    "The {field} date {value} lies {word} the forecast {forecast}. Put them in order.",
                    field=field,
                    value=value,
                    word=word,
                    forecast=forecast,
                ),
                field,
            )
    if (old.forecast, old.earliest, old.latest) == (forecast, command.earliest, command.latest):
        return []
    return [
        ForecastMoved(
            milestone=old.id,
            forecast=forecast,
            reason=check.text("reason", command.reason, required=True),
            earliest=command.earliest,
            latest=command.latest,
        )
    ]


def _meet(old: Milestone, actual: date, today: date) -> list[Changed | MilestoneRemoved]:
    if old.actual == actual:
        return []
    _open(old)
    if actual > today:
        message = _(
            "It cannot have been met on {actual}, which is after today, {today}. Move the forecast.",
            actual=actual,
            today=today,
        )
        raise Invalid(message, "actual")
    return [MilestoneMet(milestone=old.id, actual=actual)]


def _accept(old: Milestone, on: date, by: str, today: date) -> list[Changed | MilestoneRemoved]:
    if not old.details.needs_acceptance:
        raise Conflict(_("This milestone needs no acceptance. Say so in its details first."))
    if old.actual is None:
        raise Conflict(_("It has not been met, so it cannot be accepted. Record the actual date first."))
    if (old.accepted_on, old.accepted_by) == (on, by):
        return []
    if old.accepted_on is not None:
        raise Conflict(
            _(
                "It was accepted on {accepted_on} by {accepted_by}. Reopen it first, with a reason.",
                accepted_on=old.accepted_on,
                accepted_by=old.accepted_by,
            )
        )
    if on < old.actual:
        raise Invalid(
            _(
                "Acceptance on {on} lies before it was met on {actual}. Put the dates in order.",
                on=on,
                actual=old.actual,
            ),
            "on",
        )
    if on > today:
        raise Invalid(
            _("Acceptance on {on} lies after today, {today}. Use the day it was given.", on=on, today=today), "on"
        )
    return [MilestoneAccepted(milestone=old.id, on=on, by=by)]
