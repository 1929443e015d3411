"""From when on a client may know the past of an item, as each version of an agreement chose.

Rule: a version agreed *from now on* discloses of what it newly covers only what is recorded after it; one agreed *with
history* discloses all. What was covered before without a gap stays known. Where "all" is shared, an item is
covered from when it became client-facing. What a floor is compared with is the earlier of when a value was recorded and
since when it held, so that history added later stays unknown like the rest of the past.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import TypeVar

from domain.agreement.share import Share, Version
from domain.agreement.terms import Terms
from domain.catalogue import Item
from domain.plan.history import Dated

Value = TypeVar("Value")
ITEM = ""  # in place of a field: the item itself, whichever of its fields are shared


def known_from(share: Share, kind: Item, key: str, *fields: str, facing: datetime | None = None) -> datetime | None:
    """Return the instant (UTC) before which these fields of an item stay unknown; None where all is disclosed.

    `key` is the id of the milestone or risk, or the measure of the budget; `facing` is when a milestone or risk became
    client-facing, while it is.
    """
    floors = [_floor(share, kind, key, field, facing) for field in fields]
    return max((at for at in floors if at is not None), default=None)


def _floor(share: Share, kind: Item, key: str, field: str, facing: datetime | None) -> datetime | None:
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


def _begin(version: Version, kind: Item, key: str, field: str, facing: datetime | None) -> datetime | None:
    """Return from when on a version covers a field of an item; None where it never does."""
    if not _covers(version.terms, kind, key, field):
        return None
    if kind in ("milestone", "risk") and _chosen(version.terms, kind) == "all":
        return None if facing is None else max(version.at, facing)
    return version.at


def _chosen(terms: Terms, kind: Item) -> object:
    return terms.milestones if kind == "milestone" else terms.risks


def _covers(terms: Terms, kind: Item, key: str, field: str) -> bool:
    keys = terms.keys(kind)
    match kind:
        case "milestone":
            chosen = terms.milestones == "all" or key in terms.milestones
        case "risk":
            chosen = terms.risks == "all" or key in terms.risks
        case "budget":
            chosen = terms.budget != "nothing" and terms.measure == key
        case "health" if field == "budget" and terms.budget == "rag":
            return True  # this level is the status indicator alone
        case _:
            chosen = True
    return chosen and (field == ITEM or field in keys)


def after(at: datetime, since: datetime | None) -> bool:
    """Tell whether what was recorded at `at` is known when what lies before `since` (None: nothing) is not."""
    return since is None or at >= since


def earlier(recorded: datetime, held: datetime | None) -> datetime:
    """Return the earlier of when something was recorded and since when it held in its source, where that is said."""
    return recorded if held is None else min(recorded, held)


def dated(value: Dated) -> tuple[datetime, datetime]:
    """Return when a value was recorded, and what a floor compares."""
    return value.at, earlier(value.at, value.as_of)


def known(
    history: Sequence[Value], since: datetime | None, times: Callable[[Value], tuple[datetime, datetime]]
) -> list[Value]:
    """Return what is known of a history (in the order in which its values held) when what lies before `since` is not.

    That is the value that was the newest at `since`, and the later ones. One that was never the newest, since it was
    recorded only after another that holds since later, is of the past. `times` gives what `dated` does.
    """
    if since is None:
        return list(history)
    found: list[Value] = []
    recorded_after = datetime.max.replace(tzinfo=UTC)  # the earliest time at which a later value was recorded
    for value in reversed(history):
        at, begin = times(value)
        if after(begin, since):
            found.append(value)
        elif at < recorded_after:
            found.append(value)
            break
        recorded_after = min(recorded_after, at)
    return found[::-1]


def settled(history: Sequence[Value], said: Callable[[Value], object]) -> list[Value]:
    """Return what is known of a history without values that say what the one before them does, as levels may make."""
    found: list[Value] = []
    for value in history:
        if not found or said(found[-1]) != said(value):
            found.append(value)
    return found
