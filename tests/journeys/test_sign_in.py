"""Coming in by single sign-on in a real browser, from another site and back, and being signed out from elsewhere."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.product import Product, on_screen, seeded, wait_until
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
    assert page.url == f"{product.url}/sign-in"
    context.close()


def test_a_stranger_stays_outside_and_reads_one_plain_page(both: tuple[Product, Provider], chromium: Any) -> None:
    product, provider = both
    provider.mail = "stranger@elsewhere.test"
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{product.url}/sign-in")
    page.click("text=Sign in with Acme sign-on")
    wait_until(lambda: "You cannot come in this way" in page.inner_text("body"))
    assert context.cookies(product.url) == []
    page.goto(f"{product.url}/s/{SHARE}")
    assert page.url == f"{product.url}/sign-in"
    context.close()
