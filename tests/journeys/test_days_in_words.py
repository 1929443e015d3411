"""Browsers write dates their own way: beside each date field the day stands in words, inside the page."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.people.person import InvitePerson
from tests.journeys.product import Product, seeded
from tests.world import ACME, ADMIN, HARBOUR, SHARE, World

pytestmark = pytest.mark.browser

PAGES = (
    ("auditor", "/audit/replay"),
    ("manager", f"/p/{HARBOUR}/do/move-forecast?milestone=m1"),
    (f"viewer-{ACME}", f"/s/{SHARE}/history"),
)
NEAR = """field => {
  const [box, said] = [field.getBoundingClientRect(), field.nextElementSibling.getBoundingClientRect()];
  return said.height > 0 && said.top >= box.bottom - 2 && said.top - box.bottom < 12 && Math.abs(said.left - box.left) < 80;
}"""


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    def peopled(world: World) -> None:
        for role in ("manager", "auditor"):
            world.tell(InvitePerson(person=role, name=role.title(), email=f"{role}@x.test", role=role), ADMIN)

    made = Product(seeded(tmp_path / "data", peopled)).start()
    yield made
    made.stop()


@pytest.mark.slow
def test_the_day_of_a_date_field_stands_below_it_in_words(product: Product, sit_down: Callable[..., Any]) -> None:
    for person in {person for person, _path in PAGES}:
        page = sit_down(product, person)
        for path in (path for one, path in PAGES if one == person):
            page.goto(product.url + path)
            field = page.locator("input[type=date]:visible").first
            field.fill("2027-04-03")
            assert field.evaluate("field => field.nextElementSibling.textContent") == "Sat 3 Apr 2027", path
            assert field.evaluate(NEAR), path
            field.fill("")
            assert field.evaluate("field => field.nextElementSibling.textContent") == "", path
