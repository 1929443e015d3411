"""`python -m bench.peers [--runs N] [--record]`: measure the product beside nchan and gorilla, and print one table.

Each run goes through all servers, with the bare sender before and after each of them; every figure is a ratio to the
two bare senders around it. CPU time is of all processes of a server. Nothing here has a gate.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.fanout import FEW, MANY
from bench.gate import median
from bench.load import Target, pin
from bench.peers import servers
from bench.peers.measuring import Measured, measured, measured_whole
from bench.product import installation
from bench.scale.recorded import PEERS, Peers, keep

WHOLE = "fanlight, whole product"
CROWDED = 0.15  # of a core taken by others, from which on a run says little about waiting


class Figure(msgspec.Struct, frozen=True):
    """A line of the table: what it is called, the key of what was measured, whether it is a ratio to the limit."""

    title: str
    key: str
    ratio: bool = True


FIGURES = (
    *(
        Figure(title.format(n=f"{pages:,}"), f"{key}_{pages}")
        for pages in (FEW, MANY)
        for title, key in (
            ("CPU, one by one, {n}", "paced_cpu_s_per_M"),
            ("CPU, burst, {n}", "cpu_s_per_M"),
            ("p50, {n}", "p50_ms"),
            ("p99, {n}", "p99_ms"),
        )
    ),
    Figure("KiB an idle page", "kib_idle", ratio=False),
    Figure("CPU a handshake", "hs_cpu_us"),
    Figure(f"time until {MANY:,} are open", "open_s"),
)


def compared(found: dict[str, list[tuple[Measured, Measured]]]) -> list[list[str]]:
    """Return the table: a row for each server, from what it and the limit around it measured in each run."""
    rows = [["server", *(figure.title for figure in FIGURES)]]
    for name, runs in found.items():
        whole = [(mine, limit) for mine, limit in runs if not mine["broken"] and not limit["broken"]]
        cells = [_cell(figure, whole) for figure in FIGURES] if whole else ["no run was whole"] * len(FIGURES)
        rows.append([name, *cells])
    return rows


def _cell(figure: Figure, runs: list[tuple[Measured, Measured]]) -> str:
    values = [mine[figure.key] / limit[figure.key] if figure.ratio else mine[figure.key] for mine, limit in runs]
    between = f" ({min(values):.2f}-{max(values):.2f})" if len(values) > 1 else ""
    return f"{median(values):.2f}{between}"


def _between(before: Measured, after: Measured) -> Measured:
    return {key: (before[key] + after[key]) / 2 for key in before}


def turned(rows: list[list[str]]) -> str:
    """Return the table turned, one line a figure: it is read across, server by server."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    widths = [max(map(len, row)) for row in rows]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in columns
    ]
    return "\n".join(lines)


def run(runs: int) -> tuple[list[list[str]], float]:
    """Measure, and return the table and how many cores other work took meanwhile, at most."""
    with tempfile.TemporaryDirectory() as nginx, installation() as folder:
        candidates = (servers.push_layer(), servers.nchan(Path(nginx)), servers.gorilla())
        peers = [peer for peer in candidates if isinstance(peer, Target)]
        for missing in (peer for peer in candidates if isinstance(peer, servers.Missing)):
            print(missing.said(), file=sys.stderr)
        tasks: dict[str, Callable[[], Measured]] = {peer.name: (lambda peer=peer: measured(peer)) for peer in peers}
        tasks[WHOLE] = lambda: measured_whole(folder)
        found: dict[str, list[tuple[Measured, Measured]]] = {name: [] for name in tasks}
        crowd = 0.0
        for n in range(runs):
            before = measured(servers.limit())
            for name, task in tasks.items():
                mine, after = task(), measured(servers.limit())
                found[name].append((mine, _between(before, after)))
                crowd, before = max(crowd, mine["crowd"], after["crowd"]), after
                print(f"  run {n + 1} of {runs}: {name}", file=sys.stderr)
        if crowd > CROWDED:
            told = f"Other work took up to {crowd:.2f} cores meanwhile: p50, p99 and time say little, CPU is rough."
            print(told, file=sys.stderr)
    return compared(found), crowd


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="how often each server is measured; 3")
    parser.add_argument("--record", action="store_true", help="keep it for docs/scale.md")
    told = parser.parse_args(arguments)
    pin(1)
    rows, crowd = run(told.runs)
    if told.record:
        keep(PEERS, Peers(datetime.now(UTC).date(), told.runs, rows, crowd))
    print(turned(rows))
    print(f"ratios to the {servers.limit().name} around each run; medians of {told.runs}, and from least to most")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
