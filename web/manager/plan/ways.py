"""The ways from a project to a share when none is chosen: to the only one, or a page that lists them."""

from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.ids import ProjectId
from domain.plan.project import Project
from web.door.guard import STAFF, Signed, door, not_found
from web.process.services import Services
from web.staff.around import Around, Neighbour
from web.staff.frame import StaffPage, shell


class ChooseSharePage(StaffPage, frozen=True, kw_only=True):
    """The shares of a project, to choose one."""

    template = "pm/choose_share.html"
    project: Project
    choices: Sequence[Neighbour]
    here: str  # "share" or "seen"


async def sharing(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/sharing`: the only share of a project, or all of them to choose from."""
    return await _choose(request, signed, "share")


async def seen(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/seen`: what the only client of a project saw, or all shares to choose from."""
    return await _choose(request, signed, "seen")


async def _choose(request: Request, signed: Signed, here: str) -> Response:
    services: Services = request.app.state.services
    world = await run_in_threadpool(services.present.refresh)
    project = world.projects.get(ProjectId(request.path_params["project"]))
    if project is None:
        return not_found()
    choices = Around(world).shares(project.id)
    if len(choices) == 1:
        end = "/at/now" if here == "seen" else ""
        return RedirectResponse(f"/p/{project.id}/shares/{choices[0].id}{end}", 303)
    shown = ChooseSharePage(project=project, choices=choices, here=here, **shell(services, signed))
    return services.pages.answer(request, shown)


def routes() -> list[BaseRoute]:
    """Return the routes from a project to its shares."""
    return [
        door("/p/{project}/sharing", sharing, allow=STAFF, name="project_sharing"),
        door("/p/{project}/seen", seen, allow=STAFF, name="project_seen"),
    ]
