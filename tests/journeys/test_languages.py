"""Pages in every language fit and can be used, and two clients of one project read theirs side by side."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.agreement.share import SetLanguage
from domain.ids import PersonId
from domain.money import Money
from domain.people.person import ChooseLanguage, InvitePerson
from domain.plan.budget import ApproveBudget, MeasureCost, PlannedPoint, PlanSpend
from domain.plan.risks import AskClientView
from domain.plan.schedule import MoveForecast
from tests.journeys.product import Product, on_screen, seeded, wait_until
from tests.journeys.test_overflow import MEASURE
from tests.journeys.test_pages import AXE, axe_source, talk
from tests.world import ACME, ADMIN, COUNCIL, HARBOUR, OTHER, SHARE, World, everything
from web import clock
from web.write.permission import Actor

pytestmark = [pytest.mark.browser, pytest.mark.folder]

ANNA, VERA = f"viewer-{ACME}", f"viewer-{COUNCIL}"
CODES = ("en", "de", "fr", "es", "en-XA", "he-XB")
WIDTHS = (390, 1280)
PAGES = (
    f"/s/{SHARE}",
    f"/s/{SHARE}/history",
    f"/s/{SHARE}/history/1",
    f"/s/{SHARE}/record",
    "/home",
    "/me",
    "/home/mail",
)


def rich(world: World) -> None:
    """Everything that a client's page draws: spend, a trend of three forecasts, answers, a view that is asked for."""
    world.tell(InvitePerson(person="manager", name="Manager", email="manager@x.test", role="manager"), ADMIN)
    world.share(everything(), OTHER, HARBOUR, COUNCIL)
    today = world.clock.at.date()
    for measure in ("cost", "price"):
        amount = Money(Decimal(6_721_300), "GBP")
        world.tell(ApproveBudget(project=HARBOUR, measure=measure, amount=amount, reason="Contract"))
        points = tuple(PlannedPoint(today + timedelta(days=30 * m), Decimal(600_000 * (m + 3))) for m in range(-2, 8))
        world.tell(PlanSpend(project=HARBOUR, measure=measure, points=points))
        spent = {"ev": Decimal(900_000), "ac": Decimal(1_100_000)}
        world.tell(MeasureCost(project=HARBOUR, measure=measure, status_date=today, **spent))
    for days in (200, 215, 240):
        world.clock.forward(days=2)
        world.move("m2", today + timedelta(days=days), "Frost")
        world.move("m1", today + timedelta(days=days - 60), "Frost")
    world.tell(AskClientView(project=HARBOUR, risk="r1", client=ACME))
    talk(world)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    begun = clock.now() - timedelta(days=30)
    folder = seeded(tmp_path_factory.mktemp("spoken") / "data", rich, begun)
    product = Product(folder, flags=("--test-languages", "yes")).start()
    yield product
    product.stop()


def speak(product: Product, code: str, share: str = SHARE) -> None:
    """Put a share into a language, and wait until its page is."""
    head = product.head(share)
    product.tell(SetLanguage(share=share, language=code))  # type: ignore[arg-type]
    if code != "en" or head > 0:
        wait_until(lambda: product.head(share) > head or code == "en")


@pytest.mark.parametrize("code", [pytest.param(c, marks=() if c == "de" else pytest.mark.slow) for c in CODES])
def test_a_clients_pages_fit_and_can_be_used_in_every_language(
    spoken: Product, sit_down: Callable[..., Any], code: str
) -> None:
    from domain import language
    from web import languages

    languages.install(tests=True)
    speak(spoken, code)
    page = sit_down(spoken, ANNA)
    spoken.tell(ChooseLanguage(person=PersonId(ANNA), language=code), Actor(PersonId(ANNA), "viewer"))
    source, found = axe_source(), []
    for path in PAGES if code != "de" else PAGES[:1]:  # one of them each time, the others in the long run
        page.goto(spoken.url + path)
        page.context.new_cdp_session(page).send("Page.setBypassCSP", {"enabled": True})
        assert page.evaluate("document.documentElement.lang") == language.tag(code)
        assert page.evaluate("document.documentElement.dir") == ("rtl" if code == language.MIRRORED else "")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            found += [f"{path} at {width}: {one}" for one in page.evaluate(MEASURE, True)]
            page.evaluate(source)
            violations = page.evaluate("async (options) => (await axe.run(document, options)).violations", AXE)
            found += [f"{path} at {width}: {v['id']} {v['nodes'][0]['html'][:160]}" for v in violations]
    languages.install()
    print("\n".join(found))
    assert not found, f"{len(found)} places, listed above or below"


@pytest.mark.slow
def test_a_german_client_and_an_english_one_follow_one_project_each_in_theirs(
    spoken: Product, sit_down: Callable[..., Any]
) -> None:
    from web import languages

    languages.install(tests=True)
    speak(spoken, "en")
    german, english = sit_down(spoken, ANNA), sit_down(spoken, VERA)
    german.goto(f"{spoken.url}/s/{SHARE}")
    english.goto(f"{spoken.url}/s/{OTHER}")
    for page in (german, english):
        page.wait_for_selector("[data-when=live]:not([hidden])")
    before = english.content()
    speak(spoken, "de")
    wait_until(lambda: german.evaluate("document.documentElement.lang") == "de")  # what is around it came anew
    german.wait_for_selector("[data-when=live]:not([hidden])")
    assert "Meilensteine" in german.inner_text("main")
    assert english.evaluate("document.documentElement.lang") == "en-GB"
    assert _without_clock(english.content()) == _without_clock(before)
    heads = on_screen(german), on_screen(english)
    day = clock.now().date() + timedelta(days=300)
    spoken.tell(MoveForecast(project=HARBOUR, milestone="m2", forecast=day, reason="Flood"))  # type: ignore[arg-type]
    wait_until(lambda: (on_screen(german), on_screen(english)) == (heads[0] + 1, heads[1] + 1))
    theirs = {page: page.inner_text("#ms-m2") for page in (german, english)}
    assert f"{day.day}." in theirs[german]
    assert f"{day.day} " in theirs[english]
    assert german.inner_text("#fresh").split()[-1] != english.inner_text("#fresh").split()[-1]
    german.click("[data-do=pause]")
    later = date.fromordinal(day.toordinal() + 9)
    spoken.tell(MoveForecast(project=HARBOUR, milestone="m2", forecast=later, reason="Flood"))  # type: ignore[arg-type]
    wait_until(lambda: "1" in german.inner_text("#newer"))
    assert "newer" not in german.inner_text("#newer")
    speak(spoken, "en")
    languages.install()


def _without_clock(markup: str) -> str:
    """Return the markup of a page without what its own clock writes."""
    return markup.partition('<main id="main"')[2].partition('<div id="feed"')[0]
