"""Refusals as HTTP responses: a status for each kind, and problem details (RFC 9457) for the JSON API."""

import msgspec
from starlette.requests import HTTPConnection
from starlette.responses import Response

from domain.errors import Conflict, Denied, Invalid, Refused, Stale, Unknown
from domain.language import N_
from domain.language import gettext as _

CODES: dict[type[Refused], tuple[int, str]] = {
    Unknown: (404, N_("Not found")),
    Invalid: (422, N_("A value cannot be right")),
    Conflict: (409, N_("Not possible now")),
    Stale: (412, N_("Changed since you looked")),
    Denied: (403, N_("Not allowed")),
}


def status_of(refused: Refused) -> int:
    """Return the HTTP status of a refusal."""
    return CODES.get(type(refused), (400, ""))[0]


def problem(status: int, title: str, detail: str, **more: str) -> Response:
    """Return a response of problem details; `more` are further members of the JSON object."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return Response(msgspec.json.encode(body), status, media_type="application/problem+json")


def at_json_door(request: HTTPConnection) -> bool:
    """Tell whether a request came to the JSON API, where whatever is refused is told as a problem."""
    return request.url.path.startswith("/api/")


def refusal(refused: Refused) -> Response:
    """Return a refusal as problem details."""
    status, title = CODES.get(type(refused), (400, _("Refused")))
    more = {"field": refused.field} if refused.field else {}
    return problem(status, title, refused.message, **more)
