"""Titles for clients, many at once: proposed, ticked, one command, and never over what somebody else wrote."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.ids import CommandId, MilestoneId
from domain.plan.schedule import AddMilestone, DescribeMilestone, MilestoneDetails
from tests.web.doors import House, running
from tests.web.manager.plan.test_change import hidden
from tests.world import HARBOUR
from web.manager import projects
from web.write.permission import OPERATOR

HERE = f"/p/{HARBOUR}"
BEFORE = 1  # of the sample project that has none


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path / "data", projects.routes()) as made:
        for key in ("x1", "x2", "x3"):
            forecast = date(2027, 9, 1) + timedelta(days=int(key[1]))
            details = MilestoneDetails(title=f"Inner {key}")
            tell(
                made, AddMilestone(project=HARBOUR, milestone=MilestoneId(key), details=details, forecast=forecast), key
            )
        yield made


def tell(house: House, command: object, key: str) -> None:
    house.process.services.service.execute(OPERATOR, command, command_id=CommandId(key))  # type: ignore[arg-type]


def titled(house: House) -> dict[str, str]:
    milestones = house.process.services.present.refresh().projects[HARBOUR].schedule.milestones
    return {
        key: m.details.client_title for key, m in milestones.items() if key.startswith("x") and m.details.client_facing
    }


def test_the_plan_counts_them_and_one_command_gives_titles_to_those_ticked(house: House) -> None:
    browser = house.client("manager")
    assert f"{BEFORE + 3} milestones have no title for clients" in browser.get(HERE).text
    page = browser.get(f"{HERE}/titles").text
    assert 'value="Inner x1"' in page
    assert "Acme Rail" in page  # whose agreement shows them at once
    form = hidden(page) | {f"title.{key}": f"Outer {key}" for key in ("x1", "x2", "x3")}
    assert "No milestone is ticked" in browser.post(f"{HERE}/titles", data=form).text
    untitled = browser.post(f"{HERE}/titles", data=form | {"shown": ["x1"], "title.x1": ""})
    assert (untitled.status_code, "“Inner x1” has no title" in untitled.text) == (422, True)
    assert titled(house) == {}
    for _ in range(2):
        assert browser.post(f"{HERE}/titles", data=form | {"shown": ["x1", "x3"]}).status_code == 303
    assert titled(house) == {"x1": "Outer x1", "x3": "Outer x3"}
    last = house.process.services.logs.events.stream(f"project-{HARBOUR}")[-2:]
    assert [type(r.event).__name__ for r in last] == ["MilestoneDescribed", "MilestoneDescribed"]
    assert last[0].command == last[1].command
    assert f"{BEFORE + 1} milestones have no title for clients" in browser.get(HERE).text


def test_a_title_that_somebody_else_gave_meanwhile_stays(house: House) -> None:
    browser = house.client("manager")
    form = hidden(browser.get(f"{HERE}/titles").text) | {"shown": ["x1", "x2"], "title.x1": "A", "title.x2": "B"}
    details = MilestoneDetails(title="Inner x1", client_title="Theirs")
    tell(house, DescribeMilestone(project=HARBOUR, milestone=MilestoneId("x1"), details=details), "faster")
    answer = browser.post(f"{HERE}/titles", data=form)
    assert (answer.status_code, "1 of these" in answer.text) == (412, True)
    assert titled(house) == {}
