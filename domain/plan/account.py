"""One measure of the budget: its approved amount, plan, measurements and forecasts, and the figures they give.

Rule: all figures of `earned_value` are of one status date, that of the newest measurement. A value it does not give is
unknown there, and takes no other figure with it; `known` gives the newest one that was measured, with its own day.
"""

from bisect import bisect_right
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from domain.plan.earned import EarnedValue, figures

Measure = Literal["cost", "price"]


BEYOND = Decimal(10) ** 12  # how far something is over a budget of nothing, as a share of it


class PlannedPoint(msgspec.Struct, frozen=True, order=True):
    """Cumulative planned value at the end of a day."""

    on: date
    amount: Decimal


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    status_date: date
    at: datetime
    first_at: datetime  # when something was first measured for this day; a correction keeps it
    pv: Decimal | None
    ev: Decimal | None
    ac: Decimal | None


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    status_date: date
    at: datetime
    eac: Decimal
    reason: str


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of the budget."""

    original: Decimal
    changes: Decimal = Decimal(0)
    planned: tuple[PlannedPoint, ...] = ()
    measurements: tuple[Measurement, ...] = ()  # ascending by status date
    forecasts: tuple[Forecast, ...] = ()  # ascending by status date
    changed_at: datetime
    figures: EarnedValue | None = None  # computed from the rest once for each event, as they are asked for often

    @property
    def bac(self) -> Decimal:
        """Budget at completion: original plus approved changes, without management reserve."""
        return self.original + self.changes

    def earned_value(self) -> EarnedValue:
        """Return every figure at the newest status date."""
        return self.figures or self._read()

    def read(self) -> "Account":
        """Return the account with its figures computed again."""
        return msgspec.structs.replace(self, figures=self._read())

    def _read(self) -> EarnedValue:
        last = self.measurements[-1] if self.measurements else None
        return figures(
            bac=self.bac,
            pv=self.planned_at(last) if last else None,
            ev=last.ev if last else None,
            ac=last.ac if last else None,
            forecast=self.forecasts[-1].eac if self.forecasts else None,
            spent=self.spent(),
            planned=[point.amount for point in self.planned],
            actual_time=self.periods_until(self._worked_until(last)) if last else None,
        )

    def known(self, field: Literal["pv", "ev", "ac"]) -> Measurement | None:
        """Return the newest measurement that gives PV, EV or AC; None where none does."""
        return next((m for m in reversed(self.measurements) if getattr(m, field) is not None), None)

    def spent(self) -> Decimal | None:
        """Return the newest AC that was measured."""
        newest = self.known("ac")
        return newest.ac if newest else None

    def excess(self) -> Decimal | None:
        """Return by how much of the budget (1 = 100 %) the forecast exceeds it, or what is spent where there is none.

        `BEYOND` where something is spent or forecast without a budget; None where nothing of it is known.
        """
        eac = self.earned_value().eac
        amount = eac if eac is not None else self.spent()
        if amount is None or (self.bac == 0 and amount == 0):
            return None
        return BEYOND if self.bac == 0 else (amount - self.bac) / self.bac

    def _worked_until(self, last: Measurement) -> date:
        """Return the status date, or the first on which all work was done: costs booked later do not make it late."""
        day = last.status_date
        for measurement in reversed(self.measurements):
            if measurement.ev is None or measurement.ev < self.bac:
                break
            day = measurement.status_date
        return day

    def planned_at(self, measurement: Measurement) -> Decimal | None:
        """Return PV as measured, else interpolated from the plan, between period ends in proportion to days.

        Earned schedule interpolates in the same way, so that SV and SV(t) agree on what is late.
        """
        if measurement.pv is not None or not self.planned:
            return measurement.pv
        time = self.periods_until(measurement.status_date)
        if time is None:
            return self.planned[0].amount if measurement.status_date >= self.planned[0].on else Decimal(0)
        if time >= len(self.planned):
            return self.planned[-1].amount
        done = int(time)
        start = self.planned[done - 1].amount if done else Decimal(0)
        return start + (time - done) * (self.planned[done].amount - start)

    def periods_until(self, day: date) -> Decimal | None:
        """Return actual time AT in periods of the plan, interpolated between period ends in proportion to days."""
        ends = [point.on for point in self.planned]
        if len(ends) < 2:
            return None
        ends.insert(0, ends[0] - (ends[1] - ends[0]))  # the first period is taken to be as long as the second
        if day <= ends[0]:
            return Decimal(0)
        past = min(bisect_right(ends, day), len(ends) - 1)  # beyond the plan, periods are as long as its last
        start, end = ends[past - 1], ends[past]
        return past - 1 + Decimal((day - start).days) / (end - start).days
