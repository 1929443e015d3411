"""Signing in by the organisation's own provider: the browser is sent there, and comes back with a code.

Rule: nobody is created by it, and nobody learns who else there is: an address that is unknown, not verified, or shared
by two people gets the same page. Nothing personal is logged. The device stays signed in only where that was chosen on a
page of ours: a link from elsewhere chooses nothing.
"""

import logging
from http.cookies import SimpleCookie
from urllib.parse import quote, unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.language import N_
from domain.language import gettext as _
from web.door.device import device
from web.door.guard import Guard, not_found, open_door
from web.door.way_on import way_on
from web.identity.failures import BACK, Away, NotVouched
from web.identity.round_trip import MINUTES
from web.process.services import Services, services_of
from web.sign_in.keeping import signed_in
from web.sign_in.link import allowed, page, slow_down

log = logging.getLogger("fanlight.openid")
KEEP = "keep"
AWAY = N_("It cannot be reached at this moment. Try again shortly; a personal link works in the meantime.")
UNFINISHED = N_(
    "It took too long, was begun in another browser, or was used once already. Nothing has happened; start again."
)


async def begin(request: Request) -> Response:
    """`GET /sign-in/openid?to=&keep=`: send the browser to the provider, with a cookie that ties the answer to it."""
    services = services_of(request)
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
    keep = request.query_params.get("keep") == "yes" and request.headers.get("sec-fetch-site") == "same-origin"
    to = quote(way_on(request.query_params.get("to")), safe="")
    _set_tie(services.guard, response, f"{tie.cookie}~{KEEP if keep else ''}~{to}")
    return response


async def back(request: Request) -> Response:
    """`GET /sign-in/openid/back?code=&state=`: the answer of the provider; good once, in the browser that began it."""
    services = services_of(request)
    if services.provider is None:
        return not_found()
    if not await allowed(request):
        return slow_down()
    response = await _finish(request, services)
    _set_tie(services.guard, response, "")
    return response


async def _finish(request: Request, services: Services) -> Response:
    """Return the response that signs somebody in, or the page that says why not."""
    assert services.provider is not None
    answer = request.query_params
    cookie, _tilde, chosen = request.cookies.get(_cookie_name(services.guard), "").partition("~")
    keep, _tilde, to = chosen.partition("~")
    tie = services.provider.ties.again(cookie, answer.get("state", ""), services.now())
    if tie is None or not answer.get("code"):
        log.warning("a sign-in came back that this browser did not begin, or too late, or refused")
        return page(request, 400, heading=_("This sign-in was not finished"), problem=_(UNFINISHED))
    try:
        mail = await services.provider.mail(answer["code"], tie, answer.get("iss", ""))
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
    response = RedirectResponse(way_on(unquote(to)) or "/", 303)
    await signed_in(request, response, entrance.secret, keep=keep == KEEP)
    return response


def _refused(request: Request) -> Response:
    services = services_of(request)
    organisation = services.present.world.organisation or _("your supplier")
    problem = _(
        "The address you signed in with there does not open anything here. Use the personal link that was sent to "
        "you, or ask whoever works with you at {organisation}.",
        organisation=organisation,
    )
    return page(request, 403, heading=_("You cannot sign in this way"), problem=problem)


def _away(request: Request, error: Away) -> Response:
    log.warning("single sign-on does not work: %s", error)
    services = services_of(request)
    return page(request, 503, heading=_("{sso} does not answer", sso=services.single_sign_on_name), problem=_(AWAY))


def _cookie_name(guard: Guard) -> str:
    return f"{guard.cookie}-openid"


def _set_tie(guard: Guard, response: Response, value: str) -> None:
    """Set the cookie that ties a sign-in to its browser; an empty value removes it."""
    cookie: SimpleCookie = SimpleCookie()
    name = _cookie_name(guard)
    cookie[name] = value
    kept = 60 * MINUTES if value else 0  # seconds
    attributes = {"path": "/", "httponly": True, "samesite": "Lax", "secure": guard.secure, "max-age": kept}
    for key, setting in attributes.items():
        cookie[name][key] = setting
    response.raw_headers.append((b"set-cookie", cookie.output(header="").strip().encode("latin-1")))


def routes() -> list[BaseRoute]:
    """Return the routes of single sign-on; without a provider they answer 404."""
    return [open_door("/sign-in/openid", begin), open_door(BACK, back, refresh=True)]
