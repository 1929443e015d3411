"""`GET /p/{project}/plan.xml`: the plan of a project as Microsoft Project's XML, which imports to no change."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from domain.ids import ProjectId
from web.door.guard import Signed, not_found
from web.process.services import Services
from web.proposal.writing import written


async def plan_file(request: Request, _signed: Signed) -> Response:
    """Return the file; what had to be left out stands at its beginning."""
    services: Services = request.app.state.services
    content = await run_in_threadpool(_content, services, ProjectId(request.path_params["project"]))
    if content is None:
        return not_found()
    name = f"fanlight-{request.path_params['project']}.xml"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, headers=headers, media_type="application/xml")


def _content(services: Services, project_id: ProjectId) -> bytes | None:
    project = services.present.refresh().projects.get(project_id)
    return written(project)[0] if project is not None else None
