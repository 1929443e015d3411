"""The composition root: wires everything, lists the routes, and holds no logic."""

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.errors import Refused
from web import (
    api,
    assets,
    audit,
    client,
    clients,
    clock,
    entry,
    entry_openid,
    evidence,
    history,
    home_mail,
    me,
    operator,
    pm,
    staff,
)
from web.guard import HEADERS
from web.ids import random_salt
from web.pages import Pages
from web.parts import Parts
from web.problem import refusal, status_of
from web.render import Renderer
from web.settings import Settings


def compose(
    settings: Settings,
    *,
    now: Callable[[], datetime] = clock.now,
    salt: Callable[[str, int], bytes] = random_salt,
    point: Callable[[str], None] = lambda _name: None,
    demo: bool = False,
) -> Parts:
    """Return the parts of the real product."""
    pages = Pages(asset=assets.asset_url, demo=demo)
    return Parts(settings, Renderer(), pages, now=now, salt=salt, point=point, demo=demo)


def routes(parts: Parts) -> list[BaseRoute]:
    """Return every route there is."""
    found = [
        *operator.routes(),
        *assets.routes(),
        *entry.routes(),
        *entry_openid.routes(),
        *me.routes(),
        *client.routes(),
        *history.routes(),
        *home_mail.routes(),
        *pm.routes(),
        *staff.routes(),
        *clients.routes(),
        *audit.routes(),
        *evidence.routes(),
        *api.routes(),
    ]
    if parts.demo:
        from web import demo

        found += demo.routes()
    return found


def create(parts: Parts, *, pages: bool = True) -> ASGIApp:
    """Return the application; without `pages` only the operator's doors."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(parts.running())
            if parts.demo:
                await stack.enter_async_context(app.state.life.going_on())
            yield

    served = routes(parts) if pages else operator.routes()
    app = Starlette(routes=served, lifespan=lifespan, exception_handlers=refusals(parts))
    app.state.parts, app.state.guard = parts, parts.guard
    if parts.demo:
        from web.demo import Life

        app.state.life = Life(parts, parts.settings.demo_speed, parts.settings.demo_seed)
    return Headers(app, secure=parts.settings.secure)


def refusals(parts: Parts) -> dict[Any, Any]:
    """Return what answers where no page has a better word: the record is away, or the domain said no."""

    async def away(_request: Request, error: Exception) -> Response:
        parts.health.failed(error)
        text = "The record cannot be reached at this moment. Nothing was lost; try again shortly.\n"
        return PlainTextResponse(text, 503, headers={"retry-after": "2", "cache-control": "no-store"})

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        if request.url.path.startswith("/api/"):
            return refusal(error)
        return PlainTextResponse(f"{error.message}\n", status_of(error), headers={"cache-control": "no-store"})

    return {**dict.fromkeys(parts.folder.away, away), Refused: refused}


class Headers:
    """Puts the security headers on every HTTP response; a route may bring its own."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app = app
        always = dict(HEADERS)
        if secure:
            always["strict-transport-security"] = "max-age=63072000; includeSubDomains"
        self._headers = [(k.encode(), v.encode()) for k, v in always.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, adding headers to the start of a response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(h for h in self._headers if h[0] not in present)]
            await send(message)

        await self.app(scope, receive, with_headers)
