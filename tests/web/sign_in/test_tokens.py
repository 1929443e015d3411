"""Bearer tokens run out, are listed with whose they are, and are revoked from a page or by a command."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.ids import CommandId, PersonId
from domain.people.person import AssignProjects
from domain.plan.project import StartProject
from tests.programs import fanlight
from tests.web.doors import ORIGIN, VIEWER, House, every_route, running
from tests.web.sign_in.test_sessions import After, csrf, enter
from tests.world import DEPOT, HARBOUR, SHARE, World
from web.door.guard import EVERYONE, door
from web.ids import new_id
from web.sign_in import tokens
from web.write.permission import OPERATOR

ENTRIES = f"/api/v1/shares/{SHARE}/entries"


@pytest.fixture
def later() -> After:
    return After()


@pytest.fixture
def house(tmp_path: Path, later: After) -> Iterator[House]:
    with running(tmp_path / "data", every_route(), now=later, token_days=30) as made:
        yield made


def opens(house: House, token: str) -> int:
    return house.client().get(ENTRIES, headers={"authorization": f"Bearer {token}"}).status_code


def test_a_token_runs_out_by_the_setting(house: House, later: After) -> None:
    token = house.token(VIEWER)
    later.ahead = timedelta(days=29, hours=23)
    assert opens(house, token) == 200
    later.ahead = timedelta(days=30, seconds=1)
    assert opens(house, token) == 401
    assert "has expired" in enter(house, VIEWER).get("/tokens").text


def test_everybody_lists_and_revokes_their_own(house: House) -> None:
    token, other = house.token(VIEWER), house.token("manager")
    browser = enter(house, VIEWER)
    assert "/tokens" in browser.get("/me").text
    page = browser.get("/tokens").text
    (mine,) = house.process.services.present.refresh().people[PersonId(VIEWER)].tokens
    (theirs,) = house.process.services.present.world.people[PersonId("manager")].tokens
    assert mine in page
    assert "30 days" in page
    assert theirs not in page
    send = {"data": {"csrf": csrf(page)}, "headers": {"origin": ORIGIN}}
    nothing = browser.post("/tokens/manager/none/revoke", **send)
    foreign = browser.post(f"/tokens/manager/{theirs}/revoke", **send)
    assert (foreign.status_code, foreign.content) == (404, nothing.content)
    assert opens(house, other) == 404  # a manager's token, which works: this door is for viewers
    assert browser.post(f"/tokens/{VIEWER}/{mine}/revoke", **send).headers["location"] == "/tokens?done=1"
    assert opens(house, token) == 401
    assert "No program has a token" in browser.get("/tokens?done=1").text


def test_an_admin_lists_and_revokes_everybodys(house: House) -> None:
    token = house.token(VIEWER)
    browser = enter(house, "admin")
    page = browser.get("/tokens").text
    person = house.process.services.present.refresh().people[PersonId(VIEWER)]
    assert person.name in page
    send = {"data": {"csrf": csrf(page)}, "headers": {"origin": ORIGIN}}
    assert browser.post(f"/tokens/{VIEWER}/{next(iter(person.tokens))}/revoke", **send).status_code == 303
    assert opens(house, token) == 401
    for role in ("manager", "auditor"):
        assert person.name not in enter(house, role).get("/tokens").text


@pytest.mark.folder
def test_the_command_line_lists_and_revokes_them(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.harbour()
    email = next(person.email for person in world.present.world.people.values() if person.id == VIEWER)
    world.close()
    assert fanlight("user", "token", email, "--label", "planning", "--data", tmp_path).returncode == 0
    (line,) = fanlight("user", "tokens", "--data", tmp_path).stdout.splitlines()
    key, whose, label, *_until = line.split()
    assert (whose, label) == (email, "planning")
    assert fanlight("user", "tokens", email, "--data", tmp_path).stdout == line + "\n"
    refused = fanlight("user", "revoke", "nosuch", "--data", tmp_path)
    assert (refused.returncode, "fanlight user tokens" in refused.stderr) == (2, True)
    assert fanlight("user", "revoke", key, "--data", tmp_path).returncode == 0
    assert fanlight("user", "tokens", "--data", tmp_path).stdout == ""
    assert OPERATOR.role == "admin"


# what a token covers


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}", "idempotency-key": new_id()}


def makes(house: House, person: str, **typed: object) -> str:
    """Make a token on the page, and return its secret."""
    made = enter(house, person)
    sent = {
        "csrf": csrf(made.get("/tokens").text),
        "label": "nightly",
        "scope": ["read", "change"],
        "which": "all",
        **typed,
    }
    page = made.post("/tokens", data=sent)
    assert page.status_code == 200, page.text
    found = re.search(r'id="the-token" readonly value="([\w-]{32})"', page.text)
    assert found
    assert found[1] not in made.get("/tokens").text, "it is shown once"
    return found[1]


def moves(house: House, secret: str, project: str = HARBOUR) -> int:
    command = {
        "type": "move-forecast", "project": project, "milestone": "m1", "forecast": "2027-06-01", "reason": "Frost",
    }  # fmt: skip
    return house.client().post("/api/v1/commands", json=command, headers=bearer(secret)).status_code


def listed(house: House, secret: str) -> list[str] | int:
    answer = house.client().get("/api/v1/projects", headers=bearer(secret))
    return [one["project"] for one in answer.json()["projects"]] if answer.status_code == 200 else answer.status_code


def test_a_token_reads_or_changes_as_its_scopes_say(house: House) -> None:
    reads, changes, both = (
        makes(house, "manager", scope=scope) for scope in (["read"], ["change"], ["read", "change"])
    )
    assert (listed(house, reads), moves(house, reads)) == ([HARBOUR], 403)
    assert (listed(house, changes), moves(house, changes)) == (403, 201)
    assert (listed(house, both), moves(house, both)) == ([HARBOUR], 201)
    refused = house.client().get("/api/v1/projects", headers=bearer(changes)).json()
    assert refused["detail"] == "This token does not cover read. Make one that does, at /me."
    (project,) = house.client().get("/api/v1/projects", headers=bearer(reads)).json()["projects"]
    world = house.process.services.present.world
    assert project["version"] == world.versions[f"project-{HARBOUR}"]
    assert [share["share"] for share in project["shares"]] == [SHARE]


def test_a_token_for_chosen_projects_reaches_no_other(house: House) -> None:
    start = StartProject(
        project=DEPOT, title="Depot", client_title="Depot", owner=PersonId("manager"), currency="GBP",
        time_zone="Europe/London",
    )  # fmt: skip
    house.process.services.service.execute(OPERATOR, start, command_id=CommandId(new_id()))
    secret = makes(house, "admin", which="some", project=[DEPOT])
    assert listed(house, secret) == [DEPOT]
    assert moves(house, secret) == 403
    assert moves(house, secret, DEPOT) == 404, "there is no such milestone: it was let in"
    share = {"type": "revoke-share", "share": SHARE, "reason": "x"}
    sent = house.client().post("/api/v1/commands", json=share, headers=bearer(secret))
    assert sent.status_code == 403
    assert SHARE in str(house.process.services.present.world.shares)
    page = enter(house, "admin").get("/tokens").text
    assert "read and change: Depot" in page


def test_a_scoped_token_lets_nobody_in_and_makes_no_other(house: House) -> None:
    secret = makes(house, "admin")
    for command in (
        {"type": "issue-token", "person": "admin", "token": "x", "hash": "h", "label": "more"},
        {"type": "issue-token", "person": "admin", "token": "x", "hash": "h", "label": "more", "scopes": ["change"]},
        {"type": "issue-link", "person": "manager", "hash": "h", "expires": "2027-03-03T00:00:00Z"},
        {"type": "invite-person", "person": "p", "name": "P", "email": "p@x.test", "role": "admin"},
        {"type": "register-client", "client": "c", "name": "C", "time_zone": "UTC"},
        {"type": "require-passkeys", "required": True},
        {"type": "use-token", "person": "admin", "token": "x", "on": "2027-03-02"},
    ):
        answer = house.client().post("/api/v1/commands", json=command, headers=bearer(secret))
        assert (answer.status_code, answer.json()["title"]) == (403, "Not allowed"), command


def test_one_that_was_issued_before_does_what_its_holder_may(house: House, later: After) -> None:
    secret = house.token("admin")
    assert (listed(house, secret), moves(house, secret)) == ([HARBOUR], 201)
    register = {"type": "register-client", "client": "c", "name": "C", "time_zone": "UTC"}
    assert house.client().post("/api/v1/commands", json=register, headers=bearer(secret)).status_code == 201
    later.ahead = timedelta(days=30, seconds=1)
    assert listed(house, secret) == 401


def test_a_day_is_chosen_up_to_the_longest_and_kept_when_the_setting_falls(tmp_path: Path, later: After) -> None:
    with running(tmp_path / "data", every_route(), now=later, token_days=30, token_days_most=60) as house:
        page = enter(house, "manager").get("/tokens").text
        assert 'name="until" value="2027-04-01"' in page
        assert "60 days at most" in page
        secret = makes(house, "manager", until="2027-04-20")
        made = enter(house, "manager")
        form = {"csrf": csrf(made.get("/tokens").text), "label": "x", "scope": ["read"], "which": "all"}
        for day, told in (
            ("2027-08-01", "60 days at most"), ("2027-01-01", "has to end in the future"), ("soon", "is no date"),
        ):  # fmt: skip
            refused = made.post("/tokens", data={**form, "until": day})
            assert (refused.status_code, told in refused.text) == (422, True), day
            assert 'value="x"' in refused.text, "what was typed stays"
        for missing in ({"scope": []}, {"which": "some"}, {"label": ""}):
            assert made.post("/tokens", data={**form, **missing}).status_code == 422, missing
        later.ahead = timedelta(days=48)
        assert listed(house, secret) == [HARBOUR]
        later.ahead = timedelta(days=50)
        assert listed(house, secret) == 401
        assert made.get("/tokens").status_code == 303


def test_the_last_day_it_was_used_is_kept_and_nothing_finer(house: House, later: After) -> None:
    secret = makes(house, "manager")
    events = house.process.services.logs.events
    assert "never" in enter(house, "manager").get("/tokens").text
    for _again in range(3):
        listed(house, secret)
    before = events.head()
    listed(house, secret)
    assert events.head() == before, "once a day"
    later.ahead = timedelta(days=1)
    assert listed(house, secret) == [HARBOUR]
    assert events.head() > before
    assert "3 Mar 2027" in enter(house, "manager").get("/tokens").text


def test_staff_make_them_for_what_is_theirs_and_viewers_and_tokens_do_not(house: House) -> None:
    house.process.services.service.execute(
        OPERATOR, AssignProjects(person=PersonId("manager"), projects=()), command_id=CommandId(new_id())
    )
    made = enter(house, "manager")
    form = {
        "csrf": csrf(made.get("/tokens").text),
        "label": "x",
        "scope": ["read"],
        "which": "some",
        "project": [HARBOUR],
    }
    theirs, nothing = made.post("/tokens", data=form), made.post("/tokens", data={**form, "project": ["nosuch"]})
    assert theirs.status_code == nothing.status_code == 403, "what is not theirs is like what is not there"
    viewer = enter(house, VIEWER)
    page = viewer.get("/tokens").text
    assert 'id="make"' not in page
    assert viewer.post("/tokens", data={"csrf": csrf(viewer.get("/me").text), "label": "x"}).status_code == 404
    auditor = makes(house, "auditor", scope=["read"])
    assert listed(house, auditor) == [HARBOUR]
    assert moves(house, auditor) in (403, 404)


@pytest.mark.once
def test_every_json_route_names_what_a_token_has_to_cover() -> None:
    found = {route.path: route.endpoint.scope for route in every_route() if route.path.startswith("/api/")}  # type: ignore[attr-defined]
    assert found == {
        "/api/v1/commands": "change",
        "/api/v1/projects": "read",
        "/api/v1/shares/{share}/entries": "read",
        "/api/v1/projects/{project}/sources/{source}/plan": "source",
        "/api/{rest:path}": "any",
    }
    with pytest.raises(ValueError, match="expected one of"):
        door("/api/v1/new", tokens.tokens, allow=EVERYONE)
    with pytest.raises(ValueError, match="none elsewhere"):
        door("/new", tokens.tokens, allow=EVERYONE, scope="read")
