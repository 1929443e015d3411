"""The whole product under load: `fanlight serve`, a real sign-in, a real share, commands over the JSON door.

What is measured includes what the push layer's own bench leaves out: deciding, recording (synchronous=FULL), revealing,
rendering, numbering and hashing each update before it is sent.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.gate import Row, median, spread
from bench.load import Running, Target, baseline, compiler, load, pin, python, running
from domain.ids import PersonId
from projections.folder import Folder
from tests.world import ACME, HARBOUR, SHARE, World
from web import clock
from web.people import People
from web.present import Present
from web.render import Renderer
from web.service import OPERATOR, Service

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
    present = Present(logs.events)
    service = Service(logs.events, present, clock.now)
    people = People(service, present, clock.now, link_hours=1, session_hours=720)
    cookie = people.enter(people.link(OPERATOR, PersonId(f"viewer-{ACME}"))).secret
    person, _ = people.invite(OPERATOR, name="Bench", email="bench@bench.test", role="manager")
    token = people.token(OPERATOR, person, "bench")
    head = logs.disclosure.head(SHARE)
    logs.close()
    return Target(
        name="fanlight serve",
        argv=python("web.cli", "serve", "--data", str(folder), "--port", "{port}", "--public-url", ORIGIN),
        path=f"/s/{SHARE}/live",
        headers=(f"Cookie: fanlight={cookie}", f"Origin: {ORIGIN}"),
        hello=f'{{"hello":{head},"tab":"bench","v":1}}',
        publish="/api/v1/commands",
        publish_headers=(
            f"Authorization: Bearer {token}",
            "Idempotency-Key: bench-$ID",
            "Content-Type: application/json",
        ),
        template=COMMAND,
        newest=head,
    )


def pair(folder: Path, measure: Callable[[Running], dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measure the product and, right before it, the bare sender."""
    with running(baseline()) as server:
        limit = measure(server)
    with running(product(folder)) as server:
        return measure(server), limit


def frame_size(folder: Path) -> int:
    """Return the bytes of a typical update of this share."""
    logs = Folder(folder)
    last = logs.disclosure.last(SHARE)
    logs.close()
    return len(last.message) if last else 600


def deliveries(folder: Path, connections: int, repeats: int) -> list[Row]:
    """Return CPU a delivery and the time from a manager's POST to the last dashboard."""
    paced, bursts, late, memory = [], [], [], []
    rate = 20_000 / connections if compiler() else 4_000 / connections
    size = max(600, min(2000, frame_size(folder)))

    def measure(server: Running) -> dict[str, Any]:
        return load(
            server,
            connections,
            burst=max(24, 60_000 // connections),
            paced=max(10, round(2 * rate)),
            rate=rate,
            size=size,
        )

    for _ in range(repeats):
        mine, limit = pair(folder, measure)
        if mine.get("broken") or limit.get("broken"):
            continue
        paced.append(mine["paced_cpu_s_per_M"] / limit["paced_cpu_s_per_M"])
        bursts.append(mine["cpu_s_per_M"] / limit["cpu_s_per_M"])
        late.append(mine["last_p50_ms"] / limit["last_p50_ms"])
        memory.append(mine["kb_per_conn"])
    if not paced:
        return [
            Row(
                f"product: every message once and in order, {connections:,} pages",
                float("inf"),
                "no run was whole",
                1.0,
            )
        ]
    unit = f"of the {baseline().name}'s CPU a delivery"
    return [
        Row(f"product: one by one, {connections:,} pages", median(paced), unit, 1.5, spread(paced)),
        Row(f"product: burst, {connections:,} pages", median(bursts), unit, 0.7, spread(bursts)),
        Row(
            f"product: POST to the last of {connections:,} pages",
            median(late),
            f"of the {baseline().name}'s",
            None,
            spread(late),
        ),
        Row(
            f"product: memory an idle page, {connections:,} pages",
            median(memory) / 4,
            "of 4 KiB",
            1.0 if connections == MANY else None,
            f"{median(memory):.1f} KiB",
        ),
    ]


def run() -> list[Row]:
    """Return every row of this bench."""
    pin(1)
    with installation() as folder:
        return deliveries(folder, FEW, 2) + deliveries(folder, MANY, 2)
