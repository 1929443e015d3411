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
    LinkMilestone,
    MeetMilestone,
    Milestone,
    MilestoneDetails,
    MoveForecast,
    RemoveMilestone,
    ReopenMilestone,
    ReportProgress,
    RestoreMilestone,
)
from projections.wording import words
from web.importers.plan import Plan, PlannedMilestone
from web.proposal.lines import Kind, ProposalLine
from web.proposal.notes import Notes
from web.proposal.pairing import Pairs, followed

OFFERED = 300  # tasks, at most, that a person chooses from


class Compared:
    """Compares the milestones of a plan with a project; lines and notes collect in it."""

    def __init__(self, project: Project, plan: Plan, new_id: Callable[[], str], today: date) -> None:
        self.project, self.plan, self.new_id, self.today = project, plan, new_id, today
        self.planned = (*plan.milestones, *followed(project.schedule, plan))
        self.pairs = Pairs(project.schedule, self.planned)
        self.ids: dict[str, MilestoneId] = {source: m.id for source, m in self.pairs.of.items()}
        self.lines: list[ProposalLine] = []
        self.notes = Notes()
        self.unchanged = 0
        self.by = ""  # who looks, and agrees the first plan
        self.doubt = self.pairs.doubt(plan)
        self.offering = bool(self.doubt)  # whether lines are only offered
        self.far = apart([day for one in self.planned for day in _days(one)], dates_of(project, today))
        dated = _(", data date {data_date}", data_date=words.long_day(plan.data_date)) if plan.data_date else ""
        self.reason = _("Imported plan{dated}", dated=dated)

    def take(self, planned: PlannedMilestone) -> None:
        """Compare one milestone of the file with the project’s."""
        if old := self.pairs.of.get(planned.source_id):
            before = len(self.lines)
            self._compare(planned, old)
            self._link(planned, old, before)
            self.unchanged += len(self.lines) == before
        elif gone := self.pairs.removed.get(planned.source_id):
            self._restore(planned, gone)
        else:
            self._add(planned)

    def _compare(self, planned: PlannedMilestone, old: Milestone) -> None:
        self._describe(planned, old)
        if old.actual is not None or planned.actual is not None:
            self._met(planned, old)
        else:
            self._move(planned, old)
            self._progress(planned, old)
            self._offer_met(planned, old.id)

    def _link(self, planned: PlannedMilestone, old: Milestone, before: int) -> None:
        """Record the id a milestone has in this plan: with what else changes of it, or in a line of its own."""
        if old.source_id == planned.source_id or old.id == planned.own_id:
            return
        command = LinkMilestone(project=self.project.id, milestone=old.id, source_id=planned.source_id)
        for at, line in enumerate(self.lines[before:], before):
            if not line.offered or self.offering:
                self.lines[at] = msgspec.structs.replace(line, commands=(command, *line.commands))
                return
        was = old.source_id or _("none")
        self._line("linked", planned, was, planned.source_id, command, note=_("the same milestone, with another id"))

    def _restore(self, planned: PlannedMilestone, old: Milestone) -> None:
        """Propose that a milestone that was removed comes back, with its history, as the file has it."""
        kept, self.lines = self.lines, []
        offering, self.offering = self.offering, False
        self._compare(planned, old)
        commands = [command for line in self.lines if not line.offered for command in line.commands]
        self.lines, self.offering = kept, offering
        key = self.ids[planned.source_id] = old.id
        back = RestoreMilestone(project=self.project.id, milestone=key, source_id=planned.source_id)
        day = planned.actual or planned.forecast or old.expected
        note = _("comes back with its history")
        self._line("returned", planned, "", words.day_year(day), back, *commands, note=note)

    def _line(
        self,
        kind: Kind,
        planned: PlannedMilestone,
        before: str,
        after: str,
        *commands: PlainCommand,
        note: str = "",
        offered: bool = False,
    ) -> None:
        note = "; ".join(filter(None, (note, self._far_away(_days(planned)))))
        line = ProposalLine(
            kind=kind, source_id=planned.source_id, title=planned.title, before=before, after=after, note=note,
            commands=commands, offered=self.offering or offered,
        )  # fmt: skip
        self.lines.append(line)

    def _far_away(self, days: Iterable[date]) -> str:
        """Return the remark that some of these dates are far from all others, "" where none is."""
        far = sorted(self.far.intersection(days))
        return _("far from all other dates: {days}", days=", ".join(map(words.day_year, far))) if far else ""

    def _add(self, planned: PlannedMilestone) -> None:
        forecast = planned.forecast or planned.actual or planned.baseline
        if forecast is None:
            self.notes.add(
                "undated",
                _(
                    "“{title}” (line {line}) has no date at all, so it was left out.",
                    title=planned.title,
                    line=planned.line,
                ),
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
            after, note = words.day_year(planned.actual), _("met")
        elif planned.percent_complete:
            commands.append(self._percent(key, planned.percent_complete))
            note = _("{percent_complete} % complete", percent_complete=planned.percent_complete)
        self._line("added", planned, "", after, *commands, note=note)
        self._offer_met(planned, key)

    def _offer_met(self, planned: PlannedMilestone, key: MilestoneId) -> None:
        """Offer that what is wholly complete was met on the day it finishes; the file does not say so."""
        day = planned.forecast
        if planned.actual is not None or planned.percent_complete != 100 or day is None or day > self.today:
            return
        command = MeetMilestone(project=self.project.id, milestone=key, actual=day)
        note = _("100 % complete, without an actual date")
        self._line("met", planned, "", words.day_year(day), command, note=note, offered=True)

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
        self.notes.add("future", _("{told}, which is after today; that was left out.", told=sentence))
        return False

    def _describe(self, planned: PlannedMilestone, old: Milestone) -> None:
        deadline = planned.deadline or old.details.deadline
        renamed, new = " ".join(old.details.title.split()) != planned.title, deadline != old.details.deadline
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
            told = _(
                "“{title}” was met here on {on}; the file has it open. Nothing is proposed.",
                title=planned.title,
                on=on,
            )
            self.notes.add("met", told)
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
        """Propose to remove milestones that came from an earlier file and are no longer in this one.

        It is only offered where the file has no milestone at all, or has rows that could not be told apart.
        """
        offered = self.offering or not self.plan.milestones or self.plan.lost
        for old in self.pairs.missing(self.plan):
            why = _("No longer in the imported plan")
            command = RemoveMilestone(project=self.project.id, milestone=old.id, reason=why)
            line = ProposalLine(
                kind="missing",
                source_id=old.source_id,
                title=old.details.title,
                before=words.day_year(old.expected),
                after="",
                note=_("leaves the plan"),
                commands=(command,),
                offered=offered,
            )
            self.lines.append(line)

    def baseline(self) -> None:
        """Propose the file's baseline as the agreed plan while there is none; else offer the dates that has not."""
        dates = {p.source_id: p.baseline for p in self.planned if p.baseline and p.source_id in self.ids}
        agreed = self.project.schedule
        if not agreed.baselines and not dates:
            self._offer_baseline()
            return
        if not agreed.baselines:
            without = sum(p.source_id in self.ids for p in self.planned) - len(dates)
            note = _("{n} without a date in it stay without an agreed date", n=without) if without else ""
            self._agree(_("The file’s baseline becomes the first agreed plan"), dates, note)
            return
        before = {source: agreed.baseline_of(self.ids[source]) for source in dates}
        if differ := sum(before[source] not in (None, day) for source, day in dates.items()):
            told = counted(
                "The file’s baseline differs from the agreed plan for one milestone. If it was agreed, set a new "
                "agreed plan.",
                "The file’s baseline differs from the agreed plan for {many} milestones. If it was agreed, set a new "
                "agreed plan.",
                differ,
            )
            self.notes.add("baseline", told)
        if new := {source: day for source, day in dates.items() if before[source] is None}:
            note = _("everything else stays as agreed")
            title = _("Agree the dates the file’s baseline has for milestones that have none")
            self._agree(title, new, note, offered=True)

    def _agree(self, title: str, dates: dict[str, date], note: str, *, offered: bool = False) -> None:
        """Propose to agree these dates, by id in the plan, and no others."""
        command = ApproveBaseline(
            project=self.project.id,
            reason=self.reason,
            approver=_("As in the imported plan"),
            on=min(self.plan.data_date or self.today, self.today),
            dates={self.ids[source]: day for source, day in dates.items()},
            only=True,
        )
        line = ProposalLine(
            kind="baseline",
            source_id="",
            title=title,
            before="",
            after=counted("one date", "{many} dates", len(dates)),
            note="; ".join(filter(None, (note, self._far_away(dates.values())))),
            commands=(command,),
            offered=self.offering or offered,
        )
        self.lines.append(line)

    def _offer_baseline(self) -> None:
        """Offer the forecasts as the first agreed plan, where the file names no dates that were agreed."""
        if not self.ids:
            return
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
        free = [task for task in self.plan.tasks if task.source_id not in self.pairs.of]
        offering, self.offering = self.offering, True
        before = len(self.lines)
        for task in free[:OFFERED]:
            if gone := self.pairs.removed.get(task.source_id):
                self._restore(task, gone)
            else:
                self._add(task)
        self.offering = offering
        tasks = self.lines[before:]
        self.lines[before:] = [msgspec.structs.replace(line, a_task=line.kind != "met") for line in tasks]
        return max(0, len(free) - OFFERED)


def _days(planned: PlannedMilestone) -> list[date]:
    """Return every date the file has of a milestone."""
    found = (planned.forecast, planned.actual, planned.baseline, planned.deadline)
    return [day for day in found if day is not None]
