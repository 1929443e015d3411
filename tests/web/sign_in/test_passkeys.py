"""Passkeys: added, used, removed and lost, with an authenticator in software; and whatever must let nobody in."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from starlette.testclient import TestClient

from domain.errors import Denied, Refused
from domain.ids import CommandId, PersonId
from domain.people import passkeys
from domain.people.memberships import EndMembership, GrantMembership
from domain.people.passkeys import (
    AddPasskey,
    ConfirmPasskeyReplacement,
    Passkey,
    PasskeyAdded,
    RemovePasskey,
    RenamePasskey,
)
from domain.people.person import DisablePerson, InvitePerson, Person
from domain.people.rules import RequirePasskeys, SetDeviceDays
from tests.authenticator import Authenticator
from tests.web.doors import VIEWER, House, every_route
from tests.web.doors import running as running_house
from tests.web.sign_in.test_sessions import csrf
from tests.world import ACME, ADMIN, COUNCIL, SHARE
from web.clock import Virtual
from web.identity import webauthn
from web.ids import new_id
from web.write.permission import OPERATOR, Actor

HERE, HOST = "https://status.example.com", "status.example.com"
FORM = {"origin": HERE}


@pytest.fixture
def now() -> Virtual:
    return Virtual(datetime(2027, 3, 2, 9, tzinfo=UTC))


@pytest.fixture
def house(tmp_path: Path, now: Virtual) -> Iterator[House]:
    with running_house(tmp_path / "data", every_route(), now, public_url=HERE, sign_in_per_minute=1000) as made:
        yield made


def browser(house: House) -> TestClient:
    return TestClient(house.app, base_url=HERE, follow_redirects=False)


def enter(house: House, person: str, client: str | None = None) -> TestClient:
    """Come in by a link, in a browser of one's own."""
    made = browser(house)
    secret = house.process.services.credentials.link(OPERATOR, PersonId(person), client)  # type: ignore[arg-type]
    assert made.post(f"/in/{secret}", headers=FORM).status_code == 303
    return made


def person(house: House, key: str) -> Person:
    return house.process.services.present.refresh().people[PersonId(key)]


def ring(house: House, key: str) -> list[Passkey]:
    return list(person(house, key).keyring.passkeys.values())


def tell(house: House, command: Any, actor: Actor = ADMIN) -> None:
    house.process.services.service.execute(actor, command, command_id=CommandId(new_id()))


def form(made: TestClient) -> dict[str, str]:
    return {"csrf": csrf(made.get("/me/passkeys").text)}


def adds(made: TestClient, device: Authenticator, name: str = "Key") -> Any:
    """Add a passkey as the script of the page does, and return the answer."""
    sent = form(made)
    begun = made.post("/me/passkeys/begin", headers={"x-fanlight-form": sent["csrf"]})
    assert begun.status_code == 200
    return made.post("/me/passkeys", data={**sent, "name": name, "credential": device.make(begun.json())})


def signs(made: TestClient, device: Authenticator, to: str = "", keep: str = "") -> Any:
    """Sign in by a passkey as the script of the sign-in page does, and return the answer."""
    begun = made.post("/sign-in/passkey/begin", headers=FORM)
    assert begun.json().get("allowCredentials", []) == []
    sent = {"credential": device.sign(begun.json()), "to": to, "keep": keep}
    return made.post("/sign-in/passkey", data=sent, headers=FORM)


def device(*, synced: bool = False) -> Authenticator:
    return Authenticator(HERE, HOST, synced=synced)


def test_a_viewer_adds_one_and_comes_in_by_it_where_they_wanted(house: House, now: Virtual) -> None:
    mine, made = device(), enter(house, VIEWER)
    answer = adds(made, mine, "Desk")
    assert answer.headers["location"] == "/me/passkeys?done=added"
    page = made.get(answer.headers["location"]).text
    assert "You have 1 passkey." in page
    assert "never" in page
    other = browser(house)
    assert 'data-passkey="enter"' in other.get("/sign-in").text
    now.at += timedelta(days=1)
    entered = signs(other, mine, f"/s/{SHARE}")
    assert (entered.status_code, entered.json()) == (200, {"to": f"/s/{SHARE}"})
    assert other.get(f"/s/{SHARE}").status_code == 200
    me = other.get("/me").text
    assert "by a passkey" in me
    assert "3 Mar 2027" in other.get("/me/passkeys").text
    (kept,) = ring(house, VIEWER)
    assert (kept.name, kept.host, kept.count) == ("Desk", HOST, 2)


def test_whoever_signs_in_by_one_keeps_the_device_by_choice_alone(house: House) -> None:
    mine = device()
    adds(enter(house, VIEWER), mine)
    other = browser(house)
    assert "Keep this device signed in" in other.get("/sign-in").text
    assert signs(other, mine).status_code == 200
    assert not person(house, VIEWER).devices.kept
    assert signs(browser(house), mine, keep="yes").status_code == 200
    (kept,) = person(house, VIEWER).devices.kept.values()
    assert kept.passkey == ring(house, VIEWER)[0].id
    tell(house, SetDeviceDays(days=0))
    assert "Keep this device signed in" not in browser(house).get("/sign-in").text
    signs(browser(house), mine, keep="yes")
    assert list(person(house, VIEWER).devices.kept.values()) == [kept]


def test_what_lets_nobody_in_is_answered_alike(house: House, now: Virtual) -> None:
    def refused(made: TestClient, sent: Authenticator) -> tuple[int, bytes, list[tuple[str, str]]]:
        answer = signs(made, sent)
        return answer.status_code, answer.content, sorted(answer.headers.items())

    known, stranger, ended = device(), device(), device()
    adds(enter(house, VIEWER), known)
    adds(enter(house, "auditor"), ended)
    tell(house, DisablePerson(person=PersonId("auditor"), reason="left"))
    stranger.handle = known.handle
    first = refused(browser(house), stranger)
    assert first[0] == 403
    forged, elsewhere, unverified, of_another = device(), device(), device(), device()
    for fake in (forged, elsewhere, unverified, of_another):
        fake.id, fake.handle = known.id, known.handle
    elsewhere.key, elsewhere.origin = known.key, "https://evil.example.com"
    unverified.key, unverified.verifies = known.key, False
    of_another.key, of_another.handle = known.key, stranger.handle[::-1]
    for sent in (ended, forged, elsewhere, unverified, of_another):
        assert refused(browser(house), sent) == first
    for odd in (
        "",
        "{}",
        "[]",
        "null",
        "{" * 20_000,
        '{"rawId":1,"response":{"userHandle":2}}',
        "x" * 40_000,
        "\ud800",
    ):
        made = browser(house)
        made.post("/sign-in/passkey/begin", headers=FORM)
        answer = made.post("/sign-in/passkey", data={"credential": odd.encode("utf-8", "replace")}, headers=FORM)
        assert (answer.status_code, answer.content) == first[:2]
    assert signs(browser(house), known).status_code == 200


def test_a_challenge_is_good_once_for_five_minutes_and_in_its_own_browser(house: House, now: Virtual) -> None:
    mine, made = device(synced=True), browser(house)
    adds(enter(house, VIEWER), mine)
    begun = made.post("/sign-in/passkey/begin", headers=FORM)
    cookie, name = made.cookies["__Host-fanlight-passkey"], "__Host-fanlight-passkey"
    signed = {"credential": mine.sign(begun.json())}
    assert browser(house).post("/sign-in/passkey", data=signed, headers=FORM).status_code == 403  # another browser
    assert made.post("/sign-in/passkey", data=signed, headers=FORM).status_code == 200
    assert name not in made.cookies
    for _again in range(2):
        thief = browser(house)
        thief.cookies.set(name, cookie)
        assert thief.post("/sign-in/passkey", data=signed, headers=FORM).status_code == 403
    begun = made.post("/sign-in/passkey/begin", headers=FORM)
    signed = {"credential": mine.sign(begun.json())}
    now.at += timedelta(minutes=5, seconds=1)
    late = made.post("/sign-in/passkey", data=signed, headers=FORM)
    assert (late.status_code, "too long" in late.text) == (403, True)
    assert made.post("/sign-in/passkey", data=signed).status_code == 403  # not from a page of ours
    assert made.post("/sign-in/passkey/begin").status_code == 403


def test_a_challenge_for_signing_in_adds_nothing_and_one_of_another_session_neither(house: House) -> None:
    made, mine = enter(house, VIEWER), device()
    sent = form(made)
    begun = made.post("/me/passkeys/begin", headers={"x-fanlight-form": sent["csrf"]}).json()
    for_signing = made.post("/sign-in/passkey/begin", headers=FORM).json()
    swapped = {**begun, "challenge": for_signing["challenge"]}
    answer = made.post("/me/passkeys", data={**sent, "name": "x", "credential": mine.make(swapped)})
    assert (answer.status_code, "could not be verified" in answer.text) == (422, True)
    other = enter(house, VIEWER)
    begun = made.post("/me/passkeys/begin", headers={"x-fanlight-form": sent["csrf"]}).json()
    other.cookies.set("__Host-fanlight-passkey", made.cookies["__Host-fanlight-passkey"])
    answer = other.post("/me/passkeys", data={**form(other), "name": "x", "credential": mine.make(begun)})
    assert answer.status_code == 422
    assert ring(house, VIEWER) == []


def test_several_tabs_of_a_browser_share_a_challenge_while_it_is_fresh(house: House, now: Virtual) -> None:
    made = browser(house)
    first = made.post("/sign-in/passkey/begin", headers=FORM).json()["challenge"]
    assert made.post("/sign-in/passkey/begin", headers=FORM).json()["challenge"] == first
    now.at += timedelta(minutes=3)
    assert made.post("/sign-in/passkey/begin", headers=FORM).json()["challenge"] != first


def test_a_count_that_does_not_rise_is_taken_as_a_copy_and_a_synced_one_gives_nought(house: House) -> None:
    counts, synced = device(), device(synced=True)
    for mine in (counts, synced):
        adds(enter(house, VIEWER), mine)
        assert [signs(browser(house), mine).status_code for _ in range(2)] == [200, 200]
    counts.count -= 1
    assert signs(browser(house), counts).status_code == 403
    assert signs(browser(house), counts).status_code == 403, "not even with a count that is higher again"
    made = enter(house, VIEWER)
    page = made.get("/me/passkeys").text
    assert "may have been copied" in page
    assert signs(browser(house), synced).status_code == 200
    doubted = next(one for one in ring(house, VIEWER) if one.doubted)
    made.post(f"/me/passkeys/{doubted.id}/remove", data=form(made))
    assert "may have been copied" not in made.get("/me/passkeys").text


def test_several_are_named_and_removed_and_what_one_opened_closes(house: House) -> None:
    made, desk, phone = enter(house, VIEWER), device(), device()
    adds(made, desk, "Desk")
    adds(made, phone, "Phone")
    assert [one.name for one in ring(house, VIEWER)] == ["Desk", "Phone"]
    begun = made.post("/me/passkeys/begin", headers={"x-fanlight-form": form(made)["csrf"]}).json()
    assert len(begun["excludeCredentials"]) == 2
    thief = browser(house)
    signs(thief, phone)
    assert thief.get("/home").status_code == 303
    lost = next(one for one in ring(house, VIEWER) if one.name == "Phone")
    made.post(f"/me/passkeys/{lost.id}/remove", data=form(made))
    assert thief.get(f"/s/{SHARE}").headers["location"].startswith("/sign-in")
    assert signs(browser(house), phone).status_code == 403
    assert signs(browser(house), desk).status_code == 200
    assert made.get(f"/s/{SHARE}").status_code == 200
    too_long = adds(made, device(), "x" * 61)
    assert (too_long.status_code, "at most 60 letters" in too_long.text) == (422, True)


def test_one_is_renamed_by_whom_it_signs_in_and_where_it_may_be_removed(house: House, now: Virtual) -> None:
    tell(house, GrantMembership(person=PersonId(VIEWER), client=COUNCIL, name="V", email="v@else.test"))
    made = enter(house, VIEWER, ACME)
    adds(made, device(), "Desk")
    (held,) = ring(house, VIEWER)
    there = f"/me/passkeys/{held.id}/rename"
    answer = made.post(there, data={**form(made), "name": "Blue key"})
    assert answer.headers["location"] == "/me/passkeys?done=renamed"
    assert "Blue key" in made.get("/me/passkeys?done=renamed").text
    assert [one.name for one in ring(house, VIEWER)] == ["Blue key"]
    too_long = made.post(there, data={**form(made), "name": "x" * 61})
    assert (too_long.status_code, "at most 60 letters" in too_long.text) == (422, True)
    council = enter(house, VIEWER, COUNCIL)
    told = [
        council.post(path, data={**form(council), "name": "Theirs"}) for path in (there, "/me/passkeys/none/rename")
    ]
    assert [(one.status_code, one.headers["location"]) for one in told] == [(303, "/me/passkeys?done=renamed")] * 2
    adds(enter(house, "manager"), device(), "Office")
    now.at += timedelta(hours=13)
    without = enter(house, "manager")
    (own,) = ring(house, "manager")
    refused = without.post(f"/me/passkeys/{own.id}/rename", data={**form(without), "name": "Other"})
    assert (refused.status_code, "Sign in by a passkey first" in refused.text) == (409, True)
    assert [one.name for one in (*ring(house, VIEWER), *ring(house, "manager"))] == ["Blue key", "Office"]


_added = passkeys._added


def test_one_added_by_a_link_to_one_client_opens_no_other(house: House) -> None:
    tell(house, GrantMembership(person=PersonId(VIEWER), client=COUNCIL, name="V", email="v@else.test"))
    mine = device()
    adds(enter(house, VIEWER, ACME), mine)
    assert signs(browser(house), mine).status_code == 200
    assert list(person(house, VIEWER).sessions.values())[-1].clients == (ACME,)
    council = enter(house, VIEWER, COUNCIL)
    assert "You have no passkey" in council.get("/me/passkeys").text
    (held,) = ring(house, VIEWER)
    council.post(f"/me/passkeys/{held.id}/remove", data=form(council))
    assert len(ring(house, VIEWER)) == 1, "and it cannot be removed from there"
    both = device()
    whole = enter(house, VIEWER)
    adds(whole, both)
    assert "for Acme Rail" in whole.get("/me/passkeys").text
    signs(browser(house), both)
    assert list(person(house, VIEWER).sessions.values())[-1].clients == (ACME, COUNCIL)
    tell(house, EndMembership(person=PersonId(VIEWER), client=ACME, reason="left"))
    assert [one.clients for one in ring(house, VIEWER)] == [(COUNCIL,)]


def test_this_would_be_noticed_if_it_opened_more(house: House) -> None:
    tell(house, GrantMembership(person=PersonId(VIEWER), client=COUNCIL, name="V", email="v@else.test"))

    def mistaken(event: PasskeyAdded, _clients: Any, at: Any) -> Passkey:
        return _added(event, (ACME, COUNCIL), at)

    mine = device()
    with patch.object(passkeys, "_added", mistaken):
        adds(enter(house, VIEWER, ACME), mine)
        signs(browser(house), mine)
        assert list(person(house, VIEWER).sessions.values())[-1].clients == (ACME, COUNCIL)


def test_staff_who_lost_theirs_add_another_after_a_second_look_alone(house: House, now: Virtual) -> None:
    lost, found = device(), device()
    adds(enter(house, "manager"), lost)
    now.at += timedelta(hours=13)
    made, admin = enter(house, "manager"), enter(house, "admin")
    told = adds(made, found)
    assert (told.status_code, "An admin has to confirm first" in told.text) == (409, True)
    (held,) = ring(house, "manager")
    refused = made.post(f"/me/passkeys/{held.id}/remove", data=form(made))
    assert refused.status_code == 409
    asked = made.post("/me/passkeys/ask", data=form(made))
    assert asked.headers["location"] == "/me/passkeys?done=asked"
    assert "Asks to add another passkey" in admin.get("/people").text
    page = admin.get("/people/manager/passkeys").text
    admin.post(f"/people/manager/passkeys/{held.id}/remove", data={"csrf": csrf(page)})
    assert adds(made, found).status_code == 409, "that one was removed is no second look"
    admin.post("/people/manager/passkeys/confirm", data={"csrf": csrf(page)})
    assert adds(made, found).status_code == 303
    assert signs(browser(house), lost).status_code == 403
    assert signs(browser(house), found).status_code == 200
    again = enter(house, "manager")
    assert adds(again, device()).status_code == 409, "it was good for one"
    signed = browser(house)
    signs(signed, found)
    assert adds(signed, device()).status_code == 303, "who used one adds another"


def test_a_second_look_ends_and_nobody_gives_it_to_themselves(house: House, now: Virtual) -> None:
    adds(enter(house, "manager"), device())
    tell(house, ConfirmPasskeyReplacement(person=PersonId("manager"), expires=now.at + timedelta(hours=24)))
    now.at += timedelta(hours=24, seconds=1)
    assert adds(enter(house, "manager"), device()).status_code == 409
    itself = ConfirmPasskeyReplacement(person=PersonId("admin"), expires=now.at + timedelta(hours=1))
    admin = Actor(PersonId("admin"), "admin")
    with pytest.raises(Denied):
        tell(house, itself, admin)
    made = enter(house, "admin")
    adds(made, device())
    assert made.post("/people/admin/passkeys/confirm", data=form(made)).status_code == 404


def test_nobody_sends_what_has_to_be_verified(house: House) -> None:
    forged = AddPasskey(
        person=PersonId("manager"), passkey="p", name="x", credential="c", key="k", handle="h", host=HOST,
        session="s", challenge="c",
    )  # fmt: skip
    renamed = RenamePasskey(person=PersonId("admin"), passkey="p", name="x", session="s")
    for command in (forged, renamed, RemovePasskey(person=PersonId("manager"), passkey="p", cause="removed")):
        with pytest.raises(Denied):
            tell(house, command, Actor(PersonId("admin"), "admin"))
    with pytest.raises(Refused):
        tell(house, forged, OPERATOR)


def test_where_the_organisation_asks_for_one_its_people_go_nowhere_else(house: House) -> None:
    admin, mine = enter(house, "admin"), device()
    page = admin.get("/people").text
    refused = admin.post("/people/passkeys", data={"csrf": csrf(page), "required": "yes"})
    assert refused.status_code == 409, "who has none cannot lock themselves out"
    adds(admin, mine)
    assert admin.post("/people/passkeys", data={"csrf": csrf(page), "required": "yes"}).status_code == 303
    assert admin.get("/people").status_code == 200
    for who in ("manager", "auditor"):
        made, theirs = enter(house, who), device()
        for path in ("/p", "/audit", "/me", "/tokens", "/for-you"):
            answer = made.get(path)
            assert answer.status_code == 404 or answer.headers["location"] == "/me/passkeys", path
        assert made.get("/for-you/count", headers={"hx-request": "true"}).status_code in (403, 404)
        assert made.get("/api/v1/x").status_code == 403
        assert "Add one to go on" in made.get("/me/passkeys").text
        assert adds(made, theirs).status_code == 303
        assert made.get("/me").status_code == 200
        again = enter(house, who)
        assert again.get("/me").headers["location"] == "/me/passkeys"
        assert "Use yours to go on" in again.get("/me/passkeys").text
        assert signs(again, theirs).status_code == 200
        assert again.get("/me").status_code == 200
        assert len([s for s in person(house, who).sessions.values() if s.via == "passkey"]) == 1
    assert enter(house, VIEWER).get(f"/s/{SHARE}").status_code == 200, "viewers are not asked"
    tell(house, RequirePasskeys(required=False), OPERATOR)
    assert enter(house, "manager").get("/me").status_code == 200


@pytest.mark.parametrize("choice", ["", "revoke"])
def test_who_asks_for_passkeys_says_what_becomes_of_tokens_made_before(house: House, now: Virtual, choice: str) -> None:
    house.token("manager")
    admin = enter(house, "admin")
    adds(admin, device())
    page = admin.get("/people").text
    assert "Also revoke the 1 token that a program has by now" in page
    now.at += timedelta(minutes=1)
    admin.post("/people/passkeys", data={"csrf": csrf(page), "required": "yes", "tokens": choice})
    assert len(person(house, "manager").tokens) == (0 if choice else 1)
    told = "1 token of a program was made before, and works without one." in admin.get("/people").text
    assert told == (not choice)


def test_a_passkey_of_another_address_is_said_to_be_and_does_not_stand_in_the_way(tmp_path: Path, now: Virtual) -> None:
    mine = device()
    with running_house(tmp_path / "data", every_route(), now, public_url=HERE) as before:
        adds(enter(before, "manager"), mine)
    moved = "https://new.example.com"
    with (
        patch("tests.web.doors.recorded"),  # it is recorded there already
        running_house(tmp_path / "data", every_route(), now, public_url=moved) as after,
    ):
        made = TestClient(after.app, base_url=moved, follow_redirects=False)
        secret = after.process.services.credentials.link(OPERATOR, PersonId("manager"))
        made.post(f"/in/{secret}", headers={"origin": moved})
        assert f"works at {HOST} alone" in made.get("/me/passkeys").text
        assert adds(made, Authenticator(moved, "new.example.com")).status_code == 303
        begun = made.post("/sign-in/passkey/begin", headers={"origin": moved}).json()
        mine.host, mine.origin = "new.example.com", moved
        sent = {"credential": mine.sign(begun)}
        assert made.post("/sign-in/passkey", data=sent, headers={"origin": moved}).status_code == 403


@pytest.mark.once
@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://status.example.com", HOST),
        ("https://status.example.com:8443", HOST),
        ("http://localhost:8000", "localhost"),
        ("http://status.example.com", ""),
        ("http://127.0.0.1:8000", ""),
        ("https://[::1]:8000", ""),
    ],
)
def test_browsers_allow_passkeys_at_a_name_with_tls(address: str, host: str) -> None:
    place = webauthn.place_of(address)
    assert (place.host if place else "") == host


def test_without_such_an_address_nothing_of_it_is_offered(tmp_path: Path) -> None:
    with running_house(tmp_path / "data", every_route(), public_url="http://127.0.0.1:8000") as plain:
        made = TestClient(plain.app, base_url="http://127.0.0.1:8000", follow_redirects=False)
        assert "passkey" not in made.get("/sign-in").text
        assert made.post("/sign-in/passkey/begin", headers={"origin": "http://127.0.0.1:8000"}).status_code == 404


def test_it_works_with_two_processes_and_what_one_gave_the_other_takes(house: House) -> None:
    """Nothing of a challenge waits in a process: another one with the same record derives the same."""
    from web.identity.passkeys import SIGN_IN, Challenges

    at = house.process.services.now()
    one, two = (Challenges(house.process.services.logs.events.keyed) for _ in range(2))
    word = one.word("", at)
    assert one.of(word, SIGN_IN, at) == two.of(word, SIGN_IN, at)
    assert (
        json.loads(webauthn.to_sign(webauthn.RelyingParty(host=HOST, origin=HERE), one.of(word, SIGN_IN, at)))["rpId"]
        == HOST
    )


def test_the_record_has_nothing_of_it_in_plain_and_an_erasure_takes_it_away(house: House) -> None:
    from domain.people.person import ErasePerson

    tell(
        house, InvitePerson(person=PersonId("second"), name="Sec Ond", email="s@acme.test", role="viewer", client=ACME)
    )
    mine = device()
    adds(enter(house, "second"), mine, "Red key")
    (held,) = ring(house, "second")
    tell(house, ErasePerson(person=PersonId("second"), reason="asked for"))
    world = house.process.services.present.refresh()
    assert held.credential not in world.passkeys
    assert signs(browser(house), mine).status_code == 403
