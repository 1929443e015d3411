"""The past of a project, from plans as they stood: moves that are recorded today and held then (`as_of`).

Rule: a past that is added changes nothing of the present. What held since later stays, and so does what is known; a
value of an instant at which the record knows better already is left out, and said to be. One exception is stated: where
no plan was agreed here yet, the agreed dates of the files are, since the days of the files.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from domain.errors import Refused
from domain.ids import MilestoneId
from domain.language import gettext as _
from domain.plan import project as projects
from domain.plan.history import held
from domain.plan.project import ChangeTogether, PlainCommand, Project
from domain.plan.schedule import (
    ApproveBaseline,
    ConfirmPlan,
    MeetMilestone,
    Milestone,
    MoveForecast,
    ReopenMilestone,
    ReportProgress,
)
from web.importers.findings import MOST_NOTES
from web.importers.plan import Plan, PlannedMilestone
from web.proposal.pairing import Pairs

Then = tuple[datetime, Plan]  # a plan, and the instant (UTC) at which it stood so
Settled = dict[tuple[MilestoneId, datetime], date | None]  # on which day a milestone was met by what a plan says


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What older plans add to the past of a project, and what they do not."""

    commands: tuple[PlainCommand, ...]
    plans: int  # that were read
    moves: int  # of forecasts
    others: int  # percentages, and that something was met or open again
    agreed: int  # plans that are agreed by it
    notes: tuple[str, ...]

    def together(self, project: Project) -> ChangeTogether:
        """Return one command that records it."""
        return ChangeTogether(project=project.id, commands=self.commands)


def end_of(day: date, project: Project, now: datetime) -> datetime:
    """Return the instant (UTC) as of which a plan with a status date holds: the end of the day in the project's zone.

    Of today it is `now`.
    """
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(project.time_zone))
    return min((midnight - timedelta(seconds=1)).astimezone(UTC), now)


def past(project: Project, plans: Sequence[Then], now: datetime, reason: str = "") -> Past:
    """Return what plans, in whichever order, add to the past of a project; `now` is UTC.

    `reason` is that of every move.
    """
    added = _Added(project, now, reason or _("As an older plan has it"))
    ordered = sorted(plans, key=lambda then: then[0])
    pairs = [(at, plan, Pairs(project.schedule, plan.milestones).of) for at, plan in ordered if at <= now]
    if len(pairs) < len(ordered):
        added.count(_("Plans left out that are of a day to come"))
    settled = _settlements(project, [(at, _each(plan, of)) for at, plan, of in pairs])
    for at, plan, of in pairs:
        added.take(at, plan, of, settled)
    return added.result(len(pairs))


def _each(plan: Plan, of: dict[str, Milestone]) -> list[tuple[PlannedMilestone, MilestoneId]]:
    return [(one, of[one.source_id].id) for one in plan.milestones if one.source_id in of]


def _settlements(
    project: Project, plans: Sequence[tuple[datetime, list[tuple[PlannedMilestone, MilestoneId]]]]
) -> Settled:
    """Return what each plan says of whether a milestone was met, as far as the present stays as it is.

    One that is open at present, and of which the last plan says that it was met, is left open from where it was said.
    """
    found: Settled = {}
    for at, milestones in plans:
        for planned, key in milestones:
            if at >= project.schedule.milestones[key].moves[-1].since:
                continue
            found[key, at] = planned.actual  # of several plans of one instant, the last
    last_open: dict[MilestoneId, datetime] = {}
    for (key, at), actual in found.items():
        if actual is None:
            last_open[key] = max(at, last_open.get(key, at))
    for key, at in list(found):
        is_open = project.schedule.milestones[key].actual is None
        if is_open and (key not in last_open or at > last_open[key]):
            del found[key, at]
    return found


class _Added:
    """Collects what is added, on a project as it is after all of it so far."""

    def __init__(self, project: Project, now: datetime, reason: str) -> None:
        self.state, self.now, self.reason = project, now, reason
        self._present = project.schedule.milestones
        self._agreed_before = bool(project.schedule.baselines)
        self._commands: list[PlainCommand] = []
        self._counts: dict[str, int] = {}
        self._moves = self._others = self._agreed = 0

    def count(self, what: str, n: int = 1) -> None:
        """Count what a note says."""
        if n and (what in self._counts or len(self._counts) < MOST_NOTES):
            self._counts[what] = self._counts.get(what, 0) + n

    def take(self, at: datetime, plan: Plan, of: dict[str, Milestone], settled: Settled) -> None:
        """Add what a plan says of the instant `at` at which it stood so."""
        strange = sum(one.source_id not in of for one in plan.milestones)
        self.count(_("Milestones of older plans that are not on the plan now, left out"), strange)
        for planned in plan.milestones:
            if planned.source_id in of:
                self._milestone(at, planned, of[planned.source_id].id, settled)
        self._baseline(at, plan, of)
        since = self.state.schedule.confirmed_since
        if since is not None and at < since and plan.file_hash not in self.state.schedule.files:
            confirmed = ConfirmPlan(
                project=self.state.id,
                source="import",
                file_hash=plan.file_hash,
                data_date=plan.data_date,
                note=_("Added to the past"),
                as_of=at,
            )
            self._do(confirmed)

    def _milestone(self, at: datetime, planned: PlannedMilestone, key: MilestoneId, settled: Settled) -> None:
        present = self._present[key]
        if at >= present.moves[-1].since:
            self.count(_("Values of older plans that are not older than the present one here, left out"))
            return
        if (key, at) in settled:
            self._settle(at, key, settled[key, at])
        if planned.forecast is not None and self._one(key).met(at) is None:
            then = held(self._one(key).moves, at)
            if then is None or then.forecast != planned.forecast:
                move = MoveForecast(
                    project=self.state.id, milestone=key, forecast=planned.forecast, reason=self.reason, as_of=at
                )
                self._moves += self._do(move)
        percent = planned.percent_complete
        later = bool(present.reports) and at < present.reports[-1].since
        if percent is not None and later and self._one(key).met(at) is None:
            self._others += self._do(ReportProgress(project=self.state.id, milestone=key, percent=percent, as_of=at))

    def _settle(self, at: datetime, key: MilestoneId, actual: date | None) -> None:
        """Add that a milestone was met, or open again, where that is not what is known."""
        known, settlements = self._one(key).met(at), self._present[key].settlements
        if known == actual or (settlements and at >= settlements[-1].since):
            return
        if known is not None:
            self._others += self._do(
                ReopenMilestone(project=self.state.id, milestone=key, reason=self.reason, as_of=at)
            )
        if actual is not None:
            self._others += self._do(MeetMilestone(project=self.state.id, milestone=key, actual=actual, as_of=at))

    def _baseline(self, at: datetime, plan: Plan, of: dict[str, Milestone]) -> None:
        """Agree the agreed dates of a plan since its day, where nothing was agreed here before."""
        dates = {of[one.source_id].id: one.baseline for one in plan.milestones if one.baseline and one.source_id in of}
        schedule = self.state.schedule
        new = {key: day for key, day in dates.items() if schedule.baseline_of(key) != day}
        if not new:
            return
        if self._agreed_before:
            self.count(_("Agreed dates of older plans left out, as a plan is agreed here already"), len(new))
            return
        met = {key for key in new if schedule.milestones[key].actual and schedule.baseline_of(key) is not None}
        self.count(_("Agreed dates left out that moved after the milestone was met"), len(met))
        kept = {key: day for key, day in new.items() if key not in met}
        if kept:
            approve = ApproveBaseline(
                project=self.state.id,
                reason=self.reason,
                approver=_("As in the imported plan"),
                on=self.state.civil(at),
                dates=kept,
                only=True,
            )
            self._agreed += self._do(approve)

    def _one(self, key: MilestoneId) -> Milestone:
        return self.state.schedule.milestones[key]

    def _do(self, command: PlainCommand) -> int:
        """Carry out a command on the project as it is; return 1 where it changed anything."""
        try:
            events = projects.decide(self.state, command, self.now)
        except Refused as refused:
            self.count(_("Left out, as it does not fit what is known: {why}", why=str(refused)))
            return 0
        for event in events:
            self.state = projects.evolve(self.state, event, self.now)
        self._commands += [command] if events else []
        return 1 if events else 0

    def result(self, plans: int) -> Past:
        """Return what was collected."""
        notes = tuple(_("{what}: {n}.", what=what, n=n) for what, n in self._counts.items())
        return Past(
            commands=tuple(self._commands),
            plans=plans,
            moves=self._moves,
            others=self._others,
            agreed=self._agreed,
            notes=notes,
        )
