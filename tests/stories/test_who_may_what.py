"""Who may do what at each door: somebody of two clients, a lead, who came by a client's provider, a changed role.

Routes are read from the application, so that a new door is walked through the day it is added. Nothing of one client
stands on a page of another, whoever looks and whatever they guess.
"""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from domain.commands import AnyCommand
from domain.ids import ClientId, CommandId, PersonId, ShareId
from domain.people import sign_ins
from domain.people.clients import SetMailDomains
from domain.people.memberships import EndLead, GrantMembership, NameLead
from domain.people.person import ChangeRole, InvitePerson
from domain.people.providers import RemoveProvider, SetProvider, TryProvider, UseProvider
from domain.people.sign_ins import StartSession
from tests.recorded import recorded
from tests.web.doors import ORIGIN
from tests.world import ACME, ADMIN, COUNCIL, DEPOT, HARBOUR, KEY, SHARE, World, everything
from web import app as application
from web import clock
from web.door.guard import Signed
from web.ids import digest, form_token, new_id, new_secret
from web.process import signing
from web.render.page import Renderer
from web.settings import Settings
from web.write.permission import OPERATOR, SYSTEM

pytestmark = pytest.mark.stories  # every route with every id

THEIRS = ShareId("sharecouncil")
BO, LENA, IDP = PersonId("bo"), PersonId("lena"), "acmesignonid"
# what is the council's alone, by which a page of Acme would give it away
COUNCILS = ("City Council", "Depot", THEIRS, "council.test", "Bo Elsewhere", "Lena Elsewhere", "Cora", DEPOT)
ACMES = ("Acme Rail", "Harbour Line", "acme.test", "Bo Here", "Lena Here", "Noor")
IDS = {
    "share": (SHARE, THEIRS),
    "project": (HARBOUR, DEPOT),
    "client": (ACME, COUNCIL),
    "person": (BO, LENA, "noor", "cora"),
    "risk": ("r1",),
    "milestone": ("m1",),
    "n": ("1",),
    "provider": (IDP,),
}
FORM = {
    "how": "comment", "about": "milestone-m1", "text": "Hm", "n": "1", "head": "ab" * 32, "reason": "x", "name": "X",
    "email": "x@walk.test", "cadence": "off", "lead": "yes", "issuer": "https://x.test", "app": "a", "domains": "walk.test",
}  # fmt: skip


def sample(folder: Path) -> None:
    """Acme is shared Harbour Line, the council Depot; Bo and Lena belong to both, Lena leads both."""
    world = World(folder, Renderer())
    world.harbour()
    world.project(DEPOT, "Depot")
    world.share(everything(), THEIRS, DEPOT, COUNCIL)
    for client in (COUNCIL, ACME):  # the council first: what is kept of a person beside their memberships is its
        world.tell(SetMailDomains(client=client, domains=(f"{client}.test",)), ADMIN)
    for key, name in ((BO, "Bo"), (LENA, "Lena")):
        there = {"email": f"{key}@council.test", "client": COUNCIL}
        world.tell(InvitePerson(person=key, name=f"{name} Elsewhere", role="viewer", **there), ADMIN)  # type: ignore[arg-type]
        world.tell(GrantMembership(person=key, client=ACME, name=f"{name} Here", email=f"{key}@acme.test"), ADMIN)
    for client in (ACME, COUNCIL):
        world.tell(NameLead(person=LENA, client=client), ADMIN)
    for key, client in (("noor", ACME), ("cora", COUNCIL)):
        known = {"name": key.title(), "email": f"{key}@{client}.test", "role": "viewer", "client": client}
        world.tell(InvitePerson(person=PersonId(key), **known), ADMIN)  # type: ignore[arg-type]
    for role in ("manager", "auditor", "admin"):
        world.tell(InvitePerson(person=PersonId(role), name=role.title(), email=f"{role}@x.test", role=role), ADMIN)
    named = {
        "client": ACME,
        "provider": IDP,
        "issuer": "https://login.acme.test",
        "app": "us",
        "domains": ("acme.test",),
    }
    world.tell(SetProvider(**named, key="k", sealed=b"x"), ADMIN)  # type: ignore[arg-type]
    world.tell(TryProvider(client=ACME, provider=IDP, setup=1), SYSTEM)
    world.tell(UseProvider(client=ACME, provider=IDP), ADMIN)
    world.close()


class Product:
    """The whole application, and a browser that is whoever it is told to be."""

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
        self.routes = [route for route in application.routes(demo=False) if isinstance(route, Route)]
        self.csrf = ""

    def tell(self, command: AnyCommand) -> None:
        self.process.services.service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))

    def become(self, client: TestClient, person: str, only: ClientId | None = None, *, provider: str = "") -> None:
        """Sign a browser in: by a link to one client or to all, or as a client's provider does."""
        services, secret = self.process.services, new_secret()
        client.cookies.clear()
        if provider:
            soon = clock.now().replace(year=2099)
            begun = {"session": new_id(), "session_hash": digest(secret), "session_expires": soon}
            self.tell(StartSession(person=PersonId(person), **begun, client=only, provider=provider, setup=1))  # type: ignore[arg-type]
        else:
            secret = services.credentials.enter(services.credentials.link(OPERATOR, PersonId(person), only)).secret
        client.cookies.set(services.guard.cookie, secret)
        self.csrf = form_token(digest(secret))


@pytest.fixture
def product(tmp_path: Path) -> Iterator[tuple[Product, TestClient]]:
    made = Product(tmp_path)
    with TestClient(made.app, base_url=ORIGIN, follow_redirects=False) as client:
        yield made, client


def filled(route: Route) -> Iterator[tuple[str, dict[str, str]]]:
    """Every address of a route with the ids of both clients."""
    names = list(route.param_convertors)
    for values in itertools.product(*(IDS.get(name, ("x",)) for name in names)):
        ids, path = dict(zip(names, values, strict=True)), route.path
        for name, value in ids.items():
            path = re.sub(rf"\{{{name}(:\w+)?\}}", value, path)
        yield path, ids


def ask(product: Product, client: TestClient, method: str, path: str) -> tuple[int, str]:
    """Return the status of an answer, and all that can be read in it."""
    more = {}
    if method not in ("GET", "HEAD"):
        form = {**FORM, "csrf": product.csrf, "command_id": new_id(24)}
        more = {"data": form, "headers": {"origin": ORIGIN}}
    answer = client.request(method, path, **more)  # type: ignore[arg-type]
    return answer.status_code, "\n".join((*(f"{k}: {v}" for k, v in answer.headers.items()), answer.text))


def leaving(route: Route) -> bool:
    """Whether a door ends what the walk needs: the session, or somebody's access."""
    return route.path == "/sign-out" or (route.path.endswith("/end") and "POST" in (route.methods or ()))


def open_to_all(route: Route) -> bool:
    """Whether a door is open to anyone: what it says depends on nobody, so it is not about who looks."""
    return bool(route.endpoint.guarded == "anyone")


def walk(product: Product, client: TestClient, words: tuple[str, ...], *, of: str = "") -> tuple[list[str], int]:
    """Go through every door with every id, and return where a word stands that should not, and how many doors opened.

    `of`: only through those that are about this client, its share or its people.
    """
    found, opened = [], 0
    for route in (one for one in product.routes if not open_to_all(one)):
        for path, ids in filled(route):
            if of and not ({ids.get("share"), ids.get("client")} & {of, SHARE if of == ACME else THEIRS}):
                continue
            for method in sorted((route.methods or set()) - {"HEAD"}):
                if method != "GET" and leaving(route):
                    continue
                status, said = ask(product, client, method, path)
                opened += status == 200
                found += [f"{method} {path}: {word}" for word in words if word in said and word not in path]
    return found, opened


# who looks, by which session, and what may not stand anywhere
LOOKERS = {
    "of two clients, by a link to one": (BO, ACME, "", COUNCILS),
    "of two clients, by the provider of one": (BO, ACME, IDP, COUNCILS),
    "a lead of both, by a link to one": (LENA, ACME, "", COUNCILS),
}
AND_MORE = {
    "of two clients, by a link to the other": (BO, COUNCIL, "", ACMES),
    "a lead of both, by the provider of one": (LENA, ACME, IDP, COUNCILS),
    "of one client": (PersonId("noor"), None, "", COUNCILS),
}


@pytest.mark.parametrize("looker", [*LOOKERS, *(pytest.param(one, marks=pytest.mark.slow) for one in AND_MORE)])
def test_nothing_of_one_client_is_behind_any_door_for_whoever_came_in_to_another(
    product: tuple[Product, TestClient], looker: str
) -> None:
    made, client = product
    person, only, provider, words = (LOOKERS | AND_MORE)[looker]
    made.become(client, person, only, provider=provider)
    found, opened = walk(made, client, words)
    assert found == []
    assert opened > 10


@pytest.mark.parametrize("person", [BO, LENA])
def test_nothing_of_one_client_is_on_a_page_of_another_also_where_both_are_open(
    product: tuple[Product, TestClient], person: PersonId
) -> None:
    made, client = product
    made.become(client, person)
    assert [client.get(f"/s/{share}").status_code for share in (SHARE, THEIRS)] == [200, 200]
    for of, words in ((ACME, COUNCILS), (COUNCIL, ACMES)):
        found, opened = walk(made, client, words, of=of)
        assert found == []
        assert opened > 5
    home = client.get("/home").text
    assert all(word in home for word in ("City Council", "Acme Rail", "Depot", "Harbour Line"))  # each as itself


def test_this_test_would_notice_a_name_of_another_client(product: tuple[Product, TestClient]) -> None:
    """A mistake: somebody is called on every page by the name they were first invited by."""
    made, client = product
    with patch.object(Signed, "named", lambda self, _client: self):
        made.become(client, BO, ACME)
        found, _opened = walk(made, client, COUNCILS)
    assert any("Bo Elsewhere" in one for one in found)
    assert any("council.test" in one for one in found)


def test_this_test_would_notice_a_provider_that_opens_more_than_its_client(product: tuple[Product, TestClient]) -> None:
    """A mistake: a client's provider opens whatever the person may see."""
    made, client = product
    everywhere = lambda state, command, now: sign_ins.start(state, command, now, "openid", state.clients)  # noqa: E731
    with patch.object(sign_ins, "vouched", everywhere):
        made.become(client, BO, ACME, provider=IDP)
    found, _opened = walk(made, client, COUNCILS, of=COUNCIL)
    assert any("Depot" in one for one in found)


# the table


def doors(product: Product) -> list[tuple[Route, str, dict[str, str]]]:
    return [
        (route, path, ids) for route in product.routes if "GET" in (route.methods or ()) for path, ids in filled(route)
    ]


def expected(route: Route, ids: dict[str, str], role: str, clients: set[str], leads: set[str]) -> bool | None:
    """Return whether a door opens for somebody; None where it depends on more than who asks."""
    allowed = route.endpoint.guarded
    if allowed == "anyone":
        return None
    if role not in allowed:
        return False
    if role != "viewer":
        return None
    if "share" in ids:
        return None if ({SHARE: ACME, THEIRS: COUNCIL}[ShareId(ids["share"])] in clients) else False
    if route.path.startswith("/home/people"):
        if "client" not in ids:
            return bool(leads)
        if "person" in ids:
            colleague = {ACME: "noor", COUNCIL: "cora"}[ClientId(ids["client"])]
            mine = ids["person"] == colleague or (ids["person"] == BO)
            return ids["client"] in leads and mine
        return ids["client"] in leads
    return None


# who asks: person, link to one client, provider; their role, the clients that are open, those they lead there
ASKERS = {
    "of one client": ("noor", None, "", "viewer", {ACME}, set()),
    "of two clients": (BO, None, "", "viewer", {ACME, COUNCIL}, set()),
    "of two clients, by a link to one": (BO, ACME, "", "viewer", {ACME}, set()),
    "of two clients, by the provider of one": (BO, ACME, IDP, "viewer", {ACME}, set()),
    "a lead of two": (LENA, None, "", "viewer", {ACME, COUNCIL}, {ACME, COUNCIL}),
    "a lead of two, by a link to one": (LENA, COUNCIL, "", "viewer", {COUNCIL}, {COUNCIL}),
    "a lead, by the provider": (LENA, ACME, IDP, "viewer", {ACME}, {ACME}),
    "a manager": ("manager", None, "", "manager", set(), set()),
    "an auditor": ("auditor", None, "", "auditor", set(), set()),
    "an admin": ("admin", None, "", "admin", set(), set()),
}


def judged(
    product: Product, client: TestClient, role: str, clients: set[str], leads: set[str]
) -> tuple[list[str], int]:
    """Return the doors that answer otherwise than the table says, and how many were judged."""
    wrong, told = [], 0
    for route, path, ids in doors(product):
        opens = expected(route, ids, role, clients, leads)
        if opens is None:
            continue
        told += 1
        answer = client.get(path)
        closed = answer.status_code in (401, 404) or answer.headers.get("location", "").startswith("/sign-in")
        if closed == opens:
            wrong.append(f"{path}: {answer.status_code}, expected {'open' if opens else 'closed'}")
    return wrong, told


@pytest.mark.parametrize("asker", ASKERS)
def test_each_door_opens_for_whom_the_table_says(product: tuple[Product, TestClient], asker: str) -> None:
    made, client = product
    person, only, provider, role, clients, leads = ASKERS[asker]
    made.become(client, person, only, provider=provider)  # type: ignore[arg-type]
    wrong, told = judged(made, client, role, clients, leads)  # type: ignore[arg-type]
    assert wrong == []
    assert told > 20


def test_a_changed_role_changes_every_door_of_a_session_that_is_open(product: tuple[Product, TestClient]) -> None:
    made, client = product
    made.become(client, "manager")
    for role in ("auditor", "admin", "manager"):
        made.tell(ChangeRole(person=PersonId("manager"), role=role))  # type: ignore[arg-type]
        wrong, _told = judged(made, client, role, set(), set())
        assert wrong == []


def test_a_lead_no_more_finds_the_doors_closed_and_so_does_who_came_by_what_was_removed(
    product: tuple[Product, TestClient],
) -> None:
    made, client = product
    made.become(client, LENA, ACME, provider=IDP)
    assert client.get(f"/home/people/{ACME}").status_code == 200
    made.tell(EndLead(person=LENA, client=ACME))
    wrong, _told = judged(made, client, "viewer", {ACME}, set())
    assert wrong == []
    made.tell(RemoveProvider(client=ACME, provider=IDP, reason="Over"))
    for route, path, _ids in doors(made):
        if route.endpoint.guarded != "anyone":
            assert client.get(path).status_code in (303, 401), path


def test_the_walk_has_every_kind_of_id(product: tuple[Product, TestClient]) -> None:
    """A parameter that is in no table above is walked with an id that nothing has: it has to be a kind nobody owns."""
    made, _client = product
    known = {name for route in made.routes for name in route.param_convertors} - set(IDS)
    assert known <= {
        "secret", "name", "sha", "token", "session", "rest", "command", "moment", "upload", "concern", "comment", "subject",
        "file", "sheet", "channel", "device", "passkey", "source", "tool", "pull", "hook",
    }, known  # fmt: skip
