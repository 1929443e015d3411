"""The page of one's own sessions, and devices that stay signed in: lists and ends them, and chooses the language."""

from collections.abc import Mapping
from typing import TypedDict

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Refused
from domain.ids import CommandId
from domain.language import N_, Said, offered
from domain.language import gettext as _
from domain.people.devices import NAME
from domain.people.person import ChooseLanguage, Person
from domain.people.sign_ins import Session
from projections.events.world import organisation_zone
from projections.wording import words
from web.door.guard import EVERYONE, Signed, door, signed_out
from web.door.problem import status_of
from web.ids import new_id
from web.mail.state import asked_for
from web.process.services import Services, services_of
from web.sign_in.devices import DeviceLine, DisplayPlace, line, notices, places, theirs
from web.sign_in.link import HOME
from web.sign_in.ways import Ways, ways_of
from web.staff.acting import actor_of
from web.staff.frame import StaffPage, shell

VIA = Said(
    {
        "link": N_("by a personal link"),
        "openid": N_("by single sign-on"),
        "passkey": N_("by a passkey"),
        "device": N_("by a device that stays signed in"),
    }
)


class SessionLine(msgspec.Struct, frozen=True):
    """One open session, in words."""

    id: str
    device: str
    via: str
    since: str
    until: str
    here: bool  # the session that asked for this page


class SessionsPage(StaffPage, frozen=True, kw_only=True):
    """The open sessions of whoever asks."""

    template = "me.html"
    lines: list[SessionLine]
    devices: list[DeviceLine]  # that stay signed in
    displays: list[DeviceLine]  # wall displays
    places: list[DisplayPlace]  # what may be put on one
    notices: list[str]  # which devices ended without their person's doing
    days: int  # for which this device may stay signed in, 0: it may not, or does already
    zone: str  # of the times, IANA
    home: str  # path of the first page of their role
    idle: int  # minutes without activity after which a session ends
    asked: list[str]  # the latest links that were asked for on the sign-in page, in words
    done: str  # what was done: "one", "others", "language", "kept", "not-kept", "renamed", "not-renamed"
    longest: int  # letters of a device's name
    ways: Ways
    languages: Mapping[str, str]  # that may be chosen, by code
    chosen: str  # the code of the one that was, "" for none


async def sessions(request: Request, signed: Signed) -> Response:
    """`GET /me`: the open sessions of whoever asks."""
    services = services_of(request)
    zone = zone_of(services, signed)
    sessions_page = SessionsPage(
        **await run_in_threadpool(shell, services, signed),
        **await run_in_threadpool(_listed, services, signed, zone),
        zone=zone,
        home=HOME[signed.person.role],
        idle=services.settings.idle_minutes,
        asked=asked_for(signed.person, signed.clients if signed.person.viewer else None, zone, answer=False),
        done=request.query_params.get("done", ""),
        longest=NAME,
        ways=ways_of(services, signed, services.present.world.people.get(signed.person.id, signed.person)),
        languages=offered(),
        chosen=services.present.world.people.get(signed.person.id, signed.person).language,
    )
    return services.pages.answer(request, sessions_page)


class _Listed(TypedDict):
    """The fields of a `SessionsPage` that list what is open."""

    lines: list[SessionLine]
    devices: list[DeviceLine]
    displays: list[DeviceLine]
    places: list[DisplayPlace]
    notices: list[str]
    days: int


def _listed(services: Services, signed: Signed, zone: str) -> _Listed:
    person = services.present.refresh().people.get(signed.person.id, signed.person)
    here = signed.session.id if signed.session else ""
    lines = [_line(session, here, zone) for session in open_sessions(services, signed, person)]
    own = services.devices.of(signed.session, person)
    every = theirs(signed, person)
    devices = [line(services, one, own.id if own else "", zone) for one in every if not one.display]
    return _Listed(
        lines=sorted(lines, key=lambda one: not one.here),
        devices=sorted(devices, key=lambda one: not one.here),
        displays=[line(services, one, "", zone) for one in every if one.display],
        places=places(services, signed),
        notices=notices(signed, person, zone),
        days=services.devices.may_keep(person, signed.clients) if own is None and _keeps(signed.session) else 0,
    )


def _keeps(session: Session | None) -> bool:
    """Return whether a session may become that of a device that stays: not one that a client's provider vouches for."""
    return session is not None and not session.provider


def zone_of(services: Services, signed: Signed) -> str:
    """Return the time zone (IANA) of somebody's page: that of their clients where they have one; of staff, ours."""
    world = services.present.world
    return world.common_zone(signed.clients) if signed.person.role == "viewer" else organisation_zone(world)


def open_sessions(services: Services, signed: Signed, person: Person) -> list[Session]:
    """Return the sessions of whoever asks that have not expired and are of no device that stays, newest first.

    Of a viewer: those that open nothing which this one does not. Threat: whoever made the link to one client can come
    in by it, and must not learn of another.
    """
    unexpired = [session for session in person.sessions.values() if session.expires > services.now()]
    unexpired = [session for session in unexpired if not session.kept]
    if person.role == "viewer":
        unexpired = [session for session in unexpired if set(session.clients) <= set(signed.clients)]
    return sorted(unexpired, key=lambda session: session.started or session.expires, reverse=True)


def _line(session: Session, here: str, zone: str) -> SessionLine:
    return SessionLine(
        id=session.id,
        device=session.device or _("Unknown device"),
        via=_("by your organisation’s account") if session.provider else VIA[session.via],
        since=words.moment_year(session.started, zone) if session.started else "",
        until=words.moment_year(session.expires, zone),
        here=session.id == here,
    )


async def speak(request: Request, signed: Signed) -> Response:
    """`POST /me/language`: in which language one's own pages are; "" for the one the browser asks for."""
    services = services_of(request)
    command = ChooseLanguage(person=signed.person.id, language=str((await request.form()).get("language", "")))
    try:
        key = CommandId(new_id(24))
        await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=key)
    except Refused as refused:
        return PlainTextResponse(f"{refused.message}\n", status_of(refused))
    return RedirectResponse("/me?done=language", 303)


async def end(request: Request, signed: Signed) -> Response:
    """`POST /me/sessions/{session}/end`: end one of one's own sessions; its sockets close."""
    services = services_of(request)
    key = request.path_params["session"]
    if key in await run_in_threadpool(_own, services, signed):
        await run_in_threadpool(services.credentials.leave, signed.person.id, key, "ended")
    if signed.session is not None and signed.session.id == key:
        return signed_out(services.guard)
    return RedirectResponse("/me?done=one", 303)


async def end_others(request: Request, signed: Signed) -> Response:
    """`POST /me/others/end`: end all of one's own sessions and devices but this one; wall displays stay."""
    services = services_of(request)
    await run_in_threadpool(_end_others, services, signed)
    return RedirectResponse("/me?done=others", 303)


def _own(services: Services, signed: Signed) -> list[str]:
    """Return the ids of the sessions that whoever asks sees as theirs."""
    person = services.present.refresh().people.get(signed.person.id)
    return [session.id for session in open_sessions(services, signed, person)] if person else []


def _end_others(services: Services, signed: Signed) -> None:
    here = signed.session.id if signed.session else ""
    for session in [s for s in _own(services, signed) if s != here]:
        services.credentials.leave(signed.person.id, session, "ended")
    person = services.present.refresh().people.get(signed.person.id, signed.person)
    own = services.devices.of(signed.session, person)
    for device in theirs(signed, person):
        if not device.display and (own is None or device.id != own.id):
            services.devices.end(actor_of(signed), person.id, device.id)


def routes() -> list[BaseRoute]:
    """Return the routes of one's own sessions."""
    return [
        door("/me", sessions, allow=EVERYONE),
        door("/me/language", speak, allow=EVERYONE, methods=["POST"]),
        door("/me/sessions/{session}/end", end, allow=EVERYONE, methods=["POST"]),
        door("/me/others/end", end_others, allow=EVERYONE, methods=["POST"]),
    ]
