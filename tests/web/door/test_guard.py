"""The doors: every route guarded, every header strict, links that nothing burns, and guesses that learn nothing."""

import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from domain.ids import CommandId, PersonId
from domain.people.memberships import EndMembership
from domain.people.person import DisablePerson, InvitePerson
from domain.plan.risks import AskClientView
from domain.plan.schedule import MoveForecast
from domain.view import ClientView
from projections.events.present import CurrentWorld
from projections.installation.folder import Folder
from tests.plain import Plain
from tests.recorded import recorded
from tests.web.doors import ORIGIN, OTHER_VIEWER, VIEWER, wait_until, without_token
from tests.world import ACME, ADMIN, HARBOUR, SHARE, World
from web import app as application
from web import clock, operator
from web.client.history import FRAMING
from web.door.headers import CSP
from web.door.templates import Pages
from web.ids import digest, form_token
from web.process.process import Given, Process
from web.render.page import Renderer
from web.settings import Settings
from web.write.permission import OPERATOR
from web.write.service import Service


def sample(folder: Path) -> None:
    world = World(folder, Renderer())
    world.harbour()
    for role in ("manager", "auditor", "admin"):
        world.tell(InvitePerson(person=PersonId(role), name=role.title(), email=f"{role}@x.test", role=role), ADMIN)
    world.close()


@pytest.fixture
def product(tmp_path: Path) -> Iterator[TestClient]:
    """The whole application on the sample project."""
    recorded(tmp_path, sample)
    process = application.compose(Settings(data=tmp_path, public_url=ORIGIN))
    with TestClient(application.create(process), base_url=ORIGIN, follow_redirects=False) as client:
        client.process = process  # type: ignore[attr-defined]
        yield client


def become(product: TestClient, person: str) -> TestClient:
    """Sign the client in as somebody."""
    process = product.process  # type: ignore[attr-defined]
    product.cookies.clear()
    product.cookies.set(
        process.services.guard.cookie,
        process.services.credentials.enter(process.services.credentials.link(OPERATOR, PersonId(person))).secret,
    )
    return product


def routes_of(product: TestClient) -> list[Route | WebSocketRoute]:
    return [r for r in application.routes(demo=False) if isinstance(r, Route | WebSocketRoute)]


def test_every_route_went_through_the_guard(product: TestClient) -> None:
    found = routes_of(product)
    assert len(found) > 20
    for route in found:
        assert hasattr(route.endpoint, "guarded"), route.path


def test_only_these_routes_are_open_to_anyone(product: TestClient) -> None:
    open_ones = {r.path for r in routes_of(product) if r.endpoint.guarded == "anyone"}
    assert open_ones == {
        "/",
        "/healthz",
        "/readyz",
        "/metrics",
        "/static/{name}",
        "/brand/{name}",
        "/sign-in",
        "/sign-in/openid",
        "/sign-in/openid/back",
        "/sign-in/passkey",
        "/sign-in/passkey/begin",
        "/sign-in/where",
        "/sign-in/at/{provider}",
        "/sign-in/at/{provider}/try",
        "/sign-in/at/{provider}/back",
        "/in/{secret}",
        "/address/{token}",
        "/hooks/{hook}",
        "/wall/begin",
        "/mail/stop/{token}",
        "/key.txt",
    }


def _addresses(product: TestClient) -> Iterator[str]:
    values = {
        "share": SHARE,
        "project": HARBOUR,
        "secret": "x",
        "name": "x.js",
        "sha": "0" * 64,
        "risk": "r1",
        "n": "1",
    }
    for route in routes_of(product):
        if isinstance(route, Route) and "GET" in (route.methods or ()):
            yield re.sub(r"\{(\w+)(:\w+)?\}", lambda m: values.get(m.group(1), "x"), route.path)


@pytest.mark.parametrize("person", ["", VIEWER, "manager", "auditor"])
def test_every_answer_carries_the_strict_headers(product: TestClient, person: str) -> None:
    if person:
        become(product, person)
    for address in _addresses(product):
        answer = product.get(address)
        assert answer.status_code < 500 or address == "/healthz", address  # not well before somebody follows
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "unsafe" not in answer.headers["content-security-policy"]
        if "sandbox" not in answer.headers["content-security-policy"]:
            framing = answer.status_code == 200 and re.fullmatch(
                r"/s/\w+/history/\d+|/p/\w+/answers|/p/\w+/shares/\w+/edit", address
            )
            assert answer.headers["content-security-policy"] == (FRAMING if framing else CSP), address
        assert "server" not in answer.headers


def test_who_is_not_signed_in_is_sent_to_the_door(product: TestClient) -> None:
    for address in (f"/s/{SHARE}", "/home", "/p", "/audit"):
        answer = product.get(address)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize(
    "suffix",
    [
        "",
        "/today.css",
        "/record",
        f"/styles/{'0' * 64}.css",
        "/history",
        "/history?on=2027-03-02",
        "/history/1",
        "/history/1/page",
    ],
)
def test_anothers_share_answers_like_one_that_does_not_exist(product: TestClient, suffix: str) -> None:
    become(product, OTHER_VIEWER)
    for accept in ("*/*", BROWSER):
        product.headers["accept"] = accept
        theirs, nothing = product.get(f"/s/{SHARE}{suffix}"), product.get(f"/s/nosuch{suffix}")
        assert (theirs.status_code, without_token(theirs.content)) == (404, without_token(nothing.content))
        assert dict(theirs.headers) == dict(nothing.headers)


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("person", ["", VIEWER, "manager", "auditor", "admin"])
def test_a_refusal_is_a_page_with_a_way_on_for_whoever_reads_it_and_a_sentence_for_programs(
    product: TestClient, person: str
) -> None:
    if person:
        become(product, person)
    asked = [("GET", "/nosuch", 404), ("GET", "/s/nosuch", 404), ("DELETE", "/sign-in", 405)]
    asked += [("POST", "/home/mail", 403), ("POST", "/sign-out", 403)] if person == VIEWER else []
    for method, path, status in asked:
        if not person and path == "/s/nosuch":
            continue  # who is not signed in is asked to first
        plain = product.request(method, path)
        page = product.request(method, path, headers={"accept": BROWSER})
        script = product.request(method, path, headers={"accept": BROWSER, "hx-request": "true"})
        assert (plain.status_code, page.status_code) == (status, status), path
        assert plain.headers["content-type"].startswith("text/plain")
        assert script.content == plain.content
        first = plain.text.strip().partition(". ")[0].removesuffix(".")
        assert f"<h1>{first}." in page.text
        assert page.headers["content-security-policy"] == CSP
        assert ('href="/"' in page.text, 'action="/sign-out"' in page.text) == (True, bool(person))
        assert ('href="/sign-in"' in page.text) != bool(person)
        assert path not in page.text.replace('"/sign-in"', "").replace('"/sign-out"', "")
        bar = re.findall(r'<a class="brand".*?<b>(.*?)</b>', page.text, re.DOTALL)
        assert bar == ["Example Works"], "every page says whose it is, as the sign-in page does"
    answer = product.get("/api/nosuch", headers={"accept": BROWSER})
    assert (answer.status_code, answer.headers["content-type"]) == (404 if person else 401, "application/problem+json")


def test_what_fails_here_is_said_on_a_page_and_to_programs(product: TestClient) -> None:
    def fail(*_given: object) -> None:
        raise RuntimeError

    become(product, VIEWER)
    with TestClient(product.app, base_url=ORIGIN, raise_server_exceptions=False, cookies=product.cookies) as client:
        product.process.viewing.shares_of = fail  # type: ignore[attr-defined]
        page, plain = (client.get("/home", headers={"accept": accept}) for accept in (BROWSER, "*/*"))
    assert (page.status_code, plain.status_code) == (500, 500)
    assert plain.text.startswith("Something went wrong here.")
    assert "<h1>Something went wrong here." in page.text
    assert '<a class="btn primary" href="">' in page.text


@pytest.mark.parametrize(
    ("person", "closed"),
    [(VIEWER, ("/p", "/audit")), ("manager", (f"/s/{SHARE}", "/audit")), ("auditor", ("/p", f"/s/{SHARE}"))],
)
def test_each_role_sees_its_own_doors_only(product: TestClient, person: str, closed: tuple[str, ...]) -> None:
    become(product, person)
    for address in closed:
        assert product.get(address).status_code == 404


def test_opening_a_link_does_not_use_it_and_using_it_twice_does_not_work(product: TestClient) -> None:
    process = product.process  # type: ignore[attr-defined]
    secret = process.services.credentials.link(OPERATOR, PersonId(VIEWER))
    assert len(secret) >= 22
    for _ in range(5):
        answer = product.get(f"/in/{secret}")
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    first = product.post(f"/in/{secret}", headers={"origin": ORIGIN})
    assert first.status_code == 303
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    again = product.post(f"/in/{secret}", headers={"origin": ORIGIN})
    assert again.status_code == 410
    assert "set-cookie" not in again.headers


def test_a_link_cannot_be_used_from_another_site(product: TestClient) -> None:
    process = product.process  # type: ignore[attr-defined]
    secret = process.services.credentials.link(OPERATOR, PersonId(VIEWER))
    assert product.post(f"/in/{secret}", headers={"origin": "https://evil.test"}).status_code == 403
    assert product.post(f"/in/{secret}").status_code == 403


def test_guessing_links_is_slowed_down(product: TestClient) -> None:
    codes = [product.get(f"/in/{i}").status_code for i in range(40)]
    assert codes[0] == 410
    assert codes[-1] == 429


def test_signing_out_ends_the_session_for_good(product: TestClient) -> None:
    become(product, VIEWER)
    process = product.process  # type: ignore[attr-defined]
    signed = process.services.guard._by_session(next(iter(process.services.present.world.sessions)))
    kept = dict(product.cookies)
    answer = product.post("/sign-out", data={"csrf": signed.csrf}, headers={"origin": ORIGIN})
    assert answer.status_code == 303
    product.cookies.clear()
    for name, value in kept.items():
        product.cookies.set(name, value)
    assert product.get(f"/s/{SHARE}").headers["location"] == "/sign-in"


def test_a_form_without_our_token_is_refused(product: TestClient) -> None:
    become(product, VIEWER)
    assert product.post("/sign-out", headers={"origin": ORIGIN}).status_code == 403
    for wrong in ("0" * 64, "0" * 128, form_token(digest("of another session")), form_token("")[:-2]):
        assert product.post("/sign-out", data={"csrf": wrong}, headers={"origin": ORIGIN}).status_code == 403


def test_a_form_has_another_token_in_every_answer_so_that_the_page_may_be_compressed(product: TestClient) -> None:
    become(product, VIEWER)
    pages = [product.get(f"/s/{SHARE}", headers={"accept-encoding": "gzip"}) for _ in range(2)]
    assert {page.headers["content-encoding"] for page in pages} == {"gzip"}
    assert int(pages[0].headers["content-length"]) < len(pages[0].content) / 3
    tokens = [page.text.split('name="csrf" value="')[1].split('"')[0] for page in pages]
    assert len({token[i : i + 64] for token in tokens for i in (0, 64)}) == 4
    mask, hidden = (int.from_bytes(bytes.fromhex(part)) for part in (tokens[0][:64], tokens[0][64:]))
    before = f"{mask ^ hidden:064x}"  # what a page holds that was open when the masks came
    for token in (*tokens, before):
        answer = product.post("/home/mail", data={"csrf": token, "mail": "never"}, headers={"origin": ORIGIN})
        assert answer.status_code != 403


@pytest.mark.parametrize("origin", ["https://evil.test", "null", None])
def test_a_socket_from_another_site_is_refused_before_it_is_accepted(product: TestClient, origin: str | None) -> None:
    become(product, VIEWER)
    headers = {"origin": origin} if origin else {}
    with pytest.raises(Exception) as raised, product.websocket_connect(f"/s/{SHARE}/live", headers=headers):
        pass
    assert getattr(raised.value, "code", None) == 1008


@pytest.mark.parametrize(
    ("person", "share", "code"), [("", SHARE, 4401), (OTHER_VIEWER, SHARE, 4403), (VIEWER, "nosuch", 4403)]
)
def test_a_socket_that_may_not_watch_is_accepted_and_closed_with_its_code(
    product: TestClient, person: str, share: str, code: int
) -> None:
    if person:
        become(product, person)
    with product.websocket_connect(f"/s/{share}/live", headers={"origin": ORIGIN}) as socket:
        closed = socket.receive()
    assert (closed["type"], closed["code"]) == ("websocket.close", code)


def test_a_viewer_who_is_asked_gives_its_view(product: TestClient) -> None:
    process = product.process  # type: ignore[attr-defined]
    become(product, VIEWER)
    assert 'id="answer"' not in product.get(f"/s/{SHARE}").text
    process.services.service.execute(
        OPERATOR, AskClientView(project=HARBOUR, risk="r1", client="acme"), command_id=CommandId("ask")
    )
    wait_until(lambda: "Give your view" in product.get(f"/s/{SHARE}").text)
    page = product.get(f"/s/{SHARE}?about=risk-r1").text
    carried = dict(
        re.findall(r'name="(csrf|n|head|how|about)" value="(\w+(?:-\w+)?)"', page[: page.index("Record our score")])
    )
    form = {**carried, "command_id": "mine", "probability": "4", "impact": "3"}
    answer = product.post(f"/s/{SHARE}/answer", data=form, headers={"origin": ORIGIN})
    assert answer.status_code == 303
    assert (
        process.services.present.refresh().projects[HARBOUR].risks.risks["r1"].client_scores["acme"][-1].points.score
        == 12
    )
    wait_until(lambda: "You 4×3 = 12" in product.get(f"/s/{SHARE}").text)


def test_health_tells_the_truth_about_a_stopped_share(tmp_path: Path) -> None:
    def broken(view: ClientView) -> None:
        if view.client == "Acme Rail":
            message = "broken template"
            raise ValueError(message)

    world = World(tmp_path)
    world.harbour()
    world.close()
    process = Process(
        Settings(data=tmp_path, operator_token="operator's"), Plain(broken), Pages(asset=str, demo=False), Given()
    )
    routes = operator.routes()

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with process.running():
            yield

    app = Starlette(routes=routes, lifespan=lifespan)
    app.state.services, app.state.guard = process.services, process.services.guard
    with TestClient(app) as client:
        wait_until(lambda: client.get("/healthz").json() == {"ok": True})
        told = client.get("/healthz", headers={"authorization": "Bearer operator's"}).json()
        assert (told["follower"], told["receipts"], told["unsigned"]) == ("follows", "recording", 0)
        move = MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, 1), reason="Frost")
        process.services.service.execute(OPERATOR, move, command_id=CommandId("x"))
        wait_until(lambda: client.get("/healthz").status_code == 503)
        assert client.get("/healthz", headers={"authorization": "Bearer operator's"}).json()["stopped"] == 1
        assert client.get("/healthz", headers={"authorization": "Bearer other"}).json() == {"ok": False}
        assert client.get("/readyz").json() == {"ready": True}


@pytest.mark.parametrize("token", ["é", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), ""])
def test_a_form_token_of_any_letters_is_a_wrong_one(product: TestClient, token: str) -> None:
    become(product, VIEWER)
    assert product.post("/home/mail", data={"csrf": token}).status_code == 403
    header = product.post("/home/mail", headers={"x-fanlight-form": token.encode()})
    assert header.status_code == 403


@pytest.mark.folder
@pytest.mark.parametrize("end", ["the person", "what they are to the client"])
def test_what_the_command_line_ends_beside_a_running_server_is_ended_with_the_next_request(
    product: TestClient, tmp_path: Path, end: str
) -> None:
    """Another process writes to the same folder, as `fanlight user end` does; no page is served after it returned."""
    become(product, VIEWER)
    assert product.get(f"/s/{SHARE}").status_code == 200
    folder = Folder(tmp_path)
    desk = Service(folder.events, CurrentWorld(folder.events), clock.now)
    person = PersonId(VIEWER)
    ending = (
        DisablePerson(person=person, reason="Left")
        if end == "the person"
        else EndMembership(person=person, client=ACME, reason="Left")
    )
    desk.execute(OPERATOR, ending, command_id=CommandId("by-hand"))
    folder.close()
    for address in ("/home", f"/s/{SHARE}", f"/api/v1/shares/{SHARE}/entries"):
        assert product.get(address).status_code in (303, 401), address
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        product.websocket_connect(f"/s/{SHARE}/live", headers={"origin": ORIGIN}) as socket,
    ):
        socket.receive_text()
    assert closed.value.code in (4401, 4403)


def test_the_json_door_tells_by_a_problem_that_the_record_is_away(
    product: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(product, VIEWER)
    services = product.process.services  # type: ignore[attr-defined]

    def away(*_asked: object) -> None:
        raise services.logs.away[0]

    monkeypatch.setattr(services.logs.disclosure, "kept", away)
    answer = product.get(f"/api/v1/shares/{SHARE}/entries")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert (answer.json()["status"], answer.headers["retry-after"]) == (503, "2")
    page = product.get(f"/s/{SHARE}/history", headers={"accept": BROWSER})
    assert (page.status_code, page.headers["retry-after"], page.headers["cache-control"]) == (503, "2", "no-store")
    assert "<h1>The record cannot be reached at this moment." in page.text
