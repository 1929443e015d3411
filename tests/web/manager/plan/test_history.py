"""The history of a project: sentences with the value before, by topic, without ids and dates for machines."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from domain.events import Recorded
from domain.ids import CommandId, MilestoneId, RiskId
from domain.money import Money
from domain.plan.budget import ApproveBudget, ApproveBudgetChange, MeasureCost
from domain.plan.project import Project, ProjectEvent, evolve
from domain.plan.putting_back import ChangePutBack, PutBack
from domain.plan.risks import Points, ScoreRisk
from domain.plan.schedule import MoveForecast, ReportProgress
from projections.events.present import KEPT_EVERY
from projections.wording import words
from tests.web.doors import House, every_route, running
from tests.world import HARBOUR
from web.manager.plan import history
from web.record.said.project import Both, told
from web.write.permission import OPERATOR

HERE = f"/p/{HARBOUR}/history"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path / "data", every_route()) as made:
        yield made


def do(house: House, *commands: object) -> None:
    head = house.process.services.logs.events.head()
    for n, command in enumerate(commands):
        house.process.services.service.execute(OPERATOR, command, command_id=CommandId(f"h{head}-{n}"))  # type: ignore[arg-type]


def project(house: House) -> Project:
    return house.process.services.present.refresh().projects[HARBOUR]


def plain(page: str) -> str:
    text = re.sub(r"<[^>]+>", " ", page[page.index("<main") :])
    return re.sub(r"\s+", " ", text)


def move(house: House, days: int) -> MoveForecast:
    forecast = project(house).schedule.milestones[MilestoneId("m1")].forecast + timedelta(days=days)
    return MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=forecast, reason="Long lead time")


def test_what_was_put_back_is_said_by_its_name_and_values_and_never_by_the_number_of_an_event(house: House) -> None:
    planned = words.day_year(project(house).schedule.milestones[MilestoneId("m1")].forecast)
    do(house, move(house, 6))
    moved = words.day_year(project(house).schedule.milestones[MilestoneId("m1")].forecast)
    version = house.process.services.present.world.versions[f"project-{HARBOUR}"]
    do(house, PutBack(project=HARBOUR, version=version))
    title = project(house).schedule.milestones[MilestoneId("m1")].details.title
    said = f"put back {title}: {planned} → {moved}"
    page = plain(house.client("manager").get(HERE).text)
    assert said in page
    assert f"{moved} → {planned}" in page, "the event that follows says what it is now"
    audit = plain(house.client("auditor").get("/audit").text)
    assert said in audit
    assert not re.search(r"events? \d", page + audit.replace("events on record", ""))


def test_of_many_things_that_were_put_back_the_first_ones_are_named(house: House) -> None:
    many = [f"M{n}: details" for n in range(8)]
    both = Both(None, project(house), str, str, lambda _event: many)
    became = told(ChangePutBack(first=1, last=8, reason=""), both).became
    assert [one.now for one in became] == [*many[:5], "three more changes"]


def test_what_changed_is_said_with_what_it_was_before(house: House) -> None:
    do(
        house,
        move(house, 6),
        ReportProgress(project=HARBOUR, milestone=MilestoneId("m1"), percent=40),
        ReportProgress(project=HARBOUR, milestone=MilestoneId("m1"), percent=60),
        ScoreRisk(project=HARBOUR, risk=RiskId("r1"), residual=Points(probability=5, impact=4), reason="Worse"),
        ApproveBudget(project=HARBOUR, measure="price", amount=Money(Decimal(6_700_000), "GBP"), reason="Contract"),
        *(
            MeasureCost(project=HARBOUR, measure="price", status_date=date(2026, 6, n), ac=Decimal(amount))
            for n, amount in ((1, 4_861_000), (2, 4_874_613), (3, 4_874_900))
        ),
        ApproveBudgetChange(
            project=HARBOUR, measure="price", amount=Money(Decimal(50_000), "GBP"), reason="More", approver="Board"
        ),
    )
    page = house.client("manager").get(HERE).text
    text = plain(page)
    assert re.search(r"Forecast \d+ \w+ \d{4} → \d+ \w+ \d{4} \+6 days", text), text[:900]
    assert "Progress 40 % → 60 %" in text
    assert re.search(r"Score \d×\d = \d+ → 5×4 = 20", text)
    assert "Spent £4.86m → £4.87m at 2 Jun 2026" in text
    assert "Spent £4,874,613 → £4,874,900 at 3 Jun 2026" in text  # in short they would read the same
    assert "Approved budget £6.70m → £6.75m by Board" in text
    assert "Long lead time" in text


def test_neither_dates_for_machines_nor_ids_are_read_and_the_zone_is_named_once(house: House) -> None:
    do(house, move(house, 3))
    text = plain(house.client("manager").get(HERE).text)
    assert not re.search(r"\d{4}-\d\d-\d\d|milestone-|\bac \d", text)
    assert text.count(f"Times in {project(house).time_zone}") == 1


def test_every_event_ever_recorded_of_the_project_has_a_sentence(house: House) -> None:
    services = house.process.services
    do(house, *(ReportProgress(project=HARBOUR, milestone=MilestoneId("m1"), percent=n % 100) for n in range(3)))
    state: Project | None = None
    said = set()
    for recorded in services.logs.events.stream(f"project-{HARBOUR}"):
        assert isinstance(recorded, Recorded)
        assert isinstance(recorded.event, ProjectEvent)
        before, state = state, evolve(state, recorded.event, recorded.at)
        sentence = told(recorded.event, Both(before, state, str, str, lambda _event: ["Gate 2: 5 Mar → 9 Mar 2027"]))
        assert sentence.subject
        said |= {one.what for one in sentence.became}
    assert {"started", "added, forecast", "raised, score", "agreed plan", "Progress"} <= said


def test_a_topic_shows_its_events_alone_and_pages_are_bounded(house: House) -> None:
    browser = house.client("manager")
    do(house, *(ReportProgress(project=HARBOUR, milestone=MilestoneId("m1"), percent=n % 100) for n in range(1, 70)))
    do(house, ScoreRisk(project=HARBOUR, risk=RiskId("r1"), residual=Points(probability=5, impact=5), reason="x"))
    newest = browser.get(HERE).text
    assert newest.count("<li>\n  <time") == history.PAGE
    risks = plain(browser.get(f"{HERE}?topic=risks").text)
    assert "5×5 = 25" in risks
    assert "Progress" not in risks
    older = re.search(r'href="([^"]*before=\d+)"', newest)
    assert older is not None
    assert browser.get(older[1]).status_code == 200
    assert browser.get(f"{HERE}?topic=nosuch").status_code == 404
    assert browser.get(f"{HERE}?before=1").status_code == 200


def test_a_state_at_a_version_is_the_one_that_was_then(house: House) -> None:
    do(
        house,
        *(ReportProgress(project=HARBOUR, milestone=MilestoneId("m1"), percent=n % 100) for n in range(1, KEPT_EVERY)),
    )
    present = house.process.services.present
    project(house)
    state: Project | None = None
    for recorded in house.process.services.logs.events.stream(f"project-{HARBOUR}"):
        assert isinstance(recorded.event, ProjectEvent)
        state = evolve(state, recorded.event, recorded.at)
        if recorded.version % 37 == 0 or recorded.version in (1, KEPT_EVERY, KEPT_EVERY + 1):
            assert present.after(HARBOUR, recorded.version).state == state
    assert present.after(HARBOUR, 0).state is None
