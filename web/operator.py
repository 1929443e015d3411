"""The doors of the operator: health, readiness, and metrics.

Threat: counts that tell how much is shared with others. Anybody may learn yes or no; everything else needs the
operator's token, and the proxy of an installation does not pass these paths on at all.
"""

import hmac

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from web.door.guard import not_found, open_door
from web.process.services import services_of

NO_STORE = {"cache-control": "no-store"}


async def healthz(request: Request) -> Response:
    """`GET /healthz`: 200 when the installation is well, else 503; docs/operators.md says by what."""
    report = services_of(request).health.report()
    return _answer(request, "ok", msgspec.to_builtins(report), well=report.ok)


async def readyz(request: Request) -> Response:
    """`GET /readyz`: 200 when this process should get requests, else 503: its logs are away, or it is stopping."""
    report = services_of(request).health.report()
    return _answer(request, "ready", msgspec.to_builtins(report), well=report.ready)


async def metrics(request: Request) -> Response:
    """`GET /metrics`: metrics for Prometheus, with the operator's token as bearer token."""
    if not _is_operator(request):
        return not_found()
    text = services_of(request).metrics.text()
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8", headers=NO_STORE)


def _answer(request: Request, name: str, details: dict[str, object], *, well: bool) -> Response:
    body = {name: well} | (details if _is_operator(request) else {})
    return JSONResponse(body, 200 if well else 503, headers=NO_STORE)


def _is_operator(request: Request) -> bool:
    token = services_of(request).settings.operator_token
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return bool(token) and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


def routes() -> list[BaseRoute]:
    """Return the routes of the operator."""
    return [open_door("/healthz", healthz), open_door("/readyz", readyz), open_door("/metrics", metrics)]
