"""Where somebody is signed in: every open session of theirs, by device, and ending one or all others."""

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.ids import PersonId
from domain.language import N_
from domain.language import gettext as _
from domain.people.access import Person, Session
from projections.wording import words
from web.door.guard import EVERYONE, Signed, door
from web.process.services import Services
from web.sign_in.link import HOME
from web.staff.frame import shell

VIA = {"link": N_("by a personal link"), "openid": N_("by single sign-on")}


class SessionLine(msgspec.Struct, frozen=True):
    """One open session as its owner reads it."""

    id: str
    device: str
    via: str
    since: str
    until: str
    here: bool  # the one this page was asked for with


async def sessions(request: Request, signed: Signed) -> Response:
    """`GET /me`: the open sessions of whoever asks."""
    services: Services = request.app.state.services
    lines = await run_in_threadpool(_lines, services, signed)
    context = {"lines": lines, "home": HOME[signed.person.role], "done": request.query_params.get("done", "")}
    return services.pages.response(request, "me.html", **context, **shell(services, signed))


def _lines(services: Services, signed: Signed) -> list[SessionLine]:
    person = services.present.refresh().people.get(signed.person.id, signed.person)
    here, zone = signed.session.id if signed.session else "", zone_of(services, person)
    found = [_line(session, here, zone) for session in open_sessions(services, person)]
    return sorted(found, key=lambda line: not line.here)


def zone_of(services: Services, person: Person) -> str:
    """Return the zone somebody's instants are shown in: their client's, else the installation's record zone."""
    client = services.present.world.clients.get(person.client) if person.client else None
    return client.time_zone if client else "UTC"


def open_sessions(services: Services, person: Person) -> list[Session]:
    """Return somebody's sessions that have not run out, newest first."""
    found = [session for session in person.sessions.values() if session.expires > services.now()]
    return sorted(found, key=lambda session: session.started or session.expires, reverse=True)


def _line(session: Session, here: str, zone: str) -> SessionLine:
    told = "" if zone != "UTC" else _(" UTC")
    return SessionLine(
        id=session.id,
        device=session.device or _("Device not known"),
        via=VIA[session.via],
        since=words.moment(session.started, zone) + told if session.started else "",
        until=words.moment(session.expires, zone) + told,
        here=session.id == here,
    )


async def end(request: Request, signed: Signed) -> Response:
    """`POST /me/sessions/{session}/end`: end one of one's own sessions; its sockets close."""
    services: Services = request.app.state.services
    key = request.path_params["session"]
    await run_in_threadpool(services.credentials.leave, signed.person.id, key, "ended")
    if signed.session is not None and signed.session.id == key:
        return RedirectResponse("/sign-in", 303)
    return RedirectResponse("/me?done=one", 303)


async def end_others(request: Request, signed: Signed) -> Response:
    """`POST /me/others/end`: end every session of one's own but this one."""
    services: Services = request.app.state.services
    await run_in_threadpool(_end_others, services, signed.person.id, signed.session.id if signed.session else "")
    return RedirectResponse("/me?done=others", 303)


def _end_others(services: Services, key: PersonId, here: str) -> None:
    person = services.present.refresh().people.get(key)
    for session in [s for s in (person.sessions if person else {}) if s != here]:
        services.credentials.leave(key, session, "ended")


def routes() -> list[BaseRoute]:
    """Return the routes of one's own sessions."""
    return [
        door("/me", sessions, allow=EVERYONE),
        door("/me/sessions/{session}/end", end, allow=EVERYONE, methods=["POST"]),
        door("/me/others/end", end_others, allow=EVERYONE, methods=["POST"]),
    ]
