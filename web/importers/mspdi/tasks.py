"""From one MSPDI task to a milestone or to none: by flag or by zero duration, with baselines as sparse as they come."""

from datetime import date

from domain.language import gettext as _
from web.importers.findings import Findings, one_line, shown
from web.importers.mspdi.values import Values
from web.importers.plan import BrokenFile, PlannedMilestone

SLOTS = 11  # 0 is the current baseline, 1 to 10 are the ones saved beside it
MAX_UID = 10**15


class Task:
    """One <Task> with its <Baseline> blocks."""

    def __init__(self, line: int, findings: Findings) -> None:
        self.values = Values(_("the task on line {line}", line=line), line, findings)
        self.baselines: list[Values] = []
        self._findings = findings

    def open_baseline(self, line: int) -> None:
        """Begin a <Baseline>."""
        self.baselines.append(Values(_("the baseline on line {line}", line=line), line, self._findings))

    @property
    def is_the_project(self) -> bool:
        """Whether this row sums up the whole project."""
        return self.values.text("OutlineLevel") == "0" or self.values.text("UID") == "0"

    def counts(self) -> bool:
        """Tell whether the task is part of the plan; one that is not is counted in the notes."""
        for name, when, default, told in (
            ("IsNull", True, False, _("Empty rows skipped")),
            ("Active", False, True, _("Inactive tasks skipped")),
            ("ExternalTask", True, False, _("Tasks of other projects skipped")),
        ):
            if self.values.flag(name, default=default) is when:
                self._findings.count(told, self.values.line)
                return False
        return True

    def uid(self) -> str:
        """Return the UID, nothing (and a problem) where there is none."""
        if not self.values.text("UID"):
            message = _(
                "{owner} has no <UID>; expected a whole number. Save the plan again from the planning tool.",
                owner=self.values.owner.capitalize(),
            )
            self._findings.problem(self.values.line, message)
            return ""
        number = self.values.whole("UID", 0, MAX_UID)
        return "" if number is None else str(number)

    def milestone(self, uid: str) -> PlannedMilestone | None:
        """Return the milestone this task is, if it is one."""
        if self.is_the_project or not self._is_milestone():
            return None
        return self._planned(uid)

    def other(self, uid: str) -> PlannedMilestone | None:
        """Return a task that is no milestone, dated by its finish; None where it cannot be followed.

        Nothing is said of it: what is wrong with a task that nobody follows stops no import.
        """
        if self.is_the_project:
            return None
        findings = Findings()
        quiet = Task(self.values.line, findings)
        quiet.values = self.values.told_to(findings)
        quiet.baselines = [block.told_to(findings) for block in self.baselines]
        try:
            planned = quiet._planned(uid)
            findings.stop_if_broken()
        except BrokenFile:
            return None
        return planned if planned.forecast is not None else None

    def _planned(self, uid: str) -> PlannedMilestone:
        values, findings = self.values, self._findings
        values.owner = _("task {uid} ({text})", uid=uid, text=shown(values.text("Name")))
        title = one_line(values.text("Name"), values.line, findings)
        if not title:
            findings.problem(
                values.line,
                _(
                    "Milestone {uid} has no name; expected <Name>. Name it in the planning tool and save again.",
                    uid=uid,
                ),
            )
        forecast = values.day("Finish")
        if forecast is None and not values.text("Finish"):
            findings.count(_("Milestones without <Finish>, so without a forecast"), values.line)
        baselines = self._slots()
        return PlannedMilestone(
            source_id=uid,
            title=title,
            outline=values.text("WBS") or values.text("OutlineNumber"),
            baseline=dict(baselines).get(0),
            baselines=baselines,
            forecast=forecast,
            actual=self._actual(),
            deadline=values.day("Deadline"),
            percent_complete=values.whole("PercentComplete", 0, 100),
            line=values.line,
        )

    def _is_milestone(self) -> bool:
        flagged = self.values.flag("Milestone", default=False)
        instant = self.values.takes_no_time("Duration")
        if flagged:
            if not instant:
                self._findings.count(
                    _("Milestones by flag that last some time, dated by their finish"), self.values.line
                )
            return True
        if not instant or self.values.flag("Summary", default=False):
            return False
        self._findings.count(_("Milestones recognised by zero duration, their flag is not set"), self.values.line)
        return True

    def _actual(self) -> date | None:
        """Return the actual finish of what is finished; a date beside less than 100 % is no finish."""
        actual, percent = self.values.day("ActualFinish"), self.values.text("PercentComplete")
        if actual is not None and percent not in ("", "100"):
            self._findings.count(_("Actual finish left out, as less than 100 % is complete"), self.values.line)
            return None
        if actual is None and percent == "100":
            self._findings.count(
                _("Milestones 100 % complete without an actual finish, so not taken as met"), self.values.line
            )
        return actual

    def _slots(self) -> tuple[tuple[int, date], ...]:
        slots: dict[int, tuple[date, int]] = {}
        for block in self.baselines:
            number, finish = self._slot(block), block.day("Finish")
            if number is None or finish is None:
                continue
            if number in slots:
                first = slots[number][1]
                message = _(
                    "Baseline {number} of {owner} is here and on line {first}; expected it once.",
                    number=number,
                    owner=self.values.owner,
                    first=first,
                )
                self._findings.problem(block.line, message)
            slots[number] = (finish, block.line)
        return tuple((number, slots[number][0]) for number in sorted(slots))

    def _slot(self, block: Values) -> int | None:
        if block.flag("Interim", default=False):
            self._findings.count(_("Interim plans left out, they are no baselines"), block.line)
            return None
        if not block.text("Number"):
            self._findings.count(_("Baselines without <Number> left out"), block.line)
            return None
        return block.whole("Number", 0, SLOTS - 1)
