"""What is known to go wrong with live pages, each once in a real browser."""

import json
import os
import signal
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from domain.agreement.share import RevokeShare
from domain.plan.schedule import MoveForecast
from tests.journeys.product import Product, markup, on_screen, same, wait_until
from tests.world import ACME, HARBOUR, SHARE

pytestmark = pytest.mark.browser
VIEWER = f"viewer-{ACME}"
STATE = "document.documentElement?.dataset.state"


def move(day: int) -> MoveForecast:
    return MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, day), reason=f"Frost {day}")


def told(page: Any) -> list[dict[str, Any]]:
    """Return a list that fills with what the page tells the server, of its latest socket alone."""
    said: list[dict[str, Any]] = []

    def opened(socket: Any) -> None:
        said.clear()  # the page before a reload may still have been opening its own
        socket.on("framesent", lambda frame: said.append(json.loads(frame)))

    page.on("websocket", opened)
    return said


def knocks(page: Any) -> list[str]:
    """Return a list that fills with the address of every socket the page opens."""
    opened: list[str] = []

    def note(socket: Any) -> None:
        opened.append(socket.url)

    page.on("websocket", note)
    return opened


def hide(page: Any, *, hidden: bool) -> None:
    """Put the tab out of sight, or back."""
    page.evaluate(
        """(hidden) => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
             document.dispatchEvent(new Event('visibilitychange')); }""",
        hidden,
    )


def test_a_hidden_tab_applies_at_once_and_claims_to_have_displayed_only_when_shown(
    product: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(product, VIEWER)
    said = told(page)
    page.reload()
    wait_until(lambda: page.evaluate(STATE) == "live")
    head = on_screen(page)
    wait_until(lambda: page.title() and {"painted": head, "from": 0} in said)
    hide(page, hidden=True)
    for day in (1, 2, 3):
        product.tell(move(day))
    wait_until(lambda: page.title() and any(m.get("applied") == head + 3 for m in said))
    assert {"applied": head + 3, "head": product.root(SHARE)[:16]} in said  # what the page holds, so a cut record shows
    assert {"hidden": head} in said
    assert not any(m.get("painted", 0) > head for m in said)
    hide(page, hidden=False)
    wait_until(lambda: page.title() and {"painted": head + 3, "from": head} in said)
    assert not any(m.get("painted") in (head + 1, head + 2) for m in said)
    hide(page, hidden=True)
    hide(page, hidden=False)
    wait_until(lambda: page.title() and {"painted": head + 3, "from": head + 3} in said)  # back in sight, nothing new


def test_a_frame_whose_target_is_missing_is_not_claimed_but_asked_for_whole(
    product: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(product, VIEWER)
    said = told(page)
    page.reload()
    wait_until(lambda: page.evaluate(STATE) == "live")
    page.evaluate("document.getElementById('ms-m1').remove()")
    product.tell(move(4))
    wait_until(lambda: page.title() and any("resync" in m for m in said))
    wait_until(lambda: "4 Jun" in page.inner_text("#milestones"))
    fresh = page.context.new_page()
    fresh.goto(page.url)
    assert same(markup(page), markup(fresh))


@pytest.mark.slow
def test_a_share_that_ended_is_not_knocked_at_again(product: Product, sit_down: Callable[..., Any]) -> None:
    page = sit_down(product, VIEWER)
    opened = knocks(page)
    page.reload()
    wait_until(lambda: page.evaluate(STATE) == "live")
    before = len(opened)
    product.tell(RevokeShare(share=SHARE, reason="Over"))
    wait_until(lambda: page.evaluate(STATE) == "ended")
    page.wait_for_timeout(3500)
    assert len(opened) == before > 0


def test_a_line_that_has_gone_silent_is_noticed_and_said_in_words(
    product: Product, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(product, VIEWER)
    page.clock.install()
    page.reload()
    wait_until(lambda: page.evaluate(STATE) == "live")
    assert product.process is not None
    os.kill(product.process.pid, signal.SIGSTOP)

    def after(seconds: int, state: str) -> bool:
        page.clock.run_for(seconds * 1000)
        return bool(page.evaluate(STATE) == state)

    try:
        wait_until(lambda: after(5, "reconnecting"), 40)
        wait_until(lambda: after(10, "stale"), 40)
        assert "No contact for" in page.inner_text(".ban.warn")
        assert page.title().startswith("Out of date")
    finally:
        os.kill(product.process.pid, signal.SIGCONT)

    def there_again() -> bool:
        time.sleep(0.3)  # a real connection takes real time, of which the page's clock knows nothing
        return after(1, "live")

    wait_until(there_again, 60)
    assert not page.title().startswith("Out of date")


def test_a_connection_that_never_opens_is_said_in_words_as_well(product: Product, sit_down: Callable[..., Any]) -> None:
    page = sit_down(product, VIEWER)
    page.clock.install()
    page.add_init_script(
        "window.WebSocket = class extends EventTarget { static OPEN = 1; readyState = 0; close() {} send() {} };"
    )
    page.reload()
    wait_until(lambda: page.evaluate(STATE) == "live")

    def after(seconds: int, state: str) -> bool:
        page.clock.run_for(seconds * 1000)
        return bool(page.evaluate(STATE) == state)

    wait_until(lambda: after(5, "reconnecting"))
    wait_until(lambda: after(10, "stale"))
    assert page.title().startswith("Out of date")


def test_an_injected_socket_or_button_wakes_nothing_up(product: Product, sit_down: Callable[..., Any]) -> None:
    """Escaping is the first defence; if it failed, the guard is the second."""
    page = sit_down(product, VIEWER)
    opened = knocks(page)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.evaluate(
        """() => { const body = document.getElementById('body'), policy = (html) => document.createRange();
             const evil = document.createElement('div'); evil.id = 'evil';
             evil.setAttribute('hx-ws:connect', '/s/evil/live'); body.append(evil);
             const button = document.createElement('button'); button.id = 'press';
             button.setAttribute('hx-post', '/p/evil'); body.append(button);
             htmx.process(body); button.click(); }"""
    )
    page.wait_for_timeout(800)
    assert not [url for url in opened if "evil" in url]
    assert not [url for url in requests if "evil" in url]


def test_there_is_one_script_and_no_style_in_the_page(product: Product, sit_down: Callable[..., Any]) -> None:
    page = sit_down(product, VIEWER)
    assert page.evaluate("document.scripts.length") == 1
    assert (
        page.evaluate(
            "document.querySelectorAll('style,[style]').length - (document.documentElement.style.length ? 1 : 0)"
        )
        == 0
    )


def test_a_year_of_updates_leaves_only_the_morphed_page(product: Product, sit_down: Callable[..., Any]) -> None:
    """Changed, unchanged and new elements keep their namespace: a drawing made by a morph is a drawing."""
    page = sit_down(product, VIEWER)
    for day in range(1, 15):
        product.tell(move(day))
    wait_until(lambda: "14 Jun" in page.inner_text("#ms-m1"))
    wrong = page.evaluate(
        "[...document.querySelectorAll('svg *')].filter((e) => e.namespaceURI !== 'http://www.w3.org/2000/svg').length"
    )
    assert wrong == 0
