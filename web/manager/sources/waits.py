"""What a source brought that waits for a person, decided line by line; and the record of each pull, put back whole."""

from collections.abc import Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Refused
from domain.ids import CommandId
from domain.plan.project import Project
from domain.plan.sources.pulls import PutPullBack, SettleSource, refusal
from domain.plan.sources.source import Pull, Source
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.manager.sources.one import source_of
from web.manager.sources.told import LineTold, PullTold, lines_told, pull_told
from web.process.services import services_of
from web.staff.acting import actor_of
from web.staff.frame import StaffPage, shell


class WaitsPage(StaffPage, frozen=True, kw_only=True):
    """The lines of the newest pull that wait for a person."""

    template = "pm/source_waits.html"
    project: Project
    source: Source
    pull: str
    doubt: str
    lines: Sequence[LineTold]
    problem: Refused | None


class PullPage(StaffPage, frozen=True, kw_only=True):
    """One pull as it was recorded, with what became of each line."""

    template = "pm/source_pull.html"
    project: Project
    source: Source
    pull: Pull
    told: PullTold
    lines: Sequence[LineTold]
    refusal: str  # why it cannot be put back, "" where it can be
    problem: Refused | None


async def waits(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/sources/{source}/waits`: what waits, to be ticked."""
    return await _waits(request, signed, None)


async def _waits(request: Request, signed: Signed, problem: Refused | None) -> Response:
    services = services_of(request)
    there = await run_in_threadpool(source_of, services, request)
    if there is None:
        return not_found()
    project, source = there
    last = source.last
    open_yet = source.attached and project.phase != "closed"
    lines = [one for one in lines_told(last) if one.waits] if last is not None and open_yet else []
    if last is not None and last.doubt:
        lines = [msgspec.structs.replace(one, ticked=False) for one in lines]
    page = WaitsPage(
        project=project, source=source, pull=last.id if last is not None else "",
        doubt=last.doubt if last is not None and lines else "", lines=lines, problem=problem,
        **await run_in_threadpool(shell, services, signed),
    )  # fmt: skip
    return services.pages.answer(request, page, status_of(problem) if problem else 200)


async def settle(request: Request, signed: Signed) -> Response:
    """`POST .../waits`: take what is ticked, and leave what is not, or wait with it."""
    services, form = services_of(request), await request.form()
    there = await run_in_threadpool(source_of, services, request)
    if there is None:
        return not_found()
    project, source = there
    ticked = [str(one) for one in form.getlist("line")]
    listed = [str(one) for one in form.getlist("listed")]
    leave = tuple(key for key in listed if key not in ticked) if form.get("leave") else ()
    command = SettleSource(
        project=project.id, source=source.id, pull=str(form.get("pull", "")), take=tuple(ticked), leave=leave
    )
    key = CommandId(str(form.get("command_id") or "") or new_id(24))
    try:
        await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=key)
    except Refused as refused:
        return await _waits(request, signed, refused)
    return RedirectResponse(f"/p/{project.id}/sources/{source.id}?done=settled", 303)


async def record(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/sources/{source}/pulls/{pull}`: one pull as it was recorded."""
    return await _record(request, signed, None)


async def _record(request: Request, signed: Signed, problem: Refused | None) -> Response:
    services = services_of(request)
    there = await run_in_threadpool(source_of, services, request)
    pull = there[1].pull(request.path_params["pull"]) if there is not None else None
    if there is None or pull is None:
        return not_found()
    project, source = there
    page = PullPage(
        project=project, source=source, pull=pull, told=pull_told(project, pull, newest=pull is source.last),
        lines=lines_told(pull),
        refusal=refusal(pull, project.schedule), problem=problem, **await run_in_threadpool(shell, services, signed),
    )  # fmt: skip
    return services.pages.answer(request, page, status_of(problem) if problem else 200)


async def back(request: Request, signed: Signed) -> Response:
    """`POST .../pulls/{pull}/back`: make what it took as it was before."""
    services, form = services_of(request), await request.form()
    there = await run_in_threadpool(source_of, services, request)
    if there is None or there[1].pull(request.path_params["pull"]) is None:
        return not_found()
    project, source = there
    command = PutPullBack(
        project=project.id, source=source.id, pull=request.path_params["pull"], reason=str(form.get("reason", ""))
    )
    key = CommandId(str(form.get("command_id") or "") or new_id(24))
    try:
        await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=key)
    except Refused as refused:
        return await _record(request, signed, refused)
    return RedirectResponse(f"/p/{project.id}/sources/{source.id}?done=back", 303)


def routes() -> list[BaseRoute]:
    """Return the routes of what waits and of the record of pulls."""
    one = "/p/{project}/sources/{source}"
    return [
        door(f"{one}/waits", waits, allow=STAFF, name="source_waits"),
        door(f"{one}/waits", settle, allow=STAFF, methods=["POST"], name="settle_source"),
        door(f"{one}/pulls/{{pull}}", record, allow=STAFF, name="source_pull_record"),
        door(f"{one}/pulls/{{pull}}/back", back, allow=STAFF, methods=["POST"], name="put_pull_back"),
    ]
