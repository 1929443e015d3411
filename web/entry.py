"""The way in: a link shows a button, the button consumes it. A GET never signs anybody in, so scanners burn nothing."""

from http.cookies import SimpleCookie
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.access import Role
from domain.errors import Refused
from web.guard import EVERYONE, Guard, Signed, door, open_door

if TYPE_CHECKING:
    from web.parts import Parts

HOME: dict[Role, str] = {"viewer": "/home", "manager": "/p", "admin": "/p", "auditor": "/audit"}


async def start(request: Request) -> Response:
    """`GET /`: send people to where they belong."""
    parts: Parts = request.app.state.parts
    signed = parts.guard.signed(request)
    if signed is not None:
        return RedirectResponse(HOME[signed.person.role], 303)
    return RedirectResponse("/demo" if parts.demo else "/sign-in", 303)


async def sign_in(request: Request) -> Response:
    """`GET /sign-in`: who is sharing, and how to come in."""
    parts: Parts = request.app.state.parts
    organisation = parts.present.refresh().organisation or "Your supplier"
    return parts.pages.response(request, "sign_in.html", organisation=organisation, demo=parts.demo, problem="")


async def link(request: Request) -> Response:
    """`GET /in/{secret}`: a button; nothing is consumed."""
    parts: Parts = request.app.state.parts
    if not await _allowed(request):
        return _slow_down()
    secret = request.path_params["secret"]
    holder = await run_in_threadpool(parts.people.holder, secret)
    organisation = parts.present.world.organisation or "Your supplier"
    if holder is None:
        problem = "This link has been used or has run out. Ask whoever sent it for a new one."
        context = {"organisation": organisation, "demo": parts.demo, "problem": problem}
        return parts.pages.response(request, "sign_in.html", 410, **context)
    return parts.pages.response(request, "link.html", organisation=organisation, secret=secret, name=holder.name)


async def enter(request: Request) -> Response:
    """`POST /in/{secret}`: consume the link, start a session."""
    parts: Parts = request.app.state.parts
    if not await _allowed(request):
        return _slow_down()
    try:
        entrance = await run_in_threadpool(parts.people.enter, request.path_params["secret"])
    except Refused as refused:
        context = {
            "organisation": parts.present.world.organisation or "Your supplier",
            "demo": parts.demo,
            "problem": refused.message,
        }
        return parts.pages.response(request, "sign_in.html", 410, **context)
    response = RedirectResponse("/", 303)
    set_cookie(parts.guard, response, entrance.secret)
    return response


async def sign_out(request: Request, signed: Signed) -> Response:
    """`POST /sign-out`: end this session; its sockets close."""
    parts: Parts = request.app.state.parts
    if signed.session is not None:
        await run_in_threadpool(parts.people.leave, signed.person.id, signed.session.id)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(parts.guard.cookie, path="/", secure=parts.guard.secure, httponly=True, samesite="lax")
    return response


def set_cookie(guard: Guard, response: Response, secret: str) -> None:
    """Put the session's secret into a cookie that ends with the browser."""
    cookie: SimpleCookie = SimpleCookie()
    cookie[guard.cookie] = secret
    for name, value in (("path", "/"), ("httponly", True), ("samesite", "Lax"), ("secure", guard.secure)):
        cookie[guard.cookie][name] = value
    response.raw_headers.append((b"set-cookie", cookie.output(header="").strip().encode("latin-1")))


async def _allowed(request: Request) -> bool:
    parts: Parts = request.app.state.parts
    return await parts.may_try(request.client.host if request.client else "")


def _slow_down() -> Response:
    text = "Too many sign-in attempts from your address. Wait a minute, then open the link again.\n"
    return PlainTextResponse(text, 429, headers={"retry-after": "60"})


def routes() -> list[BaseRoute]:
    """Return the routes of the entrance."""
    return [
        open_door("/", start, fresh=True),
        open_door("/sign-in", sign_in),
        open_door("/in/{secret}", link, fresh=True),
        open_door("/in/{secret}", enter, methods=["POST"]),
        door("/sign-out", sign_out, allow=EVERYONE, methods=["POST"]),
    ]
