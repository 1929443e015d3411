"""Who loses access loses it at once: real sockets of a real server, and then on two workers of one installation.

Each end is asked for where people ask for it, on a page; somebody beside them watches on, and hears what comes next.
"""

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from domain.ids import CommandId, PersonId
from domain.people.person import AssignProjects, InvitePerson
from domain.plan.schedule import MoveForecast
from tests.journeys.product import Product, seeded
from tests.stories.test_workers import Two, redis, server, two, with_redis  # noqa: F401  # fixtures
from tests.web.doors import OTHER_VIEWER, VIEWER, wait_until
from tests.world import ACME, ADMIN, COUNCIL, HARBOUR, OTHER, SHARE, World, everything
from web import clock
from web.ids import new_id
from web.push import messages
from web.write.permission import OPERATOR

PATIENCE = 15.0
NOOR, BOTH = PersonId("noor"), PersonId("both")


def invited(world: World) -> None:
    """A second viewer of Acme, a share with the council, a manager, and somebody of both clients."""
    for person, role, client in ((NOOR, "viewer", ACME), (PersonId("manager"), "manager", None)):
        world.tell(
            InvitePerson(person=person, name=person.title(), email=f"{person}@x.test", role=role, client=client), ADMIN
        )
    world.share(everything(), OTHER, HARBOUR, COUNCIL)
    for person, client in ((BOTH, ACME), (PersonId("unused"), COUNCIL)):  # one address: one person
        bo = InvitePerson(person=person, name="Bo", email="bo@x.test", role="viewer", client=client)
        world.tell(bo, ADMIN)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("cuts") / "data"
    made = Product(seeded(folder, invited, clock.now() - timedelta(days=1)), flags=("--sign-in-per-minute", "1000"))
    with contextlib.ExitStack() as made.sockets:
        yield made.start()
    made.stop()


class Browser:
    """Somebody who is signed in, with pages open."""

    def __init__(self, product: Product, person: str) -> None:
        self.product = product
        self.http = httpx2.Client(base_url=product.url, trust_env=False, headers={"origin": product.url})
        answer = self.http.post(product.link(person).removeprefix(product.url))
        assert answer.status_code == 303

    def page(self, share: str = SHARE) -> "Dashboard":
        cookie = f"fanlight={self.http.cookies['fanlight']}"
        url = f"ws{self.product.url.removeprefix('http')}/s/{share}/live"
        there = connect(url, origin=self.product.url, additional_headers={"cookie": cookie}, compression=None)
        return Dashboard(self.product.sockets.enter_context(there), self.product.head(share))

    def send(self, page: str, action: str, **typed: str) -> httpx2.Response:
        """Fill in and send the form of a page whose address ends so."""
        text = self.http.get(page).text
        found = re.search(rf'<form[^>]*action="([^"]*{action})"[^>]*>(.*?)</form>', text, re.DOTALL)
        assert found is not None, (page, action)
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found[2]))
        answer = self.http.post(found[1].partition("#")[0], data=hidden | typed)
        assert answer.status_code == 303, answer.text
        return answer


class Dashboard:
    """An open page: what it hears, until it is closed."""

    def __init__(self, socket: ClientConnection, n: int) -> None:
        self.socket, self.numbers = socket, []
        socket.send(json.dumps({"hello": n, "tab": new_id(), "v": 2}))
        self.until(lambda told: "tick" in told)

    def until(self, met: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE  # over all: ticks come for ever
        while True:
            told = json.loads(self.socket.recv(max(0.0, end - time.monotonic())))
            if "n" in told:
                self.numbers.append(told["n"])
            if met(told):
                return dict(told)

    def closed(self) -> int:
        """Read to the end and return the code it ended with."""
        with contextlib.suppress(TimeoutError):
            while True:
                try:
                    self.until(lambda _told: False)
                except ConnectionClosed as end:
                    return end.rcvd.code if end.rcvd else 1006
        pytest.fail("it stays open")


def handed(manager: Browser, name: str) -> list[int]:
    """The last update handed to a page of somebody, as the page of their client says."""
    text = manager.http.get(f"/clients/{ACME}").text
    found = rf'<th scope="row">{name}</th>\s*<td class="r" data-label="Handed over">(\d+)<'
    return [int(n) for n in re.findall(found, text)]


def change(product: Product, day: int) -> int:
    """Something every share shows changes; return the number it becomes for Acme."""
    before = product.head(SHARE)
    product.tell(MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 8, day), reason=f"day {day}"))
    return before + 1


def cut(product: Product, gone: list[Dashboard], staying: Dashboard, day: int, codes: set[int]) -> None:
    """Those pages are closed by these codes, and a change made now reaches the one that stays and none of them."""
    assert {page.closed() for page in gone} == codes
    head = product.head(SHARE)
    change(product, day)
    staying.until(lambda told: "n" in told)
    assert all(n <= head for page in gone for n in page.numbers)


@pytest.mark.folder  # the server of these serves one
def test_ending_one_session_from_the_list_closes_its_pages_and_no_others(product: Product) -> None:
    here, phone = Browser(product, VIEWER), Browser(product, VIEWER)
    gone, stays = [phone.page(), phone.page()], here.page()
    heard = change(product, 1)
    for page in (*gone, stays):
        page.until(lambda told: told.get("n") == heard)
    addresses = re.findall(r'action="(/me/sessions/\w+/end)"', here.http.get("/me").text)
    here.send("/me", addresses[1])
    cut(product, gone, stays, 2, {messages.SIGNED_OUT})
    again = phone.http.get(f"/s/{SHARE}")
    assert (again.status_code, again.headers["location"]) == (303, "/sign-in")


@pytest.mark.folder  # the server of these serves one
def test_ending_all_other_sessions_closes_their_pages(product: Product) -> None:
    here, others = Browser(product, VIEWER), [Browser(product, VIEWER) for _ in range(3)]
    gone, stays = [browser.page() for browser in others], here.page()
    here.send("/me", "/me/others/end")
    cut(product, gone, stays, 3, {messages.SIGNED_OUT})


@pytest.mark.folder  # the server of these serves one
def test_a_manager_ends_one_session_of_a_viewer_on_the_page_of_the_client(product: Product) -> None:
    manager, vera, noor = Browser(product, "manager"), Browser(product, VIEWER), Browser(product, NOOR)
    Browser(product, VIEWER).send("/me", "/me/others/end")  # of the tests before; and of this one
    vera = Browser(product, VIEWER)
    gone, stays = [vera.page()], noor.page()
    text = manager.http.get(f"/clients/{ACME}").text
    for address in re.findall(rf'action="(/clients/{ACME}/people/{VIEWER}/sessions/\w+/end)"', text):
        manager.send(f"/clients/{ACME}", address)
    cut(product, gone, stays, 4, {messages.SIGNED_OUT})


@pytest.mark.folder  # the server of these serves one
def test_ending_a_person_closes_all_their_pages_and_leaves_their_colleagues(product: Product) -> None:
    manager, vera, noor = Browser(product, "manager"), Browser(product, VIEWER), Browser(product, NOOR)
    other = Browser(product, NOOR)
    gone, stays = [noor.page(), other.page()], vera.page()
    manager.send(f"/clients/{ACME}/people/{NOOR}/end", f"{NOOR}/end", reason="Left Acme")
    cut(product, gone, stays, 5, {messages.ENDED})
    wait_until(lambda: handed(manager, "Noor") == [product.head(SHARE) - 1])  # the change after it never was theirs


@pytest.mark.folder  # the server of these serves one
def test_ending_one_membership_closes_the_pages_of_that_client_alone(product: Product) -> None:
    manager, both, vera = Browser(product, "manager"), Browser(product, BOTH), Browser(product, VIEWER)
    gone, kept, colleague = [both.page(), both.page()], both.page(OTHER), vera.page()
    manager.send(f"/clients/{ACME}/people/{BOTH}/end", f"{BOTH}/end", reason="Left Acme")
    cut(product, gone, colleague, 8, {messages.ENDED})
    kept.until(lambda told: "n" in told)  # the change reached the page of the other client, which stayed open
    assert [both.http.get(f"/s/{share}").status_code for share in (SHARE, OTHER)] == [404, 200]
    again = both.page(OTHER)
    manager.send(f"/clients/{COUNCIL}/people/{BOTH}/end", f"{BOTH}/end", reason="Left the council")
    assert {page.closed() for page in (kept, again)} == {messages.ENDED}
    assert both.http.get(f"/s/{OTHER}").headers["location"] == "/sign-in"  # no membership is left


@pytest.mark.folder  # the server of these serves one
def test_ending_a_whole_client_closes_every_page_of_it_and_says_what_was_the_last(product: Product) -> None:
    manager, council = Browser(product, "manager"), Browser(product, OTHER_VIEWER)
    browsers = [Browser(product, VIEWER) for _ in range(3)]
    gone, stays = [browser.page() for browser in browsers for _ in range(2)], council.page(OTHER)
    last = change(product, 6)
    for page in gone:
        page.until(lambda told: told.get("n") == last)
    count = re.search(r"<dt>Open pages now</dt><dd>(\d+)</dd>", manager.http.get(f"/clients/{ACME}/end").text)
    assert count is not None
    assert int(count[1]) >= 6
    manager.send(f"/clients/{ACME}/end", f"{ACME}/end", name="Acme Rail", reason="Contract over")
    assert {page.closed() for page in gone} == {messages.ENDED}
    change(product, 7)
    stays.until(lambda told: "n" in told)
    assert product.head(SHARE) == last  # no update was made for them any more
    assert max(n for page in gone for n in page.numbers) == last
    text = manager.http.get(f"/clients/{ACME}").text
    assert f"No update after {last} was made." in text
    assert "This list is complete in a few seconds" in text
    wait_until(lambda: handed(manager, "Vera") == [last])
    for browser in browsers:
        assert browser.http.get(f"/s/{SHARE}").headers["location"] == "/sign-in"
    assert httpx2.get(product.url + "/sign-in", trust_env=False, verify=False).status_code == 200


# on two workers


def _on_both(two: Two, person: str) -> None:  # noqa: F811
    """Sign somebody in, in the browser both clients are."""
    people = two.processes[0].services.credentials
    secret = people.enter(people.link(OPERATOR, PersonId(person))).secret
    for client in two.clients:
        client.cookies.set("fanlight", secret)


def _manager(two: Two, by: int) -> dict[str, str]:  # noqa: F811
    """Make a manager known, and return their cookie; `by` is the worker they sign in on."""
    process = two.processes[by]
    person = PersonId(f"manager{new_id(4)}")
    invite = InvitePerson(person=person, name="Marta", email=f"{person}@x.test", role="manager")
    process.services.service.execute(OPERATOR, invite, command_id=CommandId(new_id(24)))
    return {
        "cookie": f"fanlight={process.services.credentials.enter(process.services.credentials.link(OPERATOR, person)).secret}"
    }


def _sent(client: Any, headers: dict[str, str], page: str, action: str, **typed: str) -> None:
    text = client.get(page, headers=headers).text
    found = re.search(rf'<form[^>]*action="([^"]*{action})"[^>]*>(.*?)</form>', text, re.DOTALL)
    assert found is not None, text[-1500:]
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found[2]))
    assert client.post(found[1].partition("#")[0], data=hidden | typed, headers=headers).status_code == 303


def _code(socket: Any) -> int:
    """Read a socket to its end and return the code; whatever is numbered later fails, and so does staying open."""
    for _ in range(2):  # a tick may come in between, a second one is 20 seconds later
        if (told := socket.receive())["type"] == "websocket.close":
            return int(told["code"])
        assert "n" not in json.loads(told["text"])
    pytest.fail("it stays open")


@pytest.mark.once
@pytest.mark.parametrize("hints", ["none", pytest.param("redis", marks=with_redis)])
def test_an_end_asked_of_one_worker_closes_pages_on_both(two: Two, hints: str) -> None:  # noqa: F811
    if hints == "redis":
        wait_until(
            lambda: all(
                process.services.hints is not None and process.services.hints.listening for process in two.processes
            )
        )
    manager = _manager(two, 1)
    noor = InvitePerson(person=NOOR, name="Noor", email="noor@x.test", role="viewer", client=ACME)
    two.processes[0].services.service.execute(OPERATOR, noor, command_id=CommandId(new_id(24)))

    def session(by: int) -> None:
        found = two.processes[by].services.present.refresh().people[PersonId(VIEWER)].sessions
        _sent(two.clients[by], {}, "/me", f"/me/sessions/{next(reversed(found))}/end")

    def person(by: int) -> None:
        there = f"/clients/{ACME}/people/{VIEWER}/end"
        _sent(two.clients[by], manager, there, there, reason="Left")

    def everybody(by: int) -> None:
        _sent(two.clients[by], manager, f"/clients/{ACME}/end", f"{ACME}/end", name="Acme Rail", reason="Over")

    for by, who, end, code in (
        (0, VIEWER, session, messages.SIGNED_OUT),
        (1, VIEWER, person, messages.ENDED),
        (0, NOOR, everybody, messages.ENDED),
    ):
        _on_both(two, who)
        head = two.head()
        with two.page(0, head, "a") as first, two.page(1, head, "b") as second:
            assert "tick" in first.receive_json()
            assert "tick" in second.receive_json()
            end(by)
            assert {_code(first), _code(second)} == {code}, who
        for client in two.clients:
            assert client.get(f"/s/{SHARE}").status_code == 303
        if end is not everybody:
            two.move(10 + by)
            wait_until(lambda n=head + 1: two.head() == n)  # type: ignore[misc]
    for client in two.clients:
        assert "Ended because: Over" in client.get(f"/clients/{ACME}", headers=manager).text


@pytest.mark.once
def test_what_a_manager_may_see_narrows_on_both_workers_with_the_next_click(two: Two) -> None:  # noqa: F811
    manager = _manager(two, 0)
    key = max(person for person in two.processes[0].services.present.world.people if person.startswith("manager"))
    for client in two.clients:
        assert client.get(f"/p/{HARBOUR}", headers=manager).status_code == 200
    for by, projects in enumerate([(), None, ()]):
        assign = AssignProjects(person=PersonId(key), projects=projects)
        two.processes[by % 2].services.service.execute(OPERATOR, assign, command_id=CommandId(new_id(24)))
        for client in two.clients:
            assert client.get(f"/p/{HARBOUR}", headers=manager).status_code == (200 if projects is None else 404)
            assert ("Harbour" in client.get("/p", headers=manager).text) == (projects is None)
