"""Which source a date on the plan's sheet came from, as it is recorded with the pull that set it.

Rule: this stands on the side of the plan, for managers and auditors; nothing of it is on a client's page.
"""

from collections.abc import Sequence

from domain.ids import MilestoneId
from domain.language import gettext as _
from domain.plan.milestones import Milestone
from domain.plan.project import Project
from domain.plan.sources.origins import Origin
from domain.plan.sources.source import Field
from projections.wording.instants import Clock


def dated_by(state: Project, milestone: Milestone) -> Origin | None:
    """Return the pull that set the date a milestone has, None where a person or a file did."""
    field: Field = "actual" if milestone.actual is not None else "forecast"
    return state.origins.origin(milestone.id, field)


def named(state: Project, origin: Origin) -> str:
    """Return what people call the source of a value."""
    source = state.sources.get(origin.source)
    return source.name if source is not None else origin.source


def brought(state: Project | None, ids: Sequence[str], clock: Clock) -> tuple[tuple[str, str], ...]:
    """Return the milestones among `ids` whose date a source set, by title, each with the source, pull and instant."""
    if state is None:
        return ()
    listed = [state.schedule.milestones.get(MilestoneId(key)) for key in ids]
    dated = [(one, dated_by(state, one)) for one in listed if one is not None]
    return tuple(
        (one.details.client_title or one.details.title, _told(state, origin, clock))
        for one, origin in dated
        if origin is not None
    )


def _told(state: Project, origin: Origin, clock: Clock) -> str:
    source = state.sources.get(origin.source)
    pull = source.pull(origin.pull) if source is not None else None
    name, at = named(state, origin), clock.moment(origin.at)
    if pull is None:
        return _("from {name}, {at}", name=name, at=at)
    if origin.accepted:
        return _("from {name}, pull {number}, taken by a person {at}", name=name, number=pull.number, at=at)
    return _("from {name}, pull {number}, taken by itself {at}", name=name, number=pull.number, at=at)
