"""The list of changes names every value that moved, once, with the value before and after as words and as data."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from domain.catalogue import ROWS, Row
from domain.money import Money
from domain.view import (
    Ack,
    Baseline,
    BudgetVital,
    ClientView,
    ConcernCard,
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
from projections.entries import names
from projections.entries.changes import NAMED, OTHERS, changes, of_format_1
from projections.entries.changes_aligned import aligned
from projections.entries.changes_values import FOLLOWS, PAIRED
from projections.entries.entry import Change
from projections.wording import values
from tests.properties.seeds import FIRST_SEED

pytestmark = pytest.mark.once

DAY, AT = date(2027, 3, 10), datetime(2027, 3, 10, 12, tzinfo=UTC)
EARLIER = DAY - timedelta(days=20)
YEARLESS = re.compile(r"\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b(?! \d{4})")
VERA, OLGA = (names.placeholder(names.key_of("share1", person)) for person in ("vera", "olga"))
KINDS = {field: tuple(term) for field, term in values.TERMS.items() if field != "status"} | {
    "status": ("on_track", "at_risk", "off_track"),
    "owner_side": ("ours", "theirs", "joint"),
    "client_scored_by": (VERA, OLGA),
}


def pounds(amount: str) -> Money:
    return Money(Decimal(amount), "GBP")


def indicator(**given: Any) -> Indicator:
    return Indicator(**{"status": "on_track", "rule": "Late from 5 days on.", **given})


ROW = MilestoneRow(
    id="m1",
    title="Handover",
    kind="delivery",
    owner_side="ours",
    location="Pier 3",
    original_baseline=DAY,
    baseline=DAY + timedelta(days=5),
    forecast=DAY + timedelta(days=9),
    earliest=DAY + timedelta(days=7),
    latest=DAY + timedelta(days=12),
    actual=DAY + timedelta(days=8),
    deadline=DAY + timedelta(days=30),
    status="on_track",
    slip=Slip(since_original=9, since_current=4, working=2),
    reason="Frost",
    progress=40,
    value=pounds("1234.50"),
    needs_acceptance=True,
    accepted_on=DAY + timedelta(days=10),
    client_action="Send the drawings",
    client_action_due=DAY + timedelta(days=2),
    confirmed_at=AT,
    trend=(ForecastPoint(DAY, DAY + timedelta(days=9)),),
    remarks=(Remark(at=AT, by=VERA, ours=False, text="Is it on time?"),),
)
CARD = RiskCard(
    id="r7",
    ref="R-07",
    title="Ground",
    cause="Old fill",
    event="Settlement",
    effect="Delay",
    category="Ground",
    score=Score(3, 4, 12, DAY),
    inherent=Score(5, 5, 25, DAY),
    previous=Score(2, 4, 8, DAY),
    band="high",
    band_since=DAY,
    inherent_band="high",
    previous_band="medium",
    proximity="imminent",
    response="reduce",
    response_actions="Piling",
    owner="Site manager",
    client_score=Score(2, 2, 4, DAY),
    client_band="low",
    client_scored_by=VERA,
    remarks=(Remark(at=AT, by=VERA, ours=False, text="And now?"),),
)
BUDGET = BudgetVital(
    indicator=indicator(),
    measure="cost",
    status_date=DAY,
    budget=pounds("1000000"),
    original_budget=pounds("900000"),
    forecast=pounds("1010000"),
    forecast_on=EARLIER,
    spent_on=EARLIER,
    earned_on=EARLIER,
    spent=pounds("400000"),
    planned=pounds("420000"),
    earned=pounds("390000"),
    forecast_share=Decimal("1.0100"),
    spent_share=Decimal("0.4000"),
    planned_share=Decimal("0.4200"),
    earned_share=Decimal("0.3900"),
    cpi=Decimal("0.98"),
    spi_t=Decimal("0.95"),
    curve=(CurvePoint(on=DAY, planned=Decimal(420000)),),
    curve_currency="GBP",
)
VIEW = ClientView(
    organisation="Example Works",
    client="Acme Rail",
    project="Harbour Line",
    time_zone="Europe/London",
    terms_version=1,
    scope="One milestone.",
    headline=Headline(sentence="On the agreed plan."),
    phase="running",
    as_of=DAY,
    overall=indicator(),
    schedule=ScheduleVital(indicator=indicator()),
    budget=BUDGET,
    risk=RiskVital(indicator=indicator()),
    milestones_shared=True,
    risks_shared=True,
    milestones=(ROW, msgspec.structs.replace(ROW, id="m2", title="Trial run")),
    baselines=(Baseline(number=1, approved_on=DAY, reason="First"),),
    risks=(CARD, msgspec.structs.replace(CARD, id="r8", ref="R-08", title="Weather")),
    scale=Scale(),
    confirmed_at=AT,
)
EMPTY: dict[str, Any] = {"remarks": (), "trend": (), "curve": (), "baselines": (), "view_needed": False}


@dataclass(frozen=True)
class Place:
    """Where a value stands in a view."""

    thing: str  # "milestones", "risks", "budget", "schedule", "risk", "" for the view itself
    number: int
    field: str

    def of(self, view: ClientView) -> Any:
        return getattr(self._whole(view), self.field)

    def _whole(self, view: ClientView) -> Any:
        found = getattr(view, self.thing) if self.thing else view
        return found[self.number] if isinstance(found, tuple) else found

    def put(self, view: ClientView, value: Any) -> ClientView:
        whole = msgspec.structs.replace(self._whole(view), **{self.field: value})
        if not self.thing:
            return whole
        found = getattr(view, self.thing)
        if isinstance(found, tuple):
            whole = (*found[: self.number], whole, *found[self.number + 1 :])
        return msgspec.structs.replace(view, **{self.thing: whole})


def place(row: Row, field: str, number: int = 0) -> Place:
    thing = {"milestone": "milestones", "risk": "risks", "budget": "budget", "project": ""}.get(row.item)
    if thing is None:
        thing = "" if row.key == "overall" else row.key
    return Place(thing, number, field)


def other(field: str, value: Any, step: int = 1) -> Any:
    """Return another value of a field, which differs with the step."""
    if field in KINDS:
        choices = KINDS[field]
        at = choices.index(value) if value in choices else 0
        return choices[(at + 1 + (step - 1) % (len(choices) - 1)) % len(choices)]
    match value:
        case bool():
            return not value
        case datetime():
            return value + timedelta(days=step)
        case date():
            return value + timedelta(days=40 * step)
        case Money():
            return Money(value.amount + 7000 * step, value.currency)
        case Decimal():
            return value + Decimal(step) / 100
        case int():
            return value + step
        case Score():
            return Score(value.probability, value.impact + step, value.probability * (value.impact + step), value.on)
        case Slip():
            return Slip(since_original=step, since_current=value.since_current + step, working=step)
        case Indicator():
            return msgspec.structs.replace(value, status=other("status", value.status, step))
        case tuple():
            return (*value, another_of(field, step + len(value)))
        case _:
            return f"{value} {step}"


def another_of(field: str, step: int) -> Any:
    match field:
        case "trend":
            return ForecastPoint(DAY + timedelta(days=step), DAY + timedelta(days=step * 3))
        case "curve":
            return CurvePoint(on=DAY + timedelta(days=step), planned=Decimal(step))
        case "baselines":
            return Baseline(number=step + 1, approved_on=DAY + timedelta(days=step), reason="Again")
        case _:
            return Remark(at=AT + timedelta(hours=step), by=OLGA, ours=True, text="So it is.")


OWN_WORDS = {
    "milestone.client_action-client_action_due": "Waiting for you",
    "milestone.comments-remarks": "commented on Handover",
    "risk.comments-remarks": "commented on R-07 Ground",
    "risk.score-score": "went from 12 to 15",
    "risk.client_score-client_score": "Your view of R-07 Ground is recorded",
    "risk.client_score-client_band": "Band of your score",
    "risk.client_score-client_scored_by": OLGA,
    "risk.client_score-view_needed": "Your view of R-07 Ground is needed",
    "budget.amounts-forecast": "Forecast at completion is now £1.02m",
    "budget.amounts-spent": "Spend is now £407k",
    "budget.amounts-budget": "Approved budget is now £1.01m",
    "budget.curve-curve_currency": "Curve over time updated",
    "project.baselines-baselines": "Plan 3 was agreed",
} | {f"{row.id}-{field}": "to at risk" for row in ROWS for field in row.shows if field in {"indicator", "overall"}}
CASES = [pytest.param(row, field, id=f"{row.id}-{field}") for row in ROWS for field in row.shows]


def row_told(row: Row) -> str:
    """Return the row of a change: the budget's status is one, whether it is agreed as a level or as a health indicator."""
    return "health.budget" if row.id == "budget.rag" else row.id


def field_told(row: Row, field: str) -> str:
    if field in {"indicator", "overall"}:
        return "status"
    return {second: first for first, second in PAIRED.items()}.get(field, field)


def data_of(view: ClientView, subject: str, row: str, field: str) -> str:
    """Return what the data of a change must be, read from the view."""
    item, _, key = subject.partition("-")
    if row.startswith("health."):
        name = row.removeprefix("health.")
        part = getattr(view, name)
        return (part if name == "overall" else part.indicator).status
    things = {"milestone": view.milestones, "risk": view.risks}
    thing: Any = next((t for t in things.get(item, ()) if t.id == key), view.budget if item == "budget" else view)
    if field == "remarks":
        return str(len(thing.remarks) or "")
    parts = [field, PAIRED[field]] if field in PAIRED else [field]
    return "; ".join(text for part in parts if (text := values.data(part, getattr(thing, part))))


def texts(change: Change) -> str:
    return f"{change.title} {change.before} {change.after} {change.note} {change.say}"


def one(before: ClientView, after: ClientView) -> Change:
    found = changes(before, after)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(("row", "field"), CASES)
def test_a_value_that_moves_alone_is_one_change_of_its_row(row: Row, field: str) -> None:
    at = place(row, field)
    before = VIEW
    if field == "remarks":
        before = at.put(VIEW, at.of(VIEW)[:1])
    after = at.put(before, other(field, at.of(before)))
    found = one(before, after)
    assert found.row == row_told(row)
    assert found.field == field_told(row, field)
    assert found.was == data_of(before, found.subject, found.row, found.field)
    assert found.now == data_of(after, found.subject, found.row, found.field)
    assert found.now != found.was
    assert found.subject == {"milestone": "milestone-m1", "risk": "risk-r7"}.get(
        row.item, "budget" if "budget" in row.id else "project"
    )
    expected = values.said(field, at.of(after), values.way_of(after))
    assert OWN_WORDS.get(f"{row.id}-{field}", row.shows[field]) in texts(found) or expected in texts(found)
    assert found.say
    named = names.keys_in(msgspec.json.encode(after).decode()) - names.keys_in(msgspec.json.encode(before).decode())
    assert named <= names.keys_in("".join(msgspec.structs.astuple(found)))


@pytest.mark.parametrize(("row", "field"), CASES)
def test_a_value_that_appears_or_goes_under_the_same_agreement_is_one_change_of_its_row(row: Row, field: str) -> None:
    at = place(row, field)
    full = VIEW if field != "view_needed" else at.put(VIEW, True)
    nothing = EMPTY.get(field, "" if isinstance(at.of(full), str) and field not in {"phase", "measure"} else None)
    nothing = None if field in {"status", "band"} or field.endswith("_band") else nothing
    without = at.put(full, nothing)
    appeared = one(without, full)
    assert appeared.row == row_told(row)
    assert appeared.now
    if field not in {*PAIRED, *PAIRED.values()}:
        assert appeared.was == ""
        assert appeared.before == ""
    if field == "remarks":
        return
    gone = one(full, without)
    assert (gone.row, gone.subject) == (appeared.row, appeared.subject)
    assert (gone.was, gone.now) == (appeared.now, appeared.was)
    if not gone.now:
        assert gone.after == "Removed"
        assert "removed" in gone.say


def test_what_is_said_reads_like_a_sentence() -> None:
    def said(item: str, field: str, value: Any) -> tuple[str, ...]:
        row = next(row for row in ROWS if row.item == item and field in row.shows)
        change = one(VIEW, place(row, field).put(VIEW, value))
        return change.title, change.before, change.after, change.note, change.say, change.was, change.now

    assert said("milestone", "deadline", date(2027, 4, 12)) == (
        "Handover", "9 Apr 2027", "12 Apr 2027", "Contractual deadline, +3 days",
        "Handover: Contractual deadline changed from 9 April 2027 to 12 April 2027", "2027-04-09", "2027-04-12",
    )  # fmt: skip
    assert said("milestone", "deadline", date(2028, 4, 12))[1:3] == ("9 Apr 2027", "12 Apr 2028")
    assert said("milestone", "deadline", None)[2:] == (
        "Removed", "Contractual deadline", "Handover: Contractual deadline removed", "2027-04-09", "",
    )  # fmt: skip
    assert said("milestone", "value", pounds("1235")) == (
        "Handover", "£1,234.50", "£1,235", "Payment due",
        "Handover: Payment due changed from £1,234.50 to £1,235", "1234.50 GBP", "1235 GBP",
    )  # fmt: skip
    assert said("milestone", "earliest", date(2027, 3, 20))[1:3] == (
        "17 Mar 2027 to 22 Mar 2027",
        "20 Mar 2027 to 22 Mar 2027",
    )
    assert said("milestone", "latest", None)[2] == "17 Mar 2027 at the earliest"
    assert said("milestone", "owner_side", "theirs")[1:4] == ("Example Works", "Acme Rail", "Who has to act")
    assert said("milestone", "client_action_due", date(2027, 3, 20))[1:4] == (
        "Send the drawings, due 12 Mar 2027", "Send the drawings, due 20 Mar 2027", "Waiting for you",
    )  # fmt: skip
    assert said("risk", "inherent", Score(4, 5, 20))[:4] == (
        "R-07 Ground", "5×5 = 25", "4×5 = 20", "Score before any response",
    )  # fmt: skip
    assert said("risk", "score", Score(4, 4, 16))[5:] == ("3x4=12", "4x4=16")
    assert said("risk", "client_scored_by", OLGA)[2:4] == (OLGA, "Who scored for you")
    assert said("budget", "spent_share", Decimal("0.45"))[:4] == ("Spent, of budget", "40 %", "45 %", "")
    assert said("budget", "planned", pounds("420500"))[:3] == ("Planned by now", "£420,000", "£420,500")
    assert said("budget", "status_date", date(2027, 4, 30))[:4] == (
        "Status date",
        "10 Mar 2027",
        "30 Apr 2027",
        "+51 days",
    )


@pytest.mark.parametrize(
    ("name", "given", "kind"),
    [
        ("schedule", {"reason": "We know better", "overridden": True}, "reason"),
        ("risk", {"rule": "Another one."}, "rule"),
        ("budget", {"previous": "at_risk"}, "previous"),
        ("overall", {"overridden": True}, "reason"),
    ],
)
def test_what_a_status_rests_on_is_told_where_the_status_stays(name: str, given: dict[str, Any], kind: str) -> None:
    at = Place("", 0, "overall") if name == "overall" else Place(name, 0, "indicator")
    found = one(VIEW, at.put(VIEW, indicator(**given)))
    assert (found.kind, found.row, found.field) == (f"health.{name}.{kind}", f"health.{name}", kind)
    moved = one(VIEW, at.put(VIEW, indicator(**given, status="off_track")))
    assert (moved.kind, moved.field, moved.was, moved.now) == (f"health.{name}", "status", "on_track", "off_track")


def test_what_follows_from_a_move_is_not_told_beside_it() -> None:
    def moved(**given: Any) -> list[str]:
        row = msgspec.structs.replace(ROW, **given)
        view = msgspec.structs.replace(
            VIEW,
            milestones=(row, *VIEW.milestones[1:]),
            as_of=DAY + timedelta(days=1),
            headline=Headline(sentence="Late."),
            schedule=msgspec.structs.replace(VIEW.schedule, slip_days=30, previous_slip=4),
        )
        return [change.kind for change in changes(VIEW, view)]

    late = {"status": "off_track", "slip": Slip(since_current=40), "reason": "Ice"}
    assert moved(forecast=DAY + timedelta(days=45), trend=(), **late) == ["milestone.forecast"]
    assert moved(baseline=DAY + timedelta(days=45), original_baseline=DAY, **late) == [
        "milestone.baseline",
        "milestone.reason",
    ]
    assert moved(status="met", actual=DAY, progress=100, slip=Slip(since_current=0)) == ["milestone.met"]
    assert moved(earliest=DAY, reason="Ice") == ["milestone.earliest"]
    assert moved() == ["share.updated"]
    scored = Place("risks", 0, "band").put(Place("risks", 0, "score").put(VIEW, Score(1, 2, 2)), "low")
    assert [change.kind for change in changes(VIEW, Place("risks", 0, "previous").put(scored, CARD.score))] == [
        "risk.score"
    ]
    spent = Place("budget", 0, "spent_share").put(Place("budget", 0, "spent").put(VIEW, pounds("5")), Decimal("0.1"))
    assert [change.kind for change in changes(VIEW, spent)] == ["budget.spent"]
    plan = Place("milestones", 1, "confirmed_at").put(Place("milestones", 0, "confirmed_at").put(VIEW, None), None)
    confirmed = Place("", 0, "confirmed_at").put(VIEW, AT + timedelta(days=1))
    assert [change.kind for change in changes(plan, confirmed)] == ["plan.confirmed"]


def test_months_and_quarters_are_told_as_such() -> None:
    at = Place("milestones", 0, "forecast")
    coarse = at.put(msgspec.structs.replace(VIEW, date_unit="month"), date(2027, 10, 31))
    found = one(coarse, at.put(coarse, date(2027, 12, 31)))
    assert (found.before, found.after, found.note) == ("Oct 2027", "Dec 2027", "+2 months")
    assert found.say == "Handover moved from October 2027 to December 2027"
    assert (found.was, found.now) == ("2027-10-31", "2027-12-31")
    by_quarter = msgspec.structs.replace(coarse, date_unit="quarter")
    deadline = Place("milestones", 0, "deadline").put(by_quarter, date(2027, 6, 30))
    found = one(deadline, Place("milestones", 0, "deadline").put(deadline, date(2027, 9, 30)))
    assert (found.before, found.after, found.note) == ("Q2 2027", "Q3 2027", "Contractual deadline, +1 quarter")
    slip = Place("milestones", 0, "slip")
    late = slip.put(by_quarter, Slip(since_current=92))
    assert one(late, slip.put(by_quarter, Slip(since_current=184))).after == "+2 quarters"
    due = one(coarse, Place("milestones", 0, "client_action_due").put(coarse, date(2027, 5, 3)))
    assert due.after == "Send the drawings, due 3 May 2027"
    met = Place("milestones", 0, "status").put(Place("milestones", 0, "actual").put(coarse, date(2027, 11, 30)), "met")
    assert one(coarse, met).say == "Handover was reached in November 2027"


def amended(view: ClientView, **given: Any) -> ClientView:
    return msgspec.structs.replace(view, terms_version=view.terms_version + 1, **given)


def coarse_row(row: MilestoneRow) -> MilestoneRow:
    end = date(2027, 3, 31)
    return msgspec.structs.replace(
        row, original_baseline=end, baseline=end, forecast=end, earliest=end, latest=end, actual=end, accepted_on=end,
        deadline=date(2027, 4, 30), slip=Slip(since_current=0), trend=(),
    )  # fmt: skip


@pytest.mark.parametrize(("row", "field"), CASES)
def test_a_row_that_is_switched_on_or_off_is_told_as_the_agreement_alone(row: Row, field: str) -> None:
    at = place(row, field)
    nothing = None if at.of(VIEW) is None else EMPTY.get(field)
    off = at.put(at.put(VIEW, nothing), nothing)
    assert [change.kind for change in changes(off, amended(VIEW))] == ["agreement.amended"]
    assert [change.kind for change in changes(VIEW, amended(off))] == ["agreement.amended"]


def test_another_level_of_detail_is_told_as_the_agreement_alone_and_a_move_under_it_as_a_move() -> None:
    coarse = amended(VIEW, date_unit="month", milestones=tuple(map(coarse_row, VIEW.milestones)))
    finer = amended(coarse, date_unit="day", milestones=VIEW.milestones)
    for before, after in ((VIEW, coarse), (coarse, finer)):
        assert [change.kind for change in changes(before, after)] == ["agreement.amended"]
    moved = Place("milestones", 0, "forecast").put(coarse, date(2027, 5, 31))
    told = changes(VIEW, moved)
    assert [change.kind for change in told] == ["agreement.amended", "milestone.forecast"]
    assert (told[1].before, told[1].after) == ("Mar 2027", "May 2027")

    forecast = VIEW.milestones[0].forecast
    assert forecast is not None
    year = Place("milestones", 0, "forecast").put(VIEW, forecast.replace(year=forecast.year + 1))
    assert [c.kind for c in changes(VIEW, amended(year))][:2] == ["agreement.amended", "milestone.forecast"]

    rounded = msgspec.structs.replace(BUDGET, spent=pounds("390000"), spent_share=Decimal("0.39"), cpi=Decimal(1))
    assert [c.kind for c in changes(VIEW, amended(VIEW, budget=rounded, money_step=20000))] == ["agreement.amended"]
    much = msgspec.structs.replace(rounded, spent=pounds("500000"))
    kinds = [c.kind for c in changes(VIEW, amended(VIEW, budget=much, money_step=20000))]
    assert kinds == ["agreement.amended", "budget.spent"]

    banded = msgspec.structs.replace(CARD, score=None, previous=None, inherent=None)
    low = msgspec.structs.replace(banded, band="low")
    assert [c.kind for c in changes(VIEW, amended(VIEW, risks=(banded, VIEW.risks[1])))] == ["agreement.amended"]
    told = changes(VIEW, amended(VIEW, risks=(low, VIEW.risks[1])))
    assert [(c.kind, c.before, c.after) for c in told[1:]] == [("risk.band", "High", "Low")]


def test_how_far_the_past_goes_back_is_told_as_the_agreement_alone() -> None:
    view = VIEW
    for at in (Place("milestones", 0, "trend"), Place("budget", 0, "curve"), Place("milestones", 0, "remarks")):
        view = at.put(view, (*at.of(view), another_of(at.field, 2)))
    undated = msgspec.structs.replace(CARD, score=Score(3, 4, 12), inherent=Score(5, 5, 25))
    view = msgspec.structs.replace(view, overall=indicator(previous="at_risk"), risks=(undated, *view.risks[1:]))
    for before, after in ((VIEW, view), (view, VIEW)):
        assert [change.kind for change in changes(before, amended(after))] == ["agreement.amended"]


def test_what_no_row_names_is_told_by_its_name() -> None:
    given: dict[str, Any] = {
        "organisation": "Example Works Ltd", "client": "Acme", "project": "Harbour", "time_zone": "Europe/Paris",
        "language": "fr", "brand": "ab" * 32, "scale": Scale(size=4),
    }  # fmt: skip
    assert given.keys() == NAMED.keys()
    for field, value in given.items():
        found = one(VIEW, msgspec.structs.replace(VIEW, **{field: value}))
        assert (found.kind, found.say, found.field) == ("share.updated", f"{NAMED[field]} updated", field)
        both = Place("milestones", 0, "forecast").put(VIEW, date(2027, 5, 1))
        beside = changes(VIEW, msgspec.structs.replace(both, **{field: value}))
        assert [change.kind for change in beside] == ["milestone.forecast", "share.updated"]
    assert one(VIEW, msgspec.structs.replace(VIEW, scope="Two.")).say == "What the agreement covers updated"
    final = Place("milestones", 0, "final").put(VIEW, True)
    assert one(VIEW, msgspec.structs.replace(final, scope="Two.")).after == (
        "What the agreement covers and Milestones updated"
    )


def test_every_member_of_a_view_is_told_of_somehow() -> None:
    by_row = {field for row in ROWS if row.item in ("project", "health") for field in row.shows} - {"indicator"}
    told = by_row | NAMED.keys() | OTHERS.keys() | {"terms_version", "look"}  # of the look, the brand tells
    told |= {"confirmed_quietly", "unconfirmed"}  # with which nothing is told
    assert set(ClientView.__struct_fields__) == told


def test_a_thing_that_comes_or_goes_is_one_change_of_it() -> None:
    less = msgspec.structs.replace(VIEW, milestones=VIEW.milestones[:1], risks=VIEW.risks[1:])
    assert [(c.kind, c.subject, c.row) for c in changes(VIEW, less)] == [
        ("milestone.withdrawn", "milestone-m2", ""), ("risk.withdrawn", "risk-r7", ""),
    ]  # fmt: skip
    assert [(c.kind, c.subject, c.row) for c in changes(less, VIEW)] == [
        ("milestone.added", "milestone-m2", ""), ("risk.added", "risk-r7", ""),
    ]  # fmt: skip
    renamed = Place("risks", 0, "title").put(Place("milestones", 0, "title").put(VIEW, "Opening"), "Soil")
    assert [(c.kind, c.was, c.now) for c in changes(VIEW, renamed)] == [
        ("milestone.renamed", "Handover", "Opening"), ("risk.renamed", "R-07 Ground", "R-07 Soil"),
    ]  # fmt: skip


def test_who_said_something_is_told_as_a_name_of_its_own() -> None:
    concern = ConcernCard(id="c1", at=AT, by=VERA, update=3, about="Handover", text="Late?")
    raised = msgspec.structs.replace(VIEW, concerns=(concern,))
    found = one(VIEW, raised)
    assert (found.subject, found.who, found.why) == ("concern-c1", VERA, "Late?")
    answered = msgspec.structs.replace(concern, answer="No.", answered_by=OLGA)
    found = one(raised, msgspec.structs.replace(VIEW, concerns=(answered,)))
    assert (found.subject, found.who) == ("concern-c1", OLGA)
    found = one(VIEW, msgspec.structs.replace(VIEW, agreement_ack=Ack(by=VERA, on=DAY, update=3)))
    assert (found.subject, found.who) == ("agreement", VERA)
    found = one(VIEW, Place("milestones", 0, "ack").put(VIEW, Ack(by=VERA, on=DAY, update=3)))
    assert (found.subject, found.who) == ("milestone-m1", VERA)
    found = one(VIEW, Place("budget", 0, "remarks").put(VIEW, ROW.remarks))
    assert (found.subject, found.who, found.was, found.now) == ("budget", VERA, "", "1")


def test_order_is_agreement_project_milestones_risks_budget_then_what_was_said() -> None:
    view = amended(
        VIEW, phase="on_hold", concerns=(ConcernCard(id="c1", at=AT, by=VERA, update=1, about="", text="?"),)
    )
    for at in (Place("milestones", 0, "deadline"), Place("milestones", 0, "forecast"), Place("milestones", 1, "kind"),
               Place("risks", 0, "owner"), Place("budget", 0, "cpi")):  # fmt: skip
        view = at.put(view, other(at.field, at.of(view)))
    assert [(change.kind, change.subject) for change in changes(VIEW, view)] == [
        ("agreement.amended", "agreement"),
        ("project.phase", "project"),
        ("milestone.kind", "milestone-m2"),
        ("milestone.forecast", "milestone-m1"),
        ("milestone.deadline", "milestone-m1"),
        ("risk.owner", "risk-r7"),
        ("budget.cpi", "budget"),
        ("concern.raised", "concern-c1"),
    ]


def test_entries_of_format_1_have_the_changes_they_had() -> None:
    at = Place("milestones", 0, "deadline")
    later = at.put(VIEW, date(2028, 1, 1))
    assert [(c.kind, c.say) for c in of_format_1(VIEW, later)] == [("share.updated", "Details were updated")]
    moved = Place("milestones", 0, "forecast").put(later, date(2027, 5, 1))
    assert [c.kind for c in of_format_1(VIEW, moved)] == ["milestone.forecast"]
    assert of_format_1(VIEW, VIEW) == changes(VIEW, VIEW) == ()
    without = Place("milestones", 0, "progress").put(VIEW, None)
    assert [c.kind for c in of_format_1(without, amended(VIEW))] == ["agreement.amended", "milestone.progress"]


# many at random


def mutated(view: ClientView, drawn: random.Random, *, same: bool) -> ClientView:
    """Return a view in which some values are others; with `same` they never come or go."""
    for _ in range(drawn.randint(1, 6)):
        row = drawn.choice(ROWS)
        field = drawn.choice(list(row.shows))
        at = place(row, field, drawn.randint(0, 1))
        value = at.of(view)
        if not same and drawn.random() < 0.3:
            view = at.put(view, EMPTY.get(field, "" if isinstance(value, str) and field not in KINDS else None))
        elif value is None or value == "":
            view = at.put(view, at.of(VIEW))
        elif field == "remarks" and len(value) > 3:
            continue
        else:
            view = at.put(view, other(field, value, drawn.randint(1, 3)))
    return view


def of_rows(change: Change) -> bool:
    return bool(change.row) and change.field not in {"reason", "rule", "previous"} | OF_OTHERS


OF_OTHERS = {field for follows in FOLLOWS.values() for field in follows} | {"confirmed_at"}


def leaders(view: ClientView) -> Iterator[tuple[str, str, str]]:
    """Yield subject, row and field of every value that is always told when it moves."""
    for row in ROWS:
        for field in row.shows:
            told = row_told(row), field_told(row, field)
            if told[1] in OF_OTHERS:
                continue
            match row.item:
                case "milestone":
                    yield from ((f"milestone-{m.id}", *told) for m in view.milestones)
                case "risk":
                    yield from ((f"risk-{r.id}", *told) for r in view.risks)
                case _:
                    yield ("budget" if "budget" in row.id else "project", *told)


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + 60))
def test_changes_of_many_updates_fold_to_the_net_difference(seed: int) -> None:
    drawn = random.Random(seed)
    views, first, last = [VIEW], dict[tuple[str, str, str], str](), dict[tuple[str, str, str], str]()
    for _ in range(drawn.randint(2, 8)):
        views.append(mutated(views[-1], drawn, same=True))
        for change in changes(views[-2], views[-1]):
            if of_rows(change):
                key = change.subject, change.row, change.field
                assert change.was == last.get(key, change.was), (seed, key)
                first.setdefault(key, change.was)
                last[key] = change.now
    for key in leaders(VIEW):
        oldest, newest = data_of(views[0], *key), data_of(views[-1], *key)
        if key in last:
            assert (first[key], last[key]) == (oldest, newest), (seed, key)
        else:
            assert oldest == newest, (seed, key)


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + 60))
def test_views_that_differ_in_a_row_never_give_nothing_or_something_without_a_name(seed: int) -> None:
    drawn = random.Random(seed)
    before = mutated(VIEW, drawn, same=False)
    after = mutated(before, drawn, same=False)
    if before == after:
        return
    found = changes(before, after)
    assert found, seed
    told = [(change.subject, change.row, change.field) for change in found if change.row and change.field != "remarks"]
    assert len(told) == len(set(told)), seed
    for change in found:
        assert not YEARLESS.search(f"{change.before} | {change.after} | {change.note} | {change.say}"), (seed, change)
        assert change.say, (seed, change)
        assert change.title, (seed, change)
        assert change.after, (seed, change)
        assert "etails" not in change.after, (seed, change)
    under_other = amended(after)
    of_agreement = changes(before, under_other)
    assert of_agreement[0].kind == "agreement.amended"
    assert all(change.was and change.now for change in of_agreement if change.row), (seed, of_agreement)
    assert aligned(under_other, under_other) == under_other
