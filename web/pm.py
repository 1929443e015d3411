"""The manager's door: the projects, and the workspace of one with each line's audience beside it."""

from typing import TYPE_CHECKING, Any

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
)
from web.guard import STAFF, Signed, door, not_found
from web.pm_shown import share_lines, shares_shown, shell, workspace

if TYPE_CHECKING:
    from web.parts import Parts


async def projects(request: Request, signed: Signed) -> Response:
    """`GET /p`: every project, with its health, its shares and who is watching."""
    parts: Parts = request.app.state.parts
    lines = await run_in_threadpool(_lines, parts, signed)
    return parts.pages.response(request, "pm/projects.html", lines=lines, **shell(parts, signed))


def _lines(parts: "Parts", signed: Signed) -> list[dict[str, Any]]:
    world = parts.present.refresh()
    theirs = [project for project in world.projects.values() if signed.person.manages(project.id)]
    ordered = sorted(theirs, key=lambda p: (p.phase == "closed", p.title, p.id))
    return [_line(parts, world, project) for project in ordered]


def _line(parts: "Parts", world: World, project: Project) -> dict[str, Any]:
    shares = share_lines(parts, world, project)
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
    parts: Parts = request.app.state.parts
    found = await run_in_threadpool(workspace, parts, signed, request.path_params["project"])
    if found is None:
        return not_found()
    released = request.query_params.get("released", "")
    said = (
        await run_in_threadpool(pm_release.released, parts, request.path_params["project"], released)
        if released
        else await run_in_threadpool(pm_change.said, parts, request.query_params.get("said", ""))
    )
    return parts.pages.response(request, "pm/project.html", said=said, **found)


async def watching(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/watching`: the shares and what waits alone, asked for every few seconds."""
    parts: Parts = request.app.state.parts
    found = await run_in_threadpool(shares_shown, parts, signed, request.path_params["project"])
    if found is None:
        return not_found()
    return parts.pages.response(request, "pm/watching.html", **found)


async def again(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/retry`: try a stopped share again."""
    parts: Parts = request.app.state.parts
    key = request.path_params["project"]
    share = parts.present.refresh().shares.get(ShareId(request.path_params["share"]))
    if share is None or share.project != key or signed is None:
        return not_found()
    parts.ask_again(share.id)
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
