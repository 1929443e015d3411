"""The auditor's door: filters that can be sent on, payloads in full, entries that match their hashes, exact pages."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from domain.ids import CommandId, MilestoneId
from domain.plan.milestones import MilestoneAdded, MoveForecast
from tests.web.doors import VIEWER, House, running, wait_until
from tests.world import HARBOUR, MANAGER, SHARE, World
from web.audit import events as audit_events
from web.audit import shares
from web.audit.events import Filter, position_before, search
from web.audit.shares import holds


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path / "data", shares.routes()) as made:
        yield made


def test_the_log_is_read_newest_first_with_every_payload(house: House) -> None:
    page = house.client("auditor").get("/audit").text
    assert "Milestone added" in page
    assert "&#34;client_title&#34;" in page or '"client_title"' in page
    assert page.index("<b>Terms activated</b>") < page.index("<b>Project started</b>")


@pytest.mark.parametrize(
    ("query", "there", "not_there"),
    [
        ("kind=milestone-added", "<b>Milestone added</b>", "<b>Risk raised</b>"),
        (f"project={HARBOUR}", "<b>Terms activated</b>", "<b>Person invited</b>"),
        ("actor=ines", "<b>Person invited</b>", "<b>Milestone added</b>"),
        ("until=2020-01-01", "No event fits", "<b>Milestone added</b>"),
        ("since=2099-01-01", "No event fits", "<b>Milestone added</b>"),
        ("since=yesterday", "is no date", "Traceback"),
    ],
)
def test_filters_are_in_the_address(house: House, query: str, there: str, not_there: str) -> None:
    page = house.client("auditor").get(f"/audit?{query}").text
    assert there in page
    assert not_there not in page


def test_the_list_is_the_story_of_projects_and_sharing_and_the_machinery_a_switch_away(house: House) -> None:
    auditor = house.client("auditor")
    story, all_of_it = auditor.get("/audit").text, auditor.get("/audit?technical=1").text
    assert "<b>Session started</b>" not in story
    assert "<b>Command completed</b>" not in story
    assert "<b>Session started</b>" in all_of_it
    assert "<b>Command completed</b>" in all_of_it
    assert "events on record." in all_of_it
    assert "<b>Session started</b>" in auditor.get("/audit?kind=session-started").text


def test_what_is_counted_follows_the_filter(house: House) -> None:
    auditor, log = house.client("auditor"), house.process.services.logs.events
    added = [r for r in log.everything() if isinstance(r.event, MilestoneAdded)]
    page = auditor.get("/audit?kind=milestone-added").text
    assert re.search(rf"{len(added)} of [\d,]+ events: Milestone added\.", page)
    assert "0 of" in auditor.get("/audit?kind=milestone-added&since=2099-01-01").text


def test_an_event_says_what_was_before_and_times_are_said_in_the_zone_named_or_in_utc(house: House) -> None:
    services = house.process.services
    for to in (1, 8):
        move = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=date(2027, 6, to), reason="Frost")
        services.service.execute(MANAGER, move, command_id=CommandId(f"to-{to}"))
    auditor = house.client("auditor")
    page = auditor.get(f"/audit?project={HARBOUR}").text
    assert "<s>1 Jun 2027</s> →" in page
    assert "<b>8 Jun 2027</b>" in page
    assert "Time (Europe/London)" in page
    assert "Time (UTC)" in auditor.get(f"/audit?project={HARBOUR}&zone=utc").text


def test_pages_follow_one_another_without_gap_or_repeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)
    world.harbour()
    log, everything = world.folder.events, [r.position for r in world.folder.events.everything()]
    monkeypatch.setattr(audit_events, "PAGE", 7)
    monkeypatch.setattr(audit_events, "BLOCK", 5)
    seen, before = [], 0
    while True:
        found = search(log, Filter(technical="1"), frozenset(), before)
        seen += [r.position for r in found.events]
        if not found.older:
            break
        before = found.older
    assert seen == everything[::-1]
    world.close()


def test_times_are_found_by_halving(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.harbour()
    events = list(world.folder.events.everything())
    for one in events[:: max(1, len(events) // 9)]:
        expected = max((e.position for e in events if e.at < one.at), default=0)
        assert position_before(world.folder.events, one.at) == expected
    far = Filter(since="2027-03-01", until="2027-03-01", actor=MANAGER.person)
    assert search(world.folder.events, far, frozenset(), 0).events
    later = (datetime(2027, 3, 1, tzinfo=UTC) + timedelta(days=1)).date().isoformat()
    assert not search(world.folder.events, Filter(since=later), frozenset(), 0).events
    world.close()


def test_a_share_is_read_entry_by_entry_and_each_matches_its_hash(house: House) -> None:
    browser = house.client("auditor")
    assert "Acme" in browser.get("/audit/shares").text
    page = browser.get(f"/audit/shares/{SHARE}").text
    entry = house.process.services.logs.disclosure.entry(SHARE, 1)
    assert entry is not None
    assert entry.leaf.hex() in page
    assert entry.root in page
    assert "Does not match" not in page


def test_an_entry_that_was_altered_does_not_match(tmp_path: Path) -> None:
    from datetime import date

    world = World(tmp_path)
    world.harbour()
    world.move("m1", date(2027, 5, 20))
    first, second = world.entries()
    assert holds(first, None)
    assert holds(second, first)
    altered = msgspec.structs.replace(second, raw=second.raw.replace(b"2027-05-20", b"2027-05-10"))
    assert altered.raw != second.raw
    assert not holds(altered, first)
    assert not holds(second, None)
    world.close()


def test_the_exact_page_is_the_recorded_markup_and_stylesheet_and_no_script(house: House) -> None:
    recorded = house.process.services.heads.page(SHARE)
    assert recorded is not None
    wait_until(lambda: house.process.services.logs.disclosure.stylesheet(recorded.stylesheet) is not None)
    answer = house.client("auditor").get(f"/audit/shares/{SHARE}/1/page")
    assert "".join(recorded.roots.values()) in answer.text
    assert "<style>body{}</style>" in answer.text
    assert "script" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy.replace("default-src", "")
    assert policy.endswith("font-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'")


def test_what_does_not_exist_and_who_is_no_auditor_find_nothing(house: House) -> None:
    browser = house.client("auditor")
    for path in ("/audit/shares/none", f"/audit/shares/{SHARE}/99/page", f"/audit/shares/{SHARE}/x/page"):
        assert browser.get(path).status_code == 404
    for person in ("manager", VIEWER):
        assert house.client(person).get("/audit").status_code == 404


def test_a_day_beyond_the_calendar_is_told_and_not_looked_for(house: House) -> None:
    for query, told in (("until=9999-12-31", "Until is 9999-12-31"), ("since=0001-01-01", "Since is 0001-01-01")):
        answer = house.client("auditor").get(f"/audit?{query}")
        assert (answer.status_code, told in answer.text) == (200, True), query


@pytest.mark.parametrize(
    ("name", "content", "status", "told"),
    [
        ("x.json", b'{"n":1,"a":' + b"[" * 60_000, 200, "no message and no content"),
        ("x.json", b'{"n":1,"share":"\xff"}', 200, "no message and no content"),
        ("x\u202e.json", b"{}", 400, "invisible control character"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_to_be_none_of_the_record(
    house: House, name: str, content: bytes, status: int, told: str
) -> None:
    browser = house.client("auditor")
    form = {"csrf": re.findall(r'name="csrf" value="([^"]+)"', browser.get("/audit/file").text)[0]}
    answer = browser.post("/audit/file", data=form, files={"file": (name, content)})
    assert (answer.status_code, told in answer.text) == (status, True), answer.text[:500]
