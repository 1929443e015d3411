"""What lies around a page of a project: the shares one can go to from it."""

import msgspec

from domain.ids import ProjectId
from projections.events.world import World, organisation_zone


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """One share of a project, as the path names it."""

    id: str
    client: str
    state: str  # "active", "draft" or "ended"


class Around(msgspec.Struct, frozen=True):
    """The present world, asked for what lies around one page."""

    world: World

    @property
    def zone(self) -> str:
        """The organisation's time zone (IANA)."""
        return organisation_zone(self.world)

    def shares(self, project: str) -> list[Neighbour]:
        """Return the shares of a project: in force, then drafts, then ended ones."""
        order = "active", "draft", "ended"
        found = [
            Neighbour(
                id=share.id,
                client=self.world.client_name(share.client),
                state="ended" if share.revoked_at is not None else "active" if share.active else "draft",
            )
            for share in self.world.shares_of_project(ProjectId(project))
        ]
        return sorted(found, key=lambda one: order.index(one.state))
