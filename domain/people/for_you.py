"""What a colleague does with the lines of their list *For you*. Part of a person's stream.

Rule: whether there is a line is worked out of the record (projections/events/for_you.py). Here stands only what its
reader said of it, by ids alone; nothing of it changes what anybody else did or what a client may know.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TypeVar, assert_never

import msgspec

from domain import check
from domain.errors import Invalid
from domain.ids import PersonId, ProjectId
from domain.language import gettext as _
from domain.message import Command, Event

LONGEST = timedelta(days=366)  # a line is put off, and somebody is away
Said = TypeVar("Said")
KEPT = 500  # of what was put off, and of what was handed over; the log has them all

# events


class LinePutOff(Event, frozen=True, kw_only=True):
    """A line is not shown again before a civil date in the project's zone; None: it is shown at once."""

    line: str
    until: date | None


class LineHandedOver(Event, frozen=True, kw_only=True):
    line: str
    to: PersonId


class PlaceOpened(Event, frozen=True, kw_only=True):
    """What was recorded up to `until` (UTC) and is told at a place ("project-p1", "client-c1") was opened."""

    place: str
    until: datetime


class AbsenceSet(Event, frozen=True, kw_only=True):
    """From `first` to `last`, civil dates in each project's zone, another colleague has this person's lines too."""

    first: date
    last: date
    cover: PersonId


class AbsenceEnded(Event, frozen=True, kw_only=True):
    pass


ForYouEvent = LinePutOff | LineHandedOver | PlaceOpened | AbsenceSet | AbsenceEnded

# state


class PutOff(msgspec.Struct, frozen=True, kw_only=True):
    until: date
    at: datetime  # UTC; whatever is newer than that brings the line back


class HandedOver(msgspec.Struct, frozen=True, kw_only=True):
    to: PersonId
    at: datetime


class Absence(msgspec.Struct, frozen=True, kw_only=True):
    first: date
    last: date
    cover: PersonId

    def covers(self, day: date) -> bool:
        """Tell whether the person is away on a day."""
        return self.first <= day <= self.last


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What one person said of their lines; the latest of each line."""

    put_off: Mapping[str, PutOff] = {}
    handed: Mapping[str, HandedOver] = {}
    opened: Mapping[str, datetime] = {}  # by place
    absence: Absence | None = None


def evolve(state: Desk, event: ForYouEvent, at: datetime) -> Desk:
    """Return the desk after `event`, recorded at `at` (UTC)."""
    replace = msgspec.structs.replace
    match event:
        case LinePutOff(line=line, until=until):
            if until is not None:
                return replace(state, put_off=_with(state.put_off, line, PutOff(until=until, at=at)))
            return replace(state, put_off={key: one for key, one in state.put_off.items() if key != line})
        case LineHandedOver(line=line, to=to):
            return replace(state, handed=_with(state.handed, line, HandedOver(to=to, at=at)))
        case PlaceOpened(place=place, until=until):
            return replace(state, opened={**state.opened, place: until})
        case AbsenceSet(first=first, last=last, cover=cover):
            return replace(state, absence=Absence(first=first, last=last, cover=cover))
        case AbsenceEnded():
            return replace(state, absence=None)
        case _:
            assert_never(event)


def _with(said: Mapping[str, Said], line: str, new: Said) -> dict[str, Said]:
    others = [(key, one) for key, one in said.items() if key != line]
    return {**dict(others[-KEPT + 1 :]), line: new}


# commands


class PutOffLine(Command, frozen=True, kw_only=True):
    """Show a line again on a day, None: at once."""

    person: PersonId
    project: ProjectId
    line: str
    until: date | None


class HandOverLine(Command, frozen=True, kw_only=True):
    """Give a line to a colleague who manages its project."""

    person: PersonId
    project: ProjectId
    line: str
    to: PersonId


class OpenPlace(Command, frozen=True, kw_only=True):
    """Record that a person opened what is told at a place, up to an instant."""

    person: PersonId
    place: str
    until: datetime


class SetAbsence(Command, frozen=True, kw_only=True):
    person: PersonId
    first: date
    last: date
    cover: PersonId


class EndAbsence(Command, frozen=True, kw_only=True):
    person: PersonId


ForYouCommand = PutOffLine | HandOverLine | OpenPlace | SetAbsence | EndAbsence


def decide(state: Desk, command: ForYouCommand, now: datetime) -> list[ForYouEvent]:
    """Return the events that carry out `command` at `now` (UTC).

    Raises: Invalid.
    """
    match command:
        case PutOffLine(project=project, line=line, until=until):
            key, before = _line(line, project), state.put_off.get(line)
            if until is None:
                return [LinePutOff(line=key, until=None)] if before else []
            _within("until", until, now)
            return [LinePutOff(line=key, until=until)]
        case HandOverLine(project=project, line=line, to=to):
            return [LineHandedOver(line=_line(line, project), to=to)]
        case OpenPlace(place=place, until=until):
            kind, _dash, key = place.partition("-")
            if kind not in ("project", "client"):
                raise Invalid(_("Expected a project or a client, such as project-p1."), "place")
            check.identifier("place", key)
            until = check.not_after("until", check.instant("until", until), now)
            known = state.opened.get(place)
            return [] if known is not None and until <= known else [PlaceOpened(place=place, until=until)]
        case SetAbsence(person=person, first=first, last=last, cover=cover):
            _within("last", last, now)
            if check.day("first", first) > last:
                raise Invalid(_("The first day is after the last. Exchange them."), "first")
            if cover == person:
                raise Invalid(_("Choose a colleague, not yourself."), "cover")
            new = Absence(first=first, last=last, cover=cover)
            return [] if new == state.absence else [AbsenceSet(first=first, last=last, cover=cover)]
        case EndAbsence():
            return [AbsenceEnded()] if state.absence else []
        case _:
            assert_never(command)


def _line(line: str, project: ProjectId) -> str:
    """Return the key of a line; it names its project, by which the command was permitted."""
    if not re.fullmatch(r"[a-z]+(\.[A-Za-z0-9_-]{1,80}){2,5}", line) or line.split(".")[1] != project:
        raise Invalid(_("There is no such line of this project. Reload the page."), "line")
    return line


def _within(field: str, day: date, now: datetime) -> None:
    """Raise Invalid unless a day is today (UTC) or later, and not too far ahead."""
    today = now.date()
    if not today <= check.day(field, day) <= today + LONGEST:
        raise Invalid(_("Choose a day from today on, and within a year."), field)
