"""People, their links, sessions and tokens."""

from datetime import timedelta

import pytest

from domain.errors import Conflict, Invalid, Unknown
from domain.people import brand, clients
from domain.people.brand import Brand, NameOrganisation, OrganisationNamed
from domain.people.clients import Client, RegisterClient
from domain.people.person import DisablePerson, InvitePerson, PersonDisabled, PersonInvited
from domain.people.sign_ins import EndSession, IssueLink, LinkIssued, LinkUsed, SessionEnded, SessionStarted, UseLink
from domain.people.tokens import IssueToken, RevokeToken, TokenIssued, TokenRevoked
from tests.spec import NOW, given

pytestmark = pytest.mark.once

ANNA = PersonInvited(person="anna", name="Anna", email="a@acme.test", role="viewer", client="acme")
SOON = NOW + timedelta(hours=1)
LINK, USED = LinkIssued(hash="h", expires=SOON), LinkUsed(hash="h")
OPEN = SessionStarted(session="s", hash="c", expires=SOON)
USE = UseLink(person="anna", hash="h", session="s", session_hash="c", session_expires=SOON)


def test_somebody_is_invited_once() -> None:
    invite = InvitePerson(person="anna", name="Anna", email="a@acme.test", role="viewer", client="acme")
    given().when(invite).then(ANNA)
    given(ANNA).when(invite).refused(Conflict, "exists already")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"client": None}, "one client at a time"),
        ({"role": "manager"}, "one client at a time"),
        ({"email": "nobody"}, "no email address"),
        ({"email": "a@b@c"}, "no email address"),
        ({"email": "a b@acme.test"}, "no email address"),
        ({"person": "../anna"}, "cannot be an id"),
        ({"name": ""}, "Name is missing"),
    ],
)
def test_an_invitation_that_cannot_be_right_is_refused(changed: dict, words: str) -> None:
    fields = {"person": "anna", "name": "Anna", "email": "a@acme.test", "role": "viewer", "client": "acme"} | changed
    given().when(InvitePerson(**fields)).refused(Invalid, words)


def test_a_link_is_good_once_and_for_a_time() -> None:
    given(ANNA).when(IssueLink(person="anna", hash="h", expires=SOON)).then(LINK)
    given(ANNA).when(IssueLink(person="anna", hash="h", expires=NOW)).refused(Invalid, "in the future")
    given(ANNA, LINK).when(USE).then(USED, OPEN)
    given(ANNA, LINK, USED, OPEN).when(USE).refused(Unknown, "used or has expired")
    given(ANNA, LINK).when(USE, SOON).refused(Unknown, "used or has expired")
    given(ANNA).when(USE).refused(Unknown, "used or has expired")


def test_a_link_that_was_used_never_comes_alive_again() -> None:
    issue = IssueLink(person="anna", hash="h", expires=SOON)
    given(ANNA, LINK).when(issue).then()
    given(ANNA, LINK, USED).when(issue).refused(Conflict, "issued already", "hash")
    longer = IssueLink(person="anna", hash="h", expires=SOON + timedelta(days=1))
    given(ANNA, LINK).when(longer).refused(Conflict, "issued already", "hash")


def test_ends_lie_ahead_and_carry_a_zone() -> None:
    bare = IssueLink(person="anna", hash="h", expires=SOON.replace(tzinfo=None))
    given(ANNA).when(bare).refused(Invalid, "no time zone", "expires")
    over = UseLink(person="anna", hash="h", session="s", session_hash="c", session_expires=NOW)
    given(ANNA, LINK).when(over).refused(Invalid, "in the future", "session_expires")


def test_sessions_and_tokens_have_ids_of_their_own() -> None:
    second = LinkIssued(hash="h2", expires=SOON)
    again = UseLink(person="anna", hash="h2", session="s", session_hash="c2", session_expires=SOON)
    given(ANNA, LINK, USED, OPEN, second).when(again).refused(Conflict, "open already", "session")
    token = IssueToken(person="anna", token="t", hash="h2", label="x")
    given(ANNA, TokenIssued(token="t", hash="h", label="x")).when(token).refused(Conflict, "in use already", "token")


def test_a_session_ends_once() -> None:
    end = EndSession(person="anna", session="s")
    given(ANNA, LINK, USED, OPEN).when(end).then(SessionEnded(session="s", cause="signed_out"))
    given(ANNA).when(end).then()


def test_tokens_are_issued_and_revoked() -> None:
    given(ANNA).when(IssueToken(person="anna", token="t", hash="h", label="x")).then(
        TokenIssued(token="t", hash="h", label="x")
    )
    given(ANNA, TokenIssued(token="t", hash="h", label="x")).when(RevokeToken(person="anna", token="t")).then(
        TokenRevoked(token="t")
    )
    given(ANNA).when(RevokeToken(person="anna", token="t")).then()


def test_ending_access_ends_every_session_link_and_token() -> None:
    gone = PersonDisabled(reason="Left")
    past = (ANNA, LINK, USED, OPEN, TokenIssued(token="t", hash="h", label="x"))
    given(*past).when(DisablePerson(person="anna", reason="Left")).then(
        SessionEnded(session="s", cause="disabled"), gone
    )
    state = given(*past, gone).state()
    assert (state.sessions, state.links, state.tokens) == ({}, {}, {})
    given(*past, gone).when(USE).refused(Conflict, "has been ended")


def test_nobody_is_asked_who_was_never_invited() -> None:
    given().when(USE).refused(Unknown, "Invite them first")


def test_the_organisation_and_its_clients_have_names() -> None:
    naming = NameOrganisation(name="Example Works")
    assert brand.decide(Brand(), naming) == [OrganisationNamed(name="Example Works")]
    assert brand.decide(Brand(name="Example Works"), naming) == []
    register = RegisterClient(client="acme", name="Acme Rail", time_zone="Europe/London")
    (registered,) = clients.decide(None, register)
    assert registered.name == "Acme Rail"
    with pytest.raises(Conflict, match="exists already"):
        clients.decide(Client(id="acme", name="Acme", time_zone="Europe/London"), register)
    with pytest.raises(Invalid, match="cannot be an id"):
        clients.decide(None, RegisterClient(client="a b", name="Acme", time_zone="Europe/London"))
    with pytest.raises(Invalid, match="no time zone"):
        clients.decide(None, RegisterClient(client="acme", name="Acme", time_zone="Nowhere"))
