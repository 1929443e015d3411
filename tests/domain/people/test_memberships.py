"""A viewer belongs to clients by membership: each is granted and ended by itself, and opens only its own client."""

from datetime import timedelta
from pathlib import Path

import pytest

from domain.errors import Conflict, Invalid, Unknown
from domain.events import decode
from domain.people import person as person_stream
from domain.people.mails import ChooseDigest, DigestChosen, MailQueued
from domain.people.memberships import EndMembership, GrantMembership, MembershipEnded, MembershipGranted, same_address
from domain.people.person import ErasePerson, PersonErased, PersonInvited
from domain.people.sign_ins import IssueLink, LinkIssued, LinkUsed, SessionStarted, StartSession, UseLink
from tests.spec import NOW, given

pytestmark = pytest.mark.once

VECTORS = Path(__file__).parents[2] / "vectors" / "events"
SOON = NOW + timedelta(hours=1)
ANNA = PersonInvited(person="anna", name="Anna Price", email="a@acme.test", role="viewer", client="acme")
MARTA = PersonInvited(person="marta", name="Marta", email="m@x.test", role="manager", client=None)
HARBOUR = MembershipGranted(client="harbour", name="A. Price", email="A@acme.test")
GRANT = GrantMembership(person="anna", client="harbour", name="A. Price", email="A@acme.test")
END = EndMembership(person="anna", client="acme", reason="Left the group")
ENDED = MembershipEnded(client="acme", reason="Left the group")


def session(key: str, *clients: str) -> SessionStarted:
    return SessionStarted(session=key, hash=f"h-{key}", expires=SOON, clients=clients or None)


def use(link: str, carry: str = "") -> UseLink:
    return UseLink(person="anna", hash=link, session="new", session_hash="c", session_expires=SOON, carry=carry)


def test_an_invitation_recorded_by_an_earlier_version_is_one_membership() -> None:
    stored = decode((VECTORS / "person-invited.json").read_bytes().strip())
    person = person_stream.evolve(None, stored.event, stored.at)  # type: ignore[arg-type]
    assert person.clients == ("acme",)
    known = person.known_to("acme")
    assert known is not None
    assert (known.name, known.email, known.ended) == ("Anna Price", "anna@acme.test", False)
    for name in ("session-started", "session-started.2"):  # and its sessions open what they opened
        old = decode((VECTORS / f"{name}.json").read_bytes().strip())
        opened = person_stream.evolve(person, old.event, old.at).sessions  # type: ignore[arg-type]
        assert [one.clients for one in opened.values()] == [("acme",)]
    link = decode((VECTORS / "link-issued.json").read_bytes().strip())
    assert [one.clients for one in person_stream.evolve(person, link.event, link.at).links.values()] == [("acme",)]  # type: ignore[arg-type]


def test_a_viewer_becomes_one_of_a_second_client_by_the_name_given_there() -> None:
    given(ANNA).when(GRANT).then(HARBOUR)
    person = given(ANNA, HARBOUR).state()
    assert person.clients == ("acme", "harbour")
    assert [person.known_to(key).name for key in person.clients] == ["Anna Price", "A. Price"]
    given(ANNA, HARBOUR).when(GRANT).refused(Conflict, "was invited already", "email")
    given(MARTA).when(GRANT).refused(Invalid, "Only viewers")


def test_an_end_takes_one_client_away_and_no_more() -> None:
    given(ANNA, HARBOUR).when(END).then(ENDED)
    both = ANNA, HARBOUR, session("a", "acme"), session("b", "harbour"), session("ab", "acme", "harbour")
    links = LinkIssued(hash="la", expires=SOON, client="acme"), LinkIssued(hash="lab", expires=SOON)
    left = given(*both, *links, ENDED).state()
    assert left.clients == ("harbour",)
    assert left.comes_in
    assert {key: one.clients for key, one in left.sessions.items()} == {"b": ("harbour",), "ab": ("harbour",)}
    assert {key: one.clients for key, one in left.links.items()} == {"lab": ("harbour",)}


def test_with_the_last_membership_nothing_of_a_person_is_open() -> None:
    gone = given(ANNA, session("a"), LinkIssued(hash="l", expires=SOON), ENDED)
    state = gone.state()
    assert (state.comes_in, state.sessions, state.links) == (False, {}, {})
    gone.when(END).refused(Unknown, "no viewer of that client")
    gone.when(IssueLink(person="anna", hash="x", expires=SOON)).refused(Conflict, "Invite them again")
    start = StartSession(person="anna", session="s", session_hash="c", session_expires=SOON)
    gone.when(start).refused(Conflict, "Invite them again")
    again = MembershipGranted(client="acme", name="Other", email="a@acme.test")
    back = given(ANNA, session("a"), ENDED, again).state()
    assert back.comes_in
    assert back.sessions == {}  # what was ended stays ended
    assert back.known_to("acme").name == "Anna Price"  # by this name they stand in what was said


def test_a_link_opens_the_client_it_was_made_for() -> None:
    issued = LinkIssued(hash="l", expires=SOON, client="harbour")
    given(ANNA, HARBOUR).when(IssueLink(person="anna", hash="l", expires=SOON, client="harbour")).then(issued)
    given(ANNA, HARBOUR, issued).when(use("l")).then(
        LinkUsed(hash="l"), SessionStarted(session="new", hash="c", expires=SOON, clients=("harbour",))
    )
    given(ANNA).when(IssueLink(person="anna", hash="l", expires=SOON, client="harbour")).refused(Unknown, "no viewer")


def test_a_link_made_before_a_second_membership_does_not_open_it() -> None:
    early = LinkIssued(hash="l", expires=SOON)
    state = given(ANNA, early, session("a"), HARBOUR).state()
    assert state.links["l"].clients == ("acme",)
    assert state.sessions["a"].clients == ("acme",)


def test_a_link_used_where_the_person_is_signed_in_opens_what_was_open_as_well() -> None:
    issued = LinkIssued(hash="l", expires=SOON, client="harbour")
    both = SessionStarted(session="new", hash="c", expires=SOON)  # all they are a viewer of
    given(ANNA, HARBOUR, session("a", "acme"), issued).when(use("l", carry="a")).then(LinkUsed(hash="l"), both)
    alone = SessionStarted(session="new", hash="c", expires=SOON, clients=("harbour",))
    given(ANNA, HARBOUR, issued).when(use("l", carry="of-somebody")).then(LinkUsed(hash="l"), alone)


def test_mails_are_chosen_for_each_client() -> None:
    daily = DigestChosen(cadence="daily", since={"share2": 4}, client="harbour")
    asked = ChooseDigest(person="anna", cadence="daily", since={"share2": 4}, client="harbour")
    given(ANNA, HARBOUR).when(asked).then(daily)
    given(ANNA, HARBOUR, daily).when(asked).then()
    state = given(ANNA, HARBOUR, daily).state()
    assert (state.digest("acme"), state.digest("harbour")) == ("off", "daily")
    early = DigestChosen(cadence="weekly")  # as an earlier version recorded it
    assert given(ANNA, early, HARBOUR).state().digest("acme") == "weekly"
    assert given(ANNA, early, HARBOUR).state().digest("harbour") == "off"


def test_many_mails_of_one_client_do_not_push_out_those_of_another() -> None:
    mine = MailQueued(mail="first", kind="invitation", client="harbour")
    many = [MailQueued(mail=f"m{i}", kind="digest", share="share1", first=i, to=i) for i in range(1, 80)]
    state = given(ANNA, HARBOUR, mine, *many).state()
    assert state.mails[0].id == "first"
    assert len(state.mails) == 31


def test_an_erasure_names_every_client_and_its_reason_none_of_the_names() -> None:
    person = given(ANNA, HARBOUR).state()
    erased = PersonErased(person="anna", role="viewer", client="acme", clients=("acme", "harbour"), reason="Asked")
    assert person_stream.decide_erasure(person, ErasePerson(person="anna", reason="Asked")) == [erased]
    for reason in ("A. Price left", "anna is gone", "was a@ACME.test"):
        with pytest.raises(Invalid):
            person_stream.decide_erasure(person, ErasePerson(person="anna", reason=reason))


def test_addresses_are_the_same_whatever_their_case_but_look_alikes_differ() -> None:
    assert same_address("Anna@Acme.test", "anna@acme.TEST")
    assert not same_address("\u212belin@x.test", "\u00e5elin@x.test")
