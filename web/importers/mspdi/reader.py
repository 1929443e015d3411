"""Reads Microsoft Project's XML (MSPDI) into a plan: streaming, hardened, every message with its line."""

import re
from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from domain.language import gettext as _
from web.importers.findings import Findings, one_line, shown
from web.importers.mspdi.costs import Costs
from web.importers.mspdi.names import BASELINE, NAMESPACE, PROJECT, READ_BASELINE, READ_PROJECT, READ_TASK, TASK
from web.importers.mspdi.tasks import SLOTS, Task
from web.importers.mspdi.values import Values
from web.importers.mspdi.xml_stream import Progress, walk
from web.importers.plan import MAX_BYTES, MAX_TASKS, Plan, PlannedMilestone, broken

TO_TASK = ["Project", "Tasks", "Task"]
TO_BASELINE = [*TO_TASK, "Baseline"]


def read(data: bytes | BinaryIO, progress: Progress | None = None, *, max_bytes: int = MAX_BYTES) -> Plan:
    """Return the plan in an MSPDI file; `progress` is told the part done, 0 to 1.

    Raises: BrokenFile.
    """
    reader = _Reader()
    file_hash = walk(data, reader, namespace=NAMESPACE, max_bytes=max_bytes, progress=progress)
    return reader.plan(file_hash)


class _Reader:
    """The visitor: keeps one task at a time."""

    def __init__(self) -> None:
        self._findings = Findings()
        self._project = Values(_("the project"), 1, self._findings)
        self._task: Task | None = None
        self._uids: dict[str, int] = {}
        self._milestones: list[PlannedMilestone] = []
        self._others: list[PlannedMilestone] = []
        self._read = 0  # tasks of the plan itself
        self._costs = Costs(self._findings)

    def opened(self, path: Sequence[str], line: int) -> None:
        if len(path) == 1:
            _check_root(path[0], line)
        elif path == TO_TASK:
            self._task = Task(line, self._findings)
        elif path == TO_BASELINE and self._task:
            self._task.open_baseline(line)
        else:
            self._count_unknown(path, line)

    def closed(self, path: Sequence[str], text: str, line: int) -> None:
        name, depth = path[-1], len(path)
        if depth == 2 and name in READ_PROJECT:
            self._project.keep(name, text, line)
        elif self._task is None:
            return
        elif depth == 4 and name in READ_TASK:
            self._task.values.keep(name, text, line)
        elif depth == 5 and name in READ_BASELINE and path[3] == "Baseline":
            self._task.baselines[-1].keep(name, text, line)
        elif depth == 3:
            self._take(self._task)
            self._task = None

    def plan(self, file_hash: str) -> Plan:
        """Return the plan once the file has been walked to its end."""
        findings, project = self._findings, self._project
        data_date = project.day("StatusDate")
        slot = project.whole("BaselineForEarnedValue", 0, SLOTS - 1) or 0
        if costs := self._costs.result(data_date, slot):
            costs = msgspec.structs.replace(costs, currency=self._currency())
        title = one_line(project.text("Title") or project.text("Name"), project.line_of("Title"), findings)
        if data_date is None:
            findings.note(_("The file has no status date, so it does not say of which day its figures are."))
        if not self._milestones:
            findings.note(
                _(
                    "No milestone among the {tasks} tasks: none is flagged and none has zero duration.",
                    tasks=self._read,
                )
            )
        findings.stop_if_broken()
        return Plan(
            format="mspdi",
            file_hash=file_hash,
            title=title,
            data_date=data_date,
            milestones=tuple(self._milestones),
            tasks=tuple(self._others),
            read=self._read,
            costs=costs,
            notes=findings.notes(),
        )

    def _take(self, task: Task) -> None:
        if not task.counts() or not (uid := task.uid()):
            return
        if uid in self._uids:
            message = _(
                "UID {uid} is on this task and on the one on line {uids}; expected each once. Renumber one.",
                uid=uid,
                uids=self._uids[uid],
            )
            self._findings.problem(task.values.line, message)
        self._uids[uid] = task.values.line
        self._costs.add(task)
        self._read += not task.is_the_project
        if found := task.milestone(uid):
            self._milestones.append(found)
        elif len(self._others) < MAX_TASKS and (other := task.other(uid)):
            self._others.append(other)

    def _currency(self) -> str:
        code, symbol = self._project.text("CurrencyCode"), self._project.text("CurrencySymbol")
        if re.fullmatch(r"[A-Z]{3}", code):
            return code
        if code:
            self._findings.note(
                _("The currency code {code} is not understood; expected three letters such as GBP.", code=shown(code))
            )
        elif symbol:
            self._findings.note(
                _(
                    "The file gives the currency sign {symbol} but no code, so its currency is not known.",
                    symbol=shown(symbol),
                )
            )
        return ""

    def _count_unknown(self, path: Sequence[str], line: int) -> None:
        if len(path) == 2:
            known, place = PROJECT, _("the project")
        elif len(path) == 4 and path[:3] == TO_TASK:
            known, place = TASK, "tasks"
        elif len(path) == 5 and path[:4] == TO_BASELINE:
            known, place = BASELINE, _("baselines of tasks")
        elif path[:2] == TO_TASK[:2] and len(path) == 3:
            known, place = frozenset({"Task"}), _("the list of tasks")
        else:
            return
        if path[-1] not in known:
            self._findings.count(
                _("Unknown element {bare} in {place}, not read", bare=_bare(path[-1]), place=place), line
            )


def _check_root(name: str, line: int) -> None:
    if name == "Project":
        return
    what = f"<{_bare(name)}>"
    if name.endswith("}Project"):
        space = name[1:].removesuffix("}Project")
        what = _(
            "a <Project> of {space}",
            space=_("no namespace") if not space else _("the namespace {space}", space=shown(space)),
        )
    raise broken(
        _(
            "This is no plan in Microsoft Project's XML: expected <Project> of the namespace {namespace!r}, found "
            "{what}. In the planning tool choose Save As or Export, Microsoft Project XML.",
            namespace=NAMESPACE,
            what=what,
        ),
        line,
    )


def _bare(name: str) -> str:
    """Return an element name as messages show it."""
    return shown(name.removeprefix("{}"))[1:-1]
