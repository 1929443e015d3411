"""When a client reads that nobody confirmed the plan: while what would have is asked, fails, and somebody waits for it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from domain.ids import SourceId
from domain.plan import project as projects
from domain.plan.project import Project, ProjectClosed, ProjectHeld, ProjectResumed
from domain.plan.schedule import ConfirmPlan
from domain.plan.sources.commands import AttachSource, FailSource, PauseSource
from domain.reveal.policy import reveal
from tests.world import HARBOUR, SHARE, World
from web.write.permission import SYSTEM

JIRA = SourceId("jira1")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The plan was confirmed; then a source has failed for a day."""
    world = World(tmp_path)
    world.harbour()
    world.tell(ConfirmPlan(project=HARBOUR))
    world.tell(AttachSource(project=HARBOUR, source=JIRA, tool="jira", name="Jira", address="https://j.example.org"))
    world.tell(FailSource(project=HARBOUR, source=JIRA, why="It is away."), SYSTEM)
    world.clock.forward(days=1)
    world.tell(FailSource(project=HARBOUR, source=JIRA, why="It is away.", lasting=True), SYSTEM)
    yield world
    world.close()


def kept(world: World) -> Project:
    """Return the project, of which the source keeps a milestone."""
    project = world.present.refresh().projects[HARBOUR]
    milestones = dict(project.schedule.milestones)
    key = next(iter(milestones))
    milestones[key] = msgspec.structs.replace(milestones[key], source_id=f"{JIRA}/7")
    schedule = msgspec.structs.replace(project.schedule, milestones=milestones)
    return msgspec.structs.replace(project, schedule=schedule)


def says_so(world: World, project: Project) -> bool:
    share = world.present.refresh().shares[SHARE]
    view = reveal(project, share, organisation="Works", client="Acme", time_zone="Europe/London")
    assert view.confirmed_at is not None
    return view.unconfirmed


def test_a_source_that_has_failed_for_a_day_is_told_while_the_project_goes_on_or_is_on_hold(world: World) -> None:
    project = kept(world)
    assert says_so(world, project)
    held = projects.evolve(project, ProjectHeld(reason="The port strikes"), world.clock.at)
    assert held.phase == "on_hold"
    assert says_so(world, held), "its sources are asked further, and its dates read"
    resumed = projects.evolve(held, ProjectResumed(reason=""), world.clock.at)
    assert says_so(world, resumed)


def test_a_closed_project_is_confirmed_by_nobody_any_more_so_nothing_is_missing(world: World) -> None:
    project = kept(world)
    closed = projects.evolve(project, ProjectClosed(reason="Handed over"), world.clock.at + timedelta(days=1))
    assert says_so(world, project)
    assert not says_so(world, closed)


def test_that_it_ends_tells_of_a_closing_what_it_tells_of_a_source_that_is_paused(world: World) -> None:
    """A share that does not tell whether the project is closed learns nothing of it by the words that go."""
    share = world.present.refresh().shares[SHARE]
    terms = msgspec.structs.replace(share.terms, project_fields=("confirmed",))
    share = msgspec.structs.replace(share, versions=(msgspec.structs.replace(share.versions[-1], terms=terms),))
    project = kept(world)
    closed = projects.evolve(project, ProjectClosed(reason="Handed over"), world.clock.at)
    world.tell(PauseSource(project=HARBOUR, source=JIRA))
    paused = kept(world)
    told = [
        reveal(one, share, organisation="Works", client="Acme", time_zone="Europe/London")
        for one in (project, closed, paused)
    ]
    assert [view.unconfirmed for view in told] == [True, False, False]
    assert told[1] == told[2]
