"""The page of what happened in a project: its events in words, newest first."""

import re
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.ids import ProjectId
from domain.plan.project import Project
from web.door.guard import STAFF, Signed, door, not_found
from web.process.services import Services
from web.record.events_said import EventLine, line
from web.staff.frame import StaffPage, shell

PAGE = 60  # events


class HistoryPage(StaffPage, frozen=True, kw_only=True):
    """One page of a project's history, newest first."""

    template = "pm/history.html"
    project: Project
    lines: Sequence[EventLine]
    older: int  # the event the next page is before, 0 where there is none
    newest: bool  # whether this is the first page


async def history(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/history?before=n`: the events of a project, newest first."""
    services: Services = request.app.state.services
    key, before = request.path_params["project"], request.query_params.get("before", "")
    project = services.present.refresh().projects.get(ProjectId(key))
    if project is None or (before and not re.fullmatch(r"[0-9]{1,12}", before)):
        return not_found()
    newest = services.present.world.versions.get(f"project-{key}", 0)
    upto = min(int(before) - 1, newest) if before else newest
    events = await run_in_threadpool(services.logs.events.stream, f"project-{key}", max(0, upto - PAGE))
    shown = HistoryPage(
        project=project,
        lines=[line(services, project, recorded) for recorded in reversed(events) if recorded.version <= upto],
        older=upto - PAGE + 1 if upto > PAGE else 0,
        newest=not before,
        **shell(services, signed),
    )
    return services.pages.answer(request, shown)


def routes() -> list[BaseRoute]:
    """Return the route of the history."""
    return [door("/p/{project}/history", history, allow=STAFF)]
