"""What a source keeps and a person changes in a table: asked whether the source is asked about it any more."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.web.manager.table.test_page import fields
from tests.web.sources.house import HARBOUR, JUNE, MAY, Sourced, sourced
from tests.web.sources.scripted import planned

pytestmark = pytest.mark.stories
TABLE = f"/p/{HARBOUR}/table/milestones"
DAY = timedelta(days=1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Sourced]:
    with sourced(tmp_path) as made:
        yield made


def saved(house: Sourced, **typed: str) -> Any:
    """Open the table, type into it and save it."""
    browser = house.house.client("manager")
    opened = fields(browser.get(TABLE).text)
    return browser.post(TABLE, data=opened | {name.replace("__", "."): text for name, text in typed.items()})


def test_a_table_asks_only_where_a_source_keeps_some_of_it(house: Sourced) -> None:
    browser = house.house.client("manager")
    assert "by hand from now on" not in browser.get(TABLE).text
    house.owned(("1", "internal m1", MAY), ("7", "Depot opens", JUNE))
    page = browser.get(TABLE).text
    assert "do not ask Plan jira1 about it" in page
    assert "by hand from now on" not in browser.get(f"/p/{HARBOUR}/table/risks").text


def test_what_is_ticked_with_is_kept_by_hand_from_then_on_and_nothing_else_is(house: Sourced) -> None:
    house.owned(("1", "internal m1", MAY), ("7", "Depot opens", JUNE))
    depot = house.titled("Depot opens")
    day = (MAY + 2 * DAY).isoformat()
    assert saved(house, m1__forecast=day, reason="Frost", apart="yes").status_code == 303
    assert house.source().rules.apart == ("m1",)
    assert house.milestone("m1").forecast == MAY + 2 * DAY
    house.pull(planned(("1", "internal m1", MAY), ("7", "Depot opens", JUNE + DAY)))
    assert house.milestone("m1").forecast == MAY + 2 * DAY
    assert house.milestone(depot.id).forecast == JUNE + DAY


def test_without_it_the_source_goes_on_and_a_table_that_is_refused_keeps_the_tick(house: Sourced) -> None:
    house.owned(("1", "internal m1", MAY))
    wrong = saved(house, m1__forecast="the day after", reason="Frost", apart="yes")
    assert wrong.status_code == 422
    assert 'name="apart" value="yes" checked' in wrong.text
    assert house.source().rules.apart == ()
    assert saved(house, m1__forecast=(MAY + 2 * DAY).isoformat(), reason="Frost").status_code == 303
    assert house.source().rules.apart == ()
    house.pull(planned(("1", "internal m1", MAY)))
    assert house.milestone("m1").forecast == MAY
