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
