"""Pages on which a viewer chooses how often to be mailed about changes, and the address that stops the mails.

Rule: looking changes nothing, so scanners that follow links stop nobody's mails; what stops them is a POST.
"""

from collections.abc import Sequence
from typing import get_args

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.ids import CommandId, PersonId
from domain.language import gettext as _
from domain.people.access import Person
from domain.people.mails import Cadence, ChooseDigest
from web.door.guard import VIEWERS, Signed, door, not_found, open_door
from web.door.templates import Page
from web.ids import new_id
from web.mail import state
from web.mail.stop import stopped_by
from web.process.services import Services
from web.write.permission import Actor

SHOWN = 12  # mails listed


class MailPage(Page, frozen=True, kw_only=True):
    """A viewer's choice of mails, and the last ones with what became of them."""

    template = "client/mail.html"
    signed: Signed
    organisation: str
    client: str
    sends: bool  # whether this installation sends mails
    cadence: Cadence
    choices: Sequence[tuple[Cadence, str, str]]  # name, explanation
    mails: Sequence[str]  # newest first
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
    world, person = services.present.refresh(), signed.person
    client = world.clients[person.client] if person.client else None
    zone, name = (client.time_zone, client.name) if client else ("UTC", "")
    hour = f"{services.settings.digest_hour:02}:00"
    return MailPage(
        signed=signed,
        organisation=world.organisation or _("Your supplier"),
        client=name,
        sends=services.mail_sender is not None,
        cadence=person.digest,
        choices=(
            ("instant", _("As it happens"), _("Within a minute of a change; changes of one sitting come in one mail.")),
            ("daily", _("Every day"), _("At {hour} ({zone}), on days when something changed.", hour=hour, zone=zone)),
            (
                "weekly",
                _("Every week"),
                _("On Monday at {hour} ({zone}), when something changed.", hour=hour, zone=zone),
            ),
            ("off", _("Never"), _("The dashboard has it all the same.")),
        ),
        mails=[state.state(mail, zone, answer=False) for mail in reversed(person.mails[-SHOWN:])],
        command_id=new_id(24),
    )


async def choose(request: Request, signed: Signed) -> Response:
    """`POST /home/mail`: choose how often."""
    services: Services = request.app.state.services
    form = await request.form()
    wanted = str(form.get("cadence", ""))
    for cadence in get_args(Cadence):
        if cadence == wanted and (cadence == "off" or services.mail_sender is not None):
            await run_in_threadpool(_choose, services, signed.person, cadence)
    return RedirectResponse("/home/mail", 303)


def _choose(services: Services, person: Person, cadence: Cadence) -> None:
    """Record a choice; who asks for mails for the first time, or again, gets those about changes from now on."""
    world, heads = services.present.refresh(), services.logs.disclosure.head
    starts = person.digest == "off" and cadence != "off" and person.client is not None
    since = {s.id: heads(s.id) for s in world.shares_of_client(person.client)} if starts and person.client else {}
    command = ChooseDigest(person=PersonId(person.id), cadence=cadence, since=since)
    actor = Actor(person.id, person.role, person.client)
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
        await run_in_threadpool(_choose, services, person, "off")
    organisation = services.present.world.organisation or _("Your supplier")
    stopped = MailStopPage(organisation=organisation, token=token, off=done or person.digest == "off")
    return services.pages.answer(request, stopped)


def routes() -> list[BaseRoute]:
    """Return the routes of a viewer's mails."""
    return [
        door("/home/mail", page, allow=VIEWERS, name="home_mail"),
        door("/home/mail", choose, allow=VIEWERS, methods=["POST"]),
        open_door("/mail/stop/{token}", stopping, refresh=True),
        open_door("/mail/stop/{token}", stop, methods=["POST"], refresh=True, keyed=True),
    ]
