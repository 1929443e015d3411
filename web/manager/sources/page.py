"""The list of a project's sources, and the form that attaches one."""

from collections.abc import Mapping, Sequence
from itertools import count

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain import check
from domain.errors import Invalid, Refused
from domain.ids import CommandId, ProjectId, SourceId
from domain.language import N_, Said, offered, spoken
from domain.language import gettext as _
from domain.plan.project import Project
from domain.plan.sources.commands import LONGEST, SHORTEST, AttachSource
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.manager.sources.told import SourceTold, every, source_told
from web.process.services import Services, services_of
from web.sources.tools.tool import Attached, Tool, Trouble
from web.staff.acting import actor_of
from web.staff.frame import StaffPage, shell

CADENCES = (5, 15, 30, 60, 240, 720, 1440)  # minutes
GONE = {"detached": N_("Detached. What it brought stays on the plan, and is kept by hand from now on.")}
KEPT_AS_TYPED = 2000  # characters of what is typed into one field


class SourcesPage(StaffPage, frozen=True, kw_only=True):
    """The sources of a project."""

    template = "pm/sources.html"
    project: Project
    lines: Sequence[SourceTold]
    gone: Sequence[SourceTold]  # that were detached
    tools: Sequence[tuple[str, str, str]]  # name, label, and what it is for
    said: str


class NewSourcePage(StaffPage, frozen=True, kw_only=True):
    """The form that attaches a source of one tool."""

    template = "pm/source_new.html"
    project: Project
    tool: Tool
    cadences: Sequence[tuple[int, str]]
    languages: Mapping[str, str]  # that may be chosen, by code
    source: str  # the id it has once it is attached
    given: Mapping[str, str]
    problem: Refused | None


FOR: dict[str, str] = Said(
    {
        "upload": N_("A script or a scheduled task sends the plan."),
        "folder": N_("The newest plan in a folder of this server."),
        "jira": N_("Versions, epics or the issues of a JQL, with the days they are due, released or resolved."),
        "openproject": N_(
            "Milestones or versions with their dates, agreed ones of a day you choose, and the past year."
        ),
        "github": N_("The milestones of a repository, with the days they are due and were closed."),
        "gitlab": N_("The milestones of a project or a group, with the days they are due."),
        "smartsheet": N_("The milestones of a sheet, by its columns: forecast, agreed and actual dates, percentages."),
    }
)


def project_of(services: Services, key: str) -> Project | None:
    """Return a project as it is now; for threads."""
    return services.present.refresh().projects.get(ProjectId(key))


def cadences() -> list[tuple[int, str]]:
    """Return how often a source may be asked, to choose from."""
    return [(minutes, every(minutes)) for minutes in CADENCES]


async def page(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/sources`: the sources of a project."""
    services = services_of(request)
    said = request.query_params.get("done", "")
    shown = await run_in_threadpool(_page, services, signed, request.path_params["project"], said)
    return services.pages.answer(request, shown) if shown is not None else not_found()


def _page(services: Services, signed: Signed, key: str, said: str) -> SourcesPage | None:
    project = project_of(services, key)
    if project is None:
        return None
    told = [source_told(services, project, one) for one in project.sources.values()]
    return SourcesPage(
        project=project,
        lines=[one for one in told if one.source.attached],
        gone=[one for one in told if not one.source.attached],
        tools=[(key, _(tool.label), FOR.get(key, "")) for key, tool in services.sources.tools.items()],
        said=_(GONE[said]) if said in GONE else "",
        **shell(services, signed),
    )


async def new(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/sources/new/{tool}`: the form that attaches a source."""
    return await _form(request, signed, {}, None)


async def _form(request: Request, signed: Signed, given: Mapping[str, str], problem: Refused | None) -> Response:
    services = services_of(request)
    project = await run_in_threadpool(project_of, services, request.path_params["project"])
    tool = services.sources.tools.get(request.path_params["tool"])
    if project is None or tool is None:
        return not_found()
    shown = NewSourcePage(
        project=project, tool=tool, cadences=cadences(), languages=offered(), source=_free(project, tool),
        given={"language": spoken(), **given}, problem=problem, **shell(services, signed),
    )  # fmt: skip
    return services.pages.answer(request, shown, status_of(problem) if problem else 200)


def _free(project: Project, tool: Tool) -> str:
    """Return the first id of a source of a tool that none has or had in a project: it stands in addresses."""
    return next(key for n in count(1) if (key := SourceId(f"{tool.name}{n}")) not in project.sources)


async def attach(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/sources/new/{tool}`: attach it, once the tool let us look."""
    services, form = services_of(request), await request.form()
    tool = services.sources.tools.get(request.path_params["tool"])
    project = await run_in_threadpool(project_of, services, request.path_params["project"])
    if project is None or tool is None:
        return not_found()
    key = SourceId(str(form.get("source") or "")[:24] or _free(project, tool))
    try:
        await run_in_threadpool(_attach, services, signed, TypedSource(project, tool, key, form))
    except Refused as refused:
        given = {name: value for name, value in form.items() if isinstance(value, str) and name != "secret"}
        return await _form(request, signed, given, refused)
    return RedirectResponse(f"/p/{project.id}/sources/{key}?done=attached", 303)


class TypedSource:
    """What was typed into the form of a source: read, and checked against the fields of its tool."""

    def __init__(self, project: Project, tool: Tool, key: SourceId, form: FormData) -> None:
        self.project, self.tool, self.key = project, tool, key
        self.command_id = CommandId(str(form.get("command_id") or "") or new_id(24))
        self.name = str(form.get("name", ""))[:KEPT_AS_TYPED].strip() or _(tool.label)
        self.address = str(form.get("address", ""))[:KEPT_AS_TYPED].strip().rstrip("/")
        self.secret = str(form.get("secret", ""))[:KEPT_AS_TYPED].strip()
        self._form = form

    @property
    def language(self) -> str:
        """The language (BCP 47) of what is recorded of it, "" where none was chosen."""
        return str(self._form.get("language", ""))[:20]

    def cadence(self) -> int:
        """Return the minutes between two pulls. Raises: Invalid."""
        text = str(self._form.get("cadence", "60"))
        if not text.isdecimal() or len(text) > 4 or not SHORTEST <= int(text) <= LONGEST:
            raise Invalid(_("Choose how often it is asked."), "cadence")
        return int(text)

    def values(self) -> dict[str, str]:
        """Return what the fields of the tool hold. Raises: Invalid."""
        found: dict[str, str] = {}
        for field in self.tool.fields:
            value = str(self._form.get(f"v-{field.name}", field.default))[:KEPT_AS_TYPED].strip()
            if field.needed and not value:
                raise Invalid(_("{label} is missing. Type it and send again.", label=_(field.label)), field.name)
            if field.choices and value not in dict(field.choices):
                raise Invalid(_("Choose one of what {label} offers.", label=_(field.label)), field.name)
            found[field.name] = value
        return found

    @property
    def reached(self) -> bool:
        """Whether the tool is asked at an address, with a secret."""
        return bool(self.tool.secret_label)


def _attach(services: Services, signed: Signed, typed: TypedSource) -> None:
    """Attach a source, once for each form: what is sealed differs each time. Raises: Refused."""
    sources = services.sources
    if services.service.carried_out(signed.person.id, typed.command_id):
        return
    check.identifier("source", typed.key)
    if typed.reached and not typed.address.startswith("https://"):
        raise Invalid(_("Expected an address that begins with https://."), "address")
    if typed.reached and not typed.secret:
        raise Invalid(_("The secret is missing. Type it and send again."), "secret")
    values, address = typed.values(), typed.address if typed.reached else ""
    if typed.tool.name != "upload":
        asked = Attached(address=address, values=values, project=typed.project.id, secret=typed.secret)
        try_out(services, typed.tool, asked)
    sealed = b""
    if typed.reached:
        sealed = sources.taking.seal(typed.project.id, typed.key, 1, typed.secret, (typed.tool.name, address))
    command = AttachSource(
        project=typed.project.id, source=typed.key, tool=typed.tool.name, name=typed.name, address=address,
        values=values, cadence=typed.cadence(), sealed=sealed, language=typed.language or spoken(),
    )  # fmt: skip
    services.service.execute(actor_of(signed), command, command_id=typed.command_id)
    sources.engine.wake()


def try_out(services: Services, tool: Tool, attached: Attached) -> str:
    """Return what is found at an address with a secret, before it is kept. Raises: Invalid."""
    try:
        return services.sources.engine.look_at(tool, attached)
    except Trouble as trouble:
        raise Invalid(str(trouble), "tool") from None


def routes() -> list[BaseRoute]:
    """Return the routes of the list and of the form."""
    base = "/p/{project}/sources"
    return [
        door(base, page, allow=STAFF, name="sources"),
        door(f"{base}/new/{{tool}}", new, allow=STAFF, name="new_source"),
        door(f"{base}/new/{{tool}}", attach, allow=STAFF, methods=["POST"], name="attach_source"),
    ]
