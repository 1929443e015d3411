"""Pages on which a plan is imported: upload, what would change, accepting line by line; one command records it all."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Invalid, Refused
from domain.ids import CommandId, ProjectId
from domain.language import N_, Said
from domain.language import gettext as _
from domain.plan.project import Project
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.importers.plan import Plan, Problem, too_large
from web.importers.registers.columns import KINDS, Kind
from web.importers.registers.columns import Columns as AnyColumns
from web.importers.registers.found import FigureTable, RiskTable
from web.importers.registers.reader import OfferedTable
from web.importers.table.mapping import FIELDS
from web.importers.table.mapping import Mapping as ColumnMapping
from web.manager.importing import registers
from web.manager.importing.refusal import Refusal
from web.manager.importing.seen_by_clients import client_titles, ticks
from web.manager.importing.sending import keep, sent_file, uploads_of
from web.manager.importing.taking_out import plan_file
from web.manager.importing.uploads import Choices, Reading
from web.manager.plan.change import Order, carry_out
from web.process.services import Services
from web.proposal import compare
from web.proposal.compare import Proposal
from web.proposal.lines import REASONED, ProposalLine
from web.proposal.sourced import beside_sources, from_sources
from web.staff.frame import StaffPage, shell

PATIENCE = 0.8  # seconds a page waits for a short file before it shows progress
MOST = 2000  # lines a person can be asked to look through
COLUMNS = Said(
    {
        "id": N_("Id"),
        "title": N_("Title"),
        "outline": N_("Outline number"),
        "baseline": N_("Baseline"),
        "forecast": N_("Forecast"),
        "actual": N_("Actual"),
        "deadline": N_("Deadline"),
        "percent": N_("Percent complete"),
        "milestone": N_("Says what is a milestone"),
        "duration": N_("Duration (a milestone takes none)"),
        "summary": N_("Sums up others"),
        "active": N_("Is active"),
        "start": N_("Start (of milestones without a finish)"),
    }
)


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """The headings of a table, and which column is what."""

    header: Sequence[str]
    sheets: Sequence[str]  # of a workbook
    mapping: ColumnMapping
    fields: dict[str, str]  # what a column can be, in words
    saved: bool  # chosen by somebody for tables like this one, or only suggested by the headings


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """What a file that was read would change, or what is wrong with it."""

    columns: Columns | None  # None for another kind of file
    problems: Sequence[Problem] = ()
    proposal: Proposal | None = None
    plan: Plan | None = None
    known: bool = False  # this very file was imported before


class ImportPage(StaffPage, frozen=True, kw_only=True):
    """The form that uploads a plan."""

    template = "pm/import.html"
    project: Project
    problem: str
    most: int  # MiB a file may have
    too_large: str  # what is said of a larger one
    converts: bool  # whether files of other tools are read


class ImportProgressPart(StaffPage, frozen=True, kw_only=True):
    """How far a file is read, to be put in place of what the page said before."""

    template = "pm/import_progress.html"
    project: Project
    file: str  # SHA-256 of it
    name: str
    percent: int
    converting: bool  # before it is read


class ImportReadingPage(ImportProgressPart, frozen=True, kw_only=True):
    """How far a file is read, as a page."""

    template = "pm/import_reading.html"


class ImportProposalPage(StaffPage, frozen=True, kw_only=True):
    """What a file would change, line by line, or what is wrong with it."""

    template = "pm/import_proposal.html"
    project: Project
    file: str  # SHA-256 of it
    name: str
    problem: str
    command_id: str
    columns: Columns | None
    problems: Sequence[Problem]
    proposal: Proposal | None
    plan: Plan | None
    known: bool
    chosen: AbstractSet[str]  # keys of the lines that are ticked
    shown: AbstractSet[str]  # of those that clients may see
    titles: Mapping[str, str]  # for clients, by the key of the line
    wrong: str  # name of the field the problem belongs to
    reason: str
    kind: Kind = "plan"  # what a table is taken for
    kinds: dict[str, str]  # what it can be, in words


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
        file, problem = await sent_file(request)
        problem = problem or _("No file was chosen. Choose a plan as Microsoft Project XML, as a workbook or as CSV.")
        if file is not None:
            return RedirectResponse(f"/p/{project.id}/import/{await keep(request, project.id, file)}", 303)
    most = services.settings.max_upload_mb
    shown = ImportPage(
        project=project,
        problem=problem,
        most=most,
        too_large=too_large(most << 20),
        converts=bool(services.settings.converter),
        **shell(services, signed),
    )
    return services.pages.answer(request, shown, 422 if problem else 200)


async def proposal(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/import/{file}`: how far it is read, what is wrong with it, or what it would change."""
    project = await run_in_threadpool(_project, request)
    if project is None:
        return not_found()
    return await _page(request, signed, project)


async def _page(request: Request, signed: Signed, project: Project, refusal: Refusal | None = None) -> Response:
    services: Services = request.app.state.services
    uploads, key = uploads_of(request), request.path_params["file"]
    reading = await run_in_threadpool(uploads.read, project.id, key, PATIENCE)
    kept = await run_in_threadpool(uploads.find, project.id, key)
    if reading is None or kept is None:
        return not_found()
    polled = bool(request.headers.get("hx-request"))
    if not reading.finished.is_set():
        percent, progress = int(reading.done * 100), ImportProgressPart if polled else ImportReadingPage
        shown = progress(
            project=project,
            file=key,
            name=kept.name,
            percent=percent,
            converting=reading.converting,
            **shell(services, signed),
        )
        return services.pages.answer(request, shown)
    if polled:
        return Response(headers={"hx-refresh": "true", "cache-control": "no-store"})
    if reading.offered is not None and reading.offered.kind != "plan":
        table = registers.ImportTablePage(
            project=project,
            file=key,
            name=kept.name,
            **await run_in_threadpool(
                registers.fields_of, services, project, reading, refusal, request.query_params.get("line", "")
            ),
            **shell(services, signed),
        )
        return services.pages.answer(request, table, refusal.status if refusal else 200)
    proposed = await run_in_threadpool(_proposed, request, signed.person.name, project, reading)
    form = refusal.form if refusal else None
    form_ticks = ticks(request.query_params, proposed.proposal, form)
    page = ImportProposalPage(
        project=project,
        file=key,
        name=kept.name,
        problem=refusal.problem if refusal else "",
        command_id=str(form.get("command_id")) if form and form.get("command_id") else new_id(24),
        columns=proposed.columns,
        problems=proposed.problems,
        proposal=proposed.proposal,
        plan=proposed.plan,
        known=proposed.known,
        chosen=form_ticks.lines,
        shown=form_ticks.shown,
        titles=form_ticks.titles,
        wrong=refusal.field if refusal else "",
        reason=str(form.get("reason", "")) if form else "",
        kinds=registers.TITLES,
        **shell(services, signed),
    )
    return services.pages.answer(request, page, refusal.status if refusal else 200)


def _proposed(request: Request, by: str, project: Project, reading: Reading) -> Proposed:
    """Return what a file that was read would change now. For threads."""
    services: Services = request.app.state.services
    columns = _columns(reading)
    if reading.plan is None:
        return Proposed(columns=columns, problems=reading.broken.problems if reading.broken else ())
    proposal = _propose(services, project, reading.plan, by)
    if len(proposal.lines) > MOST:
        size = _(
            "It would change {lines:,} lines; at most {most:,} are looked through at once.",
            lines=len(proposal.lines),
            most=MOST,
        )
        send = _("Send the milestones a client needs to see, and leave out the rest.")
        problem = Problem(None, f"{size} {send}")
        return Proposed(columns=columns, problems=(problem,))
    known = reading.plan.file_hash in project.schedule.files
    return Proposed(columns=columns, proposal=proposal, plan=reading.plan, known=known)


def _propose(services: Services, project: Project, plan: Plan, by: str) -> Proposal:
    proposal = compare.propose(beside_sources(project), plan, new_id, project.civil(services.now()), by)
    return from_sources(project, proposal)


def _columns(reading: Reading) -> Columns | None:
    """Return the headings of a table and which column is what, None for another kind of file."""
    offered, mapping = reading.offered, reading.columns
    if offered is None or not isinstance(mapping, ColumnMapping):
        return None
    return Columns(
        header=[name for name in offered.header if name],
        sheets=offered.sheets,
        mapping=mapping,
        fields=COLUMNS,
        saved=reading.saved,
    )


async def columns(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/import/{file}/columns`: save or forget what a table is and which column is what."""
    project, uploads = await run_in_threadpool(_project, request), uploads_of(request)
    key = request.path_params["file"]
    reading = await run_in_threadpool(uploads.read, project.id, key, PATIENCE) if project else None
    if project is None or reading is None or not signed.person:
        return not_found()
    form = await request.form()
    if reading.offered is None or reading.columns is None:
        return RedirectResponse(f"/p/{project.id}/import/{key}", 303)
    await run_in_threadpool(_choose, uploads.choices(project.id), reading.offered, reading.columns, form)
    uploads.forget(project.id, key)
    return RedirectResponse(f"/p/{project.id}/import/{key}", 303)


def _choose(choices: Choices, offered: OfferedTable, columns: AnyColumns, form: FormData) -> None:
    """Save what a form chooses for tables of a shape. For threads."""
    kind = next((kind for kind in KINDS if kind == form.get("kind")), None)
    if form.get("forget"):
        choices.forget(offered)
    elif kind is not None:
        choices.save_kind(offered, kind)
    elif isinstance(columns, ColumnMapping):
        names = (*FIELDS, "milestone_value", "rows", "sheet", "date_format")
        choices.save(offered, ColumnMapping(**{name: str(form.get(name, ""))[:200] for name in names}))
    else:
        choices.save(offered, registers.chosen_columns(form, columns))


async def accept(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/import/{file}/accept`: record the ticked lines as one update."""
    services: Services = request.app.state.services
    project, uploads, form = await run_in_threadpool(_project, request), uploads_of(request), await request.form()
    key = request.path_params["file"]
    reading = await run_in_threadpool(uploads.read, project.id, key, PATIENCE) if project else None
    if project is None or reading is None:
        return not_found()
    if reading.table is not None:
        return await _accept_table(request, signed, project, reading.table)
    if reading.plan is None:
        return RedirectResponse(f"/p/{project.id}/import/{key}", 303)
    command_id = CommandId(str(form.get("command_id", "")))
    proposal = await run_in_threadpool(_propose, services, project, reading.plan, signed.person.name)
    ticked = ticks({}, proposal, form).lines
    lines = tuple(line for line in proposal.lines if line.key in ticked)
    done = services.service.carried_out(signed.person.id, command_id)
    if len(lines) < len(ticked) and not done:
        return await _page(request, signed, project, Refusal(problem=_changed(), status=409))
    if not done:
        try:
            if proposal.doubt and not lines:  # another plan confirms nothing
                raise Invalid(_("Nothing is ticked. Tick what should change, or choose another file."), "line")
            command = compare.accept(project, reading.plan, lines, _reason(lines, form), client_titles(form, lines))
            order = Order(command=command, key=command_id)
            await run_in_threadpool(carry_out, services, signed, order, project)
        except Refused as refused:
            refusal = Refusal(problem=refused.message, status=status_of(refused), form=form, field=refused.field)
            return await _page(request, signed, project, refusal)
    await run_in_threadpool(uploads.drop, project.id, key)
    return RedirectResponse(f"/p/{project.id}?said={command_id}", 303)


async def _accept_table(request: Request, signed: Signed, project: Project, table: RiskTable | FigureTable) -> Response:
    """Record the ticked lines of a register or of figures as one update."""
    services: Services = request.app.state.services
    uploads, form, key = uploads_of(request), await request.form(), request.path_params["file"]
    command_id = CommandId(str(form.get("command_id", "")))
    if not services.service.carried_out(signed.person.id, command_id):
        try:
            proposal = await run_in_threadpool(registers.propose, services, project, table)
            command = registers.accepted(project, proposal, form)
            if command is None:
                return await _page(request, signed, project, Refusal(problem=_changed(), status=409))
            order = Order(command=command, key=command_id)
            await run_in_threadpool(carry_out, services, signed, order, project)
        except Refused as refused:
            refusal = Refusal(problem=refused.message, status=status_of(refused), form=form, field=refused.field)
            return await _page(request, signed, project, refusal)
    await run_in_threadpool(uploads.drop, project.id, key)
    return RedirectResponse(f"/p/{project.id}?said={command_id}", 303)


def _changed() -> str:
    return _("The project changed since you looked, and with it what this file would change. Look again, then accept.")


def _reason(lines: Sequence[ProposalLine], form: FormData) -> str:
    """Return why dates moved.

    Raises: Invalid where some did and no reason is given.
    """
    reason = str(form.get("reason", "")).strip()
    if not reason and any(isinstance(command, REASONED) for line in lines for command in line.commands):
        raise Invalid(_("Reason is missing. Say why dates moved; clients who may see reasons read it."), "reason")
    return reason


def routes() -> list[BaseRoute]:
    """Return the routes of the import."""
    return [
        door("/p/{project}/import", upload, allow=STAFF, methods=["GET", "POST"], kind="upload"),
        door("/p/{project}/import/{file}", proposal, allow=STAFF),
        door("/p/{project}/plan.xml", plan_file, allow=STAFF, kind="export"),
        door("/p/{project}/import/{file}/columns", columns, allow=STAFF, methods=["POST"]),
        door("/p/{project}/import/{file}/accept", accept, allow=STAFF, methods=["POST"]),
    ]
