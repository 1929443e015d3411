"""The pages of sources and the doors by which plans and hints come in."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.ids import PersonId, SourceId
from domain.people.person import AssignProjects
from domain.plan.project import StartProject
from domain.plan.sources.commands import AttachSource, FailSource
from tests.web.doors import VIEWER, wait_until
from tests.web.sources.house import JIRA, JUNE, TAKE, Sourced, form, sourced
from tests.web.sources.scripted import planned
from tests.world import DEPOT, HARBOUR
from web.ids import new_id
from web.proposal.compare import propose
from web.proposal.sourced import beside_sources, from_sources
from web.sources import turns
from web.sources.folder import FolderTool
from web.sources.tools.tool import Trouble
from web.write.permission import OPERATOR, SYSTEM

pytestmark = pytest.mark.stories
HERE = f"/p/{HARBOUR}/sources"
SCRIPT = SourceId("script1")
CSV = b"id,name,finish,milestone\n7,Depot opens,2027-06-01,yes\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Sourced]:
    with sourced(tmp_path, source_folder=tmp_path / "plans") as made:
        (tmp_path / "plans" / HARBOUR / "depot").mkdir(parents=True)
        yield made


def test_a_source_is_attached_once_the_tool_let_us_look(house: Sourced) -> None:
    browser = house.house.client("manager")
    assert "No source keeps this plan." in browser.get(HERE).text
    fields = {"source": JIRA, "name": "Plan in Jira", "address": "https://jira.example.org/", "secret": "s3cret"}
    wrong = form(browser, f"{HERE}/new/scripted", **{**fields, "address": "ftp://x"})
    assert wrong.status_code == 422
    assert "begins with https://" in wrong.text
    assert "s3cret" not in wrong.text
    answer = form(browser, f"{HERE}/new/scripted", cadence="5", **fields)
    assert answer.headers["location"] == f"{HERE}/{JIRA}?done=attached"
    assert house.tool.looked[-1].secret == "s3cret"
    assert (house.source().cadence, house.attached().secret) == (5, "s3cret")
    page = browser.get(f"{HERE}/{JIRA}").text
    assert "Nothing was pulled yet." in page
    assert "s3cret" not in page
    house.tool.answer = Trouble("The token is refused.", for_good=True)
    assert form(browser, f"{HERE}/{JIRA}/test", page=f"{HERE}/{JIRA}").status_code == 200


def test_a_secret_is_replaced_and_belongs_to_its_address(house: Sourced) -> None:
    house.attach()
    browser, here = house.house.client("manager"), f"{HERE}/{JIRA}"
    form(browser, f"{here}/secret", page=here, secret="another")
    assert (house.attached().secret, house.source().secret) == ("another", 2)
    moved = {"name": "Plan", "address": "https://elsewhere.example.org", "cadence": "60"}
    refused = form(browser, f"{here}/change", page=here, **moved)
    assert refused.status_code == 422
    assert "has to be typed again" in refused.text
    form(browser, f"{here}/change", page=here, secret="third", **moved)
    assert (house.attached().secret, house.attached().address) == ("third", "https://elsewhere.example.org")


def test_what_waits_is_told_in_for_you_and_decided_line_by_line(house: Sourced) -> None:
    house.attach(rules=TAKE.__class__())
    house.pull(planned(("7", "Depot opens", JUNE), ("8", "Crane arrives", JUNE)))
    browser = house.house.client("manager")
    listed = browser.get("/for-you").text
    assert "2 changes from Plan jira1 wait for you." in listed
    assert f"{HERE}/{JIRA}/waits" in listed
    page = browser.get(f"{HERE}/{JIRA}/waits").text
    keys = re.findall(r'name="line" id="[^"]+" value="([^"]+)"', page)
    pull = re.search(r'name="pull" value="([^"]+)"', page)
    assert pull is not None
    assert len(keys) == 2
    sent = {"pull": pull[1], "line": keys[:1], "listed": keys, "leave": "yes"}
    assert form(browser, f"{HERE}/{JIRA}/waits", **sent).status_code == 303
    assert house.titled("Depot opens")
    assert not house.source().waits
    assert "wait for you" not in browser.get("/for-you").text
    record = browser.get(f"{HERE}/{JIRA}/pulls/{pull[1]}").text
    assert "Taken by a person" in record
    assert "Left by a person" in record


def test_the_rules_are_tried_on_the_last_pull_and_nothing_is_recorded(house: Sourced) -> None:
    house.attach(rules=TAKE.__class__())
    house.pull(planned(("7", "Depot opens", JUNE)))
    browser, here = house.house.client("manager"), f"{HERE}/{JIRA}"
    asked = dict.fromkeys(("forecasts", "actuals", "progress", "titles", "new"), "take") | {"days": "9"}
    version = house.services.present.refresh().position
    tried = form(browser, f"{here}/rules", page=here, **{"try": "yes"}, **asked).text
    assert "Taken by itself" in tried
    assert house.services.present.refresh().position == version
    form(browser, f"{here}/rules", page=here, **asked)
    assert (house.source().rules.new, house.source().rules.days) == ("take", 9)


def test_a_pull_is_put_back_on_its_page(house: Sourced) -> None:
    house.owned(("7", "Depot opens", JUNE))
    house.pull(planned(("7", "Depot opens", JUNE.replace(day=3))))
    last = house.source().last
    assert last is not None
    browser, here = house.house.client("manager"), f"{HERE}/{JIRA}/pulls/{last.id}"
    assert form(browser, f"{here}/back", page=here).status_code == 303
    assert house.titled("Depot opens").forecast == JUNE
    assert "This pull was put back already." in browser.get(here).text


def test_a_failure_is_told_since_when_and_why_and_ends(house: Sourced) -> None:
    house.attach()
    house.tool.answer = Trouble("The token is refused. Replace it.", for_good=True)
    for _try in range(2):
        house.services.sources.engine.turn_of(HARBOUR, JIRA)
    browser = house.house.client("manager")
    for path in (HERE, f"{HERE}/{JIRA}", "/for-you", f"/p/{HARBOUR}"):
        assert "The token is refused. Replace it." in browser.get(path).text, path
    failed = [
        one for one in house.services.logs.events.stream(f"project-{HARBOUR}") if "Failed" in str(type(one.event))
    ]
    assert len(failed) == 1
    house.pull(planned(("7", "Depot opens", JUNE)))
    assert "The token is refused" not in browser.get("/for-you").text


def test_a_script_sends_the_plan_by_a_token_that_does_nothing_else(house: Sourced) -> None:
    house.attach(key=SCRIPT, tool="upload")
    browser, here = house.house.client("manager"), f"{HERE}/{SCRIPT}"
    made = form(browser, f"{here}/token", page=here).text
    token = re.search(r"oauth2-bearer ([\w-]{20,})", made)
    assert token is not None
    script = house.house.client()
    bearer, put = (
        {"authorization": f"Bearer {token[1]}"},
        f"/api/v1/projects/{HARBOUR}/sources/{SCRIPT}/plan?name=p.csv",
    )
    answer = script.put(put, content=CSV, headers=bearer)
    assert (answer.status_code, answer.json()["news"], answer.json()["taken"]) == (201, True, 1)
    assert house.titled("Depot opens").forecast == JUNE
    again = script.put(put, content=CSV, headers=bearer)
    assert (again.status_code, again.json()["news"]) == (200, False)
    assert script.get("/api/v1/projects", headers=bearer).status_code == 403
    other = put.replace(SCRIPT, "script2")
    house.attach(key=SourceId("script2"), tool="upload")
    assert script.put(other, content=CSV, headers=bearer).status_code == 403
    broken = script.put(put, content=b"<oops", headers=bearer)
    assert broken.status_code == 422
    assert house.source(SCRIPT).failure is not None
    assert script.put(put, content=CSV, headers={"authorization": "Bearer nobody"}).status_code == 401


def test_a_token_of_a_source_reaches_no_source_of_that_name_in_another_project(house: Sourced) -> None:
    house.attach(key=SCRIPT, tool="upload")
    here = f"{HERE}/{SCRIPT}"
    made = form(house.house.client("manager"), f"{here}/token", page=here).text
    token = re.search(r"oauth2-bearer ([\w-]{20,})", made)
    assert token is not None
    start = StartProject(
        project=DEPOT, title="Depot", client_title="Depot", owner=PersonId("manager"), currency="GBP",
        time_zone="Europe/London",
    )  # fmt: skip
    house.tell(start)
    house.tell(AttachSource(project=DEPOT, source=SCRIPT, tool="upload", name="Depot", rules=TAKE))
    answer = house.house.client().put(
        f"/api/v1/projects/{DEPOT}/sources/{SCRIPT}/plan?name=p.csv",
        content=CSV,
        headers={"authorization": f"Bearer {token[1]}"},
    )
    assert answer.status_code in (403, 404)
    assert "Depot" not in answer.text
    assert not house.services.present.refresh().projects[DEPOT].sources[SCRIPT].pulls


def test_a_plan_is_not_sent_to_a_project_that_is_not_theirs(house: Sourced) -> None:
    house.attach(key=SCRIPT, tool="upload")
    services = house.services
    token = services.credentials.token(OPERATOR, PersonId("manager"), "all")
    house.tell(AssignProjects(person=PersonId("manager"), projects=()), OPERATOR)
    put = f"/api/v1/projects/{HARBOUR}/sources/{SCRIPT}/plan"
    answer = house.house.client().put(put, content=CSV, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 404


def test_a_hint_that_is_signed_is_a_turn_and_a_storm_of_them_is_few(
    house: Sourced, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("FIRST", 0.2), ("SOON", 0.2), ("REST", 1.0)):
        monkeypatch.setattr(turns, name, seconds)
    house.attach()
    engine, browser = house.services.sources.engine, house.house.client()
    hook = house.services.sources.taking.hook(HARBOUR, house.source())
    signed = {"x-signed": house.attached().hook_secret}
    assert len(hook) >= 40
    assert browser.post("/hooks/" + "0" * 40, content=b"{}", headers=signed).status_code == 404
    assert browser.post(f"/hooks/{hook}", content=b"{}").status_code == 404
    assert browser.post(f"/hooks/{hook}", content=b"x" * (2 << 20), headers=signed).status_code == 413
    house.tool.answer = planned(("7", "Depot opens", JUNE))
    engine.rest = False
    wait_until(lambda: house.source().last is not None)
    engine.rest = True
    for _hint in range(30):
        assert browser.post(f"/hooks/{hook}", content=b"{}", headers=signed).status_code == 204
    for _hint in range(970):
        engine.hint(HARBOUR, JIRA)
    engine.rest = False
    wait_until(lambda: len(house.tool.asked) >= 2, 60)
    wait_until(lambda: (engine.next_at(HARBOUR, JIRA) or house.clock.at) > house.clock.at + timedelta(minutes=5))
    engine.rest = True
    assert len(house.tool.asked) == 2


def test_nobody_but_who_manages_the_project_finds_its_sources(house: Sourced) -> None:
    house.attach()
    for person in (VIEWER, "auditor"):
        for path in (HERE, f"{HERE}/{JIRA}", f"{HERE}/{JIRA}/waits", f"{HERE}/new/scripted"):
            assert house.house.client(person).get(path).status_code == 404, (person, path)


def test_the_newest_file_of_an_allowed_folder_is_taken(house: Sourced, tmp_path: Path) -> None:
    folder, engine = tmp_path / "plans" / HARBOUR / "depot", house.services.sources.engine
    quick = FolderTool(tmp_path / "plans", house.services.sources.files, still=0.05)
    house.services.sources.tools["folder"] = quick  # type: ignore[index]
    key = SourceId("folder1")
    house.attach(key=key, tool="folder", address="", values={"folder": "depot"})
    asked = engine.turn_of(HARBOUR, key)
    assert "There is no plan in the folder" in str(asked.trouble)
    (folder / "plan.csv").write_bytes(CSV)
    assert engine.turn_of(HARBOUR, key).news == "recorded"
    assert house.titled("Depot opens").forecast == JUNE
    assert engine.turn_of(HARBOUR, key).news == "nothing"
    secret = tmp_path / "secret.csv"
    secret.write_bytes(CSV.replace(b"Depot opens", b"Elsewhere"))
    (folder / "zz.csv").symlink_to(secret)
    assert engine.turn_of(HARBOUR, key).news == "nothing"


def test_a_failure_that_began_is_recorded_once(house: Sourced) -> None:
    house.attach()
    for _try in range(3):
        house.tell(FailSource(project=HARBOUR, source=JIRA, why="away"), SYSTEM)
    failed = [
        one for one in house.services.logs.events.stream(f"project-{HARBOUR}") if "Failed" in str(type(one.event))
    ]
    assert len(failed) == 1


def test_a_change_by_hand_asks_whether_the_milestone_is_kept_by_hand(house: Sourced) -> None:
    house.owned(("7", "Depot opens", JUNE))
    depot, browser = house.titled("Depot opens"), house.house.client("manager")
    plan = browser.get(f"/p/{HARBOUR}").text
    assert "from Plan jira1, pull 1" in plan
    here = f"/p/{HARBOUR}/do/move-forecast?milestone={depot.id}"
    page = browser.get(here).text
    assert "It comes from Plan jira1." in page
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen is not None
    fields = {"forecast": "2027-06-09", "reason": "Frost", "seen": seen[1], "command_id": "by-hand-1", "apart": "yes"}
    assert form(browser, here, **fields).status_code == 303
    assert house.titled("Depot opens").forecast == date(2027, 6, 9)
    assert house.source().rules.apart == (depot.id,)
    assert "It comes from" not in browser.get(here).text


def test_what_leaves_the_plan_is_not_ticked_before_a_person_ticks_it(house: Sourced) -> None:
    house.owned(("7", "Depot opens", JUNE), ("8", "Crane arrives", JUNE))
    house.pull(planned(("7", "Depot opens", date(2027, 9, 1))))
    page = house.house.client("manager").get(f"{HERE}/{JIRA}/waits").text
    ticked = {kind: " checked" in row for row in page.split("<tr>") for kind in ("Moved", "Gone there") if kind in row}
    assert ticked == {"Moved": True, "Gone there": False}


def test_the_operator_counts_the_sources_that_fail(house: Sourced) -> None:
    house.attach()
    assert b"fanlight_failed_sources 0.0" in house.services.metrics.text()
    house.tell(FailSource(project=HARBOUR, source=JIRA, why="away"), SYSTEM)
    assert b"fanlight_failed_sources 1.0" in house.services.metrics.text()


def test_a_file_that_is_imported_does_not_find_what_a_source_keeps_missing(house: Sourced) -> None:
    house.owned(("7", "Depot opens", JUNE))
    proposal = from_sources(
        house.project, propose(beside_sources(house.project), planned(("1", "Bridge closed", JUNE)), new_id)
    )
    assert [line.kind for line in proposal.changes] == ["added"]
    same = propose(beside_sources(house.project), planned(("1", "Depot opens", date(2027, 6, 3))), new_id)
    [line] = [one for one in from_sources(house.project, same).lines if one.kind == "moved"]
    assert line.offered
    assert "comes from Plan jira1 so far" in line.note


def test_a_secret_that_is_replaced_is_tried_at_once_whatever_it_waited_for(house: Sourced) -> None:
    house.attach()
    engine, here = house.services.sources.engine, f"{HERE}/{JIRA}"
    house.tool.answer = Trouble("The token is refused. Replace it.", for_good=True)
    engine.rest = False
    wait_until(lambda: house.source().failure is not None)
    house.tool.answer = planned(("7", "Depot opens", JUNE))
    form(house.house.client("manager"), f"{here}/secret", page=here, secret="another")
    wait_until(lambda: house.source().last is not None)
    engine.rest = True
    assert house.source().failure is None


def test_one_that_is_paused_is_not_pulled_and_goes_on_when_told(house: Sourced) -> None:
    house.attach()
    engine, here, browser = house.services.sources.engine, f"{HERE}/{JIRA}", house.house.client("manager")
    form(browser, f"{here}/pause", page=here)
    page = browser.get(here).text
    assert "Paused." in page
    assert "Pull now" not in page
    house.tool.answer = planned(("7", "Depot opens", JUNE))
    engine.rest = False
    form(browser, f"{here}/resume", page=here)
    wait_until(lambda: house.source().last is not None)
    engine.rest = True


def test_the_history_names_the_source_of_what_it_took(house: Sourced) -> None:
    house.owned(("7", "Depot opens", JUNE))
    house.pull(planned(("7", "Depot opens", date(2027, 6, 3))))
    page = house.house.client("manager").get(f"/p/{HARBOUR}/history").text
    assert "3 Jun 2027" in page
    assert "Plan jira1" in page
    assert "pulled: 1 taken, 0 to decide" in page
