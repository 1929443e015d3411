"""How each share of a project stands: its update, who watches now, whether it is stopped or holds changes."""

from datetime import datetime

import msgspec

from domain.agreement.share import Share
from domain.plan.project import Project
from projections.events.world import World
from web.process import presence
from web.process.presence import Looker
from web.process.services import Services
from web.record import audience


class ShareLine(msgspec.Struct, frozen=True, kw_only=True):
    """One share beside its project."""

    share: Share
    client: str
    number: int  # its mark; 0 when not in force
    update: int
    at: datetime | None  # of that update, UTC
    watching: tuple[Looker, ...]  # one for each person
    behind: bool
    stopped: str  # why, where it is stopped
    held: int = 0  # changes that wait for review
    ever_held: int = 0  # changes that ever did


def share_lines(services: Services, world: World, project: Project) -> list[ShareLine]:
    """Return every share of a project: in force, then drafts, then ended."""
    numbers = {a.share: a.number for a in audience.audiences(world, project)}
    shares = world.shares_of_project(project.id)
    lines = [share_line(services, world, share, numbers.get(share.id, 0)) for share in shares]
    return sorted(lines, key=lambda line: (line.share.revoked_at is not None, not line.share.active, line.client))


def share_line(services: Services, world: World, share: Share, number: int = 0) -> ShareLine:
    """Return how one share stands."""
    head = services.logs.disclosure.head(share.id)
    parked = presence.stopped(services, share.id)
    return ShareLine(
        share=share,
        client=world.client_name(share.client),
        number=number,
        update=head,
        at=services.logs.disclosure.recorded_at(share.id, head),
        watching=presence.lookers(presence.watching(services, share.id), world.names_for(share.client)),
        behind=services.health.behind,
        stopped=parked.error if parked else "",
        held=len(world.held(share.id).held),
        ever_held=len(world.hold_record(share.id)),
    )
