"""Where somebody is signed in: the list, its words, and ending one or all others."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from domain.ids import CommandId, PersonId
from domain.people.sign_ins import StartSession
from tests.web.doors import ORIGIN, OTHER_VIEWER, VIEWER, House, every_route, running
from tests.world import SHARE
from web import clock
from web.door.guard import EVERYONE
from web.ids import digest, new_id
from web.write.permission import OPERATOR

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) AppleWebKit Mobile/15E148 Safari/604.1"
TABLET = "Mozilla/5.0 (iPad; CPU OS 19_0) AppleWebKit Safari/604.1"


class Later:
    """A clock that a test moves on."""

    ahead = timedelta(0)

    def __call__(self):
        return clock.now() + self.ahead


class After(Later):
    """The same, from a day on that is later than all that the sample recorded."""

    def __call__(self):
        return datetime(2027, 3, 2, 9, tzinfo=UTC) + self.ahead


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def house(tmp_path: Path, later: Later) -> Iterator[House]:
    with running(tmp_path / "data", every_route(), now=later) as made:
        yield made


def enter(house: House, person: str, agent: str = "") -> TestClient:
    """Come in by a link, in a browser of one's own."""
    browser = house.client()
    secret = house.process.services.credentials.link(OPERATOR, PersonId(person))
    answer = browser.post(f"/in/{secret}", headers={"origin": ORIGIN, "user-agent": agent})
    assert answer.status_code == 303
    return browser


def csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{128})"', page)
    assert found is not None
    return found[1]


def ends(page: str) -> list[str]:
    """The addresses that end a session, in the order of the list."""
    return re.findall(r'action="(/me/sessions/[a-z0-9]+/end)"', page)


@pytest.mark.parametrize("person", [VIEWER, "manager", "auditor", "admin"])
def test_everybody_sees_their_own_sessions_by_device_and_way_and_nobody_elses(house: House, person: str) -> None:
    enter(house, OTHER_VIEWER, PHONE)
    here, phone, tablet = enter(house, person), enter(house, person, PHONE), enter(house, person, TABLET)
    assert phone.get("/me").status_code == tablet.get("/me").status_code == 200
    page = here.get("/me").text
    assert len(ends(page)) == 3
    assert page.count("this one") == 1
    assert re.search(r'scope="row">Computer <span class="soft">this one', page)
    for device in ("Phone", "Tablet"):
        assert f'scope="row">{device}</th>' in page
    assert page.count("by a personal link") == 3
    assert "This link" not in page


def test_single_sign_on_is_named_as_the_way_in(house: House) -> None:
    browser = enter(house, VIEWER)
    start = StartSession(
        person=PersonId(VIEWER), session="by-openid", session_hash=digest("x"),
        session_expires=clock.now() + timedelta(hours=1), device="Phone",
    )  # fmt: skip
    house.process.services.service.execute(OPERATOR, start, command_id=CommandId(new_id(24)))
    page = browser.get("/me").text
    assert "by single sign-on" in page
    assert page.count("by a personal link") == 1


def test_every_page_with_a_way_out_has_one_to_the_sessions(house: House) -> None:
    for person, address in (
        (VIEWER, "/me"), (VIEWER, f"/s/{SHARE}"), ("manager", "/p"), ("auditor", "/audit"), ("admin", "/people"),
    ):  # fmt: skip
        assert 'href="/me"' in enter(house, person).get(address).text, address
    assert {"admin", "manager", "auditor", "viewer"} == EVERYONE


def test_one_session_is_ended_and_the_others_go_on(house: House) -> None:
    here, phone = enter(house, VIEWER), enter(house, VIEWER, PHONE)
    page = here.get("/me").text
    form = {"csrf": csrf(page)}
    answer = here.post(ends(page)[1], data=form)
    assert answer.headers["location"] == "/me?done=one"
    assert "Whatever was open there has closed." in here.get(answer.headers["location"]).text
    assert phone.get(f"/s/{SHARE}").headers["location"] == "/sign-in"
    assert here.get(f"/s/{SHARE}").status_code == 200
    assert here.post(ends(page)[1], data=form).status_code == 303  # asked twice, ended once


def test_ending_this_one_signs_out(house: House) -> None:
    here, phone = enter(house, VIEWER), enter(house, VIEWER, PHONE)
    page = here.get("/me").text
    assert here.post(ends(page)[0], data={"csrf": csrf(page)}).headers["location"] == "/sign-in"
    assert here.get("/me").headers["location"] == "/sign-in"
    assert phone.get("/me").status_code == 200


def test_all_others_end_and_this_one_stays(house: House) -> None:
    here = enter(house, VIEWER)
    others = [enter(house, VIEWER, agent) for agent in (PHONE, TABLET, "")]
    stranger = enter(house, OTHER_VIEWER)
    page = here.get("/me").text
    assert "Sign out all others" in page
    assert here.post("/me/others/end", data={"csrf": csrf(page)}).headers["location"] == "/me?done=others"
    for browser in others:
        assert browser.get("/me").headers["location"] == "/sign-in"
    after = here.get("/me").text
    assert "You are signed in here, and nowhere else." in after
    assert "Sign out all others" not in after
    assert stranger.get("/me").status_code == 200


def test_nobody_ends_the_session_of_somebody_else_from_here(house: House) -> None:
    here, theirs = enter(house, VIEWER), enter(house, OTHER_VIEWER)
    (key,) = house.process.services.present.world.people[PersonId(OTHER_VIEWER)].sessions
    form = {"csrf": csrf(here.get("/me").text)}
    known, unknown = here.post(f"/me/sessions/{key}/end", data=form), here.post("/me/sessions/none/end", data=form)
    assert (known.status_code, known.headers["location"]) == (unknown.status_code, unknown.headers["location"])
    assert theirs.get("/me").status_code == 200


def test_a_form_of_another_session_ends_nothing(house: House) -> None:
    here, phone = enter(house, VIEWER), enter(house, VIEWER, PHONE)
    page = here.get("/me").text
    assert here.post(ends(page)[1], data={"csrf": csrf(phone.get("/me").text)}).status_code == 403
    assert phone.get("/me").status_code == 200


def test_a_session_that_has_run_out_is_not_listed(house: House, later: Later) -> None:
    enter(house, VIEWER, PHONE)
    later.ahead = timedelta(hours=11)
    here = enter(house, VIEWER)
    assert len(ends(here.get("/me").text)) == 2
    later.ahead = timedelta(hours=13)
    assert len(ends(here.get("/me").text)) == 1
