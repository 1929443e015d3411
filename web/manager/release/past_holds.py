"""The page of everything that was ever held for review on a share: what, how long, by whom, and how it ended."""

from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.agreement.share import Share
from domain.headline import counted
from domain.language import gettext as _
from domain.language import sentence
from domain.plan.project import Project
from web.door.guard import STAFF, Signed, door, not_found
from web.process.services import Services
from web.record import holds
from web.record.holds import HoldLine
from web.staff.frame import StaffPage, share_of, shell


class HeldPage(StaffPage, frozen=True, kw_only=True):
    """The holds of a share, newest first."""

    template = "pm/held.html"
    project: Project
    share: Share
    client: str
    holds: Sequence[HoldLine]
    more_holds: int  # beyond those listed
    said: str  # how many there were, as a sentence


async def held(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/shares/{share}/held`: every hold there ever was, newest first."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(share_of, services, request.path_params["project"], request.path_params["share"])
    if share is None:
        return not_found()
    world = services.present.world
    project = world.projects[share.project]
    lines, more = await run_in_threadpool(holds.lines, services, share, project.time_zone)
    shown = HeldPage(
        project=project,
        share=share,
        client=world.client_name(share.client),
        holds=lines,
        more_holds=more,
        said=_sentence(len(lines) + more, sum(line.waits for line in lines)),
        **shell(services, signed),
    )
    return services.pages.answer(request, shown)


def _sentence(many: int, waits: int) -> str:
    if not many:
        return _("No change waited for review.")
    text = counted("one change waited for review", "{many} changes waited for review", many)
    if waits:
        still = counted("one still does", "{many} still do", waits)
        text = _("{before}, and {clause}", before=text, clause=still)
    return sentence(text)


def routes() -> list[BaseRoute]:
    """Return the route of the record of holds."""
    return [door("/p/{project}/shares/{share}/held", held, allow=STAFF)]
