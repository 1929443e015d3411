"""From when on a client may know the past of an item: the retroactivity each version of an agreement chose. Pure.

A version agreed *from now on* discloses of what it newly covers only what is recorded after it; one agreed *with
history* discloses all. What was covered before keeps what it had. An item that became client-facing later is covered
from then.
"""

from datetime import datetime
from typing import Literal

from domain.agreement import Share
from domain.terms import Terms

Kind = Literal["milestone", "risk", "project", "budget"]


def floor(share: Share, kind: Kind, key: str, *fields: str, facing: datetime | None = None) -> datetime | None:
    """Return the instant (UTC) before which these fields of an item stay unknown; None where all is disclosed.

    `key` is the id of the milestone or risk; `facing` is when it became client-facing.
    """
    found = [_floor(share, kind, key, field, facing) for field in fields]
    return max((at for at in found if at is not None), default=None)


def _floor(share: Share, kind: Kind, key: str, field: str, facing: datetime | None) -> datetime | None:
    since: datetime | None = None
    covered = False
    for version in share.versions:
        if not _covers(version.terms, kind, key, field):
            covered = False
        elif version.ways.history:
            since, covered = None, True
        elif not covered:
            since, covered = version.at, True
    last = share.versions[-1]
    by_flag = kind in ("milestone", "risk") and _chosen(last.terms, kind) == "all" and not last.ways.history
    return max(filter(None, (since, facing)), default=None) if by_flag else since


def _chosen(terms: Terms, kind: Kind) -> object:
    return terms.milestones if kind == "milestone" else terms.risks


def _covers(terms: Terms, kind: Kind, key: str, field: str) -> bool:
    match kind:
        case "milestone":
            return field in terms.milestone_fields and (terms.milestones == "all" or key in terms.milestones)
        case "risk":
            return field in terms.risk_fields and (terms.risks == "all" or key in terms.risks)
        case "budget":
            return terms.curve and terms.measure == key
        case "project":
            return field in terms.project_fields or field in terms.health
