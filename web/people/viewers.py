"""The people of a client who may watch: invite, a new link, end access. A link is mailed or shown, and kept nowhere."""

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.agreement.share import Share
from domain.errors import Conflict, Denied, Refused
from domain.ids import CommandId, PersonId
from domain.language import gettext as _
from domain.people.access import DisablePerson, ErasePerson, Person
from domain.people.mails import Mail
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.mail import state
from web.process.services import Services
from web.staff.frame import share_of, shell
from web.write.permission import Actor, permit


class ViewerLine(msgspec.Struct, frozen=True, kw_only=True):
    """One person of the client."""

    person: Person
    waiting: bool  # invited, and the link not used yet
    may_end: bool  # whether whoever looks may end their access
    may_erase: bool
    mails: list[str]  # what became of the latest ones


def viewers_of(services: Services, signed: Signed, share: Share) -> list[ViewerLine]:
    """Return the people of a share's client, by name; those whose access was ended are left out."""
    world, actor = services.present.world, _actor(signed)
    zone = world.projects[share.project].time_zone
    people = sorted((p for p in world.people.values() if p.client == share.client and not p.disabled), key=_name)
    return [
        ViewerLine(
            person=p,
            waiting=p.signed_in is None,
            may_end=_may_end(services, actor, p),
            may_erase=may_erase(services, signed, p),
            mails=state.lines(p, share.id, zone),
        )
        for p in people
    ]


def _name(person: Person) -> str:
    return person.name


def _actor(signed: Signed) -> Actor:
    return Actor(signed.person.id, signed.person.role, signed.person.client)


def _may_end(services: Services, actor: Actor, person: Person) -> bool:
    try:
        permit(actor, DisablePerson(person=person.id, reason="asked"), services.present.world)
    except Denied:
        return False
    return True


async def invite(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/viewers`: invite a person of the client; the link is mailed, or shown once."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(_share, services, request)
    if share is None:
        return not_found()
    form = await request.form()
    name, email = str(form.get("name", "")).strip(), str(form.get("email", "")).strip()
    try:
        person, secret = await run_in_threadpool(_invite, services, signed, share, name, email)
        mail = await run_in_threadpool(_mail, services, signed, person, secret)
    except Refused as refused:
        return _said(request, services, signed, share, {"problem": refused, "name": name, "email": email})
    return _sent(
        request, services, signed, share, mail, {"person": person, "secret": secret, "name": name, "email": email}
    )


def _mail(services: Services, signed: Signed, person: PersonId, secret: str) -> Mail | None:
    return services.mail_sender.invite(_actor(signed), person, secret) if services.mail_sender is not None else None


def _sent(
    request: Request, services: Services, signed: Signed, share: Share, mail: Mail | None, found: dict[str, str]
) -> Response:
    """Say how the mail stands; where none is sent, show the link."""
    told = {"name": found["name"], "email": found["email"], "person": found["person"]}
    if mail is None:
        return _said(request, services, signed, share, {**told, "link": _link(services, found["secret"])})
    zone = services.present.world.projects[share.project].time_zone
    return _said(request, services, signed, share, {**told, "mail": mail, "stands": state.state(mail, zone)})


def _share(services: Services, request: Request) -> Share | None:
    return share_of(services, request.path_params["project"], request.path_params["share"])


def _invite(services: Services, signed: Signed, share: Share, name: str, email: str) -> tuple[PersonId, str]:
    known = [p for p in services.present.world.people.values() if p.client == share.client and not p.disabled]
    if any(p.email.casefold() == email.casefold() for p in known):
        raise Conflict(_("{email} was invited already. Make a new link for them instead.", email=email), "email")
    return services.credentials.invite(_actor(signed), name=name, email=email, role="viewer", client=share.client)


def _link(services: Services, secret: str) -> str:
    return f"{services.settings.origin}/in/{secret}"


def _said(request: Request, services: Services, signed: Signed, share: Share, found: dict[str, object]) -> Response:
    problem = found.get("problem")
    status = status_of(problem) if isinstance(problem, Refused) else 200
    world = services.present.world
    context = {
        "link": "",
        "mail": None,
        "person": "",
        "problem": None,
        **found,
        "share": share,
        "client": world.client_name(share.client),
    }
    project = world.projects[share.project]
    hours = services.settings.link_hours
    return services.pages.response(
        request, "pm/invited.html", status, project=project, hours=hours, **context, **shell(services, signed)
    )


async def link(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/viewers/{person}/link`: show a new link, once."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(_share, services, request)
    person = _person(services, share, request)
    if share is None or person is None:
        return not_found()
    secret = await run_in_threadpool(services.credentials.link, _actor(signed), person.id)
    return _said(
        request, services, signed, share, {"link": _link(services, secret), "name": person.name, "email": person.email}
    )


async def again(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/viewers/{person}/mail`: mail a new link."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(_share, services, request)
    person = _person(services, share, request)
    if share is None or person is None or services.mail_sender is None:
        return not_found()
    secret = await run_in_threadpool(services.credentials.link, _actor(signed), person.id)
    mail = await run_in_threadpool(_mail, services, signed, person.id, secret)
    found = {"person": person.id, "secret": secret, "name": person.name, "email": person.email}
    return _sent(request, services, signed, share, mail, found)


def _person(services: Services, share: Share | None, request: Request) -> Person | None:
    found = services.present.world.people.get(PersonId(request.path_params["person"]))
    return found if found and share and found.client == share.client and not found.disabled else None


async def end(request: Request, signed: Signed) -> Response:
    """`GET|POST /p/{project}/shares/{share}/viewers/{person}/end`: end a person's access, for a reason."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(_share, services, request)
    person = _person(services, share, request)
    if share is None or person is None or not _may_end(services, _actor(signed), person):
        return not_found()
    here = f"/p/{share.project}/shares/{share.id}"
    world = services.present.world
    context = {"project": world.projects[share.project], "share": share, "nav": "share"}
    return await end_person(
        request, signed, person, action=f"{here}/viewers/{person.id}/end", back=f"{here}#viewers", **context
    )


async def end_person(
    request: Request, signed: Signed, person: Person, *, action: str, back: str, **context: object
) -> Response:
    """Ask why somebody's access ends, and end it; their open pages close at once."""
    services: Services = request.app.state.services
    form = await request.form() if request.method == "POST" else {}
    reason, key = str(form.get("reason", "")).strip(), str(form.get("command_id", "")) or new_id(24)
    problem: Refused | None = None
    if request.method == "POST":
        try:
            command = DisablePerson(person=person.id, reason=reason)
            await run_in_threadpool(services.service.execute, _actor(signed), command, command_id=CommandId(key))
            return RedirectResponse(back, 303)
        except Refused as refused:
            problem = refused
    world = services.present.world
    shown = {"person": person, "reason": reason, "problem": problem, "action": action, "back": back, "nav": ""}
    shown["client"] = world.client_name(person.client) if person.client else ""
    status = status_of(problem) if problem else 200
    return services.pages.response(
        request, "pm/end_person.html", status, **(shown | context), **shell(services, signed)
    )


async def erase(request: Request, signed: Signed) -> Response:
    """`GET|POST /p/{project}/shares/{share}/viewers/{person}/erase`: destroy what is known of a person, for ever."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(_share, services, request)
    person = _person(services, share, request)
    if share is None or person is None or not may_erase(services, signed, person):
        return not_found()
    problem: Refused | None = None
    form = await request.form() if request.method == "POST" else {}
    reason, key = str(form.get("reason", "")).strip(), str(form.get("command_id", "")) or new_id(24)
    if request.method == "POST":
        try:
            command = ErasePerson(person=person.id, reason=reason)
            await run_in_threadpool(services.service.execute, _actor(signed), command, command_id=CommandId(key))
            return RedirectResponse(f"/p/{share.project}/shares/{share.id}?done=erased#viewers", 303)
        except Refused as refused:
            problem = refused
    world = services.present.world
    context = {"share": share, "person": person, "client": world.client_name(share.client), "problem": problem}
    context |= {"project": world.projects[share.project], "reason": reason, **shell(services, signed)}
    return services.pages.response(request, "pm/erase.html", status_of(problem) if problem else 200, **context)


def may_erase(services: Services, signed: Signed, person: Person) -> bool:
    """Tell whether somebody may erase a person."""
    try:
        permit(_actor(signed), ErasePerson(person=person.id, reason="asked"), services.present.world)
    except Denied:
        return False
    return True


def routes() -> list[BaseRoute]:
    """Return the routes of viewers."""
    here = "/p/{project}/shares/{share}/viewers"
    return [
        door(here, invite, allow=STAFF, methods=["POST"]),
        door(f"{here}/{{person}}/link", link, allow=STAFF, methods=["POST"]),
        door(f"{here}/{{person}}/mail", again, allow=STAFF, methods=["POST"]),
        door(f"{here}/{{person}}/end", end, allow=STAFF, methods=["GET", "POST"]),
        door(f"{here}/{{person}}/erase", erase, allow=STAFF, methods=["GET", "POST"]),
    ]
