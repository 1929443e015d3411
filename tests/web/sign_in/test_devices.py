"""A device that stays signed in: kept by choice, renewed by its credential, ended by a copy of it, by limits and ends."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient, WebSocketTestSession

from domain.agreement.share import RevokeShare
from domain.commands import AnyCommand
from domain.errors import Conflict, Denied
from domain.ids import CommandId, PersonId, ShareId
from domain.people.clients import SetClientDeviceDays
from domain.people.devices import GRACE, SUCCESSORS, Device, RenameDevice
from domain.people.memberships import EndMembership
from domain.people.person import DisablePerson, InvitePerson, Person
from domain.people.rules import SetDeviceDays
from tests.web.doors import ORIGIN, OTHER_VIEWER, VIEWER, House, every_route, running, wait_until
from tests.world import ACME, COUNCIL, SHARE
from web.door.renewal import cookies
from web.ids import new_id
from web.write.permission import OPERATOR, Actor

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
HERE = {"origin": ORIGIN}
JAR = "testserver.local"  # as the test client calls the host of what it is told to keep
LONGER = GRACE + timedelta(seconds=1)


class Time:
    """A clock that a test moves on; it begins after all that the sample recorded."""

    now = datetime(2027, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def house(tmp_path: Path, time: Time) -> Iterator[House]:
    with running(tmp_path / "data", every_route(), now=time) as made:
        yield made


def tell(house: House, command: AnyCommand) -> None:
    house.process.services.service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))


def person(house: House, key: str = VIEWER) -> Person:
    return house.process.services.present.refresh().people[PersonId(key)]


def devices(house: House, key: str = VIEWER) -> list[Device]:
    return list(person(house, key).devices.kept.values())


def enter(house: House, who: str = VIEWER, *, keep: bool = True, browser: TestClient | None = None) -> TestClient:
    """Come in by a link, in a browser of one's own, and keep the device or not."""
    browser = browser or house.client()
    secret = house.process.services.credentials.link(OPERATOR, PersonId(who))
    form = {"keep": "yes"} if keep else {}
    answer = browser.post(f"/in/{secret}", headers={**HERE, "user-agent": FIREFOX}, data=form)
    assert answer.status_code == 303
    return browser


def credential(house: House, browser: TestClient) -> str:
    return browser.cookies.get(house.process.services.guard.cookies.device) or ""


def restarted(house: House, browser: TestClient) -> TestClient:
    """The browser after it was closed and opened again: what ends with it is gone."""
    again = house.client()
    name = house.process.services.guard.cookies.device
    if value := credential(house, browser):
        again.cookies.set(name, value, domain=JAR, path="/")
    return again


def holding(house: House, value: str) -> TestClient:
    """A browser that holds a credential, however it came by it."""
    browser = house.client()
    browser.cookies.set(house.process.services.guard.cookies.device, value, domain=JAR, path="/")
    return browser


def comes_in(browser: TestClient, path: str = f"/s/{SHARE}") -> bool:
    return browser.get(path).status_code == 200


def csrf(browser: TestClient, path: str = "/me") -> str:
    found = re.search(r'name="csrf" value="(\w+)"', browser.get(path).text)
    assert found is not None
    return found[1]


def sessions(house: House, key: str = VIEWER) -> int:
    return len(person(house, key).sessions)


def closed_with(socket: WebSocketTestSession) -> int:
    """Take messages until the socket is closed, and return the code it was closed with."""
    for _message in range(100):
        message = socket.receive()
        if message["type"] == "websocket.close":
            return int(message["code"])
    raise AssertionError("it was not closed")


# keeping


def test_a_device_is_kept_by_choice_alone_and_then_comes_in_after_the_browser_was_closed(house: House) -> None:
    without = enter(house, keep=False)
    assert credential(house, without) == ""
    assert not comes_in(restarted(house, without))
    kept = enter(house)
    assert len(devices(house)) == 1
    assert devices(house)[0].name == "Firefox on Windows"
    assert devices(house)[0].clients == (ACME,)
    assert comes_in(restarted(house, kept))


def test_the_choice_is_off_until_it_is_made_and_says_for_how_many_days(house: House) -> None:
    secret = house.process.services.credentials.link(OPERATOR, PersonId(VIEWER))
    page = house.client().get(f"/in/{secret}").text
    box = re.search(r'<input type="checkbox" name="keep"[^>]*>', page)
    assert box is not None
    assert "checked" not in box[0]
    assert "For 30 days at most. Leave it empty on a computer that others use." in page


def test_the_cookie_is_for_the_host_alone_lasts_as_long_as_it_may_and_holds_192_bits(
    tmp_path: Path, time: Time
) -> None:
    with running(tmp_path / "data", every_route(), now=time) as plain:
        secret = plain.process.services.credentials.link(OPERATOR, PersonId(VIEWER))
        answer = plain.client().post(f"/in/{secret}", headers=HERE, data={"keep": "yes"})
        told = [value for name, value in answer.headers.multi_items() if name == "set-cookie"]
        (line,) = [value for value in told if value.startswith("fanlight-device=")]
        assert {"HttpOnly", "Path=/", "SameSite=Lax", f"Max-Age={30 * 86400}"} <= set(line.split("; "))
        assert len(line.partition("=")[2].split(".")[2]) == 32  # of six bits each
        events = plain.process.services.logs.events
        written = [r for r in events.everything() if line.partition("=")[2].split(".")[2] in repr(r)]
        assert written == []
    names = cookies(secure=True, display=False), cookies(secure=True, display=True)
    assert all(one.startswith("__Host-") for pair in names for one in (pair.session, pair.device))


# renewing


def test_five_tabs_restored_at_once_get_one_session_and_one_successor(house: House) -> None:
    value = credential(house, enter(house))
    before = sessions(house)
    with ThreadPoolExecutor(5) as pool:
        outcomes = list(pool.map(lambda _tab: house.process.services.devices.renew(value, "Computer", False), range(5)))
    assert len(set(outcomes)) == 1
    assert outcomes[0] not in ("gone", "later")
    assert sessions(house) == before + 1


def test_every_credential_works_once_for_the_next_and_days_go_by(house: House, time: Time) -> None:
    browser, seen = enter(house), set()
    for _day in range(29):
        time.forward(days=1)
        browser = restarted(house, browser)
        assert comes_in(browser)
        seen.add(credential(house, browser))
    assert len(seen) == 29
    assert sessions(house) <= 3  # those that ran out are gone
    time.forward(days=1)
    assert not comes_in(restarted(house, browser))


def test_an_answer_that_is_lost_costs_nothing_however_long_it_takes(house: House, time: Time) -> None:
    value = credential(house, enter(house))
    assert comes_in(holding(house, value))  # its answer never arrived
    time.forward(hours=9)
    browser = holding(house, value)
    assert comes_in(browser)
    time.forward(hours=13)
    assert comes_in(restarted(house, browser))
    assert len(devices(house)) == 1


def test_an_answer_may_be_lost_many_times(house: House, time: Time) -> None:
    value = credential(house, enter(house))
    browser = holding(house, value)
    for _time in range(SUCCESSORS - 1):
        browser = holding(house, value)
        assert comes_in(browser)
        time.forward(minutes=1)
    time.forward(hours=13)
    assert comes_in(restarted(house, browser))


def test_a_form_that_was_open_is_taken_after_the_session_was_renewed(house: House, time: Time) -> None:
    browser = enter(house)
    token = csrf(browser)
    time.forward(hours=13)
    answer = browser.post("/me/renew", headers={**HERE, "x-fanlight-form": token, "hx-request": "true"})
    assert answer.status_code == 204
    assert browser.post("/home/mail", headers=HERE, data={"csrf": token, "digest": "daily"}).status_code in (200, 303)


def test_an_open_page_without_a_device_is_told_that_it_is_signed_out(house: House, time: Time) -> None:
    browser = enter(house, keep=False)
    token = csrf(browser)
    time.forward(hours=13)
    answer = browser.post("/me/renew", headers={**HERE, "x-fanlight-form": token, "hx-request": "true"})
    assert answer.status_code == 401


def test_the_address_in_an_email_opens_the_page_it_names(house: House, time: Time) -> None:
    browser = enter(house)
    time.forward(days=1)
    again = restarted(house, browser)
    assert again.get(f"/s/{SHARE}/history", headers={"accept": "text/html"}).status_code == 200
    assert restarted(house, browser).get("/").headers["location"] == "/home"


def test_another_site_cannot_use_the_device_to_change_anything(house: House, time: Time) -> None:
    browser = enter(house)
    time.forward(days=1)
    again = restarted(house, browser)
    answer = again.post("/sign-out", headers={"origin": "https://evil.example"}, data={"csrf": "x"})
    assert answer.status_code == 403
    assert len(devices(house)) == 1


# a copy


def test_a_copy_used_after_its_owner_moved_on_ends_the_device_and_is_told(house: House, time: Time) -> None:
    owner = enter(house)
    stolen = credential(house, owner)
    for _day in range(2):
        time.forward(days=1)
        owner = restarted(house, owner)
        assert comes_in(owner)
    assert not comes_in(holding(house, stolen))
    assert devices(house) == []
    assert not comes_in(owner)  # its session ended as well
    assert [gone.cause for gone in person(house).devices.gone] == ["copied"]
    page = enter(house, keep=False).get("/me").text
    assert "Firefox on Windows was signed out on 4 Mar" in page
    assert "somebody used a copy of what keeps it signed in" in page


def test_a_copy_used_before_its_owner_comes_is_found_out_when_the_owner_does(house: House, time: Time) -> None:
    owner = enter(house)
    stolen = credential(house, owner)
    thief = holding(house, stolen)
    for _day in range(2):
        time.forward(days=1)
        thief = restarted(house, thief)
        assert comes_in(thief)
    assert not comes_in(restarted(house, owner))  # whose credential is older than the thief's one before
    assert not comes_in(thief)
    assert not comes_in(restarted(house, thief))
    assert [gone.cause for gone in person(house).devices.gone] == ["copied"]


@pytest.mark.parametrize("first", ["owner", "thief"])
def test_a_copy_used_beside_its_owner_is_found_out_at_the_second_use(house: House, time: Time, first: str) -> None:
    value = credential(house, enter(house))
    both = {"owner": holding(house, value), "thief": holding(house, value)}
    order = [first, *({"owner", "thief"} - {first})]
    for who in order:  # the one before is good until its successor was used
        assert comes_in(both[who])
        time.forward(seconds=LONGER.total_seconds())
    time.forward(days=1)
    came = []
    for who in order:
        both[who] = restarted(house, both[who])
        came.append(comes_in(both[who]))
    assert came == [True, False]
    assert devices(house) == []
    assert not any(comes_in(browser) for browser in both.values())


def test_a_copy_used_within_the_same_seconds_is_found_out_once_the_two_are_apart(house: House, time: Time) -> None:
    value = credential(house, enter(house))
    owner, thief = holding(house, value), holding(house, value)
    assert comes_in(owner)
    assert comes_in(thief)
    for hours in (13, 13):
        time.forward(hours=hours)
        owner = restarted(house, owner)
        first = comes_in(owner)
        time.forward(minutes=1)
        thief = restarted(house, thief)
        second = comes_in(thief)
    assert (first, second) == (True, False)
    assert devices(house) == []


def test_what_was_never_issued_ends_no_device(house: House, time: Time) -> None:
    browser = enter(house)
    key, number, secret, tag = credential(house, browser).split(".")
    made_up = [
        f"{key}.1.{'A' * 32}.{tag}",
        f"{key}.9.{secret}.{tag}",
        f"{key}.{number}.{secret}.{'0' * 32}",
        key,
        "",
        "x.y",
    ]
    for value in [*made_up, f"{key}.{number}.{secret}.é", "....", f"{key}.²." + secret + f".{tag}"]:
        assert house.process.services.devices.renew(value, "Computer", False) == "gone"
    assert comes_in(restarted(house, browser))


def test_a_replay_fills_no_log(house: House, time: Time) -> None:
    value = credential(house, enter(house))
    assert comes_in(holding(house, value))
    before = house.process.services.logs.events.head()
    for _time in range(50):
        house.process.services.devices.renew(value, "Computer", False)
    assert house.process.services.logs.events.head() == before
    for _time in range(100):
        time.forward(seconds=LONGER.total_seconds())
        house.process.services.devices.renew(value, "Computer", False)
    assert house.process.services.logs.events.head() - before <= 2 * 31  # an event and its closing one, thirty a minute


def test_who_asks_too_often_is_told_so_and_not_signed_out(house: House, time: Time) -> None:
    browser = enter(house)
    for _time in range(31):
        time.forward(hours=13)
        browser = restarted(house, browser)
        answer = browser.get("/home")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "20")
    assert len(devices(house)) == 1


# ends


def test_signing_out_ends_the_device_as_well(house: House) -> None:
    browser = enter(house)
    value = credential(house, browser)
    browser.post("/sign-out", headers=HERE, data={"csrf": csrf(browser)})
    assert devices(house) == []
    assert credential(house, browser) == ""
    assert not comes_in(holding(house, value))


def test_a_device_is_listed_and_ended_on_ones_own_page_and_its_pages_close_at_once(house: House) -> None:
    browser, other = enter(house), enter(house, keep=False)
    page = other.get("/me").text
    assert "Firefox on Windows" in page
    assert "You are signed in on 2 browsers." in page
    (key,) = [device.id for device in devices(house)]
    with browser.websocket_connect(f"/s/{SHARE}/live", headers=HERE) as socket:
        socket.send_json({"hello": 0, "tab": "t", "v": 2})
        other.post(f"/me/devices/{key}/end", headers=HERE, data={"csrf": csrf(other)})
        assert closed_with(socket) == 4401
    assert not comes_in(browser)
    assert not comes_in(restarted(house, browser))
    assert comes_in(other)


def test_a_session_that_is_ended_takes_its_device_along(house: House) -> None:
    browser = enter(house)
    (session,) = person(house).sessions
    house.process.services.credentials.leave(PersonId(VIEWER), session, "ended")
    assert devices(house) == []
    assert not comes_in(restarted(house, browser))


def test_all_others_end_but_the_device_one_is_on(house: House) -> None:
    here, other, session = enter(house), enter(house), enter(house, keep=False)
    here.post("/me/others/end", headers=HERE, data={"csrf": csrf(here)})
    assert comes_in(here)
    assert comes_in(restarted(house, here))
    assert not any(comes_in(one) for one in (other, session, restarted(house, other)))


@pytest.mark.parametrize(
    "end",
    [
        EndMembership(person=PersonId(VIEWER), client=ACME, reason="left"),
        DisablePerson(person=PersonId(VIEWER), reason="left"),
        RevokeShare(share=SHARE, reason="over"),
        SetDeviceDays(days=0),
        SetClientDeviceDays(client=ACME, days=0),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_device_ends_when_nothing_is_left_that_it_opens(house: House, time: Time, end: AnyCommand) -> None:
    browser = enter(house)
    time.forward(minutes=5)
    tell(house, end)
    wait_until(lambda: devices(house) == [])
    assert not comes_in(restarted(house, browser), "/home")
    assert not comes_in(browser, "/home")


def test_a_limit_that_is_shortened_ends_devices_past_it_and_only_those(house: House, time: Time) -> None:
    enter(house)
    time.forward(days=10)
    young = enter(house)
    tell(house, SetClientDeviceDays(client=ACME, days=7))
    wait_until(lambda: len(devices(house)) == 1)
    assert comes_in(restarted(house, young))
    assert "may open this client" not in young.get("/me").text


def test_the_limit_is_the_clients_where_it_is_shorter_and_the_organisations_where_that_is(house: House) -> None:
    def offered() -> str:
        secret = house.process.services.credentials.link(OPERATOR, PersonId(VIEWER))
        found = re.search(r"For (\d+) days? at most", house.client().get(f"/in/{secret}").text)
        return found[1] if found else ""

    tell(house, SetClientDeviceDays(client=ACME, days=7))
    assert offered() == "7"
    tell(house, SetDeviceDays(days=3))
    assert offered() == "3"
    tell(house, SetClientDeviceDays(client=ACME, days=0))
    assert offered() == ""
    assert credential(house, enter(house)) == ""


def test_a_client_that_allows_less_is_lost_alone(house: House, time: Time) -> None:
    tell(house, InvitePerson(person="x", name="Vera", email="v@acme.test", role="viewer", client=COUNCIL))
    browser = enter(house)
    assert set(devices(house)[0].clients) == {ACME, COUNCIL}
    tell(house, SetClientDeviceDays(client=ACME, days=0))
    wait_until(lambda: sessions(house) == 0)
    again = restarted(house, browser)
    assert comes_in(again, "/home")
    assert again.get(f"/s/{SHARE}").status_code == 404
    (device,) = devices(house)
    tell(house, EndMembership(person=PersonId(VIEWER), client=COUNCIL, reason="left"))
    wait_until(lambda: devices(house) == [])
    assert device.id in [gone.id for gone in person(house).devices.gone]


def test_whoever_signs_in_in_the_same_browser_ends_the_device_of_somebody_else(house: House) -> None:
    browser = enter(house)
    enter(house, OTHER_VIEWER, keep=False, browser=browser)
    assert devices(house) == []
    assert credential(house, browser) == ""
    again = enter(house)
    enter(house, browser=again)
    assert len(devices(house)) == 1  # the newer one
    enter(house, keep=False, browser=again)
    assert len(devices(house)) == 1  # which stays, as it is the same person's


def test_somebody_with_a_link_to_one_client_sees_no_device_that_opens_another(house: House) -> None:
    tell(house, InvitePerson(person="x", name="Vera", email="v@acme.test", role="viewer", client=COUNCIL))
    enter(house)
    (key,) = [device.id for device in devices(house)]
    browser = house.client()
    secret = house.process.services.credentials.link(OPERATOR, PersonId(VIEWER), COUNCIL)
    browser.post(f"/in/{secret}", headers=HERE)
    page = browser.get("/me").text
    assert key not in page
    assert "Firefox on Windows" not in page
    browser.post(f"/me/devices/{key}/end", headers=HERE, data={"csrf": csrf(browser)})
    assert len(devices(house)) == 1


def test_a_device_is_renamed_by_its_person_and_seen_by_that_name(house: House) -> None:
    tell(house, InvitePerson(person="x", name="Vera", email="v@acme.test", role="viewer", client=COUNCIL))
    browser = enter(house)
    (key,) = [device.id for device in devices(house)]
    there, sent = f"/me/devices/{key}/rename", {"csrf": csrf(browser)}
    answer = browser.post(there, headers=HERE, data={**sent, "name": "Kitchen tablet"})
    assert answer.headers["location"] == "/me?done=renamed"
    assert "Kitchen tablet stays signed in since" in house.client("manager").get(f"/clients/{ACME}").text
    for name in ("", "x" * 61, "two\nlines"):
        answer = browser.post(there, headers=HERE, data={**sent, "name": name})
        assert answer.headers["location"] == "/me?done=not-renamed"
    assert "a name has 1 to 60 letters" in browser.get("/me?done=not-renamed").text
    other = house.client()
    secret = house.process.services.credentials.link(OPERATOR, PersonId(VIEWER), COUNCIL)
    other.post(f"/in/{secret}", headers=HERE)
    for path in (there, "/me/devices/none/rename"):
        answer = other.post(path, headers=HERE, data={"csrf": csrf(other), "name": "Theirs"})
        assert answer.headers["location"] == "/me?done=renamed"
    assert [device.name for device in devices(house)] == ["Kitchen tablet"]
    assert comes_in(restarted(house, browser))


def test_nobody_renames_the_device_of_somebody_else_or_a_wall_display(house: House) -> None:
    enter(house)
    (key,) = [device.id for device in devices(house)]
    execute = house.process.services.service.execute
    for who in (Actor(PersonId("admin"), "admin"), Actor(PersonId("manager"), "manager")):
        command = RenameDevice(person=PersonId(VIEWER), device=key, name="Mine")
        with pytest.raises(Denied):
            execute(who, command, command_id=CommandId(new_id(24)))
    viewer = Actor(PersonId(VIEWER), "viewer", (ACME,))
    offered = house.process.services.devices.offer(viewer, ShareId(SHARE), ACME, "Hall")
    house.process.services.devices.begin(offered.code)
    with pytest.raises(Conflict, match="keeps the name of its place"):
        tell(house, RenameDevice(person=PersonId(VIEWER), device=offered.device, name="Elsewhere"))


def test_this_test_would_notice_a_list_that_shows_all(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.sign_in.sessions.theirs", lambda _signed, one: list(one.devices.kept.values()))
    with pytest.raises(AssertionError):
        test_somebody_with_a_link_to_one_client_sees_no_device_that_opens_another(house)


# whom else it concerns


def test_an_admin_sees_and_ends_devices_of_colleagues_and_sets_the_days(house: House) -> None:
    browser, admin = enter(house, "manager"), house.client("admin")
    (key,) = [device.id for device in devices(house, "manager")]
    page = admin.get("/people").text
    assert "Firefox on Windows stays signed in since" in page
    assert admin.post(f"/people/manager/devices/{key}/end", headers=HERE, data={"csrf": csrf(admin)}).status_code == 303
    assert not comes_in(restarted(house, browser), "/p")
    refused = admin.post("/people/devices", headers=HERE, data={"csrf": csrf(admin), "days": "1e3"})
    assert refused.status_code == 422
    assert "Type a whole number of days from 0 to 365." in refused.text
    admin.post("/people/devices", headers=HERE, data={"csrf": csrf(admin), "days": "14"})
    assert house.process.services.present.refresh().rules.device_days == 14


def test_a_manager_sees_and_ends_devices_of_a_clients_viewers_and_sets_its_days(house: House) -> None:
    browser, manager = enter(house), house.client("manager")
    (key,) = [device.id for device in devices(house)]
    assert "Firefox on Windows stays signed in since" in manager.get(f"/clients/{ACME}").text
    other = manager.post(
        f"/clients/{COUNCIL}/people/{VIEWER}/devices/{key}/end", data={"csrf": csrf(manager)}, headers=HERE
    )
    assert other.status_code == 404
    manager.post(f"/clients/{ACME}/people/{VIEWER}/devices/{key}/end", headers=HERE, data={"csrf": csrf(manager)})
    assert not comes_in(restarted(house, browser))
    assert "for 30 days at most, as the organisation allows." in manager.get(f"/clients/{ACME}").text
    manager.post(f"/clients/{ACME}/devices", headers=HERE, data={"csrf": csrf(manager), "days": "5"})
    assert "for 5 days at most, the limit of this client." in manager.get(f"/clients/{ACME}").text
    assert house.process.services.present.refresh().clients[ACME].device_days == 5
    manager.post(f"/clients/{ACME}/devices", headers=HERE, data={"csrf": csrf(manager), "days": ""})
    assert house.process.services.present.refresh().clients[ACME].device_days is None


def test_this_device_can_be_kept_later_and_its_open_forms_stay_good(house: House) -> None:
    browser = enter(house, keep=False)
    token = csrf(browser)
    assert browser.post("/me/keep", headers={**HERE, "user-agent": FIREFOX}, data={"csrf": token}).status_code == 303
    assert comes_in(restarted(house, browser))
    assert browser.post("/me/keep", headers=HERE, data={"csrf": token}).headers["location"] == "/me"
    assert len(devices(house)) == 1
