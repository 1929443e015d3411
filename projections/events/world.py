"""The present state of every stream: clients, people, shares and projects, folded from the event log."""

import functools
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Literal, cast

import msgspec

from domain.agreement.share import HeldReleased, Share, ShareEvent
from domain.events import CommandCarriedOut, ContentErased, Recorded, Sealed
from domain.ids import PersonId, ProjectId, ShareId
from domain.language import gettext as _
from domain.language import speaking
from domain.look.look import Look
from domain.people.access import AccessEvent
from domain.people.clients import ClientEnded
from domain.plan import project
from domain.plan.project import Project, ProjectEvent
from domain.plan.putting_back import WITHIN, LatestChange, Parts, Placed, change_of
from domain.reveal import holding
from domain.reveal.holding import Holds, ProjectStep
from projections.directory import Directory
from projections.events.hold_book import Hold, HoldBook
from projections.sharing import Sharing

KEPT = 50  # of the latest changes of a project
FEW = 20  # events of a change that is worked out only when somebody asks for it


Kind = Literal["project", "share", "access", "closing", "nothing"]


@functools.cache
def kind_of(event: type) -> Kind:
    """Return what events of a class change; asked once for each class, as a union of many takes long to go through.

    Raises: TypeError where it is no event.
    """
    if issubclass(event, CommandCarriedOut):
        return "closing"
    if issubclass(event, ContentErased | Sealed):
        return "nothing"
    if issubclass(event, ProjectEvent):
        return "project"
    if issubclass(event, ShareEvent):
        return "share"
    if issubclass(event, AccessEvent):
        return "access"
    message = f"expected an event, got {event.__name__}"
    raise TypeError(message)


class _Begun(msgspec.Struct):
    """A command of a project whose events are being taken in: the state before it, and its events so far."""

    project: ProjectId
    command: str
    before: Project
    events: list[Recorded]
    after: Project
    at: datetime  # of the last event, UTC

    def states(self) -> Iterator[Project]:
        """Yield the state before the command and after each event. None is kept, as there may be thousands."""
        state = self.before
        yield state
        for recorded in self.events:
            assert isinstance(recorded.event, ProjectEvent)
            state = project.evolve(state, recorded.event, recorded.at)
            yield state

    def change(self) -> LatestChange:
        """Return what the command changed, as it is kept for putting it back."""
        first, last = self.events[0], self.events[-1]
        place = Placed(first=first.version, last=last.version, at=last.at, by=last.actor)
        parts = [Parts(state.schedule, state.risks) for state in (self.before, self.after)]
        return change_of([recorded.event for recorded in self.events], parts[0], parts[1], place)


@functools.cache
def _maps() -> tuple[str, ...]:
    return tuple(name for name, value in vars(World()).items() if isinstance(value, Sharing))


class World(Directory):
    """The present state of every stream. Owned by the thread that folds the events; what `still` returned is anybody's.

    `_begun` is no state of its own: it is None whenever a command is taken in whole.
    """

    def __init__(self) -> None:
        super().__init__()
        self.projects: Sharing[ProjectId, Project] = Sharing()
        self.versions: Sharing[str, int] = Sharing()  # of the streams that commands are decided on
        self._changes: Sharing[ProjectId, tuple[LatestChange | _Begun, ...]] = Sharing()  # the latest, oldest first
        self._overridden: Sharing[ProjectId, None] = Sharing()  # whose health somebody set
        self.zones: Sharing[str, int] = Sharing()  # how many projects have a time zone (IANA name)
        self.held_back = HoldBook()  # what waits for review, and what waited earlier
        self._begun: _Begun | None = None
        self.position = 0

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event.

        Raises: the exception of the `evolve` function when the event does not fit its stream.
        """
        event, stream = recorded.event, recorded.stream
        kind = kind_of(type(event))
        if self._begun is not None and (kind == "closing" or self._begun.command != recorded.command):
            self.settle()
        key = stream[stream.find("-") + 1 :]
        if kind == "project":
            self._apply_project(ProjectId(key), cast("ProjectEvent", event), recorded)
        elif kind == "share":
            self.apply_share(cast("ShareEvent", event), key, recorded.at)
            self._let_go(ShareId(key), cast("ShareEvent", event), recorded.at)
        elif kind == "access":
            self.apply_access(cast("AccessEvent", event), key, recorded.at)
            if isinstance(event, ClientEnded):
                for share in self.all_of_client(key):
                    self._end(share.id, recorded.at)
        if kind != "closing":
            self.versions[stream] = recorded.version
        if recorded.position > self.position:  # noqa: PLR1730  # faster than `max`, once for each event
            self.position = recorded.position

    def still(self) -> "World":
        """Return the world as it is now, to read alone: later events do not change it.

        It takes no longer where there is much than where there is little, and what was not written to since the last
        time is the same map again.
        """
        made = World.__new__(World)
        vars(made).update(vars(self))
        for name in _maps():
            setattr(made, name, getattr(self, name).version())
        made.held_back = self.held_back.version()
        return made

    def afresh(self) -> "World":
        """Return the world as it is now, to apply events to: they do not change this one."""
        made = World.__new__(World)
        vars(made).update(vars(self))
        for name in _maps():
            setattr(made, name, getattr(self, name).still())
        made.held_back = self.held_back.still()
        return made

    @property
    def settled(self) -> bool:
        """Whether every command that was taken in is taken in whole."""
        return self._begun is None

    def _apply_project(self, key: ProjectId, event: ProjectEvent, recorded: Recorded) -> None:
        before = self.projects.get(key)
        after = self.projects[key] = project.evolve(before, event, recorded.at)
        if before is not None and before.health is not after.health:
            self._index_overrides(after)
        if before is None or before.time_zone != after.time_zone:
            self._count_zones(before, after)
        if before is None:
            return
        begun = self._begun
        if begun is not None and begun.project != key:
            self.settle()
            begun = None
        if begun is None:
            self._begun = _Begun(key, recorded.command, before, [recorded], after, recorded.at)
            return
        begun.events.append(recorded)
        begun.after, begun.at = after, recorded.at

    def _index_overrides(self, project: Project) -> None:
        if not project.health.overrides:
            self._overridden.pop(project.id, None)
        elif project.id not in self._overridden:
            self._overridden[project.id] = None

    def overridden(self) -> list[Project]:
        """Return the projects whose health somebody set, for as long as it is not recorded that it lapsed."""
        return [self.projects[project] for project in self._overridden]

    def _count_zones(self, before: Project | None, after: Project) -> None:
        self.zones[after.time_zone] = self.zones.get(after.time_zone, 0) + 1
        if before is not None:
            left = self.zones[before.time_zone] - 1
            if left:
                self.zones[before.time_zone] = left
            else:
                del self.zones[before.time_zone]

    def settle(self) -> None:
        """Work out what waits for review, once all events of a command on a project are taken in."""
        begun, self._begun = self._begun, None
        if begun is None:
            return
        self._keep(begun)
        shares = [self.shares[share] for share in self._of_project.get(begun.project, ())]
        reviewed = [s for s in shares if s.versions and s.versions[-1].ways.release is not None and s.active]
        if not reviewed:
            return
        last = begun.events[-1]
        step = ProjectStep(begun.before, begun.after, last.at, last.actor, begun.states)
        for share in reviewed:
            self.held_back.put(share.id, holding.after_command(self.held(share.id), step, share), step.at)

    def _keep(self, begun: _Begun) -> None:
        """Keep what a command changed for as long as it can be put back; it is worked out when somebody asks."""
        change = begun if len(begun.events) <= FEW else begun.change()
        known = self._changes.get(begun.project, ())
        since = begun.at - WITHIN
        if not known or known[-1].at < since:  # mostly: nobody changed it shortly before
            self._changes[begun.project] = (change,)
            return
        old = max(0, len(known) + 1 - KEPT)
        while known[old].at < since:
            old += 1
        self._changes[begun.project] = (*known[old:], change)

    def latest_changes(self, project: ProjectId) -> tuple[LatestChange, ...]:
        """Return what the latest commands of a project changed, oldest first, for as long as it can be put back."""
        known = self._changes.get(project, ())
        return tuple(one if isinstance(one, LatestChange) else one.change() for one in known)

    @property
    def changes(self) -> dict[ProjectId, tuple[LatestChange, ...]]:
        """What the latest commands changed, of every project."""
        return {key: self.latest_changes(key) for key in self._changes}

    def _let_go(self, key: ShareId, event: ShareEvent, at: datetime) -> None:
        share = self.shares[key]
        if isinstance(event, HeldReleased):
            subjects = frozenset(fact.subject for fact in event.held)
            waits = holding.after_release(self.held(key), subjects, self.projects[share.project], share.terms)
            self.held_back.released(key, waits, event, at)
        elif not share.active:
            self._end(key, at)
        elif share.ways.release is None:
            self.held_back.put(key, holding.NOTHING, at)

    def _end(self, key: ShareId, at: datetime) -> None:
        if not self.shares[key].active:
            self.held_back.put(key, holding.NOTHING, at, "share_ended")

    @property
    def holds(self) -> Sharing[ShareId, Holds]:
        """What waits for review, by share."""
        return self.held_back.now

    def held(self, share: ShareId) -> Holds:
        """Return what waits for review on a share."""
        return self.held_back.waiting(share)

    def held_at(self, share: ShareId, at: datetime) -> Holds:
        """Return what waited for review on a share at an instant (UTC)."""
        return self.held_back.at(share, at)

    def hold_record(self, share: ShareId) -> tuple[Hold, ...]:
        """Return every hold there ever was on a share, oldest first."""
        return self.held_back.record(share)

    def released(self, share: Share) -> Project:
        """Return a share's project as it is shown on the share: without the changes that wait for review."""
        return holding.as_released(self.projects[share.project], self.held(share.id), share.terms)

    def concerned(self, stream: str) -> set[ShareId]:
        """Return the shares whose view may depend on a stream."""
        kind, _, key = stream.partition("-")
        match kind:
            case "project":
                return {share.id for share in self.all_of_project(key)}
            case "share":
                return {ShareId(key)} & self.shares.keys()
            case "client":
                return {share.id for share in self.all_of_client(key)}
            case "organisation" | "erasure":  # a name that changes or is erased may stand in any share's view
                return set(self.shares)
            case _:
                return set()


def organisation_zone(world: World) -> str:
    """Return the time zone (IANA) of pages that are about no project: that of all projects, UTC where they differ."""
    return next(iter(world.zones)) if len(world.zones) == 1 else "UTC"


class Names(msgspec.Struct, frozen=True):
    """The names that a share's view shows its client, and the look it wears."""

    organisation: str
    client: str
    time_zone: str
    called: Callable[[PersonId], str] = str  # the name of a person whose words are shown
    look: Look | None = None  # None: the product's own


def names(world: World, share: Share) -> Names:
    """Return the names that a share's view shows; the time zone is the project's until the client has one."""
    client = world.clients.get(share.client)
    zone = client.time_zone if client else world.projects[share.project].time_zone
    with speaking(share.language):
        return Names(
            world.organisation or _("Your supplier"),
            client.name if client else _("you"),
            zone,
            world.names_for(share.client),
            world.brand.look,
        )
