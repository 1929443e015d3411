"""Pages as a client sees them: under the draft, under the terms in force, and any past update as recorded."""

from collections.abc import Mapping

import msgspec
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.agreement.share import Share
from domain.ids import ProjectId
from domain.language import in_english
from domain.plan.project import Project
from domain.reveal import holding
from projections.entries import parts as parts_of_page
from projections.wording import words
from web.door.guard import STAFF, Signed, door, not_found
from web.manager.agreement.editor import standing
from web.manager.agreement.preview import as_drafted
from web.process.services import Services
from web.record.audience import released_view
from web.render import exact_page
from web.staff.consulted import consulted
from web.staff.frame import StaffPage, share_of, shell

KEPT = {"cache-control": "private, max-age=31536000, immutable"}


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A page as its client sees it, would see it or saw it."""

    roots: Mapping[str, Markup]  # by id
    what: str  # "draft", "force" or "past"
    n: int = 0  # the update, where it is past
    at: str = ""  # when that was, in words
    stylesheet: str = ""  # SHA-256 of the one it was shown with


class SeePage(StaffPage, frozen=True, kw_only=True):
    """A page as its client sees it, inside the frame of staff."""

    template = "pm/see.html"
    project: Project
    share: Share
    client: str
    head: int  # the newest update
    roots: Mapping[str, Markup]
    what: str
    n: int
    at: str
    stylesheet: str


async def see(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/shares/{share}/as?what=draft|force` or `?n=12`: what this client sees, would see or saw."""
    services: Services = request.app.state.services
    project, key = request.path_params["project"], request.path_params["share"]
    share = await run_in_threadpool(share_of, services, project, key)
    if share is None:
        return not_found()
    number = request.query_params.get("n", "")
    if number:
        await run_in_threadpool(
            consulted, services, signed, share.id, in_english("update {number}", number=number[:12])
        )
    seen = (
        await run_in_threadpool(_past, services, share, number)
        if number
        else await run_in_threadpool(_preview, services, share, request.query_params.get("what", ""))
    )
    if seen is None:
        return not_found()
    shown = SeePage(
        project=services.present.world.projects[ProjectId(project)],
        share=share,
        client=services.present.world.client_name(share.client),
        head=services.logs.disclosure.head(key),
        roots=seen.roots,
        what=seen.what,
        n=seen.n,
        at=seen.at,
        stylesheet=seen.stylesheet,
        **shell(services, signed),
    )
    return services.pages.answer(request, shown)


def _preview(services: Services, share: Share, what: str) -> Seen | None:
    world = services.present.world
    draft = share.draft is not None and (what == "draft" or not share.versions)
    amended = as_drafted(share, standing(share), services.now()) if draft else share
    if not amended.versions:
        return None
    project, holds = world.projects[share.project], world.held(share.id)
    if draft:
        holds = holding.under_new_terms(holds, share, amended, project)
    rendered = services.renderer.render(released_view(world, project, amended, holds))
    roots = {root: Markup(parts_of_page.markup(rendered.parts, root)) for root in rendered.roots}  # noqa: S704  # escaped when made
    return Seen(roots=roots, what="draft" if draft else "force")


def _past(services: Services, share: Share, number: str) -> Seen | None:
    n = int(number) if number.isdecimal() and len(number) < 12 else 0
    recorded = exact_page.recorded(services.logs.disclosure, services.renderer, share.id, n)
    if recorded is None:
        return None
    page, _css = recorded
    roots = {root: Markup(markup) for root, markup in page.roots.items()}  # noqa: S704  # recorded, escaped when made
    zone = services.present.world.projects[share.project].time_zone
    return Seen(roots=roots, what="past", n=n, at=words.moment_year(page.at, zone), stylesheet=page.stylesheet)


async def page(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/shares/{share}/{n}/page`: the exact page of an update."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(share_of, services, request.path_params["project"], request.path_params["share"])
    if share is None:
        return not_found()
    await run_in_threadpool(
        consulted, services, signed, share.id, in_english("exact page of update {n}", n=request.path_params["n"][:12])
    )
    return await run_in_threadpool(
        exact_page.response, services.logs.disclosure, services.renderer, share.id, request.path_params["n"]
    )


async def stylesheet(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/shares/{share}/styles/{sha}.css`: the stylesheet a past update was shown with."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(share_of, services, request.path_params["project"], request.path_params["share"])
    css = await run_in_threadpool(services.logs.disclosure.stylesheet, request.path_params["sha"]) if share else None
    if css is None or signed is None:
        return not_found()
    return Response(css, media_type="text/css; charset=utf-8", headers=KEPT)


def routes() -> list[BaseRoute]:
    """Return the routes of what a client sees."""
    here = "/p/{project}/shares/{share}"
    return [
        door(f"{here}/as", see, allow=STAFF),
        door(f"{here}/styles/{{sha}}.css", stylesheet, allow=STAFF),
        door(f"{here}/{{n}}/page", page, allow=STAFF),
    ]
