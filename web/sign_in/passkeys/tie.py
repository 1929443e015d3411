"""The cookie that ties what a passkey signs to the browser that asked for it."""

from http.cookies import SimpleCookie

from starlette.requests import Request
from starlette.responses import Response

from web.door.guard import Guard
from web.identity.passkeys import MINUTES


def _name(guard: Guard) -> str:
    return f"{guard.cookie}-passkey"


def tie_of(guard: Guard, request: Request) -> str:
    """Return what the browser's cookie holds, "" for none."""
    return request.cookies.get(_name(guard), "")


def set_tie(guard: Guard, response: Response, value: str) -> None:
    """Set the cookie, for as long as a challenge is good; an empty value removes it."""
    cookie: SimpleCookie = SimpleCookie()
    name, kept = _name(guard), 60 * MINUTES if value else 0  # seconds
    cookie[name] = value
    attributes = {"path": "/", "httponly": True, "samesite": "Strict", "secure": guard.secure, "max-age": kept}
    for key, setting in attributes.items():
        cookie[name][key] = setting
    response.raw_headers.append((b"set-cookie", cookie.output(header="").strip().encode("latin-1")))


def options_answer(guard: Guard, word: str, options: str) -> Response:
    """Return the options for a browser's passkeys, with the cookie they are tied to."""
    response = Response(options, media_type="application/json", headers={"cache-control": "no-store"})
    set_tie(guard, response, word)
    return response
