"""Holds in odd places: reverted, changed again, amended, ended, raced. The record keeps every one of them."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from domain.agreement.share import (
    ActivateTerms,
    DraftShare,
    DraftTerms,
    ExpireShare,
    ReleaseDue,
    ReleaseHeld,
    RevokeShare,
)
from domain.agreement.terms import Release, Terms, Ways
from domain.errors import Conflict, Denied
from domain.ids import CommandId, MilestoneId, RiskId
from domain.money import Money
from domain.people.clients import EndClient
from domain.plan.budget import ApproveBudget, ForecastCompletion
from domain.plan.project import ChangeTogether
from domain.plan.risks import Points, ScoreRisk
from domain.plan.schedule import AddMilestone, MilestoneDetails, MoveForecast
from projections.events.hold_book import Hold
from projections.events.present import CurrentWorld
from projections.installation.folder import Folder
from tests.world import ACME, ADMIN, COUNCIL, HARBOUR, MANAGER, OTHER, SHARE, World, everything
from web.importers.plan import Plan, PlannedMilestone
from web.proposal import compare
from web.write.permission import SYSTEM, Actor
from web.write.service import Service

AGREED = date(2027, 5, 3)
LATE = date(2027, 6, 20)
REVIEW = Ways(release=Release(slip_days=5, score=12, cost=True))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.people()
    made.project()
    made.milestone("m1", AGREED, "Section A energised")
    made.milestone("m2", date(2027, 8, 2), "Trial running starts")
    made.risk("r1", "R-01")
    for measure in ("cost", "price"):
        made.tell(
            ApproveBudget(project=HARBOUR, measure=measure, amount=Money(Decimal(1000), "GBP"), reason="Contract")
        )
    made.baseline()
    yield made
    made.close()


def agreed(world: World, ways: Ways = REVIEW, terms: Terms | None = None) -> None:
    world.tell(DraftShare(share=SHARE, project=HARBOUR, client=ACME, terms=terms or everything(), ways=ways))
    world.tell(ActivateTerms(share=SHARE, reason="Agreed"))


def amended(world: World, ways: Ways, terms: Terms | None = None) -> None:
    world.tell(DraftTerms(share=SHARE, terms=terms or everything(), ways=ways))
    world.tell(ActivateTerms(share=SHARE, reason="Amended"))


def held(world: World, share: str = SHARE) -> list[str]:
    return [fact.subject for fact in world.present.refresh().held(share).facts]  # type: ignore[arg-type]


def record(world: World) -> list[tuple[str, str]]:
    return [(hold.fact.subject, hold.how) for hold in world.present.refresh().hold_record(SHARE)]


def let_go(world: World, *subjects: str) -> None:
    world.tell(ReleaseHeld(share=SHARE, by=MANAGER.person, subjects=subjects))


def score(points: Points) -> ScoreRisk:
    return ScoreRisk(project=HARBOUR, risk=RiskId("r1"), residual=points, reason="Storm")


def said(world: World, text: str) -> bool:
    return any(text.encode() in entry.raw for entry in world.entries())


def test_what_was_moved_back_before_the_release_takes_no_number_and_stays_on_record(world: World) -> None:
    agreed(
        world, terms=everything(milestone_fields=("forecast",), health=(), budget="nothing", curve=False, indices=False)
    )
    world.move("m1", LATE)
    world.move("m1", AGREED)
    assert (held(world), len(world.entries())) == (["milestone-m1"], 1)
    let_go(world)
    assert len(world.entries()) == 1
    assert record(world) == [("milestone-m1", "released")]


def test_what_is_changed_again_while_it_waits_goes_out_once_as_it_is_by_then(world: World) -> None:
    agreed(world)
    world.move("m1", LATE, "First reason")
    world.move("m1", date(2027, 6, 21), "Second reason")
    assert record(world) == [("milestone-m1", "waiting")]
    let_go(world)
    (_, last) = world.entries()
    assert b"2027-06-21" in last.raw
    assert b"Second reason" in last.raw
    world.move("m1", date(2027, 6, 22))  # within the limit, and nothing waits any more
    assert len(world.entries()) == 3


def test_a_change_recorded_with_one_that_waits_goes_out_at_once(world: World) -> None:
    agreed(world)
    moves = [
        MoveForecast(project=HARBOUR, milestone=MilestoneId(key), forecast=to, reason=f"Reason of {key}")
        for key, to in (("m1", LATE), ("m2", date(2027, 8, 4)))
    ]
    world.tell(ChangeTogether(project=HARBOUR, commands=tuple(moves)))
    assert held(world) == ["milestone-m1"]
    assert said(world, "Reason of m2")
    assert not said(world, "Reason of m1")


def test_a_slip_in_two_halves_of_one_command_is_one_slip(world: World) -> None:
    agreed(world)
    halves = [
        MoveForecast(
            project=HARBOUR, milestone=MilestoneId("m1"), forecast=AGREED + timedelta(days=days), reason="Half"
        )
        for days in (4, 8)
    ]
    world.tell(ChangeTogether(project=HARBOUR, commands=tuple(halves)))
    assert (held(world), len(world.entries())) == (["milestone-m1"], 1)
    let_go(world)
    forth_and_back = [
        halves[1],
        MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=AGREED, reason="x"),
    ]
    world.move("m1", AGREED)
    world.tell(ChangeTogether(project=HARBOUR, commands=tuple(forth_and_back)))
    assert held(world) == []


def test_an_imported_plan_goes_out_but_for_what_waits_and_says_nothing_of_being_confirmed(world: World) -> None:
    agreed(world)
    rows = tuple(
        PlannedMilestone(source_id=key, title=f"plan {key}", forecast=to, line=1)
        for key, to in (("m1", LATE), ("m2", date(2027, 8, 3)))
    )
    for key in ("m1", "m2"):  # as imported once before
        details = MilestoneDetails(title=f"plan {key}", client_title=f"Plan {key}", client_facing=True)
        to = AGREED if key == "m1" else date(2027, 8, 2)
        add = AddMilestone(
            project=HARBOUR, milestone=MilestoneId(f"i{key}"), details=details, forecast=to, source_id=key
        )
        world.tell(add)
    before = len(world.entries())
    plan = Plan(format="csv", file_hash="a" * 64, milestones=rows, data_date=world.clock().date())
    project = world.present.refresh().projects[HARBOUR]
    made = compare.propose(project, plan, lambda: "new", world.clock().date())
    world.tell(compare.accept(project, plan, made.lines, "From the planner"))
    assert held(world) == ["milestone-im1"]
    assert len(world.entries()) == before + 1
    assert said(world, "2027-08-03")
    assert not said(world, LATE.isoformat())
    assert not said(world, "confirmed unchanged")
    let_go(world)
    assert said(world, LATE.isoformat())


def test_terms_that_hold_nothing_let_go_what_waited_with_their_own_update(world: World) -> None:
    agreed(world)
    world.move("m1", LATE, "Kestrel strike")
    amended(world, Ways())
    assert held(world) == []
    assert len(world.entries()) == 2
    assert said(world, "Kestrel strike")
    assert record(world) == [("milestone-m1", "amended")]
    assert [event.cause for event in world.present.world.shares[SHARE].released] == ["amended"]


def test_narrower_terms_stop_holding_what_they_no_longer_cover_and_it_is_never_shown(world: World) -> None:
    agreed(world)
    world.move("m1", LATE, "Kestrel strike")
    world.tell(score(Points(4, 4)))
    amended(world, REVIEW, everything(milestones=(MilestoneId("m2"),)))
    assert held(world) == ["risk-r1"]
    assert record(world) == [("milestone-m1", "amended"), ("risk-r1", "waiting")]
    world.move("m1", date(2027, 6, 22))
    let_go(world)
    assert not said(world, "Kestrel strike")


def test_another_measure_of_the_budget_never_shows_the_figures_of_the_one_that_waited(world: World) -> None:
    agreed(world)
    on = world.clock().date()
    eac = ForecastCompletion(project=HARBOUR, measure="price", status_date=on, eac=Decimal(1234), reason="More cable")
    world.tell(eac)
    assert held(world) == ["budget"]
    amended(world, REVIEW, everything(measure="cost"))
    assert held(world) == []
    assert not said(world, "1234")
    own = ForecastCompletion(project=HARBOUR, measure="cost", status_date=on, eac=Decimal(1111), reason="Own figure")
    world.tell(own)
    assert held(world) == ["budget"]
    let_go(world)
    assert said(world, "1111")


@pytest.mark.parametrize("cause", ["revoked", "expired", "client ended"])
def test_what_waits_when_the_share_ends_is_never_shown_and_the_record_says_so(world: World, cause: str) -> None:
    review = Release(slip_days=5, hours=2)
    agreed(world, Ways(release=review, expires=world.clock() + timedelta(hours=1) if cause == "expired" else None))
    world.move("m1", LATE, "Kestrel strike")
    match cause:
        case "revoked":
            world.tell(RevokeShare(share=SHARE, reason="Over"))
        case "expired":
            world.clock.forward(hours=1)
            world.tell(ExpireShare(share=SHARE), SYSTEM)
        case _:
            world.tell(EndClient(client=ACME, reason="Over"), ADMIN)
    world.clock.forward(hours=3)
    for command in (ReleaseDue(share=SHARE), ReleaseHeld(share=SHARE, by=MANAGER.person)):
        with pytest.raises(Conflict, match="has ended"):
            world.tell(command, SYSTEM)
    world.restart()
    world.follow()
    (hold,) = world.present.refresh().hold_record(SHARE)
    assert (hold.how, hold.shown) == ("share_ended", False)
    assert len(world.entries()) == 1
    assert not said(world, "Kestrel")


def test_what_waits_when_the_last_day_is_over_is_not_let_go_before_the_end_is_on_record(world: World) -> None:
    agreed(world, Ways(release=Release(slip_days=5, hours=1), expires=world.clock() + timedelta(minutes=30)))
    world.move("m1", LATE, "Kestrel strike")
    world.clock.forward(hours=2)
    assert world.tell(ReleaseDue(share=SHARE), SYSTEM).events == ()
    with pytest.raises(Conflict, match="agreed time of this share is over"):
        let_go(world)
    world.tell(ExpireShare(share=SHARE), SYSTEM)
    assert record(world) == [("milestone-m1", "share_ended")]
    assert not said(world, "Kestrel")


def test_each_share_of_a_project_holds_by_its_own_policy(world: World) -> None:
    agreed(world)
    patient = Ways(release=Release(slip_days=60))
    world.tell(DraftShare(share=OTHER, project=HARBOUR, client=COUNCIL, terms=everything(), ways=patient))
    world.tell(ActivateTerms(share=OTHER, reason="Agreed"))
    world.move("m1", LATE)
    assert (held(world), held(world, OTHER)) == (["milestone-m1"], [])
    assert (len(world.entries()), len(world.entries(OTHER))) == (1, 2)
    world.move("m1", LATE + timedelta(days=80))
    assert held(world, OTHER) == ["milestone-m1"]
    let_go(world)
    assert held(world, OTHER) == ["milestone-m1"]
    assert (len(world.entries()), len(world.entries(OTHER))) == (2, 2)


def test_what_waited_at_any_past_instant_is_known(world: World) -> None:
    agreed(world)
    world.move("m1", LATE)
    world.tell(score(Points(4, 4)))
    let_go(world, "milestone-m1")
    known = world.present.refresh()
    first, second = (hold.fact.since for hold in known.hold_record(SHARE))
    ended = known.hold_record(SHARE)[0].ended
    assert ended is not None
    moments = (first - timedelta(seconds=1), first, second, ended)
    found = [{fact.subject for fact in known.held_at(SHARE, at).facts} for at in moments]
    assert found == [set(), {"milestone-m1"}, {"milestone-m1", "risk-r1"}, {"risk-r1"}]
    assert Hold(fact=known.hold_record(SHARE)[0].fact).waits_at(ended)  # it is its end that tells


def test_nobody_releases_in_the_name_of_somebody_else(world: World) -> None:
    agreed(world)
    world.move("m1", LATE)
    with pytest.raises(Denied):
        world.tell(ReleaseHeld(share=SHARE, by=ADMIN.person), MANAGER)
    viewer = Actor(world.present.world.people["viewer-acme"].id, "viewer", (ACME,))  # type: ignore[index]
    with pytest.raises(Denied):
        world.tell(ReleaseHeld(share=SHARE, by=viewer.person), viewer)


def raced(world: World, n: int) -> list[str]:
    """Release by hand and by time from two processes at the same moment; return what was recorded."""
    gate, answers = threading.Barrier(2), list[str]()

    def send(command: ReleaseHeld | ReleaseDue, actor: Actor) -> None:
        folder = Folder(world.path)
        service = Service(folder.events, CurrentWorld(folder.events), world.clock)
        gate.wait(20)
        with contextlib.suppress(Conflict):
            answers.extend(service.execute(actor, command, command_id=CommandId(f"{actor.person}-{n}")).events)
        folder.close()

    by_hand, by_time = (ReleaseHeld(share=SHARE, by=MANAGER.person), MANAGER), (ReleaseDue(share=SHARE), SYSTEM)
    threads = [threading.Thread(target=send, args=one) for one in (by_hand, by_time)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return answers


def test_a_release_by_hand_and_one_by_time_at_the_same_moment_are_one_release(world: World) -> None:
    agreed(world, Ways(release=Release(slip_days=0, hours=1)))
    for n in range(1, 21):
        world.move("m1", AGREED + timedelta(days=n))
        world.clock.forward(hours=2)
        before = len(world.entries())
        assert raced(world, n) == ["held-released"], n
        world.follow()
        assert len(world.entries()) == before + 1
    ends = [how for _, how in record(world)]
    assert len(ends) == 20
    assert set(ends) <= {"released", "time_up"}
