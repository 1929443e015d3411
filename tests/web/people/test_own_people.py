"""A lead of a client: whom they may invite and end, what they are told, and that the manager sees and stops it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from domain.commands import AnyCommand
from domain.errors import Conflict, Denied
from domain.ids import ClientId, CommandId, PersonId
from domain.people.clients import SetMailDomains
from domain.people.mails import QueueMail
from domain.people.memberships import EndLead, EndMembership, GrantMembership, NameLead
from domain.people.person import AssignProjects, DisablePerson, InvitePerson, Person
from domain.people.sign_ins import IssueLink
from projections.events.world import World
from tests.mail import SENDER, Sink, sink
from tests.web.doors import ORIGIN, OTHER_VIEWER, VIEWER, House, every_route, running
from tests.web.manager.agreement.test_shares import form_of
from tests.web.people.test_people import depot
from tests.world import ACME, COUNCIL, HARBOUR, SHARE
from web.clock import Virtual
from web.ids import digest, new_id, new_secret
from web.write.permission import OPERATOR, Actor

HERE, THERE = f"/home/people/{ACME}", f"/home/people/{COUNCIL}"
LENA, VERA = PersonId("lena"), PersonId(VIEWER)
RANDOM = re.compile(r'name="(csrf|command_id)" value="\w+"|(?<=people/acme/)\w+')


@pytest.fixture
def server() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture
def now() -> Virtual:
    return Virtual(datetime(2027, 5, 3, 9, 12, tzinfo=UTC))


@pytest.fixture
def house(tmp_path: Path, server: Sink, now: Virtual) -> Iterator[House]:
    """Lena is a lead of Acme; Acme is shared Harbour Line, the council Depot."""
    with running(tmp_path / "data", every_route(), now, smtp_url=server.url, mail_from=SENDER) as made:
        for command in depot():
            told(made, command)  # type: ignore[arg-type]
        led(made)
        yield made


def led(house: House) -> None:
    lena = InvitePerson(person=LENA, name="Lena", email="lena@acme.test", role="viewer", client=ACME)
    for command in (SetMailDomains(client=ACME, domains=("acme.test",)), lena, NameLead(person=LENA, client=ACME)):
        told(house, command)


def told(house: House, command: AnyCommand, actor: Actor = OPERATOR) -> str:
    answer = house.process.services.service.execute(actor, command, command_id=CommandId(new_id(24)))
    return answer.stream.partition("-")[2]


def world(house: House) -> World:
    return house.process.services.present.refresh()


def person(house: House, email: str) -> Person:
    (found,) = world(house).addressed(email)
    return found


def invites(browser: TestClient, email: str, name: str = "Noor", here: str = HERE) -> httpx2.Response:
    form = form_of(browser.get(here).text, f"{here}#invite")
    return browser.post(here, data=form | {"name": name, "email": email}, follow_redirects=True)


# what they may


def test_a_lead_invites_a_colleague_who_is_emailed_a_link_nobody_else_sees(house: House, server: Sink) -> None:
    lena = house.client(LENA)
    assert 'href="/home/people"' in lena.get("/home", follow_redirects=True).text
    assert lena.get("/home/people").headers["location"] == HERE
    answer = invites(lena, "noor@acme.test")
    assert "Invited. The link was emailed to them." in answer.text
    assert "invited by Lena" in answer.text
    assert "/in/" not in answer.text
    (mail,) = server.mails
    assert "noor@acme.test" in str(mail.parsed["To"])
    noor = person(house, "noor@acme.test")
    known = noor.memberships[ACME]
    assert (noor.clients, known.invited_by, known.name) == ((ACME,), LENA, "Noor")
    link = re.search(r"/in/[\w-]+", mail.text)
    assert link is not None
    browser = house.client()
    assert browser.post(link[0], headers={"origin": ORIGIN}).status_code == 303
    assert browser.get(f"/s/{SHARE}").status_code == 200
    assert browser.get("/home/people").status_code == 404  # who is invited is no lead


def test_it_is_recorded_in_the_leads_name(house: House) -> None:
    invites(house.client(LENA), "noor@acme.test")
    noor = person(house, "noor@acme.test")
    events = house.process.services.logs.events.stream(f"person-{noor.id}")
    assert (events[0].actor, type(events[0].event).__name__) == (LENA, "PersonInvited")
    assert {one.actor for one in events[1:]} == {"system"}  # the link and its email are made by nobody of the client


def test_without_a_mail_server_the_link_is_made_by_the_manager(tmp_path: Path) -> None:
    with running(tmp_path / "data", every_route()) as made:
        led(made)
        answer = invites(made.client(LENA), "noor@acme.test")
        assert "they get their link from whoever works with you" in answer.text
        assert "/in/" not in answer.text
        noor = person(made, "noor@acme.test")
        assert noor.links == {}
        manager = made.client("manager")
        assert "Lena of Acme Rail invited Noor." in manager.get("/for-you").text
        there = f"/p/{HARBOUR}/shares/{SHARE}/viewers/{noor.id}/link"
        assert "/in/" in manager.post(there, data=form_of(manager.get(f"/p/{HARBOUR}/shares/{SHARE}").text, there)).text


def test_a_lead_ends_a_colleague_whose_pages_close(house: House) -> None:
    invites(house.client(LENA), "noor@acme.test")
    noor = person(house, "noor@acme.test")
    browser, lena = house.client(noor.id), house.client(LENA)
    assert browser.get(f"/s/{SHARE}").status_code == 200
    there = f"{HERE}/{noor.id}/end"
    form = form_of(lena.get(there).text, there)
    refused = lena.post(there, data=form)
    assert (refused.status_code, "Reason is missing" in refused.text) == (422, True)
    form = form_of(refused.text, there)
    assert lena.post(there, data=form | {"reason": "Left"}).headers["location"] == f"{HERE}?done=ended"
    assert browser.get(f"/s/{SHARE}").status_code in (303, 404)
    assert person(house, "noor@acme.test").memberships[ACME].ended_by == LENA
    assert lena.get(there).status_code == 404
    page = house.client("manager").get(f"/clients/{ACME}").text
    assert "ended by Lena of the client" in page
    assert "Access of noor@acme.test was ended" in invites(lena, "noor@acme.test").text  # only the manager lets them in
    told(
        house, InvitePerson(person=PersonId(new_id()), name="Noor", email="noor@acme.test", role="viewer", client=ACME)
    )
    assert person(house, "noor@acme.test").clients == (ACME,)


@pytest.mark.parametrize(
    ("email", "told_"),
    [("noor@elsewhere.test", "with an address at acme.test"), ("noor@mail.acme.test", "with an address at acme.test"),
     ("noor@\u0430cme.test", "with an address at acme.test"), ("V@ACME.test", "has access already"),
     ("gone@acme.test", "was ended"), ("ines@acme.test", "cannot be invited from here"), ("no address", "at acme.test"),
     ("a@b@acme.test", "is no email address")],
)  # fmt: skip
def test_whom_a_lead_may_not_invite(house: House, server: Sink, email: str, told_: str) -> None:
    told(house, InvitePerson(person=PersonId("gone"), name="G", email="gone@acme.test", role="viewer", client=ACME))
    told(house, EndMembership(person=PersonId("gone"), client=ACME, reason="Left"))
    told(house, InvitePerson(person=PersonId("ines"), name="Ines", email="ines@acme.test", role="admin"))
    people = len(world(house).people)
    answer = invites(house.client(LENA), email)
    assert answer.status_code in (409, 422)
    assert told_ in answer.text
    assert 'id="p-email-wrong"' in answer.text
    assert (len(world(house).people), server.mails) == (people, [])


def test_whom_a_lead_may_not_end(house: House) -> None:
    """Themselves, another lead, who is outside the client's domains, and who is no viewer of it."""
    for key, email in (("lead2", "two@acme.test"), ("out", "owner@engineer.test")):
        told(house, SetMailDomains(client=ACME, domains=()))
        told(house, InvitePerson(person=PersonId(key), name=key, email=email, role="viewer", client=ACME))
    told(house, SetMailDomains(client=ACME, domains=("acme.test",)))
    told(house, NameLead(person=PersonId("lead2"), client=ACME))
    lena, actor = house.client(LENA), Actor(LENA, "viewer", (ACME,))
    page = lena.get(HERE).text
    assert f"{HERE}/{VERA}/end" in page
    for key in (LENA, "lead2", "out", OTHER_VIEWER, "manager", "nobody"):
        assert f"/{key}/end" not in page
        assert lena.get(f"{HERE}/{key}/end").status_code == 404
        with pytest.raises(Denied):
            told(house, EndMembership(person=PersonId(key), client=ACME, reason="x"), actor)
    with pytest.raises(Denied):
        told(house, EndMembership(person=PersonId(OTHER_VIEWER), client=COUNCIL, reason="x"), actor)


# what they may not, through every door


def test_a_lead_has_no_other_right_of_those_who_invite(house: House) -> None:
    """Above all no link: whoever makes one chooses its secret, and could come in by it as somebody else."""
    lena, soon = Actor(LENA, "viewer", (ACME,)), datetime(2099, 1, 1, tzinfo=UTC)
    for command in (
        IssueLink(person=VERA, hash=digest(new_secret()), expires=soon, client=ACME),
        QueueMail(person=VERA, mail="m", kind="invitation", client=ACME),
        NameLead(person=VERA, client=ACME),
        EndLead(person=LENA, client=ACME),
        DisablePerson(person=VERA, reason="x"),
        SetMailDomains(client=ACME, domains=()),
        GrantMembership(person=VERA, client=COUNCIL, name="V", email="v@acme.test"),
        InvitePerson(person=PersonId("n"), name="N", email="n@acme.test", role="admin"),
        InvitePerson(person=PersonId("n"), name="N", email="n@acme.test", role="viewer", client=COUNCIL),
    ):
        with pytest.raises(Denied):
            told(house, command, lena)
    viewer = Actor(VERA, "viewer", (ACME,))
    with pytest.raises(Denied):
        told(
            house, InvitePerson(person=PersonId("n"), name="N", email="n@acme.test", role="viewer", client=ACME), viewer
        )
    for who in (VIEWER, OTHER_VIEWER, "manager", "admin", "auditor"):
        for path in ("/home/people", HERE, THERE, f"{HERE}/{VERA}/end"):
            assert house.client(who).get(path).status_code == 404, (who, path)
    assert house.client(LENA).get(THERE).status_code == 404


def test_a_session_that_does_not_open_the_client_makes_nobody_its_lead(house: House) -> None:
    told(house, GrantMembership(person=LENA, client=COUNCIL, name="L", email="lena@council.test"))
    elsewhere = Actor(LENA, "viewer", (COUNCIL,))
    with pytest.raises(Denied):
        told(
            house,
            InvitePerson(person=PersonId("n"), name="N", email="n@acme.test", role="viewer", client=ACME),
            elsewhere,
        )
    services = house.process.services
    browser = house.client()
    secret = services.credentials.enter(services.credentials.link(OPERATOR, LENA, COUNCIL)).secret
    browser.cookies.set(services.guard.cookie, secret)
    assert [browser.get(path).status_code for path in ("/home/people", HERE)] == [404, 404]


def test_nobody_acts_in_the_name_of_a_client_but_its_lead(house: House) -> None:
    """What a command says of who invited or ended somebody is replaced by who sent it."""
    invite = InvitePerson(
        person=PersonId("n"), name="N", email="n@acme.test", role="viewer", client=ACME, lead=LENA, provider="p"
    )
    key = told(house, invite, Actor(PersonId("manager"), "manager"))
    known = world(house).people[PersonId(key)].memberships[ACME]
    assert (known.invited_by, known.provider) == (None, "")
    told(house, EndMembership(person=PersonId(key), client=ACME, reason="x", lead=LENA))
    assert world(house).people[PersonId(key)].memberships[ACME].ended_by is None
    mine = InvitePerson(
        person=PersonId("m"), name="M", email="m@acme.test", role="viewer", client=ACME, lead=VERA, provider="p"
    )
    key = told(house, mine, Actor(LENA, "viewer", (ACME,)))
    known = world(house).people[PersonId(key)].memberships[ACME]
    assert (known.invited_by, known.provider, key == "m") == (LENA, "", False)


# what they are told


def test_an_invitation_reads_alike_whether_or_not_the_address_is_known_elsewhere(house: House) -> None:
    told(
        house,
        InvitePerson(person=PersonId("ada"), name="Ada There", email="ada@acme.test", role="viewer", client=COUNCIL),
    )
    lena, pages = house.client(LENA), []
    for email in ("ada@acme.test", "new@acme.test"):
        page = invites(lena, email, "Ada").text
        assert "Ada There" not in page
        assert "City Council" not in page
        pages.append(RANDOM.sub("", page).replace(email, "address"))
        told(house, EndMembership(person=person(house, email).id, client=ACME, reason="Left"))
    assert pages[0] == pages[1]
    assert person(house, "ada@acme.test").clients == (COUNCIL,)


def test_a_lead_of_two_clients_has_a_page_for_each_and_nothing_of_one_on_the_other(house: House) -> None:
    told(house, SetMailDomains(client=COUNCIL, domains=("council.test",)))
    told(house, GrantMembership(person=LENA, client=COUNCIL, name="Lena There", email="lena@council.test"))
    told(house, NameLead(person=LENA, client=COUNCIL))
    lena = house.client(LENA)
    assert re.findall(r'href="(/home/people/\w+)"', lena.get("/home/people").text) == [HERE, THERE]
    mine, other = lena.get(HERE).text, lena.get(THERE).text
    for word in ("City Council", "Lena There", "council.test", "/home/people/council"):
        assert word not in mine
        assert word in other
    for word in ("Acme Rail", "acme.test", "/home/people/acme"):
        assert word not in other
        assert word in mine


# the manager


def test_the_manager_makes_a_lead_sees_whom_they_invited_and_ends_it(house: House, now: Virtual) -> None:
    manager = house.client("manager")
    page = manager.get(f"/clients/{ACME}").text
    assert "Lead: invites colleagues, and ends them" in page
    there = f"/clients/{ACME}/people/{VERA}/lead#people"
    form = form_of(page, there)
    assert manager.post(there, data=form | {"lead": "yes"}).status_code == 303
    assert world(house).people[VERA].leads(ACME)
    vera = house.client(VERA)
    invites(vera, "noor@acme.test")
    now.forward(minutes=1)
    assert "Vera of Acme Rail invited Noor." in manager.get("/for-you").text
    assert "invited by Vera of the client" in manager.get(f"/clients/{ACME}").text
    assert "invited Noor" not in manager.get("/for-you").text  # it was seen
    form = form_of(manager.get(f"/clients/{ACME}").text, there)
    assert manager.post(there, data=form | {"lead": "no"}).status_code == 303
    assert vera.get(HERE).status_code == 404
    assert vera.get(f"/s/{SHARE}").status_code == 200
    assert person(house, "noor@acme.test").clients == (ACME,)  # whom they invited stays


def test_a_lead_needs_email_domains_and_loses_the_reach_of_those_taken_away(house: House) -> None:
    told(house, EndLead(person=LENA, client=ACME))
    told(house, SetMailDomains(client=ACME, domains=()))
    with pytest.raises(Conflict, match="which email domains"):
        told(house, NameLead(person=LENA, client=ACME))
    told(house, SetMailDomains(client=ACME, domains=("acme.test",)))
    told(house, NameLead(person=LENA, client=ACME))
    told(house, SetMailDomains(client=ACME, domains=()))
    lena = house.client(LENA)
    page = lena.get(HERE).text
    assert "has not said yet which email domains are yours" in page
    assert "/end" not in page
    csrf = re.search(r'name="csrf" value="(\w+)"', page)
    assert csrf is not None
    answer = lena.post(HERE, data={"csrf": csrf[1], "name": "N", "email": "n@acme.test"})
    assert answer.status_code == 409


def test_a_manager_of_some_projects_makes_leads_of_their_own_clients_alone(house: House) -> None:
    told(house, AssignProjects(person=PersonId("manager"), projects=()))
    nobody = Actor(PersonId("manager"), "manager")
    for command in (NameLead(person=VERA, client=ACME), EndLead(person=LENA, client=ACME)):
        with pytest.raises(Denied):
            told(house, command, nobody)
    told(house, AssignProjects(person=PersonId("manager"), projects=(HARBOUR,)))
    told(house, NameLead(person=VERA, client=ACME), nobody)
    with pytest.raises(Denied):
        told(house, NameLead(person=PersonId(OTHER_VIEWER), client=COUNCIL), nobody)
    with pytest.raises(Denied):
        told(house, NameLead(person=PersonId(OTHER_VIEWER), client=ClientId(ACME)), nobody)


def test_with_a_membership_ends_what_a_lead_was(house: House) -> None:
    told(house, EndMembership(person=LENA, client=ACME, reason="Left"))
    told(
        house, InvitePerson(person=PersonId(new_id()), name="Lena", email="lena@acme.test", role="viewer", client=ACME)
    )
    assert [one.clients for one in world(house).addressed("lena@acme.test") if one.leads(ACME)] == []
