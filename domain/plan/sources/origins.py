"""Where the values of milestones come from: the source and pull that set each, and for which forecast a person stood.

Rule: what is not named here came from a person or from a file. Whoever changes a value by hand takes it from its
source.
"""

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from domain.ids import MilestoneId, SourceId
from domain.plan.milestones import (
    ForecastMoved,
    MilestoneAdded,
    MilestoneDescribed,
    MilestoneMet,
    MilestoneRemoved,
    MilestoneReopened,
    ProgressReported,
)
from domain.plan.schedule import BaselineApproved, PlanConfirmed, Schedule, ScheduleEvent
from domain.plan.sources.source import Field, SourcePulled, SourceSettled


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The pull that set a value, recorded at `at` (UTC); `accepted`: a person took it, it was not taken by itself."""

    source: SourceId
    pull: str
    at: datetime
    accepted: bool = False


class Origins(msgspec.Struct, frozen=True, kw_only=True):
    """Where values come from, by milestone and field, and the days for which people stood last."""

    of: Mapping[MilestoneId, Mapping[Field, Origin]] = {}
    stood_for: Mapping[MilestoneId, date] = {}  # of milestones whose forecast a source moved since

    def origin(self, milestone: MilestoneId, field: Field) -> Origin | None:
        """Return where a value comes from, None where from no source."""
        return self.of.get(milestone, {}).get(field)


def pulled(old: Origins, event: SourcePulled | SourceSettled, at: datetime) -> Origins:
    """Return the origins after a pull, or after a person took what waited, recorded at `at` (UTC)."""
    by_hand = isinstance(event, SourceSettled)
    new = Origin(source=event.source, pull=event.pull, at=at, accepted=by_hand)
    of, stood = dict(old.of), dict(old.stood_for)
    for value in event.values:
        fields: tuple[Field, ...] = (value.field,)
        if value.field == "milestone":
            fields = ("title", "forecast", "actual", "percent")
        of[value.milestone] = {**of.get(value.milestone, {}), **dict.fromkeys(fields, new)}
        if value.field == "forecast" and not by_hand and value.stood_for is not None:
            stood[value.milestone] = value.stood_for
    return Origins(of=of, stood_for=stood)


def changed(old: Origins, event: ScheduleEvent, before: Schedule, after: Schedule) -> Origins:
    """Return the origins after an event of the schedule: what it sets comes from whoever sent it.

    What goes into the past alone, so that the present is as it was `before`, comes from where it came.
    """
    if not old.of and not old.stood_for:
        return old
    match event:
        case ForecastMoved(milestone=key) | MilestoneMet(milestone=key) | MilestoneReopened(milestone=key) if (
            event.as_of is not None and _present(before, key) == _present(after, key)
        ):
            return old
        case ProgressReported(milestone=key, as_of=datetime()) if _present(before, key) == _present(after, key):
            return old
        case PlanConfirmed(as_of=datetime()) if before.confirmed_at == after.confirmed_at:
            return old
        case MilestoneAdded(milestone=key) | MilestoneRemoved(milestone=key):
            return _without(old, key, "title", "forecast", "actual", "percent")
        case ForecastMoved(milestone=key):
            return _without(old, key, "forecast")
        case MilestoneDescribed(milestone=key):
            return _without(old, key, "title")
        case MilestoneMet(milestone=key) | MilestoneReopened(milestone=key):
            return _without(old, key, "actual")
        case ProgressReported(milestone=key):
            return _without(old, key, "percent")
        case PlanConfirmed(source=source) if source != "source":
            return msgspec.structs.replace(old, stood_for={})
        case BaselineApproved(dates=dates):
            stood = {key: day for key, day in old.stood_for.items() if key not in dates}
            return msgspec.structs.replace(old, stood_for=stood)
        case _:
            return old


def _present(schedule: Schedule, key: MilestoneId) -> tuple[object, ...]:
    milestone = schedule.milestones.get(key)
    return () if milestone is None else (milestone.forecast, milestone.actual, milestone.percent)


def _without(old: Origins, key: MilestoneId, *fields: Field) -> Origins:
    if key not in old.of and key not in old.stood_for:
        return old
    left = {field: origin for field, origin in old.of.get(key, {}).items() if field not in fields}
    of = {one: origins for one, origins in old.of.items() if one != key}
    stood = {one: day for one, day in old.stood_for.items() if one != key or "forecast" not in fields}
    return Origins(of={**of, key: left} if left else of, stood_for=stood)
