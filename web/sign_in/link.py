"""The way in: a link shows a button, the button consumes it. A GET never signs anybody in, so scanners burn nothing."""

from http.cookies import SimpleCookie

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Refused
from domain.language import N_
from domain.language import gettext as _
from domain.people.access import Person, Role
from projections.wording.phrases import kept, listed
from web.door.device import device
from web.door.guard import EVERYONE, Guard, Signed, door, open_door
from web.process.services import Services
from web.sign_in.attempts import may_try


class _Titled(msgspec.Struct):
    """Of a view, what its project is called."""

    project: str


_titled = msgspec.json.Decoder(_Titled)
GONE = N_("This link does not work any more")
HOME: dict[Role, str] = {"viewer": "/home", "manager": "/p", "admin": "/p", "auditor": "/audit"}


async def start(request: Request) -> Response:
    """`GET /`: send people to where they belong."""
    services: Services = request.app.state.services
    signed = services.guard.signed(request)
    if signed is not None:
        return RedirectResponse(HOME[signed.person.role], 303)
    return RedirectResponse("/demo" if services.demo else "/sign-in", 303)


async def sign_in(request: Request) -> Response:
    """`GET /sign-in`: who is sharing, and how to come in."""
    services: Services = request.app.state.services
    await run_in_threadpool(services.present.refresh)
    return page(request)


def page(request: Request, status: int = 200, heading: str = "", problem: str = "") -> Response:
    """Return the sign-in page: both ways in, or what went wrong with one of them."""
    services: Services = request.app.state.services
    organisation = services.present.world.organisation or _("Your supplier")
    context = {"organisation": organisation, "demo": services.demo, "problem": problem, "heading": heading}
    return services.pages.response(request, "sign_in.html", status, sso=services.single_sign_on_name, **context)


async def link(request: Request) -> Response:
    """`GET /in/{secret}`: who shares what with whom, and a button; nothing is consumed."""
    services: Services = request.app.state.services
    if not await allowed(request):
        return slow_down()
    secret = request.path_params["secret"]
    holder = await run_in_threadpool(services.credentials.holder, secret)
    if holder is None:
        return page(request, 410, GONE, _("This link has been used or has run out. Ask whoever sent it for a new one."))
    organisation = services.present.world.organisation or _("Your supplier")
    offered = await run_in_threadpool(offer, services, holder)
    context = {"organisation": organisation, "secret": secret, "name": holder.name, "role": holder.role, **offered}
    return services.pages.response(request, "link.html", **context)


def offer(services: Services, holder: Person) -> dict[str, object]:
    """Return what is shared with the holder of a link, by the names on their own pages, and how long it is recorded."""
    mine = [s for s in services.present.world.shares.values() if s.client == holder.client and s.active]
    heads = [head for share in mine if (head := services.heads.page(share.id)) is not None]
    titles = sorted({_titled.decode(head.view).project for head in heads})
    client = services.present.world.client_name(holder.client) if holder.client else ""
    return {"client": client, "titles": listed(titles), "kept": kept(s.retention for s in mine)}


async def enter(request: Request) -> Response:
    """`POST /in/{secret}`: consume the link and sign in."""
    services: Services = request.app.state.services
    if not await allowed(request):
        return slow_down()
    kind = device(request.headers.get("user-agent", ""))
    try:
        entrance = await run_in_threadpool(services.credentials.enter, request.path_params["secret"], kind)
    except Refused as refused:
        return page(request, 410, GONE, refused.message)
    response = RedirectResponse("/", 303)
    set_cookie(services.guard, response, entrance.secret)
    return response


async def sign_out(request: Request, signed: Signed) -> Response:
    """`POST /sign-out`: end this session; its sockets close."""
    services: Services = request.app.state.services
    if signed.session is not None:
        await run_in_threadpool(services.credentials.leave, signed.person.id, signed.session.id)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(services.guard.cookie, path="/", secure=services.guard.secure, httponly=True, samesite="lax")
    return response


def set_cookie(guard: Guard, response: Response, secret: str) -> None:
    """Put the session's secret into a cookie that ends with the browser."""
    cookie: SimpleCookie = SimpleCookie()
    cookie[guard.cookie] = secret
    for name, value in (("path", "/"), ("httponly", True), ("samesite", "Lax"), ("secure", guard.secure)):
        cookie[guard.cookie][name] = value
    response.raw_headers.append((b"set-cookie", cookie.output(header="").strip().encode("latin-1")))


async def allowed(request: Request) -> bool:
    """Tell whether whoever asks may try once more this minute."""
    services: Services = request.app.state.services
    return await may_try(services, request.client.host if request.client else "")


def slow_down() -> Response:
    """Return the answer to whoever tries too often."""
    text = _("Too many sign-in attempts from your address. Wait a minute, then open the link again.\n")
    return PlainTextResponse(text, 429, headers={"retry-after": "60"})


def routes() -> list[BaseRoute]:
    """Return the routes of the entrance."""
    return [
        open_door("/", start, refresh=True),
        open_door("/sign-in", sign_in),
        open_door("/in/{secret}", link, refresh=True),
        open_door("/in/{secret}", enter, methods=["POST"]),
        door("/sign-out", sign_out, allow=EVERYONE, methods=["POST"]),
    ]
