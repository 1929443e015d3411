"""A pull is recorded as what changed since the one before, and read whole: every line, in its order, as it was."""

import random
from datetime import date, timedelta
from itertools import pairwise

import msgspec
import pytest

from domain.ids import MilestoneId, ProjectId
from domain.plan.schedule import AddMilestone, MilestoneDetails, MoveForecast
from domain.plan.sources.lines import PulledLine, shorter, whole
from domain.plan.sources.rules import Line, Outcome

DAY = date(2027, 6, 1)
HARBOUR = ProjectId("harbour")
OUTCOMES: tuple[Outcome, ...] = ("waits", "waits", "waits", "ignored", "taken")


def moved(key: int, *, by: int = 0, reason: str = "As planned now", outcome: Outcome = "waits") -> PulledLine:
    move = MoveForecast(
        project=HARBOUR, milestone=MilestoneId(f"m{key}"), forecast=DAY + timedelta(days=key + by), reason=reason
    )
    line = Line(key=f"k{key}-{by}", kind="moved", title=f"Milestone {key}", after=f"{by}", commands=(move,))
    return PulledLine(line=line, outcome=outcome, why="The rules ask." if outcome == "waits" else "")


def added(key: int) -> PulledLine:
    add = AddMilestone(
        project=HARBOUR, milestone=MilestoneId(f"n{key}"), details=MilestoneDetails(title=f"New {key}"), forecast=DAY
    )
    return PulledLine(line=Line(key=f"n{key}", kind="added", title=f"New {key}", commands=(add,)), outcome="waits")


def going(lines: list[PulledLine]) -> list[PulledLine]:
    return [one for one in lines if one.outcome != "taken"]


def test_one_line_that_comes_or_goes_costs_one_line_however_many_wait() -> None:
    waits = [moved(key) for key in range(2000)]
    flapping = [*waits[:700], moved(5000), *waits[700:]]
    for before, now, lines, gone in ((waits, flapping, 1, 0), (flapping, waits, 0, 1)):
        told = shorter(before, now)
        assert told is not None
        assert (len(told.lines), len(told.gone)) == (lines, gone)
        assert whole(before, told) == tuple(now)
        assert len(msgspec.json.encode(told)) < 600 < len(msgspec.json.encode(now)) / 500


def test_another_reason_of_every_move_is_said_once() -> None:
    before = [*(moved(key, reason="As planned on 1 June") for key in range(50)), added(1)]
    now = [*(moved(key, reason="As planned on 2 June") for key in range(50)), added(1)]
    told = shorter(before, now)
    assert told is not None
    assert (told.lines, told.gone, told.reason_of_moves) == ((), (), "As planned on 2 June")
    assert whole(before, told) == tuple(now)
    assert shorter(before, [moved(0, reason="A"), moved(1, reason="B")]) is not None
    mixed = [moved(0, reason="A"), moved(1, reason="B")]
    told = shorter(before, mixed)
    assert told is not None
    assert whole(before, told) == tuple(mixed)


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        ([moved(0), moved(1), moved(2)], 3),
        ([moved(2), moved(0), moved(1)], 2),  # the order is as it is now, so the one that moved is recorded
        ([moved(0, by=3), moved(1), moved(2)], 2),
        ([moved(0, outcome="ignored"), moved(1), moved(2)], 2),
        ([msgspec.structs.replace(moved(0), why="Another reason to ask."), moved(1), moved(2)], 2),
        ([moved(0, outcome="taken"), moved(1), moved(2)], 2),
    ],
)
def test_whatever_is_another_is_recorded_whole(now: list[PulledLine], kept: int) -> None:
    before = [moved(0), moved(1), moved(2)]
    told = shorter(before, now)
    assert told is not None
    assert len(now) - len(told.lines) == kept
    assert whole(before, told) == tuple(now)


def test_where_nothing_goes_on_or_keys_are_not_told_apart_all_of_it_is_recorded() -> None:
    assert shorter([], [moved(0)]) is None
    assert shorter([moved(0)], []) is None
    assert shorter([moved(0)], [moved(1)]) is None
    assert shorter([moved(0), moved(0)], [moved(0)]) is None
    assert shorter([moved(0)], [moved(0), moved(0)]) is None
    taken = moved(0, outcome="taken")
    assert shorter([taken], [taken]) is None


@pytest.mark.parametrize("seed", range(40))
def test_any_course_of_pulls_is_read_as_it_was_brought(seed: int) -> None:
    rng = random.Random(seed)
    pulls: list[list[PulledLine]] = []
    for turn in range(12):
        reason = f"As planned on {turn // 3}"
        lines = [
            moved(key, by=rng.randrange(2), reason=reason, outcome=rng.choice(OUTCOMES))
            for key in range(30)
            if rng.random() < 0.8
        ]
        lines += [added(key) for key in range(5) if rng.random() < 0.7]
        if rng.random() < 0.3:
            rng.shuffle(lines)
        pulls.append(lines)
    read = pulls[0]
    shortened = 0
    for _before, now in pairwise(pulls):
        told = shorter(going(read), now)
        shortened += told is not None and len(told.lines) < len(now)
        read = list(whole(going(read), told)) if told is not None else now
        assert read == now
    assert shortened > 6, "most were recorded as what changed"
