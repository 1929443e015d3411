"""Twin worlds that differ only below the level of detail of an agreement, and seeded leaks of what lies below it.

Both twins tell the same story. Each has days, scores and amounts of its own, equal to the other's in the month, band or
step that the terms allow; and each moves some of them within that unit at moments of its own.
"""

import contextlib
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, get_args
from unittest.mock import patch

import msgspec

from domain import catalogue
from domain.agreement.answers import Acknowledge
from domain.agreement.share import ActivateTerms, DraftShare, DraftTerms
from domain.agreement.terms import Release, Terms, Ways
from domain.commands import AnyCommand
from domain.errors import Refused
from domain.ids import CommandId, MilestoneId, RiskId
from domain.money import Money
from domain.plan import budget, risks, schedule
from domain.plan.scores import Scale, band
from domain.reveal import course, holding, levels, policy
from domain.reveal.levels import end_of, rounded
from domain.view import DateUnit
from tests.properties.after import days_over
from tests.properties.hidden import SCREEN
from tests.properties.twins import FEW, VIEWER
from tests.world import ACME, ADMIN, HARBOUR, SHARE, START, World

Made = Callable[[random.Random], AnyCommand]  # draws one twin's fine values
BEGIN = START + timedelta(days=2)
MINUTES = 20_000
DAYS = 150  # that pass, so that months and quarters end in which a date lies
FIRST = date(2027, 4, 1)
POINTS = [risks.Points(p, i) for p in range(1, 6) for i in range(1, 6)]
KEYS = ("m1", "m2", "m3")


class Story(msgspec.Struct):
    """The terms of each version with when it begins (minutes), and the steps both twins tell."""

    seed: int
    versions: list[tuple[int, Terms, Ways]]
    steps: list[tuple[int, Made]]


def story(seed: int, steps: int = 14) -> Story:
    """Return the story of a seed."""
    rng = random.Random(f"levels {seed}")
    level = {
        "date_unit": rng.choice(("day", "month", "month", "quarter", "quarter")),
        "score_detail": rng.choice(("score", "band", "band", "band")),
        "money_step": rng.choice((0, 100, 100, 1000)),
    }
    later = [rng.randrange(MINUTES // 4, MINUTES * 3 // 4)] if rng.random() < 0.4 else []
    versions = [(at, _terms(rng, level), _ways(rng)) for at in (0, *later)]
    terms = versions[0][1]
    told = [(rng.randrange(5, MINUTES), _shared(random.Random(rng.random()), terms, i)) for i in range(steps)]
    return Story(seed, versions, sorted(told, key=lambda step: step[0]))


def _terms(rng: random.Random, level: dict[str, Any]) -> Terms:
    fields = set(rng.sample(catalogue.keys("milestone"), rng.randrange(3, 16)))
    fields |= {"forecast"} if "trend" in fields else set()
    fields |= {"baseline", "forecast"} if "slip" in fields else set()
    of_risks = set(rng.sample(catalogue.keys("risk"), rng.randrange(2, 9)))
    of_risks |= {"score"} if {"history", "client_score"} & of_risks else set()
    money = rng.choice(("nothing", "percent", "amounts", "amounts"))
    return Terms(
        milestones="all", milestone_fields=tuple(fields), risks="all", risk_fields=tuple(of_risks), budget=money,
        curve=money != "nothing" and rng.random() < 0.5, indices=money != "nothing" and rng.random() < 0.5,
        project_fields=tuple(rng.sample(("phase", "baselines"), rng.randrange(3))), **level,
    )  # fmt: skip


def _ways(rng: random.Random) -> Ways:
    release = Release(hours=48, slip_days=rng.choice((5, 20)), score=rng.choice((9, 12, 16)), cost=rng.random() < 0.5)
    return Ways(history=rng.random() < 0.5, release=release if rng.random() < 0.5 else None)


# values that are the same at the level of the terms


def near(rng: random.Random, day: date, unit: DateUnit) -> date:
    """Return a day in the same unit."""
    last = end_of(day, unit)
    days = [last - timedelta(days=i) for i in range(100) if end_of(last - timedelta(days=i), unit) == last]
    return rng.choice(days)


def alike(rng: random.Random, points: risks.Points, terms: Terms) -> risks.Points:
    """Return points in the same band where terms tell the band alone, else the same."""
    if terms.score_detail == "score":
        return points
    scale = Scale()
    return rng.choice([p for p in POINTS if band(scale, p.score) == band(scale, points.score)])


def close(rng: random.Random, multiple: int, terms: Terms) -> Decimal:
    """Return an amount that is rounded to a multiple of the terms' step, exactly that multiple of 100 without one."""
    step = terms.money_step or 100
    return Decimal(multiple * step) + (Decimal(rng.randrange(-40, 41) * step) / 100 if terms.money_step else 0)


def _shared(drawn: random.Random, terms: Terms, i: int) -> Made:
    """Draw one step: what both twins tell; what is drawn with the twin's own `rng` lies below the level."""
    unit, key = terms.date_unit, MilestoneId(drawn.choice(KEYS))
    day = FIRST + timedelta(days=drawn.randrange(20, 400))
    points, amount, other = drawn.choice(POINTS), drawn.randrange(1, 9), drawn.randrange(1, 9)
    ranged = drawn.random() < 0.5
    on = BEGIN.date() - timedelta(days=drawn.randrange(30))
    months = timedelta(days=31 if unit == "month" else 92)

    def moved(rng: random.Random) -> AnyCommand:
        return schedule.MoveForecast(
            project=HARBOUR, milestone=key, forecast=near(rng, day, unit), reason=f"reason {i}",
            earliest=near(rng, end_of(day, unit) - months, unit) if ranged and unit != "day" else None,
            latest=near(rng, end_of(day, unit) + timedelta(days=20), unit) if ranged and unit != "day" else None,
        )  # fmt: skip

    def described(rng: random.Random) -> AnyCommand:
        details = schedule.MilestoneDetails(
            title=f"in {i}", client_title=f"Shared {key}", client_facing=True, deadline=near(rng, day, unit),
            value=Money(close(rng, amount, terms), "GBP"),
        )  # fmt: skip
        return schedule.DescribeMilestone(project=HARBOUR, milestone=key, details=details)

    def measured(rng: random.Random) -> AnyCommand:
        ev, ac = close(rng, amount, terms), close(rng, other, terms)
        return budget.MeasureCost(project=HARBOUR, measure="price", status_date=on, ev=ev, ac=ac)

    kinds: tuple[Made, ...] = (
        moved, moved, moved, described, measured, measured,
        lambda rng: schedule.MeetMilestone(
            project=HARBOUR, milestone=key, actual=min(near(rng, date(2027, 1, 20), unit), date(2027, 2, 28))
        ),
        lambda _rng: schedule.ReopenMilestone(project=HARBOUR, milestone=key, reason=f"again {i}"),
        lambda rng: risks.ScoreRisk(
            project=HARBOUR, risk=RiskId("r1"), residual=alike(rng, points, terms), reason=f"score {i}"
        ),
        lambda rng: risks.ScoreRisk(
            project=HARBOUR, risk=RiskId("r2"), residual=alike(rng, points, terms), reason=f"score {i}"
        ),
        lambda rng: budget.ForecastCompletion(
            project=HARBOUR, measure="price", status_date=on, eac=close(rng, 9 + amount, terms), reason=f"eac {i}"
        ),
        lambda _rng: schedule.ApproveBaseline(
            project=HARBOUR, reason=f"again {i}", approver="Board", on=BEGIN.date()
        ),
        lambda _rng: schedule.ReportProgress(project=HARBOUR, milestone=key, percent=amount * 10),
        lambda _rng: Acknowledge(
            share=SHARE, subject=drawn.choice((f"milestone-{key}", "risk-r1")), by=VIEWER, screen=SCREEN
        ),
    )  # fmt: skip
    return drawn.choice(kinds)


def within(rng: random.Random, world: World, terms: Terms, i: int) -> AnyCommand | None:
    """Return a change of one value to another that is the same at the level of the terms; None where there is none."""
    project = world.present.refresh().projects[HARBOUR]
    m, r = project.schedule.milestones[MilestoneId(rng.choice(KEYS))], project.risks.risks[RiskId("r1")]
    match rng.randrange(3):
        case 0 if terms.date_unit != "day":
            forecast = near(rng, m.forecast, terms.date_unit)
            return schedule.MoveForecast(
                project=HARBOUR, milestone=m.id, forecast=forecast, reason=f"own {i}", earliest=m.earliest,
                latest=m.latest,
            )  # fmt: skip
        case 1 if terms.score_detail == "band":
            points = alike(rng, r.residual, terms)
            return risks.ScoreRisk(project=HARBOUR, risk=r.id, residual=points, reason=f"own {i}")
        case 2 if terms.money_step and project.budget.accounts["price"].measurements:
            last = project.budget.accounts["price"].measurements[-1]
            ac = last.ac and close(rng, int(rounded(last.ac, Decimal(terms.money_step)) / terms.money_step), terms)
            return budget.MeasureCost(
                project=HARBOUR, measure="price", status_date=last.status_date, pv=last.pv, ev=last.ev, ac=ac
            )
        case _:
            return None


def play(world: World, told: Story, twin: int) -> None:
    """Tell a story with the fine values of one twin."""
    rng, own = random.Random(f"{told.seed} twin {twin}"), random.Random(f"{told.seed} own {twin}")
    terms = told.versions[0][1]
    _begin(world, rng, terms)
    agreed = [(at, _agree(new, ways, first=at == 0)) for at, new, ways in told.versions]
    steps: list[tuple[int, Any]] = [*agreed, *told.steps]
    steps += [(own.randrange(5, MINUTES), None) for _ in range(own.randrange(8))]
    steps += [(day * 24 * 60 + 15 * 60 + 5, [days_over]) for day in range(DAYS)]
    for i, (minute, step) in enumerate(sorted(steps, key=lambda step: step[0])):
        world.clock.at = BEGIN + timedelta(minutes=minute)
        if step == [days_over]:
            days_over(world)
            continue
        if step is None:
            inner = within(own, world, terms, i)
            commands = [] if inner is None else [inner]
        else:
            commands = step if isinstance(step, list) else [step(rng)]
        for j, command in enumerate(commands):
            with contextlib.suppress(Refused):
                world.service.execute(ADMIN, command, command_id=CommandId(f"{twin}-{i}-{j}"))
                world.follow_what_was_told(FEW)


def _begin(world: World, rng: random.Random, terms: Terms) -> None:
    world.people()
    world.project()
    for key in KEYS:
        world.milestone(key, near(rng, FIRST + timedelta(days=60 * int(key[1])), terms.date_unit), f"Shared {key}")
    for key in ("r1", "r2"):
        world.risk(key, f"R-0{key[1]}")
    amount = Money(close(rng, 20, terms), "GBP")
    world.tell(budget.ApproveBudget(project=HARBOUR, measure="price", amount=amount, reason="Contract"))
    world.baseline()


def _agree(terms: Terms, ways: Ways, *, first: bool) -> list[AnyCommand]:
    begin: AnyCommand = (
        DraftShare(share=SHARE, project=HARBOUR, client=ACME, terms=terms, ways=ways)
        if first
        else DraftTerms(share=SHARE, terms=terms, ways=ways)
    )
    return [begin, ActivateTerms(share=SHARE, reason="Agreed")]


# leaks


def _cut_afterwards() -> AbstractContextManager[object]:
    """Dates are cut in the finished view; slip, status, order and headline were computed from the days."""
    sound = policy.at_level

    @contextlib.contextmanager
    def patched() -> Iterator[None]:
        shown = policy._row

        def leaky(project: Any, terms: Terms, m: Any, share: Any) -> Any:
            row = shown(project, terms, m, share)
            days = {f: getattr(row, f) for f in ("baseline", "forecast", "actual", "deadline", "original_baseline")}
            cut = {f: day and end_of(day, terms.date_unit) for f, day in days.items()}
            return msgspec.structs.replace(row, **cut)

        def days_kept(project: Any, terms: Terms, _memory: Any) -> Any:
            return sound(project, msgspec.structs.replace(terms, date_unit="day"))

        with patch.object(policy, "at_level", days_kept), patch.object(policy, "_row", leaky):
            yield

    return patched()


@contextlib.contextmanager
def _overdue_within_the_unit() -> Iterator[None]:
    """A date is overdue once its day is over, before the unit that is told of it is."""
    sound, coarse, fine = policy.at_level, policy._overdue, list[Any]()

    def noting(project: Any, terms: Terms, _memory: Any) -> Any:
        fine[:] = [project]
        return sound(project, terms)

    def leaky(_project: Any, m: Any, terms: Terms) -> bool:
        return coarse(fine[0], fine[0].schedule.milestones[m.id], terms)

    with patch.object(policy, "at_level", noting), patch.object(policy, "_overdue", leaky):
        yield


def _dates_of(module: Any, name: str) -> Callable[[], AbstractContextManager[object]]:
    """Patch a function of levels so that what it makes coarse stays as it is."""
    return lambda: patch.object(module, name, lambda value, *_rest: value)


LEAKS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "dates cut after what follows from them was computed": _cut_afterwards,
    "a movement within the unit counted as one": lambda: patch.object(
        course, "settled", lambda history, _said: list(history)
    ),
    "what waits for review judged by days and scores": lambda: patch.object(
        holding, "at_level", lambda project, _terms: project
    ),
    "deadlines and payments left exact": lambda: patch.object(levels, "_details", lambda details, *_rest: details),
    "scores of a band left as they are": _dates_of(levels, "_highest"),
    "overdue before the unit is over": _overdue_within_the_unit,
    "amounts left exact": _dates_of(levels, "rounded"),
    "the budget left exact": _dates_of(levels, "_budget"),
    "when a correction below the step was made": lambda: patch.object(
        policy, "at_level", lambda project, terms, _memory: _with_times(levels.at_level(project, terms), project)
    ),
}


def _with_times(coarse: Any, project: Any) -> Any:
    accounts = {
        key: msgspec.structs.replace(account, changed_at=project.budget.accounts[key].changed_at)
        for key, account in coarse.budget.accounts.items()
    }
    return msgspec.structs.replace(coarse, budget=budget.Budget(accounts=accounts))


assert set(get_args(DateUnit)) == {"day", "month", "quarter"}
