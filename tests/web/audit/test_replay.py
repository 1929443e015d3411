"""The auditor's doors: replay of any instant, recompute and compare, the ledger, and whether a file is in the record."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from domain.agreement.share import RevokeShare
from domain.ids import CommandId, MilestoneId, PersonId, ProjectId, RiskId
from domain.plan.project import StartProject
from domain.plan.risks import TakeRiskNote
from domain.plan.schedule import MoveForecast
from projections.evidence.erasing import Erasure, erase_entries
from projections.receipts.claims import Receipt
from tests.web.doors import VIEWER, House, running, wait_until
from tests.world import ACME, HARBOUR, SHARE, START
from web.audit import replay, shares
from web.audit.ledger import newest_lines
from web.audit.replay import Question, instant_in, question, stretch
from web.clock import Virtual
from web.evidence import download as evidence_door
from web.manager import projects
from web.write.permission import OPERATOR

REPLAY = "/audit/replay"
DAY_ONE = "since=2027-03-01&until=2027-03-02"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = Virtual(START + timedelta(days=1))
    with running(tmp_path, [*projects.routes(), *shares.routes(), *evidence_door.routes()], clock) as made:
        made.clock = clock  # type: ignore[attr-defined]
        yield made


def forward(house: House, **by: int) -> datetime:
    house.clock.forward(**by)  # type: ignore[attr-defined]
    return house.process.services.now()


def shift(house: House, to: date) -> datetime:
    at = forward(house, minutes=1)
    head = house.process.services.logs.disclosure.head(SHARE)
    command = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=to, reason="Frost")
    house.process.services.service.execute(OPERATOR, command, command_id=CommandId(f"{to}"))
    wait_until(lambda: house.process.services.logs.disclosure.head(SHARE) == head + 1)
    return at


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def place(page: str) -> str:
    return page.split('data-question="')[1].split('"', maxsplit=1)[0]


def last_question(house: House) -> tuple[str, str, str]:
    """Return the newest statement that is no checkpoint: one may be signed at any moment."""
    ledger = house.process.services.logs.ledger
    lines, _older = newest_lines(ledger, "", 0)
    line = next(line for line in lines if line.statement.kind != "checkpoint")
    return line.statement.kind, line.statement.who, line.statement.text


# replay


def test_at_every_instant_it_says_what_was_true_and_what_was_shown(house: House) -> None:
    client = house.client("auditor")
    first = shift(house, date(2027, 5, 10))
    forward(house, hours=2)
    shift(house, date(2027, 6, 21))
    then = client.get(f"{REPLAY}?at={iso(first)}").text
    assert 'href="/audit/shares/share1/2/page">2</a>' in then
    assert "Forecast moved" in then
    assert "21 Jun 2027" in then, "what came next is listed as next, with the value before"
    assert "2027-06-21" not in then, "nobody reads dates for machines"
    before = client.get(f"{REPLAY}?at={iso(first - timedelta(seconds=30))}").text
    assert 'href="/audit/shares/share1/1/page">1</a>' in before


def test_lanes_name_client_and_project_and_what_changed_comes_first(house: House) -> None:
    for key, title in (("a1", "Aqueduct"), ("z1", "Zinc works")):
        started = StartProject(
            project=ProjectId(key), title=title, client_title=title, owner=PersonId("manager"), currency="GBP",
            time_zone="Europe/London",
        )  # fmt: skip
        house.process.services.service.execute(OPERATOR, started, command_id=CommandId(key))
    day = forward(house, days=3).date()
    shift(house, date(2027, 5, 10))
    until = forward(house, days=2)
    page = house.client("auditor").get(f"{REPLAY}?since={day}&until={until.date()}&at={iso(until)}").text
    lanes = re.findall(r'<li class="w" title="([^"]+)">', page)
    assert lanes == ["Acme Rail · Harbour Line (internal)"]
    rows = re.findall(r'<th scope="row">([^<]+)</th>', page)
    assert rows == ["Harbour Line (internal)", "Aqueduct", "Zinc works"]


def test_before_anything_began_nothing_was_true_and_nothing_shown(house: House) -> None:
    page = house.client("auditor").get(f"{REPLAY}?since=2027-02-01&until=2027-03-02&at=2027-02-10T00:00:00Z").text
    assert "Not begun" in page
    assert "Nothing yet" in page


def test_who_watched_is_said_with_the_update_they_had(house: House) -> None:
    at = forward(house, minutes=1).timestamp()
    marks = [
        Receipt(share=SHARE, person=VIEWER, session="s", tab=tab, kind="displayed", n=1, at=at) for tab in ("t", "u")
    ]
    house.process.services.receipts.take(marks)
    house.process.services.receipts.flush()
    page = house.client("auditor").get(f"{REPLAY}?at={iso(forward(house, minutes=1))}").text
    seen = page.split('data-l="On screen">')[1].split("</td>")[0]
    assert seen.split() == ["Vera"]  # once, however many tabs show the same
    shift(house, date(2027, 5, 10))
    assert "Vera (update 1)" in house.client("auditor").get(f"{REPLAY}?at={iso(forward(house, minutes=1))}").text


def test_an_ended_share_says_so_from_then_on(house: House) -> None:
    before = house.process.services.now()
    forward(house, minutes=5)
    house.process.services.service.execute(
        OPERATOR, RevokeShare(share=SHARE, reason="Over"), command_id=CommandId("end")
    )
    client = house.client("auditor")
    assert "The share had ended" in client.get(f"{REPLAY}?at={iso(forward(house, minutes=1))}").text
    assert "The share had ended" not in client.get(f"{REPLAY}?at={iso(before)}").text


def test_filters_leave_only_what_is_asked_for(house: House) -> None:
    shift(house, date(2027, 5, 10))
    note = TakeRiskNote(project=HARBOUR, risk=RiskId("r1"), note="Internal")
    forward(house, minutes=1)
    house.process.services.service.execute(OPERATOR, note, command_id=CommandId("note"))
    client = house.client("auditor")
    here = f"at={iso(forward(house, minutes=1))}"
    both = client.get(f"{REPLAY}?{here}").text
    assert "<b>Risk note taken</b>" in both
    assert "told nobody" in both
    moves = client.get(f"{REPLAY}?kind=forecast-moved&{here}").text
    assert "<b>Forecast moved</b>" in moves
    assert "<b>Risk note taken</b>" not in moves
    assert "<b>Forecast moved</b>" not in client.get(f"{REPLAY}?actor=auditor&{here}").text
    other = client.get(f"{REPLAY}?client=council&{here}").text
    assert "Nothing is shared here." in other
    assert 'data-l="Their page said"' in client.get(f"{REPLAY}?project={HARBOUR}&client={ACME}&{here}").text
    assert "No project fits." in client.get(f"{REPLAY}?project=elsewhere&{here}").text


def test_steps_go_from_event_to_event_and_work_without_script(house: House) -> None:
    first, second = shift(house, date(2027, 5, 10)), shift(house, date(2027, 5, 11))
    forward(house, minutes=5)
    client = house.client("auditor")
    page = client.get(f"{REPLAY}?kind=forecast-moved&at={iso(first)}").text
    onward = page.split('data-step="on"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert onward.endswith(f"at={iso(second)}")
    back = client.get(onward).text.split('data-step="back"')[1].split('href="')[1].split('"')[0]
    assert back.endswith(f"at={iso(first)}")


def test_a_question_is_recorded_once_and_playing_on_needs_it(house: House) -> None:
    client, ledger = house.client("auditor"), house.process.services.logs.ledger
    page = client.get(f"{REPLAY}?{DAY_ONE}&kind=forecast-moved").text
    asked = "replay kind forecast-moved, since 2027-03-01, until 2027-03-02"
    assert last_question(house) == ("consulted", "auditor", asked)
    lines = ledger.last()
    assert lines is not None
    frame = f"{REPLAY}/frame?{DAY_ONE}&kind=forecast-moved&q={place(page)}&at=2027-03-01T12:00:00Z"
    assert client.get(frame).text.lstrip().startswith('<div id="frame"')
    assert ledger.last() == lines, "a frame of a recorded question is not another question"
    assert client.get(frame.replace("forecast-moved", "risk-raised")).status_code == 404, "another question"
    client.get("/audit/ledger")
    other = ledger.last()
    assert other is not None
    assert client.get(frame.replace(f"q={place(page)}", f"q={other.index}")).status_code == 404, "no replay at all"
    assert client.get(frame.replace(f"q={place(page)}", "q=")).status_code == 404
    assert house.client("admin").get(frame).status_code == 404, "somebody else's question"


def test_only_auditors_and_admins_replay(house: House) -> None:
    for path in (REPLAY, f"{REPLAY}/frame", "/audit/ledger", "/audit/file", f"/audit/shares/{SHARE}/shadow"):
        assert house.client("manager").get(path).status_code == 404
        assert house.client(VIEWER).get(path).status_code == 404
        assert house.client().get(path).status_code == 303
    assert house.client("admin").get(REPLAY).status_code == 200


@pytest.mark.parametrize(
    "query", ["since=x", "since=2027-03-09&until=2027-03-01", "until=2027-99-01", "since=0001-01-01"]
)
def test_days_that_are_none_are_said_to_be_and_nothing_is_lost(house: House, query: str) -> None:
    answer = house.client("auditor").get(f"{REPLAY}?{query}")
    assert answer.status_code == 400
    assert "Write both days as 2027-03-11" in answer.text


@pytest.mark.once
def test_an_instant_is_brought_into_the_stretch() -> None:
    now = START + timedelta(days=3)
    asked = question({}, now)
    assert asked is not None
    over = stretch(asked)
    assert instant_in(over, "", now) == now
    assert instant_in(over, "2031-01-01T00:00:00Z", now) == now
    assert instant_in(over, "1999-01-01T00:00:00Z", now) == over.start
    assert instant_in(over, "rubbish", now) == now
    assert instant_in(over, "9999-12-31T23:59:59-23:59", now) == now
    assert Question(since="2027-03-01", until="2027-03-02").told() == "replay since 2027-03-01, until 2027-03-02"


def test_a_crowded_time_line_counts_instead_of_reading(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from web.audit import replay_line

    for day in range(1, 9):
        shift(house, date(2027, 6, day))
    monkeypatch.setattr(replay_line, "EVENTS", 5)
    monkeypatch.setattr(replay_line, "UPDATES", 3)
    page = house.client("auditor").get(f"{REPLAY}?kind=forecast-moved").text
    assert page.count('class="pile"') > 1
    assert "Events, of every kind" in page
    assert page.count("<b>Forecast moved</b>") <= replay.NEAR


# recompute and compare


def test_the_comparison_says_that_today_says_the_same(house: House) -> None:
    shift(house, date(2027, 5, 10))
    page = house.client("auditor").get(f"/audit/shares/{SHARE}/shadow").text
    assert "the same, byte for byte" in page
    assert "2 of 2 updates" in page
    assert last_question(house)[2] == "recomputed and compared"


def test_the_comparison_sets_both_versions_side_by_side(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    shift(house, date(2027, 5, 10))
    real = house.process.services.renderer.items
    monkeypatch.setattr(
        house.process.services.renderer, "items", lambda *given: real(*given).replace("Frost", "Ice") + "!"
    )
    page = house.client("auditor").get(f"/audit/shares/{SHARE}/shadow").text
    assert "answers otherwise at 2 places" in page
    assert "What was recorded stays as it is." in page
    assert "<dt>Recorded</dt>" in page
    assert "<dt>Today</dt>" in page


# the ledger


def test_the_ledger_says_what_was_signed_erased_and_asked(house: House) -> None:
    for day in (10, 11, 12):
        shift(house, date(2027, 5, day))
    house.process.clockwork.sign()
    erase_entries(
        house.process.services.logs,
        house.process.services.notary,
        Erasure(share=SHARE, numbers=[2], reason="Named somebody", who="operator"),
        house.process.services.now(),
    )
    client = house.client("auditor")
    page = client.get("/audit/ledger").text
    for told in ("Checkpoint signed", "Updates erased", "Looked up", "Key introduced", "Acme Rail, Harbour Line"):
        assert f"<b>{told}</b>" in page or told in page
    signed = client.get("/audit/ledger?kind=checkpoint").text
    assert "<b>Checkpoint signed</b>" in signed
    assert "<b>Updates erased</b>" not in signed
    assert client.get("/audit/ledger?kind=nonsense").status_code == 404
    assert client.get("/audit/ledger?before=x").status_code == 404


# is this in the record?


def ask(house: House, data: bytes, name: str = "file") -> str:
    client = house.client("auditor")
    form = client.get("/audit/file").text
    csrf = form.split('name="csrf" value="')[1].split('"')[0]
    sent = {"file": (name, data, "application/octet-stream")}
    answer = client.post("/audit/file", data={"csrf": csrf}, files=sent, headers={"origin": "http://testserver"})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_exact_page_of_an_update_is_recognised_and_a_changed_one_is_not(house: House) -> None:
    shift(house, date(2027, 5, 10))
    page = house.client("auditor").get(f"/audit/shares/{SHARE}/2/page").content
    told = ask(house, page)
    assert "This is update 2." in told
    assert "Acme Rail, Harbour Line: shown from Tue 02 Mar 2027 09:01:00 UTC until now" in told
    changed = page.replace(b"2027", b"2028", 2)
    assert changed != page
    other = ask(house, changed)
    assert "Not in this record." in other
    assert "It calls itself update 2." in other


def test_messages_contents_and_stylesheets_are_recognised(house: House) -> None:
    shift(house, date(2027, 5, 10))
    entry = house.process.services.logs.disclosure.entry(SHARE, 2)
    assert entry is not None
    assert "This is update 2." in ask(house, entry.message)
    assert "This is update 2." in ask(house, entry.raw)
    assert "Not in this record." in ask(house, json.dumps({"n": 2, "at": "now"}).encode())
    assert "No share has an update 77." in ask(house, b'{"n":77}')
    css = b"body{color:red}"
    assert "Not in this record." in ask(house, css)
    house.process.services.logs.disclosure.keep_stylesheet(hashlib.sha256(css).hexdigest(), css)
    assert "stylesheet of recorded updates" in ask(house, css)


def test_bundles_are_checked_and_a_broken_one_names_its_first_bad_update(house: House) -> None:
    for day in (10, 11):
        shift(house, date(2027, 5, day))
    bundle = house.client("auditor").get(f"/audit/shares/{SHARE}/evidence.zip").content
    assert "An evidence bundle of updates 1 to 3." in ask(house, bundle)
    assert "does not hold" in ask(house, bundle[:-40] + bytes(40))
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        note = archive.read("checkpoint.note")
    assert "A checkpoint over updates 1 to 3, and the record agrees with it." in ask(house, note)
    assert "Not in this record." in ask(house, note.replace(b"\n3\n", b"\n2\n"))


def test_what_it_cannot_know_it_says_and_asks_for_a_file_when_there_is_none(house: House) -> None:
    assert "Not in this record." in ask(house, b"anything at all")
    assert "Not in this record." in ask(house, bytes(range(256)))
    client = house.client("auditor")
    csrf = client.get("/audit/file").text.split('name="csrf" value="')[1].split('"')[0]
    answer = client.post("/audit/file", data={"csrf": csrf}, headers={"origin": "http://testserver"})
    assert (answer.status_code, "Choose a file first." in answer.text) == (400, True)


def test_the_question_is_recorded_and_the_file_is_not(house: House) -> None:
    ask(house, b"a secret file")
    kind, who, text = last_question(house)
    assert (kind, who) == ("consulted", "auditor")
    assert text.startswith("is a file with SHA-256 ")
    files = [path.read_bytes() for path in Path(house.process.services.settings.data).rglob("*") if path.is_file()]
    assert not any(b"a secret file" in content for content in files)


@pytest.mark.parametrize("path", ["/audit", f"/audit/shares/{SHARE}", f"/audit/shares/{SHARE}/1/page", "/audit/ledger"])
def test_every_question_to_the_record_is_recorded(house: House, path: str) -> None:
    ledger = house.process.services.logs.ledger
    before, _older = newest_lines(ledger, "consulted", 0)
    assert house.client("auditor").get(path).status_code == 200
    (asked, *earlier), _older = newest_lines(ledger, "consulted", 0)
    assert earlier == before
    assert asked.statement.who == "auditor"
