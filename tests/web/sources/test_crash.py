"""A process that dies in the middle of a pull, at each place: nothing is lost, and nothing is there twice."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.ids import CommandId, SourceId
from domain.plan.sources.commands import AttachSource
from tests.web.sources.house import TAKE
from tests.web.sources.scripted import Scripted, planned
from tests.world import HARBOUR, World
from web.outside.transport import Outside
from web.sources.engine import Engine, EnginePorts
from web.sources.taking import Taking, TakingPorts
from web.write.permission import OPERATOR

pytestmark = pytest.mark.stories
JIRA = SourceId("jira1")
JUNE = date(2027, 6, 1)


class Killed(BaseException):
    """The process ends here, as by SIGKILL: nothing after it runs."""


class Dying:
    """Dies at one place, once."""

    def __init__(self) -> None:
        self.at = ""

    def __call__(self, place: str) -> None:
        if place == self.at:
            self.at = ""
            raise Killed


def engine(world: World, tool: Scripted, point: Dying) -> Engine:
    taking = Taking(
        TakingPorts(service=world.service, present=world.present, events=world.folder.events, clock=world.clock)
    )
    return Engine(
        EnginePorts(
            taking=taking, present=world.present, tools={"scripted": tool}, outside=Outside(), clock=world.clock,
            crash_point=point,
        )
    )  # fmt: skip


@pytest.mark.parametrize("place", ["after-pull", "before-event-commit", "after-event-commit", "after-pull-recorded"])
def test_whatever_is_cut_short_is_pulled_again_and_nothing_is_doubled(tmp_path: Path, place: str) -> None:
    point, tool = Dying(), Scripted()
    world = World(tmp_path, crash_point=point)
    world.harbour()
    attach = AttachSource(project=HARBOUR, source=JIRA, tool="scripted", name="Jira", rules=TAKE)
    world.service.execute(OPERATOR, attach, command_id=CommandId("attach"))
    tool.answer = planned(("7", "Depot opens", JUNE), data_date=date(2027, 3, 1))
    assert engine(world, tool, point).turn_of(HARBOUR, JIRA).news == "recorded"
    tool.answer = planned(("7", "Depot opens", JUNE + timedelta(days=2)), data_date=date(2027, 3, 1))
    point.at = place
    with pytest.raises(Killed):
        engine(world, tool, point).turn_of(HARBOUR, JIRA)
    assert point.at == ""
    world.restart()
    again = engine(world, tool, point)
    for _turn in range(2):
        assert again.turn_of(HARBOUR, JIRA).trouble is None
    project = world.present.refresh().projects[HARBOUR]
    [depot] = [m for m in project.schedule.milestones.values() if m.details.title == "Depot opens"]
    assert [move.forecast for move in depot.moves] == [JUNE, JUNE + timedelta(days=2)]
    assert len(project.sources[JIRA].pulls) == 2
    world.close()
