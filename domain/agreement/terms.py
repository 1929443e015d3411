"""The terms of a share agreement: what it covers, from when, until when, and which changes wait for review.

Rule: terms are an allow-list; what they do not name is not shared. `Ways` are kept from the client and from entries.
"""

from datetime import datetime
from typing import Literal

import msgspec

from domain import catalogue, check
from domain.catalogue import BudgetLevel, Item, MilestoneField, ProjectField, RiskField, Row
from domain.errors import Invalid
from domain.ids import MilestoneId, RiskId
from domain.language import gettext as _
from domain.view import DateUnit, Dimension, ScoreDetail

Measure = Literal["cost", "price"]


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
    # levels of detail: what is shared is cut to them before anything is judged, ordered or counted
    date_unit: DateUnit = "day"  # of every date of a milestone that is part of its course
    score_detail: ScoreDetail = "score"
    money_step: int = 0  # amounts are rounded to multiples of it, in units of the currency; 0: exact

    def keys(self, item: Item) -> frozenset[str]:
        """Return the keys of the catalogue's rows of an item that these terms cover, wherever the item exists."""
        match item:
            case "milestone":
                return frozenset(self.milestone_fields if self.milestones else ())
            case "risk":
                return frozenset(self.risk_fields if self.risks else ())
            case "budget":
                level = {self.budget} - {"nothing"}
                return frozenset(level | {key for key in ("curve", "indices") if level and getattr(self, key)})
            case "health":
                return frozenset(self.health)
            case "project":
                return frozenset(self.project_fields)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of the catalogue that these terms cover, in its order."""
        return tuple(row for row in catalogue.ROWS if row.key in self.keys(row.item))


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
MAX_STEP = 10**9  # units of the currency


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
    chosen: tuple[tuple[Item, str, set[str]], ...] = (
        ("milestone", "milestone_fields", set(terms.milestone_fields)),
        ("risk", "risk_fields", set(terms.risk_fields) if terms.risks else set()),
        ("budget", "budget", {terms.budget, *(key for key in ("curve", "indices") if getattr(terms, key))}),
    )
    for item, field, keys in chosen:
        for needs in catalogue.missing(item, frozenset(keys)):
            raise Invalid(_(needs.refusal), field)
    check.whole("money_step", terms.money_step, 0, MAX_STEP)
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
        date_unit=terms.date_unit,
        score_detail=terms.score_detail,
        money_step=terms.money_step,
    )
