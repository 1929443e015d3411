"""The two laws of the catalogue, tried on every row of it.

Law 1: a row switched on over a project that has a value for it changes the view, the page, its text and the list of
changes when the value moves; switched off it changes none of them. Law 2: the scope sentence names exactly the rows on.
"""

import random
import re
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain import catalogue
from domain.agreement.answers import MakeComment
from domain.agreement.terms import Terms, checked
from domain.catalogue import ROWS, Row
from domain.commands import AnyCommand
from domain.errors import Refused
from domain.ids import MilestoneId, RiskId
from domain.money import Money
from domain.plan import budget, health, risks, schedule
from domain.plan.project import HoldProject
from domain.view import ClientView
from projections.entries import changes as differences
from tests.world import ACME, HARBOUR, SHARE, START, World
from web.record.audience import view_with_nothing_held
from web.render import details
from web.render.page import Renderer

pytestmark = pytest.mark.stories

TODAY = START.date()
M1, M2, R1 = MilestoneId("m1"), MilestoneId("m2"), RiskId("r1")
DETAILS = schedule.MilestoneDetails(
    title="internal m1", client_title="Section A", client_facing=True, kind="payment", owner_side="joint",
    location="Berth 4", deadline=date(2027, 6, 30), value=Money(Decimal(5000), "GBP"), client_action="Sign the drawings",
    client_action_due=date(2027, 4, 1),
)  # fmt: skip
OF_RISK = risks.RiskDetails(
    ref="R-01", title="internal r1", client_title="Late possession", client_facing=True, category="Legal",
    cause="Two works overlap", event="The possession is late", effect="The tests wait", response_actions="Ask early",
    owner="Joint board", proximity="imminent",
)  # fmt: skip


@pytest.fixture
def full(tmp_path: Path) -> World:
    """A project that has a value for every row of the catalogue."""
    world = World(tmp_path)
    world.harbour()
    world.clock.at += timedelta(days=10)
    today = world.clock.at.date()
    for key, more in ((M1, {}), (M2, {"client_title": "Section B", "needs_acceptance": True})):
        details = msgspec.structs.replace(DETAILS, **more)
        world.tell(schedule.DescribeMilestone(project=HARBOUR, milestone=key, details=details))
    world.tell(_moved(date(2027, 5, 20), "Frost", earliest=date(2027, 5, 15), latest=date(2027, 6, 10)))
    world.tell(schedule.ReportProgress(project=HARBOUR, milestone=M1, percent=40))
    world.tell(schedule.MeetMilestone(project=HARBOUR, milestone=M2, actual=today - timedelta(days=1)))
    world.tell(schedule.ConfirmPlan(project=HARBOUR))
    world.tell(risks.DescribeRisk(project=HARBOUR, risk=R1, details=OF_RISK))
    world.tell(risks.ScoreRisk(project=HARBOUR, risk=R1, residual=risks.Points(2, 4), reason="Review"))
    world.tell(_scored_by_them(risks.Points(4, 4)))
    approved = Money(Decimal(100_000), "GBP")
    world.tell(budget.ApproveBudget(project=HARBOUR, measure="price", amount=approved, reason="Contract"))
    points = tuple(budget.PlannedPoint(today + timedelta(days=30 * i), Decimal(20_000 * i)) for i in range(1, 6))
    world.tell(budget.PlanSpend(project=HARBOUR, measure="price", points=points))
    world.tell(_measured(today - timedelta(days=5), 9_000, 9_500))
    for subject in ("milestone-m1", "risk-r1"):
        world.tell(_comment(subject, "Noted"))
    world.clock.at += timedelta(days=3)
    return world


def _moved(forecast: date, reason: str, **more: date) -> AnyCommand:
    return schedule.MoveForecast(project=HARBOUR, milestone=M1, forecast=forecast, reason=reason, **more)


def _scored_by_them(points: risks.Points) -> AnyCommand:
    return risks.ScoreAsClient(project=HARBOUR, risk=R1, client=ACME, points=points, by="viewer-acme")  # type: ignore[arg-type]


def _measured(on: date, ev: int, ac: int) -> AnyCommand:
    return budget.MeasureCost(project=HARBOUR, measure="price", status_date=on, ev=Decimal(ev), ac=Decimal(ac))


def _comment(subject: str, text: str) -> AnyCommand:
    return MakeComment(
        share=SHARE,
        comment=f"{subject}-{text.lower()}",
        subject=subject,
        text=text,
        by="marta",
        side="ours",  # type: ignore[arg-type]
    )


def _described(**changed: object) -> tuple[AnyCommand, ...]:
    details = msgspec.structs.replace(DETAILS, **changed)
    return (schedule.DescribeMilestone(project=HARBOUR, milestone=M1, details=details),)


def _risk(**changed: object) -> tuple[AnyCommand, ...]:
    return (risks.DescribeRisk(project=HARBOUR, risk=R1, details=msgspec.structs.replace(OF_RISK, **changed)),)


def _overridden(dimension: Any) -> tuple[AnyCommand, ...]:
    until = START + timedelta(days=60)
    told = health.OverrideHealth(
        project=HARBOUR, dimension=dimension, status="at_risk", reason="The board decides", until=until
    )
    return (told,)


LATE = (_moved(date(2027, 7, 9), "Steel is late"),)
MEASURED = (_measured(TODAY + timedelta(days=11), 20_000, 45_000),)
SCORED = (risks.ScoreRisk(project=HARBOUR, risk=R1, residual=risks.Points(5, 5), reason="Worse"),)
AGREED = (schedule.ApproveBaseline(project=HARBOUR, reason="Second plan", approver="Board", on=TODAY),)
MOVES: dict[str, tuple[AnyCommand, ...]] = {
    "milestone.baseline": AGREED,
    "milestone.forecast": LATE,
    "milestone.slip": LATE,
    "milestone.status": (schedule.MeetMilestone(project=HARBOUR, milestone=M1, actual=TODAY + timedelta(days=11)),),
    "milestone.actual": (schedule.MeetMilestone(project=HARBOUR, milestone=M1, actual=TODAY + timedelta(days=11)),),
    "milestone.reason": LATE,
    "milestone.trend": LATE,
    "milestone.range": (_moved(date(2027, 5, 20), "Weather", earliest=date(2027, 5, 18), latest=date(2027, 5, 30)),),
    "milestone.deadline": _described(deadline=date(2027, 7, 15)),
    "milestone.progress": (schedule.ReportProgress(project=HARBOUR, milestone=M1, percent=55),),
    "milestone.client_action": _described(client_action="Sign the layouts"),
    "milestone.acceptance": (
        schedule.AcceptMilestone(project=HARBOUR, milestone=M2, on=TODAY + timedelta(days=11), by="Anna"),
    ),
    "milestone.owner_side": _described(owner_side="theirs"),
    "milestone.kind": _described(kind="approval"),
    "milestone.location": _described(location="Berth 7"),
    "milestone.value": _described(value=Money(Decimal(7000), "GBP")),
    "milestone.confirmed": (schedule.ConfirmPlan(project=HARBOUR),),
    "milestone.comments": (_comment("milestone-m1", "Agreed"),),
    "risk.score": SCORED,
    "risk.history": SCORED,
    "risk.client_score": (_scored_by_them(risks.Points(2, 2)),),
    "risk.cause": _risk(cause="Three works overlap"),
    "risk.effect": _risk(effect="The opening waits"),
    "risk.response": _risk(response_actions="Ask again"),
    "risk.owner": _risk(owner="Acme"),
    "risk.category": _risk(category="Supply"),
    "risk.proximity": _risk(proximity="within_stage"),
    "risk.comments": (_comment("risk-r1", "Agreed"),),
    "budget.rag": MEASURED,
    "budget.percent": MEASURED,
    "budget.amounts": MEASURED,
    "budget.curve": MEASURED,
    "budget.indices": MEASURED,
    "health.overall": _overridden("overall"),
    "health.schedule": _overridden("schedule"),
    "health.budget": _overridden("budget"),
    "health.risk": _overridden("risk"),
    "project.phase": (HoldProject(project=HARBOUR, reason="Funding"),),
    "project.baselines": AGREED,
    "project.confirmed": (schedule.ConfirmPlan(project=HARBOUR),),
}
ROW_OF = {"budget.rag": "health.budget"}  # by the view alone the two cannot be told apart
NEVER_MOVE = {"risk.inherent"}  # given once, when a risk is raised


def terms_with(row: Row, *, on: bool = True) -> Terms:
    """Return terms that cover a row and what it needs; switched off what it needs alone."""
    needed = row.needs.keys if row.needs else ()
    if row.item == "budget" and needed:
        needed = ("percent",)
    names = [*needed, *([row.key] if on else [])]
    match row.item:
        case "milestone":
            terms = Terms(milestones="all", milestone_fields=tuple(names))  # type: ignore[arg-type]
        case "risk":
            terms = Terms(risks="all", risk_fields=tuple(names))  # type: ignore[arg-type]
        case "budget":
            level = next((n for n in names if n in ("rag", "percent", "amounts")), "nothing")
            terms = Terms(budget=level, curve="curve" in names, indices="indices" in names)  # type: ignore[arg-type]
        case "health":
            terms = Terms(health=tuple(names))  # type: ignore[arg-type]
        case "project":
            terms = Terms(project_fields=tuple(names))  # type: ignore[arg-type]
    return checked(terms)


def view_of(world: World, terms: Terms) -> ClientView:
    """Return what the client may know under these terms, agreed with history."""
    state = world.present.refresh()
    share = state.shares[SHARE]
    version = msgspec.structs.replace(share.versions[-1], terms=terms)
    return view_with_nothing_held(state, state.projects[HARBOUR], msgspec.structs.replace(share, versions=(version,)))


def page_of(view: ClientView) -> dict[str, str]:
    """Return the markup of every part but the sentence in the footer, by id."""
    made = Renderer().render(view)
    return {key: f"{part.head}{part.tail}" for key, part in made.parts.items() if key != "scope"}


def text_of(page: dict[str, str]) -> str:
    """Return what those read or hear who see no drawing."""
    return " ".join(unescape(re.sub(r"<svg.*?</svg>|<[^>]+>", " ", " ".join(page.values()), flags=re.DOTALL)).split())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_row_switched_on_is_in_the_view_on_the_page_and_in_its_text(full: World, row: Row) -> None:
    on, off = view_of(full, terms_with(row)), view_of(full, terms_with(row, on=False))
    assert msgspec.structs.replace(on, scope="") != msgspec.structs.replace(off, scope="")
    assert page_of(on) != page_of(off)
    assert text_of(page_of(on)) != text_of(page_of(off))


@pytest.mark.parametrize("row", [row for row in ROWS if row.id not in NEVER_MOVE], ids=lambda row: row.id)
def test_a_value_that_moves_is_told_where_its_row_is_on_and_nowhere_else(full: World, row: Row) -> None:
    on, off = terms_with(row), terms_with(row, on=False)
    before, without = view_of(full, on), view_of(full, off)
    for command in MOVES[row.id]:
        full.tell(command)
    after, still = view_of(full, on), view_of(full, off)
    assert page_of(before) != page_of(after)
    assert text_of(page_of(before)) != text_of(page_of(after))
    told = Renderer().changes(before, after)
    follows = {f"{row.item}.{key}" for key in row.needs.keys} if row.needs else set()  # told with what it follows from
    assert {ROW_OF.get(row.id, row.id), *follows} & {change.row for change in told}, [
        (change.row, change.say) for change in told
    ]
    assert all(change.say for change in told)
    if row.needs is None:
        assert without == still
        assert page_of(without) == page_of(still)
    else:
        assert row.id not in {change.row for change in Renderer().changes(without, still)}


@pytest.mark.parametrize("row", [row for row in ROWS if row.id not in NEVER_MOVE], ids=lambda row: row.id)
def test_every_row_has_a_value_that_can_be_moved(row: Row) -> None:
    assert row.id in MOVES


# law 2


def named_in(scope: str) -> set[tuple[str, str]]:
    """Return what a scope sentence names: pairs of what it is of and its words."""
    listed = scope.partition(" covers: ")[2].removesuffix(". Nothing else is shared.")
    found: set[tuple[str, str]] = set()
    for part in filter(None, listed.split("; ")):
        of, _opening, names = part.removesuffix(")").partition(" (")
        found |= {(of.split()[-1].rstrip("s"), name) for name in names.split(", ")}
    return found


OF = {"milestone": "milestone", "risk": "risk", "budget": "budget", "health": "statuse", "project": "project"}


def said_of(row: Row) -> tuple[str, str]:
    """Return how the scope sentence names a row."""
    return OF[row.item], row.named


def _expected(terms: Terms) -> set[tuple[str, str]]:
    named = {said_of(row) for row in terms.rows}
    empty = {item for item, chosen in (("milestone", terms.milestones), ("risk", terms.risks)) if chosen}
    return named | {(item, "titles alone") for item in empty if item not in {of for of, _ in named}}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_scope_sentence_names_a_row_that_is_on_and_no_other(full: World, row: Row) -> None:
    for on in (True, False):
        terms = terms_with(row, on=on)
        assert named_in(view_of(full, terms).scope) == _expected(terms)


def test_the_scope_sentence_names_exactly_the_rows_that_are_on(full: World) -> None:
    rng, tried = random.Random(7), 0
    while tried < 150:
        try:
            terms = checked(_random_terms(rng))
        except Refused:
            continue
        tried += 1
        assert named_in(view_of(full, terms).scope) == _expected(terms)


def _random_terms(rng: random.Random) -> Terms:
    def some(item: catalogue.Item) -> Any:
        keys = catalogue.keys(item)
        return tuple(rng.sample(keys, rng.randrange(len(keys) + 1)))

    return Terms(
        milestones=rng.choice(("all", ("m1",), ())), milestone_fields=some("milestone"),  # type: ignore[arg-type]
        risks=rng.choice(("all", ())), risk_fields=some("risk"),  # type: ignore[arg-type]
        budget=rng.choice(("nothing", "rag", "percent", "amounts")), curve=rng.random() < 0.5,
        indices=rng.random() < 0.5, health=some("health"), project_fields=some("project"),
    )  # fmt: skip


def test_levels_are_named_in_the_scope_sentence(full: World) -> None:
    whole = Terms(
        milestones="all", milestone_fields=("forecast",), risks="all", risk_fields=("score",), budget="amounts",
        date_unit="quarter", score_detail="band", money_step=10_000,
    )  # fmt: skip
    scope = view_of(full, whole).scope
    for words in ("dates by quarter", "scores as bands", "amounts rounded to 10,000"):
        assert words in scope
    plain = msgspec.structs.replace(whole, date_unit="day", score_detail="score", money_step=0)
    for words in ("by quarter", "bands", "rounded"):
        assert words not in view_of(full, plain).scope


# seeded mistakes: a law that could not fail would be worth nothing


def test_a_row_that_is_never_drawn_is_noticed(full: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = details.of_milestone

    def without(row: Any, view: Any) -> Any:
        return tuple(detail for detail in sound(row, view) if detail.label != "Location")

    monkeypatch.setattr(details, "of_milestone", without)
    row = catalogue.BY_ID["milestone.location"]
    with pytest.raises(AssertionError):
        test_a_row_switched_on_is_in_the_view_on_the_page_and_in_its_text(full, row)


@pytest.mark.parametrize("key", ["milestone.range", "risk.category", "project.phase"])
def test_a_row_that_is_not_named_in_the_footer_is_noticed(
    full: World, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    row = catalogue.BY_ID[key]
    with monkeypatch.context() as patch:
        patch.setattr(Terms, "rows", property(lambda self: tuple(r for r in _rows(self) if r is not row)))
        scope = view_of(full, terms_with(row)).scope
    assert named_in(scope) != _expected(terms_with(row))


def test_a_change_that_is_not_told_is_noticed(full: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = differences.changes

    def silent(previous: Any, view: Any) -> Any:
        return tuple(change for change in sound(previous, view) if change.row != "risk.owner")

    monkeypatch.setattr(differences, "changes", silent)
    with pytest.raises(AssertionError):
        test_a_value_that_moves_is_told_where_its_row_is_on_and_nowhere_else(full, catalogue.BY_ID["risk.owner"])


def _rows(terms: Terms) -> tuple[Row, ...]:
    return tuple(row for row in ROWS if row.key in terms.keys(row.item))
