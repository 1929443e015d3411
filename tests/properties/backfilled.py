"""A past that is added later: values said to have held before a share, agreed from now on, could know of them.

Rule: a twin records its own, at its own times, after the agreement began. None is ever the present value, or it ends in
the value that was there already. What the twins share stays the same, so not one byte may differ.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from domain.commands import AnyCommand
from domain.ids import MilestoneId
from domain.plan import risks, schedule
from domain.plan.project import ChangeTogether
from tests.properties.hidden import Step
from tests.properties.past import DATES, M1, R1, SPAN, Agreed, Names, unknown
from tests.properties.vocabulary import FIRST
from tests.world import HARBOUR, START

Value = Callable[[datetime], AnyCommand]
Draw = Callable[[random.Random], Value]
BEGIN = START + timedelta(days=2)  # minute 0 of the twins


class Kind(msgspec.Struct, frozen=True):
    """What names a value, how one is drawn, and the one with which `past` settles a phase (None where it has none)."""

    names: Names
    draw: Draw
    settled: Callable[[int], Value] | None
    replaces: Callable[[AnyCommand], bool]  # whether a shared step puts another in the place of the settled one


def backfilled(rng: random.Random, versions: Sequence[Agreed], shared: Sequence[Step]) -> list[Step]:
    """Draw what a twin adds to the past of every phase that stays unknown."""
    end = (len(versions) + 1) * SPAN
    found: list[Step] = []
    for phase in range(len(versions)):
        known = (phase + 1) * SPAN
        for kind in _kinds():
            if not unknown(versions, phase, kind.names):
                continue
            for _ in range(rng.randrange(3)):
                held = phase * SPAN + rng.randrange(5, SPAN // 2)  # before the phase was settled
                found.append((rng.randrange(known + 5, end), kind.draw(rng)(_at(held))))
            found += _ending_as_it_was(rng, kind, phase, end)
            found += _never_present(rng, kind, known, shared)
    return found + _before_it_faced_anybody(rng, versions)


def _ending_as_it_was(rng: random.Random, kind: Kind, phase: int, end: int) -> Iterator[Step]:
    """Two values recorded in one go, the second of which is the one the phase was settled with."""
    if kind.settled is not None and rng.random() < 0.5:
        known = (phase + 1) * SPAN
        both = kind.draw(rng)(_at(known - 3)), kind.settled(phase)(_at(known - 2))
        yield rng.randrange(known + 5, end), ChangeTogether(project=HARBOUR, commands=both)  # type: ignore[arg-type]


def _never_present(rng: random.Random, kind: Kind, known: int, shared: Sequence[Step]) -> Iterator[Step]:
    """A value that held when the client began to know, recorded only once another had taken its place for long."""
    replaced = [at for at, command in shared if at > known and kind.replaces(command)]
    if replaced and rng.random() < 0.5:
        yield min(replaced) + rng.randrange(1, 60), kind.draw(rng)(_at(known - 1))


def _before_it_faced_anybody(rng: random.Random, versions: Sequence[Agreed]) -> list[Step]:
    last, faced = versions[-1], len(versions) * SPAN + 3 * SPAN // 4
    if last.history and last.terms.milestones == "all" and DATES & set(last.terms.milestone_fields):
        return []
    held = len(versions) * SPAN + SPAN // 2
    return [
        (faced + rng.randrange(1, SPAN // 5), _move(rng, MilestoneId("late"))(_at(rng.randrange(5, held))))
        for _ in range(rng.randrange(3))
    ]


def _at(minute: int) -> datetime:
    return BEGIN + timedelta(minutes=minute)


def _kinds() -> Iterator[Kind]:
    yield Kind(
        lambda t: bool(DATES & set(t.milestone_fields)),
        _move,
        lambda phase: lambda at: _moved(at, M1, 300 + phase, "again"),
        lambda c: isinstance(c, schedule.MoveForecast) and c.milestone == M1,
    )
    yield Kind(
        lambda t: bool({"score", "history"} & set(t.risk_fields)),
        _score,
        lambda phase: lambda at: _scored(at, risks.Points(5, 1 + phase)),
        lambda c: isinstance(c, risks.ScoreRisk) and c.risk == R1,
    )
    yield Kind(lambda t: "confirmed" in {*t.milestone_fields, *t.project_fields}, _confirm, None, lambda _c: False)


def _move(rng: random.Random, key: MilestoneId = M1) -> Value:
    day, reason = rng.randrange(20, 200), f"added {rng.random()}"
    return lambda at: _moved(at, key, day, reason)


def _moved(at: datetime, key: MilestoneId, day: int, reason: str) -> AnyCommand:
    forecast = FIRST + timedelta(days=day)
    return schedule.MoveForecast(project=HARBOUR, milestone=key, forecast=forecast, reason=reason, as_of=at)


def _score(rng: random.Random) -> Value:
    points = risks.Points(rng.randrange(1, 5), rng.randrange(1, 5))
    return lambda at: _scored(at, points)


def _scored(at: datetime, points: risks.Points) -> AnyCommand:
    return risks.ScoreRisk(project=HARBOUR, risk=R1, residual=points, reason="added", as_of=at)


def _confirm(rng: random.Random) -> Value:
    note = f"added {rng.random()}"
    return lambda at: schedule.ConfirmPlan(project=HARBOUR, note=note, as_of=at)
