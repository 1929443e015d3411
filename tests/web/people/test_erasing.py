"""What the doors that erase somebody answer where something that goes with it is not done, or not known."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from domain.ids import PersonId
from projections.evidence import names_due
from projections.installation.attendance import Attendance
from tests.web.doors import VIEWER, House, every_route, running
from tests.world import HARBOUR, SHARE
from web.ids import new_id
from web.write.service import Service

HERE = f"/p/{HARBOUR}/shares/{SHARE}"
ERASE = f"{HERE}/viewers/{VIEWER}/erase"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path / "data", every_route()) as made:
        yield made


def broken(*_given: object, **_named: object) -> None:
    raise ZeroDivisionError


def one_hangs(*_given: object) -> list[str]:
    return ["a process"]


def form(browser: TestClient) -> dict[str, str]:
    page = browser.get(ERASE).text
    token = page.split('name="csrf" value="')[1].split('"')[0]
    return {"csrf": token, "command_id": new_id(), "reason": "Asked for it"}


def gone(house: House) -> bool:
    return PersonId(VIEWER) in house.process.services.present.refresh().erased


def said(browser: TestClient, answer: Any) -> str:
    assert answer.status_code == 303, answer.text
    return " ".join(browser.get(answer.headers["location"].split("#")[0]).text.split())


@pytest.mark.parametrize(
    ("what", "instead", "told"),
    [
        (Attendance, None, "Erased. What their browsers reported stays"),
        (Attendance, broken, "Erased. Whether the processes of the server dropped what they had in memory could not"),
        (Attendance, one_hangs, "Erased. A process of the server did not confirm"),
        (names_due, broken, "Erased. Updates that name them could not be erased yet; it is tried again."),
    ],
)
def test_the_page_says_what_is_done_and_what_is_not(
    house: House, monkeypatch: pytest.MonkeyPatch, what: Any, instead: Any, told: str
) -> None:
    browser = house.client("admin")
    filled = form(browser)
    if instead is not None:
        monkeypatch.setattr(what, "everybody_lets_go" if what is Attendance else "erase_due", instead)
    assert told in said(browser, browser.post(ERASE, data=filled))
    assert gone(house)


@pytest.mark.parametrize(("instead", "told"), [(None, "whole"), (broken, "not-asked"), (one_hangs, "not-confirmed")])
def test_the_json_door_says_the_same(house: House, monkeypatch: pytest.MonkeyPatch, instead: Any, told: str) -> None:
    door, headers = house.client(), house.bearer("admin")
    if instead is not None:
        monkeypatch.setattr(Attendance, "everybody_lets_go", instead)
    command = {"type": "erase-person", "person": VIEWER, "reason": "Asked for it"}
    answer = door.post("/api/v1/commands", json=command, headers=headers)
    assert (answer.status_code, answer.json()["erased"]) == (201, told)
    assert answer.json()["events"] == ["person-erased"]
    monkeypatch.undo()
    again = door.post("/api/v1/commands", json=command, headers=headers)
    assert (again.status_code, again.json()["erased"]) == (200, "whole"), "asked once more"
    other = {"type": "invite-person", "person": "new", "name": "New", "email": "new@x.test", "role": "auditor"}
    assert "erased" not in door.post("/api/v1/commands", json=other, headers=house.bearer("admin")).json()


def test_whoever_sends_the_form_again_after_an_answer_that_did_not_come_learns_that_it_is_done(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = house.client("admin")
    filled = form(browser)
    carry_out = Service._carry_out

    def then_breaks(*given: Any) -> None:
        carry_out(*given)
        raise house.process.services.logs.away[0]

    with monkeypatch.context() as patched:
        patched.setattr(Service, "_carry_out", then_breaks)
        with pytest.raises(house.process.services.logs.away[0]):  # 503, "try again shortly": web/app.py
            browser.post(ERASE, data=filled)
    assert gone(house)
    assert "Erased. What their browsers reported stays" in said(browser, browser.post(ERASE, data=filled))
    for key in (new_id(), "", "\x00", "k" * 5000, "\ud800"):
        strange = key.encode("utf-8", "surrogatepass")
        assert browser.post(ERASE, data=filled | {"command_id": strange}).status_code == 404
    assert browser.get(ERASE).status_code == 404
    manager = house.client("manager")
    theirs = filled | {"csrf": manager.get(HERE).text.split('name="csrf" value="')[1].split('"')[0]}
    assert manager.post(ERASE, data=theirs).status_code == 404, "it was not they who did"
