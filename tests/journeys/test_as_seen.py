"""As seen equals seen: what a real browser had in its page at any instant is what replay says, byte for byte."""

import contextlib
import hashlib
import os
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.agreement.share import ActivateTerms, DraftTerms
from domain.errors import Refused
from domain.money import Money
from domain.plan.budget import ApproveBudget, MeasureCost
from domain.plan.risks import Points, ScoreRisk, TakeRiskNote
from domain.plan.schedule import MoveForecast
from projections.installation.folder import Folder
from projections.receipts.on_screen import intervals
from projections.replay import pages
from tests.journeys.product import Product, markup, on_screen, same, wait_until
from tests.world import ACME, HARBOUR, SHARE, World, everything, pounds
from web.render.page import Renderer

pytestmark = pytest.mark.browser
SEED = int(os.environ.get("FANLIGHT_TEST_SEED", "20270316"))
UPDATES, INSTANTS = 70, 200

# Notes what is in the page whenever its number changes, by the browser's own clock; runs before any script of ours.
# What was noted and not collected before a reload is found again after it: an update may arrive in between.
RECORDER = """
window.seen = [];
try { window.seen = JSON.parse(sessionStorage.noted ?? '[]'); delete sessionStorage.noted; } catch { /* about:blank has no storage */ }
addEventListener('pagehide', () => { if (window.seen.length) sessionStorage.noted = JSON.stringify(window.seen); });
const told = (node) => {
  if (node.nodeType === 3) return node.data;
  const names = [...node.attributes].filter((a) => !['data-htmx-powered', 'open'].includes(a.name)).map((a) => `${a.name}="${a.value}"`);
  return `<${[node.namespaceURI.slice(-4), node.localName, ...names.sort()].join(' ')}>` + [...node.childNodes].map(told).join('') + '</>';
};
window.note = () => {
  const feed = document.getElementById('feed');
  if (!feed || !document.getElementById('body')) return;
  window.seen.push({ n: +feed.dataset.n, at: Date.now(), parts: ['summary', 'body'].map((id) => told(document.getElementById(id))).join(''),
    style: document.querySelector('link[rel=stylesheet]').getAttribute('href') });
};
document.addEventListener('DOMContentLoaded', () => {
  window.note();
  const feed = document.getElementById('feed');
  if (feed) new MutationObserver(window.note).observe(feed, { attributes: true, attributeFilter: ['data-n'] });
});
"""


def hide(page: Any, *, hidden: bool) -> None:
    page.evaluate(
        """(hidden) => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
             document.dispatchEvent(new Event('visibilitychange')); }""",
        hidden,
    )


class Story:
    """Random changes: shared, not shared, narrowed, widened."""

    def __init__(self, product: Product, rng: random.Random) -> None:
        self._product, self._rng = product, rng
        self._day, self._spent = date(2027, 6, 1), 100

    def change(self) -> None:
        """Tell one random command."""
        kind = self._rng.choices(("move", "risk", "spend", "hidden", "terms"), (8, 3, 3, 3, 1))[0]
        with contextlib.suppress(Refused):  # terms drawn at random do not always make sense
            getattr(self, kind)()

    def move(self) -> None:
        self._day += timedelta(days=1)
        milestone = self._rng.choice(("m1", "m2"))
        self._product.tell(
            MoveForecast(project=HARBOUR, milestone=milestone, forecast=self._day, reason=f"Frost <b>& “{self._day}”")
        )

    def risk(self) -> None:
        points = Points(self._rng.randint(1, 5), self._rng.randint(1, 5))
        self._product.tell(
            ScoreRisk(project=HARBOUR, risk="r1", residual=points, reason=f"Seen again {self._rng.random()}")
        )

    def spend(self) -> None:
        self._spent += self._rng.randint(1, 9)
        amount = pounds(self._spent)
        self._product.tell(
            MeasureCost(project=HARBOUR, measure="price", status_date=date(2026, 1, 1), pv=amount, ev=amount, ac=amount)
        )

    def hidden(self) -> None:
        self._product.tell(TakeRiskNote(project=HARBOUR, risk="r1", note=f"internal {self._rng.random()}"))

    def terms(self) -> None:
        fields = tuple(
            f for f in ("baseline", "forecast", "slip", "status", "reason", "trend") if self._rng.random() < 0.7
        )
        risks: Any = self._rng.choice(("all", ()))
        terms = everything(
            milestone_fields=fields, risks=risks, budget=self._rng.choice(("amounts", "percent", "nothing"))
        )
        self._product.tell(DraftTerms(share=SHARE, terms=terms))
        self._product.tell(ActivateTerms(share=SHARE, reason="Agreed anew"))


def collected(page: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate("window.seen.splice(0)")
    return found


def lived_through(product: Product, page: Any, rng: random.Random) -> list[dict[str, Any]]:
    """Change things under an open page, with restarts, hidden phases and reloads; return what the page had when."""
    story, seen = Story(product, rng), collected(page)
    for i in range(UPDATES):
        story.change()
        if rng.random() < 0.5:
            page.wait_for_timeout(rng.randrange(20, 250))
        if i % 11 == 5:
            hide(page, hidden=True)
        if i % 11 == 9:
            hide(page, hidden=False)
        if i % 24 == 12:
            product.kill()
            story.change()
            product.start()
        if i % 17 == 16:
            wait_until(lambda: on_screen(page) == product.head(SHARE), 60)
            seen += collected(page)
            page.reload()
            wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live", 30)
    hide(page, hidden=False)
    wait_until(lambda: on_screen(page) == product.head(SHARE), 60)
    page.wait_for_timeout(1500)  # the last claim is at most a second away
    return seen + collected(page)


@pytest.mark.slow
def test_as_seen_equals_seen(tmp_path: Path, chromium: Any) -> None:
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    begun = World(tmp_path / "data", Renderer(), start=datetime.now(UTC) - timedelta(days=3))
    begun.harbour()
    begun.close()
    product = Product(begun.path).start()
    product.tell(ApproveBudget(project=HARBOUR, measure="price", amount=Money(pounds(5000), "GBP"), reason="Contract"))
    context = chromium.new_context()
    context.add_init_script(RECORDER)
    page = context.new_page()
    page.goto(product.link(f"viewer-{ACME}"))
    page.click("button:has-text('Sign in')")
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live", 30)
    seen = sorted(lived_through(product, page, rng), key=lambda one: one["at"])
    assert len({one["n"] for one in seen}) > UPDATES / 3
    context.close()
    wait_until(lambda: _claims(product)[-1].kind == "closed")
    product.stop()
    folder = Folder(product.folder)
    blank = chromium.new_page()
    first, last = seen[0]["at"], seen[-1]["at"]
    instants = sorted(rng.randrange(first, last + 1) for _ in range(INSTANTS))
    compared: dict[tuple[int, str], bool] = {}
    for at in instants:
        then = [one for one in seen if one["at"] <= at][-1]
        moment = datetime.fromtimestamp(at / 1000, UTC)
        assert then["n"] <= pages.number_at(folder.disclosure, SHARE, moment)
        key = then["n"], then["parts"]
        if key not in compared:
            recorded = pages.page(folder.disclosure, SHARE, then["n"])
            assert recorded is not None
            blank.set_content("<main>" + "".join(recorded.roots.values()) + "</main>")
            compared[key] = same(markup(blank), then["parts"])
            css = folder.disclosure.stylesheet(recorded.stylesheet)
            assert css is not None
            assert hashlib.sha256(css).hexdigest() == recorded.stylesheet
            assert then["style"] == f"/s/{SHARE}/styles/{recorded.stylesheet}.css"
        assert compared[key], f"at {moment} the page had update {then['n']}, and replay says otherwise"
    blank.close()
    _claims_are_true(folder, seen)
    folder.close()


def _claims(product: Product) -> list[Any]:
    folder = Folder(product.folder)
    try:
        return folder.receipts.claims(SHARE, limit=10_000)
    finally:
        folder.close()


def _claims_are_true(folder: Folder, seen: list[dict[str, Any]]) -> None:
    """What receipts say was on screen was in the page at that time; a claim follows the picture by a moment."""
    found = intervals((), sorted(folder.receipts.claims(SHARE, limit=10_000), key=lambda c: c.at))
    assert len(found) > 5
    had = {one["n"] for one in seen}
    for one in found:
        assert one.n in had
        came = min(s["at"] for s in seen if s["n"] == one.n) / 1000
        assert came <= one.start.timestamp() + 0.5, "claimed before it was in the page"
