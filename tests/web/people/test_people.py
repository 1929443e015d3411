"""Roles: a manager of some projects does not see that there are others, and an admin says who manages what."""

import itertools
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest
from starlette.routing import Route

from domain.agreement.answers import Screen
from domain.agreement.share import DraftShare, DraftTerms, RevokeShare
from domain.commands import encode
from domain.errors import Conflict, Denied, Invalid
from domain.ids import ClientId, CommandId, PersonId, RiskId, ShareId
from domain.people.person import AssignProjects, ChangeRole, InvitePerson
from domain.plan.schedule import MoveForecast
from tests.web.doors import ORIGIN, OTHER_VIEWER, VIEWER, House, every_route, running
from tests.web.manager.agreement.test_shares import form_of
from tests.world import ACME, ADMIN, COUNCIL, DEPOT, HARBOUR, SHARE, World, everything
from web.cli.main import main
from web.door.guard import STAFF
from web.ids import digest, new_id, new_secret
from web.write.permission import OPERATOR, Actor

THEIRS, HIDDEN = "share-depot", "share-council"
SECRETS = ("Depot", "City Council", DEPOT, THEIRS, HIDDEN, COUNCIL, OTHER_VIEWER, "v@council.test")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Acme is shared Harbour Line; the council is shared Depot. Nell manages Harbour Line alone."""
    with running(tmp_path / "data", every_route()) as made:
        tell = itertools.count()

        def told(command: object) -> None:
            made.process.services.service.execute(OPERATOR, command, command_id=CommandId(f"t{next(tell)}"))  # type: ignore[arg-type]

        for command in depot():
            told(command)
        nell = InvitePerson(
            person=PersonId("nell"), name="Nell", email="nell@x.test", role="manager", projects=(HARBOUR,)
        )
        told(nell)
        yield made


def depot() -> list[object]:
    """What makes a second project, shared with the other client alone."""
    from domain.agreement.share import ActivateTerms
    from domain.plan.project import StartProject
    from domain.plan.schedule import AddMilestone, MilestoneDetails

    details = MilestoneDetails(title="Depot opens", client_title="Depot opens", client_facing=True)
    return [
        StartProject(project=DEPOT, title="Depot (internal)", client_title="Depot", owner=PersonId("manager"),
                     currency="GBP", time_zone="Europe/London"),
        AddMilestone(project=DEPOT, milestone="d1", details=details, forecast=date(2027, 9, 1)),
        DraftShare(share=HIDDEN, project=DEPOT, client=COUNCIL, terms=everything()),
        ActivateTerms(share=HIDDEN, reason="Start"),
    ]  # fmt: skip


def test_there_is_something_to_hide(house: House) -> None:
    """The manager of everything sees on these pages what Nell must not; else the tests below could not fail."""
    everyone = house.client("manager")
    seen = everyone.get("/p").text + everyone.get("/clients").text + everyone.get(f"/p/{HARBOUR}/shares/new").text
    assert "Depot" in seen
    assert "City Council" in seen


def test_a_manager_of_some_projects_finds_no_trace_of_the_others(house: House) -> None:
    nell = house.client("nell")
    addresses = (
        "/p", f"/p/{HARBOUR}", f"/p/{HARBOUR}/watching", f"/p/{HARBOUR}/history", f"/p/{HARBOUR}/shares/new",
        f"/p/{HARBOUR}/shares/{SHARE}", f"/p/{HARBOUR}/shares/{SHARE}/as", f"/p/{HARBOUR}/shares/{SHARE}/at/now",
        f"/p/{HARBOUR}/shares/{SHARE}/access", f"/p/{HARBOUR}/who?milestone=m1", "/clients", f"/clients/{ACME}", "/me", "/for-you",
        "/shares", "/shares.csv", f"/p/{HARBOUR}/shares/{SHARE}/edit",
    )  # fmt: skip
    for address in addresses:
        answer = nell.get(address, follow_redirects=True)
        assert answer.status_code == 200, address
        for secret in SECRETS:
            assert secret not in answer.text, (address, secret)
    assert "Harbour Line" in nell.get("/p").text
    assert "1 project" in nell.get("/p").text
    assert 'href="/p/new"' not in nell.get("/p").text


def _staff_routes(house: House) -> list[Route]:
    return [
        r for r in every_route() if isinstance(r, Route) and r.endpoint.guarded == STAFF
    ]  # /search is judged by its own test


def test_every_door_of_managers_is_under_a_project_or_one_of_these(house: House) -> None:
    """A new door either names the project in its address, where the guard looks, or is judged by hand."""
    free = {route.path for route in _staff_routes(house) if "{project}" not in route.path}
    assert free == {
        "/p",
        "/p/new",
        "/api/v1/commands",
        *(f"/for-you{path}" for path in ("", "/list", "/count", "/put-off", "/hand-over", "/absence", "/settings")),
        "/shares",
        "/shares.csv",
        "/clients",
        "/clients/{client}",
        "/clients/{client}/domains",
        "/clients/{client}/end",
        "/clients/{client}/people/{person}/end",
        "/clients/{client}/people/{person}/sessions/{session}/end",
        "/clients/{client}/people/{person}/lead",
        "/clients/{client}/people/{person}/devices/{device}/end",
        "/clients/{client}/devices",
    }


def _addresses(house: House, project: str, share: str) -> Iterator[tuple[str, str]]:
    values = {
        "project": project, "share": share, "person": OTHER_VIEWER, "sha": "0" * 64, "n": "1", "moment": "u1",
        "command": "move-forecast", "upload": "x", "risk": "r1",
    }  # fmt: skip
    for route in _staff_routes(house):
        if "{project}" in route.path:
            address = re.sub(r"\{(\w+)(:\w+)?\}", lambda m: values.get(m[1], "x"), route.path)
            for method in sorted(route.methods or ()):
                yield method, address


def test_every_address_of_a_project_that_is_not_theirs_answers_like_none(house: House) -> None:
    nell, everyone = house.client("nell"), house.client("manager")
    csrf = form_of(nell.get("/p").text, "/sign-out")["csrf"]
    theirs, none = list(_addresses(house, DEPOT, HIDDEN)), list(_addresses(house, "nosuch", "nosuch"))
    assert len(theirs) > 25
    opened = 0
    for (method, address), (_, nowhere) in zip(theirs, none, strict=True):
        data = {"csrf": csrf} if method == "POST" else None
        hidden, nothing = (nell.request(method, there, data=data) for there in (address, nowhere))
        assert (hidden.status_code, hidden.content) == (404, nothing.content), (method, address)
        assert dict(hidden.headers) == dict(nothing.headers), address
        opened += method == "GET" and everyone.get(address).status_code in (200, 303)
    assert opened > 8  # they are really there, for whoever manages everything


def test_every_command_on_what_is_not_theirs_is_denied_and_records_nothing(house: House) -> None:
    bearer = house.bearer("nell")
    assert (
        house.client().get("/api/v1/projects", headers=bearer).status_code == 200
    )  # the first use of a day is recorded
    before = house.process.services.logs.events.head()
    theirs = [
        MoveForecast(project=DEPOT, milestone="d1", forecast=date(2027, 10, 1), reason="x"),
        DraftTerms(share=HIDDEN, terms=everything()),
        RevokeShare(share=HIDDEN, reason="x"),
        DraftShare(share="new", project=DEPOT, client=ACME, terms=everything()),
        DraftShare(share="new", project=HARBOUR, client=COUNCIL, terms=everything()),
        InvitePerson(person="spy", name="Spy", email="spy@x.test", role="viewer", client=COUNCIL),
        AssignProjects(person="nell", projects=None),
    ]
    for command in theirs:
        headers = bearer | {"idempotency-key": new_id()}
        answer = house.client().post("/api/v1/commands", content=encode(command), headers=headers)
        assert answer.status_code == 403, command
    assert house.process.services.logs.events.head() == before
    mine = MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, 2), reason="Frost")
    assert house.client().post("/api/v1/commands", content=encode(mine), headers=bearer).status_code == 201


def test_a_manager_of_some_projects_cannot_come_in_as_a_viewer_of_another(house: House) -> None:
    """A link is made from a hash its maker chooses: whoever may make one for a person can be that person."""
    from datetime import timedelta

    from domain.people.sign_ins import IssueLink
    from web import clock

    secret, until = new_secret(), clock.now() + timedelta(hours=1)
    link = IssueLink(person=PersonId(OTHER_VIEWER), hash=digest(secret), expires=until)
    headers = house.bearer("nell")
    assert house.client().post("/api/v1/commands", content=encode(link), headers=headers).status_code == 403
    assert house.process.services.credentials.holder(secret) is None
    own = IssueLink(person=PersonId(VIEWER), hash=digest(secret), expires=until)
    headers = headers | {"idempotency-key": new_id()}
    assert house.client().post("/api/v1/commands", content=encode(own), headers=headers).status_code == 201


def test_of_a_client_shared_by_several_managers_each_sees_their_own_share(house: House) -> None:
    both = DraftShare(share=THEIRS, project=DEPOT, client=ACME, terms=everything())
    house.process.services.service.execute(OPERATOR, both, command_id=CommandId("both"))
    nell = house.client("nell")
    page = nell.get(f"/clients/{ACME}").text
    assert "Harbour Line" in page
    for secret in ("Depot", DEPOT, THEIRS):
        assert secret not in page
    assert f"/clients/{ACME}/end" not in page  # ending it would end what is not hers
    assert nell.get(f"/clients/{ACME}/end").status_code == 404
    assert nell.get(f"/clients/{ACME}/people/{VIEWER}/end").status_code == 200
    assert "Depot" in house.client("manager").get(f"/clients/{ACME}").text


def test_clients_of_others_answer_like_none(house: House) -> None:
    nell = house.client("nell")
    csrf = form_of(nell.get("/p").text, "/sign-out")["csrf"]
    for path in ("", "/end", f"/people/{OTHER_VIEWER}/end"):
        hidden, nothing = nell.get(f"/clients/{COUNCIL}{path}"), nell.get(f"/clients/nosuch{path}")
        assert (hidden.status_code, hidden.content) == (404, nothing.content)
    for path in ("/domains", "/end", f"/people/{OTHER_VIEWER}/end", f"/people/{OTHER_VIEWER}/sessions/x/end"):
        answer = nell.post(f"/clients/{COUNCIL}{path}", data={"csrf": csrf, "name": "City Council", "reason": "x"})
        assert answer.status_code == 404
    assert house.process.services.present.refresh().clients[COUNCIL].ended_at is None
    form = form_of(nell.get(f"/p/{HARBOUR}/shares/new").text, "/shares/new")
    guess = nell.post(f"/p/{HARBOUR}/shares/new", data=form | {"client": COUNCIL})
    nosuch = nell.post(f"/p/{HARBOUR}/shares/new", data=form | {"client": "nosuch"})
    assert guess.status_code == nosuch.status_code == 422


# the admin's page


def test_an_admin_sees_everybody_of_the_house_and_what_they_manage(house: House) -> None:
    page = house.client("admin").get("/people").text
    for text in ("Nell", "nell@x.test", "Harbour Line (internal)", "All projects", "Auditor", ">you<"):
        assert text in page
    assert "Vera" not in page  # viewers are with their clients
    for other in ("manager", "auditor", VIEWER):
        assert house.client(other).get("/people").status_code == 404


def test_an_admin_invites_a_manager_of_some_projects_and_the_link_is_shown_once(house: House) -> None:
    admin = house.client("admin")
    form = form_of(admin.get("/people").text, "/people#invite") | {
        "name": "Omar", "email": "omar@x.test", "role": "manager", "which": "some", "project": [DEPOT],
    }  # fmt: skip
    page = admin.post("/people", data=form).text
    secret = re.search(r"/in/([\w-]+)", page)
    assert secret is not None
    assert house.process.services.credentials.holder(secret[1]).projects == (DEPOT,)  # type: ignore[union-attr]
    assert secret[1] not in admin.get("/people").text
    twice = admin.post("/people", data=form | {"email": "OMAR@x.test"})
    assert (twice.status_code, "was invited already" in twice.text) == (409, True)
    for wrong, field in (({"email": "nobody"}, "email"), ({"role": "viewer"}, "role"), ({"name": " "}, "name")):
        answer = admin.post("/people", data=form | {"email": "new@x.test"} | wrong)
        assert answer.status_code == 422
        assert f'id="p-{field}-wrong"' in answer.text
        assert f'value="{DEPOT}" checked' in answer.text  # nothing that was chosen is lost


def test_what_is_assigned_holds_from_the_next_click_on(house: House) -> None:
    admin, nell = house.client("admin"), house.client("nell")
    assert nell.get(f"/p/{DEPOT}").status_code == 404
    form = form_of(admin.get("/people/nell/role").text, "/people/nell/role")
    answer = admin.post("/people/nell/role", data=form | {"which": "some", "project": [DEPOT]})
    assert answer.headers["location"] == "/people?done=assigned"
    assert nell.get(f"/p/{DEPOT}").status_code == 200
    assert nell.get(f"/p/{HARBOUR}").status_code == 404
    again = form | {"command_id": new_id(24)}
    assert admin.post("/people/nell/role", data=again | {"which": "some", "project": ["nosuch"]}).status_code == 404
    assert admin.post("/people/nell/role", data=again | {"which": "all"}).status_code == 303
    assert nell.get(f"/p/{HARBOUR}").status_code == nell.get(f"/p/{DEPOT}").status_code == 200


def test_a_role_can_be_changed_and_holds_from_the_next_click_on_for_pages_and_tokens(house: House) -> None:
    admin, nell, program = house.client("admin"), house.client("nell"), house.bearer("nell")
    form = form_of(admin.get("/people/nell/role").text, "/people/nell/role")
    everywhere = {"auditor": "/audit", "admin": "/people", "manager": "/p/new"}
    for role, projects in (("auditor", ()), ("admin", ()), ("manager", (DEPOT,)), ("manager", None)):
        chosen = {"role": role, "which": "all" if projects is None else "some", "project": list(projects or ())}
        answer = admin.post("/people/nell/role", data=form | chosen | {"command_id": new_id(24)})
        assert answer.headers["location"] == "/people?done=assigned"
        allowed = {path for key, path in everywhere.items() if nell.get(path).status_code == 200}
        assert allowed == {
            "auditor": {"/audit"}, "admin": set(everywhere.values()), "manager": {"/p/new"} if projects is None else set(),
        }[role]  # fmt: skip
        move = MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 8, 1), reason="x")
        sent = house.client().post(
            "/api/v1/commands", content=encode(move), headers=program | {"idempotency-key": new_id()}
        )
        assert (sent.status_code in (200, 201)) == (role == "admin" or projects is None), role
    for wrong in ({"role": "viewer"}, {"role": "emperor"}):
        told = admin.post("/people/nell/role", data=form | wrong | {"command_id": new_id(24)})
        assert (told.status_code, 'id="p-role-wrong"' in told.text) == (422, True)
    assert admin.get("/people/admin/role").status_code == 404, "nobody changes their own"
    assert admin.get(f"/people/{VIEWER}/role").status_code == 404, "a viewer has none to change"


def test_somebody_always_is_an_admin_and_a_viewer_stays_one(house: House) -> None:
    service = house.process.services.service
    admins = [p.id for p in house.process.services.present.world.people.values() if p.role == "admin"]
    assert admins == ["admin"]
    for person, role, error in (
        ("admin", "manager", Conflict),
        (VIEWER, "admin", Invalid),
        ("nell", "viewer", Invalid),
    ):
        with pytest.raises(error):
            service.execute(OPERATOR, ChangeRole(person=PersonId(person), role=role), command_id=CommandId(new_id(24)))  # type: ignore[arg-type]


def test_what_an_admin_began_is_judged_by_the_role_they_have_by_then(house: House) -> None:
    """Between the look at who asks and the command the role may have changed."""
    services = house.process.services
    was = Actor(PersonId("nell"), "admin")
    with pytest.raises(Denied):
        services.service.execute(
            was, ChangeRole(person=PersonId("auditor"), role="admin"), command_id=CommandId("late")
        )


def test_an_admin_sees_the_sessions_of_colleagues_and_ends_one(house: House) -> None:
    admin, nell = house.client("admin"), house.client("nell")
    page = admin.get("/people").text
    address = re.search(r"/people/nell/sessions/\w+/end", page)
    assert address is not None
    form = form_of(page, address[0])
    assert admin.post("/people/auditor/sessions/nosuch/end", data=form).status_code == 404
    assert nell.post(address[0], data=form).status_code == 404
    assert nell.get("/p").status_code == 200
    assert admin.post(address[0], data=form).headers["location"] == "/people?done=session"
    assert nell.get("/p").status_code == 303
    assert address[0] not in admin.get("/people").text


def test_an_admin_ends_somebodys_access_for_a_reason_and_never_their_own(house: House) -> None:
    admin, nell = house.client("admin"), house.client("nell")
    form = form_of(admin.get("/people/nell/end").text, "/people/nell/end")
    assert admin.post("/people/nell/end", data=form).status_code == 422
    assert nell.get("/p").status_code == 200
    assert admin.post("/people/nell/end", data=form | {"reason": "Left us"}).status_code == 303
    assert nell.get("/p").headers["location"] == "/sign-in"
    assert admin.get("/people/admin/end").status_code == 404
    assert admin.post("/people/admin/end", data=form | {"reason": "x"}).status_code == 404
    assert admin.get("/people/nell/end").status_code == 404  # done already
    assert admin.get(f"/people/{VIEWER}/end").status_code == 404  # a viewer, with their client


def test_a_new_link_for_staff_is_shown_once(house: House) -> None:
    admin = house.client("admin")
    form = form_of(admin.get("/people").text, "/people/nell/link")
    secret = re.search(r"/in/([\w-]+)", admin.post("/people/nell/link", data=form).text)
    assert secret is not None
    browser = house.client()
    assert browser.post(f"/in/{secret[1]}", headers={"origin": ORIGIN}).status_code == 303
    assert browser.get("/").headers["location"] == "/p"
    assert admin.post(f"/people/{VIEWER}/link", data=form).status_code == 404


def test_the_operator_names_the_projects_of_a_manager(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = World(tmp_path)
    world.harbour()
    world.project(DEPOT, "Depot")
    world.tell(InvitePerson(person=PersonId("m"), name="Max", email="max@x.test", role="manager"), ADMIN)
    world.close()
    where = ["--data", str(tmp_path)]
    invite = ["user", "invite", "nell@x.test", "--name", "Nell", "--role", "manager"]
    assert main([*invite, "--projects", f"{HARBOUR}, Depot (internal)", *where]) == 0
    assert main(["user", "projects", "max@x.test", DEPOT, *where]) == 0
    assert main([*invite, "--projects", "nosuch", *where]) == 2
    assert main(["user", "list", *where]) == 0
    told = capsys.readouterr()
    assert f"of {DEPOT}, {HARBOUR}" in told.out
    assert f"Max <max@x.test> of {DEPOT}" in told.out
    assert "no one project 'nosuch'" in told.err
    assert ClientId("acme") == ACME


def test_a_client_speaks_through_its_own_people_alone(house: House) -> None:
    from domain.plan.risks import Points, ScoreAsClient

    score = ScoreAsClient(
        project=HARBOUR, risk=RiskId("r1"), client=ACME, points=Points(2, 2), by=PersonId(OTHER_VIEWER)
    )
    answer = house.client().post("/api/v1/commands", content=encode(score), headers=house.bearer("manager"))
    assert (answer.status_code, "not of that client" in answer.text) == (422, True)
    form = house.client("nell").get(f"/p/{HARBOUR}/do/client-score?risk=r1")
    assert "City Council" not in form.text
    screened = msgspec.structs.replace(
        score, by=PersonId(VIEWER), share=ShareId(SHARE), screen=Screen(n=1, head="ab" * 32)
    )
    forged = house.client().post("/api/v1/commands", content=encode(screened), headers=house.bearer("manager"))
    assert forged.status_code == 403


def test_a_refusal_no_page_has_a_form_for_is_told_in_words(house: House) -> None:
    """A link for a viewer of two projects needs both; the button answers, whatever else there is of it."""
    from starlette.testclient import TestClient

    from domain.agreement.share import ActivateTerms
    from web import app as application

    execute = house.process.services.service.execute
    execute(OPERATOR, DraftShare(share="both", project=DEPOT, client=ACME, terms=everything()), command_id="b1")
    execute(OPERATOR, ActivateTerms(share="both", reason="Start"), command_id="b2")
    house.app.exception_handlers.update(application.refusals(house.process.services))
    house.app.middleware_stack = None
    browser = TestClient(house.app, base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False)
    browser.cookies.set(house.process.services.guard.cookie, house.cookie("nell"))
    page = browser.get(f"/p/{HARBOUR}/shares/{SHARE}").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf is not None
    answer = browser.post(f"/p/{HARBOUR}/shares/{SHARE}/viewers/{VIEWER}/link", data={"csrf": csrf[1]})
    assert (answer.status_code, "Ask an admin" in answer.text) == (403, True)


# who there is, and what is answered about it


def _told(house: House, person: str, command: dict[str, object]) -> tuple[int, bytes]:
    answer = house.client().post("/api/v1/commands", json=command, headers=house.bearer(person))
    return answer.status_code, answer.content


def _staff(house: House) -> None:
    """Olga manages Harbour Line as well, Petra manages another project, Quentin all of them."""
    for name, projects in (("Olga", (HARBOUR,)), ("Petra", (DEPOT,)), ("Quentin", None)):
        person = InvitePerson(
            person=PersonId(name.lower()), name=name, email=f"{name}@x.test", role="manager", projects=projects
        )
        house.process.services.service.execute(OPERATOR, person, command_id=CommandId(name))


def test_a_manager_of_one_project_reads_no_names_of_staff_who_have_nothing_to_do_with_it(house: House) -> None:
    _staff(house)
    form = f"/p/{HARBOUR}/do/describe-project"
    everyone = house.client("manager").get(form).text
    assert all(f">{name}<" in everyone for name in ("Olga", "Petra", "Quentin", "Admin"))  # there is something to hide
    nell = house.client("nell").get(form).text
    assert ">Olga<" in nell
    assert ">Nell<" in nell
    assert not any(name in nell for name in ("Petra", "Quentin", "Admin"))


def test_nobody_becomes_an_owner_so_that_their_name_can_be_read(house: House) -> None:
    _staff(house)
    project = house.process.services.present.world.projects[HARBOUR]
    told = {"project": HARBOUR, "title": project.title, "client_title": project.client_title}
    command = {"type": "describe-project"} | told
    unknown = _told(house, "nell", command | {"owner": "nobody"})
    assert unknown[0] == 403
    for owner in ("petra", "quentin", "admin", OTHER_VIEWER, VIEWER):
        assert _told(house, "nell", command | {"owner": owner}) == unknown, owner
        together = {"type": "change-together", "project": HARBOUR, "commands": [command | {"owner": owner}]}
        assert _told(house, "nell", together)[0] == 403, owner
    assert _told(house, "nell", command | {"owner": "olga"})[0] == 201
    assert _told(house, "quentin", command | {"owner": "petra"})[0] == 201


REST = {"reason": "x"}
ABOUT_CLIENTS = (
    {"type": "ask-client-view", "project": HARBOUR, "risk": "r1"},
    {"type": "score-as-client", "project": HARBOUR, "risk": "r1", "points": {"probability": 2, "impact": 2}, "by": "x"},
    {"type": "draft-share", "share": "s9", "project": HARBOUR, "terms": {}},
    {"type": "end-client"} | REST,
    {"type": "set-mail-domains", "domains": ["x.test"]},
    {"type": "invite-person", "person": "spy", "name": "Spy", "email": "spy@x.test", "role": "viewer"},
    {"type": "issue-link", "person": VIEWER, "hash": "0" * 64, "expires": "2099-01-01T00:00:00Z"},
    {"type": "end-membership", "person": VIEWER} | REST,
)


@pytest.mark.parametrize("command", ABOUT_CLIENTS, ids=lambda command: command["type"])
def test_a_client_that_is_not_theirs_is_answered_like_one_that_does_not_exist(
    house: House, command: dict[str, object]
) -> None:
    hidden = _told(house, "nell", command | {"client": COUNCIL})
    assert hidden[0] == 403
    assert _told(house, "nell", command | {"client": "nowhere"}) == hidden


ABOUT_PEOPLE = (
    {"type": "issue-link", "hash": "0" * 64, "expires": "2099-01-01T00:00:00Z"},
    {"type": "disable-person"} | REST,
    {"type": "end-session", "session": "x"},
    {"type": "end-membership", "client": ACME} | REST,
    {"type": "queue-mail", "mail": "m1", "kind": "invitation"},
    {"type": "score-as-client", "project": HARBOUR, "risk": "r1", "points": {"probability": 2, "impact": 2},
     "client": ACME},
)  # fmt: skip


@pytest.mark.parametrize("manager", ["nell", "manager"])
@pytest.mark.parametrize("command", ABOUT_PEOPLE, ids=lambda command: command["type"])
def test_staff_and_strangers_are_answered_like_nobody(house: House, manager: str, command: dict[str, object]) -> None:
    name = "by" if command["type"] == "score-as-client" else "person"
    nobody = _told(house, manager, command | {name: "nobody"})
    assert nobody[0] in (403, 422)
    others = ("admin", "auditor") + ((OTHER_VIEWER,) if manager == "nell" else ())
    for person in others:
        assert _told(house, manager, command | {name: person}) == nobody, person
