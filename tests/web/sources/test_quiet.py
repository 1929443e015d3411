"""A source that confirms a plan is no news: not in the list of changes, so neither in emails nor since the last visit."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from domain.plan.schedule import ConfirmPlan
from projections.entries.changes import changes
from projections.replay.pages import Views
from tests.web.doors import wait_until
from tests.web.sources.house import HARBOUR, MAY, Sourced, sourced
from tests.web.sources.scripted import planned
from tests.world import SHARE

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
