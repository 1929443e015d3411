"""A process writes down how everything stands when it stops, and the next one goes on from there."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psycopg
import pytest

from domain.events import Recorded
from domain.ids import CommandId, MilestoneId
from domain.plan.schedule import MoveForecast
from projections.events.present import CurrentWorld
from projections.events.world import World as State
from projections.installation.database import Database, connect, migrate
from projections.installation.folder import SNAPSHOT_FILE
from projections.installation.snapshots import Snapshots
from tests import postgres
from tests.postgres import Cluster, create
from tests.web.doors import House, running, wait_until
from tests.world import HARBOUR, SHARE, World
from web.ids import new_id
from web.process import clockwork
from web.write.permission import OPERATOR


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clockwork, "SNAPSHOT_AFTER", 1)


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The positions of the events that are folded from now on, by whatever."""
    positions: list[int] = []
    apply = State.apply

    def counted(self: State, recorded: Recorded) -> None:
        positions.append(recorded.position)
        apply(self, recorded)

    monkeypatch.setattr(State, "apply", counted)
    return positions


def move(house: House, day: int) -> None:
    services = house.process.services
    head = services.logs.disclosure.head(SHARE)
    command = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=date(2027, 6, day), reason="Frost")
    services.service.execute(OPERATOR, command, command_id=CommandId(new_id()))
    wait_until(lambda: services.logs.disclosure.head(SHARE) == head + 1)


@contextmanager
def again(folder: Path) -> Iterator[House]:
    """Start a house in a folder where one was before."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tests.web.doors.recorded", lambda *_given: None)
        with running(folder, []) as house:
            yield house


@pytest.mark.folder
def test_a_start_after_a_stop_folds_nothing_again(tmp_path: Path, folded: list[int]) -> None:
    with running(tmp_path, []) as house:
        folded.clear()
        before = house.process.services.logs.events.head()
        move(house, 2)
        head = house.process.services.logs.events.head()
        assert sorted(folded) == list(range(before + 1, head + 1)), "doors and follower share one fold"
    assert (tmp_path / SNAPSHOT_FILE).exists()
    folded.clear()
    with again(tmp_path) as house:
        assert house.process.services.logs.snapshots.position == head
        assert folded == []
        move(house, 3)
        assert house.process.services.present.world.projects[HARBOUR].schedule.milestones
        follower, present = house.process.services.follower, house.process.services.present
        wait_until(lambda: follower.recorded.position == present.world.position)
        assert follower.recorded.world.projects[HARBOUR] is present.world.projects[HARBOUR]


@pytest.mark.folder
def test_it_is_written_now_and_then_and_not_again_before_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, []) as house:
        monkeypatch.setattr(house.process.clockwork, "_snapshot_due", 0.0)
        snapshots = house.process.services.logs.snapshots
        wait_until(lambda: snapshots.position > 0)
        written = snapshots.position
        move(house, 2)
        house.process.clockwork.lead()
        assert snapshots.position == written


@pytest.mark.folder
def test_a_folder_without_it_and_one_where_it_was_deleted_start_as_well(tmp_path: Path) -> None:
    with running(tmp_path, []) as house:
        move(house, 2)
    (tmp_path / SNAPSHOT_FILE).unlink()
    with again(tmp_path) as house:
        assert house.process.services.logs.snapshots.position == 0
        move(house, 3)


# in a database


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with postgres.running() as made:
        made.execute("CREATE ROLE app LOGIN")
        migrate(create(made.url(), "ready"), "app")
        yield made


@pytest.fixture
def url(server: Cluster, request: pytest.FixtureRequest) -> str:
    name = f"s{abs(hash(request.node.name)) % 10**9}"
    create(server.url(), name, "ready")
    return server.url(name, "app")


def filled(url: str) -> Database:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tests.world.Folder", lambda _path: Database(url))
        world = World(Path("/nowhere"))
        world.harbour()
        world.close()
    return Database(url)


@pytest.mark.once
def test_in_a_database_it_is_a_table_that_every_process_reads_and_the_application_may_write(url: str) -> None:
    logs = filled(url)
    present = CurrentWorld(logs.events, follow=logs.disclosure.position())
    assert present.feed is not None
    assert logs.snapshots.keep(present.feed.recorded, lambda: present.refresh().erased)
    other = Database(url)
    begun = other.snapshots.read()
    assert begun is not None
    assert begun.position == logs.events.head()
    assert begun.world.projects == present.world.projects
    other.snapshots.clear()
    assert logs.snapshots.read() is None
    other.close()
    logs.close()


@pytest.mark.once
def test_a_row_of_it_that_was_altered_throws_it_away(url: str) -> None:
    logs = filled(url)
    present = CurrentWorld(logs.events, follow=logs.disclosure.position())
    assert present.feed is not None
    assert logs.snapshots.keep(present.feed.recorded, lambda: present.refresh().erased)
    with connect(url) as db, pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("TRUNCATE fanlight.snapshot")
    with connect(url) as db:
        db.execute("DELETE FROM fanlight.snapshot WHERE n = 2")
    assert logs.snapshots.read() is None
    with connect(url) as db:
        assert db.execute("SELECT count(*) FROM fanlight.snapshot").fetchone() == (0,)
    logs.close()


@pytest.mark.once
def test_a_database_of_an_earlier_version_has_none_until_it_is_migrated(server: Cluster, url: str) -> None:
    owner = server.url(url.rsplit("/", 1)[-1])
    with connect(owner) as db:
        db.execute("DROP TABLE fanlight.snapshot")
    logs = filled(url)
    present = CurrentWorld(logs.events, follow=logs.disclosure.position())
    assert present.feed is not None
    keep = lambda snapshots: snapshots.keep(present.feed.recorded, lambda: present.refresh().erased)  # noqa: E731
    assert isinstance(logs.snapshots, Snapshots)
    keep(logs.snapshots)
    assert logs.snapshots.read() is None
    migrate(owner, "app")
    keep(logs.snapshots)
    assert logs.snapshots.read() is not None
    logs.close()
