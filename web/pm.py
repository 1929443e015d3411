"""The manager's door: the projects, and the workspace of one with each line's audience beside it."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.ids import ShareId
from domain.project import Project
from projections import words
from projections.world import World
from web import (
    pm_access,
    pm_activate,
    pm_answers,
    pm_change,
    pm_edit,
    pm_history,
    pm_holds,
    pm_import,
    pm_new,
    pm_plan,
    pm_release,
    pm_see,
    pm_seen,
    pm_shares,
    pm_table,
    pm_viewers,
    pm_who,
    presence,
)
from web.guard import STAFF, Signed, door, not_found
from web.pm_shown import shares_shown, workspace
from web.services import Services
from web.share_lines import share_lines
from web.staff_frame import shell


async def projects(request: Request, signed: Signed) -> Response:
    """`GET /p`: every project, with its health, its shares and who is watching."""
    services: Services = request.app.state.services
    lines = await run_in_threadpool(_lines, services, signed)
    return services.pages.response(request, "pm/projects.html", lines=lines, **shell(services, signed))


def _lines(services: Services, signed: Signed) -> list[dict[str, Any]]:
    world = services.present.refresh()
    theirs = [project for project in world.projects.values() if signed.person.manages(project.id)]
    ordered = sorted(theirs, key=lambda p: (p.phase == "closed", p.title, p.id))
    return [_line(services, world, project) for project in ordered]


def _line(services: Services, world: World, project: Project) -> dict[str, Any]:
    shares = share_lines(services, world, project)
    final = project.schedule.final()
    slip = None if final is None else project.schedule.slip_of(final)
    return {
        "project": project,
        "healths": pm_plan.healths(project, ()),
        "slip": "" if slip is None else words.signed(slip),
        "shares": sum(line.share.active for line in shares),
        "stopped": sum(bool(line.stopped) for line in shares),
        "watching": sum(len(line.watching) for line in shares),
    }


async def project(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}`: the workspace."""
    services: Services = request.app.state.services
    found = await run_in_threadpool(workspace, services, signed, request.path_params["project"])
    if found is None:
        return not_found()
    released = request.query_params.get("released", "")
    said = (
        await run_in_threadpool(pm_release.released, services, request.path_params["project"], released)
        if released
        else await run_in_threadpool(pm_change.said, services, request.query_params.get("said", ""))
    )
    return services.pages.response(request, "pm/project.html", said=said, **found)


async def watching(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/watching`: the shares and what waits alone, asked for every few seconds."""
    services: Services = request.app.state.services
    found = await run_in_threadpool(shares_shown, services, signed, request.path_params["project"])
    if found is None:
        return not_found()
    return services.pages.response(request, "pm/watching.html", **found)


async def again(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/retry`: try a stopped share again."""
    services: Services = request.app.state.services
    key = request.path_params["project"]
    share = services.present.refresh().shares.get(ShareId(request.path_params["share"]))
    if share is None or share.project != key or signed is None:
        return not_found()
    presence.ask_again(services, share.id)
    return RedirectResponse(f"/p/{key}#shares", 303)


def routes() -> list[BaseRoute]:
    """Return the routes of the manager's door."""
    return [
        door("/p", projects, allow=STAFF),
        *pm_new.routes(),
        *pm_table.routes(),
        door("/p/{project}", project, allow=STAFF),
        door("/p/{project}/watching", watching, allow=STAFF),
        *pm_history.routes(),
        *pm_change.routes(),
        *pm_release.routes(),
        *pm_holds.routes(),
        *pm_import.routes(),
        *pm_shares.routes(),
        *pm_edit.routes(),
        *pm_activate.routes(),
        door("/p/{project}/shares/{share}/retry", again, allow=STAFF, methods=["POST"]),
        *pm_viewers.routes(),
        *pm_answers.routes(),
        *pm_see.routes(),
        *pm_seen.routes(),
        *pm_access.routes(),
        *pm_who.routes(),
    ]
