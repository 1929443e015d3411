"""Who knows a fact: the first update that says so, whose screen it reached and when, and why somebody was not told."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from domain.agreement.share import ActivateTerms, DraftTerms, RevokeShare
from domain.ids import CommandId, MilestoneId, PersonId, RiskId
from domain.money import Money
from domain.people.person import InvitePerson
from domain.plan.budget import ApproveBudget, ApproveBudgetChange, MeasureCost
from domain.plan.project import ChangeTogether
from domain.plan.risks import Points, ScoreRisk
from domain.plan.schedule import (
    AddMilestone,
    DescribeMilestone,
    MeetMilestone,
    MilestoneDetails,
    MoveForecast,
    RemoveMilestone,
    ReopenMilestone,
)
from projections.follow.next_entry import KEYFRAME_EVERY
from projections.receipts.receipt_log import STANDING_EVERY
from projections.replay import pages
from projections.wording.instants import Clock
from projections.wording.phrases import after
from tests.plain import Plain
from tests.projections.receipts.test_on_screen import some_claims
from tests.web.doors import House, running, wait_until
from tests.world import ACME, ADMIN, COUNCIL, HARBOUR, OTHER, SHARE, START, World, everything
from web.clock import Virtual
from web.manager import projects
from web.manager.who import sentences
from web.record import facts, reception
from web.record import told as record_told
from web.record.audience import view_with_nothing_held
from web.record.carried import carried
from web.record.facts import Asked, Fact, Forecast, Met, Scored
from web.record.reception import Viewers, viewers
from web.record.told import ClientTold, in_force
from web.write.permission import OPERATOR

M1 = Asked("milestone", "m1")
ONE, TWO, THREE = date(2027, 6, 1), date(2027, 6, 2), date(2027, 6, 3)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.harbour()
    yield made
    made.close()


def fact(world: World, asked: Asked = M1, version: int | None = None) -> Fact:
    now = world.present.refresh()
    newest = now.versions[f"project-{HARBOUR}"]
    found = facts.fact(world.folder.events, world.present.past, now.projects[HARBOUR], newest, asked, version)
    assert found is not None
    return found


def told(world: World, about: Fact, share: str = SHARE, *, behind: bool = False) -> ClientTold:
    now = world.present.refresh()
    agreed = now.shares[share]

    def revealed(at):
        then, past = in_force(agreed, at), world.present.past(HARBOUR, at).state
        return view_with_nothing_held(now, past, then) if then and past else None

    return record_told.told(
        world.folder.disclosure, agreed, about, revealed, stopped=share in world.follower.parked, behind=behind
    )


def seen(world: World, found: ClientTold, people: tuple[str, ...] = ("anna",), watching: tuple = ()) -> Viewers:
    world.receipts.flush()
    assert found.at is not None
    return viewers(world.folder.receipts, found.share.id, (found.n, found.beyond), found.at, people, watching)


def answer(world: World, about: Fact, found: ClientTold, viewers_: Viewers | None = None) -> str:
    listed = sorted(viewers_.seen if viewers_ else [], key=lambda s: s.person)
    return sentences.answer("Acme Rail", found, listed, about, lambda person: person.title())


def clock(world: World) -> Clock:
    return Clock("Europe/London")


# the fact


def test_a_value_that_held_since_before_is_found_in_the_trend_where_the_trend_puts_it(world: World) -> None:
    world.clock.forward(days=4)
    since = world.clock.at - timedelta(days=2)
    world.tell(MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=ONE, reason="Frost", as_of=since))
    world.move("m1", TWO)
    about = fact(world, version=fact(world).before.version)
    assert (about.value, about.step.as_of, about.on) == (Forecast(ONE), since, since.date())
    found = told(world, about)
    assert (found.how, found.n, found.level, found.beyond) == ("told", 2, "value", 3)
    newest = world.view()
    assert carried(newest, about) == "earlier"


def test_of_what_one_command_sets_and_adds_to_the_past_the_present_value_is_the_fact(world: World) -> None:
    world.clock.forward(days=4)
    move = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=ONE, reason="Frost")
    added = msgspec.structs.replace(move, forecast=TWO, reason="Then", as_of=world.clock.at - timedelta(days=1))
    newest = msgspec.structs.replace(move, forecast=THREE)
    later = msgspec.structs.replace(added, forecast=date(2027, 6, 4))
    for commands, value in (((move, added), ONE), ((later, newest), THREE)):
        world.tell(ChangeTogether(project=HARBOUR, commands=commands))
        step = fact(world).step
        assert (step.value, step.reason, step.as_of) == (Forecast(value), "Frost", None)


def test_a_fact_is_one_value_since_one_event_and_earlier_ones_can_be_stepped_to(world: World) -> None:
    world.move("m1", ONE)
    world.move("m2", THREE)
    world.move("m1", TWO)
    newest = fact(world)
    assert (newest.value, newest.next, newest.title) == (Forecast(TWO), None, "Section A energised")
    assert [s.value for s in newest.steps] == [Forecast(date(2027, 5, 3)), Forecast(ONE), Forecast(TWO)]
    assert newest.before is not None
    earlier = fact(world, version=newest.before.version)
    assert earlier.value == Forecast(ONE)
    assert earlier.next == newest.step
    assert sentences.sentence(newest, clock(world)).startswith(
        "Section A energised: 2 June 2027, since Mon 1 March 2027, 09:"
    )
    assert ", from Mon 1 March 2027, 09:" in sentences.sentence(earlier, clock(world))
    assert " to Mon 1 March 2027, 09:" in sentences.sentence(earlier, clock(world))


def test_what_leaves_the_value_as_it_was_is_no_new_fact(world: World) -> None:
    world.move("m1", ONE, "Frost")
    first = fact(world)
    world.move("m1", ONE, "Still frost")
    assert fact(world).step == first.step


def test_a_milestone_that_was_met_and_reopened_steps_through_all_three(world: World) -> None:
    world.tell(MeetMilestone(project=HARBOUR, milestone=MilestoneId("m1"), actual=date(2027, 2, 26)))
    world.tell(ReopenMilestone(project=HARBOUR, milestone=MilestoneId("m1"), reason="Not so"))
    planned = Forecast(date(2027, 5, 3))
    assert [s.value for s in fact(world).steps] == [planned, Met(date(2027, 2, 26)), planned]
    world.tell(RemoveMilestone(project=HARBOUR, milestone=MilestoneId("m1"), reason="Dropped"))
    gone = fact(world)
    assert gone.value == planned
    assert gone.next is not None
    assert gone.next.value is None


def test_values_set_together_in_one_command_are_one_fact(world: World) -> None:
    moves = tuple(
        MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=day, reason="Twice") for day in (ONE, TWO)
    )
    world.tell(ChangeTogether(project=HARBOUR, commands=moves))
    assert [s.value for s in fact(world).steps] == [Forecast(date(2027, 5, 3)), Forecast(TWO)]


def test_many_values_are_listed_a_few_at_a_time(world: World) -> None:
    for i in range(20):
        world.move("m1", ONE + timedelta(days=i))
    newest = fact(world)
    assert newest.more
    assert len(newest.steps) == facts.BEFORE + 1
    oldest = fact(world, version=newest.steps[0].version)
    assert oldest.value == newest.steps[0].value
    assert len(oldest.steps) <= facts.BEFORE + 1 + facts.AFTER
    assert oldest.next == newest.steps[1]


def test_nothing_is_asked_of_what_was_never_there(world: World) -> None:
    project = world.present.world.projects[HARBOUR]
    for query in ({}, {"milestone": "m1", "risk": "r1"}, {"figure": "profit"}, {"figure": "spent", "measure": "mood"}):
        assert facts.asked(query, project) is None
    now = world.present.world
    args = (world.folder.events, world.present.past, project, now.versions[f"project-{HARBOUR}"])
    assert facts.fact(*args, Asked("milestone", "nosuch"), None) is None
    assert facts.fact(*args, M1, 0) is None
    assert facts.fact(*args, Asked("spent", "price"), None) is None


# what the record told


def test_the_first_update_that_says_so_is_found(world: World) -> None:
    world.move("m1", ONE)
    head = world.folder.disclosure.head(SHARE)
    world.move("m2", THREE)
    found = told(world, fact(world))
    assert (found.how, found.n, found.level, found.beyond, found.terms) == ("told", head, "value", 0, 1)


def test_an_earlier_value_was_told_until_the_update_that_replaced_it(world: World) -> None:
    world.move("m1", ONE)
    head = world.folder.disclosure.head(SHARE)
    for i in range(20):
        world.move("m2", THREE + timedelta(days=i))
    world.move("m1", TWO)
    newest = fact(world)
    assert newest.before is not None
    found = told(world, fact(world, version=newest.before.version))
    assert (found.n, found.beyond) == (head, world.folder.disclosure.head(SHARE))


def test_what_is_not_shared_is_told_in_no_update_and_the_agreement_is_named(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.harbour(everything(milestones=(MilestoneId("m2"),)))
    world.move("m1", ONE)
    found = told(world, fact(world))
    assert (found.how, found.versions) == ("unshared", (1,))
    assert sentences.why(found, fact(world), clock(world)).startswith("Not shared under agreement 1, in force since")
    assert answer(world, fact(world), found) == "Acme Rail has not been told."
    world.close()


def test_what_was_disclosed_when_the_terms_were_widened_is_found_there(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.harbour(everything(milestones=(MilestoneId("m2"),)))
    world.move("m1", ONE)
    for i in range(30):
        world.move("m2", THREE + timedelta(days=i))
    world.tell(DraftTerms(share=SHARE, terms=everything()))
    world.tell(ActivateTerms(share=SHARE, reason="Wider"))
    head = world.folder.disclosure.head(SHARE)
    for i in range(30):
        world.move("m2", THREE - timedelta(days=i))
    found = told(world, fact(world))
    assert (found.how, found.n, found.terms) == ("told", head, 2)
    world.close()


def test_what_was_disclosed_by_describing_it_is_found_between_many_updates(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.harbour(everything())
    world.move("hidden", ONE)
    for i in range(25):
        world.move("m2", THREE + timedelta(days=i))
    about = fact(world, Asked("milestone", "hidden"))
    assert told(world, about).how == "unshared"
    details = MilestoneDetails(title="internal", client_title="No longer hidden", client_facing=True)
    world.tell(DescribeMilestone(project=HARBOUR, milestone=MilestoneId("hidden"), details=details))
    head = world.folder.disclosure.head(SHARE)
    for i in range(25):
        world.move("m2", THREE - timedelta(days=i))
    assert told(world, about).n == head
    world.close()


def test_what_narrowed_terms_took_off_the_page_was_told_until_then(world: World) -> None:
    world.move("m1", ONE)
    head = world.folder.disclosure.head(SHARE)
    world.tell(DraftTerms(share=SHARE, terms=everything(milestones=(MilestoneId("m2"),))))
    world.tell(ActivateTerms(share=SHARE, reason="Narrower"))
    found = told(world, fact(world))
    assert (found.n, found.beyond) == (head, head + 1)


def test_a_share_that_came_too_late_or_had_ended_or_is_a_draft_says_so(world: World) -> None:
    first = fact(world).step.version
    world.move("m1", ONE)
    old = fact(world, version=first)
    world.share(everything(milestone_fields=("forecast",)), OTHER, HARBOUR, COUNCIL)
    late = told(world, old, OTHER)
    assert late.how == "later"
    assert "when this was no longer so" in sentences.why(late, old, clock(world))
    assert answer(world, fact(world), told(world, fact(world), OTHER)) == (
        "Acme Rail was told in update 1, but nobody there has had it on screen."
    )
    world.tell(RevokeShare(share=OTHER, reason="Over"))
    world.move("m1", TWO)
    ended = told(world, fact(world), OTHER)
    assert ended.how == "ended"
    assert sentences.why(ended, fact(world), clock(world)).startswith("Its share had ended Mon 1 March")


def test_a_share_with_history_tells_an_old_value_as_history_when_it_comes_into_force(world: World) -> None:
    world.clock.forward(days=1)
    world.move("m1", ONE)
    old = fact(world)
    world.clock.forward(days=1)
    world.move("m1", TWO)
    world.share(everything(), OTHER, HARBOUR, COUNCIL)
    found = told(world, fact(world, version=old.step.version), OTHER)
    assert (found.how, found.n, found.level) == ("told", 1, "earlier")
    assert sentences.note(found, old).startswith("As an earlier value")


def test_a_value_that_comes_back_is_another_fact(world: World) -> None:
    old = fact(world)
    world.move("m1", ONE)
    world.move("m1", date(2027, 5, 3))
    world.share(everything(milestone_fields=("forecast",)), OTHER, HARBOUR, COUNCIL)
    assert told(world, fact(world, version=old.step.version), OTHER).how == "later"
    assert told(world, fact(world), OTHER).how == "told"


def test_a_figure_that_is_rounded_away_is_the_same_to_them(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.harbour(everything(budget="percent", curve=False, indices=False))
    amount = Money(Decimal(8_000_000), "GBP")
    world.tell(ApproveBudget(project=HARBOUR, measure="price", amount=amount, reason="Contract"))
    on = world.clock.at.date()
    spent = Asked("spent", "price")
    world.tell(MeasureCost(project=HARBOUR, measure="price", status_date=on, ev=Decimal(1), ac=Decimal(3_000_000)))
    first = told(world, fact(world, spent))
    assert (first.how, first.level) == ("told", "share")
    assert "As a percentage of the budget: 37.5 %." in sentences.note(first, fact(world, spent))
    world.tell(MeasureCost(project=HARBOUR, measure="price", status_date=on, ev=Decimal(1), ac=Decimal(3_000_100)))
    second = told(world, fact(world, spent))
    assert (second.how, second.n) == ("same", first.n)
    assert "rounded away: their page said 37.5 % before and after" in sentences.why(
        second, fact(world, spent), clock(world)
    )
    budget = Asked("budget", "price")
    assert told(world, fact(world, budget)).how == "unshared"
    world.close()


@pytest.mark.parametrize(
    ("unit", "known", "alone"), [("month", "June 2027", "As its month alone"), ("quarter", "Q2 2027", "As its quarter")]
)
def test_a_coarse_date_is_known_as_its_unit_and_a_move_inside_it_is_not_told(
    tmp_path: Path, unit: str, known: str, alone: str
) -> None:
    world = World(tmp_path)
    world.harbour(everything(date_unit=unit))
    world.clock.forward(days=1)
    world.move("m2", ONE)
    about = fact(world, Asked("milestone", "m2"))
    found = told(world, about)
    assert (found.how, found.n, found.level, found.terms) == ("told", 2, "coarse", 1)
    assert sentences.note(found, about).startswith(alone)
    assert f": {known}." in sentences.note(found, about)
    world.claim("displayed", 2)
    said = answer(world, about, found, seen(world, found, ("anna", "ben")))
    assert said == f"Acme Rail: on 1 of 2 people’s screens as {known}, first 1 s after the change."
    world.move("m2", THREE)
    moved = fact(world, Asked("milestone", "m2"))
    same = told(world, moved)
    assert (same.how, same.n, same.level) == ("same", 2, "coarse")
    assert f"their page said {known} before and after, as in update 2" in sentences.why(same, moved, clock(world))
    assert told(world, fact(world, Asked("milestone", "m2"), about.step.version)).beyond == 0
    world.clock.forward(days=1)
    world.move("m2", date(2028, 2, 3))
    past = fact(world, Asked("milestone", "m2"), about.step.version)
    assert told(world, past).beyond == 3
    assert carried(world.view(), past) == "earlier"
    assert carried(world.view(1), past) == ""
    world.tell(MeetMilestone(project=HARBOUR, milestone=MilestoneId("m1"), actual=date(2027, 3, 1)))
    met = fact(world)
    assert (met.value, carried(world.view(), met)) == (Met(date(2027, 3, 1)), "coarse")
    world.close()


def test_a_score_shared_as_a_band_is_known_as_that(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.harbour(everything(score_detail="band"))
    risk = Asked("risk", "r1")

    def scored(points: Points) -> tuple[Fact, ClientTold]:
        world.clock.forward(days=1)
        world.tell(ScoreRisk(project=HARBOUR, risk=RiskId("r1"), residual=points, reason="Copper"))
        about = fact(world, risk)
        return about, told(world, about)

    high, found = scored(Points(4, 4))
    assert (found.how, found.n, found.level) == ("told", 2, "coarse")
    assert sentences.note(found, high) == "As its band alone: high."
    higher, same = scored(Points(5, 5))
    assert (same.how, same.level) == ("same", "coarse")
    assert "their page said high before and after" in sentences.why(same, higher, clock(world))
    low, lower = scored(Points(1, 1))
    assert (lower.how, lower.n) == ("told", 3)
    assert carried(world.view(), high) == carried(world.view(), higher) == "earlier"
    assert carried(world.view(2), low) == ""
    world.close()


def _pounds(amount: int) -> Money:
    return Money(Decimal(amount), "GBP")


def test_an_amount_that_is_shared_rounded_is_known_as_that(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.harbour(everything(money_step=10_000))
    approve = ApproveBudget(project=HARBOUR, measure="price", amount=_pounds(8_004_000), reason="Contract")
    change = ApproveBudgetChange(
        project=HARBOUR, measure="price", amount=_pounds(-500), reason="Less", approver="Board"
    )
    more = msgspec.structs.replace(change, amount=_pounds(12_500))
    for command, how, rounded in ((approve, "told", "£8,000,000"), (change, "same", ""), (more, "told", "£8,020,000")):
        world.tell(command)
        about = fact(world, Asked("budget", "price"))
        found = told(world, about)
        assert (found.how, found.level) == (how, "coarse")
        if rounded:
            assert sentences.note(found, about) == f"Rounded to £10,000: {rounded}."
    on = world.clock.at.date()
    measured = MeasureCost(
        project=HARBOUR, measure="price", status_date=on, ev=Decimal(1_234_567), ac=Decimal(2_345_678)
    )
    world.tell(measured)
    for figure in ("spent", "forecast"):  # the forecast follows from rounded figures, and is not the exact one rounded
        found = told(world, fact(world, Asked(figure, "price")))
        assert (found.how, found.level) == ("told", "coarse")
    world.close()


def test_amounts_and_scores_are_told_as_they_are(world: World) -> None:
    amount = Money(Decimal(8_000_000), "GBP")
    world.tell(ApproveBudget(project=HARBOUR, measure="price", amount=amount, reason="Contract"))
    world.tell(
        ApproveBudgetChange(
            project=HARBOUR, measure="price", amount=Money(Decimal(400), "GBP"), reason="More", approver="Board"
        )
    )
    about = fact(world, Asked("budget", "price"))
    found = told(world, about)
    assert (found.how, found.level) == ("told", "value")
    assert sentences.value(about.value, clock(world)) == "£8,000,400"
    assert "both this and the value before it say £8.00m" in sentences.note(found, about)
    world.tell(ScoreRisk(project=HARBOUR, risk=RiskId("r1"), residual=Points(4, 4), reason="Worse"))
    score = fact(world, Asked("risk", "r1"))
    assert score.value == Scored(Points(4, 4))
    assert sentences.value(score.value, clock(world)) == "4×4 = 16"
    assert told(world, score).n == world.folder.disclosure.head(SHARE)


def test_a_stopped_share_tells_late_and_that_is_found(tmp_path: Path) -> None:
    broken = [False]

    def fail(_view) -> None:
        if broken[0]:
            raise ValueError("broken template")

    world = World(tmp_path, Plain(fail))
    world.harbour()
    broken[0] = True
    world.move("m1", ONE)
    about = fact(world)
    stopped = told(world, about)
    assert stopped.how == "stopped"
    assert answer(world, about, stopped) == "Acme Rail has not been told: its share is stopped."
    for i in range(20):
        world.move("m2", THREE + timedelta(days=i))
    world.move("m1", TWO)
    broken[0] = False
    world.clock.forward(minutes=5)
    assert world.follower.retry(SHARE)
    late = told(world, fact(world, version=about.step.version))
    assert (late.how, late.n) == ("told", 2)
    assert told(world, fact(world)).n == world.folder.disclosure.head(SHARE)
    world.close()


def erase(world: World, n: int) -> None:
    log = world.folder.disclosure
    if (after := pages.fold(log, SHARE, n + 1)) is not None:
        log.keep_keyframe(SHARE, after.state.keyframe(n + 1, after.entry.content.roots))
    log.erase(SHARE, [n])


def test_an_erased_update_is_said_to_be_erased(world: World) -> None:
    world.move("m1", ONE)
    about, n = fact(world), world.folder.disclosure.head(SHARE)
    world.move("m2", THREE)
    erase(world, n)
    found = told(world, about)
    assert (found.how, found.n, found.blurred) == ("told", n + 1, True)
    assert "erased and may have said so first" in sentences.note(found, about)
    world.move("m2", THREE + timedelta(days=1))
    erase(world, n + 1)
    erase(world, n + 2)
    assert told(world, about).how == "erased"


def test_what_is_not_disclosed_yet_is_on_its_way(world: World) -> None:
    world.tell(MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=ONE, reason="Frost"), follow=False)
    assert told(world, fact(world), behind=True).how == "coming"
    assert told(world, fact(world), behind=False).how == "missing"


def test_no_more_than_a_few_updates_are_ever_opened(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(400):
        world.move("m2", THREE + timedelta(days=i % 300))
        if i == 200:
            world.move("m1", ONE)
    opened = []
    kept = world.folder.disclosure.kept
    monkeypatch.setattr(world.folder.disclosure, "kept", lambda *a: opened.append(a) or kept(*a))
    found = told(world, fact(world))
    assert found.how == "told"
    assert len(opened) < 40
    assert sum(limit for _share, _after, limit, _upto in opened) < 20 * KEYFRAME_EVERY, "as many of a longer record"


# what became of it with each viewer


def test_the_classes_are_kept_apart(world: World) -> None:
    world.move("m1", ONE)
    about, n = fact(world), world.folder.disclosure.head(SHARE)
    for person in ("anna", "ben", "cleo"):
        world.claim("opened", n - 1, person=person, tab="")
        world.claim("delivered", n - 1, person=person)
    world.claim("delivered", n, person="anna")
    world.claim("displayed", n, person="anna", came_from=n - 1)
    world.claim("delivered", n, person="ben")
    world.claim("closed", n, person="cleo")
    found = told(world, about)
    each = {s.person: s.state for s in seen(world, found, ("anna", "ben", "cleo", "dora")).seen}
    assert each == {"anna": "displayed", "ben": "delivered", "cleo": "sent", "dora": "never"}


def test_a_later_update_on_screen_that_still_says_so_counts(world: World) -> None:
    world.move("m1", ONE)
    about = fact(world)
    world.move("m2", THREE)
    world.clock.forward(hours=5)
    world.claim("opened", 3, tab="")
    world.claim("displayed", 3)
    found = told(world, about)
    (anna,) = seen(world, found).seen
    assert (found.n, anna.n, anna.state, anna.newest) == (2, 3, "displayed", 3)
    assert answer(world, about, found, seen(world, found)) == (
        "Acme Rail: on the screen of the only viewer, first 5 h 1 min after the change."
    )


@pytest.mark.once
def test_the_times_of_a_row_come_from_one_tab_in_the_order_sent_delivered_displayed() -> None:
    whole = 0
    for seed in range(400):
        claims = some_claims(random.Random(seed))
        taken = reception._Claims(4, 7, {})
        taken.take(claims)
        for person, one in taken.by_person().items():
            given = [at for at in (one.sent, one.delivered, one.displayed) if at is not None]
            assert given == sorted(given), (seed, one)
            whole += len(given) == 3
            for c in claims:
                if c.person == person and c.kind == "displayed" and 4 <= c.n < 7:
                    assert one.displayed is not None
                    assert one.displayed.timestamp() <= c.at
    assert whole > 50, "rows with all three times"


def test_what_was_replaced_before_it_was_drawn_is_superseded_and_never_displayed(world: World) -> None:
    world.claim("delivered", 1)
    world.claim("displayed", 1, came_from=1)
    world.move("m1", ONE)
    world.claim("delivered", 2)
    world.move("m1", TWO)
    world.claim("delivered", 3)
    world.claim("displayed", 3, came_from=1)
    newest = fact(world)
    assert newest.before is not None
    about = fact(world, version=newest.before.version)
    found = told(world, about)
    (anna,) = seen(world, found).seen
    assert (anna.state, anna.displayed) == ("superseded", None)
    assert "replaced before anybody there had it on screen" in answer(world, about, found, seen(world, found))
    assert seen(world, told(world, newest)).seen[0].state == "displayed"


def test_a_display_long_after_is_found_without_reading_everything_between(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.move("m1", ONE)
    about = fact(world)
    found = told(world, about)

    def busy(rows: int) -> None:
        for _ in range(rows):
            world.claim("hidden", 1, person="ben")
            world.receipts.flush()

    busy(STANDING_EVERY * 5)
    world.claim("displayed", 2, person="anna")
    at = world.clock.at
    busy(STANDING_EVERY * 4)
    world.claim("displayed", 2, person="ben")
    busy(5)
    monkeypatch.setattr(reception, "ROWS", STANDING_EVERY)
    read = []
    rows = world.folder.receipts.rows
    monkeypatch.setattr(world.folder.receipts, "rows", lambda *a: read.append(a) or rows(*a))
    shown = seen(world, found, ("anna", "ben", "cleo"))
    assert {s.person: s.state for s in shown.seen} == {"anna": "displayed", "ben": "displayed", "cleo": "never"}
    assert shown.seen[0].displayed == at
    assert shown.gap is not None
    assert len(read) < 8


def test_people_who_may_no_longer_watch_stay_in_the_record(world: World) -> None:
    world.move("m1", ONE)
    world.claim("displayed", 2, person="left")
    assert [s.person for s in seen(world, told(world, fact(world)), ("anna",)).seen] == ["anna", "left"]


def test_who_still_has_the_old_value_on_screen_is_named(world: World) -> None:
    from web.push.viewer import Watching

    world.claim("displayed", 1)
    world.move("m1", ONE)

    def open_at(n: int, tab: str = "t", *, visible: bool = True, paused: bool = False) -> Watching:
        return Watching(person="anna", tab=tab, since=n, sent=2, displayed=n, visible=visible, paused=paused)

    found = told(world, fact(world))
    (anna,) = seen(world, found, watching=(open_at(2), open_at(1, "u", paused=True))).seen
    assert (anna.watching, anna.paused, anna.newest) == (1, True, 2)
    (anna,) = seen(world, found, watching=(open_at(1, visible=False),)).seen
    assert (anna.watching, anna.newest) == (0, 1)


# in words


def test_how_long_after_is_said_plainly(world: World) -> None:
    at = world.clock.at
    said = {0: "at once", 40: "40 s later", 125: "2 min later", 7500: "2 h 5 min later", 7200: "2 h later"}
    said |= {36 * 3600: "two days later", 24 * 3600: "24 h later"}
    for seconds, told_ in said.items():
        assert after(at, at + timedelta(seconds=seconds)) == told_


def test_many_viewers_and_many_clients_are_said_in_short(world: World) -> None:
    world.move("m1", ONE)
    about, found = fact(world), told(world, fact(world))
    people = ("anna", "ben", "cleo", "dora", "eve")
    for person in people[:4]:
        world.claim("displayed", 2, person=person)
    said = answer(world, about, found, seen(world, found, people))
    assert said == "Acme Rail: on 4 of 5 people’s screens, first 1 s after the change."
    assert sentences.answers([]) == "This project is shared with nobody."
    assert sentences.answers([("Acme Rail", said)]) == said
    many = [(name, f"{name} saw.") for name in "ABCDE"]
    assert sentences.answers(many[:4]) == "A saw. B saw. C saw. One more client is listed below."
    assert sentences.answers(many).endswith("Two more clients are listed below.")
    never = [(name, f"{name} has not been told.") for name in "FGHI"]
    assert sentences.answers([*many[:1], *never[:1]]) == "A saw. F has not been told."
    assert sentences.answers(never[:3]) == "F, G and H have not been told."
    assert sentences.answers([*never, ("J", "J was not told.")]) == "Four clients have not been told. J was not told."


# the page


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = Virtual(START + timedelta(days=20))

    def later() -> datetime:
        clock.forward(seconds=1)
        return clock.at

    with running(tmp_path / "data", projects.routes(), later) as made:
        yield made


def move(house: House, day: date) -> None:
    command = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=day, reason="Frost")
    head = house.process.services.logs.disclosure.head(SHARE)
    house.process.services.service.execute(OPERATOR, command, command_id=CommandId(f"move-{day}"))
    wait_until(lambda: house.process.services.logs.disclosure.head(SHARE) > head)


def test_the_page_answers_and_the_question_is_on_record(house: House) -> None:
    move(house, ONE)
    page = house.client("manager").get(f"/p/{HARBOUR}/who?milestone=m1")
    assert page.status_code == 200
    assert "Section A energised: 1 June 2027, since" in page.text
    assert "Acme Rail was told in update 2, but nobody there has had it on screen." in page.text
    assert f"/p/{HARBOUR}/shares/{SHARE}/at/u2" in page.text
    asked = [x.statement for x in house.process.services.logs.ledger.lines(0, 100) if x.statement.kind == "consulted"]
    assert [(s.who, s.subject, s.text) for s in asked] == [
        ("manager", HARBOUR, "who has seen milestone m1, newest value")
    ]


def test_the_workspace_and_the_history_lead_there(house: House) -> None:
    move(house, ONE)
    manager = house.client("manager")
    assert f'href="/p/{HARBOUR}/who?milestone=m1"' in manager.get(f"/p/{HARBOUR}").text
    assert f'href="/p/{HARBOUR}/who?risk=r1"' in manager.get(f"/p/{HARBOUR}").text
    history = manager.get(f"/p/{HARBOUR}/history").text
    assert f"/p/{HARBOUR}/who?milestone=m1&amp;at=" in history


def test_only_staff_ask_and_nonsense_is_not_found(house: House) -> None:
    path = f"/p/{HARBOUR}/who"
    assert house.client(f"viewer-{ACME}").get(f"{path}?milestone=m1").status_code == 404
    assert house.client("auditor").get(f"{path}?milestone=m1").status_code == 404
    manager = house.client("manager")
    for query in ("", "?milestone=nosuch", "?milestone=m1&at=x", "?milestone=m1&at=0", "?figure=spent", "?risk=m1"):
        assert manager.get(path + query).status_code == 404
    assert manager.get("/p/nosuch/who?milestone=m1").status_code == 404


def test_an_answer_that_cannot_be_recorded_is_not_given(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(house.process.services.logs.ledger, "append", full)
    with pytest.raises(OSError, match="disk full"):
        house.client("manager").get(f"/p/{HARBOUR}/who?milestone=m1")


def test_every_client_has_its_block_and_an_added_milestone_is_a_fact(house: House) -> None:
    execute = house.process.services.service.execute
    details = MilestoneDetails(title="Internal only")
    new = AddMilestone(project=HARBOUR, milestone=MilestoneId("m9"), details=details, forecast=ONE)
    execute(OPERATOR, new, command_id=CommandId("new"))
    ben = InvitePerson(person=PersonId("ben"), name="Ben", email="b@acme.test", role="viewer", client=ACME)
    execute(ADMIN, ben, command_id=CommandId("ben"))
    page = house.client("manager").get(f"/p/{HARBOUR}/who?milestone=m9").text
    assert "Internal only: 1 June 2027, since" in page
    assert "Not shared under agreement 1" in page
    assert "Acme Rail has not been told." in page
