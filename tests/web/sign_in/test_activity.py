"""A session ends when nobody does anything in it: what a person does counts, what a page does by itself does not."""

import contextlib
import json
from collections.abc import Iterator
from concurrent.futures import CancelledError
from datetime import date, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from domain.ids import CommandId, MilestoneId, PersonId
from domain.plan.schedule import MoveForecast
from projections.events.present import CurrentWorld
from projections.receipts.activity import Activity
from projections.receipts.claims import Receipt
from tests.web.doors import ORIGIN, VIEWER, House, every_route, running, wait_until
from tests.web.sign_in.test_sessions import After, csrf, enter
from tests.world import HARBOUR, SHARE
from web.ids import new_id
from web.write.permission import OPERATOR

IDLE = timedelta(minutes=60)


@pytest.fixture
def later() -> After:
    return After()


@pytest.fixture
def house(tmp_path: Path, later: After) -> Iterator[House]:
    with running(tmp_path / "data", every_route(), now=later, idle_minutes=60) as made:
        yield made


def open_sessions(house: House, person: str) -> int:
    house.process.clockwork.tick()
    house.process.clockwork.end_idle()
    return len(house.process.services.present.refresh().people[PersonId(person)].sessions)


def test_a_session_in_which_nobody_does_anything_ends(house: House, later: After) -> None:
    browser = enter(house, VIEWER)
    later.ahead = timedelta(minutes=59)
    assert open_sessions(house, VIEWER) == 1
    later.ahead = timedelta(minutes=61)
    assert open_sessions(house, VIEWER) == 0
    answer = browser.get("/home/mail")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    ended = house.process.services.logs.events.stream(f"person-{VIEWER}")[-1].event
    assert ended.cause == "idle"  # type: ignore[union-attr]


@pytest.mark.parametrize("person", [VIEWER, "manager", "auditor"])
def test_a_page_that_somebody_asks_for_keeps_a_session_open(house: House, later: After, person: str) -> None:
    browser = enter(house, person)
    for minutes in range(50, 300, 50):
        later.ahead = timedelta(minutes=minutes)
        assert browser.get("/me").status_code == 200
        assert open_sessions(house, person) == 1
    later.ahead += IDLE
    assert open_sessions(house, person) == 0


@pytest.mark.parametrize(
    ("person", "path"),
    [
        (VIEWER, "/home/shares"),
        (VIEWER, f"/s/{SHARE}/today.css"),
        ("manager", f"/p/{HARBOUR}/watching"),
        ("manager", f"/p/{HARBOUR}/answers/list"),
    ],
)
def test_what_a_page_asks_for_by_itself_keeps_no_session_open(
    house: House, later: After, person: str, path: str
) -> None:
    browser = enter(house, person)
    later.ahead = timedelta(minutes=50)
    assert browser.get(path).status_code == 200
    later.ahead = timedelta(minutes=61)
    assert open_sessions(house, person) == 0


@contextlib.contextmanager
def watching(browser: TestClient) -> Iterator[WebSocketTestSession]:
    with (
        contextlib.suppress(CancelledError),
        browser.websocket_connect(f"/s/{SHARE}/live", headers={"origin": ORIGIN}) as socket,
    ):
        yield socket


def move(house: House, day: int) -> None:
    command = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=date(2027, 6, day), reason="Frost")
    house.process.services.service.execute(OPERATOR, command, command_id=CommandId(new_id()))
    house.process.services.follower.wake()


@pytest.mark.parametrize("displays", [True, False])
def test_an_update_that_is_displayed_is_activity_and_one_that_was_only_received_is_not(
    house: House, later: After, displays: bool
) -> None:
    browser = enter(house, VIEWER)
    with watching(browser) as socket:
        head = house.process.services.logs.disclosure.head(SHARE)
        socket.send_text(json.dumps({"hello": head, "tab": "t", "v": 2}))
        later.ahead = timedelta(minutes=50)
        move(house, 5)
        while json.loads(socket.receive_text()).get("n") != head + 1:
            pass
        said = {"painted": head + 1, "from": head} if displays else {"applied": head + 1}
        socket.send_text(json.dumps(said))
        seen = house.process.services.activity._seen
        if displays:
            wait_until(lambda: bool(seen) and later() - max(seen.values()) < timedelta(minutes=5))
        else:
            wait_until(lambda: _delivered(house) > 0)
        later.ahead = timedelta(minutes=70)
        assert open_sessions(house, VIEWER) == (1 if displays else 0)
        if not displays:  # and the page closes at once
            assert _closed(socket) == 4401


def _closed(socket: WebSocketTestSession) -> int:
    """Return the code with which a socket is closed."""
    try:
        while True:
            socket.receive_text()
    except WebSocketDisconnect as end:
        return end.code


def _delivered(house: House) -> int:
    house.process.services.receipts.flush()
    return sum(claim.kind == "delivered" for claim in house.process.services.logs.receipts.claims(SHARE))


def test_activity_outlives_a_restart_and_is_known_to_other_processes(house: House, later: After) -> None:
    browser = enter(house, "manager")
    later.ahead = timedelta(minutes=55)
    assert browser.get("/me").status_code == 200
    house.process.clockwork.tick()
    (session,) = house.process.services.present.refresh().people[PersonId("manager")].sessions.values()
    other = Activity(house.process.services.logs.receipts, later, IDLE)
    later.ahead = timedelta(minutes=100)
    assert not other.over(session.id, session.started)
    later.ahead = timedelta(minutes=116)
    assert other.over(session.id, session.started)
    assert CurrentWorld(house.process.services.logs.events).world.people[PersonId("manager")].sessions


def test_activity_is_written_down_seldom(house: House, later: After) -> None:
    log = house.process.services.logs.receipts
    activity = Activity(log, later, IDLE)
    for second in range(0, 3600, 20):
        later.ahead = timedelta(seconds=second)
        activity.note("s1")
        activity.claimed([Receipt(share=SHARE, person=VIEWER, session="s2", kind="delivered", n=1, at=0)])
        activity.write()
    assert 9 <= log._newest("active-s1") <= 11
    assert log.last_active("s2") is None


# what a browser forgets


@pytest.mark.parametrize("path", ["/sign-out", "own"])
def test_a_browser_forgets_what_it_was_shown_when_its_session_ends(house: House, path: str) -> None:
    browser = enter(house, VIEWER)
    page = browser.get("/me").text
    (session,) = house.process.services.present.refresh().people[PersonId(VIEWER)].sessions
    address = f"/me/sessions/{session}/end" if path == "own" else path
    answer = browser.post(address, data={"csrf": csrf(page)}, headers={"origin": ORIGIN})
    _forgets(house, answer.headers)


def test_a_browser_whose_session_ended_meanwhile_forgets_as_well(house: House, later: After) -> None:
    browser = enter(house, VIEWER)
    later.ahead = timedelta(hours=13)
    _forgets(house, browser.get("/home").headers)
    assert "clear-site-data" not in house.client().get("/home").headers  # there is nothing to forget


def _forgets(house: House, headers) -> None:
    assert headers["location"] == "/sign-in"
    assert headers["clear-site-data"] == '"cache", "storage"'  # "cookies" would be those of the whole domain
    assert f"{house.process.services.guard.cookie}=" in headers["set-cookie"]
    assert "Max-Age=0" in headers["set-cookie"]
