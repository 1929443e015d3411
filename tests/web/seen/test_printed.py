"""The sheet of an instant is what the recorded page prints; how long a date has passed follows from the instant."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from domain.ids import RiskId
from domain.plan.risks import Points, ScoreRisk
from projections.replay import pages
from tests.world import HARBOUR, SHARE, World
from web.record.instant import then
from web.render.page import Renderer
from web.seen import page as seen_page
from web.seen.printed import printed
from web.seen.sheets import Sheet


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, Renderer())
    made.harbour()
    yield made
    made.close()


def sheets(world: World, **later: float) -> tuple[Sheet, Sheet]:
    """Return the sheets of the plan and of what was shown, some time from now."""
    services = SimpleNamespace(
        logs=world.folder, present=world.present, renderer=world.renderer, now=world.clock, follower=world.follower
    )
    share = world.present.refresh().shares[SHARE]
    t = then(services, share, world.clock() + timedelta(**later))
    both = seen_page._sheets(t, seen_page._plan_side(services, t), seen_page._shown_side(services, t), [])
    assert both["plan"] is not None
    assert both["shown"] is not None
    return both["plan"], both["shown"]


def test_where_the_page_counts_risks_the_sheet_says_what_it_counts_and_not_the_status_of_all(world: World) -> None:
    world.tell(ScoreRisk(project=HARBOUR, risk=RiskId("r1"), residual=Points(3, 3), reason="Better"))
    world.tell(ScoreRisk(project=HARBOUR, risk=RiskId("r2"), residual=Points(5, 5), reason="Worse"))
    view = world.view()
    assert view.risk is not None
    assert view.risk.indicator is not None
    assert view.risk.indicator.status == "off_track", "by a risk that is not shared"
    for sheet in sheets(world):
        risk = next(vital for vital in sheet.vitals if vital.key == "v-risk")
        assert (risk.tone, risk.status.text) == ("warn", "One medium")


def test_an_overdue_milestone_says_so_with_the_days_up_to_the_instant(world: World) -> None:
    world.end_days(days=64)  # m1 is due on 3 May 2027
    day = world.clock().date()
    assert day == date(2027, 5, 4)
    for days, said in ((0, "1 day so far"), (1, "2 days so far"), (30, "31 days so far")):
        line = next(line for line in sheets(world, days=days)[1].lines if line.id == "m1")
        assert (line.status.text, line.tone, line.so_far) == ("Overdue", "bad", said)


def test_a_date_is_printed_with_its_year_and_the_words_of_the_page(world: World) -> None:
    line = next(line for line in sheets(world)[1].lines if line.id == "m1")
    assert line.date.text == "3 May 2027"
    assert line.status.text in pages.page(world.folder.disclosure, SHARE).roots["body"]


@pytest.mark.once
def test_what_is_not_on_a_page_is_not_read_from_it() -> None:
    nothing = printed(['<div id="summary"><p>Other</p></div>'])
    assert (nothing.sentence, nothing.overall.word, nothing.vitals, nothing.rows) == ("", "", {}, {})
