"""A dashboard on paper: two pages for the sample project, no word cut, nothing said about links that are not there."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.folder, pytest.mark.slow]

SHARE = "h4rb0ura7k2q"
WIDTH = 688  # px between the margins of A4
MOST_PAGES = 2  # with few changes since the last visit
CUT = """() => [...document.querySelectorAll('main *')].filter((e) => {
  const r = e.getBoundingClientRect();
  return e.childElementCount === 0 && e.textContent.trim() && r.width > 1 && !e.closest('.vh') &&
    (r.right > innerWidth + 1 || r.left < -1);
}).map((e) => e.textContent.trim().slice(0, 40))"""


def test_a_dashboard_of_ten_milestones_and_six_risks_is_two_pages(tmp_path: Path, sit_down: Callable[..., Any]) -> None:
    product = Product(tmp_path / "demo", demo=True, flags=("--demo-speed", "0")).start()
    page = sit_down(product, "anna")
    page.goto(f"{product.url}/s/{SHARE}")
    head = page.evaluate(
        "document.querySelector('#u-root').textContent + document.querySelector('#u-rest').textContent"
    )
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    page.set_viewport_size({"width": WIDTH, "height": 900})
    page.emulate_media(media="print")
    cut, foot = page.evaluate(CUT), page.inner_text("footer.foot")
    large = page.evaluate(
        """() => [...document.querySelectorAll('.by:not(#brand), .chg .why, .scope, .foot p')].filter((e) => e.checkVisibility() &&
             parseFloat(getComputedStyle(e).fontSize) > parseFloat(getComputedStyle(document.body).fontSize))
             .map((e) => e.textContent.slice(0, 40))"""
    )
    product.stop()
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) <= MOST_PAGES
    assert cut == []
    assert large == []
    assert len(re.sub(r"\s", "", head)) == 64
    assert "Choose a milestone" not in foot
    assert not re.search(r"·\s*(·|$)", foot)
    assert re.search(r"( [0-9a-f]{4}){16} ·", re.sub(r"\s+", " ", foot))
