"""A tool that can be made to wait with an answer, and an installation of which a milestone comes from it."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from domain.ids import CommandId, SourceId
from domain.plan.milestones import Milestone
from domain.plan.project import Project
from domain.plan.schedule import DescribeMilestone
from domain.plan.sources.commands import AttachSource
from projections.events.event_log import EventLog
from projections.events.present import CurrentWorld
from tests.certificates import Certified, certified
from tests.web.sources.house import TAKE
from tests.web.sources.tools.fake_github import FakeGitHub
from tests.web.sources.tools.served import Row
from tests.world import HARBOUR
from web.ids import new_id
from web.outside.addresses import networks
from web.outside.transport import Outside
from web.sources.engine import Engine, EnginePorts
from web.sources.taking import Taking, TakingPorts
from web.sources.tools.registry import TOOLS
from web.write.permission import OPERATOR
from web.write.service import Service

GITHUB = SourceId("github1")
ROOF = "Roof closed"
JUNE = date(2027, 6, 1)
INSIDE = "127.0.0.0/8"


def trusted() -> Certified:
    """Return the certificate of the tool."""
    return certified("127.0.0.1", "localhost")


def flags() -> list[str]:
    """Return how a server is started that may ask the tool."""
    return ["--outside-networks", INSIDE, "--outside-ca", str(trusted().authority)]


class Holding(FakeGitHub):
    """GitHub with two milestones, one on each page; a page that is held is answered once it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime.now(UTC)
        self.rows = [Row(id=12, title=ROOF, due=JUNE), Row(id=13, title="Handover", due=JUNE)]
        self.per_page, self.hold = 1, 0
        self.reached, self.go = threading.Event(), threading.Event()
        self.begun = 0  # pulls

    def move(self, due: date) -> None:
        """Move the roof, and set of something else that it was changed."""
        self.rows[0].due, self.rows[1].due = due, due
        self.now = self.rows[0].changed = datetime.now(UTC)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        number = int(dict(parse_qsl(scope["query_string"].decode())).get("page", 1))
        self.begun += number == 1
        if number == self.hold:
            self.hold = 0
            self.reached.set()
            await asyncio.to_thread(self.go.wait, 60)
        await super().__call__(scope, receive, send)


class Attached(msgspec.Struct, frozen=True):
    """What a test needs of a source that is attached: the way to its hook and what hints are signed with."""

    hook: str
    secret: str


def attach(
    events: EventLog, present: CurrentWorld, service: Service, tool: Holding, now: Callable[[], datetime]
) -> Attached:
    """Attach the tool, pull once, and have clients see one of its milestones."""
    taking = Taking(TakingPorts(service=service, present=present, events=events, clock=now))

    def tell(command: AttachSource | DescribeMilestone) -> None:
        service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))

    sealed = taking.seal(HARBOUR, GITHUB, 1, tool.secret, ("github", tool.address))
    tell(
        AttachSource(
            project=HARBOUR, source=GITHUB, tool="github", name="GitHub", address=tool.address, values=tool.values(),
            sealed=sealed, rules=msgspec.structs.replace(TAKE, days=300), cadence=1440,
        )
    )  # fmt: skip
    outside = Outside(networks(INSIDE), trusted().authority)
    engine = Engine(EnginePorts(taking=taking, present=present, tools=TOOLS, outside=outside, clock=now))
    with ThreadPoolExecutor(1) as threads:  # this one may have the loop of a browser's driver
        ended = threads.submit(engine.turn_of, HARBOUR, GITHUB).result()
    assert ended.news == "recorded", ended
    found = roof(present.refresh().projects[HARBOUR])
    details = msgspec.structs.replace(found.details, client_title="Roof", client_facing=True)
    tell(DescribeMilestone(project=HARBOUR, milestone=found.id, details=details))
    source = present.refresh().projects[HARBOUR].sources[GITHUB]
    return Attached(taking.hook(HARBOUR, source), taking.hook_secret(HARBOUR, source))


def roof(project: Project, title: str = ROOF) -> Milestone:
    """Return a milestone by its title."""
    return next(m for m in project.schedule.milestones.values() if m.details.title == title)
