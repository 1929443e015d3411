"""A plan from a source compared with a project: as a file's is, among the milestones that are the source's.

Rule: a milestone has its source's id in front of its id there, so that two sources with the same ids never meet. What
would take a milestone from another source, or from nobody, is a line that a person decides on.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import date

import msgspec

from domain import check
from domain.ids import MilestoneId, SourceId
from domain.language import ENGLISH, speaking, spoken
from domain.language import gettext as _
from domain.plan.project import PlainCommand, Project
from domain.plan.schedule import AddMilestone, ApproveBaseline, LinkMilestone, Milestone
from domain.plan.sources.rules import MARK, Line, Proposed, owner
from domain.plan.sources.source import Source
from projections.wording import words
from web.importers.plan import Plan, PlannedMilestone
from web.proposal.compare import propose
from web.proposal.lines import REASONED, Proposal, ProposalLine

LONGEST = 160  # characters of an id in a source that are kept as they are


class Sourced(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan from a source would change."""

    lines: tuple[Line, ...]
    unchanged: int
    doubt: str
    notes: tuple[str, ...]


def proposed(project: Project, source: Source, plan: Plan, new_id: Callable[[], str], today: date) -> Sourced:
    """Return what a plan from a source would change in a project; `today` is the civil date in its zone."""
    theirs = prefixed(source.id, plan)
    seen, claimed = _seen_by(project, source, theirs)
    found = propose(seen, theirs, new_id, today)
    keys = _keys(found, lambda: propose(seen, theirs, new_id, today))
    reason = source.rules.reason or _reason(plan)
    lines = [
        msgspec.structs.replace(_line(project, source, one, found.doubt, reason), key=key)
        for key, one in zip(keys, found.lines, strict=True)
        if not _left_out(one)
    ]
    linked = _linked(project, source, claimed, [one for one in lines if one.commands])
    return Sourced(
        lines=tuple(_named_as_before(project, source, linked)),
        unchanged=found.unchanged, doubt=found.doubt, notes=found.notes,
    )  # fmt: skip


def _named_as_before(project: Project, source: Source, lines: list[Line]) -> list[Line]:
    """Return lines in which a milestone that the newest pull would have added, and waits, has the id it has there."""
    schedule = project.schedule
    before = {
        one.source_id: one.milestone
        for pulled in (source.last.going_on if source.last is not None else ())
        for one in pulled.line.commands
        if isinstance(one, AddMilestone) and one.milestone not in schedule.milestones
        and one.milestone not in schedule.removed
    }  # fmt: skip
    names = {
        one.milestone: before.pop(one.source_id)
        for line in lines
        for one in line.commands
        if isinstance(one, AddMilestone) and one.source_id and one.source_id in before
    }
    if not names:
        return lines
    return [
        msgspec.structs.replace(line, commands=tuple(_renamed(one, names) for one in line.commands)) for line in lines
    ]


def _renamed(command: Proposed, names: Mapping[MilestoneId, MilestoneId]) -> Proposed:
    """Return a command with other names of milestones, a plan that it agrees included."""
    if isinstance(command, ApproveBaseline):
        dates = {names.get(key, key): day for key, day in command.dates.items()}
        return msgspec.structs.replace(command, dates=dates)
    named = names.get(getattr(command, "milestone", MilestoneId("")))
    return command if named is None else msgspec.structs.replace(command, milestone=named)


def _keys(found: Proposal, again: Callable[[], Proposal]) -> list[str]:
    """Return the keys of the lines as they are in English, so that in another language nothing is asked twice."""
    if spoken() == ENGLISH:
        return [one.key for one in found.lines]
    with speaking(ENGLISH):
        return [one.key for one in again().lines]


def beside_sources(project: Project) -> Project:
    """Return a project as a file sees it: what sources keep has no id of a file, so that it never misses there."""
    attached = {one.id for one in project.sources.values() if one.attached}
    if not project.sources:
        return project

    def seen(one: Milestone) -> Milestone:
        held = owner(one.source_id)
        if held in attached:
            return msgspec.structs.replace(one, source_id="")
        return _as_before(one) if held in project.sources else one

    return _with(project, seen, project.schedule.plan_title)


def from_sources(project: Project, proposal: Proposal) -> Proposal:
    """Return a file's proposal in which what would take a milestone from a source is only offered, and says so."""
    names = {one.id: one.name for one in project.sources.values() if one.attached}

    def told(line: ProposalLine) -> ProposalLine:
        for command in line.commands:
            milestone = project.schedule.milestones.get(getattr(command, "milestone", MilestoneId("")))
            held = owner(milestone.source_id) if milestone is not None else None
            if held is not None and held in names:
                note = _("comes from {name} so far", name=names[held])
                return msgspec.structs.replace(line, offered=True, note="; ".join(filter(None, (line.note, note))))
        return line

    return msgspec.structs.replace(proposal, lines=tuple(map(told, proposal.lines))) if names else proposal


def prefixed(source: SourceId, plan: Plan) -> Plan:
    """Return a plan whose milestones have the id of their source in front of their id in it."""

    def named(one: PlannedMilestone) -> PlannedMilestone:
        return msgspec.structs.replace(one, source_id=_id(source, one.source_id))

    return msgspec.structs.replace(
        plan,
        milestones=tuple(map(named, plan.milestones)),
        tasks=tuple(map(named, plan.tasks)),
        present=frozenset(_id(source, one) for one in plan.present),
    )


def _id(source: SourceId, theirs: str) -> str:
    """Return the id of a milestone with its source's in front; one that is too long or cannot be kept is hashed."""
    plain = check.without_refused(theirs).replace("\n", " ")
    kept = plain == theirs and len(theirs) <= LONGEST
    return f"{source}{MARK}{theirs if kept else hashlib.sha256(theirs.encode()).hexdigest()}"


def _seen_by(project: Project, source: Source, plan: Plan) -> tuple[Project, Mapping[MilestoneId, str]]:
    """Return the project as a source sees it, and the ids that milestones of nobody have in it."""
    ids = {one.source_id for one in (*plan.milestones, *plan.tasks)}
    claimed: dict[MilestoneId, str] = {}

    def seen(one: Milestone) -> Milestone:
        held = owner(one.source_id)
        if held == source.id:
            return one
        known = project.sources.get(held) if held is not None else None
        free = _as_before(one).source_id if known is not None and not known.attached else one.source_id
        here = _id(source.id, free) if free and (known is None or not known.attached) else ""
        if here and here in ids:
            claimed[one.id] = here
            return msgspec.structs.replace(one, source_id=here)
        return msgspec.structs.replace(one, source_id="")

    return _with(project, seen, source.title), claimed


def _as_before(one: Milestone) -> Milestone:
    """Return a milestone of a detached source with the id it had there."""
    return msgspec.structs.replace(one, source_id=one.source_id.partition(MARK)[2])


def _with(project: Project, seen: Callable[[Milestone], Milestone], title: str) -> Project:
    schedule = msgspec.structs.replace(
        project.schedule,
        milestones={key: seen(one) for key, one in project.schedule.milestones.items()},
        removed={key: seen(one) for key, one in project.schedule.removed.items()},
        plan_title=title,
    )
    return msgspec.structs.replace(project, schedule=schedule)


def _left_out(line: ProposalLine) -> bool:
    """Tell whether a line is only an offer to somebody who looks at a file: a task, or the first agreed plan."""
    return line.offered and (line.a_task or line.kind == "baseline")


def _line(project: Project, source: Source, line: ProposalLine, doubt: str, reason: str) -> Line:
    commands = tuple(
        msgspec.structs.replace(one, reason=reason) if isinstance(one, REASONED) else one for one in line.commands
    )
    return Line(
        key=line.key, kind=line.kind, title=line.title, before=line.before, after=line.after, note=line.note,
        asks=_asks(project, source, line, doubt), commands=_proposed(commands),
    )  # fmt: skip


def _proposed(commands: tuple[PlainCommand, ...]) -> tuple[Proposed, ...]:
    return tuple(one for one in commands if isinstance(one, Proposed))


def _asks(project: Project, source: Source, line: ProposalLine, doubt: str) -> str:
    """Return why a person has to look at a line whatever the rules say."""
    if doubt:
        return doubt
    for command in line.commands:
        if isinstance(command, LinkMilestone) and (told := _foreign(project, source, command.milestone)):
            return told
    return _("The source does not say so for certain.") if line.offered else ""


def _foreign(project: Project, source: Source, key: MilestoneId) -> str:
    milestone = project.schedule.milestones.get(key)
    held = owner(milestone.source_id) if milestone is not None else None
    other = project.sources.get(held) if held is not None else None
    if other is not None and other.attached and other.id != source.id:
        return _("Two sources name this milestone: so far it comes from {name}.", name=other.name)
    return _("This milestone was not from this source so far.")


def _linked(project: Project, source: Source, claimed: Mapping[MilestoneId, str], lines: list[Line]) -> list[Line]:
    """Return lines with the links of milestones that have their id here, and were nobody's before."""
    left = dict(claimed)
    linked: list[Line] = []
    for line in lines:
        keys = {getattr(one, "milestone", None) for one in line.commands}
        key = next((one for one in left if one in keys), None)
        if key is None:
            linked.append(line)
            continue
        link = LinkMilestone(project=project.id, milestone=key, source_id=left.pop(key))
        asks = line.asks or _foreign(project, source, key)
        linked.append(msgspec.structs.replace(line, asks=asks, commands=(link, *line.commands)))
    for key, here in left.items():
        milestone = project.schedule.milestones.get(key)
        if milestone is None:
            continue
        link = LinkMilestone(project=project.id, milestone=key, source_id=here)
        digest = hashlib.sha256(f"linked\0{key}\0{here}".encode()).hexdigest()[:20]
        linked.append(
            Line(
                key=digest,
                kind="linked",
                title=milestone.details.title,
                before=_("by hand or from a file"),
                after=source.name,
                note=_("its values are as the source has them"),
                asks=_foreign(project, source, key),
                commands=(link,),
            )
        )
    return linked


def _reason(plan: Plan) -> str:
    if plan.data_date is not None:
        return _("As planned on {day}", day=words.long_day(plan.data_date))
    return _("As planned now")
