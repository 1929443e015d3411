"""The lines of a list *For you* in sentences, with the way to the place where each is dealt with."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from domain.ids import ProjectId
from domain.language import gettext as _
from projections.events.for_you import Line
from projections.events.world import World
from projections.wording import words
from projections.wording.phrases import span
from web.door.guard import Signed
from web.process.services import Services
from web.staff.for_you import lines_of
from web.telling.matters import leads_to, rank, sentence
from web.telling.notices import note
from web.write.colleagues import takers

MOST = 200  # lines on one page


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One line as it is shown."""

    key: str
    text: str
    ago: str  # "12 min ago", "" where that is not known
    at: str  # ISO 8601
    href: str
    note: str  # whose it was before, or who is away
    back: str  # "3 December 2027" where it is put off


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of one project."""

    id: ProjectId
    title: str
    lines: Sequence[Shown]
    takers: Sequence[tuple[str, str]]  # id and name of whom a line can be handed to
    days: Sequence[tuple[str, str]]  # until when a line is put off by one button: ISO date, in words
    first: str  # the first day, ISO
    last: str


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """The whole list."""

    count: int  # that wait now
    groups: Sequence[Group]
    put_off: Sequence[Group]
    more: int  # lines that are not shown
    token: str  # a fingerprint: another one later means that the list changed


def listed(services: Services, signed: Signed) -> Listed:
    """Return somebody's list. For threads."""
    world, now = services.present.refresh(), services.now()
    every = sorted(lines_of(services, signed), key=lambda line: rank(line.matter))
    waiting = [line for line in every if line.back is None]
    put_off = [line for line in every if line.back is not None]
    state = repr([(line.matter.key, line.matter.many, line.back, line.given_by, line.covers) for line in every])
    return Listed(
        count=len(waiting),
        groups=_groups(world, signed, waiting[:MOST], now),
        put_off=_groups(world, signed, put_off[:MOST], now),
        more=max(0, len(waiting) - MOST),
        token=hashlib.sha256(state.encode()).hexdigest()[:16],
    )


def _groups(world: World, signed: Signed, lines: Sequence[Line], now: datetime) -> list[Group]:
    by_project: dict[ProjectId, list[Line]] = {}
    for line in lines:
        by_project.setdefault(line.matter.project, []).append(line)
    return [_group(world, signed, key, theirs, now) for key, theirs in by_project.items()]


def _group(world: World, signed: Signed, key: ProjectId, lines: Sequence[Line], now: datetime) -> Group:
    project = world.projects[key]
    today = words.local(now, project.time_zone).date()
    tomorrow, monday = today + timedelta(days=1), today + timedelta(days=7 - today.weekday())
    days = [(tomorrow.isoformat(), _("Tomorrow")), (monday.isoformat(), _("Monday, {day}", day=words.day_year(monday)))]
    week = today + timedelta(days=7)
    return Group(
        id=key,
        title=project.title,
        lines=[_shown(world, line, now) for line in lines],
        takers=[(p.id, p.name) for p in takers(world, signed.person, key) if p.id != signed.person.id],
        days=[*(days if tomorrow != monday else days[:1]), (week.isoformat(), _("In a week"))],
        first=tomorrow.isoformat(),
        last=(today + timedelta(days=365)).isoformat(),
    )


def _shown(world: World, line: Line, now: datetime) -> Shown:
    matter = line.matter
    moved = matter.moved if matter.kind not in ("confirm", "expires") else None
    return Shown(
        key=matter.key,
        text=sentence(world, matter, now),
        ago="" if moved is None else ago(moved, now),
        at="" if moved is None else words.iso(moved),
        href=leads_to(matter),
        note=note(world, line),
        back=words.long_day(line.back) if line.back else "",
    )


def ago(at: datetime, now: datetime) -> str:
    """Return how long ago an instant was: "just now", "12 min ago", "3 days ago"."""
    if now - at < timedelta(seconds=2):
        return _("just now")
    days = (now - at).days
    return _("{days} days ago", days=days) if days > 1 else _("{span} ago", span=span(at, now))


def day_in(value: str) -> date | None:
    """Return the day a form names, None where it names none that can be read."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
