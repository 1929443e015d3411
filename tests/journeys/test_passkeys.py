"""Passkeys in a real Chromium with an authenticator of its own: added and used, by the browser's offer and by a button."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.people.person import InvitePerson
from domain.people.rules import RequirePasskeys
from tests.journeys.product import Product, seeded, wait_until
from tests.world import ACME, ADMIN, SHARE, World
from web import clock
from web.write.permission import OPERATOR

pytestmark = pytest.mark.browser


def _staff(world: World) -> None:
    for role in ("manager", "admin"):
        world.tell(InvitePerson(person=role, name=role.title(), email=f"{role}@x.test", role=role), ADMIN)  # type: ignore[arg-type]


@pytest.fixture
def named(tmp_path: Path) -> Iterator[Product]:
    """The product at an address with a name, as browsers ask for passkeys."""
    product = Product(seeded(tmp_path / "data", _staff, start=clock.now() - timedelta(days=3)))
    yield product.at_a_name().start()
    product.stop()


class Device:
    """A page in a browser of its own, and the authenticator of that browser."""

    def __init__(self, chromium: Any) -> None:
        self.context = chromium.new_context()
        self.page = self.context.new_page()
        self.troubles: list[str] = []
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", lambda m: self.troubles.append(m.text) if "Content Security" in m.text else None)
        self._protocol = self.context.new_cdp_session(self.page)
        self._protocol.send("WebAuthn.enable", {"enableUI": False})
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True,
        }  # fmt: skip
        made = self._protocol.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.id = made["authenticatorId"]

    def touched(self, *, by_itself: bool) -> None:
        """Whether somebody touches the authenticator whenever it asks for it."""
        asked = {"authenticatorId": self.id, "enabled": by_itself}
        self._protocol.send("WebAuthn.setAutomaticPresenceSimulation", asked)

    def held(self) -> list[dict[str, Any]]:
        found = self._protocol.send("WebAuthn.getCredentials", {"authenticatorId": self.id})["credentials"]
        return list(found)

    def adds(self, name: str) -> None:
        self.page.fill("#passkey-name", name)
        self.page.click("button:has-text('Add a passkey')")
        wait_until(lambda: "Added. From now on it signs you in." in self.page.inner_text("body"))

    def close(self) -> None:
        self.context.close()
        assert self.troubles == []


@pytest.fixture
def device(chromium: Any) -> Iterator[Device]:
    made = Device(chromium)
    yield made
    made.close()


def test_a_viewer_adds_a_passkey_and_is_back_on_the_dashboard_by_it(named: Product, device: Device) -> None:
    page = device.page
    page.goto(named.link(f"viewer-{ACME}"))
    page.click("button:has-text('Sign in')")
    page.goto(f"{named.url}/me")
    page.click("a:has-text('Passkeys')")
    device.adds("My laptop")
    (held,) = device.held()
    assert held["isResidentCredential"]
    assert "My laptop" in page.inner_text("table")
    device.touched(by_itself=False)
    device.context.clear_cookies()
    page.goto(f"{named.url}/s/{SHARE}")
    wait_until(lambda: page.is_visible("button:has-text('Sign in with a passkey')"))
    device.touched(by_itself=True)
    page.click("button:has-text('Sign in with a passkey')")
    page.wait_for_url(f"{named.url}/s/{SHARE}")
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live")
    assert device.held()[0]["signCount"] > held["signCount"]
    page.goto(f"{named.url}/me")
    assert "by a passkey" in page.inner_text("body")


@pytest.mark.slow
def test_staff_who_need_one_add_it_first_and_use_it_in_a_session_by_link(named: Product, device: Device) -> None:
    named.tell(RequirePasskeys(required=True), OPERATOR)
    page = device.page
    page.goto(named.link("manager"))
    page.click("button:has-text('Sign in')")
    page.wait_for_url(f"{named.url}/me/passkeys")
    device.adds("Office")
    page.goto(f"{named.url}/p")
    assert page.url == f"{named.url}/p"
    device.context.clear_cookies()
    page.goto(named.link("manager"))
    page.click("button:has-text('Sign in')")
    page.wait_for_url(f"{named.url}/me/passkeys")
    assert "Ask an admin" in page.inner_text("body")
    page.click("button:has-text('Use a passkey now')")
    page.wait_for_url(f"{named.url}/p")


@pytest.mark.slow
def test_the_browser_offers_it_where_an_address_is_typed(tmp_path: Path, chromium: Any) -> None:
    from tests.mail import SENDER, sink

    with sink() as server:
        product = Product(seeded(tmp_path / "data", start=clock.now() - timedelta(days=3)))
        product.flags = ("--smtp-url", server.url, "--mail-from", SENDER)
        product.at_a_name().start()
        made = Device(chromium)
        page = made.page
        page.goto(product.link(f"viewer-{ACME}"))
        page.click("button:has-text('Sign in')")
        page.goto(f"{product.url}/me/passkeys")
        made.adds("My laptop")
        made.context.clear_cookies()
        page.goto(f"{product.url}/s/{SHARE}")  # leads to the sign-in page, where the browser's own offer is taken
        page.wait_for_url(f"{product.url}/s/{SHARE}")
        wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live")
        made.close()
        product.stop()


@pytest.mark.slow
def test_a_browser_without_passkeys_reads_what_to_do_instead(named: Product, chromium: Any) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{named.url}/sign-in")
    assert not page.is_visible("button:has-text('Sign in with a passkey')")
    page.goto(named.link(f"viewer-{ACME}"))
    page.click("button:has-text('Sign in')")
    page.goto(f"{named.url}/me/passkeys")
    assert "runs no scripts" in page.inner_text("main")
    assert not page.is_visible("#passkey-name")
    context.close()
