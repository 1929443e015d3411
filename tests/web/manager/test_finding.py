"""Finding one's way: one bar everywhere in a project, the path, the search, and the list of projects."""

import re
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import pytest

from domain.agreement.share import ActivateTerms, DraftShare
from domain.agreement.terms import Terms
from domain.ids import ClientId, CommandId, MilestoneId, PersonId, ProjectId, RiskId, ShareId
from domain.people.clients import RegisterClient
from domain.people.person import AssignProjects, InvitePerson
from domain.plan.health import OverrideHealth
from domain.plan.project import StartProject
from domain.plan.risks import CloseRisk, RaiseRisk, RiskDetails
from domain.plan.schedule import AddMilestone, MilestoneDetails
from domain.plan.scores import Points
from projections.wording.folding import folded, matches, wanted
from tests.web.doors import VIEWER, House, every_route, running
from tests.world import DEPOT, HARBOUR, SHARE
from web.door.guard import Signed
from web.manager import projects, search
from web.write.permission import OPERATOR

BAR = ["Plan", "Sharing", "What they saw", "Answers", "History", "Import"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path / "data", every_route()) as made:
        yield made


def do(house: House, *commands: object) -> None:
    for command in commands:
        key = CommandId(f"find{time.monotonic_ns()}")
        house.process.services.service.execute(OPERATOR, command, command_id=key)  # type: ignore[arg-type]


def start(key: str, title: str, owner: str = "manager") -> StartProject:
    return StartProject(
        project=ProjectId(key), title=title, client_title=title, owner=PersonId(owner), currency="GBP", time_zone="UTC"
    )


def depot(house: House) -> None:
    """A project of somebody else, with a client, a person and a milestone of its own."""
    do(
        house,
        start(DEPOT, "Zürich depot", "admin"),
        RegisterClient(client=ClientId("zug"), name="Zürcher Züge", time_zone="Europe/Zurich"),
        DraftShare(share=ShareId("zug1"), project=ProjectId(DEPOT), client=ClientId("zug"), terms=Terms(milestones="all", milestone_fields=("forecast",))),
        ActivateTerms(share=ShareId("zug1"), reason="x"),
        InvitePerson(person=PersonId("zoe"), name="Zoë Zürn", email="z@zug.test", role="viewer", client=ClientId("zug")),
        AddMilestone(
            project=ProjectId(DEPOT), milestone=MilestoneId("z1"), details=MilestoneDetails(title="Zürich handover"),
            forecast=date(2020, 1, 1),
        ),
        AssignProjects(person=PersonId("manager"), projects=(ProjectId(HARBOUR),)),
    )  # fmt: skip


def bar(page: str) -> list[str]:
    found = re.search(r'<nav class="ways of-project".*?</nav>', page, re.DOTALL)
    assert found is not None
    return re.findall(r">([^<>\n]+)</a>", found[0])


def test_the_bar_of_a_project_is_the_same_on_every_page_of_it(house: House) -> None:
    browser = house.client("manager")
    share = f"/p/{HARBOUR}/shares/{SHARE}"
    for path in ("", "/answers", "/history", "/import", "/who?milestone=m1", "/do/raise-risk", "/shares/new"):
        assert bar(browser.get(f"/p/{HARBOUR}{path}").text) == BAR, path
    for path in ("", "/edit", "/access", "/as", "/at/now"):
        page = browser.get(share + path, follow_redirects=True).text
        assert bar(page) == BAR, path
        assert "Projects" in page
        path_bar = re.search(r'<nav class="path".*?</nav>', page, re.DOTALL)
        assert path_bar is not None
        assert re.search(r"<summary>Acme Rail</summary>", path_bar[0])
        assert f'href="{share}' in path_bar[0]


def test_whoever_uses_the_keyboard_skips_to_the_first_milestone_that_is_open(house: House) -> None:
    page = house.client("manager").get(f"/p/{HARBOUR}").text
    first, second = re.findall(r'<a class="skip" href="#([^"]+)">', page)
    assert first == "main"
    assert f'<tbody id="{second}">' in page


def test_without_a_share_in_the_address_the_only_one_is_opened_and_several_are_listed(house: House) -> None:
    browser = house.client("manager")
    depot(house)
    mine = [s.id for s in house.process.services.present.refresh().shares_of_project(HARBOUR)]
    for end, rest in (("sharing", ""), ("seen", "/at/now")):
        answer = browser.get(f"/p/{HARBOUR}/{end}")
        if len(mine) == 1:
            assert answer.headers["location"] == f"/p/{HARBOUR}/shares/{mine[0]}{rest}"
        else:
            assert all(f"/shares/{share}{rest}" in answer.text for share in mine)
        assert browser.get(f"/p/{DEPOT}/{end}").status_code == 404


def titles(page: str) -> set[str]:
    return set(re.findall(r"<b>([^<]+)</b>", page[page.index('class="found on-page"') :]))


def test_only_what_somebody_may_see_is_found(house: House) -> None:
    depot(house)
    theirs = {"Zürich depot", "Zürcher Züge", "Zürich handover", "Zoë Zürn"}
    assert titles(house.client("admin").get("/search?q=ZUR").text) == theirs
    bounded = house.client("manager").get("/search?q=zur").text
    assert titles(bounded) == set()
    assert "Nothing found for “zur”" in bounded
    assert titles(house.client("manager").get("/search?q=section").text)  # of their own project something is found
    assert house.client(VIEWER).get("/search?q=zur").status_code == 404
    assert house.client().get("/search?q=zur").status_code == 303


def test_an_auditor_finds_everything_and_lands_on_its_events_or_its_share_and_the_question_is_recorded(
    house: House,
) -> None:
    depot(house)
    browser, ledger = house.client("auditor"), house.process.services.logs.ledger
    before = ledger.last().index if ledger.last() else 0
    page = browser.get("/search?q=ZUR").text
    assert titles(page) == {"Zürich depot", "Zürcher Züge", "Zürich handover", "Zoë Zürn"}
    recorded = [line.statement.text for line in ledger.lines(before, 10)]
    assert recorded == ["search, ZUR"]
    ways = dict(re.findall(r'<a href="([^"]+)">\s*<b>([^<]+)</b>', page[page.index('class="found on-page"') :]))
    assert {way.partition("?")[0].partition("/shares/")[0] for way in ways} == {"/audit"}
    for way, title in ways.items():
        answer = browser.get(way.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert title in answer.text
    assert "hx-get" not in browser.get("/audit").text.partition("</form>")[0], "a letter typed is no question asked"


def test_events_of_one_milestone_are_listed_alone(house: House) -> None:
    everything = house.client("auditor").get(f"/audit?project={HARBOUR}&technical=1").text
    alone = house.client("auditor").get(f"/audit?project={HARBOUR}&thing=m1").text
    many, few = (int(re.search(r"<h1>\s*([\d,]+) of", page).group(1)) for page in (everything, alone))  # type: ignore[union-attr]
    assert 0 < few < many
    assert re.search(r"<h1>[^<]*: projects and sharing, [^<]*m1", alone, re.IGNORECASE)
    rows = re.findall(r"<pre tabindex=.0.>(.*?)</pre>", alone, re.DOTALL)
    assert len(rows) == few
    assert all("m1&#34;" in row for row in rows)


def test_for_everything_there_is_nobody_finds_a_thing_they_cannot_open(house: House) -> None:
    depot(house)
    services = house.process.services
    world = services.present.refresh()
    words = {
        word[:4] for name in (
            *(p.title for p in world.projects.values()), *(c.name for c in world.clients.values()),
            *(one.name for one in world.people.values()),
            *(m.details.title for p in world.projects.values() for m in p.schedule.milestones.values()),
        ) for word in folded(name).split()
    }  # fmt: skip
    opened: dict[tuple[str, str], int] = {}
    for person in ("manager", "admin", "auditor"):
        browser = house.client(person)
        signed = Signed(person=world.people[PersonId(person)], session=None)
        for word in sorted(words):
            for group in search.found(services, signed, word, 50):
                for one in group.results:
                    address = one.href.partition("#")[0]
                    if (person, address) not in opened:
                        opened[person, address] = browser.get(address).status_code
    assert {person for person, _address in opened} == {"manager", "admin", "auditor"}
    assert {asked: code for asked, code in opened.items() if code != 200} == {}
    assert not {address for person, address in opened if person == "manager"} & {f"/p/{DEPOT}", "/clients/zug"}


def test_search_folds_case_and_accents_and_begins_at_words() -> None:
    assert folded("Größe, Łódź_x") == " grosse lodz x"
    text = folded("Section A énergised", "Ærø")
    for query in ("sec en", "ENERG", "a", "aero", "section"):
        assert matches(text, wanted(query)), query
    for query in ("ection", "section b", "sec x"):
        assert not matches(text, wanted(query)), query
    assert wanted("  ?! ") == ()
    assert len(wanted("a " * 500)) == 6


def test_what_is_found_is_bounded_and_how_many_more_is_said(house: House) -> None:
    do(house, *(start(f"many{n}", f"Many {n:02}") for n in range(7)))
    answer = house.client("manager").get("/search?q=many", headers={"hx-request": "true"}).text
    assert answer.count("<li>") == search.AT_ONCE
    assert "and 2 more" in answer
    assert "<html" not in answer
    assert house.client("manager").get("/search?q=", headers={"hx-request": "true"}).text == ""


def order(page: str) -> list[str]:
    table = page[page.index('class="rows projects"') :] if 'class="rows projects"' in page else ""
    return re.findall(r'<a href="/p/(\w+)">', table)


def test_projects_stand_in_the_order_of_what_needs_attention(house: House) -> None:
    long_ago = house.process.services.now().date() - timedelta(days=9)
    do(
        house,
        start("aaa", "Aaa calm"),
        start("zzz", "Zzz late"),
        AddMilestone(
            project=ProjectId("zzz"), milestone=MilestoneId("z"), details=MilestoneDetails(title="Z"), forecast=long_ago
        ),
    )
    browser = house.client("manager")
    page = browser.get("/p").text
    found = order(page)
    assert found.index("zzz") < found.index("aaa")
    assert "1 date passed" in page
    assert "First what needs attention" in page
    assert order(browser.get("/p?q=cal").text) == ["aaa"]
    assert "1 of 3." in browser.get("/p?q=cal").text
    assert order(browser.get("/p?owner=nobody").text) == []
    assert order(browser.get("/p?page=99").text) == found  # the last page there is
    assert browser.get("/p?page=x").status_code == 200


def test_a_project_is_looked_at_again_only_when_something_was_recorded_of_it(house: House) -> None:
    browser, portfolio = house.client("manager"), house.process.services.portfolio
    do(house, *(start(f"p{n}", f"P {n}") for n in range(5)))
    browser.get("/p")
    before = portfolio.looked
    browser.get("/p")
    assert portfolio.looked == before
    do(house, AddMilestone(project=ProjectId("p3"), milestone=MilestoneId("q"), details=MilestoneDetails(title="Quay"), forecast=date(2030, 1, 1)))  # fmt: skip
    assert "Quay" in browser.get("/search?q=quay").text
    assert portfolio.looked == before + 1


@pytest.mark.slow  # figures of a machine that others use are noisy; the index itself is tested above
@pytest.mark.folder
@pytest.mark.alone
def test_a_thousand_projects_cost_at_most_half_as_much_again_as_ten(tmp_path: Path) -> None:
    with running(tmp_path / "data", projects.routes()) as house:
        browser = house.client("manager")

        def add(first: int, last: int) -> None:
            for n in range(first, last):
                house.process.services.service.execute(
                    OPERATOR, start(f"n{n}", f"Number {n}"), command_id=CommandId(f"n{n}")
                )

        def once() -> float:
            begun = time.process_time()
            assert browser.get("/p").status_code == 200
            return time.process_time() - begun

        def spent() -> float:  # the quietest of some medians: threads that still take commands in count as well
            return min(median(once() for _ in range(15)) for _ in range(6))

        add(0, 9)
        few = spent()
        add(9, 999)
        many = spent()
        print(f"{few * 1000:.1f} ms with ten, {many * 1000:.1f} ms with a thousand")
        assert many <= 1.5 * few


def test_the_list_says_of_risks_what_clients_read(house: House) -> None:
    """A count of the worst band of the open ones; the status alone where somebody has overridden it."""
    page, calm, now = house.client("manager"), ProjectId("calm"), house.process.services.now()
    do(house, start(calm, "A calm one"))

    def said() -> str:
        row = re.search(r'href="/p/calm">.*?</tr>', page.get("/p").text, re.DOTALL)
        assert row is not None
        return " ".join(re.sub("<[^>]+>", " ", row[0].split('data-label="Risk"')[1].split("</td>")[0])[1:].split())

    assert said() == "n/a"
    for n, impact in ((1, 2), (2, 3), (3, 4)):
        details = RiskDetails(ref=f"C-{n}", title="Crane")
        points = Points(probability=2, impact=impact)
        do(house, RaiseRisk(project=calm, risk=RiskId(f"calm{n}"), details=details, inherent=points, residual=points))
    assert said() == "Two medium"
    do(house, CloseRisk(project=calm, risk=RiskId("calm2"), reason="Gone"))
    assert said() == "One medium"
    until = now + timedelta(days=3)
    do(house, OverrideHealth(project=calm, dimension="risk", status="off_track", reason="Wind", until=until))
    assert said() == "Off track"
