"""A source that confirms a plan is no news: not in the list of changes, so neither in emails nor since the last visit."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from domain.agreement.share import ActivateTerms, DraftTerms
from domain.ids import MilestoneId, SourceId
from domain.plan.project import CloseProject
from domain.plan.schedule import ConfirmPlan, MoveForecast
from domain.plan.sources.commands import ChangeSource, SetSourceRules
from domain.plan.sources.rules import Rules
from projections.entries.changes import changes
from projections.replay.pages import Views
from tests.web.doors import wait_until
from tests.web.sources.house import HARBOUR, JIRA, MAY, Sourced, form, sourced
from tests.web.sources.scripted import planned
from tests.world import SHARE, everything
from web.render.details import stands_as
from web.sources.tools.tool import Trouble

pytestmark = pytest.mark.stories


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Sourced]:
    with sourced(tmp_path) as made:
        yield made


def changes_told(house: Sourced, before: int) -> list[str]:
    """The changes of all updates after one, in words."""
    log = house.services.logs.disclosure
    wait_until(lambda: log.head(SHARE) > before)
    views = [Views(log, SHARE).at(n) for n in range(before, log.head(SHARE) + 1)]
    return [one.say for old, new in pairwise(views) if new is not None for one in changes(old, new)]


def test_a_confirmation_by_a_source_is_on_the_page_and_in_no_list_of_changes(house: Sourced) -> None:
    house.attach()
    house.pull(planned(("1", "internal m1", MAY)))
    house.take_all()
    house.later(days=1)
    log = house.services.logs.disclosure
    before = log.head(SHARE)
    house.pull(planned(("1", "internal m1", MAY), data_date=date(2027, 4, 1)))
    assert changes_told(house, before) == []
    assert house.project.schedule.data_date == date(2027, 4, 1)
    before = log.head(SHARE)
    house.later(days=1)
    house.pull(planned(("1", "internal m1", MAY + timedelta(days=2)), data_date=date(2027, 4, 2)))
    told = changes_told(house, before)
    assert any("moved" in say for say in told)
    assert not any("confirmed" in say for say in told)
    before = log.head(SHARE)
    house.later(days=1)
    house.tell(ConfirmPlan(project=HARBOUR))
    assert any("confirmed" in say for say in changes_told(house, before))


# what nobody confirmed


def failing_for(house: Sourced, **time: float) -> None:
    """Have the source fail twice, some time apart."""
    house.tool.answer = Trouble("It is away.")
    for wait in ({}, time):
        house.later(**wait)
        assert house.services.sources.engine.turn_of(HARBOUR, JIRA).trouble is not None


def shown(house: Sourced, share: str = SHARE) -> tuple[int, bool, str]:
    """The number of the newest update of a share, whether its view says so, and what is said in it."""
    log = house.services.logs.disclosure
    head = log.head(share)
    view = Views(log, share).at(head)
    assert view is not None
    return head, view.unconfirmed, f"{[one.label for one in stands_as(view)]} {view}"


def test_after_a_day_of_failing_the_page_says_that_the_plan_is_not_confirmed_and_the_list_of_changes_nothing(
    house: Sourced,
) -> None:
    house.owned(("1", "internal m1", MAY))
    house.later(days=1)
    house.tell(ConfirmPlan(project=HARBOUR))
    log = house.services.logs.disclosure
    wait_until(lambda: not shown(house)[1] and "Plan confirmed" in shown(house)[2])
    failing_for(house, hours=23)
    assert house.source().failure.lasting is False  # type: ignore[union-attr]
    before = log.head(SHARE)
    house.later(hours=2)
    assert house.services.sources.engine.turn_of(HARBOUR, JIRA).trouble is not None
    assert changes_told(house, before) == []
    number, unconfirmed, page = shown(house)
    assert (number, unconfirmed, "Plan not confirmed since" in page) == (before + 1, True, True)
    assert "Plan confirmed" not in page
    assert "away" not in page
    for _try in range(3):
        house.later(hours=7)
        house.services.sources.engine.turn_of(HARBOUR, JIRA)
    assert log.head(SHARE) == number, "it is said once"
    before = number
    house.tell(ConfirmPlan(project=HARBOUR))  # a person does
    wait_until(lambda: log.head(SHARE) > before)
    assert (shown(house)[1], "Plan confirmed" in shown(house)[2]) == (False, True)


def test_that_it_has_failed_for_a_day_is_said_by_the_clock_and_waits_for_no_other_try(house: Sourced) -> None:
    house.owned(("1", "internal m1", MAY))
    house.later(days=1)
    house.tell(ConfirmPlan(project=HARBOUR))
    engine = house.services.sources.engine
    house.tool.answer = Trouble("The token is refused.", for_good=True)
    assert engine.turn_of(HARBOUR, JIRA).trouble is not None
    for hours, lasts in ((23, False), (2, True)):
        house.later(hours=hours)
        engine.note_lasting()
        failing = house.source()
        assert failing.failure is not None
        assert failing.failure.lasting is lasts
        assert (failing.failure.why, failing.failure.for_good) == ("The token is refused.", True)
    wait_until(lambda: shown(house)[1])
    before = house.project
    engine.note_lasting()
    assert house.project is before, "it is recorded once"


def test_another_name_or_language_of_a_source_that_fails_makes_nothing_confirmed(house: Sourced) -> None:
    house.owned(("1", "internal m1", MAY))
    house.later(days=1)
    house.tell(ConfirmPlan(project=HARBOUR))
    failing_for(house, hours=25)
    wait_until(lambda: shown(house)[1])
    one = house.source()
    same = ChangeSource(
        project=HARBOUR, source=JIRA, name="Another", address=one.address, values=dict(one.values), cadence=90,
        language="de",
    )  # fmt: skip
    house.tell(same)
    assert (house.source().name, house.source().failure) == ("Another", one.failure)
    house.tell(msgspec.structs.replace(same, values={"project": "OTHER"}))
    assert house.source().failure is None


def test_of_a_source_that_works_by_now_nothing_is_said_whoever_looked_before(house: Sourced) -> None:
    house.owned(("1", "internal m1", MAY))
    failing_for(house)
    failing = house.source()
    house.later(hours=25)
    house.pull(planned(("1", "internal m1", MAY)))
    before = house.project
    house.services.sources.taking.note_lasting(HARBOUR, failing)
    assert house.project is before
    assert house.source().failure is None


def test_a_source_that_works_again_ends_it_and_one_that_keeps_nothing_never_says_it(house: Sourced) -> None:
    house.owned(("1", "internal m1", MAY))
    house.later(days=1)
    house.tell(ConfirmPlan(project=HARBOUR))
    failing_for(house, hours=25)
    wait_until(lambda: shown(house)[1])
    house.pull(planned(("1", "internal m1", MAY)))
    wait_until(lambda: not shown(house)[1])
    other = SourceId("jira2")
    house.attach(key=other)
    house.tool.answer = Trouble("It is away.")
    for _try in range(3):
        house.later(hours=25)
        house.services.sources.engine.turn_of(HARBOUR, other)
    assert house.source(other).failure.lasting  # type: ignore[union-attr]
    house.tell(MoveForecast(project=HARBOUR, milestone=MilestoneId("m2"), forecast=MAY, reason="Frost"))
    wait_until(lambda: "Frost" in shown(house)[2])
    assert not shown(house)[1]


def test_a_share_that_does_not_tell_when_the_plan_was_confirmed_gets_no_byte_of_it(house: Sourced) -> None:
    house.owned(("1", "internal m1", MAY))
    house.tell(DraftTerms(share=SHARE, terms=everything(project_fields=("phase", "baselines"))))
    house.tell(ActivateTerms(share=SHARE, reason="Less"))
    log = house.services.logs.disclosure
    wait_until(lambda: "terms_version=2" in shown(house)[2])
    before = log.head(SHARE)
    failing_for(house, hours=25)
    house.tell(MoveForecast(project=HARBOUR, milestone=MilestoneId("m2"), forecast=MAY, reason="Frost"))
    wait_until(lambda: "Frost" in shown(house)[2])
    assert log.head(SHARE) == before + 1
    assert not shown(house)[1]


def test_of_a_closed_project_nobody_reads_that_its_plan_is_not_confirmed_or_that_its_source_fails(
    house: Sourced,
) -> None:
    house.owned(("1", "internal m1", MAY))
    house.later(days=1)
    house.tell(ConfirmPlan(project=HARBOUR))
    house.tell(SetSourceRules(project=HARBOUR, source=JIRA, rules=Rules()))
    house.pull(planned(("1", "internal m1", MAY + timedelta(days=1))))  # waits
    failing_for(house, hours=25)
    wait_until(lambda: shown(house)[1])
    browser, here = house.house.client("manager"), f"/p/{HARBOUR}/sources"
    pages = (here, f"{here}/{JIRA}", f"/p/{HARBOUR}", "/for-you")
    for path in pages:
        page = browser.get(path).text
        assert ("It is away." in page, f"{JIRA}/waits" in page) == (True, True), path
    assert [path for path in pages if "Pull now" in browser.get(path).text] == [here, f"{here}/{JIRA}"]
    assert f'{here}/{JIRA}/pause"' in browser.get(f"{here}/{JIRA}").text
    before = shown(house)[0]
    house.tell(CloseProject(project=HARBOUR, reason="Handed over"))
    wait_until(lambda: shown(house)[0] > before)
    assert (shown(house)[1], "Plan confirmed" in shown(house)[2]) == (False, True)
    for path in pages:
        page = browser.get(path).text
        assert ("It is away." in page, f"{JIRA}/waits" in page, "Pull now" in page) == (False, False, False), path
    assert f'{here}/{JIRA}/pause"' not in browser.get(f"{here}/{JIRA}").text
    assert "Take what is ticked" not in browser.get(f"{here}/{JIRA}/waits").text
    asked = form(browser, f"{here}/{JIRA}/pull", page=f"{here}/{JIRA}")
    assert (asked.status_code, "nothing comes from here any more" in asked.text) == (409, True)
