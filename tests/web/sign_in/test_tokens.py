"""Bearer tokens run out, are listed with whose they are, and are revoked from a page or by a command."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.ids import PersonId
from tests.programs import fanlight
from tests.web.doors import ORIGIN, VIEWER, House, every_route, running
from tests.web.sign_in.test_sessions import After, csrf, enter
from tests.world import SHARE, World
from web.write.permission import OPERATOR

ENTRIES = f"/api/v1/shares/{SHARE}/entries"


@pytest.fixture
def later() -> After:
    return After()


@pytest.fixture
def house(tmp_path: Path, later: After) -> Iterator[House]:
    with running(tmp_path / "data", every_route(), now=later, token_days=30) as made:
        yield made


def opens(house: House, token: str) -> int:
    return house.client().get(ENTRIES, headers={"authorization": f"Bearer {token}"}).status_code


def test_a_token_runs_out_by_the_setting(house: House, later: After) -> None:
    token = house.token(VIEWER)
    later.ahead = timedelta(days=29, hours=23)
    assert opens(house, token) == 200
    later.ahead = timedelta(days=30, seconds=1)
    assert opens(house, token) == 401
    assert "has expired" in enter(house, VIEWER).get("/tokens").text


def test_everybody_lists_and_revokes_their_own(house: House) -> None:
    token, other = house.token(VIEWER), house.token("manager")
    browser = enter(house, VIEWER)
    assert "/tokens" in browser.get("/me").text
    page = browser.get("/tokens").text
    (mine,) = house.process.services.present.refresh().people[PersonId(VIEWER)].tokens
    (theirs,) = house.process.services.present.world.people[PersonId("manager")].tokens
    assert mine in page
    assert "30 days" in page
    assert theirs not in page
    send = {"data": {"csrf": csrf(page)}, "headers": {"origin": ORIGIN}}
    nothing = browser.post("/tokens/manager/none/revoke", **send)
    foreign = browser.post(f"/tokens/manager/{theirs}/revoke", **send)
    assert (foreign.status_code, foreign.content) == (404, nothing.content)
    assert opens(house, other) == 404  # a manager's token, which works: this door is for viewers
    assert browser.post(f"/tokens/{VIEWER}/{mine}/revoke", **send).headers["location"] == "/tokens?done=1"
    assert opens(house, token) == 401
    assert "No program has a token" in browser.get("/tokens?done=1").text


def test_an_admin_lists_and_revokes_everybodys(house: House) -> None:
    token = house.token(VIEWER)
    browser = enter(house, "admin")
    page = browser.get("/tokens").text
    person = house.process.services.present.refresh().people[PersonId(VIEWER)]
    assert person.name in page
    send = {"data": {"csrf": csrf(page)}, "headers": {"origin": ORIGIN}}
    assert browser.post(f"/tokens/{VIEWER}/{next(iter(person.tokens))}/revoke", **send).status_code == 303
    assert opens(house, token) == 401
    for role in ("manager", "auditor"):
        assert person.name not in enter(house, role).get("/tokens").text


@pytest.mark.folder
def test_the_command_line_lists_and_revokes_them(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.harbour()
    email = next(person.email for person in world.present.world.people.values() if person.id == VIEWER)
    world.close()
    assert fanlight("user", "token", email, "--label", "planning", "--data", tmp_path).returncode == 0
    (line,) = fanlight("user", "tokens", "--data", tmp_path).stdout.splitlines()
    key, whose, label, *_until = line.split()
    assert (whose, label) == (email, "planning")
    assert fanlight("user", "tokens", email, "--data", tmp_path).stdout == line + "\n"
    refused = fanlight("user", "revoke", "nosuch", "--data", tmp_path)
    assert (refused.returncode, "fanlight user tokens" in refused.stderr) == (2, True)
    assert fanlight("user", "revoke", key, "--data", tmp_path).returncode == 0
    assert fanlight("user", "tokens", "--data", tmp_path).stdout == ""
    assert OPERATOR.role == "admin"
