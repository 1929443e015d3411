"""A change reaches the dashboards that may show it, as it happens, and those pages keep themselves true."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.agreement.share import RevokeShare
from domain.agreement.terms import Terms
from domain.ids import PersonId, ShareId
from domain.people.clients import RegisterClient
from domain.people.person import DisablePerson, InvitePerson
from domain.plan.risks import TakeRiskNote
from domain.plan.schedule import MoveForecast
from tests.journeys.product import Product, markup, on_screen, same, seeded, wait_until
from tests.world import ACME, ADMIN, HARBOUR, OTHER, SHARE, World
from web import clock
from web.write.permission import OPERATOR

pytestmark = pytest.mark.browser


def move(day: int, milestone: str = "m1") -> MoveForecast:
    return MoveForecast(project=HARBOUR, milestone=milestone, forecast=date(2027, 6, day), reason=f"Frost until {day}")


def fresh(page: Any) -> str:
    """Return the markup of the same page loaded anew in a second tab."""
    other = page.context.new_page()
    other.goto(page.url)
    found = markup(other)
    other.close()
    return found


def overheard(page: Any) -> list[str]:
    """Return a list that fills with what the server sends to a page's socket."""
    got: list[str] = []

    def opened(socket: Any) -> None:
        socket.on("framereceived", lambda frame: got.append(str(frame)))

    page.on("websocket", opened)
    return got


def agreed(page: Any) -> list[str]:
    """Return a list that takes up the extensions each later socket of a page agrees on."""
    told: list[str] = []
    browser = page.context.new_cdp_session(page)
    browser.on(
        "Network.webSocketHandshakeResponseReceived",
        lambda event: told.append(
            {name.lower(): value for name, value in event["response"]["headers"].items()}.get(
                "sec-websocket-extensions", ""
            )
        ),
    )
    browser.send("Network.enable")
    return told


def test_a_slip_reaches_the_two_dashboards_that_share_it_and_not_the_third(
    tmp_path: Path, sit_down: Callable[..., Any]
) -> None:
    def three(world: World) -> None:
        world.share(Terms(milestones=("m1",), milestone_fields=("forecast",)), OTHER, HARBOUR, "council")
        world.tell(RegisterClient(client="north", name="Northgate", time_zone="Europe/London"), ADMIN)
        world.tell(
            InvitePerson(person="viewer-north", name="N", email="n@n.test", role="viewer", client="north"), ADMIN
        )
        world.share(Terms(milestones=("m2",), milestone_fields=("forecast",)), ShareId("share3"), HARBOUR, "north")

    product = Product(seeded(tmp_path / "data", three)).start()
    pages = [sit_down(product, f"viewer-{client}") for client in (ACME, "council", "north")]
    frames = [overheard(page) for page in pages]
    answers = [agreed(page) for page in pages]
    for page in pages:
        page.reload()
        wait_until(lambda page=page: page.evaluate("document.documentElement?.dataset.state") == "live")
    before = [on_screen(page) for page in pages]
    wait_until(lambda: all(page.title() and got for page, got in zip(pages, frames, strict=True)))
    product.tell(move(5))
    for page, n in zip(pages[:2], before, strict=False):
        wait_until(lambda page=page, n=n: on_screen(page) == n + 1)
        assert "5 Jun" in page.inner_text("#ms-m1")
    assert on_screen(pages[2]) == before[2]
    assert not any("content" in frame for frame in frames[2])
    assert all(told and "permessage-deflate" in told[-1] for told in answers), "Chromium takes compressed updates"
    product.tell(TakeRiskNote(project=HARBOUR, risk="r1", note="nobody shares this"))
    product.tell(move(7))
    wait_until(lambda: "7 Jun" in pages[0].inner_text("#ms-m1"))
    assert on_screen(pages[0]) == before[0] + 2
    product.stop()


def test_many_updates_leave_the_page_as_a_fresh_load_would_be(product: Product, sit_down: Callable[..., Any]) -> None:
    page = sit_down(product, f"viewer-{ACME}")
    for day in range(1, 26):
        product.tell(move(day, "m1" if day % 3 else "m2"))
    wait_until(lambda: on_screen(page) == product.head(SHARE) == 26)  # 25 moves after the first update
    assert same(markup(page), fresh(page))
    assert "moved" in wait_until(lambda: page.inner_text("#say"))
    assert page.locator("#each li").count() >= 25


def visited(world: World) -> None:
    """Have somebody look at the first update, hours ago."""
    for kind in ("opened", "displayed"):
        world.claim(kind, 1, person=f"viewer-{ACME}")
    world.receipts.flush()


def height(page: Any) -> float:
    """Return the height of what changed since the last visit, in pixels; all below it stands where it ends."""
    return float(page.locator("#news").bounding_box()["height"])


def rows(page: Any) -> list[list[str]]:
    """Return the visible words of each row of what changed since the last visit, by thing."""
    found: list[list[str]] = page.evaluate(
        """() => [...document.querySelectorAll('.sum > li')].map((row) =>
             [row.dataset.of, ...[...row.querySelectorAll('.t,.same,.mv:not([hidden]),.d,.n,.now,.txt,.also')]
               .map((part) => part.textContent.replace(/\\s+/g, ' ').trim())]).sort()"""
    )
    return [[word for word in row if word] for row in found]


def test_updates_fold_into_the_rows_since_the_last_visit_move_nothing_and_ask_for_nothing(
    tmp_path: Path, sit_down: Callable[..., Any]
) -> None:
    hours_ago = clock.now() - timedelta(hours=3)
    product = Product(seeded(tmp_path / "data", visited, hours_ago)).start()
    try:
        pages = [sit_down(product, f"viewer-{ACME}", viewport={"width": width, "height": 900}) for width in (1440, 390)]
        for page in pages:
            wait_until(lambda page=page: page.evaluate("document.documentElement?.dataset.state") == "live")
            assert page.inner_text("#quiet") == "Nothing has changed since then."
        asked: list[str] = []
        for page in pages:
            page.on("request", lambda request: asked.append(request.url))
        heights = [height(page) for page in pages]
        product.tell(move(5))
        for page, tall in zip(pages, heights, strict=True):
            wait_until(lambda page=page: page.is_visible("#fresh"))
            assert page.inner_text("#fresh") == "1 new"
            assert height(page) == tall
            assert page.locator(".sum > li").count() == 0
            page.click("#fresh")
            assert rows(page)[0][:4] == [
                "milestone-m1", "Section A energised", "3 May 2027 → 5 Jun 2027", "+33 days"
            ]  # fmt: skip
        heights = [height(page) for page in pages]
        for number, day in enumerate((9, 14), 3):
            product.tell(move(day))
            product.tell(TakeRiskNote(project=HARBOUR, risk="r1", note="nobody shares this"))
            for page in pages:
                wait_until(lambda page=page, number=number: on_screen(page) == number)
        for page, tall in zip(pages, heights, strict=True):
            told = ["3 May 2027 → 14 Jun 2027", "+42 days", "in 3 steps", "now off track", "Frost until 14"]
            assert rows(page)[0][2:7] == told
            assert page.locator("#first li.new").count() == 1
            assert height(page) == tall
            assert page.inner_text("#each summary") == "All 3 changes, one by one"
        assert asked == []  # whatever the viewers and the updates
        other = pages[0].context.new_page()
        other.goto(pages[0].url)
        assert rows(other) == rows(pages[0])
        product.tell(MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 5, 3), reason="As planned"))
        for page in (*pages, other):
            wait_until(lambda page=page: "Unchanged after 4 steps" in " ".join(rows(page)[0]))
    finally:
        product.stop()


def test_a_server_that_dies_under_an_open_page_is_missed_and_caught_up_with(
    product: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(product, f"viewer-{ACME}")
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live")
    product.kill()
    for day in (8, 9, 10):
        product.tell(move(day))
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "reconnecting")
    assert page.is_visible("text=Reconnecting")
    product.start()
    wait_until(lambda: "10 Jun" in page.inner_text("#ms-m1"), 40)
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live")
    assert same(markup(page), fresh(page))


def test_a_paused_page_counts_what_is_newer_and_shows_it_when_asked(
    product: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(product, f"viewer-{ACME}")
    wait_until(lambda: page.is_visible("[data-do=pause]"))
    page.click("[data-do=pause]")
    before = page.inner_text("#ms-m1")
    for day in (11, 12, 13):
        product.tell(move(day))
    wait_until(lambda: page.inner_text("#newer") == "Show 3 newer")
    assert page.inner_text("#ms-m1") == before
    page.click("[data-do=resume]")
    wait_until(lambda: "13 Jun" in page.inner_text("#ms-m1"))
    assert same(markup(page), fresh(page))


def test_what_somebody_opened_or_typed_survives_an_update(product: Product, sit_down: Callable[..., Any]) -> None:
    page = sit_down(product, f"viewer-{ACME}")
    page.click("#r-r1 summary")
    assert page.evaluate("document.querySelector('#rd-r1').open")
    page.focus("#r-r1 summary")
    product.tell(move(14))
    wait_until(lambda: "14 Jun" in page.inner_text("#ms-m1"))
    assert page.evaluate("document.querySelector('#rd-r1').open")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_a_share_that_ends_says_so_at_once_and_does_not_come_back(
    product: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(product, f"viewer-{ACME}")
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live")
    product.tell(RevokeShare(share=SHARE, reason="Contract ended"))
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "ended")
    assert page.is_visible("text=ended this share")
    head = product.head(SHARE)
    product.tell(move(20))
    page.reload()
    assert page.is_visible("text=ended this share on")
    assert product.head(SHARE) == head


def test_a_gap_in_the_numbers_is_never_shown_as_if_it_were_whole(
    product: Product, sit_down: Callable[..., Any]
) -> None:
    """A page that missed a frame asks for the whole view instead of going on."""
    page = sit_down(product, f"viewer-{ACME}")
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live")
    page.evaluate(
        """() => { const send = WebSocket.prototype.dispatchEvent; let dropped = false;
             const feed = document.getElementById('feed');
             feed.addEventListener('htmx:ws:before:message:incoming', (e) => {
               if (!dropped && e.detail.message.data.includes('"content"')) {
                 dropped = true; window.dropped = true; e.stopImmediatePropagation(); e.preventDefault(); } }, true); }"""
    )
    product.tell(move(21))
    wait_until(lambda: page.evaluate("window.dropped === true"))
    product.tell(move(22))
    wait_until(lambda: "22 Jun" in page.inner_text("#ms-m1"))
    assert same(markup(page), fresh(page))


def test_without_scripts_it_is_a_plain_page_that_says_it_does_not_update(
    product: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(product, f"viewer-{ACME}", java_script_enabled=False)
    assert page.is_visible("text=This page does not update by itself.")
    assert "Section A energised" in page.inner_text("#ms-m1")


def test_a_page_from_the_back_forward_cache_is_live_again(product: Product, sit_down: Callable[..., Any]) -> None:
    page = sit_down(product, f"viewer-{ACME}")
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live")
    page.goto(f"{product.url}/s/{SHARE}/record")
    product.tell(move(23))
    page.go_back()
    wait_until(lambda: "23 Jun" in page.inner_text("#ms-m1"))
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live")


def test_signing_out_elsewhere_closes_the_page(product: Product, sit_down: Callable[..., Any]) -> None:
    page = sit_down(product, f"viewer-{ACME}")
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live")
    product.tell(DisablePerson(person=PersonId(f"viewer-{ACME}"), reason="Left"), OPERATOR)
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") in ("signed-out", "ended"))
