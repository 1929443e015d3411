"""Pages on which an admin sets, tries, uses and removes the identity providers of a client.

Rule: a secret is typed and never shown again.
"""

import re
from collections.abc import Mapping

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Refused
from domain.ids import CommandId
from domain.language import N_
from domain.language import gettext as _
from domain.people.clients import Client
from domain.people.providers import Provider, ProviderCommand, RemoveProvider, SetProvider, UseProvider
from web.door.guard import ADMIN, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.people.client_standing import client_of
from web.process.services import Services
from web.staff.acting import actor_of
from web.staff.frame import StaffPage, shell

SAID = {
    "set": N_("Recorded. Try it before people sign in by it."),
    "used": N_("Recorded. People sign in by it from now on."),
}
NEW = re.compile(r"[a-z0-9]{12}")  # as ids of ours are


class GivenProvider(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed of a provider; the secret is kept nowhere."""

    issuer: str = ""
    app: str = ""
    domains: str = ""
    joins: bool = False


class ProviderPage(StaffPage, frozen=True, kw_only=True):
    """One identity provider of a client: how it is reached, its trial, and its use."""

    template = "pm/provider.html"
    client: Client
    key: str  # its id
    provider: Provider | None  # None while nothing was recorded
    given: GivenProvider
    back: str  # the redirect URI to register there
    entry: str  # the address at which its people sign in
    tries: str  # the address of a trial
    problem: Refused | None
    reason: str  # why it is to be removed, as typed
    said: str


async def add(request: Request, signed: Signed) -> Response:
    """`GET /clients/{client}/providers`: a new provider, by an id of its own, which the redirect URI needs."""
    client = await _client(request, signed)
    return not_found() if client is None else RedirectResponse(f"/clients/{client.id}/providers/{new_id()}", 303)


async def _client(request: Request, signed: Signed) -> Client | None:
    """Return the client an address names, None where there is none that goes on."""
    services: Services = request.app.state.services
    client = await run_in_threadpool(client_of, services, signed, request.path_params["client"])
    return client if client is not None and client.ended_at is None else None


async def provider(request: Request, signed: Signed) -> Response:
    """`GET|POST /clients/{client}/providers/{provider}`: how it is reached; what is set is tried before it is used."""
    client, key = await _client(request, signed), request.path_params["provider"]
    if client is None or (key not in client.providers and not NEW.fullmatch(key)):
        return not_found()
    if request.method == "GET":
        return await _page(request, signed, client)
    form = await request.form()
    given = _given(form)
    try:
        command = await run_in_threadpool(_set, request.app.state.services, client, key, given, _secret(form))
        await _record(request, signed, command, form)
    except Refused as refused:
        return await _page(request, signed, client, refused, given)
    return RedirectResponse(f"/clients/{client.id}/providers/{key}?done=set", 303)


def _secret(form: FormData) -> str:
    return str(form.get("secret", "")).strip()


def _set(services: Services, client: Client, key: str, given: GivenProvider, secret: str) -> SetProvider:
    domains = tuple(given.domains.replace(",", " ").replace(";", " ").split())
    named = {"client": client.id, "provider": key, "issuer": given.issuer, "app": given.app, "domains": domains}
    plain = SetProvider(**named, joins=given.joins)  # type: ignore[arg-type]
    if not secret:
        return plain
    sealing, sealed = services.client_providers.seal(client.id, key, given.issuer, secret)
    return msgspec.structs.replace(plain, key=sealing, sealed=sealed)


async def use(request: Request, signed: Signed) -> Response:
    """`POST /clients/{client}/providers/{provider}/use`: let people sign in by what was tried."""
    client, key = await _client(request, signed), request.path_params["provider"]
    if client is None or key not in client.providers:
        return not_found()
    try:
        await _record(request, signed, UseProvider(client=client.id, provider=key), await request.form())
    except Refused as refused:
        return await _page(request, signed, client, refused)
    return RedirectResponse(f"/clients/{client.id}/providers/{key}?done=used", 303)


async def remove(request: Request, signed: Signed) -> Response:
    """`POST /clients/{client}/providers/{provider}/remove`: end it, for a reason; the sessions it made end with it."""
    client, key = await _client(request, signed), request.path_params["provider"]
    if client is None or key not in client.providers:
        return not_found()
    form = await request.form()
    reason = str(form.get("reason", "")).strip()
    try:
        await _record(request, signed, RemoveProvider(client=client.id, provider=key, reason=reason), form)
    except Refused as refused:
        return await _page(request, signed, client, refused, reason=reason)
    return RedirectResponse(f"/clients/{client.id}?done=provider#providers", 303)


async def _record(request: Request, signed: Signed, command: ProviderCommand, form: Mapping[str, object]) -> None:
    services: Services = request.app.state.services
    command_id = CommandId(str(form.get("command_id", "")) or new_id(24))
    await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=command_id)


async def _page(
    request: Request,
    signed: Signed,
    client: Client,
    problem: Refused | None = None,
    given: GivenProvider | None = None,
    *,
    reason: str = "",
) -> Response:
    services: Services = request.app.state.services
    key = request.path_params["provider"]
    there, said = (
        services.present.world.clients[client.id].providers.get(key),
        SAID.get(request.query_params.get("done", "")),
    )
    shown = ProviderPage(
        client=client,
        key=key,
        provider=there,
        given=given or _recorded(there, client),
        back=services.client_providers.back(key),
        entry=f"{services.settings.origin}/sign-in/at/{key}",
        tries=f"{services.settings.origin}/sign-in/at/{key}/try",
        problem=problem,
        reason=reason,
        said=_(said) if said and not problem else "",
        **shell(services, signed),
    )
    return services.pages.answer(request, shown, status_of(problem) if problem else 200)


def _recorded(there: Provider | None, client: Client) -> GivenProvider:
    if there is None:
        return GivenProvider(domains=", ".join(client.domains))
    setup = there.shown
    return GivenProvider(issuer=setup.issuer, app=setup.app, domains=", ".join(setup.domains), joins=setup.joins)


def _given(form: FormData) -> GivenProvider:
    text = {name: str(form.get(name, "")).strip() for name in ("issuer", "app", "domains")}
    return GivenProvider(**text, joins=form.get("joins") == "yes")


def routes() -> list[BaseRoute]:
    """Return the routes of clients' identity providers."""
    here = "/clients/{client}/providers"
    return [
        door(here, add, allow=ADMIN, name="add_provider"),
        door(f"{here}/{{provider}}", provider, allow=ADMIN, methods=["GET", "POST"]),
        door(f"{here}/{{provider}}/use", use, allow=ADMIN, methods=["POST"], name="use_provider"),
        door(f"{here}/{{provider}}/remove", remove, allow=ADMIN, methods=["POST"], name="remove_provider"),
    ]
