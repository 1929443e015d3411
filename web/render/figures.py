"""What a part says and where its marks stand, computed from the view."""

from collections.abc import Iterator, Sequence

from domain.headline import counted, in_units, number
from domain.language import capital, mirrored, ngettext, sentence
from domain.language import gettext as _
from domain.view import (
    BudgetVital,
    ClientView,
    DateUnit,
    Indicator,
    Rag,
    RiskCard,
    RiskVital,
    Scale,
    ScheduleVital,
    Score,
)
from projections.wording import words
from projections.wording.values import BAND_INSIDE
from web.render import charts, details
from web.render.parts import (
    BudgetBar,
    HeatPart,
    Pin,
    Ring,
    RiskBox,
    RiskVitalPart,
    SlipBar,
    SpendPlot,
    SpendRow,
    SpendSay,
)

TONE = {"on_track": "ok", "at_risk": "warn", "off_track": "bad", "overdue": "bad", "met": "done", "planned": "none"}


def comments(many: int) -> str:
    """Return how many comments there are: "1 comment", "3 comments", "" for none."""
    return ngettext("{many} comment", "{many} comments", many, many=many) if many else ""


def plans_agreed(plans: int) -> str:
    """Return how often a plan was agreed, and what opening it shows: "Agreed twice: show both"."""
    if plans < 3:
        return _("Agreed once: show it") if plans == 1 else _("Agreed twice: show both")
    return _("Agreed {plans} times: show all", plans=number(plans))


def said_of(indicator: Indicator | None) -> str:
    """Return what a vital sign without figures says below its status: the rule, or why a person set it otherwise."""
    if indicator is None:
        return ""
    return indicator.reason if indicator.overridden else indicator.rule


def measured(vital: BudgetVital) -> bool:
    """Tell whether any figure of the budget stands in its vital sign."""
    return vital.budget is not None or vital.forecast_share is not None or vital.spent_share is not None


def overall_is(status: Rag) -> str:
    """Return the overall status in words."""
    match status:
        case "on_track":
            return _("Overall on track")
        case "at_risk":
            return _("Overall at risk")
        case "off_track":
            return _("Overall off track")


def was_on_time(vital: ScheduleVital, unit: DateUnit) -> str:
    """Return that the schedule was as agreed when its slip was last set, "" where it was not."""
    if vital.previous_slip != 0 or vital.previous_on is None or vital.slip_days == 0:
        return ""
    day = words.day_year(vital.previous_on)
    match unit:
        case "day":
            return _("Was on the agreed day on {day}", day=day)
        case "month":
            return _("Was in the agreed month on {day}", day=day)
        case "quarter":
            return _("Was in the agreed quarter on {day}", day=day)


A_YEAR: dict[DateUnit, int] = {"month": 12, "quarter": 4}
MOST_TICKS = 36
CLOSE = 30  # percent of the line: the narrowest is 235 px long (dashboard.css), a date with its year 66 px


def slip_bar(vital: ScheduleVital, unit: DateUnit) -> SlipBar:
    """Return where the agreed date and the forecast stand on a line of days, months or quarters."""
    slip = in_units(vital.slip_days or 0, unit)
    span, start, ticks = _line_of_days(slip) if unit == "day" else _line_of_units(slip, A_YEAR[unit])
    end = start + 100 * slip / span
    tone = TONE[vital.indicator.status] if vital.indicator else "mute" if slip <= 0 else "ink"
    close = abs(slip) * 100 / span < CLOSE
    drawn = tuple((f"{charts.across(float(at)):.2f}", long) for at, long in ticks)
    start, end = charts.across(start), charts.across(end)
    return SlipBar(ticks=drawn, start=f"{start:.2f}", end=f"{end:.2f}", tone=tone, close=close)


Line = tuple[int, float, tuple[tuple[str, bool], ...]]  # how long it is, where the agreed date stands, its ticks


def _line_of_days(slip: int) -> Line:
    """Return a line of thirty days, or of twice the slip, with a long tick for each week."""
    span = max(30, abs(slip) * 2)
    start = 100 * (7 if slip >= 0 else span - 7) / span if span == 30 else (15.0 if slip >= 0 else 85.0)
    return span, start, tuple((f"{t * 3.3333:.2f}", t % 7 == 0) for t in range(31))


def _line_of_units(slip: int, year: int) -> Line:
    """Return a line of six units or more, with both dates on ticks; long ones are whole years from the agreed date."""
    span = max(6, abs(slip) * 7 // 5)
    before = span // 3 if abs(slip) * 4 < span else span // 6  # two labels side by side need more room
    agreed = before if slip >= 0 else span - before
    step = 1 if span <= MOST_TICKS else year
    ticks = (t for t in range(span + 1) if (t - agreed) % step == 0)
    return span, 100 * agreed / span, tuple((f"{100 * t / span:.2f}", (t - agreed) % year == 0) for t in ticks)


def budget_bar(vital: BudgetVital) -> BudgetBar:
    """Return where the shares of the budget stand on a line as long as the largest of them, or the whole budget."""
    widest = max(1.0, float(vital.forecast_share or 0), float(vital.spent_share or 0)) * 1.07

    def at(share: object) -> str:
        return f"{charts.across(100 * float(str(share)) / widest):.2f}" if share is not None else ""

    planned = float(vital.planned_share or 0) / widest
    anchor = "start" if planned < 0.15 else "end" if planned > 0.85 else "middle"
    return BudgetBar(
        spent=f"{100 * float(vital.spent_share or 0) / widest:.2f}",
        begin=f"{at(vital.spent_share or 0)}%" if mirrored() else "0",
        planned=at(vital.planned_share),
        forecast=at(vital.forecast_share),
        anchor=anchor,
    )


def risk_vital(vital: RiskVital) -> RiskVitalPart:
    """Return the vital sign of the risks: how many of each band, as words and as boxes on a line."""
    if not vital.top:
        return RiskVitalPart(v=vital, facts=details.of_risks(vital))
    bands = [("bad", "high", vital.high), ("warn", "medium", vital.medium), ("ok", "low", vital.low)]
    counts = ", ".join(in_band(name, many) for _tone, name, many in bands if many)
    shared = vital.high + vital.medium + vital.low
    worst = next((many, name) for _tone, name, many in bands if many)
    alone = vital.top if worst[0] == 1 else _("of {many} shared", many=number(shared))
    banded = vital.top_score is None
    return RiskVitalPart(
        v=vital,
        worst_many=in_band(worst[1], worst[0]) if banded else "",
        worst_which=alone if banded else "",
        facts=details.of_risks(vital),
        worst_risk=capital(worst_in_band(worst[1], worst[0])),
        risk_counts=capital(counted("one shared: {told}", "{many} shared: {told}", shared, told=counts)),
        risk_boxes=tuple(_boxes([(tone, BAND_INSIDE[name]) for tone, name, many in bands for _i in range(many)])),
    )


def in_band(band: str, many: int) -> str:
    """Return how many risks of a band there are: "1 high", "5 low"."""
    match band:
        case "high":
            return ngettext("{many} high", "{many} high", many, many=many)
        case "medium":
            return ngettext("{many} medium", "{many} medium", many, many=many)
        case _:
            return ngettext("{many} low", "{many} low", many, many=many)


def worst_in_band(band: str, many: int) -> str:
    """Return how many risks of the worst band there are, in words: "one high"."""
    match band:
        case "high":
            return counted("one high", "{many} high", many)
        case "medium":
            return counted("one medium", "{many} medium", many)
        case _:
            return counted("one low", "{many} low", many)


def _boxes(risks: Sequence[tuple[str, str]]) -> Iterator[RiskBox]:
    """Yield a box for each risk, given its tone and the name of its band, side by side."""
    width = 100 / max(6, len(risks))
    for i, (tone, name) in enumerate(risks):
        label = name if i == 0 or risks[i - 1][1] != name else ""
        along, wide = i * width + 0.3, width - 1.3
        left, begin = (100 - along - wide, 100 - along) if mirrored() else (along, along)
        yield RiskBox(x=f"{left:.2f}", begin=f"{begin:.2f}", width=f"{wide:.2f}", tone=tone, label=label)


def spend_parts(budget: BudgetVital, spend: charts.Spend) -> tuple[SpendSay, SpendPlot, tuple[SpendRow, ...]]:
    """Return the spend curve with its words: in money where amounts are shared, else in percent of the budget."""
    amounts = bool(budget.curve_currency and budget.budget)
    approved, spent, earned, forecast = _in_money(budget) if amounts else _in_percent(budget)
    unknown = _("an unknown amount") if amounts else _("an unknown part")
    say = SpendSay(
        spend_finding=_spend_finding(budget),
        spend_unit=_("Cumulative, {curve_currency}", curve_currency=budget.curve_currency)
        if amounts
        else _("Cumulative, percent of the budget"),
        spend_label=_spend_label(approved, spent or unknown, forecast or _("unknown")),
    )
    plot = SpendPlot(
        spend=spend,
        status_date=budget.status_date,
        approved=_("Approved {budget}", budget=approved) if amounts else _("Approved 100 %"),
        spent_words=_("Spent {spent}", spent=spent) if spent else "",
        earned_words=_("Earned {earned}", earned=earned) if earned and spend.earned else "",
        forecast_words=_("Forecast {forecast}", forecast=forecast) if forecast else "",
    )
    return say, plot, tuple(SpendRow(row=row) for row in charts.curve_rows(budget))


def _in_money(budget: BudgetVital) -> tuple[str, ...]:
    """Return what is approved, spent, earned and forecast, "" where not known."""
    figures = (budget.budget, budget.spent, budget.earned, budget.forecast)
    return tuple(words.money(figure) if figure else "" for figure in figures)


def _in_percent(budget: BudgetVital) -> tuple[str, ...]:
    """Return what is approved, spent, earned and forecast as parts of the budget, "" where not known."""
    shares = (budget.spent_share, budget.earned_share, budget.forecast_share)
    return ("100 %", *(words.percent(share) if share is not None else "" for share in shares))


def _spend_label(approved: str, spent: str, forecast: str) -> str:
    return _(
        "Cumulative spend. Approved {approved}; spent {spent}; forecast at completion {forecast}.",
        approved=approved,
        spent=spent,
        forecast=forecast,
    )


def _spend_finding(budget: BudgetVital) -> str:
    if budget.spent_share is None or budget.planned_share is None:
        return _("Planned spend")
    difference = budget.spent_share - budget.planned_share
    if abs(difference) <= budget.planned_share / 20:
        return _("Spend is following the plan")
    return _("Spend is ahead of the plan") if difference > 0 else _("Spend is behind the plan")


def heat(scale: Scale, cards: Sequence[RiskCard]) -> HeatPart:
    """Return the matrix of the active risks among `cards`."""
    active = [(card, card.score) for card in cards if card.score and card.status == "active"]
    squares = _squares([(score, card.ref) for card, score in active])
    pins = {card.id: _pin(score, card.ref, squares, scale.size) for card, score in active}
    theirs = tuple(
        _ring(card.client_score, scale.size, pins[card.id])
        for card, score in active
        if card.client_score and _differs(card.client_score, score)
    )
    scores = (
        _("{ref} scores {value}, {band}", ref=c.ref, value=score.value, band=BAND_INSIDE.get(c.band or ""))
        for c, score in active
    )
    return HeatPart(
        cells=tuple(charts.cells(scale)),
        high_edge=charts.band_edge(scale, scale.high_from),
        medium_edge=charts.band_edge(scale, scale.medium_from),
        pins=tuple(dict.fromkeys(pins.values())),
        theirs=theirs,
        size=scale.size,
        side=46 * scale.size,
        heat_label=_("Risk matrix, likelihood by impact. {told}.", told="; ".join(scores)),
    )


def _differs(left: Score, right: Score) -> bool:
    return (left.probability, left.impact) != (right.probability, right.impact)


Squares = dict[tuple[int, int], list[str]]  # likelihood and impact, and the numbers of the risks there
PLACES: dict[
    int, tuple[tuple[tuple[float, float], ...], float]
] = {  # of pins in one square, which leave its lower right to the score: by how many there are, and how large
    1: (((22, 17),), 11.5),
    2: (((11.5, 15.5), (32.5, 15.5)), 10.5),
    3: (((11, 11), (33, 11), (11, 33)), 10),
}


def _squares(scored: Sequence[tuple[Score, str]]) -> Squares:
    squares: Squares = {}
    for score, ref in scored:
        squares.setdefault((score.probability, score.impact), []).append(ref)
    return squares


def _pin(score: Score, ref: str, squares: Squares, size: int) -> Pin:
    """Return the pin of a risk; from four risks in one square on, all beyond the second share one that counts them."""
    refs = squares[score.probability, score.impact]
    at = refs.index(ref)
    places, r = PLACES[min(len(refs), 3)]
    x, y = places[min(at, 2)]
    label = f"+{len(refs) - 2}" if at >= 2 and len(refs) > 3 else ref.rpartition("-")[2][:3]
    return Pin(x=35 + 46 * (score.impact - 1) + x, y=1 + 46 * (size - score.probability) + y, r=r, label=label)


def _ring(score: Score, size: int, pin: Pin) -> Ring:
    x, y = _centre(score, size)
    return Ring(x=x, y=y, fx=pin.x, fy=pin.y)


def _centre(score: Score, size: int) -> tuple[float, float]:
    """Return where the one pin of a score's square stands, likelihood upwards."""
    return 57.0 + 46 * (score.impact - 1), 18.0 + 46 * (size - score.probability)


def open_concerns(view: ClientView) -> str:
    """Return how many concerns wait for an answer, as a sentence."""
    waiting = sum(not c.answer and not c.settled for c in view.concerns)
    if not waiting:
        return _("Every one is answered.")
    return sentence(counted("one waits for an answer", "{many} wait for an answer", waiting))
