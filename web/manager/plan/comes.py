"""Where the values of a milestone come from, as the plan and the forms of a change say it."""

import contextlib
from collections.abc import Iterable

import msgspec

from domain.errors import Refused
from domain.ids import CommandId, MilestoneId, SourceId
from domain.language import gettext as _
from domain.plan.project import Project
from domain.plan.schedule import Milestone
from domain.plan.sources.commands import SetSourceRules
from domain.plan.sources.rules import owner
from domain.plan.sources.source import Field, Source
from web.door.guard import Signed
from web.manager.sources.told import SourceTold, source_told
from web.process.services import Services
from web.staff.acting import actor_of


class Comes(msgspec.Struct, frozen=True, kw_only=True):
    """The source that keeps a milestone, and what it says of the date on the plan."""

    source: str  # its id
    name: str
    said: str  # "from Jira, pull 3", "by hand"
    href: str  # of the pull that set the date, else of the source
    by_hand: bool  # whether the source is not asked about it any more


def keeper(project: Project, m: Milestone) -> Source | None:
    """Return the attached source that keeps a milestone, None where none does."""
    held = owner(m.source_id)
    source = project.sources.get(held) if held is not None else None
    return source if source is not None and source.attached else None


def comes(project: Project, m: Milestone) -> Comes | None:
    """Return where the date of a milestone comes from, None where no source keeps it."""
    source = keeper(project, m)
    if source is None:
        return None
    field: Field = "actual" if m.actual is not None else "forecast"
    origin = project.origins.origin(m.id, field)
    here = f"/p/{project.id}/sources/{source.id}"
    by_hand = m.id in source.rules.apart
    pull = source.pull(origin.pull) if origin is not None and origin.source == source.id else None
    if pull is not None and not by_hand:
        said = _("from {name}, pull {number}", name=source.name, number=pull.number)
        return Comes(source=source.id, name=source.name, said=said, href=f"{here}/pulls/{pull.id}", by_hand=False)
    if by_hand:
        said = _("by hand")
    elif origin is None:
        said = _("by hand so far; {name} keeps it", name=source.name)
    else:
        said = _("from {name}", name=source.name)
    return Comes(source=source.id, name=source.name, said=said, href=here, by_hand=by_hand)


def asked_about(project: Project, keys: Iterable[str]) -> dict[SourceId, list[MilestoneId]]:
    """Return those of some milestones that a source keeps and is asked about, by source."""
    found: dict[SourceId, list[MilestoneId]] = {}
    for key in map(MilestoneId, keys):
        milestone = project.schedule.milestones.get(key)
        source = keeper(project, milestone) if milestone is not None else None
        if source is not None and key not in source.rules.apart:
            found.setdefault(source.id, []).append(key)
    return found


def keep_by_hand(services: Services, signed: Signed, project: Project, keys: Iterable[str], command_id: str) -> None:
    """Have sources not asked any more about some milestones, after a change of these by the command `command_id`."""
    for source, kept in asked_about(project, keys).items():
        known = project.sources[source].rules
        rules = msgspec.structs.replace(known, apart=(*known.apart, *kept))
        command = SetSourceRules(project=project.id, source=source, rules=rules)
        key = CommandId(f"{command_id[:150]}-apart-{source}")
        with contextlib.suppress(Refused):  # the change itself is recorded
            services.service.execute(actor_of(signed), command, command_id=key)


def to_look_at(services: Services, project: Project) -> list[SourceTold]:
    """Return the sources of a project that fail, or of which something waits; for threads."""
    found = [source_told(services, project, one) for one in project.sources.values() if one.attached]
    return [one for one in found if one.waits or one.tone == "off"]
