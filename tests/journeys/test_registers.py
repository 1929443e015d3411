"""A risk register and budget figures come in through the page: words are answered, lines ticked, nothing scrolls sideways."""

from collections.abc import Callable
from typing import Any

import pytest

from domain.ids import PersonId
from domain.people.person import ChooseLanguage, InvitePerson
from tests.journeys.product import Product
from tests.journeys.test_pages import AXE, axe_source
from tests.world import HARBOUR
from web.write.permission import OPERATOR, Actor

pytestmark = pytest.mark.browser

MARTA = PersonId("marta")
LONG = "Piling hits the old quay wall and the whole of the western basin has to be closed for an unknown time"
REGISTER = (
    "Risk ID,Risk,Cause,Consequence,Likelihood,Impact,Response,Mitigation,Risk Owner,Status,Colour\n"
    "R-01,internal r1,One yard,Handover moves,4,4,Reduce,Second yard,Ann Lee,Open,red\n"
    f"R-20,{LONG},Old drawings,Six weeks,High,Very high,Mitigate,Trial pits,Ann Lee,Open,red\n"
    f"R-21,{'Rindfleischetikettierungsueberwachungsaufgaben' * 2},,Redesign,Low,Medium,,,Bob,Waiting,red\n"
)
FIGURES = (
    "Month,PV (£ cumulative),EV (£),AC (£),BAC (£)\n2026-07,100000,90000,95000,1000000\n"
    "2026-08,200000,180000,190000,1000000\n2027-12,1000000,,,1000000\n"
)
ASKED = "Month,PV,AC\n2026-07,1.250,90\n2026-08,200,180\n"


def manager(product: Product) -> None:
    """Have a manager of all projects."""
    product.tell(InvitePerson(person=MARTA, name="Marta", email="m@x.test", role="manager"), OPERATOR)


def send(page: Any, product: Product, text: str, name: str = "table.csv") -> None:
    """Upload a table, and wait for the page that says what it is."""
    page.goto(f"{product.url}/p/{HARBOUR}/import")
    page.set_input_files("#plan", files=[{"name": name, "mimeType": "text/csv", "buffer": text.encode()}])
    page.click("main form .btn.primary")
    page.wait_for_selector("#what")


def sideways(page: Any) -> int:
    """Return by how much a page is too wide."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wide


def test_a_register_is_read_its_words_answered_and_what_is_ticked_recorded(
    product: Product, sit_down: Callable[..., Any]
) -> None:
    manager(product)
    page = sit_down(product, MARTA, viewport={"width": 390, "height": 900})
    send(page, product, REGISTER)
    assert page.inner_text("#what [aria-current]") == "A risk register"
    assert sideways(page) == 0
    for label, value in (("“High”", "5"), ("“Low”", "2"), ("none in the file", "accept"), ("“Waiting”", "open")):
        page.select_option(f"#words .field:has-text('{label}') select", value)
    page.click("#words button")
    page.wait_for_selector("#lines")
    assert sideways(page) == 0
    assert page.locator("#words .wrong").count() == 0
    page.fill("#reason", "Review of May")
    page.click("main form .btn.primary")
    page.wait_for_url(f"**/p/{HARBOUR}?said=*")
    text = page.inner_text("main")
    assert "R-20" in text
    assert "R-21" in text


@pytest.mark.slow
@pytest.mark.parametrize("code", ["en", "de", "fr", "es"])
def test_the_pages_of_tables_fit_and_can_be_used_in_every_language(
    product: Product, sit_down: Callable[..., Any], code: str
) -> None:
    manager(product)
    product.tell(ChooseLanguage(person=MARTA, language=code), Actor(MARTA, "manager"))
    found, source = [], axe_source()
    for width, scheme in ((1440, "light"), (390, "dark")):
        page = sit_down(product, MARTA, viewport={"width": width, "height": 900}, color_scheme=scheme)
        for text in (REGISTER, FIGURES, ASKED):
            send(page, product, text)
            assert page.evaluate("document.documentElement.lang").startswith(code)
            assert code == "en" or "not read" not in page.inner_text("main"), (
                "what the reader says is in that language too"
            )
            page.context.new_cdp_session(page).send("Page.setBypassCSP", {"enabled": True})
            page.evaluate(source)
            violations = page.evaluate("async (options) => (await axe.run(document, options)).violations", AXE)
            found += [(width, text[:12], v["id"], v["nodes"][0]["html"][:160]) for v in violations]
            if wide := sideways(page):
                found.append((width, text[:12], "scrolls sideways", str(wide)))
        page.context.close()
    assert found == []
