"""Where a value held since before it was recorded, the pages of the organisation say both times."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from domain.agreement.share import ActivateTerms, DraftTerms
from domain.agreement.terms import Terms
from domain.commands import AnyCommand
from domain.ids import CommandId, MilestoneId, PersonId, RiskId
from domain.plan.risks import Points, ScoreAsClient, ScoreRisk
from domain.plan.schedule import MoveForecast
from tests.web.doors import VIEWER, House, every_route, running, wait_until
from tests.world import ACME, ADMIN, HARBOUR, SHARE
from web.clock import Virtual
from web.record.two_times import two_times

NOW = datetime(2027, 6, 3, 9, 0, tzinfo=UTC)
SINCE = datetime(2027, 5, 12, 8, 30, tzinfo=UTC)
M1 = MilestoneId("m1")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path / "data", every_route(), now=Virtual(NOW)) as made:
        yield made


def tell(house: House, command: AnyCommand, key: str) -> None:
    house.process.services.service.execute(ADMIN, command, command_id=CommandId(key))


def move(day: int, as_of: datetime | None = None) -> MoveForecast:
    return MoveForecast(project=HARBOUR, milestone=M1, forecast=date(2027, 6, day), reason=f"to {day}", as_of=as_of)


def test_both_times_are_said_where_they_differ() -> None:
    assert two_times(NOW, SINCE, "Europe/London") == "Recorded on 3 Jun 2027, held since 12 May 2027."
    assert two_times(NOW, NOW - timedelta(hours=2), "Europe/London") == "Recorded at 10:00, held since 08:00."
    assert two_times(NOW, None, "Europe/London") == two_times(NOW, NOW, "Europe/London") == ""


@pytest.mark.parametrize(("person", "path"), [("manager", f"/p/{HARBOUR}/history"), ("auditor", "/audit")])
def test_the_events_of_a_project_say_both_times(house: House, person: str, path: str) -> None:
    tell(house, move(20), "one")
    browser = house.client(person)
    assert "held since" not in browser.get(path).text
    tell(house, move(9, SINCE), "two")
    told = browser.get(path).text
    assert told.count("Recorded on 3 Jun 2027, held since 12 May 2027.") == 1


def test_who_knows_says_both_times_of_the_value_and_of_those_around_it(house: House) -> None:
    tell(house, move(9, SINCE), "one")
    told = house.client("manager").get(f"/p/{HARBOUR}/who?milestone=m1").text
    assert "Held since Wed 12 May 2027, 09:30." in told
    assert told.count(", held since Wed 12 May 2027, 09:30") == 1


def test_a_past_that_was_added_is_no_new_fact_to_know(house: House) -> None:
    tell(house, move(20), "one")
    tell(house, move(9, SINCE), "two")
    told = house.client("manager").get(f"/p/{HARBOUR}/who?milestone=m1").text
    assert "20 June" in told
    assert "held since" not in told.lower()


def test_the_scores_of_both_sides_say_both_times(house: House) -> None:
    tell(house, ScoreRisk(project=HARBOUR, risk=RiskId("r1"), residual=Points(4, 4), reason="x", as_of=SINCE), "one")
    theirs = ScoreAsClient(project=HARBOUR, risk=RiskId("r1"), client=ACME, points=Points(2, 2), by=PersonId(VIEWER))
    tell(house, theirs, "two")
    assert ", held since " in house.client("manager").get(f"/p/{HARBOUR}/answers").text


def test_what_they_saw_says_both_times_of_what_the_plan_says(tmp_path: Path) -> None:
    clock = Virtual(NOW)
    terms = Terms(milestones="all", milestone_fields=("baseline",))
    with running(tmp_path / "data", every_route(), now=clock) as house:
        for i, command in enumerate(
            (DraftTerms(share=SHARE, terms=terms), ActivateTerms(share=SHARE, reason="Less"), move(9, SINCE))
        ):
            clock.forward(minutes=1)
            tell(house, command, f"later-{i}")
        clock.forward(minutes=1)
        browser = house.client("manager")
        now = browser.get(f"/p/{HARBOUR}/shares/{SHARE}/at/now").headers["location"]
        wait_until(lambda: ", held since Wed 12 May 2027, 09:30" in browser.get(now).text)
