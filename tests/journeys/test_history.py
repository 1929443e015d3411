"""A viewer steps back through its own record in a real browser, and its manager asks who knows a date that slipped."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.people.person import InvitePerson
from domain.plan.schedule import MoveForecast
from tests.journeys.product import Product, on_screen, wait_until
from tests.world import ACME, ADMIN, HARBOUR, SHARE, World
from web import clock
from web.render.page import Renderer

pytestmark = pytest.mark.browser
VIEWER = f"viewer-{ACME}"


def move(day: int) -> MoveForecast:
    return MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, day), reason=f"Frost until {day}")


def last_month(folder: Path) -> Path:
    """Put the sample project into a folder as if it had begun a month ago, with a manager."""
    world = World(folder, Renderer(), start=clock.now() - timedelta(days=30))
    world.harbour()
    world.tell(InvitePerson(person="manager", name="Marta", email="m@x.test", role="manager"), ADMIN)
    world.close()
    return folder


def frame_shows(page: Any, text: str) -> None:
    """Wait until the row of the first milestone in the frame says something."""
    page.frame_locator("iframe").locator("#ms-m1").filter(has_text=text).wait_for()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_viewer_steps_through_what_it_was_shown(
    product: Product, sit_down: Callable[..., Any], *, scripts: bool
) -> None:
    for day in (5, 6, 7):
        product.tell(move(day))
    wait_until(lambda: product.head(SHARE) == 4)
    page = sit_down(product, VIEWER, java_script_enabled=scripts)
    page.click(".foot a:has-text('History')")
    page.click("text=Update 3")
    frame_shows(page, "6 Jun")
    page.click("a:has-text('Update 2')")
    page.wait_for_url(f"**/s/{SHARE}/history/2")
    frame_shows(page, "5 Jun")
    page.click("a:has-text('Newest')")
    page.wait_for_url(f"**/s/{SHARE}/history/4")
    frame_shows(page, "7 Jun")
    page.fill("#on", "2020-01-01")
    page.click("button:has-text('Go to it')")
    page.wait_for_selector("text=Nothing had been shown by then.")
    page.fill("#on", "2099-01-01")
    page.click("button:has-text('Go to it')")
    page.wait_for_url(f"**/s/{SHARE}/history/4")


def test_nothing_in_the_frame_runs_or_leads_out(product: Product, sit_down: Callable[..., Any]) -> None:
    page = sit_down(product, VIEWER)
    page.goto(f"{product.url}/s/{SHARE}/history/1")
    frame_shows(page, "3 May")
    frame = next(f for f in page.frames if f.url.endswith("/page"))
    assert frame.locator("script").count() == 0
    assert page.locator("iframe").get_attribute("sandbox") == ""
    assert page.evaluate("document.querySelector('iframe').contentDocument") is None


def test_a_manager_learns_who_had_a_slipped_date_on_screen_and_when(
    tmp_path: Path, sit_down: Callable[..., Any]
) -> None:
    product = Product(last_month(tmp_path / "data")).start()
    try:
        viewer = sit_down(product, VIEWER)
        wait_until(lambda: viewer.evaluate("document.documentElement?.dataset.state") == "live")
        product.tell(move(9))
        wait_until(lambda: on_screen(viewer) == 2)
        manager = sit_down(product, "manager")
        manager.goto(f"{product.url}/p/{HARBOUR}")
        manager.click("#m-m1 a:has-text('Who has seen it?')")

        def knows() -> bool:
            manager.reload()
            return "Acme Rail: on the screen of the only viewer, first" in manager.inner_text("h1")

        wait_until(knows)
        assert "9 June 2027" in manager.inner_text("h1")
        row = manager.inner_text(".who-viewers tbody tr")
        assert "Displayed" in row
        assert "On screen, update 2" in row
        viewer.click("[data-do=pause]")
        product.tell(move(10))
        wait_until(lambda: product.head(SHARE) == 3)

        def old() -> bool:
            manager.reload()
            return "Still on screen with the old value" in manager.inner_text("main")

        wait_until(old)
        assert "Vera (update 2, paused)" in manager.inner_text(".who-old")
        manager.click("a:has-text('Value before')")
        assert "9 June 2027, from" in manager.inner_text("h1")
        assert "Acme Rail: on the screen of the only viewer, first" in manager.inner_text("h1")
    finally:
        product.stop()
