"""The composition root: wires everything, lists the routes, and holds no logic."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from domain.errors import Refused
from web import (
    api,
    assets,
    audit,
    client,
    client_home,
    clients,
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
from web.headers import Headers
from web.pages import Pages
from web.problem import refusal, status_of
from web.process import Given, Process
from web.render import Renderer
from web.services import Services
from web.settings import Settings


def compose(settings: Settings, given: Given | None = None) -> Process:
    """Return one process of the real product."""
    given = given or Given()
    return Process(settings, Renderer(), Pages(asset=assets.asset_url, demo=given.demo), given)


def routes(*, demo: bool) -> list[BaseRoute]:
    """Return every route there is."""
    found = [
        *operator.routes(),
        *assets.routes(),
        *entry.routes(),
        *entry_openid.routes(),
        *me.routes(),
        *client_home.routes(),
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
    if demo:
        from web import demo as living

        found += living.routes()
    return found


def create(process: Process, *, pages: bool = True) -> ASGIApp:
    """Return the application; without `pages` only the operator's doors."""
    services = process.services

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(process.running())
            if services.demo:
                await stack.enter_async_context(app.state.life.going_on())
            yield

    served = routes(demo=services.demo) if pages else operator.routes()
    app = Starlette(routes=served, lifespan=lifespan, exception_handlers=refusals(services))
    app.state.services, app.state.viewing, app.state.guard = services, process.viewing, services.guard
    if services.demo:
        from web.demo import Life

        app.state.life = Life(services, services.settings.demo_speed, services.settings.demo_seed)
    return Headers(app, secure=services.settings.secure)


def refusals(services: Services) -> dict[Any, Any]:
    """Return what answers where no page has a better word: the record is away, or the domain said no."""

    async def away(_request: Request, error: Exception) -> Response:
        services.health.failed(error)
        text = "The record cannot be reached at this moment. Nothing was lost; try again shortly.\n"
        return PlainTextResponse(text, 503, headers={"retry-after": "2", "cache-control": "no-store"})

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        if request.url.path.startswith("/api/"):
            return refusal(error)
        return PlainTextResponse(f"{error.message}\n", status_of(error), headers={"cache-control": "no-store"})

    return {**dict.fromkeys(services.logs.away, away), Refused: refused}
