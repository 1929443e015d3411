"""An installation with the sample project and a source of the scripted tool, turned by hand."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from starlette.testclient import TestClient

from domain.commands import AnyCommand
from domain.errors import Refused
from domain.ids import CommandId, MilestoneId, PersonId, SourceId
from domain.plan.milestones import Milestone
from domain.plan.project import Project
from domain.plan.sources.commands import AttachSource
from domain.plan.sources.pulls import SettleSource
from domain.plan.sources.rules import Rules
from domain.plan.sources.source import Source
from tests.web.doors import House, every_route, running
from tests.web.sources.scripted import Scripted, planned
from tests.web.sources.tools.kinds import client_here
from tests.world import HARBOUR, START
from web.clock import Virtual
from web.ids import new_id
from web.importers.plan import Plan
from web.outside.transport import Bounds
from web.sources.tools.tool import Attached
from web.write.permission import Actor

JIRA = SourceId("jira1")
MANAGER = Actor(PersonId("manager"), "manager")
TAKE = Rules(forecasts="take", days=5, actuals="take", progress="take", titles="take", new="take")
MAY, JUNE = date(2027, 5, 3), date(2027, 6, 1)


class Sourced:
    """The house, its scripted tool, and short ways to do what a person does. Its clock moves when it is told to."""

    def __init__(self, house: House, clock: Virtual) -> None:
        self.house, self.clock, self.tool = house, clock, Scripted()
        self.services = house.process.services
        self.services.sources.tools["scripted"] = self.tool  # type: ignore[index]

    @property
    def project(self) -> Project:
        return self.services.present.refresh().projects[HARBOUR]

    def source(self, key: SourceId = JIRA) -> Source:
        return self.project.sources[key]

    def milestone(self, key: str) -> Milestone:
        return self.project.schedule.milestones[MilestoneId(key)]

    def titled(self, title: str) -> Milestone:
        return next(m for m in self.project.schedule.milestones.values() if m.details.title == title)

    def tell(self, command: AnyCommand, actor: Actor = MANAGER) -> None:
        self.services.service.execute(actor, command, command_id=CommandId(new_id(24)))

    def refused(self, command: AnyCommand, actor: Actor = MANAGER) -> str:
        try:
            self.tell(command, actor)
        except Refused as refused:
            return refused.message
        return ""

    def attach(self, rules: Rules = TAKE, key: SourceId = JIRA, tool: str = "scripted", **more: Any) -> None:
        given = {"name": f"Plan {key}", "address": "https://jira.example.org", "cadence": 60, **more}
        secret = given.pop("secret", None) or (self._sealed(key, str(given["address"])) if tool == "scripted" else b"")
        self.tell(AttachSource(project=HARBOUR, source=key, tool=tool, sealed=secret, rules=rules, **given))

    def _sealed(self, key: SourceId, address: str) -> bytes:
        return self.services.sources.taking.seal(HARBOUR, key, 1, "s3cret", ("scripted", address))

    def attached(self) -> Attached:
        return self.services.sources.taking.attached(HARBOUR, self.source())

    def pull(self, plan: Plan, key: SourceId = JIRA) -> str:
        """Have a source bring a plan, as its turn does, and return whether that was news."""
        self.tool.answer = plan
        pulled = self.services.sources.engine.turn_of(HARBOUR, key)
        assert pulled.trouble is None, pulled.trouble
        return pulled.news or ""

    def owned(self, *rows: tuple[str, str, date], rules: Rules = TAKE) -> None:
        """Attach the source, and take what it brings first."""
        self.attach(rules)
        self.pull(planned(*rows))
        self.take_all()

    def take_all(self, key: SourceId = JIRA) -> None:
        waits = self.source(key).waits
        if waits:
            last = self.source(key).last
            assert last is not None
            keys = tuple(one.line.key for one in waits)
            self.tell(SettleSource(project=HARBOUR, source=key, pull=last.id, take=keys))

    def later(self, **more: float) -> None:
        self.clock.forward(**more)


@contextmanager
def sourced(folder: Path, **settings: Any) -> Iterator[Sourced]:
    """Start an installation whose sources have their turns only when a test gives them."""
    clock = Virtual(START + timedelta(days=30))
    with running(
        folder / "data", every_route(), lambda: clock.forward(milliseconds=1) or clock.at, **settings
    ) as house:
        house.process.services.sources.engine.rest = True
        yield Sourced(house, clock)


class Here:
    """The way to a tool on this machine, which the guard of addresses would not let pass."""

    @asynccontextmanager
    async def asking(self, _bounds: Bounds | None = None) -> AsyncIterator[httpx2.AsyncClient]:
        async with client_here() as client:
            yield client


@contextmanager
def reaching(folder: Path) -> Iterator[Sourced]:
    """Start an installation as `sourced` does, which asks tools on this machine."""
    with sourced(folder) as made:
        engine = made.services.sources.engine
        engine._ports = msgspec.structs.replace(engine._ports, outside=Here())  # type: ignore[arg-type]
        yield made


def form(browser: TestClient, path: str, **fields: Any) -> Any:
    """Send a form of a page that the browser opens first."""
    page = browser.get(fields.pop("page", path)).text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf is not None, page[:400]
    return browser.post(path, data={"csrf": csrf[1], **fields})
