"""A manager steps through what a client saw; an auditor plays the record: in a real browser, with and without scripts."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.people.person import InvitePerson
from projections.installation.folder import Folder
from projections.wording import words
from tests.journeys.product import Product, seeded, wait_until
from tests.world import ACME, ADMIN, HARBOUR, SHARE, World
from web import clock

pytestmark = pytest.mark.browser
VIEWER = f"viewer-{ACME}"
SEEN = f"/p/{HARBOUR}/shares/{SHARE}/at"


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A month that is over: a change every other day, each on one viewer's screen for an hour."""

    def more(world: World) -> None:
        for role in ("manager", "auditor"):
            world.tell(InvitePerson(person=role, name=role.title(), email=f"{role}@x.test", role=role), ADMIN)
        for day in range(1, 13):
            world.clock.forward(days=2)
            world.move("m1", date(2027, 6, day))
            world.claim("displayed", day + 1, person=VIEWER)
            world.receipts.flush()
            world.clock.forward(hours=1)
            world.claim("hidden", day + 1, person=VIEWER)
            world.receipts.flush()

    product = Product(seeded(tmp_path_factory.mktemp("month") / "data", more, clock.now() - timedelta(days=27))).start()
    yield product
    product.stop()


def before_update(product: Product, n: int) -> str:
    """Return the instant an hour before an update, as addresses have it."""
    folder = Folder(product.folder)
    try:
        at = folder.disclosure.recorded_at(SHARE, n)
    finally:
        folder.close()
    assert at is not None
    return (at - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def says(page: Any) -> str:
    return str(page.inner_text("h1"))


def test_a_manager_picks_a_past_second_and_reads_who_had_what_on_screen(
    month: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(month, "manager")
    page.goto(f"{month.url}/p/{HARBOUR}")
    page.click("a:has-text('What they saw')")
    page.wait_for_selector("#seen")
    assert "Nobody had it open." in says(page)
    page.goto(f"{month.url}{SEEN}/{before_update(month, 7)}")  # far from where the click goes, or it takes the thumb
    assert "Update 6 of 13" in page.inner_text(".scrub-bar .at")
    assert "their screens said" not in says(page)
    box = page.locator(".stage .rng").bounding_box()
    solid = page.locator(".seen-bar:not(.dim)").first.bounding_box()
    x = (solid["x"] + solid["width"] / 2 - box["x"]) / box["width"]
    asked = page.url

    def moved() -> bool:
        """Click, as a person would once more where the page was not ready for the first time."""
        page.mouse.click(box["x"] + x * box["width"], box["y"] + box["height"] / 2)
        page.wait_for_timeout(500)
        return page.url != asked

    wait_until(moved)  # the address is that of the second
    wait_until(lambda: "their screens said" in says(page))
    assert "/at/20" in page.url
    assert "On screen" in page.inner_text("main .tb tbody tr:has-text('Vera')")
    assert page.locator("#seen").count() == 1


def test_while_dragging_the_flag_the_head_and_the_screen_reader_say_where_the_needle_is(
    month: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(month, "manager", timezone_id="Pacific/Auckland")  # the share's zone counts, not the reader's
    page.goto(f"{month.url}{SEEN}/{before_update(month, 7)}")
    before = page.inner_text(".scrub-bar .at time")
    box = page.locator(".stage .rng").bounding_box()
    y = box["y"] + box["height"] / 2
    thumb = float(page.evaluate("r => r.value / r.max", page.query_selector(".stage .rng")))
    page.mouse.move(box["x"] + thumb * box["width"], y)
    page.mouse.down()
    said = set()
    for share in (0.02, 0.3, 0.98):
        page.mouse.move(box["x"] + share * box["width"], y, steps=3)
        at = page.evaluate(
            """() => {
              const range = document.querySelector('.stage .rng');
              const start = Date.parse(document.getElementById('seen').dataset.start);
              return start + 1000 * Number(range.value);
            }"""
        )
        there = words.local(datetime.fromtimestamp(at / 1000, UTC), "Europe/London")
        assert page.text_content(".flag-t") == f"{there:%H:%M:%S}"
        head = f"{there:%a} {words.day_year(there.date())}, {there:%H:%M:%S}"
        assert page.inner_text(".scrub-bar .at time") == head
        assert page.get_attribute(".stage .rng", "aria-valuetext") == head
        assert page.get_attribute(".needle", "x1") == page.get_attribute(".flag-at", "x")
        flag, lanes = page.locator(".flag").bounding_box(), page.locator(".stage").bounding_box()
        assert lanes["x"] - 8 <= flag["x"]
        assert flag["x"] + flag["width"] <= lanes["x"] + lanes["width"] + 8
        assert page.locator("#seen.moving").count() == 1
        said.add(head)
    assert len(said - {before}) == 3
    page.mouse.up()
    wait_until(lambda: page.locator("#seen.moving").count() == 0)
    assert page.inner_text(".scrub-bar .at time") in said


def test_keys_step_by_update_and_play_goes_on_by_itself(month: Product, sit_down: Callable[..., Any]) -> None:
    page = sit_down(month, "manager")
    page.goto(f"{month.url}{SEEN}/u3")
    at = lambda: page.inner_text(".scrub-bar .at small")  # noqa: E731
    page.keyboard.press("ArrowRight")
    wait_until(lambda: at() == "Update 4 of 13")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    wait_until(lambda: at() in ("Update 2 of 13", "Update 3 of 13"))
    page.goto(f"{month.url}{SEEN}/u10")
    page.keyboard.press(" ")
    wait_until(lambda: at() == "Update 12 of 13")
    assert page.inner_text("[data-play]").strip() == "Pause"
    page.click("[data-play]")
    assert page.inner_text("[data-play]").strip() == "Play"
    page.go_back()
    wait_until(lambda: at() != "Update 12 of 13")


def test_without_scripts_every_step_is_a_link(month: Product, sit_down: Callable[..., Any]) -> None:
    page = sit_down(month, "manager", java_script_enabled=False)
    page.goto(f"{month.url}{SEEN}/u3")
    page.click("[data-step=on]")
    assert "Update 4 of 13" in page.inner_text(".scrub-bar .at")
    page.click("[data-step=month]")
    assert page.locator(".lane .ev").count() > 10
    page.click("summary:has-text('Go to time')")
    page.fill("#on", page.input_value("#on"))
    page.click(".goto button")
    assert "Update 4 of 13" in page.inner_text(".scrub-bar .at")
    assert page.is_hidden("[data-play]")
    page.click("text=Open the exact page")
    assert "4 Jun" in page.inner_text("#ms-m1") or "3 Jun" in page.inner_text("#ms-m1")


def test_an_auditor_replays_a_month_at_speed(month: Product, sit_down: Callable[..., Any]) -> None:
    page = sit_down(month, "auditor")
    page.goto(f"{month.url}/audit/replay?kind=forecast-moved")
    page.select_option("#speed", "604800")
    page.click("h1")
    page.keyboard.press(" ")
    moments: list[str] = []

    def over() -> bool:
        said = page.evaluate("document.getElementById('frame').dataset.said")
        if not moments or moments[-1] != said:
            moments.append(said)
        return page.inner_text("[data-play]").strip() == "Play" and len(moments) > 3

    wait_until(over)
    wait_until(lambda: "13" in page.inner_text("#frame td[data-l=Update]"))
    assert len(moments) > 4, "it showed instants on the way"
    last = page.evaluate("document.getElementById('frame').dataset.said")
    page.keyboard.press("ArrowLeft")
    wait_until(lambda: page.evaluate("document.getElementById('frame').dataset.said") != last)
    wait_until(lambda: "Forecast moved" in page.inner_text(".frame-events"))
    page.click("a:has-text('Acme Rail')")
    page.wait_for_selector("#seen")
    assert "/audit/shares/" in page.url


def test_a_file_from_a_client_is_recognised_by_an_auditor(
    month: Product, sit_down: Callable[..., Any], tmp_path: Any
) -> None:
    viewer = sit_down(month, VIEWER)
    bundle = viewer.context.request.get(f"{month.url}/s/{SHARE}/evidence.zip?n=4").body()
    (tmp_path / "update.zip").write_bytes(bundle)
    page = sit_down(month, "auditor")
    page.goto(f"{month.url}/audit/file")
    page.set_input_files("#file", tmp_path / "update.zip")
    page.click("button:has-text('Check file')")
    assert "An evidence bundle of update 4." in page.inner_text(".verdict")
    page.click("text=Who had it on screen")
    assert "Update 4 of 13" in page.inner_text(".scrub-bar .at")
