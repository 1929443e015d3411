"""The demo, the next morning: whoever opens the address in a digest is on their dashboard, with one click at most.

The house is that of `make demo`, with a mail server beside it, at an address with a name; only its clock is moved. In
the evening Anna Price of Acme Rail signs in and chooses a daily email, and closes the browser. In the morning, thirteen
hours later, when no session of the evening is left, she opens the address in the email.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.journeys.conftest import QUIET
from tests.journeys.product import Product, wait_until
from tests.mail import SENDER, Sink, sink
from tests.moved_clock import Moved
from tests.programs import Program
from web.demo.cast import LINE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ANNA, LONDON = "anna@example.com", ZoneInfo("Europe/London")
EVENING, MORNING = time(18, 0), time(7, 10)  # in London, ten minutes after emails of the morning are due


class Demo(Product):
    """`fanlight demo` under a clock that is moved, with a mail server. Each test has an evening of its own in it."""

    starts = 300.0  # it tells its year first

    def __init__(self, folder: Path, server: Sink) -> None:
        super().__init__(
            folder, demo=True, flags=("--smtp-url", server.url, "--mail-from", SENDER, "--demo-speed", "4")
        )
        self.server, self.file = server, folder.parent / "clock"
        self.file.write_text("0")
        self.day = datetime.now(LONDON).date()
        self.clock = Moved(self.file).to(datetime.combine(self.day, EVENING, LONDON))
        self.at_a_name()

    def evening(self) -> None:
        """Go on to the evening of the day, unless it is there already."""
        at = datetime.combine(self.day, EVENING, LONDON)
        if self.clock() < at:
            self.clock.to(at)

    def program(self, told: list[object], environment: dict[str, str], log: Path) -> Program:
        return Program([self.file, *told], environment, log, module="tests.moved_clock")

    def mail(self, to: str, holds: str, after: int = 0) -> str:
        """Return the text of the newest email to an address that holds something, once there is one."""

        def found() -> str:
            there = self.server.mails[after:]
            return next((m.text for m in reversed(there) if to in str(m.parsed["To"]) and holds in m.text), "")

        return str(wait_until(found, 120))

    def morning(self) -> str:
        """Have something change, let the night pass, and return the address of a dashboard in the email of the morning."""
        before, head = len(self.server.mails), self.head(LINE)
        wait_until(lambda: self.head(LINE) > head, 120)
        self.day += timedelta(days=1)
        self.clock.to(datetime.combine(self.day, MORNING, LONDON))
        text = self.mail(ANNA, "/s/", before)
        return next(one for one in addresses(text) if re.search(r"/s/[^/]+$", one.partition("?")[0]))


def addresses(text: str) -> list[str]:
    return re.findall(r"http[^\s>)]+", text)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with sink() as server:
        made = Demo(tmp_path_factory.mktemp("demo") / "data", server)
        made.start()
        yield made
        made.stop()


@pytest.fixture
def demo(house: Demo) -> Demo:
    house.evening()
    return house


class Browser:
    """A browser on a profile that lies in a folder, and every action of whoever sits at it."""

    def __init__(self, chromium: Any, profile: Path) -> None:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        kind = chromium.browser_type
        self.context = kind.launch_persistent_context(str(profile), executable_path=path, args=list(QUIET))
        self.page = self.context.new_page()
        self.done: list[str] = []

    def opens(self, address: str) -> None:
        """Open an address: from an email, or from the bar."""
        self.done.append("open")
        self.page.goto(address)

    def clicks(self, what: str) -> None:
        self.done.append("click")
        self.page.click(what)

    def types(self, where: str, text: str) -> None:
        self.done.append("type")
        self.page.fill(where, text)

    def presses(self, where: str, key: str) -> None:
        self.done.append("press")
        self.page.press(where, key)

    def authenticator(self, *, held: list[dict[str, Any]] | None = None) -> Callable[[str, dict[str, Any]], Any]:
        """Give the browser an authenticator that holds some passkeys already; return what asks it."""
        protocol = self.context.new_cdp_session(self.page)
        protocol.send("WebAuthn.enable", {"enableUI": False})
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": held is None,
        }  # fmt: skip
        made = protocol.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
        for one in held or ():
            protocol.send("WebAuthn.addCredential", {"authenticatorId": made, "credential": one})
        return lambda what, more: protocol.send(f"WebAuthn.{what}", {"authenticatorId": made, **more})

    def close(self) -> None:
        self.context.close()


def in_the_evening(demo: Demo, browser: Browser, *, keep: bool) -> None:
    """Sign in by a link of one's own, and choose a daily email of what changes."""
    page, before = browser.page, len(demo.server.mails)
    page.goto(f"{demo.url}/sign-in")
    page.fill("input[name=email]", ANNA)
    page.click("text=Send me a link")
    page.goto(addresses(demo.mail(ANNA, "/in/", before))[0])
    if keep:
        page.check("input[name=keep]")
    page.click("button:has-text('Sign in')")
    page.wait_for_url(re.compile(f"{re.escape(demo.url)}/(home|s/.+)$"))
    page.goto(f"{demo.url}/home/mail")
    page.check("input[value=daily]")
    page.click("main form button")
    page.wait_for_load_state()


def on_the_dashboard(page: Any, address: str) -> None:
    """Wait until a page is the dashboard of an address, and live."""
    page.wait_for_url(re.compile(re.escape(address.partition("?")[0])))
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live")
    assert "Harbour Line" in page.inner_text("h1, .proj")


def test_a_kept_device_opens_the_dashboard_without_a_click(demo: Demo, chromium: Any, tmp_path: Path) -> None:
    browser = Browser(chromium, tmp_path / "profile")
    in_the_evening(demo, browser, keep=True)
    browser.close()
    address = demo.morning()
    again = Browser(chromium, tmp_path / "profile")
    again.opens(address)
    on_the_dashboard(again.page, address)
    assert again.done == ["open"]
    again.close()
    stranger = Browser(chromium, tmp_path / "another")  # so it was the device, and not an address that opens by itself
    stranger.opens(address)
    assert "/sign-in" in stranger.page.url
    stranger.close()


def test_a_passkey_opens_it_with_one_click_in_a_browser_that_knows_nothing(
    demo: Demo, chromium: Any, tmp_path: Path
) -> None:
    browser = Browser(chromium, tmp_path / "profile")
    in_the_evening(demo, browser, keep=False)
    ask = browser.authenticator()
    page = browser.page
    page.goto(f"{demo.url}/me/passkeys")
    page.click("button:has-text('Add a passkey')")
    wait_until(lambda: "Added. From now on it signs you in." in page.inner_text("body"))
    held = ask("getCredentials", {})["credentials"]
    browser.close()
    address = demo.morning()
    again = Browser(chromium, tmp_path / "another")
    ask = again.authenticator(held=held)
    again.opens(address)
    wait_until(lambda: again.page.is_visible("button:has-text('Sign in with a passkey')"))
    ask("setAutomaticPresenceSimulation", {"enabled": True})  # from here on a finger lies on it
    again.clicks("button:has-text('Sign in with a passkey')")
    on_the_dashboard(again.page, address)
    assert again.done == ["open", "click"]
    again.close()


def test_a_link_of_ones_own_opens_it_with_one_click_after_the_address_was_typed(
    demo: Demo, chromium: Any, tmp_path: Path
) -> None:
    browser = Browser(chromium, tmp_path / "profile")
    in_the_evening(demo, browser, keep=False)
    browser.close()
    address = demo.morning()
    again, before = Browser(chromium, tmp_path / "another"), len(demo.server.mails)
    again.opens(address)
    again.types("input[name=email]", ANNA)
    again.presses("input[name=email]", "Enter")
    again.opens(addresses(demo.mail(ANNA, "/in/", before))[0])
    again.clicks("button:has-text('Sign in')")
    on_the_dashboard(again.page, address)
    assert again.done == ["open", "type", "press", "open", "click"]
    again.close()
