"""The scrubber's three lanes over a stretch of time: in the plan, shown to them, on screen per viewer.

Rule: a change is one they may see when `reveal` gives another view after it, under the terms then in force. It is
joined to the update that recorded that view; what waited for review, to the moment it was let go. Reads are bounded;
`left_out` says what is missing from a crowded stretch.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from domain.agreement.share import Share
from domain.events import Recorded
from domain.ids import ShareId
from domain.language import gettext as _
from domain.memory import Memory
from domain.plan.project import Project, ProjectEvent, evolve
from domain.reveal.holding import Holds
from domain.view import ClientView
from projections.receipts.on_screen import Interval, intervals
from projections.replay import pages
from projections.wording import words
from projections.wording.days import end_of, start_of
from web.process.services import Services
from web.record.audience import released_view, view_with_nothing_held
from web.record.instant import Then
from web.record.told import in_force
from web.telling.held import touched

Span = Literal["day", "week", "month"]
DAYS: dict[Span, int] = {"day": 1, "week": 9, "month": 31}
CHANGES = 160  # read for the plan's lane
UPDATES = 400  # read for the lane of what was shown
ROWS = 2048  # of claims, read for the viewers' lanes
VIEWERS = 5  # with a lane of their own
INSTANT = timedelta(microseconds=1)


class Stretch(msgspec.Struct, frozen=True):
    """A stretch of time in UTC, whole days of a zone."""

    start: datetime
    end: datetime
    span: Span
    zone: str

    def x(self, at: datetime) -> str:
        """Return where an instant stands, in percent."""
        share = (at - self.start) / (self.end - self.start)
        return f"{100 * min(max(share, 0.0), 1.0):.3f}"

    @property
    def seconds(self) -> int:
        """Its length."""
        return round((self.end - self.start).total_seconds())


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What one command changed in the plan."""

    at: datetime  # UTC
    kinds: tuple[str, ...]  # of its events
    view: ClientView | None  # what they might see after it at once, None when they see no difference
    held: frozenset[str] = frozenset()  # what of it waited for review, by subject

    @property
    def at_once(self) -> bool:
        """Whether they might see some of it at once."""
        return self.view is not None

    @property
    def visible(self) -> bool:
        """Whether they may see it, at once or after review."""
        return self.at_once or bool(self.held)


class ShownOnLanes(msgspec.Struct, frozen=True, kw_only=True):
    """One update, and when the changes it told of were made, UTC."""

    n: int
    at: datetime
    told: tuple[datetime, ...]


class Slant(msgspec.Struct, frozen=True):
    """What waited: from when it became true to when it was let go, in percent; `waits` while it does."""

    start: str
    end: str
    shown: bool
    waits: bool


class Bar(msgspec.Struct, frozen=True):
    """A page in front of somebody: percent from, percent wide; `solid` for the update in question."""

    x: str
    width: str
    solid: bool


class Lane(msgspec.Struct, frozen=True):
    """One viewer's bars."""

    person: str
    bars: tuple[Bar, ...]


class Mark(msgspec.Struct, frozen=True):
    """A label under the lanes."""

    x: str
    word: str
    day: str


class Lanes(msgspec.Struct, frozen=True, kw_only=True):
    """All that is drawn of a stretch."""

    stretch: Stretch
    marks: tuple[Mark, ...]
    off: tuple[tuple[str, str], ...]  # days nobody works, percent from and wide
    changes: tuple[Change, ...]
    shown: tuple[ShownOnLanes, ...]
    held: tuple[Slant, ...]
    viewers: tuple[Lane, ...]
    more: int  # viewers without a lane
    left_out: tuple[str, ...]  # what a crowded stretch leaves out, in words


def stretch(at: datetime, zone: str, span: Span, latest: datetime, begin: date | None = None) -> Stretch:
    """Return the stretch to show around an instant, not beyond the day of `latest`; `begin` keeps a start."""
    there, days = ZoneInfo(zone), timedelta(days=DAYS[span])
    day = at.astimezone(there).date()
    if begin is not None and begin <= day < begin + days:
        start = begin
    else:
        tomorrow = latest.astimezone(there).date() + timedelta(days=1)
        start = min(day - days // 3, tomorrow - days)
        start = min(day, max(start, day - days + timedelta(days=1)))
    return Stretch(start_of(start, zone), start_of(start + days, zone), span, zone)


def lanes(services: Services, t: Then, over: Stretch) -> Lanes:
    """Return what happened in a stretch of a share's time. For threads."""
    left: list[str] = []
    plan = changes(services, t.share, t.at, over, left)
    viewers, more = _viewers(services, t, over, left)
    return Lanes(
        stretch=over,
        marks=_marks(over),
        off=_off(over, t.state),
        changes=tuple(plan),
        shown=tuple(_shown(services, t, over, plan, left)),
        held=tuple(_slants(services, t.share.id, over, plan)),
        viewers=viewers,
        more=more,
        left_out=tuple(left),
    )


# in the plan


def changes(services: Services, share: Share, at: datetime, over: Stretch, left: list[str]) -> list[Change]:
    """Return the changes of a project in a stretch.

    Where there are many, those nearest to `at` are read, and `left` gets to know.
    """
    events, stream = services.logs.events, f"project-{share.project}"
    first, last = events.version_at(stream, over.start), events.version_at(stream, over.end)
    if last - first > CHANGES:
        here = events.version_at(stream, at)
        first = min(max(first, here - CHANGES // 2), last - CHANGES)
        last = first + CHANGES
        left.append(_("the {changes} changes nearest to this moment", changes=CHANGES))
    recorded = events.part(stream, first, last - first) if last > first else []
    begun = services.present.past(share.project, recorded[0].at - INSTANT) if recorded else None
    state = begun.state if begun else None
    return list(_commands(services, share, state, [r for r in recorded if begun is None or r.version > begun.version]))


def _commands(
    services: Services, share: Share, state: Project | None, recorded: Sequence[Recorded]
) -> Iterable[Change]:
    """Yield what each command changed; `state` is the project before the first of the events."""
    world, of_seen, of_out = services.present.world, Memory(), Memory()

    def seen(project: Project | None, agreed: Share | None) -> ClientView | None:
        return view_with_nothing_held(world, project, agreed, of_seen) if project and agreed else None

    def out(project: Project | None, agreed: Share | None, waits: Holds) -> ClientView | None:
        return released_view(world, project, agreed, waits, of_out) if project and agreed else None

    for _command, group in groupby(recorded, key=lambda r: r.command):
        command = list(group)
        agreed = in_force(share, command[0].at)
        began, at = state, command[-1].at
        for event in command:
            assert isinstance(event.event, ProjectEvent)
            state = evolve(state, event.event, event.at)
        kinds = tuple(str(event.event.__struct_config__.tag) for event in command)
        earlier, waits = world.held_at(share.id, command[0].at - INSTANT), world.held_at(share.id, at)
        before, after, held = out(began, agreed, earlier), out(state, agreed, waits), frozenset[str]()
        if waits.held:
            held = frozenset(touched(seen(began, agreed), seen(state, agreed)) & waits.held.keys())
        yield Change(at=at, kinds=kinds, view=after if after != before else None, held=held)


# held


def _slants(services: Services, share: ShareId, over: Stretch, plan: Sequence[Change]) -> Iterable[Slant]:
    """Yield a line for every change that waited in a stretch, from it to where it was let go."""
    for hold in services.present.world.hold_record(share):
        end = hold.ended or services.now()
        if hold.fact.since >= over.end or end < over.start:
            continue
        later = {c.at for c in plan if hold.fact.subject in c.held and hold.waits_at(c.at)}
        for at in sorted({hold.fact.since, *later}):
            yield Slant(over.x(at), over.x(end), hold.shown, hold.ended is None)


# shown to them


def _shown(
    services: Services, t: Then, over: Stretch, plan: Sequence[Change], left: list[str]
) -> Iterable[ShownOnLanes]:
    """Yield the updates of a stretch with the changes each told of: those of the plan since the update before."""
    log, share = services.logs.disclosure, t.share.id
    first, last = pages.number_at(log, share, over.start), pages.number_at(log, share, over.end)
    if last - first > UPDATES:
        first = min(max(first, t.n - UPDATES // 2), last - UPDATES)
        last = first + UPDATES
        left.append(_("the {updates} updates nearest to this moment", updates=UPDATES))
    waiting = [change for change in plan if change.at_once]
    for header in log.headers(share, first, last - first, last) if last > first else []:
        due = [change for change in waiting if change.at <= header.instant]
        told = due if len(due) < 2 else _told_in(services, share, header.n, due)
        waiting = waiting[len(told) :]
        yield ShownOnLanes(n=header.n, at=header.instant, told=tuple(change.at for change in told))


def _told_in(services: Services, share: str, n: int, due: list[Change]) -> list[Change]:
    """Return which of several waiting changes an update told of: all up to the one whose view it recorded."""
    view = pages.Views(services.logs.disclosure, share).at(n)
    return next((due[: i + 1] for i, change in enumerate(due) if change.view == view), due)


# on screen


def watched(
    services: Services, share: str, at: datetime, over: Stretch, left: list[str]
) -> tuple[list[Interval], datetime]:
    """Return what was on screens in a stretch, and when the reading ended (UTC).

    Where there are many rows of claims, those nearest to `at` are read, and `left` gets to know.
    """
    log = services.logs.receipts
    first, last = log.row_at(share, over.start), log.row_at(share, over.end)
    if last - first > ROWS:
        here = log.row_at(share, at)
        first = min(max(first, here - ROWS // 2), last - ROWS)
        last = first + ROWS
        left.append(_("delivery record nearest to this moment"))
    tabs, rows = log.between(share, first, last)
    claims = sorted((c for row in rows for c in row.claims(share)), key=lambda c: c.at)
    end = min(over.end, services.now()) if last == log.head(share) or not rows else rows[-1].at
    return [i for i in intervals(tabs, claims) if i.start < over.end and (i.end or end) > over.start], end


def _viewers(services: Services, t: Then, over: Stretch, left: list[str]) -> tuple[tuple[Lane, ...], int]:
    """Return the lanes of the viewers who watched at the instant, or else longest, and how many have none."""
    watching, end = watched(services, t.share.id, t.at, over, left)
    by_person: dict[str, list[Interval]] = {}
    for interval in watching:
        by_person.setdefault(interval.person, []).append(interval)

    def rank(person: str) -> tuple[bool, float]:
        mine = by_person[person]
        now = any(i.start <= t.at < (i.end or end) for i in mine)
        return not now, -sum(((i.end or end) - i.start).total_seconds() for i in mine)

    ordered = sorted(by_person, key=rank)
    kept = [
        Lane(person, tuple(bars(by_person[person], over, end, lambda i: i.n == t.n))) for person in ordered[:VIEWERS]
    ]
    return tuple(kept), max(0, len(ordered) - VIEWERS)


def bars(
    watching: Sequence[Interval], over: Stretch, end: datetime, is_solid: Callable[[Interval], bool]
) -> Iterable[Bar]:
    """Yield the bars of one person; those of one kind that touch in the drawing are one. `end` closes open ones."""
    least = (over.end - over.start) / 400
    held: tuple[datetime, datetime, bool] | None = None
    for interval in sorted(watching, key=lambda i: i.start):
        start, stop = max(interval.start, over.start), min(interval.end or end, over.end)
        solid = is_solid(interval)
        if held and held[2] == solid and start - held[1] < least:
            held = held[0], max(held[1], stop), solid
            continue
        if held:
            yield _bar(held, over, least)
        held = start, stop, solid
    if held:
        yield _bar(held, over, least)


def _bar(held: tuple[datetime, datetime, bool], over: Stretch, least: timedelta) -> Bar:
    start, stop, solid = held
    width = max(stop - start, least) / (over.end - over.start)
    return Bar(over.x(start), f"{100 * width:.3f}", solid)


# under the lanes


def _marks(over: Stretch) -> tuple[Mark, ...]:
    zone = ZoneInfo(over.zone)
    if over.span == "day":
        hours = (over.start + timedelta(hours=h) for h in range(0, 24, 3))
        return tuple(Mark(over.x(at), f"{at.astimezone(zone):%H:%M}", "") for at in hours)
    step = 1 if over.span == "week" else 5
    first = over.start.astimezone(zone).date()
    days = [first + timedelta(days=i) for i in range(0, DAYS[over.span], step)]
    return tuple(Mark(over.x(start_of(day, over.zone)), _day_word(day, first), str(day.day)) for day in days)


def _day_word(day: date, first: date) -> str:
    """Return "Mon 8 Mar 2027" at the beginning and in a new year, "Thu 1 Apr" in a new month, "Tue 9" elsewhere."""
    if day == first or day.timetuple().tm_yday <= 1:
        return f"{words.weekday(day)} {words.day_year(day)}"
    return f"{words.weekday(day)} {words.day(day)}" if day.day == 1 else f"{words.weekday(day)} {day.day}"


def _off(over: Stretch, state: Project | None) -> tuple[tuple[str, str], ...]:
    """Return the days on which nobody works by the project's calendar: percent from, percent wide."""
    zone, weekdays = ZoneInfo(over.zone), state.calendar.weekdays if state else tuple(range(5))
    holidays = set(state.calendar.holidays) if state else set()
    days = []
    first = over.start.astimezone(zone).date()
    for day in (first + timedelta(days=i) for i in range(DAYS[over.span])):
        if day.weekday() not in weekdays or day in holidays:
            x, beyond = over.x(start_of(day, over.zone)), over.x(end_of(day, over.zone))
            days.append((x, f"{float(beyond) - float(x):.3f}"))
    return tuple(days)


# to the next difference


def next_difference(
    services: Services, share: Share, at: datetime, look: int, told: Callable[[Change], bool]
) -> datetime | None:
    """Return when the plan next came to say what their page did not, looking through `look` changes after `at`."""
    events, stream = services.logs.events, f"project-{share.project}"
    here = events.version_at(stream, at)
    state = services.present.past(share.project, at).state
    for change in _commands(services, share, state, events.part(stream, here, look)):
        if not told(change):
            return change.at
    return None
