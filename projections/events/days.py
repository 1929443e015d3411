"""Which days have to be recorded as over in which projects, as the world stands. Pure."""

from collections.abc import Iterator
from datetime import datetime

from domain.agreement.terms import Terms
from domain.ids import ProjectId
from domain.plan.schedule import EndDay
from domain.reveal.days import day_to_end
from domain.reveal.holding import Holds
from projections.events.world import World


def days_to_end(world: World, now: datetime) -> Iterator[EndDay]:
    """Yield a command for each project in which a date has passed by `now` (UTC) and is not recorded as over."""
    told: dict[ProjectId, list[tuple[Terms, Holds]]] = {}
    for share in list(world.shares.values()):
        if share.active:
            told.setdefault(share.project, []).append((share.terms, world.held(share.id)))
    for project in list(world.projects.values()):
        day = day_to_end(project, told.get(project.id, ()), project.civil(now))
        if day is not None:
            yield EndDay(project=project.id, day=day)
