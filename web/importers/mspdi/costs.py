"""The sums of the whole project, from its own row or from the first outline level: what the file says, or nothing."""

from datetime import date
from decimal import Decimal

from domain.language import gettext as _
from web.importers.findings import Findings
from web.importers.mspdi.tasks import Task
from web.importers.plan import PlannedCosts

MEASURES = ("Cost", "ACWP", "BCWS", "BCWP")


class Costs:
    """Adds up what the tasks cost."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._project: dict[str, Decimal] | None = None
        self._sums: dict[str, Decimal] = {}
        self._carriers: dict[str, int] = {}
        self._tasks = 0  # of the first outline level

    def add(self, task: Task) -> None:
        """Take in a task that is part of the plan."""
        if task.is_the_project:
            self._project = _amounts(task)
        elif task.values.text("OutlineLevel") == "1":
            self._tasks += 1
            for name, amount in _amounts(task).items():
                self._sums[name] = self._sums.get(name, Decimal(0)) + amount
                self._carriers[name] = self._carriers.get(name, 0) + 1

    def result(self, status_date: date | None, slot: int) -> PlannedCosts | None:
        """Return the sums with the budget of baseline `slot`, or None where all of them are missing or zero."""
        sums = self._project if self._project is not None else self._complete()
        bac, eac, ac = sums.get(_baseline(slot)), sums.get("Cost"), sums.get("ACWP")
        pv, ev = sums.get("BCWS"), sums.get("BCWP")
        if not bac:
            if pv or ev:
                self._findings.note(
                    _("Planned and earned value left out: the file has no baseline cost they could be part of.")
                )
            bac = pv = ev = None
        if not any((bac, pv, ev, ac, eac)):
            if eac is not None:
                self._findings.note(_("All costs in the file are zero, so none are taken over."))
            return None
        if self._project is None:
            self._findings.note(
                _(
                    "No row for the whole project: costs are the sums of the {tasks} tasks of the first level.",
                    tasks=self._tasks,
                )
            )
        return PlannedCosts(status_date=status_date, bac=bac, pv=pv, ev=ev, ac=ac, eac=eac)

    def _complete(self) -> dict[str, Decimal]:
        """Return the sums to which every task of the first level contributed."""
        return {name: amount for name, amount in self._sums.items() if self._carriers[name] == self._tasks}


def _baseline(slot: int) -> str:
    """Return under which name the cost in a baseline is kept."""
    return f"Baseline{slot}"


def _amounts(task: Task) -> dict[str, Decimal]:
    found = {name: task.values.money(name) for name in MEASURES}
    for block in task.baselines:
        if block.text("Number").isdecimal() and block.text("Interim") not in ("1", "true"):
            found.setdefault(_baseline(int(block.text("Number"))), block.money("Cost"))
    return {name: amount for name, amount in found.items() if amount is not None}
