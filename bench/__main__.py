"""`python -m bench [name ...]`: run the measurements, print the table, fail when a gate does.

A row over its gate fails unless `bench/limits.toml` lists it and it stays within what is said there. A measurement that
ends in an error fails as well, after the others. Standard error has each measurement's rows as soon as it is done.
"""

import os
import sys
import time
import traceback

from bench import (
    across,
    commands,
    fanout,
    fleet,
    follow,
    importing,
    many,
    opening,
    packing,
    product,
    pulling,
    record,
    starting,
)
from bench.gate import Row, limits, table, verdict

BENCHES = {
    "fanout": fanout.run,
    "product": product.run,
    "follow": follow.run,
    "many": many.run,
    "starting": starting.run,
    "opening": opening.run,
    "record": record.run,
    "commands": commands.run,
    "fleet": fleet.run,
    "across": across.run,
    "importing": importing.run,
    "packing": packing.run,
    "pulling": pulling.run,
}


def main(names: list[str]) -> int:
    """Return the exit code."""
    if unknown := set(names) - set(BENCHES):
        print(f"no such measurement: {', '.join(sorted(unknown))}. There are: {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    rows: list[Row] = []
    broken: list[str] = []
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    for name in names or BENCHES:
        if cores is not None:
            os.sched_setaffinity(0, cores)  # some keep to one core, and what the next ones start would keep to it
        began = time.monotonic()
        try:
            measured = BENCHES[name]()
        except Exception:  # the others are measured all the same, and the end says which was not
            traceback.print_exc()
            broken.append(name)
            continue
        rows += measured
        print(f"{table(measured)}\n{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    print(table(rows))
    if broken:
        print(f"not measured, see above why: {', '.join(broken)}", file=sys.stderr)
    known = limits()
    return 1 if broken or any(verdict(row, known) == "FAILS" for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
