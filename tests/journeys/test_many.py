"""Ten dates by keyboard are one command and one update; a block from a spreadsheet is pasted; all of it is put back."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.people.person import InvitePerson
from projections.events.present import CurrentWorld
from projections.installation.folder import Folder
from tests.journeys.product import Product, on_screen, seeded, wait_until
from tests.world import ACME, ADMIN, HARBOUR, World

pytestmark = pytest.mark.browser
TABLE = f"/p/{HARBOUR}/table/milestones"
FIRST, WEEK = date(2027, 10, 4), timedelta(days=7)


@pytest.fixture
def product(tmp_path: Path) -> Any:
    def long_plan(world: World) -> None:
        world.tell(InvitePerson(person="manager", name="Marta", email="m@x.test", role="manager"), ADMIN)
        for i in range(7):
            world.milestone(f"m1{i}", FIRST + i * WEEK, f"Stage {i}")

    made = Product(seeded(tmp_path / "data", long_plan)).start()
    yield made
    made.stop()


def forecasts(product: Product) -> dict[str, date]:
    """The forecasts on record, in the order of the plan."""
    folder = Folder(product.folder)
    try:
        made = CurrentWorld(folder.events).world.projects[HARBOUR].schedule.milestones.values()
        return {m.id: m.forecast for m in sorted(made, key=lambda m: m.forecast)}
    finally:
        folder.close()


def commands(product: Product) -> int:
    folder = Folder(product.folder)
    try:
        return len({one.command for one in folder.events.stream(f"project-{HARBOUR}")})
    finally:
        folder.close()


def test_ten_dates_by_keyboard_are_one_command_and_are_put_back_at_once(
    product: Product, sit_down: Callable[..., Any]
) -> None:
    client = sit_down(product, f"viewer-{ACME}")
    wait_until(lambda: client.evaluate("document.documentElement?.dataset.state") == "live")
    begun, before, many = on_screen(client), forecasts(product), commands(product)
    assert len(before) == 10
    desk = sit_down(product, "manager")
    desk.goto(product.url + TABLE)
    desk.focus("#c-m1-forecast")
    for day in before.values():
        desk.keyboard.press("Control+A")
        desk.keyboard.type((day + WEEK).isoformat())
        desk.keyboard.press("Enter")
    assert desk.evaluate("document.activeElement.id") == "why"
    assert desk.inner_text("#changed") == "10 cells changed"
    desk.keyboard.type("The dock is late")
    desk.keyboard.press("Enter")
    desk.wait_for_url(f"**/p/{HARBOUR}?said=*")
    assert forecasts(product) == {key: day + WEEK for key, day in before.items()}
    assert commands(product) == many + 1
    wait_until(lambda: on_screen(client) == begun + 1)

    assert "forecast moved (10)" in desk.inner_text(".top-said")
    desk.click(".top-said button:has-text('Put back')")
    wait_until(lambda: forecasts(product) == before)
    assert commands(product) == many + 2
    wait_until(lambda: on_screen(client) == begun + 2)
    wait_until(lambda: desk.locator(".top-said").count() == 0)
    assert "Put back." in desk.inner_text("#do-project .said")
    assert [button.inner_text() for button in desk.locator(".put-back button").all()] == ["Change again"]


def test_a_block_is_pasted_and_the_arrows_stay_in_the_column(product: Product, sit_down: Callable[..., Any]) -> None:
    desk = sit_down(product, "manager")
    desk.goto(product.url + TABLE)
    desk.focus("#c-m2-forecast")
    block = '2027-08-09\t\t10\r\n"8 Sep\n2027"\t\t20 %\r\n'
    desk.evaluate(
        """text => {
          const data = new DataTransfer();
          data.setData('text/plain', text);
          document.activeElement.dispatchEvent(
            new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        block,
    )
    assert [desk.input_value(f"#c-{key}-forecast") for key in ("m2", "hidden")] == ["2027-08-09", "8 Sep 2027"]
    assert [desk.input_value(f"#c-{key}-percent") for key in ("m2", "hidden")] == ["10", "20 %"]
    desk.keyboard.press("ArrowDown")
    assert desk.evaluate("document.activeElement.id") == "c-hidden-forecast"
    desk.keyboard.press("ArrowUp")
    desk.keyboard.press("ArrowUp")
    assert desk.evaluate("document.activeElement.id") == "c-m1-forecast"
    desk.keyboard.type("03/04/2027")
    desk.fill("#why", "Replanned")
    desk.keyboard.press("Control+Enter")
    wait_until(lambda: "can mean" in desk.inner_text("main"))
    assert desk.evaluate("document.activeElement.id") == "c-m1-forecast"
    desk.keyboard.press("Escape")
    desk.keyboard.press("Control+Enter")
    desk.wait_for_url(f"**/p/{HARBOUR}?said=*")
    assert forecasts(product)["hidden"] == date(2027, 9, 8)


def test_the_table_is_a_plain_form_without_scripts(product: Product, sit_down: Callable[..., Any]) -> None:
    desk = sit_down(product, "manager", java_script_enabled=False)
    desk.goto(f"{product.url}/p/{HARBOUR}/table/risks")
    desk.fill("#c-r1-impact", "4")
    desk.click("button:has-text('Save all')")
    assert "is missing" in desk.inner_text("#why-wrong")
    desk.fill("#why", "Storm")
    desk.click("button:has-text('Save all')")
    assert "risk scored" in desk.inner_text(".top-said")
    desk.click(".top-said button:has-text('Put back')")
    assert "put back" in desk.inner_text(".top-said")
