"""A device that stays signed in, and passkeys: what a passkey vouches for, on which device, and until when."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from domain.errors import Denied
from domain.ids import PersonId
from domain.people.devices import BeginDisplay, Device, KeepDevice, RenewDevice
from domain.people.passkeys import RemovePasskey
from domain.people.rules import RequirePasskeys
from tests.web.doors import VIEWER, House, every_route
from tests.web.doors import running as running_house
from tests.web.sign_in.test_passkeys import FORM, HERE, HOST, adds, browser, device, enter, form, person, signs, tell
from tests.world import SHARE
from web.clock import Virtual
from web.write.permission import OPERATOR, Actor

LATER = datetime(2027, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    now = Virtual(datetime(2027, 3, 2, 9, tzinfo=UTC))
    with running_house(tmp_path / "data", every_route(), now, public_url=HERE, sign_in_per_minute=1000) as made:
        yield made


def devices(house: House, key: str = "manager") -> list[Device]:
    return list(person(house, key).devices.kept.values())


def keeps(made: TestClient) -> None:
    """Keep the device one is on, from a page that is open to everybody."""
    assert made.post("/me/keep", data=form(made)).headers["location"] == "/me?done=kept"


def restarted(house: House, made: TestClient) -> TestClient:
    """The browser after it was closed and opened again: what ends with it is gone."""
    again, name = browser(house), house.process.services.guard.cookies.device
    again.cookies.set(name, made.cookies.get(name) or "", domain=HOST, path="/")
    return again


def test_one_kept_where_a_passkey_vouched_needs_none_after_the_browser_was_closed(house: House) -> None:
    made = enter(house, "manager")
    adds(made, device())
    keeps(made)
    tell(house, RequirePasskeys(required=True), OPERATOR)
    again = restarted(house, made)
    assert again.get("/me").status_code == 200
    assert {s.via for s in person(house, "manager").sessions.values()} == {"link", "device"}


def test_one_kept_without_goes_to_use_a_passkey_and_stays_kept_when_it_did(house: House) -> None:
    key = device()
    adds(enter(house, "manager"), key)
    made = enter(house, "manager")
    keeps(made)
    tell(house, RequirePasskeys(required=True), OPERATOR)
    again = restarted(house, made)
    assert again.get("/me").headers["location"] == "/me/passkeys"
    assert signs(again, key).status_code == 200
    assert again.get("/me").status_code == 200
    assert len(devices(house)) == 1, "a passkey that is used on it ends no device"
    assert restarted(house, again).get("/me").headers["location"] == "/me/passkeys"


def test_a_passkey_that_is_removed_takes_along_the_devices_it_vouched_for(house: House) -> None:
    lost, other = enter(house, "manager"), enter(house, "manager")
    keeps(other)
    adds(lost, device())
    keeps(lost)
    assert len(devices(house)) == 2
    removed = next(iter(person(house, "manager").keyring.passkeys))
    tell(house, RemovePasskey(person=PersonId("manager"), passkey=removed))
    assert [one.passkey for one in devices(house)] == [""]
    assert restarted(house, lost).get("/p").headers["location"].startswith("/sign-in")
    assert restarted(house, other).get("/p").status_code == 200


def test_a_passkey_that_is_removed_on_the_device_it_vouched_for_leaves_that_one(house: House) -> None:
    made = enter(house, VIEWER)
    adds(made, device())
    keeps(made)
    removed = next(iter(person(house, VIEWER).keyring.passkeys))
    made.post(f"/me/passkeys/{removed}/remove", data=form(made))
    assert not person(house, VIEWER).keyring.passkeys
    assert len(devices(house, VIEWER)) == 1
    assert restarted(house, made).get(f"/s/{SHARE}").status_code == 200


def test_whoever_signs_in_by_a_passkey_ends_the_device_of_somebody_else_in_that_browser(house: House) -> None:
    theirs = device()
    adds(enter(house, "manager"), theirs)
    made = enter(house, VIEWER)
    keeps(made)
    assert signs(made, theirs).status_code == 200
    assert devices(house, VIEWER) == []
    assert restarted(house, made).get(f"/s/{SHARE}").status_code == 303


def test_nobody_sends_what_begins_by_a_credential(house: House) -> None:
    who, admin = PersonId("manager"), Actor(PersonId("admin"), "admin")
    forged = (
        KeepDevice(person=who, device="d", session="s", hash="h", name="x"),
        RenewDevice(
            person=who, device="d", number=1, hash="h", successor=0, issued="i", session="s", session_hash="k",
            session_expires=LATER,
        ),
        BeginDisplay(person=who, code="c", hash="h"),
    )  # fmt: skip
    for command in forged:
        with pytest.raises(Denied):
            tell(house, command, admin)


def test_the_door_that_keeps_a_device_asks_for_a_passkey_where_one_is_needed(house: House) -> None:
    made = enter(house, "manager")
    sent = form(made)
    tell(house, RequirePasskeys(required=True), OPERATOR)
    assert made.post("/me/keep", data=sent, headers=FORM).headers["location"] == "/me/passkeys"
    assert devices(house) == []
