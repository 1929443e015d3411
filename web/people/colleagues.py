"""The people of the organisation itself, for admins: who has which role, who manages what, inviting and ending."""

from typing import Any, cast

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
from domain.people.access import AssignProjects, Person, Role
from projections.events.world import World
from projections.wording.phrases import listed
from web.door.guard import ADMIN, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.people.viewers import end_person
from web.process.services import Services
from web.staff.frame import shell
from web.write.permission import Actor

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
    here: bool  # whoever looks


def _actor(signed: Signed) -> Actor:
    return Actor(signed.person.id, signed.person.role, signed.person.client)


async def people(request: Request, signed: Signed) -> Response:
    """`GET /people`: everybody of the organisation, and a form to invite one more."""
    return await _people(request, signed)


async def _people(request: Request, signed: Signed, problem: Refused | None = None, **given: Any) -> Response:
    services: Services = request.app.state.services
    world = await run_in_threadpool(services.present.refresh)
    staff = [p for p in world.people.values() if p.role != "viewer"]
    ordered = sorted(staff, key=lambda p: (p.disabled, p.name, p.id))
    context = {
        "members": [_member(world, person, signed) for person in ordered],
        "roles": ROLES,
        "projects": _projects(world),
        "given": {"name": "", "email": "", "role": "manager", "all": True, "projects": ()} | given,
        "problem": problem,
        "said": SAID.get(request.query_params.get("done", ""), ""),
    }
    status = status_of(problem) if problem else 200
    return services.pages.response(request, "pm/people.html", status, **context, **shell(services, signed))


def _member(world: World, person: Person, signed: Signed) -> Colleague:
    titles = sorted(world.projects[key].title for key in person.projects or () if key in world.projects)
    told = _("All projects") if person.projects is None else listed(titles) or _("No project")
    return Colleague(
        person=person,
        role=ROLES.get(person.role, person.role),
        projects=told
        if person.role == "manager"
        else _("All projects, read-only")
        if person.role == "auditor"
        else _("All"),
        here=person.id == signed.person.id,
    )


def _projects(world: World) -> list[tuple[ProjectId, str]]:
    return sorted(((key, project.title) for key, project in world.projects.items()), key=lambda pair: pair[1])


async def invite(request: Request, signed: Signed) -> Response:
    """`POST /people`: invite somebody of the organisation and show their link, once."""
    services: Services = request.app.state.services
    form = await request.form()
    given = {name: str(form.get(name, "")).strip() for name in ("name", "email", "role")}
    chosen = _chosen(form)
    try:
        secret = await run_in_threadpool(_invite, services, signed, given, chosen)
    except Refused as refused:
        return await _people(request, signed, refused, **given, all=chosen is None, projects=chosen or ())
    return _linked(request, signed, given["name"], given["email"], secret)


def _chosen(form: FormData) -> tuple[ProjectId, ...] | None:
    """Return the projects ticked in a form; None for all of them."""
    if str(form.get("which", "all")) == "all":
        return None
    return tuple(sorted({ProjectId(key) for key in form.getlist("project") if isinstance(key, str)}))


def _invite(services: Services, signed: Signed, given: dict[str, str], chosen: tuple[ProjectId, ...] | None) -> str:
    role, email = cast("Role", given["role"]), given["email"]
    if role not in ROLES:
        raise Invalid(_("Choose what they are: project manager, auditor or admin."), "role")
    staff = [p for p in services.present.refresh().people.values() if p.role != "viewer" and not p.disabled]
    if any(p.email.casefold() == email.casefold() for p in staff):
        raise Conflict(_("{email} was invited already. Make a new link for them instead.", email=email), "email")
    projects = chosen if role == "manager" else None
    _other, secret = services.credentials.invite(
        _actor(signed),
        name=given["name"],
        email=email,
        role=role,
        projects=projects,
    )
    return secret


def _linked(request: Request, signed: Signed, name: str, email: str, secret: str) -> Response:
    services: Services = request.app.state.services
    context = {"name": name, "email": email, "link": f"{services.settings.origin}/in/{secret}"}
    hours = services.settings.link_hours
    return services.pages.response(request, "pm/person_link.html", hours=hours, **context, **shell(services, signed))


def _of_staff(services: Services, request: Request) -> Person | None:
    found = services.present.refresh().people.get(PersonId(request.path_params["person"]))
    return found if found is not None and found.role != "viewer" and not found.disabled else None


async def link(request: Request, signed: Signed) -> Response:
    """`POST /people/{person}/link`: show a new link for one of ours, once."""
    services: Services = request.app.state.services
    person = await run_in_threadpool(_of_staff, services, request)
    if person is None:
        return not_found()
    secret = await run_in_threadpool(services.credentials.link, _actor(signed), person.id)
    return _linked(request, signed, person.name, person.email, secret)


async def assign(request: Request, signed: Signed) -> Response:
    """`GET|POST /people/{person}/projects`: which projects a manager manages."""
    services: Services = request.app.state.services
    person = await run_in_threadpool(_of_staff, services, request)
    if person is None or person.role != "manager":
        return not_found()
    chosen, problem = person.projects, None
    if request.method == "POST":
        form = await request.form()
        chosen, key = _chosen(form), CommandId(str(form.get("command_id", "")) or new_id(24))
        try:
            command = AssignProjects(person=person.id, projects=chosen)
            await run_in_threadpool(services.service.execute, _actor(signed), command, command_id=key)
            return RedirectResponse("/people?done=assigned", 303)
        except Refused as refused:
            problem = refused
    given = {"all": chosen is None, "projects": chosen or ()}
    context = {"person": person, "projects": _projects(services.present.world), "given": given, "problem": problem}
    status = status_of(problem) if problem else 200
    return services.pages.response(request, "pm/person_projects.html", status, **context, **shell(services, signed))


async def end(request: Request, signed: Signed) -> Response:
    """`GET|POST /people/{person}/end`: end the access of one of ours, for a reason; nobody ends their own."""
    services: Services = request.app.state.services
    person = await run_in_threadpool(_of_staff, services, request)
    if person is None or person.id == signed.person.id:
        return not_found()
    return await end_person(request, signed, person, action=f"/people/{person.id}/end", back="/people?done=ended")


def routes() -> list[BaseRoute]:
    """Return the routes of the organisation's own people."""
    return [
        door("/people", people, allow=ADMIN),
        door("/people", invite, allow=ADMIN, methods=["POST"], name="invite_staff"),
        door("/people/{person}/link", link, allow=ADMIN, methods=["POST"], name="link_staff"),
        door("/people/{person}/projects", assign, allow=ADMIN, methods=["GET", "POST"]),
        door("/people/{person}/end", end, allow=ADMIN, methods=["GET", "POST"], name="end_staff"),
    ]
