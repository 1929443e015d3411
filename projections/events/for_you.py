"""What needs somebody of the organisation, project by project, and whose it is: the index behind the list *For you*.

Rule (docs/spec.md 2.23): an index beside the fold. A project is looked at again only when something was recorded of
it, of one of its shares, or of a client of it or that client's people. Nobody is told of a project they do not manage,
whatever was handed to them.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec

from domain.agreement.share import Share
from domain.events import Recorded
from domain.ids import ClientId, PersonId, ProjectId, ShareId
from domain.people.for_you import Desk, HandedOver
from domain.people.mails import Mail
from domain.people.person import Person
from domain.plan.project import Project
from projections.events.world import World
from projections.wording.words import local

Kind = Literal["concern", "comment", "score", "ack", "hold", "mail", "stopped", "confirm", "expires", "joined"]
RECENT = timedelta(days=30)  # scores and acknowledgements
JOINED = timedelta(days=14)
EXPIRES = timedelta(days=14)  # before the agreed end of a share
UNCONFIRMED = timedelta(days=31)  # after the newest confirmation of a plan
STAFF = ("manager", "admin")


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that needs somebody, as far as the present instant does not matter."""

    key: str  # its kind, its project and its ids: the same for as long as it needs somebody
    kind: Kind
    project: ProjectId
    client: ClientId | None = None
    share: ShareId | None = None
    about: str = ""  # "milestone-m1", "risk-r7", "budget", "agreement-2"; "": everything
    by: PersonId | None = None  # of the client: who said it, joined, or was not reached
    at: datetime | None = None  # since when, UTC; None: not known
    newest: datetime | None = None  # when the latest of it came, where it is several
    many: int = 1
    until: datetime | None = None  # when it lapses
    starts: datetime | None = None  # it is nothing before that
    ends: datetime | None = None  # nor from then on
    place: str = ""  # whoever opens this place has dealt with it

    @property
    def moved(self) -> datetime | None:
        """When it last changed (UTC)."""
        return self.newest or self.at

    def holds(self, now: datetime) -> bool:
        """Tell whether it needs somebody at an instant."""
        return (self.starts is None or self.starts <= now) and (self.ends is None or now < self.ends)


class Handing(msgspec.Struct, frozen=True, kw_only=True):
    """To whom a line was handed last, and by whom."""

    to: PersonId
    by: PersonId
    at: datetime


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A matter in the list of one person."""

    matter: Matter
    given_by: PersonId | None = None  # who handed it over
    covers: PersonId | None = None  # whose line it is, who is away
    back: date | None = None  # put off until then


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
        self._changed: set[str] | None = None  # streams since the last look; None: everything
        self.looked = 0  # how many projects were looked at since the process began

    def take(self, new: Sequence[Recorded]) -> None:
        """Note what was recorded."""
        with self._lock:
            if self._changed is not None:
                self._changed |= {recorded.stream for recorded in new}

    def lines(self, person: PersonId, now: datetime, stopped: Iterable[str] = ()) -> list[Line]:
        """Return the list of one person at `now` (UTC), what is put off too; `stopped` are the shares that stopped."""
        with self._lock:
            world = self._present()
            me = self._staff.get(person)
            if me is None:
                return []
            halted: dict[ProjectId, list[Matter]] = {}
            for share in (world.shares[ShareId(key)] for key in stopped if ShareId(key) in world.shares):
                halted.setdefault(share.project, []).append(_stopped(share))
            found: dict[str, Line] = {}
            for line in self._candidates(person, now, halted):
                matter = line.matter
                if matter.key in found or not matter.holds(now) or not me.manages(matter.project):
                    continue
                if not any(_opened(self._staff[one].desk, matter) for one in (person, line.covers) if one):
                    back = self._back(me.desk, matter, now)
                    found[matter.key] = msgspec.structs.replace(line, back=back)
            return list(found.values())

    def told_at(self, person: PersonId, place: str) -> bool:
        """Return whether somebody has a line, or covers one, that is dealt with by opening a place."""
        with self._lock:
            self._present()
            me = self._staff.get(person)
            if me is None:
                return False
            known = me.desk.opened.get(place)
            kind, _dash, key = place.partition("-")
            projects = [ProjectId(key)] if kind == "project" else list(self._matters)
            return any(
                matter.place == place and me.manages(matter.project) and (known is None or known < (matter.at or known))
                for project in projects
                for matter in self._matters.get(project, {}).values()
            )

    def _candidates(self, person: PersonId, now: datetime, halted: Mapping[ProjectId, list[Matter]]) -> Iterator[Line]:
        yield from self._own(person, halted)
        for absent, staff in self._staff.items():
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
        for project in [one for one in {**self._matters, **halted} if one in mine]:
            for matter in (*self._matters.get(project, {}).values(), *halted.get(project, ())):
                given = self._handed(matter)
                if given is None or given.to == person:
                    yield Line(matter=matter, given_by=given.by if given else None)
        for key, given in self._given.items():
            if given.to == person:
                project = ProjectId(key.split(".")[1])
                stopped = {matter.key: matter for matter in halted.get(project, ())}
                matter_given = self._matters.get(project, {}).get(key) or stopped.get(key)
                if matter_given is not None:
                    yield Line(matter=matter_given, given_by=given.by)

    def _handed(self, matter: Matter) -> Handing | None:
        """Return to whom a line was handed, None where that is nobody who manages its project now."""
        given = self._given.get(matter.key)
        taker = self._staff.get(given.to) if given else None
        return given if taker is not None and taker.manages(matter.project) else None

    def _zone(self, project: ProjectId) -> str:
        return self._world().projects[project].time_zone

    def _back(self, desk: Desk, matter: Matter, now: datetime) -> date | None:
        """Return the day until which a line is put off; None where it is not, or is newer than that."""
        put_off = desk.put_off.get(matter.key)
        if put_off is None or put_off.until <= local(now, self._zone(matter.project)).date():
            return None
        return None if matter.moved is not None and matter.moved > put_off.at else put_off.until

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
                self._matters.pop(key, None)
                if found := {matter.key: matter for matter in matters(world, project)}:
                    self._matters[key] = found
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
        case "erasure":
            return set(world.projects)
        case _:
            return set()


def _of_client(world: World, client: ClientId) -> set[ProjectId]:
    return {share.project for share in world.all_of_client(client)}


# what needs somebody in one project


def matters(world: World, project: Project) -> Iterator[Matter]:
    """Yield what needs somebody in a project, at any instant from now on."""
    active = [share for share in world.all_of_project(project.id) if share.active]
    for share in active:
        yield from _said(share)
        yield from _held(world, share)
        yield from _expires(share)
        yield from _mails(world, share)
    yield from _scored(project)
    yield from _unconfirmed(project, active)
    for client in {share.client for share in world.all_of_project(project.id)}:
        if _home(world, client) == project.id:
            yield from _people_of(world, client, project.id)


def _key(kind: Kind, project: ProjectId, *ids: str | int) -> str:
    return ".".join((kind, project, *map(str, ids)))


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _said(share: Share) -> Iterator[Matter]:
    """Yield concerns and comments that nobody of ours answered, and what was acknowledged."""
    project, client = share.project, share.client
    for concern in share.answers.concerns.values():
        if not concern.settled and not concern.answer:
            yield Matter(
                key=_key("concern", project, share.id, concern.id), kind="concern", project=project, client=client,
                share=share.id, about=concern.subject, by=concern.by, at=concern.at,
            )  # fmt: skip
    open_now: dict[str, Matter] = {}
    for comment in share.answers.comments:
        known = open_now.get(comment.subject)
        if comment.side == "ours":
            if not comment.remark:
                open_now.pop(comment.subject, None)
        elif known is not None:
            new = {"many": known.many + 1, "newest": comment.at, "by": comment.by}
            open_now[comment.subject] = msgspec.structs.replace(known, **new)
        else:
            open_now[comment.subject] = Matter(
                key=_key("comment", project, share.id, comment.id), kind="comment", project=project, client=client,
                share=share.id, about=comment.subject, by=comment.by, at=comment.at,
            )  # fmt: skip
    yield from open_now.values()
    for subject, taken in share.answers.acknowledged.items():
        yield Matter(
            key=_key("ack", project, share.id, subject, _seconds(taken.at)), kind="ack", project=project, client=client,
            share=share.id, about=subject, by=taken.by, at=taken.at, ends=taken.at + RECENT, place=f"project-{project}",
        )  # fmt: skip


def _held(world: World, share: Share) -> Iterator[Matter]:
    for subject, held in world.held(share.id).held.items():
        fact = held.fact
        yield Matter(
            key=_key("hold", share.project, share.id, subject, _seconds(fact.since)), kind="hold",
            project=share.project, client=share.client, share=share.id, about=subject, at=fact.since, until=fact.until,
        )  # fmt: skip


def _expires(share: Share) -> Iterator[Matter]:
    if (expires := share.ways.expires) is not None:
        yield Matter(
            key=_key("expires", share.project, share.id, _seconds(expires)), kind="expires", project=share.project,
            client=share.client, share=share.id, until=expires, starts=expires - EXPIRES, ends=expires,
        )  # fmt: skip


def _mails(world: World, share: Share) -> Iterator[Matter]:
    """Yield whom the last mail about a share did not reach."""
    for person in world.viewers_of(share.client):
        if mail := _refused([mail for mail in person.mails if mail.share == share.id]):
            yield Matter(
                key=_key("mail", share.project, share.id, person.id, _seconds(mail.at)), kind="mail",
                project=share.project, client=share.client, share=share.id, by=person.id, at=mail.settled or mail.at,
            )  # fmt: skip


def _refused(mails: Sequence[Mail]) -> Mail | None:
    """Return the last of some mails where it was refused."""
    return mails[-1] if mails and mails[-1].state == "refused" else None


def _scored(project: Project) -> Iterator[Matter]:
    for risk in project.risks.risks.values():
        for client, given in () if risk.closed else risk.client_scores.items():
            last = given[-1]
            yield Matter(
                key=_key("score", project.id, client, risk.id, _seconds(last.at)), kind="score", project=project.id,
                client=client, about=f"risk-{risk.id}", by=last.by, at=last.at, ends=last.at + RECENT,
                place=f"project-{project.id}",
            )  # fmt: skip


def _unconfirmed(project: Project, active: Sequence[Share]) -> Iterator[Matter]:
    """Yield that a plan which was confirmed before, and is shown to somebody, was not confirmed for long."""
    confirmed = project.schedule.confirmed_since
    open_dates = any(milestone.actual is None for milestone in project.schedule.milestones.values())
    if confirmed is not None and project.phase == "running" and active and open_dates:
        yield Matter(
            key=_key("confirm", project.id, _seconds(confirmed)), kind="confirm", project=project.id, at=confirmed,
            starts=confirmed + UNCONFIRMED,
        )  # fmt: skip


def _home(world: World, client: ClientId) -> ProjectId | None:
    """Return the project with which a client's people are told: of its first share in force, else of its first."""
    shares = world.all_of_client(client)
    return next((share.project for share in (*(s for s in shares if s.active), *shares)), None)


def _people_of(world: World, client: ClientId, project: ProjectId) -> Iterator[Matter]:
    """Yield whom an invitation did not reach, whom a lead invited, and who came in for the first time."""
    for person in world.viewers_of(client):
        known = person.memberships[client]
        first = next(iter(person.memberships))
        invited = [m for m in person.mails if m.kind == "invitation" and (m.client or first) == client]
        if (mail := _refused(invited)) and known.joined is None:
            yield Matter(
                key=_key("mail", project, client, person.id, _seconds(mail.at)), kind="mail", project=project,
                client=client, by=person.id, at=mail.settled or mail.at,
            )  # fmt: skip
        came = known.joined or (known.invited_at if known.invited_by is not None else None)
        if came is not None:
            yield Matter(
                key=_key("joined", project, client, person.id), kind="joined", project=project, client=client,
                by=person.id, at=came, ends=came + JOINED, place=f"client-{client}",
            )  # fmt: skip


def _stopped(share: Share) -> Matter:
    return Matter(
        key=_key("stopped", share.project, share.id), kind="stopped", project=share.project, client=share.client,
        share=share.id,
    )  # fmt: skip
