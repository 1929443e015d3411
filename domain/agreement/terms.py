"""The terms of a share agreement: what it covers, from when, until when, and which changes wait for review.

Rule: terms are an allow-list; what they do not name is not shared. `Ways` are kept from the client and from entries.
"""

from datetime import datetime
from typing import Literal

import msgspec

from domain import check
from domain.errors import Invalid
from domain.ids import MilestoneId, RiskId
from domain.language import gettext as _
from domain.view import Dimension

MilestoneField = Literal[
    "baseline", "forecast", "range", "actual", "slip", "status", "reason", "deadline", "kind", "owner_side",
    "progress", "value", "acceptance", "client_action", "confirmed", "trend", "comments",
]  # fmt: skip
RiskField = Literal[
    "score", "inherent", "history", "cause", "effect", "category", "proximity", "response", "owner", "client_score",
    "comments",
]  # fmt: skip
BudgetLevel = Literal["nothing", "rag", "percent", "amounts"]
Measure = Literal["cost", "price"]
ProjectField = Literal["phase", "baselines", "confirmed"]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What one version of an agreement covers. By default it covers nothing."""

    milestones: Literal["all"] | tuple[MilestoneId, ...] = ()  # "all": every client-facing one, also future ones
    milestone_fields: tuple[MilestoneField, ...] = ()
    risks: Literal["all"] | tuple[RiskId, ...] = ()
    risk_fields: tuple[RiskField, ...] = ()
    budget: BudgetLevel = "nothing"
    measure: Measure = "price"
    curve: bool = False  # the course of planned, spent and forecast over time, at the same level
    indices: bool = False  # CPI and SPI(t)
    health: tuple[Dimension, ...] = ()  # each tells about the whole project, not only about what is shared
    project_fields: tuple[ProjectField, ...] = ()


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """Which kinds of change are held for review, and for how many hours at most; then they are released."""

    hours: int = 4  # 1 to 168
    slip_days: int | None = None  # a date that moves later by more than so many calendar days
    cost: bool = False  # any change of the shared budget
    score: int | None = None  # a risk whose score becomes this or higher


class Ways(msgspec.Struct, frozen=True, kw_only=True):
    """How one version discloses what its terms cover."""

    history: bool = True  # also what was recorded before the version; else from now on
    release: Release | None = None  # None: at once
    expires: datetime | None = None  # UTC; the share ends by itself then


AT_ONCE = Ways()


def checked_ways(ways: Ways, size: int = 10) -> Ways:
    """Return the ways if they can be agreed; `size` is the longest side a risk scale may have.

    Raises: Invalid.
    """
    expires = None if ways.expires is None else check.instant("expires", ways.expires)
    review = ways.release
    if review is not None:
        check.whole("hours", review.hours, 1, 168)
        if review.slip_days is not None:
            check.whole("slip_days", review.slip_days, 0, 3660)
        if review.score is not None:
            check.whole("score", review.score, 1, size * size)
        if review.slip_days is None and review.score is None and not review.cost:
            problem = _("Review was chosen, and no kind of change is named that waits for it")
            raise Invalid(_("{told}. Name one, or release at once.", told=problem), "release")
    return msgspec.structs.replace(ways, expires=expires)


def checked(terms: Terms) -> Terms:
    """Return the terms if they can be agreed, with their lists sorted and without doubles.

    Raises: Invalid.
    """
    if terms.budget == "nothing" and (terms.curve or terms.indices):
        raise Invalid(_("The spend curve and the indices need a budget level of percent or amounts."), "budget")
    if terms.budget == "rag" and (terms.curve or terms.indices):
        problem = _("At the level of a status alone, no curve and no index can be shared")
        raise Invalid(_("{told}. Choose percent or amounts, or leave them out.", told=problem), "budget")
    if terms.risks and "score" not in terms.risk_fields and {"history", "client_score"} & set(terms.risk_fields):
        problem = _("The history of a score and the client's own score need the score itself")
        raise Invalid(_("{told}. Share it as well, or leave them out.", told=problem), "risk_fields")
    if "slip" in terms.milestone_fields and not {"baseline", "forecast"} <= set(terms.milestone_fields):
        raise Invalid(_("A slip tells both dates. Share the agreed date and the forecast as well."), "milestone_fields")
    for field, ids in (("milestones", terms.milestones), ("risks", terms.risks)):
        for key in ids if ids != "all" else ():
            check.identifier(field, key)
    return Terms(
        milestones=terms.milestones if terms.milestones == "all" else tuple(sorted(set(terms.milestones))),
        milestone_fields=tuple(sorted(set(terms.milestone_fields))),
        risks=terms.risks if terms.risks == "all" else tuple(sorted(set(terms.risks))),
        risk_fields=tuple(sorted(set(terms.risk_fields))),
        budget=terms.budget,
        measure=terms.measure,
        curve=terms.curve,
        indices=terms.indices,
        health=tuple(sorted(set(terms.health))),
        project_fields=tuple(sorted(set(terms.project_fields))),
    )
