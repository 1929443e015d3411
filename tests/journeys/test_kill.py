"""The living demo, killed at random under open pages: the log stays whole and the pages catch up by themselves."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from projections.entries.entry import header
from projections.installation.folder import Folder
from projections.proof import tree
from tests.journeys.product import Product, markup, on_screen, same, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ANNA, CARL = "h4rb0ura7k2q", "h4rb0urc9m5x"


def whole(folder: Path) -> dict[str, int]:
    """Check numbers, leaves and heads of every share; return the head number of each."""
    logs, heads = Folder(folder), {}
    try:
        for share in (ANNA, CARL):
            frontier: tuple[bytes, ...] = ()
            entries = logs.disclosure.entries(share, 0, 100_000)
            assert [e.n for e in entries] == list(range(1, len(entries) + 1))
            for entry in entries:
                leaf = tree.leaf_hash(header(entry.content), tree.commit(entry.salt, entry.raw))
                frontier = tree.append(frontier, entry.n - 1, leaf)
                assert (entry.leaf, entry.frontier) == (leaf, frontier)
            heads[share] = len(entries)
    finally:
        logs.close()
    return heads


def fresh(page: Any) -> str:
    other = page.context.new_page()
    other.goto(page.url)
    found = markup(other)
    other.close()
    return found


def settled(page: Any) -> bool:
    """Tell whether the page shows exactly what a fresh load shows, at one number."""
    before = on_screen(page)
    loaded = fresh(page)
    return on_screen(page) == before and same(markup(page), loaded)


def test_killed_ten_times_at_random_the_log_is_whole_and_pages_catch_up(
    tmp_path: Path, chromium: Any, sit_down: Callable[..., Any]
) -> None:
    rng = random.Random(11)
    product = Product(tmp_path / "demo", demo=True, flags=("--demo-speed", "8")).start()
    pages = [sit_down(product, person) for person in ("anna", "carl")]
    pages[1].goto(f"{product.url}/s/{CARL}")
    heads = whole(product.folder)
    for _ in range(10):
        pages[0].wait_for_timeout(rng.randrange(300, 2500))
        product.kill()
        after = whole(product.folder)
        assert all(after[share] >= heads[share] for share in heads)
        heads = after
        product.start()
        for page in pages:
            wait_until(lambda page=page: page.evaluate("document.documentElement?.dataset.state") == "live", 60)
            wait_until(lambda page=page: settled(page), 30)
    assert whole(product.folder)[ANNA] > 100
    product.stop()
