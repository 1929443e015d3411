"""The year before, from the page of a source whose tool remembers: asked, looked at, recorded as one command."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from domain.ids import SourceId
from domain.plan.sources.commands import ChangeSource, SetSourceRules
from domain.plan.sources.rules import Rules
from tests.web.sources.house import HARBOUR, JIRA, MAY, TAKE, Sourced, form, reaching
from tests.web.sources.tools.fake_openproject import FakeOpenProject
from tests.web.sources.tools.served import Row, Server
from web import languages

pytestmark = pytest.mark.stories
KEY = SourceId("openproject1")
HERE = f"/p/{HARBOUR}/sources/{KEY}"
DAY = timedelta(days=1)


@pytest.fixture
def house(tmp_path: Path, tool_server: Server) -> Iterator[Sourced]:
    with reaching(tmp_path) as made:
        yield made


@pytest.fixture
def fake(house: Sourced, tool_server: Server) -> FakeOpenProject:
    """OpenProject, attached, which keeps m1; twice in the year before it said otherwise."""
    found = FakeOpenProject()
    found.now = house.clock.at
    found.rows = [Row(id=12, title="internal m1", due=MAY)]
    found.past = {
        12: [
            (house.clock.at - 200 * DAY, {"date": (MAY - 30 * DAY).isoformat(), "subject": "Called otherwise then"}),
            (house.clock.at - 100 * DAY, {"date": (MAY - 10 * DAY).isoformat()}),
        ]
    }
    tool_server.put(found)
    taking = house.services.sources.taking
    sealed = taking.seal(HARBOUR, KEY, 1, found.secret, (found.name, found.address))
    house.attach(key=KEY, tool="openproject", address=found.address, values=found.values(), rules=TAKE, secret=sealed)
    assert house.services.sources.engine.turn_of(HARBOUR, KEY).trouble is None
    return found


def asked(browser: TestClient) -> Any:
    return form(browser, f"{HERE}/past", page=HERE)


def test_the_year_before_is_looked_at_and_added_as_one_change_by_the_ids_of_the_source(
    house: Sourced, fake: FakeOpenProject
) -> None:
    browser = house.house.client("manager")
    page = browser.get(HERE).text
    assert "First decide on what it brought" in page
    assert f'action="{HERE}/past' not in page
    house.take_all(KEY)
    answer = asked(browser)
    where = answer.headers["location"]
    assert answer.status_code == 303
    told = browser.get(where).text
    assert "moves of forecasts are added to the past" in told
    before, moves = house.project, len(house.milestone("m1").moves)
    fake.past = {}  # what it says by now is not what was looked at
    accept = re.search(rf'action="({HERE}/past/[0-9a-f]{{64}}/accept)"', told)
    key = re.search(r'name="command_id" value="([^"]+)"', told)
    assert accept
    assert key
    for _sent_twice in range(2):
        done = form(browser, accept[1], page=where, command_id=key[1])
        assert done.headers["location"] == f"/p/{HARBOUR}?said={key[1]}"
    added = house.milestone("m1").moves[:-moves]
    assert [move.forecast for move in added] == [MAY - 30 * DAY, MAY - 10 * DAY]
    assert all(move.since < before.changed_at - 50 * DAY for move in added)
    assert house.milestone("m1").forecast == MAY
    again = browser.get(where).text
    assert "These plans add nothing." in again


@pytest.mark.parametrize(("given", "reason"), [("", "Wie in einem älteren Plan"), ("As in the tool", "As in the tool")])
def test_the_reason_is_that_of_the_rules_or_in_the_language_of_the_source_whoever_adds_it(
    house: Sourced, fake: FakeOpenProject, given: str, reason: str
) -> None:
    languages.install()
    browser = house.house.client("manager")
    house.take_all(KEY)
    one = house.source(KEY)
    house.tell(
        ChangeSource(
            project=HARBOUR, source=KEY, name=one.name, address=one.address, values=dict(one.values), cadence=60,
            language="de",
        )
    )  # fmt: skip
    house.tell(SetSourceRules(project=HARBOUR, source=KEY, rules=msgspec.structs.replace(TAKE, reason=given)))
    where = asked(browser).headers["location"]
    form(browser, f"{where}/accept", page=where)
    assert {move.reason for move in house.milestone("m1").moves[:2]} == {reason}


def test_a_tool_that_is_away_is_told_on_the_page_and_nothing_is_kept(house: Sourced, fake: FakeOpenProject) -> None:
    browser = house.house.client("manager")
    house.take_all(KEY)
    fake.paid = False
    answer = asked(browser)
    assert answer.status_code == 422
    assert "only of the last day" in answer.text
    assert house.source(KEY).failure is None


def test_only_a_tool_that_remembers_is_asked_and_only_its_own_answer_is_shown(
    house: Sourced, fake: FakeOpenProject
) -> None:
    browser = house.house.client("manager")
    house.take_all(KEY)
    where = asked(browser).headers["location"]
    house.attach(Rules(), key=JIRA)
    theirs = f"/p/{HARBOUR}/sources/{JIRA}"
    assert "The year before" not in browser.get(theirs).text
    assert form(browser, f"{theirs}/past", page=theirs).status_code == 404
    assert browser.get(where.replace(f"/{KEY}/", f"/{JIRA}/")).status_code == 404
    assert browser.get(f"{HERE}/past/{'0' * 64}").status_code == 404
    assert browser.get(f"/p/{HARBOUR}/past/{where.rpartition('/')[2]}").status_code == 404
    sent = browser.post(
        f"/p/{HARBOUR}/import", data={"csrf": _csrf(browser)}, files={"plan": ("past-of-a-tool", b'{"source": 1}')}
    )
    key = re.search(r"[0-9a-f]{64}", sent.headers["location"])
    assert key
    assert browser.get(f"{HERE}/past/{key[0]}").status_code == 404


def _csrf(browser: TestClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', browser.get(HERE).text)
    assert found
    return found[1]
