"""What an installation of any size would use, from what one of each thing costs and from how people work.

Rule: everything is computed from `Units` and `Habits`; nothing is looked up in what was measured at a size. A use of 1
is all there is of a thing. Times are those of the busiest hour, a Monday morning.
"""

import math
from collections.abc import Callable

import msgspec

from bench.scale.recorded import Units

GIB, MIB = 1 << 30, 1 << 20
HOUR = 3600.0
FULL = 0.7  # of a thing, from which on waits grow faster than work: what a deployment goes to


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """How people work; each field stands in docs/scale.md with what it means, to be replaced by one's own."""

    by_hand: float = 0.4  # of the rows of the log are of changes by hand; the others come by imports and pulls
    together: int = 20  # changes in one command of an import or a pull
    scripted: float = 0.3  # of imports and pulls come in a row from a script that sends many plans
    row: int = 20  # plans in such a row
    seen: float = 0.8  # of the commands change something that the client is shown
    monday: float = 1.6  # Mondays have so many times the changes of an average day
    hand_hour: float = 0.14  # of a day's changes by hand are in its busiest hour
    plan_hour: float = 0.25  # of a day's imports and pulls are in its busiest hour
    open: float = 0.5  # of the viewers have a page open in the busiest hour
    come: float = 0.5  # pages a viewer opens in the busiest hour
    receipts: float = 1.0  # receipts that come back for each delivery
    days: int = 250  # working days in a year


class Size(msgspec.Struct, frozen=True):
    """An installation. Each project is shared with one client."""

    projects: int
    viewers: int
    events: int  # rows of the event log on an average working day

    def times(self, factor: float) -> "Size":
        """Return the same mix, so many times as large."""
        return Size(*(math.ceil(value * factor) for value in (self.projects, self.viewers, self.events)))


SIZES = tuple(Size(10 * f, 100 * f, 1000 * f) for f in (1, 10, 100, 1000))


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """What happens in a second of the busiest hour."""

    hand: float  # commands by hand
    plans: float  # commands of imports and pulls
    updates_hand: float
    updates_plans: float
    open: float  # pages that are open, all of the hour
    deliveries: float
    come: float  # pages that are opened

    @property
    def commands(self) -> float:
        return self.hand + self.plans

    @property
    def updates(self) -> float:
        return self.updates_hand + self.updates_plans


def rates(size: Size, habits: Habits) -> Rates:
    """Return what happens in the busiest hour, a second."""
    hand = size.events * habits.by_hand / 2 * habits.monday * habits.hand_hour / HOUR  # a change and that it was made
    rows = habits.together + 1
    plans = size.events * (1 - habits.by_hand) / rows * habits.monday * habits.plan_hour / HOUR
    opened = size.viewers * habits.open
    return Rates(
        hand=hand,
        plans=plans,
        updates_hand=hand * habits.seen,
        updates_plans=plans * habits.seen,
        open=opened,
        deliveries=(hand + plans) * habits.seen * opened / size.projects,
        come=size.viewers * habits.come / HOUR,
    )


class Use(msgspec.Struct, frozen=True):
    """How much of one thing is used. `what`: a key of `THEN`."""

    what: str
    used: float


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment stands on."""

    name: str
    workers: int  # 0: one process does everything, on SQLite
    cores: int
    memory: float  # bytes that one process may take
    database_cores: int = 0  # 0: the database is on the same machine
    connections: int = 100  # that Postgres takes


PER_WORKER = 10_000  # open pages of a worker of a fleet
MOST_CONNECTIONS = 19  # of one process, under load
STANDING_BY = 1  # followers that only listen


def one_process(_size: Size) -> Site:
    """Return one process on SQLite, with memory of its own."""
    return Site(name="one process", workers=0, cores=1, memory=4 * GIB)


def compose(_size: Size) -> Site:
    """Return one host of docker-compose.yml as it is: three workers, two followers, memory of 1 GiB each."""
    return Site(name="one host of Compose", workers=3, cores=4, memory=1 * GIB)


def fleet(size: Size) -> Site:
    """Return as many workers as the pages need, a core each, with a database on a machine of its own."""
    workers = max(3, math.ceil(size.viewers * Habits().open / PER_WORKER))
    cores = workers + 1 + STANDING_BY
    return Site(name="a fleet", workers=workers, cores=cores, memory=8 * GIB, database_cores=8, connections=500)


DEPLOYMENTS: tuple[Callable[[Size], Site], ...] = (one_process, compose, fleet)

THEN = {
    "the process": "Move to Compose: several workers share doors and pages, and the follower gets a core of its own.",
    "durable commits of the disk": "A disk that acknowledges sooner (one with a protected cache); then Postgres, where"
    " processes wait for the same disk but not for one another's work.",
    "the follower": "There is one, and more processes do not help. A faster core; fewer and larger imports (one update"
    " of 20 changes costs far less than 20); then an installation for each part of the organisation.",
    "a worker": "More workers, as long as most of its work is pages and doors; each takes in every event and every"
    " update, which more of them do not share.",
    "the cores of the host": "A host with more cores, or the database on a machine of its own.",
    "one writer at a time": "Commands are recorded one after another. A disk that acknowledges sooner under Postgres;"
    " then an installation for each part of the organisation.",
    "the cores of the database": "More cores for Postgres; fewer workers, since each reads every update.",
    "connections of Postgres": "Raise its max_connections, or have fewer and fuller workers.",
    "memory of a process, after a year": "Give each process more memory (`mem_limit` in docker-compose.yml). It grows"
    " with projects and with the changes that were ever made, not with viewers.",
}


def uses(size: Size, site: Site, units: Units, habits: Habits) -> list[Use]:
    """Return how much of each thing is used in the busiest hour, memory after a year."""
    found = _alone(size, units, habits) if site.workers == 0 else _several(size, site, units, habits)
    return [*found, Use("memory of a process, after a year", memory(size, site, units, habits) / site.memory)]


def first(found: list[Use]) -> Use:
    """Return what is used up first."""
    return max(found, key=lambda use: use.used)


def _changes(units: Units, name: str, more: int, part: str = "") -> float:
    """Return the seconds of a command, or of an update, with so many changes more than one."""
    return units.seconds(f"{name}{part}") + more * units.seconds(f"{name}.each{part}")


def _pages(now: Rates, units: Units) -> float:
    """Return the CPU seconds a second of everything that open pages need, on all workers together."""
    receipts = units.seconds("receipt")
    each = now.deliveries * (units.seconds("delivery") + receipts) + now.open * units.seconds("idle")
    return each + now.come * (units.seconds("page") + units.seconds("handshake"))


def _door(units: Units) -> float:
    """Return the CPU seconds of a command at the door, beside deciding and recording it and making its update."""
    rest = units.seconds("sqlite.command") + units.seconds("sqlite.update") + units.seconds("delivery")
    return max(0.0, units.seconds("change") - rest)


def _alone(size: Size, units: Units, habits: Habits) -> list[Use]:
    now, more = rates(size, habits), habits.together - 1
    unseen = (now.commands - now.updates) * units.seconds("sqlite.unseen")
    claims = now.deliveries * habits.receipts * units.seconds("sqlite.claim")
    work = (
        now.commands * _door(units)
        + now.hand * units.seconds("sqlite.command")
        + now.plans * _changes(units, "sqlite.command", more)
        + now.updates_hand * units.seconds("sqlite.update")
        + now.updates_plans * _changes(units, "sqlite.update", more)
    )
    commits = 2 * now.commands + 1  # the command, its update, and receipts once a second
    return [
        Use("the process", work + unseen + claims + _pages(now, units)),
        Use("durable commits of the disk", commits * units.baselines["commit"]),
    ]


def _several(size: Size, site: Site, units: Units, habits: Habits) -> list[Use]:
    now, more = rates(size, habits), habits.together - 1
    claims = now.deliveries * habits.receipts
    unseen = now.commands - now.updates
    hears = now.commands * units.seconds("postgres.heard") + now.updates * units.seconds("postgres.read")
    writes = (
        now.commands * _door(units)
        + now.hand * units.seconds("postgres.command")
        + now.plans * _changes(units, "postgres.command", more)
    )
    pages = _pages(now, units) + claims * units.seconds("postgres.claim")
    worker = hears + (writes + pages) / site.workers
    follows = (
        now.updates_hand * units.seconds("postgres.update")
        + now.updates_plans * _changes(units, "postgres.update", more)
        + unseen * units.seconds("postgres.unseen")
    )
    asked = (
        now.updates_hand * units.seconds("postgres.update.server")
        + now.updates_plans * _changes(units, "postgres.update", more, ".server")
        + unseen * units.seconds("postgres.unseen.server")
    )
    waits = follows + asked + now.commands * units.baselines["commit-postgres"]  # all in one thread
    listening = site.workers + STANDING_BY
    server = (
        now.hand * units.seconds("postgres.command.server")
        + now.plans * _changes(units, "postgres.command", more, ".server")
        + asked
        + listening * now.commands * units.seconds("postgres.heard.server")
        + listening * now.updates * units.seconds("postgres.read.server")
        + claims * units.seconds("postgres.claim.server")
    )
    ours = site.workers * worker + follows + STANDING_BY * now.commands * units.seconds("postgres.heard")
    recording = now.commands * (units.baselines["commit-postgres"] + units.seconds("postgres.command.server"))
    found = [
        Use("the follower", waits),
        Use("a worker", worker),
        Use("one writer at a time", recording),
        Use("connections of Postgres", (site.workers + 1 + STANDING_BY) * MOST_CONNECTIONS / site.connections),
    ]
    if not site.database_cores:
        return [*found, Use("the cores of the host", (ours + server) / site.cores)]
    return [*found, Use("the cores of the database", server / site.database_cores)]


def memory(size: Size, site: Site, units: Units, habits: Habits, years: float = 1.0) -> float:
    """Return the bytes of memory of one process that serves pages, after so many years."""
    rows = size.events * habits.days * years
    pages = size.viewers * habits.open / max(1, site.workers)
    world = size.projects * units.bytes("memory.project") + rows * units.bytes("memory.event")
    return units.bytes("memory.process") + world + pages * units.bytes("memory.page")


def kept(size: Size, site: Site, units: Units, habits: Habits) -> float:
    """Return the bytes that a year adds to the logs on disk."""
    store = "sqlite" if site.workers == 0 else "postgres"
    commands = size.events * (habits.by_hand / 2 + (1 - habits.by_hand) / (habits.together + 1))
    updates = commands * habits.seen
    receipts = updates * size.viewers * habits.open / size.projects * habits.receipts
    day = (
        size.events * units.bytes(f"{store}.bytes.event")
        + updates * units.bytes(f"{store}.bytes.update")
        + receipts * units.bytes(f"{store}.bytes.receipt")
    )
    return day * habits.days


def rebuilt(size: Size, units: Units, habits: Habits) -> float:
    """Return the seconds of a start without a snapshot, after a year."""
    return size.events * habits.days * units.seconds("fold")


def back(size: Size, site: Site, units: Units, habits: Habits) -> float:
    """Return the seconds of CPU until all open pages are back after a restart, on each worker."""
    return size.viewers * habits.open / max(1, site.workers) * units.seconds("handshake")


def goes_to(deployment: Callable[[Size], Site], units: Units, habits: Habits) -> tuple[Size, Use]:
    """Return the largest installation of the mix of `SIZES` of which nothing is used beyond `FULL`, and what stops it.

    Memory may be used up whole.
    """
    mix, low, high = SIZES[0], 0.0, 1.0

    def worst(factor: float) -> Use:
        size = mix.times(factor)
        return first([limited(use) for use in uses(size, deployment(size), units, habits)])

    while worst(high).used < 1 and high < 1e7:
        low, high = high, high * 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if worst(middle).used < 1 else (low, middle)
    return mix.times(low), worst(high)


def limited(use: Use) -> Use:
    """Return a use as a part of what it may come to: memory may be used up, connections do not grow with the size."""
    if use.what.startswith("connections"):
        return Use(use.what, float(use.used > 1))
    return use if use.what.startswith("memory") else Use(use.what, use.used / FULL)


# waiting


class Work(msgspec.Struct, frozen=True):
    """One kind of what a server is given: how often (a second), and its seconds: their mean and the mean of squares.

    `row`: so many come at once, or one after another `apart` seconds, as from a script; `often` counts rows.
    """

    often: float
    mean: float
    square: float
    row: int = 1
    apart: float = 0.0

    @property
    def things(self) -> float:
        """How many there are in a second."""
        return self.often * self.row

    @property
    def burst(self) -> int:
        """How many of a row are as good as at once: all where they come faster than they are done, else one."""
        return self.row if self.mean > self.apart else 1


class Waiting(msgspec.Struct, frozen=True):
    """What one server is expected to do: how much of it is used, and the mean seconds until something is done."""

    used: float
    through: float


def waiting(kinds: list[Work], *, steps: bool = False) -> Waiting:
    """Return what a server does that is given things at random moments, in the order in which they come.

    One by one: by Pollaczek and Khinchine (M/G/1). `steps`: it takes everything that waits at once, and all of it is
    done when the last of it is, as the follower records; a cycle then holds what came in the one before it, whose
    squares sum to m2 / (1 - used) / (1 - used^2). A row that comes faster than it is done counts as one thing. Infinite
    where there is more work than time.
    """
    used = sum(kind.things * kind.mean for kind in kinds)
    if used >= 1:
        return Waiting(used, math.inf)
    moment = own = 0.0
    for kind in kinds:
        burst = kind.burst
        moment += kind.things / burst * (burst * (kind.square - kind.mean**2) + (burst * kind.mean) ** 2)
        own += kind.things * _own(kind, steps=steps)
    slower = (1 + 2 * used) / (1 - used**2) if steps else 1 / (1 - used)
    return Waiting(used, moment / 2 * slower + own / sum(kind.things for kind in kinds))


def _own(kind: Work, *, steps: bool) -> float:
    """Return the mean seconds until one is done where nothing else is: its own, and what others of its row take."""
    came = [i * kind.apart for i in range(kind.row)]
    done, free, i = list[float](), 0.0, 0
    while i < kind.row:
        begins = max(free, came[i])
        taken = sum(1 for at in came[i:] if at <= begins) if steps else 1
        free = begins + taken * kind.mean
        done += [free] * taken
        i += taken
    return sum(end - at for end, at in zip(done, came, strict=True)) / kind.row
