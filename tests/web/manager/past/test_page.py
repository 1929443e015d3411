"""Adding older plans from the page: looked at first, recorded in one command, and nothing of today changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.plan.milestones import Milestone
from tests.web.doors import House, running
from tests.web.manager.importing.test_page import keys
from tests.web.manager.importing.test_page import sent as import_of
from tests.web.manager.plan.test_change import hidden, recorded
from tests.world import HARBOUR
from web.manager import projects

HERE = f"/p/{HARBOUR}/past"
NOW = "UID,Milestone,Finish\n1,Gate one,2027-06-01\n2,Gate two,2027-07-01\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path / "data", projects.routes()) as made:
        yield made


def older(of_one: str) -> str:
    return NOW.replace("2027-06-01", of_one)


def imported(house: House) -> None:
    browser, here, page = import_of(house, NOW)
    form = hidden(page.text) | {"line": keys(page.text), "reason": "First"}
    assert browser.post(f"{here}/accept", data=form).status_code == 303


def sent(house: House, files: dict[str, str]):
    browser = house.client("manager")
    form = hidden(browser.get(HERE).text)
    return browser, browser.post(HERE, data=form, files=[("plan", (name, text)) for name, text in files.items()])


def gate(house: House) -> Milestone:
    plan = house.process.services.present.refresh().projects[HARBOUR].schedule
    return next(m for m in plan.milestones.values() if m.details.title == "Gate one")


def test_older_plans_are_looked_at_and_then_added_in_one_command(house: House) -> None:
    imported(house)
    before, now = recorded(house), gate(house).forecast
    files = {"plan-2020-06-30.csv": older("2027-04-01"), "plan-2020-03-31.csv": older("2027-03-01")}
    browser, answer = sent(house, files)
    assert answer.status_code == 303, answer.text
    page = browser.get(answer.headers["location"])
    assert "moves of forecasts are added to the past" in page.text
    assert page.text.index("31 Mar 2020") < page.text.index("30 Jun 2020")
    assert recorded(house) == before
    done = browser.post(f"{answer.headers['location']}/accept", data=hidden(page.text))
    assert done.status_code == 303
    assert [m.forecast.isoformat() for m in gate(house).moves] == ["2027-03-01", "2027-04-01", "2027-06-01"]
    assert gate(house).forecast == now
    told = browser.get(done.headers["location"]).text
    assert "Recorded: forecast moved (3), plan confirmed (2)." in told
    again = browser.post(f"{answer.headers['location']}/accept", data=hidden(page.text))
    assert again.status_code == 303  # the same form sent twice
    assert "These plans add nothing" in browser.get(answer.headers["location"]).text


def test_a_file_that_cannot_be_used_is_named_and_nothing_is_added(house: House) -> None:
    imported(house)
    before = recorded(house)
    files = {"plan.csv": older("2027-04-01"), "plan-2020-03-31.csv": "no plan", "ok-2020-02-29.csv": NOW}
    browser, answer = sent(house, files)
    page = browser.get(answer.headers["location"]).text
    assert "Some of these files cannot be used." in page
    assert "Neither the file nor its name says its status date" in page
    assert "29 Feb 2020" in page
    assert "Add to the past" not in page
    refused = browser.post(f"{answer.headers['location']}/accept", data=hidden(browser.get(HERE).text))
    assert (refused.status_code, recorded(house)) == (303, before)


def test_what_is_not_there_or_too_much_is_said(house: House) -> None:
    browser, none = sent(house, {})
    assert (none.status_code, "No file was chosen" in none.text) == (422, True)
    _, many = sent(house, {f"plan-{n}.csv": NOW for n in range(61)})
    assert (many.status_code, "at most 60 are read at once" in many.text) == (422, True)
    assert browser.get(f"{HERE}/{'0' * 64}").status_code == 404
    _, one = sent(house, {"plan-2020-03-31.csv": NOW})
    listed = one.headers["location"]
    assert browser.get(listed).status_code == 200
    assert browser.get(listed.replace(HARBOUR, "other")).status_code == 404


def test_a_plan_by_the_name_of_a_list_is_none(house: House) -> None:
    browser, _one = sent(house, {"plan-2020-03-31.csv": NOW})
    form = hidden(browser.get(f"/p/{HARBOUR}/import").text)
    answer = browser.post(f"/p/{HARBOUR}/import", data=form, files={"plan": ("older-plans", NOW)})
    assert answer.status_code == 303
    key = answer.headers["location"].rpartition("/")[2]
    assert browser.get(f"{HERE}/{key}").status_code == 404
