"""A concern raised in one browser is in another's list, in the mail sink and in both receivers, and never twice."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.agreement.answers import RaiseConcern, Screen
from domain.ids import ChannelId, CommandId, PersonId, ProjectId
from domain.people.person import InvitePerson
from domain.plan.project import DescribeProject
from domain.telling.channels import AddChannel, AllowChannelContent
from projections.events.present import CurrentWorld
from projections.events.world import World as Recorded
from projections.installation.database import Database
from projections.installation.folder import Folder
from tests.chat import Receiver, Slack, Teams, certified, receiving
from tests.fleet import fleet
from tests.journeys.product import Product, seeded, wait_until
from tests.mail import SENDER, Sink
from tests.web.mail.test_digest_kill import Holding
from tests.world import ACME, ADMIN, HARBOUR, SHARE, World
from web import clock
from web.ids import new_id
from web.write.permission import OPERATOR
from web.write.service import Service

VERA = PersonId(f"viewer-{ACME}")
ENDS = ("mail", "slack", "teams")


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """Where something is told."""

    mail: Sink
    slack: Receiver
    teams: Receiver

    @property
    def flags(self) -> tuple[str, ...]:
        return ("--smtp-url", self.mail.url, "--mail-from", SENDER, "--outside-networks", "127.0.0.0/8")

    def said(self, words: str) -> dict[str, int]:
        """Return how often each was told something."""
        return {
            "mail": sum(words in got.text for got in self.mail.mails),
            "slack": sum(words in text for text in self.slack.texts),
            "teams": sum(words in text for text in self.teams.texts),
        }


ONCE = dict.fromkeys(ENDS, 1)


def managed(ends: Ends, start: Any = None) -> Callable[[World], None]:
    """Return what a sample project needs so that one manager and two channels are told of it."""

    def tell(world: World) -> None:
        world.tell(InvitePerson(person=PersonId("manager"), name="Marta", email="m@x.test", role="manager"), ADMIN)
        about = DescribeProject(
            project=HARBOUR, title="Harbour Line (internal)", client_title="Harbour Line", owner=PersonId("manager")
        )
        world.tell(about, ADMIN)
        for form, url in (("slack", ends.slack.url), ("teams", ends.teams.url)):
            key = ChannelId(form)
            added = AddChannel(channel=key, project=ProjectId(HARBOUR), form=form, name=form, address=url)  # type: ignore[arg-type]
            world.tell(added, ADMIN)
            world.tell(AllowChannelContent(channel=key, content=True), ADMIN)

    return tell


@pytest.fixture
def ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ends]:
    certificate = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    mail = Holding()
    mail.released.set()
    mail.start()
    with receiving(Slack, certificate) as slack, receiving(Teams, certificate) as teams:
        yield Ends(mail=mail, slack=slack, teams=teams)
    mail.released.set()
    mail.stop()


@pytest.fixture
def product(tmp_path: Path, ends: Ends) -> Iterator[Product]:
    folder = seeded(tmp_path / "data", managed(ends), clock.now() - timedelta(days=1))
    made = Product(folder, flags=ends.flags).start()
    yield made
    made.stop()


def raise_in(page: Any, text: str) -> None:
    """Raise a concern about a milestone on a client's page."""
    wait_until(lambda: page.evaluate("document.documentElement?.dataset.state") == "live")
    page.hover("#ms-m1")
    page.click("#ms-m1 .say-it")
    page.fill("#answer-text", text)
    page.click("#answer >> text=Raise a concern")


@pytest.mark.browser
def test_a_concern_raised_in_one_browser_is_told_everywhere_once(
    product: Product, ends: Ends, sit_down: Callable[..., Any]
) -> None:
    manager, client = sit_down(product, "manager"), sit_down(product, str(VERA))
    manager.goto(f"{product.url}/for-you")
    raise_in(client, "Is May still true?")
    wait_until(lambda: "raised a concern about Section A energised." in manager.inner_text("#for-you-list"), 10)
    wait_until(lambda: ends.said("Is May still true?") == ONCE)


def concern(key: str, text: str) -> RaiseConcern:
    screen = Screen(n=1, head="ab" * 32)
    return RaiseConcern(share=SHARE, concern=key, subject="", text=text, by=VERA, screen=screen)


def world_of(product: Product) -> Recorded:
    """Return what lies in the log."""
    logs = Folder(product.folder)
    try:
        return CurrentWorld(logs.events).world
    finally:
        logs.close()


def states(world: Recorded) -> dict[str, list[str]]:
    """Return the states of everything that was sent, oldest first; of mails those about concerns."""
    mails = [mail for mail in world.people[PersonId("manager")].mails if mail.kind == "notice"]
    sent = {
        key: [one.state for one in world.channels[ChannelId(key)].posted if "concern" in one.lines[0]]
        for key in ("slack", "teams")
    }
    return {"mail": [mail.state for mail in mails if "concern" in mail.lines[0]], **sent}


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.browser
def test_it_is_on_the_list_within_a_second(product: Product, ends: Ends, sit_down: Callable[..., Any]) -> None:
    manager, client = sit_down(product, "manager"), sit_down(product, str(VERA))
    manager.goto(f"{product.url}/for-you")
    lines = manager.locator("#for-you-list .for-me li > p")
    there = lines.count()  # that its viewer came in for the first time
    for number in range(5):
        raise_in(client, f"Question {number}?")  # it returns once the button is pressed
        began = time.monotonic()
        wait_until(lambda n=number: lines.count() == there + n + 1)  # type: ignore[misc]
        assert time.monotonic() - began < 1, number
        wait_until(lambda n=number: f"Question {n}?" in client.inner_text("#body"))  # type: ignore[misc]
    wait_until(lambda: ends.said("Question 4?") == ONCE, 60)
    for number in range(5):
        assert ends.said(f"Question {number}?") == ONCE


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.browser
@pytest.mark.folder
@pytest.mark.parametrize("held", ENDS)
def test_killed_while_one_end_holds_it_nobody_is_told_twice(
    product: Product, ends: Ends, sit_down: Callable[..., Any], held: str
) -> None:
    """The end that has it says nothing until the server is dead; what it may have is not sent again, and says so."""
    manager, client = sit_down(product, "manager"), sit_down(product, str(VERA))
    manager.goto(f"{product.url}/for-you")
    assert isinstance(ends.mail, Holding)
    ends.mail.released.set()
    wait_until(lambda: ends.slack.texts and ends.teams.texts, 30)  # that its viewer came in, which is held nowhere
    one = getattr(ends, held)
    release = threading.Event()
    one.has_one.clear()
    if held == "mail":
        one.released.clear()
    else:
        one.holds = release
    raise_in(client, "Is May still true?")
    assert one.has_one.wait(30)
    wait_until(lambda: "raised a concern" in manager.inner_text("#for-you-list"), 10)
    others = [key for key in ENDS if key != held]
    wait_until(lambda: all(states(world_of(product))[key] == ["accepted"] for key in others), 60)
    product.kill()
    release.set()
    ends.mail.released.set()
    product.start()
    time.sleep(5)
    assert states(world_of(product))[held] == ["queued"]
    assert ends.said("Is May still true?") == ONCE
    manager.goto(f"{product.url}/for-you")
    assert "raised a concern about Section A energised." in manager.inner_text("#for-you-list")
    where = "/for-you/settings" if held == "mail" else f"/p/{HARBOUR}/channels"
    manager.goto(f"{product.url}{where}")
    assert "it may have gone out" in manager.inner_text("main")


@pytest.mark.slow
@pytest.mark.alone
def test_killed_again_and_again_between_record_and_answer_nobody_is_told_twice(product: Product, ends: Ends) -> None:
    """The server dies at any moment after a concern was recorded, ten times; each is told at most once everywhere."""
    for number in range(10):
        product.tell(concern(f"c{number}", f"Question {number}?"), OPERATOR)
        time.sleep(0.08 * number)
        product.kill()
        product.start()
    product.tell(concern("last", "The last question?"), OPERATOR)
    wait_until(lambda: ends.said("The last question?") == ONCE, 60)
    time.sleep(3)
    found = states(world_of(product))
    for number in range(10):
        for end, often in ends.said(f"Question {number}?").items():
            assert often <= 1, (number, end)
            assert often == 1 or "queued" in found[end], "what was not told may have gone out, and says so"


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.once
def test_every_worker_on_one_postgres_is_killed_in_turn_and_nobody_is_told_twice(tmp_path: Path, ends: Ends) -> None:
    with fleet(tmp_path / "fleet", workers=2, redis=False) as made:
        database = Database(made.app)
        present = CurrentWorld(database.events)
        service = Service(database.events, present, clock.now)

        def tell(command: Any) -> None:
            service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))

        class Told:
            tell = staticmethod(lambda command, _actor: tell(command))

        for process in made.workers:
            process.stop()
            process.flags = (*process.flags, *ends.flags)
        managed(ends)(Told)  # type: ignore[arg-type]
        for process in made.workers:
            process.start()
        for round_ in range(4):
            leader = wait_until(made.leader, 60)
            tell(concern(f"c{round_}", f"Question {round_}?"))
            time.sleep(0.15 * round_)
            leader.kill()
            wait_until(made.leader, 60)
            leader.start()
        tell(concern("last", "The last question?"))
        wait_until(lambda: ends.said("The last question?") == ONCE, 90)
        time.sleep(3)
        found = states(present.refresh())
        for round_ in range(4):
            for end, often in ends.said(f"Question {round_}?").items():
                assert often <= 1, (round_, end)
                assert often == 1 or "queued" in found[end]
        database.close()
