"""The folder when the power fails and when the disk is full: what was acknowledged is there, and nothing is half there."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.ids import PersonId
from domain.people.person import InvitePerson
from projections.events.present import CurrentWorld
from projections.evidence.inspection import inspect
from projections.installation.folder import Folder
from tests.fleet import eventually
from tests.journeys.product import seeded
from tests.ports import free_port
from tests.world import ADMIN, HARBOUR, SHARE, World
from web import clock
from web.identity.credentials import Credentials
from web.ids import new_id
from web.write.permission import OPERATOR
from web.write.service import Service

# New seeds in every run; processes that share the tests draw the same ones.
DRAWN = random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID") or random.SystemRandom().random())

pytestmark = pytest.mark.folder  # it has databases and folders of its own

LOGS = ("events.db", "disclosure.db", "receipts.db", "ledger.db", "keys.db")


class Cut:
    """A copy of the files at one instant, with what was not known to be on the disk yet cut short."""

    def __init__(self, source: Path, to: Path, synced: dict[str, tuple[bytes, int]], drawn: random.Random) -> None:
        shutil.copytree(source, to, ignore=shutil.ignore_patterns("*-shm"))
        for wal in to.glob("*.db-wal"):
            size, (salt, known) = wal.stat().st_size, synced.get(wal.name, (b"", 0))
            with wal.open("r+b") as file:
                if file.read(32)[16:24] == salt and known <= size:
                    file.truncate(drawn.randint(known, size))


def _lengths(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return of every write-ahead log which one it is (its salt) and how long: all of that has been synced."""
    return {wal.name: (wal.read_bytes()[16:24], wal.stat().st_size) for wal in folder.glob("*.db-wal")}


@pytest.mark.parametrize("seed", [DRAWN.randrange(10**6) for _ in range(2)])
def test_the_files_at_any_instant_of_a_power_cut_open_as_a_prefix(tmp_path: Path, seed: int) -> None:
    drawn, cuts = random.Random(seed), list[tuple[int, Path]]()
    source, acknowledged = tmp_path / "data", 0
    synced: dict[str, tuple[bytes, int]] = {}

    def maybe(_point: str) -> None:
        if drawn.random() < 0.12 and len(cuts) < 25:
            to = tmp_path / f"cut{len(cuts)}"
            Cut(source, to, synced, drawn)
            cuts.append((acknowledged, to))

    world = World(source)
    world.harbour()
    world.point = maybe
    world.restart()
    for i in range(60):
        world.move("m1", date(2027, 6, 1) + timedelta(days=i), reason=f"move {i}")
        acknowledged = i + 1
        world.claim("displayed", world.folder.disclosure.head(SHARE))
        world.receipts.flush()
        if i % 10 == 9:
            world.notary.sign([SHARE])
        synced = _lengths(source)
    whole = {e.n: (e.leaf, e.root) for e in world.entries()}
    world.close()
    assert len(cuts) > 5
    for promised, folder in cuts:
        again = World(folder)
        reasons = [
            r.event.reason for r in again.folder.events.stream(f"project-{HARBOUR}") if hasattr(r.event, "reason")
        ]
        moves = [reason for reason in reasons if reason.startswith("move ")]
        assert moves == [f"move {i}" for i in range(len(moves))]
        assert len(moves) >= promised, f"seed {seed}: acknowledged and gone"
        for entry in again.entries():
            assert (entry.leaf, entry.root) == whole[entry.n], f"seed {seed}: number {entry.n} is another"
        again.follow()
        assert [e.n for e in again.entries()] == list(range(1, len(again.entries()) + 1))
        assert list(inspect(again.folder, again.notary, [SHARE])) == []
        again.close()


def test_a_full_disk_refuses_what_it_cannot_keep_and_nothing_is_half_there(tmp_path: Path) -> None:
    folder = seeded(tmp_path / "data")
    logs = Folder(folder)
    service = Service(logs.events, CurrentWorld(logs.events), clock.now)
    invited = InvitePerson(person=PersonId("mona"), name="Mona", email="mona@x.test", role="manager")
    service.execute(OPERATOR, invited, command_id=new_id(24))  # type: ignore[arg-type]
    people = Credentials(service, CurrentWorld(logs.events), clock.now, link_hours=1, session_hours=1)
    token = people.token(OPERATOR, PersonId("mona"), "disk")
    logs.close()
    largest = max(file.stat().st_size for file in folder.iterdir())
    port, refused, acknowledged = free_port(), 0, list[str]()

    serving = subprocess.Popen(
        [sys.executable, "-m", "web.cli", "serve", "--data", str(folder), "--port", str(port), "--log-level", "error"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        eventually(lambda: _get(port, "/readyz") == 200, what="ready")
        resource.prlimit(serving.pid, resource.RLIMIT_FSIZE, (largest + 150_000, resource.RLIM_INFINITY))
        for i in range(400):
            status = _move(port, token, i)
            if status == 201:
                acknowledged.append(f"full {i}")
            refused += status == 503
            assert status in (201, 503), status
            if refused > 5:
                break
        assert refused > 5, "the disk never filled"
        eventually(lambda: _get(port, "/healthz") == 503, what="health is red")
    finally:
        serving.send_signal(signal.SIGTERM)
        serving.wait(60)
    world = World(folder, start=clock.now())
    world.follow()
    stream = world.folder.events.stream(f"project-{HARBOUR}")
    reasons = [r.event.reason for r in stream if hasattr(r.event, "reason")]
    assert [reason for reason in acknowledged if reasons.count(reason) != 1] == []
    assert list(inspect(world.folder, world.notary, [SHARE])) == []
    world.tell(InvitePerson(person=PersonId("late"), name="L", email="late@x.test", role="auditor"), ADMIN, "late")
    world.close()


def _get(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _move(port: int, token: str, i: int) -> int:
    day = (date(2027, 6, 1) + timedelta(days=i)).isoformat()
    command = {"type": "move-forecast", "project": HARBOUR, "milestone": "m1", "forecast": day, "reason": f"full {i}"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/commands", json.dumps(command).encode(),
        {"authorization": f"Bearer {token}", "idempotency-key": f"full-{i}-{time.monotonic_ns()}"},
    )  # fmt: skip
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
