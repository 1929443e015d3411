"""A process that dies in the middle of a pull, at each place: nothing is lost, and nothing is there twice."""

import asyncio
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.ids import CommandId, SourceId
from domain.plan.sources.commands import AttachSource
from domain.plan.sources.source import Source
from tests.web.doors import wait_until
from tests.web.sources.house import TAKE, sourced
from tests.web.sources.scripted import Scripted, planned
from tests.world import HARBOUR, World
from web.importers.plan import Plan
from web.outside.transport import Outside
from web.sources.engine import Engine, EnginePorts
from web.sources.taking import Taking, TakingPorts
from web.sources.turns import Turns
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


@pytest.mark.parametrize("kind", ["an error before it is asked", "a tool that cancels itself"])
def test_a_turn_that_ends_as_nobody_thought_of_is_not_the_last_one_of_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with sourced(tmp_path) as house:
        house.attach()
        engine, failed = house.services.sources.engine, list[int]()
        language = engine._language

        def fails_once(*of: Any) -> str:
            failed.append(1)
            if len(failed) == 1:
                raise ZeroDivisionError
            return language(*of)

        def cancels_once() -> Plan:
            failed.append(1)
            if len(failed) == 1:
                raise asyncio.CancelledError
            return planned(("1", "One", JUNE))

        house.tool.answer = planned(("1", "One", JUNE))
        if kind.startswith("an error"):
            monkeypatch.setattr(engine, "_language", fails_once)
        else:
            house.tool.answer = cancels_once
        monkeypatch.setattr(engine, "_turns", Turns(lambda: 1.0))  # nobody but a person asks for a turn yet
        engine.rest = False
        wait_until(house.services.leads)
        ended = engine.pull_now(HARBOUR, JIRA, patience=10)
        assert ended.trouble is not None
        assert "failed unexpectedly" in str(ended.trouble)
        assert engine.pull_now(HARBOUR, JIRA, patience=10).news is not None
        engine.rest = True


def test_what_cannot_be_noted_of_one_source_is_noted_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sourced(tmp_path) as house:
        house.attach()
        house.attach(key=SourceId("jira2"))
        noted: list[SourceId] = []

        def note(_project: object, source: Source) -> None:
            noted.append(source.id)
            if len(noted) == 1:
                raise ZeroDivisionError

        monkeypatch.setattr(house.services.sources.taking, "note_lasting", note)
        house.services.sources.engine.note_lasting()
        assert sorted(noted) == ["jira1", "jira2"]
