"""A link by oneself: who is mailed one, how often, what is recorded, and that the answer tells nobody who is known."""

import random
import re
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from starlette.testclient import TestClient

from domain.ids import PersonId
from domain.people.mails import LINKS, LINKS_WITHIN
from domain.people.memberships import EndMembership, GrantMembership
from domain.people.person import DisablePerson, InvitePerson, Person
from tests.mail import SENDER, Sink, sink
from tests.web.doors import ORIGIN, OTHER_VIEWER, VIEWER, House, every_route, running, wait_until
from tests.web.manager.agreement.test_shares import form_of
from tests.world import ACME, ADMIN, COUNCIL, SHARE
from web.clock import Virtual
from web.door.bounds import TooLarge
from web.door.way_on import way_on
from web.ids import new_id
from web.mail import asked, reach
from web.write.permission import OPERATOR

KNOWN = f"v@{ACME}.test"
ENDED, NOBODY = "left@acme.test", "nobody@elsewhere.test"


@pytest.fixture
def server() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture
def now() -> Virtual:
    return Virtual(datetime(2027, 5, 3, 9, 12, tzinfo=UTC))


@pytest.fixture
def house(tmp_path: Path, server: Sink, now: Virtual) -> Iterator[House]:
    """An installation that sends mail, and looks for what was asked for only when a test says so."""
    more = {"smtp_url": server.url, "mail_from": SENDER, "sign_in_per_minute": 10_000}
    with patch.object(asked, "EVERY", 3600.0), running(tmp_path / "data", every_route(), now, **more) as made:
        tell(made, InvitePerson(person=PersonId("left"), name="Lee", email=ENDED, role="viewer", client=ACME))
        tell(made, DisablePerson(person=PersonId("left"), reason="left"))
        yield made


def tell(house: House, command: object) -> None:
    house.process.services.service.execute(ADMIN, command, command_id=new_id())  # type: ignore[arg-type]


def person(house: House, key: str) -> Person:
    return house.process.services.present.refresh().people[PersonId(key)]


def asks(browser: TestClient, address: str, to: str = "") -> tuple[object, ...]:
    """Ask for a link, and return all that the answer and the page after it say."""
    answer = browser.post("/sign-in", data={"email": address, "to": to}, headers={"origin": ORIGIN})
    page = browser.get(answer.headers.get("location", "/sign-in"))
    return (
        answer.status_code,
        sorted(answer.headers.items()),
        answer.content,
        sorted(page.headers.items()),
        page.content,
    )


def looks(house: House) -> None:
    found = house.process.services.asked
    assert found is not None
    found.look()


def link_in(mail: str) -> str:
    found = re.search(rf"{ORIGIN}(/in/\S+)", mail)
    assert found
    return found.group(1)


def test_whoever_is_known_is_mailed_a_link_that_leads_on_to_the_page_they_asked_for(
    house: House, server: Sink, now: Virtual
) -> None:
    browser, page = house.client(), f"/s/{SHARE}/history?kind=slip"
    first = browser.get(page, headers={"accept": "text/html"}).headers["location"]
    form = browser.get(first).text
    assert f'name="to" value="{page}"' in form
    asks(browser, f" {KNOWN.upper()} ", page)
    assert server.mails == [], "nothing is made while the answer is"
    looks(house)
    (mail,) = server.mails
    assert (mail.to, mail.subject) == (KNOWN, "Your link to sign in at Example Works")
    assert "If it was not you who asked" in mail.text
    link = link_in(mail.text)
    assert link_in(mail.html.replace('"', " ").replace("&amp;", "&")) == link
    for _scanner in range(2):
        assert "button does" in browser.get(link).text
    entered = browser.post(link, headers={"origin": ORIGIN})
    assert (entered.status_code, entered.headers["location"]) == (303, page)
    assert browser.get(page).status_code == 200
    assert house.client().get(link).status_code == 410
    assert [m.state for m in person(house, VIEWER).mails if m.kind == "link"] == ["accepted"]


def test_a_link_is_good_for_an_hour(house: House, server: Sink, now: Virtual) -> None:
    asks(house.client(), KNOWN)
    looks(house)
    now.at += timedelta(hours=1, seconds=1)
    gone = house.client().get(link_in(server.mails[-1].text))
    assert gone.status_code == 410
    assert 'name="email"' in gone.text, "there is a way on"


def test_the_answer_is_the_same_for_known_unknown_ended_and_over_asked_addresses(house: House, server: Sink) -> None:
    def answers() -> list[tuple[object, ...]]:
        told = []
        for address in (KNOWN, NOBODY, ENDED, "over@acme.test", "", "x" * 5000, "\x00", "a@b@c"):
            told.append(asks(house.client(), address, f"/s/{SHARE}"))
            looks(house)
        return told

    over = InvitePerson(person=PersonId("over"), name="Ova", email="over@acme.test", role="viewer", client=ACME)
    tell(house, over)
    for _ in range(LINKS):
        asks(house.client(), "over@acme.test")
        looks(house)
    before = len(server.mails)
    told = answers()
    assert len(server.mails) == before + 1, "of all these one is mailed to"
    assert all(one == told[0] for one in told)
    with patch.object(asked.Asked, "ask", _looking_up):
        told = answers()
        assert not all(one == told[0] for one in told), "the comparison would notice"


def _looking_up(self: asked.Asked, address: str, _way_on: str) -> None:
    """A mistake: what is not known is refused at once."""
    if not asked.errands(self._world(), address):
        raise TooLarge


def test_an_unknown_address_leaves_no_trace(house: House) -> None:
    events = house.process.services.logs.events
    last = events.head()
    for address in (NOBODY, ENDED, "", "v@acme.test.evil"):
        asks(house.client(), address)
    looks(house)
    assert events.head() == last
    asks(house.client(), KNOWN)
    looks(house)
    assert events.head() > last


def test_an_address_gets_three_in_a_quarter_of_an_hour_however_many_people_have_it(
    house: House, server: Sink, now: Virtual
) -> None:
    tell(house, InvitePerson(person=PersonId("both"), name="Bo", email=KNOWN, role="auditor"))
    for _ in range(5):
        asks(house.client(), KNOWN)
        looks(house)
    assert len(server.mails) == 2, "one for each of the two: three are shared"
    for _ in range(5):
        asks(house.client(), "manager@x.test")
        looks(house)
    assert len(server.mails) == 2 + LINKS
    now.at += LINKS_WITHIN
    asks(house.client(), "manager@x.test")
    looks(house)
    assert len(server.mails) == 3 + LINKS


def test_what_waits_is_bounded_and_one_network_asks_only_so_often(house: House, tmp_path: Path, server: Sink) -> None:
    waiting = house.process.services.asked
    assert waiting is not None
    for n in range(asked.MOST + 50):
        waiting.ask(f"{n}@x.test", "")
    waiting.ask("x" * 300, "")
    assert len(waiting) == asked.MOST
    with running(tmp_path / "few", every_route(), smtp_url=server.url, mail_from=SENDER, sign_in_per_minute=2) as few:
        browser = few.client()
        told = [
            browser.post("/sign-in", data={"email": NOBODY}, headers={"origin": ORIGIN}).status_code for _ in range(3)
        ]
        assert told == [303, 303, 429]
        assert browser.post("/sign-in", data={"email": KNOWN}).status_code == 403, "only from a page of ours"


def test_without_a_mail_server_the_page_says_whom_to_ask(tmp_path: Path) -> None:
    with running(tmp_path / "data", every_route()) as silent:
        page = silent.client().get("/sign-in").text
        assert "Ask whoever works with you at Example Works" in page
        assert 'name="email"' not in page
        answer = silent.client().post("/sign-in", data={"email": KNOWN}, headers={"origin": ORIGIN})
        assert answer.text == page


def test_a_link_opens_the_clients_that_invited_its_address_and_no_other(house: House, server: Sink) -> None:
    tell(house, GrantMembership(person=PersonId(VIEWER), client=COUNCIL, name="V", email="v@elsewhere.test"))
    for address, client in ((KNOWN, ACME), ("v@elsewhere.test", COUNCIL)):
        asks(house.client(), address)
        looks(house)
        assert server.mails[-1].to == address
        opened = [link.clients for link in person(house, VIEWER).links.values() if link.asked]
        assert opened[-1] == (client,)
    tell(house, EndMembership(person=PersonId(VIEWER), client=ACME, reason="left"))
    asks(house.client(), KNOWN)
    looks(house)
    assert len(server.mails) == 2
    assert reach.reached_at(person(house, VIEWER), None) == "v@elsewhere.test"


def test_the_person_and_the_admin_see_what_was_asked_for(house: House, server: Sink) -> None:
    for address in (KNOWN, "manager@x.test"):
        asks(house.client(), address)
        looks(house)
    told = "Link to sign in accepted by the mail server"
    assert told in house.client(VIEWER).get("/me").text
    assert told in house.client("manager").get("/me").text
    assert told in house.client("admin").get("/people").text
    assert told in house.client("admin").get(f"/clients/{ACME}").text
    assert told not in house.client("manager").get(f"/clients/{ACME}").text
    assert told not in house.client(OTHER_VIEWER).get("/me").text
    assert told not in house.client(VIEWER).get("/home/mail").text


def test_a_session_for_one_client_is_not_told_of_a_link_to_another(house: House) -> None:
    services = house.process.services
    tell(house, GrantMembership(person=PersonId(VIEWER), client=COUNCIL, name="V", email=KNOWN))
    asks(house.client(), KNOWN)
    looks(house)
    browser = house.client()
    secret = services.credentials.link(OPERATOR, PersonId(VIEWER), ACME)
    browser.post(f"/in/{secret}", headers={"origin": ORIGIN})
    assert "Link to sign in" not in browser.get("/me").text
    assert "Link to sign in" in house.client(VIEWER).get("/me").text


def test_one_that_was_put_off_goes_out_within_the_hour_with_a_new_link_or_not_at_all(
    house: House, server: Sink, now: Virtual
) -> None:
    sender = house.process.services.mail_sender
    assert sender is not None
    server.away = "451 not now"
    for address in (KNOWN, "manager@x.test"):
        asks(house.client(), address)
        looks(house)
    assert [m.state for m in person(house, VIEWER).mails] == ["deferred"]
    server.away = ""
    now.at += timedelta(minutes=20)
    sender.look()
    assert {mail.to for mail in server.mails} == {KNOWN, "manager@x.test"}
    assert house.client().get(link_in(server.mails[0].text)).status_code == 200
    server.away = "451 not now"
    asks(house.client(), KNOWN)
    looks(house)
    server.away = ""
    now.at += timedelta(hours=2)
    sender.look()
    assert len(server.mails) == 2
    assert person(house, VIEWER).mails[-1].state == "dropped"


def test_links_that_ran_out_are_not_kept_for_ever(house: House, now: Virtual) -> None:
    for _ in range(4):
        asks(house.client(), KNOWN)
        looks(house)
        now.at += timedelta(hours=2)
    links = person(house, VIEWER).links
    assert sum(link.asked for link in links.values()) == 1
    of_theirs = {key for key, held in house.process.services.present.world.links.items() if held.person == VIEWER}
    assert of_theirs == set(links)


def test_it_goes_out_by_itself(tmp_path: Path, server: Sink) -> None:
    with running(tmp_path / "data", every_route(), smtp_url=server.url, mail_from=SENDER) as made:
        asks(made.client(), KNOWN)
        wait_until(lambda: len(server.mails) == 1)


def test_a_colleague_who_is_invited_is_mailed_their_link(house: House, server: Sink) -> None:
    admin = house.client("admin")
    form = form_of(admin.get("/people").text, "/people#invite")
    page = admin.post(
        "/people", data=form | {"name": "Omar", "email": "o@x.test", "role": "auditor", "which": "all"}
    ).text
    assert "Invitation accepted by the mail server" in page
    assert "/in/" not in page
    assert (server.mails[0].to, "an auditor" in server.mails[0].html) == ("o@x.test", True)
    entered = house.client().post(link_in(server.mails[0].text), headers={"origin": ORIGIN})
    assert entered.headers["location"] == "/"


@pytest.mark.once
@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("/s/acme", True),
        ("/s/acme?about=milestone-1", True),
        ("//evil.test", False),
        ("/\\evil.test", False),
        ("https://evil.test", False),
        ("/", False),
        ("", False),
        (None, False),
        ("/a\r\nset-cookie: x", False),
        ("/a b", False),
        (f"/{'a' * 301}", False),
        ("s/acme", False),
    ],
)
def test_the_way_on_is_a_path_of_ours_and_nothing_else(path: object, leads: bool) -> None:
    assert way_on(path) == (path if leads else "")


@pytest.mark.slow
def test_a_thousand_addresses_of_all_kinds_take_the_same_time(tmp_path: Path, server: Sink) -> None:
    """One of each kind after the other, in a random order, the fastest of five asks, while the mails are made beside."""
    chance, times = random.Random(7), {kind: list[float]() for kind in ("known", "unknown", "ended", "over")}
    more = {"smtp_url": server.url, "mail_from": SENDER, "sign_in_per_minute": 100_000}
    with running(tmp_path / "data", every_route(), **more) as made:
        for kind in ("known", "ended"):
            for n in range(250):
                email = f"{kind}{n}@acme.test"
                tell(
                    made, InvitePerson(person=PersonId(f"{kind}{n}"), name="N", email=email, role="viewer", client=ACME)
                )
        for n in range(250):
            tell(made, DisablePerson(person=PersonId(f"ended{n}"), reason="left"))
        browser, told = made.client(), set[object]()
        for n in range(250):
            fastest = dict.fromkeys(times, 60.0)
            for kind in [kind for _ in range(5) for kind in chance.sample(sorted(times), len(times))]:
                email = "manager@x.test" if kind == "over" else f"{kind}{n}@acme.test"
                began = time.perf_counter()
                answer = browser.post("/sign-in", data={"email": email}, headers={"origin": ORIGIN})
                fastest[kind] = min(fastest[kind], time.perf_counter() - began)
                told.add((answer.status_code, answer.content, str(sorted(answer.headers.items()))))
            for kind, seconds in fastest.items():
                times[kind].append(seconds)
    assert len(told) == 1
    medians = {kind: statistics.median(found) for kind, found in times.items()}
    assert max(medians.values()) < 1.1 * min(medians.values()), medians
    assert len(server.mails) > 100
