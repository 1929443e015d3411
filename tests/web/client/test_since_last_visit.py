"""Since your last visit: from that person's own receipts, whoever else was there, and whatever was mailed."""

import re
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from domain.agreement.answers import MakeComment, Screen
from domain.agreement.share import ActivateTerms, DraftTerms
from domain.commands import AnyCommand
from domain.ids import CommandId, MilestoneId, PersonId
from domain.people.person import InvitePerson
from domain.plan.schedule import MoveForecast
from projections.entries.entry import Kept
from projections.receipts.claims import Receipt
from projections.replay import since
from tests.web import doors
from tests.web.doors import VIEWER, House, running, wait_until
from tests.world import ACME, ALL_MILESTONES, HARBOUR, SHARE, everything
from web.client import dashboard, home
from web.clock import Virtual
from web.ids import new_id
from web.render.page import Renderer
from web.sign_in import link
from web.write.permission import OPERATOR, Actor


@pytest.fixture
def now() -> Virtual:
    return Virtual(datetime(2027, 5, 3, 9, 12, tzinfo=UTC))


@pytest.fixture
def house(tmp_path: Path, now: Virtual, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(doors, "Plain", Renderer)  # whose changes are those of the product
    with running(tmp_path / "data", [*link.routes(), *home.routes(), *dashboard.routes()], now) as made:
        yield made


def saw(house: House, person: str, n: int) -> None:
    """Have somebody open the page, which then claims that update n was on screen."""
    house.client(person).get(f"/s/{SHARE}")
    at = house.process.services.now().timestamp()
    shown = Receipt(share=SHARE, person=person, session="s", tab=f"t-{person}", kind="displayed", n=n, at=at)
    house.process.services.receipts.take([shown])
    house.process.services.receipts.flush()


def told(house: House, command: AnyCommand, actor: Actor = OPERATOR) -> None:
    """Carry out a command, and wait for the update."""
    head = house.process.services.logs.disclosure.head(SHARE)
    house.process.services.service.execute(actor, command, command_id=CommandId(new_id(24)))
    wait_until(lambda: house.process.services.logs.disclosure.head(SHARE) == head + 1)


def moved(house: House, day: int, milestone: str = "m1", reason: str = "x") -> None:
    """Move a milestone within June, and wait for the update."""
    to = date(2027, 6, day)
    told(house, MoveForecast(project=HARBOUR, milestone=MilestoneId(milestone), forecast=to, reason=reason))


def rows(house: House, person: str = VIEWER) -> list[str]:
    """Return the words of the rows on somebody's page, the open ones and then, after a line, the folded ones."""
    page = house.client(person).get(f"/s/{SHARE}").text
    news = re.search(r'<section class="sec" id="news".*?</section>', page, re.DOTALL)
    assert news
    first, _, more = news[0].partition('<details id="more"')
    more, _, each = more.partition('<details id="each"')
    assert each
    found = [
        [
            " ".join(re.sub(r"<span[^>]* hidden>.*?</b>|<[^>]*>", " ", row).split())
            for row in re.findall(r"<li.*?</li>", part, re.DOTALL)
        ]
        for part in (first, more)
    ]
    return [*found[0], "--", *found[1]]


def fresh(house: House, person: str = VIEWER) -> str:
    """Return what the list of somebody's projects says is new in this one."""
    return re.findall(
        r'<p class="fresh">\s*(?:<b>\s*)?(.*?)\s*<', house.client(person).get("/home/shares").text, re.DOTALL
    )[0]


def test_each_viewer_is_told_what_came_after_the_update_that_was_last_on_their_own_screen(
    house: House, now: Virtual
) -> None:
    other = InvitePerson(person=PersonId("omar"), name="Omar", email="o@acme.test", role="viewer", client=ACME)
    house.process.services.service.execute(OPERATOR, other, command_id=CommandId(new_id(24)))
    saw(house, VIEWER, 1)
    moved(house, 1)
    now.forward(hours=1)
    saw(house, "omar", 2)
    moved(house, 2)
    now.forward(hours=1)
    items = [link.content.items for link in house.process.services.logs.disclosure.entries(SHARE, 0, 10)]
    hers, his = (house.client(person).get(f"/s/{SHARE}").text for person in (VIEWER, "omar"))
    assert items[1]
    assert items[2]
    assert [item in hers for item in items[1:]] == [True, True]
    assert [item in his for item in items[1:]] == [False, True]
    assert "Monday 3 May 2027, 10:12" in hers
    assert "Monday 3 May 2027, 11:12" in his


def test_many_changes_of_a_thing_are_one_row_with_the_whole_difference_and_the_newest_reason(
    house: House, now: Virtual
) -> None:
    saw(house, VIEWER, 1)
    for day, milestone, reason in ((9, "m1", "Frost"), (4, "m2", "Crane away"), (12, "m1", "Late steel")):
        moved(house, day, milestone, reason)
    now.forward(hours=1)
    assert rows(house) == [
        "Section A energised 3 May 2027 → 12 Jun 2027 +40 days in 2 steps now off track Late steel",
        "Trial running starts 2 Aug 2027 → 4 Jun 2027 −59 days Crane away",
        "--",
    ]
    assert fresh(house) == "2 changes"


def test_where_no_page_reported_what_was_displayed_it_is_not_said_that_nothing_changed(
    house: House, now: Virtual
) -> None:
    """As of a browser without scripts, whose page is made and which reports nothing."""
    browser = house.client(VIEWER)
    assert fresh(house) == "You have not opened it yet"
    browser.get(f"/s/{SHARE}")
    house.process.services.receipts.flush()
    moved(house, 9)
    now.forward(hours=1)
    page = browser.get(f"/s/{SHARE}").text
    assert "Your browser did not report what was displayed then" in page
    assert "Nothing has changed since then." not in page
    assert fresh(house).startswith("Opened 3 May 2027, ")
    assert "since you last looked" not in browser.get("/home/shares").text


def test_what_is_back_where_it_was_is_unchanged_and_folded(house: House, now: Virtual) -> None:
    moved(house, 1)
    saw(house, VIEWER, 2)
    for day in (9, 20, 1):
        moved(house, day)
    now.forward(hours=1)
    assert fresh(house).startswith("Nothing new since")
    assert rows(house) == ["--", "Section A energised Unchanged after 3 steps x"]


def test_what_a_viewer_said_is_no_news_to_them_and_is_to_others(house: House, now: Virtual) -> None:
    other = InvitePerson(person=PersonId("omar"), name="Omar", email="o@acme.test", role="viewer", client=ACME)
    house.process.services.service.execute(OPERATOR, other, command_id=CommandId(new_id(24)))
    talking = everything(milestone_fields=(*ALL_MILESTONES, "comments"))
    house.process.services.service.execute(
        OPERATOR, DraftTerms(share=SHARE, terms=talking), command_id=CommandId(new_id(24))
    )
    told(house, ActivateTerms(share=SHARE, reason="Talk"))
    for person in (VIEWER, "omar"):
        saw(house, person, 2)
    screen = Screen(n=2, head=house.process.services.logs.disclosure.entries(SHARE, 1, 1)[0].root)
    for key in ("c1", "c2"):
        said = MakeComment(
            share=SHARE,
            comment=key,
            subject="milestone-m1",
            text=f"Why {key}?",
            by=VIEWER,
            side="theirs",
            screen=screen,
        )
        told(house, said, Actor(PersonId(VIEWER), "viewer", (ACME,)))
    now.forward(hours=1)
    name = house.process.services.present.refresh().people[PersonId(VIEWER)].memberships[ACME].name
    assert rows(house, "omar") == [f"Section A energised 2 comments {name} in 2 steps Why c2?", "--"]
    assert rows(house, VIEWER) == ["--"]


def test_however_long_somebody_was_away_the_work_is_bounded_the_rows_are_right_and_the_cut_is_said(
    house: House, now: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(since, "LOOK", 4)
    log = house.process.services.logs.disclosure
    read: list[int] = []
    kept = log.kept
    asking = ContextVar("asking", default=False)  # others read as well: an hour later all that is new is signed

    def counted(share: str, after: int, limit: int, upto: int | None = None) -> list[Kept]:
        found = kept(share, after, limit, upto)
        if asking.get():
            read.append(len(found))
        return found

    def page() -> tuple[list[str], int]:
        """Return the rows of the page, and how many recorded updates were read for it."""
        read.clear()
        mark = asking.set(True)
        try:
            return rows(house), sum(read)
        finally:
            asking.reset(mark)

    saw(house, VIEWER, 1)
    moved(house, 20, "m2", "Earlier")
    for day in range(1, 9):
        moved(house, day)
    now.forward(hours=1)
    rows(house)
    monkeypatch.setattr(log, "kept", counted)
    listed, some = page()
    assert listed[:2] == [
        "Section A energised 3 May 2027 → 8 Jun 2027 +36 days in 4+ steps now off track x",
        "Trial running starts 2 Aug 2027 → 20 Jun 2027 −43 days Earlier",
    ]
    assert some >= since.LOOK
    assert "and 5 earlier updates" in " ".join(
        re.sub("<[^>]*>", " ", house.client(VIEWER).get(f"/s/{SHARE}").text).split()
    )
    for day in range(9, 29):
        moved(house, day)
    rows(house)
    house.process.clockwork.sign()  # whatever else is read then
    assert page()[1] <= some + 2
