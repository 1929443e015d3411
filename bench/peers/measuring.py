"""What one server measures: CPU of a delivery, waits, memory, handshakes; the same for peers and for the product.

Rule: CPU time is of all processes of a server. What is not whole (a message that did not arrive) is said and marked.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import psutil

from bench.fanout import FEW, MANY, PACE
from bench.load import Running, Target, load, running
from bench.product import again, product

WARM = 200  # pages that are opened first: what every start costs once

Measured = dict[str, float]


def pids_of(server: Running) -> str:
    process = psutil.Process(server.pid)
    return ",".join(str(one.pid) for one in (process, *process.children(recursive=True)))


def _loads(target: Target, loaded: Callable[..., dict[str, Any]]) -> Measured:
    """Return everything that is measured of one server: few pages, many, and many at once."""
    found: Measured = {"crowd": 0.0, "broken": 0.0}
    opened = {}
    for pages in (FEW, MANY):
        rate = PACE / pages
        told = loaded(pages, burst=max(40, 120_000 // pages), paced=max(12, round(3 * rate)), rate=rate)
        opened[pages] = told["rss_kb"]
        for key in ("paced_cpu_s_per_M", "cpu_s_per_M", "p50_ms", "p99_ms"):
            found[f"{key}_{pages}"] = told.get(key, told.get(f"last_{key}", 0.0))
        found["crowd"] = max(found["crowd"], told.get("foreign", 0.0), told.get("paced_foreign", 0.0))
        found["broken"] += bool(told.get("broken"))
    found["kib_idle"] = (opened[MANY] - opened[FEW]) / (MANY - FEW)
    storm = loaded(MANY, at_once=MANY)
    found |= {"hs_cpu_us": storm["hs_cpu_us"], "open_s": storm["open_s"]}
    if found["broken"]:
        print(f"  {target.name}: a run in which not every message arrived is left out", file=sys.stderr)
    return found


def measured(target: Target) -> Measured:
    """Return what one server measures; its pages say at which number they are, where it numbers what it sends."""
    with running(target) as server:
        load(server, WARM)
        pids, told = pids_of(server), target.newest  # all of them are there once it has served somebody

        def loaded(pages: int, **options: Any) -> dict[str, Any]:
            nonlocal told
            here = msgspec.structs.replace(server, target=msgspec.structs.replace(target, newest=told))
            told += options.get("burst", 0) + options.get("paced", 0)
            return load(here, pages, pids=pids, **options)

        return _loads(target, loaded)


def measured_whole(folder: Path) -> Measured:
    """Return what `fanlight serve` measures, where a message is a manager's command.

    An update costs what it costs however many watch; that is measured with one page and taken off the CPU of a
    delivery. The waits are from the command to the page, with all that lies between.
    """
    with running(product(folder)) as server:
        load(server, WARM)

        def loaded(pages: int, **options: Any) -> dict[str, Any]:
            many = load(again(server, folder), pages, **options)
            if "rate" in options:
                alone = load(again(server, folder), 1, **options)
                for key in ("paced_cpu_s_per_M", "cpu_s_per_M"):
                    many[key] = (many[key] * pages - alone[key]) / (pages - 1)
            return many

        return _loads(server.target, loaded)
