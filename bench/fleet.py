"""Several processes: commands against bare inserts, and a storm. `bench/across.py` has worker to worker."""

import itertools
import json
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import psycopg
from psycopg import sql

from bench.fanout import FEW, MANY
from bench.gate import Row, median, spread
from bench.load import Running, Target, baseline, load, pin, running
from domain.ids import CommandId, MilestoneId
from domain.plan.schedule import MoveForecast
from projections.events.present import CurrentWorld
from projections.installation.database import SCHEMA, Database
from tests.fleet import ORIGIN, Fleet, eventually, fleet, stranded
from tests.world import HARBOUR
from web import clock
from web.ids import new_id
from web.write.permission import OPERATOR
from web.write.service import Service

COMMANDS, ROUNDS = 150, 3
_days = itertools.count(1)


def _move() -> MoveForecast:
    i = next(_days)
    day = date(2027, 6, 1) + timedelta(days=i)
    return MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=day, reason=f"bench {i}")


def throughput(installation: Fleet) -> list[Row]:
    """Return commands a second against inserts of the same rows under the same lock, one by one, bare."""
    database = Database(installation.app)
    try:
        service = Service(database.events, CurrentWorld(database.events), clock.now)
        ours, bare = [], []
        for _ in range(ROUNDS):
            head = database.events.head()
            began = time.perf_counter()
            for _ in range(COMMANDS):
                service.execute(OPERATOR, _move(), command_id=CommandId(new_id(24)))
            ours.append(time.perf_counter() - began)
            bare.append(_bare_inserts(installation, head))
    finally:
        database.close()
    ratios = [mine / theirs for mine, theirs in zip(ours, bare, strict=True)]
    return [
        Row(
            f"{COMMANDS} commands on Postgres, one by one",
            median(ratios),
            "of the same inserts, bare",
            6.0,
            spread(ratios),
        )
    ]


def _bare_inserts(installation: Fleet, head: int) -> float:
    """Return the seconds for inserting the rows of those commands again, as psycopg alone does it."""
    with psycopg.connect(installation.owner) as db:
        here = sql.Identifier(SCHEMA, "events")
        text = sql.SQL(
            "SELECT originator_id, originator_version, topic, state FROM {} "
            "WHERE notification_id > %s ORDER BY notification_id"
        )
        rows = db.execute(text.format(here), (head,)).fetchall()
        db.execute("DROP TABLE IF EXISTS bare")
        db.execute(sql.SQL("CREATE TABLE bare (LIKE {} INCLUDING INDEXES)").format(here))
        db.execute("ALTER TABLE bare ALTER notification_id ADD GENERATED ALWAYS AS IDENTITY")
        db.commit()
        began = time.perf_counter()
        for i in range(0, len(rows), 2):
            db.execute("LOCK TABLE bare IN EXCLUSIVE MODE")
            with db.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO bare (originator_id, originator_version, topic, state) VALUES (%s, %s, %s, %s)",
                    rows[i : i + 2],
                )
            db.commit()
        return time.perf_counter() - began


def _settle(installation: Fleet) -> None:
    """Return when everything is disclosed and every worker heard of it, so that no part pays for the one before."""
    database = Database(installation.app)
    try:
        eventually(lambda: database.disclosure.position() >= database.events.head(), 60, "everything is disclosed")
    finally:
        database.close()
    time.sleep(3)  # longer than a worker waits that heard no hint


def storm(installation: Fleet) -> list[Row]:
    """Return what it takes until everybody is back on one worker, against the bare handshakes of the sender."""
    share, (n, root) = installation.shares[0], installation.heads()[installation.shares[0]]
    worker = installation.workers[0]
    assert worker.popen is not None
    target = Target(
        name="a worker of three",
        argv=(),
        path=f"/s/{share}/live",
        headers=(f"Cookie: fanlight={installation.cookies[0]}", f"Origin: {ORIGIN}"),
        hello=json.dumps({"hello": n, "tab": "bench", "v": 2, "root": root[:16]}, separators=(",", ":")),
        newest=n,
    )
    ratios, cpu = [], []
    for _ in range(2):
        with running(baseline()) as server:
            limit = load(server, MANY, at_once=MANY)
        mine = load(Running(target, worker.port, worker.popen.pid), MANY, at_once=MANY)
        ratios.append(mine["open_s"] / limit["open_s"])
        cpu.append(mine["hs_cpu_us"] / limit["hs_cpu_us"])
    bare = f"of the {baseline().name}'s"
    return [
        Row(f"{MANY:,} dashboards back at once on one worker", median(ratios), f"{bare} time", 12.0, spread(ratios)),
        Row(f"{MANY:,} dashboards back at once: CPU a handshake", median(cpu), bare, None, spread(cpu)),
    ]


def statements(installation: Fleet) -> list[Row]:
    """Return how SQL grows with dashboards in a storm on the same shares."""
    few, many = stranded(installation, FEW // 20), stranded(installation, FEW)
    told = f"SQL in a storm of {FEW:,} dashboards on {len(installation.shares)} shares"
    return [
        Row(
            told,
            many / few,
            f"of that of {FEW // 20} dashboards",
            2.5,
            f"{few} and {many} statements, polling included",
        )
    ]


def run() -> list[Row]:
    """Return every row of this bench."""
    pin(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet(Path(folder), workers=3, followers=1, shares=20) as installation,
    ):
        rows: list[Row] = []
        for part in (throughput, storm, statements):
            began = time.monotonic()
            rows += part(installation)
            _settle(installation)
            print(f"  {part.__name__}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        return rows
