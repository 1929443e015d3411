"""A client and a manager with their pages open at once: what one says stands on the other's page without a reload."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.agreement.answers import Acknowledged, CommentMade, ConcernAnswered, ConcernRaised
from domain.ids import PersonId
from domain.people.person import DisablePerson, InvitePerson
from domain.plan.risks import ClientScored
from domain.plan.schedule import AddMilestone, MilestoneDetails, MoveForecast
from projections.installation.folder import Folder
from tests.journeys.product import Product, markup, on_screen, same, wait_until
from tests.world import ACME, ADMIN, ALL_MILESTONES, ALL_RISKS, HARBOUR, SHARE, World, everything
from web.render.page import Renderer
from web.write.permission import OPERATOR

pytestmark = pytest.mark.browser
NEW = MilestoneDetails(title="inside", client_title="Inspected", client_facing=True)
TALKING = everything(milestone_fields=(*ALL_MILESTONES, "comments"), risk_fields=(*ALL_RISKS, "comments"))


@pytest.fixture
def talking(tmp_path: Path) -> Iterator[Product]:
    """A running server with the sample project, shared with comments."""
    world = World(tmp_path / "data", Renderer())
    world.harbour(TALKING)
    world.tell(InvitePerson(person="manager", name="Marta", email="m@x.test", role="manager"), ADMIN)
    world.close()
    made = Product(tmp_path / "data").start()
    yield made
    made.stop()


def events(product: Product, *kinds: type) -> list[Any]:
    """Return the recorded events of these kinds, oldest first."""
    folder = Folder(product.folder)
    try:
        found = [r.event for s in (f"project-{HARBOUR}", f"share-{SHARE}") for r in folder.events.stream(s)]
    finally:
        folder.close()
    return [event for event in found if isinstance(event, kinds)]


def root(product: Product, n: int) -> str:
    folder = Folder(product.folder)
    try:
        return folder.disclosure.kept(SHARE, n - 1, 1, n)[0].root
    finally:
        folder.close()


def live(page: Any) -> None:
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live")


def bound(product: Product, event: Any, n: int) -> None:
    """Check that an event carries update n and the head after it."""
    assert event.by == f"viewer-{ACME}"
    assert (event.screen.n, event.screen.head) == (n, root(product, n))
    assert re.fullmatch("[0-9a-f]{64}", event.screen.head)


def test_a_client_scores_raises_and_acknowledges_while_its_manager_watches_and_answers(
    talking: Product, sit_down: Callable[..., Any]
) -> None:
    client, manager = sit_down(talking, f"viewer-{ACME}"), sit_down(talking, "manager")
    manager.goto(f"{talking.url}/p/{HARBOUR}/answers")
    assert manager.inner_text("h1").startswith("No concern is open.")
    elsewhere = sit_down(talking, "manager")
    elsewhere.goto(f"{talking.url}/for-you")
    assert elsewhere.inner_text("h1") == "1 thing waits for you."  # its viewer came in for the first time
    live(client)

    client.hover("#r-r1 summary")
    client.click("#r-r1 .say-it")
    n = on_screen(client)
    for field, value in (("probability", 4), ("impact", 5)):
        client.check(f"input[name={field}][value='{value}']", force=True)
    client.click("text=Record our score")
    wait_until(lambda: "You 4×5 = 20" in client.inner_text("#r-r1"))
    assert client.locator(".pin-y").count() == 1
    wait_until(lambda: f"bound to update {n}" in client.inner_text("#answer"))
    (scored,) = events(talking, ClientScored)
    bound(talking, scored, n)
    wait_until(lambda: "4×5 = 20" in manager.inner_text("#answers"))

    client.hover("#ms-m1")
    client.click("#ms-m1 .say-it")
    n = on_screen(client)
    client.fill("#answer-text", "Is May still true?")
    client.click("#answer >> text=Raise a concern")
    wait_until(lambda: "Is May still true?" in client.locator("#body").inner_text())
    (raised,) = events(talking, ConcernRaised)
    bound(talking, raised, n)
    wait_until(lambda: elsewhere.inner_text("#for-you b") == "3", seconds=2)  # it is asked for every 0.8 s
    wait_until(lambda: "Vera of Acme Rail raised a concern about Section A energised." in elsewhere.inner_text("main"))
    wait_until(lambda: manager.inner_text("h1").startswith("One concern is open."))
    frame = manager.frame_locator(f"#concern-{raised.concern} iframe")
    assert "3 May" in frame.locator("tbody").inner_text()

    manager.fill(f"#text-{raised.concern}", "It is, and")
    talking.tell(MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 5, 20), reason="Frost"))
    wait_until(lambda: "3 May 2027 → 20 May 2027" in manager.inner_text(f"#concern-{raised.concern} .since"))
    assert manager.input_value(f"#text-{raised.concern}") == "It is, and"
    assert "3 May" in frame.locator("tbody").inner_text()  # still what was on the screen then
    manager.fill(f"#text-{raised.concern}", "The 20th, since the frost.")
    before = on_screen(client)
    manager.click(f"#concern-{raised.concern} button:has-text('Reply and close')")
    wait_until(lambda: "The 20th, since the frost." in client.inner_text("#concerns"))
    assert on_screen(client) > before
    assert "Settled" in client.inner_text("#concerns")
    assert events(talking, ConcernAnswered)[0].by == "manager"
    wait_until(lambda: elsewhere.inner_text("#for-you b") == "2")  # the score is there until the answers are opened
    assert manager.inner_text("h1").startswith("No concern is open.")

    client.click("#scope a")
    n = on_screen(client)
    client.click("#answer button:has-text('Acknowledge')")
    wait_until(lambda: "Acknowledged by Vera" in client.inner_text("#scope"))
    (taken,) = events(talking, Acknowledged)
    bound(talking, taken, n)
    wait_until(lambda: "Share agreement 1" in manager.inner_text("#acknowledged"))


def test_an_answer_is_bound_to_the_update_that_arrived_while_it_was_typed(
    talking: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(talking, f"viewer-{ACME}")
    page.goto(f"{talking.url}/s/{SHARE}?about=milestone-m2")
    live(page)
    n = on_screen(page)
    page.fill("#answer-text", "Half a sen")
    talking.tell(MoveForecast(project=HARBOUR, milestone="m2", forecast=date(2027, 8, 9), reason="Frost"))
    wait_until(lambda: on_screen(page) == n + 1)
    assert page.input_value("#answer-text") == "Half a sen"
    assert f"update {n + 1}" in page.inner_text("#answer header")
    assert page.evaluate("document.activeElement.id") == "answer-text"
    page.click("#answer button:has-text('Comment')")
    wait_until(lambda: "1 comment" in page.inner_text("#ms-m2"))
    page.click("#ms-m2 summary")
    assert "Half a sen" in page.inner_text("#md-m2")
    bound(talking, events(talking, CommentMade)[0], n + 1)


def test_a_paused_page_answers_what_it_shows_and_not_what_is_newer(
    talking: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(talking, f"viewer-{ACME}")
    page.goto(f"{talking.url}/s/{SHARE}?about=milestone-m2")
    live(page)
    n = on_screen(page)
    page.click("[data-do=pause]")
    talking.tell(MoveForecast(project=HARBOUR, milestone="m2", forecast=date(2027, 8, 9), reason="Frost"))
    wait_until(lambda: page.inner_text("#newer") == "Show 1 newer")
    page.click("#answer button:has-text('Acknowledge')")
    wait_until(lambda: events(talking, Acknowledged))
    bound(talking, events(talking, Acknowledged)[0], n)


def test_it_works_without_scripts_too(talking: Product, sit_down: Callable[..., Any]) -> None:
    page = sit_down(talking, f"viewer-{ACME}", java_script_enabled=False)
    page.hover("#ms-m1")
    page.click("#ms-m1 .say-it")
    page.fill("#answer-text", "By hand")
    page.click("#answer >> text=Raise a concern")
    assert "Your concern is recorded" in page.inner_text("#answer")
    (raised,) = events(talking, ConcernRaised)
    bound(talking, raised, 1)
    manager = sit_down(talking, "manager", java_script_enabled=False)
    manager.goto(f"{talking.url}/p/{HARBOUR}/answers")
    manager.fill(f"#text-{raised.concern}", "Noted by hand")
    manager.click(f"#concern-{raised.concern} button:has-text('Reply')")
    assert "Noted by hand" in manager.inner_text("#concerns")


def test_a_page_that_took_in_a_conversation_is_what_a_fresh_load_would_be(
    talking: Product, sit_down: Callable[..., Any]
) -> None:
    page, manager = sit_down(talking, f"viewer-{ACME}"), sit_down(talking, "manager")
    live(page)
    manager.goto(f"{talking.url}/p/{HARBOUR}/answers")
    for subject, text in (("milestone-m1", "One"), ("risk-r1", "Two"), ("milestone-m1", "Three")):
        n = on_screen(page)
        manager.select_option(f"#about-{SHARE}", subject)
        manager.fill(f"#text-{SHARE}", text)
        manager.click("text=Comment for Acme Rail >> nth=1")
        wait_until(lambda n=n: on_screen(page) == n + 1)
    assert "commented on" in wait_until(lambda: page.inner_text("#say"))
    other = page.context.new_page()
    other.goto(page.url)
    assert same(markup(page), markup(other))


def test_what_was_typed_stays_when_somebody_was_signed_out_meanwhile(
    talking: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(talking, f"viewer-{ACME}")
    page.goto(f"{talking.url}/s/{SHARE}?about=milestone-m2")
    live(page)
    page.fill("#answer-text", "Half a sentence")
    talking.tell(DisablePerson(person=PersonId(f"viewer-{ACME}"), reason="Left"), OPERATOR)
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "signed-out")
    page.click("#answer >> text=Raise a concern")
    assert page.input_value("#answer-text") == "Half a sentence"
    assert page.is_visible("text=You were signed out.")
    assert events(talking, ConcernRaised) == []


def top_of(page: Any, row: str) -> float:
    """Return how far below the top of the window a row begins, in CSS pixels."""
    return float(page.evaluate(f"document.querySelector('{row}').getBoundingClientRect().top"))


def test_an_answer_is_given_where_one_reads_and_the_entry_stands_there_and_has_the_focus(
    talking: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(talking, f"viewer-{ACME}", viewport={"width": 1280, "height": 1000})
    live(page)
    page.evaluate("document.getElementById('ms-m2').scrollIntoView({block: 'center'})")
    before, address = top_of(page, "#ms-m2"), page.url
    page.focus("#ms-m2 .say-it")  # a keyboard finds it, and then it is seen
    assert page.evaluate("getComputedStyle(document.activeElement).opacity") == "1"
    page.keyboard.press("Enter")
    wait_until(lambda: page.evaluate("document.activeElement.id") == "answer-text")
    assert page.evaluate("document.getElementById('answer').previousElementSibling.id") == "md-m2"
    assert (top_of(page, "#ms-m2"), page.url) == (before, address)
    page.keyboard.type("Who is on ")
    talking.tell(MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 9, 9), reason="Frost"))
    n = wait_until(lambda: on_screen(page) > 1 and on_screen(page))
    page.keyboard.type("site?")
    assert page.input_value("#answer-text") == "Who is on site?"
    page.click("#answer button:has-text('Comment')")
    wait_until(lambda: page.evaluate("document.activeElement.className") == "answering said")
    wait_until(lambda: "Who is on site?" in page.inner_text("#md-m2"))
    assert f"bound to update {n}" in page.inner_text("#answer")
    assert page.inner_text("#ms-m2 .say-it span").startswith("1 comment")
    assert 0 < top_of(page, "#ms-m2") < top_of(page, "#answer") < 1000  # both are on the screen still
    assert page.url == address
    bound(talking, events(talking, CommentMade)[0], n)
    page.keyboard.press("Escape")
    assert page.locator("#answer").count() == 0
    assert page.evaluate("document.activeElement.matches('#ms-m2 .say-it')")


def test_a_form_beneath_a_row_outlives_updates_that_replace_the_table_around_it(
    talking: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(talking, f"viewer-{ACME}")
    live(page)
    page.hover("#ms-m2")
    page.click("#ms-m2 .say-it")
    page.fill("#answer-text", "Half a sen")
    page.evaluate("document.getElementById('answer-text').setSelectionRange(4, 4)")
    page.evaluate("window.kept = document.getElementById('answer-text')")
    talking.tell(AddMilestone(project=HARBOUR, milestone="new", details=NEW, forecast=date(2027, 9, 1)))
    wait_until(lambda: page.locator("#ms-new").count() == 1)
    assert page.evaluate("window.kept === document.getElementById('answer-text') && window.kept.selectionStart === 4")
    assert page.evaluate("document.activeElement.id") == "answer-text"
    assert page.evaluate("document.getElementById('answer').previousElementSibling.id") == "md-m2"
    page.hover("#ms-m1")
    page.click("#ms-m1 .say-it")  # somewhere else, and back: nothing that was typed is lost
    wait_until(lambda: page.evaluate("document.getElementById('answer').dataset.about") == "milestone-m1")
    assert page.input_value("#answer-text") == ""
    page.hover("#ms-m2")
    page.click("#ms-m2 .say-it")
    wait_until(lambda: page.evaluate("document.getElementById('answer').dataset.about") == "milestone-m2")
    assert page.input_value("#answer-text") == "Half a sen"
