"""`python -m bench.scale.simulation [--record] [--projects N]`: the model's busiest hour, replayed on the product.

An hour of virtual time on a Monday morning: changes by hand and pulls at random moments, scripts that send many plans
in a row. Each command is decided and recorded by the real write side and taken in by the real follower, on real logs;
the virtual clock moves by what it cost. What came out stands beside what the model says of it.

Rule: the model is given the costs that were measured at the beginning of the same run, one by one, and nothing of the
hour. A cost is the CPU of the process and one durable commit; logs lie in memory where there is some, so that other
work of the machine does not enter. The same hour is replayed as on slower machines, until the follower is nearly busy.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from bench.scale.model import HOUR, Habits, Size, Waiting, Work, rates, waiting
from bench.scale.organisation import START as DAY
from bench.scale.organisation import Organisation, on_sqlite
from bench.scale.recorded import SIMULATED, Compared, Pace, Simulated, keep, read_units
from domain.commands import AnyCommand
from domain.ids import MilestoneId, ProjectId
from domain.plan.schedule import AddMilestone, DescribeMilestone, MilestoneDetails

PROJECTS = 400
SAMPLES = 60  # of each kind, from which the model gets its costs
BUSY = (0.3, 0.6, 0.85)  # of the follower, beside what it is at its own pace
AT_ONCE = 500  # rows that the follower takes in at a time, as the product has it
HIDDEN = MilestoneId("inside")

Kind = Literal["hand", "plan", "unseen"]


class Arrival(msgspec.Struct, frozen=True, order=True):
    """A command that is sent at a virtual second of the hour."""

    at: float
    project: int
    kind: Kind


def arrivals(size: Size, habits: Habits, rng: random.Random) -> list[Arrival]:
    """Return the hour: as many of each kind as the model expects, each at a random moment, rows of plans at one."""
    now, found = rates(size, habits), list[Arrival]()

    def moments(often: float) -> list[float]:
        return [rng.random() * HOUR for _ in range(round(often * HOUR))]

    def single(kind: Kind, often: float) -> None:
        for part, told in ((habits.seen, kind), (1 - habits.seen, "unseen")):
            found.extend(Arrival(at, rng.randrange(size.projects), told) for at in moments(often * part))

    single("hand", now.hand)
    single("plan", now.plans * (1 - habits.scripted))
    for at in moments(now.plans * habits.scripted / habits.row):
        begun = rng.randrange(size.projects)
        found.extend(Arrival(at, (begun + i) % size.projects, "plan") for i in range(habits.row))
    return sorted(found)


class Hour:
    """The product under the virtual clock, and what it costs."""

    def __init__(self, folder: Path, size: Size, habits: Habits) -> None:
        self._servers = on_sqlite(folder)
        self.organisation = Organisation(self._servers.__enter__(), size.projects, shared_fold=False)
        self._habits, self._hidden = habits, set[int]()
        self.commit = read_units().baselines["commit"]
        self.begun = self.organisation.clock.at
        for project in range(size.projects):
            self.command(Arrival(0.0, project, "unseen"))
        self.organisation.follow()

    def close(self) -> None:
        self.organisation.close()
        self._servers.__exit__(None, None, None)

    def command(self, arrival: Arrival) -> float:
        """Carry a command out, and return its seconds."""
        command = self._made(arrival)
        begun = time.process_time()
        self.organisation.execute(command)
        return time.process_time() - begun + self.commit

    def follow(self, rows: int) -> float:
        """Have the follower take in so many rows, and return its seconds."""
        begun = time.process_time()
        taken = self.organisation.follower.step(rows)
        spent = time.process_time() - begun
        assert taken == rows, (taken, rows)
        return spent + self.commit

    def _made(self, arrival: Arrival) -> AnyCommand:
        if arrival.kind == "plan":
            return self.organisation.changed(arrival.project, self._habits.together)
        if arrival.kind == "hand":
            return self.organisation.changed(arrival.project)
        project = ProjectId(f"p{arrival.project}")
        details = MilestoneDetails(title=f"Inside {self.organisation.told}")
        if arrival.project in self._hidden:
            return DescribeMilestone(project=project, milestone=HIDDEN, details=details)
        self._hidden.add(arrival.project)
        return AddMilestone(project=project, milestone=HIDDEN, details=details, forecast=DAY)

    @property
    def recorded(self) -> int:
        """How many rows the event log has."""
        return self.organisation.logs.events.head()

    @property
    def followed(self) -> int:
        """How many of them the follower has taken in."""
        return self.organisation.follower._read

    def updates(self) -> int:
        """Return how many updates there are, of all shares."""
        return sum(self.organisation.logs.disclosure.head(f"s{i}") for i in range(self.organisation.shares))

    def set(self, second: float) -> None:
        """Move the clock to a virtual second, never back."""
        clock = self.organisation.clock
        clock.at = max(clock.at, self.begun + timedelta(seconds=second))


Sampled = dict[Kind, tuple[list[float], list[float]]]


def sampled(hour: Hour) -> Sampled:
    """Return what commands of each kind and taking them in cost, one by one, in seconds."""
    found: Sampled = {}
    kinds: tuple[Kind, ...] = ("hand", "plan", "unseen")
    for kind in kinds:
        commands, follows = [], []
        for i in range(-10, SAMPLES):
            hour.organisation.clock.forward(seconds=1)
            command = hour.command(Arrival(0.0, i % hour.organisation.shares, kind))
            follow = hour.follow(hour.recorded - hour.followed)
            if i >= 0:
                commands.append(command)
                follows.append(follow)
        found[kind] = commands, follows
    return found


def predicted(size: Size, habits: Habits, costs: Sampled, slower: float) -> tuple[Waiting, Waiting]:
    """Return what the model says of the write side and of the follower."""
    now = rates(size, habits)
    single = now.plans * (1 - habits.scripted)
    often: dict[Kind, float] = {
        "hand": now.hand * habits.seen,
        "plan": single * habits.seen,
        "unseen": (now.hand + single) * (1 - habits.seen),
    }

    def work(kind: Kind, side: int, rate: float, row: int = 1, apart: float = 0.0) -> Work:
        values = [value * slower for value in costs[kind][side]]
        mean, square = statistics.mean(values), statistics.mean(value**2 for value in values)
        return Work(rate, mean, square, row, apart)

    rows = now.plans * habits.scripted / habits.row
    apart = statistics.mean(costs["plan"][0]) * slower
    writes = [work(kind, 0, rate) for kind, rate in often.items()] + [work("plan", 0, rows, habits.row)]
    follows = [work(kind, 1, rate) for kind, rate in often.items()] + [work("plan", 1, rows, habits.row, apart)]
    return waiting(writes), waiting(follows, steps=True)


class Outcome(msgspec.Struct):
    """What came out of an hour, virtual seconds."""

    write_busy: float = 0.0
    follow_busy: float = 0.0
    ended: float = HOUR
    steps: int = 0
    through_writing: list[float] = []
    through_following: list[float] = []


def replayed(hour: Hour, told: list[Arrival], slower: float) -> Outcome:
    """Replay the hour on a machine so many times slower, and return what came out."""
    hour.begun = hour.organisation.clock.at
    outcome, waits = Outcome(), list[tuple[float, int]]()  # of what is recorded and not taken in: when, up to which row
    writer = follower = 0.0
    coming = iter(told)
    following = next(coming, None)
    while following is not None or waits:
        begins = max(follower, waits[0][0]) if waits else None
        while following is not None and (begins is None or max(following.at, writer) < begins):
            start = max(following.at, writer)
            hour.set(start)
            spent = hour.command(following) * slower
            writer = start + spent
            outcome.write_busy += spent
            outcome.through_writing.append(writer - following.at)
            waits.append((writer, hour.recorded))
            begins = max(follower, waits[0][0])
            following = next(coming, None)
        assert begins is not None
        here = hour.followed
        taken = [one for one in waits if one[0] <= begins and one[1] <= here + AT_ONCE]
        hour.set(begins)
        spent = hour.follow(taken[-1][1] - here) * slower
        follower = begins + spent
        outcome.follow_busy += spent
        outcome.steps += 1
        outcome.through_following += [follower - at for at, _row in taken]
        del waits[: len(taken)]
    outcome.ended = max(HOUR, follower)
    return outcome


def compared(model: tuple[Waiting, Waiting], outcome: Outcome) -> list[Compared]:
    """Return both beside each other."""
    writes, follows = model
    return [
        Compared("the write side is busy", "%", 100 * writes.used, 100 * outcome.write_busy / outcome.ended),
        Compared(
            "from sent to recorded, mean", "ms", 1000 * writes.through, 1000 * statistics.mean(outcome.through_writing)
        ),
        Compared("the follower is busy", "%", 100 * follows.used, 100 * outcome.follow_busy / outcome.ended),
        Compared(
            "from recorded to its update recorded, mean",
            "ms",
            1000 * follows.through,
            1000 * statistics.mean(outcome.through_following),
        ),
    ]


def simulate(projects: int, seed: int) -> Simulated:
    """Replay the hour at several paces."""
    habits, size = Habits(), Size(projects, 10 * projects, 100 * projects)
    told = arrivals(size, habits, random.Random(seed))
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    paces: list[Pace] = []
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        hour = Hour(Path(folder), size, habits)
        costs = sampled(hour)
        natural = predicted(size, habits, costs, 1.0)[1].used
        rows, updates = hour.recorded, hour.updates()
        for slower in (1.0, *(busy / natural for busy in BUSY if busy > natural)):
            outcome = replayed(hour, told, slower)
            print(f"  {slower:.0f} times slower: {outcome.steps} steps of the follower", file=sys.stderr)
            paces.append(Pace(slower, compared(predicted(size, habits, costs, slower), outcome)))
        made, due = hour.updates() - updates, len(paces) * sum(one.kind != "unseen" for one in told)
        assert made == due, f"{made} updates, of {due} commands that a client is shown"
        rows = (hour.recorded - rows) // len(paces)
        hour.close()
    today = datetime.now(UTC).date()
    return Simulated(today, projects, size.events, len(told), rows, made // len(paces), paces)


def text(simulated: Simulated) -> str:
    """Return the comparison as text."""
    of = f"{simulated.projects:,} projects, {simulated.events_a_day:,} events a day"
    lines = [
        f"{of}: in the hour {simulated.commands:,} commands, {simulated.events:,} rows, {simulated.updates:,} updates"
    ]
    for pace in simulated.paces:
        lines.append(f"as on a machine {pace.slower:.1f} times slower" if pace.slower != 1 else "at its own pace")
        lines += [
            f"  {row.what:45} model {row.model:10.2f} {row.unit:2}  came out {row.came_out:10.2f}  off {row.off:+.0%}"
            for row in pace.rows
        ]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale.simulation", description=__doc__)
    parser.add_argument("--record", action="store_true", help="keep it for docs/scale.md")
    parser.add_argument("--projects", type=int, default=PROJECTS, help=f"of the organisation; {PROJECTS}")
    parser.add_argument("--seed", type=int, default=1, help="of the arrivals")
    given = parser.parse_args(arguments)
    simulated = simulate(given.projects, given.seed)
    if given.record:
        keep(SIMULATED, simulated)
    print(text(simulated))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
