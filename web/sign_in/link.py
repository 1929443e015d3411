"""Signing in by a link: its page shows a button, and the button uses the link up.

Rule: a GET never signs anybody in, so that a mail scanner which follows the link does not use it up.
"""

from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Refused
from domain.language import N_
from domain.language import gettext as _
from domain.people.person import Person, Role
from projections.wording.phrases import kept, listed
from web.door.device import device
from web.door.guard import EVERYONE, Signed, door, open_door, signed_out
from web.door.templates import Page
from web.door.way_on import way_on
from web.process.services import Services, services_of
from web.sign_in.attempts import may_try
from web.sign_in.keeping import signed_in

GONE = N_("This link does not work any more")
HOME: dict[Role, str] = {"viewer": "/home", "manager": "/p", "admin": "/p", "auditor": "/audit"}


class SignInPage(Page, frozen=True, kw_only=True):
    """The ways to sign in, or what went wrong with one of them."""

    template = "sign_in.html"
    organisation: str
    heading: str  # what went wrong, "" for nothing
    problem: str
    sso: str  # what the single sign-on is called, "" where there is none
    by_mail: bool  # whether a link can be asked for
    passkeys: bool  # whether passkeys can be used at this address
    days: int  # for which a device may stay signed in that a passkey or the single sign-on signs in, 0: none may
    by_domain: bool  # whether some client has an identity provider of its own
    asked: bool  # whether one was
    way_on: str  # path of the page that was asked for before, "" for none


class LinkPage(Page, frozen=True, kw_only=True):
    """What the holder of a link is offered, and the button that signs them in."""

    template = "link.html"
    organisation: str
    secret: str
    name: str
    role: Role
    client: str  # "" for the organisation's own people
    titles: str  # names of the projects that are shared, "" for none
    kept: str  # for how long receipts are kept, "" where nothing is shared
    days: int  # for which this device may stay signed in, 0: it may not
    way_on: str  # path of the page that was asked for before, "" for none


async def start(request: Request) -> Response:
    """`GET /`: redirect people to the first page of their role."""
    services = services_of(request)
    signed = await services.guard.identified(request)
    if signed is not None:
        return RedirectResponse(HOME[signed.person.role], 303)
    return RedirectResponse("/demo" if services.demo else "/sign-in", 303)


async def sign_in(request: Request) -> Response:
    """`GET /sign-in?to=`: the ways to sign in; `to` is the page that was asked for before."""
    services = services_of(request)
    await run_in_threadpool(services.present.refresh)
    to = way_on(request.query_params.get("to"))
    if to and request.cookies.get(services.guard.cookies.device) and await services.guard.identified(request):
        return RedirectResponse(to, 303)
    return page(request)


async def ask(request: Request) -> Response:
    """`POST /sign-in`: a link is mailed to an address, if it is known.

    Threat: an answer, or its time, that tells who is known. Nothing is looked up here: web/mail/asked.py does, later.
    """
    services = services_of(request)
    if services.asked is None:
        return page(request)
    if not await allowed(request):
        return slow_down()
    form = await request.form()
    to = way_on(form.get("to"))
    services.asked.ask(str(form.get("email", "")).strip(), to)
    return RedirectResponse(f"/sign-in?asked=1{f'&to={quote(to)}' if to else ''}", 303)


def page(request: Request, status: int = 200, heading: str = "", problem: str = "") -> Response:
    """Return the sign-in page, with what went wrong in `heading` and `problem`."""
    services = services_of(request)
    organisation = services.present.world.organisation or _("Your supplier")
    sign_in_page = SignInPage(
        organisation=organisation,
        heading=heading,
        problem=problem,
        sso=services.single_sign_on_name,
        by_mail=services.asked is not None,
        passkeys=services.passkeys.place is not None,
        days=services.present.world.rules.device_days,
        by_domain=services.present.world.vouched_for,
        asked=services.asked is not None and not problem and request.query_params.get("asked") == "1",
        way_on=way_on(request.query_params.get("to")),
    )
    return services.pages.answer(request, sign_in_page, status)


async def link(request: Request) -> Response:
    """`GET /in/{secret}?to=`: who shares what with whom, and a button; the link is not used up."""
    services = services_of(request)
    if not await allowed(request):
        return slow_down()
    secret = request.path_params["secret"]
    holder = await run_in_threadpool(services.credentials.holder, secret)
    if holder is None:
        return page(
            request, 410, _(GONE), _("This link has been used or has expired. Ask whoever sent it for a new one.")
        )
    to = way_on(request.query_params.get("to"))
    return services.pages.answer(request, await run_in_threadpool(link_page, services, holder, secret, to))


def link_page(services: Services, holder: Person, secret: str, to: str = "") -> LinkPage:
    """Return the page of a link: what is shared with its holder, by the names on their own pages. For threads."""
    world = services.present.world
    clients = services.credentials.opened_by(secret, holder)
    shares = [share for client in clients for share in world.all_of_client(client) if share.active]
    known = holder.known_to(clients[0]) if clients else None
    heads = [head for share in shares if (head := services.heads.page(share.id)) is not None]
    return LinkPage(
        organisation=world.organisation or _("Your supplier"),
        secret=secret,
        name=known.name if known else holder.name,
        role=holder.role,
        client=listed(sorted(world.client_name(client) for client in clients)),
        titles=listed(sorted({head.view.project for head in heads})),
        kept=kept(share.retention for share in shares),
        days=services.devices.may_keep(holder, clients),
        way_on=to,
    )


async def enter(request: Request) -> Response:
    """`POST /in/{secret}?to=`: use the link up, sign in, and lead on to a page."""
    services = services_of(request)
    if not await allowed(request):
        return slow_down()
    kind = device(request.headers.get("user-agent", ""))
    try:
        here = services.guard.signed(request)
        carry = here.session if here is not None else None
        entrance = await run_in_threadpool(services.credentials.enter, request.path_params["secret"], kind, carry)
    except Refused as refused:
        return page(request, 410, _(GONE), refused.message)
    response = RedirectResponse(way_on(request.query_params.get("to")) or "/", 303)
    keep = (await request.form()).get("keep") == "yes"
    await signed_in(request, response, entrance.secret, keep=keep)
    return response


async def sign_out(request: Request, signed: Signed) -> Response:
    """`POST /sign-out`: end this session, and the device if it stays signed in; its sockets close."""
    services = services_of(request)
    if signed.session is not None:
        await run_in_threadpool(services.credentials.leave, signed.person.id, signed.session.id)
    return signed_out(services.guard)


async def allowed(request: Request) -> bool:
    """Count an attempt to sign in, and return whether it is allowed."""
    services = services_of(request)
    return await may_try(services, request.client.host if request.client else "")


def slow_down() -> Response:
    """Return the answer to too many attempts, 429."""
    text = _("Too many sign-in attempts from your address. Wait a minute, then open the link again.\n")
    return PlainTextResponse(text, 429, headers={"retry-after": "60"})


def routes() -> list[BaseRoute]:
    """Return the routes of signing in by a link and of signing out."""
    return [
        open_door("/", start, refresh=True),
        open_door("/sign-in", sign_in),
        open_door("/sign-in", ask, methods=["POST"]),
        open_door("/in/{secret}", link, refresh=True),
        open_door("/in/{secret}", enter, methods=["POST"]),
        door("/sign-out", sign_out, allow=EVERYONE, methods=["POST"]),
    ]
