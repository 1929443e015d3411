"""A project and its parts, as events, to give to a decision."""

from datetime import date
from decimal import Decimal
from typing import Any

from domain.money import Money
from domain.plan.budget import BudgetApproved
from domain.plan.calendar import Calendar
from domain.plan.health import Tolerances
from domain.plan.project import ProjectStarted
from domain.plan.risks import Points, RiskDetails, RiskRaised, Scale
from domain.plan.schedule import BaselineApproved, ForecastMoved, MilestoneAdded, MilestoneDetails, MilestoneMet

P = "harbour"
DAY = date(2027, 5, 3)


def started(**changed: Any) -> ProjectStarted:
    fields: dict[str, Any] = {
        "project": P, "title": "Internal", "client_title": "Harbour Line", "owner": "marta", "currency": "GBP",
        "time_zone": "Europe/London", "calendar": Calendar(), "tolerances": Tolerances(), "scale": Scale(),
    }  # fmt: skip
    return ProjectStarted(**{**fields, **changed})


def details(**changed: Any) -> MilestoneDetails:
    return MilestoneDetails(**{"title": "Section A", **changed})


def added(milestone: str = "m1", forecast: date = DAY, **changed: Any) -> MilestoneAdded:
    return MilestoneAdded(milestone=milestone, details=details(**changed), forecast=forecast)


def agreed(number: int = 1, on: date = date(2027, 1, 4), **dates: date) -> BaselineApproved:
    return BaselineApproved(number=number, dates=dates or {"m1": DAY}, reason="Contract", approver="Board", on=on)


def met(actual: date = date(2027, 3, 1)) -> MilestoneMet:
    return MilestoneMet(milestone="m1", actual=actual)


def moved(forecast: date, milestone: str = "m1") -> ForecastMoved:
    return ForecastMoved(milestone=milestone, forecast=forecast, reason="Frost")


def risk_details(**changed: Any) -> RiskDetails:
    return RiskDetails(**{"ref": "R-07", "title": "Possession", **changed})


def raised(probability: int = 2, impact: int = 4, risk: str = "r1", ref: str = "R-07") -> RiskRaised:
    return RiskRaised(
        risk=risk, details=risk_details(ref=ref), inherent=Points(5, 5), residual=Points(probability, impact)
    )


def approved(amount: int = 1000, measure: Any = "price") -> BudgetApproved:
    return BudgetApproved(measure=measure, amount=pounds(amount), reason="Contract")


def pounds(amount: int) -> Money:
    return Money(Decimal(amount), "GBP")
