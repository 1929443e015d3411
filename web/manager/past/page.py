"""Pages on which the past of a project comes from older plans: several files, what they add, one command.

Rule: what is sent is only kept, for a day, until somebody adds it; the list of the files is kept as a file like them.
"""

import io
from collections.abc import Sequence
from datetime import date
from functools import partial

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain import check
from domain.errors import Invalid, Refused
from domain.ids import CommandId, ProjectId
from domain.language import gettext as _
from domain.message import UNREADABLE
from domain.plan.project import Project
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.importers.dated import status_date
from web.importers.plan import BrokenFile, Plan
from web.importers.reading import read
from web.manager.importing.apart import NoTurn, busy, read_apart
from web.manager.importing.sending import uploads_of
from web.manager.importing.uploads import TooLarge, Uploads
from web.manager.plan.change import Order, carry_out
from web.process.services import Services
from web.proposal.history import Past, Then, end_of, past
from web.staff.frame import StaffPage, shell

MOST_FILES = 60  # one for each week of a year
LISTED = "older-plans"  # the name of a kept list of files; no file that is sent is named so


class SentPlan(msgspec.Struct, frozen=True):
    """A file of a list."""

    key: str  # SHA-256 of it
    name: str


class OlderPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a file."""

    name: str
    day: date | None = None  # its status date
    milestones: int = 0
    problem: str = ""


class PastPage(StaffPage, frozen=True, kw_only=True):
    """The form that sends older plans."""

    template = "pm/past.html"
    project: Project
    problem: str
    most: int  # MiB of all files together
    files: int  # the most there may be


class PastAddedPage(StaffPage, frozen=True, kw_only=True):
    """What older plans add to the past, or what is wrong with them."""

    template = "pm/past_added.html"
    project: Project
    file: str  # SHA-256 of the list
    plans: Sequence[OlderPlan]  # none where a tool told its past
    added: Past | None  # None where a file cannot be read
    problem: str
    command_id: str
    here: str  # the page on which files are chosen, or of the tool's source
    told_by: str  # the name of the source whose tool told its past, "" for files


def _project(request: Request) -> Project | None:
    services: Services = request.app.state.services
    return services.present.refresh().projects.get(ProjectId(request.path_params["project"]))


async def choose(request: Request, signed: Signed) -> Response:
    """`GET|POST /p/{project}/past`: choose older plans; sending them changes nothing yet."""
    services: Services = request.app.state.services
    project, problem = await run_in_threadpool(_project, request), ""
    if project is None:
        return not_found()
    if request.method == "POST":
        sent = [one for one in (await request.form()).getlist("plan") if isinstance(one, UploadFile) and one.filename]
        problem = _chosen(sent)
        if not problem:
            try:
                key = await run_in_threadpool(_keep, uploads_of(request), project.id, sent)
                return RedirectResponse(f"/p/{project.id}/past/{key}", 303)
            except TooLarge:
                problem = _("One of the files is larger than {most} MiB.", most=services.settings.max_upload_mb)
    most = services.settings.max_upload_mb
    shown = PastPage(project=project, problem=problem, most=most, files=MOST_FILES, **shell(services, signed))
    return services.pages.answer(request, shown, 422 if problem else 200)


def _chosen(sent: Sequence[UploadFile]) -> str:
    """Return what is wrong with what was chosen."""
    if not sent:
        return _("No file was chosen. Choose one plan for each status date.")
    if len(sent) > MOST_FILES:
        return _("These are {files} files; at most {most} are read at once.", files=len(sent), most=MOST_FILES)
    try:
        for one in sent:
            check.line("file_name", (one.filename or "")[:200])
    except Invalid as invalid:
        return invalid.message
    return ""


def _keep(uploads: Uploads, project: str, sent: Sequence[UploadFile]) -> str:
    """Keep the files, and a list of them; return the key of the list. For threads. Raises: TooLarge."""
    listed = []
    for one in sent:
        name = check.line("file_name", (one.filename or "")[:200])
        listed.append(SentPlan(uploads.keep(project, name, one.file), name))
    return uploads.keep(project, LISTED, io.BytesIO(msgspec.json.encode(listed)))


async def added(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/past/{file}`: what the files of a list add to the past, or what is wrong with them."""
    project = await run_in_threadpool(_project, request)
    return not_found() if project is None else await _page(request, signed, project)


async def accept(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/past/{file}/accept`: record what they add, in one command."""
    services: Services = request.app.state.services
    project, form = await run_in_threadpool(_project, request), await request.form()
    if project is None:
        return not_found()
    key = CommandId(str(form.get("command_id", "")))
    if not services.service.carried_out(signed.person.id, key):
        try:
            found = await read_apart(request, partial(_read, request, project))
        except NoTurn:
            return busy(request)
        if found is None:
            return not_found()
        if found[1] is None or not found[1].commands:
            return RedirectResponse(f"/p/{project.id}/past/{request.path_params['file']}", 303)
        try:
            order = Order(command=found[1].together(project), key=key)
            await run_in_threadpool(carry_out, services, signed, order, project)
        except Refused as refused:
            return await _page(request, signed, project, refused)
    return RedirectResponse(f"/p/{project.id}?said={key}", 303)


async def _page(request: Request, signed: Signed, project: Project, refused: Refused | None = None) -> Response:
    services: Services = request.app.state.services
    try:
        found = await read_apart(request, partial(_read, request, project))
    except NoTurn:
        return busy(request)
    if found is None:
        return not_found()
    page = PastAddedPage(
        project=project,
        file=request.path_params["file"],
        plans=found[0],
        added=found[1],
        problem=refused.message if refused else "",
        command_id=new_id(24),
        here=f"/p/{project.id}/past",
        told_by="",
        **shell(services, signed),
    )
    return services.pages.answer(request, page, status_of(refused) if refused else 200)


def _read(request: Request, project: Project) -> tuple[list[OlderPlan], Past | None] | None:
    """Return what came of each file of a list, and what they add; None where there is no such list. For threads."""
    services: Services = request.app.state.services
    uploads, now = uploads_of(request), services.now()
    kept = uploads.find(project.id, request.path_params["file"])
    if kept is None or kept.name != LISTED:
        return None
    told: list[OlderPlan] = []
    plans: list[Then] = []
    try:
        listed = msgspec.json.decode(kept.path.read_bytes(), type=list[SentPlan])
    except UNREADABLE:  # a plan that somebody sent by the name of a list
        return None
    for one in listed[:MOST_FILES]:
        found, plan = _one(uploads, project, one)
        told.append(found)
        if plan is not None and found.day is not None:
            plans.append((end_of(found.day, project, now), plan))
    told.sort(key=lambda plan: (plan.day or date.max, plan.name))
    broken = any(plan.problem for plan in told)
    return told, None if broken else past(project, plans, now)


def _one(uploads: Uploads, project: Project, listed: SentPlan) -> tuple[OlderPlan, Plan | None]:
    """Return what came of a file, and the plan in it where it can be used."""
    upload = uploads.find(project.id, listed.key)
    if upload is None:
        return OlderPlan(name=listed.name, problem=_("It is kept no longer. Send the files again.")), None
    try:
        plan = read(
            listed.name,
            upload.path,
            choose=lambda offered: uploads.mapping(project.id, offered) or offered.suggested,
            max_bytes=uploads.most.upload,
            max_table=uploads.most.table,
            convert=uploads.most.converter.take if uploads.most.converter else None,
        )
    except BrokenFile as broken:
        return OlderPlan(name=listed.name, problem=" ".join(map(str, broken.problems[:3]))), None
    day = status_date(listed.name, plan)
    if day is None:
        told = _("Neither the file nor its name says its status date. Put it into the name: plan-2026-03-31.xml.")
        return OlderPlan(name=listed.name, milestones=len(plan.milestones), problem=told), None
    return OlderPlan(name=listed.name, day=day, milestones=len(plan.milestones)), plan


def routes() -> list[BaseRoute]:
    """Return the routes of the past."""
    return [
        door("/p/{project}/past", choose, allow=STAFF, methods=["GET", "POST"], kind="upload"),
        door("/p/{project}/past/{file}", added, allow=STAFF),
        door("/p/{project}/past/{file}/accept", accept, allow=STAFF, methods=["POST"]),
    ]
