"""Pages on which a viewer chooses how often to be mailed about changes, and the address that stops the mails.

Rule: looking changes nothing, so scanners that follow links stop nobody's mails; what stops them is a POST.
"""

from collections.abc import Sequence
from typing import get_args

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.ids import ClientId, CommandId, PersonId
from domain.language import gettext as _
from domain.people.mails import Cadence, ChooseDigest, Mail
from domain.people.person import Person
from projections.events.world import World
from projections.wording.phrases import listed
from web.door.guard import VIEWERS, Signed, door, not_found, open_door
from web.door.templates import Page
from web.ids import new_id
from web.mail import state
from web.mail.stop import stopped_by
from web.process.rights import organisation_of
from web.process.services import Services
from web.write.permission import Actor

SHOWN = 12  # mails listed


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """How often a viewer is mailed what changed on shares of one client."""

    id: ClientId
    client: str
    cadence: Cadence
    choices: Sequence[tuple[Cadence, str, str]]  # name, explanation


class MailPage(Page, frozen=True, kw_only=True):
    """A viewer's choice of mails for each client, and the last ones with what became of them."""

    template = "client/mail.html"
    signed: Signed
    organisation: str
    client: str
    sends: bool  # whether this installation sends mails
    kept: Sequence[Choice]  # by name of the client
    mails: Sequence[str]  # newest first
    zone: str  # of their times, IANA: that of their clients where they have one
    command_id: str


class MailStopPage(Page, frozen=True, kw_only=True):
    """The button that stops a viewer's mails, or that they are stopped."""

    template = "mail_stop.html"
    organisation: str
    token: str
    off: bool


async def page(request: Request, signed: Signed) -> Response:
    """`GET /home/mail`: how often, and the last mails with what became of them."""
    services: Services = request.app.state.services
    return services.pages.answer(request, await run_in_threadpool(_mail_page, services, signed))


def _mail_page(services: Services, signed: Signed) -> MailPage:
    world = services.present.refresh()
    person = world.people.get(signed.person.id, signed.person)
    zone = world.common_zone(signed.clients)
    kept = sorted((_kept(services, world, person, client) for client in signed.clients), key=lambda one: one.client)
    return MailPage(
        signed=signed,
        organisation=organisation_of(services, signed.clients),
        client=listed([one.client for one in kept]),
        sends=services.mail_sender is not None,
        kept=kept,
        mails=_last_mails(world, person, signed.clients, zone),
        zone=zone,
        command_id=new_id(24),
    )


def _kept(services: Services, world: World, person: Person, client: ClientId) -> Choice:
    zone, hour = world.clients[client].time_zone, f"{services.settings.digest_hour:02}:00"
    return Choice(
        id=client,
        client=world.client_name(client),
        cadence=person.digest(client),
        choices=(
            (
                "instant",
                _("As it happens"),
                _("Within a minute of a change; changes made together come in one email."),
            ),
            ("daily", _("Every day"), _("At {hour} ({zone}), on days when something changed.", hour=hour, zone=zone)),
            (
                "weekly",
                _("Every week"),
                _("On Monday at {hour} ({zone}), when something changed.", hour=hour, zone=zone),
            ),
            ("off", _("Never"), _("The dashboard has it all the same.")),
        ),
    )


def _last_mails(world: World, person: Person, clients: Sequence[ClientId], zone: str) -> list[str]:
    """Return how the last mails for some clients of a viewer stand, newest first; links are at `/me`."""

    def client_of(mail: Mail) -> ClientId | None:
        return world.shares[mail.share].client if mail.share else mail.client or next(iter(person.memberships), None)

    mails = [mail for mail in person.mails if mail.kind in ("invitation", "digest")]
    theirs = [(mail, client) for mail in mails if (client := client_of(mail)) in clients and client]
    return [state.state(mail, zone, answer=False) for mail, _client in reversed(theirs[-SHOWN:])]


async def choose(request: Request, signed: Signed) -> Response:
    """`POST /home/mail`: choose how often, for the client named, or for all one is signed in for."""
    services: Services = request.app.state.services
    form = await request.form()
    wanted, named = str(form.get("cadence", "")), str(form.get("client", ""))
    clients = [client for client in signed.clients if named in ("", client)]
    for cadence in get_args(Cadence):
        if cadence == wanted and (cadence == "off" or services.mail_sender is not None):
            await run_in_threadpool(_choose, services, signed.person, cadence, clients)
    return RedirectResponse("/home/mail", 303)


def _choose(services: Services, person: Person, cadence: Cadence, clients: Sequence[ClientId]) -> None:
    """Record a choice; who asks for mails for the first time, or again, gets those about changes from now on."""
    world, heads = services.present.refresh(), services.logs.disclosure.head
    actor = Actor(person.id, person.role, person.clients)
    for client in clients:
        starts = person.digest(client) == "off" and cadence != "off"
        since = {s.id: heads(s.id) for s in world.shares_of_client(client)} if starts else {}
        command = ChooseDigest(person=PersonId(person.id), cadence=cadence, since=since, client=client)
        services.service.execute(actor, command, command_id=CommandId(new_id(24)))  # twice is once: it is a choice


async def stopping(request: Request) -> Response:
    """`GET /mail/stop/{token}`: a button; nothing is stopped."""
    return await _stop(request, done=False)


async def stop(request: Request) -> Response:
    """`POST /mail/stop/{token}`: no more digests (RFC 8058, one click)."""
    return await _stop(request, done=True)


async def _stop(request: Request, *, done: bool) -> Response:
    services: Services = request.app.state.services
    token = request.path_params["token"]
    person = await run_in_threadpool(stopped_by, services.logs.events.fingerprint, services.present.world.people, token)
    if person is None:
        return not_found()
    if done:
        await run_in_threadpool(_choose, services, person, "off", person.clients)
    organisation = await run_in_threadpool(organisation_of, services, person.clients)
    stopped = MailStopPage(organisation=organisation, token=token, off=done or _off(person))
    return services.pages.answer(request, stopped)


def _off(person: Person) -> bool:
    return all(person.digest(client) == "off" for client in person.clients)


def routes() -> list[BaseRoute]:
    """Return the routes of a viewer's mails."""
    return [
        door("/home/mail", page, allow=VIEWERS, name="home_mail"),
        door("/home/mail", choose, allow=VIEWERS, methods=["POST"]),
        open_door("/mail/stop/{token}", stopping, refresh=True),
        open_door("/mail/stop/{token}", stop, methods=["POST"], refresh=True, keyed=True),
    ]
