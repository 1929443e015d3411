"""The page of bearer tokens: lists those of whoever asks, of everybody for an admin, and revokes them."""

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.ids import CommandId, PersonId
from domain.people.person import Person
from domain.people.tokens import RevokeToken, Token
from projections.wording import words
from web.door.guard import EVERYONE, Signed, door, not_found
from web.ids import new_id
from web.process.services import Services, services_of
from web.sign_in.link import HOME
from web.sign_in.sessions import zone_of
from web.staff.acting import actor_of, permitted
from web.staff.frame import StaffPage, shell


class TokenLine(msgspec.Struct, frozen=True, kw_only=True):
    """One token, in words."""

    token: str
    person: str  # id of whose it is
    name: str
    label: str
    since: str
    until: str
    works: bool  # False once its time is up


class TokensPage(StaffPage, frozen=True, kw_only=True):
    """The tokens that whoever asks may revoke."""

    template = "tokens.html"
    lines: list[TokenLine]
    zone: str  # of the times, IANA
    everybody: bool  # whether those of others are among them
    days: int  # for how long a token works
    home: str  # path of the first page of their role
    done: bool  # after one was revoked


async def tokens(request: Request, signed: Signed) -> Response:
    """`GET /tokens`: the tokens that whoever asks may revoke."""
    services = services_of(request)
    page = TokensPage(
        **shell(services, signed),
        lines=await run_in_threadpool(_lines, services, signed),
        zone=zone_of(services, signed),
        everybody=signed.person.role == "admin",
        days=services.settings.token_days,
        home=HOME[signed.person.role],
        done=request.query_params.get("done") == "1",
    )
    return services.pages.answer(request, page)


def _lines(services: Services, signed: Signed) -> list[TokenLine]:
    world = services.present.refresh()
    people = world.people.values() if signed.person.role == "admin" else [world.people[signed.person.id]]
    found = [(token, person) for person in people for token in person.tokens.values()]
    found.sort(key=lambda pair: pair[0].issued, reverse=True)
    return [_line(services, signed, person, token) for token, person in found]


def _line(services: Services, signed: Signed, person: Person, token: Token) -> TokenLine:
    zone = zone_of(services, signed)
    until = services.settings.token_ends(token)
    return TokenLine(
        token=token.id,
        person=person.id,
        name=person.name,
        label=token.label,
        since=words.moment_year(token.issued, zone),
        until=words.moment_year(until, zone),
        works=until > services.now(),
    )


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
        door("/tokens/{person}/{token}/revoke", revoke, allow=EVERYONE, methods=["POST"]),
    ]
