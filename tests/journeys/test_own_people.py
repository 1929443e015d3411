"""A client's own people: a lead invites somebody and a manager ends it; somebody signs in by their organisation's account."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.ids import PersonId
from domain.people.clients import SetMailDomains
from domain.people.memberships import NameLead
from domain.people.person import InvitePerson
from tests.certificates import certified
from tests.journeys.product import Product, on_screen, seeded, wait_until
from tests.mail import SENDER, Sink, sink
from tests.provider import CLIENT, SECRET, Provider
from tests.world import ACME, ADMIN, SHARE, World
from web import clock

pytestmark = pytest.mark.browser

VERA = f"viewer-{ACME}"


@pytest.fixture
def server() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture
def product(tmp_path: Path, server: Sink) -> Iterator[Product]:
    def more(world: World) -> None:
        for role in ("manager", "admin"):
            world.tell(InvitePerson(person=PersonId(role), name=role.title(), email=f"{role}@x.test", role=role), ADMIN)  # type: ignore[arg-type]
        world.tell(SetMailDomains(client=ACME, domains=("acme.test",)), ADMIN)
        world.tell(NameLead(person=PersonId(VERA), client=ACME), ADMIN)

    made = Product(seeded(tmp_path / "data", more, clock.now() - timedelta(days=3)))
    certificate = certified("127.0.0.1")
    made.flags = (
        "--smtp-url", server.url, "--mail-from", SENDER, "--outside-networks", "127.0.0.0/8",
        "--outside-ca", str(certificate.authority),
    )  # fmt: skip
    yield made.start()
    made.stop()


@pytest.mark.slow
def test_a_lead_invites_a_colleague_and_a_manager_ends_it(
    product: Product, server: Sink, chromium: Any, sit_down: Callable[..., Any]
) -> None:
    vera = sit_down(product, VERA)
    vera.click("summary:has-text('Vera')")
    vera.click("text=People with access")
    vera.fill("#p-name", "Noor")
    vera.fill("#p-email", "noor@acme.test")
    vera.click("button:has-text('Invite')")
    wait_until(lambda: "The link was emailed to them" in vera.inner_text("body"))
    link = re.search(r"http\S+/in/\S+", server.mails[0].text)
    assert link is not None
    context = chromium.new_context()
    noor = context.new_page()
    noor.goto(link.group())
    noor.click("button:has-text('Sign in')")
    noor.wait_for_url(f"{product.url}/s/{SHARE}")
    wait_until(lambda: noor.evaluate("document.documentElement?.dataset.state") == "live")
    manager = sit_down(product, "manager")
    manager.goto(f"{product.url}/for-you")
    manager.click("text=Noor of Acme Rail signed in for the first time.")
    row = manager.locator("tr", has_text="invited by Vera of the client").first
    row.locator("a:has-text('End access')").click()
    manager.fill("[name=reason]", "Not of this project")
    manager.click("button:has-text('End access')")
    wait_until(lambda: "Ended." in manager.inner_text("body"))
    wait_until(lambda: noor.evaluate("document.documentElement?.dataset.state") not in ("live", "connecting"))
    vera.goto(f"{product.url}/home/people/{ACME}")
    assert "noor@acme.test" not in vera.inner_text("main")
    context.close()


@pytest.mark.slow
def test_a_client_signs_in_by_its_own_provider_once_an_admin_has_set_tried_and_used_it(
    product: Product, chromium: Any, sit_down: Callable[..., Any]
) -> None:
    admin = sit_down(product, "admin", ignore_https_errors=True)
    admin.goto(f"{product.url}/clients/{ACME}")
    admin.click("text=Add a provider…")
    key = admin.url.rpartition("/")[2]
    provider = Provider(f"{product.url}/sign-in/at/{key}/back", tls=certified("127.0.0.1")).start()
    try:
        provider.mail = "v@acme.test"
        for name, value in (("issuer", provider.issuer), ("app", CLIENT), ("secret", SECRET)):
            admin.fill(f"[name={name}]", value)
        admin.click("button:has-text('Keep this')")
        admin.click("a.btn:has-text('Try it')")
        wait_until(lambda: "It works. Nobody was signed in." in admin.inner_text("body"))
        admin.goto(f"{product.url}/clients/{ACME}/providers/{key}")
        admin.click("button:has-text('Let people sign in by it')")
        wait_until(lambda: "People sign in by 127.0.0.1." in admin.inner_text("body"))
        context = chromium.new_context(ignore_https_errors=True)
        page = context.new_page()
        page.goto(f"{product.url}/s/{SHARE}")
        page.fill("input[name=email]", "anybody@acme.test")
        page.click("button:has-text('Sign in with my organisation')")
        wait_until(lambda: "You sign in at 127.0.0.1" in page.inner_text("body"))
        page.click("text=Continue")
        page.wait_for_url(f"{product.url}/s/{SHARE}")
        assert on_screen(page) == 1
        wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live")
        admin.fill("[name=reason]", "Contract over")
        admin.click("button:has-text('Remove it')")
        wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "signed-out")
        context.close()
    finally:
        provider.stop()
