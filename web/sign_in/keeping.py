"""What a browser is told when somebody signed in: its session's cookie, and that its device stays signed in.

Rule: a device stays signed in only where its person chose so, in the form that completed the sign-in or on their page.
One that another person kept in the same browser ends, or the browser would go back to them.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from domain.errors import Refused
from domain.ids import PersonId
from web.door.cookies import cookie, no_cookie
from web.door.device import called
from web.ids import digest
from web.process.services import services_of


async def signed_in(request: Request, response: Response, secret: str, *, keep: bool) -> None:
    """Add the cookies of a session that began just now to a response; `keep`: its device stays signed in."""
    services = services_of(request)
    guard = services.guard
    response.raw_headers.append(cookie(guard.cookies.session, secret, secure=guard.secure))
    key = services.present.world.sessions.get(digest(secret))
    if key is None:
        return
    before = request.cookies.get(guard.cookies.device, "")
    kept = keep and await keep_device(request, response, key.person, key.id)
    ended = bool(before) and await run_in_threadpool(services.devices.replaced, before, key.person, kept=kept)
    if ended and not kept:
        response.raw_headers.append(no_cookie(guard.cookies.device, secure=guard.secure))


async def keep_device(request: Request, response: Response, person: PersonId, session: str) -> bool:
    """Keep the device of a session signed in, and add its cookie to a response; return whether that was allowed."""
    services, name = services_of(request), called(request.headers.get("user-agent", ""))
    try:
        kept = await run_in_threadpool(services.devices.keep, person, session, name)
    except Refused:
        return False
    if kept is None:
        return False
    guard = services.guard
    header = cookie(guard.cookies.device, kept.credential, secure=guard.secure, seconds=kept.seconds)
    response.raw_headers.append(header)
    return True
