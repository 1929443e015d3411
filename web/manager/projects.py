"""The pages of managers: the list of projects, the workspace of one, and the routes of every other page."""

from collections.abc import Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.ids import ShareId
from domain.plan.project import Project
from projections.events.world import World
from projections.wording import words
from web.door.guard import STAFF, Signed, door, not_found
from web.manager.agreement import access_log, activate, editor, see_as, table
from web.manager.agreement import shares as agreement_shares
from web.manager.answers import page as answers_page
from web.manager.importing import page as importing_page
from web.manager.plan import change, client_titles, history, new, putting_back
from web.manager.plan import lines as plan_lines
from web.manager.plan.first_steps import FirstStep, first_steps
from web.manager.plan.lines import HealthLine
from web.manager.plan.share_lines import share_lines
from web.manager.plan.workspace import shares_shown, workspace
from web.manager.release import page as release_page
from web.manager.release import past_holds
from web.manager.table import page as table_page
from web.manager.who import page as who_page
from web.people import viewers
from web.process import presence
from web.process.services import Services
from web.seen import page as seen_page
from web.staff.frame import StaffPage, shell


class ProjectLine(msgspec.Struct, frozen=True, kw_only=True):
    """One project in the list."""

    project: Project
    healths: Sequence[HealthLine]
    slip: str  # of the last milestone, in calendar days; "" where nothing was agreed
    shares: int  # in force
    stopped: int
    watching: int  # pages open now


class ProjectsPage(StaffPage, frozen=True, kw_only=True):
    """Every project that somebody manages."""

    template = "pm/projects.html"
    lines: Sequence[ProjectLine]
    steps: Sequence[FirstStep]  # where there is no project yet


async def projects(request: Request, signed: Signed) -> Response:
    """`GET /p`: every project, with its health, its shares and who is watching."""
    services: Services = request.app.state.services
    lines = await run_in_threadpool(_lines, services, signed)
    steps = () if lines or signed.person.projects is not None else first_steps(services.present.world, signed.person)
    return services.pages.answer(request, ProjectsPage(lines=lines, steps=steps, **shell(services, signed)))


def _lines(services: Services, signed: Signed) -> list[ProjectLine]:
    world = services.present.refresh()
    theirs = [project for project in world.projects.values() if signed.person.manages(project.id)]
    ordered = sorted(theirs, key=lambda p: (p.phase == "closed", p.title, p.id))
    return [_line(services, world, project) for project in ordered]


def _line(services: Services, world: World, project: Project) -> ProjectLine:
    shares = share_lines(services, world, project)
    final = project.schedule.final()
    slip = None if final is None else project.schedule.slip_of(final)
    return ProjectLine(
        project=project,
        healths=plan_lines.healths(project, ()),
        slip="" if slip is None else words.signed(slip),
        shares=sum(line.share.active for line in shares),
        stopped=sum(bool(line.stopped) for line in shares),
        watching=sum(len(line.watching) for line in shares),
    )


async def project(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}`: the workspace."""
    services: Services = request.app.state.services
    page = await run_in_threadpool(workspace, services, signed, request.path_params["project"])
    if page is None:
        return not_found()
    released = request.query_params.get("released", "")
    said = (
        await run_in_threadpool(release_page.released, services, signed, request.path_params["project"], released)
        if released
        else await run_in_threadpool(change.said, services, signed, request.query_params.get("said", ""))
    )
    offer = await run_in_threadpool(change.offered, services, signed, page.offers, request.query_params.get("said", ""))
    return services.pages.answer(request, msgspec.structs.replace(page, said=said, offer=offer))


async def watching(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/watching`: the shares and what waits, without the rest of the page."""
    services: Services = request.app.state.services
    page = await run_in_threadpool(shares_shown, services, signed, request.path_params["project"])
    return not_found() if page is None else services.pages.answer(request, page)


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
        *new.routes(),
        *table.routes(),
        door("/p/{project}", project, allow=STAFF),
        door("/p/{project}/watching", watching, allow=STAFF, kind="polled"),
        *history.routes(),
        *change.routes(),
        *putting_back.routes(),
        *table_page.routes(),
        *client_titles.routes(),
        *release_page.routes(),
        *past_holds.routes(),
        *importing_page.routes(),
        *agreement_shares.routes(),
        *editor.routes(),
        *activate.routes(),
        door("/p/{project}/shares/{share}/retry", again, allow=STAFF, methods=["POST"]),
        *viewers.routes(),
        *answers_page.routes(),
        *see_as.routes(),
        *seen_page.routes(),
        *access_log.routes(),
        *who_page.routes(),
    ]
