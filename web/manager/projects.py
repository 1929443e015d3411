"""The pages of managers: the list of projects, the workspace of one, and the routes of every other page."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.ids import ShareId
from domain.language import capital
from domain.plan.project import Project
from domain.plan.scores import Band, band
from domain.view import Dimension, Rag
from projections.events.world import World
from projections.wording import folding, words
from web.door.guard import STAFF, Signed, door, not_found
from web.manager import attention, search
from web.manager.agreement import access_log, activate, editor, see_as, table
from web.manager.agreement import shares as agreement_shares
from web.manager.answers import page as answers_page
from web.manager.attention import Found, Placed, Sought
from web.manager.for_you import channels as channels_page
from web.manager.for_you import page as for_you_page
from web.manager.for_you import settings as for_you_settings
from web.manager.importing import page as importing_page
from web.manager.past import page as past_page
from web.manager.plan import change, client_titles, history, new, putting_back, ways
from web.manager.plan.first_steps import FirstStep, first_steps
from web.manager.plan.workspace import shares_shown, workspace
from web.manager.release import page as release_page
from web.manager.release import past_holds
from web.manager.sources import doors as source_doors
from web.manager.sources import one as source_one
from web.manager.sources import page as source_page
from web.manager.sources import past as source_past
from web.manager.sources import waits as source_waits
from web.manager.table import page as table_page
from web.manager.who import page as who_page
from web.people import viewers
from web.process import presence
from web.process.services import Services
from web.render.figures import worst_in_band
from web.seen import page as seen_page
from web.staff.frame import StaffPage, shell

PARTS: tuple[Dimension, ...] = ("schedule", "budget", "risk")
HIGHEST_FIRST: tuple[Band, ...] = ("high", "medium", "low")


class ProjectLine(msgspec.Struct, frozen=True, kw_only=True):
    """One project in the list."""

    placed: Placed
    project: Project
    owner: str
    statuses: Sequence[tuple[str, Rag | None, str]]  # of schedule, budget and risk, with a word where it has its own
    slip: str  # of the last milestone, in calendar days; "" where nothing was agreed
    watching: int  # people with a page open now


class ProjectsPage(StaffPage, frozen=True, kw_only=True):
    """A page of the projects that somebody manages, what needs attention first."""

    template = "pm/projects.html"
    found: Found
    lines: Sequence[ProjectLine]
    sought: Sought
    query: Callable[[int], str]  # the address of another page of the same list, by number
    steps: Sequence[FirstStep]  # where there is no project yet


async def projects(request: Request, signed: Signed) -> Response:
    """`GET /p?q=&owner=&page=`: projects by what needs attention, with health and shares, and who is watching."""
    services: Services = request.app.state.services
    given = request.query_params
    page = given.get("page", "")
    sought = Sought(
        text=given.get("q", "").strip()[: folding.LONGEST],
        owner=given.get("owner", ""),
        page=int(page) if re.fullmatch(r"[0-9]{1,6}", page) else 1,
    )
    found, lines = await run_in_threadpool(_lines, services, signed, sought)

    def query(number: int) -> str:
        named = {"q": sought.text, "owner": sought.owner, "page": str(number) if number > 1 else ""}
        return "/p?" + urlencode({name: value for name, value in named.items() if value})

    starts = not found.all and signed.person.projects is None
    shown = ProjectsPage(
        found=found,
        lines=lines,
        sought=sought,
        query=query,
        steps=first_steps(services.present.world, signed.person) if starts else (),
        **shell(services, signed),
    )
    return services.pages.answer(request, shown)


def _lines(services: Services, signed: Signed, sought: Sought) -> tuple[Found, list[ProjectLine]]:
    world = services.present.refresh()
    found = attention.found(services, signed.person, sought)
    return found, [_line(services, world, placed) for placed in found.lines]


def _line(services: Services, world: World, placed: Placed) -> ProjectLine:
    project = world.projects[placed.standing.id]
    final = project.schedule.final()
    slip = None if final is None else project.schedule.slip_of(final)
    return ProjectLine(
        placed=placed,
        project=project,
        owner=world.person_name(project.owner),
        statuses=[
            (part, project.health.status(part), worst_risks(project) if part == "risk" else "") for part in PARTS
        ],
        slip="" if slip is None else words.signed(slip),
        watching=sum(presence.people_watching(services, share) for share in placed.standing.shares),
    )


def worst_risks(project: Project) -> str:
    """Return how many open risks stand in the worst band, as clients read it: "Two high"; "" where overridden."""
    bands = Counter(
        band(project.scale, risk.residual.score) for risk in project.risks.risks.values() if not risk.closed
    )
    if not bands or "risk" in project.health.overrides:
        return ""
    worst = next(name for name in HIGHEST_FIRST if bands[name])
    return capital(worst_in_band(worst, bands[worst]))


async def project(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}`: the workspace."""
    services: Services = request.app.state.services
    page = await run_in_threadpool(workspace, services, signed, request.path_params["project"])
    if page is None:
        return not_found()
    released = request.query_params.get("released", "")
    said = (
        await run_in_threadpool(release_page.released, services, signed, request.path_params["project"], released)
        if released
        else await run_in_threadpool(change.said, services, signed, request.query_params.get("said", ""))
    )
    confirmed = await run_in_threadpool(
        change.confirmation, services, signed, page.project.id, request.query_params.get("said", "")
    )
    return services.pages.answer(request, msgspec.structs.replace(page, said=said, offer=confirmed["offer"]))


async def watching(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/watching`: the shares and what waits, without the rest of the page."""
    services: Services = request.app.state.services
    page = await run_in_threadpool(shares_shown, services, signed, request.path_params["project"])
    return not_found() if page is None else services.pages.answer(request, page)


async def again(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/retry`: try a stopped share again."""
    services: Services = request.app.state.services
    key = request.path_params["project"]
    share = services.present.refresh().shares.get(ShareId(request.path_params["share"]))
    if share is None or share.project != key or signed is None:
        return not_found()
    presence.ask_again(services, share.id)
    return RedirectResponse(f"/p/{key}#shares", 303)


def routes() -> list[BaseRoute]:
    """Return the routes of the manager's door."""
    return [
        door("/p", projects, allow=STAFF),
        *search.routes(),
        *for_you_page.routes(),
        *for_you_settings.routes(),
        *channels_page.routes(),
        *source_page.routes(),
        *source_one.routes(),
        *source_waits.routes(),
        *source_past.routes(),
        *source_doors.routes(),
        *new.routes(),
        *table.routes(),
        door("/p/{project}", project, allow=STAFF),
        door("/p/{project}/watching", watching, allow=STAFF, kind="polled"),
        *ways.routes(),
        *history.routes(),
        *change.routes(),
        *putting_back.routes(),
        *table_page.routes(),
        *client_titles.routes(),
        *release_page.routes(),
        *past_holds.routes(),
        *importing_page.routes(),
        *past_page.routes(),
        *agreement_shares.routes(),
        *editor.routes(),
        *activate.routes(),
        door("/p/{project}/shares/{share}/retry", again, allow=STAFF, methods=["POST"]),
        *viewers.routes(),
        *answers_page.routes(),
        *see_as.routes(),
        *seen_page.routes(),
        *access_log.routes(),
        *who_page.routes(),
    ]
