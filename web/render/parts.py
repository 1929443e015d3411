"""The parts of a dashboard: a struct for each template in `templates/parts/`, with all that its markup depends on.

Rule: a part has no field that its template does not use, so that equal structs may share the markup that is remembered.
"""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar

import msgspec

from domain.view import (
    Ack,
    Baseline,
    BudgetVital,
    ConcernCard,
    DateUnit,
    Headline,
    Indicator,
    MilestoneRow,
    Remark,
    RiskCard,
    RiskVital,
    ScheduleVital,
)
from projections.entries.entry import Change
from web.door.templates import Page
from web.door.worn import Logo
from web.render.charts import Axis, Cell, CurveRow, Spend, Tick, TrendLine
from web.render.details import Detail
from web.render.labels import Label


class PartPage(Page, frozen=True, kw_only=True):
    """What one part shows."""

    from_renderer: ClassVar[frozenset[str]] = frozenset({"m", "w", "tone", "word"})  # names every part is given


class BrandPart(PartPage, frozen=True, kw_only=True):
    """Whose page it is and for whom, in the bar above the others."""

    template = "parts/brand.html"
    logo: Logo | None
    organisation: str
    client: str
    look: str  # its hash, hex, by which an open page notices that it has another stylesheet


class LeadPart(PartPage, frozen=True, kw_only=True):
    """The sentence on top, and the overall status."""

    template = "parts/lead.html"
    project: str
    headline: Headline
    first: str  # its first sentence
    rest: str  # the further ones
    overall: Indicator | None
    overall_is: str  # "Overall on track", "" where no overall status is shared
    facts: tuple[Detail, ...]  # the rule behind the overall status
    stands: tuple[Detail, ...]


class SlipBar(msgspec.Struct, frozen=True, kw_only=True):
    """The agreed date and the forecast on a line of thirty days or of six months or quarters, in percent."""

    ticks: tuple[tuple[str, bool], ...]  # where each stands, and whether it is a long one
    start: str  # agreed
    end: str  # forecast
    tone: str
    close: bool  # so near to each other that their labels stand on two lines


class SchedulePart(PartPage, frozen=True, kw_only=True):
    """The vital sign of the schedule."""

    template = "parts/v-schedule.html"
    v: ScheduleVital
    unit: DateUnit
    on_time: str  # "On the agreed day"
    passed: bool  # whether its date has passed without being met
    was_on_time: str  # "Was on the agreed day on 5 Oct 2027", "" where it was not
    final: str  # title of the milestone it is judged by
    bar: SlipBar
    facts: tuple[Detail, ...]


class BudgetBar(msgspec.Struct, frozen=True, kw_only=True):
    """Spent, planned and forecast on one line, in percent; "" where there is no such figure."""

    spent: str  # how long
    begin: str  # of what is spent, with its unit: "0", or where it ends from the left
    planned: str
    forecast: str
    anchor: str  # of the label at `planned`: start, middle, end


class BudgetPart(PartPage, frozen=True, kw_only=True):
    """The vital sign of the budget."""

    template = "parts/v-budget.html"
    v: BudgetVital
    time_zone: str
    budget_bar: BudgetBar
    rounding: str  # "rounded to £10,000", "" where amounts are exact or none stands there
    facts: tuple[Detail, ...]


class RiskBox(msgspec.Struct, frozen=True, kw_only=True):
    """One risk on the line of all shared risks; x and width in percent."""

    x: str
    begin: str  # of the label
    width: str
    tone: str
    label: str  # of its band, at the first risk of each


class RiskVitalPart(PartPage, frozen=True, kw_only=True):
    """The vital sign of the risks; words and boxes are empty where no active risk is shared."""

    template = "parts/v-risk.html"
    v: RiskVital
    facts: tuple[Detail, ...]
    worst_risk: str = ""  # "One high"
    worst_many: str = ""  # "2 high", where no score is shared
    worst_which: str = ""  # beside it: the only one of that band, or of how many
    risk_counts: str = ""  # "Six shared: 1 high, 5 low"
    risk_boxes: tuple[RiskBox, ...] = ()


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Which columns of the milestones there are, besides the names."""

    date: bool
    slip: bool
    status: bool


class MilestonesHead(PartPage, frozen=True, kw_only=True):
    """What stands above the rows of the milestones, with the head of their table."""

    template = "parts/milestones-head.html"
    baselines: Sequence[Baseline]
    axis: Axis | None
    has: Columns
    counted: str  # "Eleven milestones shared."
    plans: str  # "Agreed twice: show both"


class BaselinesPart(PartPage, frozen=True, kw_only=True):
    """The agreed plans, where no milestone is shared whose section would say them."""

    template = "parts/baselines.html"
    baselines: Sequence[Baseline]


class MilestonePart(PartPage, frozen=True, kw_only=True):
    """One row of the milestones."""

    template = "parts/milestone.html"
    row: MilestoneRow
    unit: DateUnit
    axis: Axis | None
    has: Columns
    mark: str  # tone of the mark at the forecast
    shown: date | None  # when it was met, else its forecast
    due: date | None  # the date that has passed where it is overdue; how many days ago is drawn by the reader's clock
    said_count: str  # "2 comments"


class MilestoneMorePart(PartPage, frozen=True, kw_only=True):
    """The row a milestone opens to: its details, and what was said about it."""

    template = "parts/milestone-more.html"
    id: str  # of the milestone
    title: str
    facts: tuple[Detail, ...]
    remarks: tuple[Remark, ...]
    ack: Ack | None
    columns: int  # of the table
    time_zone: str


class TrendSay(PartPage, frozen=True, kw_only=True):
    """What the milestone trend shows, in words."""

    template = "parts/trend-say.html"
    finding: str
    text: str  # for those who hear the page


class TrendWords(PartPage, frozen=True, kw_only=True):
    """The milestone trend in a sentence, while forecasts changed on too few days to draw it."""

    template = "parts/trend-words.html"
    finding: str
    days: int  # on which they changed
    text: str  # for those who hear the page


class TrendPlot(PartPage, frozen=True, kw_only=True):
    """The axes of the milestone trend, up to its lines."""

    template = "parts/trend-plot.html"
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    reached: str  # an SVG path, "" for none
    roomy: bool  # whether words fit into it


class TrendLinePart(PartPage, frozen=True, kw_only=True):
    """One line of the milestone trend."""

    template = "parts/trend-line.html"
    l: TrendLine
    label: Label


class SpendSay(PartPage, frozen=True, kw_only=True):
    """What the spend curve shows, in words."""

    template = "parts/spend-say.html"
    spend_finding: str
    spend_unit: str
    spend_label: str  # for those who hear the page


class SpendPlot(PartPage, frozen=True, kw_only=True):
    """The spend curve."""

    template = "parts/spend-plot.html"
    spend: Spend
    status_date: date | None
    approved: str
    spent_words: str
    earned_words: str
    forecast_words: str


class SpendTable(PartPage, frozen=True, kw_only=True):
    """The head of the table of the curve's figures, up to its rows."""

    template = "parts/spend-table.html"


class SpendRow(PartPage, frozen=True, kw_only=True):
    """The figures of the curve on one day."""

    template = "parts/spend-row.html"
    row: CurveRow


class RiskPart(PartPage, frozen=True, kw_only=True):
    """One risk."""

    template = "parts/risk.html"
    r: RiskCard
    client: str
    time_zone: str
    said_count: str  # "2 comments"
    facts: tuple[Detail, ...]


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """A risk on the matrix, in the units of its drawing."""

    x: float
    y: float
    r: float
    label: str  # the risk's number, or how many have no pin of their own: "+3"


class Ring(msgspec.Struct, frozen=True, kw_only=True):
    """Where the client sees a risk, and where its pin is."""

    x: float
    y: float
    fx: float
    fy: float


class HeatPart(PartPage, frozen=True, kw_only=True):
    """The matrix of the active risks."""

    template = "parts/heat.html"
    cells: tuple[Cell, ...]
    high_edge: str
    medium_edge: str
    pins: tuple[Pin, ...]
    theirs: tuple[Ring, ...]  # the client's own scores, where they differ
    size: int  # of the scale
    side: int  # of the drawing
    heat_label: str  # for those who hear the page


class ConcernPart(PartPage, frozen=True, kw_only=True):
    """One concern the client raised."""

    template = "parts/concern.html"
    c: ConcernCard
    time_zone: str


class ScopePart(PartPage, frozen=True, kw_only=True):
    """What the agreement covers and what it does not."""

    template = "parts/scope.html"
    scope: str
    terms_version: int
    agreement_ack: Ack | None


class ItemLine(msgspec.Struct, frozen=True):
    """One change as a list item, and what a page needs to fold it into the row of its thing."""

    c: Change
    of: str  # which thing it is about
    rank: int  # how early it stands among the values of that thing
    was: str  # the value before as data, as it is told
    now: str
    by: str  # the key of the placeholder of whoever did it, "" for none


class ItemsPart(PartPage, frozen=True, kw_only=True):
    """The changes of one update as list items."""

    template = "parts/items.html"
    changes: Sequence[ItemLine]
    n: int
    at: str  # UTC
    moment: str  # the same in words, in the client's zone
