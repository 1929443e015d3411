"""A plan is sent from the page: too large is told before, and how much went is shown; without scripts it goes as well."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.ids import PersonId
from domain.people.person import InvitePerson
from tests.journeys.product import Product, seeded, wait_until
from tests.world import ADMIN, HARBOUR, World

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CSV = "UID,Milestone,Finish\n1,Gate one,2027-06-01\n2,Gate two,2027-07-01\n"
HERE = f"/p/{HARBOUR}/import"


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    """A running server with the sample project and a manager of it."""

    def manager(world: World) -> None:
        world.tell(InvitePerson(person=PersonId("manager"), name="Marta", email="m@x.test", role="manager"), ADMIN)

    seeded(tmp_path / "data", manager)
    made = Product(tmp_path / "data").start()
    yield made
    made.stop()


def test_a_file_is_refused_before_it_is_sent_and_another_shows_how_much_of_it_went(
    product: Product, sit_down: Any, tmp_path: Path
) -> None:
    page = sit_down(product, "manager")
    page.goto(product.url + HERE)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    (tmp_path / "plan.csv").write_text(CSV + "3,Gate,2027-08-01\n" * 60_000)
    page.evaluate("document.querySelector('form[data-upload]').dataset.most = 1000")
    page.set_input_files("#plan", tmp_path / "plan.csv")
    assert page.is_visible("#plan-wrong")
    assert "The file is larger than" in page.inner_text("#plan-wrong")
    page.click("button:has-text('Check file')")
    assert "POST" not in sent, "nothing of it went"
    page.evaluate("document.querySelector('form[data-upload]').dataset.most = 1e9")
    (tmp_path / "other.csv").write_text(CSV + "\n" * 1_500_000)
    page.set_input_files("#plan", tmp_path / "other.csv")
    assert page.is_hidden("#plan-wrong")
    slow = page.context.new_cdp_session(page)
    slow.send("Network.enable")
    slow.send("Network.emulateNetworkConditions", {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000})  # fmt: skip
    page.click("button:has-text('Check file')")
    shown = wait_until(lambda: page.is_visible("#sent") and 0 < int(page.inner_text("[data-sent] output")) < 100)
    assert shown
    page.wait_for_url(re.compile(r"/import/[0-9a-f]{64}"), timeout=60_000)
    page.wait_for_selector("text=2 changes proposed.", timeout=60_000)


def test_what_the_server_refuses_is_said_at_the_field_without_sending_it_twice(
    product: Product, sit_down: Any, tmp_path: Path
) -> None:
    page = sit_down(product, "manager")
    page.goto(product.url + HERE)
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.set_input_files("#plan", {"name": "plan\u202e.csv", "mimeType": "text/csv", "buffer": CSV.encode()})
    page.click("button:has-text('Check file')")
    page.wait_for_selector("#plan-wrong:not([hidden])")
    assert "invisible control character" in page.inner_text("#plan-wrong")
    assert len(posts) == 1


def test_without_scripts_the_form_does_the_same(product: Product, sit_down: Any) -> None:
    page = sit_down(product, "manager", java_script_enabled=False)
    page.goto(product.url + HERE)
    page.set_input_files("#plan", {"name": "plan.csv", "mimeType": "text/csv", "buffer": CSV.encode()})
    page.click("button:has-text('Check file')")
    page.wait_for_selector("text=2 changes proposed.", timeout=60_000)
