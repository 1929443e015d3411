"""The one door: every field alone, nothing by default, and the figures a dashboard shows."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from domain import catalogue
from domain.agreement.answers import MakeComment
from domain.agreement.terms import Terms
from domain.catalogue import MilestoneField, RiskField
from domain.money import Money
from domain.plan.budget import ApproveBudget, ForecastCompletion, MeasureCost, PlannedPoint, PlanSpend
from domain.plan.health import OverrideHealth
from domain.plan.risks import AskClientView, DescribeRisk, Points, ScoreAsClient, ScoreRisk
from domain.plan.schedule import (
    AcceptMilestone,
    ConfirmPlan,
    DescribeMilestone,
    MeetMilestone,
    MilestoneDetails,
    MoveForecast,
    ReportProgress,
)
from domain.reveal.policy import reveal
from domain.view import ClientView, MilestoneRow, RiskCard
from tests.world import ACME, HARBOUR, SHARE, World, everything

COARSE = {"band_since", "inherent_band", "previous_band"}  # filled at the level of bands alone
ALWAYS = {"id", "title", "final", "ref", "ack"}  # an acknowledgement is the client's own


@pytest.fixture
def full(tmp_path: Path) -> World:
    """A project in which every field of a milestone and of a risk holds something."""
    world = World(tmp_path)
    world.harbour()
    day = world.clock.at.date()
    details = MilestoneDetails(
        title="internal m1", client_title="Section A", client_facing=True, kind="payment", owner_side="joint",
        deadline=date(2027, 6, 30), value=Money(Decimal(5), "GBP"), needs_acceptance=True, client_action="Sign",
        client_action_due=date(2027, 4, 1), location="Berth 4", note="internal note",
    )  # fmt: skip
    world.tell(DescribeMilestone(project=HARBOUR, milestone="m1", details=details))
    move = MoveForecast(
        project=HARBOUR, milestone="m1", forecast=date(2027, 5, 20), reason="Frost", earliest=date(2027, 5, 18),
        latest=date(2027, 5, 30),
    )  # fmt: skip
    world.tell(move)
    world.tell(ReportProgress(project=HARBOUR, milestone="m1", percent=40))
    world.tell(ConfirmPlan(project=HARBOUR))
    world.tell(MeetMilestone(project=HARBOUR, milestone="m1", actual=day - timedelta(days=1)))
    world.tell(AcceptMilestone(project=HARBOUR, milestone="m1", on=day, by="Anna"))
    state = world.present.refresh().projects[HARBOUR]
    risk = msgspec.structs.replace(
        state.risks.risks["r1"].details, category="Legal", cause="Cause", event="Event", effect="Effect",
        response_actions="Act", owner="Joint", proximity="imminent",
    )  # fmt: skip
    world.tell(DescribeRisk(project=HARBOUR, risk="r1", details=risk))
    world.tell(ScoreRisk(project=HARBOUR, risk="r1", residual=Points(2, 4), reason="Review"))
    own = ScoreAsClient(project=HARBOUR, risk="r1", client=ACME, points=Points(4, 4), by="viewer-acme")
    world.tell(own)
    world.tell(AskClientView(project=HARBOUR, risk="r1", client=ACME))
    for subject in ("milestone-m1", "risk-r1"):
        said = MakeComment(share=SHARE, comment=f"c-{subject}", subject=subject, text="Noted", by="marta", side="ours")
        world.tell(said)
    return world


def view_of(world: World, terms: Terms) -> ClientView:
    """Return what Acme may know under these terms."""
    state = world.present.refresh()
    share = state.shares[SHARE]
    version = msgspec.structs.replace(share.versions[-1], terms=terms)
    share = msgspec.structs.replace(share, versions=(version,))
    return reveal(
        state.projects[HARBOUR], share, organisation="Example Works", client="Acme Rail", time_zone="Europe/London"
    )


def filled(part: MilestoneRow | RiskCard) -> set[str]:
    """Return the names of the fields that say something."""
    empty = type(part)(id=part.id, title=part.title, **({"ref": part.ref} if isinstance(part, RiskCard) else {}))
    return {f for f in part.__struct_fields__ if getattr(part, f) != getattr(empty, f)} - ALWAYS


def with_needs(item: catalogue.Item, key: str) -> tuple[str, ...]:
    """Return a row's key with those it needs."""
    row = catalogue.BY_ID[f"{item}.{key}"]
    return (key, *(row.needs.keys if row.needs else ()))


def named(item: catalogue.Item, keys: tuple[str, ...]) -> set[str]:
    """Return the fields of the view that some rows fill."""
    return {field for key in keys for field in catalogue.BY_ID[f"{item}.{key}"].shows}


@pytest.mark.parametrize("field", get_args(MilestoneField))
def test_a_milestone_field_reveals_what_it_names_and_nothing_else(full: World, field: str) -> None:
    fields = with_needs("milestone", field)
    row = next(r for r in view_of(full, Terms(milestones="all", milestone_fields=fields)).milestones if r.id == "m1")
    assert filled(row) == named("milestone", fields)


@pytest.mark.parametrize("field", get_args(RiskField))
def test_a_risk_field_reveals_what_it_names_and_nothing_else(full: World, field: str) -> None:
    fields = with_needs("risk", field)
    card = next(c for c in view_of(full, Terms(risks="all", risk_fields=fields)).risks if c.id == "r1")
    assert filled(card) == named("risk", fields) - COARSE


@pytest.mark.once
def test_every_field_of_the_view_is_explained_by_some_field_of_the_terms() -> None:
    """A new field of the view fails here until somebody says which terms name it."""
    assert set(MilestoneRow.__struct_fields__) - ALWAYS == set(catalogue.shown("milestone"))
    assert set(RiskCard.__struct_fields__) - ALWAYS - {"status"} == set(catalogue.shown("risk"))


def test_empty_terms_reveal_names_and_nothing_else(full: World) -> None:
    view = view_of(full, Terms())
    assert (view.milestones, view.risks, view.budget, view.schedule, view.risk, view.overall) == (
        (),
        (),
        None,
        None,
        None,
        None,
    )
    assert view.headline.sentence == "Nothing has been shared yet."
    assert view.project == "Harbour Line"


def test_internal_words_are_in_no_view(full: World) -> None:
    told = msgspec.json.encode(view_of(full, everything())).decode()
    for word in ("internal", "hidden", "(internal)"):
        assert word not in told


def test_a_milestone_named_by_id_is_revealed_only_if_it_has_a_name_for_clients(full: World) -> None:
    view = view_of(full, Terms(milestones=("m1", "hidden"), milestone_fields=("forecast",)))
    assert [row.id for row in view.milestones] == ["m1"]


def test_an_actual_date_that_is_not_shared_does_not_speak_through_the_slip(full: World) -> None:
    fields = ("baseline", "forecast", "slip")
    row = next(r for r in view_of(full, Terms(milestones="all", milestone_fields=fields)).milestones if r.id == "m1")
    assert row.slip is not None
    assert row.slip.since_current == (date(2027, 5, 20) - date(2027, 5, 3)).days


def test_the_headline_says_slip_budget_and_what_waits_for_the_client(full: World) -> None:
    full.move("m2", date(2027, 8, 13))
    amount = Money(Decimal(1000), "GBP")
    full.tell(ApproveBudget(project=HARBOUR, measure="price", amount=amount, reason="Contract"))
    day = full.clock.at.date()
    full.tell(ForecastCompletion(project=HARBOUR, measure="price", status_date=day, eac=Decimal(990), reason=""))
    told = view_of(full, everything()).headline
    assert told.sentence == "Eleven days behind the agreed plan and one medium risk. Within budget."
    assert (told.ask, told.ask_target) == ("One risk is waiting for your view.", "r1")


def test_cost_and_price_never_mix(full: World) -> None:
    for measure, total in (("cost", 700), ("price", 1000)):
        full.tell(ApproveBudget(project=HARBOUR, measure=measure, amount=Money(Decimal(total), "GBP"), reason="x"))
        day = full.clock.at.date()
        points = (PlannedPoint(day, Decimal(total) / 2), PlannedPoint(day + timedelta(days=30), Decimal(total)))
        full.tell(PlanSpend(project=HARBOUR, measure=measure, points=points))
        ev, ac = Decimal(total) / 4, Decimal(total) / 5
        full.tell(MeasureCost(project=HARBOUR, measure=measure, status_date=day, ev=ev, ac=ac))
    for measure, total in (("cost", 700), ("price", 1000)):
        found = view_of(full, everything(measure=measure)).budget
        assert found is not None
        assert found.budget == Money(Decimal(total), "GBP")
        assert found.spent == Money(Decimal(total) / 5, "GBP")


def test_percent_tells_shares_and_no_amount(full: World) -> None:
    full.tell(ApproveBudget(project=HARBOUR, measure="price", amount=Money(Decimal(777_777), "GBP"), reason="x"))
    day = full.clock.at.date()
    full.tell(MeasureCost(project=HARBOUR, measure="price", status_date=day, ev=Decimal(1), ac=Decimal(77_777)))
    view = view_of(full, everything(budget="percent"))
    assert view.budget is not None
    assert view.budget.spent_share == Decimal("0.1000")
    assert "777777" not in msgspec.json.encode(view).decode()


def test_an_override_shows_its_reason_and_the_rule_stays_published(full: World) -> None:
    until = full.clock.at + timedelta(days=5)
    override = OverrideHealth(
        project=HARBOUR, dimension="schedule", status="off_track", reason="Strike ahead", until=until
    )
    full.tell(override)
    view = view_of(full, everything())
    assert view.schedule is not None
    assert view.schedule.indicator is not None
    assert (view.schedule.indicator.status, view.schedule.indicator.reason) == ("off_track", "Strike ahead")
    assert "On track up to 5 days" in view.schedule.indicator.rule


@pytest.mark.parametrize("dimension", ["schedule", "risk", "overall"])
def test_each_health_indicator_is_shared_by_itself(full: World, dimension: str) -> None:
    view = view_of(full, Terms(health=(dimension,)))
    shown = {
        "schedule": view.schedule.indicator if view.schedule else None,
        "budget": view.budget.indicator if view.budget else None,
        "risk": view.risk.indicator if view.risk else None,
        "overall": view.overall,
    }
    assert [name for name, indicator in shown.items() if indicator] == [dimension]
