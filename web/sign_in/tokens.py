"""The page of bearer tokens: lists those of whoever asks, of everybody for an admin, makes them, and revokes them."""

from collections.abc import Collection, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Invalid, Refused
from domain.ids import CommandId, PersonId, ProjectId, SourceId
from domain.language import N_
from domain.language import gettext as _
from domain.people.person import Person
from domain.people.tokens import CHANGE, READ, SCOPES, SOURCE, RevokeToken, Token
from projections.wording import words
from projections.wording.phrases import listed
from web.door.guard import EVERYONE, OURS, Signed, door, hidden, not_found
from web.door.problem import status_of
from web.forms.days import typed_day
from web.identity.credentials import Allows
from web.ids import new_id
from web.process.services import Services, services_of
from web.sign_in.link import HOME
from web.sign_in.sessions import zone_of
from web.staff.acting import actor_of, permitted
from web.staff.frame import StaffPage, shell

SCOPE_NAMES = {READ: N_("read"), CHANGE: N_("change")}


class TokenLine(msgspec.Struct, frozen=True, kw_only=True):
    """One token, in words."""

    token: str
    person: str  # id of whose it is
    name: str
    label: str
    covers: str  # what it may be used for, and for which projects
    since: str
    until: str
    used: str  # the last day, UTC, "" for never
    works: bool  # False once its time is up


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed into the form that makes a token."""

    label: str = ""
    scopes: Collection[str] = (READ,)
    all: bool = True  # every project, also those to come
    projects: Collection[ProjectId] = ()  # else these
    until: str = ""  # a day


class TokensPage(StaffPage, frozen=True, kw_only=True):
    """The tokens that whoever asks may revoke, and the form that makes one."""

    template = "tokens.html"
    lines: list[TokenLine]
    zone: str  # of the times, IANA
    everybody: bool  # whether those of others are among them
    makes: bool  # whether whoever asks makes tokens
    scopes: Sequence[str]  # to choose from
    projects: Sequence[tuple[ProjectId, str]]  # with title
    given: Typed
    problem: Refused | None
    secret: str  # of the token that was just made, "" for none
    days: int  # for how long a token works where no day is chosen
    most: int  # days, at the longest
    home: str  # path of the first page of their role
    done: bool  # after one was revoked


async def tokens(request: Request, signed: Signed) -> Response:
    """`GET /tokens`: the tokens that whoever asks may revoke."""
    services = services_of(request)
    page = await run_in_threadpool(_page, services, signed)
    done = request.query_params.get("done") == "1"
    return services.pages.answer(request, msgspec.structs.replace(page, done=done))


def _page(services: Services, signed: Signed) -> TokensPage:
    world, settings, zone = services.present.refresh(), services.settings, zone_of(services, signed)
    last = words.local(services.now() + timedelta(days=settings.token_days), zone).date()
    seen = [p for p in world.projects.values() if signed.person.role != "viewer" and signed.person.manages(p.id)]
    return TokensPage(
        **shell(services, signed),
        lines=_lines(services, signed),
        zone=zone,
        everybody=signed.person.role == "admin",
        makes=_makes(signed),
        scopes=(READ,) if signed.person.role == "auditor" else SCOPES,
        projects=sorted(((p.id, p.title) for p in seen), key=lambda pair: pair[1]),
        given=Typed(until=last.isoformat()),
        problem=None,
        secret="",
        days=settings.token_days,
        most=settings.longest_token.days,
        home=HOME[signed.person.role],
        done=False,
    )


def _makes(signed: Signed) -> bool:
    return signed.person.role in OURS and signed.session is not None


def _lines(services: Services, signed: Signed) -> list[TokenLine]:
    world = services.present.world
    people = world.people.values() if signed.person.role == "admin" else [world.people[signed.person.id]]
    found = [(token, person) for person in people for token in person.tokens.values()]
    found.sort(key=lambda pair: pair[0].issued, reverse=True)
    return [_line(services, signed, person, token) for token, person in found]


def _line(services: Services, signed: Signed, person: Person, token: Token) -> TokenLine:
    zone, until = zone_of(services, signed), services.settings.token_ends(token)
    return TokenLine(
        token=token.id,
        person=person.id,
        name=person.name,
        label=token.label,
        covers=_covers(services, token),
        since=words.moment_year(token.issued, zone),
        until=words.moment_year(until, zone),
        used=words.day_year(token.used) if token.used is not None else "",
        works=until > services.now(),
    )


def _covers(services: Services, token: Token) -> str:
    """Return what a token may be used for, and for which projects: "read and change, Harbour Line"."""
    can = _("all its holder may") if token.scopes is None else listed([_scope(services, s) for s in token.scopes])
    if token.projects is None:
        return can
    known = services.present.world.projects
    titles = sorted(known[key].title if key in known else key for key in token.projects)
    return _("{can}: {projects}", can=can, projects=listed(titles))


def _scope(services: Services, scope: str) -> str:
    """Return what a scope covers, in words."""
    kind, _colon, key = scope.partition(":")
    if kind != SOURCE:
        return _(SCOPE_NAMES.get(scope, scope))
    found = (project.sources.get(SourceId(key)) for project in services.present.world.projects.values())
    name = next((source.name for source in found if source is not None), key)
    return _("send the plan of {name}", name=name) if key else _("send plans")


async def make(request: Request, signed: Signed) -> Response:
    """`POST /tokens`: make a token of one's own, and show its secret once."""
    services = services_of(request)
    if not _makes(signed):
        return hidden(request)
    given, secret, problem = _typed(await request.form()), "", None
    try:
        secret = await run_in_threadpool(_make, services, signed, given)
    except Refused as refused:
        problem = refused
    page = await run_in_threadpool(_page, services, signed)
    given = page.given if secret else given
    shown = msgspec.structs.replace(page, given=given, secret=secret, problem=problem)
    return services.pages.answer(request, shown, status_of(problem) if problem else 200)


def _typed(form: FormData) -> Typed:
    chosen = [key for key in form.getlist("project") if isinstance(key, str)]
    return Typed(
        label=str(form.get("label", "")).strip(),
        scopes=[scope for scope in SCOPES if scope in form.getlist("scope")],
        all=str(form.get("which", "all")) == "all",
        projects=sorted({ProjectId(key) for key in chosen}),
        until=str(form.get("until", "")).strip(),
    )


def _make(services: Services, signed: Signed, given: Typed) -> str:
    """Return the secret of a new token.

    Raises: Refused.
    """
    allows = Allows(
        scopes=tuple(given.scopes),
        projects=None if given.all else tuple(given.projects),
        expires=_until(services, signed, given.until),
    )
    return services.credentials.token(actor_of(signed), signed.person.id, given.label, allows)


def _until(services: Services, signed: Signed, typed: str) -> datetime | None:
    """Return the end of the day that was typed, UTC; None for none.

    Raises: Invalid.
    """
    if not typed:
        return None
    try:
        day = typed_day(typed)
        end = datetime.combine(day, time(), ZoneInfo(zone_of(services, signed))) + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise Invalid(str(error), "expires") from None
    most = services.settings.longest_token
    if end > services.now() + most + timedelta(days=1):
        told = _("A token works for {most} days at most. Choose an earlier day.", most=most.days)
        raise Invalid(told, "expires")
    return end


async def revoke(request: Request, signed: Signed) -> Response:
    """`POST /tokens/{person}/{token}/revoke`: the token opens nothing from now on."""
    services = services_of(request)
    person, token = PersonId(request.path_params["person"]), request.path_params["token"]
    world = await run_in_threadpool(services.present.refresh)
    command = RevokeToken(person=person, token=token)
    holder = world.people.get(person)
    if holder is None or token not in holder.tokens or not permitted(world, signed, command):
        return not_found()
    await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=CommandId(new_id(24)))
    return RedirectResponse("/tokens?done=1", 303)


def routes() -> list[BaseRoute]:
    """Return the routes of bearer tokens."""
    return [
        door("/tokens", tokens, allow=EVERYONE),
        door("/tokens", make, allow=OURS, methods=["POST"], name="make_token"),
        door("/tokens/{person}/{token}/revoke", revoke, allow=EVERYONE, methods=["POST"]),
    ]
