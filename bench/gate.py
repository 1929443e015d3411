"""A measured ratio and the gate it has to stay under."""

import statistics
from collections.abc import Iterable, Sequence

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


def median(values: Iterable[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def spread(values: Sequence[float]) -> str:
    """Return how far the runs lie apart, for the note."""
    return f"{min(values):.2f} to {max(values):.2f} in {len(values)} runs" if len(values) > 1 else "one run"


def table(rows: Iterable[Row]) -> str:
    """Return the rows as text."""
    lines = [("what", "ratio", "gate", "", "of what")]
    for row in rows:
        gate = f"<= {row.gate:g}" if row.gate is not None else ""
        verdict = "" if row.gate is None else "FAILS" if row.failed else "ok"
        lines.append((row.what, f"{row.ratio:.2f}", gate, verdict, f"{row.unit}{'; ' + row.note if row.note else ''}"))
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    return "\n".join("  ".join([*(line[i].ljust(widths[i]) for i in range(4)), line[4]]).rstrip() for line in lines)
