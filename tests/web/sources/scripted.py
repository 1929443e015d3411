"""A tool that says what a test has it say, and plans as short as they can be written."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date

import httpx2

from web.importers.plan import Plan, PlannedMilestone
from web.sources.tools.tool import Attached, Field, Progress, Pulled, Trouble

Row = tuple[str, str, date]  # id, title, forecast


def planned(*rows: Row, title: str = "", data_date: date | None = None, **more: object) -> Plan:
    """Return a plan of some milestones; `more` are fields of the first one."""
    milestones = [
        PlannedMilestone(source_id=key, title=name, forecast=day, line=line, **(more if line == 1 else {}))  # type: ignore[arg-type]
        for line, (key, name, day) in enumerate(rows, 1)
    ]
    digest = hashlib.sha256(repr((milestones, data_date)).encode()).hexdigest()
    return Plan(
        format="csv", file_hash=digest, title=title, milestones=tuple(milestones), data_date=data_date,
        present=frozenset(key for key, _name, _day in rows),
    )  # fmt: skip


class Scripted:
    """A tool whose answer a test sets: a plan, a trouble, or a function that makes one of both."""

    name, label = "scripted", "Scripted"
    fields: Sequence[Field] = ()
    scope, secret_label, usual_address = "Read the plan.", "API token", ""
    hooks = True

    def __init__(self) -> None:
        self.answer: Plan | Trouble | Callable[[], Plan | None] = Trouble("not told yet")
        self.asked: list[tuple[Attached, str]] = []
        self.looked: list[Attached] = []

    async def look(self, attached: Attached, client: httpx2.AsyncClient) -> str:
        self.looked.append(attached)
        return "One plan"

    async def pull(
        self, attached: Attached, cursor: str, client: httpx2.AsyncClient, progress: Progress | None = None
    ) -> Pulled:
        self.asked.append((attached, cursor))
        answer = self.answer
        if isinstance(answer, Trouble):
            raise answer
        plan = answer() if callable(answer) else answer
        if plan is None:
            return Pulled(plan=None, cursor=cursor)
        return Pulled(
            plan=plan, cursor=f"after {len(self.asked)}", content_hash=plan.file_hash, data_date=plan.data_date
        )

    def is_signed(self, attached: Attached, headers: Mapping[str, str], body: bytes) -> bool:
        return headers.get("x-signed") == attached.hook_secret

    def greeting(self, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        return {}
