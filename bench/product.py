"""The whole product under load: `fanlight serve`, a real sign-in, a real share, commands over the JSON door.

What is measured includes what the push layer's own bench leaves out: deciding, recording (synchronous=FULL), revealing,
rendering, numbering and hashing each update before it is sent.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from bench.gate import Row, median, spread
from bench.load import Running, Target, baseline, compiler, load, pin, python, running
from domain.ids import PersonId
from projections.events.present import CurrentWorld
from projections.installation.folder import Folder
from tests.world import ACME, HARBOUR, SHARE, World
from web import clock
from web.identity.credentials import Credentials
from web.render.page import Renderer
from web.write.permission import OPERATOR
from web.write.service import Service

FEW, MANY = (1000, 5000) if compiler() else (100, 300)
ORIGIN = "http://bench.test"
COMMAND = (
    f'{{"type":"describe-milestone","project":"{HARBOUR}","milestone":"m1",'
    '"details":{"title":"Section A","client_title":"Section A $SEQ","client_facing":true}}'
)


@contextmanager
def installation() -> Iterator[Path]:
    """Yield a folder with the sample project, shared with one client."""
    folder = Path(tempfile.mkdtemp())
    world = World(folder, Renderer())
    world.harbour()
    world.close()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def product(folder: Path) -> Target:
    """Return how to serve the folder and how to be its viewer and its manager, as things stand now."""
    logs = Folder(folder)
    present = CurrentWorld(logs.events)
    service = Service(logs.events, present, clock.now)
    people = Credentials(service, present, clock.now, link_hours=1, session_hours=720)
    cookie = people.enter(people.link(OPERATOR, PersonId(f"viewer-{ACME}"))).secret
    person, _ = people.invite(OPERATOR, name="Bench", email="bench@bench.test", role="manager")
    token = people.token(OPERATOR, person, "bench")
    head = logs.disclosure.head(SHARE)
    logs.close()
    return Target(
        name="fanlight serve",
        argv=python(
            "web.cli",
            "serve",
            "--data",
            str(folder),
            "--port",
            "{port}",
            "--public-url",
            ORIGIN,
            "--commands-per-minute",
            "100000",
        ),
        path=f"/s/{SHARE}/live",
        headers=(f"Cookie: fanlight={cookie}", f"Origin: {ORIGIN}"),
        hello=hello(head),
        publish="/api/v1/commands",
        publish_headers=(
            f"Authorization: Bearer {token}",
            "Idempotency-Key: bench-$ID",
            "Content-Type: application/json",
        ),
        template=COMMAND,
        newest=head,
    )


def frame_size(folder: Path) -> int:
    """Return the bytes of an update as the command of this bench makes it; the bare sender's frames are as long."""
    with running(product(folder)) as server:
        load(server, 1, burst=2)
    logs = Folder(folder)
    last = logs.disclosure.last(SHARE)
    logs.close()
    return len(last.message) if last else 600


def deliveries(folder: Path, connections: int, repeats: int) -> list[Row]:
    """Return CPU a delivery and the time from a manager's POST to the last dashboard.

    An update costs what it costs however many watch: that is measured with one page in the same process and taken
    off, so that "a delivery" is what one more dashboard costs. The rows named "all of it" leave it in.
    """
    rate = 20_000 / connections if compiler() else 4_000 / connections
    size = frame_size(folder)
    burst, one_by_one = max(24, 60_000 // connections), max(10, round(2 * rate))

    def bare(server: Running) -> dict[str, Any]:
        return load(server, connections, burst=burst, paced=one_by_one, rate=rate, one_by_one=1, size=size)

    def whole(server: Running) -> dict[str, Any]:
        load(server, 200)  # what every start costs once
        paced: dict[str, Any] = {"burst": burst, "paced": one_by_one, "rate": rate, "one_by_one": 1}
        alone = load(server, 1, **paced)
        many = load(again(server, folder), connections, **paced)
        for key in ("paced_cpu_s_per_M", "cpu_s_per_M"):
            many[f"more_{key}"] = (many[key] * connections - alone[key]) / (connections - 1)
        return many

    runs = []
    for _ in range(repeats):
        with running(baseline()) as server:
            limit = bare(server)
        with running(product(folder)) as server:
            mine = whole(server)
        if not mine.get("broken") and not limit.get("broken"):
            runs.append((mine, limit))
    return rows(runs, connections)


def hello(head: int) -> str:
    """Return what a page says first."""
    return f'{{"hello":{head},"tab":"bench","v":2}}'


def again(server: Running, folder: Path) -> Running:
    """Return the same server with the share's number as it is now."""
    logs = Folder(folder)
    head = logs.disclosure.head(SHARE)
    logs.close()
    target = msgspec.structs.replace(server.target, hello=hello(head), newest=head)
    return Running(target, server.port, server.pid)


def rows(runs: list[tuple[dict[str, Any], dict[str, Any]]], connections: int) -> list[Row]:
    """Return the table of some runs, each beside its baseline."""
    pages = f"{connections:,} pages"
    if not runs:
        return [Row(f"product: every message once and in order, {pages}", float("inf"), "no run was whole", 1.0)]

    def ratio(what: str, key: str, unit: str, gate: float | None, of: str = "") -> Row:
        values = [mine[key] / limit[of or key] for mine, limit in runs]
        return Row(
            f"product: {what}, {pages}", median(values), f"of the {baseline().name}'s{unit}", gate, spread(values)
        )

    memory = [mine["kb_per_conn"] for mine, _ in runs]
    gate = 1.0 if connections == MANY else None
    kept = f"{median(memory):.1f} KiB"
    paced, together = "paced_cpu_s_per_M", "cpu_s_per_M"
    return [
        ratio("a delivery, one by one", f"more_{paced}", " CPU", 1.5, paced),
        # with few pages a command takes as long as a round: little waits to be joined
        ratio("a delivery, in a burst", f"more_{together}", " CPU", 0.7 if connections == MANY else 1.0, together),
        ratio("all of it, one by one", paced, " CPU", 1.38 if connections == MANY else None),
        ratio("all of it, in a burst", together, " CPU", None if connections == MANY else 1.0),
        ratio("POST to the last page", "last_p50_ms", " time", None),
        Row(f"product: memory an idle page, {pages}", median(memory) / 4, "of 4 KiB", gate, kept),
    ]


def run() -> list[Row]:
    """Return every row of this bench."""
    pin(1)
    with installation() as folder:
        return deliveries(folder, FEW, 3) + deliveries(folder, MANY, 3)
