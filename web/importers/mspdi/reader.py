"""Reads Microsoft Project's XML (MSPDI) into a plan: streaming, hardened, every message with its line."""

import re
from typing import BinaryIO

import msgspec

from domain.language import gettext as _
from web.importers.findings import Findings, one_line, shown
from web.importers.mspdi.costs import Costs
from web.importers.mspdi.names import ATTRIBUTE_NODE, BASELINE_NODE, NAMESPACE, PROJECT_NODE, TASK_NODE, TASKS_NODE
from web.importers.mspdi.tasks import SLOTS, Task
from web.importers.mspdi.values import Values
from web.importers.mspdi.walking import walk
from web.importers.mspdi.xml_stream import Keep, Line, Lines, Node, Progress
from web.importers.plan import MAX_BYTES, MAX_MILESTONES, MAX_TASKS, Plan, PlannedMilestone, broken


def read(data: bytes | BinaryIO, progress: Progress | None = None, *, max_bytes: int = MAX_BYTES) -> Plan:
    """Return the plan in an MSPDI file; `progress` is told the part done, 0 to 1.

    Raises: BrokenFile.
    """
    reader, file_hash = walk(data, _Reader, PROJECT_NODE, namespace=NAMESPACE, max_bytes=max_bytes, progress=progress)
    return reader.plan(file_hash)


class _Reader:
    """The visitor: keeps one task at a time."""

    def __init__(self) -> None:
        self._findings = Findings()
        self._project = Values(1, self._findings)
        self._task: Task | None = None
        self._uids: set[str] = set()
        self._lost = False  # whether a task has no UID
        self._milestones: list[PlannedMilestone] = []
        self._others: list[PlannedMilestone] = []
        self._read = 0  # tasks of the plan itself
        self._costs = Costs(self._findings)

    def root(self, name: str, line: int) -> None:
        _check_root(name, line)

    def opened(self, node: Node, line: Line, lines: Lines | None = None) -> Keep:
        if node is TASK_NODE:
            self._task = Task(Values(line, self._findings, lines), self._findings)
            return self._task.values.keep
        if node is BASELINE_NODE and self._task:
            return self._task.open_baseline(line, lines).keep
        if node is ATTRIBUTE_NODE and self._task:
            return self._task.open_attribute()
        return self._project.keep

    def closed(self, node: Node) -> None:
        if node is TASK_NODE and self._task:
            self._take(self._task)
            self._task = None

    def unknown(self, node: Node, name: str, line: int) -> None:
        place = {
            PROJECT_NODE.name: _("the project"),
            TASKS_NODE.name: _("the list of tasks"),
            TASK_NODE.name: _("tasks"),
        }.get(node.name, _("baselines of tasks"))
        told = _("Unknown element {bare} in {place}, not read", bare=_bare(name), place=place)
        self._findings.count(told, line)

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
            present=frozenset(self._uids),
            lost=self._lost,
            costs=costs,
            notes=findings.notes(),
        )

    def _take(self, task: Task) -> None:
        if not task.counts():
            return
        if not (uid := task.uid()):
            self._lost = True
            return
        if uid in self._uids:
            self._findings.count(_("Tasks left out whose UID is on an earlier task"), task.values.line)
            return
        self._uids.add(uid)
        self._costs.add(task)
        self._read += not task.is_the_project
        if task.is_milestone():
            self._take_milestone(task, uid)
        elif len(self._others) < MAX_TASKS and (other := task.other(uid)):
            self._others.append(other)

    def _take_milestone(self, task: Task, uid: str) -> None:
        found = task.planned(uid)
        if found is None:
            return
        self._milestones.append(found)
        if len(self._milestones) > MAX_MILESTONES:
            raise broken(
                _(
                    "The file has more than {most} milestones. Flag those that are followed, and save it again.",
                    most=f"{MAX_MILESTONES:,}",
                ),
                found.line,
            )

    def _currency(self) -> str:
        code, symbol = self._project.text("CurrencyCode"), self._project.text("CurrencySymbol")
        if re.fullmatch(r"[A-Za-z]{3}", code):
            return code.upper()
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
