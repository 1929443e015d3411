"""Pages of the organisation's own people, for admins: roles, projects, inviting, sessions, ending access."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import cast

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Conflict, Invalid, Refused
from domain.ids import CommandId, PersonId, ProjectId
from domain.language import N_, Said
from domain.language import gettext as _
from domain.people.devices import MOST_DAYS, Device, EndDevice
from domain.people.mails import Mail
from domain.people.person import ChangeRole, Person, Role
from domain.people.rules import SetDeviceDays
from domain.people.sign_ins import EndSession, Session
from projections.events.world import World, organisation_zone
from projections.wording.phrases import listed
from web.door.guard import ADMIN, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.mail import state
from web.mail.state import asked_for
from web.people.addresses import addresses_said
from web.people.passkeys import earlier_tokens, passkeys_said
from web.people.viewers import Ending, end_person
from web.process.services import Services
from web.staff.acting import actor_of
from web.staff.frame import StaffPage, shell

ROLES = Said(
    {
        "manager": N_("Project manager"),
        "auditor": N_("Auditor"),
        "admin": N_("Admin"),
    }
)
SAID = Said(
    {
        "assigned": N_("Recorded. It holds from their next click on."),
        "session": N_("Ended. Whatever was open in it has closed."),
        "days": N_("Recorded. It holds for devices that stay signed in already, too."),
        "ended": N_("Ended. They are signed out everywhere."),
        "required": N_("Recorded. Whoever has used no passkey goes to add one with their next click."),
        "required-all": N_(
            "Recorded. Whoever has used no passkey goes to add one, and the tokens until now are revoked."
        ),
        "not-required": N_("Recorded. Nobody needs a passkey any more."),
    }
)


class Colleague(msgspec.Struct, frozen=True, kw_only=True):
    """One person of the organisation."""

    person: Person
    role: str
    projects: str  # what they manage, in words
    here: bool  # whether it is who looks
    asked: list[str]  # the latest links they asked for, in words
    sessions: list[Session]  # open ones of no device that stays, newest first
    devices: list[Device]  # that stay signed in, newest first
    passkeys: str  # how many, in words, "" for none


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed into a form about a person of the organisation."""

    name: str = ""
    email: str = ""
    role: str = "manager"
    all: bool = True  # every project, also those to come
    projects: Collection[ProjectId] = ()  # else these


class PeoplePage(StaffPage, frozen=True, kw_only=True):
    """Everybody of the organisation, and the form that invites one more."""

    template = "pm/people.html"
    members: Sequence[Colleague]
    roles: Mapping[str, str]  # title by role
    projects: Sequence[tuple[ProjectId, str]]  # with title
    given: Given
    problem: Refused | None
    said: str
    required: bool  # whether everybody of them needs a passkey
    vouched: bool  # whether whoever looks used one
    earlier: int  # tokens of programs that work, made when nobody was asked for one
    days: int  # for which a device may stay signed in
    most: int


class PersonLinkPage(StaffPage, frozen=True, kw_only=True):
    """A new link for one person, mailed or shown once."""

    template = "pm/person_link.html"
    name: str
    email: str
    person: PersonId
    link: str  # "" where it was mailed
    stands: str  # what became of that mail, in words, "" for none
    hours: int  # until it runs out


class PersonRolePage(StaffPage, frozen=True, kw_only=True):
    """What somebody is in the organisation, and which projects a manager manages."""

    template = "pm/person_role.html"
    person: Person
    roles: Mapping[str, str]  # title by role
    projects: Sequence[tuple[ProjectId, str]]  # with title
    given: Given
    problem: Refused | None


async def people(request: Request, signed: Signed) -> Response:
    """`GET /people`: everybody of the organisation, and a form to invite one more."""
    return await _people(request, signed)


async def _people(
    request: Request, signed: Signed, problem: Refused | None = None, given: Given | None = None
) -> Response:
    services: Services = request.app.state.services
    world = await run_in_threadpool(services.present.refresh)
    staff = world.colleagues()
    ordered = sorted(staff, key=lambda p: (p.disabled, p.name, p.id))
    shown = PeoplePage(
        members=[_member(world, person, signed, services.now()) for person in ordered],
        roles=ROLES,
        projects=_projects(world),
        given=given or Given(),
        problem=problem,
        said=SAID.get(request.query_params.get("done", ""), ""),
        required=world.rules.passkeys_required,
        vouched=signed.person.keyring.vouches(signed.session),
        earlier=len(earlier_tokens(services)),
        days=world.rules.device_days,
        most=MOST_DAYS,
        **shell(services, signed),
    )
    return services.pages.answer(request, shown, status_of(problem) if problem else 200)


def _member(world: World, person: Person, signed: Signed, now: datetime) -> Colleague:
    titles = sorted(world.projects[key].title for key in person.projects or () if key in world.projects)
    managed = _("All projects") if person.projects is None else listed(titles) or _("No project")
    unexpired = [s for s in person.sessions.values() if s.expires > now and not s.kept]
    zone = organisation_zone(world)
    by_role = {"manager": managed, "auditor": _("All projects, read-only")}
    return Colleague(
        person=person,
        role=ROLES.get(person.role, person.role),
        projects=by_role.get(person.role, _("All")),
        here=person.id == signed.person.id,
        asked=[*asked_for(person, None, zone), *addresses_said(person, (), zone)],
        sessions=sorted(unexpired, key=_started, reverse=True),
        passkeys=passkeys_said(person),
        devices=sorted(person.devices.kept.values(), key=_kept, reverse=True),
    )


def _started(session: Session) -> datetime:
    return session.started or session.expires


def _kept(device: Device) -> datetime:
    return device.kept


def _projects(world: World) -> list[tuple[ProjectId, str]]:
    return sorted(((key, project.title) for key, project in world.projects.items()), key=lambda pair: pair[1])


async def invite(request: Request, signed: Signed) -> Response:
    """`POST /people`: invite somebody of the organisation and mail their link, or show it once."""
    services: Services = request.app.state.services
    form = await request.form()
    typed = {name: str(form.get(name, "")).strip() for name in ("name", "email", "role")}
    chosen = _chosen(form)
    given = Given(**typed, all=chosen is None, projects=chosen or ())
    try:
        person, secret = await run_in_threadpool(_invite, services, signed, given, chosen)
        mail = await run_in_threadpool(_mail, services, signed, person, secret)
    except Refused as refused:
        return await _people(request, signed, refused, given)
    return _linked(request, signed, services.present.world.people[person], secret, mail)


def _mail(services: Services, signed: Signed, person: PersonId, secret: str) -> Mail | None:
    sender = services.mail_sender
    return sender.invite(actor_of(signed), person, None, secret) if sender is not None else None


def _chosen(form: FormData) -> tuple[ProjectId, ...] | None:
    """Return the projects ticked in a form; None for all of them."""
    if str(form.get("which", "all")) == "all":
        return None
    return tuple(sorted({ProjectId(key) for key in form.getlist("project") if isinstance(key, str)}))


def _invite(
    services: Services, signed: Signed, given: Given, chosen: tuple[ProjectId, ...] | None
) -> tuple[PersonId, str]:
    """Invite one of the organisation and return their id with the secret of their link."""
    role, email = _role(given), given.email
    staff = [p for p in services.present.refresh().colleagues() if not p.disabled]
    if any(p.email.casefold() == email.casefold() for p in staff):
        raise Conflict(_("{email} was invited already. Make a new link for them instead.", email=email), "email")
    projects = chosen if role == "manager" else None
    return services.credentials.invite(
        actor_of(signed),
        name=given.name,
        email=email,
        role=role,
        projects=projects,
    )


def _linked(request: Request, signed: Signed, person: Person, secret: str, mail: Mail | None = None) -> Response:
    services: Services = request.app.state.services
    shown = PersonLinkPage(
        name=person.name,
        email=person.email,
        person=person.id,
        link=f"{services.settings.origin}/in/{secret}" if mail is None else "",
        stands=state.state(mail, organisation_zone(services.present.world)) if mail is not None else "",
        hours=services.settings.link_hours,
        **shell(services, signed),
    )
    return services.pages.answer(request, shown)


def _colleague(services: Services, request: Request) -> Person | None:
    """Return the person of the organisation an address names; None where there is none, or no more."""
    person = services.present.refresh().people.get(PersonId(request.path_params["person"]))
    return person if person is not None and person.role != "viewer" and not person.disabled else None


async def link(request: Request, signed: Signed) -> Response:
    """`POST /people/{person}/link`: show a new link for one of the organisation, once."""
    services: Services = request.app.state.services
    person = await run_in_threadpool(_colleague, services, request)
    if person is None:
        return not_found()
    secret = await run_in_threadpool(services.credentials.link, actor_of(signed), person.id)
    return _linked(request, signed, person, secret)


async def role(request: Request, signed: Signed) -> Response:
    """`GET|POST /people/{person}/role`: what a colleague is, and which projects a manager manages.

    Nobody changes their own role.
    """
    services: Services = request.app.state.services
    person = await run_in_threadpool(_colleague, services, request)
    if person is None or person.id == signed.person.id:
        return not_found()
    given, problem = Given(role=person.role, all=person.projects is None, projects=person.projects or ()), None
    if request.method == "POST":
        form = await request.form()
        chosen, key = _chosen(form), CommandId(str(form.get("command_id", "")) or new_id(24))
        given = Given(role=str(form.get("role", "")) or person.role, all=chosen is None, projects=chosen or ())
        try:
            command = ChangeRole(person=person.id, role=_role(given), projects=chosen)
            await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=key)
            return RedirectResponse("/people?done=assigned", 303)
        except Refused as refused:
            problem = refused
    shown = PersonRolePage(
        person=person,
        roles=ROLES,
        projects=_projects(services.present.world),
        given=given,
        problem=problem,
        **shell(services, signed),
    )
    return services.pages.answer(request, shown, status_of(problem) if problem else 200)


def _role(given: Given) -> Role:
    """Return the role that was chosen.

    Raises: Invalid.
    """
    if given.role not in ROLES:
        raise Invalid(_("Choose what they are: project manager, auditor or admin."), "role")
    return cast("Role", given.role)


async def end_session(request: Request, signed: Signed) -> Response:
    """`POST /people/{person}/sessions/{session}/end`: end one session of a colleague."""
    services: Services = request.app.state.services
    person = await run_in_threadpool(_colleague, services, request)
    session = request.path_params["session"]
    if person is None or session not in person.sessions:
        return not_found()
    key = CommandId(str((await request.form()).get("command_id", "")) or new_id(24))
    command = EndSession(person=person.id, session=session, cause="ended")
    await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=key)
    return RedirectResponse("/people?done=session", 303)


async def end_device(request: Request, signed: Signed) -> Response:
    """`POST /people/{person}/devices/{device}/end`: end a device of a colleague that stays signed in."""
    services: Services = request.app.state.services
    person = await run_in_threadpool(_colleague, services, request)
    device = request.path_params["device"]
    if person is None or device not in person.devices.kept:
        return not_found()
    command = EndDevice(person=person.id, device=device)
    key = CommandId(str((await request.form()).get("command_id", "")) or new_id(24))
    await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=key)
    return RedirectResponse("/people?done=session", 303)


async def device_days(request: Request, signed: Signed) -> Response:
    """`POST /people/devices`: for how many days a device may stay signed in; 0: none may."""
    services: Services = request.app.state.services
    form = await request.form()
    key = CommandId(str(form.get("command_id", "")) or new_id(24))
    try:
        command = SetDeviceDays(days=typed_days(str(form.get("days", ""))))
        await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=key)
    except Refused as refused:
        return await _people(request, signed, refused)
    return RedirectResponse("/people?done=days#devices", 303)


def typed_days(text: str) -> int:
    """Return the days that were typed.

    Raises: Invalid.
    """
    if not re.fullmatch(r"[0-9]{1,4}", text.strip()):
        raise Invalid(_("Type a whole number of days from 0 to {most}.", most=MOST_DAYS), "days")
    return int(text)


async def end(request: Request, signed: Signed) -> Response:
    """`GET|POST /people/{person}/end`: end the access of a colleague, for a reason; nobody ends their own."""
    services: Services = request.app.state.services
    person = await run_in_threadpool(_colleague, services, request)
    if person is None or person.id == signed.person.id:
        return not_found()
    ending = Ending(person=person, action=f"/people/{person.id}/end", back="/people?done=ended")
    return await end_person(request, signed, ending)


def routes() -> list[BaseRoute]:
    """Return the routes of the organisation's own people."""
    one = "/people/{person}/sessions/{session}/end"
    return [
        door("/people", people, allow=ADMIN),
        door("/people", invite, allow=ADMIN, methods=["POST"], name="invite_staff"),
        door("/people/{person}/link", link, allow=ADMIN, methods=["POST"], name="link_staff"),
        door("/people/{person}/role", role, allow=ADMIN, methods=["GET", "POST"]),
        door(one, end_session, allow=ADMIN, methods=["POST"], name="end_staff_session"),
        door("/people/devices", device_days, allow=ADMIN, methods=["POST"]),
        door(
            "/people/{person}/devices/{device}/end", end_device, allow=ADMIN, methods=["POST"], name="end_staff_device"
        ),
        door("/people/{person}/end", end, allow=ADMIN, methods=["GET", "POST"], name="end_staff"),
    ]
