"""What they saw: any instant of a share, in words, in figures, in lanes, and who had it in front of them."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from domain.agreement.share import ActivateTerms, DraftTerms, RevokeShare
from domain.ids import CommandId, MilestoneId, RiskId
from domain.money import Money
from domain.plan.budget import ApproveBudget, MeasureCost
from domain.plan.risks import Points, ScoreRisk, TakeRiskNote
from domain.plan.schedule import MoveForecast
from domain.view import ClientView
from projections.entries import parts
from projections.evidence.erasing import Erasure, erase_entries
from projections.wording.instants import Clock
from tests.plain import Plain
from tests.web.doors import VIEWER, House, running, wait_until
from tests.world import HARBOUR, OTHER, SHARE, START, World, everything
from web.audit import shares
from web.clock import Virtual
from web.manager import projects
from web.record import lanes as record_lanes
from web.record import on_screen
from web.record.instant import Then, then
from web.record.on_screen import Audience, spent
from web.render.page import Renderer
from web.seen import page as seen_page
from web.seen import sentences, sheets
from web.seen.compare import Difference, differences
from web.seen.printed import printed
from web.seen.sentences import Later, PlanAndScreen
from web.write.permission import OPERATOR

CLOCK = Clock("Europe/London")
NARROW = everything(milestones=(MilestoneId("m1"),), risks=(), budget="nothing", curve=False, indices=False, health=())
NOTE = TakeRiskNote(project=HARBOUR, risk=RiskId("r1"), note="Not for clients")


class Bench:
    """What the page asks of the process, on a world under a virtual clock."""

    def __init__(self, world: World) -> None:
        self.world, self.logs, self.present = world, world.folder, world.present
        self.follower, self.receipts = world.follower, world.receipts
        self.tail = world.follower  # where it is stopped is known to the one that follows

    def now(self) -> datetime:
        return self.world.clock()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.harbour()
    yield made
    made.close()


def at(world: World, when: datetime | None = None, share: str = SHARE) -> Then:
    agreed = world.present.refresh().shares[share]
    return then(Bench(world), agreed, when or world.clock())  # type: ignore[arg-type]


def found(t: Then) -> list[Difference]:
    return differences(t.coarse, t.due, t.shown, t.state)


def compared(world: World, t: Then) -> PlanAndScreen:
    later = seen_page._later(Bench(world), t)  # type: ignore[arg-type]
    return PlanAndScreen(then=t, client="Acme Rail", apart=found(t), later=later, clock=CLOCK)


def told(world: World, when: datetime | None = None, *, watched: bool = True, share: str = SHARE) -> tuple[str, str]:
    t = at(world, when, share)
    said = sentences.sentence(compared(world, t), watched=watched)
    return said.told, said.soft


def why(world: World, when: datetime | None = None, share: str = SHARE) -> list[tuple[str, str, str, str]]:
    t = at(world, when, share)
    lines = sentences.why(compared(world, t), seen_page._hidden(t))
    return [(line.what, line.since, line.shown, line.reason) for line in lines]


def move(world: World, key: str, to: date, *, follow: bool = True) -> None:
    command = MoveForecast(project=HARBOUR, milestone=MilestoneId(key), forecast=to, reason="Frost")
    world.tell(command, follow=follow)


def drawn_side(view: ClientView) -> sheets.Side:
    """Return a view as the page of today prints it."""
    rendered = Renderer().render(view)
    return sheets.Side(view, printed(parts.markup(rendered.parts, root) for root in rendered.roots))


# the sentence


def test_when_everything_is_shared_the_sentence_says_that_they_agreed(world: World) -> None:
    world.move("m2", date(2027, 8, 6))
    assert told(world) == (
        "At 09:15 on Monday 1 March 2027 their screens said four days behind, and so did the plan.",
        "No figure differed.",
    )
    assert why(world) == [
        ("One milestone and one risk without a name for clients", "", "Not shown", "Internal: no terms can cover them")
    ]


def test_when_nobody_had_it_open_it_says_page_instead_of_screens(world: World) -> None:
    said, soft = told(world, watched=False)
    assert "their page said “One medium risk and on the agreed plan”, and so did the plan." in said
    assert soft.endswith("Nobody had it open.")


def test_between_a_change_and_its_update_the_plan_is_ahead_and_it_says_when_they_were_told(world: World) -> None:
    world.move("m2", date(2027, 8, 6))
    move(world, "m2", date(2027, 8, 9), follow=False)
    between = world.clock() + timedelta(seconds=1)
    world.clock.forward(hours=4)
    world.follow()
    assert told(world, between) == (
        "At 09:16 on Monday 1 March 2027 their screens said four days behind. The plan said seven.",
        "They were told at 13:16 the same day.",
    )
    lines = why(world, between)
    assert lines[0] == (
        "internal m2, +3 days",
        "Mon 1 March 2027, 09:16:00",
        "Mon 1 March 2027, 13:16:00",
        "Not sent yet; update 3 followed 4 h later",
    )
    assert lines[1][3] == "Follows from the rest"


def test_told_within_the_minute_and_told_another_day_are_said_so(world: World) -> None:
    move(world, "m2", date(2027, 8, 6), follow=False)
    soon, between = world.clock() + timedelta(seconds=20), world.clock()
    world.clock.at = soon
    world.follow()
    assert told(world, between)[1] == "They were told 20 s later."
    move(world, "m2", date(2027, 8, 9), follow=False)
    between = world.clock()
    world.clock.forward(days=2)
    world.follow()
    assert told(world, between)[1] == "They were told at 09:16 on Wednesday 3 March 2027."


def test_a_change_that_has_not_been_sent_says_so_and_a_stopped_share_says_why(tmp_path: Path) -> None:
    broken = {"now": False}

    def stumble(_view: object) -> None:
        if broken["now"]:
            message = "broken template"
            raise ValueError(message)

    world = World(tmp_path, Plain(stumble))
    world.harbour()
    move(world, "m2", date(2027, 8, 6), follow=False)
    assert told(world)[1] == "They have not been told yet."
    broken["now"] = True
    world.follow()
    said, soft = told(world)
    assert "their screens said “One medium risk and on the agreed plan”. The plan said four days behind." in said
    assert soft == "The share is stopped: ValueError: broken template"
    assert why(world)[0][2:] == ("Not yet", "The share is stopped: ValueError: broken template")
    world.close()


def test_what_the_terms_leave_out_makes_the_difference_and_is_named(world: World) -> None:
    world.tell(DraftTerms(share=SHARE, terms=NARROW))
    world.tell(ActivateTerms(share=SHARE, reason="Narrowed"))
    world.move("m2", date(2027, 8, 9))
    said, soft = told(world)
    assert (
        said
        == "At 09:17 on Monday 1 March 2027 their screens said on the agreed plan. The plan said seven days behind."
    )
    assert soft == "What makes the difference is not shared under agreement 2."
    lines = {what: (since, shown, reason) for what, since, shown, reason in why(world)}
    outside = "Outside share agreement 2, in force since 1 March 2027"
    assert lines["One milestone: internal m2"] == ("Mon 1 March 2027, 09:17:00", "Not shown", outside)
    assert lines["One risk: R-01 internal r1"] == ("Before sharing began", "Not shown", outside)
    derived = next(line for what, line in lines.items() if what.startswith("The sentence"))
    assert derived[2] == "Judged on what is shared, by the same rules"


def test_before_sharing_before_the_first_update_and_after_the_end(world: World) -> None:
    first = world.entries()[0].content.at
    before = told(world, first - timedelta(minutes=1))
    assert before[0].endswith(
        "nothing had been shown to Acme Rail yet. The plan said “One medium risk and on the agreed plan”."
    )
    assert before[1] == "Sharing began at 09:14 on 1 March 2027."
    assert told(world, START - timedelta(days=1))[0] == "At 09:00 on Sunday 28 February 2027 the project had not begun."
    world.tell(RevokeShare(share=SHARE, reason="Over"))
    world.move("m2", date(2027, 8, 9))
    said, soft = told(world)
    assert "the share with Acme Rail had ended. The plan said seven days behind." in said
    assert soft == "The last they were shown was update 1."
    assert at(world).shown is None
    assert at(world, first).shown is not None, "what was shown before the end is still there"


def test_what_was_erased_says_so(world: World) -> None:
    world.move("m2", date(2027, 8, 6))
    when = world.clock()
    world.move("m2", date(2027, 8, 7))
    world.notary.sign([SHARE])
    erase_entries(
        world.folder,
        world.notary,
        Erasure(share=SHARE, numbers=[2], reason="Named somebody", who="ines"),
        world.clock(),
    )
    assert told(world, when)[0].endswith("their page was update 2. Its content has been erased.")


def test_percent_is_the_same_figure_at_another_level_and_amounts_are_not_missed(world: World) -> None:
    budget = ApproveBudget(project=HARBOUR, measure="price", amount=Money(Decimal(1000), "GBP"), reason="Contract")
    world.tell(budget)
    status = date(2027, 2, 26)
    world.tell(
        MeasureCost(
            project=HARBOUR, measure="price", status_date=status, pv=Decimal(400), ev=Decimal(400), ac=Decimal(410)
        )
    )
    assert [d.key for d in found(at(world)) if d.key[0] == "budget"] == []
    world.tell(DraftTerms(share=SHARE, terms=everything(budget="percent")))
    world.tell(ActivateTerms(share=SHARE, reason="Narrowed"))
    assert [d.key for d in found(at(world)) if d.key[0] == "budget"] == []
    world.tell(DraftTerms(share=SHARE, terms=everything(budget="nothing", curve=False, indices=False)))
    world.tell(ActivateTerms(share=SHARE, reason="Narrowed"))
    figures = {d.key[2] for d in found(at(world)) if d.key[0] == "budget" and d.reason == "unshared"}
    assert {"forecast", "spent", "budget"} <= figures


def test_what_differs_in_its_level_of_detail_alone_is_no_difference(world: World) -> None:
    budget = ApproveBudget(project=HARBOUR, measure="price", amount=Money(Decimal(81_000), "GBP"), reason="Contract")
    world.tell(budget)
    world.move("m2", date(2027, 9, 6))
    level = everything(date_unit="month", score_detail="band", money_step=10_000)
    world.tell(DraftTerms(share=SHARE, terms=level))
    world.tell(ActivateTerms(share=SHARE, reason="Coarser"))
    t = at(world)
    assert found(t) == []
    assert told(world)[0].endswith("said one month behind, and so did the plan.")
    assert t.shown is not None
    laid = sheets.spread(t.plan, t.shown, t.due, [], START.date())
    sheet = sheets.sheet(drawn_side(t.shown), None, laid, [], ())
    assert [(line.date.text, line.slip.text) for line in sheet.lines] == [("May 2027", "0"), ("Sep 2027", "+1 mo")]
    risk = next(vital for vital in sheet.vitals if vital.key == "v-risk")
    assert [risk.status.text, risk.big.text, *(piece.text for piece in risk.more)] == [
        "One medium", "1 medium", "R-01", "One shared: 1 medium",
    ]  # fmt: skip
    move(world, "m2", date(2027, 11, 5), follow=False)
    (moved,) = [d for d in found(at(world)) if d.key == ("milestone", "m2", "forecast")]
    assert (moved.plan, moved.shown, moved.reason) == ("Nov 2027", "Sep 2027", "unsent")
    assert "internal m2, +2 months" in [line[0] for line in why(world)]


def test_every_difference_has_a_reason_and_equal_views_have_none(world: World) -> None:
    t = at(world)
    assert differences(t.due, t.due, t.due, t.state) == []
    world.tell(ScoreRisk(project=HARBOUR, risk=RiskId("r1"), residual=Points(5, 5), reason="Worse"), follow=False)
    late = found(at(world))
    assert {d.key for d in late} >= {("risk", "r1", "score")}
    assert {d.reason for d in late} == {"unsent"}
    score = next(d for d in late if d.key == ("risk", "r1", "score"))
    assert (score.plan, score.shown, score.since) == ("5×5 = 25", "3×3 = 9", world.clock())


# who had it on screen


def claim(world: World, kind: str, n: int, **more: object) -> None:
    """Claim and record at once, as a server does within the second."""
    world.claim(kind, n, **more)  # type: ignore[arg-type]
    world.receipts.flush()


def seen(world: World, n: int, when: datetime, people: tuple[str, ...] = ("anna", "ben")) -> Audience:
    world.receipts.flush()
    t = at(world, when)
    assert t.since is not None
    until = (t.next_at + seen_page.GRACE) if t.next_at else world.clock()
    return on_screen.viewers_at(world.folder.receipts, SHARE, n, (t.since, until), when, people)


def states(found: Audience) -> dict[str, str]:
    return {one.person: one.state for one in found.people}


def test_each_viewer_stands_as_their_page_claimed_at_that_instant(world: World) -> None:
    for person in ("anna", "ben", "carl", "dora", "eve"):
        world.receipts.opened(SHARE, person, f"s-{person}", 1, device="Laptop" if person == "anna" else "")
    claim(world, "displayed", 1, person="anna")
    claim(world, "displayed", 1, person="ben", tab="a")
    claim(world, "paused", 1, person="ben", tab="a")
    claim(world, "delivered", 1, person="carl")
    claim(world, "displayed", 1, person="eve")
    claim(world, "closed", 1, person="eve")
    when = world.clock()
    world.clock.forward(minutes=5)
    claim(world, "displayed", 1, person="dora")
    assert states(seen(world, 1, when, ("anna", "ben", "carl", "dora", "eve", "finn"))) == {
        "anna": "On screen",
        "ben": "On screen, paused",
        "carl": "Not visible",
        "dora": "Not yet",
        "eve": "Not connected",
        "finn": "Not connected",
    }
    anna = next(p for p in seen(world, 1, when).people if p.person == "anna")
    assert anna.device == "Laptop"


def test_somebody_with_an_older_update_on_screen_is_told_apart(world: World) -> None:
    claim(world, "displayed", 1, person="anna")
    world.move("m1", date(2027, 6, 1))
    claim(world, "delivered", 2, person="anna")
    found = seen(world, 2, world.clock())
    assert states(found)["anna"] == "Update 1 on screen"
    assert not found.watched
    reception = found.people[0].reception
    assert (reception.delivered is not None, reception.displayed) == (True, None)


def test_time_on_screen_adds_up_over_visits_and_ends_with_the_next_update(world: World) -> None:
    claim(world, "displayed", 1, person="anna")
    world.clock.forward(minutes=10)
    claim(world, "hidden", 1, person="anna")
    world.clock.forward(minutes=30)
    claim(world, "displayed", 1, person="anna")
    when = world.clock()
    world.clock.forward(minutes=5)
    world.move("m1", date(2027, 6, 1))
    claim(world, "displayed", 2, person="anna", came_from=1)
    found = seen(world, 1, when)
    anna = next(p for p in found.people if p.person == "anna")
    assert anna.reception.visits == 2
    assert 900 <= anna.reception.seconds <= 970
    assert not anna.going
    assert anna.state == "On screen"


def test_a_paused_page_goes_on_showing_it_and_is_said_to(world: World) -> None:
    claim(world, "displayed", 1, person="anna")
    claim(world, "paused", 1, person="anna")
    world.move("m1", date(2027, 6, 1))
    world.clock.forward(hours=1)
    when = world.clock()
    later = seen(world, 2, when)
    assert states(later)["anna"] == "Update 1 on screen"
    earlier = next(p for p in seen(world, 1, world.entries()[0].content.at + timedelta(seconds=30)).people)
    assert earlier.going


def test_counting_is_bounded_and_says_where_it_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_screen, "ROWS", 10)
    for _ in range(40):
        claim(world, "displayed", 1, person="anna")
        claim(world, "hidden", 1, person="anna")
    found = seen(world, 1, world.clock())
    assert found.upto is not None
    assert found.upto < world.clock()


@pytest.mark.once
@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (4.4, "4 s"),
        (80, "1 min 20 s"),
        (120, "2 min"),
        (3540, "59 min"),
        (51600, "14 h 20 min"),
        (3600, "1 h"),
    ],
)
def test_time_on_screen_reads_well(seconds: float, said: str) -> None:
    assert spent(seconds) == said


# lanes


def drawn(world: World, when: datetime | None = None, span: str = "day") -> record_lanes.Lanes:
    world.receipts.flush()
    t = at(world, when)
    over = record_lanes.stretch(t.at, "Europe/London", span, world.clock())  # type: ignore[arg-type]
    return record_lanes.lanes(Bench(world), t, over)  # type: ignore[arg-type]


def test_changes_they_may_see_are_joined_to_their_updates_and_the_others_are_not(world: World) -> None:
    world.move("m1", date(2027, 6, 1))
    moved = world.clock()
    world.tell(NOTE)
    hidden = world.clock()
    found = drawn(world)
    visible = {c.at: c.visible for c in found.changes}
    assert visible[moved]
    assert not visible[hidden]
    assert [(s.n, s.told) for s in found.shown] == [(1, ()), (2, (moved,))]


def test_a_follower_that_came_late_is_joined_change_by_change(world: World) -> None:
    moments = []
    for day in (1, 2, 3):
        move(world, "m1", date(2027, 6, day), follow=False)
        moments.append(world.clock())
    world.clock.forward(hours=2)
    world.follow()
    world.move("m1", date(2027, 6, 9))
    assert [s.told for s in drawn(world).shown] == [(), *((at,) for at in moments), (world.clock(),)]


def test_each_viewer_has_a_lane_with_the_update_in_question_solid(world: World) -> None:
    claim(world, "displayed", 1, person="anna")
    world.clock.forward(hours=1)
    world.move("m1", date(2027, 6, 1))
    claim(world, "displayed", 2, person="anna", came_from=1)
    claim(world, "displayed", 2, person="ben")
    world.clock.forward(hours=1)
    claim(world, "closed", 2, person="ben")
    lanes = {lane.person: lane.bars for lane in drawn(world).viewers}
    assert [bar.solid for bar in lanes["anna"]] == [False, True]
    assert [bar.solid for bar in lanes["ben"]] == [True]
    assert float(lanes["anna"][0].width) == pytest.approx(100 / 24, rel=0.1)


def test_a_crowded_stretch_is_drawn_around_the_moment_and_says_what_it_leaves_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in (("CHANGES", 6), ("UPDATES", 5), ("ROWS", 4)):
        monkeypatch.setattr(record_lanes, name, most)
    for day in range(1, 25):
        world.move("m1", date(2027, 6, day))
        claim(world, "displayed", day + 1)
        if day == 12:
            middle = world.clock()
    found = drawn(world, middle)
    assert len(found.changes) <= 6
    assert len(found.shown) == 5
    assert 12 in {s.n for s in found.shown}
    assert len(found.left_out) == 3


@pytest.mark.once
@pytest.mark.parametrize("span", ["day", "week", "month"])
def test_the_stretch_holds_the_moment_and_never_begins_after_it(span: str) -> None:
    latest = datetime(2027, 11, 2, 12, tzinfo=UTC)
    for hours in range(0, 24 * 60, 7):
        moment = latest - timedelta(hours=hours)
        over = record_lanes.stretch(moment, "Europe/London", span, latest)  # type: ignore[arg-type]
        assert over.start <= moment < over.end
        assert 0 <= float(over.x(moment)) <= 100


def test_next_difference_steps_over_what_they_were_told_at_once(world: World) -> None:
    begin = world.clock()
    world.move("m1", date(2027, 6, 1))
    world.tell(NOTE)
    hidden = world.clock()
    share = world.present.refresh().shares[SHARE]
    found = record_lanes.next_difference(Bench(world), share, begin, 100, lambda change: change.visible)  # type: ignore[arg-type]
    assert found == hidden
    assert record_lanes.next_difference(Bench(world), share, hidden, 100, lambda c: c.visible) is None  # type: ignore[arg-type]


# the page


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = Virtual(START + timedelta(days=1))
    with running(tmp_path, [*projects.routes(), *shares.routes()], clock) as made:
        made.clock = clock  # type: ignore[attr-defined]
        yield made


HERE = f"/p/{HARBOUR}/shares/{SHARE}/at"


def shift(house: House, key: str, to: date) -> None:
    house.clock.forward(minutes=1)  # type: ignore[attr-defined]
    head = house.process.services.logs.disclosure.head(SHARE)
    command = MoveForecast(project=HARBOUR, milestone=MilestoneId(key), forecast=to, reason="Frost")
    house.process.services.service.execute(OPERATOR, command, command_id=CommandId(f"{key}{to}"))
    wait_until(lambda: house.process.services.logs.disclosure.head(SHARE) == head + 1)


def test_a_moment_opens_by_time_by_update_and_now(house: House) -> None:
    client = house.client("manager")
    shift(house, "m1", date(2027, 6, 1))
    now = client.get(f"{HERE}/now")
    assert (now.status_code, now.headers["location"]) == (303, f"{HERE}/2027-03-02T09:01:00Z")
    by_time, by_update = client.get(now.headers["location"]), client.get(f"{HERE}/u2")
    assert "Update 2 of 2" in by_time.text
    assert "Update 2 of 2" in by_update.text
    assert client.get(f"{HERE}/2027-03-02T10:01:00+01:00").text.count("Update 2 of 2") == 1
    assert "On Acme Rail’s screens" in by_update.text
    assert f'href="/p/{HARBOUR}/shares/{SHARE}/2/page"' in by_update.text
    assert client.get(f"/p/{HARBOUR}/shares/{SHARE}/2/page").status_code == 200


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("yesterday", "Expected a time like 2027-03-11T09:31:07Z, an update like u397, or now."),
        ("2027-13-01T00:00:00Z", "is no moment"),
        ("u9", "There is no update 9; this share has the updates 1 to 1."),
        ("u0", "There is no update 0"),
        ("u99999999999999", "There is no update"),
        ("9999-12-31T23:59:59-23:59", "is no moment"),
    ],
)
def test_what_is_no_moment_says_what_would_be_one(house: House, moment: str, said: str) -> None:
    answer = house.client("manager").get(f"{HERE}/{moment}")
    assert answer.status_code == 404
    assert said in answer.text


def test_the_form_goes_to_a_time_in_the_projects_zone(house: House) -> None:
    client = house.client("manager")
    answer = client.get(f"{HERE}?on=2027-03-02&time=09:00")
    assert answer.headers["location"] == f"{HERE}/2027-03-02T09:00:00Z"
    assert client.get(f"{HERE}?on=2027-03-99").status_code == 400
    early = client.get(f"{HERE}?on=0987-03-02").headers["location"]
    assert early == f"{HERE}/0987-03-02T12:01:15Z", "a year has four digits, and London had its own mean time"
    assert client.get(early).status_code == 200
    assert client.get(f"{HERE}?on=0001-01-01").status_code == 400, "there is no week around it"
    assert client.get(HERE).headers["location"] == f"{HERE}/now"
    assert client.get(f"{HERE}/2030-01-01T00:00:00Z").headers["location"] == f"{HERE}/now", "the future is not known"


def test_the_next_difference_is_found_by_the_server(house: House) -> None:
    client = house.client("manager")
    shift(house, "m1", date(2027, 6, 1))
    house.clock.forward(minutes=1)  # type: ignore[attr-defined]
    house.process.services.service.execute(OPERATOR, NOTE, command_id=CommandId("note"))
    answer = client.get(f"{HERE}/u1?find=difference&span=day")
    assert answer.headers["location"] == f"{HERE}/2027-03-02T09:02:00.000000Z?span=day"
    page = client.get(answer.headers["location"])
    assert page.status_code == 200
    assert client.get(f"{HERE}/2027-03-02T09:02:00Z?find=difference").headers["location"] == f"{HERE}/now"


def test_a_step_is_a_fragment_without_script_or_frame(house: House) -> None:
    answer = house.client("manager").get(f"{HERE}/u1", headers={"HX-Request": "true"})
    assert answer.text.lstrip().startswith('<div id="seen"')
    assert "<script" not in answer.text
    assert "<html" not in answer.text


def test_clients_and_strangers_cannot_tell_that_the_page_exists(house: House) -> None:
    nothing = house.client(VIEWER).get("/p/nothing/shares/nothing/at/now")
    for path in (f"{HERE}/u1", HERE, f"/audit/shares/{SHARE}/at/u1", f"/p/{HARBOUR}/shares/{OTHER}/at/u1"):
        answer = house.client(VIEWER).get(path)
        assert (answer.status_code, answer.content) == (404, nothing.content)
    assert house.client().get(f"{HERE}/u1").status_code == 303
    assert house.client("manager").get(f"/p/elsewhere/shares/{SHARE}/at/u1").status_code == 404


def test_auditors_have_the_same_page_and_no_way_to_the_managers_pages(house: House) -> None:
    answer = house.client("auditor").get(f"/audit/shares/{SHARE}/at/u1")
    assert answer.status_code == 200
    assert "On Acme Rail’s screens" in answer.text
    assert 'href="/p/' not in answer.text
    assert house.client("auditor").get(f"{HERE}/u1").status_code == 404
    assert house.client("manager").get(f"/audit/shares/{SHARE}/at/u1").status_code == 404


def test_every_look_is_recorded_before_it_is_answered(house: House) -> None:
    ledger = house.process.services.logs.ledger
    house.client("manager").get(f"{HERE}/u1")
    last = ledger.last()
    assert last is not None
    assert (last.statement.kind, last.statement.who, last.statement.subject) == ("consulted", "manager", SHARE)
    assert re.fullmatch(r"what they saw at 2027-03-01T\d\d:\d\d:\d\dZ", last.statement.text)


def test_the_proof_of_the_update_is_on_the_page(house: House) -> None:
    shift(house, "m1", date(2027, 6, 1))
    house.process.clockwork.sign()
    page = house.client("manager").get(f"{HERE}/u2").text
    entry = house.process.services.logs.disclosure.entry(SHARE, 2)
    assert entry is not None
    assert entry.leaf.hex()[:4] in page
    assert "The stored bytes give this hash" in page
    assert "over updates 1 to 2 without a gap" in page
    assert f"fanlight verify fanlight-{SHARE}-update-2.zip" in page
    bundle = house.process  # the button leads to a bundle of this very update
    assert f'href="/p/{HARBOUR}/shares/{SHARE}/evidence.zip?n=2"' in page
    assert bundle.services.logs.disclosure.head(SHARE) == 2


def test_bad_spans_and_days_answer_nothing_here(house: House) -> None:
    client = house.client("manager")
    for query in ("span=year", "from=2027-99-01", "from=x"):
        assert client.get(f"{HERE}/u1?{query}").status_code == 404


@pytest.mark.once
def test_no_later_when_nothing_followed() -> None:
    assert Later().at is None
