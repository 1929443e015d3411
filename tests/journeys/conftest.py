"""A real Chromium, or a loud skip; and the product it looks at."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.product import Product, seeded
from tests.recorded import recorded

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """One browser for the journeys: while its driver runs, no other event loop can, so it does not outlive them."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make test installs it")
    with playwright.sync_playwright() as driver:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        try:
            browser = driver.chromium.launch(executable_path=path, args=list(QUIET))
        except playwright.Error as error:
            pytest.skip(f"no Chromium to drive: apt-get install chromium, or playwright install chromium ({error})")
        yield browser
        browser.close()


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    """A running server with the sample project."""
    recorded(tmp_path / "data", seeded)
    made = Product(tmp_path / "data").start()
    yield made
    made.stop()


@pytest.fixture
def sit_down(chromium: Any) -> Iterator[Callable[..., Any]]:
    """`sit_down(product, person)` returns a page of a fresh browser, signed in by a real link; errors fail the test."""
    contexts = []
    troubles: list[str] = []

    def open_page(product: Product, person: str, **context: Any) -> Any:
        made = chromium.new_context(**context)
        contexts.append(made)
        page = made.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda m: troubles.append(m.text) if "Content Security" in m.text else None)
        page.goto(product.link(person))
        page.click("button:has-text('Sign in')")
        page.wait_for_load_state()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []
