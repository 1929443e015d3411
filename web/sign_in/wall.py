"""Putting a share on a wall display: its person makes one, on this screen or by a code, and a screen becomes it.

Rule: whoever makes this screen a wall display is signed out of it, so that nobody who passes by is them.
"""

from datetime import timedelta

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Invalid, Refused
from domain.ids import ClientId, ShareId
from domain.language import gettext as _
from domain.people.devices import DISPLAY_DAYS
from projections.wording import words
from web.door.cookies import cookie
from web.door.guard import VIEWERS, Signed, door, not_found, open_door, signed_out
from web.door.problem import status_of
from web.door.renewal import Renewed
from web.door.templates import Page
from web.identity.devices import CODE_LASTS, grouped
from web.process.rights import called, may_watch
from web.process.services import Services, services_of
from web.sign_in.devices import title
from web.sign_in.link import allowed, slow_down
from web.staff.acting import actor_of

LONGEST = 60  # letters of what a place is called


class PutUpPage(Page, frozen=True, kw_only=True):
    """The question how and where a share is put on a wall display, or the code by which a screen becomes one."""

    template = "wall_new.html"
    signed: Signed
    organisation: str
    share: ShareId
    title: str  # what the project is called
    name: str  # of the place, as typed
    problem: Refused | None
    may: bool  # whether the organisation and the client allow it
    code: str  # in groups of four, "" while it is asked for
    address: str  # at which the code is typed
    link: str  # the same with the code in it
    expires: str  # until when the code is good
    lasts: str  # until when the display lasts at most


class BeginPage(Page, frozen=True, kw_only=True):
    """The question for the code, on the screen that becomes a wall display."""

    template = "wall_begin.html"
    organisation: str
    code: str
    problem: str


class _Made(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the form: a code to be typed elsewhere, or what was wrong."""

    name: str = ""
    problem: Refused | None = None
    code: str = ""


async def put_up(request: Request, signed: Signed) -> Response:
    """`GET|POST /s/{share}/wall`: put a share on this screen or, by a code, on another."""
    services = services_of(request)
    share = ShareId(request.path_params["share"])
    if not may_watch(services.present, signed, share) or not services.present.world.shares[share].active:
        return not_found()
    if request.method != "POST":
        return await _asked(request, signed, _Made())
    form = await request.form()
    name = " ".join(str(form.get("name", "")).split())
    client = services.present.world.shares[share].client
    try:
        if not 0 < len(name) <= LONGEST:
            raise Invalid(_("Say where it hangs, in at most {most} letters.", most=LONGEST), "name")
        if not services.devices.may_keep(signed.person, (client,)):
            raise Invalid(_("No device may stay signed in here, so no wall display may either."), "name")
        offered = await run_in_threadpool(services.devices.offer, actor_of(signed), share, client, name)
    except Refused as refused:
        return await _asked(request, signed, _Made(name=name, problem=refused))
    if form.get("where") != "here":
        return await _asked(request, signed, _Made(name=name, code=offered.code))
    begun = await run_in_threadpool(services.devices.begin, offered.code)
    if begun is None:
        return await _asked(request, signed, _Made(name=name))
    if signed.session is not None:
        await run_in_threadpool(services.credentials.leave, signed.person.id, signed.session.id)
    return _hung(services, signed_out(services.guard, "/wall"), begun)


async def _asked(request: Request, signed: Signed, made: _Made) -> Response:
    services = services_of(request)
    page = await run_in_threadpool(_page, services, signed, ShareId(request.path_params["share"]), made)
    return services.pages.answer(request, page, status_of(made.problem) if made.problem else 200)


def _page(services: Services, signed: Signed, share: ShareId, made: _Made) -> PutUpPage:
    names, now = called(services, share), services.now()
    client = services.present.world.shares[share].client
    origin = services.settings.origin
    return PutUpPage(
        signed=signed,
        organisation=names.organisation,
        share=share,
        title=title(services, share),
        name=made.name,
        problem=made.problem,
        may=services.devices.may_keep(signed.person, (ClientId(client),)) > 0,
        code=grouped(made.code),
        address=f"{origin}/wall/begin",
        link=f"{origin}/wall/begin?code={grouped(made.code)}",
        expires=words.moment_year(now + CODE_LASTS, names.zone),
        lasts=words.day_year(words.local(now + timedelta(days=DISPLAY_DAYS), names.zone).date()),
    )


async def begin(request: Request) -> Response:
    """`GET /wall/begin?code=`: the form that takes the code, on the screen that becomes a wall display."""
    return _begin(request, request.query_params.get("code", "")[:40])


async def hang(request: Request) -> Response:
    """`POST /wall/begin`: this screen becomes the wall display that the code was made for."""
    services = services_of(request)
    if not await allowed(request):
        return slow_down()
    code = str((await request.form()).get("code", ""))[:40]
    begun = await run_in_threadpool(services.devices.begin, code)
    if begun is None:
        problem = _("This code has been used or has expired. Make a new one on your own device.")
        return _begin(request, code, problem, 410)
    return _hung(services, RedirectResponse("/wall", 303), begun)


def _begin(request: Request, code: str, problem: str = "", status: int = 200) -> Response:
    services = services_of(request)
    organisation = services.present.world.organisation or _("Your supplier")
    return services.pages.answer(request, BeginPage(organisation=organisation, code=code, problem=problem), status)


def _hung(services: Services, response: Response, begun: Renewed) -> Response:
    """Return a response with the credential of a wall display; its first session begins when its page is asked for."""
    guard = services.guard
    name = guard.display_cookies.device
    response.raw_headers.append(cookie(name, begun.credential, secure=guard.secure, seconds=begun.seconds))
    return response


def routes() -> list[BaseRoute]:
    """Return the routes by which a share is put on a wall display."""
    return [
        door("/s/{share}/wall", put_up, allow=VIEWERS, methods=["GET", "POST"]),
        open_door("/wall/begin", begin, refresh=True, name="wall_begin"),
        open_door("/wall/begin", hang, refresh=True, methods=["POST"], name="wall_hang"),
    ]
