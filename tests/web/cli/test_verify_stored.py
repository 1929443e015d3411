"""`fanlight verify` on stored files: it accepts nothing it cannot read, names what nothing covers, and writes nothing."""

import ctypes
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from domain.ids import PersonId
from domain.people.person import ErasePerson
from domain.plan.schedule import MoveForecast
from projections.evidence.notary import Trust
from projections.proof import notes
from tests.recorded import recorded
from tests.web.doors import every_route, running
from tests.world import ADMIN, HARBOUR, KEY, SHARE, World
from web.cli import verify
from web.process import signing
from web.settings import Settings

pytestmark = pytest.mark.folder  # it looks into files
Alteration = Callable[[sqlite3.Connection, random.Random, int, int], None]  # of rows `low` to `high`


def _stopped(folder: Path) -> None:
    """A folder in which everything is signed."""
    world = World(folder)
    world.harbour()
    for day in range(1, 6):
        world.tell(MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, day), reason=f"Frost {day}"))
    world.tell(ErasePerson(person=PersonId("viewer-council"), reason="Asked for it"), ADMIN)
    signing.write(folder / "signing.key", KEY)
    world.notary.sign([SHARE])
    world.close()


def _killed(folder: Path) -> None:
    """The same with a tail that nothing was signed for."""
    _stopped(folder)
    world = World(folder)
    for day in range(10, 16):
        world.tell(
            MoveForecast(project=HARBOUR, milestone="m2", forecast=date(2027, 7, day), reason=f"Flood {day}"),
            key=f"late{day}",
        )
    world.close()


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    recorded(tmp_path / "data", _stopped)
    return tmp_path / "data"


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    recorded(tmp_path / "data", _killed)
    return tmp_path / "data"


class Said:
    """What one check said."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], **more: str) -> None:
        capsys.readouterr()
        self.code = verify.stored(Settings(data=folder), [], **more)
        out, err = capsys.readouterr()
        self.text = out + err

    @property
    def bare(self) -> range:
        """The numbers of events that it says no checkpoint covers."""
        found = re.search(r"of the events, numbers (\d+) to (\d+)", self.text)
        return range(int(found[1]), int(found[2]) + 1) if found else range(0)


def rows(folder: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "events.db") as db:
        asked = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events ORDER BY rowid"
        found = db.execute(asked).fetchall()
    db.close()
    return found


# alterations, each of one or more rows from `low` to `high`


def flipped(column: str) -> Alteration:
    def change(db: sqlite3.Connection, rng: random.Random, low: int, high: int) -> None:
        place = rng.randint(low, high)
        kept = db.execute(f"SELECT {column} FROM stored_events WHERE rowid = ?", (place,)).fetchone()[0]
        data = bytearray(kept.encode() if isinstance(kept, str) else kept)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(7)
        value = data.decode() if isinstance(kept, str) else bytes(data)
        db.execute(f"UPDATE OR REPLACE stored_events SET {column} = ? WHERE rowid = ?", (value, place))

    return change


def deleted(db: sqlite3.Connection, rng: random.Random, low: int, high: int) -> None:
    db.execute("DELETE FROM stored_events WHERE rowid = ?", (rng.randint(low, high),))


def closed_up(db: sqlite3.Connection, rng: random.Random, low: int, high: int) -> None:
    """Take a row away, and renumber what follows in the log, so that no position is missing."""
    place = rng.randint(low, high)
    db.execute("DELETE FROM stored_events WHERE rowid = ?", (place,))
    db.execute("UPDATE stored_events SET rowid = -rowid WHERE rowid > ?", (place,))
    db.execute("UPDATE stored_events SET rowid = -rowid - 1 WHERE rowid < 0")


def cut(db: sqlite3.Connection, rng: random.Random, low: int, high: int) -> None:
    db.execute("DELETE FROM stored_events WHERE rowid >= ?", (rng.randint(low, high),))


def cut_at_a_command(db: sqlite3.Connection, rng: random.Random, low: int, high: int) -> None:
    """Cut whole commands off, as somebody would who knows the format."""
    asked = "SELECT rowid FROM stored_events WHERE topic = 'command-carried-out' AND rowid BETWEEN ? AND ?"
    ends = [row[0] for row in db.execute(asked, (low - 1, high - 1))]
    db.execute("DELETE FROM stored_events WHERE rowid > ?", (rng.choice(ends),))


def swapped(db: sqlite3.Connection, rng: random.Random, low: int, high: int) -> None:
    """Exchange the places of two rows in the log."""
    a, b = rng.sample(range(low, high + 1), 2)
    for old, new in ((a, -1), (b, a), (-1, b)):
        db.execute("UPDATE stored_events SET rowid = ? WHERE rowid = ?", (new, old))


def copied(db: sqlite3.Connection, rng: random.Random, low: int, high: int) -> None:
    """Put the content of one row in the place of another's."""
    a, b = rng.sample(range(low, high + 1), 2)
    db.execute(
        "UPDATE stored_events SET state = (SELECT state FROM stored_events WHERE rowid = ?) WHERE rowid = ?", (a, b)
    )


def renumbered(db: sqlite3.Connection, rng: random.Random, low: int, high: int) -> None:
    step = rng.choice((1, 2, 1000))
    asked = "UPDATE stored_events SET originator_version = originator_version + ? WHERE rowid = ?"
    db.execute(asked.replace("UPDATE", "UPDATE OR REPLACE"), (step, rng.randint(low, high)))


def added(db: sqlite3.Connection, rng: random.Random, low: int, high: int) -> None:
    """Put an event of the log once more at its end, in the next version of its stream."""
    asked = """INSERT INTO stored_events (originator_id, originator_version, topic, state)
        SELECT originator_id, (SELECT max(originator_version) + 1 FROM stored_events s WHERE s.originator_id = e.originator_id),
        topic, state FROM stored_events e WHERE rowid = ?"""
    db.execute(asked, (rng.randint(low, high),))


ALTERATIONS: tuple[Alteration, ...] = (
    flipped("state"), flipped("state"), flipped("topic"), flipped("originator_id"),
    deleted, closed_up, cut, cut_at_a_command, swapped, copied, renumbered, added,
)  # fmt: skip


def alter(folder: Path, seed: int, low: int) -> set[int]:
    """Alter the event log from number `low` on and return which numbers are not what they were."""
    before = rows(folder)
    rng = random.Random(seed)
    while True:
        change = ALTERATIONS[seed % len(ALTERATIONS)]
        with sqlite3.connect(folder / "events.db") as db:
            change(db, rng, low, len(before))
        db.close()
        after = rows(folder)
        if after != before:
            longer = max(len(before), len(after))
            at = range(longer)
            return {i + 1 for i in at if i >= len(before) or i >= len(after) or before[i] != after[i]}


def alterations(few: int, many: int) -> list[object]:
    return [pytest.param(range(few), id="few"), pytest.param(range(few, few + many), id="many", marks=pytest.mark.slow)]


@pytest.mark.parametrize("seeds", alterations(240, 1000))
def test_every_alteration_of_a_log_that_was_stopped_in_order_is_rejected(
    stopped: Path, seeds: range, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Said(stopped, capsys).code == 0
    kept = (stopped / "events.db").read_bytes()
    for seed in seeds:
        alter(stopped, seed, 1)
        said = Said(stopped, capsys)
        assert said.code == 1, seed
        assert "REJECTED" in said.text
        (stopped / "events.db").write_bytes(kept)


@pytest.mark.parametrize("seeds", alterations(240, 1000))
def test_an_alteration_of_the_tail_that_is_not_signed_is_rejected_or_lies_in_what_is_named(
    killed: Path, seeds: range, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = Said(killed, capsys)
    assert whole.code == 0
    assert len(whole.bare) == 12
    kept, rejected = (killed / "events.db").read_bytes(), 0
    for seed in seeds:
        altered = alter(killed, seed, whole.bare.start)
        said = Said(killed, capsys)
        assert said.code == 1 or altered <= set(said.bare), seed
        rejected += said.code == 1
        (killed / "events.db").write_bytes(kept)
    assert rejected > len(seeds) * 0.8  # only what reads well and fits the rest is named alone


def test_the_three_alterations_of_the_report_are_rejected(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept, last = (stopped / "events.db").read_bytes(), len(rows(stopped))
    for change in (
        "UPDATE stored_events SET state = replace(state, '{', '[') WHERE rowid = 36",
        "DELETE FROM stored_events WHERE rowid = 20",
        f"DELETE FROM stored_events WHERE rowid > {last - 8}",
    ):
        with sqlite3.connect(stopped / "events.db") as db:
            assert db.execute(change).rowcount
        db.close()
        said = Said(stopped, capsys)
        assert said.code == 1, change
        assert "Everything" not in said.text
        (stopped / "events.db").write_bytes(kept)


@pytest.mark.parametrize(
    "change",
    ["UPDATE stored_events SET state = 'x' WHERE rowid = 20", "DELETE FROM stored_events WHERE rowid = 20"],
)
def test_what_was_never_signed_is_rejected_where_it_cannot_be_read_and_named_where_it_can(
    tmp_path: Path, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path)
    world.harbour()
    world.close()
    said = Said(tmp_path, capsys)
    assert said.code == 0
    assert (said.bare.start, said.bare.stop - 1) == (1, len(rows(tmp_path)))
    assert f"of share {SHARE}" in said.text
    with sqlite3.connect(tmp_path / "events.db") as db:
        assert db.execute(change).rowcount
    db.close()
    assert Said(tmp_path, capsys).code == 1


def test_updates_of_events_that_are_not_there_are_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = World(tmp_path)
    world.harbour()
    world.close()
    with sqlite3.connect(tmp_path / "events.db") as db:
        cut_at_a_command(db, random.Random(1), 20, 40)
    db.close()
    said = Said(tmp_path, capsys)
    assert said.code == 1
    assert "updates were made of events up to" in said.text


def test_a_key_that_is_gone_without_an_erasure_is_found(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(stopped / "keys.db") as db:
        assert db.execute("DELETE FROM keys WHERE name = 'person-viewer-acme'").rowcount == 1
    db.close()
    said = Said(stopped, capsys)
    assert said.code == 1
    assert "no erasure is on record" in said.text


@pytest.mark.parametrize("name", ["events.db", "ledger.db", "disclosure.db"])
def test_files_that_are_no_logs_are_rejected_in_a_sentence(
    stopped: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (stopped / name).write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    done = subprocess.run(
        [sys.executable, "-m", "web.cli", "verify", "--data", stopped], capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert "cannot be" in done.stderr


def test_nothing_is_signed_for_an_event_that_cannot_be_read(killed: Path) -> None:
    with sqlite3.connect(killed / "events.db") as db:
        place = len(rows(killed)) - 3
        db.execute("UPDATE stored_events SET state = x'7b' WHERE rowid = ?", (place,))
    db.close()
    world = World(killed)
    signed = world.notary.newest("fanlight/test/events")
    world.notary.sign([SHARE])
    assert world.notary.newest("fanlight/test/events") == signed
    assert "cannot be read" in world.notary.refused["fanlight/test/events"]
    world.close()


def test_an_orderly_stop_signs_all_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path, every_route(), checkpoint_minutes=10) as house:
        move = {"type": "move-forecast", "project": HARBOUR, "milestone": "m1", "forecast": "2027-06-09", "reason": "x"}
        answer = house.client().post("/api/v1/commands", json=move, headers=house.bearer("manager"))
        assert answer.status_code == 201
    said = Said(tmp_path, capsys)
    assert said.code == 0
    assert "no checkpoint covers" not in said.text


# a copy that cannot be written


@pytest.fixture
def read_only(stopped: Path) -> Iterator[Path]:
    """The folder as on read-only media, without its signing key, which no copy holds."""
    (stopped / "signing.key").unlink()
    for path in stopped.iterdir():
        path.chmod(0o444)
    stopped.chmod(0o555)
    yield stopped
    stopped.chmod(0o755)


def _bound() -> None:
    """Take the right to write what is not writable from this process, also where it runs as root."""
    dac_override, read_search, drop = 1, 2, 24  # linux/capability.h, linux/prctl.h
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        for capability in (dac_override, read_search):
            assert libc.prctl(drop, capability, 0, 0, 0) == 0


def bounded(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command that may write only where it is allowed to."""
    command = [sys.executable, "-m", "web.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=_bound)


def test_a_read_only_copy_is_verified_listed_and_described(read_only: Path) -> None:
    before = sorted(path.name for path in read_only.iterdir())
    verified = bounded("verify", "--data", read_only)
    assert (verified.returncode, verified.stderr) == (0, "")
    assert verified.stdout.startswith("Everything in ")
    listed = bounded("user", "list", "--data", read_only)
    assert (listed.returncode, "v@acme.test" in listed.stdout) == (0, True), listed.stderr
    assert "v@council.test" not in listed.stdout  # erased, though the copy may hold the key
    described = bounded("status", "--data", read_only)
    assert described.returncode == 0, described.stderr
    assert sorted(path.name for path in read_only.iterdir()) == before


def test_what_would_write_says_in_one_line_that_it_cannot(read_only: Path) -> None:
    done = bounded("user", "organisation", "Other", "--data", read_only)
    assert done.returncode == 2
    assert done.stderr.startswith("fanlight: ")
    assert "cannot be written" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_read_only_copy_that_was_not_merged_is_not_read_in_part(read_only: Path) -> None:
    read_only.chmod(0o755)
    (read_only / "events.db-wal").write_bytes(b"something that is not in the file yet")
    read_only.chmod(0o555)
    done = bounded("verify", "--data", read_only)
    assert done.returncode == 2
    assert "was not merged" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_verifying_makes_no_key_and_trusts_the_one_that_is_given(
    stopped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (stopped / "signing.key").unlink()
    assert Said(stopped, capsys, key=notes.verification_key(KEY.name, KEY.public)).code == 0
    assert not (stopped / "signing.key").exists()
    other = notes.signer(KEY.name, bytes(32))
    with pytest.raises(notes.BadNote):
        Said(stopped, capsys, key=notes.verification_key(other.name, other.public))
    stranger = notes.signer("somebody/else", bytes(32))
    with pytest.raises(notes.BadNote, match="Nothing here was signed by"):
        Said(stopped, capsys, key=notes.verification_key(stranger.name, stranger.public))


def test_what_was_signed_before_a_key_was_lost_is_still_checked(
    stopped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (stopped / "signing.key").unlink()
    world = World(stopped)
    signing.begun_anew(world.folder, stopped / "signing.key", world.clock())
    assert isinstance(Trust(world.folder, KEY.name, KEY.public).newest("fanlight/test/events"), object)
    world.close()
    assert Said(stopped, capsys).code == 0
    kept = (stopped / "events.db").read_bytes()
    alter(stopped, 0, 1)
    assert Said(stopped, capsys).code == 1
    (stopped / "events.db").write_bytes(kept)
    shutil.copy(stopped / "signing.key", stopped / "other.key")
    assert Said(stopped, capsys).code == 0
