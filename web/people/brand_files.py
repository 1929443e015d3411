"""The pictures and the stylesheet of a brand, for anybody who sees a page of the organisation.

Rule: a picture was checked and written anew before it was kept (`web/pictures/`), is shown as a picture alone, and
opened by itself may do nothing. Nothing here depends on a client.
"""

import re
from pathlib import PurePosixPath

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from web.door.assets import FOR_EVER
from web.door.guard import not_found, open_door
from web.pictures.picture import checked
from web.process.services import Services

NAME = re.compile(r"([0-9a-f]{64})\.(svg|png|css)", re.ASCII)
TYPES = {"svg": "image/svg+xml", "png": "image/png", "css": "text/css; charset=utf-8"}
ALONE = "default-src 'none'; sandbox; frame-ancestors 'none'"


async def brand_file(request: Request) -> Response:
    """`GET /brand/{sha256}.svg|png|css`: a picture or stylesheet that was ever set or looked at."""
    services: Services = request.app.state.services
    named = NAME.fullmatch(PurePosixPath(request.url.path).name)
    content = await run_in_threadpool(_content, services, named[1], named[2]) if named else None
    if named is None or content is None:
        return not_found()
    headers = {
        "cache-control": FOR_EVER,
        "etag": f'"{named[1]}"',
        "content-security-policy": ALONE,
        "cross-origin-resource-policy": "cross-origin",  # an exact page is of no origin
    }
    return Response(content, media_type=TYPES[named[2]], headers=headers)


def _content(services: Services, sha256: str, kind: str) -> bytes | None:
    if kind == "css":
        return services.renderer.css_of(sha256) or services.logs.disclosure.stylesheet(sha256)
    content = services.logs.disclosure.asset(sha256)
    picture = checked(content) if content is not None else None
    return content if picture is not None and picture.kind == kind else None


def routes() -> list[BaseRoute]:
    """Return the routes of a brand's files."""
    return [open_door("/brand/{name}", brand_file)]
