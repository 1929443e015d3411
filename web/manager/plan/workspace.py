"""How the shares of a project stand: update, watchers now, in step or stopped. What the workspace asks the services."""

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from domain.ids import ProjectId
from domain.plan.project import Project
from projections.events.world import World
from web.door.guard import Signed
from web.manager.plan import lines
from web.manager.plan.share_lines import share_lines
from web.manager.plan.waiting import waiting
from web.process.services import Services
from web.record import audience as record_audience
from web.staff.frame import shell

RECENT = 400  # events of the project looked through for today's


def changes_today(services: Services, project: Project, version: int) -> int:
    """Return how many commands changed the project since midnight in its zone."""
    here = services.now().astimezone(ZoneInfo(project.time_zone))
    midnight = datetime.combine(here.date(), time(), here.tzinfo)
    recent = services.logs.events.stream(f"project-{project.id}", after=max(0, version - RECENT))
    return len({recorded.command for recorded in recent if recorded.at >= midnight})


def open_concerns(world: World, project: Project) -> int:
    """Return how many concerns about a project are not settled."""
    shares = world.shares_of_project(project.id)
    return sum(not concern.settled for share in shares for concern in share.answers.concerns.values())


def shares_shown(services: Services, signed: Signed, key: str) -> dict[str, Any] | None:
    """Return what the list of shares shows, None where there is no such project."""
    world = services.present.refresh()
    project = world.projects.get(ProjectId(key))
    if project is None:
        return None
    shares = share_lines(services, world, project)
    found = {"project": project, "shares": shares, "concerns": open_concerns(world, project), "people": world.people}
    return {**found, **waiting(services, world, project), **shell(services, signed)}


def workspace(services: Services, signed: Signed, key: str) -> dict[str, Any] | None:
    """Return all that the page of a project shows, None where there is no such project."""
    world = services.present.refresh()
    project = world.projects.get(ProjectId(key))
    if project is None:
        return None
    version = world.versions.get(f"project-{key}", 0)
    audience = record_audience.audiences(world, project)
    today = project.civil(services.now())
    milestones = lines.milestones(project, audience, today)
    named = {client.id: client.name for client in world.clients.values()}
    risks = lines.risks(project, audience, named)  # type: ignore[arg-type]
    shares = share_lines(services, world, project)
    unanswered = sum(len(risk.waiting) for risk in risks)
    overdue = [line for line in milestones if line.overdue]
    stopped = sum(bool(line.stopped) for line in shares)
    today_done, concerns = changes_today(services, project, version), open_concerns(world, project)
    done, waits = lines.sentence(project, today_done, len(overdue), unanswered, stopped, concerns)
    return {
        "project": project,
        "version": version,
        "today": today,
        "done": done,
        "waits": waits,
        "milestones": milestones,
        "overdue": overdue,
        "risks": risks,
        "budgets": lines.budgets(project, audience),
        "healths": lines.healths(project, audience),
        "audience": audience,
        "shares": shares,
        "concerns": concerns,
        "owner": world.people[project.owner].name if project.owner in world.people else project.owner,
        "people": world.people,
        **waiting(services, world, project),
        **shell(services, signed),
    }
