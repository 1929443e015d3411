"""Changes that wait for review before a client sees them, folded from the events.

Rule: what waits is judged at the level of detail that the terms allow. The milestone, the risk or the budget that
waits is shown on that share as it was before the command that changed it. An agreed plan or a confirmation that comes
while a milestone waits covers it too, so it waits with it: in the list of plans, as the confirmation of the plan, and
for that milestone; the other milestones show theirs. Health is judged by what is released. All else is shown as it
happens: other items, the client's own scores, the closing of a risk, and whatever takes an item away from the client.
On release the client sees the present state, as one update.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Literal

import msgspec

from domain import catalogue
from domain.agreement.share import HeldFact, Share, still_held
from domain.agreement.terms import Measure, Release, Terms
from domain.ids import MilestoneId, PersonId, RiskId
from domain.plan.budget import Account, Budget
from domain.plan.health import Facts, Health, assess
from domain.plan.project import Project
from domain.plan.risks import Register, Risk
from domain.plan.schedule import ApprovedBaseline, Confirmation, Milestone, Schedule
from domain.reveal.levels import at_level
from domain.reveal.policy import covers_milestone, covers_risk

Why = Literal["slip", "cost", "score"]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One item that waits, as the client goes on seeing it; None where the client does not know of it yet."""

    fact: HeldFact
    milestone: Milestone | None = None
    schedule: Schedule | None = None  # with the milestone: its agreed dates and the confirmation that are still shown
    risk: Risk | None = None
    account: Account | None = None
    measure: Measure = "price"  # of the account


class Holds(msgspec.Struct, frozen=True, kw_only=True):
    """All that waits on one share."""

    held: dict[str, Held] = {}  # by subject: "milestone-m1", "risk-r7", "budget"
    health: Health | None = None  # judged by what is released

    @property
    def facts(self) -> tuple[HeldFact, ...]:
        """The changes that wait, the oldest first."""
        return tuple(sorted((held.fact for held in self.held.values()), key=lambda fact: (fact.since, fact.subject)))


NOTHING = Holds()
DATES = catalogue.telling("milestone", "slip")


class Released(Schedule, frozen=True, kw_only=True):
    """A schedule of which milestones wait. `known` has the one that is still shown of each."""

    known: dict[MilestoneId, Schedule]
    shown: Schedule  # before the first of them began to wait: the list of plans, and the plan's confirmation

    @property
    def listed(self) -> tuple[ApprovedBaseline, ...]:
        """The agreed plans that do not wait."""
        return self.shown.baselines

    @property
    def withheld(self) -> tuple[object, ...]:
        """What the milestones that wait are shown by."""
        return (self.known, self.shown)

    def confirmation(self, milestone: MilestoneId | None = None) -> Confirmation:
        """Return the newest confirmation that does not wait: of a milestone, None for the whole plan."""
        if milestone is None:
            return self.shown.confirmation()
        known = self.known.get(milestone)
        return Schedule.confirmation(self) if known is None else known.confirmation()


class ProjectStep(msgspec.Struct, frozen=True):
    """One command of a project: the state before it and after it, and on demand those in between."""

    before: Project
    now: Project
    at: datetime  # UTC
    by: PersonId
    states: Callable[[], Iterable[Project]]  # from the one before to the one after, both included


def after_command(holds: Holds, step: ProjectStep, share: Share) -> Holds:
    """Return what waits on a share after one command of its project."""
    release = share.ways.release
    if release is None or not share.active:
        return NOTHING
    waiting = _waiting(step, share, release)
    new = {key: held for key, held in waiting.items() if key not in holds.held}
    if not new and not holds.held:
        return NOTHING
    waits = Holds(held={**holds.held, **new}, health=holds.health or step.before.health)
    return msgspec.structs.replace(waits, health=_read(waits, step, share.terms))


def _read(waits: Holds, step: ProjectStep, terms: Terms) -> Health:
    """Return health judged by what is released, change by change; overrides are set by people and are shown at once."""
    health = waits.health or step.before.health
    for old, new in pairwise(_facts(as_released(state, waits, terms)) for state in step.states()):
        health = assess(health, old, new)
    return msgspec.structs.replace(health, overrides=step.now.health.overrides)


def _facts(project: Project) -> Facts:
    return Facts(project.tolerances, project.scale, project.schedule, project.budget, project.risks)


def after_release(holds: Holds, subjects: frozenset[str], project: Project, terms: Terms) -> Holds:
    """Return what still waits once the changes of these subjects were released."""
    left = {key: held for key, held in holds.held.items() if key not in subjects}
    if not left:
        return NOTHING
    waits = msgspec.structs.replace(holds, held=left)
    old, new = (_facts(as_released(project, held, terms)) for held in (holds, waits))
    return msgspec.structs.replace(waits, health=assess(holds.health or project.health, old, new))


def under_new_terms(holds: Holds, share: Share, amended: Share, project: Project) -> Holds:
    """Return what goes on waiting once another version of an agreement is in force."""
    left = [f for f in holds.facts if still_held(f, share.terms, amended.terms, amended.ways)]
    gone = holds.held.keys() - {fact.subject for fact in left}
    return after_release(holds, frozenset(gone), project, amended.terms) if gone else holds


def as_released(project: Project, holds: Holds, terms: Terms) -> Project:
    """Return the project as a share with these terms may know it: what waits is shown as it was before."""
    if not holds.held:
        return project
    milestones, risks = dict(project.schedule.milestones), dict(project.risks.risks)
    accounts = dict(project.budget.accounts)
    for subject, held in holds.held.items():
        kind, _, key = subject.partition("-")
        if kind == "milestone":
            _milestone(milestones, MilestoneId(key), held, terms)
        elif kind == "risk":
            _risk(risks, RiskId(key), held, terms)
        elif held.account is None:
            accounts.pop(held.measure, None)
        else:
            accounts[held.measure] = held.account
    return msgspec.structs.replace(
        project,
        schedule=_schedule(msgspec.structs.replace(project.schedule, milestones=milestones), holds),
        risks=Register(risks=risks),
        budget=Budget(accounts=accounts),
        health=holds.health or project.health,
    )


def _schedule(now: Schedule, holds: Holds) -> Schedule:
    """Return a schedule in which the milestones that wait have the agreed dates they had before, the others theirs."""
    facts = [f for f in holds.facts if holds.held[f.subject].schedule is not None]
    known = {MilestoneId(f.subject.partition("-")[2]): holds.held[f.subject].schedule or now for f in facts}
    if not known:
        return now
    fields = {name: getattr(now, name) for name in now.__struct_fields__}
    fields["agreed"] = _dates_known(now.agreed, {key: then.agreed for key, then in known.items()})
    fields["agreed_first"] = _dates_known(now.agreed_first, {key: then.agreed_first for key, then in known.items()})
    fields["baselines"] = tuple(_plan_known(plan, i, known) for i, plan in enumerate(now.baselines))
    return Released(**fields, known=known, shown=next(iter(known.values())))


def _plan_known(plan: ApprovedBaseline, before: int, known: dict[MilestoneId, Schedule]) -> ApprovedBaseline:
    """Return a plan, the one after `before` others, without the dates of milestones that began to wait before it."""
    dates = {k: on for k, on in plan.dates.items() if k not in known or before < len(known[k].baselines)}
    return msgspec.structs.replace(plan, dates=dates)


def _dates_known(
    now: dict[MilestoneId, date], known: dict[MilestoneId, dict[MilestoneId, date]]
) -> dict[MilestoneId, date]:
    then = {key: dates[key] for key, dates in known.items() if key in dates}
    return {key: on for key, on in now.items() if key not in known} | then


def _milestone(into: dict[MilestoneId, Milestone], key: MilestoneId, held: Held, terms: Terms) -> None:
    now, shown = into.get(key), held.milestone
    if now is None or shown is None:
        into.pop(key, None)
    elif covers_milestone(terms, now):
        into[key] = shown
    else:  # taken away from the client meanwhile
        into[key] = msgspec.structs.replace(shown, details=now.details, facing_since=now.facing_since)


def _risk(into: dict[RiskId, Risk], key: RiskId, held: Held, terms: Terms) -> None:
    now, shown = into.get(key), held.risk
    if now is None or shown is None:
        into.pop(key, None)
        return
    into[key] = msgspec.structs.replace(shown, client_scores=now.client_scores, closed_at=now.closed_at)
    if not covers_risk(terms, now):
        into[key] = msgspec.structs.replace(into[key], details=now.details, facing_since=now.facing_since)


def _waiting(step: ProjectStep, share: Share, release: Release) -> dict[str, Held]:
    """Return by subject the items that a command changed in a way that has to wait."""
    terms, waiting = share.terms, dict[str, Held]()
    before, now = at_level(step.before, terms), at_level(step.now, terms)
    until = step.at + timedelta(hours=release.hours)

    def fact(subject: str, why: Why) -> HeldFact:
        return HeldFact(subject=subject, why=why, since=step.at, until=until, changed_by=step.by)

    if release.slip_days is not None and DATES & set(terms.milestone_fields):
        for key, new in now.schedule.milestones.items():
            old = before.schedule.milestones.get(key)
            slipped = old is not None and (new.expected - old.expected).days > release.slip_days
            if old is not None and slipped and covers_milestone(terms, new):
                subject = f"milestone-{key}"
                plan = step.before.schedule
                waiting[subject] = Held(fact=fact(subject, "slip"), milestone=plan.milestones[key], schedule=plan)
    if release.score is not None and "score" in terms.risk_fields:
        for risk in now.risks.risks.values():
            earlier = before.risks.risks.get(risk.id)
            if risk.residual.score >= release.score and covers_risk(terms, risk) and _rescored(terms, earlier, risk):
                subject = f"risk-{risk.id}"
                waiting[subject] = Held(fact=fact(subject, "score"), risk=step.before.risks.risks.get(risk.id))
    if release.cost and terms.budget != "nothing":
        account = step.before.budget.accounts.get(terms.measure)
        if before.budget.accounts.get(terms.measure) != now.budget.accounts.get(terms.measure):
            waiting["budget"] = Held(fact=fact("budget", "cost"), account=account, measure=terms.measure)
    return waiting


def _rescored(terms: Terms, old: Risk | None, new: Risk) -> bool:
    return old is None or not covers_risk(terms, old) or old.residual.score != new.residual.score
