"""The clients: who of them has access, what last reached whom, whom to let in at all, and ending one or everybody."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.commands import AnyCommand
from domain.errors import Denied, Invalid, Refused
from domain.headline import count
from domain.ids import CommandId, PersonId
from domain.language import N_
from domain.language import gettext as _
from domain.people.access import DisablePerson, EndSession, Person
from domain.people.clients import Client, ClientCommand, EndClient, SetMailDomains
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.people.client_standing import client_of, clients_of, standing
from web.people.viewers import end_person
from web.process.services import Services
from web.staff.frame import shell
from web.write.permission import Actor, permit

SAID = {
    "domains": N_("Recorded. It holds for the next invitation."),
    "session": N_("Ended. Whatever was open in it has closed."),
    "person": N_("Ended. Every page of theirs has closed."),
    "ended": N_("Ended. Every open page was closed, and nobody of it comes in."),
}


def _actor(signed: Signed) -> Actor:
    return Actor(signed.person.id, signed.person.role, signed.person.client)


def _may(services: Services, signed: Signed, command: AnyCommand) -> bool:
    try:
        permit(_actor(signed), command, services.present.world)
    except Denied:
        return False
    return True


def counted(value: int, one: str, many: str = "") -> str:
    """Return "no share", "one share", "two shares"."""
    return count(value, one, many) if value else _("no {one}", one=one)


async def clients(request: Request, signed: Signed) -> Response:
    """`GET /clients`: every client that may be known, with its shares, people and open pages."""
    services: Services = request.app.state.services

    def found() -> list[Any]:
        world = services.present.refresh()
        return [standing(services, signed, client) for client in clients_of(world, signed.person)]

    lines = await run_in_threadpool(found)
    return services.pages.response(request, "pm/clients.html", lines=lines, **shell(services, signed))


async def client(request: Request, signed: Signed) -> Response:
    """`GET /clients/{client}`: its shares and people, what last reached whom, and who may be invited."""
    services: Services = request.app.state.services
    found = await run_in_threadpool(client_of, services, signed, request.path_params["client"])
    return not_found() if found is None else await _client(request, signed, found)


async def _client(
    request: Request, signed: Signed, found: Client, problem: Refused | None = None, domains: str | None = None
) -> Response:
    services: Services = request.app.state.services
    stands = await run_in_threadpool(lambda: standing(services, signed, found, deep=True))
    context = {
        "client": found,
        "stands": stands,
        "names": services.present.world.person_name,
        "count": counted,
        "domains": ", ".join(found.domains) if domains is None else domains,
        "problem": problem,
        "may_end": _may(services, signed, EndClient(client=found.id, reason="asked")),
        "may_bound": _may(services, signed, SetMailDomains(client=found.id, domains=())),
        "may_cut": {
            s.person.id: _may(services, signed, DisablePerson(person=s.person.id, reason="asked"))
            for s in stands.people
        },
        "said": SAID.get(request.query_params.get("done", ""), ""),
    }
    status = status_of(problem) if problem else 200
    return services.pages.response(request, "pm/client.html", status, **context, **shell(services, signed))


async def domains(request: Request, signed: Signed) -> Response:
    """`POST /clients/{client}/domains`: which mail domains may be invited; none: any."""
    services: Services = request.app.state.services
    found = await run_in_threadpool(client_of, services, signed, request.path_params["client"])
    if found is None:
        return not_found()
    form = await request.form()
    typed = str(form.get("domains", ""))
    named = tuple(typed.replace(",", " ").replace(";", " ").split())
    try:
        await _tell(services, signed, SetMailDomains(client=found.id, domains=named), form.get("command_id"))
    except Refused as refused:
        return await _client(request, signed, found, refused, typed)
    return RedirectResponse(f"/clients/{found.id}?done=domains#domains", 303)


async def _tell(services: Services, signed: Signed, command: ClientCommand | EndSession, key: object) -> None:
    command_id = CommandId(str(key or "") or new_id(24))
    await run_in_threadpool(services.service.execute, _actor(signed), command, command_id=command_id)


async def _person(request: Request, signed: Signed) -> tuple[Client | None, Person | None]:
    services: Services = request.app.state.services
    found = await run_in_threadpool(client_of, services, signed, request.path_params["client"])
    person = services.present.world.people.get(PersonId(request.path_params["person"]))
    if found is None or person is None or person.client != found.id or person.disabled:
        return None, None
    may = _may(services, signed, DisablePerson(person=person.id, reason="asked"))
    return (found, person) if may else (None, None)


async def end_one(request: Request, signed: Signed) -> Response:
    """`GET|POST /clients/{client}/people/{person}/end`: end a person's access, for a reason."""
    found, person = await _person(request, signed)
    if found is None or person is None:
        return not_found()
    action, back = f"/clients/{found.id}/people/{person.id}/end", f"/clients/{found.id}?done=person#people"
    return await end_person(request, signed, person, action=action, back=back)


async def end_session(request: Request, signed: Signed) -> Response:
    """`POST /clients/{client}/people/{person}/sessions/{session}/end`: end one session; its sockets close."""
    services: Services = request.app.state.services
    found, person = await _person(request, signed)
    if found is None or person is None:
        return not_found()
    command = EndSession(person=person.id, session=request.path_params["session"], cause="ended")
    await _tell(services, signed, command, None)
    return RedirectResponse(f"/clients/{found.id}?done=session#people", 303)


async def end(request: Request, signed: Signed) -> Response:
    """`GET|POST /clients/{client}/end`: end everything with a client, once its name was typed and a reason given."""
    services: Services = request.app.state.services
    found = await run_in_threadpool(client_of, services, signed, request.path_params["client"])
    if found is None or not _may(services, signed, EndClient(client=found.id, reason="asked")):
        return not_found()
    if found.ended_at is not None:
        return RedirectResponse(f"/clients/{found.id}", 303)
    problem: Refused | None = None
    form = await request.form() if request.method == "POST" else {}
    typed = {name: str(form.get(name, "")).strip() for name in ("name", "reason")}
    if request.method == "POST":
        try:
            if typed["name"] != found.name:
                raise Invalid(_("Type the name exactly as it stands here: {name}", name=found.name), "name")
            await _tell(services, signed, EndClient(client=found.id, reason=typed["reason"]), form.get("command_id"))
            return RedirectResponse(f"/clients/{found.id}?done=ended", 303)
        except Refused as refused:
            problem = refused
    stands = await run_in_threadpool(standing, services, signed, found)
    context = {"client": found, "stands": stands, "problem": problem, "typed": typed}
    status = status_of(problem) if problem else 200
    return services.pages.response(request, "pm/client_end.html", status, **context, **shell(services, signed))


def routes() -> list[BaseRoute]:
    """Return the routes of clients."""
    here = "/clients/{client}"
    return [
        door("/clients", clients, allow=STAFF),
        door(here, client, allow=STAFF),
        door(f"{here}/domains", domains, allow=STAFF, methods=["POST"]),
        door(f"{here}/end", end, allow=STAFF, methods=["GET", "POST"], name="end_client"),
        door(f"{here}/people/{{person}}/end", end_one, allow=STAFF, methods=["GET", "POST"]),
        door(f"{here}/people/{{person}}/sessions/{{session}}/end", end_session, allow=STAFF, methods=["POST"]),
    ]
