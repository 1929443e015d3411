"""What goes on beside a pull, what a source may not confirm or take, and what is typed that cannot be right."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from domain.ids import SourceId
from domain.plan.schedule import ConfirmPlan, DescribeMilestone, MoveForecast
from domain.plan.sources.commands import AttachSource, ChangeSource, PauseSource, ResumeSource
from domain.plan.sources.pulls import PutPullBack
from tests.web.doors import VIEWER, wait_until
from tests.web.sources.house import JIRA, JUNE, MAY, TAKE, Sourced, form, sourced
from tests.web.sources.scripted import planned
from tests.world import HARBOUR, SHARE
from web.importers.plan import Plan
from web.sources.engine import WAITING, Engine
from web.sources.files import Files
from web.sources.folder import FolderTool
from web.sources.tools.smartsheet import Smartsheet
from web.sources.tools.tool import Attached, Trouble

pytestmark = pytest.mark.stories
HERE = f"/p/{HARBOUR}/sources"
DEPOT_OPENS = ("7", "Depot opens", JUNE)
DAY = timedelta(days=1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Sourced]:
    (tmp_path / "plans" / HARBOUR).mkdir(parents=True)
    with sourced(tmp_path, source_folder=tmp_path / "plans") as made:
        yield made


def meanwhile(house: Sourced, what: object, answer: Plan | Trouble) -> str:
    """Give the source its turn, during which somebody does something; return what came of it."""

    def answered() -> Plan:
        house.tell(what)  # type: ignore[arg-type]
        if isinstance(answer, Trouble):
            raise answer
        return answer

    house.tool.answer = answered
    return house.services.sources.engine.turn_of(HARBOUR, JIRA).news or ""


def another_secret(house: Sourced) -> ChangeSource:
    to = ("scripted", "https://other.example.org")
    sealed = house.services.sources.taking.seal(HARBOUR, JIRA, 2, "new", to)
    return ChangeSource(project=HARBOUR, source=JIRA, name="Plan", address=to[1], number=2, sealed=sealed)


# beside a pull


def test_what_comes_after_somebody_paused_it_is_not_taken(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    moved = planned(("7", "Depot opens", JUNE + DAY))
    assert meanwhile(house, PauseSource(project=HARBOUR, source=JIRA), moved) == "gone"
    assert house.titled("Depot opens").forecast == JUNE
    house.tell(ResumeSource(project=HARBOUR, source=JIRA))
    house.pull(moved)
    assert house.titled("Depot opens").forecast == JUNE + DAY


def test_what_comes_of_the_address_before_is_neither_taken_nor_a_failure_of_the_new_one(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    assert meanwhile(house, another_secret(house), planned(("7", "Depot opens", JUNE + DAY))) == "gone"
    assert house.titled("Depot opens").forecast == JUNE
    again = msgspec.structs.replace(another_secret(house), address="https://third.example.org", number=3)
    assert meanwhile(house, again, Trouble("The token is refused.", for_good=True)) == "gone"
    assert house.source().failure is None


def test_a_plan_that_is_sent_while_it_is_paused_is_refused_and_is_no_failure(house: Sourced) -> None:
    script = SourceId("script1")
    house.attach(key=script, tool="upload", address="")
    house.tell(PauseSource(project=HARBOUR, source=script))
    browser = house.house.client("manager")
    token = form(browser, f"{HERE}/{script}/token", page=f"{HERE}/{script}").text.split("oauth2-bearer ")[1].split()[0]
    answer = house.house.client().put(
        f"/api/v1/projects/{HARBOUR}/sources/{script}/plan?name=p.csv",
        content=b"id,name,finish,milestone\n7,Depot opens,2027-06-01,yes\n",
        headers={"authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 409
    assert "is paused" in answer.text
    assert house.source(script).failure is None


def test_a_change_by_hand_has_the_whole_plan_read_again_before_anything_is_confirmed(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    house.pull(planned(DEPOT_OPENS, data_date=date(2027, 3, 31)))
    engine = house.services.sources.engine
    engine.turn_of(HARBOUR, JIRA)
    assert house.tool.asked[-1][1]  # nothing changed on either side: it goes on from its cursor
    depot = house.titled("Depot opens")
    house.tell(MoveForecast(project=HARBOUR, milestone=depot.id, forecast=JUNE + 30 * DAY, reason="Frost"))
    house.pull(planned(DEPOT_OPENS, data_date=date(2027, 3, 31)))
    assert not house.tool.asked[-1][1]
    assert [one.line.kind for one in house.source().waits] == ["moved"]


@pytest.mark.slow
def test_what_a_person_asks_at_another_process_is_asked_of_the_one_that_leads(house: Sourced) -> None:
    told: list[str] = []
    here = house.services.sources
    ports = here.engine._ports
    other = Engine(msgspec.structs.replace(ports, leads=lambda: False, tell=told.append))
    house.attach()
    house.tool.answer = Trouble("The token is refused. Replace it.", for_good=True)
    here.engine.rest = False
    wait_until(lambda: house.source().failure is not None)
    house.tool.answer = planned(DEPOT_OPENS)
    other.hint(HARBOUR, JIRA)
    other.pull_now(HARBOUR, JIRA)
    other.at_once(HARBOUR, JIRA)
    assert told == [f"{HARBOUR}.{JIRA}", f"{HARBOUR}.{JIRA}!", f"{HARBOUR}.{JIRA}!"]
    here.engine.hinted(told[0])
    assert house.source().last is None  # a hint waits as long as the failure does
    here.engine.hinted(told[1])
    wait_until(lambda: house.source().last is not None)
    here.engine.rest = True


def test_nothing_is_pulled_by_hand_from_one_that_is_paused(house: Sourced) -> None:
    house.attach()
    browser, here = house.house.client("manager"), f"{HERE}/{JIRA}"
    house.tell(PauseSource(project=HARBOUR, source=JIRA))
    answer = form(browser, f"{here}/pull", page=here)
    assert answer.status_code == 409
    assert "Nothing is pulled from this source" in answer.text
    assert not house.tool.asked


def test_pages_that_wait_for_slow_tools_leave_threads_for_all_others(house: Sourced) -> None:
    house.attach()
    engine, let_go, waits = house.services.sources.engine, threading.Event(), list[threading.Thread]()
    given = house.attached()

    async def look(_attached: Attached, _client: object) -> str:
        await asyncio.to_thread(let_go.wait, 15)
        return "One plan"

    house.tool.look = look  # type: ignore[method-assign]
    for _page in range(WAITING):
        waits.append(threading.Thread(target=engine.look_at, args=(house.tool, given)))
        waits[-1].start()
    wait_until(lambda: engine._waiting._value == 0)  # type: ignore[attr-defined]
    with pytest.raises(Trouble, match="Other sources are being tried at this moment"):
        engine.look_at(house.tool, given)
    begun = time.monotonic()
    assert engine.pull_now(HARBOUR, JIRA).news is None, "it is pulled, and nobody waits for it"
    assert time.monotonic() - begun < 5
    let_go.set()
    for wait in waits:
        wait.join()
    assert engine.look_at(house.tool, given) == "One plan"


def test_what_is_said_to_be_met_on_a_day_to_come_is_taken_once_that_day_is_there(house: Sourced) -> None:
    house.owned(DEPOT_OPENS, ("8", "Crane arrives", JUNE))
    today = house.project.civil(house.clock.at)
    rows = (DEPOT_OPENS, ("8", "Crane arrives", JUNE + DAY))
    met = planned(*rows, actual=today + DAY, data_date=today + DAY)
    assert house.pull(met) == "recorded"
    assert house.titled("Depot opens").actual is None
    assert house.project.schedule.data_date == today
    last = house.source().last
    assert last is not None
    assert any("is after today; that was left out" in note for note in last.notes)
    house.later(days=1)
    house.tool.answer = lambda: None if house.tool.asked[-1][1] else met  # with a cursor: nothing changed since
    engine = house.services.sources.engine
    engine.turn_of(HARBOUR, JIRA)
    assert house.titled("Depot opens").actual == today + DAY


# what is recorded, and what is confirmed


def test_what_the_plan_refuses_waits_and_is_not_recorded_at_each_pull(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    ahead = planned(DEPOT_OPENS, actual=date(2027, 3, 20))
    refused = msgspec.structs.replace(ahead, milestones=(*ahead.milestones,))
    house.pull(refused)
    assert house.titled("Depot opens").actual == date(2027, 3, 20)
    long = planned(("7", "Depot " + "opens " * 60, JUNE), actual=date(2027, 3, 20))
    assert house.pull(long) == "recorded"
    assert [one.outcome for one in house.source().last.lines] == ["waits"]  # type: ignore[union-attr]
    many = len(house.source().pulls)
    for _again in range(3):
        assert house.pull(long) == "nothing"
    assert len(house.source().pulls) == many


def test_more_lines_than_a_pull_has_are_recorded_once(house: Sourced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.sources.taking.MOST_LINES", 2)
    house.attach(rules=TAKE.__class__())
    many = planned(*((str(n), f"Gate {n}", JUNE) for n in range(4)))
    assert house.pull(many) == "recorded"
    assert len(house.source().waits) == 2
    assert house.pull(many) == "nothing"
    house.take_all()
    assert house.pull(many) == "recorded"
    assert len(house.source().waits) == 2


def test_a_source_that_keeps_nothing_of_the_plan_confirms_nothing(house: Sourced) -> None:
    house.attach()
    before = house.project.schedule.confirmed_at
    house.pull(planned(data_date=date(2027, 3, 31)))
    house.later(days=1)
    house.pull(planned(data_date=date(2027, 4, 1)))
    assert house.project.schedule.confirmed_at == before
    assert not any(one.confirmed for one in house.source().pulls)


def test_a_plan_that_is_older_than_the_one_confirmed_confirms_nothing(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    house.pull(planned(DEPOT_OPENS, data_date=date(2027, 3, 31)))
    confirmed = house.project.schedule.confirmed_at
    house.later(days=1)
    assert house.pull(planned(DEPOT_OPENS, data_date=date(2027, 3, 1))) == "nothing"
    house.pull(planned(("7", "Depot opens", JUNE + DAY), data_date=date(2027, 3, 1)))
    assert house.titled("Depot opens").forecast == JUNE
    [waits] = house.source().waits
    assert waits.why == "The plan is as of 2027-03-01; one as of 2027-03-31 came already."
    assert (house.project.schedule.confirmed_at, house.project.schedule.data_date) == (confirmed, date(2027, 3, 31))


def test_what_goes_into_the_past_takes_no_value_from_its_source(house: Sourced) -> None:
    house.owned(DEPOT_OPENS)
    house.pull(planned(("7", "Depot opens", JUNE + 4 * DAY)))
    depot, then = house.titled("Depot opens"), datetime(2027, 1, 31, tzinfo=UTC)
    house.tell(MoveForecast(project=HARBOUR, milestone=depot.id, forecast=MAY, reason="As it was", as_of=then))
    house.tell(ConfirmPlan(project=HARBOUR, source="import", note="Added to the past", as_of=then))
    assert house.project.origins.origin(depot.id, "forecast") is not None
    house.pull(planned(("7", "Depot opens", JUNE + 6 * DAY)))
    [waits] = house.source().waits
    assert "6 days from 1 June 2027" in waits.why


# put back


def test_what_was_added_and_has_a_name_for_clients_by_now_is_not_put_back(house: Sourced) -> None:
    house.attach()
    house.pull(planned(DEPOT_OPENS))
    last, depot = house.source().last, house.titled("Depot opens")
    assert last is not None
    told = msgspec.structs.replace(depot.details, client_title="Depot", client_facing=True)
    house.tell(DescribeMilestone(project=HARBOUR, milestone=depot.id, details=told))
    assert "was changed again since" in house.refused(PutPullBack(project=HARBOUR, source=JIRA, pull=last.id))
    assert house.titled("Depot opens")


# what is typed, and what lies in a folder


@pytest.mark.parametrize("address", ["https://[abc", "https://\u2100.example.org", "https://me:pass@example.org"])
def test_an_address_that_cannot_be_one_is_refused_at_its_form(house: Sourced, address: str) -> None:
    browser = house.house.client("manager")
    fields = {"source": JIRA, "name": "GitHub", "address": address, "secret": "s3cret", "v-repository": "a/b"}
    answer = form(browser, f"{HERE}/new/github", **fields)
    assert answer.status_code == 422
    assert JIRA not in house.project.sources


@pytest.mark.parametrize(
    "address", ["https://me:pass@example.org", "https://example.org/?token=s3cret", "example.org", "https://"]
)
def test_no_address_is_recorded_with_what_may_be_a_secret(house: Sourced, address: str) -> None:
    attach = AttachSource(project=HARBOUR, source=JIRA, tool="jira", name="Jira", address=address)
    assert "begins with https://" in house.refused(attach)
    house.attach()
    change = ChangeSource(project=HARBOUR, source=JIRA, name="Jira", address=address, number=2, sealed=b"x")
    assert "begins with https://" in house.refused(change)


def test_a_form_that_is_sent_twice_is_one_command(house: Sourced) -> None:
    browser, here = house.house.client("manager"), f"{HERE}/{JIRA}"
    fields = {"source": JIRA, "name": "Plan", "address": "https://jira.example.org", "secret": "s3cret"}
    for _click in range(2):
        assert form(browser, f"{HERE}/new/scripted", command_id="attach-1", **fields).status_code == 303
    for _click in range(2):
        assert form(browser, f"{here}/secret", page=here, command_id="secret-1", secret="another").status_code == 303
    assert (house.source().secret, house.attached().secret) == (2, "another")
    wrong = form(browser, f"{HERE}/new/scripted", **{**fields, "source": "../other"})
    assert wrong.status_code == 422


def test_a_file_whose_name_is_in_no_known_encoding_is_taken(house: Sourced, tmp_path: Path) -> None:
    quick = FolderTool(tmp_path / "plans", house.services.sources.files, still=0.01)
    house.services.sources.tools["folder"] = quick  # type: ignore[index]
    key = SourceId("folder1")
    house.attach(key=key, tool="folder", address="", values={"folder": ""})
    with open(os.fsencode(tmp_path / "plans" / HARBOUR) + b"/pl\xe4n.csv", "wb") as file:  # noqa: PTH123
        file.write(b"id,name,finish,milestone\n7,Depot opens,2027-06-01,yes\n")
    assert house.services.sources.engine.turn_of(HARBOUR, key).news == "recorded"
    page = form(house.house.client("manager"), f"{HERE}/{key}/test", page=f"{HERE}/{key}")
    assert (page.status_code, "pln.csv" in page.text) == (200, True)


def test_a_greeting_that_cannot_be_read_is_none() -> None:
    headers = {"smartsheet-hook-challenge": "x"}
    for body in (b"[" * 100_000, b'{"challenge": "\xff"}', b"9" * 5000):
        assert Smartsheet().greeting(headers, body) == {}


def test_files_of_other_tools_are_taken_where_there_is_a_converter(tmp_path: Path) -> None:
    asked: list[str] = []

    def convert(_source: object, kind: str) -> tuple[Path, tuple[str, ...]]:
        asked.append(kind)
        made = tmp_path / "made.xml"
        made.write_text(
            '<Project xmlns="http://schemas.microsoft.com/project"><Tasks><Task><UID>1</UID><Name>Depot opens</Name>'
            "<Milestone>1</Milestone><Finish>2027-06-01T17:00:00</Finish></Task></Tasks></Project>"
        )
        return made, ("Converted.",)

    pulled = Files(tmp_path, 1 << 20, convert=convert).read("plan.xer", b"ERMHDR\t20.12\t2027-01-01\n%T\tTASK\n%E\n")
    assert (asked, [one.title for one in pulled.plan.milestones]) == (["xer"], ["Depot opens"])  # type: ignore[union-attr]


# what they saw


def test_what_they_saw_names_the_source_of_a_date_and_no_page_of_theirs_does(house: Sourced) -> None:
    house.attach()
    house.pull(planned(("1", "internal m1", MAY)))
    house.take_all()
    house.pull(planned(("1", "internal m1", MAY + DAY)))
    browser, log = house.house.client("manager"), house.services.logs.disclosure
    wait_until(lambda: log.head(SHARE) > 1)
    house.later(minutes=1)
    here = f"/p/{HARBOUR}/shares/{SHARE}/at"

    def seen(moment: str) -> str:
        answer = browser.get(f"{here}/{moment}")
        return browser.get(answer.headers["location"]).text if answer.status_code == 303 else answer.text

    assert "from Plan jira1, pull 2, taken by itself Wed 31 March 2027" in seen("now")
    assert "from Plan jira1" not in seen("u1")
    assert "by Plan jira1" in browser.get(f"/p/{HARBOUR}/who?milestone=m1").text
    for path in ("/", f"/s/{SHARE}", f"/s/{SHARE}/seen"):
        assert "Plan jira1" not in house.house.client(VIEWER).get(path).text
    update = next(iter(log.kept(SHARE, log.head(SHARE) - 1, 1, log.head(SHARE))))
    assert update.raw is not None
    assert b"jira1" not in update.raw
    house.tell(MoveForecast(project=HARBOUR, milestone=house.milestone("m1").id, forecast=MAY, reason="Frost"))
    house.later(minutes=1)
    assert "from Plan jira1" not in seen("now")
    assert "by Plan jira1" not in browser.get(f"/p/{HARBOUR}/who?milestone=m1").text
