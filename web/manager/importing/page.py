"""Importing a plan: upload, look at what would change, accept line by line; one command records it all."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Refused
from domain.ids import CommandId, ProjectId
from domain.language import N_
from domain.language import gettext as _
from domain.plan.project import Project
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.importers.csv import reader
from web.importers.csv.mapping import FIELDS, Mapping
from web.importers.csv.rows import delimiter_of, rows, text_of
from web.importers.findings import Findings
from web.importers.plan import BrokenFile, Plan, Problem
from web.manager.importing.uploads import Reading, Upload, Uploads
from web.manager.plan import change
from web.process.services import Services
from web.proposal import compare
from web.proposal.compare import Proposal
from web.staff.frame import shell

PATIENCE = 0.8  # seconds a page waits for a short file before it shows progress
MOST = 2000  # lines a person can be asked to look through
COLUMNS = {
    "id": N_("Id"),
    "title": N_("Title"),
    "outline": N_("Outline number"),
    "baseline": N_("Baseline"),
    "forecast": N_("Forecast"),
    "actual": N_("Actual"),
    "deadline": N_("Deadline"),
    "percent": N_("Percent complete"),
    "milestone": N_("Is a milestone"),
}


def _uploads(request: Request) -> Uploads:
    state = request.app.state
    if not hasattr(state, "uploads"):
        settings = state.services.settings
        state.uploads = Uploads(settings.data, settings.max_upload_mb << 20)
    found: Uploads = state.uploads
    return found


def _project(request: Request) -> Project | None:
    services: Services = request.app.state.services
    return services.present.refresh().projects.get(ProjectId(request.path_params["project"]))


async def upload(request: Request, signed: Signed) -> Response:
    """`GET|POST /p/{project}/import`: choose a file; sending it changes nothing yet."""
    services: Services = request.app.state.services
    project, problem = await run_in_threadpool(_project, request), ""
    if project is None:
        return not_found()
    if request.method == "POST":
        sent = (await request.form()).get("plan")
        if isinstance(sent, UploadFile) and sent.filename:
            most = services.settings.max_upload_mb << 20
            data = await sent.read(most + 1)
            if len(data) <= most:
                kept = Upload(sent.filename[:200], data)
                key = await run_in_threadpool(_uploads(request).keep, project.id, kept)
                return RedirectResponse(f"/p/{project.id}/import/{key}", 303)
            problem = _(
                "The file is larger than {max_upload_mb} MiB. Save a plan without its history.",
                max_upload_mb=services.settings.max_upload_mb,
            )
        else:
            problem = _("No file was chosen. Choose a plan saved as Microsoft Project XML or as CSV.")
    context = {"project": project, "problem": problem, **shell(services, signed)}
    return services.pages.response(request, "pm/import.html", 422 if problem else 200, **context)


async def proposal(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/import/{file}`: how far it is read, what is wrong with it, or what it would change."""
    project = await run_in_threadpool(_project, request)
    if project is None:
        return not_found()
    return await _page(request, signed, project)


async def _page(
    request: Request,
    signed: Signed,
    project: Project,
    problem: str = "",
    status: int = 200,
    form: FormData | None = None,
) -> Response:
    services: Services = request.app.state.services
    uploads, key = _uploads(request), request.path_params["file"]
    reading = await run_in_threadpool(uploads.read, project.id, key, PATIENCE)
    kept = await run_in_threadpool(uploads.find, project.id, key)
    if reading is None or kept is None:
        return not_found()
    context: dict[str, Any] = {
        "project": project,
        "file": key,
        "name": kept.name,
        "problem": problem,
        "percent": int(reading.done * 100),
        "command_id": str(form.get("command_id")) if form and form.get("command_id") else new_id(24),
        **shell(services, signed),
    }
    polled = bool(request.headers.get("hx-request"))
    if not reading.finished.is_set():
        template = "pm/import_progress.html" if polled else "pm/import_reading.html"
        return services.pages.response(request, template, **context)
    if polled:
        return Response(headers={"hx-refresh": "true", "cache-control": "no-store"})
    context |= await run_in_threadpool(_found, services, uploads, project, kept, reading)
    chosen = None if form is None else set(form.getlist("line"))
    return services.pages.response(request, "pm/import_proposal.html", status, chosen=chosen, **context)


def _found(services: Services, uploads: Uploads, project: Project, kept: Upload, reading: Reading) -> dict[str, Any]:
    columns = _columns(uploads, project, kept)
    if reading.plan is None:
        problems = reading.broken.problems if reading.broken else ()
        return {"problems": problems, "proposal": None, "plan": None, "columns": columns, "known": False}
    made = _propose(services, project, reading.plan)
    if len(made.lines) > MOST:
        told = _(
            "It would change {lines:,} lines; at most {most:,} are looked through at once. ",
            lines=len(made.lines),
            most=MOST,
        )
        problem = Problem(None, told + _("Send the milestones a client needs to see, and leave out the rest."))
        return {"problems": (problem,), "proposal": None, "plan": None, "columns": columns, "known": False}
    known = reading.plan.file_hash in project.schedule.files
    return {"problems": (), "proposal": made, "plan": reading.plan, "columns": columns, "known": known}


def _propose(services: Services, project: Project, plan: Plan) -> Proposal:
    return compare.propose(project, plan, new_id, project.civil(services.now()))


def _columns(uploads: Uploads, project: Project, kept: Upload) -> dict[str, Any] | None:
    """Return the header of a CSV file and which column is what, None for another kind of file."""
    if kept.data.lstrip()[:1] == b"<" or not kept.name.lower().endswith((".csv", ".txt", ".tsv")):
        return None
    try:
        text, _ = text_of(kept.data)
        mapping = uploads.mapping(project.id) or reader.suggest(kept.data)
        _, header = next(rows(text, mapping.delimiter or delimiter_of(text), Findings()), (1, []))
    except BrokenFile:
        return None
    return {"header": header, "mapping": mapping, "fields": COLUMNS, "saved": uploads.mapping(project.id) is not None}


async def columns(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/import/{file}/columns`: save which column is what, and read the file again."""
    project, uploads = await run_in_threadpool(_project, request), _uploads(request)
    key = request.path_params["file"]
    if project is None or uploads.find(project.id, key) is None or not signed.person:
        return not_found()
    form = await request.form()
    names = (*FIELDS, "date_format", "delimiter")
    mapping = Mapping(**{name: str(form.get(name, "")) for name in names})
    await run_in_threadpool(uploads.save_mapping, project.id, mapping)
    uploads.forget(project.id, key)
    return RedirectResponse(f"/p/{project.id}/import/{key}", 303)


async def accept(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/import/{file}/accept`: record the ticked lines as one update."""
    services: Services = request.app.state.services
    project, uploads, form = await run_in_threadpool(_project, request), _uploads(request), await request.form()
    key = request.path_params["file"]
    reading = await run_in_threadpool(uploads.read, project.id, key, PATIENCE) if project else None
    if project is None or reading is None:
        return not_found()
    if reading.plan is None:
        return RedirectResponse(f"/p/{project.id}/import/{key}", 303)
    ticked, command_id = {str(v) for v in form.getlist("line")}, CommandId(str(form.get("command_id", "")))
    made = await run_in_threadpool(_propose, services, project, reading.plan)
    lines = tuple(line for line in made.lines if line.key in ticked)
    done = bool(services.logs.events.stream(f"command-{command_id}")) if command_id else False
    if len(lines) < len(ticked) and not done:
        gone = _(
            "The project changed since you looked, and with it what this file would change. Look again, then accept."
        )
        return await _page(request, signed, project, gone, 409)
    if not done:
        command = compare.accept(project, reading.plan, lines, str(form.get("reason", "")).strip())
        try:
            await run_in_threadpool(change.carry_out, services, signed, command, command_id, project)
        except Refused as refused:
            return await _page(request, signed, project, refused.message, status_of(refused), form)
    await run_in_threadpool(uploads.drop, project.id, key)
    return RedirectResponse(f"/p/{project.id}?said={command_id}", 303)


def routes() -> list[BaseRoute]:
    """Return the routes of the import."""
    return [
        door("/p/{project}/import", upload, allow=STAFF, methods=["GET", "POST"]),
        door("/p/{project}/import/{file}", proposal, allow=STAFF),
        door("/p/{project}/import/{file}/columns", columns, allow=STAFF, methods=["POST"]),
        door("/p/{project}/import/{file}/accept", accept, allow=STAFF, methods=["POST"]),
    ]
