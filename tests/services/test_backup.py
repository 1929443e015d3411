"""Backup, restore and moving house, with the programs people use: deploy/backup, pg_restore, fanlight restored, copy."""

import itertools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from projections.follow.restoring import is_lost
from projections.follow.shadow import compared
from projections.installation import copying
from projections.installation.database import Database, connect, migrate
from projections.installation.folder import Folder
from tests.fleet import Crowd, Fleet, Process, eventually
from tests.journeys.product import seeded
from tests.postgres import Cluster, create
from tests.programs import fanlight
from tests.world import SHARE
from web import clock
from web.process.signing import notary
from web.render.page import Renderer
from web.settings import Settings

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[2]


def backup(fleet: Fleet, to: Path) -> tuple[Path, Path]:
    """Run deploy/backup and return the file of the logs and the file of the keys."""
    logs, keys = to / "logs", to / "keys"
    logs.mkdir(parents=True)
    keys.mkdir()
    done = subprocess.run(
        [ROOT / "deploy/backup", fleet.owner, logs, keys],
        env=os.environ | {"PATH": f"{fleet.cluster.programs}:{os.environ['PATH']}"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = (Path(line) for line in done.stdout.split())
    return first, second


def restore(fleet: Fleet, logs: Path, keys: Path) -> Cluster:
    """Put a backup into a server that was never there before, and let the fleet use it from now on."""
    fresh = Cluster().start()
    fresh.execute("CREATE ROLE app LOGIN")
    owner = create(fresh.url(), "fanlight")
    for file in (logs, keys):
        done = subprocess.run(
            [fleet.cluster.programs / "pg_restore", "--exit-on-error", "--no-owner", f"--dbname={owner}", file],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    return fresh


def test_pages_ahead_of_a_restored_record_start_over_and_no_number_shows_two_things(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, workers=2, shares=2, redis=False)
    restored: Cluster | None = None
    try:
        fleet.start()
        for _ in range(4):
            fleet.tell(fleet.change())
        fleet.log()
        files = backup(fleet, tmp_path / "backup")
        with Crowd(fleet, 12) as crowd:
            for _ in range(6):
                fleet.tell(fleet.change())
            before = fleet.log()
            crowd.check(before)
            seen = {
                share: {e.n: (e.content.page, e.content.sections_hash) for e in entries}
                for share, entries in before.entries.items()
            }
            for process in fleet.processes:
                assert process.stop() == 0
            restored = restore(fleet, *files)
            gone, fleet.cluster = fleet.cluster, restored
            gone.remove()
            fleet.owner, fleet.app = restored.url("fanlight"), restored.url("fanlight", "app")
            refused = Process(fleet, "serve").begin()
            assert refused.popen is not None
            assert refused.popen.wait(30) == 2
            assert "fanlight restored" in refused.log.read_text()
            told = fanlight("restored", "--database-url", fleet.owner, "--margin", 8, "--shown", f"{SHARE}=12",
                            "--reason", "The disk failed")  # fmt: skip
            assert told.returncode == 0, told.stderr
            for process in fleet.processes:
                process.start()
            eventually(fleet.leader, what="a leader")
            for _ in range(3):
                fleet.tell(fleet.change())
            after = fleet.log()
            crowd.check(after)
            assert min(page.resets for page in crowd.pages) >= 1
        for share, entries in after.entries.items():
            numbers = {e.n: e for e in entries}
            assert sorted(numbers) == list(range(1, len(entries) + 1))
            again = [
                n
                for n, view in seen[share].items()
                if n in numbers
                and not is_lost(numbers[n].content)
                and (numbers[n].content.page, numbers[n].content.sections_hash) != view
            ]
            assert again == [], "a number shows something else than it showed before"
        lost = [e.n for e in after.entries[str(SHARE)] if is_lost(e.content)]
        assert lost[-1] == 12 + 8
        assert "lost when a backup was restored" in after.entries[str(SHARE)][lost[-1] - 1].content.items
        checked = fanlight("verify", "--database-url", fleet.app, "--data", tmp_path / "shared")
        assert checked.returncode == 0, checked.stderr
        database = Database(fleet.app)
        states = {one.state for one in compared(database.events, database.disclosure, SHARE, Renderer())}
        database.close()
        assert states == {"same"}
    finally:
        fleet.close()


def test_a_backup_of_the_logs_alone_opens_nothing(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, workers=0, redis=False)
    try:
        logs, _keys = backup(fleet, tmp_path / "backup")
        raw = subprocess.run(
            [fleet.cluster.programs / "pg_restore", "--file=-", logs], capture_output=True, timeout=60, check=True
        ).stdout
        assert b"Section A energised" in raw or b"\\\\x" in raw
        assert b"fanlight_keys" not in raw
        assert b"marta@example.test" not in raw
    finally:
        fleet.close()


def test_a_folder_moves_into_a_database_with_every_row_and_checkpoint(tmp_path: Path) -> None:

    source = seeded(tmp_path / "folder")
    folder = Folder(source)
    signing = notary(folder, Settings(data=source), clock.now)
    signing.sign([SHARE])
    heads = folder.events.head(), folder.disclosure.head(SHARE), folder.ledger.last().index  # type: ignore[union-attr]
    folder.close()
    cluster = Cluster().start()
    try:
        owner = create(cluster.url(), "fanlight")
        cluster.execute("CREATE ROLE app LOGIN")
        early = fanlight("copy", "--from", source, "--to", owner)
        assert (early.returncode, "fanlight migrate" in early.stderr) == (2, True)
        assert fanlight("migrate", "--database-url", owner, "--role", "app").returncode == 0
        done = fanlight("copy", "--from", source, "--to", owner)
        assert done.returncode == 0, done.stderr
        assert "Everything in database fanlight" in done.stdout
        database = Database(cluster.url("fanlight", "app"))
        last = database.ledger.last()
        assert last is not None
        assert (database.events.head(), database.disclosure.head(SHARE), last.index) == heads
        assert database.disclosure.entry(SHARE, 1) is not None
        database.close()
        twice = fanlight("copy", "--from", source, "--to", owner)
        assert (twice.returncode, "already" in twice.stderr) == (2, True)
        told = fanlight("status", "--database-url", cluster.url("fanlight", "app"))
        assert told.returncode == 0, told.stdout
        assert "none wait for the follower" in told.stdout
    finally:
        cluster.remove()


def test_a_copy_that_is_cut_short_leaves_the_database_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    folder, cluster = Folder(seeded(tmp_path / "folder")), Cluster().start()
    try:
        owner = create(cluster.url(), "fanlight")
        migrate(owner)
        never_the_same = itertools.count()
        monkeypatch.setattr(copying, "_digest", lambda rows: str(next(never_the_same)) if list(rows) else "")
        with pytest.raises(copying.Copied, match="arrived otherwise"):
            copying.copy(folder, owner)
        with connect(owner) as db:
            assert db.execute("SELECT count(*) FROM fanlight.events").fetchone() == (0,)
        monkeypatch.undo()
        copying.copy(folder, owner)
    finally:
        folder.close()
        cluster.remove()
        shutil.rmtree(tmp_path, ignore_errors=True)
