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


PAGE_KIB = 2.4  # of memory that an idle page may take
AWHILE = 6  # seconds of messages one by one: a run's part of user time is counted in ticks of a hundredth


def both(
    ours: Target, measure: Callable[[Running], dict[str, Any]], *, ours_first: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a measurement gives for ours and for the bare sender, one right after the other."""
    results = {}
    for target in (ours, baseline()) if ours_first else (baseline(), ours):
        with running(target) as server:
            results[target.name] = measure(server)
    return results[ours.name], results[baseline().name]


def deliveries(ours: Target, connections: int) -> list[Row]:
    """Return CPU a delivery in a burst and one by one, and latency, of three pairs of runs with few pages."""
    rate = PACE / connections
    pairs = _pairs(
        ours,
        lambda server: load(
            server, connections, burst=max(40, 120_000 // connections), paced=max(12, round(3 * rate)), rate=rate
        ),
        3,
    )
    if not pairs:
        return [_none_whole(connections)]
    return [
        _ratio(pairs, f"message by message, {connections:,} pages", "paced_cpu_s_per_M", 1.5),
        _ratio(pairs, f"burst, {connections:,} pages", "cpu_s_per_M", 0.6 if connections == FEW else 0.7),
        _ratio(pairs, f"p99 publish to last page, {connections:,} pages", "last_p99_ms", None),
    ]


def one_by_one(ours: Target, connections: int, repeats: int) -> list[Row]:
    """Return CPU a delivery one by one, and its part in user mode, of alternating pairs of runs."""
    rate = PACE / connections
    messages = round(AWHILE * rate)
    pairs = _pairs(ours, lambda server: load(server, connections, paced=messages, rate=rate, one_by_one=1), repeats)
    if not pairs:
        return [_none_whole(connections)]
    user = [mine["paced_user_s_per_M"] / limit["paced_cpu_s_per_M"] for mine, limit in pairs]
    return [
        _ratio(pairs, f"a delivery one by one, {connections:,} pages", "paced_cpu_s_per_M", 1.28),
        Row(
            f"a delivery one by one, {connections:,} pages: of it user CPU",
            median(user),
            f"of all of the {baseline().name}'s CPU a delivery",
            0.2,
            spread(user),
        ),
    ]


def _pairs(
    ours: Target, measure: Callable[[Running], dict[str, Any]], repeats: int
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the pairs of runs that were whole; whose turn is first alternates."""
    pairs = [both(ours, measure, ours_first=bool(i % 2)) for i in range(repeats)]
    return [pair for pair in pairs if not any(run.get("broken") for run in pair)]


def _none_whole(connections: int) -> Row:
    return Row(f"every message once and in order, {connections:,} pages", float("inf"), "no run was whole", 1.0)


def _ratio(pairs: list[tuple[dict[str, Any], dict[str, Any]]], what: str, key: str, gate: float | None) -> Row:
    values = [mine[key] / limit[key] for mine, limit in pairs]
    unit = f"of the {baseline().name}'s CPU a delivery" if "cpu" in key else f"of the {baseline().name}'s"
    return Row(what, median(values), unit, gate, spread(values))


def memory(ours: Target, repeats: int) -> list[Row]:
    """Return what one more idle page keeps in memory, from two servers with few and with many."""
    values = []
    for _ in range(repeats):
        kept = {}
        for connections in (FEW, MANY):
            with running(ours) as server:
                kept[connections] = load(server, connections, settle_ms=1000)["rss_kb"]
        values.append((kept[MANY] - kept[FEW]) / (MANY - FEW))
    return [
        Row(
            f"memory an idle page, from {FEW:,} to {MANY:,} pages",
            median(values) / PAGE_KIB,
            f"of {PAGE_KIB} KiB",
            1.0,
            f"{min(values):.2f} to {max(values):.2f} KiB in {repeats} runs",
        )
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
                run = load(here, FEW, paced=messages, rate=rate, one_by_one=1, receipts=answering)
                cost.append(run["paced_cpu_s_per_M"])
                newest += messages
            values.append((cost[1] - cost[0]) / cost[0])
    return [Row("a receipt for every message", median(values), "of the delivery it answers", 0.8, spread(values))]


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
    for i in range(repeats):
        mine, limit = both(ours, lambda server: load(server, MANY, at_once=MANY), ours_first=bool(i % 2))
        values.append(mine["open_s"] / limit["open_s"])
        cpu.append(mine["hs_cpu_us"] / limit["hs_cpu_us"])
    unit = f"of the {baseline().name}'s"
    return [
        Row(f"{MANY:,} pages at once: until all are open", median(values), f"{unit} time", 3.0, spread(values)),
        Row(f"{MANY:,} pages at once: CPU a handshake", median(cpu), unit, 6.0, spread(cpu)),
    ]


def run(ours: Target | None = None) -> list[Row]:
    """Return every row of this bench."""
    target = ours or hub_alone()
    pin(1)
    if not compiler():
        print("no C compiler (cc): the baseline is a plain-socket Python sender, with fewer pages", file=sys.stderr)
    return [
        *deliveries(target, FEW),
        *deliveries(target, MANY),
        *one_by_one(target, MANY, 7),
        *memory(target, 3),
        *stalled(target),
        *receipts(target, 5),
        *beside(target),
        *storm(target, 3),
    ]
