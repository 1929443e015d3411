"""A command and its update where an organisation has 3,000 shares, against where it has 30."""

import gc
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from bench.bulk import Bulk
from bench.gate import Row, median, spread
from domain.ids import CommandId, MilestoneId, ProjectId, ShareId
from domain.plan.schedule import MoveForecast
from projections.events.present import CurrentWorld
from projections.follow.follower import Follower, FollowerPorts
from projections.installation.folder import Folder
from tests.plain import Plain
from tests.world import MANAGER, salt
from web.clock import Virtual
from web.render.page import Renderer
from web.write.service import Service

FEW, MANY = 30, 3000
ROUNDS, EACH = 7, 20


class Organisation:
    """An installation with so many shares, all of them opened, in one process: doors and follower."""

    def __init__(self, folder: Path, shares: int) -> None:
        logs = Folder(folder)
        bulk = Bulk(logs.events)
        bulk.organisation(shares)
        clock = Virtual(bulk.world.projects[ProjectId("p0")].changed_at + timedelta(days=30))
        ports = FollowerPorts(clock=clock, salt=salt)
        opening = Follower(logs.events, logs.disclosure, Plain(), ports)
        while opening.step():
            pass
        self.clock, self._logs, self._told = clock, logs, 0
        present = CurrentWorld(logs.events, follow=logs.disclosure.position())
        self._service = Service(logs.events, present, clock)
        ports = FollowerPorts(clock=clock, salt=salt, feed=present.feed)
        self._follower = Follower(logs.events, logs.disclosure, Renderer(), ports)

    def move(self) -> float:
        """Move a milestone, and return how many seconds it took until its update was recorded."""
        self._told += 1
        self.clock.forward(minutes=1)
        day = date(2027, 10, 1) + timedelta(days=self._told % 50)
        moved = {"project": ProjectId("p7"), "milestone": MilestoneId("m3"), "forecast": day}
        command = MoveForecast(**moved, reason=f"Frost {self._told}")  # type: ignore[arg-type]
        head = self._logs.disclosure.head(ShareId("s7"))
        begun = time.perf_counter()
        self._service.execute(MANAGER, command, command_id=CommandId(f"c{self._told}"))
        while self._follower.step():
            pass
        took = time.perf_counter() - begun
        assert self._logs.disclosure.head(ShareId("s7")) == head + 1
        return took

    def close(self) -> None:
        """Close the logs."""
        self._logs.close()


def run() -> list[Row]:
    """Return the time of a command and its update in a large organisation as a multiple of that in a small one."""
    with tempfile.TemporaryDirectory() as folder:
        few, many = (Organisation(Path(folder) / str(shares), shares) for shares in (FEW, MANY))
        gc.collect()
        for organisation in (few, many):
            for _ in range(EACH):
                organisation.move()
        ratios = []
        for _ in range(ROUNDS):
            pairs = [(few.move(), many.move()) for _ in range(EACH)]
            ratios.append(median(pair[1] for pair in pairs) / median(pair[0] for pair in pairs))
        few.close()
        many.close()
    what = f"a command and its update at {MANY:,} shares"
    return [Row(what, median(ratios), f"of that at {FEW}", 1.1, spread(ratios))]
