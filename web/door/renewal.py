"""A session that ran out is begun anew by the device that stays signed in, within the request that found it missing."""

from collections.abc import Callable
from typing import Literal

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import Response

from web.door.cookies import Header, cookie, no_cookie
from web.door.device import device


class Cookies(msgspec.Struct, frozen=True):
    """The names of the two cookies of a browser: that of its session and that of the device that stays signed in."""

    session: str
    device: str


class Renewed(msgspec.Struct, frozen=True):
    """A session begun by a device: its secret, the device's next credential, and for how many seconds that is kept."""

    session: str
    credential: str
    seconds: int


Outcome = Renewed | Literal["gone", "later"]  # gone: the credential is good no more; later: asked too often
Renew = Callable[[str, str, bool], Outcome]  # credential, kind of device, whether it is a wall display's; for threads


def cookies(*, secure: bool, display: bool) -> Cookies:
    """Return the names of a person's cookies, or those of a wall display."""
    name = f"{'__Host-' if secure else ''}fanlight{'-wall' if display else ''}"
    return Cookies(name, f"{name}-device")


async def renew(connection: HTTPConnection, how: Renew, names: Cookies, *, secure: bool, display: bool) -> bool:
    """Begin a session by the device of a browser; return whether there is one now. `headers` tell the browser."""
    credential = connection.cookies.get(names.device)
    if not credential:
        return False
    kind = device(connection.headers.get("user-agent", ""))
    outcome = await run_in_threadpool(how, credential, kind, display)
    if outcome == "later":
        connection.state.later = True
        return False
    if isinstance(outcome, str):
        connection.state.told = [no_cookie(names.device, secure=secure)]
        return False
    setattr(connection.state, names.session, outcome.session)
    connection.state.told = set_both(names, outcome, secure=secure)
    return True


def asked_too_often(connection: HTTPConnection) -> bool:
    """Return whether a device asked for more sessions than are begun in a minute."""
    return bool(getattr(connection.state, "later", False))


def set_both(names: Cookies, new: Renewed, *, secure: bool) -> list[Header]:
    """Return the headers that set a session's cookie, which ends with the browser, and its device's."""
    return [
        cookie(names.session, new.session, secure=secure),
        cookie(names.device, new.credential, secure=secure, seconds=new.seconds),
    ]


def secret(connection: HTTPConnection, names: Cookies) -> str:
    """Return the secret of a connection's session: the one begun within it, else its cookie's; "" for none."""
    return str(getattr(connection.state, names.session, "") or connection.cookies.get(names.session, ""))


def told(connection: HTTPConnection, answer: Response) -> Response:
    """Return an answer with what its browser has to keep; cookies that the answer sets itself come after, and win."""
    headers: list[Header] = getattr(connection.state, "told", [])
    connection.state.told = []
    answer.raw_headers[:0] = headers
    return answer
