"""The page that somebody asked for before they had to sign in, kept in an address as the way on.

Rule: it is a path of this installation and nothing else. Threat: a link of ours that leads somewhere else.
"""

import re
from urllib.parse import quote

from starlette.requests import HTTPConnection

_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9/_.~?=&%+-]{1,300}", re.ASCII)


def way_on(path: object) -> str:
    """Return a path with its query where one may be led there, else ""."""
    return path if isinstance(path, str) and _PATH.fullmatch(path) else ""


def way_in(request: HTTPConnection) -> str:
    """Return the address of the sign-in page, with the page that a browser asked for as the way on."""
    if request.scope.get("method") != "GET" or "text/html" not in request.headers.get("accept", ""):
        return "/sign-in"
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/sign-in?to={quote(asked, safe='')}" if way_on(asked) else "/sign-in"
