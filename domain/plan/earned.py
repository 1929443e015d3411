"""The formulas of earned value and earned schedule.

Sources: PMI, The Standard for Earned Value Management (2019), and Lipke, Schedule is Different (2003) for earned
schedule. Money arguments are plain decimals of one currency. Every function returns None ("n/a") where the formula is
undefined; nothing is rounded here but by `part_of`, for showing.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from decimal import Decimal

import msgspec

ZERO, ONE = Decimal(0), Decimal(1)
PART = Decimal("0.0001")


class EarnedValue(msgspec.Struct, frozen=True, kw_only=True):
    """All figures at one status date. Ratios are plain numbers (1 = as planned); times are in periods of the plan.

    A planned or earned value above the budget belongs to one that was larger: it is unknown until it is given again.
    """

    bac: Decimal
    pv: Decimal | None
    ev: Decimal | None
    ac: Decimal | None
    cv: Decimal | None  # EV - AC
    sv: Decimal | None  # EV - PV, in money; returns to 0 at the end of a late project
    cpi: Decimal | None  # EV / AC
    spi: Decimal | None  # EV / PV
    eac_typical: Decimal | None  # BAC / CPI
    eac_atypical: Decimal | None  # AC + (BAC - EV)
    eac_both: Decimal | None  # AC + (BAC - EV) / (CPI x SPI)
    eac: Decimal | None  # the recorded forecast, else the typical one; never below what is spent
    etc: Decimal | None  # EAC - AC
    vac: Decimal | None  # BAC - EAC
    tcpi_bac: Decimal | None  # (BAC - EV) / (BAC - AC)
    tcpi_eac: Decimal | None  # (BAC - EV) / (EAC - AC)
    es: Decimal | None  # earned schedule, periods
    sv_t: Decimal | None  # ES - AT
    spi_t: Decimal | None  # ES / AT
    ieac_t: Decimal | None  # planned duration / SPI(t)


def ratio(numerator: Decimal | None, denominator: Decimal | None) -> Decimal | None:
    """Return numerator / denominator, or None where either is unknown or the division is undefined."""
    if numerator is None or denominator is None or denominator == 0:
        return None
    return numerator / denominator


def part_of(value: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """Return what part of a whole a value is (1 = all) to four digits, None where it is unknown or there is no whole.

    It is 1 or 0 only where it is exactly that.
    """
    exact = ratio(value, whole)
    if exact is None:
        return None
    part = exact.quantize(PART)
    if part in (ZERO, ONE) and part != exact:
        return part + PART.copy_sign(exact - part)
    return part


def _to_complete(left: Decimal | None, funds: Decimal | None) -> Decimal | None:
    """Return a TCPI, None where no money is left, as no efficiency could complete the work then."""
    return None if funds is None or funds <= 0 else ratio(left, funds)


def minus(left: Decimal | None, right: Decimal | None) -> Decimal | None:
    """Return left - right, or None where either is unknown."""
    return None if left is None or right is None else left - right


def within(value: Decimal | None, bac: Decimal) -> Decimal | None:
    """Return a value that lies within the budget; one above it is unknown."""
    return None if value is None or value > bac else value


def at_least(value: Decimal | None, floor: Decimal | None) -> Decimal | None:
    """Return a value, or the floor where that is higher; None where the value is unknown."""
    return value if value is None or floor is None else max(value, floor)


def earned_schedule(planned: Sequence[Decimal], ev: Decimal) -> Decimal | None:
    """Return the time, in periods, at which the plan should have earned `ev`.

    `planned[i]` is cumulative PV at the end of period i + 1; PV before the first period is 0.
    ES = C + (EV - PV_C) / (PV_C+1 - PV_C), C = the last period with PV_C <= EV.
    """
    if not planned or planned[-1] <= 0 or ev < 0:
        return None
    if ev >= planned[-1]:
        return planned_duration(planned)
    done = bisect_right(planned, ev)
    start = planned[done - 1] if done else ZERO
    return done + (ev - start) / (planned[done] - start)


def planned_duration(planned: Sequence[Decimal]) -> Decimal | None:
    """Return the number of the period by whose end all work is planned to be done; later periods do not count."""
    return Decimal(bisect_left(planned, planned[-1]) + 1) if planned and planned[-1] > 0 else None


def figures(
    *,
    bac: Decimal,
    pv: Decimal | None,
    ev: Decimal | None,
    ac: Decimal | None,
    forecast: Decimal | None = None,
    planned: Sequence[Decimal] = (),
    actual_time: Decimal | None = None,
    spent: Decimal | None = None,
) -> EarnedValue:
    """Return every earned-value figure for one status date.

    `forecast` is a recorded (bottom-up) EAC; `planned` is cumulative PV per period; `actual_time` is AT in periods;
    `spent` is the newest AC that is known, where `ac` is not.
    """
    pv, ev = within(pv, bac), within(ev, bac)
    planned = planned if not planned or planned[-1] <= bac else ()
    cpi, spi = ratio(ev, ac), ratio(ev, pv)
    remaining = minus(bac, ev)
    typical = ratio(bac, cpi)
    both = None if cpi is None or spi is None else ratio(remaining, cpi * spi)
    eac = at_least(forecast if forecast is not None else typical, ac if ac is not None else spent)
    es = None if ev is None else earned_schedule(planned, ev)
    spi_t = ratio(es, actual_time)
    return EarnedValue(
        bac=bac,
        pv=pv,
        ev=ev,
        ac=ac,
        cv=minus(ev, ac),
        sv=minus(ev, pv),
        cpi=cpi,
        spi=spi,
        eac_typical=typical,
        eac_atypical=None if remaining is None or ac is None else ac + remaining,
        eac_both=None if both is None or ac is None else ac + both,
        eac=eac,
        etc=minus(eac, ac),
        vac=minus(bac, eac),
        tcpi_bac=_to_complete(remaining, minus(bac, ac)),
        tcpi_eac=_to_complete(remaining, minus(eac, ac)),
        es=es,
        sv_t=minus(es, actual_time),
        spi_t=spi_t,
        ieac_t=ratio(planned_duration(planned), spi_t),
    )
