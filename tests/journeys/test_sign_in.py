"""Coming in by single sign-on, from another site and back, or by a link of one's own; being signed out elsewhere."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.journeys.product import Product, on_screen, seeded, wait_until
from tests.mail import SENDER, Sink, sink
from tests.provider import CLIENT, SECRET, Provider
from tests.world import ACME, SHARE
from web import clock
from web.identity.failures import BACK

pytestmark = pytest.mark.browser


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Product, Provider]]:
    """The product, and a provider on another site."""
    product = Product(seeded(tmp_path / "data", start=clock.now() - timedelta(days=3)))
    provider = Provider(f"{product.url}{BACK}", "localhost").start()
    provider.mail = f"v@{ACME}.test"
    product.flags = (
        "--oidc-issuer", provider.issuer, "--oidc-client-id", CLIENT, "--oidc-client-secret", SECRET,
        "--oidc-name", "Acme sign-on",
    )  # fmt: skip
    yield product.start(), provider
    product.stop()
    provider.stop()


def test_a_viewer_comes_in_by_single_sign_on_and_is_signed_out_from_another_browser(
    both: tuple[Product, Provider], chromium: Any, sit_down: Callable[..., Any]
) -> None:
    product, provider = both
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{product.url}/s/{SHARE}")
    page.click("text=Sign in with Acme sign-on")
    page.wait_for_url(f"{product.url}/s/{SHARE}")
    assert provider.asked.count("token") == 1
    assert on_screen(page) == 1
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live")
    assert [cookie["name"] for cookie in context.cookies()] == ["fanlight"]
    other = sit_down(product, f"viewer-{ACME}")
    other.goto(f"{product.url}/me")
    row = other.locator("tr", has_text="by single sign-on")
    assert row.count() == 1
    row.locator("button").click()
    wait_until(lambda: "Ended." in other.inner_text("body"))
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "signed-out")
    page.goto(f"{product.url}/s/{SHARE}")
    assert page.url == f"{product.url}/sign-in?to=%2Fs%2F{SHARE}"
    context.close()


def test_a_stranger_stays_outside_and_reads_one_plain_page(both: tuple[Product, Provider], chromium: Any) -> None:
    product, provider = both
    provider.mail = "stranger@elsewhere.test"
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{product.url}/sign-in")
    page.click("text=Sign in with Acme sign-on")
    wait_until(lambda: "You cannot sign in this way" in page.inner_text("body"))
    assert context.cookies(product.url) == []
    page.goto(f"{product.url}/s/{SHARE}")
    assert page.url == f"{product.url}/sign-in?to=%2Fs%2F{SHARE}"
    context.close()


def test_a_client_comes_back_by_a_link_of_their_own_that_a_mail_scanner_opened_first(
    tmp_path: Path, chromium: Any
) -> None:
    with sink() as server:
        product = Product(seeded(tmp_path / "data", start=clock.now() - timedelta(days=3)))
        product.flags = ("--smtp-url", server.url, "--mail-from", SENDER)
        try:
            _comes_back(product.start(), server, chromium)
        finally:
            product.stop()


def _comes_back(product: Product, server: Sink, chromium: Any) -> None:
    context = chromium.new_context()
    page, wanted = context.new_page(), f"{product.url}/s/{SHARE}/history"
    page.goto(wanted)
    page.fill("input[name=email]", f"v@{ACME}.test")
    page.click("text=Send me a link")
    wait_until(lambda: "Look into your email" in page.inner_text("body"))
    wait_until(lambda: server.mails)
    found = re.search(r"http\S+/in/\S+", server.mails[0].text)
    assert found
    for method in ("HEAD", "GET", "GET"):  # the scanner, with its own address and no cookies
        assert httpx2.request(method, found.group(), trust_env=False).status_code in (200, 405)
    page.goto(found.group())
    page.click("button:has-text('Sign in')")
    page.wait_for_url(wanted)
    page.goto(f"{product.url}/me")
    assert "Link to sign in accepted by the mail server" in page.inner_text("body")
    page.goto(found.group())
    assert "does not work any more" in page.inner_text("body")
    context.close()
