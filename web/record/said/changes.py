"""What one command changed of milestones and risks, in words: each thing with its value before and after."""

from collections.abc import Iterator

from domain.headline import counted
from domain.ids import ProjectId
from domain.language import gettext as _
from domain.language import listed
from domain.plan.project import ProjectEvent, evolve
from domain.plan.putting_back import ChangePutBack, LatestChange, Parts, Placed, change_of
from domain.plan.risks import Risk
from domain.plan.schedule import Milestone
from projections.wording import words
from web.process.services import Services


def what(change: LatestChange) -> str:
    """Return what a change changed: "Gate 2: 5 Mar → 9 Mar 2027", or how many things where they were several."""
    if len(change.milestones) + len(change.risks) == 1:
        return next(iter(things(change)), "")
    several = []
    if change.milestones:
        several.append(counted("one milestone", "{many} milestones", len(change.milestones)))
    if change.risks:
        several.append(counted("one risk", "{many} risks", len(change.risks)))
    return listed(several)


def things(change: LatestChange) -> list[str]:
    """Return each thing that a change changed, with its value before and after it."""
    return [*_milestones(change), *_risks(change)]


def put_back(services: Services, project: ProjectId, event: ChangePutBack) -> list[str]:
    """Return each thing that was put back, with its values before and after the change that was put back. For threads.

    The work is bounded by the events of that one change and of one kept state.
    """
    begun = services.present.after(project, event.first - 1)
    recorded = services.logs.events.part(f"project-{project}", event.first - 1, event.last - event.first + 1)
    if begun.state is None or not recorded:
        return []
    state = begun.state
    for one in recorded:
        assert isinstance(one.event, ProjectEvent)
        state = evolve(state, one.event, one.at)
    first, last = recorded[0], recorded[-1]
    before, after = (Parts(there.schedule, there.risks) for there in (begun.state, state))
    placed = Placed(first=first.version, last=last.version, at=last.at, by=last.actor)
    return things(change_of([one.event for one in recorded], before, after, placed))


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
