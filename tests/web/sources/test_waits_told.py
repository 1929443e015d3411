"""A tool that asks to wait is waited for by whichever process leads next: what it asked is on record with the failure."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from domain.errors import Refused
from domain.ids import CommandId, SourceId
from domain.plan.sources.commands import AttachSource, FailSource, SetSourceSecret
from domain.plan.sources.source import Failure, Source, SourceFailed
from tests.web.sources.house import TAKE
from tests.web.sources.scripted import Scripted, planned
from tests.world import HARBOUR, World
from web.outside.transport import Outside
from web.sources.engine import Engine, EnginePorts
from web.sources.taking import Taking, TakingPorts
from web.sources.tools.tool import Trouble
from web.sources.turns import LONGEST
from web.write.permission import OPERATOR, SYSTEM

pytestmark = pytest.mark.stories
JIRA = SourceId("jira1")
NAME = f"{HARBOUR}.{JIRA}"
HOUR = 3600.0


class Lead:
    """Processes on one installation, of which one leads; their clocks go as the installation's does."""

    def __init__(self, world: World) -> None:
        self.world, self.tool = world, Scripted()
        attach = AttachSource(project=HARBOUR, source=JIRA, tool="scripted", name="Jira", rules=TAKE)
        world.service.execute(OPERATOR, attach, command_id=CommandId("attach"))

    def _seconds(self) -> float:
        return self.world.clock.at.timestamp()

    def process(self) -> Engine:
        """Return a process as it begins: it knows what is recorded."""
        world = self.world
        taking = Taking(
            TakingPorts(service=world.service, present=world.present, events=world.folder.events, clock=world.clock)
        )
        return Engine(
            EnginePorts(
                taking=taking, present=world.present, tools={"scripted": self.tool}, outside=Outside(),
                clock=world.clock, spread=lambda: 0.0, monotonic=self._seconds,
            )
        )  # fmt: skip

    def due(self, engine: Engine) -> bool:
        """Whether the source is due in a process; where it is, its turn begins and ends with what the tool says."""
        if not engine._due(4):
            return False
        engine.turn_of(HARBOUR, JIRA)
        return True

    @property
    def source(self) -> Source:
        return self.world.present.refresh().projects[HARBOUR].sources[JIRA]

    @property
    def failure(self) -> Failure:
        assert self.source.failure is not None
        return self.source.failure

    def failures(self) -> int:
        recorded = self.world.folder.events.stream(f"project-{HARBOUR}")
        return sum(isinstance(one.event, SourceFailed) for one in recorded)


@pytest.fixture
def lead(tmp_path: Path) -> Iterator[Lead]:
    world = World(tmp_path)
    world.harbour()
    yield Lead(world)
    world.close()


def test_whoever_leads_next_waits_as_long_as_the_tool_asked_whoever_led_before(lead: Lead) -> None:
    first = lead.process()
    lead.tool.answer = Trouble("Too many requests.", retry_after=2 * HOUR)
    assert lead.due(first)
    asked = lead.world.clock.at
    assert lead.failure.not_before == asked + timedelta(hours=2)
    second = lead.process()
    for minutes in (0, 60, 59):
        lead.world.clock.forward(minutes=minutes)
        assert not lead.due(second), "before the tool said"
    second.hint(HARBOUR, JIRA)
    assert not lead.due(second), "a hint does not hurry it"
    lead.tool.answer = planned(("7", "Depot opens", date(2027, 6, 1)))
    lead.world.clock.forward(minutes=1, seconds=1)
    assert lead.due(second)
    assert lead.source.failure is None
    assert lead.due(lead.process()), "nothing is waited for any more"


def test_a_process_that_led_before_and_leads_again_waits_for_what_was_told_meanwhile(lead: Lead) -> None:
    first = lead.process()
    lead.tool.answer = Trouble("It is away.")
    assert lead.due(first)
    second = lead.process()
    lead.world.clock.forward(minutes=1)
    lead.tool.answer = Trouble("Too many requests.", retry_after=2 * HOUR)
    assert lead.due(second)
    lead.world.clock.forward(minutes=90)
    assert not lead.due(first)
    lead.world.clock.forward(minutes=31)
    assert lead.due(first)


def test_a_person_who_asks_or_replaces_the_secret_does_not_have_to_wait(lead: Lead) -> None:
    lead.tool.answer = Trouble("Too many requests.", retry_after=2 * HOUR)
    assert lead.due(lead.process())
    engine = lead.process()
    assert not lead.due(engine)
    engine.at_once(HARBOUR, JIRA)
    assert lead.due(engine)
    sealed = SetSourceSecret(project=HARBOUR, source=JIRA, number=1, sealed=b"sealed")
    lead.world.service.execute(OPERATOR, sealed, command_id=CommandId("secret"))
    assert lead.source.failure is None
    assert lead.due(lead.process())


def test_a_wait_that_is_longer_is_recorded_once_more_and_nothing_else_of_the_same_failure(lead: Lead) -> None:
    engine = lead.process()
    lead.tool.answer = Trouble("It is away.")
    engine.turn_of(HARBOUR, JIRA)
    since = lead.failure.since
    for wait, recorded in ((None, 1), (60.0, 2), (60.0, 2), (30.0, 2), (None, 2), (900.0, 3)):
        lead.tool.answer = Trouble("Too many requests.", retry_after=wait)
        engine.turn_of(HARBOUR, JIRA)
        assert (lead.failures(), lead.failure.since) == (recorded, since), wait
    assert lead.failure.not_before == lead.world.clock.at + timedelta(minutes=15)
    lead.world.clock.forward(days=1)
    engine.note_lasting()
    assert lead.failure.lasting
    assert lead.failure.not_before is not None, "that it lasts takes nothing back"


def test_what_a_tool_asks_is_waited_for_a_day_at_most(lead: Lead) -> None:
    lead.tool.answer = Trouble("Never again.", retry_after=1e12)
    assert lead.due(lead.process())
    assert lead.failure.not_before == lead.world.clock.at + timedelta(seconds=LONGEST)


def test_a_failure_that_was_recorded_before_there_were_waits_has_none() -> None:
    old = msgspec.json.decode(b'{"type":"source-failed","source":"jira1","why":"Away."}', type=SourceFailed)
    assert old.not_before is None


def test_only_the_system_says_until_when_a_tool_is_waited_for(lead: Lead) -> None:
    until = datetime(2027, 3, 2, tzinfo=UTC)
    failed = FailSource(project=HARBOUR, source=JIRA, why="Away.", not_before=until)
    with pytest.raises(Refused):
        lead.world.tell(failed)
    lead.world.tell(failed, SYSTEM)
    assert lead.failure.not_before == until
