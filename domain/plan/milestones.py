"""Milestones: their details, forecasts, progress, and when they are met and accepted. The schedule keeps them.

Rule: a forecast is never overwritten; each move is kept with its reason. A met milestone moves only once reopened. What
is said with an `as_of` is judged by what held then, and changes the present only where nothing newer is known.
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
from domain.plan.history import Dated, held, placed, set_at

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
    location: str = ""  # where it takes place
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
    as_of: datetime | None = None  # here and below: since when it held in its source, UTC


class MilestoneDescribed(Event, frozen=True, kw_only=True):
    milestone: MilestoneId
    details: MilestoneDetails


class ForecastMoved(Event, frozen=True, kw_only=True):
    milestone: MilestoneId
    forecast: date
    reason: str
    earliest: date | None = None
    latest: date | None = None
    as_of: datetime | None = None


class ProgressReported(Event, frozen=True, kw_only=True):
    milestone: MilestoneId
    percent: int | None  # physical percent complete; None where a first report was put back
    as_of: datetime | None = None


class MilestoneMet(Event, frozen=True, kw_only=True):
    milestone: MilestoneId
    actual: date
    as_of: datetime | None = None


class MilestoneReopened(Event, frozen=True, kw_only=True):
    milestone: MilestoneId
    reason: str
    as_of: datetime | None = None


class MilestoneAccepted(Event, frozen=True, kw_only=True):
    milestone: MilestoneId
    on: date
    by: str


class MilestoneRemoved(Event, frozen=True, kw_only=True):
    milestone: MilestoneId
    reason: str


class MilestoneLinked(Event, frozen=True, kw_only=True):
    """The milestone has another id in the plan it comes from: the same milestone, numbered anew there."""

    milestone: MilestoneId
    source_id: str


class MilestoneRestored(Event, frozen=True, kw_only=True):
    """A milestone that was removed is on the plan again, as it was, with the id it has in the plan it comes from."""

    milestone: MilestoneId
    source_id: str = ""


Changed = (
    MilestoneDescribed | ForecastMoved | ProgressReported | MilestoneMet | MilestoneReopened | MilestoneAccepted
    | MilestoneLinked
)  # fmt: skip
MilestoneEvent = MilestoneAdded | Changed | MilestoneRemoved | MilestoneRestored


# state


class Move(Dated, frozen=True, kw_only=True):
    """One forecast: for which day, why, and within which days."""

    forecast: date
    reason: str
    earliest: date | None = None
    latest: date | None = None


class Progress(Dated, frozen=True, kw_only=True):
    """A reported percentage; None once the milestone was reopened, or the report put back."""

    percent: int | None


class Settlement(Dated, frozen=True, kw_only=True):
    """That the milestone was met on a day, or (None) that it was reopened."""

    actual: date | None


class Milestone(msgspec.Struct, frozen=True, kw_only=True):
    id: MilestoneId
    details: MilestoneDetails
    moves: tuple[Move, ...]  # with the forecast it was added with; this and the next two as `history` orders them
    reports: tuple[Progress, ...] = ()
    settlements: tuple[Settlement, ...] = ()
    described_at: datetime
    source_id: str = ""
    accepted_on: date | None = None
    accepted_by: str = ""
    confirmed_at: datetime | None = None
    facing_since: datetime | None = None  # when it became client-facing, while it is

    @property
    def forecast(self) -> date:
        return self.moves[-1].forecast

    @property
    def earliest(self) -> date | None:
        return self.moves[-1].earliest

    @property
    def latest(self) -> date | None:
        return self.moves[-1].latest

    @property
    def percent(self) -> int | None:
        if self.actual is not None:
            return 100
        return self.reports[-1].percent if self.reports else None

    @property
    def actual(self) -> date | None:
        return self.settlements[-1].actual if self.settlements else None

    @property
    def expected(self) -> date:
        """The actual date when met, else the forecast."""
        return self.actual or self.moves[-1].forecast

    @property
    def moved_at(self) -> datetime:
        """When the present forecast was recorded."""
        return set_at(self.moves, lambda move: (move.forecast, move.earliest, move.latest))

    def met(self, at: datetime | None) -> date | None:
        """Return the day on which it had been met by what held at an instant (UTC), at present when None."""
        settled = held(self.settlements, at)
        return settled.actual if settled else None


def begin(event: MilestoneAdded, at: datetime) -> Milestone:
    """Return the milestone that `event` added at `at` (UTC)."""
    first = Move(at=at, as_of=event.as_of, forecast=event.forecast, reason="")
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
        case ForecastMoved(forecast=forecast, reason=reason, earliest=earliest, latest=latest, as_of=as_of):
            new = Move(at=at, as_of=as_of, forecast=forecast, reason=reason, earliest=earliest, latest=latest)
            return replace(old, moves=placed(old.moves, new))
        case ProgressReported(percent=percent, as_of=as_of):
            return replace(old, reports=placed(old.reports, Progress(at=at, as_of=as_of, percent=percent)))
        case MilestoneMet(actual=actual, as_of=as_of):
            return _settled(old, Settlement(at=at, as_of=as_of, actual=actual))
        case MilestoneReopened(as_of=as_of):
            return _settled(old, Settlement(at=at, as_of=as_of, actual=None))
        case MilestoneAccepted(on=on, by=by):
            return replace(old, accepted_on=on, accepted_by=by)
        case MilestoneLinked(source_id=source):
            return replace(old, source_id=source)
        case _:
            assert_never(event)


def _settled(old: Milestone, new: Settlement) -> Milestone:
    """Return a milestone that was met or reopened; an acceptance is of the present alone."""
    settled = msgspec.structs.replace(old, settlements=placed(old.settlements, new))
    if new.actual is None:
        unknown = Progress(at=new.at, as_of=new.as_of, percent=None)
        settled = msgspec.structs.replace(settled, reports=placed(old.reports, unknown))
    if settled.actual is None:
        return msgspec.structs.replace(settled, accepted_on=None, accepted_by="")
    return settled


# commands


class AddMilestone(Command, frozen=True, kw_only=True):
    project: ProjectId
    milestone: MilestoneId
    details: MilestoneDetails
    forecast: date
    source_id: str = ""
    as_of: datetime | None = None


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
    as_of: datetime | None = None


class ReportProgress(Command, frozen=True, kw_only=True):
    project: ProjectId
    milestone: MilestoneId
    percent: int
    as_of: datetime | None = None


class MeetMilestone(Command, frozen=True, kw_only=True):
    project: ProjectId
    milestone: MilestoneId
    actual: date
    as_of: datetime | None = None


class ReopenMilestone(Command, frozen=True, kw_only=True):
    project: ProjectId
    milestone: MilestoneId
    reason: str
    as_of: datetime | None = None


class AcceptMilestone(Command, frozen=True, kw_only=True):
    project: ProjectId
    milestone: MilestoneId
    on: date
    by: str


class RemoveMilestone(Command, frozen=True, kw_only=True):
    project: ProjectId
    milestone: MilestoneId
    reason: str


class LinkMilestone(Command, frozen=True, kw_only=True):
    """Say which id a milestone has in the plan it comes from, "" where it is in none."""

    project: ProjectId
    milestone: MilestoneId
    source_id: str


class RestoreMilestone(Command, frozen=True, kw_only=True):
    """Put a milestone that was removed on the plan again, with its history."""

    project: ProjectId
    milestone: MilestoneId
    source_id: str = ""


ChangeMilestone = (
    DescribeMilestone | MoveForecast | ReportProgress | MeetMilestone | ReopenMilestone | AcceptMilestone
    | RemoveMilestone | LinkMilestone
)  # fmt: skip
MilestoneCommand = AddMilestone | ChangeMilestone | RestoreMilestone


def decide(old: Milestone, command: ChangeMilestone, today: date, currency: str) -> list[Changed | MilestoneRemoved]:
    """Return the events that carry out `command` on a milestone.

    `today` is the civil date in the project's zone; where the command says an `as_of`, the date of that instant.
    Raises: a kind of Refused.
    """
    match command:
        case DescribeMilestone(details=details):
            checked = described(details, currency)
            return [] if old.details == checked else [MilestoneDescribed(milestone=old.id, details=checked)]
        case MoveForecast():
            return _move(_open(old, command.as_of), command)
        case ReportProgress(percent=percent, as_of=as_of):
            then = held(_open(old, as_of).reports, as_of)
            check.whole("percent", percent, 0, 100)
            same = then is not None and then.percent == percent
            return [] if same else [ProgressReported(milestone=old.id, percent=percent, as_of=as_of)]
        case MeetMilestone():
            return _meet(old, command, today)
        case ReopenMilestone(reason=reason, as_of=as_of):
            if old.met(as_of) is None:
                raise Conflict(_("This milestone has not been met, so there is nothing to reopen."))
            why = check.text("reason", reason, required=True)
            return [MilestoneReopened(milestone=old.id, reason=why, as_of=as_of)]
        case AcceptMilestone(on=on, by=by):
            return _accept(old, check.day("on", on), check.line("by", by), today)
        case RemoveMilestone(reason=reason):
            return [MilestoneRemoved(milestone=old.id, reason=check.text("reason", reason, required=True))]
        case LinkMilestone(source_id=source):
            kept = check.line("source_id", source, required=False)
            return [] if kept == old.source_id else [MilestoneLinked(milestone=old.id, source_id=kept)]
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
        location=check.line("location", details.location, required=False),
        value=None if details.value is None else check.money("value", details.value, currency),
        client_action=check.line("client_action", details.client_action, required=False),
        note=check.text("note", details.note),
    )


def _open(milestone: Milestone, as_of: datetime | None) -> Milestone:
    actual = milestone.met(as_of)
    if actual is not None:
        raise Conflict(
            _("This milestone was met on {actual}. Reopen it first, with a reason.", actual=actual.isoformat())
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
    then = held(old.moves, command.as_of)
    if then and (then.forecast, then.earliest, then.latest) == (forecast, command.earliest, command.latest):
        return []
    return [
        ForecastMoved(
            milestone=old.id,
            forecast=forecast,
            reason=check.text("reason", command.reason, required=True),
            earliest=command.earliest,
            latest=command.latest,
            as_of=command.as_of,
        )
    ]


def _meet(old: Milestone, command: MeetMilestone, today: date) -> list[Changed | MilestoneRemoved]:
    actual = check.day("actual", command.actual)
    if old.met(command.as_of) == actual:
        return []
    _open(old, command.as_of)
    if actual > today and command.as_of is None:
        message = _(
            "It cannot have been met on {actual}, which is after today, {today}. Move the forecast.",
            actual=actual,
            today=today,
        )
        raise Invalid(message, "actual")
    if actual > today:
        message = _(
            "It cannot have been met on {actual}, which is after {today}, since when that is said to hold. "
            "Correct one of the two.",
            actual=actual,
            today=today,
        )
        raise Invalid(message, "actual")
    return [MilestoneMet(milestone=old.id, actual=actual, as_of=command.as_of)]


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
