"""Twenty minutes of everything dying at random: 300 dashboards, 20 shares; SOAK_MINUTES and SEED change it."""

import os
import random
import time
from pathlib import Path

import psutil
import pytest

from projections.evidence.inspection import inspect
from projections.installation.database import Database
from tests.fleet import Crowd, Fleet, Process, errors, eventually, fleet
from web import clock
from web.process.signing import notary
from web.settings import Settings

pytestmark = pytest.mark.alone

MINUTES = float(os.environ.get("SOAK_MINUTES", "20"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


@pytest.mark.slow
def test_twenty_minutes_of_random_kills(tmp_path: Path) -> None:
    print(f"SEED={SEED} SOAK_MINUTES={MINUTES}")
    drawn = random.Random(SEED)
    with fleet(tmp_path, workers=3, followers=2, shares=20, seed=SEED) as installation:
        survivor = installation.workers[2]  # never killed, so that its memory can be watched
        grown: list[int] = []
        killed: dict[str, int] = {}
        with Crowd(installation, 300) as crowd:
            end = time.monotonic() + 60 * MINUTES
            acknowledged: list[str] = []
            while time.monotonic() < end:
                with installation.changing(0.6) as told:
                    _one_fault(installation, drawn, survivor, killed)
                    time.sleep(drawn.uniform(2, 6))
                acknowledged += told
                for process in installation.processes:
                    if not process.alive:
                        process.start()
                eventually(installation.leader, 30, "a leader")
                assert survivor.popen is not None
                grown.append(psutil.Process(survivor.popen.pid).memory_info().rss)
            record = installation.log()
            record.check(acknowledged)
            crowd.check(record)
        print(
            f"killed {killed}; {len(acknowledged)} changes acknowledged; memory {grown[0] >> 20} to {grown[-1] >> 20} MiB"
        )
        database = Database(installation.app)
        signing = notary(database, Settings(data=installation.path / "shared"), clock.now)
        assert list(inspect(database, signing, installation.shares)) == []
        assert all(signing.newest(signing.origin(share)) is not None for share in installation.shares)
        database.close()
        assert _slope(grown) < 0.15, grown
        print(f"{len(errors(installation))} lines of errors")


def _one_fault(installation: Fleet, drawn: random.Random, survivor: Process, killed: dict[str, int]) -> None:
    assert installation.redis is not None
    what = drawn.choice(["worker", "leader", "follower", "redis", "postgres", "nothing"])
    killed[what] = killed.get(what, 0) + 1
    match what:
        case "worker":
            drawn.choice([w for w in installation.workers if w is not survivor]).kill()
        case "leader":
            leader = installation.leader()
            if leader is not None:
                leader.kill()
        case "follower":
            drawn.choice(installation.followers).kill()
        case "redis":
            installation.redis.kill()
            time.sleep(drawn.uniform(0, 3))
            installation.redis.start()
        case "postgres":
            installation.cluster.stop("immediate")
            time.sleep(drawn.uniform(0, 4))
            installation.cluster.start()
        case _:
            pass


def _slope(grown: list[int]) -> float:
    """Return how much the last third needs more than the second, as a part of the second; 0 for a short run."""
    third = len(grown) // 3
    if third < 3:
        return 0.0
    middle, last = (sorted(part)[len(part) // 2] for part in (grown[third : 2 * third], grown[2 * third :]))
    return last / middle - 1
