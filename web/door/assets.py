"""Static files, joined into bundles and served under names that carry their hash; nothing is fetched from elsewhere.

Rule: a page fetches only the bundles and files named here; the sources of a bundle are joined in the order written.
"""

import functools
import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from web.door.guard import not_found, open_door

Script = str | tuple[str, ...]  # sources in a tuple are joined inside one function, so that no name is global

STATIC = Path(__file__).parents[1] / "static"
_HTMX: tuple[Script, ...] = ("vendor/htmx.min.js", "js/guard.js")
_LIVE = ("page", "today", "state", "update", "speech", "claims", "sum", "feed", "buttons", "answering", "start")
SCRIPTS: dict[str, tuple[Script, ...]] = {
    "live.js": (*_HTMX, "vendor/hx-ws.min.js", tuple(f"js/live/{name}.js" for name in _LIVE)),
    "table.js": ("js/table.js",),
    "manager.js": (*_HTMX, ("js/search.js", "js/for-you.js", "js/choose.js", "js/ticks.js", "js/copy.js")),
    "seen.js": (*_HTMX, ("js/search.js", "js/for-you.js", "js/steps.js", "js/seen.js")),
    "replay.js": (*_HTMX, ("js/for-you.js", "js/steps.js", "js/replay.js")),
}
STYLES: dict[str, tuple[str, ...]] = {
    "app.css": ("page", "person", "live", "since", "sign-in", "home", "demo", "forms", "mail", "history", "answer"),
    "manager.css": (
        *("page", "tables", "project", "import", "audit", "share", "forms", "events", "see", "who"),
        *(
            "recomputed",
            "file",
            "shares",
            "waiting",
            "answers",
            "people",
            "way",
            "steps",
            "put-back",
            "table",
            "for-you",
        ),
    ),
    "seen.css": ("page", "scrubber", "sheets", "viewers", "proof", "replay"),
    "edit.css": ("page", "outcome", "terms", "consequence"),
}
ALONE = ("dashboard.css", "icon.svg")  # entries name dashboard.css by its hash, so it is one file (docs/spec.md 3)
TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
FOR_EVER = "public, max-age=31536000, immutable"


@functools.cache
def content(name: str) -> bytes:
    """Return the bytes of a bundle or file. A page has one script, because htmx ignores scripts that load late."""
    if name in SCRIPTS:
        return b"\n;\n".join(_script(part) for part in SCRIPTS[name])
    if name in STYLES:
        folder = name.removesuffix(".css")
        return b"\n".join(_source(f"css/{folder}/{part}.css") for part in STYLES[name])
    return _source(name)


def _script(part: Script) -> bytes:
    if isinstance(part, str):
        return _source(part)
    return b"(() => {\n" + b"\n".join(_source(name) for name in part) + b"})();\n"


def _source(name: str) -> bytes:
    return (STATIC / name).read_bytes()


@functools.cache
def asset_url(name: str) -> str:
    """Return the address of a bundle or file, with its hash in it."""
    stem, _, kind = name.rpartition(".")
    return f"/static/{stem}.{hashlib.sha256(content(name)).hexdigest()[:16]}.{kind}"


@functools.cache
def _by_url() -> dict[str, str]:
    return {asset_url(name): name for name in (*SCRIPTS, *STYLES, *ALONE)}


async def static(request: Request) -> Response:
    """`GET /static/{name}.{hash}.{kind}`: a file that never changes under this name."""
    name = _by_url().get(request.url.path)
    if name is None:
        return not_found()
    kind = TYPES[name.rpartition(".")[2]]
    return Response(content(name), media_type=kind, headers={"cache-control": FOR_EVER})


def routes() -> list[BaseRoute]:
    """Return the routes of static files, which are read now: a process without free descriptors hands them out."""
    _by_url()
    return [open_door("/static/{name}", static)]
