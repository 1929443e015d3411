"""The way in by the organisation's own sign-in: out to its provider, and back with a code.

Rule: nobody is created and nobody is told who else there is; an address that is not known, one that is not verified
and one that two people share get the same page. Nothing personal goes to the log.
"""

import logging
from http.cookies import SimpleCookie

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.language import N_
from domain.language import gettext as _
from web.door.device import device
from web.door.guard import Guard, not_found, open_door
from web.identity.failures import BACK, Away, NotVouched
from web.identity.round_trip import MINUTES
from web.process.services import Services
from web.sign_in.link import allowed, page, set_cookie, slow_down

log = logging.getLogger("fanlight.openid")
AWAY = N_("It cannot be reached at this moment. Try again shortly; a personal link works in the meantime.")
UNFINISHED = N_(
    "It took too long, was begun in another browser, or was used once already. Nothing has happened; start again."
)


async def begin(request: Request) -> Response:
    """`GET /sign-in/openid`: send the browser to the provider, tied to what comes back."""
    services: Services = request.app.state.services
    if services.provider is None:
        return not_found()
    if not await allowed(request):
        return slow_down()
    tie = services.provider.ties.begin(services.now())
    try:
        address = await services.provider.address(tie)
    except Away as error:
        return _away(request, error)
    response = RedirectResponse(address, 303, headers={"cache-control": "no-store"})
    _tie(services.guard, response, tie.cookie)
    return response


async def back(request: Request) -> Response:
    """`GET /sign-in/openid/back?code=&state=`: what the provider said; good once, in the browser that began it."""
    services: Services = request.app.state.services
    if services.provider is None:
        return not_found()
    if not await allowed(request):
        return slow_down()
    response = await _came_back(request, services)
    _tie(services.guard, response, "")
    return response


async def _came_back(request: Request, services: Services) -> Response:
    assert services.provider is not None
    asked = request.query_params
    tie = services.provider.ties.again(
        request.cookies.get(_name(services.guard), ""), asked.get("state", ""), services.now()
    )
    if tie is None or not asked.get("code"):
        log.warning("a sign-in came back that this browser did not begin, or too late, or refused")
        return page(request, 400, heading=_("This sign-in was not finished"), problem=UNFINISHED)
    try:
        mail = await services.provider.mail(asked["code"], tie, asked.get("iss", ""))
    except Away as error:
        return _away(request, error)
    except NotVouched as error:
        log.warning("nobody was let in: %s", error)
        return _refused(request)
    kind = device(request.headers.get("user-agent", ""))
    entrance = await run_in_threadpool(services.credentials.vouched, mail, kind)
    if entrance is None:
        log.warning("nobody was let in: the address is that of nobody here, or of more than one")
        return _refused(request)
    response = RedirectResponse("/", 303)
    set_cookie(services.guard, response, entrance.secret)
    return response


def _refused(request: Request) -> Response:
    services: Services = request.app.state.services
    organisation = services.present.world.organisation or _("your supplier")
    problem = _(
        "The address you signed in with there does not open anything here. Use the personal link that was sent to "
        "you, or ask whoever works with you at {organisation}.",
        organisation=organisation,
    )
    return page(request, 403, heading=_("You cannot come in this way"), problem=problem)


def _away(request: Request, error: Away) -> Response:
    log.warning("single sign-on does not work: %s", error)
    services: Services = request.app.state.services
    return page(request, 503, heading=_("{sso} does not answer", sso=services.single_sign_on_name), problem=AWAY)


def _name(guard: Guard) -> str:
    return f"{guard.cookie}-openid"


def _tie(guard: Guard, response: Response, value: str) -> None:
    """Keep the tie in the browser that began, and take it away with whatever comes back."""
    cookie: SimpleCookie = SimpleCookie()
    name = _name(guard)
    cookie[name] = value
    kept = 60 * MINUTES if value else 0
    for key, what in (
        ("path", "/"),
        ("httponly", True),
        ("samesite", "Lax"),
        ("secure", guard.secure),
        ("max-age", kept),
    ):
        cookie[name][key] = what
    response.raw_headers.append((b"set-cookie", cookie.output(header="").strip().encode("latin-1")))


def routes() -> list[BaseRoute]:
    """Return the routes of single sign-on; without a provider they answer like none."""
    return [open_door("/sign-in/openid", begin), open_door(BACK, back, refresh=True)]
