"""Pages of the organisation's own people, for admins: roles, who manages which project, inviting, ending access."""

from collections.abc import Collection, Mapping, Sequence
from typing import cast

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Conflict, Invalid, Refused
from domain.ids import CommandId, PersonId, ProjectId
from domain.language import N_
from domain.language import gettext as _
from domain.people.person import AssignProjects, Person, Role
from projections.events.world import World
from projections.wording.phrases import listed
from web.door.guard import ADMIN, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.mail.state import asked_for
from web.people.viewers import Ending, end_person
from web.process.services import Services
from web.staff.acting import actor_of
from web.staff.frame import StaffPage, shell

ROLES = {
    "manager": N_("Project manager"),
    "auditor": N_("Auditor"),
    "admin": N_("Admin"),
}
SAID = {
    "assigned": N_("Recorded. It holds from their next click on."),
    "ended": N_("Ended. They are signed out everywhere."),
}


class Colleague(msgspec.Struct, frozen=True, kw_only=True):
    """One person of the organisation."""

    person: Person
    role: str
    projects: str  # what they manage, in words
    here: bool  # whether it is who looks
    asked: list[str]  # the latest links they asked for, in words


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


class PersonLinkPage(StaffPage, frozen=True, kw_only=True):
    """A new link for one person, shown once."""

    template = "pm/person_link.html"
    name: str
    email: str
    link: str
    hours: int  # until it runs out


class PersonProjectsPage(StaffPage, frozen=True, kw_only=True):
    """Which projects a manager manages."""

    template = "pm/person_projects.html"
    person: Person
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
    staff = [p for p in world.people.values() if p.role != "viewer"]
    ordered = sorted(staff, key=lambda p: (p.disabled, p.name, p.id))
    shown = PeoplePage(
        members=[_member(world, person, signed) for person in ordered],
        roles=ROLES,
        projects=_projects(world),
        given=given or Given(),
        problem=problem,
        said=SAID.get(request.query_params.get("done", ""), ""),
        **shell(services, signed),
    )
    return services.pages.answer(request, shown, status_of(problem) if problem else 200)


def _member(world: World, person: Person, signed: Signed) -> Colleague:
    titles = sorted(world.projects[key].title for key in person.projects or () if key in world.projects)
    managed = _("All projects") if person.projects is None else listed(titles) or _("No project")
    by_role = {"manager": managed, "auditor": _("All projects, read-only")}
    return Colleague(
        person=person,
        role=ROLES.get(person.role, person.role),
        projects=by_role.get(person.role, _("All")),
        here=person.id == signed.person.id,
        asked=asked_for(person, None, "UTC"),
    )


def _projects(world: World) -> list[tuple[ProjectId, str]]:
    return sorted(((key, project.title) for key, project in world.projects.items()), key=lambda pair: pair[1])


async def invite(request: Request, signed: Signed) -> Response:
    """`POST /people`: invite somebody of the organisation and show their link, once."""
    services: Services = request.app.state.services
    form = await request.form()
    typed = {name: str(form.get(name, "")).strip() for name in ("name", "email", "role")}
    chosen = _chosen(form)
    given = Given(**typed, all=chosen is None, projects=chosen or ())
    try:
        secret = await run_in_threadpool(_invite, services, signed, given, chosen)
    except Refused as refused:
        return await _people(request, signed, refused, given)
    return _linked(request, signed, given.name, given.email, secret)


def _chosen(form: FormData) -> tuple[ProjectId, ...] | None:
    """Return the projects ticked in a form; None for all of them."""
    if str(form.get("which", "all")) == "all":
        return None
    return tuple(sorted({ProjectId(key) for key in form.getlist("project") if isinstance(key, str)}))


def _invite(services: Services, signed: Signed, given: Given, chosen: tuple[ProjectId, ...] | None) -> str:
    """Invite one of the organisation and return the secret of their link."""
    role, email = cast("Role", given.role), given.email
    if role not in ROLES:
        raise Invalid(_("Choose what they are: project manager, auditor or admin."), "role")
    staff = [p for p in services.present.refresh().people.values() if p.role != "viewer" and not p.disabled]
    if any(p.email.casefold() == email.casefold() for p in staff):
        raise Conflict(_("{email} was invited already. Make a new link for them instead.", email=email), "email")
    projects = chosen if role == "manager" else None
    _other, secret = services.credentials.invite(
        actor_of(signed),
        name=given.name,
        email=email,
        role=role,
        projects=projects,
    )
    return secret


def _linked(request: Request, signed: Signed, name: str, email: str, secret: str) -> Response:
    services: Services = request.app.state.services
    shown = PersonLinkPage(
        name=name,
        email=email,
        link=f"{services.settings.origin}/in/{secret}",
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
    return _linked(request, signed, person.name, person.email, secret)


async def assign(request: Request, signed: Signed) -> Response:
    """`GET|POST /people/{person}/projects`: which projects a manager manages."""
    services: Services = request.app.state.services
    person = await run_in_threadpool(_colleague, services, request)
    if person is None or person.role != "manager":
        return not_found()
    chosen, problem = person.projects, None
    if request.method == "POST":
        form = await request.form()
        chosen, key = _chosen(form), CommandId(str(form.get("command_id", "")) or new_id(24))
        try:
            command = AssignProjects(person=person.id, projects=chosen)
            await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=key)
            return RedirectResponse("/people?done=assigned", 303)
        except Refused as refused:
            problem = refused
    shown = PersonProjectsPage(
        person=person,
        projects=_projects(services.present.world),
        given=Given(all=chosen is None, projects=chosen or ()),
        problem=problem,
        **shell(services, signed),
    )
    return services.pages.answer(request, shown, status_of(problem) if problem else 200)


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
    return [
        door("/people", people, allow=ADMIN),
        door("/people", invite, allow=ADMIN, methods=["POST"], name="invite_staff"),
        door("/people/{person}/link", link, allow=ADMIN, methods=["POST"], name="link_staff"),
        door("/people/{person}/projects", assign, allow=ADMIN, methods=["GET", "POST"]),
        door("/people/{person}/end", end, allow=ADMIN, methods=["GET", "POST"], name="end_staff"),
    ]
