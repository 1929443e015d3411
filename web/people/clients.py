"""Pages of the clients: who has access, what last reached whom, which email domains may be invited, ending access."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Invalid, Refused
from domain.headline import counted
from domain.ids import CommandId, PersonId
from domain.language import N_, Said, sentence
from domain.language import gettext as _
from domain.people.clients import Client, ClientCommand, EndClient, SetClientDeviceDays, SetMailDomains
from domain.people.devices import EndDevice
from domain.people.memberships import EndLead, NameLead
from domain.people.person import Person
from domain.people.sign_ins import EndSession
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.people.client_standing import ClientStanding, client_of, clients_of, for_all_shares, standing
from web.people.colleagues import typed_days
from web.people.viewers import Ending, end_person, may_end
from web.process.services import Services
from web.staff.acting import actor_of, permitted
from web.staff.for_you import opened
from web.staff.frame import StaffPage, shell

SAID = Said(
    {
        "domains": N_("Recorded. It holds for the next invitation."),
        "days": N_("Recorded. It holds for devices that stay signed in already, too."),
        "session": N_("Ended. Whatever was open in it has closed."),
        "person": N_("Ended. Every page of theirs has closed."),
        "provider": N_("Removed. Nobody signs in by it, and the sessions it made have ended."),
        "lead": N_("Recorded. They find the people of their client beside their projects."),
        "no-lead": N_("Recorded. They invite nobody any more; whom they invited stays."),
        "ended": N_("Ended. Every open page was closed, and nobody of it can sign in."),
    }
)


class ClientsPage(StaffPage, frozen=True, kw_only=True):
    """Every client that may be known."""

    template = "pm/clients.html"
    lines: list[ClientStanding]


class ClientPage(StaffPage, frozen=True, kw_only=True):
    """One client with its shares, its people and what may be done about it."""

    template = "pm/client.html"
    client: Client
    stands: ClientStanding
    name: Callable[[str], str]  # what a person is called, by id
    terms: Sequence[str]  # what holds for all of its shares, in sentences
    stood: str  # how many shares, people and open pages there are, as a sentence
    domains: str  # as typed or as they hold
    problem: Refused | None
    may_end: bool
    may_bound: bool  # set the email domains, and for how long devices stay signed in
    may_provide: bool  # set identity providers
    may_lead: Mapping[PersonId, bool]  # make somebody a lead, or end that
    days: str  # for which a device may stay signed in, as typed or as it holds; "": as the organisation allows
    own_days: int  # that the organisation allows
    may_cut: Mapping[PersonId, bool]  # end the access of a person
    said: str


class EndClientPage(StaffPage, frozen=True, kw_only=True):
    """The question whether everything with a client ends."""

    template = "pm/client_end.html"
    client: Client
    stands: ClientStanding
    problem: Refused | None
    typed: Mapping[str, str]  # name, reason


def _stood(stands: ClientStanding) -> str:
    """Return how many shares are in force, people have access and pages are open, as a sentence."""
    shares, people, pages = stands.in_force, stands.with_access, stands.open_pages
    told = (
        counted("one share in force", "{many} shares in force", shares) if shares else _("no share in force"),
        counted("one person with access", "{many} people with access", people)
        if people
        else _("no person with access"),
        counted("one open page now", "{many} open pages now", pages) if pages else _("no open page now"),
    )
    return sentence(", ".join(told))


async def clients(request: Request, signed: Signed) -> Response:
    """`GET /clients`: every client that may be known, with its shares, people and open pages."""
    services: Services = request.app.state.services

    lines = await run_in_threadpool(_standings, services, signed)
    return services.pages.answer(request, ClientsPage(lines=lines, **shell(services, signed)))


def _standings(services: Services, signed: Signed) -> list[ClientStanding]:
    world = services.present.refresh()
    return [standing(services, signed, client) for client in clients_of(world, signed.person)]


async def client(request: Request, signed: Signed) -> Response:
    """`GET /clients/{client}`: its shares and people, what last reached whom, and who may be invited."""
    services: Services = request.app.state.services
    client = await run_in_threadpool(client_of, services, signed, request.path_params["client"])
    return not_found() if client is None else await _client(request, signed, client)


class _Typed(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed and refused; None where it was not."""

    domains: str | None = None
    days: str | None = None


NOTHING = _Typed()


async def _client(
    request: Request, signed: Signed, client: Client, problem: Refused | None = None, typed: _Typed = NOTHING
) -> Response:
    services: Services = request.app.state.services
    until = services.present.latest
    stands = await run_in_threadpool(lambda: standing(services, signed, client, deep=True))
    if request.method == "GET":
        await run_in_threadpool(opened, services, signed, f"client-{client.id}", until)
    shown = ClientPage(
        client=client,
        stands=stands,
        name=services.present.world.names_for(client.id),
        terms=for_all_shares(services.present.world, client),
        stood=_stood(stands),
        domains=", ".join(client.domains) if typed.domains is None else typed.domains,
        days=_days_of(client) if typed.days is None else typed.days,
        own_days=services.present.world.rules.device_days,
        problem=problem,
        may_end=permitted(services.present.world, signed, EndClient(client=client.id, reason="asked")),
        may_bound=permitted(services.present.world, signed, SetMailDomains(client=client.id, domains=())),
        may_provide=signed.person.role == "admin",
        may_lead={line.person.id: _may_lead(services, signed, line.person, client) for line in stands.people},
        may_cut={line.person.id: may_end(services, signed, line.person, client.id) for line in stands.people},
        said=SAID.get(request.query_params.get("done", ""), ""),
        **shell(services, signed),
    )
    return services.pages.answer(request, shown, status_of(problem) if problem else 200)


def _may_lead(services: Services, signed: Signed, person: Person, client: Client) -> bool:
    kind = EndLead if person.leads(client.id) else NameLead
    return permitted(services.present.world, signed, kind(person=person.id, client=client.id))


async def lead(request: Request, signed: Signed) -> Response:
    """`POST /clients/{client}/people/{person}/lead`: make somebody a lead of the client, or end that."""
    services: Services = request.app.state.services
    client = await run_in_threadpool(client_of, services, signed, request.path_params["client"])
    person = services.present.world.people.get(PersonId(request.path_params["person"]))
    if client is None or person is None or client.id not in person.clients:
        return not_found()
    form = await request.form()
    kind = NameLead if form.get("lead") == "yes" else EndLead
    command = kind(person=person.id, client=client.id)
    if not permitted(services.present.world, signed, command):
        return not_found()
    try:
        await _record(services, signed, command, form.get("command_id"))
    except Refused as refused:
        return await _client(request, signed, client, refused)
    return RedirectResponse(f"/clients/{client.id}?done={'lead' if kind is NameLead else 'no-lead'}#people", 303)


async def domains(request: Request, signed: Signed) -> Response:
    """`POST /clients/{client}/domains`: which email domains may be invited; none: any."""
    services: Services = request.app.state.services
    client = await run_in_threadpool(client_of, services, signed, request.path_params["client"])
    if client is None:
        return not_found()
    form = await request.form()
    typed = str(form.get("domains", ""))
    named = tuple(typed.replace(",", " ").replace(";", " ").split())
    try:
        await _record(services, signed, SetMailDomains(client=client.id, domains=named), form.get("command_id"))
    except Refused as refused:
        return await _client(request, signed, client, refused, _Typed(domains=typed))
    return RedirectResponse(f"/clients/{client.id}?done=domains#domains", 303)


def _days_of(client: Client) -> str:
    return "" if client.device_days is None else str(client.device_days)


async def device_days(request: Request, signed: Signed) -> Response:
    """`POST /clients/{client}/devices`: for how many days a device stays signed in; "": as the organisation allows."""
    services: Services = request.app.state.services
    client = await run_in_threadpool(client_of, services, signed, request.path_params["client"])
    if client is None:
        return not_found()
    form = await request.form()
    typed = str(form.get("days", "")).strip()
    try:
        command = SetClientDeviceDays(client=client.id, days=typed_days(typed) if typed else None)
        await _record(services, signed, command, form.get("command_id"))
    except Refused as refused:
        return await _client(request, signed, client, refused, _Typed(days=typed))
    return RedirectResponse(f"/clients/{client.id}?done=days#devices", 303)


async def _record(
    services: Services,
    signed: Signed,
    command: ClientCommand | EndSession | EndDevice | NameLead | EndLead,
    key: object,
) -> None:
    command_id = CommandId(str(key or "") or new_id(24))
    await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=command_id)


async def _person(request: Request, signed: Signed) -> tuple[Client | None, Person | None]:
    """Return the client and the person an address names; None for both unless their access may be ended."""
    services: Services = request.app.state.services
    client = await run_in_threadpool(client_of, services, signed, request.path_params["client"])
    person = services.present.world.people.get(PersonId(request.path_params["person"]))
    if client is None or person is None or client.id not in person.clients:
        return None, None
    return (client, person) if may_end(services, signed, person, client.id) else (None, None)


async def end_one(request: Request, signed: Signed) -> Response:
    """`GET|POST /clients/{client}/people/{person}/end`: end a person's access, for a reason."""
    client, person = await _person(request, signed)
    if client is None or person is None:
        return not_found()
    action, back = f"/clients/{client.id}/people/{person.id}/end", f"/clients/{client.id}?done=person#people"
    return await end_person(request, signed, Ending(person=person, action=action, back=back, client=client.id))


async def end_session(request: Request, signed: Signed) -> Response:
    """`POST /clients/{client}/people/{person}/sessions/{session}/end`: end one session; its sockets close."""
    services: Services = request.app.state.services
    client, person = await _person(request, signed)
    if client is None or person is None:
        return not_found()
    session = person.sessions.get(request.path_params["session"])
    if session is not None and client.id not in session.clients:
        return not_found()
    command = EndSession(person=person.id, session=request.path_params["session"], cause="ended")
    await _record(services, signed, command, None)
    return RedirectResponse(f"/clients/{client.id}?done=session#people", 303)


async def end_device(request: Request, signed: Signed) -> Response:
    """`POST /clients/{client}/people/{person}/devices/{device}/end`: end one; its pages close."""
    services: Services = request.app.state.services
    client, person = await _person(request, signed)
    if client is None or person is None:
        return not_found()
    device = person.devices.kept.get(request.path_params["device"])
    if device is None or client.id not in device.clients:
        return not_found()
    await _record(services, signed, EndDevice(person=person.id, device=device.id), None)
    return RedirectResponse(f"/clients/{client.id}?done=session#people", 303)


async def end(request: Request, signed: Signed) -> Response:
    """`GET|POST /clients/{client}/end`: end everything with a client, once its name was typed and a reason given."""
    services: Services = request.app.state.services
    client = await run_in_threadpool(client_of, services, signed, request.path_params["client"])
    if client is None or not permitted(services.present.world, signed, EndClient(client=client.id, reason="asked")):
        return not_found()
    if client.ended_at is not None:
        return RedirectResponse(f"/clients/{client.id}", 303)
    problem: Refused | None = None
    form = await request.form() if request.method == "POST" else {}
    typed = {name: str(form.get(name, "")).strip() for name in ("name", "reason")}
    if request.method == "POST":
        try:
            await _end_everything(services, signed, client, typed, form.get("command_id"))
            return RedirectResponse(f"/clients/{client.id}?done=ended", 303)
        except Refused as refused:
            problem = refused
    stands = await run_in_threadpool(standing, services, signed, client)
    shown = EndClientPage(client=client, stands=stands, problem=problem, typed=typed, **shell(services, signed))
    return services.pages.answer(request, shown, status_of(problem) if problem else 200)


async def _end_everything(
    services: Services, signed: Signed, client: Client, typed: Mapping[str, str], key: object
) -> None:
    if typed["name"] != client.name:
        raise Invalid(_("Type the name exactly as it stands here: {name}", name=client.name), "name")
    await _record(services, signed, EndClient(client=client.id, reason=typed["reason"]), key)


def routes() -> list[BaseRoute]:
    """Return the routes of clients."""
    here = "/clients/{client}"
    return [
        door("/clients", clients, allow=STAFF),
        door(here, client, allow=STAFF),
        door(f"{here}/domains", domains, allow=STAFF, methods=["POST"]),
        door(f"{here}/devices", device_days, allow=STAFF, methods=["POST"], name="client_device_days"),
        door(
            f"{here}/people/{{person}}/devices/{{device}}/end",
            end_device,
            allow=STAFF,
            methods=["POST"],
            name="end_viewer_device",
        ),
        door(f"{here}/end", end, allow=STAFF, methods=["GET", "POST"], name="end_client"),
        door(f"{here}/people/{{person}}/end", end_one, allow=STAFF, methods=["GET", "POST"]),
        door(f"{here}/people/{{person}}/lead", lead, allow=STAFF, methods=["POST"]),
        door(f"{here}/people/{{person}}/sessions/{{session}}/end", end_session, allow=STAFF, methods=["POST"]),
    ]
