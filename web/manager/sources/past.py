"""The past of a project from a tool that remembers: asked once, looked at, and recorded as one command.

Rule: what the tool told is kept for a day, so that what is recorded is what was looked at, whatever it says by then.
"""

import io
from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Invalid, Refused
from domain.ids import CommandId
from domain.language import gettext as _
from domain.language import speaking
from domain.message import UNREADABLE
from domain.plan.project import Project
from domain.plan.sources.source import Source
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.importers.plan import Plan, PlannedMilestone
from web.manager.importing.sending import uploads_of
from web.manager.importing.uploads import TooLarge, Uploads
from web.manager.past.page import PastAddedPage
from web.manager.plan.change import Order, carry_out
from web.manager.sources.one import OnPage, shown, source_of
from web.process.services import Services, services_of
from web.proposal.history import Past, past
from web.proposal.sourced import prefixed
from web.sources.tools.registry import REMEMBERING
from web.sources.tools.tool import Trouble
from web.staff.frame import shell

KEPT = "past-of-a-tool"  # the name under which it is kept; no file that is sent is named so


class Stood(msgspec.Struct, frozen=True):
    """The milestones of a tool as they stood at an instant (UTC)."""

    at: datetime
    milestones: tuple[PlannedMilestone, ...]
    data_date: date | None = None
    file_hash: str = ""


class ToldPast(msgspec.Struct, frozen=True):
    """What a tool told of its past, and for which source."""

    source: str
    plans: tuple[Stood, ...]


async def ask(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/sources/{source}/past`: ask the tool how the plan stood each week of the year before."""
    there = await run_in_threadpool(source_of, services_of(request), request)
    if there is None or not there[1].attached or there[1].tool not in REMEMBERING:
        return not_found()
    project, source = there
    try:
        key = await run_in_threadpool(_ask, services_of(request), uploads_of(request), project, source)
    except Refused as refused:
        return await shown(request, signed, OnPage(problem=refused, where="past"))
    return RedirectResponse(f"/p/{project.id}/sources/{source.id}/past/{key}", 303)


def _ask(services: Services, uploads: Uploads, project: Project, source: Source) -> str:
    """Ask the tool, and return the key of what it told. Raises: Invalid."""
    sources = services.sources
    try:
        plans = sources.engine.look_back(REMEMBERING[source.tool], sources.taking.attached(project.id, source))
    except Trouble as trouble:
        raise Invalid(str(trouble), "past") from None
    stood = tuple(Stood(at, plan.milestones, plan.data_date, plan.file_hash) for at, plan in plans)
    try:
        return uploads.keep(project.id, KEPT, io.BytesIO(msgspec.json.encode(ToldPast(source.id, stood))))
    except TooLarge:
        most = services.settings.max_upload_mb
        told = _("What the tool told of a year is larger than {most} MiB, so it cannot be kept.", most=most)
        raise Invalid(told, "past") from None


async def added(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/sources/{source}/past/{file}`: what it adds to the past."""
    return await _page(request, signed)


async def _page(request: Request, signed: Signed, refused: Refused | None = None) -> Response:
    services = services_of(request)
    there = await run_in_threadpool(source_of, services, request)
    found = await run_in_threadpool(_found, request, *there) if there is not None else None
    if there is None or found is None:
        return not_found()
    project, source = there
    page = PastAddedPage(
        project=project, file=request.path_params["file"], plans=(), added=found,
        problem=refused.message if refused else "", command_id=new_id(24), here=f"/p/{project.id}/sources/{source.id}",
        told_by=source.name, **await run_in_threadpool(shell, services, signed),
    )  # fmt: skip
    return services.pages.answer(request, page, status_of(refused) if refused else 200)


async def accept(request: Request, signed: Signed) -> Response:
    """`POST .../past/{file}/accept`: record what it adds, in one command."""
    services, form = services_of(request), await request.form()
    there = await run_in_threadpool(source_of, services, request)
    if there is None:
        return not_found()
    project, source = there
    key = CommandId(str(form.get("command_id") or "") or new_id(24))
    if not await run_in_threadpool(services.service.carried_out, signed.person.id, key):
        found = await run_in_threadpool(_found, request, project, source)
        if found is None:
            return not_found()
        if not found.commands:
            return await _page(request, signed)
        try:
            order = Order(command=found.together(project), key=key)
            await run_in_threadpool(carry_out, services, signed, order, project)
        except Refused as refused:
            return await _page(request, signed, refused)
    return RedirectResponse(f"/p/{project.id}?said={key}", 303)


def _found(request: Request, project: Project, source: Source) -> Past | None:
    """Return what was told and is kept, compared with the project as it is; for threads."""
    kept = uploads_of(request).find(project.id, request.path_params["file"])
    if kept is None or kept.name != KEPT:
        return None
    try:
        told = msgspec.json.decode(kept.path.read_bytes(), type=ToldPast)
    except UNREADABLE:
        return None
    if told.source != source.id:
        return None
    return past(project, _plans(source, told), services_of(request).now(), _reason(source))


def _reason(source: Source) -> str:
    """Return the reason of each move that is added, as of what it pulls: in its language, where its rules have none."""
    with speaking(source.language):
        return source.rules.reason or _("As an older plan has it")


def _plans(source: Source, told: ToldPast) -> Sequence[tuple[datetime, Plan]]:
    return [
        (
            one.at,
            prefixed(
                source.id,
                Plan(format="tool", file_hash=one.file_hash, data_date=one.data_date, milestones=one.milestones),
            ),
        )
        for one in told.plans
    ]


def routes() -> list[BaseRoute]:
    """Return the routes of the past of a source."""
    one = "/p/{project}/sources/{source}/past"
    return [
        door(one, ask, allow=STAFF, methods=["POST"], name="ask_past"),
        door(f"{one}/{{file}}", added, allow=STAFF, name="source_past"),
        door(f"{one}/{{file}}/accept", accept, allow=STAFF, methods=["POST"], name="add_source_past"),
    ]
