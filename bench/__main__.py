"""`python -m bench [name ...]`: run the measurements, print the table, fail when a gate does.

A row over its gate fails unless `bench/limits.toml` lists it and it stays within what is said there.
"""

import sys
import time

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
    for name in names or BENCHES:
        began = time.monotonic()
        rows += BENCHES[name]()
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    print(table(rows))
    known = limits()
    return 1 if any(verdict(row, known) == "FAILS" for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
