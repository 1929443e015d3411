"""One's own passkeys: listed, added, removed, and what to do where those there are cannot be used."""

from datetime import datetime

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Refused
from domain.ids import CommandId
from domain.language import N_, Said
from domain.language import gettext as _
from domain.people.passkeys import NAME, AskPasskeyReplacement, Passkey, RemovePasskey, RenamePasskey
from projections.wording import words
from projections.wording.phrases import listed
from web.door.device import device
from web.door.guard import EVERYONE, PASSKEYS, Signed, door, hidden
from web.door.problem import status_of
from web.identity.passkeys import Late
from web.identity.webauthn import NotProven
from web.ids import new_id
from web.process.services import Services, services_of
from web.sign_in.link import HOME
from web.sign_in.passkeys.tie import options_answer, set_tie, tie_of
from web.sign_in.sessions import zone_of
from web.sign_in.ways import seen_by
from web.staff.acting import actor_of
from web.staff.frame import StaffPage, shell
from web.write.permission import OPERATOR

UNPROVEN = N_("What the passkey answered could not be verified, or took too long. Nothing was added; try again.")
SAID = Said(
    {
        "added": N_("Added. From now on it signs you in."),
        "removed": N_("Removed. Sessions that began with it have ended, but for this one."),
        "renamed": N_("Renamed."),
        "asked": N_("Asked. An admin sees it at People, and confirms it once they know it is you."),
    }
)


class PasskeyLine(msgspec.Struct, frozen=True, kw_only=True):
    """One passkey, in words."""

    id: str
    name: str
    added: str  # day
    used: str  # the last day, "" for never
    synced: bool  # whether it may be on several devices
    opens: str  # clients, where this session opens more than it does, else ""
    elsewhere: str  # the name in the address it is for, where that is not this one, else ""
    doubted: bool  # whether it may have been copied, and lets nobody in


class PasskeysPage(StaffPage, frozen=True, kw_only=True):
    """The passkeys of whoever asks that this session may know of, and the form that adds one."""

    template = "me_passkeys.html"
    lines: list[PasskeyLine]
    zone: str  # of the days, IANA
    home: str  # path of the first page of their role
    works: bool  # whether browsers allow passkeys at this address
    usable: bool  # whether one of them signs in here
    needed: bool  # whether nothing else opens before one was used
    may_add: bool  # False: of the organisation's people, without a passkey in this session and a second look
    may_remove: bool
    asked: bool  # whether an admin was asked for a second look
    until: str  # when the second look of an admin ends, "" for none
    name: str  # for a new one
    longest: int  # letters of a name
    problem: str
    said: str


async def passkeys(request: Request, signed: Signed) -> Response:
    """`GET /me/passkeys`: one's own passkeys."""
    return await _shown(request, signed)


async def _shown(request: Request, signed: Signed, problem: str = "", status: int = 200, name: str = "") -> Response:
    services = services_of(request)
    page = await run_in_threadpool(_page, services, signed, name or _kind(request), problem)
    said = SAID.get(request.query_params.get("done", ""), "")
    return services.pages.answer(request, msgspec.structs.replace(page, said="" if problem else said), status)


def _kind(request: Request) -> str:
    return device(request.headers.get("user-agent", "")) or _("Passkey")


def _page(services: Services, signed: Signed, name: str, problem: str) -> PasskeysPage:
    person = services.present.refresh().people.get(signed.person.id, signed.person)
    ring, zone, host, staff = person.keyring, zone_of(services, signed), services.passkeys.host, not person.viewer
    allowed = ring.until is not None and ring.until > services.now()
    return PasskeysPage(
        **shell(services, signed),
        lines=[_line(services, signed, one, zone) for one in seen_by(signed.clients, person)],
        zone=zone,
        home=HOME[person.role],
        works=bool(host),
        usable=any(one.host == host and not one.doubted for one in seen_by(signed.clients, person)),
        needed=services.guard.unproven(signed),
        may_add=not staff or ring.may_add(signed.session, host, services.now()),
        may_remove=not staff or ring.vouches(signed.session),
        asked=ring.asked is not None,
        until=words.moment_year(ring.until, zone) if allowed and ring.until is not None else "",
        name=name,
        longest=NAME,
        problem=problem,
        said="",
    )


def _line(services: Services, signed: Signed, passkey: Passkey, zone: str) -> PasskeyLine:
    world, host = services.present.world, services.passkeys.host
    less = set(passkey.clients) != set(signed.clients)
    return PasskeyLine(
        id=passkey.id,
        name=passkey.name,
        added=_day(passkey.added, zone),
        used=_day(passkey.used, zone) if passkey.used is not None else "",
        synced=passkey.synced,
        opens=listed(sorted(map(world.client_name, passkey.clients))) if less else "",
        elsewhere=passkey.host if passkey.host != host else "",
        doubted=passkey.doubted,
    )


def _day(at: datetime, zone: str) -> str:
    return words.day_year(words.local(at, zone).date())


async def begin(request: Request, signed: Signed) -> Response:
    """`POST /me/passkeys/begin`: the challenge for a new passkey, tied to this session and browser."""
    services = services_of(request)
    if signed.session is None or services.passkeys.place is None:
        return hidden(request)
    cookie = tie_of(services.guard, request)
    word, options = await run_in_threadpool(services.passkeys.begin_adding, signed.person, signed.session, cookie)
    return options_answer(services.guard, word, options)


async def add(request: Request, signed: Signed) -> Response:
    """`POST /me/passkeys`: add the passkey that was made."""
    services, form = services_of(request), await request.form()
    answer, name = str(form.get("credential", "")), str(form.get("name", "")).strip() or _kind(request)
    cookie, session = tie_of(services.guard, request), signed.session
    if session is None or services.passkeys.place is None:
        return hidden(request)
    try:
        await run_in_threadpool(services.passkeys.add, signed.person.id, session, answer, name, cookie)
        response: Response = RedirectResponse(f"{PASSKEYS}?done=added", 303)
    except (NotProven, Late):
        response = await _shown(request, signed, _(UNPROVEN), 422, name)
    except Refused as refused:
        response = await _shown(request, signed, refused.message, status_of(refused), name)
    set_tie(services.guard, response, "")
    return response


async def remove(request: Request, signed: Signed) -> Response:
    """`POST /me/passkeys/{passkey}/remove`: remove one of one's own; one that is not there is answered like one."""
    services = services_of(request)
    session = signed.session.id if signed.session is not None else ""
    command = RemovePasskey(
        person=signed.person.id, passkey=request.path_params["passkey"], cause="removed", session=session
    )
    try:
        await run_in_threadpool(services.service.execute, OPERATOR, command, command_id=CommandId(new_id(24)))
    except Refused as refused:
        return await _shown(request, signed, refused.message, status_of(refused))
    return RedirectResponse(f"{PASSKEYS}?done=removed", 303)


async def rename(request: Request, signed: Signed) -> Response:
    """`POST /me/passkeys/{passkey}/rename`: call one of one's own otherwise; one not there is answered alike."""
    services, form = services_of(request), await request.form()
    session = signed.session.id if signed.session is not None else ""
    command = RenamePasskey(
        person=signed.person.id, passkey=request.path_params["passkey"], name=str(form.get("name", "")).strip(),
        session=session,
    )  # fmt: skip
    try:
        await run_in_threadpool(services.service.execute, OPERATOR, command, command_id=CommandId(new_id(24)))
    except Refused as refused:
        return await _shown(request, signed, refused.message, status_of(refused))
    return RedirectResponse(f"{PASSKEYS}?done=renamed", 303)


async def ask(request: Request, signed: Signed) -> Response:
    """`POST /me/passkeys/ask`: ask an admin for a second look, so that another passkey can be added."""
    services, command = services_of(request), AskPasskeyReplacement(person=signed.person.id)
    key = CommandId(new_id(24))
    try:
        await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=key)
    except Refused as refused:
        return await _shown(request, signed, refused.message, status_of(refused))
    return RedirectResponse(f"{PASSKEYS}?done=asked", 303)


def routes() -> list[BaseRoute]:
    """Return the routes of one's own passkeys."""
    return [
        door(PASSKEYS, passkeys, allow=EVERYONE),
        door(PASSKEYS, add, allow=EVERYONE, methods=["POST"], name="add_passkey"),
        door(f"{PASSKEYS}/begin", begin, allow=EVERYONE, methods=["POST"], name="begin_adding_passkey"),
        door(f"{PASSKEYS}/ask", ask, allow=EVERYONE, methods=["POST"], name="ask_for_passkey"),
        door(PASSKEYS + "/{passkey}/remove", remove, allow=EVERYONE, methods=["POST"], name="remove_passkey"),
        door(PASSKEYS + "/{passkey}/rename", rename, allow=EVERYONE, methods=["POST"], name="rename_passkey"),
    ]
