"""Puts back a change of the last ten minutes, from the confirmation or from the plan."""

import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.errors import Refused
from domain.ids import CommandId, ProjectId
from domain.plan.putting_back import PutBack
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.manager.plan.change import NothingPage, Order, RefusedPart, Said, carry_out, recorded
from web.manager.typed import first, typed_in
from web.process.services import Services
from web.staff.frame import shell

SLOT = "do-project"  # where a confirmation stands that was asked for at the head of the plan


async def put_back(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/put-back`: put back the change that recorded event `version`."""
    services: Services = request.app.state.services
    world = await run_in_threadpool(services.present.refresh)
    project = world.projects.get(ProjectId(request.path_params["project"]))
    if project is None:
        return not_found()
    typed = typed_in(await request.form())
    version, key = first(typed, "version"), first(typed, "command_id")
    if not re.fullmatch(r"[0-9]{1,12}", version):
        return not_found()
    slot = first(typed, "slot") if re.fullmatch(r"do-[\w-]{1,80}", first(typed, "slot")) else SLOT
    command = PutBack(project=project.id, version=int(version))
    order = Order(command=command, key=CommandId(key))
    try:
        said = await run_in_threadpool(carry_out, services, signed, order, project)
    except Refused as refused:
        return _refused(request, signed, refused, slot)
    return await recorded(request, signed, Said(words=said, slot=slot, key=key, undone=command.version))


def _refused(request: Request, signed: Signed, refused: Refused, slot: str) -> Response:
    services: Services = request.app.state.services
    if not request.headers.get("hx-request"):
        page = NothingPage(message=refused.message, project=request.path_params["project"], **shell(services, signed))
        return services.pages.answer(request, page, status_of(refused))
    response = services.pages.answer(request, RefusedPart(message=refused.message), status_of(refused))
    response.headers["hx-retarget"], response.headers["hx-reswap"] = f"#{slot}", "innerHTML"
    return response


def routes() -> list[BaseRoute]:
    """Return the route of putting back."""
    return [door("/p/{project}/put-back", put_back, allow=STAFF, methods=["POST"])]
