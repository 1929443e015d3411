"""A viewer's own history: every update by number and by date, exactly as it was, and nothing of anybody else's."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from domain.agreement.share import ActivateTerms, DraftTerms, RevokeShare
from domain.ids import CommandId, MilestoneId, PersonId, RiskId
from domain.plan.risks import TakeRiskNote
from projections.replay import pages
from tests.recorded import recorded
from tests.web.doors import ORIGIN, OTHER_VIEWER, VIEWER, wait_until, without_token
from tests.world import COUNCIL, HARBOUR, OTHER, SHARE, START, World, everything
from web import app as application
from web.client.history import FRAMING, PAGE, NoSuchTime, moment
from web.clock import Virtual
from web.process.process import Given
from web.render.page import Renderer
from web.settings import Settings
from web.write.permission import OPERATOR

HERE = f"/s/{SHARE}/history"
MOVES = 7


def wide(world: World) -> None:
    world.tell(DraftTerms(share=SHARE, terms=everything(milestones=(MilestoneId("m1"),))))
    world.tell(ActivateTerms(share=SHARE, reason="Narrower"))


def a_week(folder: Path) -> None:
    """A record of a week: a move a day, then narrower terms; council has a share of its own."""
    world = World(folder, Renderer())
    world.harbour()
    for i in range(MOVES):
        world.clock.at = START + timedelta(days=i + 1)
        world.move("m1", date(2027, 6, 1 + i), f"Frost {i}")
    world.clock.forward(days=1)
    wide(world)
    world.share(everything(), OTHER, HARBOUR, COUNCIL)
    world.close()


@pytest.fixture
def product(tmp_path: Path) -> Iterator[TestClient]:
    recorded(tmp_path, a_week)
    clock = Virtual(START + timedelta(days=MOVES + 2, minutes=5))
    process = application.compose(
        Settings(data=tmp_path, public_url=ORIGIN, session_hours=720, idle_minutes=43_200), Given(now=clock)
    )
    with TestClient(application.create(process), base_url=ORIGIN, follow_redirects=False) as client:
        client.process, client.clock = process, clock  # type: ignore[attr-defined]
        become(client, VIEWER)
        yield client


def become(product: TestClient, person: str) -> None:
    process = product.process  # type: ignore[attr-defined]
    product.cookies.clear()
    product.cookies.set(
        process.services.guard.cookie,
        process.services.credentials.enter(process.services.credentials.link(OPERATOR, PersonId(person))).secret,
    )


def test_every_update_is_listed_with_what_it_changed(product: TestClient) -> None:
    page = product.get(HERE)
    assert page.status_code == 200
    assert f"Updates 1 to {MOVES + 2}." in page.text
    for n in range(1, MOVES + 3):
        assert f'href="{HERE}/{n}"' in page.text
    assert "The first update: all that agreement 1 covers." in page.text
    assert "Agreement 2 came into force." in page.text
    assert "Frost 3" in page.text
    assert "no longer shared" in page.text.lower()


def test_one_update_says_when_it_was_shown_and_what_proves_it(product: TestClient) -> None:
    page = product.get(f"{HERE}/3").text
    assert "Update 3, Wed 3 Mar 2027, 09:01:00." in page
    assert "On your page until Thu 4 Mar 2027, 09:01:00, when update 4 came." in page
    assert "Frost 1" in page
    assert "Frost 2" not in page
    entry = product.process.services.logs.disclosure.entry(SHARE, 3)  # type: ignore[attr-defined]
    told = page.replace("</span> <span>", "")
    assert entry.leaf.hex() in told
    assert entry.root in told
    assert f"/s/{SHARE}/evidence.zip?n=3" in page
    assert f'rel="prev" href="{HERE}/2"' in page
    assert f'rel="next" href="{HERE}/4"' in page
    newest = product.get(f"{HERE}/{MOVES + 2}").text
    assert "It is what your page says now." in newest
    assert 'rel="next"' not in newest
    assert 'rel="prev"' not in product.get(f"{HERE}/1").text


def test_the_frame_holds_the_recorded_page_and_only_our_page_may_show_it(product: TestClient) -> None:
    outer = product.get(f"{HERE}/3")
    assert f'<iframe sandbox src="{HERE}/3/page"' in outer.text
    assert outer.headers["content-security-policy"] == FRAMING
    inner = product.get(f"{HERE}/3/page")
    policy = inner.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert policy.endswith("frame-ancestors 'self'")
    recorded = pages.page(product.process.services.logs.disclosure, SHARE, 3)  # type: ignore[attr-defined]
    assert recorded is not None
    for markup in recorded.roots.values():
        assert markup in inner.text
    assert "frame-src" not in product.get(HERE).headers["content-security-policy"]


@pytest.mark.parametrize(
    ("query", "n"),
    [
        ("on=2027-03-03&time=09:00", 2),
        ("on=2027-03-03&time=09:01", 3),
        ("on=2027-03-03", 3),
        ("on=2027-03-05&time=12:30:15", 5),
        ("on=2099-01-01", MOVES + 2),
    ],
)
def test_a_date_leads_to_what_was_shown_then(product: TestClient, query: str, n: int) -> None:
    answer = product.get(f"{HERE}?{query}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{HERE}/{n}")


def test_a_date_before_the_first_update_or_none_at_all_is_said_plainly(product: TestClient) -> None:
    assert "Nothing had been shown by then." in product.get(f"{HERE}?on=2020-01-01").text
    for query in ("on=soon", "on=2027-02-30", "on=2027-03-03&time=25:00", "on=0001-01-01"):
        answer = product.get(f"{HERE}?{query}")
        assert answer.status_code in (200, 400), query
        assert 'role="alert"' in answer.text


@pytest.mark.once
def test_a_day_is_one_of_the_clients_zone() -> None:
    assert moment({"on": "2027-07-01", "time": "00:30"}, "Europe/London") == datetime.fromisoformat(
        "2027-06-30T23:30:00+00:00"
    )
    assert moment({"on": "2027-07-01"}, "Europe/London").day == 1  # type: ignore[union-attr]
    assert moment({}, "Europe/London") is None
    with pytest.raises(NoSuchTime):
        moment({"on": "yesterday"}, "Europe/London")


def test_what_is_anothers_answers_like_what_is_not_there(product: TestClient) -> None:
    nothing = product.get("/s/nosuch/history")
    for path in ("/history", "/history/1", "/history/1/page", "/history?on=2027-03-03", "/history?before=3"):
        answer = product.get(f"/s/{OTHER}{path}")
        assert (answer.status_code, answer.content) == (404, nothing.content)
        assert dict(answer.headers) == dict(nothing.headers)
    for path in (
        f"{HERE}/0",
        f"{HERE}/99",
        f"{HERE}/x",
        f"{HERE}/-1",
        f"{HERE}?before=x",
        f"{HERE}/99/page",
        f"{HERE}/²",
    ):
        assert product.get(path).status_code == 404, path
    become(product, OTHER_VIEWER)
    assert product.get(HERE).status_code == 404
    assert product.get(f"/s/{OTHER}/history").status_code == 200


def test_an_erased_update_keeps_its_number_time_and_hash_alone(product: TestClient) -> None:
    log = product.process.services.logs.disclosure  # type: ignore[attr-defined]
    leaf = log.kept(SHARE, 2, 1, 3)[0].leaf.hex()
    log.erase(SHARE, [3])
    page = product.get(f"{HERE}/3")
    assert page.status_code == 200
    assert "The content of this update was erased." in page.text
    assert "Wed 3 Mar 2027, 09:01:00" in page.text
    assert leaf in page.text.replace("</span> <span>", "")
    assert "<iframe" not in page.text
    assert "evidence.zip" not in page.text
    assert "Frost 1" not in product.get(HERE).text
    assert "was erased" in product.get(HERE).text
    assert product.get(f"{HERE}/3/page").status_code == 404


def test_a_share_that_ended_can_still_be_stepped_through(product: TestClient) -> None:
    process, clock = product.process, product.clock  # type: ignore[attr-defined]
    clock.forward(hours=1)
    process.services.service.execute(OPERATOR, RevokeShare(share=SHARE, reason="Over"), command_id=CommandId("end"))
    assert "the share ended" in product.get(f"{HERE}/{MOVES + 2}").text
    assert product.get(HERE).status_code == 200


def test_many_updates_come_a_page_at_a_time(tmp_path: Path) -> None:
    world = World(tmp_path, Renderer())
    world.harbour()
    for i in range(PAGE + 9):
        world.move("m1", date(2027, 6, 1) + timedelta(days=i))
    world.close()
    process = application.compose(
        Settings(data=tmp_path, public_url=ORIGIN, session_hours=720, idle_minutes=43_200), Given(now=world.clock)
    )
    with TestClient(application.create(process), base_url=ORIGIN, follow_redirects=False) as client:
        client.process = process  # type: ignore[attr-defined]
        become(client, VIEWER)
        first = client.get(HERE).text
        assert f'href="{HERE}/{PAGE + 10}"' in first
        assert f'href="{HERE}/10"' not in first
        assert f'href="{HERE}?before=11"' in first
        second = client.get(f"{HERE}?before=11").text
        assert f'href="{HERE}/10"' in second
        assert f'href="{HERE}/1"' in second
        assert "Older" not in second


def test_it_changes_when_the_record_does_and_not_with_the_clock(product: TestClient) -> None:
    process, clock = product.process, product.clock  # type: ignore[attr-defined]
    pages = (HERE, f"{HERE}/3", f"{HERE}/3/page")
    before = [without_token(product.get(path).content) for path in pages]
    clock.forward(days=3)
    note = TakeRiskNote(project=HARBOUR, risk=RiskId("r1"), note="Not shared")
    process.services.service.execute(OPERATOR, note, command_id=CommandId("note"))
    wait_until(lambda: process.services.logs.disclosure.position() == process.services.logs.events.head())
    assert [without_token(product.get(path).content) for path in pages] == before


def test_the_dashboard_leads_there(product: TestClient) -> None:
    assert f'href="{HERE}"' in product.get(f"/s/{SHARE}").text
    assert f'href="{HERE}"' in product.get(f"/s/{SHARE}/record").text
