"""Killed at any point, started again: nothing acknowledged is lost, nothing is doubled or numbered anew."""

import hashlib
import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.installation.database import Database
from tests import postgres
from tests.postgres import Cluster
from tests.programs import Program
from tests.world import HARBOUR, SHARE, World

pytestmark = pytest.mark.folder  # it has databases and folders of its own

POINTS = (
    "before-event-commit",
    "after-event-commit",
    "before-disclosure-commit",
    "after-disclosure-commit",
    "before-send",
)
COUNT = 12


def run(folder: Path, point: str, k: int, first: int, count: int) -> tuple[int, list[dict]]:
    """Run the victim; return its exit code and what it said before it died."""
    told = folder.with_name(f"{folder.name}-said-{time.monotonic_ns()}")
    code = Program([folder, point, k, first, count], os.environ, told, "tests.services.victim").wait(60)
    assert code in (0, -9), told.read_text()
    return code, [json.loads(line) for line in told.read_text().splitlines()]


def check(folder: Path, said: list[dict]) -> None:
    """Compare what was promised with what is there after a restart."""
    world = World(folder)
    world.follow()
    entries = {e.n: e for e in world.entries()}
    assert sorted(entries) == list(range(1, len(entries) + 1))
    stream = world.folder.events.stream(f"project-{HARBOUR}")
    versions = [recorded.version for recorded in stream]
    assert versions == list(range(1, len(versions) + 1))
    reasons = [r.event.reason for r in stream if hasattr(r.event, "forecast") and hasattr(r.event, "reason")]
    assert len(reasons) == len(set(reasons))
    for line in said:
        if "acknowledged" in line:
            assert f"move {line['acknowledged']}" in reasons
        if "sent" in line:
            assert hashlib.sha256(entries[line["sent"]].message).hexdigest() == line["hash"]
    assert world.folder.disclosure.position() == world.folder.events.head()
    assert world.follower.parked == {}
    world.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with postgres.running() as made:
        postgres.prepared(made.url())
        yield made


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_on_postgres_too(
    tmp_path: Path, point: str, server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.create(server.url(), f"killed_{POINTS.index(point)}", postgres.TEMPLATE)
    monkeypatch.setenv("VICTIM_DATABASE", url)
    monkeypatch.setattr("tests.world.Folder", lambda _path: Database(url))
    code, said = run(tmp_path, point, random.Random(point).randrange(3, 8), 0, COUNT)
    assert code == -9
    check(tmp_path, said)


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_and_started_again_nothing_promised_is_broken(tmp_path: Path, point: str) -> None:
    code, said = run(tmp_path, point, random.Random(point).randrange(3, 8), 0, COUNT)
    assert code == -9, "the victim has to die for this test to mean anything"
    check(tmp_path, said)
    code, again = run(tmp_path, "never", 1, 0, COUNT)  # the sender repeats everything it is not sure of, same keys
    assert code == 0
    check(tmp_path, said + again)
    world = World(tmp_path)
    moved = [
        r for r in world.folder.events.stream(f"project-{HARBOUR}") if getattr(r.event, "reason", "").startswith("move")
    ]
    assert len(moved) == COUNT
    assert world.folder.disclosure.head(SHARE) == COUNT + 1
    world.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(50))
def test_killed_again_and_again_at_random_points(tmp_path: Path, seed: int) -> None:
    rng, said, first = random.Random(seed), [], 0
    for _ in range(6):
        _, new = run(tmp_path, rng.choice(POINTS), rng.randrange(1, 9), first, 6)
        said += new
        check(tmp_path, said)
        first += 6
