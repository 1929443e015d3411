"""A snapshot says what the fold says, is thrown away whenever it does not fit, and is of nobody who was erased."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.commands import AnyCommand
from domain.ids import CommandId, MilestoneId, PersonId
from domain.money import Money
from domain.people.person import ErasePerson, InvitePerson
from domain.plan import account, milestones
from domain.plan.schedule import MoveForecast
from domain.reveal import policy
from projections.events import fingerprint, kept
from projections.events import world as world_module
from projections.events.event_log import SNAPSHOT
from projections.events.folding import Folding, Stood, nothing
from projections.events.present import CurrentWorld
from projections.events.world import World as State
from projections.installation import snapshots as module
from projections.installation.folder import SNAPSHOT_FILE, Folder
from projections.logs.vault import Gone
from tests.properties.twins import pair, play
from tests.world import ACME, ADMIN, HARBOUR, START, World

NAME = "Zdenka Quillfeather"


def told(state: State) -> dict[str, object]:
    """Return all that a world says, by the names under which it keeps it."""
    book = {name: dict(value) for name, value in vars(state.held_back).items()}
    rest = {name: value for name, value in vars(state).items() if name not in ("held_back", "_begun", "_changes")}
    return {**rest, **book, "changes": state.changes}


def keep(world: World) -> Stood:
    """Write a snapshot of how everything stands, as the process that leads does."""
    world.follow()
    standing = world.follower.recorded
    assert world.folder.snapshots.keep(standing, lambda: world.present.refresh().erased)
    return standing


def starts(world: World) -> tuple[bool, CurrentWorld]:
    """Start again; return whether a snapshot was read, and the present world, which is right in any case."""
    folder = Folder(world.path)
    begun = folder.snapshots.read()
    present = CurrentWorld(folder.events, begun, folder.disclosure.position())
    folded = CurrentWorld(folder.events)
    assert told(present.world) == told(folded.world)
    assert present.latest == folded.latest
    folder.close()
    return begun is not None, present


@pytest.mark.folder
@pytest.mark.parametrize("seed", range(3))
def test_what_is_read_is_what_was_written_at_any_moment_of_random_histories(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path)
    play(world, pair(seed), seed % 2)
    folding, seen = Folding(nothing()), 0
    for recorded in world.folder.events.everything():
        folding.take(recorded)
        folding.closed()
        if recorded.position % 5 == 0:
            standing = folding.standing()
            read = kept.read(list(kept.written(standing)))
            assert told(read.world) == told(standing.world)
            assert (read.position, read.latest) == (standing.position, standing.latest)
            seen += 1
    assert seen > 20
    world.close()


def test_nothing_that_a_world_holds_is_left_out() -> None:
    state = State()
    assert set(vars(state)) - {"held_back", "_begun", "brand", "rules", "erased", "position"} == set(kept.MAPS)
    assert set(vars(state.held_back)) == set(kept.HELD)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.harbour()
    for day in range(1, 12):
        world.move("m1", date(2027, 6, day))
    return world


@pytest.mark.folder
def test_a_start_goes_on_from_it_and_makes_the_next_update_as_if_it_had_folded_everything(world: World) -> None:
    keep(world)
    world.move("m1", date(2027, 7, 1))
    read, present = starts(world)
    assert read
    assert present.feed is not None
    world.close()
    world.folder = Folder(world.path)
    begun = world.folder.snapshots.read()
    assert begun is not None
    assert 0 < begun.position < world.folder.events.head()


# it is thrown away


def _truncated(world: World) -> None:
    path = world.path / SNAPSHOT_FILE
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _emptied(world: World) -> None:
    (world.path / SNAPSHOT_FILE).write_bytes(b"")


def _no_database(world: World) -> None:
    (world.path / SNAPSHOT_FILE).write_bytes(b"not a database" * 1000)


def _row(world: World, statement: str) -> None:
    with sqlite3.connect(world.path / SNAPSHOT_FILE) as db:
        db.execute(statement)
    db.close()


def _a_part_is_missing(world: World) -> None:
    _row(world, "DELETE FROM snapshot WHERE n = 3")


def _parts_have_changed_places(world: World) -> None:
    _row(
        world, "UPDATE snapshot SET part = (SELECT s.part FROM snapshot s WHERE s.n = 5 - snapshot.n) WHERE n IN (2, 3)"
    )


def _header(world: World, **changed: object) -> None:
    with sqlite3.connect(world.path / SNAPSHOT_FILE) as db:
        rows = [row[0] for row in db.execute("SELECT part FROM snapshot ORDER BY n")]
        header = msgspec.structs.replace(msgspec.json.decode(rows[0], type=module.SnapshotHeader), **changed)
        db.execute("UPDATE snapshot SET part = ? WHERE n = 0", (msgspec.json.encode(header),))
    db.close()


def _checksum_is_another(world: World) -> None:
    _header(world, checksum="0" * 64)


def _of_other_code(world: World) -> None:
    _header(world, code="0" * 64)


def _another_position(world: World) -> None:
    folder = Folder(world.path)
    earlier = folder.events.head() - 2
    _header(world, position=earlier, log=folder.snapshots._log(earlier))
    folder.close()


def _ahead_of_the_updates(world: World) -> None:
    """The disclosure log is an older copy than the snapshot."""
    for path in world.path.glob("disclosure.db*"):
        path.unlink()


def _of_another_log(world: World) -> None:
    """The events were restored from a copy, and went on otherwise."""
    other = World(world.path.parent / "other", start=START.replace(year=2028))
    other.harbour()
    for day in range(1, 12):
        other.move("m2", date(2028, 8, day))
    other.close()
    for name in ("events.db", "disclosure.db", "keys.db"):
        for path in world.path.glob(f"{name}*"):
            path.unlink()
        shutil.copy(other.path / name, world.path / name)


def _ahead_of_the_events(world: World) -> None:
    with sqlite3.connect(world.path / "events.db") as db:
        db.execute("DELETE FROM stored_events WHERE rowid > (SELECT max(rowid) / 2 FROM stored_events)")
    db.close()


def _without_its_key(world: World) -> None:
    world.folder.vault.destroy(SNAPSHOT)


BROKEN = [
    _truncated, _emptied, _no_database, _a_part_is_missing, _parts_have_changed_places, _checksum_is_another,
    _of_other_code, _another_position, _ahead_of_the_updates, _of_another_log, _ahead_of_the_events, _without_its_key,
]  # fmt: skip


@pytest.mark.folder
@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__.strip("_"))
def test_one_that_does_not_fit_is_thrown_away_and_the_start_succeeds(
    tmp_path: Path, broken: Callable[[World], None]
) -> None:
    world = World(tmp_path / "it")
    world.harbour()
    for day in range(1, 12):
        world.move("m1", date(2027, 6, day))
    keep(world)
    assert starts(world)[0], "it fits until it is broken, so this could fail"
    if broken is _without_its_key:
        broken(world)
    world.close()
    if broken is not _without_its_key:
        broken(world)
    assert not starts(world)[0]
    rest = Folder(world.path).snapshots
    assert rest._store.read() == [], "nothing of it is left"


@pytest.mark.folder
def test_one_that_is_far_behind_is_thrown_away(world: World) -> None:
    keep(world)
    before = world.folder.events.head()
    i = 0
    while world.folder.events.head() <= 2 * before:
        i += 1
        world.tell(
            MoveForecast(
                project=HARBOUR, milestone=MilestoneId("m2"), forecast=date(2027, 9, 1 + i % 28), reason="Frost"
            )
        )
    assert not starts(world)[0]
    world.close()


@pytest.mark.folder
def test_none_is_written_while_a_stream_is_broken(world: World) -> None:
    standing = msgspec.structs.replace(world.follower.recorded, broken={"project-x": None})
    assert not world.folder.snapshots.keep(standing, lambda: world.present.refresh().erased)
    assert not (world.path / SNAPSHOT_FILE).exists()
    world.close()


# the code it was made by


def test_the_fingerprint_is_the_same_in_every_process() -> None:
    program = "from projections.events.fingerprint import of_states; print(of_states())"
    found = {
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {fingerprint.fingerprint().encode()}


@pytest.mark.parametrize("tests", [False, True])
def test_it_is_the_same_whichever_languages_are_installed(tests: bool) -> None:
    program = (
        "from projections.events.fingerprint import fingerprint; before = fingerprint();"
        f"from web import languages; languages.install(tests={tests}); assert fingerprint() == before; print('same')"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert done.stdout.strip() == b"same", done.stderr.decode()


def test_it_changes_with_what_evolves_a_state_and_with_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint.fingerprint()
    monkeypatch.setattr(milestones, "decide", lambda *_args: [])
    monkeypatch.setattr(policy, "reveal", lambda *_args: None)
    assert fingerprint.fingerprint() == before

    def other(old: object, _event: object, _at: object) -> object:
        return old

    other.__module__ = milestones.__name__
    with monkeypatch.context() as patch:
        patch.setattr(milestones, "evolve", other)
        assert fingerprint.fingerprint() != before
    with monkeypatch.context() as patch:
        patch.setattr(State, "settle", other)
        assert fingerprint.fingerprint() != before
    with monkeypatch.context() as patch:
        patch.setitem(milestones.Milestone.__annotations__, "source_id", int)
        assert fingerprint.fingerprint() != before
    assert fingerprint.fingerprint() == before


@pytest.mark.parametrize(
    ("of", "name", "value"),
    [
        (world_module, "WITHIN", timedelta(minutes=15)),
        (world_module, "KEPT", world_module.FEW),  # a number that another constant has already
        (account, "BEYOND", Decimal(10) ** 13),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_it_changes_with_every_value_that_a_state_is_made_by(
    monkeypatch: pytest.MonkeyPatch, of: Any, name: str, value: object
) -> None:
    before = fingerprint.fingerprint()
    monkeypatch.setattr(of, name, value)
    assert fingerprint.fingerprint() != before


def test_it_changes_with_what_an_operator_does(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint.fingerprint()
    sound = Money.__add__

    def plus(one: Money, other: Money) -> Money:
        return sound(one, sound(other, other))

    plus.__module__ = Money.__module__
    monkeypatch.setattr(Money, "__add__", plus)
    assert fingerprint.fingerprint() != before


# whoever is erased


def invite(world: World) -> PersonId:
    person = PersonId("zdenka")
    world.tell(InvitePerson(person=person, name=NAME, email="z@acme.test", role="viewer", client=ACME), ADMIN)
    return person


def execute(world: World, command: AnyCommand) -> None:
    world.service.execute(ADMIN, command, command_id=CommandId(f"e{world.folder.events.head()}"))


@pytest.mark.folder
def test_an_erasure_destroys_it_and_a_copy_of_it_opens_no_more(world: World) -> None:
    person = invite(world)
    standing = keep(world)
    assert standing.world.people[person].name == NAME
    copy = (world.path / SNAPSHOT_FILE).read_bytes()
    assert NAME.encode() not in copy
    read = world.folder.snapshots.read()
    assert read is not None
    assert read.world.people[person].name == NAME, "it was there to be found"
    execute(world, ErasePerson(person=person, reason="Asked for it"))
    world.present.refresh()
    with pytest.raises(Gone):
        world.folder.vault.existing(SNAPSHOT)
    (world.path / SNAPSHOT_FILE).write_bytes(copy)  # restored from a backup
    assert not starts(world)[0]
    keep(world)
    read, present = starts(world)
    assert read
    assert person not in present.world.people
    world.close()


@pytest.mark.folder
def test_of_somebody_who_is_erased_while_it_is_written_nothing_can_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, encode = invite(world), kept.written
    world.follow()

    def meanwhile(standing: Stood) -> list[bytes]:
        execute(world, ErasePerson(person=person, reason="Asked for it"))
        return list(encode(standing))

    monkeypatch.setattr(kept, "written", meanwhile)
    standing = world.follower.recorded
    world.folder.snapshots.keep(standing, lambda: world.present.refresh().erased)
    assert (world.path / SNAPSHOT_FILE).exists(), "it was written, so this could fail"
    assert not starts(world)[0]
    assert not world.folder.snapshots.keep(standing, lambda: world.present.refresh().erased), "it is of before"
    world.close()


@pytest.mark.folder
def test_a_restored_copy_of_the_keys_brings_nobody_back(world: World) -> None:
    person = invite(world)
    keep(world)
    world.close()
    keys = (world.path / "keys.db").read_bytes()
    world.open()
    execute(world, ErasePerson(person=person, reason="Asked for it"))
    keep(world)
    world.close()
    (world.path / "keys.db").write_bytes(keys)
    read, present = starts(world)
    assert not read, "it was sealed after that copy was made"
    assert person not in present.world.people
    world.open()
    assert not world.folder.vault.has(f"person-{person}")
    world.close()


# a process that dies while it writes


WRITER = """
import os, signal, sqlite3, sys
from pathlib import Path
from projections.events.present import CurrentWorld
from projections.installation import snapshots
from projections.installation.folder import Folder
folder, after = Path(sys.argv[1]), int(sys.argv[2])
logs = Folder(folder)
present = CurrentWorld(logs.events, follow=logs.disclosure.position())
class Dying:
    def __init__(self, db): self.db, self.count = db, 0
    def execute(self, *given): return self.db.execute(*given)
    def executemany(self, statement, rows):
        for row in rows:
            self.count += 1
            if self.count > after:
                os.kill(os.getpid(), signal.SIGKILL)
            self.db.execute(statement, row)
    def close(self): self.db.close()
opened = snapshots.FileSnapshots._opened
snapshots.FileSnapshots._opened = lambda self: Dying(opened(self))
logs.snapshots.keep(present.feed.recorded, lambda: present.refresh().erased)
"""


@pytest.mark.folder
@pytest.mark.parametrize("parts", [0, 1, 7])
def test_a_process_killed_while_it_writes_leaves_the_one_before_and_loses_nothing(world: World, parts: int) -> None:
    before = keep(world)
    world.move("m1", date(2027, 7, 1))
    head = world.folder.events.head()
    world.close()
    died = subprocess.run([sys.executable, "-c", WRITER, str(world.path), str(parts)], check=False, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    folder = Folder(world.path)
    begun = folder.snapshots.read()
    assert begun is not None
    assert begun.position == before.position
    assert folder.events.head() == head
    folder.close()
    assert starts(world)[0]
