"""The page of a client: who has access, what last reached whom, whom to let in at all, and ending one or everybody."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.agreement.share import RevokeShare
from domain.errors import Invalid
from domain.ids import CommandId, PersonId
from domain.people.person import InvitePerson
from projections.receipts.claims import Receipt
from tests.web.doors import OTHER_VIEWER, VIEWER, House, every_route, running
from tests.web.manager.agreement.test_shares import form_of
from tests.world import ACME, COUNCIL, HARBOUR, SHARE
from web import clock
from web.ids import new_id
from web.write.permission import OPERATOR

HERE = f"/clients/{ACME}"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path / "data", every_route()) as made:
        yield made


def told(house: House, command: object) -> None:
    house.process.services.service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))  # type: ignore[arg-type]


def claim(house: House, kind: str, n: int, person: str = VIEWER, tab: str = "t1") -> None:
    at = clock.now().timestamp()
    house.process.services.receipts.take(
        [Receipt(share=SHARE, person=person, session=f"s-{person}", tab=tab, kind=kind, n=n, at=at)]  # type: ignore[arg-type]
    )


def reached(page: str) -> list[tuple[str, str, str]]:
    """Name, last handed over and last displayed of each viewer in the table."""
    found = re.findall(
        r'<th scope="row">([^<]+)</th>\s*<td class="r" data-label="Handed over">(\d+)</td>\s*'
        r'<td class="r" data-label="Displayed">(.*?)</td>',
        page,
    )
    return [(name, n, re.sub("<.*?>", "", shown)) for name, n, shown in found]


def second(house: House, name: str = "Noor") -> str:
    person = PersonId(name.lower())
    told(house, InvitePerson(person=person, name=name, email=f"{person}@acme.test", role="viewer", client=ACME))
    return person


# who there is


def test_the_list_counts_shares_people_and_open_pages(house: House) -> None:
    page = house.client("manager").get("/clients").text
    assert "2 clients" in page
    row = page[page.index(f'href="{HERE}"') :].split("</tr>")[0]
    assert re.findall(r'<td class="r"[^>]*>(\d+)</td>', row) == ["1", "1", "0"]
    for nobody in (VIEWER, "auditor"):
        assert house.client(nobody).get("/clients").status_code == 404


def test_the_page_of_a_client_names_its_people_their_state_and_their_sessions(house: House) -> None:
    second(house)
    house.client(VIEWER)
    page = house.client("manager").get(HERE).text
    for text in ("Vera", "v@acme.test", "Noor", "noor@acme.test", "Harbour Line (internal)", "In force"):
        assert text in page
    assert page.count("Has not signed in yet") == 1
    assert page.count("Session on") == 1
    assert "by a personal link" in page
    assert "v@council.test" not in page
    assert house.client("manager").get("/clients/nosuch").status_code == 404


def test_what_last_reached_each_viewer_is_the_highest_number_any_page_of_theirs_was_handed(house: House) -> None:
    noor = second(house)
    for kind, n, person, tab in (
        ("delivered", 3, VIEWER, "a"),
        ("displayed", 2, VIEWER, "a"),
        ("closed", 5, VIEWER, "a"),  # the socket had been handed 5 when it ended
        ("delivered", 4, VIEWER, "b"),
        ("delivered", 1, noor, "c"),
    ):
        claim(house, kind, n, person, tab)
    manager = house.client("manager")
    assert reached(manager.get(HERE).text) == [("Vera", "5", "2"), ("Noor", "1", "none")]
    house.client(noor).get(f"/s/{SHARE}")  # a page made at 1 is no news
    assert ("Noor", "1", "none") in reached(manager.get(HERE).text)


def test_a_page_without_scripts_counts_by_the_update_it_was_made_at(house: House) -> None:
    house.client(VIEWER).get(f"/s/{SHARE}")
    assert reached(house.client("manager").get(HERE).text) == [("Vera", "1", "none")]


def test_the_last_number_is_shown_also_after_a_share_or_a_persons_access_ended(house: House) -> None:
    claim(house, "displayed", 1)
    claim(house, "closed", 1)
    admin = house.client("admin")
    there = f"/p/{HARBOUR}/shares/{SHARE}"
    assert reached(admin.get(there).text) == []  # while it is in force the page of the share speaks of now
    form = form_of(admin.get(f"{HERE}/people/{VIEWER}/end").text, "/end")
    assert admin.post(f"{HERE}/people/{VIEWER}/end", data=form | {"reason": "Left"}).status_code == 303
    assert reached(admin.get(HERE).text) == [("Vera", "1", "1")]
    told(house, RevokeShare(share=SHARE, reason="Handed over"))
    for page in (admin.get(HERE).text, admin.get(there).text):
        assert reached(page) == [("Vera", "1", "1")]
        assert "No update after 1 was made." in page


# whom to let in at all


def test_only_addresses_in_the_domains_of_a_client_can_be_invited(house: House) -> None:
    manager = house.client("manager")
    form = form_of(manager.get(HERE).text, "/domains#domains")
    assert manager.post(f"{HERE}/domains", data=form | {"domains": "acme.test, @ACME-rail.test"}).status_code == 303
    assert house.process.services.present.world.clients[ACME].domains == ("acme-rail.test", "acme.test")
    assert 'value="acme-rail.test, acme.test"' in manager.get(HERE).text
    second(house)
    with pytest.raises(Invalid, match="Only addresses at"):
        told(house, InvitePerson(person="x", name="X", email="x@elsewhere.test", role="viewer", client=ACME))
    wrong = manager.post(f"{HERE}/domains", data=form | {"command_id": new_id(24), "domains": "acme.test nonsense"})
    assert wrong.status_code == 422
    assert 'value="acme.test nonsense"' in wrong.text
    assert "is no email domain" in wrong.text
    assert manager.post(f"{HERE}/domains", data=form | {"command_id": new_id(24), "domains": ""}).status_code == 303
    assert house.process.services.present.world.clients[ACME].domains == ()


# ending one


def test_a_person_is_ended_for_a_reason_and_only_on_the_page_of_their_client(house: House) -> None:
    manager, vera = house.client("manager"), house.client(VIEWER)
    form = form_of(manager.get(f"{HERE}/people/{VIEWER}/end").text, "/end")
    for without in ("", "   "):
        answer = manager.post(f"{HERE}/people/{VIEWER}/end", data=form | {"reason": without})
        assert (answer.status_code, "why-wrong" in answer.text) == (422, True)
    assert manager.get(f"/clients/{COUNCIL}/people/{VIEWER}/end").status_code == 404
    assert manager.get(f"{HERE}/people/manager/end").status_code == 404
    assert vera.get(f"/s/{SHARE}").status_code == 200
    assert manager.post(f"{HERE}/people/{VIEWER}/end", data=form | {"reason": "Left Acme"}).status_code == 303
    assert vera.get(f"/s/{SHARE}").headers["location"] == "/sign-in"
    page = manager.get(HERE).text
    assert 'class="done"' in page
    assert "Ended" in page
    assert manager.get(f"{HERE}/people/{VIEWER}/end").status_code == 404


def test_one_session_of_a_viewer_is_ended_and_the_other_goes_on(house: House) -> None:
    manager, one, two = house.client("manager"), house.client(VIEWER), house.client(VIEWER)
    page = manager.get(HERE).text
    addresses = re.findall(rf'action="({HERE}/people/{VIEWER}/sessions/[a-z0-9]+/end)"', page)
    assert len(addresses) == 2
    form = form_of(page, addresses[0])
    assert manager.post(addresses[0], data=form).status_code == 303
    assert sorted(browser.get(f"/s/{SHARE}").status_code for browser in (one, two)) == [200, 303]
    staff = addresses[0].replace(VIEWER, "auditor")
    assert manager.post(staff, data=form).status_code == 404


# ending everybody


def test_a_whole_client_ends_by_its_name_typed_exactly_and_a_reason(house: House) -> None:
    noor = second(house)
    manager, vera = house.client("manager"), house.client(VIEWER)
    council = house.client(OTHER_VIEWER)
    claim(house, "displayed", 1)
    form_page = manager.get(f"{HERE}/end").text
    counts = re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", form_page)
    assert counts == [("Shares in force", "1"), ("People with access", "2"), ("Open pages now", "0")]
    form = form_of(form_page, f"{HERE}/end")
    for typed, field in (
        ({"name": "acme rail", "reason": "Over"}, "name"),
        ({"name": "", "reason": "Over"}, "name"),
        ({"name": "Acme Rail", "reason": " "}, "reason"),
    ):
        answer = manager.post(f"{HERE}/end", data=form | typed)
        assert answer.status_code == 422
        assert f'id="e-{field}-wrong"' in answer.text
        assert f'value="{typed["reason"].strip()}"' in answer.text
    assert house.process.services.present.world.clients[ACME].ended_at is None
    assert vera.get(f"/s/{SHARE}").status_code == 200
    before = house.process.services.logs.events.head()
    assert manager.post(f"{HERE}/end", data=form | {"name": "Acme Rail", "reason": "Contract over"}).status_code == 303
    events = (
        [r.event for r in house.process.services.logs.events.read(before, 10)]
        if hasattr(house.process.services.logs.events, "read")
        else None
    )
    if events is not None:
        assert [type(e).__name__ for e in events if type(e).__name__ != "CommandCarriedOut"] == ["ClientEnded"]
    assert vera.get(f"/s/{SHARE}").headers["location"] == "/sign-in"
    assert council.get("/home").status_code == 200
    page = manager.get(f"{HERE}?done=ended").text
    for text in ("Every open page was closed", "Ended because: Contract over", "No update after 1 was made."):
        assert text in page
    assert reached(page) == [("Vera", "1", "1")]
    assert f"{HERE}/end" not in page
    assert manager.get(f"{HERE}/end").headers["location"] == HERE
    world = house.process.services.present.world
    assert not any(world.people[PersonId(person)].comes_in for person in (VIEWER, noor))
    assert world.people[PersonId(OTHER_VIEWER)].comes_in
    assert house.process.services.credentials.holder("anything") is None


def test_a_client_that_was_ended_cannot_be_shared_with_again(house: House) -> None:
    manager = house.client("manager")
    form = form_of(manager.get(f"{HERE}/end").text, f"{HERE}/end")
    manager.post(f"{HERE}/end", data=form | {"name": "Acme Rail", "reason": "Over"})
    new = form_of(manager.get(f"/p/{HARBOUR}/shares/new").text, "/shares/new")
    answer = manager.post(f"/p/{HARBOUR}/shares/new", data=new | {"client": ACME})
    assert (answer.status_code, "has ended" in answer.text) == (409, True)
