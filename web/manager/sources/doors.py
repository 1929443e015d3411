"""The doors by which a plan is sent, and by which a tool hints that it has news.

Threats: a hint that anybody could send (its address cannot be guessed, and the tool's signature is checked), a storm of
hints (each is a note in memory, and many are one turn), a body without end (bounded), and an answer that tells which
addresses exist (what is not signed answers like what is not there).
"""

import contextlib
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Conflict, Refused, Stale
from domain.ids import ProjectId, SourceId
from domain.language import gettext as _
from domain.language import speaking, spoken
from domain.people.tokens import SOURCE
from domain.plan.project import Project
from domain.plan.sources.source import Source
from web.door.guard import NOT_FOUND, STAFF, Signed, door, not_found, open_door
from web.door.problem import problem, refusal
from web.manager.importing.apart import NoTurn, busy, read_apart
from web.process.services import Services, services_of
from web.sources.taking import News
from web.sources.tools.tool import NoTurn as NoReader
from web.sources.tools.tool import Pulled, Trouble

BLOCK = 1 << 20  # bytes written at a time


class Unread(msgspec.Struct, frozen=True):
    """Why a file cannot be read: as its source says it, for the record, and as whoever sent it is told."""

    recorded: Trouble
    told: str


async def put_plan(request: Request, signed: Signed) -> Response:
    """`PUT /api/v1/projects/{project}/sources/{source}/plan`: the plan as it is now, in a file of any known format.

    `?name=plan.xml` says what the file is called; the format is found from what is in it.
    """
    services = services_of(request)
    project, key = ProjectId(request.path_params["project"]), SourceId(request.path_params["source"])
    covered = signed.token is None or signed.token.projects is None or project in signed.token.projects
    there = await run_in_threadpool(services.sources.taking.find, project, key) if covered else None
    if there is None:
        return problem(404, _("Not found"), _(NOT_FOUND))
    if there[1].tool != "upload":
        return problem(409, _("Not possible now"), _("This source is asked for its plan; none is sent to it."))
    name = request.query_params.get("name", "")[:200] or "plan"
    async with _kept(request) as file:
        try:
            read = await read_apart(request, partial(_read, services, there, name, file))
        except (NoTurn, NoReader):
            return busy(request)
        except Refused as refused:
            return refusal(refused)
    if isinstance(read, Unread):
        await run_in_threadpool(services.sources.taking.fail, project, key, read.recorded)
        return problem(422, _("A value cannot be right"), read.told)
    try:
        news = await run_in_threadpool(_take, services, there, read)
    except Refused as refused:
        return refusal(refused)
    return await run_in_threadpool(_answer, services, project, key, news)


@contextlib.asynccontextmanager
async def _kept(request: Request) -> AsyncIterator[Path]:
    """Give the body of a request as a file, which is deleted after."""
    with tempfile.TemporaryDirectory(prefix="fanlight-plan-") as folder:
        path = Path(folder) / "plan"
        with path.open("wb") as file:
            waiting = bytearray()
            async for chunk in request.stream():
                waiting += chunk
                if len(waiting) >= BLOCK:
                    await run_in_threadpool(file.write, bytes(waiting))
                    waiting.clear()
            file.write(waiting)
        yield path


def _read(services: Services, there: tuple[Project, Source], name: str, file: Path) -> Pulled | Unread:
    """Return what a file brings, in the language of its source. Raises: Conflict, NoReader."""
    _project, source = there
    if source.paused is not None:
        raise Conflict(_("This source is paused, so nothing is taken. Let it go on at its page."), "source")
    try:
        with speaking(source.language):
            return services.sources.files.read(name, file)
    except NoReader:
        raise
    except Trouble as trouble:
        if source.language == spoken():
            return Unread(trouble, str(trouble))
        recorded = trouble
    told = str(recorded)
    try:  # once more: sentences are made where the file is read
        services.sources.files.read(name, file)
    except NoReader:
        pass
    except Trouble as trouble:
        told = str(trouble)
    return Unread(recorded, told)


def _take(services: Services, there: tuple[Project, Source], pulled: Pulled) -> News:
    """Record what a file brings. Raises: Refused."""
    project, source = there
    try:
        return services.sources.taking.take(project.id, source.id, pulled)
    except Stale:  # another plan was sent at the same moment
        return services.sources.taking.take(project.id, source.id, pulled)


def _answer(services: Services, project: ProjectId, key: SourceId, news: News) -> Response:
    found = services.sources.taking.find(project, key)
    last = found[1].last if found is not None else None
    count = Counter(one.outcome for one in last.lines) if last is not None and news == "recorded" else Counter[str]()
    answer = {
        "source": key,
        "news": news == "recorded",
        "pull": last.id if last is not None and news == "recorded" else "",
        "taken": count["taken"],
        "waits": len(found[1].waits) if found is not None else 0,
        "ignored": count["ignored"],
    }
    return Response(
        msgspec.json.encode(answer), 201 if news == "recorded" else 200, media_type="application/json",
        headers={"cache-control": "no-store"},
    )  # fmt: skip


async def hook(request: Request) -> Response:
    """`POST /hooks/{hook}`: a tool says that it has news, which is a hint to pull and nothing else."""
    services = services_of(request)
    body = await request.body()
    there = await run_in_threadpool(_hooked, services, request.path_params["hook"])
    if there is None:
        return not_found()
    project, source = there
    tool = services.sources.tools.get(source.tool)
    if tool is None or not tool.hooks:
        return not_found()
    attached = await run_in_threadpool(services.sources.taking.calling, project.id, source)
    if greeting := tool.greeting(request.headers, body):
        return PlainTextResponse("", 200, headers=dict(greeting))
    if not tool.is_signed(attached, request.headers, body):
        return not_found()
    services.sources.engine.hint(project.id, source.id)
    return Response(status_code=204)


def _hooked(services: Services, hook: str) -> tuple[Project, Source] | None:
    """Return the source that an address of a hook belongs to. Each is worked out, and none is kept anywhere."""
    taking = services.sources.taking
    for project in list(services.present.world.projects.values()):
        for source in project.sources.values():
            if source.attached and source.paused is None and taking.is_hook(project.id, source, hook):
                return project, source
    return None


def routes() -> list[BaseRoute]:
    """Return the routes of the doors."""
    return [
        door(
            "/api/v1/projects/{project}/sources/{source}/plan", put_plan, allow=STAFF, methods=["PUT"], kind="upload",
            scope=SOURCE, name="put_plan",
        ),
        open_door("/hooks/{hook}", hook, methods=["POST"], keyed=True, name="source_hook"),
    ]  # fmt: skip
