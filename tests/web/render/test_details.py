"""Every field of a view stands on the page when it has a value, in words, and leaves nothing when it has none."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from domain import view as views
from domain.money import Money
from domain.view import (
    TREND_NEWEST,
    Ack,
    Baseline,
    BudgetVital,
    ClientView,
    CurvePoint,
    ForecastPoint,
    Headline,
    Indicator,
    MilestoneRow,
    Remark,
    RiskCard,
    RiskVital,
    Scale,
    ScheduleVital,
    Score,
    Slip,
)
from projections.entries import frames, parts
from web.render.details import MOST_EARLIER
from web.render.page import Renderer

pytestmark = [pytest.mark.folder, pytest.mark.once]

AT = datetime(2027, 7, 3, 13, 5, tzinfo=UTC)  # 14:05 in London
MAY, JUNE, JULY = date(2027, 5, 4), date(2027, 6, 5), date(2027, 7, 6)
REMARK = Remark(at=AT, by="Marta Lind", ours=True, text="The slot is booked")
ACK = Ack(by="Anna Price", on=MAY, update=397)
ROW = MilestoneRow(id="m1", title="Handover")
CARD = RiskCard(id="r1", ref="R-07", title="Late approval")
STATUS = Indicator(status="at_risk", rule="At risk from six days.")
SCHEDULE = ScheduleVital(indicator=STATUS)
BUDGET = BudgetVital()
RISKS = RiskVital(top="R-07", top_score=16, high=1)
POUNDS = Money(Decimal("412350.50"), "GBP")


def viewed(**fields: Any) -> ClientView:
    bare = ClientView(
        organisation="Example Works", client="Acme Rail", project="Harbour Line", time_zone="Europe/London",
        terms_version=3, scope="What is covered.", headline=Headline(sentence="On the agreed plan."),
    )  # fmt: skip
    return replace(bare, **fields)


def of_row(**fields: Any) -> ClientView:
    return viewed(milestones_shared=True, milestones=(replace(ROW, **fields),))


def of_card(**fields: Any) -> ClientView:
    return viewed(risks_shared=True, risks=(replace(CARD, **fields),))


def of_schedule(**fields: Any) -> ClientView:
    return viewed(schedule=replace(SCHEDULE, **fields))


def of_budget(**fields: Any) -> ClientView:
    return viewed(budget=replace(BUDGET, **fields))


def of_risks(**fields: Any) -> ClientView:
    return viewed(risk=replace(RISKS, **fields))


def of_overall(**fields: Any) -> ClientView:
    return viewed(overall=replace(STATUS, **fields))


def of_score(**fields: Any) -> ClientView:
    return of_card(score=replace(Score(4, 3, 12), **fields))


def of_slip(**fields: Any) -> ClientView:
    slip = Slip(since_original=None, since_current=0, working=0)
    return of_row(baseline=MAY, forecast=MAY, slip=replace(slip, **fields))


def of_scale(**fields: Any) -> ClientView:
    return viewed(risks_shared=True, risks=(CARD,), scale=replace(Scale(), **fields))


def of_point(**fields: Any) -> ClientView:
    first = CurvePoint(on=MAY)
    points = (first, replace(CurvePoint(on=JUNE), **fields))
    return of_budget(curve=points, curve_currency="GBP", budget=POUNDS)


FRAME = {"organisation", "client"}  # in the bar above the parts; in them where a side is named
# Of each struct: how a view with it is made, the fields without a text of their own, and for the others what is said.
# What a field needs beside itself stands in NEEDS.
TOLD: dict[type[msgspec.Struct], tuple[Any, dict[str, str], dict[str, tuple[Any, str]]]] = {
    MilestoneRow: (
        of_row,
        {"id": "names the part"},
        {
            "title": ("Trial running", "Trial running"),
            "kind": ("contractClose", "Close of contract"),
            "location": ("Platform 4", "Location Platform 4"),
            "owner_side": ("theirs", "Who has to act Acme Rail"),
            "original_baseline": (MAY, "First agreed 4 May 2027"),
            "baseline": (MAY, "Agreed 4 May 2027"),
            "forecast": (JUNE, "Forecast 5 June 2027"),
            "earliest": (MAY, "Forecast range 4 May 2027 at the earliest"),
            "latest": (JULY, "Forecast range 6 July 2027 at the latest"),
            "actual": (JUNE, "Met 5 June 2027"),
            "deadline": (JULY, "Contract deadline 6 July 2027"),
            "status": ("off_track", "Off track"),
            "slip": (Slip(since_original=18, since_current=11, working=7), "+18 days against the first plan"),
            "reason": ("Supplier moved", "Reason for change Supplier moved"),
            "progress": (0, "0 % complete"),
            "value": (POUNDS, "Payment due £412,350.50"),
            "needs_acceptance": (True, "Acceptance Needs your acceptance"),
            "accepted_on": (JUNE, "Acceptance Accepted 5 June 2027"),
            "client_action": ("Sign it", "Waiting for you: Sign it"),
            "client_action_due": (JUNE, "Due 5 June 2027"),
            "confirmed_at": (AT, "Last confirmed 3 July 2027, 14:05"),
            "final": (True, "Judged by this milestone"),
            "trend": ((ForecastPoint(MAY, JUNE), ForecastPoint(JUNE, JULY)), "5 Jun 2027, set 4 May 2027"),
            "remarks": ((REMARK,), "The slot is booked"),
            "ack": (ACK, "Acknowledged by Anna Price"),
        },
    ),
    Slip: (
        of_slip,
        {},
        {
            "since_original": (18, "+18 days against the first plan"),
            "since_current": (11, "+11 days against the agreed plan"),
            "working": (7, "+7 days in working days"),
        },
    ),
    RiskCard: (
        of_card,
        {"id": "names the part"},
        {
            "ref": ("R-08", "R-08"),
            "title": ("Copper price", "Copper price"),
            "cause": ("No permit", "Cause No permit"),
            "event": ("It is refused", "What may happen It is refused"),
            "effect": ("Three weeks more", "Effect Three weeks more"),
            "category": ("Third parties", "Category Third parties"),
            "status": ("closed", "Closed"),
            "score": (Score(4, 3, 12, MAY), "Score 4×3 = 12 Example Works, 4 May 2027"),
            "inherent": (Score(5, 4, 20, MAY), "Before any response 5×4 = 20 4 May 2027"),
            "previous": (Score(2, 4, 8, MAY), "Score before 2×4 = 8 4 May 2027"),
            "band": ("high", "High"),
            "band_since": (MAY, "Band High since 4 May 2027"),
            "inherent_band": ("medium", "Before any response Medium"),
            "previous_band": ("low", "Band before Low"),
            "proximity": ("within_stage", "Expected Within this stage"),
            "response": ("prepare_contingent_plans", "Response Prepare contingent plans"),
            "response_actions": ("Hold July", "Response Hold July"),
            "owner": ("Joint", "Owner Joint"),
            "client_score": (Score(4, 4, 16, MAY), "Your score 4×4 = 16 4 May 2027"),
            "client_band": ("high", "Your score High"),
            "client_scored_by": ("Anna Price", "Anna Price"),
            "remarks": ((REMARK,), "The slot is booked"),
            "ack": (ACK, "Acknowledged by Anna Price"),
            "view_needed": (True, "your view needed"),
        },
    ),
    Score: (
        of_score,
        {},
        {
            "probability": (2, "2×3 = 12"),
            "impact": (4, "4×4 = 12"),
            "value": (13, "4×3 = 13"),
            "on": (MAY, "4 May 2027"),
        },
    ),
    Indicator: (
        of_overall,
        {},
        {
            "status": ("off_track", "Overall off track"),
            "rule": ("By the worst.", "Rule By the worst."),
            "previous": ("on_track", "Status before On track"),
            "reason": ("Both boards meet", "Both boards meet"),
            "overridden": (True, "Set by hand, not by the rule"),
        },
    ),
    ScheduleVital: (
        of_schedule,
        {"milestone": "names a part"},
        {
            "indicator": (replace(STATUS, status="off_track", rule="Off from six."), "Off track"),
            "title": ("Handover", "Judged by Handover"),
            "baseline": (MAY, "Agreed 4 May 2027"),
            "forecast": (JUNE, "Forecast 5 June 2027"),
            "slip_days": (32, "Slip +32 days"),
            "previous_slip": (7, "Slip before +7 days"),
            "previous_on": (MAY, "+7 days, set 4 May 2027"),
        },
    ),
    BudgetVital: (
        of_budget,
        {},
        {
            "indicator": (STATUS, "At risk from six days."),
            "measure": ("price", "Measured in Price"),
            "status_date": (MAY, "Figures up to 4 May 2027"),
            "budget": (POUNDS, "Approved £412,350.50"),
            "original_budget": (POUNDS, "Approved at first £412,350.50"),
            "forecast": (POUNDS, "Forecast at completion £412,350.50"),
            "spent": (POUNDS, "Spent £412,350.50"),
            "forecast_on": (MAY, "of 4 May 2027"),
            "spent_on": (MAY, "of 4 May 2027"),
            "earned_on": (MAY, "of 4 May 2027"),
            "planned": (POUNDS, "Planned by now £412,350.50"),
            "earned": (POUNDS, "Earned £412,350.50"),
            "forecast_share": (Decimal("1.12"), "Forecast at completion 112 % of the budget"),
            "spent_share": (Decimal("0.5"), "Spent 50 % of the budget"),
            "planned_share": (Decimal("0.45"), "Planned by now 45 % of the budget"),
            "earned_share": (Decimal("0.41"), "Earned 41 % of the budget"),
            "cpi": (Decimal("0.95"), "CPI 0.95 earned divided by spent"),
            "spi_t": (Decimal("0.97"), "SPI(t) 0.97 time earned divided by time passed"),
            "curve": (
                (CurvePoint(on=MAY, planned=Decimal(1)), CurvePoint(on=JUNE, planned=Decimal(2))),
                "Figures of the curve",
            ),
            "curve_currency": ("EUR", "Cumulative, EUR"),
            "remarks": ((REMARK,), "The slot is booked"),
        },
    ),
    CurvePoint: (
        of_point,
        {},
        {
            "on": (JULY, "6 Jul 2027"),
            "planned": (Decimal(1000), "£1,000"),
            "earned": (Decimal(1001), "£1,001"),
            "spent": (Decimal(1002), "£1,002"),
            "forecast": (Decimal(1003), "£1,003"),
        },
    ),
    RiskVital: (
        of_risks,
        {},
        {
            "indicator": (STATUS, "Risk status At risk"),
            "high": (3, "Three high"),
            "medium": (2, "2 medium"),
            "low": (4, "4 low"),
            "top": ("R-08", "highest score, R-08"),
            "top_score": (20, "20 highest score"),
        },
    ),
    Scale: (
        of_scale,
        {},
        {
            "size": (6, "Scored 1 to 6"),
            "medium_from": (5, "medium from 5"),
            "high_from": (13, "high from 13"),
        },
    ),
    ClientView: (
        viewed,
        {
            "organisation": "in the bar above the parts",
            "client": "in the bar above the parts",
            "language": "every sentence is in it",
            "brand": "the hash of the look",
            "confirmed_quietly": "that the confirmation is no news",
            "unconfirmed": "the words before when it was confirmed",
            "look": "the stylesheet it is drawn with, and the bar above the parts",
            "time_zone": "instants are said in it",
            "terms_version": "the scope says it in words",
            "milestones_shared": "an empty section says so",
            "risks_shared": "an empty section says so",
        },
        {
            "project": ("Depot", "Depot"),
            "scope": ("Nothing more is shared.", "Nothing more is shared."),
            "headline": (Headline(sentence="Late.", ask="One risk waits."), "Late. One risk waits."),
            "phase": ("running", "Project running"),
            "as_of": (MAY, "Last changed 4 May 2027"),
            "overall": (STATUS, "Overall at risk"),
            "schedule": (SCHEDULE, "Schedule"),
            "budget": (replace(BUDGET, budget=POUNDS), "Budget"),
            "risk": (RISKS, "Risk"),
            "milestones": ((ROW,), "One milestone shared."),
            "baselines": ((Baseline(number=1, approved_on=MAY, reason="Contract signed"),), "Contract signed"),
            "risks": ((CARD,), "Late approval"),
            "scale": (Scale(), "Scored 1 to 5"),
            "confirmed_at": (AT, "Plan confirmed 3 July 2027, 14:05"),
            "concerns": (
                (views.ConcernCard(id="k1", at=AT, by="Anna Price", update=4, about="", text="Worried"),),
                "Worried",
            ),
            "date_unit": ("month", "Forecast May 2027"),
            "money_step": (10_000, "rounded to £10,000"),
            "agreement_ack": (ACK, "Acknowledged by Anna Price"),
        },
    ),
}
ONE_SHARED = {"milestones_shared": True, "milestones": (ROW,)}
NEEDS: dict[tuple[str, str], dict[str, Any]] = {
    ("MilestoneRow", "slip"): {"baseline": MAY, "forecast": JUNE},
    ("MilestoneRow", "client_action_due"): {"client_action": "Sign it"},
    ("RiskCard", "previous"): {"score": Score(4, 4, 16)},
    ("RiskCard", "client_score"): {"score": Score(3, 3, 9)},
    ("RiskCard", "client_band"): {},
    ("Indicator", "reason"): {"overridden": True},
    ("ScheduleVital", "slip_days"): {"baseline": MAY, "forecast": JUNE, "title": "Handover"},
    ("ScheduleVital", "previous_on"): {"previous_slip": 7},
    ("BudgetVital", "curve_currency"): {
        "curve": (CurvePoint(on=MAY, planned=Decimal(1)), CurvePoint(on=JUNE, planned=Decimal(2))),
        "budget": POUNDS,
    },
    ("RiskCard", "band_since"): {"band": "high"},
    ("ClientView", "baselines"): ONE_SHARED,
    ("ClientView", "date_unit"): {"milestones_shared": True, "milestones": (replace(ROW, forecast=date(2027, 5, 31)),)},
    ("ClientView", "money_step"): {"budget": replace(BUDGET, budget=Money(Decimal(410_000), "GBP"))},
    ("ClientView", "milestones"): {"milestones_shared": True},
    ("ClientView", "risks"): {"risks_shared": True},
    ("ClientView", "scale"): {"risks_shared": True, "risks": (CARD,)},
}
CASES = [(struct, field) for struct, (_make, _none, fields) in TOLD.items() for field in fields]


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


def markup(renderer: Renderer, view: ClientView) -> str:
    rendered = renderer.render(view)
    return "".join(parts.markup(rendered.parts, root) for root in rendered.roots)


def text(markup: str) -> str:
    """What somebody reads or hears who sees no drawing: without tags, and with the labels of drawings left out."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", markup)).split())


@pytest.mark.parametrize(("struct", "field"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_a_field_with_a_value_is_drawn_and_said(renderer: Renderer, struct: type[msgspec.Struct], field: str) -> None:
    make, _none, fields = TOLD[struct]
    value, said = fields[field]
    beside = NEEDS.get((struct.__name__, field), {})
    without, told = markup(renderer, make(**beside)), markup(renderer, make(**beside, **{field: value}))
    assert told != without
    assert said in text(told)
    assert said not in text(without)


@pytest.mark.parametrize("struct", TOLD, ids=lambda struct: struct.__name__)
def test_no_field_of_a_view_is_left_out(struct: type[msgspec.Struct]) -> None:
    _make, none, fields = TOLD[struct]
    assert {*none, *fields} == set(struct.__struct_fields__)


def test_no_struct_of_a_view_is_left_out() -> None:
    of_a_view = {
        each
        for each in vars(views).values()
        if isinstance(each, type) and issubclass(each, msgspec.Struct) and each.__module__ == views.__name__
    }
    in_their_own_tests = {views.Headline, views.Baseline, views.ForecastPoint, views.Remark, views.Ack}
    assert of_a_view - in_their_own_tests - {views.ConcernCard} == set(TOLD)


@pytest.mark.parametrize(
    "view", [of_row(), of_card(), of_budget(), of_risks(), viewed()], ids=["row", "card", "budget", "risks", "page"]
)
def test_what_is_not_shared_leaves_no_label(renderer: Renderer, view: ClientView) -> None:
    made = markup(renderer, view)
    assert "<dt" not in made
    assert "<dl" not in made
    for label in ("Deadline", "Payment", "Acceptance", "confirmed", "Kind", "Category", "Last changed", "None"):
        assert label not in text(made), label


def test_a_risk_without_details_says_so_and_can_be_answered(renderer: Renderer) -> None:
    for view in (of_row(), of_card()):
        said = text(markup(renderer, view))
        assert "No further details are shared." in said
        assert "Comment : " in said


def test_agreed_plans_stand_on_the_page_without_a_milestone_too(renderer: Renderer) -> None:
    plans = tuple(Baseline(number=n, approved_on=MAY, reason=f"Order {n}") for n in (1, 2))
    for shared in (False, True):
        said = text(markup(renderer, viewed(baselines=plans, milestones_shared=shared)))
        assert "Agreed plans Plan 1, 4 May 2027: Order 1 Plan 2, 4 May 2027: Order 2" in said


def test_an_agreed_date_that_never_changed_is_said_once(renderer: Renderer) -> None:
    said = text(markup(renderer, of_row(baseline=MAY, original_baseline=MAY)))
    assert "4 May 2027, as in the first plan" in said
    assert "First agreed" not in said


def test_a_slip_beside_an_overdue_status_is_said_to_be_by_a_forecast_that_has_passed(renderer: Renderer) -> None:
    late = {"baseline": MAY, "forecast": MAY, "slip": Slip(since_current=0), "final": True}
    said = {status: text(markup(renderer, of_row(status=status, **late))) for status in ("on_track", "overdue")}
    assert "On the agreed day" in said["on_track"]
    assert "by forecast" not in said["on_track"]
    assert "0 by forecast" in said["overdue"]
    assert "0 by its forecast, which has passed" in said["overdue"]
    assert "On the agreed day" not in said["overdue"]
    vital = ScheduleVital(milestone="m1", title="Handover", baseline=MAY, forecast=MAY, slip_days=0)
    for status, words in (("on_track", "On the agreed day at Handover"), ("overdue", "Passed, not met at Handover")):
        row = replace(ROW, status=status, **late)
        view = viewed(milestones_shared=True, milestones=(row,), schedule=replace(SCHEDULE, **_fields(vital)))
        assert words in text(markup(renderer, view))


def _fields(vital: ScheduleVital) -> dict[str, Any]:
    return {name: getattr(vital, name) for name in ("milestone", "title", "baseline", "forecast", "slip_days")}


def test_more_forecasts_than_are_listed_are_counted(renderer: Renderer) -> None:
    def said(many: int) -> str:
        points = tuple(ForecastPoint(date(2027, 1, 1 + i), date(2027, 8, 1 + i)) for i in range(many + 1))
        return text(markup(renderer, of_row(trend=points)))

    assert said(MOST_EARLIER).count(", set ") == MOST_EARLIER
    assert "before these" not in said(MOST_EARLIER)
    assert said(MOST_EARLIER + 1).count(", set ") == MOST_EARLIER - 1
    assert "and two before these" in said(MOST_EARLIER + 1)


def test_forecasts_of_a_long_past_are_not_counted_as_some_may_not_be_drawn(renderer: Renderer) -> None:
    def said(many: int) -> str:
        points = tuple(ForecastPoint(date(2027, 1, 1) + timedelta(days=i), date(2027, 8, 1)) for i in range(many))
        return text(markup(renderer, of_row(trend=points)))

    assert "before these" in said(TREND_NEWEST)
    assert "before these" not in said(TREND_NEWEST + 1)
    assert "and earlier ones" in said(TREND_NEWEST + 1)


def test_one_milestone_that_changes_sends_its_own_rows_alone(renderer: Renderer) -> None:
    def both(**fields: Any) -> ClientView:
        other = replace(ROW, id="m2", title="Other", forecast=JULY, baseline=MAY)
        first = {"forecast": JUNE, "baseline": MAY, "deadline": JUNE, **fields}
        return viewed(milestones_shared=True, milestones=(replace(ROW, **first), other))

    def targets(**fields: Any) -> tuple[str, ...]:
        return frames.difference(renderer.render(both()), renderer.render(both(**fields))).targets

    assert targets(value=POUNDS) == ("md-m1",)
    assert targets(confirmed_at=AT) == ("md-m1",)
    assert targets(kind="payment", owner_side="joint", needs_acceptance=True) == ("md-m1",)
    assert targets(deadline=date(2027, 6, 9)) == ("ms-m1", "md-m1")


def test_the_rule_behind_a_status_is_no_tooltip(renderer: Renderer) -> None:
    views = (of_overall(), of_schedule(), of_budget(indicator=STATUS, budget=POUNDS), of_risks(indicator=STATUS))
    for view in views:
        made = markup(renderer, view)
        assert STATUS.rule in text(made)
        assert " title=" not in made


def test_a_range_and_a_deadline_are_marked_on_the_axis_that_holds_them(renderer: Renderer) -> None:
    shown = renderer.render(of_row(forecast=JUNE, earliest=MAY, latest=JULY, deadline=date(2027, 12, 1)))
    row = shown.parts["ms-m1"].head
    assert row.count('class="ex"') == 2
    places = [float(at) for at in re.findall(r'x1?="([0-9.]+)%"', row)]
    assert all(0 <= at <= 100 for at in places)
    assert 'data-to="2028-01-01"' in shown.parts["milestones"].head
