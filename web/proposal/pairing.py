"""Which milestone of a plan is which of a project: by id, and by title where ids changed.

Rule: a plan that was exported here says it itself. An id is believed while the title agrees, or while no other
milestone has that title. Where ids moved on by a row, or were all given anew, the title and then the agreed date say
which milestone is meant, so that histories stay whole.
"""

from collections.abc import Iterable, Mapping, Sequence

from domain.ids import MilestoneId
from domain.language import gettext as _
from domain.plan.schedule import Milestone, Schedule
from web.importers.plan import Plan, PlannedMilestone


class Pairs:
    """The pairs of planned milestones and milestones, by the id in the plan."""

    def __init__(self, schedule: Schedule, planned: Sequence[PlannedMilestone]) -> None:
        self._schedule = schedule
        self.of: dict[str, Milestone] = {}
        self.removed: dict[str, Milestone] = {}  # that were removed, and are in this plan
        self.renamed = 0  # that have the id and another title
        self._free = {m.id: m for m in schedule.milestones.values()}
        by_id = {m.source_id: m for m in self._free.values() if m.source_id}
        self._pair_same(planned, by_id)
        self._pair_titles(planned, self._free.values(), self.of)
        for one in planned:
            old = by_id.get(one.source_id)
            if one.source_id not in self.of and old is not None and old.id in self._free:
                self._take(one, old, self.of)
                self.renamed += 1
        self._pair_removed(planned)

    def _pair_same(self, planned: Sequence[PlannedMilestone], by_id: Mapping[str, Milestone]) -> None:
        for one in planned:
            old = self._free.get(MilestoneId(one.own_id))
            if old is not None:
                self._take(one, old, self.of)
        for one in planned:
            old = by_id.get(one.source_id)
            if one.source_id in self.of or old is None or old.id not in self._free:
                continue
            if _title(old.details.title) == _title(one.title):
                self._take(one, old, self.of)

    def _pair_titles(
        self, planned: Sequence[PlannedMilestone], candidates: Iterable[Milestone], into: dict[str, Milestone]
    ) -> None:
        """Pair what has the same title once on both sides; of several, those whose agreed dates are told apart."""
        ours: dict[str, list[Milestone]] = {}
        theirs: dict[str, list[PlannedMilestone]] = {}
        for old in candidates:
            ours.setdefault(_title(old.details.title), []).append(old)
        for one in planned:
            if one.source_id not in self.of and one.source_id not in self.removed:
                theirs.setdefault(_title(one.title), []).append(one)
        for title, some in theirs.items():
            found = ours.get(title, [])
            if len(some) == len(found) == 1:
                self._take(some[0], found[0], into)
                continue
            for one in some:
                agreed = [old for old in found if one.baseline and self._schedule.baseline_of(old.id) == one.baseline]
                if len(agreed) == 1 and sum(other.baseline == one.baseline for other in some) == 1:
                    self._take(one, agreed[0], into)

    def _pair_removed(self, planned: Sequence[PlannedMilestone]) -> None:
        gone = {m.source_id: m for m in self._schedule.removed.values() if m.source_id}
        for one in planned:
            old = gone.get(one.source_id)
            if one.source_id not in self.of and old and _title(old.details.title) == _title(one.title):
                self.removed[one.source_id] = old
        taken = {m.id for m in self.removed.values()}
        left = [m for m in self._schedule.removed.values() if m.id not in taken and m.source_id]
        self._pair_titles(planned, left, self.removed)

    def _take(self, one: PlannedMilestone, old: Milestone, into: dict[str, Milestone]) -> None:
        into[one.source_id] = old
        self._free.pop(old.id, None)

    def missing(self, plan: Plan) -> list[Milestone]:
        """Return the milestones that came from an earlier plan and are not in this one."""
        there = {m.id for m in self.of.values()}
        return [
            m
            for m in self._schedule.milestones.values()
            if m.source_id and m.id not in there and (m.source_id not in plan.present or m.source_id in self.of)
        ]

    def doubt(self, plan: Plan) -> str:
        """Return why this may be another plan than the one that was imported before, "" where nothing says so."""
        came = [m for m in self._schedule.milestones.values() if m.source_id]
        kept = [m for m in self.of.values() if m.source_id]
        gone = self.missing(plan)
        before, now = self._schedule.plan_title, plan.title
        if before and now and _title(before) != _title(now):
            return _("This plan is called “{now}”; the one before it was called “{before}”.", now=now, before=before)
        if came and plan.milestones and not kept:
            return _("None of the {n} milestones of the plan before is in this file.", n=len(came))
        if self.renamed >= 2 and self.renamed * 2 > len(kept):
            return _("{renamed} of {n} would be renamed.", renamed=self.renamed, n=len(kept))
        if len(gone) >= 3 and len(gone) * 2 > len(came):
            return _("{gone} of {n} would leave the plan.", gone=len(gone), n=len(came))
        return ""


def followed(schedule: Schedule, plan: Plan) -> list[PlannedMilestone]:
    """Return the tasks of a plan that are no milestones there and are followed here: by id, or by title."""
    came = [m for m in schedule.milestones.values() if m.source_id]
    ids, titles = {m.source_id for m in came}, {_title(m.details.title) for m in came}
    return [task for task in plan.tasks if task.source_id in ids or _title(task.title) in titles]


def _title(title: str) -> str:
    return " ".join(title.casefold().split())
