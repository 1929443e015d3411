"""Finding one's way by keyboard: the search from anywhere, and the way to another share without scripts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.agreement.share import DraftShare
from domain.ids import ShareId
from domain.people.person import InvitePerson
from tests.journeys.product import Product, seeded, wait_until
from tests.world import ADMIN, COUNCIL, HARBOUR, SHARE, World, everything

pytestmark = pytest.mark.browser
SECOND = ShareId("second")


@pytest.fixture
def product(tmp_path: Path) -> Any:
    def manager(world: World) -> None:
        world.tell(InvitePerson(person="manager", name="Marta", email="m@x.test", role="manager"), ADMIN)
        world.tell(DraftShare(share=SECOND, project=HARBOUR, client=COUNCIL, terms=everything()))

    made = Product(seeded(tmp_path / "data", manager)).start()
    yield made
    made.stop()


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))


@pytest.mark.parametrize("keys", ["/", "Control+k"])
def test_a_milestone_is_reached_from_anywhere_by_keyboard_alone(
    product: Product, sit_down: Callable[..., Any], keys: str
) -> None:
    page = sit_down(product, "manager", viewport={"width": 1280, "height": 900})
    page.goto(f"{product.url}/p/{HARBOUR}/history")
    page.keyboard.press(keys)
    assert focused(page) == "find"
    page.keyboard.type("m2")
    found = page.locator("#found a")
    wait_until(lambda: found.count() > 0 and "m2" in found.first.inner_text())  # not what "m" alone found
    page.keyboard.press("ArrowDown")
    assert "m2" in focused(page)
    page.keyboard.press("ArrowUp")
    assert focused(page) == "find"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/p/{HARBOUR}#m-m2")
    page.keyboard.press(keys)
    page.keyboard.type("zz")
    wait_until(lambda: "Nothing found" in page.locator("#found").inner_text())
    page.keyboard.press("Escape")
    assert not page.locator("#found").is_visible()
    page.locator("[href*='do/add-milestone']").first.click()  # a slash that is typed into a form stays a slash
    field = page.locator("#do-milestones input[type=text], #do-milestones input:not([type])").first
    field.click()
    page.keyboard.type("a/b")
    assert field.input_value() == "a/b"


def test_without_scripts_search_is_a_page_and_another_share_is_two_clicks_away(
    product: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(product, "manager", java_script_enabled=False)
    page.goto(f"{product.url}/p/{HARBOUR}/shares/{SHARE}")
    page.locator(".switch summary").click()
    page.locator(f".switch a[href$='{SECOND}']").click()
    page.wait_for_url(f"**/shares/{SECOND}")
    page.fill("#find", "m2")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=m2")
    page.locator(".found.on-page a").first.click()
    page.wait_for_url(f"**/p/{HARBOUR}#m-m2")
