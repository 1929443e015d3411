"""Charts as coordinates for inline SVG: the axis of the milestones, the milestone trend, the spend curve, the matrix.

Rule: coordinates are percent wherever the width is open, so that one markup serves phone, screen and print.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from operator import attrgetter, itemgetter

import msgspec

from domain.headline import in_units
from domain.language import gettext as _
from domain.language import mirrored, ngettext, spoken
from domain.money import Money
from domain.view import BudgetVital, ClientView, CurvePoint, DateUnit, MilestoneRow, Scale
from projections.wording import words
from web.render.labels import Label, Wanted, labels

MOST_LINES = 6  # of the milestone trend; `labels` has room for so many
FEWEST_DAYS = 3  # on which forecasts changed, for their course to be drawn
TICKS_APART = 18.0  # percent, months below the milestone trend
HALF: dict[DateUnit, timedelta] = {"day": timedelta(), "month": timedelta(days=15), "quarter": timedelta(days=45)}
MONTHS_OF: dict[DateUnit, int] = {"month": 1, "quarter": 3}


class Tick(msgspec.Struct, frozen=True):
    """A label on an axis; `at` is percent, `year` whether it names a year."""

    at: str
    label: str
    year: bool = False


def across(along: float) -> float:
    """Return where something stands across a drawing, in percent from its left, that is so far along it."""
    return 100 - along if mirrored() else along


class Axis(msgspec.Struct, frozen=True):
    """Civil dates from left to right."""

    start: date
    end: date

    def at(self, day: date) -> str:
        """Return where a date stands across a drawing, in percent with two decimals."""
        return f"{across(self.along(day)):.2f}"

    def along(self, day: date) -> float:
        """Return how far from the start a date stands, in percent."""
        return 100 * (day - self.start).days / (self.end - self.start).days

    def mark(self, day: date, unit: DateUnit) -> str:
        """Return where the mark of a date stands: of one that tells a month or quarter, in the middle of that."""
        return self.at(day - HALF[unit])

    def ticks(self) -> tuple[Tick, ...]:
        """Return month labels, few enough to read."""
        return _ticks(self, spoken())


@lru_cache(maxsize=512)
def _ticks(axis: Axis, _language: str) -> tuple[Tick, ...]:
    """Return the labels of an axis in the language that is spoken; each row of the milestones has them."""
    start, end = axis.start, axis.end
    months = (end.year - start.year) * 12 + end.month - start.month
    step = 1 if months <= 5 else 2 if months <= 8 else 3 if months <= 20 else 6 if months <= 40 else 12
    ticks = []
    for first in _month_starts(start, end):
        if (first.month - 1) % step == 0 and start < first < end:
            year = first.month == 1
            ticks.append(Tick(axis.at(first), str(first.year) if year else words.month(first), year))
    return tuple(ticks)


def _month_starts(start: date, end: date) -> Iterator[date]:
    """Yield the first days of the months from that of `start` to that of `end`."""
    year, month = start.year, start.month
    while (first := date(year, month, 1)) <= end:
        yield first
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


DATES = attrgetter("baseline", "original_baseline", "forecast", "earliest", "latest", "actual", "deadline")
Span = tuple[date, date]  # the first and the last of some dates


def span_of(row: MilestoneRow) -> Span | None:
    """Return the first and the last date of a milestone, None where it has none."""
    dates = [day for day in DATES(row) if day]
    return (min(dates), max(dates)) if dates else None


def axis_of(rows: Sequence[MilestoneRow], unit: DateUnit) -> Axis | None:
    """Return the axis that holds the mark of every date of milestones, padded to whole months so that it seldom moves.

    None where there is no date.
    """
    return axis_around([span_of(row) for row in rows], unit)


def axis_around(spans: Sequence[Span | None], unit: DateUnit) -> Axis | None:
    """Return the axis of milestones whose first and last dates are given."""
    dated = list(filter(None, spans))
    if not dated:
        return None
    first, last = min(dated)[0], max(map(itemgetter(1), dated))
    start = (first - HALF[unit] - timedelta(days=12)).replace(day=1)
    beyond = last + timedelta(days=20)
    end = date(beyond.year + beyond.month // 12, beyond.month % 12 + 1, 1)
    return Axis(start, end)


# milestone trend


class TrendLine(msgspec.Struct, frozen=True):
    """One milestone's forecasts; `tone` is bad for the worst line, ink for the final one, mute for the others."""

    id: str  # of the milestone
    path: str  # of an SVG path, in percent
    x: str  # of its end
    y: str
    tone: str
    note: str  # the slip, of bad and ink ones


class Trend(msgspec.Struct, frozen=True):
    """The milestone trend: across, when a forecast was made; up, the date it was for."""

    lines: tuple[TrendLine, ...]
    labels: tuple[Label, ...]  # of the lines
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    reached: str  # an SVG path around where the forecast date has passed, "" for none
    roomy: bool  # whether words fit into it
    days: int  # on which forecasts changed
    finding: str
    label: str  # for those who hear the page


def lines_of(milestones: Sequence[MilestoneRow]) -> tuple[MilestoneRow, ...]:
    """Return the milestones that the milestone trend has lines of: the last ones that are not met."""
    rows = (row for row in reversed(milestones) if row.trend and row.status != "met")
    return tuple(islice(rows, MOST_LINES))[::-1]


def trend_of(view: ClientView) -> Trend | None:
    """Return the milestone trend of a view; None when no forecast history is shared."""
    rows = lines_of(view.milestones)
    moments = [p.on for r in rows for p in r.trend]
    if not rows or view.as_of is None:
        return None
    wide = Axis(min(moments) - timedelta(days=3), max(view.as_of, *moments))
    shown = [p.forecast for r in rows for p in r.trend]
    up = Axis(min(shown) - timedelta(days=24), max(shown) + timedelta(days=24))
    worst = max(rows, key=lambda r: (_slip(r), r.id))
    lines = tuple(_line(r, wide, up, view, worst) for r in rows)
    begin = max(wide.start, up.start)
    return Trend(
        lines=lines,
        labels=labels([Wanted(words.plain(r.title), l.note, float(l.y)) for r, l in zip(rows, lines, strict=True)]),
        x_ticks=spaced(wide.ticks(), TICKS_APART),
        y_ticks=tuple(_y_ticks(up, view.date_unit)),
        reached=_reached(wide, up),
        roomy=wide.along(begin) < 50 and float(_up(up, wide.end)) < 80,
        days=len(set(moments)),
        finding=_finding(rows, worst, view.date_unit),
        label=_trend_label(rows, view.date_unit),
    )


def _slip(row: MilestoneRow) -> int:
    """Return a milestone's slip in days, against its first shared forecast where the slip itself is not shared."""
    return row.slip.since_current if row.slip else (row.trend[-1].forecast - row.trend[0].forecast).days


def _up(axis: Axis, day: date) -> str:
    """Return where a date stands on an axis that points upwards."""
    return f"{100 - round(axis.along(day), 2):.2f}"


def _y_ticks(up: Axis, unit: DateUnit) -> Iterator[Tick]:
    """Yield up to five labels: first days of months; where dates tell months or quarters, the ends of those."""
    months = MONTHS_OF.get(unit, 0)
    firsts = [first for first in _month_starts(up.start, up.end) if not months or (first.month - 1) % months == 0]
    for first in firsts[:: max(1, (len(firsts) + 4) // 5)]:
        at = first - timedelta(days=1) if months else first
        if up.start < at < up.end:
            yield Tick(_up(up, at), words.quarter_year(at) if unit == "quarter" else words.month_year(at))


def _line(row: MilestoneRow, wide: Axis, up: Axis, view: ClientView, worst: MilestoneRow) -> TrendLine:
    last = max(day for day in (view.as_of, row.trend[-1].on) if day)
    points = [(wide.at(p.on), _up(up, p.forecast)) for p in row.trend]
    x, y = wide.at(last), points[-1][1]
    path = "M" + "L".join(f"{px} {py}" for px, py in [*points, (x, y)])
    slip = _slip(row)
    tone = "bad" if row is worst and slip > 0 else "ink" if row.final else "mute"
    note = words.signed_in(slip, view.date_unit) if tone != "mute" and slip else ""
    return TrendLine(id=row.id, path=path, x=x, y=y, tone=tone, note=note)


def spaced(ticks: Sequence[Tick], least: float) -> tuple[Tick, ...]:
    """Return the ticks that stand at least `least` percent from each other and from the ends, those of years first."""
    kept: list[Tick] = []
    for tick in sorted(ticks, key=lambda t: not t.year):
        at = float(tick.at)
        if least / 3 <= at <= 100 - least / 3 and all(abs(at - float(other.at)) >= least for other in kept):
            kept.append(tick)
    return tuple(sorted(kept, key=lambda t: float(t.at)))


def _reached(wide: Axis, up: Axis) -> str:
    """Return the region where the forecast date has passed: below the diagonal of equal dates."""
    end = min(wide.end, up.end)
    begin = max(wide.start, up.start)
    if begin >= end:
        return ""
    return f"M{wide.at(begin)} 100L{wide.at(begin)} {_up(up, begin)}L{wide.at(end)} {_up(up, end)}V100z"


def _finding(rows: Sequence[MilestoneRow], worst: MilestoneRow, unit: DateUnit) -> str:
    slip = _slip(worst)
    if slip > 0:
        return _late(worst.title, in_units(slip, unit), unit)
    return _("All forecasts are steady or earlier") if rows else ""


def _late(title: str, many: int, unit: DateUnit) -> str:
    """Return the sentence that a milestone is late by so many units."""
    match unit:
        case "day":
            return ngettext("{title} is {many} day late", "{title} is {many} days late", many, title=title, many=many)
        case "month":
            return ngettext(
                "{title} is {many} month late", "{title} is {many} months late", many, title=title, many=many
            )
        case "quarter":
            return ngettext(
                "{title} is {many} quarter late", "{title} is {many} quarters late", many, title=title, many=many
            )


def _trend_label(rows: Sequence[MilestoneRow], unit: DateUnit) -> str:
    moves = [
        _(
            "{title} from {forecast} to {trend_forecast}",
            title=r.title,
            forecast=words.day_year_in(r.trend[0].forecast, unit),
            trend_forecast=words.day_year_in(r.trend[-1].forecast, unit),
        )
        for r in rows
    ]
    return _("Forecast dates over time. {moves}.", moves="; ".join(moves))


# spend


class Spend(msgspec.Struct, frozen=True):
    """The spend curve: planned, spent and forecast, cumulative. Paths are of SVG, places are percent."""

    planned: str  # a path, "" for none
    area: str  # the path around what is below `planned`
    spent: str
    earned: str
    forecast: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    limit: str  # the height of the approved budget
    spent_at: tuple[str, str] | None  # where the label stands
    forecast_at: tuple[str, str] | None
    plan_at: tuple[str, str] | None


def spend_of(budget: BudgetVital) -> Spend | None:
    """Return the spend curve, or None when none is shared or nothing is left of it to draw."""
    if len(budget.curve) < 2:
        return None
    approved = budget.budget.amount if budget.budget and budget.curve_currency else Decimal(1)
    top = max([approved, *(v for p in budget.curve for v in (p.planned, p.spent, p.forecast) if v)]) * Decimal("1.14")
    if not top:  # every amount is rounded to nothing
        return None
    wide = Axis(budget.curve[0].on, budget.curve[-1].on + timedelta(days=20))
    planned = _series(budget.curve, "planned", wide, top)
    spent = _series(budget.curve, "spent", wide, top)
    earned = _series(budget.curve, "earned", wide, top)
    forecast = _series(budget.curve, "forecast", wide, top)
    return Spend(
        planned=_path(planned),
        area=f"M{planned[0][0]} 100{_path(planned)[1:].join(('L', ''))}L{planned[-1][0]} 100z" if planned else "",
        spent=_path(spent),
        earned=_path(earned) if len(earned) > 1 else "",
        forecast=_path(forecast),
        x_ticks=tuple(t for t in wide.ticks() if across(float(t.at)) < 96),
        y_ticks=tuple(_amounts(top, budget.curve_currency)),
        limit=_height(approved, top),
        spent_at=spent[-1] if spent else None,
        forecast_at=forecast[-1] if forecast else None,
        plan_at=planned[len(planned) // 2] if planned else None,
    )


def _series(points: Sequence[CurvePoint], field: str, wide: Axis, top: Decimal) -> list[tuple[str, str]]:
    values = ((point.on, getattr(point, field)) for point in points)
    return [(wide.at(on), _height(value, top)) for on, value in values if value is not None]


def _height(value: Decimal, top: Decimal) -> str:
    return f"{100 - 100 * value / top:.2f}"


def _path(points: Sequence[tuple[str, str]]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in points) if points else ""


def _amounts(top: Decimal, currency: str) -> Iterator[Tick]:
    step = _step(top)
    value = Decimal(0)
    while value < top * Decimal("0.95"):
        yield Tick(_height(value, top), _amount(value, currency))
        value += step


STEPS = tuple(Decimal(f) for f in ("0.2", "0.25", "0.5", "1", "2", "5"))  # times a power of ten


def _step(top: Decimal) -> Decimal:
    """Return the distance of the labels up to `top`: a round number that needs no more than five."""
    size = Decimal(10) ** (len(str(int(top))) - 1) if top >= 1 else Decimal("0.1")
    return next(size * f for f in STEPS if top / (size * f) <= 5)


def _amount(value: Decimal, currency: str) -> str:
    """Return an amount in short: "€1.5m", "€250k"; in percent where there is no currency."""
    if not currency:
        return words.percent(value)
    return words.round_money(Money(value, currency))


class CurveRow(msgspec.Struct, frozen=True):
    """One day of the spend curve in words, "" where nothing is known of it."""

    on: date
    planned: str
    earned: str
    spent: str
    forecast: str


def curve_rows(budget: BudgetVital) -> tuple[CurveRow, ...]:
    """Return the points of the spend curve as amounts, or in percent of the budget where amounts are not shared."""

    def said(value: Decimal | None) -> str:
        if value is None:
            return ""
        currency = budget.curve_currency
        return words.exact(Money(value, currency)) if currency else words.percent(value)

    return tuple(CurveRow(p.on, said(p.planned), said(p.earned), said(p.spent), said(p.forecast)) for p in budget.curve)


# risk matrix


class Cell(msgspec.Struct, frozen=True):
    """One square of the matrix, in the units of its drawing."""

    x: int
    y: int
    score: int  # likelihood times impact
    band: int  # 0 low, 1 medium, 2 high


def cells(scale: Scale) -> list[Cell]:
    """Return the squares, 46 units apart, probability upwards."""
    squares = []
    for p in range(1, scale.size + 1):
        for i in range(1, scale.size + 1):
            score = p * i
            band = 2 if score >= scale.high_from else 1 if score >= scale.medium_from else 0
            squares.append(Cell(35 + 46 * (i - 1), 1 + 46 * (scale.size - p), score, band))
    return squares


def band_edge(scale: Scale, start: int) -> str:
    """Return the stepped line (SVG path) between scores below and from `start`, so that colour is not needed."""
    points: list[tuple[int, int]] = []
    for p in range(scale.size, 0, -1):
        inside = sum(p * i < start for i in range(1, scale.size + 1))
        x = 34 + 46 * inside
        points += [(x, 46 * (scale.size - p)), (x, 46 * (scale.size - p + 1))]
    return "M" + "L".join(f"{x} {y}" for x, y in points)
