"""What a milestone, a risk, a status or the budget opens to: labels and values, in the order they are read.

Rule: a value that is not shared leaves no label. Dates, instants and amounts are written by the first functions alone.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal

import msgspec

from domain.headline import number
from domain.language import N_, Said, pgettext
from domain.language import gettext as _
from domain.money import Money
from domain.view import (
    TREND_NEWEST,
    BudgetVital,
    ClientView,
    DateUnit,
    Indicator,
    MilestoneRow,
    RiskBand,
    RiskCard,
    RiskVital,
    ScheduleVital,
    Score,
)
from projections.wording import values, words
from projections.wording.values import BAND, BAND_INSIDE, KIND, MEASURE, PROXIMITY, RESPONSE, STATUS

MOST_EARLIER = 10  # forecasts that are listed one by one
PHASE = Said({"running": N_("Project running"), "on_hold": N_("Project on hold"), "closed": N_("Project closed")})


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """One label with its value, a text for each line of it."""

    label: str
    texts: tuple[str, ...]
    instant: str = ""  # the value as a machine reads it, where it is a day or an instant
    mark: str = ""  # the mark that stands for it in the drawing: agreed, forecast, range, deadline


# how values are written


def day(value: date, unit: DateUnit = "day") -> str:
    """Return a date as details say it."""
    return words.long_in(value, unit)


def short_day(value: date, unit: DateUnit = "day") -> str:
    """Return a date as lists of many say it."""
    return words.day_year_in(value, unit)


def moment(at: datetime, zone: str) -> str:
    """Return an instant as details say it, in a time zone (IANA name)."""
    local = words.local(at, zone)
    return f"{day(local.date())}, {local:%H:%M}"


def amount(value: Money | None) -> str:
    """Return an amount to its last digit, "" for none."""
    return words.exact(value) if value is not None else ""


def _of_day(label: str, value: date | None, mark: str = "", unit: DateUnit = "day") -> Iterator[Detail]:
    if value is not None:
        yield Detail(label=label, texts=(day(value, unit),), instant=words.machine(value, unit), mark=mark)


def _of_moment(label: str, at: datetime | None, zone: str) -> Iterator[Detail]:
    if at is not None:
        yield Detail(label=label, texts=(moment(at, zone),), instant=words.iso(at))


def _of_text(label: str, *texts: str) -> Iterator[Detail]:
    if any(texts):
        yield Detail(label=label, texts=tuple(text for text in texts if text))


# a milestone


def of_milestone(row: MilestoneRow, view: ClientView) -> tuple[Detail, ...]:
    """Return all that is shared of a milestone, as the client of a view reads it."""
    return (
        *_dates(row, view.date_unit),
        *_of_text(_("Slip"), *_slip(row, view.date_unit)),
        *_of_text(_("Reason for change"), row.reason),
        *_of_text(_("Progress"), "" if row.progress is None else _("{percent} % complete", percent=row.progress)),
        *_of_text(_("Payment due"), _payment(row, view.money_step)),
        *_of_text(_("Acceptance"), _acceptance(row, view.date_unit)),
        *_of_text(_("Waiting for you"), row.client_action, _due(row.client_action_due)),
        *_of_text(_("Kind"), KIND[row.kind] if row.kind else ""),
        *_of_text(_("Location"), row.location),
        *_of_text(_("Who has to act"), values.way_of(view).sides.get(row.owner_side, "")),
        *_of_text(_("Schedule"), _("Judged by this milestone") if row.final else ""),
        *_of_day(_("Forecast last set"), row.trend[-1].on if row.trend else None),
        *_of_moment(_("Last confirmed"), row.confirmed_at, view.time_zone),
        *_of_text(_("Earlier forecasts"), *_earlier(row, view.date_unit)),
    )


def due(row: MilestoneRow) -> date | None:
    """Return the date that a milestone has missed so far; None unless it is overdue and the date is shared."""
    return (row.forecast or row.baseline) if row.status == "overdue" else None


def _dates(row: MilestoneRow, unit: DateUnit) -> Iterator[Detail]:
    as_first = row.baseline is not None and row.baseline == row.original_baseline
    if as_first and row.baseline is not None:
        text = _("{day}, as in the first plan", day=day(row.baseline, unit))
        yield Detail(label=_("Agreed"), texts=(text,), instant=words.machine(row.baseline, unit), mark="agreed")
    else:
        yield from _of_day(_("Agreed"), row.baseline, "agreed", unit)
        yield from _of_day(_("First agreed"), row.original_baseline, unit=unit)
    yield from _of_day(_("Forecast"), row.forecast, "forecast", unit)
    yield from _of_text_marked(_("Forecast range"), _range(row, unit), "range")
    yield from _of_day(_("Met"), row.actual, unit=unit)
    yield from _of_day(_("Contract deadline"), row.deadline, "deadline", unit)


def _of_text_marked(label: str, text: str, mark: str) -> Iterator[Detail]:
    if text:
        yield Detail(label=label, texts=(text,), mark=mark)


def _range(row: MilestoneRow, unit: DateUnit) -> str:
    if row.earliest and row.latest:
        earliest, latest = day(row.earliest, unit), day(row.latest, unit)
        in_one = unit != "day" and earliest == latest
        return earliest if in_one else _("{earliest} to {latest}", earliest=earliest, latest=latest)
    if row.earliest:
        return _("{day} at the earliest", day=day(row.earliest, unit))
    return _("{day} at the latest", day=day(row.latest, unit)) if row.latest else ""


AS_FIRST: dict[DateUnit, str] = Said(
    {
        "day": N_("On the day of the first plan"),
        "month": N_("In the month of the first plan"),
        "quarter": N_("In the quarter of the first plan"),
    }
)


def _slip(row: MilestoneRow, unit: DateUnit) -> Iterator[str]:
    """Yield a milestone's slip against the agreed plan, in calendar and working days, and against the first plan."""
    if row.slip is None:
        return
    slip = row.slip
    if row.status == "overdue":  # today is later than any of its dates
        yield _("{slip} by its forecast, which has passed", slip=words.signed_in(slip.since_current, unit))
    elif slip.since_current or slip.working:
        yield _("{slip} against the agreed plan", slip=words.signed_in(slip.since_current, unit))
        if slip.working is not None:
            yield _("{slip} in working days", slip=words.signed(slip.working))
    else:
        yield _(words.ON_TIME[unit])
    if slip.since_original in (None, slip.since_current):  # the agreed date is the first one
        return
    if slip.since_original == 0:
        yield _(AS_FIRST[unit])
    else:
        yield _("{slip} against the first plan", slip=words.signed_in(slip.since_original, unit))


def _payment(row: MilestoneRow, step: int) -> str:
    if row.value is None:
        return ""
    return ", ".join(filter(None, (amount(row.value), words.rounded_to(step, row.value.currency))))


def _acceptance(row: MilestoneRow, unit: DateUnit) -> str:
    if row.accepted_on is not None:
        return _("Accepted {day}", day=day(row.accepted_on, unit))
    if row.needs_acceptance is None:
        return ""
    return _("Needs your acceptance") if row.needs_acceptance else _("Not needed")


def _due(value: date | None) -> str:
    return _("Due {day}", day=day(value)) if value is not None else ""


def _side(side: str, view: ClientView) -> str:
    return {"ours": view.organisation, "theirs": view.client, "joint": _("Both of us")}.get(side, "")


def _earlier(row: MilestoneRow, unit: DateUnit) -> Iterator[str]:
    """Yield the forecasts before the present one, newest first."""
    earlier = row.trend[-2::-1]
    most = len(earlier) if len(earlier) <= MOST_EARLIER else MOST_EARLIER - 1
    for point in earlier[:most]:
        yield _("{forecast}, set {on}", forecast=short_day(point.forecast, unit), on=short_day(point.on))
    if len(row.trend) > TREND_NEWEST:  # there may be more of them than are drawn
        yield _("and earlier ones")
    elif left := len(earlier) - most:
        yield _("and {many} before these", many=number(left))


# a risk


def of_risk(card: RiskCard, view: ClientView) -> tuple[Detail, ...]:
    """Return all that is shared of a risk."""
    return (
        *_of_text(_("Cause"), card.cause),
        *_of_text(_("What may happen"), card.event),
        *_of_text(_("Effect"), card.effect),
        *_of_text(_("Response"), RESPONSE[card.response] if card.response else "", card.response_actions),
        *_of_text(pgettext("risk", "Expected"), PROXIMITY[card.proximity] if card.proximity else ""),
        *_of_text(_("Category"), card.category),
        *_of_text(_("Owner"), card.owner),
        *_scores(card, view),
    )


def _scores(card: RiskCard, view: ClientView) -> Iterator[Detail]:
    band = BAND.get(card.band or "")
    if card.score:
        yield from _of_score(_("Score"), card.score, view.organisation, card.band)
    elif card.band:
        since = _("{band} since {day}", band=band, day=day(card.band_since)) if card.band_since else band
        yield from _of_text(_("Band"), since, view.organisation)
    yield from _of_score(_("Score before"), card.previous)
    yield from _of_text(_("Band before"), BAND.get(card.previous_band or "", ""))
    yield from _of_score(_("Before any response"), card.inherent, band=card.inherent_band)
    yield from _of_score(_("Your score"), card.client_score, card.client_scored_by, card.client_band)


def _of_score(label: str, score: Score | None, by: str = "", band: RiskBand | None = None) -> Iterator[Detail]:
    if score is None:
        yield from _of_text(label, by, BAND.get(band or ""))
        return
    given = ", ".join(part for part in (by, day(score.on) if score.on else "") if part)
    yield from _of_text(
        label, ", ".join(part for part in (values.points(score), BAND_INSIDE.get(band or "")) if part), given
    )


# what is judged


def of_status(indicator: Indicator | None, said: str = "") -> tuple[Detail, ...]:
    """Return the rule behind a status, its reason where a person set it, and what it was; without what `said` says."""
    if indicator is None:
        return ()
    set_by_hand = _("Set by hand, not by the rule") if indicator.overridden else ""
    return (
        *_of_text(_("Rule"), "" if indicator.rule == said else indicator.rule),
        *_of_text(_("Status"), set_by_hand, "" if indicator.reason == said else indicator.reason),
        *_of_text(_("Status before"), STATUS[indicator.previous] if indicator.previous else ""),
    )


def of_schedule(vital: ScheduleVital, unit: DateUnit, said: str) -> tuple[Detail, ...]:
    """Return what the schedule is judged by, and how."""
    return (
        *_of_text(_("Judged by"), vital.title),
        *_of_day(_("Agreed"), vital.baseline, "agreed", unit),
        *_of_day(_("Forecast"), vital.forecast, "forecast", unit),
        *_of_text(_("Slip"), "" if vital.slip_days is None else words.signed_in(vital.slip_days, unit)),
        *_of_text(_("Slip before"), *_earlier_slip(vital, unit)),
        *of_status(vital.indicator, said),
    )


def _earlier_slip(vital: ScheduleVital, unit: DateUnit) -> Iterable[str]:
    if vital.previous_slip is None:
        return ()
    slip = words.signed_in(vital.previous_slip, unit)
    return (_("{slip}, set {on}", slip=slip, on=short_day(vital.previous_on)) if vital.previous_on else slip,)


def of_budget(vital: BudgetVital, said: str) -> tuple[Detail, ...]:
    """Return every figure of the budget, in money and in percent as far as they are shared."""
    figures = (
        (_("Approved"), vital.budget, None, ""),
        (_("Approved at first"), vital.original_budget, None, ""),
        (_("Forecast at completion"), vital.forecast, vital.forecast_share, _own_day(vital.forecast_on)),
        (_("Spent"), vital.spent, vital.spent_share, _own_day(vital.spent_on)),
        (_("Planned by now"), vital.planned, vital.planned_share, ""),
        (_("Earned"), vital.earned, vital.earned_share, _own_day(vital.earned_on)),
    )
    shares = ((label, amount(money), _of_budget(share), on) for label, money, share, on in figures)
    cpi = () if vital.cpi is None else (words.index(vital.cpi), _("earned divided by spent"))
    spi = () if vital.spi_t is None else (words.index(vital.spi_t), _("time earned divided by time passed"))
    return (
        *(detail for label, money, share, on in shares for detail in _of_text(label, money, share, on)),
        *_of_text(_("CPI"), *cpi),
        *_of_text(_("SPI(t)"), *spi),
        *_of_day(_("Figures up to"), vital.status_date),
        *_of_text(_("Measured in"), MEASURE[vital.measure] if vital.measure else ""),
        *of_status(vital.indicator, said),
    )


def _own_day(on: date | None) -> str:
    """Return of which day a figure is that is older than the others."""
    return "" if on is None else _("of {day}", day=day(on))


def _of_budget(share: Decimal | None) -> str:
    return "" if share is None else _("{share} of the budget", share=words.percent(share))


def of_risks(vital: RiskVital) -> tuple[Detail, ...]:
    """Return the status of the risks and its rule; the head of the part says the worst of those shared instead."""
    if vital.indicator is None:
        return ()
    if not vital.top:
        return of_status(vital.indicator, vital.indicator.rule)
    return (*_of_text(_("Risk status"), STATUS[vital.indicator.status]), *of_status(vital.indicator))


def stands_as(view: ClientView) -> tuple[Detail, ...]:
    """Return how the project stands, when what is shared of it last changed, and when its plan was confirmed."""
    return (
        *_of_text("", PHASE[view.phase] if view.phase else ""),
        *_of_day(_("Last changed"), view.as_of),
        *_of_moment(
            _("Plan not confirmed since") if view.unconfirmed else _("Plan confirmed"),
            view.confirmed_at,
            view.time_zone,
        ),
    )
