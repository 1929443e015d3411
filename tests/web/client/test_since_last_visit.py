"""Since your last visit: from that person's own receipts, whoever else was there, and whatever was mailed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from domain.ids import CommandId, PersonId
from domain.people.person import InvitePerson
from domain.plan.schedule import MoveForecast
from projections.receipts.claims import Receipt
from tests.web.doors import VIEWER, House, running, wait_until
from tests.world import ACME, HARBOUR, SHARE
from web.client import dashboard, home
from web.clock import Virtual
from web.ids import new_id
from web.sign_in import link
from web.write.permission import OPERATOR


@pytest.fixture
def now() -> Virtual:
    return Virtual(datetime(2027, 5, 3, 9, 12, tzinfo=UTC))


@pytest.fixture
def house(tmp_path: Path, now: Virtual) -> Iterator[House]:
    with running(tmp_path / "data", [*link.routes(), *home.routes(), *dashboard.routes()], now) as made:
        yield made


def saw(house: House, person: str, n: int) -> None:
    """Have somebody open the page, which then claims that update n was on screen."""
    house.client(person).get(f"/s/{SHARE}")
    at = house.process.services.now().timestamp()
    shown = Receipt(share=SHARE, person=person, session="s", tab=f"t-{person}", kind="displayed", n=n, at=at)
    house.process.services.receipts.take([shown])
    house.process.services.receipts.flush()


def moved(house: House, day: int) -> None:
    """Move a milestone, and wait for the update."""
    head = house.process.services.logs.disclosure.head(SHARE)
    move = MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, day), reason="x")  # type: ignore[arg-type]
    house.process.services.service.execute(OPERATOR, move, command_id=CommandId(new_id(24)))
    wait_until(lambda: house.process.services.logs.disclosure.head(SHARE) == head + 1)


def test_each_viewer_is_told_what_came_after_the_update_that_was_last_on_their_own_screen(
    house: House, now: Virtual
) -> None:
    other = InvitePerson(person=PersonId("omar"), name="Omar", email="o@acme.test", role="viewer", client=ACME)
    house.process.services.service.execute(OPERATOR, other, command_id=CommandId(new_id(24)))
    saw(house, VIEWER, 1)
    moved(house, 1)
    now.forward(hours=1)
    saw(house, "omar", 2)
    moved(house, 2)
    now.forward(hours=1)
    items = [link.content.items for link in house.process.services.logs.disclosure.entries(SHARE, 0, 10)]
    hers, his = (house.client(person).get(f"/s/{SHARE}").text for person in (VIEWER, "omar"))
    assert items[1]
    assert items[2]
    assert [item in hers for item in items[1:]] == [True, True]
    assert [item in his for item in items[1:]] == [False, True]
    assert "Monday 3 May 2027, 10:12" in hers
    assert "Monday 3 May 2027, 11:12" in his
