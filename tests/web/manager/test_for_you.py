"""The list *For you* at its door: who gets it, what its count says on every page, and what can be said of a line."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from domain.agreement.answers import Acknowledge, AnswerConcern, MakeComment, RaiseConcern, Screen
from domain.agreement.share import ActivateTerms, DraftTerms
from domain.agreement.terms import Ways
from domain.ids import ClientId, PersonId, ProjectId
from domain.people.mails import QueueMail, SettleMail
from domain.people.person import AssignProjects, InvitePerson
from domain.plan.risks import Points, ScoreAsClient
from tests.web.doors import VIEWER, House, every_route, running
from tests.web.manager.test_finding import depot, do
from tests.world import ACME, HARBOUR, SHARE, START, everything
from web.clock import Virtual

SCREEN = Screen(n=1, head="ab" * 32)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    time = Virtual(START + timedelta(days=30))
    with running(tmp_path / "data", every_route(), lambda: time.forward(seconds=1) or time.at) as made:
        yield made


def concern(house: House, share: str = SHARE, by: str = VIEWER, key: str = "c1") -> None:
    do(house, RaiseConcern(share=share, concern=key, subject="", text="Late?", by=by, screen=SCREEN))


def in_head(browser: TestClient, path: str) -> int:
    found = re.search(r'id="for-you" href="/for-you" data-count="(\d+)"', browser.get(path).text)
    assert found is not None, path
    return int(found[1])


def keys(browser: TestClient) -> list[str]:
    return list(dict.fromkeys(re.findall(r'name="line" value="([^"]+)"', browser.get("/for-you").text)))


def send(house: House, browser: TestClient, person: str, path: str, **fields: str) -> int:
    csrf = re.search(r'name="csrf" value="([^"]+)"', browser.get("/for-you").text)
    assert csrf is not None, person
    return browser.post(f"/for-you/{path}", data={"csrf": csrf[1], **fields}).status_code


def test_a_concern_is_counted_on_every_page_until_it_is_answered(house: House) -> None:
    browser = house.client("manager")
    assert "Nothing waits for you." in browser.get("/for-you").text
    assert browser.get("/for-you/count?seen=0").status_code == 204
    concern(house)
    for path in ("/p", f"/p/{HARBOUR}", f"/p/{HARBOUR}/shares/{SHARE}/at/u1", "/clients", "/for-you"):
        assert in_head(browser, path) == 1, path
    assert in_head(house.client("admin"), "/audit") == 1
    assert browser.get("/for-you/count?seen=0").text == "1"
    page = browser.get("/for-you").text
    assert "Vera of Acme Rail raised a concern about the whole page." in page
    assert "Harbour Line (internal)" in page
    do(house, AnswerConcern(share=SHARE, concern="c1", text="No", by=PersonId("manager")))
    assert (in_head(browser, "/p"), keys(browser)) == (0, [])


def test_nobody_else_gets_it_and_a_manager_of_some_projects_none_of_others(house: House) -> None:
    depot(house)  # the manager manages the Harbour Line alone from now on
    concern(house)
    concern(house, "zug1", "zoe")
    for person in ("auditor", VIEWER):
        browser = house.client(person)  # the viewer joins by that
        for path in ("", "/list", "/count"):
            assert browser.get(f"/for-you{path}").status_code == 404
        assert "for-you" not in browser.get("/audit" if person == "auditor" else "/home").text
    manager, admin = house.client("manager"), house.client("admin")
    assert [key.split(".")[:2] for key in keys(manager)] == [["concern", HARBOUR], ["joined", HARBOUR]]
    assert "rich" not in manager.get("/for-you").text
    assert in_head(manager, "/p") == 2
    theirs = next(key for key in keys(admin) if "zug1" in key)
    mine = keys(manager)[0]
    until = (house.process.services.now() + timedelta(days=3)).date().isoformat()
    for project, line in (("depot", theirs), ("nothing", "concern.nothing.s.c")):
        assert send(house, manager, "manager", "put-off", project=project, line=line, until=until) == 403
        assert send(house, manager, "manager", "hand-over", project=project, line=line, to="manager") == 403
    assert send(house, manager, "manager", "put-off", project=HARBOUR, line=theirs, until=until) == 422
    for to in ("admin", "nobody", VIEWER, "auditor"):  # none of them may be known to a manager of some projects
        assert send(house, manager, "manager", "hand-over", project=HARBOUR, line=mine, to=to) == 403
        assert send(house, manager, "manager", "absence", first=until, last=until, cover=to) == 403
    assert send(house, admin, "admin", "hand-over", project="depot", line=theirs, to="manager") == 422
    assert [key.split(".")[:2] for key in keys(manager)] == [["concern", HARBOUR], ["joined", HARBOUR]]


def test_what_somebody_says_of_a_line_is_theirs_alone_and_programs_of_viewers_say_nothing(house: House) -> None:
    for person, command in (
        (VIEWER, {"type": "end-absence", "person": VIEWER}),
        ("auditor", {"type": "end-absence", "person": "auditor"}),
        ("manager", {"type": "end-absence", "person": "admin"}),
        (
            "manager",
            {"type": "open-place", "person": "manager", "place": "client-nobody", "until": "2026-01-01T00:00:00Z"},
        ),
    ):
        answer = house.client().post("/api/v1/commands", json=command, headers=house.bearer(person))
        assert answer.status_code in (403, 404), (person, command)
    mine = {"type": "open-place", "person": "manager", "place": f"project-{HARBOUR}", "until": "2026-01-01T00:00:00Z"}
    assert house.client().post("/api/v1/commands", json=mine, headers=house.bearer("manager")).status_code == 201


def test_opening_the_answers_deals_with_what_was_only_to_be_seen(house: House) -> None:
    browser = house.client("manager")
    do(house, Acknowledge(share=SHARE, subject="milestone-m1", by=VIEWER, screen=SCREEN))
    assert in_head(browser, "/p") == 1
    browser.head(f"/p/{HARBOUR}/answers")
    assert in_head(browser, "/p") == 1
    browser.get(f"/p/{HARBOUR}/answers")
    assert in_head(browser, "/p") == 0
    position = house.process.services.present.refresh().position
    browser.get(f"/p/{HARBOUR}/answers")
    assert house.process.services.present.refresh().position == position, "looking again records nothing"
    assert in_head(house.client("admin"), "/p") == 1, "what one opened, another did not"


def test_a_line_is_put_off_brought_back_handed_over_and_covered(house: House) -> None:
    do(
        house,
        InvitePerson(person="sam", name="Sam Field", email="s@x.test", role="manager", projects=(ProjectId(HARBOUR),)),
    )
    sam, manager = house.client("sam"), house.client("manager")
    concern(house)
    assert keys(manager) == [], "it is of whom the project is assigned to"
    (line,) = keys(sam)
    about = {"project": HARBOUR, "line": line}
    assert send(house, sam, "sam", "put-off", **about) == 422
    assert "Choose a day." in sam.post("/for-you/put-off", data={**about, "csrf": _csrf(sam)}).text
    until = house.process.services.now() + timedelta(days=3)
    assert send(house, sam, "sam", "put-off", day=until.date().isoformat(), **about) == 303
    page = sam.get("/for-you?done=put-off").text
    assert "Back on" in page
    assert "Put off. It comes back" in page
    assert in_head(sam, "/p") == 0
    assert send(house, sam, "sam", "put-off", back="1", **about) == 303
    assert in_head(sam, "/p") == 1
    today = house.process.services.now().date().isoformat()
    do(
        house,
        InvitePerson(person="ida", name="Ida Moor", email="i@x.test", role="manager", projects=(ProjectId(HARBOUR),)),
    )
    do(house, AssignProjects(person="sam", projects=(ProjectId(HARBOUR),)))
    ida = house.client("ida")
    assert send(house, sam, "sam", "hand-over", to="ida", **about) == 303
    assert (keys(sam), keys(ida)) == ([], [line])
    assert "Handed to you by Sam Field." in ida.get("/for-you").text
    assert send(house, ida, "ida", "absence", first=today, last=today, cover="sam") == 303
    assert "Ida Moor is away; you cover for them." in sam.get("/for-you").text
    assert send(house, ida, "ida", "absence", end="1") == 303
    assert keys(sam) == []


def _csrf(browser: TestClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', browser.get("/for-you").text)
    assert found is not None
    return found[1]


def test_every_kind_of_line_is_a_sentence_that_leads_to_a_page(house: House) -> None:
    concern(house)
    soon = house.process.services.now() + timedelta(days=5)
    do(
        house,
        DraftTerms(share=SHARE, terms=everything(milestone_fields=("forecast", "comments")), ways=Ways(expires=soon)),
        ActivateTerms(share=SHARE, reason="Shorter"),
        MakeComment(
            share=SHARE, comment="k1", subject="milestone-m1", text="Hm", by=VIEWER, side="theirs", screen=SCREEN
        ),
        Acknowledge(share=SHARE, subject="agreement-1", by=VIEWER, screen=SCREEN),
        ScoreAsClient(
            project=HARBOUR, risk="r1", client=ACME, by=VIEWER, points=Points(2, 2), share=SHARE, screen=SCREEN
        ),
        QueueMail(person=PersonId(VIEWER), mail="m1", kind="invitation", client=ClientId(ACME)),
        SettleMail(person=PersonId(VIEWER), mail="m1", state="refused", told="550 no such box"),
    )
    house.cookie(VIEWER)
    browser = house.client("manager")
    page = browser.get("/for-you").text
    for sentence in (
        "Vera of Acme Rail commented on Section A energised.",
        "Vera of Acme Rail acknowledged agreement 1.",
        "Vera of Acme Rail scored R-01 Risk r1.",
        "Vera of Acme Rail signed in for the first time.",
        "The agreement with Acme Rail ends in ",
    ):
        assert sentence in page, sentence
    for path in set(re.findall(r'<p>\s*<a href="([^"]+)"', page)) | {f"/p/{HARBOUR}/do/confirm-plan"}:
        answer = browser.get(path.partition("#")[0])
        assert answer.status_code == 200, path
        place = path.partition("#")[2]
        assert not place or f'id="{place}"' in answer.text, path
