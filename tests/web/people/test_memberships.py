"""Somebody of two clients: what they see, what ends, and that neither client's manager learns of the other client."""

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from domain.agreement.share import ActivateTerms, DraftShare, RevokeShare
from domain.commands import AnyCommand, encode
from domain.ids import ClientId, CommandId, PersonId, ShareId
from domain.people.clients import EndClient
from domain.people.memberships import EndMembership
from domain.people.person import DisablePerson, ErasePerson, InvitePerson, Person
from domain.people.sign_ins import IssueLink
from projections.events.world import World
from tests.web.doors import OTHER_VIEWER, VIEWER, House, every_route, running
from tests.web.manager.agreement.test_shares import form_of
from tests.web.people.test_people import HIDDEN, depot
from tests.world import ACME, COUNCIL, HARBOUR, SHARE, everything
from web import clock
from web.ids import digest, new_id, new_secret
from web.write.permission import OPERATOR

THERE = "v@council.test"  # the address of the council's viewer
RANDOM = re.compile(
    r'name="(csrf|command_id)" value="\w+"|/in/[\w-]+|viewers/[\w-]+|people/[\w-]+|(?<=")[\w-]{12}(?=")'
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Acme is shared Harbour Line, the council Depot. Nell manages Harbour Line alone."""
    with running(tmp_path / "data", every_route()) as made:
        for command in depot():
            told(made, command)  # type: ignore[arg-type]
        nell = InvitePerson(
            person=PersonId("nell"), name="Nell", email="nell@x.test", role="manager", projects=(HARBOUR,)
        )
        told(made, nell)
        yield made


def told(house: House, command: AnyCommand) -> None:
    house.process.services.service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))


def world(house: House) -> World:
    return house.process.services.present.refresh()


def both(house: House, email: str = THERE, name: str = "Vee") -> Person:
    """Let the council's viewer in at Acme as well."""
    told(house, InvitePerson(person=PersonId(new_id()), name=name, email=email, role="viewer", client=ACME))
    return world(house).people[PersonId(OTHER_VIEWER)]


def browser(house: House, person: str, only: ClientId | None = None, client: TestClient | None = None) -> TestClient:
    """Sign somebody in by the page of a link, in a new browser or in one they have."""
    secret = house.process.services.credentials.link(OPERATOR, PersonId(person), only)
    there = client or house.client()
    assert there.post(f"/in/{secret}", headers={"origin": "http://testserver"}).status_code == 303
    return there


def reads(client: TestClient) -> list[int]:
    return [client.get(f"/s/{share}").status_code for share in (SHARE, HIDDEN)]


# what the person sees


def test_the_same_address_is_the_same_person_with_a_second_membership(house: House) -> None:
    before = len(world(house).people)
    person = both(house, email="V@Council.test")
    assert len(world(house).people) == before
    assert person.clients == (COUNCIL, ACME)
    assert (person.memberships[COUNCIL].name, person.memberships[ACME].name) == ("Vera", "Vee")


def test_the_home_of_somebody_of_two_clients_lists_what_each_is_shared(house: House) -> None:
    both(house)
    client = browser(house, OTHER_VIEWER)
    page = client.get("/home").text
    assert re.findall(r'<h2 class="of">([^<]+)</h2>', page) == ["Acme Rail", "City Council"]
    assert re.findall(r'<a href="/s/([\w-]+)">', page) == [SHARE, HIDDEN]
    assert "Acme Rail and City Council" in page
    assert reads(client) == [200, 200]
    alone = house.client(VIEWER).get("/home/shares").text
    assert 'class="of"' not in alone


def test_what_has_ended_stands_with_its_own_client(house: House) -> None:
    both(house)
    told(house, RevokeShare(share=ShareId(HIDDEN), reason="Contract over"))
    page = browser(house, OTHER_VIEWER).get("/home").text
    assert re.findall(r'<h2 class="of">([^<]+)</h2>', page) == ["Acme Rail", "City Council"]
    acme, council = page[page.index("Acme Rail</h2>") :].split("City Council</h2>")
    assert ("Ended on" in acme, "Ended on" in council) == (False, True)
    assert "Nothing is shared with you now." in council
    assert "One project is shared with you." in page
    assert 'class="of"' not in browser(house, OTHER_VIEWER, COUNCIL).get("/home/shares").text.split('class="past"')[0]


def test_a_link_opens_its_own_client_and_beside_an_open_session_both(house: House) -> None:
    both(house)
    here = browser(house, OTHER_VIEWER, COUNCIL)
    assert reads(here) == [404, 200]
    assert reads(browser(house, OTHER_VIEWER, ACME, here)) == [200, 200]
    assert reads(browser(house, OTHER_VIEWER, ACME)) == [200, 404]


def test_a_session_that_was_open_before_does_not_open_what_was_added_since(house: House) -> None:
    client = browser(house, OTHER_VIEWER)
    both(house)
    assert reads(client) == [404, 200]
    assert reads(browser(house, OTHER_VIEWER, None, client)) == [200, 200]


def test_a_link_to_one_client_shows_nothing_of_the_other_on_ones_own_pages(house: House) -> None:
    both(house)
    browser(house, OTHER_VIEWER, COUNCIL)
    by_link = browser(house, OTHER_VIEWER, ACME)
    for path in ("/home/shares", "/home/mail"):
        text = by_link.get(path).text
        assert "Depot" not in text
        assert "City Council" not in text
    assert by_link.get("/home").headers["location"] == f"/s/{SHARE}"
    assert by_link.get("/me").text.count("/me/sessions/") == 1


def test_a_choice_of_mails_is_made_for_each_client(house: House) -> None:
    both(house)
    client = browser(house, OTHER_VIEWER)
    text = client.get("/home/mail").text
    csrf = re.search(r'name="csrf" value="(\w+)"', text)
    assert csrf is not None
    client.post("/home/mail", data={"csrf": csrf[1], "cadence": "off", "client": ACME})
    assert client.post("/home/mail", data={"csrf": csrf[1], "cadence": "off", "client": "nosuch"}).status_code == 303


# ends


def test_the_end_of_one_membership_leaves_the_other(house: House) -> None:
    both(house)
    client, manager = browser(house, OTHER_VIEWER), house.client("manager")
    there = f"/clients/{ACME}/people/{OTHER_VIEWER}/end"
    form = form_of(manager.get(there).text, there) | {"reason": "Left the project"}
    assert manager.post(there, data=form).status_code == 303
    assert reads(client) == [404, 200]
    assert client.get("/home").headers["location"] == f"/s/{HIDDEN}"
    assert manager.get(there).status_code == 404
    told(house, EndMembership(person=PersonId(OTHER_VIEWER), client=COUNCIL, reason="Left"))
    assert client.get("/home").headers["location"] == "/sign-in"


def test_the_end_of_a_client_ends_its_memberships_alone(house: House) -> None:
    both(house)
    client = browser(house, OTHER_VIEWER)
    told(house, EndClient(client=COUNCIL, reason="Contract over"))
    assert reads(client) == [200, 404]
    assert world(house).people[PersonId(OTHER_VIEWER)].clients == (ACME,)
    assert not any(person.clients == (COUNCIL,) for person in world(house).people.values())


def test_what_was_read_while_a_membership_ended_is_not_handed_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    both(house)
    client = browser(house, OTHER_VIEWER)
    sound = house.process.viewing.called

    def meanwhile(share: str) -> Any:
        answer = sound(share)
        if share == SHARE and ACME in world(house).people[PersonId(OTHER_VIEWER)].clients:
            told(house, EndMembership(person=PersonId(OTHER_VIEWER), client=ACME, reason="Left"))
        return answer

    monkeypatch.setattr(house.process.viewing, "called", meanwhile)
    answer = client.get(f"/s/{SHARE}/history")
    assert (answer.status_code, answer.headers["location"]) == (303, f"http://testserver/s/{SHARE}/history")
    assert client.get(f"/s/{SHARE}/history").status_code == 404


def test_somebody_erased_is_erased_from_every_client(house: House) -> None:
    both(house, name="Vee Otherwise")
    client, manager = browser(house, OTHER_VIEWER), house.client("admin")
    told(house, ErasePerson(person=PersonId(OTHER_VIEWER), reason="Asked to be forgotten"))
    assert client.get("/home").headers["location"] == "/sign-in"
    for key in (ACME, COUNCIL):
        page = manager.get(f"/clients/{key}").text
        assert "Vee Otherwise" not in page
        assert THERE not in page
    fresh = InvitePerson(person=PersonId(new_id()), name="V", email=THERE, role="viewer", client=ACME)
    told(house, fresh)  # nobody is known by that address any more
    assert fresh.person in world(house).people


# what a manager of one client learns of the other: nothing


def _sent(house: House, who: str, command: AnyCommand, **headers: str) -> tuple[int, dict[str, Any]]:
    answer = house.client().post(
        "/api/v1/commands", content=encode(command), headers=house.bearer(who) | {"idempotency-key": new_id()} | headers
    )
    return answer.status_code, json.loads(answer.content)


def _invite(email: str, person: str = "mine") -> InvitePerson:
    return InvitePerson(person=PersonId(person), name="Vee", email=email, role="viewer", client=ACME)


def test_an_invitation_answers_alike_whether_or_not_the_address_was_known(house: House) -> None:
    """Through the JSON API, by every field of the answer, and again with whatever the first answer named."""
    answers = []
    for email, person in ((THERE, "one"), ("new@council.test", "two"), ("three@council.test", OTHER_VIEWER)):
        status, invited = _sent(house, "nell", _invite(email, person))
        key = PersonId(invited["stream"].removeprefix("person-"))
        shape = {name: value if name != "stream" else len(value) for name, value in invited.items()}
        link = IssueLink(person=key, hash=digest(new_secret()), expires=clock.now().replace(year=2099), client=ACME)
        issued, more = _sent(house, "nell", link)
        counted = _sent(house, "nell", link, **{"expected-version": "1"})
        elsewhere, refused = _sent(house, "nell", msgspec_replaced(link, client=COUNCIL))
        whole, _ended = _sent(house, "nell", DisablePerson(person=key, reason="Left"))
        answers.append(
            (status, shape, issued, len(more["stream"]), more["version"], counted, elsewhere, refused, whole)
        )
        if email == THERE:
            assert key == OTHER_VIEWER  # or this compares nothing
            assert world(house).people[key].clients == (COUNCIL,)  # ended at Acme alone
            shape_length = len(new_id()) - len(OTHER_VIEWER)  # the sample's ids are words; real ones are of one length
            answers[-1] = _lengthened(answers[-1], shape_length)
        else:
            assert key not in ("two", OTHER_VIEWER)  # the id is ours in any case
            assert not world(house).people[key].comes_in
    assert answers[0] == answers[1] == answers[2]


def msgspec_replaced(link: IssueLink, client: ClientId) -> IssueLink:
    return IssueLink(person=link.person, hash=link.hash, expires=link.expires, client=client)


def _lengthened(answer: Any, by: int) -> Any:
    status, shape, issued, length, *rest = answer
    return (status, shape | {"stream": shape["stream"] + by}, issued, length + by, *rest)


def test_the_pages_of_a_client_are_the_same_bytes_whether_or_not_the_address_was_known(house: House) -> None:
    nell, here = house.client("nell"), f"/p/{HARBOUR}/shares/{SHARE}"
    told(house, IssueLink(person=PersonId(OTHER_VIEWER), hash="old", expires=clock.now().replace(year=2099)))
    session = browser(house, OTHER_VIEWER)
    seen = []
    for email, person in ((THERE, OTHER_VIEWER), ("w@council.test", "")):
        form = form_of(nell.get(here).text, "/viewers") | {"name": "Vee", "email": email}
        answer = nell.post(f"{here}/viewers", data=form)
        assert answer.status_code == 200
        key = person or next(reversed(world(house).people))
        assert session.get("/home").status_code in (200, 303)  # they go on with what they have
        pages = [answer.text, nell.get(here).text, nell.get(f"/clients/{ACME}").text, nell.get(f"/clients/{ACME}").text]
        seen.append([RANDOM.sub("", page).replace(email, "ADDRESS").replace(key, "KEY") for page in pages])
        told(house, EndMembership(person=PersonId(key), client=ACME, reason="Left"))
        told(house, ErasePerson(person=PersonId(key), reason="Asked"))
    for one, other in zip(*seen, strict=True):
        assert one == other
    assert "Has not signed in yet" in seen[0][2]


def test_a_manager_sees_the_name_and_the_sign_ins_of_their_own_client(house: House) -> None:
    both(house, name="Vee of Acme")
    browser(house, OTHER_VIEWER, COUNCIL)
    nell, everybody = house.client("nell"), house.client("manager")
    page = nell.get(f"/clients/{ACME}").text
    assert "Vee of Acme" in page
    for secret in ("City Council", "Depot", "also for"):
        assert secret not in page
    assert page.count("Has not signed in yet") == 2
    assert "/sessions/" not in page
    whole = everybody.get(f"/clients/{ACME}").text
    assert "also for City Council" in whole
    assert "Vera" in everybody.get(f"/clients/{COUNCIL}").text
    assert "Vee of Acme" not in everybody.get(f"/clients/{COUNCIL}").text
    browser(house, OTHER_VIEWER, ACME)
    assert nell.get(f"/clients/{ACME}").text.count("Has not signed in yet") == 1


def test_a_session_of_another_client_is_not_a_managers_to_end(house: House) -> None:
    both(house)
    there, here = browser(house, OTHER_VIEWER, COUNCIL), browser(house, OTHER_VIEWER, ACME)
    nell = house.client("nell")
    csrf = form_of(nell.get("/p").text, "/sign-out")["csrf"]
    for session in world(house).people[PersonId(OTHER_VIEWER)].sessions:
        nell.post(f"/clients/{ACME}/people/{OTHER_VIEWER}/sessions/{session}/end", data={"csrf": csrf})
    assert there.get(f"/s/{HIDDEN}").status_code == 200
    assert here.get("/home").headers["location"] == "/sign-in"


def test_a_second_share_with_a_client_is_open_to_whoever_was_signed_in_for_it(house: House) -> None:
    both(house)
    client = browser(house, OTHER_VIEWER)
    share, ids = ShareId("later"), itertools.count()
    for command in (
        DraftShare(share=share, project=HARBOUR, client=ACME, terms=everything()),
        ActivateTerms(share=share, reason="Agreed"),
    ):
        house.process.services.service.execute(OPERATOR, command, command_id=CommandId(f"later{next(ids)}"))
    assert client.get(f"/s/{share}").status_code == 200
