"""A wall display: one share for a room, put up by a code, without answers, and named in the delivery record."""

import contextlib
import re
from collections.abc import Iterator
from concurrent.futures import CancelledError
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from domain.agreement.share import RevokeShare, SetLanguage
from domain.people.clients import SetClientDeviceDays
from domain.people.devices import recipient
from domain.people.memberships import EndMembership
from domain.people.person import ErasePerson
from tests.web.doors import OTHER_VIEWER, VIEWER, House, every_route, running, wait_until
from tests.web.sign_in.test_devices import HERE, JAR, Time, closed_with, csrf, devices, enter, person, tell
from tests.world import ACME, SHARE
from web import languages
from web.identity.devices import CODE_LASTS
from web.process import presence


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def house(tmp_path: Path, time: Time) -> Iterator[House]:
    with running(tmp_path / "data", every_route(), now=time) as made:
        yield made


def code_of(house: House, browser: TestClient | None = None, name: str = "Site office") -> str:
    """Put the share up by the form, and return the code."""
    browser = browser or enter(house, keep=False)
    form = {"csrf": csrf(browser), "name": name, "where": "there"}
    page = browser.post(f"/s/{SHARE}/wall", headers=HERE, data=form).text
    found = re.search(r'<p class="code">([a-z0-9-]+)</p>', page)
    assert found is not None, page
    return found[1]


def screen(house: House, code: str = "") -> TestClient:
    """A screen that became a wall display."""
    browser = house.client()
    answer = browser.post("/wall/begin", headers=HERE, data={"code": code or code_of(house)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/wall")
    return browser


def hello(socket: object) -> None:
    socket.send_json({"hello": 0, "tab": "t", "v": 2})  # type: ignore[attr-defined]


def test_a_code_makes_a_screen_a_wall_display_once_however_it_is_typed(house: House) -> None:
    code = code_of(house)
    wall = screen(house, f" {code.upper().replace('-', ' ')} ")
    page = wall.get("/wall")
    assert page.status_code == 200
    assert "Section A energised" in page.text
    assert "Wall display: Site office" in page.text
    again = house.client().post("/wall/begin", headers=HERE, data={"code": code})
    assert again.status_code == 410
    assert "set-cookie" not in again.headers


def test_a_code_runs_out_and_a_guess_opens_nothing(house: House, time: Time) -> None:
    code = code_of(house)
    time.now += CODE_LASTS + timedelta(seconds=1)
    assert house.client().post("/wall/begin", headers=HERE, data={"code": code}).status_code == 410
    assert house.client().post("/wall/begin", headers=HERE, data={"code": "aaaa-bbbb-cccc"}).status_code == 410
    guesses = [house.client().post("/wall/begin", headers=HERE, data={"code": f"{i}"}).status_code for i in range(30)]
    assert guesses[-1] == 429


def test_its_page_has_no_controls(house: House) -> None:
    page = screen(house).get("/wall").text
    shown = page.partition("<div hidden>")[0]
    assert "<form" not in page
    assert 'href="/' not in re.sub(r"<link[^>]*>", "", shown)
    assert "answered" in shown  # which hides the ways to answer in the recorded markup


def test_all_of_its_page_is_in_the_language_of_the_share_whatever_its_browser_asks_for(house: House) -> None:
    languages.install()  # as the application does
    tell(house, SetLanguage(share=SHARE, language="de"))
    wall, asks = screen(house), {"accept-language": "fr"}
    house.process.services.follower.wake()
    wait_until(lambda: '<html lang="de"' in wall.get("/wall", headers=asks).text)
    page = wall.get("/wall", headers=asks).text
    assert re.search(r'data-words="[^"]*lang[^"]{1,20}:[^"]{0,12}de\b', page), "the words of its script"
    assert " for Acme" not in page


def test_it_opens_nothing_but_its_own_pages(house: House) -> None:
    wall = screen(house)
    assert wall.get("/wall").status_code == 200
    names = {"share": SHARE, "person": VIEWER, "sha": "0" * 64}
    tried = 0
    guard = house.process.services.guard
    secret = wall.cookies.get(guard.display_cookies.session)
    device = wall.cookies.get(guard.display_cookies.device)
    assert secret is not None
    assert device is not None
    wall.cookies.set(guard.cookies.session, secret, domain=JAR, path="/")  # as somebody would who takes them out
    wall.cookies.set(guard.cookies.device, device, domain=JAR, path="/")
    for route in every_route():
        if isinstance(route, Route) and isinstance(route.endpoint.guarded, frozenset):
            path = re.sub(r"\{(\w+)(:\w+)?\}", lambda name: names.get(name[1], "x"), route.path)
            for method in route.methods or ():
                answer = wall.request(method, path, headers=HERE)
                assert answer.status_code in (303, 401), path
                assert answer.headers.get("location", "/sign-in").startswith("/sign-in"), path
                tried += 1
    assert tried > 100
    with wall.websocket_connect(f"/s/{SHARE}/live", headers=HERE) as socket:
        assert closed_with(socket) == 4401


def test_a_person_is_no_wall_display(house: House) -> None:
    anna = enter(house)
    for path in ("/wall", "/wall/today.css", f"/wall/styles/{'0' * 64}.css"):
        assert anna.get(path).status_code == 401
    assert anna.get("/wall", headers={"accept": "text/html"}).headers["location"] == "/wall/begin"
    assert anna.post("/wall/renew", headers=HERE).status_code == 401


def test_it_is_live_and_the_delivery_record_names_it_and_not_its_person(house: House) -> None:
    wall = screen(house)
    wall.get("/wall")
    (display,) = devices(house)
    services = house.process.services
    with contextlib.suppress(CancelledError), wall.websocket_connect("/wall/live", headers=HERE) as socket:
        hello(socket)
        n = services.logs.disclosure.head(SHARE)
        socket.receive_json()
        socket.send_json({"painted": n, "from": 0})
        wait_until(lambda: any(w.displayed for w in services.live.watching(SHARE)))
        assert {w.person for w in services.live.watching(SHARE)} == {recipient(display.id)}
        wait_until(lambda: services.receipts.flush() >= 0 and _claims(house, "displayed") != [])
    assert {claim.person for claim in _claims(house)} == {recipient(display.id)}
    assert {claim.device for claim in _claims(house, "opened")} == {"Wall display"}
    assert person(house).sessions  # they have been here themselves, to put it up
    name = services.present.world.names_for(ACME)
    assert name(recipient(display.id)) == "Wall display: Site office"
    manager = house.client("manager")
    for page in (f"/p/harbour/shares/{SHARE}/access", f"/p/harbour/shares/{SHARE}/at/now"):
        there = manager.get(page)
        there = manager.get(there.headers["location"]) if there.status_code == 303 else there
        assert "Wall display: Site office" in there.text, page
    tell(house, ErasePerson(person=VIEWER, reason="asked"))
    assert services.present.refresh().names_for(ACME)(recipient(display.id)) == "Wall display"


def test_whoever_has_several_pages_open_is_named_once_and_a_display_by_its_name(house: House) -> None:
    wall, anna, services = screen(house), enter(house), house.process.services
    wall.get("/wall")
    manager = house.client("manager")
    with (
        contextlib.suppress(CancelledError),
        wall.websocket_connect("/wall/live", headers=HERE) as display,
        anna.websocket_connect(f"/s/{SHARE}/live", headers=HERE) as one,
        anna.websocket_connect(f"/s/{SHARE}/live", headers=HERE) as other,
    ):
        for socket, tab in ((display, "w"), (one, "a"), (other, "b")):
            socket.send_json({"hello": 0, "tab": tab, "v": 2})
        wait_until(lambda: len(services.live.watching(SHARE)) == 3)
        name = services.present.world.people[VIEWER].name
        for path in ("/p/harbour/watching", f"/p/harbour/shares/{SHARE}", f"/clients/{ACME}"):
            said = " ".join(re.sub(r"<[^>]+>", " ", manager.get(path).text).split())
            assert f"{name} (2 pages)" in said, path
            assert "Wall display: Site office" in said, path
            assert said.count(f"{name} (2 pages)") == 1, path
        assert presence.people_watching(services, SHARE) == 2
        said = " ".join(re.sub(r"<[^>]+>", " ", manager.get(f"/p/harbour/shares/{SHARE}").text).split())
        assert "2 watching now:" in said


def _claims(house: House, kind: str = "") -> list:
    log = house.process.services.logs.receipts
    claims = [claim for row in log.rows(SHARE, 0, 1000) for claim in row.claims(SHARE)]
    return [claim for claim in claims if kind in ("", claim.kind)]


def test_putting_it_up_counts_as_no_visit_of_its_person(house: House, time: Time) -> None:
    wall = screen(house)
    before = person(house).signed_in
    time.forward(days=3)
    assert wall.get("/wall").status_code == 200
    assert person(house).signed_in == before
    assert person(house).memberships[ACME].signed_in == before


def test_on_this_screen_its_person_is_signed_out(house: House) -> None:
    anna = enter(house)
    form = {"csrf": csrf(anna), "name": "Hall", "where": "here"}
    answer = anna.post(f"/s/{SHARE}/wall", headers=HERE, data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/wall")
    assert anna.get("/wall").status_code == 200
    assert anna.get("/home").status_code == 303
    assert [device.display for device in devices(house)] == [True]
    assert not [session for session in person(house).sessions.values() if not session.kept]


def test_it_goes_on_for_weeks_and_is_renewed_by_its_open_page(house: House, time: Time) -> None:
    wall = screen(house)
    for _time in range(20):
        time.forward(days=3)
        assert wall.post("/wall/renew", headers=HERE).status_code == 204
    assert wall.get("/wall").status_code == 200
    assert wall.post("/wall/renew", headers={"origin": "https://evil.example"}).status_code == 403


def test_it_is_listed_and_ended_by_its_person_and_its_screen_goes_dark_at_once(house: House) -> None:
    anna = enter(house, keep=False)
    wall = screen(house, code_of(house, anna, "Canteen"))
    wall.get("/wall")
    page = anna.get("/me").text
    assert "Canteen" in page
    assert "You are signed in here, and nowhere else." in page  # a display is nobody's sign-in
    (key,) = [device.id for device in devices(house)]
    with wall.websocket_connect("/wall/live", headers=HERE) as socket:
        hello(socket)
        anna.post(f"/me/devices/{key}/end", headers=HERE, data={"csrf": csrf(anna)})
        assert closed_with(socket) == 4401
    assert wall.get("/wall").status_code == 401


@pytest.mark.parametrize(
    "end",
    [
        RevokeShare(share=SHARE, reason="over"),
        EndMembership(person=VIEWER, client=ACME, reason="left"),
        ErasePerson(person=VIEWER, reason="asked"),
        SetClientDeviceDays(client=ACME, days=0),
    ],
    ids=lambda command: type(command).__name__,
)
def test_it_ends_with_what_it_opens(house: House, end: object) -> None:
    wall = screen(house)
    wall.get("/wall")
    with wall.websocket_connect("/wall/live", headers=HERE) as socket:
        hello(socket)
        tell(house, end)  # type: ignore[arg-type]
        assert closed_with(socket) in (4401, 4403)
    wait_until(lambda: wall.get("/wall").status_code in (401, 404))


def test_a_manager_sees_and_ends_it(house: House) -> None:
    wall, manager = screen(house), house.client("manager")
    assert "Wall display Site office since" in manager.get(f"/clients/{ACME}").text
    (key,) = [device.id for device in devices(house)]
    manager.post(f"/clients/{ACME}/people/{VIEWER}/devices/{key}/end", headers=HERE, data={"csrf": csrf(manager)})
    assert wall.get("/wall").status_code == 401


def test_nobody_puts_up_what_is_not_theirs(house: House) -> None:
    other = enter(house, OTHER_VIEWER, keep=False)
    form = {"csrf": csrf(other), "name": "Hall", "where": "there"}
    theirs, none = (other.post(f"/s/{share}/wall", headers=HERE, data=form) for share in (SHARE, "nosuch"))
    assert (theirs.status_code, theirs.content) == (404, none.content)
    assert other.get(f"/s/{SHARE}/wall").status_code == 404


def test_a_place_without_a_name_and_a_client_that_allows_none_are_refused(house: House) -> None:
    anna = enter(house, keep=False)
    refused = anna.post(f"/s/{SHARE}/wall", headers=HERE, data={"csrf": csrf(anna), "name": " ", "where": "there"})
    assert refused.status_code == 422
    assert "Say where it hangs" in refused.text
    tell(house, SetClientDeviceDays(client=ACME, days=0))
    assert "No wall display can be put up" in anna.get(f"/s/{SHARE}/wall").text
    form = {"csrf": csrf(anna), "name": "Hall", "where": "there"}
    assert anna.post(f"/s/{SHARE}/wall", headers=HERE, data=form).status_code == 422


def test_a_copied_credential_of_a_display_ends_it(house: House, time: Time) -> None:
    wall = screen(house)
    names = house.process.services.guard.display_cookies
    stolen = wall.cookies.get(names.device)
    assert stolen is not None
    for _day in range(2):
        wall.get("/wall")
        time.forward(days=1)
    thief = house.client()
    thief.cookies.set(names.device, stolen, domain=JAR, path="/")
    assert thief.get("/wall").status_code == 401
    assert wall.get("/wall").status_code == 401
    assert [gone.cause for gone in person(house).devices.gone] == ["copied"]
