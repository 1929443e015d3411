"""Signing in by a passkey: a script of the sign-in page asks for a challenge and brings what the passkey answered.

Rule: nobody says who they are before they have proven it. The challenge names no account and no passkey, and whatever
lets nobody in gets one answer: a passkey that is unknown, removed, doubted, wrong, or of somebody whose access ended.
"""

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.language import gettext as _
from web.door.device import device
from web.door.guard import Signed, not_found, open_door
from web.door.way_on import way_on
from web.identity.credentials import Entrance
from web.identity.passkeys import Late
from web.process.services import Services, services_of
from web.sign_in.keeping import signed_in
from web.sign_in.link import allowed
from web.sign_in.passkeys.tie import options_answer, set_tie, tie_of


async def begin(request: Request) -> Response:
    """`POST /sign-in/passkey/begin`: a challenge for this browser, the same for everybody but for its random bits."""
    services = services_of(request)
    if services.passkeys.place is None:
        return not_found()
    word, options = await run_in_threadpool(services.passkeys.begin, tie_of(services.guard, request))
    return options_answer(services.guard, word, options)


async def enter(request: Request) -> Response:
    """`POST /sign-in/passkey`: sign in whoever's passkey answered, and say where to go on."""
    services = services_of(request)
    if services.passkeys.place is None:
        return not_found()
    if not await allowed(request):
        return _told(429, _("Too many sign-in attempts from your address. Wait a minute, then try again."))
    form = await request.form()
    here = services.guard.signed(request)
    try:
        entrance = await run_in_threadpool(_enter, request, services, str(form.get("credential", "")), here)
    except Late:
        response = _told(403, _("This took too long. Try again."))
    else:
        if entrance is None:
            response = _told(403, _("This passkey does not open anything here. Sign in by a link, or use another one."))
        else:
            response = _answer(200, {"to": way_on(form.get("to")) or "/"})
            await signed_in(request, response, entrance.secret, keep=form.get("keep") == "yes")
    set_tie(services.guard, response, "")
    return response


def _enter(request: Request, services: Services, answer: str, here: Signed | None) -> Entrance | None:
    """Return the new session; one that the same person of the organisation had in this browser ends with it.

    Their device goes on where it stays signed in: that was their choice, and they have just proven who they are.
    """
    kind, cookie = device(request.headers.get("user-agent", "")), tie_of(services.guard, request)
    before = here.session if here is not None else None
    entrance = services.passkeys.enter(answer, cookie, kind, before)
    if entrance is not None and here is not None and before is not None and not here.person.viewer:
        services.credentials.leave(here.person.id, before.id, "over" if before.kept else "signed_out")
    return entrance


def _told(status: int, text: str) -> Response:
    return _answer(status, {"told": text})


def _answer(status: int, said: dict[str, str]) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(said), status, headers=headers, media_type="application/json")


def routes() -> list[BaseRoute]:
    """Return the routes of signing in by a passkey; where browsers allow none they answer 404."""
    return [
        open_door("/sign-in/passkey/begin", begin, methods=["POST"], name="begin_passkey"),
        open_door("/sign-in/passkey", enter, methods=["POST"], refresh=True, name="enter_by_passkey"),
    ]
