"""From nothing to a client looking: a plan of twelve milestones is in front of somebody in at most fifteen actions."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.people.brand import NameOrganisation
from domain.people.person import InvitePerson
from tests.journeys.product import Product, on_screen, wait_until
from tests.world import ADMIN
from web import clock

pytestmark = pytest.mark.browser
MOST = 15


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    """An installation as `fanlight user` leaves it: a name, one manager, nothing else."""
    made = Product(tmp_path / "data")
    made.folder.mkdir()
    made.tell(NameOrganisation(name="Northgate"), ADMIN)
    made.tell(InvitePerson(person="manager", name="Marta Reyes", email="m@x.test", role="manager"), ADMIN)  # type: ignore[arg-type]
    made.start()
    yield made
    made.stop()


class Hands:
    """What a person does on a page, counted: a click, a field filled (a file too), a key that sends."""

    def __init__(self, page: Any) -> None:
        self.page, self.done = page, list[str]()

    def click(self, what: str) -> None:
        self._act(f"click {what}")
        self.page.click(what)
        self.page.wait_for_load_state()

    def fill(self, label: str, text: str) -> None:
        self._act(f"fill {label}")
        self.page.get_by_label(label, exact=True).fill(text)

    def choose(self, label: str, file: Path) -> None:
        self._act(f"choose {label}")
        self.page.get_by_label(label).set_input_files(file)

    def press(self, label: str, key: str) -> None:
        self._act(f"press {key}")
        self.page.get_by_label(label, exact=True).press(key)
        self.page.wait_for_load_state()

    def _act(self, what: str) -> None:
        self.done.append(what)
        assert len(self.done) <= MOST, self.done


def plan(folder: Path) -> Path:
    """A plan of twelve milestones, some without a word for clients, none with a baseline."""
    first = clock.now().date() + timedelta(days=30)
    rows = [f"M{n},Stage {n} handed over,{first + timedelta(days=30 * n)}" for n in range(12)]
    path = folder / "plan.csv"
    path.write_text("\n".join(["UID,Name,Finish", *rows]) + "\n")
    return path


def test_from_nothing_to_a_client_looking(product: Product, sit_down: Callable[..., Any], tmp_path: Path) -> None:
    desk = sit_down(product, "manager", viewport={"width": 1440, "height": 900})
    desk.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.goto(f"{product.url}/p")
    assert desk.locator("#steps li").all_inner_texts()[0].startswith("Start a project")
    hands = Hands(desk)
    hands.click("#steps a.btn.primary")
    hands.fill("Title for clients", "Harbour Line")
    hands.choose("Plan", plan(tmp_path))
    hands.click("button:has-text('Start project')")
    assert "12 tasks read" in desk.locator("h1").inner_text()

    hands.click("a[data-tick=shown][data-to=all]")
    assert desk.locator("[data-ticked=shown]").inner_text() == "12 of 12"
    hands.click("label:has-text('first agreed plan')")
    hands.click("button:has-text('Accept')")
    assert desk.locator("#steps li.done").count() == 2
    assert desk.locator(".untitled").count() == 0

    hands.fill("Name of the client", "Acme Rail")
    hands.press("Name of the client", "Enter")
    hands.click("button:has-text('Activate…')")
    assert desk.get_by_label("Type the client’s name: Acme Rail").count() == 0
    hands.fill("Name", "Anna Price")
    hands.fill("Email address", "anna@acme.test")
    hands.click("button:has-text('Put in force')")
    hands.click("button:has-text('Copy')")
    wait_until(lambda: desk.locator("button:has-text('Copied')").count() == 1)

    link = desk.evaluate("navigator.clipboard.readText()")
    assert link == desk.input_value("#the-link")
    client = desk.context.browser.new_context().new_page()
    theirs = Hands(client)
    client.goto(link)
    theirs.click("button:has-text('Sign in')")
    wait_until(lambda: on_screen(client) == 1)
    rows = client.locator("[id^=ms-]").all_inner_texts()
    client.context.close()
    assert len(rows) == 12
    assert all(f"Stage {n} handed over" in row and "n/a" not in row for n, row in enumerate(rows))
    assert len(hands.done) + len(theirs.done) <= MOST, hands.done
    desk.goto(desk.url.partition("/shares/")[0])
    assert desk.locator("#steps").count() == 0
