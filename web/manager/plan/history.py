"""What happened in a project: its events, newest first, in words; and the words for every kind of event."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.ids import ProjectId
from web.door.guard import STAFF, Signed, door, not_found
from web.process.services import Services
from web.record.events_said import line
from web.staff.frame import shell

PAGE = 60


async def history(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/history?before=n`: the events of a project, newest first."""
    services: Services = request.app.state.services
    key, before = request.path_params["project"], request.query_params.get("before", "")
    project = services.present.refresh().projects.get(ProjectId(key))
    if project is None or (before and not before.isdecimal()):
        return not_found()
    newest = services.present.world.versions.get(f"project-{key}", 0)
    upto = min(int(before[:12]) - 1, newest) if before else newest
    found = await run_in_threadpool(services.logs.events.stream, f"project-{key}", max(0, upto - PAGE))
    lines = [line(services, project, r) for r in reversed(found) if r.version <= upto]
    context: dict[str, Any] = {"project": project, "lines": lines, "older": upto - PAGE + 1 if upto > PAGE else 0}
    return services.pages.response(request, "pm/history.html", **context, newest=not before, **shell(services, signed))


def routes() -> list[BaseRoute]:
    """Return the route of the history."""
    return [door("/p/{project}/history", history, allow=STAFF)]
