"""A change can be put back from its confirmation and from the plan, with and without scripts, for ten minutes."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.web.doors import House, every_route, running
from tests.web.manager.plan.test_change import HERE, hidden, send
from tests.world import HARBOUR

MOVED = {"forecast": "2027-06-01", "reason": "Frost"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path / "data", every_route()) as made:
        yield made


def offered(markup: str) -> dict[str, str]:
    """The hidden fields of the first form that puts something back."""
    return hidden(re.findall(r'<form class="put-back".*?</form>', markup, re.DOTALL)[0])


def forecast(house: House) -> date:
    return house.process.services.present.refresh().projects[HARBOUR].schedule.milestones["m1"].forecast  # type: ignore[index]


def test_the_confirmation_offers_to_put_back_what_it_confirms(house: House) -> None:
    desk, before = house.client("manager"), forecast(house)
    done = send(desk, f"{HERE}/do/move-forecast?milestone=m1", **MOVED)
    confirmation = done.text[done.text.index("<hx-partial") :]
    answer = desk.post(f"{HERE}/put-back", data=offered(confirmation), headers={"hx-request": "true"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["hx-retarget"] == "#work"
    assert "will see update" in answer.text
    assert forecast(house) == before
    again = desk.post(
        f"{HERE}/put-back", data=offered(confirmation) | {"command_id": "other"}, headers={"hx-request": "true"}
    )
    assert again.status_code == 409
    assert "was changed again since" in again.text
    assert again.headers["hx-retarget"] == "#do-m-m1"


def test_the_plan_offers_it_without_scripts_too_and_to_whoever_made_the_change_alone(house: House) -> None:
    desk, before = house.client("manager"), forecast(house)
    send(desk, f"{HERE}/do/move-forecast?milestone=m1", htmx=False, **MOVED)
    plan = desk.get(HERE).text
    assert "You changed" in plan
    assert "You changed" not in house.client("admin").get(HERE).text
    done = desk.post(f"{HERE}/put-back", data=offered(plan))
    assert "put back" in desk.get(done.headers["location"]).text
    assert forecast(house) == before


def test_put_back_from_the_head_of_the_plan_takes_the_older_confirmation_along(house: House) -> None:
    desk = house.client("manager")
    moved = send(desk, f"{HERE}/do/move-forecast?milestone=m1", **MOVED)
    confirmation = moved.text[moved.text.index("<hx-partial") :]
    version = offered(confirmation)["version"]
    assert f'id="said-{version}"' in confirmation
    head = re.findall(r'<ul class="backs".*?</ul>', moved.text, re.DOTALL)[0]
    answer = desk.post(f"{HERE}/put-back", data=offered(head), headers={"hx-request": "true"})
    assert f'<hx-partial hx-target="#said-{version}" hx-swap="delete">' in answer.text
    assert '<hx-partial hx-target="#do-project" hx-swap="innerHTML">' in answer.text


def test_an_offer_that_no_longer_holds_leaves_the_page_with_the_next_change(house: House) -> None:
    desk = house.client("manager")
    first = send(desk, f"{HERE}/do/move-forecast?milestone=m1", **MOVED)
    version = offered(first.text[first.text.index("<hx-partial") :])["version"]
    other = send(desk, f"{HERE}/do/move-forecast?milestone=m2", forecast="2027-06-02", reason="Frost")
    assert f"#back-{version}" not in other.text, "it can still be put back"
    second = send(desk, f"{HERE}/do/move-forecast?milestone=m1", forecast="2027-05-31", reason="Less frost")
    assert f'<hx-partial hx-target="#back-{version}" hx-swap="delete">' in second.text


def test_what_put_back_a_change_is_not_listed_and_its_confirmation_says_what_its_offer_does(house: House) -> None:
    desk, before = house.client("manager"), forecast(house)
    moved = send(desk, f"{HERE}/do/move-forecast?milestone=m1", **MOVED)
    answer = desk.post(f"{HERE}/put-back", data=offered(moved.text), headers={"hx-request": "true"})
    assert '<ul class="backs"' in moved.text
    assert '<ul class="backs"' not in answer.text
    form = re.findall(r'<form class="put-back".*?</form>', answer.text, re.DOTALL)[0]
    assert "Change again" in form
    assert "1 Jun 2027" in form.split("→")[1], "the value it leads to comes last"
    desk.post(f"{HERE}/put-back", data=offered(answer.text), headers={"hx-request": "true"})
    assert before != forecast(house) == date(2027, 6, 1)


def test_the_json_door_puts_back_too(house: House) -> None:
    desk, before = house.client("manager"), forecast(house)
    send(desk, f"{HERE}/do/move-forecast?milestone=m1", **MOVED)
    version = house.process.services.present.world.versions[f"project-{HARBOUR}"]
    command = {"type": "put-back", "project": HARBOUR, "version": version}
    answer = house.client().post("/api/v1/commands", json=command, headers=house.bearer("manager"))
    assert answer.status_code == 201
    assert answer.json()["events"] == ["change-put-back", "forecast-moved"]
    assert forecast(house) == before
    again = house.client().post("/api/v1/commands", json=command, headers=house.bearer("manager"))
    assert again.status_code == 409
    assert "was changed again since" in again.json()["detail"]
