"""Risk scores: probability times impact on the project's scale, and the band of a score."""

from typing import Literal

import msgspec

from domain import check
from domain.errors import Invalid
from domain.language import gettext as _

Band = Literal["low", "medium", "high"]


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """Probability and impact run from 1 to `size`; the score is their product."""

    size: int = 5
    medium_from: int = 6
    high_from: int = 12


class Points(msgspec.Struct, frozen=True):
    """One assessment: probability and impact on the project's scale."""

    probability: int
    impact: int

    @property
    def score(self) -> int:
        return self.probability * self.impact


def band(scale: Scale, score: int) -> Band:
    """Return the band of a score."""
    return "high" if score >= scale.high_from else "medium" if score >= scale.medium_from else "low"


def measured(field: str, points: Points, scale: Scale) -> None:
    """Raise Invalid when probability or impact is off the scale."""
    check.whole(field, points.probability, 1, scale.size)
    check.whole(field, points.impact, 1, scale.size)


def rising(scale: Scale) -> None:
    """Raise Invalid unless the bands of a scale begin in rising order, within its scores."""
    if not (2 <= scale.size <= 9 and 1 < scale.medium_from < scale.high_from <= scale.size**2):
        problem = _("The bands have to rise: 1 < medium < high, on a scale of 2 to 9")
        raise Invalid(_("{told}. Choose where medium and high begin.", told=problem), "scale")
