"""The page on which milestones get titles for clients, many at once; one command records them all.

Rule: a title is proposed and never taken by itself; only a tick makes a milestone client-facing.
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Conflict, Invalid, Refused, Stale
from domain.ids import CommandId, ProjectId
from domain.language import gettext as _
from domain.plan.project import ChangeTogether, Project
from domain.plan.schedule import DescribeMilestone, Milestone
from projections.events.world import World
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.manager.plan.change import Order, carry_out
from web.manager.plan.lines import untitled
from web.manager.typed import Typed, first, typed_in
from web.process.services import Services
from web.staff.frame import StaffPage, shell


class ClientTitlesPage(StaffPage, frozen=True, kw_only=True):
    """Every milestone without a title for clients, with one proposed."""

    template = "pm/titles.html"
    project: Project
    milestones: Sequence[Milestone]
    titles: Mapping[str, str]  # for clients, by milestone
    shown: Collection[str]  # milestones that clients may see
    problem: str
    wrong: str  # name of the field the problem belongs to
    command_id: str
    at_once: Sequence[str]  # clients whose agreement shows them as soon as they are client-facing


async def titles(request: Request, signed: Signed) -> Response:
    """`GET|POST /p/{project}/titles?shown=all`: give milestones titles for clients."""
    services: Services = request.app.state.services
    world = await run_in_threadpool(services.present.refresh)
    project = world.projects.get(ProjectId(request.path_params["project"]))
    if project is None:
        return not_found()
    if request.method != "POST":
        every = [m.id for m in untitled(project)] if request.query_params.get("shown") == "all" else []
        return _page(request, signed, project, {"shown": every})
    typed = typed_in(await request.form())
    try:
        await run_in_threadpool(_give, services, signed, project, typed)
    except Refused as refused:
        project = services.present.refresh().projects[project.id]
        return _page(request, signed, project, typed, refused)
    return RedirectResponse(f"/p/{project.id}?said={first(typed, 'command_id')}", 303)


def _give(services: Services, signed: Signed, project: Project, typed: Typed) -> None:
    """Record the titles of the ticked milestones.

    Raises: Refused.
    """
    key = CommandId(first(typed, "command_id"))
    if services.service.carried_out(signed.person.id, key):
        return
    version = services.present.world.versions.get(f"project-{project.id}", 0)
    project = services.present.world.projects[project.id]
    there = {m.id: m for m in untitled(project)}
    ticked = typed.get("shown", ())
    if not ticked:
        raise Conflict(_("No milestone is ticked. Tick those that clients may see."))
    if gone := [one for one in ticked if one not in there]:
        raise Stale(
            _("{n} of these were given a title meanwhile, or left the plan. Look again, then send.", n=len(gone))
        )
    commands = tuple(_described(project, there[one], typed) for one in there if one in ticked)
    command = ChangeTogether(project=project.id, commands=commands)
    carry_out(services, signed, Order(command=command, key=key, expected=version), project)


def _described(project: Project, milestone: Milestone, typed: Typed) -> DescribeMilestone:
    """Return the command that gives one milestone its title.

    Raises: Invalid where none was typed.
    """
    title = first(typed, f"title.{milestone.id}").strip()
    if not title:
        raise Invalid(
            _("“{title}” has no title for clients. Type one, or untick it.", title=milestone.details.title),
            f"title.{milestone.id}",
        )
    details = msgspec.structs.replace(milestone.details, client_title=title, client_facing=True)
    return DescribeMilestone(project=project.id, milestone=milestone.id, details=details)


def _page(request: Request, signed: Signed, project: Project, typed: Typed, problem: Refused | None = None) -> Response:
    services: Services = request.app.state.services
    milestones = untitled(project)
    given = {str(m.id): first(typed, f"title.{m.id}") for m in milestones if f"title.{m.id}" in typed}
    shown = ClientTitlesPage(
        project=project,
        milestones=milestones,
        titles={str(m.id): m.details.title for m in milestones} | given,
        shown=frozenset(typed.get("shown", ())),
        problem=problem.message if problem else "",
        wrong=problem.field if problem else "",
        command_id=first(typed, "command_id") or new_id(24),
        at_once=_at_once(services.present.world, project),
        **shell(services, signed),
    )
    return services.pages.answer(request, shown, status_of(problem) if problem else 200)


def _at_once(world: World, project: Project) -> list[str]:
    """Return the clients whose agreement in force covers every client-facing milestone."""
    shares = (s for s in world.shares_of_project(project.id) if s.active and s.terms.milestones == "all")
    return sorted(world.client_name(share.client) for share in shares)


def routes() -> list[BaseRoute]:
    """Return the route of titles for clients."""
    return [door("/p/{project}/titles", titles, allow=STAFF, methods=["GET", "POST"])]
