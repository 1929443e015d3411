"""A viewer's home: how each project stands, what changed last, how much is new, and what has ended, below."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from domain.agreement.share import ActivateTerms, DraftShare, RevokeShare
from domain.ids import CommandId, RiskId
from domain.message import Command
from domain.plan.risks import Points, ScoreRisk
from domain.plan.schedule import MoveForecast
from projections.receipts.claims import Receipt
from tests.web.doors import VIEWER, House, running, wait_until
from tests.world import ACME, HARBOUR, OTHER, SHARE, everything
from web.client import dashboard, home
from web.clock import Virtual
from web.ids import new_id
from web.sign_in import link
from web.write.permission import OPERATOR

BEGUN = datetime(2027, 5, 3, 9, 12, tzinfo=UTC)


@pytest.fixture
def now() -> Virtual:
    return Virtual(BEGUN)


@pytest.fixture
def house(tmp_path: Path, now: Virtual) -> Iterator[House]:
    with running(tmp_path / "data", [*link.routes(), *home.routes(), *dashboard.routes()], now) as made:
        tell(made, DraftShare(share=OTHER, project=HARBOUR, client=ACME, terms=everything(risks=())))
        tell(made, ActivateTerms(share=OTHER, reason="Agreed"))
        wait_until(lambda: made.process.services.logs.disclosure.head(OTHER) == 1)
        yield made


def tell(house: House, command: Command) -> None:
    house.process.services.service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))


def moved(house: House, to: date) -> None:
    """Move a milestone, and wait for the update of both shares."""
    log = house.process.services.logs.disclosure
    heads = log.head(SHARE), log.head(OTHER)
    tell(house, MoveForecast(project=HARBOUR, milestone="m1", forecast=to, reason="Frost"))  # type: ignore[arg-type]
    wait_until(lambda: (log.head(SHARE), log.head(OTHER)) == (heads[0] + 1, heads[1] + 1))


def scored(house: House, points: Points) -> None:
    log = house.process.services.logs.disclosure
    head = log.head(SHARE)
    tell(house, ScoreRisk(project=HARBOUR, risk=RiskId("r1"), residual=points, reason="Ground"))
    wait_until(lambda: log.head(SHARE) == head + 1)


def saw(house: House, share: str) -> None:
    """Have the viewer open a page, which then claims that its update was on screen."""
    house.client(VIEWER).get(f"/s/{share}")
    services = house.process.services
    n, at = services.logs.disclosure.head(share), services.now().timestamp()
    services.receipts.take(
        [Receipt(share=share, person=VIEWER, session="s", tab=f"t-{share}", kind="displayed", n=n, at=at)]
    )
    services.receipts.flush()


def told(house: House, share: str = "") -> str:
    """Return the text of the page, or of what it says of one share."""
    page = house.client(VIEWER).get("/home").text
    if share:
        page = page.partition(f'id="s-{share}"')[2].partition("</li>")[0]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def test_each_project_says_how_it_stands_what_changed_last_and_how_much_is_new_to_this_reader(
    house: House, now: Virtual
) -> None:
    assert "Two projects are shared with you." in told(house)
    assert "You have not opened it yet" in told(house, SHARE)
    saw(house, SHARE)
    now.forward(hours=3)
    moved(house, date(2027, 6, 1))
    moved(house, date(2027, 6, 2))
    one = told(house, SHARE)
    assert "Section A energised 2027-06-02" in one  # as the update itself words it
    assert "2 changes since your last visit, 3 May 2027, 10:12" in one
    view = house.process.services.heads.page(SHARE).view  # type: ignore[union-attr]
    stands = home.statuses(view)
    assert {"overall", "schedule", "risk"} <= {status.kind for status in stands}
    assert all(f"{status.word}" in one for status in stands)
    assert "One has changed since you last looked." in told(house)
    saw(house, SHARE)
    assert "Nothing new since 3 May 2027, 13:12" in told(house, SHARE)
    assert "Nothing has changed since you last looked." in told(house)


def test_what_is_new_is_counted_in_changes_as_the_dashboard_lists_them(house: House, now: Virtual) -> None:
    saw(house, SHARE)
    now.forward(hours=3)
    moved(house, date(2027, 6, 1))
    scored(house, Points(4, 5))
    scored(house, Points(5, 5))
    page = house.client(VIEWER).get(f"/s/{SHARE}").text
    listed = len(re.findall(r"<li data-of=", page))
    assert listed >= 2
    assert f"{listed} changes since your last visit" in told(house, SHARE)


def test_what_has_ended_stands_below_and_does_not_count(house: House) -> None:
    tell(house, RevokeShare(share=OTHER, reason="Handed over"))
    page = told(house)
    assert "One project is shared with you." in page
    ended = page.partition(" Ended ")[2]
    assert "Ended on 3 May 2027" in ended
    tell(house, RevokeShare(share=SHARE, reason="Handed over"))
    assert "Nothing is shared with you now." in told(house)


def test_the_list_is_the_same_bytes_until_something_changed(house: House) -> None:
    browser = house.client(VIEWER)
    first = browser.get("/home/shares")
    assert browser.get("/home/shares", headers={"if-none-match": first.headers["etag"]}).status_code == 304
    moved(house, date(2027, 6, 1))
    assert browser.get("/home/shares", headers={"if-none-match": first.headers["etag"]}).status_code == 200


def test_looking_at_the_list_records_nothing_and_is_no_visit(house: House) -> None:
    saw(house, SHARE)
    services = house.process.services
    before = services.receipts.log.head(SHARE)
    for _ in range(3):
        told(house)
    services.receipts.flush()
    assert services.receipts.log.head(SHARE) == before
    assert services.receipts.last_visit(SHARE, VIEWER).since == 1
