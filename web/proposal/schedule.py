"""`Compared`: the milestones of a plan compared with those of a project, one by one by source id."""

from collections.abc import Callable, Iterable
from datetime import date

import msgspec

from domain.headline import counted
from domain.ids import MilestoneId
from domain.language import gettext as _
from domain.plan.neighbours import apart, dates_of
from domain.plan.project import PlainCommand, Project
from domain.plan.schedule import (
    AddMilestone,
    ApproveBaseline,
    DescribeMilestone,
    MeetMilestone,
    Milestone,
    MilestoneDetails,
    MoveForecast,
    RemoveMilestone,
    ReopenMilestone,
    ReportProgress,
)
from projections.wording import words
from web.importers.plan import Plan, PlannedMilestone
from web.proposal.lines import Kind, ProposalLine

OFFERED = 300  # tasks, at most, that a person chooses from


class Compared:
    """Compares the milestones of a plan with a project; lines and notes collect in it."""

    def __init__(self, project: Project, plan: Plan, new_id: Callable[[], str], today: date) -> None:
        self.project, self.plan, self.new_id, self.today = project, plan, new_id, today
        self.known = {m.source_id: m for m in project.schedule.milestones.values() if m.source_id}
        self.ids: dict[str, MilestoneId] = {source: m.id for source, m in self.known.items()}
        self.lines: list[ProposalLine] = []
        self.notes: list[str] = []
        self.unchanged = 0
        followed = (task for task in plan.tasks if task.source_id in self.known)
        self.planned = (*plan.milestones, *followed)
        self.by = ""  # who looks, and agrees the first plan
        self.offering = False  # whether lines are only offered
        self.far = apart([day for one in self.planned for day in _days(one)], dates_of(project, today))
        dated = _(", data date {data_date}", data_date=words.long_day(plan.data_date)) if plan.data_date else ""
        self.reason = _("Imported plan{dated}", dated=dated)

    def take(self, planned: PlannedMilestone) -> None:
        """Compare one milestone of the file with the project’s."""
        old = self.known.get(planned.source_id)
        if old is None:
            self._add(planned)
            return
        before = len(self.lines)
        self._describe(planned, old)
        if old.actual is not None or planned.actual is not None:
            self._met(planned, old)
        else:
            self._move(planned, old)
            self._progress(planned, old)
        self.unchanged += len(self.lines) == before

    def _line(
        self, kind: Kind, planned: PlannedMilestone, before: str, after: str, *commands: PlainCommand, note: str = ""
    ) -> None:
        note = "; ".join(filter(None, (note, self._far_away(_days(planned)))))
        line = ProposalLine(
            kind=kind, source_id=planned.source_id, title=planned.title, before=before, after=after, note=note,
            commands=commands, offered=self.offering,
        )  # fmt: skip
        self.lines.append(line)

    def _far_away(self, days: Iterable[date]) -> str:
        """Return the remark that some of these dates are far from all others, "" where none is."""
        far = sorted(self.far.intersection(days))
        return _("far from all other dates: {days}", days=", ".join(map(words.day_year, far))) if far else ""

    def _add(self, planned: PlannedMilestone) -> None:
        forecast = planned.forecast or planned.actual or planned.baseline
        if forecast is None:
            self.notes.append(
                _(
                    "“{title}” (line {line}) has no date at all, so it was left out.",
                    title=planned.title,
                    line=planned.line,
                )
            )
            return
        key = self.ids[planned.source_id] = MilestoneId(self.new_id())
        details = MilestoneDetails(title=planned.title, deadline=planned.deadline)
        commands: list[PlainCommand] = [
            AddMilestone(
                project=self.project.id, milestone=key, details=details, forecast=forecast, source_id=planned.source_id
            )
        ]
        after, note = words.day_year(forecast), ""
        if planned.actual and self._is_past(planned, planned.actual):
            commands.append(MeetMilestone(project=self.project.id, milestone=key, actual=planned.actual))
            after, note = words.day_year(planned.actual), "met"
        elif planned.percent_complete:
            commands.append(self._percent(key, planned.percent_complete))
            note = _("{percent_complete} % complete", percent_complete=planned.percent_complete)
        self._line("added", planned, "", after, *commands, note=note)

    def _is_past(self, planned: PlannedMilestone, actual: date) -> bool:
        """Tell whether a date of completion can be; a note says so where it is after today."""
        if actual <= self.today:
            return True
        sentence = _(
            "“{title}” (line {line}) is said to be met on {actual}",
            title=planned.title,
            line=planned.line,
            actual=words.long_day(actual),
        )
        self.notes.append(_("{told}, which is after today; that was left out.", told=sentence))
        return False

    def _describe(self, planned: PlannedMilestone, old: Milestone) -> None:
        deadline = planned.deadline or old.details.deadline
        renamed, new = old.details.title != planned.title, deadline != old.details.deadline
        if not renamed and not new:
            return
        details = msgspec.structs.replace(old.details, title=planned.title, deadline=deadline)
        command = DescribeMilestone(project=self.project.id, milestone=old.id, details=details)
        due = _("deadline {deadline}", deadline=words.day_year(deadline)) if new and deadline else ""
        if renamed:
            self._line("renamed", planned, old.details.title, planned.title, command, note=due)
        elif deadline:
            was = words.day_year(old.details.deadline) if old.details.deadline else ""
            self._line("deadline", planned, was, words.day_year(deadline), command)

    def _move(self, planned: PlannedMilestone, old: Milestone) -> None:
        if planned.forecast is None or planned.forecast == old.forecast:
            return
        new = planned.forecast
        command = MoveForecast(
            project=self.project.id,
            milestone=old.id,
            forecast=new,
            reason=self.reason,
            earliest=old.earliest if old.earliest and old.earliest <= new else None,
            latest=old.latest if old.latest and old.latest >= new else None,
        )
        slip = words.signed((new - old.forecast).days)
        self._line("moved", planned, words.day_year(old.forecast), words.day_year(new), command, note=slip)

    def _met(self, planned: PlannedMilestone, old: Milestone) -> None:
        if planned.actual == old.actual:
            return
        if planned.actual is None:
            on = words.long_day(old.actual) if old.actual else ""
            self.notes.append(
                _(
                    "“{title}” was met here on {on}; the file has it open. Nothing is proposed.",
                    title=planned.title,
                    on=on,
                )
            )
            return
        if not self._is_past(planned, planned.actual):
            return
        commands: list[PlainCommand] = []
        if old.actual is not None:
            commands.append(ReopenMilestone(project=self.project.id, milestone=old.id, reason=self.reason))
        commands.append(MeetMilestone(project=self.project.id, milestone=old.id, actual=planned.actual))
        was = (
            words.day_year(old.actual)
            if old.actual
            else _("forecast {forecast}", forecast=words.day_year(old.forecast))
        )
        slip = words.signed((planned.actual - (old.actual or old.forecast)).days)
        self._line("met", planned, was, words.day_year(planned.actual), *commands, note=slip if slip != "0" else "")

    def _progress(self, planned: PlannedMilestone, old: Milestone) -> None:
        percent = planned.percent_complete
        if percent is None or percent == (old.percent or 0):
            return
        was = "" if old.percent is None else f"{old.percent} %"
        self._line("progress", planned, was, f"{percent} %", self._percent(old.id, percent))

    def _percent(self, key: MilestoneId, percent: int) -> ReportProgress:
        return ReportProgress(project=self.project.id, milestone=key, percent=percent)

    def missing(self) -> None:
        """Propose to remove milestones that came from an earlier file and are no longer in this one."""
        in_plan = {planned.source_id for planned in (*self.planned, *self.plan.tasks)}
        for source, old in self.known.items():
            if source in in_plan:
                continue
            command = RemoveMilestone(
                project=self.project.id, milestone=old.id, reason=_("No longer in the imported plan")
            )
            when = words.day_year(old.expected)
            line = ProposalLine(
                kind="missing",
                source_id=source,
                title=old.details.title,
                before=when,
                after="",
                note=_("leaves the plan"),
                commands=(command,),
            )
            self.lines.append(line)

    def baseline(self) -> None:
        """Propose the file's baseline as the agreed plan while there is none."""
        dates = {p.source_id: p.baseline for p in self.planned if p.baseline and p.source_id in self.ids}
        agreed = self.project.schedule
        if not dates:
            if self.ids and not agreed.baselines:
                self._offer_baseline()
            return
        if agreed.baselines:
            differ = sum(agreed.baseline_of(self.ids[s]) not in (None, day) for s, day in dates.items())
            if differ:
                self.notes.append(
                    counted(
                        "The file’s baseline differs from the agreed plan for one milestone. If it was agreed, set a "
                        "new agreed plan.",
                        "The file’s baseline differs from the agreed plan for {many} milestones. If it was agreed, set "
                        "a new agreed plan.",
                        differ,
                    )
                )
            return
        on = min(self.plan.data_date or self.today, self.today)
        command = ApproveBaseline(
            project=self.project.id,
            reason=self.reason,
            approver=_("As in the imported plan"),
            on=on,
            dates={self.ids[source]: day for source, day in dates.items()},
        )
        line = ProposalLine(
            kind="baseline",
            source_id="",
            title=_("The file’s baseline becomes the first agreed plan"),
            before="",
            after=counted("one date", "{many} dates", len(dates)),
            note="; ".join(filter(None, (_("others are agreed for their forecast"), self._far_away(dates.values())))),
            commands=(command,),
        )
        self.lines.append(line)

    def _offer_baseline(self) -> None:
        """Offer the forecasts as the first agreed plan, where the file names no dates that were agreed."""
        approver = self.by or _("As in the imported plan")
        command = ApproveBaseline(
            project=self.project.id, reason=_("First agreed plan"), approver=approver, on=self.today
        )
        title = _("The forecasts become the first agreed plan")
        line = ProposalLine(
            kind="baseline", source_id="", title=title, before="", after="", commands=(command,), offered=True
        )
        self.lines.append(line)

    def offer_tasks(self) -> int:
        """Offer tasks to be followed where the file has no milestone; return how many more there are."""
        if self.plan.milestones:
            return 0
        free = [task for task in self.plan.tasks if task.source_id not in self.known]
        self.offering = True
        for task in free[:OFFERED]:
            self._add(task)
        self.offering = False
        return max(0, len(free) - OFFERED)


def _days(planned: PlannedMilestone) -> list[date]:
    """Return every date the file has of a milestone."""
    found = (planned.forecast, planned.actual, planned.baseline, planned.deadline)
    return [day for day in found if day is not None]
