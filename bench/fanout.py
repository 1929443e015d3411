"""Fan-out against the bare sender: CPU a delivery, memory, stalled pages, receipts, other requests, a reconnect storm.

Gates and the reasons for them: docs/decisions/0001. The same measurements run on the product by another `Target`.
"""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from bench.gate import Row, median, spread
from bench.load import Running, Target, baseline, compiler, hub_alone, load, pin, running, start_load

FEW, MANY = (1000, 5000) if compiler() else (200, 500)
PACE = 20_000 if compiler() else 4_000  # deliveries a second, whatever the number of connections
RING_MIB = 4.0


def both(ours: Target, measure: Callable[[Running], dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a measurement gives for ours and for the bare sender, one right after the other."""
    results = []
    for target in (baseline(), ours):
        with running(target) as server:
            results.append(measure(server))
    return results[1], results[0]


def deliveries(ours: Target, connections: int, repeats: int) -> list[Row]:
    """Return CPU a delivery message by message and in a burst, latency, and memory an idle page."""
    paced, bursts, late, memory = [], [], [], []
    rate = PACE / connections
    for _ in range(repeats):
        mine, limit = both(
            ours,
            lambda server: load(
                server, connections, burst=max(40, 120_000 // connections), paced=max(12, round(3 * rate)), rate=rate
            ),
        )
        if mine.get("broken") or limit.get("broken"):
            continue
        paced.append(mine["paced_cpu_s_per_M"] / limit["paced_cpu_s_per_M"])
        bursts.append(mine["cpu_s_per_M"] / limit["cpu_s_per_M"])
        late.append(mine["last_p99_ms"] / limit["last_p99_ms"])
        memory.append(mine["kb_per_conn"])
    if not paced:
        return [Row(f"every message once and in order, {connections:,} pages", float("inf"), "no run was whole", 1.0)]
    unit = f"of the {baseline().name}'s CPU a delivery"
    return [
        Row(f"message by message, {connections:,} pages", median(paced), unit, 1.5, spread(paced)),
        Row(f"burst, {connections:,} pages", median(bursts), unit, 0.7, spread(bursts)),
        Row(
            f"p99 publish to last page, {connections:,} pages",
            median(late),
            f"of the {baseline().name}'s",
            None,
            spread(late),
        ),
        Row(
            f"memory an idle page, {connections:,} pages",
            median(memory) / 4,
            "of 4 KiB",
            1.0 if connections >= 5000 else None,
            f"{median(memory):.1f} KiB",
        ),
    ]


def stalled(ours: Target) -> list[Row]:
    """Return what pages that never read cost the others, and the server's memory."""
    size = 16_384

    def measure(stalled: int) -> dict[str, Any]:
        with running(ours) as server:
            load(server, 200)  # what every start costs once
            return load(server, 200, burst=600, size=size, stalled=stalled, rcvbuf=4096)

    pairs = [(measure(0), measure(20)) for _ in range(2)]
    cpu = [some["cpu_s_per_M"] / none["cpu_s_per_M"] for none, some in pairs]
    growth = [
        ((some["rss_after_kb"] - some["rss_kb"]) - (none["rss_after_kb"] - none["rss_kb"])) / 1024
        for none, some in pairs
    ]
    whole = not any(run.get("broken") for pair in pairs for run in pair)
    return [
        Row("10 % stalled: every message reached the others", 0.0 if whole else 1.0, "of the runs lost one", 0.0),
        Row("10 % stalled: CPU a delivery to the others", median(cpu), "of the same without", 1.3, spread(cpu)),
        Row(
            "10 % stalled: memory",
            max(0.0, median(growth)) / RING_MIB,
            "of one ring",
            1.0,
            f"{median(growth):.1f} MiB more",
        ),
    ]


def receipts(ours: Target, repeats: int) -> list[Row]:
    """Return the cost of a receipt in units of the delivery it answers."""
    rate, values = PACE / FEW, []
    messages, newest = round(3 * rate), ours.newest
    with running(ours) as server:  # one process: the kernel's part of a send differs from one to the next
        for _ in range(repeats):
            cost = []
            for answering in (0, 1):
                here = msgspec.structs.replace(server, target=msgspec.structs.replace(ours, newest=newest))
                cost.append(load(here, FEW, paced=messages, rate=rate, receipts=answering)["paced_cpu_s_per_M"])
                newest += messages
            values.append((cost[1] - cost[0]) / cost[0])
    return [Row("a receipt for every message", median(values), "of the delivery it answers", 1.0, spread(values))]


def beside(ours: Target) -> list[Row]:
    """Return how long an unrelated request waits while MANY pages are sent to."""
    rate = PACE / MANY
    with running(ours) as server:
        client = start_load(server, MANY, paced=round(8 * rate), rate=rate, settle_ms=500)
        waits = _requests_until_the_end(server, client)
        out, _ = client.communicate(timeout=120)
    whole_broadcast = json.loads(out)["last_p50_ms"] / 1000
    waits.sort()
    p99 = waits[int(len(waits) * 0.99)]
    return [
        Row(
            f"another request's p99 beside {MANY:,} pages",
            p99 / whole_broadcast,
            "of one whole broadcast",
            None,
            f"{len(waits)} requests",
        )
    ]


def _requests_until_the_end(server: Running, client: subprocess.Popen[bytes]) -> list[float]:
    waits: list[float] = []
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    while client.poll() is None:
        began = time.perf_counter()
        connection.request("GET", server.target.health)
        connection.getresponse().read()
        waits.append(time.perf_counter() - began)
        time.sleep(0.005)
    connection.close()
    return waits[len(waits) // 3 :]  # the first part is the handshakes


def storm(ours: Target, repeats: int) -> list[Row]:
    """Return how long it takes until all are back when all come at once."""
    values, cpu = [], []
    for _ in range(repeats):
        mine, limit = both(ours, lambda server: load(server, MANY, at_once=MANY))
        values.append(mine["open_s"] / limit["open_s"])
        cpu.append(mine["hs_cpu_us"] / limit["hs_cpu_us"])
    return [
        Row(
            f"{MANY:,} pages at once: until all are open",
            median(values),
            f"of the {baseline().name}'s time",
            8.0,
            spread(values),
        ),
        Row(f"{MANY:,} pages at once: CPU a handshake", median(cpu), f"of the {baseline().name}'s", None, spread(cpu)),
    ]


def run(ours: Target | None = None) -> list[Row]:
    """Return every row of this bench."""
    target = ours or hub_alone()
    pin(1)
    if not compiler():
        print("no C compiler (cc): the baseline is a plain-socket Python sender, with fewer pages", file=sys.stderr)
    rows = deliveries(target, FEW, 3)
    rows += deliveries(target, MANY, 3)
    rows += stalled(target)
    rows += receipts(target, 3)
    rows += beside(target)
    rows += storm(target, 1)
    return rows
