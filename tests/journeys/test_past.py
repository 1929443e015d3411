"""A manager adds older plans from the page in a real browser; a client who may see the past has an update of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.people.person import InvitePerson
from domain.plan.schedule import LinkMilestone
from tests.journeys.product import Product, seeded, wait_until
from tests.world import ACME, ADMIN, HARBOUR, SHARE, World

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PLAN = "UID,Milestone,Finish\nA1,Section A energised,{}\n"


@pytest.fixture
def product(tmp_path: Path) -> Any:
    def manager(world: World) -> None:
        world.tell(InvitePerson(person="manager", name="Marta", email="m@x.test", role="manager"), ADMIN)
        world.tell(LinkMilestone(project=HARBOUR, milestone="m1", source_id="A1"))

    made = Product(seeded(tmp_path / "data", manager)).start()
    yield made
    made.stop()


def test_older_plans_are_added_and_the_history_of_a_milestone_begins_with_them(
    product: Product, sit_down: Callable[..., Any]
) -> None:
    head = product.head(SHARE)
    desk = sit_down(product, "manager", viewport={"width": 1440, "height": 900})
    desk.goto(f"{product.url}/p/{HARBOUR}/import")
    desk.click("text=Add older plans")
    files = [
        {"name": f"plan-{day}.csv", "mimeType": "text/csv", "buffer": PLAN.format(finish).encode()}
        for day, finish in (("2026-06-30", "2027-04-12"), ("2026-03-31", "2027-03-01"))
    ]
    desk.set_input_files("#plan", files)
    desk.click("text=Check files")
    desk.wait_for_selector("h1:has-text('2 moves of forecasts are added to the past.')")
    assert desk.locator("tbody th").all_inner_texts() == ["31 Mar 2026", "30 Jun 2026"]
    desk.click("button:has-text('Add to the past')")
    desk.wait_for_selector("text=Recorded: forecast moved (2)")
    desk.goto(f"{product.url}/p/{HARBOUR}/history?milestone=m1")
    told = desk.inner_text("main")
    assert "1 Mar 2027" in told
    assert "12 Apr 2027" in told
    wait_until(lambda: product.head(SHARE) == head + 1)  # whose agreement shows the past has a longer trend
    client = sit_down(product, f"viewer-{ACME}")
    client.goto(f"{product.url}/s/{SHARE}")
    assert "3 May" in client.inner_text("#ms-m1")  # the forecast of today is as it was
