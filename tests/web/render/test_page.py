"""What a page is made of is inert, escaped, complete and the same each time."""

import random
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from domain.agreement.terms import Terms
from domain.ids import MilestoneId
from domain.look.colour import accent_of
from domain.look.look import Look, Picture
from domain.money import Money
from domain.plan.budget import ApproveBudget, MeasureCost, PlannedPoint, PlanSpend
from domain.plan.project import HoldProject
from domain.plan.risks import AskClientView
from domain.plan.schedule import AddMilestone, MilestoneDetails
from domain.view import Ack, ClientView, ConcernCard, ForecastPoint, Headline, MilestoneRow, Remark, Scale, Score
from projections.entries import frames
from projections.entries import parts as parts_of_page
from projections.follow.next_entry import restore
from tests.properties.twins import pair, play
from tests.world import ACME, HARBOUR, SHARE, World, everything
from web.render import figures
from web.render.page import Renderer

pytestmark = pytest.mark.folder  # markup is the same from any database

BANNED = (
    r"\shx-", r"\sstyle=", r"<script", r"<style", r"\sautofocus", r"\son[a-z]+=", r"javascript:", r"<iframe", r"<form",
    r'class=""',  # a morph drops it, and the page would differ from the record
    r"\bago\b", r">\s*Yesterday", r"<link",
)  # fmt: skip


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


def views(tmp_path: Path) -> Iterator[ClientView]:
    """Views of random histories under random terms, and one of everything."""
    for seed in range(12):
        world = World(tmp_path / str(seed))
        play(world, pair(seed), 0)
        shown = restore(world.folder.disclosure, SHARE).view
        assert shown is not None
        yield shown
        world.close()
    yield full(tmp_path / "full")
    yield talked(full(tmp_path / "talked"))
    yield branded(full(tmp_path / "branded"))


def branded(view: ClientView) -> ClientView:
    """The view in the look of its organisation."""
    logo = Picture(sha256="ab" * 32, kind="svg", width=120, height=40)
    look = Look(
        accent=accent_of("accent", "#0a7d5a"), logo=logo, logo_dark=replace(logo, sha256="cd" * 32, kind="png"),
        icon=replace(logo, sha256="ef" * 32, width=40),
    )  # fmt: skip
    return replace(view, organisation='Works <b>&amp;</b> "Sons"', look=look, brand=look.digest)


SAID = Remark(
    at=datetime(2027, 5, 3, 13, 2, tzinfo=UTC), by="Anna <b>Price", ours=False, text="One\n<script>two</script>"
)
TAKEN = Ack(by="Anna Price", on=date(2027, 5, 3), update=412)
OPEN = ConcernCard(id="k1", at=SAID.at, by="Anna Price", update=412, about="Handover", text="<form>Worried")
SETTLED = replace(OPEN, id="k2", answer="No <iframe>need", answered_by="Marta Lind", answered_at=SAID.at, settled=True)


def talked(view: ClientView) -> ClientView:
    """The view after both sides said something about everything."""
    moved = replace(TAKEN, current=False)
    both = (SAID, replace(SAID, ours=True, by="Marta Lind"))
    assert view.budget is not None
    return replace(
        view,
        milestones=tuple(replace(row, remarks=both, ack=moved) for row in view.milestones),
        risks=tuple(replace(card, remarks=both, ack=TAKEN) for card in view.risks),
        budget=replace(view.budget, remarks=both[1:]),
        concerns=(OPEN, SETTLED, replace(SETTLED, id="k3", about="", settled=False)),
        agreement_ack=TAKEN,
    )


def test_what_was_said_stands_with_what_it_is_about_in_words_and_shapes(tmp_path: Path, renderer: Renderer) -> None:
    view = talked(full(tmp_path))
    parts = renderer.render(view).parts
    row = parts["md-m1"].head
    assert "Acknowledged by Anna Price, 3 May 2027, at update 412." in row
    assert "It has changed since." in row
    assert '<time datetime="2027-05-03T13:02:00Z">3 May 2027, 14:02</time>' in row  # in the client's zone
    assert "Anna &lt;b&gt;Price" in row
    assert parts["milestones"].children == ("ms-m1", "md-m1", "ms-m2", "md-m2")
    assert "2 comments" in parts["ms-m1"].head
    assert "2 comments" in parts["r-r1"].head
    assert "It has changed since." not in parts["r-r1"].head
    assert "Marta Lind" in parts["v-budget"].head
    assert parts["concerns"].children == ("concern-k1", "concern-k2", "concern-k3")
    assert "One waits for an answer." in parts["concerns"].head
    words = [re.findall(r"(Open|Settled|Answered, not settled)</span>", parts[f"concern-k{i}"].head) for i in (1, 2, 3)]
    assert words == [["Open"], ["Settled"], ["Answered, not settled"]]
    assert all("<svg" in parts[f"concern-k{i}"].head for i in (1, 2, 3))
    assert "Acknowledged by Anna Price, 3 May 2027, at update 412." in parts["scope"].head


def test_nothing_said_leaves_no_trace(tmp_path: Path, renderer: Renderer) -> None:
    markup = whole(renderer, full(tmp_path))
    assert whole(renderer, talked(full(tmp_path / "again"))) != markup  # there is something to leave out
    for trace in ('class="remarks"', 'class="ack"', 'id="concerns"', 'class="many"', "Acknowledged by"):
        assert trace not in markup, trace


def test_a_comment_sends_the_rows_of_its_milestone_alone(renderer: Renderer, tmp_path: Path) -> None:
    silent = full(tmp_path)
    row = silent.milestones[0]

    def said(*remarks: Remark) -> ClientView:
        return replace(silent, milestones=(replace(row, remarks=remarks), *silent.milestones[1:]))

    def targets(before: ClientView, after: ClientView) -> tuple[str, ...]:
        return frames.difference(renderer.render(before), renderer.render(after)).targets

    its_own = (f"ms-{row.id}", f"md-{row.id}")
    assert targets(silent, said(SAID)) == its_own
    assert targets(said(SAID), said(SAID, replace(SAID, text="More"))) == its_own
    assert targets(said(SAID), said(replace(SAID, text="Else"))) == its_own[1:]


def full(folder: Path) -> ClientView:
    """A view with every section filled."""
    world = World(folder)
    world.harbour(everything())
    for measure in ("cost", "price"):
        amount = Money(Decimal(1_000_000), "GBP")
        world.tell(ApproveBudget(project=HARBOUR, measure=measure, amount=amount, reason="Contract"))
        points = tuple(PlannedPoint(date(2027, m, 28), Decimal(100_000 * m)) for m in range(1, 11))
        world.tell(PlanSpend(project=HARBOUR, measure=measure, points=points))
        day = date(2027, 2, 28)
        world.tell(
            MeasureCost(project=HARBOUR, measure=measure, status_date=day, ev=Decimal(190_000), ac=Decimal(210_000))
        )
    world.move("m2", date(2027, 8, 20), "Frost <b>&amp;</b> snow")
    world.tell(AskClientView(project=HARBOUR, risk="r1", client=ACME))
    view = restore(world.folder.disclosure, SHARE).view
    world.close()
    assert view is not None
    return view


def whole(renderer: Renderer, view: ClientView) -> str:
    rendered = renderer.render(view)
    items = renderer.items(renderer.changes(None, view), 1, datetime(2027, 3, 1, tzinfo=UTC), "Europe/London")
    return "".join(parts_of_page.markup(rendered.parts, root) for root in rendered.roots) + items


def test_no_part_holds_anything_that_acts_or_depends_on_its_reader(tmp_path: Path, renderer: Renderer) -> None:
    for view in views(tmp_path):
        markup = whole(renderer, view)
        for pattern in BANNED:
            assert not re.search(pattern, markup), f"{pattern} in {markup[:200]}"


@pytest.mark.once
def test_the_lint_would_notice() -> None:
    for bad in (' hx-get="/"', ' style="x"', "<script>", " autofocus", ' onclick="x"'):
        assert any(re.search(p, f"<p{bad}>" if bad.startswith(" ") else bad) for p in BANNED)


def test_ids_are_on_html_elements_only_and_each_once(tmp_path: Path, renderer: Renderer) -> None:
    for view in views(tmp_path):
        markup = whole(renderer, view)
        ids = re.findall(r'\sid="([^"]+)"', markup)
        assert len(ids) == len(set(ids))
        for drawing in re.findall(r"<svg.*?</svg>", markup, re.DOTALL):
            assert " id=" not in drawing


def test_every_part_begins_with_an_element_that_carries_its_id(tmp_path: Path, renderer: Renderer) -> None:
    for view in views(tmp_path):
        for key, part in renderer.render(view).parts.items():
            first = re.match(r"<[a-z]+[^>]*>", part.head)
            assert first, part.head[:80]
            assert f'id="{key}"' in first.group(), first.group()


def test_the_same_view_gives_the_same_bytes(tmp_path: Path) -> None:
    view = full(tmp_path)
    assert whole(Renderer(), view) == whole(Renderer(), view)


def test_every_section_is_there_when_everything_is_shared(tmp_path: Path, renderer: Renderer) -> None:
    parts = renderer.render(full(tmp_path)).parts
    expected = {
        "lead",
        "v-schedule",
        "v-budget",
        "v-risk",
        "milestones",
        "trend",
        "c-trend",
        "c-spend",
        "risks",
        "heat",
        "scope",
    }
    assert expected <= set(parts)


def moved(view: ClientView, days: int) -> ClientView:
    """The view with forecasts that changed on so many days."""
    points = tuple(ForecastPoint(date(2027, 1, n), date(2027, 5, n)) for n in range(1, days + 1))
    return replace(view, milestones=tuple(replace(row, trend=points, status="planned") for row in view.milestones))


def test_a_course_is_drawn_from_three_days_on_and_is_a_sentence_before(tmp_path: Path, renderer: Renderer) -> None:
    view = full(tmp_path)
    two, three = (renderer.render(moved(view, days)).parts for days in (2, 3))
    assert "Forecasts have changed on 2 days so far." in two["c-trend"].head
    assert "<svg" not in two["c-trend"].head
    assert "Rising means later." not in two["trend"].head
    assert {"c-trend-plot", "ln-m1", "ln-m2"} <= set(three)


def test_pins_leave_the_score_of_their_square_free_and_count_those_without_one(tmp_path: Path) -> None:
    (card,) = full(tmp_path).risks
    score = Score(probability=4, impact=5, value=20)
    for many in (1, 2, 3, 4, 40):
        cards = [replace(card, id=f"r{n}", ref=f"R-{n:02}", score=score, status="active") for n in range(many)]
        drawn = figures.heat(Scale(size=5, medium_from=6, high_from=12), cards)
        (cell,) = [c for c in drawn.cells if c.score == 20 and c.x > 200]
        assert [p.label for p in drawn.pins] == [f"{n:02}" for n in range(min(many, 3 if many == 3 else 2))] + (
            [f"+{many - 2}"] if many > 3 else []
        )
        for pin in drawn.pins:
            corner = (cell.x + 27 - pin.x) ** 2 + (cell.y + 32 - pin.y) ** 2  # the score's upper left
            assert corner > pin.r**2
            assert cell.x <= pin.x - pin.r
            assert pin.x + pin.r <= cell.x + 44
            assert cell.y <= pin.y - pin.r
            assert pin.y + pin.r <= cell.y + 44


@pytest.mark.once
@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "<hx-partial hx-target='#x'>",
        "x' hx-get='/p' y='",
        "\u202eevil\u202c",
        "\x00nul",
        "{{ 7 * 191 }}",
    ],
)
def test_text_of_people_is_shown_as_text(renderer: Renderer, evil: str) -> None:
    row = MilestoneRow(id="m1", title=evil, forecast=date(2027, 5, 1), reason=evil, client_action=evil)
    view = ClientView(
        organisation=evil, client=evil, project=evil, time_zone="Europe/London", terms_version=1, scope=evil,
        headline=Headline(sentence=evil, ask=evil, ask_target="r1"), milestones_shared=True, milestones=(row,),
    )  # fmt: skip
    markup = whole(renderer, view)
    assert "<script" not in markup
    assert "<img" not in markup
    assert "<hx-" not in markup
    assert not re.search(r"<[^>]*\shx-get=", re.sub(r'"[^"]*"', '""', markup))
    assert "\u202e" not in markup
    assert "\x00" not in markup
    assert "1337" not in markup


def test_text_has_a_bound_before_it_ever_reaches_a_page(world: World) -> None:
    world.harbour()
    details = MilestoneDetails(title="x" * 1_000_000, client_title="y", client_facing=True)
    add = AddMilestone(project=HARBOUR, milestone=MilestoneId("big"), details=details, forecast=date(2027, 5, 1))
    with pytest.raises(Exception, match="at most 200"):
        world.tell(add)


def test_nothing_shared_says_so_and_draws_nothing(tmp_path: Path, renderer: Renderer) -> None:
    world = World(tmp_path)
    world.harbour(Terms())
    view = restore(world.folder.disclosure, SHARE).view
    world.close()
    assert view is not None
    markup = whole(renderer, view)
    assert "Nothing has been shared yet." in markup
    assert "<svg" not in markup


def test_an_empty_section_is_worded(tmp_path: Path, renderer: Renderer) -> None:
    world = World(tmp_path)
    world.people()
    world.project()
    world.share(everything())
    view = restore(world.folder.disclosure, SHARE).view
    world.close()
    assert view is not None
    markup = whole(renderer, view)
    assert "No milestones are shared." in markup
    assert "No risks are shared, which does not mean there are none." in markup


def test_a_project_on_hold_says_so_calmly(world: World, renderer: Renderer) -> None:
    world.harbour()
    world.tell(HoldProject(project=HARBOUR, reason="Funding"))
    view = restore(world.folder.disclosure, SHARE).view
    assert view is not None
    assert "On hold. " in whole(renderer, view)
    assert "Funding" not in whole(renderer, view)


def test_frames_carry_the_smallest_parts_that_changed(tmp_path: Path, renderer: Renderer) -> None:
    world = World(tmp_path, renderer)
    world.harbour()
    rng = random.Random(4)
    for _ in range(15):
        world.move("m1", date(2027, 4, 15 + rng.randrange(14)))
    last = world.entries()[-1]
    world.close()
    assert 'hx-target=\\"#ms-m1\\"' in last.message.decode()
    assert 'hx-target=\\"#milestones\\"' not in last.message.decode()
    assert 'hx-target=\\"#risks\\"' not in last.message.decode()
