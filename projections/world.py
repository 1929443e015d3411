"""Everything as it stands: the fold of the whole event log, projects included."""

from collections.abc import Callable
from typing import assert_never

import msgspec

from domain import holding, project
from domain.access import AccessEvent, ClientEnded
from domain.agreement import HeldReleased, Share, ShareEvent
from domain.events import CommandCarriedOut, ContentErased, Recorded, Sealed
from domain.holding import Holds
from domain.ids import PersonId, ProjectId, ShareId
from domain.project import Project, ProjectEvent
from projections.directory import Directory


class World(Directory):
    """The present state of every stream. Not thread-safe: whoever folds it owns it."""

    def __init__(self) -> None:
        super().__init__()
        self.projects: dict[ProjectId, Project] = {}
        self.versions: dict[str, int] = {}
        self.holds: dict[ShareId, Holds] = {}  # what waits for review, by share
        self.position = 0

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event.

        Raises: whatever evolve raises on an event that does not fit its stream.
        """
        key, event = recorded.stream.partition("-")[2], recorded.event
        match event:
            case CommandCarriedOut() | ContentErased() | Sealed():
                pass
            case _ if isinstance(event, AccessEvent):
                self.apply_access(event, key, recorded.at)
                if isinstance(event, ClientEnded):
                    self.holds = {s: h for s, h in self.holds.items() if self.shares[s].active}
            case _ if isinstance(event, ShareEvent):
                self.apply_share(event, key, recorded.at)
                self._let_go(ShareId(key), event)
            case _ if isinstance(event, ProjectEvent):
                self._apply_project(ProjectId(key), event, recorded)
            case _:
                assert_never(event)
        self.versions[recorded.stream] = recorded.version
        self.position = max(self.position, recorded.position)

    def _apply_project(self, key: ProjectId, event: ProjectEvent, recorded: Recorded) -> None:
        before = self.projects.get(key)
        now = self.projects[key] = project.evolve(before, event, recorded.at)
        if before is None:
            return
        for share in self.shares.values():
            if share.project == key and share.active and share.ways.release is not None:
                waits = self.holds.get(share.id, holding.NOTHING)
                self._hold(share.id, holding.after(waits, before, now, share, recorded.at, recorded.actor))

    def _let_go(self, key: ShareId, event: ShareEvent) -> None:
        share, waits = self.shares[key], self.holds.get(key, holding.NOTHING)
        if isinstance(event, HeldReleased):
            self._hold(key, holding.without(waits, frozenset(fact.subject for fact in event.held)))
        elif not share.active or share.ways.release is None:
            self._hold(key, holding.NOTHING)

    def _hold(self, key: ShareId, waits: Holds) -> None:
        if waits.held:
            self.holds[key] = waits
        else:
            self.holds.pop(key, None)

    def held(self, share: ShareId) -> Holds:
        """Return what waits for review on a share."""
        return self.holds.get(share, holding.NOTHING)

    def released(self, share: Share) -> Project:
        """Return a share's project as the share may know it: without what waits for review."""
        return holding.as_released(self.projects[share.project], self.held(share.id), share.terms.measure)

    def concerned(self, stream: str) -> set[ShareId]:
        """Return the shares whose view may depend on a stream."""
        kind, _, key = stream.partition("-")
        match kind:
            case "project":
                return {s.id for s in self.shares.values() if s.project == key}
            case "share":
                return {ShareId(key)} & self.shares.keys()
            case "client":
                return {s.id for s in self.shares.values() if s.client == key}
            case "organisation" | "erasure":  # of a person whose name may stand in any
                return set(self.shares)
            case _:
                return set()


class Names(msgspec.Struct, frozen=True):
    """What a share is called to its client."""

    organisation: str
    client: str
    time_zone: str
    called: Callable[[PersonId], str] = str  # the name of somebody who said something


def names(world: World, share: Share) -> Names:
    """Return the names a share's view carries; the project's zone until the client has one."""
    client = world.clients.get(share.client)
    zone = client.time_zone if client else world.projects[share.project].time_zone
    return Names(world.organisation or "Your supplier", client.name if client else "you", zone, world.person_name)
