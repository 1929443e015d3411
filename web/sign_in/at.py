"""Signing in by the identity provider of a client, and the trial of one, which signs nobody in.

Rules: where somebody is led depends on the domain of what they typed alone, never on who is known. Whoever may not come
in gets one and the same page. The cookie that ties an answer to its browser is sealed for one setup of one provider, so
the answer of another fits nothing.
"""

import logging
from http.cookies import SimpleCookie
from urllib.parse import quote, unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Refused
from domain.language import N_
from domain.language import gettext as _
from web.door.device import device
from web.door.guard import Guard, not_found, open_door
from web.door.templates import Page
from web.door.way_on import way_on
from web.identity.client_providers import Reached, Way
from web.identity.failures import Away, NotVouched
from web.identity.round_trip import MINUTES, Tie
from web.process.services import Services, services_of
from web.sign_in.keeping import signed_in
from web.sign_in.link import allowed, page, slow_down

log = logging.getLogger("fanlight.openid")
AWAY = N_("It cannot be reached at this moment. Try again shortly.")
UNREACHED = N_("The provider cannot be reached as it is set, or it refuses this installation.")
SENT_BACK = N_("The provider sent you back without signing you in.")
NOT_TAKEN = N_("What the provider sent cannot be believed.")
UNFINISHED = N_(
    "It took too long, was begun in another browser, or was used once already. Nothing has happened; start again."
)


class AtPage(Page, frozen=True, kw_only=True):
    """Where addresses in the domain somebody typed sign in."""

    template = "sign_in_at.html"
    organisation: str
    host: str  # of the provider
    href: str
    by_mail: bool


class TriedPage(Page, frozen=True, kw_only=True):
    """What came back from a provider that was tried."""

    template = "sign_in_tried.html"
    host: str
    reached: Reached | None  # None: nothing that can be believed
    reason: str  # why, "" where something did
    detail: str  # the same as the log has it, in English
    domains: str
    joins: bool
    again: str  # where it is tried again


async def where(request: Request) -> Response:
    """`POST /sign-in/where`: where addresses in a domain sign in, if there is such a place. Nobody is looked up."""
    services = services_of(request)
    if not await allowed(request):
        return slow_down()
    form = await request.form()
    world = await run_in_threadpool(services.present.refresh)
    found = world.provider_for(str(form.get("email", "")).strip())
    if found is None or found[1].used is None:
        organisation = world.organisation or _("your supplier")
        problem = _(
            "No organisation’s own sign-on is set up for addresses in that domain. Use the personal link that was sent "
            "to you, or ask whoever works with you at {organisation}.",
            organisation=organisation,
        )
        return page(request, 200, _("Sign in by a personal link"), problem)
    provider, to = found[1], way_on(form.get("to"))
    href = f"/sign-in/at/{provider.id}" + (f"?to={quote(to, safe='')}" if to else "")
    shown = AtPage(
        organisation=world.organisation or _("Your supplier"),
        host=found[1].used.host,
        href=href,
        by_mail=services.asked is not None,
    )
    return services.pages.answer(request, shown)


async def begin(request: Request) -> Response:
    """`GET /sign-in/at/{provider}?to=`: send the browser to the provider of a client."""
    return await _begin(request, trial=False)


async def attempt(request: Request) -> Response:
    """`GET /sign-in/at/{provider}/try`: the same for a setup that is not in use yet; it signs nobody in."""
    return await _begin(request, trial=True)


async def _begin(request: Request, *, trial: bool) -> Response:
    services = services_of(request)
    if not await allowed(request):
        return slow_down()
    way = await run_in_threadpool(services.client_providers.way, request.path_params["provider"], trial=trial)
    if way is None:
        return not_found()
    tie = way.ties.begin(services.now())
    try:
        address = await (await run_in_threadpool(services.client_providers.asked, way)).address(tie)
    except Away as error:
        return _tried(request, way, reason=_(UNREACHED), detail=str(error)) if trial else _away(request, way, error)
    response = RedirectResponse(address, 303, headers={"cache-control": "no-store"})
    to = way_on(request.query_params.get("to"))
    _set_tie(services.guard, response, f"{tie.cookie}~{quote(to, safe='')}")
    return response


async def back(request: Request) -> Response:
    """`GET /sign-in/at/{provider}/back?code=&state=`: its answer; good once, in the browser that asked."""
    services = services_of(request)
    if not await allowed(request):
        return slow_down()
    key = request.path_params["provider"]
    if await run_in_threadpool(services.client_providers.way, key, trial=True) is None:
        return not_found()
    response = await _finish(request, services, key)
    _set_tie(services.guard, response, "")
    return response


async def _finish(request: Request, services: Services, key: str) -> Response:
    """Return the response that signs somebody in, what a trial gave, or the page that says why not."""
    cookie, _tilde, to = request.cookies.get(_cookie_name(services.guard), "").partition("~")
    way, tie = await run_in_threadpool(_begun, services, key, cookie, request.query_params.get("state", ""))
    if way is not None and way.trial and (error_code := request.query_params.get("error", "")):
        return _tried(request, way, reason=_(SENT_BACK), detail=error_code[:200])
    if way is None or tie is None or not request.query_params.get("code"):
        log.warning("a sign-in came back that this browser did not begin, or too late, or refused")
        return page(request, 400, heading=_("This sign-in was not finished"), problem=_(UNFINISHED))
    try:
        asked = await run_in_threadpool(services.client_providers.asked, way)
        claims = await asked.claims(request.query_params["code"], tie, request.query_params.get("iss", ""))
    except Away as error:
        return _tried(request, way, reason=_(UNREACHED), detail=str(error)) if way.trial else _away(request, way, error)
    except NotVouched as error:
        log.warning("nobody was let in: %s", error)
        return _tried(request, way, reason=_(NOT_TAKEN), detail=str(error)) if way.trial else _refused(request)
    reached = services.client_providers.reached(way, claims)
    if way.trial:
        return await _attempted(request, services, way, reached)
    kind = device(request.headers.get("user-agent", ""))
    entrance = await run_in_threadpool(services.client_providers.sign_in, way, reached, kind)
    if entrance is None:
        log.warning("nobody was let in: the provider of a client may not vouch for that address")
        return _refused(request)
    response = RedirectResponse(way_on(unquote(to)) or "/", 303)
    await signed_in(request, response, entrance.secret, keep=False)
    return response


def _begun(services: Services, key: str, cookie: str, state: str) -> tuple[Way | None, Tie | None]:
    """Return which way an answer belongs to, by the cookie of its browser."""
    for trial in (False, True):
        way = services.client_providers.way(key, trial=trial)
        tie = way.ties.again(cookie, state, services.now()) if way is not None else None
        if tie is not None:
            return way, tie
    return None, None


async def _attempted(request: Request, services: Services, way: Way, reached: Reached) -> Response:
    """Return what a trial gave; where that is enough, it is recorded, and the setup can be used."""
    if reached.enough and way.provider.draft is not None:
        try:
            await run_in_threadpool(services.client_providers.tried, way)
        except Refused as refused:
            return _tried(request, way, reason=refused.message)
    return _tried(request, way, reached)


def _tried(request: Request, way: Way, reached: Reached | None = None, reason: str = "", detail: str = "") -> Response:
    shown = TriedPage(
        host=way.setup.host,
        reached=reached,
        reason=reason,
        detail=detail,
        domains=", ".join(way.setup.domains),
        joins=way.setup.joins,
        again=f"/sign-in/at/{way.provider.id}/try",
    )
    return services_of(request).pages.answer(request, shown, 200 if reached is not None and reached.enough else 422)


def _refused(request: Request) -> Response:
    world = services_of(request).present.world
    problem = _(
        "The address you signed in with there does not open anything here. Use the personal link that was sent to "
        "you, or ask whoever works with you at {organisation}.",
        organisation=world.organisation or _("your supplier"),
    )
    return page(request, 403, heading=_("You cannot sign in this way"), problem=problem)


def _away(request: Request, way: Way, error: Away) -> Response:
    log.warning("the identity provider of a client does not work: %s", error)
    return page(request, 503, heading=_("{host} does not answer", host=way.setup.host), problem=_(AWAY))


def _cookie_name(guard: Guard) -> str:
    return f"{guard.cookie}-at"


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
    """Return the routes of signing in by a client's identity provider."""
    return [
        open_door("/sign-in/where", where, methods=["POST"], name="sign_in_where"),
        open_door("/sign-in/at/{provider}", begin, refresh=True, name="sign_in_at"),
        open_door("/sign-in/at/{provider}/try", attempt, refresh=True, name="sign_in_try"),
        open_door("/sign-in/at/{provider}/back", back, refresh=True, name="sign_in_at_back"),
    ]
