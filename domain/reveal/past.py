"""From when on a client may know the past of an item, as each version of an agreement chose.

Rule: a version agreed *from now on* discloses of what it newly covers only what is recorded after it; one agreed *with
history* discloses all. What was covered before without a gap stays known. Where "all" is shared, an item is
covered from when it became client-facing.
"""

from datetime import datetime
from itertools import pairwise
from typing import Literal

from domain.agreement.share import Share, Version
from domain.agreement.terms import Terms

Kind = Literal["milestone", "risk", "project", "budget"]
ITEM = ""  # in place of a field: the item itself, whichever of its fields are shared


def known_from(share: Share, kind: Kind, key: str, *fields: str, facing: datetime | None = None) -> datetime | None:
    """Return the instant (UTC) before which these fields of an item stay unknown; None where all is disclosed.

    `key` is the id of the milestone or risk, or the measure of the budget; `facing` is when a milestone or risk became
    client-facing, while it is.
    """
    floors = [_floor(share, kind, key, field, facing) for field in fields]
    return max((at for at in floors if at is not None), default=None)


def _floor(share: Share, kind: Kind, key: str, field: str, facing: datetime | None) -> datetime | None:
    since: datetime | None = None
    covered = False
    for version, after in pairwise((*share.versions, None)):
        assert version is not None
        begin = _begin(version, kind, key, field, facing)
        if begin is None or (after is not None and begin >= after.at):
            covered = False
            continue
        covered = covered and begin == version.at
        if version.ways.history:
            since = None
        elif not covered:
            since = begin
        covered = True
    return since


def _begin(version: Version, kind: Kind, key: str, field: str, facing: datetime | None) -> datetime | None:
    """Return from when on a version covers a field of an item; None where it never does."""
    if not _covers(version.terms, kind, key, field):
        return None
    if kind in ("milestone", "risk") and _chosen(version.terms, kind) == "all":
        return None if facing is None else max(version.at, facing)
    return version.at


def _chosen(terms: Terms, kind: Kind) -> object:
    return terms.milestones if kind == "milestone" else terms.risks


def _covers(terms: Terms, kind: Kind, key: str, field: str) -> bool:
    match kind:
        case "milestone":
            chosen = terms.milestones == "all" or key in terms.milestones
            return chosen and (field == ITEM or field in terms.milestone_fields)
        case "risk":
            return (terms.risks == "all" or key in terms.risks) and (field == ITEM or field in terms.risk_fields)
        case "budget":
            shared = terms.budget != "nothing" and terms.measure == key
            return shared and (field == ITEM or (terms.curve if field == "curve" else terms.budget == field))
        case "project":
            by_level = field == "budget" and terms.budget == "rag"  # this level is the status indicator alone
            return by_level or field in terms.project_fields or field in terms.health


def after(at: datetime, since: datetime | None) -> bool:
    """Tell whether what was recorded at `at` is known when what lies before `since` (None: nothing) is not."""
    return since is None or at >= since
