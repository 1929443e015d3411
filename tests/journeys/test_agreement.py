"""A manager widens and narrows an agreement under an open page: the list says what it does, and it does just that."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.ids import MilestoneId, RiskId
from domain.people.person import InvitePerson
from tests.journeys.product import Product, markup, on_screen, same, seeded, wait_until
from tests.world import ACME, ADMIN, HARBOUR, SHARE, World, everything

pytestmark = pytest.mark.browser
EDIT = f"/p/{HARBOUR}/shares/{SHARE}/edit"


@pytest.fixture
def product(tmp_path: Path) -> Any:
    def manager(world: World) -> None:
        world.tell(InvitePerson(person="manager", name="Marta", email="m@x.test", role="manager"), ADMIN)

    terms = everything(milestones=(MilestoneId("m1"),), risks=(RiskId("r1"),))
    made = Product(seeded_with(tmp_path / "data", manager, terms)).start()
    yield made
    made.stop()


def seeded_with(folder: Path, more: Callable[[World], None], terms: Any) -> Path:
    def agreed(world: World) -> None:
        more(world)
        from domain.agreement.share import ActivateTerms, DraftTerms

        world.tell(DraftTerms(share=SHARE, terms=terms))
        world.tell(ActivateTerms(share=SHARE, reason="Less"))

    return seeded(folder, agreed)


def counts(page: Any) -> dict[str, int]:
    """What the third column counts, by its headings."""
    found = page.locator("#outcome .does h3").all_inner_texts()
    return {re.match(r"\D*", line)[0].strip(): sum(map(int, re.findall(r"\d+", line))) for line in found}  # type: ignore[index]


def listed(page: Any, heading: str) -> str:
    return str(page.locator(f"#outcome section:has(h3:has-text('{heading}'))").first.inner_text())


def preview(page: Any) -> Any:
    """The exact page in the middle, once it is there."""
    frame = page.frame_locator("#outcome iframe")
    wait_until(lambda: frame.locator("main").count() == 1)
    return frame


def activate(page: Any, reason: str) -> None:
    page.click("button:has-text('Activate…')")
    page.fill("#name", "Acme Rail")
    page.fill("#reason", reason)
    page.click("button:has-text('Put in force')")
    page.wait_for_url(f"**/shares/{SHARE}?done=in-force")


def test_widening_then_narrowing_under_an_open_page(product: Product, sit_down: Callable[..., Any]) -> None:
    client = sit_down(product, f"viewer-{ACME}")
    wait_until(lambda: client.evaluate("document.documentElement?.dataset.state") == "live")
    begun = on_screen(client)
    desk = sit_down(product, "manager", viewport={"width": 1500, "height": 950})
    desk.goto(product.url + EDIT)
    assert (counts(desk)["Newly disclosed"], counts(desk)["Withdrawn"]) == (0, 0)

    # widening: the page and the list follow the tick, and nothing has happened yet
    desk.check("input[name=milestones][value=all]")
    wait_until(lambda: counts(desk)["Newly disclosed"] == 1)
    assert "Trial running starts" in listed(desk, "Newly disclosed")
    wait_until(lambda: preview(desk).locator("#ms-m2").count() == 1)
    shown = preview(desk).locator("#ms-m2").inner_text()
    assert on_screen(client) == begun
    assert client.locator("#ms-m2").count() == 0
    activate(desk, "They asked for the second date")
    wait_until(lambda: on_screen(client) == begun + 1)
    ways = " ".join(client.locator("#ms-m2 .say-it").all_inner_texts()).split()  # a preview has no way to answer
    assert sorted(client.locator("#ms-m2").inner_text().split()) == sorted([*shown.split(), *ways])

    # narrowing: what goes is struck, what was seen is named, and the open page loses it at once
    wait_until(lambda: "displayed" in kinds(product))
    desk.goto(product.url + EDIT)
    desk.check("input[name=risks][value=none]")
    wait_until(lambda: counts(desk)["Withdrawn"] >= 1)
    assert "Risk R-01" in listed(desk, "Withdrawn")
    seen = listed(desk, "Already seen")
    assert "Risk R-01" in seen
    assert "on screen at Vera" in seen
    wait_until(lambda: "Risk r1" in preview(desk).locator("body").inner_text())
    assert preview(desk).locator("#r-r1").count() == 0
    activate(desk, "Risks are for the meeting")
    wait_until(lambda: on_screen(client) == begun + 2)
    assert client.locator("#r-r1").count() == 0
    fresh = client.context.new_page()
    fresh.goto(client.url)
    assert same(markup(client), markup(fresh))


def kinds(product: Product) -> set[str]:
    from projections.installation.folder import Folder

    folder = Folder(product.folder)
    try:
        return {claim.kind for claim in folder.receipts.claims(SHARE)}
    finally:
        folder.close()


def test_what_was_typed_stays_while_the_columns_follow(product: Product, sit_down: Callable[..., Any]) -> None:
    desk = sit_down(product, "manager", viewport={"width": 1500, "height": 950})
    desk.goto(product.url + EDIT)
    desk.check("input[name=release][value=review]")
    desk.check("input[name=hold_slip]")
    desk.fill("input[name=slip_days]", "12")
    desk.uncheck("input[name=milestone_fields][value=forecast]")  # a slip without a forecast cannot be
    wait_until(lambda: "A slip tells both dates" in desk.locator("#outcome").inner_text())
    assert desk.input_value("input[name=slip_days]") == "12"
    desk.check("input[name=milestone_fields][value=forecast]")
    wait_until(lambda: "A slip tells both dates" not in desk.locator("#outcome").inner_text())
    desk.click("button:has-text('Save draft')")
    desk.wait_for_url("**/edit?done=saved")
    assert desk.is_checked("input[name=release][value=review]")
    assert desk.input_value("input[name=slip_days]") == "12"
    desk.click("button:has-text('Discard the draft')")
    desk.wait_for_url("**/edit?done=dropped")
    assert desk.is_checked("input[name=release][value=once]")


def test_those_i_choose_begin_with_what_is_covered_and_all_of_them_are_in_reach(
    product: Product, sit_down: Callable[..., Any]
) -> None:
    desk = sit_down(product, "manager", viewport={"width": 1280, "height": 900})
    desk.goto(product.url + EDIT)
    assert desk.locator("#deed button[value=activate]").is_disabled()
    assert "Nothing changes" in desk.locator("#deed").inner_text()
    chooser = desk.locator(".chooser").first
    desk.check("input[name=milestones][value=all]")
    assert not chooser.is_visible()
    wait_until(lambda: desk.locator("#deed button[value=activate]").is_enabled())
    desk.check("input[name=milestones][value=some]")
    assert chooser.is_visible()
    boxes = chooser.locator("input[name=milestone]")
    many = boxes.count()
    assert (many > 1, [box.is_checked() for box in boxes.all()].count(True)) == (True, 1)
    assert chooser.locator("output").inner_text() == f"1 of {many} chosen"
    chooser.locator("button[data-pick=all]").click()
    assert chooser.locator("output").inner_text() == f"{many} of {many} chosen"
    wait_until(lambda: "milestone" in listed(desk, "Newly disclosed"))
    chooser.locator("button[data-pick=none]").click()
    assert chooser.locator("output").inner_text() == f"0 of {many} chosen"
    wide = "e => [e.scrollWidth - e.clientWidth, ...[...e.children].map(c => c.offsetLeft - e.children[0].offsetLeft)]"
    assert set(chooser.locator("ul").evaluate(wide)) == {0}  # one column, nothing beside it
    desk.click("button[name=start][value=open]")  # what was chosen is not saved: asked once before it is replaced
    assert "Replace them by" in desk.locator("#asks").inner_text()
    assert desk.locator("input[name=milestone]:checked").count() == 0
    desk.click("button[name=replace]")
    desk.wait_for_url("**/edit?from=open")
