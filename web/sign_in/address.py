"""One's own email address: a change is asked for at `/me/address`, and confirmed at the old and at the new one.

Rule: what is said to whoever asks or confirms is the same whether or not somebody else signs in by the new address.
"""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Refused, Unknown
from domain.ids import CommandId
from domain.language import N_
from domain.language import gettext as _
from domain.people.addresses import AddressChange, AskAddressChange, ConfirmAddress, Side, WithdrawAddressChange
from domain.people.person import Person
from projections.wording import words
from web.door.guard import EVERYONE, Signed, door, open_door
from web.door.problem import status_of
from web.door.templates import Page
from web.ids import new_id
from web.mail import state
from web.mail.own import confirmed_by
from web.process.services import Services, services_of
from web.sign_in.link import HOME, allowed, slow_down
from web.sign_in.sessions import zone_of
from web.sign_in.ways import addresses_of
from web.staff.acting import actor_of
from web.staff.frame import StaffPage, shell
from web.write.permission import OPERATOR

HOURS = 24  # in which both addresses have to confirm
GONE = N_("This has been confirmed or withdrawn, or it has expired. Ask for the change again.")


class AddressPage(StaffPage, frozen=True, kw_only=True):
    """One's own address, the change that waits, and the form that asks for one."""

    template = "me_address.html"
    addresses: Sequence[str]  # that this session knows
    sends: bool  # whether this installation sends mails, without which nothing can be confirmed
    sso: str  # what the single sign-on is called, "" where there is none
    asked: AddressChange | None  # the last one, that this session may know of
    until: str  # when it ends, or ended
    waits: bool  # whether it can still be confirmed, as far as whoever asks is told
    mails: Sequence[str]  # how its mails went out, in words
    made: Sequence[str]  # changes that were made, in words
    typed: str
    hours: int
    zone: str  # of the times, IANA
    home: str  # path of the first page of their role
    problem: Refused | None


class ConfirmPage(Page, frozen=True, kw_only=True):
    """The button by which an address confirms a change, or what became of it."""

    template = "address.html"
    organisation: str
    token: str  # "" where there is nothing to confirm
    name: str
    side: str  # "old" or "new"
    new: str
    done: bool
    problem: str


async def address(request: Request, signed: Signed) -> Response:
    """`GET /me/address`: one's own address."""
    services = services_of(request)
    return services.pages.answer(request, await run_in_threadpool(_page, services, signed))


def _page(services: Services, signed: Signed, typed: str = "", problem: Refused | None = None) -> AddressPage:
    world, zone = services.present.refresh(), zone_of(services, signed)
    person = world.people.get(signed.person.id, signed.person)
    asked = _known(signed, person.address_changes.asked)
    return AddressPage(
        **shell(services, signed),
        addresses=addresses_of(person, signed.clients),
        sends=services.mail_sender is not None,
        sso=services.single_sign_on_name,
        asked=asked,
        until=words.moment_year(asked.expires, zone) if asked is not None else "",
        waits=asked is not None and asked.expires > services.now(),
        mails=_mails(person, asked, zone) if asked is not None else [],
        made=[_made(change, zone) for change in reversed(person.address_changes.made) if _known(signed, change)],
        typed=typed,
        hours=HOURS,
        zone=zone,
        home=HOME[person.role],
        problem=problem,
    )


def _known(signed: Signed, change: AddressChange | None) -> AddressChange | None:
    """Return a change if it is about nothing but what the session opens."""
    return change if change is not None and set(change.clients) <= set(signed.clients) else None


def _mails(person: Person, asked: AddressChange, zone: str) -> list[str]:
    """Return how the emails that ask to confirm went out: which address each went to, and what became of it."""
    sent = [mail for mail in person.mails if mail.kind == "address" and mail.about.endswith(f" {asked.id}")]
    return [
        _("{address}: {stands}", address=mail.address, stands=state.state(mail, zone, answer=False)) for mail in sent
    ]


def _made(change: AddressChange, zone: str) -> str:
    at = words.moment_year(change.at, zone)
    return _("{at}: {old} became {new}", at=at, old=change.old, new=change.new)


async def ask(request: Request, signed: Signed) -> Response:
    """`POST /me/address`: ask for a change; both addresses are mailed a link that confirms it."""
    services, form = services_of(request), await request.form()
    typed, old = str(form.get("email", "")).strip(), str(form.get("old", "")).strip()
    command = AskAddressChange(
        person=signed.person.id,
        change=new_id(),
        old=old or signed.person.email,
        new=typed,
        expires=services.now() + timedelta(hours=HOURS),
        clients=signed.clients,
    )
    try:
        if services.mail_sender is None:
            raise Unknown(_("No email is sent from here, so no address can confirm. Ask to be invited by the new one."))
        key = CommandId(new_id(24))
        await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=key)
    except Refused as refused:
        page = await run_in_threadpool(_page, services, signed, typed, refused)
        return services.pages.answer(request, page, status_of(refused))
    return RedirectResponse("/me/address", 303)


async def withdraw(request: Request, signed: Signed) -> Response:
    """`POST /me/address/withdraw`: nothing changes; the links that were mailed confirm nothing any more."""
    services = services_of(request)
    asked = _known(signed, signed.person.address_changes.asked)
    if asked is not None:
        command, key = WithdrawAddressChange(person=signed.person.id, change=asked.id), CommandId(new_id(24))
        await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=key)
    return RedirectResponse("/me/address", 303)


async def confirming(request: Request) -> Response:
    """`GET /address/{token}`: a button; nothing is confirmed, so that a mail scanner confirms nothing."""
    return await _confirm(request, done=False)


async def confirm(request: Request) -> Response:
    """`POST /address/{token}`: confirm a change from one of its addresses."""
    return await _confirm(request, done=True)


async def _confirm(request: Request, *, done: bool) -> Response:
    services, token = services_of(request), request.path_params["token"]
    if not await allowed(request):
        return slow_down()
    found = await run_in_threadpool(
        confirmed_by, services.logs.events.fingerprint, services.present.world.people, token
    )
    if found is None:
        return _told(request, problem=_(GONE))
    person, change, side = found
    asked = person.address_changes.pending(services.now())
    if asked is None or asked.id != change:
        return _told(request, problem=_(GONE))
    if done:
        command = ConfirmAddress(person=person.id, change=change, side=side)
        try:
            key = CommandId(new_id(24))
            await run_in_threadpool(services.service.execute, OPERATOR, command, command_id=key)
        except Refused:
            return _told(request, problem=_(GONE))
    known = next((person.memberships[client].name for client in asked.clients if client in person.clients), person.name)
    page = _told_of(request, asked, side, known)
    shown = msgspec.structs.replace(page, token=token, done=done)
    return services.pages.answer(request, shown)


def _told_of(request: Request, asked: AddressChange, side: Side, name: str) -> ConfirmPage:
    return msgspec.structs.replace(_empty(request), name=name, side=side, new=asked.new)


def _empty(request: Request) -> ConfirmPage:
    organisation = services_of(request).present.world.organisation or _("Your supplier")
    return ConfirmPage(organisation=organisation, token="", name="", side="", new="", done=False, problem="")


def _told(request: Request, problem: str) -> Response:
    services = services_of(request)
    return services.pages.answer(request, msgspec.structs.replace(_empty(request), problem=problem), 410)


def routes() -> list[BaseRoute]:
    """Return the routes of one's own address."""
    return [
        door("/me/address", address, allow=EVERYONE),
        door("/me/address", ask, allow=EVERYONE, methods=["POST"], name="ask_for_address"),
        door("/me/address/withdraw", withdraw, allow=EVERYONE, methods=["POST"], name="withdraw_address"),
        open_door("/address/{token}", confirming, refresh=True, name="confirming_address"),
        open_door("/address/{token}", confirm, methods=["POST"], refresh=True, name="confirm_address"),
    ]
