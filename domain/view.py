"""ClientView: all that a client may know at a moment.

Rule: imports nothing of the project, so that nothing on a client's path reaches it.

Every figure is computed by `policy.reveal` from what the terms share, at the level of detail they allow; rendering only
formats. Dates are civil dates without a zone; instants are UTC. A value of None or an empty tuple means "not shared" or
"not known", which a client cannot tell apart. Nothing here depends on the reader or on the time of reading.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from domain.look.look import Look
from domain.money import Money

Rag = Literal["on_track", "at_risk", "off_track"]
Dimension = Literal["schedule", "budget", "risk", "overall"]  # each health indicator is shared by itself
RiskBand = Literal["low", "medium", "high"]
MilestoneState = Literal["on_track", "at_risk", "off_track", "overdue", "met", "planned"]
Measure = Literal["cost", "price"]
ProjectPhase = Literal["running", "on_hold", "closed"]
DateUnit = Literal["day", "month", "quarter"]
ScoreDetail = Literal["score", "band"]

TREND_MOST = 60  # points of a milestone's trend
TREND_NEWEST = 30  # of them as they are where there would be more; docs/spec.md 6.12


class Indicator(msgspec.Struct, frozen=True, kw_only=True):
    """One health indicator, shared as a measure of its own (declassified by the terms)."""

    status: Rag
    rule: str  # the published rule in words, shown on hover
    previous: Rag | None = None  # the status before the last change of status
    reason: str = ""  # the manager's reason when the rule was overridden
    overridden: bool = False


class Headline(msgspec.Struct, frozen=True, kw_only=True):
    """The generated sentence at the top of the page."""

    sentence: str  # "Eleven days behind the agreed plan and within budget."
    ask: str = ""  # "One risk is waiting for your view."
    ask_target: str = ""  # the risk id the ask leads to


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """One approved plan of record."""

    number: int  # 1 is the original
    approved_on: date
    reason: str


class Slip(msgspec.Struct, frozen=True, kw_only=True):
    """Forecast (or actual) minus baseline in days; positive is late."""

    since_original: int | None = None  # calendar days
    since_current: int  # calendar days
    working: int | None = None  # working days against the current baseline, by the project's calendar; of days alone


class ForecastPoint(msgspec.Struct, frozen=True):
    """On the day `on` the forecast was set to the date `forecast`."""

    on: date
    forecast: date


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """One comment, by one side; `by` is the name of a person of either organisation."""

    at: datetime
    by: str
    ours: bool  # of the organisation that shares
    text: str


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the client acknowledged what update `update` showed."""

    by: str
    on: date
    update: int
    current: bool = True  # what is shown of it has not changed since


class ConcernCard(msgspec.Struct, frozen=True, kw_only=True):
    """A concern the client raised on what update `update` showed, and the answer."""

    id: str
    at: datetime
    by: str
    update: int
    about: str  # title of the milestone or risk, "" for the whole page
    text: str
    answer: str = ""
    answered_by: str = ""
    answered_at: datetime | None = None
    settled: bool = False


class MilestoneRow(msgspec.Struct, frozen=True, kw_only=True):
    """One shared milestone."""

    id: str
    title: str
    kind: str = ""  # OCDS milestone type, "" when not shared
    owner_side: str = ""  # ours, theirs, joint
    location: str = ""  # where it takes place
    original_baseline: date | None = None
    baseline: date | None = None  # current
    forecast: date | None = None
    earliest: date | None = None  # forecast confidence range
    latest: date | None = None
    actual: date | None = None
    deadline: date | None = None  # contractual
    status: MilestoneState | None = None  # overdue also where `actual` is shared and the status is not
    slip: Slip | None = None
    reason: str = ""  # of the last movement
    progress: int | None = None  # physical percent complete
    value: Money | None = None  # payment milestone
    needs_acceptance: bool | None = None
    accepted_on: date | None = None
    client_action: str = ""  # what the client must do
    client_action_due: date | None = None
    confirmed_at: datetime | None = None
    final: bool = False  # the milestone the schedule is judged by
    trend: tuple[ForecastPoint, ...] = ()
    remarks: tuple[Remark, ...] = ()
    ack: Ack | None = None


class ScheduleVital(msgspec.Struct, frozen=True, kw_only=True):
    """The schedule in one line: the slip of the final shared milestone."""

    indicator: Indicator | None = None
    milestone: str = ""  # id
    title: str = ""
    baseline: date | None = None
    forecast: date | None = None  # or actual when met
    slip_days: int | None = None  # calendar days, current baseline
    previous_slip: int | None = None  # before the last movement
    previous_on: date | None = None  # the day on which that earlier slip was set


class CurvePoint(msgspec.Struct, frozen=True, kw_only=True):
    """One point of the cumulative curve; None where nothing is known for that day."""

    on: date
    planned: Decimal | None = None
    earned: Decimal | None = None
    spent: Decimal | None = None
    forecast: Decimal | None = None


class BudgetVital(msgspec.Struct, frozen=True, kw_only=True):
    """The budget at the level the terms allow. Shares are fractions of the current budget (1 = 100 %)."""

    indicator: Indicator | None = None
    measure: Measure | None = None
    status_date: date | None = None  # no figure without it
    budget: Money | None = None  # BAC: original plus approved changes
    original_budget: Money | None = None
    forecast: Money | None = None  # EAC
    forecast_on: date | None = None  # its own day, where it is older than the status date; so the next two
    spent_on: date | None = None
    earned_on: date | None = None
    spent: Money | None = None  # AC
    planned: Money | None = None  # PV
    earned: Money | None = None  # EV
    forecast_share: Decimal | None = None
    spent_share: Decimal | None = None
    planned_share: Decimal | None = None
    earned_share: Decimal | None = None
    cpi: Decimal | None = None
    spi_t: Decimal | None = None  # SPI(t), from earned schedule
    curve: tuple[CurvePoint, ...] = ()  # in money when amounts are shared, as shares of budget when percent is
    curve_currency: str = ""  # "" when the curve is in shares of budget
    remarks: tuple[Remark, ...] = ()


class RiskVital(msgspec.Struct, frozen=True, kw_only=True):
    """The shared risks in one line; counts cover shared risks only."""

    indicator: Indicator | None = None
    high: int = 0
    medium: int = 0
    low: int = 0
    top: str = ""  # reference of the highest shared risk
    top_score: int | None = None


class Score(msgspec.Struct, frozen=True):
    """One assessment on the project's scale, by one side, on one day."""

    probability: int
    impact: int
    value: int
    on: date | None = None


class RiskCard(msgspec.Struct, frozen=True, kw_only=True):
    """One shared risk."""

    id: str
    ref: str  # "R-07", given by the manager, never counted by the program
    title: str
    cause: str = ""
    event: str = ""
    effect: str = ""
    category: str = ""
    status: Literal["active", "closed"] = "active"
    score: Score | None = None  # residual, given by the organisation
    inherent: Score | None = None
    previous: Score | None = None  # the organisation's, before the last change
    band: RiskBand | None = None  # of the score; at the level of bands it stands alone
    band_since: date | None = None  # this and the next two at the level of bands alone
    inherent_band: RiskBand | None = None
    previous_band: RiskBand | None = None
    proximity: str = ""
    response: str = ""  # avoid, reduce, ...
    response_actions: str = ""
    owner: str = ""
    client_score: Score | None = None
    client_band: RiskBand | None = None
    client_scored_by: str = ""
    remarks: tuple[Remark, ...] = ()
    ack: Ack | None = None
    view_needed: bool = False  # the client has been asked for its view and has not given one on the current score


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """The risk scale and its bands: a score below `medium_from` is low, below `high_from` medium."""

    size: int = 5
    medium_from: int = 6
    high_from: int = 12


class ClientView(msgspec.Struct, frozen=True, kw_only=True):
    """All that a client may know at a moment under one version of one agreement."""

    organisation: str
    client: str
    project: str  # client-facing title
    time_zone: str  # IANA name; instants are shown in it
    terms_version: int
    scope: str  # the sentence in the footer: what the agreement covers and what it does not
    headline: Headline
    phase: ProjectPhase | None = None
    as_of: date | None = None  # the last day on which something shared changed
    overall: Indicator | None = None
    schedule: ScheduleVital | None = None
    budget: BudgetVital | None = None
    risk: RiskVital | None = None
    milestones_shared: bool = False  # the terms cover milestones at all (tells "none" from "none are shared")
    risks_shared: bool = False
    milestones: tuple[MilestoneRow, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    risks: tuple[RiskCard, ...] = ()
    scale: Scale | None = None
    confirmed_at: datetime | None = None  # the plan was last confirmed unchanged or changed by import
    confirmed_quietly: bool = False  # the newest confirmation that is told is no news by itself
    unconfirmed: bool = False  # what would confirm it has failed for a day, and nobody confirmed it since
    concerns: tuple[ConcernCard, ...] = ()  # that this client raised, newest first
    agreement_ack: Ack | None = None
    date_unit: DateUnit = "day"  # dates of milestones are the last day of such a unit, which is what they tell
    money_step: int = 0  # amounts are rounded to multiples of it, in units of the currency; 0: exact
    language: str = "en"  # BCP 47; the language its sentences are in
    brand: str = ""  # sha256 hex of `look` as JSON, "" for the product's own look
    look: Look | None = None  # what the page wears; its pictures are among the assets
