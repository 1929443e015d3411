"""What a milestone, a risk and a status open to: by click, key and touch, over a live update, without scripts, on paper."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.money import Money
from domain.plan.milestones import DescribeMilestone, MilestoneDetails, MoveForecast
from domain.plan.risks import DescribeRisk, RiskDetails
from domain.plan.schedule import ConfirmPlan
from tests.journeys.product import Product, markup, moved, on_screen, reload_slowly, same, seeded, wait_until
from tests.journeys.test_pages import AXE, axe_source
from tests.world import ACME, HARBOUR, SHARE, World

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DETAILS = MilestoneDetails(
    title="internal m1", client_title="Section A energised", client_facing=True, kind="payment", owner_side="joint",
    deadline=date(2027, 6, 30), value=Money(Decimal("412350.50"), "GBP"), needs_acceptance=True,
    client_action="Confirm the test slot", client_action_due=date(2027, 4, 2),
)  # fmt: skip
RISK = RiskDetails(
    ref="R-01", title="internal r1", client_title="Late approval", client_facing=True, category="Third parties",
    cause="No permit", event="It is refused", effect="Three weeks", response_actions="Hold July", owner="Joint",
)  # fmt: skip


def move(day: int) -> MoveForecast:
    return MoveForecast(
        project=HARBOUR, milestone="m1", forecast=date(2027, 6, day), reason=f"Frost until {day}",
        earliest=date(2027, 5, 20), latest=date(2027, 7, 1),
    )  # fmt: skip


def described(world: World) -> None:
    world.tell(DescribeMilestone(project=HARBOUR, milestone="m1", details=DETAILS))
    world.tell(DescribeRisk(project=HARBOUR, risk="r1", details=RISK))
    world.tell(move(1))
    world.tell(ConfirmPlan(project=HARBOUR))


@pytest.fixture(scope="module")
def detailed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = Product(seeded(tmp_path_factory.mktemp("details") / "data", described)).start()
    yield product
    product.stop()


def opened(page: Any, name: str) -> bool:
    return bool(page.evaluate("(id) => document.getElementById(id).open", name))


def shown(page: Any, selector: str) -> bool:
    """Tell whether somebody sees it: it has a size, and nothing it lies in is skipped."""
    found = page.evaluate(
        """(selector) => { const node = document.querySelector(selector);
             return node.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true }) &&
               node.getBoundingClientRect().height > 0; }""",
        selector,
    )
    return bool(found)


def test_a_milestone_and_a_risk_open_by_a_click_and_their_rows_say_no_more_when_closed(
    detailed: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(detailed, f"viewer-{ACME}")
    assert not shown(page, "#md-m1")
    assert not shown(page, "#ms-m1 .ex")
    assert "Contract deadline" not in page.inner_text("#milestones")
    page.click("#ms-m1 summary")
    assert shown(page, "#md-m1")
    assert shown(page, "#ms-m1 .ex")
    told = page.inner_text("#md-m1")
    for text in ("30 June 2027", "£412,350.50", "Both of us", "Needs your acceptance", "Last confirmed"):
        assert text in told
    assert not shown(page, "#md-m2")
    page.click("#r-r1 summary")
    assert "Third parties" in page.inner_text("#r-r1")
    page.click("#ms-m1 summary")
    assert not shown(page, "#md-m1")


def test_they_open_by_key_and_the_next_stop_is_to_comment(detailed: Product, sit_down: Callable[..., Any]) -> None:
    page = sit_down(detailed, f"viewer-{ACME}")
    page.focus("#ms-m1 summary")
    page.keyboard.press("Enter")
    assert shown(page, "#md-m1")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('#ms-m1 .say-it')")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    assert not shown(page, "#md-m1")
    page.focus("#v-schedule-more summary")
    page.keyboard.press("Enter")
    assert "On track up to 5 days" in page.inner_text("#v-schedule")


def test_a_touch_anywhere_on_a_row_opens_it_and_nothing_scrolls_sideways(
    detailed: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(detailed, f"viewer-{ACME}", **PHONE)
    assert page.locator("#vitals").bounding_box()["height"] > 0
    assert page.evaluate("document.getElementById('vitals').getBoundingClientRect().bottom") <= 844  # the first screen
    head = page.locator("#v-schedule h2").bounding_box()
    page.touchscreen.tap(head["x"] + head["width"] / 2, head["y"] + head["height"] / 2)
    assert shown(page, "#v-schedule .facts")
    page.locator("#ms-m1").scroll_into_view_if_needed()
    place = page.locator("#ms-m1 .c-f").bounding_box()
    page.touchscreen.tap(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    assert shown(page, "#md-m1")
    page.tap("#r-r1 summary")
    assert shown(page, "#r-r1 .facts")
    assert shown(page, "#md-m1")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("#ms-m2 summary").bounding_box()["height"] >= 24


def test_nothing_moves_when_the_script_of_a_page_comes_late(detailed: Product, sit_down: Callable[..., Any]) -> None:
    page = sit_down(detailed, f"viewer-{ACME}", **PHONE)
    for place in ("#lead", "#r-r1"):
        page.locator(place).scroll_into_view_if_needed()
        reload_slowly(page, "**/static/live.*.js")
        wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live")
        score, moves = moved(page)
        assert score < 0.01, moves


def test_they_stay_open_while_an_update_of_that_very_milestone_arrives(
    detailed: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(detailed, f"viewer-{ACME}")
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live")
    for summary in ("#ms-m1 summary", "#r-r1 summary", "#v-schedule-more summary"):
        page.click(summary)
    page.focus("#ms-m1 summary")
    before = on_screen(page)
    detailed.tell(move(14))
    wait_until(lambda: on_screen(page) == before + 1)
    assert "14 June 2027" in page.inner_text("#md-m1")
    assert "Frost until 14" in page.inner_text("#md-m1")
    assert all(opened(page, name) for name in ("mo-m1", "rd-r1", "v-schedule-more"))
    assert page.evaluate("document.activeElement.closest('tr').id") == "ms-m1"
    assert not opened(page, "mo-m2")
    fresh = page.context.new_page()
    fresh.goto(page.url)
    assert same(markup(page), markup(fresh))


def test_without_scripts_they_open_as_well(detailed: Product, sit_down: Callable[..., Any]) -> None:
    page = sit_down(detailed, f"viewer-{ACME}", java_script_enabled=False)
    page.click("#ms-m1 summary")
    assert "30 June 2027" in page.inner_text("#md-m1")
    page.click("#ms-m1 .say-it")
    page.wait_for_selector("#answer")


def test_paper_has_what_is_open_all_of_it_where_that_is_asked_and_no_row_is_cut(
    detailed: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(detailed, f"viewer-{ACME}")
    places = ("#md-m1 .facts", "#md-m2 .facts", "#r-r1 .facts", "#v-schedule .facts", "#ms-m1 .ex")
    page.click("#ms-m1 summary")
    page.emulate_media(media="print")
    assert [place for place in places if shown(page, place)] == ["#md-m1 .facts", "#ms-m1 .ex"]
    page.evaluate("document.querySelector('#whole').checked = true")
    assert all(shown(page, place) for place in places)
    assert not any(opened(page, name) for name in ("mo-m2", "rd-r1", "v-schedule-more"))
    for row in ("#ms-m1", "#md-m1", "#r-r1", "#vitals"):
        assert page.evaluate("(row) => getComputedStyle(document.querySelector(row)).breakInside", row) == "avoid"
    for section in ("#milestones", "#news", "#risks"):
        assert page.evaluate("(id) => getComputedStyle(document.querySelector(id)).breakInside", section) == "auto"
    page.evaluate("document.querySelector('#whole').checked = false")
    assert not shown(page, "#md-m2 .facts")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_opened_details_are_accessible_and_fit(
    detailed: Product, sit_down: Callable[..., Any], scheme: str, width: int
) -> None:
    page = sit_down(detailed, f"viewer-{ACME}", color_scheme=scheme, viewport={"width": width, "height": 900})
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert shown(page, "#md-m1")
    page.context.new_cdp_session(page).send("Page.setBypassCSP", {"enabled": True})
    page.evaluate(axe_source())
    result = page.evaluate("(options) => axe.run(document, options)", AXE)
    assert [(v["id"], v["nodes"][0]["html"][:160]) for v in result["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_exact_page_of_an_update_opens_too(detailed: Product, sit_down: Callable[..., Any]) -> None:
    page = sit_down(detailed, f"viewer-{ACME}")
    page.goto(f"{detailed.url}/s/{SHARE}/history/{detailed.head(SHARE)}")
    frame = page.frame_locator("iframe")
    frame.locator("#ms-m1 summary").click()
    frame.locator("#md-m1 >> text=Contract deadline").wait_for(state="visible")
