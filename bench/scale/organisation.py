"""An organisation of any size on real logs, with its write side and the real follower, under a virtual clock.

Rule: what is measured is the product's: its service decides and records, its follower reveals, renders and records.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psutil
import redis as client

from bench.bulk import MILESTONES, Bulk
from domain.commands import AnyCommand
from domain.ids import CommandId, MilestoneId, ProjectId
from domain.plan.project import ChangeTogether
from domain.plan.schedule import MoveForecast
from projections.events.present import CurrentWorld
from projections.follow.follower import Follower, FollowerPorts
from projections.installation.database import Database, migrate
from projections.installation.folder import Folder, Logs
from tests import postgres
from tests.redis import Redis
from tests.world import MANAGER, salt
from web.clock import Virtual
from web.render.page import Renderer
from web.write.service import Service

START = date(2027, 10, 1)


class Servers(msgspec.Struct, frozen=True):
    """What stands beside our processes: how to open the logs, and the processes of database and hints."""

    open: Callable[[], Logs]
    place: str  # the folder, or the address of the database as its owner
    tell: Callable[[], Any] = lambda: None
    processes: Callable[[], list[psutil.Process]] = list

    def cpu(self) -> float:
        """Return the CPU seconds that database and hints have used so far."""
        return sum(cpu_of(process.pid) for process in self.processes())


def cpu_of(pid: int) -> float:
    """Return the CPU seconds that a process has used so far, as exactly as the machine knows."""
    if sys.platform == "linux":
        return time.clock_gettime((~pid << 3) | 2)  # the CPU clock of a process, as clock_getcpuclockid(3) makes it
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


@contextmanager
def on_sqlite(folder: Path) -> Iterator[Servers]:
    """Yield a folder, with nothing beside it."""
    yield Servers(lambda: Folder(folder), str(folder))


@contextmanager
def on_postgres() -> Iterator[Servers]:
    """Yield a Postgres and a Redis of our own."""
    cluster, redis = postgres.Cluster().start(), Redis().start()
    try:
        cluster.execute("CREATE ROLE app LOGIN")
        migrate(postgres.create(cluster.url(), "fanlight"), "app")
        hints = client.Redis.from_url(redis.url)
        first = next(one for one in psutil.process_iter() if _listens(one, cluster.port))
        assert redis._process is not None
        hinting = psutil.Process(redis._process.pid)
        yield Servers(
            lambda: Database(cluster.url("fanlight", "app")),
            cluster.url("fanlight"),
            lambda: hints.publish("scale", b"{}"),
            lambda: [first, *first.children(), hinting],
        )
    finally:
        redis.kill()
        cluster.remove()


def _listens(process: psutil.Process, port: int) -> bool:
    try:
        return f"port={port}" in process.cmdline()
    except psutil.Error:
        return False


class Organisation:
    """So many projects of twenty milestones, each shared; commands go in, the follower's steps are the caller's."""

    def __init__(self, servers: Servers, shares: int, *, shared_fold: bool) -> None:
        """`shared_fold`: doors and follower are one process, which folds once; else the follower folds by itself."""
        self.logs, self.shares = servers.open(), shares
        bulk = Bulk(self.logs.events)
        bulk.organisation(shares)
        self.clock = Virtual(bulk.world.projects[ProjectId("p0")].changed_at + timedelta(days=30))
        self.renderer = Renderer()
        self.present = CurrentWorld(self.logs.events, follow=0 if shared_fold else None)
        self.service = Service(self.logs.events, self.present, self.clock, on_recorded=servers.tell)
        ports = FollowerPorts(
            clock=self.clock,
            salt=salt,
            on_entries=lambda _share, _entries: servers.tell(),
            feed=self.present.feed if shared_fold else None,
        )
        self.follower = Follower(self.logs.events, self.logs.disclosure, self.renderer, ports)
        self.told = 0
        self._moved: Counter[int] = Counter()  # milestones of a project
        self.follow()
        for project in range(shares):  # the first time each takes a new place
            self.execute(self.changed(project, MILESTONES))
        self.follow()

    def follow(self) -> None:
        """Take in everything that was recorded."""
        while self.follower.step():
            pass

    def execute(self, command: AnyCommand) -> None:
        """Have a command carried out and recorded."""
        self.told += 1
        self.service.execute(MANAGER, command, command_id=CommandId(f"scale{self.told}"))

    def changed(self, project: int, changes: int = 1) -> AnyCommand:
        """Return a command that moves so many milestones of a project by some days, one after another in turn.

        They keep their order, as most moves of a plan do.
        """
        key, moves = ProjectId(f"p{project}"), list[MoveForecast]()
        for _ in range(changes):
            turn = self._moved[project]
            self._moved[project] += 1
            at, times = turn % MILESTONES, turn // MILESTONES
            day = START + timedelta(days=10 * at + times % 9)
            moved = {"project": key, "milestone": MilestoneId(f"m{at}"), "forecast": day}
            moves.append(MoveForecast(**moved, reason=f"Frost {self.told}"))  # type: ignore[arg-type]
        return moves[0] if changes == 1 else ChangeTogether(project=key, commands=tuple(moves))

    def close(self) -> None:
        """Close the logs."""
        self.logs.close()
