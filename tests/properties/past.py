"""Facts that a version agreed from now on never tells: what happened while nothing covered it, and was settled again.

Each twin has a past of its own, and by the time a version covers the field the present is the same in both, though
not since the same moment.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

import msgspec

from domain.agreement import answers
from domain.agreement.terms import Terms
from domain.commands import AnyCommand
from domain.ids import MilestoneId, PersonId, RiskId
from domain.money import Money
from domain.plan import budget, risks, schedule
from domain.plan.project import HoldProject, ResumeProject
from tests.properties.hidden import Step
from tests.properties.vocabulary import FIRST
from tests.world import HARBOUR, SHARE, START

SPAN = 4 * 24 * 60  # minutes between one version and the next
DATES = frozenset({"forecast", "slip", "status", "range", "trend", "reason"})
M1, R1 = MilestoneId("m1"), RiskId("r1")


class Agreed(msgspec.Struct, frozen=True):
    """One version: in force from the beginning of phase `phase` (phase 0 is before anything is shared)."""

    phase: int
    terms: Terms
    history: bool


Names = Callable[[Terms], bool]
Draw = Callable[[random.Random, int], list[AnyCommand]]


def past(rng: random.Random, versions: Sequence[Agreed]) -> list[Step]:
    """Draw a twin's own past for every phase and every kind of fact that stays unknown from there."""
    found: list[Step] = []
    for phase in range(len(versions)):
        begin = phase * SPAN
        for names, draw, settle, first in _kinds():
            if phase < first or not unknown(versions, phase, names):
                continue
            for i in range(rng.randrange(3)):
                at = begin + rng.randrange(5, SPAN // 2)
                found += [(at, command) for command in draw(rng, 10 * phase + i)]
            at = begin + rng.randrange(SPAN // 2, SPAN - 5)
            found += [(at, command) for command in settle(rng, phase)]
    return found + _before_it_faced_anybody(rng, versions)


def faced(versions: Sequence[Agreed]) -> Step:
    """Make one milestone client-facing at the end of the last phase but a day."""
    return len(versions) * SPAN + 3 * SPAN // 4, _describe("late", facing=True, note="")


def _before_it_faced_anybody(rng: random.Random, versions: Sequence[Agreed]) -> list[Step]:
    """Draw what happened to that milestone until then; alike in both twins where it is told with history."""
    last, minutes = versions[-1], len(versions) * SPAN + SPAN // 2
    if last.history and last.terms.milestones == "all" and DATES & set(last.terms.milestone_fields):
        return []
    moves = [(rng.randrange(5, minutes), _move(rng, i, MilestoneId("late"))) for i in range(rng.randrange(3))]
    settled = _moved(rng, 9, MilestoneId("late"))
    return [(at, c) for at, commands in [*moves, (minutes + rng.randrange(60), settled)] for c in commands]


def unknown(versions: Sequence[Agreed], phase: int, names: Names) -> bool:
    """Tell whether no version names the fact in this phase, and none does later with history."""
    now = [v for v in versions if v.phase == phase]
    later = [v for v in versions if v.phase > phase]
    return not any(names(v.terms) for v in now) and not any(v.history and names(v.terms) for v in later)


def _kinds() -> Iterator[tuple[Names, Draw, Draw, int]]:
    """What names a fact, how it is drawn, what settles it, and from which phase on there can be such a fact."""
    yield lambda t: bool(DATES & set(t.milestone_fields)), _move, _moved, 0
    yield lambda t: bool({"score", "history"} & set(t.risk_fields)), _score, _scored, 0
    yield lambda t: t.budget != "nothing", _measure, _measured, 0
    yield lambda t: "confirmed" in {*t.milestone_fields, *t.project_fields}, _confirm, _nothing, 0
    yield lambda t: "phase" in t.project_fields, _hold, _nothing, 0
    yield lambda t: t.milestones == "all", _unface, _face, 0
    yield lambda t: "comments" in t.milestone_fields, _comment("milestone-m1"), _nothing, 1
    yield lambda t: "comments" in t.risk_fields, _comment("risk-r1"), _nothing, 1


def _move(rng: random.Random, i: int, key: MilestoneId = M1) -> list[AnyCommand]:
    forecast = FIRST + timedelta(days=rng.randrange(20, 200))
    reason = f"buried {rng.random()} {i}"
    return [schedule.MoveForecast(project=HARBOUR, milestone=key, forecast=forecast, reason=reason)]


def _moved(rng: random.Random, phase: int, key: MilestoneId = M1) -> list[AnyCommand]:
    forecast = FIRST + timedelta(days=300 + phase)
    reason = f"settled {rng.random()} {phase}"
    return [schedule.MoveForecast(project=HARBOUR, milestone=key, forecast=forecast, reason=reason)]


def _score(rng: random.Random, i: int) -> list[AnyCommand]:
    points = risks.Points(rng.randrange(1, 5), rng.randrange(1, 5))
    return [risks.ScoreRisk(project=HARBOUR, risk=R1, residual=points, reason=f"buried {i}")]


def _scored(_rng: random.Random, phase: int) -> list[AnyCommand]:
    points = risks.Points(5, 1 + phase)
    return [risks.ScoreRisk(project=HARBOUR, risk=R1, residual=points, reason=f"settled {phase}")]


def _day(phase: int, day: int) -> timedelta:
    return timedelta(days=phase * SPAN // (24 * 60) + day)


def _measure(rng: random.Random, i: int) -> list[AnyCommand]:
    on = (START + _day(i // 10, 0)).date() + timedelta(days=i % 10)
    ev, ac = Decimal(rng.randrange(1, 400)), Decimal(rng.randrange(1, 400))
    amount = rng.randrange(1, 300)
    return [
        budget.MeasureCost(project=HARBOUR, measure="price", status_date=on, ev=ev, ac=ac),
        *(_changed(amount * sign) for sign in (1, -1)),
    ]


def _changed(amount: int) -> AnyCommand:
    money = Money(Decimal(amount), "GBP")
    return budget.ApproveBudgetChange(project=HARBOUR, measure="price", amount=money, reason="buried", approver="Board")


def _measured(_rng: random.Random, phase: int) -> list[AnyCommand]:
    on = (START + _day(phase, 2)).date()
    figures = {"ev": Decimal(500 + phase), "ac": Decimal(510 + phase)}
    return [budget.MeasureCost(project=HARBOUR, measure="price", status_date=on, **figures)]


def _nothing(_rng: random.Random, _phase: int) -> list[AnyCommand]:
    return []


def _confirm(_rng: random.Random, i: int) -> list[AnyCommand]:
    return [schedule.ConfirmPlan(project=HARBOUR, note=f"buried {i}")]


def _hold(_rng: random.Random, i: int) -> list[AnyCommand]:
    return [HoldProject(project=HARBOUR, reason=f"buried {i}"), ResumeProject(project=HARBOUR, reason=f"buried {i}")]


def _describe(key: str, *, facing: bool, note: str) -> AnyCommand:
    details = schedule.MilestoneDetails(title="internal", client_title=f"Shared {key}", client_facing=facing, note=note)
    return schedule.DescribeMilestone(project=HARBOUR, milestone=MilestoneId(key), details=details)


def _unface(_rng: random.Random, i: int) -> list[AnyCommand]:
    return [_describe("m3", facing=False, note=f"buried {i}")]


def _face(_rng: random.Random, phase: int) -> list[AnyCommand]:
    return [_describe("m3", facing=True, note=f"settled {phase}")]


def _comment(subject: str) -> Draw:
    def draw(rng: random.Random, i: int) -> list[AnyCommand]:
        key = f"buried-{subject}-{i}"
        text = f"buried {rng.random()}"
        return [
            answers.MakeComment(share=SHARE, comment=key, subject=subject, text=text, by=PersonId("marta"), side="ours")
        ]

    return draw


# the plans and the budget as they first were


def first_plans(rng: random.Random, versions: Sequence[Agreed]) -> list[AnyCommand]:
    """Draw the plans that a twin agreed on before the one both share; none where their number could show."""
    dates = {"baseline", "slip", "status"}

    def names(terms: Terms) -> bool:
        return bool(dates & set(terms.milestone_fields)) or "baselines" in terms.project_fields

    if not unknown(versions, 0, names):
        return []
    on = START.date() - timedelta(days=5)
    return [
        schedule.ApproveBaseline(
            project=HARBOUR, reason=f"buried {i}", approver="Board", on=on + timedelta(days=i),
            dates={M1: FIRST + timedelta(days=rng.randrange(300))},
        )
        for i in range(rng.randrange(4))
    ]  # fmt: skip


def first_budget(rng: random.Random, versions: Sequence[Agreed]) -> list[AnyCommand]:
    """Approve a price of 1,000: at once, or, where that could not show, by a change of what was approved first."""
    known = not unknown(versions, 0, lambda terms: terms.budget != "nothing")
    first = 1000 if known else rng.randrange(500, 1500)
    amount = Money(Decimal(first), "GBP")
    approve = budget.ApproveBudget(project=HARBOUR, measure="price", amount=amount, reason="Contract")
    return [approve] if first == 1000 else [approve, _changed(1000 - first)]
