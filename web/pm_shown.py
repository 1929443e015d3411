"""How the shares of a project stand: update, watchers now, in step or stopped. What the workspace asks the parts."""

from datetime import datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from domain.agreement import Share
from domain.ids import ProjectId, ShareId
from domain.project import Project
from projections import words
from projections.world import World
from web import pm_audience, pm_plan, pm_release
from web.guard import Signed
from web.place import Watching

if TYPE_CHECKING:
    from web.parts import Parts

RECENT = 400  # events of the project looked through for today's


class ShareLine(msgspec.Struct, frozen=True, kw_only=True):
    """One share beside its project."""

    share: Share
    client: str
    number: int  # its mark; 0 when not in force
    update: int
    at: datetime | None
    watching: tuple[Watching, ...]
    behind: bool
    stopped: str  # why, where it is stopped
    held: int = 0  # changes that wait for review
    ever_held: int = 0  # changes that ever did


def share_lines(parts: "Parts", world: World, project: Project) -> list[ShareLine]:
    """Return every share of a project: in force, then drafts, then ended."""
    numbers = {a.share: a.number for a in pm_audience.audiences(world, project)}
    shares = world.shares_of_project(project.id)
    found = [share_line(parts, world, share, numbers.get(share.id, 0)) for share in shares]
    return sorted(found, key=lambda line: (line.share.revoked_at is not None, not line.share.active, line.client))


def share_line(parts: "Parts", world: World, share: Share, number: int = 0) -> ShareLine:
    """Return how one share stands."""
    page = parts.heads.page(share.id)
    parked = parts.stopped(share.id)
    return ShareLine(
        share=share,
        client=world.client_name(share.client),
        number=number,
        update=page.n if page else 0,
        at=page.at if page else None,
        watching=tuple(parts.watching(share.id)),
        behind=parts.health.behind,
        stopped=parked.error if parked else "",
        held=len(world.held(share.id).held),
        ever_held=len(world.hold_record(share.id)),
    )


def changes_today(parts: "Parts", project: Project, version: int) -> int:
    """Return how many commands changed the project since midnight in its zone."""
    here = parts.now().astimezone(ZoneInfo(project.time_zone))
    midnight = datetime.combine(here.date(), time(), here.tzinfo)
    recent = parts.folder.events.stream(f"project-{project.id}", after=max(0, version - RECENT))
    return len({recorded.command for recorded in recent if recorded.at >= midnight})


def open_concerns(world: World, project: Project) -> int:
    """Return how many concerns about a project are not settled."""
    shares = world.shares_of_project(project.id)
    return sum(not concern.settled for share in shares for concern in share.answers.concerns.values())


def shares_shown(parts: "Parts", signed: Signed, key: str) -> dict[str, Any] | None:
    """Return what the list of shares shows, None where there is no such project."""
    world = parts.present.refresh()
    project = world.projects.get(ProjectId(key))
    if project is None:
        return None
    shares = share_lines(parts, world, project)
    found = {"project": project, "shares": shares, "concerns": open_concerns(world, project), "people": world.people}
    return {**found, **pm_release.waiting(parts, world, project), **shell(parts, signed)}


def workspace(parts: "Parts", signed: Signed, key: str) -> dict[str, Any] | None:
    """Return all that the page of a project shows, None where there is no such project."""
    world = parts.present.refresh()
    project = world.projects.get(ProjectId(key))
    if project is None:
        return None
    version = world.versions.get(f"project-{key}", 0)
    audience = pm_audience.audiences(world, project)
    today = project.civil(parts.now())
    milestones = pm_plan.milestones(project, audience, today)
    named = {client.id: client.name for client in world.clients.values()}
    risks = pm_plan.risks(project, audience, named)  # type: ignore[arg-type]
    shares = share_lines(parts, world, project)
    waiting = sum(len(risk.waiting) for risk in risks)
    overdue = [line for line in milestones if line.overdue]
    stopped = sum(bool(line.stopped) for line in shares)
    today_done, concerns = changes_today(parts, project, version), open_concerns(world, project)
    done, waits = pm_plan.sentence(project, today_done, len(overdue), waiting, stopped, concerns)
    return {
        "project": project,
        "version": version,
        "today": today,
        "done": done,
        "waits": waits,
        "milestones": milestones,
        "overdue": overdue,
        "risks": risks,
        "budgets": pm_plan.budgets(project, audience),
        "healths": pm_plan.healths(project, audience),
        "audience": audience,
        "shares": shares,
        "concerns": concerns,
        "owner": world.people[project.owner].name if project.owner in world.people else project.owner,
        "people": world.people,
        **pm_release.waiting(parts, world, project),
        **shell(parts, signed),
    }


def shell(parts: "Parts", signed: Signed) -> dict[str, Any]:
    """Return what the frame around every page of ours needs."""
    return {
        "signed": signed,
        "organisation": parts.present.world.organisation or "Your organisation",
        "demo": parts.demo,
        "w": words,
        "tone": pm_plan.TONE,
        "word": pm_plan.WORD,
        "band_tone": pm_plan.BANDS,
    }


def share_of(parts: "Parts", project: str, share: str) -> Share | None:
    """Return a share of this very project."""
    found = parts.present.refresh().shares.get(ShareId(share))
    return found if found is not None and found.project == project else None
