"""The changes of somebody that can still be put back, in words, as the plan and confirmations offer them."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from domain.headline import counted
from domain.ids import PersonId
from domain.language import gettext as _
from domain.language import listed
from domain.plan import putting_back
from domain.plan.project import Project
from domain.plan.putting_back import LatestChange
from domain.plan.risks import Risk
from domain.plan.schedule import Milestone
from projections.events.world import World
from projections.wording import words

SHOWN = 3  # of the latest changes


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One change that can be put back."""

    version: int  # of its last event
    what: str
    at: str
    until: str


def offers(world: World, project: Project, person: PersonId, now: datetime) -> list[Offer]:
    """Return the latest changes of a person that can be put back at `now` (UTC), newest first."""
    own = [one for one in reversed(world.changes.get(project.id, ())) if one.by == person]
    possible = [one for one in own if not putting_back.refused(one, project.schedule, project.risks, now)]
    zone = project.time_zone
    return [
        Offer(
            version=one.last,
            what=what(one),
            at=f"{words.local(one.at, zone):%H:%M}",
            until=f"{words.local(one.until, zone):%H:%M}",
        )
        for one in possible[:SHOWN]
    ]


def what(change: LatestChange) -> str:
    """Return what a change changed: "Gate 2: 5 Mar → 9 Mar 2027", or how many things where they were several."""
    if len(change.milestones) + len(change.risks) == 1:
        return next(iter((*_milestones(change), *_risks(change))), "")
    things = []
    if change.milestones:
        things.append(counted("one milestone", "{many} milestones", len(change.milestones)))
    if change.risks:
        things.append(counted("one risk", "{many} risks", len(change.risks)))
    return listed(things)


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
