"""What pages say of days: with their year, the same last day everywhere, and in a zone that each page names once."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.agreement.share import ActivateTerms, DraftShare
from domain.agreement.terms import Ways
from domain.ids import ClientId, CommandId, RiskId, ShareId
from domain.people.clients import RegisterClient
from domain.plan.risks import TakeRiskNote
from projections.receipts.claims import Receipt
from projections.wording import days
from tests.web.doors import VIEWER, House, every_route, running, wait_until
from tests.world import ACME, HARBOUR, SHARE, everything
from web import clock
from web.write.permission import OPERATOR

ROOT = Path(__file__).parents[2]
HERE = f"/p/{HARBOUR}"
SHARED = f"{HERE}/shares/{SHARE}"
PAGES = {
    "manager": [
        HERE, f"{HERE}/history", f"{HERE}/answers", f"{HERE}/who?milestone=m1", SHARED, f"{SHARED}/edit",
        f"{SHARED}/access", f"{SHARED}/held", f"{SHARED}/at/now", f"/clients/{ACME}", "/me", "/me/address", "/me/passkeys", "/tokens", "/shares", "/p",
    ],
    "auditor": [
        "/audit", f"/audit/shares/{SHARE}", f"/audit/shares/{SHARE}/access", "/audit/ledger", "/audit/shares", "/me",
    ],
    "admin": ["/people"],
    VIEWER: ["/home", f"/s/{SHARE}/history", f"/s/{SHARE}/history/1", "/home/mail", "/me"],
}  # fmt: skip
MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running(tmp_path_factory.mktemp("zones") / "data", every_route()) as made:
        services = made.process.services
        wait_until(lambda: services.logs.disclosure.head(SHARE) >= 1)
        note = TakeRiskNote(project=HARBOUR, risk=RiskId("r1"), note="Among us")
        services.service.execute(OPERATOR, note, command_id=CommandId("note"))
        at = clock.now().timestamp()
        opened = Receipt(kind="opened", share=SHARE, person=VIEWER, session="s", tab="", n=1, at=at, device="Phone")
        services.receipts.take([opened])
        yield made


def text(page: str) -> str:
    page = re.sub(r"<(script|style|head)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


@pytest.mark.parametrize(("who", "path"), [(who, path) for who, paths in PAGES.items() for path in paths])
def test_a_page_that_says_times_names_their_zone_and_says_years(house: House, who: str, path: str) -> None:
    answer = house.client(who).get(path)
    assert answer.status_code in (200, 303)
    if answer.status_code == 303:  # one share: home goes there
        answer = house.client(who).get(answer.headers["location"])
    said = text(answer.text)
    times = re.findall(r"\b\d\d:\d\d\b", said)
    assert not times or re.search(r"Europe/London|\bUTC\b", said), said[:2000]
    dates = re.findall(rf"\b\d{{1,2}} {MONTH}\b(?! 20\d\d)", said)
    if "/s/" not in str(answer.url) or "history" in path:  # the page of a client is its record's own
        assert dates == []


def test_the_pages_do_say_times(house: House) -> None:
    """Or the test above would prove nothing."""
    found = [
        path
        for who, paths in PAGES.items()
        for path in paths
        if re.search(r"\d\d:\d\d", text(house.client(who).get(path).text))
    ]
    assert len(found) > 12, found


def test_the_last_day_is_the_clients_wherever_it_is_read(house: House) -> None:
    """The project keeps London time; in Santiago the agreement ends with 4 September, in London on the 5th."""
    client, far = ClientId("andes"), ShareId("andes-1")
    ends = days.end_of(clock.now().date() + timedelta(days=90), "America/Santiago")
    last = days.last_day(ends, "America/Santiago")
    for command in (
        RegisterClient(client=client, name="Andes Rail", time_zone="America/Santiago"),
        DraftShare(share=far, project=HARBOUR, client=client, terms=everything(), ways=Ways(expires=ends)),
        ActivateTerms(share=far, reason="Agreed"),
    ):
        house.process.services.service.execute(OPERATOR, command, command_id=CommandId(f"far-{type(command).__name__}"))
    browser = house.client("manager")
    assert days.last_day(ends, "Europe/London") != last
    shown = f"until {last.day} {last:%b} {last.year}"
    assert text(browser.get(f"{HERE}/shares/{far}").text).lower().count(shown.lower()) == 2  # in force, and its version
    assert shown in text(browser.get("/shares").text)


ALLOWED = {
    "projections/wording/words.py": "where they are made",
    "projections/entries/summed.py": "compared with what was said, never said",
    "web/telling/held.py": "the year is said with the second of two dates",
    "web/record/lanes.py": "an axis: the first mark has the year",
    "web/audit/replay_line.py": "an axis: the first mark has the year",
}


def test_a_date_without_its_year_is_written_nowhere_else() -> None:
    """Nobody has to remember: `words.day` and `words.moment` are for chrome alone, and each place has its reason."""
    found = set()
    for path in [*ROOT.glob("projections/**/*.py"), *ROOT.glob("web/**/*.py"), *ROOT.glob("web/templates/**/*.html")]:
        if re.search(r"\b(?:w|words)\.(?:day|moment)\(", path.read_text()):
            found.add(str(path.relative_to(ROOT)))
    assert found <= set(ALLOWED)
