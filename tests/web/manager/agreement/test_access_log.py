"""The access log of a share: who opened what, when, on which kind of device, for how long, and until which update."""

import csv
import io
import itertools
import random
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.agreement.share import SetRetention
from domain.ids import CommandId, PersonId
from domain.people.person import ErasePerson, InvitePerson
from projections.receipts.claims import Receipt
from projections.receipts.visits import Visit, visits
from projections.wording.phrases import lasted
from tests.web.doors import OTHER_VIEWER, VIEWER, House, every_route, running
from tests.world import ACME, HARBOUR, OTHER, SHARE
from web import clock
from web.door.csv_download import sheet
from web.ids import new_id
from web.manager.agreement.access_log import HEAD, PAGE
from web.write.permission import OPERATOR

STAFF, AUDIT = f"/p/{HARBOUR}/shares/{SHARE}/access", f"/audit/shares/{SHARE}/access"


def one(kind: str, n: int, at: float, tab: str = "t1", **more: object) -> Receipt:
    told = {"share": SHARE, "person": "vera", "session": "s1", "tab": "" if kind == "opened" else tab}
    return Receipt(**{**told, "kind": kind, "n": n, "at": at, **more})  # type: ignore[arg-type]


def said(visit: Visit) -> tuple[object, ...]:
    """What a line of the log says: opened, device, first, last, displayed, lasted, on screen, open."""
    return (
        visit.opened, visit.device, visit.first, visit.last, visit.displayed, visit.lasted(1000),
        visit.on_screen(1000), visit.open,
    )  # fmt: skip


# folding


@pytest.mark.once
def test_a_visit_lasts_from_the_page_to_the_end_of_its_socket() -> None:
    found = visits(
        [
            one("opened", 3, 100, device="Phone"),
            one("delivered", 3, 101),
            one("displayed", 3, 102),
            one("displayed", 5, 110),
            one("hidden", 5, 130),
            one("closed", 6, 200),
        ]
    ).found
    assert [said(v) for v in found] == [(100, "Phone", 3, 6, 5, 100, 28, False)]


@pytest.mark.once
def test_a_page_that_never_opened_a_socket_has_no_length() -> None:
    (visit,) = visits([one("opened", 3, 100, device="Computer")]).found
    assert (visit.live, visit.lasted(1000), visit.last) == (False, 0, 3)


@pytest.mark.once
def test_a_reload_is_another_visit_and_a_reconnection_is_not() -> None:
    found = visits(
        [
            one("opened", 1, 100, device="Computer"),
            one("displayed", 1, 101),
            one("closed", 1, 120),  # the server restarts
            one("displayed", 2, 125),  # the same page goes on
            one("opened", 2, 200, device="Computer"),  # reloaded: the new page is made before the old socket ends
            one("closed", 2, 201),
            one("displayed", 2, 202),
            one("closed", 2, 260),
        ]
    ).found
    assert [(v.opened, v.closed, v.open) for v in found] == [(100, 201, False), (200, 260, False)]
    assert [v.seconds for v in found] == [19 + 76, 58]


@pytest.mark.once
def test_two_tabs_are_two_visits_and_one_of_them_can_stay_open() -> None:
    found = visits(
        [
            one("opened", 1, 100, device="Computer"),
            one("displayed", 1, 101, "a"),
            one("opened", 1, 110, device="Computer"),
            one("displayed", 1, 111, "b"),
            one("closed", 1, 150, "a"),
        ]
    ).found
    assert [(v.opened, v.open) for v in found] == [(100, False), (110, True)]


@pytest.mark.once
def test_a_page_that_was_left_before_it_connected_does_not_take_the_socket_of_the_next() -> None:
    found = visits([one("opened", 1, 100), one("opened", 1, 105), one("displayed", 1, 106), one("closed", 1, 150)])
    assert [(v.opened, v.live) for v in found.found] == [(100, False), (105, True)]


@pytest.mark.once
def test_a_page_that_ends_before_it_was_handed_anything_is_the_one_that_waited() -> None:
    found = visits(
        [
            one("opened", 3, 100, device="Phone"),
            one("closed", 0, 100.2, "a"),
            one("opened", 3, 100.4, device="Phone"),
            one("displayed", 3, 101, "b"),
        ]
    ).found
    assert [(v.opened, v.device, v.first, v.last, v.open) for v in found] == [
        (100, "Phone", 3, 3, False),
        (100.4, "Phone", 3, 3, True),
    ]


@pytest.mark.once
def test_a_tab_that_comes_back_after_a_page_nobody_waits_for_goes_on_with_its_own() -> None:
    found = visits(
        [
            one("opened", 1, 100),
            one("displayed", 1, 101),
            one("opened", 1, 200),  # a second page, left before it connected
            one("closed", 1, 500),  # the server restarts
            one("displayed", 1, 501),
        ]
    ).found
    assert [(v.opened, v.open) for v in found] == [(100, True), (200, False)]


@pytest.mark.once
def test_what_is_on_a_screen_now_counts_up_to_now() -> None:
    (visit,) = visits([one("opened", 1, 100), one("displayed", 1, 110), one("displayed", 2, 150)]).found
    assert (visit.on_screen(150), visit.on_screen(200), visit.lasted(200)) == (40, 90, 100)


@pytest.mark.once
def test_a_late_end_of_an_old_socket_does_not_close_a_page_that_went_on() -> None:
    (visit,) = visits([one("opened", 1, 100), one("displayed", 1, 130), one("closed", 1, 120)]).found
    assert visit.open


@pytest.mark.once
def test_what_two_processes_record_crosswise_is_one_visit() -> None:
    (visit,) = visits([one("displayed", 1, 101), one("opened", 1, 100, device="Tablet"), one("closed", 1, 150)]).found
    assert said(visit) == (100, "Tablet", 1, 1, 1, 50, 49, False)


@pytest.mark.once
def test_when_the_server_went_down_is_told_apart() -> None:
    (visit,) = visits([one("opened", 1, 100), one("displayed", 1, 101), one("lost", 1, 140)]).found
    assert (visit.lost, visit.lasted(1000), visit.on_screen(1000)) == (True, 40, 39)


@pytest.mark.once
@pytest.mark.parametrize("seed", range(40))
def test_every_random_day_is_counted_once_and_adds_up(seed: int) -> None:
    """However pages open, hide, reload and end: one visit for each page made, none longer than the day, none lost."""
    chance, at, tabs, claims = random.Random(seed), 0.0, {}, []
    made = itertools.count()
    for _ in range(200):
        at += chance.uniform(0.1, 30)
        person = chance.choice(["vera", "noor"])
        mine = [tab for tab, who in tabs.items() if who == person]
        if not mine or chance.random() < 0.2:
            tab = f"t{next(made)}"
            claims.append(one("opened", len(claims), at, person=person, session=person, device="Phone"))
            claims.append(one("displayed", len(claims), at + 0.05, tab, person=person, session=person))
            tabs[tab] = person
        else:
            tab, kind = chance.choice(mine), chance.choice(["delivered", "displayed", "hidden", "closed"])
            claims.append(one(kind, len(claims), at, tab, person=person, session=person))
            if kind == "closed":
                del tabs[tab]
    found = visits(claims)
    assert len(found.found) == next(made), f"seed {seed}"
    assert sum(visit.open for visit in found.found) == len(tabs)
    assert all(0 <= visit.on_screen(at) <= visit.lasted(at) + 0.01 for visit in found.found)
    for person in {claim.person for claim in claims}:
        highest = max(claim.n for claim in claims if claim.person == person)
        assert found.reached[person].n == highest == max(v.last for v in found.found if v.person == person)


# the page


class Later:
    ahead = timedelta(0)

    def __call__(self):
        return clock.now() + self.ahead


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def house(tmp_path: Path, later: Later) -> Iterator[House]:
    with running(tmp_path / "data", every_route(), now=later) as made:
        yield made


def opened(house: House, count: int = 1, person: str = VIEWER, begun: float = 0.0) -> None:
    """Somebody opened the page some times, a minute each."""
    begun = begun or clock.now().timestamp() - 120 * count
    for i in range(count):
        at = begun + 120 * i
        more = {"person": person, "session": f"s-{person}"}
        house.process.services.receipts.take(
            [
                one("opened", 1, at, device="Phone", **more),
                one("displayed", 1, at + 1, f"t{person}{i}", **more),
                one("closed", 1, at + 61, f"t{person}{i}", **more),
            ]
        )


def asked(house: House) -> list[str]:
    return [
        line.statement.text
        for line in house.process.services.logs.ledger.lines(0, 1000)
        if line.statement.subject == SHARE
    ]


@pytest.mark.parametrize(("person", "address"), [("manager", STAFF), ("auditor", AUDIT), ("admin", AUDIT)])
def test_the_log_says_who_opened_it_when_on_what_for_how_long_and_until_which_update(
    house: House, person: str, address: str
) -> None:
    browser = house.client(person)
    assert "Nobody has opened it yet." in browser.get(address).text
    opened(house, 2)
    page = browser.get(address).text
    assert "Opened 2 times by 1 person." in page
    row = re.sub(r"\s*<[^>]+>\s*", "|", page[page.index("<tbody>") :].split("</tr>")[0])
    assert re.search(r"\|Vera\|+Phone\|+1 min\|+1 min\|+1\|+1\|+Closed\|", row)
    assert "Kept for 730 days" in page


def test_a_page_that_is_open_says_so(house: House) -> None:
    at = clock.now().timestamp() - 30
    more = {"person": VIEWER, "session": "s"}
    house.process.services.receipts.take(
        [one("opened", 1, at, device="Computer", **more), one("displayed", 1, at, **more)]
    )
    page = house.client("manager").get(STAFF).text
    assert "Open now" in page
    assert "1 open now." in page


def test_newest_first_and_a_page_at_a_time(house: House) -> None:
    opened(house, 2 * PAGE + 3)
    browser = house.client("manager")
    times = []
    for number in (1, 2, 3):
        page = browser.get(f"{STAFF}?page={number}").text
        times += re.findall(r'<time datetime="([^"]+)">', page)
        assert ("Older" in page) == (number < 3)
        assert ("Newer" in page) == (number > 1)
    assert len(times) == 2 * PAGE + 3
    assert times == sorted(times, reverse=True)
    for wrong in ("0", "-1", "x", "4", "99999999", "１"):
        assert browser.get(f"{STAFF}?page={wrong}").status_code == 404, wrong


def test_asking_is_a_line_in_the_ledger_before_the_answer(house: House) -> None:
    opened(house)
    house.client("manager").get(STAFF)
    house.client("auditor").get(f"{AUDIT}.csv")
    assert asked(house) == ["access log, page 1", "access log, as CSV"]

    def full(*_told: object) -> int:
        message = "disk full"
        raise OSError(message)

    house.process.services.logs.ledger.append = full  # type: ignore[method-assign]
    for person, address in (("manager", STAFF), ("manager", f"{STAFF}.csv"), ("auditor", f"{AUDIT}.csv")):
        with pytest.raises(OSError, match="disk full"):
            house.client(person).get(address)


def test_the_log_of_another_share_or_project_is_not_here(house: House) -> None:
    manager, auditor = house.client("manager"), house.client("auditor")
    for address in (f"/p/other/shares/{SHARE}/access", f"/p/{HARBOUR}/shares/{OTHER}/access"):
        assert manager.get(address).status_code == manager.get(f"{address}.csv").status_code == 404
    assert auditor.get(f"/audit/shares/{OTHER}/access").status_code == 404
    assert auditor.get(STAFF).status_code == manager.get(AUDIT).status_code == 404
    assert house.client(VIEWER).get(STAFF).status_code == 404
    assert asked(house) == []


def test_what_is_older_than_receipts_are_kept_is_gone_from_the_log_at_once(house: House, later: Later) -> None:
    opened(house, 3)
    manager = house.client("manager")
    assert "Opened 3 times" in manager.get(STAFF).text
    house.process.services.service.execute(OPERATOR, SetRetention(share=SHARE, days=30), command_id=CommandId("r"))
    later.ahead = timedelta(days=29)
    assert "Opened 3 times" in house.client("manager").get(STAFF).text
    later.ahead = timedelta(days=30, hours=1)
    browser = house.client("manager")
    assert "Nobody has opened it yet." in browser.get(STAFF).text
    assert "No update was handed" in browser.get(f"/clients/{ACME}").text


def test_somebody_who_was_erased_has_no_name_in_the_log(house: House) -> None:
    opened(house)
    erase = ErasePerson(person=PersonId(VIEWER), reason="Asked to be forgotten")
    house.process.services.service.execute(OPERATOR, erase, command_id=CommandId("e"))
    for text in (house.client("manager").get(STAFF).text, house.client("manager").get(f"{STAFF}.csv").text):
        assert "Erased person" in text
        assert "Vera" not in text


# as a file


def test_the_file_has_a_line_for_each_opening_and_reads_back(house: House) -> None:
    opened(house, 3)
    answer = house.client("auditor").get(f"{AUDIT}.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="fanlight-{SHARE}-access.csv"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.count(b"\r\n") == answer.content.count(b"\n") == 4
    head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert tuple(head) == HEAD
    assert [row[1:8] for row in rows] == [["Vera", "Phone", "1", "1", "1", "61", "60"]] * 3
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row[0]) for row in rows)
    assert house.client("manager").get(f"{STAFF}.csv").content == answer.content


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)"])
def test_a_name_that_is_a_formula_stays_text_in_a_spreadsheet(house: House, name: str) -> None:
    person = PersonId("mallory")
    invited = InvitePerson(person=person, name=name, email="m@acme.test", role="viewer", client=ACME)
    house.process.services.service.execute(OPERATOR, invited, command_id=CommandId(new_id(24)))
    opened(house, 1, "mallory")
    rows = list(csv.reader(io.StringIO(house.client("manager").get(f"{STAFF}.csv").text, newline="")))
    assert rows[1][1] == f"'{name}"


@pytest.mark.once
def test_cells_are_guarded_quoted_and_kept() -> None:
    nasty = ["\tx", "\rx", "=1", 'say "hi"', "a,b", "a\r\nb", "Zoë", "x=1", "", -5]
    text = sheet(["=head"], [[value] for value in nasty]).decode("utf-8-sig")
    back = [row[0] if row else "" for row in csv.reader(io.StringIO(text, newline=""))]
    assert back == ["=head", "'\tx", "'\rx", "'=1", 'say "hi"', "a,b", "a\r\nb", "Zoë", "x=1", "", "-5"]


@pytest.mark.once
@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (11_100, "3 h 5 min"), (180_000, "two days")],
)  # fmt: skip
def test_how_long_is_said_in_words_people_use(seconds: float, said: str) -> None:
    assert lasted(seconds) == said


def test_viewers_are_told_on_their_page_that_display_is_recorded_and_for_how_long(house: House) -> None:
    house.process.services.service.execute(OPERATOR, SetRetention(share=SHARE, days=90), command_id=CommandId("r"))
    page = house.client(VIEWER).get(f"/s/{SHARE}").text
    assert "is recorded for Example Works and for you, and kept for 90 days." in page
    link = house.process.services.credentials.link(OPERATOR, PersonId(VIEWER))
    assert "and kept for 90 days" in house.client().get(f"/in/{link}").text
    assert "is recorded" in house.client().get("/sign-in").text
    other = house.process.services.credentials.link(OPERATOR, PersonId(OTHER_VIEWER))
    assert "90 days" not in house.client().get(f"/in/{other}").text
