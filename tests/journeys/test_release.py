"""A manager reviews a change while a client looks on: nothing moves until it is let go, then it is there with the note."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.agreement.share import ActivateTerms, DraftTerms
from domain.agreement.terms import Release, Ways
from domain.people.person import InvitePerson
from domain.plan.risks import Points, ScoreRisk
from domain.plan.schedule import MoveForecast
from tests.journeys.product import Product, on_screen, seeded, wait_until
from tests.world import ACME, ADMIN, HARBOUR, SHARE, World, everything

pytestmark = pytest.mark.browser
HERE = f"/p/{HARBOUR}"


@pytest.fixture
def product(tmp_path: Path) -> Any:
    def reviewed(world: World) -> None:
        world.tell(InvitePerson(person="manager", name="Marta", email="m@x.test", role="manager"), ADMIN)
        ways = Ways(release=Release(slip_days=5, score=12))
        world.tell(DraftTerms(share=SHARE, terms=everything(), ways=ways))
        world.tell(ActivateTerms(share=SHARE, reason="Reviewed"))

    made = Product(seeded(tmp_path / "data", reviewed)).start()
    yield made
    made.stop()


def waiting(desk: Any) -> str:
    """What waits, as it is listed; arrows do not begin a line."""
    return str(desk.locator("#waiting").inner_text()).replace("\u00a0", " ")


def test_a_held_change_reaches_an_open_page_once_it_is_let_go(product: Product, sit_down: Callable[..., Any]) -> None:
    client = sit_down(product, f"viewer-{ACME}")
    wait_until(lambda: client.evaluate("document.documentElement?.dataset.state") == "live")
    begun = on_screen(client)
    desk = sit_down(product, "manager")
    desk.goto(product.url + HERE)
    product.tell(MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, 20), reason="Kestrel strike"))
    wait_until(lambda: "One is waiting for your release." in desk.locator("h1").inner_text())
    assert "Section A energised 3 May → 20 Jun" in waiting(desk)

    # a note half typed stays while the page polls on, and something else begins to wait
    desk.click("[id^=go-milestone-m1] summary")
    desk.fill("textarea[id^=go-milestone-m1]", "Talks go on")
    product.tell(ScoreRisk(project=HARBOUR, risk="r1", residual=Points(4, 4), reason="Storm"))
    wait_until(lambda: "Two are waiting for your release." in desk.locator("h1").inner_text())
    assert desk.input_value("textarea[id^=go-milestone-m1]") == "Talks go on"
    assert desk.is_visible("textarea[id^=go-milestone-m1]")
    product.tell(MoveForecast(project=HARBOUR, milestone="m2", forecast=date(2027, 8, 4), reason="Small"))
    wait_until(lambda: on_screen(client) == begun + 1)
    assert "20 Jun" not in client.locator("#body").inner_text()

    desk.click("form[id^=go-milestone-m1] button")
    wait_until(lambda: "Sent to Acme Rail." in desk.locator("#main").inner_text())
    wait_until(lambda: on_screen(client) == begun + 2)
    assert "20 Jun" in client.locator("#ms-m1").inner_text()
    assert "R-01 scored 9 → 16" in waiting(desk)
    assert desk.locator("#waiting tbody tr:not(.done)").count() == 1
    assert "Released" in desk.locator("#waiting tr.done").inner_text()
    assert "#" not in desk.url
