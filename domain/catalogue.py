"""The catalogue: one row for each thing that a share agreement can cover.

Rule: a row is described here once; checks, floors, labels, the scope sentence, the lists of changes, the consequence of
an agreement, exports and tests are made from it. docs/developers.md says how a row is added.

This module holds data alone and imports nothing of the project, so that every layer may read it.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, get_args

import msgspec

from domain.language import N_
from domain.language import gettext as _
from domain.view import Dimension

MilestoneField = Literal[
    "baseline", "forecast", "range", "actual", "slip", "status", "reason", "deadline", "kind", "owner_side",
    "location", "progress", "value", "acceptance", "client_action", "confirmed", "trend", "comments",
]  # fmt: skip
RiskField = Literal[
    "score", "inherent", "history", "cause", "effect", "category", "proximity", "response", "owner", "client_score",
    "comments",
]  # fmt: skip
BudgetLevel = Literal["nothing", "rag", "percent", "amounts"]
ProjectField = Literal["phase", "baselines", "confirmed"]
Item = Literal["milestone", "risk", "budget", "health", "project"]
Waits = Literal["", "slip", "cost", "score"]
Past = Literal["present", "since", "course"]
Detail = Literal["", "date", "score", "money"]


class Needs(msgspec.Struct, frozen=True):
    """Rows of the same item without which a row cannot be agreed, and what the refusal says."""

    keys: tuple[str, ...]  # all of them; of the budget, one of them
    refusal: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that an agreement can cover."""

    item: Item
    key: str  # as terms name it
    label: str  # in the editor
    named: str  # in the scope sentence: "agreed dates"
    shows: Mapping[str, str]  # fields of the view that it fills, each with its label
    past: Past = "present"  # the present value alone, also since when it holds, or the values before it
    waits: Waits = ""  # which kind of change that waits for review it would tell of
    detail: Detail = ""  # what its level of detail is a level of
    needs: Needs | None = None

    @property
    def id(self) -> str:
        """Its name in the whole catalogue: "milestone.forecast"."""
        return f"{self.item}.{self.key}"


_WITH_SCORE = Needs(
    ("score",),
    N_("The history of a score and the client's own score need the score itself. Share it as well, or leave them out."),
)
_AT_A_LEVEL = Needs(
    ("percent", "amounts"),
    N_(
        "The spend curve and the indices need a budget level of percent or amounts. Choose one of them, or leave them"
        " out."
    ),
)
_COMMENTS = N_("Comments, and a way to make them")

ROWS: tuple[Row, ...] = (
    Row(
        item="milestone",
        key="baseline",
        label=N_("Agreed date"),
        named=N_("agreed dates"),
        past="since",
        detail="date",
        shows={"baseline": N_("Agreed date"), "original_baseline": N_("First agreed date")},
    ),
    Row(
        item="milestone",
        key="forecast",
        label=N_("Forecast"),
        named=N_("forecasts"),
        waits="slip",
        detail="date",
        shows={"forecast": N_("Forecast")},
    ),
    Row(
        item="milestone",
        key="slip",
        label=N_("Slip"),
        named=N_("slip"),
        waits="slip",
        detail="date",
        shows={"slip": N_("Slip")},
        needs=Needs(
            ("baseline", "forecast"), N_("A slip tells both dates. Share the agreed date and the forecast as well.")
        ),
    ),
    Row(
        item="milestone",
        key="status",
        label=N_("Status"),
        named=N_("status"),
        waits="slip",
        detail="date",
        shows={"status": N_("Status")},
    ),
    Row(
        item="milestone",
        key="actual",
        label=N_("Date met"),
        named=N_("dates met"),
        waits="slip",
        detail="date",
        shows={"actual": N_("Date met")},
    ),
    Row(
        item="milestone",
        key="reason",
        label=N_("Reason for the last movement"),
        named=N_("reasons"),
        past="since",
        waits="slip",
        shows={"reason": N_("Reason for the last movement")},
    ),
    Row(
        item="milestone",
        key="trend",
        label=N_("Trend of the forecast"),
        named=N_("earlier forecasts"),
        past="course",
        waits="slip",
        detail="date",
        shows={"trend": N_("Course of the forecast")},
        needs=Needs(
            ("forecast",), N_("The trend is a course of forecasts. Share the forecast as well, or leave it out.")
        ),
    ),
    Row(
        item="milestone",
        key="range",
        label=N_("Earliest and latest"),
        named=N_("earliest and latest dates"),
        waits="slip",
        detail="date",
        shows={"earliest": N_("Earliest"), "latest": N_("Latest")},
    ),
    Row(
        item="milestone",
        key="deadline",
        label=N_("Contractual deadline"),
        named=N_("contractual deadlines"),
        detail="date",
        shows={"deadline": N_("Contractual deadline")},
    ),
    Row(
        item="milestone",
        key="progress",
        label=N_("Percent complete"),
        named=N_("percent complete"),
        shows={"progress": N_("Percent complete")},
    ),
    Row(
        item="milestone",
        key="client_action",
        label=N_("What waits for the client"),
        named=N_("what waits for you"),
        shows={"client_action": N_("What waits for the client"), "client_action_due": N_("Due from the client")},
    ),
    Row(
        item="milestone",
        key="acceptance",
        label=N_("Acceptance"),
        named=N_("acceptance"),
        detail="date",
        shows={"needs_acceptance": N_("Acceptance needed"), "accepted_on": N_("Accepted")},
    ),
    Row(
        item="milestone",
        key="owner_side",
        label=N_("Who has to act"),
        named=N_("who has to act"),
        shows={"owner_side": N_("Who has to act")},
    ),
    Row(item="milestone", key="kind", label=N_("Kind"), named=N_("kind"), shows={"kind": N_("Kind")}),
    Row(
        item="milestone",
        key="location",
        label=N_("Location"),
        named=N_("locations"),
        shows={"location": N_("Location")},
    ),
    Row(
        item="milestone",
        key="value",
        label=N_("Payment due with it"),
        named=N_("payments due"),
        detail="money",
        shows={"value": N_("Payment due")},
    ),
    Row(
        item="milestone",
        key="confirmed",
        label=N_("When last confirmed"),
        named=N_("when last confirmed"),
        past="since",
        shows={"confirmed_at": N_("Last confirmed")},
    ),
    Row(
        item="milestone",
        key="comments",
        label=_COMMENTS,
        named=N_("comments"),
        past="course",
        shows={"remarks": N_("Comments")},
    ),
    Row(
        item="risk",
        key="score",
        label=N_("Score"),
        named=N_("scores"),
        past="since",
        waits="score",
        detail="score",
        shows={"score": N_("Score"), "band": N_("Band"), "band_since": N_("Band since")},
    ),
    Row(
        item="risk",
        key="history",
        label=N_("Score before"),
        named=N_("scores before"),
        past="course",
        waits="score",
        detail="score",
        shows={"previous": N_("Score before"), "previous_band": N_("Band before")},
        needs=_WITH_SCORE,
    ),
    Row(
        item="risk",
        key="inherent",
        label=N_("Score before any response"),
        named=N_("scores before any response"),
        past="since",
        detail="score",
        shows={"inherent": N_("Score before any response"), "inherent_band": N_("Band before any response")},
    ),
    Row(
        item="risk",
        key="client_score",
        label=N_("Client’s own score"),
        named=N_("your own scores"),
        needs=_WITH_SCORE,
        shows={
            "client_score": N_("Client’s own score"),
            "client_band": N_("Band of the client’s score"),
            "client_scored_by": N_("Who scored for the client"),
            "view_needed": N_("Client’s view asked for"),
        },
    ),
    Row(
        item="risk",
        key="cause",
        label=N_("Cause and event"),
        named=N_("causes and events"),
        shows={"cause": N_("Cause"), "event": N_("Event")},
    ),
    Row(item="risk", key="effect", label=N_("Effect"), named=N_("effects"), shows={"effect": N_("Effect")}),
    Row(
        item="risk",
        key="response",
        label=N_("Response"),
        named=N_("responses"),
        shows={"response": N_("Response"), "response_actions": N_("Response, what is done")},
    ),
    Row(item="risk", key="owner", label=N_("Owner"), named=N_("owners"), shows={"owner": N_("Owner")}),
    Row(item="risk", key="category", label=N_("Category"), named=N_("categories"), shows={"category": N_("Category")}),
    Row(
        item="risk", key="proximity", label=N_("Proximity"), named=N_("proximity"), shows={"proximity": N_("Proximity")}
    ),
    Row(
        item="risk",
        key="comments",
        label=_COMMENTS,
        named=N_("comments"),
        past="course",
        shows={"remarks": N_("Comments")},
    ),
    Row(
        item="budget",
        key="rag",
        label=N_("Status alone"),
        named=N_("its status alone"),
        waits="cost",
        shows={"indicator": N_("Status")},
    ),
    Row(
        item="budget",
        key="percent",
        label=N_("Percentages"),
        named=N_("percentages"),
        waits="cost",
        detail="money",
        shows={
            "measure": N_("Measure"),
            "status_date": N_("Status date"),
            "forecast_on": N_("Date of the forecast"),
            "spent_on": N_("Spent, to"),
            "earned_on": N_("Earned, to"),
            "forecast_share": N_("Forecast, of budget"),
            "spent_share": N_("Spent, of budget"),
            "planned_share": N_("Planned by now, of budget"),
            "earned_share": N_("Earned, of budget"),
        },
    ),
    Row(
        item="budget",
        key="amounts",
        label=N_("Amounts"),
        named=N_("amounts"),
        past="since",
        waits="cost",
        detail="money",
        shows={
            "budget": N_("Approved budget"),
            "original_budget": N_("Original budget"),
            "forecast": N_("Forecast at completion"),
            "spent": N_("Spent"),
            "planned": N_("Planned by now"),
            "earned": N_("Earned"),
        },
    ),
    Row(
        item="budget",
        key="curve",
        label=N_("The curve over time"),
        named=N_("the curve over time"),
        past="course",
        waits="cost",
        detail="money",
        needs=_AT_A_LEVEL,
        shows={"curve": N_("Curve over time"), "curve_currency": N_("Unit of the curve")},
    ),
    Row(
        item="budget",
        key="indices",
        label=N_("CPI and SPI(t)"),
        named=N_("CPI and SPI(t)"),
        waits="cost",
        detail="money",
        needs=_AT_A_LEVEL,
        shows={"cpi": "CPI", "spi_t": "SPI(t)"},
    ),
    Row(
        item="health", key="overall", label=N_("Overall"), named=N_("overall"), shows={"overall": N_("Overall status")}
    ),
    Row(item="health", key="schedule", label=N_("Schedule"), named=N_("schedule"), shows={"indicator": N_("Status")}),
    Row(item="health", key="budget", label=N_("Budget"), named=N_("budget"), shows={"indicator": N_("Status")}),
    Row(item="health", key="risk", label=N_("Risk"), named=N_("risk"), shows={"indicator": N_("Status")}),
    Row(
        item="project",
        key="phase",
        label=N_("On hold or closed"),
        named=N_("whether it is on hold or closed"),
        shows={"phase": N_("On hold or closed")},
    ),
    Row(
        item="project",
        key="baselines",
        label=N_("Earlier agreed plans"),
        named=N_("the agreed plans"),
        past="course",
        shows={"baselines": N_("Agreed plans")},
    ),
    Row(
        item="project",
        key="confirmed",
        label=N_("When last confirmed"),
        named=N_("when the plan was last confirmed"),
        past="since",
        shows={"confirmed_at": N_("Plan last confirmed")},
    ),
)
BY_ID: Mapping[str, Row] = {row.id: row for row in ROWS}


def of(item: Item) -> tuple[Row, ...]:
    """Return the rows of an item, in the order in which the editor offers them."""
    return tuple(row for row in ROWS if row.item == item)


def keys(item: Item) -> tuple[str, ...]:
    """Return the keys of an item's rows."""
    return tuple(row.key for row in of(item))


def labels(item: Item) -> dict[str, str]:
    """Return what the editor calls each row of an item, by key."""
    return {row.key: _(row.label) for row in of(item)}


def shown(item: Item) -> dict[str, str]:
    """Return the labels of all fields of the view that rows of an item fill, by field."""
    return {field: _(label) for row in of(item) for field, label in row.shows.items()}


def telling(item: Item, waits: Waits) -> frozenset[str]:
    """Return the keys of an item's rows that would tell of a kind of change which waits for review."""
    return frozenset(row.key for row in of(item) if row.waits == waits)


def missing(item: Item, chosen: frozenset[str]) -> Iterator[Needs]:
    """Yield what chosen rows of an item need and have not got."""
    for row in of(item):
        if row.key in chosen and row.needs is not None:
            got = [key in chosen for key in row.needs.keys]
            if not (any(got) if item == "budget" else all(got)):
                yield row.needs


def _complete() -> bool:
    """Tell whether every value that terms can hold has its row."""
    levels = {level for level in get_args(BudgetLevel) if level != "nothing"}
    return (
        set(keys("milestone")) == set(get_args(MilestoneField))
        and set(keys("risk")) == set(get_args(RiskField))
        and set(keys("budget")) == levels | {"curve", "indices"}
        and set(keys("health")) == set(get_args(Dimension))
        and set(keys("project")) == set(get_args(ProjectField))
    )


assert _complete()
