"""Static files under names that carry their hash, and the one script bundle. Nothing is fetched from anywhere else."""

import functools
import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from web.door.guard import not_found, open_door

STATIC = Path(__file__).parents[1] / "static"
BUNDLES: dict[str, tuple[str, ...]] = {
    "live.js": ("vendor/htmx.min.js", "guard.js", "vendor/hx-ws.min.js", "live.js"),
    "manager.js": ("vendor/htmx.min.js", "guard.js"),
    "seen.js": ("vendor/htmx.min.js", "guard.js", "seen.js"),
    "replay.js": ("vendor/htmx.min.js", "guard.js", "replay.js"),
}
STYLES = ("dashboard.css", "app.css", "manager.css", "seen.css", "edit.css")
TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
FOR_EVER = "public, max-age=31536000, immutable"


@functools.cache
def content(name: str) -> bytes:
    """Return a file or a bundle. One bundle, because scripts that arrive late are missed by htmx, silently."""
    parts = BUNDLES.get(name, (name,))
    return b"\n;\n".join((STATIC / part).read_bytes() for part in parts) if name in BUNDLES else _file(name)


def _file(name: str) -> bytes:
    return (STATIC / name).read_bytes()


@functools.cache
def asset_url(name: str) -> str:
    """Return the address of a file, with its hash."""
    stem, _, kind = name.rpartition(".")
    return f"/static/{stem}.{hashlib.sha256(content(name)).hexdigest()[:16]}.{kind}"


@functools.cache
def _by_url() -> dict[str, str]:
    names = [*BUNDLES, *(s for s in STYLES if (STATIC / s).exists()), "icon.svg"]
    return {asset_url(name): name for name in names}


async def static(request: Request) -> Response:
    """`GET /static/{name}.{hash}.{kind}`: a file that never changes under this name."""
    name = _by_url().get(request.url.path)
    if name is None:
        return not_found()
    kind = TYPES[name.rpartition(".")[2]]
    return Response(content(name), media_type=kind, headers={"cache-control": FOR_EVER})


def routes() -> list[BaseRoute]:
    """Return the routes of static files."""
    return [open_door("/static/{name}", static)]
