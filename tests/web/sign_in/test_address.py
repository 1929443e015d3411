"""One's own address: changed once the old and the new one confirm, told to the old one, and nobody learns who else there is."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from starlette.testclient import TestClient

from domain.errors import Denied
from domain.ids import CommandId, PersonId
from domain.people.addresses import ConfirmAddress
from domain.people.clients import SetMailDomains
from domain.people.memberships import GrantMembership
from domain.people.person import ErasePerson, InvitePerson, Person
from domain.people.sign_ins import IssueLink
from tests.mail import SENDER, Sink, sink
from tests.web.doors import ORIGIN, VIEWER, House, every_route, running
from tests.web.sign_in.test_sessions import csrf, enter
from tests.world import ACME, ADMIN, COUNCIL
from web.clock import Virtual
from web.ids import digest, new_id
from web.mail import asked
from web.write.permission import OPERATOR, Actor

OLD, NEW = "v@acme.test", "vera@acme.test"
FORM = {"origin": ORIGIN}


@pytest.fixture
def server() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture
def now() -> Virtual:
    return Virtual(datetime(2027, 3, 2, 9, tzinfo=UTC))


@pytest.fixture
def house(tmp_path: Path, server: Sink, now: Virtual) -> Iterator[House]:
    more = {"smtp_url": server.url, "mail_from": SENDER, "sign_in_per_minute": 10_000}
    with (
        patch.object(asked, "EVERY", 3600.0),
        patch("web.mail.sender.EVERY", 3600.0),
        running(tmp_path / "data", every_route(), now, **more) as made,
    ):
        yield made


def person(house: House, key: str = VIEWER) -> Person:
    return house.process.services.present.refresh().people[PersonId(key)]


def tell(house: House, command: Any, actor: Actor = ADMIN) -> None:
    house.process.services.service.execute(actor, command, command_id=CommandId(new_id()))


def asks(made: TestClient, new: str = NEW, old: str = OLD) -> Any:
    return made.post("/me/address", data={"csrf": csrf(made.get("/me/address").text), "email": new, "old": old})


def sends(house: House) -> None:
    sender = house.process.services.mail_sender
    assert sender is not None
    sender.look()


def links(server: Sink) -> dict[str, str]:
    """The links that confirm, by the address they went to."""
    found = ((mail.to, re.search(rf"{ORIGIN}(/address/\S+)", mail.text)) for mail in server.mails)
    return {to: link[1] for to, link in found if link}


def confirms(house: House, path: str) -> Any:
    return house.client().post(path, headers=FORM)


def test_it_changes_once_both_confirmed_and_the_old_one_is_told(house: House, server: Sink) -> None:
    made = enter(house, VIEWER)
    assert asks(made).headers["location"] == "/me/address"
    sends(house)
    assert {mail.to for mail in server.mails} == {OLD, NEW}
    both = links(server)
    for path in both.values():
        for _scanner in range(2):
            assert "Confirm this address?" in house.client().get(path).text
    assert person(house).email == OLD
    assert "Once both addresses have confirmed" in confirms(house, both[OLD]).text
    assert person(house).memberships[ACME].email == OLD
    assert confirms(house, both[NEW]).status_code == 200
    changed = person(house)
    assert (changed.email, changed.memberships[ACME].email) == (NEW, NEW)
    assert [p.id for p in house.process.services.present.world.addressed(NEW)] == [VIEWER]
    assert house.process.services.present.world.addressed(OLD) == []
    server.mails.clear()
    sends(house)
    sends(house)
    (mail,) = server.mails
    assert (mail.to, mail.subject) == (OLD, "Your address at Example Works was changed")
    assert NEW not in mail.text, "who reads the old one is not told the new one"
    assert confirms(house, both[OLD]).status_code == confirms(house, both[NEW]).status_code == 410
    assert f"{OLD} became {NEW}" in made.get("/me/address").text
    admin = enter(house, "admin")
    assert f"Changed their address from {OLD}" in admin.get(f"/clients/{ACME}").text
    assert OLD not in enter(house, "manager").get(f"/clients/{ACME}").text


def test_links_go_to_the_new_one_and_those_mailed_to_the_old_one_open_nothing(house: House, server: Sink) -> None:
    services = house.process.services
    tell(house, IssueLink(person=PersonId(VIEWER), hash=digest("before"), expires=services.now() + timedelta(days=1)))
    asks(enter(house, VIEWER))
    sends(house)
    assert house.client().get("/in/before").status_code == 200
    for path in links(server).values():
        confirms(house, path)
    assert house.client().get("/in/before").status_code == 410
    server.mails.clear()
    for address in (OLD, NEW):
        house.client().post("/sign-in", data={"email": address}, headers=FORM)
        services.asked.look()  # type: ignore[union-attr]
    assert [mail.to for mail in server.mails] == [NEW]
    assert services.credentials.vouched(OLD) is None
    assert services.credentials.vouched(NEW) is not None


def test_whether_somebody_else_has_the_new_one_is_told_to_admins_alone(house: House, server: Sink) -> None:
    def told(new: str) -> list[str]:
        server.mails.clear()
        made = enter(house, "manager")
        pages = [asks(made, new, "manager@x.test").text]
        sends(house)
        both = links(server)
        pages += [confirms(house, both[to]).text for to in ("manager@x.test", new)]
        pages.append(made.get("/me/address").text)
        made.post("/me/address/withdraw", data={"csrf": csrf(made.get("/me/address").text)})
        return [re.sub(r"[0-9a-f]{40,64}|\b[a-z0-9]{12}\b", "", page.replace(new, "NEW")) for page in pages[:3]]

    taken = told("auditor@x.test")
    assert person(house, "manager").email == "manager@x.test"
    assert person(house, "auditor").email == "auditor@x.test"
    free = told("free@x.test")
    assert taken == free
    assert person(house, "manager").email == "free@x.test"
    asks(enter(house, "manager"), "admin@x.test", "free@x.test")
    sends(house)
    for path in list(links(server).values()):
        confirms(house, path)
    assert "somebody else signs in by it" in enter(house, "admin").get("/people").text


def test_a_link_confirms_its_own_side_of_its_own_change_in_its_time(house: House, server: Sink, now: Virtual) -> None:
    made = enter(house, VIEWER)
    asks(made)
    sends(house)
    first = links(server)
    person_, change, _side, secret = first[OLD].removeprefix("/address/").split(".")
    for forged in (
        f"{person_}.{change}.new.{secret}",
        f"{person_}.x.old.{secret}",
        f"manager.{change}.old.{secret}",
        "x",
        "...",
    ):
        assert confirms(house, f"/address/{forged}").status_code == 410
    assert house.client().post(first[OLD]).status_code == 403, "only from a page of ours"
    confirms(house, first[OLD])
    confirms(house, first[OLD])
    assert person(house).email == OLD, "twice from one is not both"
    asks(made, "other@acme.test")
    assert confirms(house, first[NEW]).status_code == 410, "another was asked for since"
    sends(house)
    now.at += timedelta(hours=24, seconds=1)
    assert confirms(house, links(server)["other@acme.test"]).status_code == 410
    assert "was not confirmed by" in enter(house, VIEWER).get("/me/address").text


def test_what_cannot_be_is_said_at_the_field_and_three_a_day_are_enough(
    house: House, server: Sink, now: Virtual
) -> None:
    made = enter(house, VIEWER)
    for new, told in ((OLD.upper(), "already"), ("nothing", "is no email address")):
        answer = asks(made, new)
        assert (answer.status_code, told in answer.text) == (422, True)
    assert asks(made, NEW, "v@council.test").status_code == 404, "not an address of theirs"
    tell(house, SetMailDomains(client=ACME, domains=("acme.test",)))
    assert "Only addresses at acme.test" in asks(made, "v@elsewhere.test").text
    assert [asks(made, f"{n}@acme.test").status_code for n in range(4)] == [303, 303, 303, 409]
    made.post("/me/address/withdraw", data={"csrf": csrf(made.get("/me/address").text)})
    sends(house)
    assert server.mails == []
    now.at += timedelta(days=1, seconds=1)
    assert asks(enter(house, VIEWER)).status_code == 303


def test_it_changes_with_the_clients_of_the_session_alone(house: House, server: Sink) -> None:
    tell(house, GrantMembership(person=PersonId(VIEWER), client=COUNCIL, name="Else", email=OLD))
    services, made = house.process.services, house.client()
    secret = services.credentials.link(OPERATOR, PersonId(VIEWER), ACME)
    made.post(f"/in/{secret}", headers=FORM)
    asks(made)
    sends(house)
    assert all("Else" not in mail.text for mail in server.mails)
    for path in links(server).values():
        confirms(house, path)
    known = person(house).memberships
    assert (known[ACME].email, known[COUNCIL].email) == (NEW, OLD)
    council = house.client()
    council.post(f"/in/{services.credentials.link(OPERATOR, PersonId(VIEWER), COUNCIL)}", headers=FORM)
    page = council.get("/me/address").text
    assert NEW not in page.replace(f"/{NEW}", "")
    assert {p.id for p in services.present.world.addressed(OLD)} == {VIEWER}


def test_nobody_confirms_by_a_command_and_an_erasure_takes_all_of_it_away(house: House, server: Sink) -> None:
    tell(
        house, InvitePerson(person=PersonId("second"), name="Sec Ond", email="s@acme.test", role="viewer", client=ACME)
    )
    asks(enter(house, "second"), "t@acme.test", "s@acme.test")
    change = person(house, "second").address_changes.asked
    assert change is not None
    with pytest.raises(Denied):
        tell(
            house,
            ConfirmAddress(person=PersonId("second"), change=change.id, side="old"),
            Actor(PersonId("admin"), "admin"),
        )
    sends(house)
    for path in links(server).values():
        confirms(house, path)
    tell(house, ErasePerson(person=PersonId("second"), reason="asked for"))
    world = house.process.services.present.refresh()
    assert world.addressed("s@acme.test") == world.addressed("t@acme.test") == []


def test_somebody_is_told_of_a_passkey_at_the_addresses_of_the_clients_it_opens(house: House, server: Sink) -> None:
    from domain.people.passkeys import AddPasskey

    tell(house, GrantMembership(person=PersonId(VIEWER), client=COUNCIL, name="Else", email="v@council.example"))
    made = house.client()
    made.post(f"/in/{house.process.services.credentials.link(OPERATOR, PersonId(VIEWER), ACME)}", headers=FORM)
    session = next(iter(person(house).sessions))
    added = AddPasskey(
        person=PersonId(VIEWER), passkey="p", name="Desk", credential="c", key="k", handle="h", host="x", session=session,
        challenge="c",
    )  # fmt: skip
    tell(house, added, OPERATOR)
    sends(house)
    sends(house)
    (mail,) = server.mails
    assert (mail.to, mail.subject) == (OLD, "A passkey signs you in at Example Works")
    assert "Desk" in mail.text


def test_without_a_mail_server_the_page_says_what_to_do(tmp_path: Path) -> None:
    with running(tmp_path / "data", every_route()) as silent:
        made = enter(silent, VIEWER)
        page = made.get("/me/address").text
        assert "No email is sent from here" in page
        answer = made.post("/me/address", data={"csrf": csrf(made.get("/me").text), "email": NEW, "old": OLD})
        assert (answer.status_code, "No email is sent from here" in answer.text) == (404, True)
