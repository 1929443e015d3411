"""What needs somebody of the organisation, project by project, and whose it is: the index behind the list *For you*.

Rule (docs/spec.md 2.23): an index beside the fold. A project is looked at again only when something was recorded of
it, of one of its shares, or of a client of it or that client's people. Nobody is told of a project they do not manage,
whatever was handed to them.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import msgspec

from domain.events import Recorded
from domain.ids import ChannelId, ClientId, PersonId, ProjectId, ShareId
from domain.people.for_you import Desk, HandedOver
from domain.people.person import Person
from domain.plan.project import Project
from projections.events.matters import Matter, matters, stopped
from projections.events.world import World
from projections.wording.words import local

STAFF = ("manager", "admin")
Parked = Mapping[str, int]  # shares that stopped, with the position of the last event each has taken in
MOVING: Parked = {}


class Handing(msgspec.Struct, frozen=True, kw_only=True):
    """To whom a line was handed last, and by whom."""

    to: PersonId
    by: PersonId
    at: datetime


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A matter in the list of one person."""

    matter: Matter
    given_by: PersonId | None = None  # who handed it over
    given_at: datetime | None = None
    covers: PersonId | None = None  # whose line it is, who is away
    back: date | None = None  # put off until then
    since: datetime | None = None  # when it came to this list as it is (UTC); None: not known


class _Staff(msgspec.Struct, frozen=True):
    """What of a colleague decides which lines are theirs."""

    projects: frozenset[ProjectId] | None
    desk: Desk

    def manages(self, project: ProjectId) -> bool:
        return self.projects is None or project in self.projects


class ForYou:
    """The index. `world` returns the present world; safe for threads."""

    def __init__(self, world: Callable[[], World]) -> None:
        self._world, self._lock = world, threading.Lock()
        self._matters: dict[ProjectId, Mapping[str, Matter]] = {}  # of projects that have some
        self._zones: dict[ProjectId, str] = {}
        self._staff: dict[PersonId, _Staff] = {}  # who comes in
        self._holders: dict[ProjectId, tuple[PersonId, ...]] = {}
        self._mine: dict[PersonId, set[ProjectId]] = {}
        self._handed_by: dict[PersonId, Mapping[str, HandedOver]] = {}  # also by who has left since
        self._given: dict[str, Handing] = {}  # the latest of each line
        self._given_to: dict[PersonId, list[str]] = {}  # the lines of which that one is the taker
        self._away: set[PersonId] = set()  # who said when they are away, and who covers
        self._changed: set[str] | None = None  # streams since the last look; None: everything
        self._version = 0
        self.looked = 0  # how many projects were looked at since the process began

    def take(self, new: Sequence[Recorded]) -> None:
        """Note what was recorded."""
        with self._lock:
            if self._changed is not None:
                self._changed |= {recorded.stream for recorded in new}

    def lines(self, person: PersonId, now: datetime, parked: Parked = MOVING) -> list[Line]:
        """Return the list of one person at `now` (UTC), what is put off too; `parked` are the shares that stopped."""
        with self._lock:
            world = self._present()
            me = self._staff.get(person)
            if me is None:
                return []
            halted = _halted(world, parked)
            found: dict[str, Line] = {}
            for line in self._candidates(person, now, halted):
                matter = line.matter
                if matter.key in found or not matter.holds(now) or not me.manages(matter.project):
                    continue
                if not any(_opened(self._staff[one].desk, matter) for one in (person, line.covers) if one):
                    found[matter.key] = self._put_off(line, me.desk, now)
            return list(found.values())

    def version(self) -> int:
        """Return a number that is another one once any list may have become another, by what was recorded."""
        with self._lock:
            self._present()
            return self._version

    def readers(self) -> list[PersonId]:
        """Return everybody who has a list, by id."""
        with self._lock:
            self._present()
            return sorted(self._staff)

    def of_project(self, project: ProjectId, now: datetime, parked: Parked = MOVING) -> list[Matter]:
        """Return what needs somebody in a project at `now` (UTC), whoever that is."""
        with self._lock:
            halted = _halted(self._present(), parked)
            every = (*self._matters.get(project, {}).values(), *halted.get(project, ()))
            return [matter for matter in every if matter.holds(now)]

    def told_at(self, person: PersonId, place: str) -> bool:
        """Return whether somebody has a line, or covers one, that is dealt with by opening a place."""
        with self._lock:
            world = self._present()
            me = self._staff.get(person)
            if me is None:
                return False
            known = me.desk.opened.get(place)
            kind, _dash, key = place.partition("-")
            projects = [ProjectId(key)] if kind == "project" else sorted(_of_client(world, ClientId(key)))
            return any(
                matter.place == place and me.manages(matter.project) and (known is None or known < (matter.at or known))
                for project in projects
                for matter in self._matters.get(project, {}).values()
            )

    def _candidates(self, person: PersonId, now: datetime, halted: Mapping[ProjectId, list[Matter]]) -> Iterator[Line]:
        yield from self._own(person, halted)
        for absent in sorted(self._away):
            staff = self._staff[absent]
            absence = staff.desk.absence
            if absence is None or absence.cover != person or absent == person:
                continue
            for line in self._own(absent, halted):
                project = line.matter.project
                if staff.manages(project) and absence.covers(local(now, self._zone(project)).date()):
                    yield msgspec.structs.replace(line, covers=absent)

    def _own(self, person: PersonId, halted: Mapping[ProjectId, list[Matter]]) -> Iterator[Line]:
        """Yield what is somebody's by their projects or because it was handed to them."""
        mine = self._mine.get(person, set())
        for project in sorted(one for one in mine if one in self._matters or one in halted):
            for matter in (*self._matters.get(project, {}).values(), *halted.get(project, ())):
                given = self._handed(matter)
                if given is None or given.to == person:
                    yield _line(matter, given)
        for key in self._given_to.get(person, ()):
            project = ProjectId(key.split(".")[1])
            stopped = {matter.key: matter for matter in halted.get(project, ())}
            matter_given = self._matters.get(project, {}).get(key) or stopped.get(key)
            if matter_given is not None:
                yield _line(matter_given, self._given[key])

    def _handed(self, matter: Matter) -> Handing | None:
        """Return to whom a line was handed, None where that is nobody who manages its project now."""
        given = self._given.get(matter.key)
        taker = self._staff.get(given.to) if given else None
        return given if taker is not None and taker.manages(matter.project) else None

    def _zone(self, project: ProjectId) -> str:
        return self._world().projects[project].time_zone

    def _put_off(self, line: Line, desk: Desk, now: datetime) -> Line:
        """Return a line with the day until which it is put off, and since when it is on the list as it is."""
        matter = line.matter
        put_off, since = desk.put_off.get(matter.key), _latest(matter.since, line.given_at)
        if put_off is None or (matter.moved is not None and matter.moved > put_off.at):
            return msgspec.structs.replace(line, since=since)
        zone = self._zone(matter.project)
        if put_off.until > local(now, zone).date():
            return msgspec.structs.replace(line, since=since, back=put_off.until)
        came_back = datetime.combine(put_off.until, time(), ZoneInfo(zone))
        return msgspec.structs.replace(line, since=_latest(since, came_back.astimezone(UTC)))

    # keeping up with the record

    def _present(self) -> World:
        world, changed = self._world(), self._changed
        self._changed = set()
        if changed is None:
            projects, people = set(world.projects), set(world.people)
        else:
            projects = set().union(*(_concerned(world, stream) for stream in changed))
            people = {PersonId(s.partition("-")[2]) for s in changed if s.startswith(("person-", "erasure-"))}
        moved = self._people(world, people)
        for key in projects:
            if (project := world.projects.get(key)) is not None:
                self.looked += 1
                before = self._matters.pop(key, {})
                if found := {matter.key: matter for matter in matters(world, project)}:
                    self._matters[key] = found
                self._version += found != before
        for key in set(world.projects) if moved else projects & set(world.projects):
            self._settle(key, self._responsible(world.projects[key]))
        return world

    def _people(self, world: World, people: Iterable[PersonId]) -> bool:
        """Take in what colleagues are and said, and return whether anybody's projects changed."""
        moved = said = False
        for key in people:
            person, old = world.people.get(key), self._staff.get(key)
            new = _staff(person) if person is not None and person.role in STAFF and person.comes_in else None
            if new is None:
                self._staff.pop(key, None)
            else:
                self._staff[key] = new
            (self._away.discard if new is None or new.desk.absence is None else self._away.add)(key)
            self._version += new != old
            moved |= (old and (old.projects,)) != (new and (new.projects,))
            handed = person.desk.handed if person is not None else {}
            said |= handed != self._handed_by.pop(key, {})
            if handed:
                self._handed_by[key] = handed
        if said:
            self._give()
        return moved

    def _give(self) -> None:
        """Find who was given each line last."""
        self._given = {}
        for by, handed in self._handed_by.items():
            for line, one in handed.items():
                before = self._given.get(line)
                if before is None or (before.at, before.by) < (one.at, by):
                    self._given[line] = Handing(to=one.to, by=by, at=one.at)
        self._given_to = {}
        for line, given in self._given.items():
            self._given_to.setdefault(given.to, []).append(line)

    def _responsible(self, project: Project) -> tuple[PersonId, ...]:
        """Return whose a project's lines are: its owner's, else of whom it is given to, else of all who manage it."""
        if project.owner in self._staff and self._staff[project.owner].manages(project.id):
            return (project.owner,)
        able = {key: staff for key, staff in self._staff.items() if staff.manages(project.id)}
        assigned = tuple(key for key, staff in able.items() if staff.projects is not None)
        return assigned or tuple(able)

    def _settle(self, project: ProjectId, holders: tuple[PersonId, ...]) -> None:
        for person in self._holders.get(project, ()):
            self._mine.get(person, set()).discard(project)
        self._holders[project] = holders
        for person in holders:
            self._mine.setdefault(person, set()).add(project)


def _staff(person: Person) -> _Staff:
    return _Staff(None if person.projects is None else frozenset(person.projects), person.desk)


def _opened(desk: Desk, matter: Matter) -> bool:
    opened = desk.opened.get(matter.place) if matter.place else None
    return opened is not None and matter.at is not None and matter.at <= opened


def _concerned(world: World, stream: str) -> set[ProjectId]:
    """Return which projects have to be looked at again after something was recorded in a stream."""
    kind, _dash, key = stream.partition("-")
    match kind:
        case "project":
            return {ProjectId(key)}
        case "share":
            share = world.shares.get(ShareId(key))
            return _of_client(world, share.client) if share else set()
        case "client":
            return _of_client(world, ClientId(key))
        case "person":
            person = world.people.get(PersonId(key))
            return set().union(*(_of_client(world, client) for client in person.memberships)) if person else set()
        case "channel":
            channel = world.channels.get(ChannelId(key))
            return {channel.project} if channel else set()
        case "erasure":
            return set(world.projects)
        case _:
            return set()


def _of_client(world: World, client: ClientId) -> set[ProjectId]:
    return {share.project for share in world.all_of_client(client)}


def _halted(world: World, parked: Parked) -> dict[ProjectId, list[Matter]]:
    """Return the lines about shares that stopped, by project."""
    halted: dict[ProjectId, list[Matter]] = {}
    for key, position in parked.items():
        if (share := world.shares.get(ShareId(key))) is not None:
            halted.setdefault(share.project, []).append(stopped(share, position))
    return halted


def _line(matter: Matter, given: Handing | None) -> Line:
    return Line(matter=matter, given_by=given.by, given_at=given.at) if given else Line(matter=matter)


def _latest(*times: datetime | None) -> datetime | None:
    return max((at for at in times if at is not None), default=None)
