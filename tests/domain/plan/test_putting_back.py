"""A change is put back within ten minutes and while nothing else moved what it moved; the record only grows."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.agreement.share import ActivateTerms, DraftTerms
from domain.agreement.terms import Release, Ways
from domain.commands import AnyCommand
from domain.errors import Conflict, Refused, Unknown
from domain.ids import MilestoneId, RiskId
from domain.plan.milestones import Milestone
from domain.plan.project import ChangeTogether
from domain.plan.putting_back import PutBack
from domain.plan.risks import CloseRisk, DescribeRisk, Points, ReopenRisk, Risk, RiskDetails, ScoreRisk, TakeRiskNote
from domain.plan.schedule import (
    AcceptMilestone,
    AddMilestone,
    ApproveBaseline,
    DescribeMilestone,
    MeetMilestone,
    MilestoneDetails,
    MoveForecast,
    RemoveMilestone,
    ReopenMilestone,
    ReportProgress,
)
from tests.world import HARBOUR, SHARE, START, World, everything

M, R = MilestoneId("m1"), RiskId("r1")
TODAY, DETAILS = START.date(), MilestoneDetails(title="Gate", client_title="Gate 2", client_facing=True)
MOVE = MoveForecast(project=HARBOUR, milestone=M, forecast=date(2027, 6, 1), reason="Frost", latest=date(2027, 6, 9))
PROGRESS = ReportProgress(project=HARBOUR, milestone=M, percent=40)
MEET = MeetMilestone(project=HARBOUR, milestone=M, actual=TODAY)
REOPEN = ReopenMilestone(project=HARBOUR, milestone=M, reason="Failed")
SCORE = ScoreRisk(project=HARBOUR, risk=R, residual=Points(4, 4), reason="Worse")
CLOSE = CloseRisk(project=HARBOUR, risk=R, reason="Gone")
ACCEPTED = [
    DescribeMilestone(
        project=HARBOUR, milestone=M, details=MilestoneDetails(title="Gate", client_title="G", needs_acceptance=True)
    ),
    MEET,
    AcceptMilestone(project=HARBOUR, milestone=M, on=TODAY, by="Anna"),
]
CASES: list[tuple[list[AnyCommand], AnyCommand]] = [
    ([], MOVE),
    ([], PROGRESS),
    ([PROGRESS], ReportProgress(project=HARBOUR, milestone=M, percent=60)),
    ([PROGRESS], MEET),
    ([PROGRESS, MEET], REOPEN),
    (ACCEPTED[:2], ACCEPTED[2]),
    (ACCEPTED, REOPEN),
    ([], DescribeMilestone(project=HARBOUR, milestone=M, details=DETAILS)),
    ([], AddMilestone(project=HARBOUR, milestone=MilestoneId("m9"), details=DETAILS, forecast=TODAY)),
    ([], MoveForecast(project=HARBOUR, milestone=M, forecast=TODAY - timedelta(days=9), reason="Already late")),
    ([], SCORE),
    ([], CLOSE),
    ([CLOSE], ReopenRisk(project=HARBOUR, risk=R, reason="Back")),
    ([], DescribeRisk(project=HARBOUR, risk=R, details=RiskDetails(ref="R-77", title="Other"))),
    ([], ChangeTogether(project=HARBOUR, commands=(MOVE, PROGRESS, MEET, SCORE, CLOSE))),
    ([MEET, CLOSE], ChangeTogether(
        project=HARBOUR, commands=(REOPEN, MOVE, ReopenRisk(project=HARBOUR, risk=R, reason="Back"), SCORE)
    )),
]  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.harbour()
    return made


def stands(world: World) -> dict[str, object]:
    """What every milestone and risk says at present."""
    state = world.present.refresh().projects[HARBOUR]
    milestones = {f"m {key}": _milestone(m) for key, m in state.schedule.milestones.items()}
    return milestones | {f"r {key}": _risk(r) for key, r in state.risks.risks.items()}


def _milestone(m: Milestone) -> object:
    return m.details, m.forecast, m.earliest, m.latest, m.percent, m.actual, m.accepted_on, m.accepted_by


def _risk(r: Risk) -> object:
    return r.details, r.residual, r.closed


def put_back(world: World, version: int, **more: str) -> list[str]:
    return list(world.tell(PutBack(project=HARBOUR, version=version, **more)).events)


def test_whatever_can_be_put_back_is_as_it_was_before_and_can_be_put_back_again(world: World) -> None:
    for number, (first, command) in enumerate(CASES):
        world.close()
        world = World(world.path.parent / f"case{number}")
        world.harbour()
        for one in first:
            world.tell(one)
        before = stands(world)
        answer = world.tell(command)
        after = stands(world)
        assert after != before, command
        stream = world.folder.events.stream(f"project-{HARBOUR}")
        assert put_back(world, answer.version)[0] == "change-put-back"
        assert stands(world) == before, command
        grown = world.folder.events.stream(f"project-{HARBOUR}")
        assert grown[: len(stream)] == stream
        if not isinstance(command, AddMilestone):
            put_back(world, world.present.world.versions[f"project-{HARBOUR}"])
            assert stands(world) == after, command


def test_a_put_back_says_which_events_it_puts_back_and_why(world: World) -> None:
    answer = world.tell(ChangeTogether(project=HARBOUR, commands=(MOVE, SCORE)))
    put_back(world, answer.versions[0], reason="Typed 2027 for 2028")
    marker, moved, scored = (r.event for r in world.folder.events.stream(f"project-{HARBOUR}")[-3:])
    assert (marker.first, marker.last) == (answer.versions[0], answer.versions[-1])  # type: ignore[union-attr]
    assert {moved.reason, scored.reason} == {"Typed 2027 for 2028"}  # type: ignore[union-attr]


def test_ten_minutes_and_no_longer(world: World) -> None:
    version = world.tell(MOVE).version
    world.clock.forward(minutes=9)  # and one more with the command
    put_back(world, version)
    version = world.tell(MOVE).version
    world.clock.forward(minutes=9, seconds=1)
    with pytest.raises(Conflict, match="ten minutes"):
        put_back(world, version)


BOARD = ApproveBaseline(project=HARBOUR, reason="New", approver="Board", on=TODAY)


@pytest.mark.parametrize(
    "since", [PROGRESS, BOARD, MoveForecast(project=HARBOUR, milestone=M, forecast=TODAY, reason="x")]
)
def test_what_was_changed_since_is_not_put_back(world: World, since: AnyCommand) -> None:
    version = world.tell(MOVE).version
    world.tell(since)
    with pytest.raises(Conflict, match="since"):
        put_back(world, version)


def test_a_change_of_something_else_does_not_stand_in_the_way(world: World) -> None:
    version = world.tell(MOVE).version
    world.tell(SCORE)
    assert put_back(world, version) == ["change-put-back", "forecast-moved"]


def test_what_cannot_be_put_back_says_so(world: World) -> None:
    for command in (
        BOARD,
        TakeRiskNote(project=HARBOUR, risk=R, note="n"),
        RemoveMilestone(project=HARBOUR, milestone=M, reason="Gone"),
    ):
        version = world.tell(command).version
        with pytest.raises(Conflict, match="kind of change"):
            put_back(world, version)
    with pytest.raises(Unknown):
        put_back(world, 10_000)
    with pytest.raises(Refused):
        put_back(world, 1)


def test_two_who_put_back_the_same_change_put_it_back_once(world: World) -> None:
    version = world.tell(MOVE).version
    put_back(world, version)
    with pytest.raises(Conflict, match="since"):
        put_back(world, version)


def test_what_waits_for_review_goes_on_waiting_when_it_is_put_back(world: World) -> None:
    """The client learns neither of the move nor of its being put back before somebody lets it go."""
    terms = everything()
    world.tell(DraftTerms(share=SHARE, terms=terms, ways=Ways(release=Release(hours=4, slip_days=5))))
    world.tell(ActivateTerms(share=SHARE, reason="Review"))
    shown = len(world.entries())
    later = MoveForecast(project=HARBOUR, milestone=M, forecast=date(2027, 7, 1), reason="Frost")
    put_back(world, world.tell(later).version)
    assert list(world.present.world.held(SHARE).held) == ["milestone-m1"]
    assert len(world.entries()) == shown


def test_putting_back_an_earlier_date_is_a_slip_and_waits_like_one(world: World) -> None:
    world.tell(DraftTerms(share=SHARE, terms=everything(), ways=Ways(release=Release(hours=4, slip_days=5))))
    world.tell(ActivateTerms(share=SHARE, reason="Review"))
    version = world.tell(MoveForecast(project=HARBOUR, milestone=M, forecast=date(2027, 4, 1), reason="Fast")).version
    assert not world.present.world.held(SHARE).held
    put_back(world, version)
    assert list(world.present.world.held(SHARE).held) == ["milestone-m1"]
