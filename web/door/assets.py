"""Static files, joined into bundles and served under names that carry their hash; nothing is fetched from elsewhere.

Rule: a page fetches only the bundles and files named here; the sources of a bundle are joined in the order written.
"""

import functools
import gzip
import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from web.door.guard import not_found, open_door
from web.door.squeeze import takes_gzip

Script = str | tuple[str, ...]  # sources in a tuple are joined inside one function, so that no name is global

STATIC = Path(__file__).parents[1] / "static"
_HTMX: tuple[Script, ...] = ("vendor/htmx.min.js", "js/guard.js")
_LIVE = (
    *("page", "words", "today", "state", "update", "speech", "claims", "sum", "feed", "buttons", "answering"),
    "start",
)
_STAFF = ("js/search.js", "js/for-you.js", "js/days.js")
SCRIPTS: dict[str, tuple[Script, ...]] = {
    "live.js": (*_HTMX, "vendor/hx-ws.min.js", tuple(f"js/live/{name}.js" for name in _LIVE)),
    "table.js": ("js/table.js",),
    "days.js": (("js/days.js",),),
    "passkeys.js": (("js/passkeys.js",),),
    "manager.js": (*_HTMX, (*_STAFF, "js/choose.js", "js/ticks.js", "js/copy.js", "js/upload.js")),
    "seen.js": (*_HTMX, (*_STAFF, "js/steps.js", "js/seen.js")),
    "replay.js": (*_HTMX, (*_STAFF, "js/steps.js", "js/replay.js")),
}
STYLES: dict[str, tuple[str, ...]] = {
    "app.css": (
        "page",
        "person",
        "live",
        "since",
        "sign-in",
        "home",
        "demo",
        "forms",
        "mail",
        "history",
        "answer",
        "colleagues",
        "wall",
    ),
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
            "brand",
            "provider",
            "sources",
        ),
    ),
    "seen.css": ("page", "scrubber", "sheets", "viewers", "proof", "replay"),
    "edit.css": ("page", "outcome", "terms", "consequence"),
}
FONT = "inter.woff2"  # made by tests/make_font.py
ALONE = ("dashboard.css", "icon.svg", FONT)  # entries name dashboard.css and the font by hash (docs/spec.md 3)
TYPES = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}
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
        return lean(_source(part))
    return b"(() => {\n" + b"\n".join(lean(_source(name)) for name in part) + b"})();\n"


def lean(source: bytes) -> bytes:
    """Return a script without comments that stand on lines of their own, empty lines and indentation.

    Ours have no text over several lines in which a line could look like that (tests/web/door/test_assets.py).
    """
    lines = (line.strip() for line in source.split(b"\n"))
    return b"\n".join(line for line in lines if line and not line.startswith(b"//")) + b"\n"


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


@functools.cache
def _compressed(name: str) -> bytes:
    """Return the bytes of a bundle or file as gzip, the same whenever they are made."""
    return gzip.compress(content(name), 9, mtime=0)


async def static(request: Request) -> Response:
    """`GET /static/{name}.{hash}.{kind}`: a file that never changes under this name; text as gzip if taken."""
    name = _by_url().get(request.url.path)
    if name is None:
        return not_found()
    kind = name.rpartition(".")[2]
    digest = request.url.path.rsplit(".", 2)[1]
    headers = {"cache-control": FOR_EVER, "etag": f'"{digest}"'}
    body = content(name)
    if kind == "woff2":
        headers["access-control-allow-origin"] = "*"  # exact pages are of no origin
    else:
        headers["vary"] = "Accept-Encoding"
        if takes_gzip(request.headers.get("accept-encoding", "")):
            headers |= {"content-encoding": "gzip", "etag": f'"{digest}-gzip"'}
            body = _compressed(name)
    if headers["etag"] in [
        tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")
    ]:
        headers.pop("content-encoding", None)
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=TYPES[kind], headers=headers)


def routes() -> list[BaseRoute]:
    """Return the routes of static files, which are read now: a process without free descriptors hands them out."""
    _by_url()
    return [open_door("/static/{name}", static)]
