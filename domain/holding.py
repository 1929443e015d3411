"""Changes that wait for review before a client sees them: a pure fold of the events, never an edit of any.

What is held stays, for that share alone, as it was: the milestone, the risk or the budget, the agreed plans while a
milestone waits, and the health indicators while anything does, since each of those would tell of what waits. Other
changes go out as they happen. On release the client sees the present state, as one update.
"""

from datetime import datetime, timedelta
from typing import Literal, TypeVar

import msgspec

from domain.agreement import HeldFact, Share
from domain.budget import Account, Budget
from domain.health import Health
from domain.ids import MilestoneId, PersonId, RiskId
from domain.policy import covers_milestone, covers_risk
from domain.project import Project
from domain.risks import Register, Risk
from domain.schedule import Milestone, Schedule
from domain.terms import Measure, Release, Terms

Why = Literal["slip", "cost", "score"]
K = TypeVar("K")
V = TypeVar("V")


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One item that waits, as the client goes on seeing it; None: the client does not know of it yet."""

    fact: HeldFact
    milestone: Milestone | None = None
    risk: Risk | None = None
    account: Account | None = None


class Holds(msgspec.Struct, frozen=True, kw_only=True):
    """All that waits on one share."""

    held: dict[str, Held] = {}  # by subject: "milestone-m1", "risk-r7", "budget"
    health: Health | None = None
    schedule: Schedule | None = None  # whose agreed plans are still shown

    @property
    def facts(self) -> tuple[HeldFact, ...]:
        """What waits, the longest first."""
        return tuple(sorted((one.fact for one in self.held.values()), key=lambda fact: (fact.since, fact.subject)))


NOTHING = Holds()


def after(holds: Holds, before: Project, now: Project, share: Share, at: datetime, by: PersonId) -> Holds:
    """Return what waits after one change of a project, recorded at `at` (UTC) by `by`."""
    release = share.ways.release
    if release is None or not share.active:
        return NOTHING
    new = {key: held for key, held in _waiting(before, now, share, release, at, by).items() if key not in holds.held}
    if not new:
        return holds
    plans = any(held.fact.why == "slip" for held in new.values())
    return Holds(
        held={**holds.held, **new},
        health=holds.health or before.health,
        schedule=holds.schedule or (before.schedule if plans else None),
    )


def without(holds: Holds, subjects: frozenset[str]) -> Holds:
    """Return what still waits once these went out."""
    left = {key: held for key, held in holds.held.items() if key not in subjects}
    if not left:
        return NOTHING
    plans = any(held.fact.why == "slip" for held in left.values())
    return msgspec.structs.replace(holds, held=left, schedule=holds.schedule if plans else None)


def as_released(project: Project, holds: Holds, measure: Measure) -> Project:
    """Return the project as a share may know it: what waits is as it was before."""
    if not holds.held:
        return project
    milestones, risks = dict(project.schedule.milestones), dict(project.risks.risks)
    accounts = dict(project.budget.accounts)
    for subject, held in holds.held.items():
        kind, _, key = subject.partition("-")
        if kind == "milestone":
            _put(milestones, MilestoneId(key), held.milestone)
        elif kind == "risk":
            _put(risks, RiskId(key), held.risk)
        else:
            _put(accounts, measure, held.account)
    schedule = msgspec.structs.replace(project.schedule, milestones=milestones)
    if (shown := holds.schedule) is not None:
        plans = {"baselines": shown.baselines, "agreed": shown.agreed, "agreed_first": shown.agreed_first}
        schedule = msgspec.structs.replace(schedule, **plans)
    return msgspec.structs.replace(
        project,
        schedule=schedule,
        risks=Register(risks=risks),
        budget=Budget(accounts=accounts),
        health=holds.health or project.health,
    )


def _put(into: dict[K, V], key: K, value: V | None) -> None:
    if value is None:
        into.pop(key, None)
    else:
        into[key] = value


def _waiting(
    before: Project, now: Project, share: Share, release: Release, at: datetime, by: PersonId
) -> dict[str, Held]:
    terms, found = share.terms, dict[str, Held]()
    until = at + timedelta(hours=release.hours)

    def fact(subject: str, why: Why) -> HeldFact:
        return HeldFact(subject=subject, why=why, since=at, until=until, changed_by=by)

    if release.slip_days is not None and {"forecast", "actual", "slip", "status"} & set(terms.milestone_fields):
        for key, new in now.schedule.milestones.items():
            old = before.schedule.milestones.get(key)
            slipped = old is not None and (new.expected - old.expected).days > release.slip_days
            if old is not None and slipped and covers_milestone(terms, new):
                subject = f"milestone-{key}"
                found[subject] = Held(fact=fact(subject, "slip"), milestone=old)
    if release.score is not None and "score" in terms.risk_fields:
        for risk in now.risks.risks.values():
            known = before.risks.risks.get(risk.id)
            if risk.residual.score >= release.score and covers_risk(terms, risk) and _rescored(terms, known, risk):
                subject = f"risk-{risk.id}"
                found[subject] = Held(fact=fact(subject, "score"), risk=known)
    if release.cost and terms.budget != "nothing":
        account = before.budget.accounts.get(terms.measure)
        if account != now.budget.accounts.get(terms.measure):
            found["budget"] = Held(fact=fact("budget", "cost"), account=account)
    return found


def _rescored(terms: Terms, old: Risk | None, new: Risk) -> bool:
    return old is None or not covers_risk(terms, old) or old.residual.score != new.residual.score
