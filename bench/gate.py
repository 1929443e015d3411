"""A measured ratio and the gate it has to stay under."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec


class Row(msgspec.Struct, frozen=True):
    """One figure of the table; without a gate it is there for reading."""

    what: str
    ratio: float
    unit: str
    gate: float | None = None
    note: str = ""

    @property
    def failed(self) -> bool:
        return self.gate is not None and not self.ratio <= self.gate


class Limit(msgspec.Struct, frozen=True):
    """A row that cannot be met: what it may measure instead, what was tried, and what meeting it would cost."""

    what: str
    limit: float
    tried: str
    cost: str


LIMITS = Path(__file__).with_name("limits.toml")


def limits() -> dict[str, Limit]:
    """Return the rows that cannot be met, by what they measure; `bench/limits.toml` says why of each."""
    listed = msgspec.toml.decode(LIMITS.read_bytes(), type=dict[str, list[Limit]])
    return {one.what: one for one in listed.get("row", [])}


def verdict(row: Row, known: Mapping[str, Limit]) -> str:
    """Return what became of a row: "ok", "limit 900" where it is over its gate and within what is known, "FAILS"."""
    if not row.failed:
        return "" if row.gate is None else "ok"
    limit = known.get(row.what)
    return f"limit {limit.limit:g}" if limit is not None and row.ratio <= limit.limit else "FAILS"


def median(values: Iterable[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def spread(values: Sequence[float]) -> str:
    """Return how far the runs lie apart, for the note."""
    return f"{min(values):.2f} to {max(values):.2f} in {len(values)} runs" if len(values) > 1 else "one run"


def table(rows: Iterable[Row]) -> str:
    """Return the rows as text."""
    known = limits()
    lines = [("what", "ratio", "gate", "", "of what")]
    for row in rows:
        gate = f"<= {row.gate:g}" if row.gate is not None else ""
        lines.append(
            (
                row.what,
                f"{row.ratio:.2f}",
                gate,
                verdict(row, known),
                f"{row.unit}{'; ' + row.note if row.note else ''}",
            )
        )
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    return "\n".join("  ".join([*(line[i].ljust(widths[i]) for i in range(4)), line[4]]).rstrip() for line in lines)
