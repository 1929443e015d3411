"""Nothing leaves the screen where nobody can scroll to it: every page of every role, six widths, awkward words and names.

Rule: the awkward world is built once and pages are resized, not loaded again, so that all of it takes a minute.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from domain.agreement.answers import MakeComment, RaiseConcern, Screen
from domain.agreement.share import DraftTerms
from domain.agreement.terms import Terms
from domain.ids import ClientId, MilestoneId, PersonId, RiskId, ShareId
from domain.people.brand import SetBrand
from domain.people.clients import RegisterClient
from domain.people.person import InvitePerson
from domain.plan.milestones import AddMilestone, MilestoneDetails
from domain.plan.project import DescribeProject
from domain.plan.risks import Points, RaiseRisk, RiskDetails
from tests.journeys.product import Product, seeded
from tests.journeys.test_pages import PAGES, lead_and_provider, own, talk
from tests.world import ACME, ADMIN, HARBOUR, MANAGER, OTHER, SHARE, World, everything
from web import clock

pytestmark = [pytest.mark.browser, pytest.mark.folder]

WIDTHS = (320, 390, 768, 1280, 1440, 1600)
WORD = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"
LONG = (
    "Handover of the depot, its sidings and the wash plant to Acme Rail with all records, certificates and spares " * 2
)
RIGHT_TO_LEFT = "מסירת התחנה והמסילות עם כל הרשומות והתעודות " * 5
NAMES = (WORD, LONG[:200], RIGHT_TO_LEFT[:200], "W" * 120, f"{WORD}-{WORD}")
LENGTHY, BROAD, THIRD = ClientId("lengthy"), PersonId("broad"), ShareId("thirdshare1")
MORE: tuple[tuple[str, str], ...] = (
    (BROAD, f"/s/{THIRD}"),
    (BROAD, "/home"),
    ("manager", f"/p/{HARBOUR}/shares/{THIRD}"),
    ("manager", f"/clients/{LENGTHY}"),
    ("auditor", f"/audit/shares/{THIRD}"),
    ("manager", f"/p/{HARBOUR}/more?milestone=m1"),
    ("manager", f"/p/{HARBOUR}/more?risk=r1"),
    ("manager", f"/p/{HARBOUR}/do/describe-milestone?milestone=a0"),
    ("manager", f"/p/{HARBOUR}/do/describe-risk?risk=b0"),
    ("manager", f"/p/{HARBOUR}/shares/{SHARE}/held"),
    ("manager", f"/p/{HARBOUR}/who?milestone=a1"),
)

# What no one can reach: text beyond the edge of the page, or of a box that cuts, where nothing around it scrolls.
# What spills: a box of text that is wider than it may be. What is small: something to press with a side below 24 px,
# unless it stands in a sentence.
MEASURE = """(targets) => {
  const found = new Set(), wide = document.documentElement.clientWidth;
  const name = (e) => e.localName + (e.id ? '#' + e.id : '') + [...e.classList].map((c) => '.' + c).join('');
  const say = (what, e, more = '') => found.add(
    `${what}: ${name(e.parentElement)} > ${name(e)} ${more} "${(e.textContent || '').trim().slice(0, 24)}"`);
  const hidden = (e) => e.closest('.vh, [hidden], .skip') || !e.checkVisibility({ visibilityProperty: true });
  const scrolls = (e) => e && (/auto|scroll/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  const over = document.documentElement.scrollWidth - wide;
  if (over > 0) found.add(`scrolls sideways by ${over}`);
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walk.nextNode()) {
    const node = walk.currentNode, at = node.parentElement;
    if (!node.data.trim() || at.closest('script, style, option, title') || hidden(at)) continue;
    range.selectNodeContents(node);
    let left = Infinity, right = -Infinity;
    for (const r of range.getClientRects()) {
      if (r.width > 0) { left = Math.min(left, r.left); right = Math.max(right, r.right); }
    }
    if ((right < 0 && left < -5000) || left > wide + 5000) continue;
    for (let box = at; box; box = box.parentElement) {
      const how = getComputedStyle(box), b = box.getBoundingClientRect();
      if (how.overflowX === 'auto' || how.overflowX === 'scroll') { left = right = -1; break; }
      // shortened with a sign; the whole of it stands on the same page
      if (how.textOverflow === 'ellipsis' && (box.title || box.closest('header, .path, .sum'))) { left = right = -1; break; }
      if ((how.overflowX === 'hidden' || how.overflowX === 'clip') && (right > b.right + 1 || left < b.left - 1)) {
        say('cut', at, `by ${name(box)} ${Math.round(right - b.right)}`); left = right = -1; break;
      }
    }
    if (right > wide + 1 || (left < -1 && right !== -1)) say('outside', at, Math.round(right - wide));
  }
  for (const e of document.querySelectorAll('main *, header *')) {
    if (e.closest('svg') || hidden(e) || e.scrollWidth <= e.clientWidth + 1 || !e.clientWidth) continue;
    const how = getComputedStyle(e);
    if (how.overflowX !== 'visible' || how.display.startsWith('inline') || scrolls(e)) continue;
    if ([...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) say('spills', e, e.scrollWidth - e.clientWidth);
  }
  if (targets) {
    for (const e of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')) {
      if (hidden(e)) continue;
      const boxes = [e, e.closest('label')].filter(Boolean).map((b) => b.getBoundingClientRect());
      const [high, broad] = ['height', 'width'].map((side) => Math.max(...boxes.map((b) => b[side])));
      if (!high || (high >= 23.5 && broad >= 23.5)) continue;
      const around = e.parentElement.textContent.trim().length - e.textContent.trim().length;
      if (e.localName === 'a' && getComputedStyle(e).display === 'inline' && around > 3) continue;
      say('small', e, `${Math.round(broad)}x${Math.round(high)}`);
    }
  }
  return [...found];
}"""


def awkward(world: World) -> None:
    """Sixty milestones, forty risks, and names that no box expects."""
    world.tell(SetBrand(name=f"Werke {WORD}", accent="#0a7d5a", sender=f"Werke {WORD}"), ADMIN)
    world.tell(RegisterClient(client=LENGTHY, name=f"Acme {WORD}", time_zone="Europe/London"), ADMIN)
    for role in ("manager", "auditor", "admin"):
        told = InvitePerson(person=role, name=f"{role} {WORD}", email=f"{role}.{WORD[:40]}@x.test".lower(), role=role)  # type: ignore[arg-type]
        world.tell(told, ADMIN)
    world.tell(DescribeProject(project=HARBOUR, title=LONG[:200], client_title=f"Harbour {WORD}", owner=MANAGER.person))
    for i in range(57):
        name = NAMES[i % len(NAMES)]
        details = MilestoneDetails(
            title=name, client_title=name, client_facing=True, client_action=WORD if i == 2 else ""
        )
        forecast = date(2027, 6, 1) + timedelta(days=i)
        add = AddMilestone(project=HARBOUR, milestone=MilestoneId(f"a{i}"), details=details, forecast=forecast)
        world.tell(add, follow=False)
    for i in range(38):
        name = NAMES[i % len(NAMES)]
        texts = {
            "cause": name,
            "event": WORD,
            "effect": name,
            "response_actions": WORD,
            "owner": WORD,
            "category": WORD,
        }
        risk = RiskDetails(ref=f"R-{i + 10}", title=name, client_title=name, client_facing=True, **texts)  # type: ignore[arg-type]
        raised = RaiseRisk(
            project=HARBOUR, risk=RiskId(f"b{i}"), details=risk, inherent=Points(5, 5), residual=Points(1 + i % 5, 4)
        )
        world.tell(raised, follow=False)
    world.follow()
    world.share(everything(), OTHER, HARBOUR, ACME)
    viewer = InvitePerson(person=BROAD, name=RIGHT_TO_LEFT[:100], email="b@x.test", role="viewer", client=LENGTHY)
    world.tell(viewer, ADMIN)
    world.share(everything(), THIRD, HARBOUR, LENGTHY)
    world.move("a1", date(2028, 1, 1), f"{WORD} {RIGHT_TO_LEFT[:100]}")
    talk(world)
    own(world, WORD)
    lead_and_provider(world)
    by, screen = f"viewer-{ACME}", Screen(n=1, head="ab" * 32)
    world.tell(
        RaiseConcern(share=SHARE, concern="k9", subject="milestone-a1", text=WORD * 3, by=by, screen=screen), ADMIN
    )
    world.tell(
        MakeComment(share=SHARE, comment="c9", subject="risk-b0", text=WORD * 3, by=by, side="theirs", screen=screen),
        ADMIN,
    )
    world.tell(DraftTerms(share=SHARE, terms=Terms(milestones="all", risks=(RiskId("b0"),))))
    world.claim("opened", 1, person=by, tab="", device="Phone")
    for kind in ("delivered", "displayed", "hidden"):
        world.claim(kind, 2, person=by)
        world.receipts.flush()


@pytest.fixture(scope="module")
def awkward_product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    begun = clock.now() - timedelta(days=30)
    mail = ("--smtp-url", "smtp://127.0.0.1:1", "--mail-from", "status@works.example")
    product = (
        Product(seeded(tmp_path_factory.mktemp("awkward") / "data", awkward, begun), flags=mail).at_a_name().start()
    )
    yield product
    product.stop()


# In the daily run two of three pages are looked at in one of four widths by turns, in the slow run all in all of them.
DAILY = (320, 1280, 390, 768)
LOOKS = [
    pytest.param((), slice(0, None, 3), id="a-third"),
    pytest.param((), slice(1, None, 3), id="another-third"),
    pytest.param(WIDTHS, slice(None), id="all", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("widths", "which"), LOOKS)
def test_nothing_is_out_of_reach(
    awkward_product: Product, sit_down: Callable[..., Any], chromium: Any, widths: tuple[int, ...], which: slice
) -> None:
    found: list[str] = []
    pages = [*PAGES, *MORE]
    for person in sorted({person for person, _ in pages}):
        page = sit_down(awkward_product, person) if person else chromium.new_context().new_page()
        for turn, path in enumerate([path for who, path in pages if who == person][which]):
            answer = page.goto(awkward_product.url + path)
            assert answer.status in (200, 404), path
            for width in widths or (DAILY[turn % len(DAILY)],):
                page.set_viewport_size({"width": width, "height": 900})
                told = page.evaluate(MEASURE, width in (390, 1280))
                found += [f"{path} at {width}: {one}" for one in told]
        page.context.close()
    print("\n".join(found))
    assert not found, f"{len(found)} places, listed above or below"


def test_the_measure_would_notice(chromium: Any) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 600})
    long = "W" * 90
    for fault, planted in (
        ("scrolls sideways", f"<main><p>{long}</p></main>"),
        ("outside", f"<main><p>{long}</p></main>"),
        ("cut", f"<main style='overflow-x: clip'><p>{long}</p></main>"),
        ("cut", f"<main><p style='overflow: hidden; width: 60px; white-space: nowrap'>{long}</p></main>"),
        ("spills", f"<main><p style='width: 60px'>{long[:12]}</p></main>"),
        ("small", "<main><p><a href='/'>x</a></p></main>"),
    ):
        page.set_content(planted)
        assert any(one.startswith(fault) for one in page.evaluate(MEASURE, True)), fault
    page.set_content(
        f"<main><div style='overflow-x: auto'><p>{long}</p></div><p>In <a href='/'>a</a> sentence.</p></main>"
    )
    assert page.evaluate(MEASURE, True) == []
    page.close()
