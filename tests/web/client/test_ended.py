"""A share that ended by itself ended on the last day of its agreement, not on the day after."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.agreement.share import ActivateTerms, DraftTerms
from domain.agreement.terms import Ways
from domain.ids import CommandId, ShareId
from projections.wording import days, words
from tests.web.doors import VIEWER, House, every_route, running, wait_until
from tests.world import SHARE, everything
from web import clock
from web.write.permission import OPERATOR


class Later:
    ahead = timedelta(0)

    def __call__(self):
        return clock.now() + self.ahead


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def house(tmp_path: Path, later: Later) -> Iterator[House]:
    with running(tmp_path / "data", every_route(), now=later) as made:
        yield made


def test_the_page_names_the_last_day_of_the_agreement(house: House, later: Later) -> None:
    last: date = later().date() + timedelta(days=2)
    ways = Ways(history=True, expires=days.end_of(last, "Europe/London"))
    for command in (
        DraftTerms(share=ShareId(SHARE), terms=everything(), ways=ways),
        ActivateTerms(share=ShareId(SHARE), reason="Until then"),
    ):
        house.process.services.service.execute(OPERATOR, command, command_id=CommandId(type(command).__name__))
    wait_until(lambda: house.process.services.logs.disclosure.head(SHARE) >= 1)
    browser = house.client(VIEWER)
    assert "ended this share on" not in browser.get(f"/s/{SHARE}").text
    later.ahead = timedelta(days=4)
    page = house.client(VIEWER).get(f"/s/{SHARE}").text
    assert f"ended this share on {words.long_day(last)}." in page
    (record,) = re.findall(r'<a class="btn" href="([^"]+)">Download your record</a>', page)
    assert house.client(VIEWER).get(record).headers["content-type"] == "application/zip"
