"""Emails about devices: a new one is told to its person once, a copied one too, and nothing where it is no news."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.ids import PersonId
from domain.people.person import InvitePerson
from tests.mail import SENDER, Sink, sink
from tests.web.client.test_wall import screen
from tests.web.doors import OTHER_VIEWER, VIEWER, House, every_route, running
from tests.web.sign_in.test_devices import credential, enter, holding, person, restarted, tell
from tests.world import COUNCIL
from web.clock import Virtual
from web.write.permission import OPERATOR


@pytest.fixture
def server() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture
def now() -> Virtual:
    return Virtual(datetime(2027, 5, 3, 9, 12, tzinfo=UTC))


@pytest.fixture
def house(tmp_path: Path, server: Sink, now: Virtual) -> Iterator[House]:
    with running(tmp_path / "data", every_route(), now, smtp_url=server.url, mail_from=SENDER) as made:
        yield made


def send(house: House) -> None:
    """Hand over what is due, as the thread that mails does."""
    assert house.process.services.mail_sender is not None
    house.process.services.mail_sender.look()


def subjects(server: Sink) -> list[str]:
    return [got.subject for got in server.mails]


def test_a_new_device_is_told_to_its_person_once(house: House, server: Sink) -> None:
    enter(house)
    for _time in range(3):
        send(house)
    (got,) = server.mails
    assert got.subject == "Firefox on Windows stays signed in at Example Works"
    assert got.to == "v@acme.test"
    text = got.text
    assert "until 2 Jun 2027 at the latest" in " ".join(text.split())
    assert "http://testserver/me" in text
    assert credential_free(text, house)
    assert [mail.state for mail in person(house).mails if mail.kind == "device"] == ["accepted"]


def credential_free(text: str, house: House) -> bool:
    """Tell whether an email opens nothing by itself."""
    return "/in/" not in text and not any(link.hash in text for link in person(house).links.values())


def test_a_session_that_is_not_kept_is_no_news(house: House, server: Sink) -> None:
    enter(house, keep=False)
    send(house)
    assert server.mails == []


def test_a_device_that_ended_meanwhile_and_an_old_one_are_no_news(house: House, server: Sink, now: Virtual) -> None:
    enter(house)
    (key,) = person(house).devices.kept
    house.process.services.devices.end(OPERATOR, PersonId(VIEWER), key)
    enter(house, OTHER_VIEWER)
    now.forward(days=4)
    send(house)
    assert server.mails == []


def test_a_copy_that_was_used_is_told(house: House, server: Sink, now: Virtual) -> None:
    owner = enter(house)
    stolen = credential(house, owner)
    send(house)
    for _day in range(2):
        now.forward(days=1)
        owner = restarted(house, owner)
        owner.get("/home")
    holding(house, stolen).get("/home")
    for _time in range(2):
        send(house)
    ended = [got for got in server.mails if "signed out" in got.subject]  # others read that they came in
    assert [got.subject for got in ended] == ["Firefox on Windows was signed out at Example Works: a copy was used"]
    assert "somebody used a copy" in ended[0].text


def test_a_wall_display_is_told_to_who_put_it_up(house: House, server: Sink) -> None:
    screen(house)
    send(house)
    assert subjects(server) == ["A wall display was put up in your name at Example Works"]


def test_it_goes_to_the_address_of_a_client_it_opens(house: House, server: Sink) -> None:
    """A device that opens one client is not told to the address that another client's side gave."""
    tell(house, InvitePerson(person="x", name="V. Else", email="v@acme.test", role="viewer", client=COUNCIL))
    browser = house.client()
    secret = house.process.services.credentials.link(OPERATOR, PersonId(VIEWER), COUNCIL)
    browser.post(f"/in/{secret}", headers={"origin": "http://testserver"}, data={"keep": "yes"})
    send(house)
    (got,) = server.mails
    assert "V. Else" in got.text
    assert "Acme" not in got.text
