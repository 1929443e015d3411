"""The composition root: builds the process, lists all routes, and makes the application. It holds no logic."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from domain.errors import Refused
from domain.language import gettext as _
from web import api, languages, operator
from web.audit import shares
from web.client import dashboard, history, home, wall
from web.client.viewing import Viewing
from web.door import assets
from web.door.guard import hidden
from web.door.headers import Headers
from web.door.problem import at_json_door, problem, refusal, status_of
from web.door.squeeze import Squeeze
from web.door.templates import Pages
from web.evidence import download
from web.manager import projects
from web.people import brand_files, clients, colleagues, mail_choice, organisation, own_people, passkeys, providers
from web.process.process import Given, Process
from web.process.services import Services
from web.render.page import Renderer
from web.settings import Settings
from web.sign_in import address, at, devices, link, openid, sessions, tokens
from web.sign_in import wall as putting_up
from web.sign_in.passkeys import enter, own


def compose(settings: Settings, given: Given | None = None) -> Process:
    """Return one process of the product with these settings."""
    given = given or Given()
    languages.install(tests=settings.test_languages)
    return Process(settings, Renderer(), Pages(asset=assets.asset_url, demo=given.demo), given)


def routes(*, demo: bool) -> list[BaseRoute]:
    """Return every route of the product; those of the demo with `demo`."""
    listed = [
        *operator.routes(),
        *assets.routes(),
        *link.routes(),
        *openid.routes(),
        *at.routes(),
        *sessions.routes(),
        *enter.routes(),
        *own.routes(),
        *address.routes(),
        *devices.routes(),
        *tokens.routes(),
        *home.routes(),
        *dashboard.routes(),
        *putting_up.routes(),
        *wall.routes(),
        *history.routes(),
        *mail_choice.routes(),
        *own_people.routes(),
        *projects.routes(),
        *colleagues.routes(),
        *passkeys.routes(),
        *clients.routes(),
        *organisation.routes(),
        *brand_files.routes(),
        *providers.routes(),
        *shares.routes(),
        *download.routes(),
        *api.routes(),
    ]
    if demo:
        from web.demo import life

        listed += life.routes()
    return listed


def create(process: Process, *, pages: bool = True) -> ASGIApp:
    """Return the ASGI application of a process; without `pages` only with the operator's doors."""
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
    viewing: Viewing = process.viewing
    app.state.services, app.state.viewing, app.state.guard = services, viewing, services.guard
    if services.demo:
        from web.demo.life import Life

        app.state.life = Life(services, services.settings.demo_speed, services.settings.demo_seed)
    return Headers(Squeeze(app), secure=services.settings.secure)


def refusals(services: Services) -> dict[Any, Any]:
    """Return the handlers of exceptions that no page handled: the logs cannot be reached, or a command was refused."""

    async def away(request: Request, error: Exception) -> Response:
        services.health.failed(error)
        text = _("The record cannot be reached at this moment. Nothing was lost; try again shortly.")
        answer = (
            problem(503, _("Not reachable"), text) if at_json_door(request) else PlainTextResponse(f"{text}\n", 503)
        )
        answer.headers.update({"retry-after": "2", "cache-control": "no-store"})
        return await services.guard.shown(request, answer)

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        if at_json_door(request):
            return refusal(error)
        plain = PlainTextResponse(f"{error.message}\n", status_of(error), headers={"cache-control": "no-store"})
        return await services.guard.shown(request, plain)

    async def unrouted(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return await services.guard.shown(request, hidden(request))
        text = _("Nothing is done here in that way.")
        if at_json_door(request):
            answer = problem(error.status_code, _("Not possible"), text)
        else:
            answer = PlainTextResponse(f"{text}\n", error.status_code)
        answer.headers.update({**(error.headers or {}), "cache-control": "no-store"})
        return await services.guard.shown(request, answer)

    async def failed(request: Request, _error: Exception) -> Response:
        text = _("Something went wrong here. It was not your doing; try again, or tell whoever runs this installation.")
        if at_json_door(request):
            return problem(500, _("Failed"), text)
        return await services.guard.shown(
            request, PlainTextResponse(f"{text}\n", 500, headers={"cache-control": "no-store"})
        )

    async def gone(_request: Request, _error: Exception) -> Response:
        return Response(status_code=400)  # nobody is there to read it, and it is no failure of ours

    away_from = dict.fromkeys(services.logs.away, away)
    return {**away_from, Refused: refused, ClientDisconnect: gone, HTTPException: unrouted, Exception: failed}
