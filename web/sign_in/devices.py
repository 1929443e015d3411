"""One's own devices that stay signed in: kept, renewed by an open page, and ended; and the wall displays one made."""

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Refused
from domain.ids import CommandId, ShareId
from domain.language import gettext as _
from domain.people.devices import Device, GoneDevice, RenameDevice
from domain.people.person import Person
from projections.wording import words
from web.door.guard import EVERYONE, Signed, door, signed_out
from web.identity.devices import said, until
from web.ids import new_id
from web.process.services import Services, services_of
from web.sign_in.keeping import keep_device
from web.staff.acting import actor_of


class DeviceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One device that stays signed in, or one wall display, in words."""

    id: str
    name: str
    since: str  # day and time
    until: str  # day
    used: str  # day
    here: bool  # whether it asked for this page
    shows: str  # of a wall display: what the project is called


class DisplayPlace(msgspec.Struct, frozen=True):
    """A share that may be put on a wall display."""

    share: ShareId
    title: str


def theirs(signed: Signed, person: Person) -> list[Device]:
    """Return the devices of whoever asks, newest first.

    Of a viewer: those that open nothing which this session does not. Threat: whoever made the link to one client can
    come in by it, and must not learn of another.
    """
    return [device for device in _newest(person) if not person.viewer or set(device.clients) <= set(signed.clients)]


def _newest(person: Person) -> list[Device]:
    return sorted(person.devices.kept.values(), key=lambda device: device.kept, reverse=True)


def line(services: Services, device: Device, here: str, zone: str) -> DeviceLine:
    """Return a device in words, with times in `zone`. For threads."""
    world = services.present.world
    return DeviceLine(
        id=device.id,
        name=device.name,
        since=words.moment_year(device.kept, zone),
        until=words.day_year(words.local(until(world, device), zone).date()),
        used=words.day_year(words.local(device.renewed or device.kept, zone).date()),
        here=device.id == here,
        shows=title(services, device.share) if device.share else "",
    )


def title(services: Services, share: ShareId) -> str:
    """Return what the project of a share is called to its client. For threads."""
    page = services.heads.page(share)
    return page.view.project if page is not None else ""


def places(services: Services, signed: Signed) -> list[DisplayPlace]:
    """Return what whoever asks may put on a wall display: the shares in force of a viewer's clients. For threads."""
    if not signed.person.viewer:
        return []
    world = services.present.world
    found = [s.id for client in signed.clients for s in world.shares_of_client(client) if s.active]
    return [DisplayPlace(share, called) for share in found if (called := title(services, share))]


def notices(signed: Signed, person: Person, zone: str) -> list[str]:
    """Return which devices of whoever asks ended without their doing, newest first, with times in `zone`."""
    gone = [one for one in person.devices.gone if one.cause in ("copied", "restored")]
    seen = [one for one in gone if not person.viewer or set(one.clients) <= set(signed.clients)]
    return [_notice(one, zone) for one in reversed(seen)]


def _notice(gone: GoneDevice, zone: str) -> str:
    at = words.moment_year(gone.at, zone)
    if gone.cause == "copied":
        return _(
            "{name} was signed out on {at}: somebody used a copy of what keeps it signed in, and was signed out too.",
            name=gone.name,
            at=at,
        )
    return _("{name} was signed out on {at}: {why}.", name=gone.name, at=at, why=said(gone.cause))


async def keep(request: Request, signed: Signed) -> Response:
    """`POST /me/keep`: the device one is on stays signed in."""
    services = services_of(request)
    response = RedirectResponse("/me?done=kept", 303)
    session = signed.session
    if session is None or services.devices.of(session, signed.person) is not None:
        return RedirectResponse("/me", 303)
    if not await keep_device(request, response, signed.person.id, session.id):
        return RedirectResponse("/me?done=not-kept", 303)
    before = request.cookies.get(services.guard.cookies.device, "")
    if before:
        await run_in_threadpool(services.devices.replaced, before, signed.person.id, kept=True)
    return response


async def renew(_request: Request, _signed: Signed) -> Response:
    """`POST /me/renew`: an open page asks for a session whose own ran out; the door has begun one by then."""
    return Response(status_code=204, headers={"cache-control": "no-store"})


async def end(request: Request, signed: Signed) -> Response:
    """`POST /me/devices/{device}/end`: end one of one's own devices or wall displays; its pages close."""
    services = services_of(request)
    key = request.path_params["device"]
    own = services.devices.of(signed.session, signed.person)
    if await run_in_threadpool(_is_theirs, services, signed, key):
        await run_in_threadpool(services.devices.end, actor_of(signed), signed.person.id, key)
    if own is not None and own.id == key:
        return signed_out(services.guard)
    return RedirectResponse("/me?done=one", 303)


async def rename(request: Request, signed: Signed) -> Response:
    """`POST /me/devices/{device}/rename`: call one of one's own otherwise; one that is not theirs is answered alike."""
    services, key = services_of(request), request.path_params["device"]
    name = str((await request.form()).get("name", "")).strip()
    if await run_in_threadpool(_is_theirs, services, signed, key):
        command = RenameDevice(person=signed.person.id, device=key, name=name)
        try:
            await run_in_threadpool(
                services.service.execute, actor_of(signed), command, command_id=CommandId(new_id(24))
            )
        except Refused:
            return RedirectResponse("/me?done=not-renamed", 303)
    return RedirectResponse("/me?done=renamed", 303)


def _is_theirs(services: Services, signed: Signed, key: str) -> bool:
    person = services.present.refresh().people.get(signed.person.id)
    return person is not None and any(device.id == key for device in theirs(signed, person))


def routes() -> list[BaseRoute]:
    """Return the routes of one's own devices."""
    return [
        door("/me/keep", keep, allow=EVERYONE, methods=["POST"]),
        door("/me/renew", renew, allow=EVERYONE, methods=["POST"], kind="polled"),
        door("/me/devices/{device}/end", end, allow=EVERYONE, methods=["POST"], name="end_device"),
        door("/me/devices/{device}/rename", rename, allow=EVERYONE, methods=["POST"], name="rename_device"),
    ]
