"""From one MSPDI task to a milestone or to none: by flag or by zero duration, with baselines as sparse as they come."""

from collections.abc import Sequence
from datetime import date
from functools import cached_property

from domain import check
from domain.language import N_
from domain.language import gettext as _
from web.importers.findings import Findings, one_line
from web.importers.mspdi.names import OWN_FIELD, OWN_PREFIX
from web.importers.mspdi.values import Values
from web.importers.mspdi.xml_stream import Keep, Leaf, Line, Lines
from web.importers.plan import BrokenFile, PlannedMilestone

SLOTS = 11  # 0 is the current baseline, 1 to 10 are the ones saved beside it
MAX_UID = 10**15
MOST_ID = 100  # characters of an id of ours
MAX_BASELINES = 100  # blocks of one task that are looked at
_NOT_COUNTED = (
    ("IsNull", True, N_("Empty rows skipped")),
    ("Active", False, N_("Inactive tasks skipped")),
    ("ExternalTask", True, N_("Tasks of other projects skipped")),
)


class Task:
    """One <Task> with its <Baseline> blocks."""

    def __init__(self, values: Values, findings: Findings) -> None:
        self.values = values
        self.baselines: list[Values] = []
        self.own_id = ""
        self._findings = findings

    def open_baseline(self, line: Line, lines: Lines | None) -> Values:
        """Begin a <Baseline> and return its values; of more than a task can have, the rest is counted and forgotten."""
        if len(self.baselines) >= MAX_BASELINES:
            left = Values(line, Findings(), lines)
            self._findings.count(_("Baselines of a task beyond the hundredth, not read"), left.line)
            return left
        self.baselines.append(Values(line, self._findings, lines))
        return self.baselines[-1]

    def open_attribute(self) -> Keep:
        """Begin an <ExtendedAttribute>; one that a plan exported here carries says which milestone of ours this is."""
        told: dict[str, str] = {}

        def keep(leaves: Sequence[Leaf]) -> None:
            told.update((name, text.strip()) for name, text, _line in leaves)
            value = told.get("Value", "")
            if told.get("FieldID") == OWN_FIELD and value.startswith(OWN_PREFIX):
                self.own_id = value.removeprefix(OWN_PREFIX)[:MOST_ID]

        return keep

    @cached_property
    def is_the_project(self) -> bool:
        """Whether this row sums up the whole project."""
        return self.values.text("OutlineLevel") == "0" or self.values.text("UID") == "0"

    def counts(self) -> bool:
        """Tell whether the task is part of the plan; one that is not is counted in the notes."""
        values = self.values
        if (values.text("IsNull"), values.text("Active"), values.text("ExternalTask")) == ("0", "1", "0"):
            return True  # as most are
        for name, when, told in _NOT_COUNTED:
            if self.values.flag(name, default=not when) is when:
                self._findings.count(_(told), self.values.line)
                return False
        return True

    def uid(self) -> str:
        """Return the UID, nothing (and a note) where there is none that can be."""
        number = self.values.whole("UID", 0, MAX_UID)
        if number is None:
            self._findings.count(_("Tasks left out that have no <UID>"), self.values.line)
            return ""
        return str(number)

    def is_milestone(self) -> bool:
        """Tell whether this task is a milestone of the plan."""
        return not self.is_the_project and self._is_milestone()

    def other(self, uid: str) -> PlannedMilestone | None:
        """Return a task that is no milestone, dated by its finish; None where it cannot be followed.

        Nothing is said of it: what is wrong with a task that nobody follows stops no import.
        """
        if self.is_the_project:
            return None
        findings = Findings()
        quiet = Task(self.values.told_to(findings), findings)
        quiet.own_id = self.own_id
        quiet.baselines = [block.told_to(findings) for block in self.baselines]
        try:
            planned = quiet.planned(uid)
            findings.stop_if_broken()
        except BrokenFile:
            return None
        return planned if planned and planned.forecast is not None else None

    def planned(self, uid: str) -> PlannedMilestone | None:
        """Return the milestone as the plan has it, None (and a note) where it has no name."""
        values, findings = self.values, self._findings
        title = one_line(values.text("Name"), values.line, findings)
        if check.blank(title):
            findings.count(_("Milestones left out that have no <Name>"), values.line)
            return None
        forecast = values.day("Finish")
        if values.takes_no_time("Duration") and (start := values.day("Start")):
            if forecast is not None and forecast < start:
                findings.count(_("Milestones that finish before they start, dated by their start"), values.line)
            forecast = start if forecast is None else max(forecast, start)
        if forecast is None and not values.text("Finish"):
            findings.count(_("Milestones without <Finish>, so without a forecast"), values.line)
        baselines, percent = self._slots(), values.percent("PercentComplete")
        return PlannedMilestone(
            source_id=uid,
            own_id=self.own_id,
            title=title,
            outline=values.text("WBS") or values.text("OutlineNumber"),
            baseline=dict(baselines).get(0),
            baselines=baselines,
            forecast=forecast,
            actual=self._actual(percent),
            deadline=values.day("Deadline"),
            percent_complete=percent,
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

    def _actual(self, percent: int | None) -> date | None:
        """Return the actual finish of what is finished; a date beside less than 100 % is no finish."""
        actual = self.values.day("ActualFinish")
        if actual is not None and percent not in (None, 100):
            self._findings.count(_("Actual finish left out, as less than 100 % is complete"), self.values.line)
            return None
        if actual is None and percent == 100:
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
            if number in slots and slots[number][0] != finish:
                self._findings.count(_("Baselines that a task has twice, of which the first was read"), block.line)
                continue
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
