"""Guesses learn nothing: what exists but is not yours answers like what does not exist, through every route there is.

Routes and their parameters are read from the application, so a new one is covered the day it is added. Each parameter
has a pool of what exists elsewhere, and what exists nowhere has the same form.
"""

import contextlib
import itertools
import json
import re
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from domain.agreement.answers import MakeComment, RaiseConcern, Screen
from domain.commands import AnyCommand
from domain.ids import ClientId, CommandId, PersonId, ShareId
from domain.people.clients import RegisterClient
from domain.people.person import AssignProjects, InvitePerson
from tests.recorded import recorded
from tests.web.doors import ORIGIN, OTHER_VIEWER, VIEWER
from tests.world import ACME, ADMIN, COUNCIL, DEPOT, HARBOUR, KEY, OTHER, SHARE, World, everything
from web import app as application
from web.door import guard
from web.ids import form_token, new_id
from web.process import signing
from web.render.page import Renderer
from web.settings import Settings
from web.write.permission import OPERATOR

pytestmark = pytest.mark.stories  # every route with every guess

SCREEN = Screen(n=1, head="ab" * 32)
ELSEWHERE = "share3"  # the council's share of another project
STYLE = Renderer().stylesheet
# what exists and is somebody else's, or hidden from this client; by the name of the parameter, * for any other name
POOLS: dict[str, tuple[str, ...]] = {
    "share": (OTHER, ELSEWHERE),
    "project": (DEPOT,),
    "risk": ("r2",),
    "milestone": ("hidden",),
    "person": (OTHER_VIEWER,),
    "client": (COUNCIL,),
    "concern": ("council-concern",),
    "comment": ("council-comment",),
    "subject": ("milestone-hidden", "risk-r2"),
    "session": ("council-session",),
    "n": ("1",),  # of a share that is not theirs
    "sha": (STYLE,),
    "*": (OTHER, DEPOT, OTHER_VIEWER, COUNCIL, "council-concern", "r2"),
}
MINE = {"share": SHARE, "project": HARBOUR, "risk": "r1", "milestone": "m1", "person": VIEWER, "n": "1", "sha": STYLE}
NORTH, NORTHS, BOTH = ClientId("north"), ShareId("share-north"), PersonId("both-acme-north")
# who comes in, what of theirs they name, and what is somebody else's
COMERS = {
    "of one client": (VIEWER, MINE, POOLS),
    "of another": (
        OTHER_VIEWER,
        MINE | {"share": OTHER, "person": OTHER_VIEWER},
        POOLS | {"share": (SHARE, NORTHS), "project": (HARBOUR,), "person": (VIEWER, BOTH), "client": (ACME, NORTH),
                 "*": (SHARE, NORTHS, HARBOUR, VIEWER, BOTH, ACME, NORTH, "r2")},
    ),
    "of two clients": (BOTH, MINE | {"share": NORTHS, "person": BOTH}, POOLS),
    "of two clients, by a link to one": (BOTH, MINE, POOLS | {"share": (OTHER, ELSEWHERE, NORTHS), "client": (NORTH,)}),
}  # fmt: skip
MANAGED = {"project": DEPOT, "share": ELSEWHERE, "person": OTHER_VIEWER, "n": "1", "sha": STYLE}
UNMANAGED = POOLS | {
    "*": (SHARE, HARBOUR, VIEWER, ACME),
    "project": (HARBOUR,),
    "share": (SHARE, OTHER),
    "person": (VIEWER,),
    "client": (ACME,),
}
TOLD = {  # in a query
    "view": ("r2",), "n": ("7",), "before": ("7",), "person": (OTHER_VIEWER,), "share": (OTHER,), "client": (COUNCIL,),
    "about": ("milestone-hidden", "risk-r2"), "said": ("council-comment",), "concern": ("council-concern",),
}  # fmt: skip
NOWHERE = {"n": "99999", "sha": "0" * 64}  # of the same form; else an id that nothing has
FORM = {
    "probability": "3", "impact": "3", "text": "Hm", "subject": "milestone-m1", "n": "1", "head": "ab" * 32, "reason": "x",
    "name": "X", "email": "x@acme.test", "cadence": "daily", "settled": "yes", "confirm": "Acme Rail",
}  # fmt: skip
OWN = re.compile(rb'name="(csrf|command_id|key|id)" value="[\w-]+"')  # random in every form
Seen = tuple[int, list[tuple[str, str]], bytes]


def sample(folder: Path) -> None:
    """Record two clients' shares of two projects."""
    world = World(folder, Renderer())
    world.harbour()
    world.project(DEPOT, "Depot")
    world.share(everything(), OTHER, HARBOUR, COUNCIL)
    world.share(everything(), ELSEWHERE, DEPOT, COUNCIL)  # type: ignore[arg-type]
    world.tell(RegisterClient(client=NORTH, name="North Ports", time_zone="Europe/Oslo"), ADMIN)
    world.share(everything(), NORTHS, HARBOUR, NORTH)
    both = {"name": "Bo", "email": "bo@both.test", "role": "viewer"}
    world.tell(InvitePerson(person=BOTH, client=ACME, **both), ADMIN)  # type: ignore[arg-type]
    world.tell(InvitePerson(person=PersonId("unused"), client=NORTH, **both), ADMIN)  # type: ignore[arg-type]
    for role in ("manager", "auditor", "admin"):
        world.tell(InvitePerson(person=PersonId(role), name=role.title(), email=f"{role}@x.test", role=role), ADMIN)
    world.tell(AssignProjects(person=PersonId("manager"), projects=(DEPOT,)), ADMIN)
    said = {"share": OTHER, "text": "Ours alone", "by": PersonId(OTHER_VIEWER), "screen": SCREEN}
    world.tell(RaiseConcern(concern="council-concern", subject="", **said), ADMIN)  # type: ignore[arg-type]
    comment = {"comment": "council-comment", "subject": "milestone-m1", "side": "theirs"}
    world.tell(MakeComment(**comment, **said), ADMIN)  # type: ignore[arg-type]
    world.close()


class Product:
    """The whole application on two clients' shares of two projects."""

    def __init__(self, folder: Path) -> None:
        recorded(folder, sample)
        settings = Settings(
            data=folder,
            public_url=ORIGIN,
            sign_in_per_minute=10_000,
            commands_per_minute=100_000,
            exports_per_minute=1000,
        )
        signing.write(settings.key_file, KEY)
        self.process = application.compose(settings)
        self.app = application.create(self.process)
        self.routes = [r for r in application.routes(demo=False) if isinstance(r, Route | WebSocketRoute)]
        self.csrf = ""

    def execute(self, command: AnyCommand) -> None:
        self.process.services.service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))

    def become(self, client: TestClient, person: str, only: ClientId | None = None) -> None:
        """Sign a browser in as somebody, by a link to one client or to all of theirs; "" for nobody."""
        client.cookies.clear()
        self.csrf = ""
        if person:
            secret = self.process.services.credentials.enter(
                self.process.services.credentials.link(OPERATOR, PersonId(person), only)
            ).secret
            client.cookies.set(self.process.services.guard.cookie, secret)
            session = next(reversed(self.process.services.present.world.people[PersonId(person)].sessions.values()))
            self.csrf = form_token(session.hash)


@pytest.fixture
def product(tmp_path: Path) -> Iterator[tuple[Product, TestClient]]:
    made = Product(tmp_path)
    with TestClient(made.app, base_url=ORIGIN, follow_redirects=False) as client:
        client.headers["accept-encoding"] = (
            "identity"  # the length of a compressed page moves with the token of its forms
        )
        yield made, client


def names_of(route: Route | WebSocketRoute) -> list[str]:
    return list(route.param_convertors)


def nowhere(name: str, like: str) -> str:
    """A value of the same length and form that nothing has."""
    if name in ("about", "subject"):
        kind, _, key = like.partition("-")
        return f"{kind}-{nowhere('', key)}"
    return NOWHERE.get(name) or ("zq" * len(like))[: len(like)]


def cases(
    names: list[str], pools: dict[str, tuple[str, ...]], own: dict[str, str] = MINE
) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Pairs of parameters to compare: one or all of them somebody else's, and the same ones nowhere."""
    mine = {name: own.get(name, nowhere(name, "x" * 8)) for name in names}
    for changed in [[name] for name in names] + ([names] if len(names) > 1 else []):
        for values in itertools.product(*(pools.get(name, pools["*"]) for name in changed)):
            theirs = dict(zip(changed, values, strict=True))
            if changed == ["n"] or (len(changed) == 1 and changed[0] == "sha"):
                continue  # a number or a stylesheet of one's own share is one's own
            yield mine | theirs, mine | {name: nowhere(name, value) for name, value in theirs.items()}


def ask(product: Product, client: TestClient, method: str, path: str, ids: dict[str, str]) -> Seen:
    """Return all that can be observed of an answer, with the ids that were asked for left out of it."""
    more: dict[str, Any] = {}
    if method not in ("GET", "HEAD"):
        more["data"] = {**FORM, "csrf": product.csrf, "command_id": new_id(24)}
        more["headers"] = {"origin": ORIGIN}
    answer = client.request(method, path, **more)
    body, headers = OWN.sub(b"", answer.content), sorted(answer.headers.items())
    for name, value in ids.items():
        echo = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)")
        headers = [(key, echo.sub(name, told) if key == "location" else told) for key, told in headers]
        if len(value) > 3:
            body = body.replace(value.encode(), name.encode())
            headers = [(key, told.replace(value, name)) for key, told in headers]
    return answer.status_code, headers, body


def filled(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = re.sub(rf"\{{{name}(:\w+)?\}}", value, path)
    return path


def told_apart(
    product: Product,
    client: TestClient,
    routes: list[Route],
    pools: dict[str, tuple[str, ...]],
    own: dict[str, str] = MINE,
) -> list[str]:
    """Return every request that tells what exists from what does not."""
    found = []
    for route in routes:
        for theirs, missing in cases(names_of(route), pools, own):
            for method in sorted(route.methods or ()):
                one = ask(product, client, method, filled(route.path, theirs), theirs)
                other = ask(product, client, method, filled(route.path, missing), missing)
                if one != other:
                    found.append(
                        f"{method} {filled(route.path, theirs)}: {one[0]} {one[2][:80]!r}, {other[0]} {other[2][:80]!r}"
                    )
    return found


def http(product: Product) -> list[Route]:
    return [route for route in product.routes if isinstance(route, Route)]


def allowed(route: Any) -> Any:
    return route.endpoint.guarded


SELDOM = (
    "of one client",
    "of two clients",
    "of two clients, by a link to one",
)  # what they meet, the last meets as well
OFTEN = [pytest.param(comer, marks=[pytest.mark.slow] if comer in SELDOM else []) for comer in COMERS]


@pytest.mark.parametrize("comer", OFTEN)
def test_a_viewer_cannot_tell_what_is_not_theirs_from_what_is_not(
    product: tuple[Product, TestClient], comer: str
) -> None:
    made, client = product
    person, mine, pools = COMERS[comer]
    made.become(client, person, ACME if comer.endswith("link to one") else None)
    routes = [route for route in http(made) if names_of(route)]
    assert sum(1 for route in routes for _ in cases(names_of(route), pools, mine)) > 100
    assert client.get(f"/s/{mine['share']}").status_code == 200
    assert told_apart(made, client, routes, pools, mine) == []


def test_somebody_of_two_clients_has_the_pages_of_both_in_one_browser(product: tuple[Product, TestClient]) -> None:
    made, client = product
    assert PersonId("unused") not in made.process.services.present.world.people  # it is the same person
    made.become(client, BOTH)
    assert [client.get(f"/s/{share}").status_code for share in (SHARE, NORTHS, OTHER)] == [200, 200, 404]
    made.become(client, BOTH, NORTH)
    assert [client.get(f"/s/{share}").status_code for share in (SHARE, NORTHS, OTHER)] == [404, 200, 404]


def test_nor_by_what_they_put_in_a_query_of_their_own_page(product: tuple[Product, TestClient]) -> None:
    made, client = product
    made.become(client, VIEWER)
    found = []
    for route in http(made):
        if "GET" not in (route.methods or ()) or "viewer" not in allowed(route):
            continue
        path = filled(route.path, {name: MINE.get(name, "zzz") for name in names_of(route)})
        for key, values in TOLD.items():
            for value in values:
                missing = "8" if value == "7" else nowhere(key, value)
                for _ in range(3):  # a bundle says when it was made: a leak differs every time, a new second does not
                    one = ask(made, client, "GET", f"{path}?{key}={value}", {key: value})
                    other = ask(made, client, "GET", f"{path}?{key}={missing}", {key: missing})
                    if one == other:
                        break
                else:
                    found.append(f"{path}?{key}={value}: {one[0]}, {other[0]}")
    assert found == []


def test_a_door_that_is_not_for_ones_role_is_no_door(product: tuple[Product, TestClient]) -> None:
    made, client = product
    made.become(client, VIEWER)
    nothing, problem = bytes(guard.not_found().body), client.get("/api/nothing").content
    for person, role in ((VIEWER, "viewer"), ("auditor", "auditor"), ("manager", "manager")):
        made.become(client, person)
        for route in http(made):
            if allowed(route) in ("anyone", "display") or role in allowed(route):  # displays: test_wall.py
                continue
            ids = {name: MINE.get(name, "zzz") for name in names_of(route)}
            for method in sorted(route.methods or ()):
                status, headers, body = ask(made, client, method, filled(route.path, ids), {})
                none = problem if route.path.startswith("/api/") else nothing
                assert (status, body) == (404, b"" if method == "HEAD" else none), (role, method, route.path)
                assert ("content-length", str(len(none))) in headers


@pytest.mark.slow
def test_a_manager_of_some_projects_cannot_tell_another_from_none(product: tuple[Product, TestClient]) -> None:
    made, client = product
    made.become(client, "manager")
    routes = [route for route in http(made) if {"project", "share", "client"} & set(names_of(route))]
    assert told_apart(made, client, routes, UNMANAGED, MANAGED) == []


@pytest.mark.slow
def test_who_is_not_signed_in_is_asked_to_whatever_there_is(product: tuple[Product, TestClient]) -> None:
    made, client = product
    made.become(client, "")
    routes = [route for route in http(made) if names_of(route)]
    assert told_apart(made, client, routes, POOLS | {"share": (SHARE, OTHER), "project": (HARBOUR, DEPOT)}) == []
    for route in http(made):
        if allowed(route) != "anyone":
            ids = {name: MINE.get(name, "zzz") for name in names_of(route)}
            for method in sorted(route.methods or ()):
                status, _, body = ask(made, client, method, filled(route.path, ids), {})
                assert status in (303, 401), (method, route.path)
                assert b"Acme" not in body


def test_a_socket_tells_no_more_than_a_page(product: tuple[Product, TestClient]) -> None:
    made, client = product
    sockets = [route for route in made.routes if isinstance(route, WebSocketRoute)]
    assert sockets
    for person, hello in itertools.product(
        (VIEWER, "manager", ""), ({"hello": 0}, {"hello": 1, "root": "0" * 16}, {"resync": 1})
    ):
        made.become(client, person)
        for route in sockets:
            for theirs, missing in cases(names_of(route), POOLS):
                one, other = (said(client, filled(route.path, ids), hello) for ids in (theirs, missing))
                assert one == other
                assert one[-1] in ("close 4403", "close 4401")


def said(client: TestClient, path: str, hello: dict[str, Any]) -> list[str]:
    """All that a socket sends, to its close."""
    heard: list[str] = []
    there = client.websocket_connect(path, headers={"origin": ORIGIN})
    with contextlib.suppress(CancelledError, WebSocketDisconnect), there as socket:
        socket.send_text(json.dumps({**hello, "tab": "t", "v": 2}))
        while True:
            message = socket.receive()
            if message["type"] == "websocket.close":
                heard.append(f"close {message['code']}")
                break
            heard.append(str(message.get("text")))
    return heard


def test_this_test_would_notice_a_door_that_says_forbidden(product: tuple[Product, TestClient]) -> None:
    """A door that tells a share that exists from one that does not is found."""
    made, client = product
    made.become(client, VIEWER)
    sound = made.process.viewing.may_watch

    def leaky(signed: Any, share: str) -> bool:
        if not sound(signed, share) and share in made.process.services.present.world.shares:
            raise PermissionError
        return sound(signed, share)

    made.process.viewing.may_watch = leaky  # type: ignore[method-assign]
    careless = TestClient(made.app, base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False)
    careless.cookies = client.cookies
    try:
        found = told_apart(made, careless, [r for r in http(made) if r.path == "/s/{share}"], POOLS)
    finally:
        made.process.viewing.may_watch = sound  # type: ignore[method-assign]
    assert len(found) == 4  # two shares, two methods
