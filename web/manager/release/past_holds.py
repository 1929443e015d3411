"""What was held for review on a share, for its managers: what, how long, by whom, and how it ended."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.headline import count
from domain.language import gettext as _
from web.door.guard import STAFF, Signed, door, not_found
from web.process.services import Services
from web.record import holds
from web.staff.frame import share_of, shell


async def held(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/shares/{share}/held`: every hold there ever was, newest first."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(share_of, services, request.path_params["project"], request.path_params["share"])
    if share is None:
        return not_found()
    world = services.present.world
    project = world.projects[share.project]
    lines, more = await run_in_threadpool(holds.lines, services, share, project.time_zone)
    context = {
        "project": project,
        "share": share,
        "client": world.client_name(share.client),
        "holds": lines,
        "more_holds": more,
        "said": _said(len(lines) + more, sum(line.waits for line in lines)),
    }
    return services.pages.response(request, "pm/held.html", **context, **shell(services, signed))


def _said(many: int, waits: int) -> str:
    told = _("{changes} waited for review", changes=count(many, _("change"), _("changes")) if many else _("no change"))
    told += _(", and {still_do}.", still_do=count(waits, _("still does"), _("still do"))) if waits else "."
    return told[:1].upper() + told[1:]


def routes() -> list[BaseRoute]:
    """Return the route of the record of holds."""
    return [door("/p/{project}/shares/{share}/held", held, allow=STAFF)]
