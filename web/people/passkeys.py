"""Passkeys of the organisation's own people, for admins: whether they are needed, who lost one, and the second look."""

from datetime import timedelta

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.ids import CommandId, PersonId
from domain.language import N_, Said
from domain.language import gettext as _
from domain.people.passkeys import ConfirmPasskeyReplacement, RemovePasskey
from domain.people.person import Person
from domain.people.rules import RequirePasskeys
from domain.people.tokens import RevokeToken
from projections.events.world import organisation_zone
from projections.wording import words
from web.door.guard import ADMIN, Signed, door, not_found
from web.ids import new_id
from web.process.services import Services, services_of
from web.staff.acting import actor_of
from web.staff.frame import StaffPage, shell

HOURS = 24  # for which a second look holds
SAID = Said(
    {
        "confirmed": N_("Confirmed. They can add one passkey within a day, in a session that began with a link."),
        "removed": N_("Removed. Sessions that began with it have ended."),
    }
)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One passkey of a colleague, in words."""

    id: str
    name: str
    added: str  # day
    used: str  # the last day, "" for never
    doubted: bool  # whether it may have been copied


class PersonPasskeysPage(StaffPage, frozen=True, kw_only=True):
    """The passkeys of one colleague, and whether they may add another."""

    template = "pm/person_passkeys.html"
    person: Person
    held: list[Held]  # newest first
    asked: str  # when they asked to add another, "" for never
    until: str  # until when they may, "" where they may not
    hours: int  # for which a second look holds
    said: str


def passkeys_said(person: Person) -> str:
    """Return how many passkeys a colleague has, "" for none, and whether they ask to add another."""
    n = len(person.keyring.passkeys)
    if person.keyring.asked is not None:
        return _("Asks to add another passkey")
    if any(one.doubted for one in person.keyring.passkeys.values()):
        return _("A passkey may have been copied")
    return "" if n == 0 else _("1 passkey") if n == 1 else _("{n} passkeys", n=n)


def _colleague(services: Services, request: Request, signed: Signed) -> Person | None:
    """Return the colleague an address names; None where there is none, no more, or it is who asks."""
    person = services.present.refresh().people.get(PersonId(request.path_params["person"]))
    if person is None or person.viewer or person.disabled or person.id == signed.person.id:
        return None
    return person


async def passkeys(request: Request, signed: Signed) -> Response:
    """`GET /people/{person}/passkeys`: those of a colleague, and the second look."""
    services = services_of(request)
    person = await run_in_threadpool(_colleague, services, request, signed)
    if person is None:
        return not_found()
    ring, zone = person.keyring, organisation_zone(services.present.world)
    allowed = ring.until is not None and ring.until > services.now()
    page = PersonPasskeysPage(
        person=person,
        held=_held(person, zone),
        asked=words.moment_year(ring.asked, zone) if ring.asked is not None else "",
        until=words.moment_year(ring.until, zone) if allowed and ring.until is not None else "",
        hours=HOURS,
        said=SAID.get(request.query_params.get("done", ""), ""),
        **await run_in_threadpool(shell, services, signed),
    )
    return services.pages.answer(request, page)


def _held(person: Person, zone: str) -> list[Held]:
    newest = sorted(person.keyring.passkeys.values(), key=lambda one: one.added, reverse=True)
    return [
        Held(
            id=one.id,
            name=one.name,
            added=words.day_year(words.local(one.added, zone).date()),
            used=words.day_year(words.local(one.used, zone).date()) if one.used is not None else "",
            doubted=one.doubted,
        )
        for one in newest
    ]


async def confirm(request: Request, signed: Signed) -> Response:
    """`POST /people/{person}/passkeys/confirm`: let a colleague add another passkey, within a day."""
    services = services_of(request)
    person = await run_in_threadpool(_colleague, services, request, signed)
    if person is None:
        return not_found()
    command = ConfirmPasskeyReplacement(person=person.id, expires=services.now() + timedelta(hours=HOURS))
    await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=await _key(request))
    return RedirectResponse(f"/people/{person.id}/passkeys?done=confirmed", 303)


async def remove(request: Request, signed: Signed) -> Response:
    """`POST /people/{person}/passkeys/{passkey}/remove`: end a passkey of a colleague, and what began with it."""
    services = services_of(request)
    person = await run_in_threadpool(_colleague, services, request, signed)
    key = request.path_params["passkey"]
    if person is None or key not in person.keyring.passkeys:
        return not_found()
    command = RemovePasskey(person=person.id, passkey=key)
    await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=await _key(request))
    return RedirectResponse(f"/people/{person.id}/passkeys?done=removed", 303)


async def require(request: Request, signed: Signed) -> Response:
    """`POST /people/passkeys`: whether the organisation's own people go nowhere before they have used a passkey.

    Whoever asks has used one themselves, or they would be locked out. With `tokens` those made before are revoked.
    """
    services, form = services_of(request), await request.form()
    required = form.get("required") == "yes"
    if required and not signed.person.keyring.vouches(signed.session):
        return PlainTextResponse(_("Sign in by a passkey of your own first. Then you can ask it of the others.\n"), 409)
    command = RequirePasskeys(required=required)
    await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=await _key(request))
    if required and form.get("tokens") == "revoke":
        await run_in_threadpool(_revoke, services, signed)
        return RedirectResponse("/people?done=required-all", 303)
    return RedirectResponse(f"/people?done={'required' if required else 'not-required'}", 303)


def _revoke(services: Services, signed: Signed) -> None:
    """Revoke the tokens that were made before passkeys were asked for."""
    services.present.refresh()
    for person, token in earlier_tokens(services):
        command = RevokeToken(person=person, token=token)
        services.service.execute(actor_of(signed), command, command_id=CommandId(new_id(24)))


def earlier_tokens(services: Services) -> list[tuple[PersonId, str]]:
    """Return the tokens of the organisation's people that work and were made before passkeys were asked for."""
    world, now = services.present.world, services.now()
    since = world.rules.required_since or now
    return [
        (person.id, token.id)
        for person in world.people.values()
        for token in person.tokens.values()
        if not person.viewer and token.issued <= since and services.settings.token_ends(token) > now
    ]


async def _key(request: Request) -> CommandId:
    return CommandId(str((await request.form()).get("command_id", "")) or new_id(24))


def routes() -> list[BaseRoute]:
    """Return the routes of colleagues' passkeys."""
    one = "/people/{person}/passkeys"
    return [
        door("/people/passkeys", require, allow=ADMIN, methods=["POST"], name="require_passkeys"),
        door(one, passkeys, allow=ADMIN, name="staff_passkeys"),
        door(f"{one}/confirm", confirm, allow=ADMIN, methods=["POST"], name="confirm_passkey"),
        door(one + "/{passkey}/remove", remove, allow=ADMIN, methods=["POST"], name="remove_staff_passkey"),
    ]
