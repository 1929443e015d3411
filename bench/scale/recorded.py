"""What was measured, as it is kept: costs as ratios to baselines of the same run, the run of the simulation, the peers.

Rule: seconds are never kept but of the baselines, so that whoever reads a cost knows what it is a multiple of.
"""

from datetime import date
from pathlib import Path

import msgspec

HERE = Path(__file__).parent
UNITS, SIMULATED, PEERS = (HERE / f"{name}.json" for name in ("units", "simulated", "peers"))

BASELINES = {
    "decode": "CPU of decoding one event with msgspec",
    "commit": "time of one durable commit of one row on SQLite",
    "commit-postgres": "time of one durable commit of one row on Postgres",
    "send": "CPU of one send() of a bare C sender to one of 5,000 sockets",
    "shake": "CPU of one handshake of the same sender",
}


class Unit(msgspec.Struct, frozen=True):
    """A cost: so many times a baseline, or so many bytes where `of` is empty."""

    value: float
    of: str


class Units(msgspec.Struct, frozen=True):
    """Everything that was measured in one run."""

    made_on: date
    baselines: dict[str, float]  # seconds
    units: dict[str, Unit]
    crowd: float = 0.0  # cores that other work took meanwhile, at most

    def seconds(self, name: str) -> float:
        """Return a cost in seconds, on the machine of this run."""
        unit = self.units[name]
        return unit.value * self.baselines[unit.of]

    def bytes(self, name: str) -> float:
        """Return a cost in bytes."""
        assert not self.units[name].of, name
        return self.units[name].value


class Compared(msgspec.Struct, frozen=True):
    """What the model says of a run, and what came out of it."""

    what: str
    unit: str
    model: float
    came_out: float

    @property
    def off(self) -> float:
        """How far off the model was, as a part of what came out; 0 where both are nothing."""
        return (self.model - self.came_out) / self.came_out if self.came_out else 0.0


class Pace(msgspec.Struct, frozen=True):
    """The hour at one pace: so many times as fast as it was measured."""

    slower: float  # how many times slower a machine this stands for
    rows: list[Compared]


class Simulated(msgspec.Struct, frozen=True):
    """One run of the simulation."""

    made_on: date
    projects: int
    events_a_day: int
    commands: int
    events: int
    updates: int
    paces: list[Pace]


class Peers(msgspec.Struct, frozen=True):
    """One table of `make bench-peers`: a row of cells for each server, the head first."""

    made_on: date
    runs: int
    rows: list[list[str]]
    crowd: float = 0.0  # cores that other work took meanwhile, at most


def read_units(path: Path = UNITS) -> Units:
    """Return what `python -m bench.scale.units --record` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=Units)


def keep(path: Path, what: Units | Simulated | Peers) -> None:
    """Write what was measured."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(what), indent=1) + b"\n")
