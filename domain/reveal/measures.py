"""The health indicators and the budget of a view. Part of `reveal`; only `policy` calls it.

Rule: a value reaches the view only under an `if` on the terms that name it.
"""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from domain.agreement.share import Share
from domain.agreement.terms import Terms
from domain.money import Money
from domain.plan import health as rules
from domain.plan.budget import Account, Measurement
from domain.plan.earned import part_of, within
from domain.plan.project import Project
from domain.reveal.levels import rounded
from domain.reveal.past import earlier, known, known_from
from domain.view import BudgetVital, CurvePoint, Dimension, Indicator


def indicator_of(project: Project, share: Share, dimension: Dimension) -> Indicator | None:
    """Return a health indicator, None unless the terms share it and it can be measured."""
    return _indicator(project, share, dimension) if dimension in share.terms.health else None


def _indicator(project: Project, share: Share, dimension: Dimension) -> Indicator | None:
    """Return an indicator; its previous status has no date, so it is shown only where all of the past is."""
    status = project.health.status(dimension)
    if status is None:
        return None
    override = project.health.overrides.get(dimension)
    reading = project.health.readings.get(dimension)
    return Indicator(
        status=status,
        rule=rules.rule(dimension, project.tolerances, project.scale),
        previous=reading.previous
        if reading and override is None and known_from(share, "health", "", dimension) is None
        else None,
        reason=override.reason if override else "",
        overridden=override is not None,
    )


def budget_of(project: Project, share: Share) -> BudgetVital | None:
    """Return the budget at the level the terms share, None where they share nothing of it."""
    terms = share.terms
    if terms.budget == "nothing":
        indicator = indicator_of(project, share, "budget")
        return None if indicator is None else BudgetVital(indicator=indicator)
    indicator = _budget_status(project, share)
    account = project.budget.accounts.get(terms.measure)
    if terms.budget == "rag" or account is None:
        return None if indicator is None else BudgetVital(indicator=indicator)
    return _figures(project, share, account, indicator)


def _budget_status(project: Project, share: Share) -> Indicator | None:
    shared = share.terms.budget == "rag" or "budget" in share.terms.health
    return _indicator(project, share, "budget") if shared else None


def _figures(project: Project, share: Share, account: Account, indicator: Indicator | None) -> BudgetVital:
    terms, figures = share.terms, account.earned_value()
    amounts = terms.budget == "amounts"
    since, day = known_from(share, "budget", terms.measure, "curve"), _status_date(account)
    spent, earned = account.known("ac"), account.known("ev")
    ac, ev = spent.ac if spent else None, within(earned.ev if earned else None, account.bac)

    def money(value: Decimal | None) -> Money | None:
        return Money(value, project.currency) if amounts and value is not None else None

    return BudgetVital(
        indicator=indicator,
        measure=terms.measure,
        status_date=day,
        forecast_on=_older(_forecast_day(account), day),
        spent_on=_older(spent.status_date if spent else None, day),
        earned_on=_older(earned.status_date if earned else None, day),
        budget=money(account.bac),
        original_budget=money(account.original)
        if known_from(share, "budget", terms.measure, "amounts") is None
        else None,
        forecast=money(figures.eac),
        spent=money(ac),
        planned=money(figures.pv),
        earned=money(ev),
        forecast_share=part_of(figures.eac, account.bac),
        spent_share=part_of(ac, account.bac),
        planned_share=part_of(figures.pv, account.bac),
        earned_share=part_of(ev, account.bac),
        cpi=_rounded(figures.cpi) if terms.indices else None,
        spi_t=_rounded(figures.spi_t) if terms.indices else None,
        curve=_curve(account, _measured(project, account, since), terms) if terms.curve else (),
        curve_currency=project.currency if terms.curve and amounts else "",
    )


def _status_date(account: Account) -> date | None:
    dates = [m.status_date for m in account.measurements[-1:]] + [f.status_date for f in account.forecasts[-1:]]
    return max(dates, default=None)


def _forecast_day(account: Account) -> date | None:
    """Return the day a forecast on record is of; None where the forecast follows from the figures."""
    return account.forecasts[-1].status_date if account.forecasts else None


def _older(day: date | None, than: date | None) -> date | None:
    return day if day is not None and than is not None and day < than else None


def _rounded(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(Decimal("0.01"))


def _curve(account: Account, measurements: list[Measurement], terms: Terms) -> tuple[CurvePoint, ...]:
    """Return the curve: the plan, the forecast, and what was spent and earned by these measurements."""

    def scaled(value: Decimal | None) -> Decimal | None:
        return value if terms.budget == "amounts" or value is None else part_of(value, account.bac)

    days: dict[date, dict[str, Decimal | None]] = {}
    for point in account.planned:
        days.setdefault(point.on, {})["planned"] = point.amount
    for measured in measurements:
        days.setdefault(measured.status_date, {}).update(spent=measured.ac, earned=measured.ev)
    for on, value in _forecast_line(account):
        days.setdefault(on, {})["forecast"] = rounded(value, Decimal(terms.money_step))
    return tuple(
        CurvePoint(on=on, **{name: scaled(value) for name, value in values.items()})
        for on, values in sorted(days.items())
    )


def _measured(project: Project, account: Account, since: datetime | None) -> list[Measurement]:
    """Return the measurement that was the newest at `since` and the later ones; all of them when `since` is None.

    A measurement holds from the end of its status date.
    """

    def times(m: Measurement) -> tuple[datetime, datetime]:
        end = datetime.combine(m.status_date + timedelta(days=1), time(), ZoneInfo(project.time_zone))
        return m.first_at, earlier(m.first_at, end)

    return known(account.measurements, since, times)


def _forecast_line(account: Account) -> list[tuple[date, Decimal]]:
    """Return points from what is spent to the forecast at completion, in the shape of the rest of the plan."""
    figures = account.earned_value()
    if not account.measurements or figures.eac is None or figures.ac is None or not account.planned:
        return []
    start = account.measurements[-1].status_date
    ahead = [p for p in account.planned if p.on > start]
    pv_now = figures.pv or Decimal(0)
    left = account.planned[-1].amount - pv_now
    if not ahead or left <= 0:
        return [(start, figures.ac), (max(start, account.planned[-1].on), figures.eac)] if ahead else []
    rest = figures.eac - figures.ac
    return [(start, figures.ac), *((p.on, figures.ac + rest * (p.amount - pv_now) / left) for p in ahead)]
