"""Pages on which a lead of a client sees its people, invites colleagues within its email domains, and ends them.

Rule: a page is of one client, made of its memberships alone. A link is emailed to whom it is for and never shown: who
invites cannot come in as the one they invited.
"""

from collections.abc import Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Refused
from domain.ids import ClientId, CommandId, PersonId
from domain.language import N_
from domain.language import gettext as _
from domain.people.memberships import EndMembership, Membership
from domain.people.person import InvitePerson, Person
from projections.events.world import World
from projections.wording import words
from web.door.guard import VIEWERS, Signed, door, not_found
from web.door.problem import status_of
from web.door.templates import Page
from web.ids import new_id
from web.process.rights import organisation_of
from web.process.services import Services, services_of
from web.write import leads
from web.write.permission import SYSTEM, Actor

SAID = {
    "mailed": N_("Invited. The link was emailed to them."),
    "waits": N_("Invited. The email could not be handed over yet; it is tried again."),
    "invited": N_("Invited. No emails are sent from here: they get their link from whoever works with you."),
    "ended": N_("Ended. Every page of theirs has closed."),
}


class OwnClient(msgspec.Struct, frozen=True):
    """One client that somebody is a lead of."""

    id: ClientId
    name: str


class Colleague(msgspec.Struct, frozen=True, kw_only=True):
    """One person of a client, as a lead of it knows them."""

    id: PersonId
    name: str
    email: str
    state: str
    lead: bool
    here: bool  # whether it is who looks
    by: str  # who of the client invited them, "" for nobody of it
    may_end: bool


class OwnClientsPage(Page, frozen=True, kw_only=True):
    """The clients somebody is a lead of, to choose one."""

    template = "client/people_which.html"
    signed: Signed
    organisation: str
    clients: Sequence[OwnClient]


class OwnPeoplePage(Page, frozen=True, kw_only=True):
    """The people of one client, and the form that invites one more."""

    template = "client/people.html"
    signed: Signed
    organisation: str
    client: str
    key: ClientId
    people: Sequence[Colleague]
    domains: Sequence[str]
    name: str  # as typed
    email: str
    problem: Refused | None
    said: str
    command_id: str


class EndColleaguePage(Page, frozen=True, kw_only=True):
    """The question why the access of a colleague ends."""

    template = "client/people_end.html"
    signed: Signed
    organisation: str
    client: str
    key: ClientId
    person: PersonId
    name: str
    reason: str
    problem: Refused | None
    command_id: str


def led_by(world: World, signed: Signed) -> list[ClientId]:
    """Return the clients that somebody is a lead of, as far as their session opens them, by name."""
    person = world.people.get(signed.person.id)
    led = [client for client in signed.clients if person is not None and person.leads(client)]
    return sorted(led, key=world.client_name)


async def which(request: Request, signed: Signed) -> Response:
    """`GET /home/people`: the people of the client one is a lead of, or of which, where there are several."""
    services = services_of(request)
    world = await run_in_threadpool(services.present.refresh)
    led = led_by(world, signed)
    if not led:
        return not_found()
    if len(led) == 1:
        return RedirectResponse(f"/home/people/{led[0]}", 303)
    shown = OwnClientsPage(
        signed=signed,
        organisation=await run_in_threadpool(organisation_of, services, led),
        clients=[OwnClient(client, world.client_name(client)) for client in led],
    )
    return services.pages.answer(request, shown)


async def people(request: Request, signed: Signed) -> Response:
    """`GET /home/people/{client}`: who of the client has access, and a form to invite one more."""
    client = await _client(request, signed)
    return not_found() if client is None else await _people(request, signed, client)


async def _client(request: Request, signed: Signed) -> ClientId | None:
    """Return the client an address names, where whoever asks is a lead of it."""
    world = await run_in_threadpool(services_of(request).present.refresh)
    named = ClientId(request.path_params["client"])
    return named if named in led_by(world, signed) else None


async def _people(
    request: Request, signed: Signed, client: ClientId, form: FormData | None = None, problem: Refused | None = None
) -> Response:
    services = services_of(request)
    world, said = services.present.world, SAID.get(request.query_params.get("done", ""))
    me = world.people[signed.person.id]
    listed = [_line(world, me, person, client) for person in world.viewers_of(client)]
    shown = OwnPeoplePage(
        signed=signed.for_client(client),
        organisation=await run_in_threadpool(organisation_of, services, (client,)),
        client=world.client_name(client),
        key=client,
        people=sorted(listed, key=lambda one: (not one.here, one.name, one.id)),
        domains=world.clients[client].domains,
        name=_typed(form, "name"),
        email=_typed(form, "email"),
        problem=problem,
        said=_(said) if said and problem is None else "",
        command_id=new_id(24),
    )
    return services.pages.answer(request, shown, status_of(problem) if problem else 200)


def _line(world: World, me: Person, person: Person, client: ClientId) -> Colleague:
    known = person.memberships[client]
    return Colleague(
        id=person.id,
        name=known.name,
        email=known.email,
        state=_state(known, world.clients[client].time_zone),
        lead=known.lead,
        here=person.id == me.id,
        by=world.person_name(known.invited_by, client) if known.invited_by else "",
        may_end=leads.may_end(world, me, person, client),
    )


def _state(known: Membership, zone: str) -> str:
    if known.joined is None:
        return _("Invited, has not signed in yet")
    return _("Signed in first on {day}", day=words.day_year(words.local(known.joined, zone).date()))


def _typed(form: FormData | None, name: str) -> str:
    return str(form.get(name, "")).strip() if form is not None else ""


async def invite(request: Request, signed: Signed) -> Response:
    """`POST /home/people/{client}`: invite a colleague; the link is emailed to them, and shown to nobody."""
    client = await _client(request, signed)
    if client is None:
        return not_found()
    form = await request.form()
    try:
        done = await run_in_threadpool(_invite, services_of(request), signed, client, form)
    except Refused as refused:
        return await _people(request, signed, client, form, refused)
    return RedirectResponse(f"/home/people/{client}?done={done}", 303)


def _actor(signed: Signed) -> Actor:
    return Actor(signed.person.id, signed.person.role, signed.clients)


def _invite(services: Services, signed: Signed, client: ClientId, form: FormData) -> str:
    """Invite a colleague in the lead's name, and have the system email them; return what to say.

    Raises: Refused.
    """
    world = services.present.refresh()
    command = InvitePerson(
        person=PersonId(new_id()), name=_typed(form, "name"), email=_typed(form, "email"), role="viewer", client=client
    )
    refused = leads.refusal(world, world.people[signed.person.id], command)
    if refused is not None:
        raise refused
    key = CommandId(_typed(form, "command_id") or new_id(24))
    answer = services.service.execute(_actor(signed), command, command_id=key)
    if services.mail_sender is None or answer.repeated:
        return "invited" if services.mail_sender is None else "mailed"
    person = PersonId(answer.stream.partition("-")[2])
    secret = services.credentials.link(SYSTEM, person, client)
    mail = services.mail_sender.invite(SYSTEM, person, client, secret)
    return "mailed" if mail is not None and mail.state == "accepted" else "waits"


async def end(request: Request, signed: Signed) -> Response:
    """`GET|POST /home/people/{client}/{person}/end`: end the access of a colleague, for a reason."""
    client, services = await _client(request, signed), services_of(request)
    world = services.present.world
    person = world.people.get(PersonId(request.path_params["person"]))
    me = world.people.get(signed.person.id)
    if client is None or me is None or person is None or client not in person.clients:
        return not_found()
    if not leads.may_end(world, me, person, client):
        return not_found()
    form = await request.form() if request.method == "POST" else None
    problem: Refused | None = None
    if form is not None:
        command = EndMembership(person=person.id, client=client, reason=_typed(form, "reason"))
        key = CommandId(_typed(form, "command_id") or new_id(24))
        try:
            await run_in_threadpool(services.service.execute, _actor(signed), command, command_id=key)
            return RedirectResponse(f"/home/people/{client}?done=ended", 303)
        except Refused as refused:
            problem = refused
    shown = EndColleaguePage(
        signed=signed.for_client(client),
        organisation=await run_in_threadpool(organisation_of, services, (client,)),
        client=world.client_name(client),
        key=client,
        person=person.id,
        name=person.memberships[client].name,
        reason=_typed(form, "reason"),
        problem=problem,
        command_id=new_id(24),
    )
    return services.pages.answer(request, shown, status_of(problem) if problem else 200)


def routes() -> list[BaseRoute]:
    """Return the routes of a lead's own client."""
    here = "/home/people/{client}"
    return [
        door("/home/people", which, allow=VIEWERS, name="own_clients"),
        door(here, people, allow=VIEWERS, name="own_people"),
        door(here, invite, allow=VIEWERS, methods=["POST"], name="invite_colleague"),
        door(f"{here}/{{person}}/end", end, allow=VIEWERS, methods=["GET", "POST"], name="end_colleague"),
    ]
