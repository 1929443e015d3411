"""The changes of somebody that can still be put back, in words, as the plan and confirmations offer them."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from domain.headline import count
from domain.ids import PersonId
from domain.language import gettext as _
from domain.plan import putting_back
from domain.plan.project import Project
from domain.plan.putting_back import LatestChange
from domain.plan.risks import Risk
from domain.plan.schedule import Milestone
from projections.events.world import World
from projections.wording import words

SHOWN = 3  # of the latest changes


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One change that can be put back; one that put back another is made again by it."""

    version: int  # of its last event
    what: str
    at: str
    until: str
    again: bool  # whether it put back a change, so that putting it back makes that change again


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What of the latest changes of a person can be put back, and what no longer can."""

    possible: Sequence[Offer]  # newest first
    lapsed: Sequence[int]  # versions of changes that a page may still offer

    @property
    def listed(self) -> Sequence[Offer]:
        """The offers at the head of the plan: a change that put back another is offered where it is confirmed only."""
        return [offer for offer in self.possible if not offer.again][:SHOWN]


def standing(world: World, project: Project, person: PersonId, now: datetime) -> Standing:
    """Return which of the latest changes of a person can be put back at `now` (UTC)."""
    own = [one for one in reversed(world.changes.get(project.id, ())) if one.by == person]
    possible = [one for one in own if not putting_back.refused(one, project.schedule, project.risks, now)]
    return Standing(
        possible=[_offer(one, project.time_zone) for one in possible],
        lapsed=[one.last for one in own if one not in possible],
    )


def _offer(change: LatestChange, zone: str) -> Offer:
    return Offer(
        version=change.last,
        what=what(_reversed(change) if change.puts_back else change),
        at=f"{words.local(change.at, zone):%H:%M}",
        until=f"{words.local(change.until, zone):%H:%M}",
        again=change.puts_back,
    )


def _reversed(change: LatestChange) -> LatestChange:
    return msgspec.structs.replace(
        change,
        milestones={key: (now, was) for key, (was, now) in change.milestones.items()},
        risks={key: (now, was) for key, (was, now) in change.risks.items()},
    )


def what(change: LatestChange) -> str:
    """Return what a change changed: "Gate 2: 5 Mar → 9 Mar 2027", or how many things where they were several."""
    if len(change.milestones) + len(change.risks) == 1:
        return next(iter((*_milestones(change), *_risks(change))), "")
    counted = []
    if change.milestones:
        counted.append(count(len(change.milestones), _("milestone")))
    if change.risks:
        counted.append(count(len(change.risks), _("risk")))
    return _(" and ").join(counted)


def _milestones(change: LatestChange) -> Iterator[str]:
    for before, after in change.milestones.values():
        if after is not None:
            yield _milestone(before, after)


def _milestone(old: Milestone | None, new: Milestone) -> str:
    title = new.details.title
    if old is None:
        return _("{title}: added", title=title)
    if old.actual != new.actual:
        if new.actual is None:
            return _("{title}: reopened", title=title)
        return _("{title}: met on {day}", title=title, day=words.day_year(new.actual))
    if old.forecast != new.forecast:
        before, after = words.day_year(old.forecast), words.day_year(new.forecast)
        return _("{title}: {before} → {after}", title=title, before=before, after=after)
    if old.percent != new.percent and new.percent is not None:
        return _("{title}: {percent} % complete", title=title, percent=new.percent)
    return _("{title}: details", title=title)


def _risks(change: LatestChange) -> Iterator[str]:
    for before, after in change.risks.values():
        if before is not None and after is not None:
            yield _risk(before, after)


def _risk(old: Risk, new: Risk) -> str:
    ref = new.details.ref
    if old.closed != new.closed:
        return _("{ref}: closed", ref=ref) if new.closed else _("{ref}: reopened", ref=ref)
    if old.residual != new.residual:
        return _("{ref}: score {before} → {after}", ref=ref, before=old.residual.score, after=new.residual.score)
    return _("{ref}: details", ref=ref)
