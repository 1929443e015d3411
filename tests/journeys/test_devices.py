"""A device that stays signed in over a restarted browser, and under an open page; a wall display put up by a code."""

import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.people.devices import EndDevice
from domain.people.sign_ins import EndSession
from domain.plan.schedule import MoveForecast
from projections.events.present import CurrentWorld
from projections.installation.folder import Folder
from tests.journeys.conftest import QUIET
from tests.journeys.product import Product, on_screen, wait_until
from tests.world import ACME, HARBOUR, SHARE
from web.write.permission import OPERATOR

pytestmark = pytest.mark.browser

VERA = f"viewer-{ACME}"


def opened(chromium: Any, profile: Path) -> Any:
    """Open a browser on a profile, as somebody does who starts their computer."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    return chromium.browser_type.launch_persistent_context(str(profile), executable_path=path, args=list(QUIET))


def state(page: Any) -> str:
    return str(page.evaluate("document.documentElement?.dataset.state"))


def known(product: Product) -> Any:
    """Return the viewer as recorded."""
    folder = Folder(product.folder)
    try:
        return CurrentWorld(folder.events).world.people[VERA]
    finally:
        folder.close()


def test_a_kept_device_is_on_the_dashboard_after_a_restart_and_an_open_page_outlives_its_session(
    product: Product, chromium: Any, tmp_path: Path
) -> None:
    first = opened(chromium, tmp_path / "profile")
    page = first.new_page()
    page.goto(product.link(VERA))
    assert not page.is_checked("input[name=keep]")
    page.check("text=Keep this device signed in")
    page.click("button:has-text('Sign in')")
    page.wait_for_url(f"{product.url}/s/{SHARE}")
    first.close()

    again = opened(chromium, tmp_path / "profile")
    page = again.new_page()
    page.set_viewport_size({"width": 1000, "height": 500})
    page.goto(f"{product.url}/s/{SHARE}")
    assert page.url == f"{product.url}/s/{SHARE}"
    wait_until(lambda: state(page) == "live")
    page.evaluate("window.same = true")
    page.locator("a.say-it").first.click()
    page.fill("#answer-text", "Half a thought")
    page.evaluate("scrollTo(0, 400)")
    place = page.evaluate("scrollY")
    assert place > 0
    for session in list(known(product).sessions):
        product.tell(EndSession(person=VERA, session=session, cause="over"), OPERATOR)
    before = on_screen(page)
    renewed = lambda: [s for s in known(product).sessions.values() if s.via == "device"]  # noqa: E731
    wait_until(lambda: len(renewed()) == 1)
    wait_until(lambda: state(page) == "live")
    assert page.evaluate("[window.same, scrollY]") == [True, place]
    product.tell(MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, 2), reason="Frost"))
    wait_until(lambda: on_screen(page) == before + 1)
    assert state(page) == "live"
    assert page.evaluate("window.same")
    assert page.input_value("#answer-text") == "Half a thought"
    (device,) = known(product).devices.kept
    product.tell(EndDevice(person=VERA, device=device), OPERATOR)
    wait_until(lambda: state(page) == "signed-out")
    again.close()


def test_a_share_on_a_wall_is_live_takes_no_answer_and_goes_dark_when_it_is_ended(
    product: Product, chromium: Any, sit_down: Callable[..., Any]
) -> None:
    vera = sit_down(product, VERA)
    vera.click("text=Wall display")
    vera.fill("input[name=name]", "Site office")
    vera.click("text=On another screen")
    code = vera.inner_text(".code")
    assert re.fullmatch(r"[a-z0-9]{4}(-[a-z0-9]{4}){2}", code)
    context = chromium.new_context(viewport={"width": 1920, "height": 1080})
    wall = context.new_page()
    wall.goto(f"{product.url}/wall")
    wall.fill("input[name=code]", code.upper())
    wall.click("text=Show the share")
    wall.wait_for_url(f"{product.url}/wall")
    wait_until(lambda: state(wall) == "live")
    assert wall.locator("a:visible, button:visible, input:visible").all_inner_texts() == []
    before = on_screen(wall)
    product.tell(MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, 2), reason="Frost"))
    wait_until(lambda: on_screen(wall) == before + 1)
    vera.goto(f"{product.url}/me")
    vera.locator("tr", has_text="Site office").locator("button").click()
    wait_until(lambda: state(wall) == "signed-out")
    assert "This wall display was ended." in wall.inner_text("body")
    context.close()
