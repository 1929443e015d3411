"""The rules of docs/spec.md 6.9 to 6.11: the table there, row by row, and random states of everything a view shares."""

import random
import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

import domain.headline as rules
from domain.agreement.terms import Terms
from domain.headline import NAMED, Shared, headline
from domain.money import Money
from domain.plan.budget import ApproveBudget, ApproveBudgetChange, ForecastCompletion, MeasureCost
from domain.reveal.policy import reveal
from domain.view import (
    BudgetVital,
    ClientView,
    Indicator,
    MilestoneRow,
    MilestoneState,
    Rag,
    RiskCard,
    RiskVital,
    ScheduleVital,
    Slip,
)
from tests.world import HARBOUR, SHARE, START, World

SPEC = (Path(__file__).parents[3] / "docs" / "spec.md").read_text()
OLDER, DAY = date(2027, 1, 31), START.date()
STATUS = {"-": None, "on track": "on_track", "at risk": "at_risk", "off track": "off_track"}


def rows_of_the_table() -> list[list[str]]:
    """Return the cells of the table in 6.9."""
    table = SPEC[SPEC.index("| budget | spent | earned |") : SPEC.index("6.10 **The headline.**")]
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.strip().splitlines()[2:]]


def amount(text: str) -> Decimal | None:
    return None if text == "-" else Decimal(re.match(r"\d+", text)[0])  # type: ignore[index]


def view_of(world: World, terms: Terms) -> ClientView:
    world.share(terms)
    state = world.present.refresh()
    return reveal(
        state.projects[HARBOUR], state.shares[SHARE], organisation="Works", client="Acme", time_zone="Europe/London"
    )


def told(world: World, cells: list[str]) -> None:
    """Record what a row of the table says is known."""
    budget, spent, earned, forecast = cells[:4]
    ev, ac, approved = amount(earned), amount(spent), Decimal(budget)
    larger = max(approved, ev or approved)
    world.tell(_approve(larger))
    if forecast != "-":
        on = OLDER if "older" in forecast else DAY
        world.tell(
            ForecastCompletion(project=HARBOUR, measure="price", status_date=on, eac=amount(forecast), reason="x")  # type: ignore[arg-type]
        )
    if ev is not None or ac is not None:
        world.tell(MeasureCost(project=HARBOUR, measure="price", status_date=DAY, ev=ev, ac=ac))
    if larger != approved:
        cut = Money(approved - larger, "GBP")
        world.tell(
            ApproveBudgetChange(project=HARBOUR, measure="price", amount=cut, reason="Scope cut", approver="Board")
        )


def _approve(approved: Decimal) -> ApproveBudget:
    return ApproveBudget(project=HARBOUR, measure="price", amount=Money(approved, "GBP"), reason="Contract")


@pytest.mark.parametrize("cells", rows_of_the_table(), ids=lambda cells: " ".join(cells[:4]))
def test_a_row_of_the_table_holds(world: World, cells: list[str]) -> None:
    world.people()
    world.project()
    told(world, cells)
    vital = view_of(world, Terms(budget="amounts", health=("budget",))).budget
    state = world.present.refresh().projects[HARBOUR]
    assert state.health.status("budget") == STATUS[cells[5]]
    assert vital is not None
    assert (vital.forecast.amount if vital.forecast else None) == amount(cells[4])
    assert (vital.indicator.status if vital.indicator else None) == STATUS[cells[5]]
    assert vital.forecast_on == (OLDER if "older" in cells[3] else None)
    share = state_view(world)
    assert share.headline.sentence == cells[6]
    if cells[1] != "-":
        assert vital.spent == Money(Decimal(cells[1]), "GBP")


def state_view(world: World) -> ClientView:
    state = world.present.refresh()
    return reveal(
        state.projects[HARBOUR], state.shares[SHARE], organisation="Works", client="Acme", time_zone="Europe/London"
    )


def test_an_older_figure_stands_with_its_own_day(world: World) -> None:
    world.people()
    world.project()
    world.tell(_approve(Decimal(100)))
    for on, ev, ac in ((DAY - timedelta(days=20), 30, 40), (DAY, None, 60)):
        known = {"ev": None if ev is None else Decimal(ev), "ac": Decimal(ac)}
        world.tell(MeasureCost(project=HARBOUR, measure="price", status_date=on, **known))
    vital = view_of(world, Terms(budget="amounts", indices=True)).budget
    assert vital is not None
    assert (vital.spent_on, vital.earned_on) == (None, DAY - timedelta(days=20))
    assert (vital.earned, vital.cpi) == (Money(Decimal(30), "GBP"), None)


# random states


def some(rng: random.Random, values: Any) -> Any:
    return rng.choice((None, *values))


def indicator(rng: random.Random) -> Indicator | None:
    status: Rag | None = some(rng, get_args(Rag))
    return None if status is None else Indicator(status=status, rule="The rule.")


def milestone(rng: random.Random, i: int) -> MilestoneRow:
    status: MilestoneState | None = some(rng, get_args(MilestoneState))
    days = rng.randrange(1, 40) if status in ("off_track", "at_risk") else rng.randrange(-20, 40)
    slip = None if rng.random() < 0.3 else Slip(since_current=days, working=days)
    return MilestoneRow(id=f"m{i}", title=f"Milestone {i}", status=status, slip=slip)


def budget(rng: random.Random) -> BudgetVital | None:
    found = indicator(rng)
    share = Decimal(rng.randrange(0, 300)) / 100
    match rng.randrange(5):
        case 0:
            return None
        case 1:
            return None if found is None else BudgetVital(indicator=found)
        case 2:
            return BudgetVital(indicator=found, measure="price")
        case 3:
            return BudgetVital(indicator=found, measure="price", spent_share=share)
        case _:
            on = some(rng, (OLDER,))
            return BudgetVital(
                indicator=found,
                measure="price",
                spent_share=share,
                forecast_share=max(share, Decimal(1)),
                forecast_on=on,
            )


def shared(rng: random.Random) -> Shared:
    """Draw what a view may share; statuses and figures in any combination, also those set by hand."""
    rows = [milestone(rng, i) for i in range(rng.choice((0, 0, 1, 3, 6)))]
    schedule = None
    if rows and rng.random() < 0.7:
        final = rng.randrange(len(rows))
        rows[final] = MilestoneRow(
            id=rows[final].id, title="Last", status=rows[final].status, slip=rows[final].slip, final=True
        )
        slip = rows[final].slip
        schedule = ScheduleVital(indicator=indicator(rng), slip_days=slip.since_current if slip else None)
    cards = tuple(
        RiskCard(
            id=f"r{i}", ref=f"R-{i}", title="Risk", status=rng.choice(("active", "active", "closed")),
            band=some(rng, ("low", "medium", "high")),
        )
        for i in range(rng.choice((0, 0, 2, 5)))
    )  # fmt: skip
    found = indicator(rng)
    risk = RiskVital(indicator=found) if found is not None else None
    return Shared(
        overall=indicator(rng), schedule=schedule, budget=budget(rng), risk=risk, milestones=tuple(rows), risks=cards,
        phase=some(rng, ("running", "on_hold", "closed")), more=rng.random() < 0.2,
    )  # fmt: skip


BETTER = {
    "schedule": ("on the agreed plan", "ahead of the agreed plan", "schedule on track", "milestones are met"),
    "budget": ("within budget", "of the budget spent", "budget on track"),
    "risk": ("low risk", "risk status on track"),
    "overall": ("on track overall",),
}


SPOKEN = {
    "schedule": ("behind", "passed without", "at risk", "off track", "later than agreed"),
    "budget": ("over budget", "budget at risk", "without an approved"),
    "risk": ("medium risk", "high risk", "risk status at risk"),
    "overall": ("behind", "passed without", "at risk", "off track", "later than", "over budget", "medium", "high"),
}


def faults(state: Shared) -> list[str]:
    """Return what is wrong with the headline of a state: better than a status, less than is known, or empty."""
    text = headline(state).sentence.lower()
    found = []
    for name, status in state.statuses().items():
        if status == "off_track" and not re.search(rf"off track[^:.]*\b{NAMED[name]}\b", text):
            found.append(f"{name} is off track and not named")
        if status != "on_track" and any(words in text for words in BETTER[name]):
            found.append(f"{name} is {status} and something better is said")
        if status == "at_risk" and not any(words in text for words in SPOKEN[name]):
            found.append(f"{name} is at risk and nothing says so")
    for status, words in (("overdue", "passed without being met"), ("off_track", "off track")):
        many = sum(row.status == status for row in state.milestones)
        if many and words not in text and not any(row.final and "behind" in text for row in state.milestones):
            found.append(f"{many} milestones are {status} and not counted")
    of_plan = re.search(r"(?:on|ahead of) the agreed plan", text)
    if of_plan and any(row.status in ("at_risk", "off_track", "overdue") for row in state.milestones if not row.final):
        found.append("a milestone slips, and the plan is said to hold")
    something = (
        state.milestones or state.risks or state.more or state.phase or state.overall or state.schedule
        or state.budget or state.risk
    )  # fmt: skip
    if something and ("nothing has been shared" in text or not text.strip(". ")):
        found.append("nothing is said while something is shared")
    if not something and "nothing has been shared yet" not in text:
        found.append("something is said while nothing is shared")
    return found


@pytest.mark.once
def test_no_headline_says_better_than_the_statuses_or_less_than_is_known() -> None:
    rng = random.Random(13)
    for _ in range(10_000):
        state = shared(rng)
        assert faults(state) == [], (headline(state).sentence, state)


@pytest.mark.once
def test_the_search_for_faults_would_find_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mistake in the rules shows in some state."""
    for name, wrong in (
        ("_off_track", lambda _statuses: ""),
        ("_stands", lambda _statuses, _said: []),
        ("_schedule", lambda _shared: iter(())),
        ("_otherwise", lambda _shared: "nothing has been shared yet"),
        ("_held", lambda _vital, _unit: rules.Clause("schedule", "on the agreed plan")),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(rules, name, wrong)
            rng = random.Random(13)
            assert any(faults(shared(rng)) for _ in range(1_000)), name
