"""Everything as it stands: the fold of the whole event log, projects included."""

from typing import assert_never

import msgspec

from domain import project
from domain.access import AccessEvent
from domain.agreement import Share, ShareEvent
from domain.events import CommandCarriedOut, ContentErased, Recorded, Sealed
from domain.ids import ProjectId, ShareId
from domain.project import Project, ProjectEvent
from projections.directory import Directory


class World(Directory):
    """The present state of every stream. Not thread-safe: whoever folds it owns it."""

    def __init__(self) -> None:
        super().__init__()
        self.projects: dict[ProjectId, Project] = {}
        self.versions: dict[str, int] = {}
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
                self.apply_access(event, key)
            case _ if isinstance(event, ShareEvent):
                self.apply_share(event, key, recorded.at)
            case _ if isinstance(event, ProjectEvent):
                stream = ProjectId(key)
                self.projects[stream] = project.evolve(self.projects.get(stream), event, recorded.at)
            case _:
                assert_never(event)
        self.versions[recorded.stream] = recorded.version
        self.position = max(self.position, recorded.position)

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
            case "organisation":
                return set(self.shares)
            case _:
                return set()


class Names(msgspec.Struct, frozen=True):
    """What a share is called to its client."""

    organisation: str
    client: str
    time_zone: str


def names(world: World, share: Share) -> Names:
    """Return the names a share's view carries; the project's zone until the client has one."""
    client = world.clients.get(share.client)
    zone = client.time_zone if client else world.projects[share.project].time_zone
    return Names(world.organisation or "Your supplier", client.name if client else "you", zone)
