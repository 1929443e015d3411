"""The operator's doors: is it well, should requests come here, and the figures behind it.

Threat named here: counts of what is shared with others. Anybody may learn yes or no; everything else needs the
operator's token, and the proxy of an installation does not pass these paths on at all.
"""

import hmac

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from web.door.guard import not_found, open_door
from web.process.services import Services

NO_STORE = {"cache-control": "no-store"}


async def healthz(request: Request) -> Response:
    """`GET /healthz`: 200 when the whole installation is well: logs, follower, every share, receipts. Else 503."""
    report = _services(request).health.report()
    return _told(request, "ok", msgspec.to_builtins(report), well=report.ok)


async def readyz(request: Request) -> Response:
    """`GET /readyz`: 200 when requests should come to this process, else 503: the logs are away, or it is stopping."""
    report = _services(request).health.report()
    return _told(request, "ready", msgspec.to_builtins(report), well=report.ready)


async def metrics(request: Request) -> Response:
    """`GET /metrics`: figures for Prometheus, with the operator's token as bearer token."""
    if not _is_operator(request):
        return not_found()
    text = _services(request).metrics.text()
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8", headers=NO_STORE)


def _told(request: Request, name: str, details: dict[str, object], *, well: bool) -> Response:
    body = {name: well} | (details if _is_operator(request) else {})
    return JSONResponse(body, 200 if well else 503, headers=NO_STORE)


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _is_operator(request: Request) -> bool:
    token = _services(request).settings.operator_token
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return bool(token) and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


def routes() -> list[BaseRoute]:
    """Return the routes of the operator."""
    return [open_door("/healthz", healthz), open_door("/readyz", readyz), open_door("/metrics", metrics)]
