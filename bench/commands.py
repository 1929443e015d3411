"""What a command sends to Postgres, and the time it takes, against inserting the same rows bare.

Rule: statements and transactions are those of the server's own log, nothing left out. Both sides of the ratio of times
are of one run, one after the other in turn, on one connection each, with the durability that the product asks for; the
time of a commit alone is printed, as the ratio depends on what the disk takes.
"""

import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import psycopg
from psycopg import sql

from bench.gate import Row, median, spread
from domain.ids import CommandId, MilestoneId
from domain.plan.schedule import MoveForecast
from projections.events.present import CurrentWorld
from projections.follow.follower import Follower, FollowerPorts
from projections.installation import database
from projections.installation.database import SCHEMA, Database, migrate
from tests import postgres, statements, world
from tests.postgres import create
from tests.statements import Listening, Sent
from tests.world import HARBOUR, World, salt
from web import clock
from web.ids import new_id
from web.render.page import Renderer
from web.write.permission import OPERATOR
from web.write.service import Service

COMMANDS, ROUNDS = 200, 7
TOGETHER = 20  # commands that wait for the follower
BARE = "INSERT INTO bare (originator_id, originator_version, topic, state) VALUES (%s, %s, %s, %s)"
_days = itertools.count(1)


def _move() -> MoveForecast:
    i = next(_days)
    day = date(2027, 6, 1) + timedelta(days=i % 2000)
    return MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=day, reason=f"bench {i}")


class _Product:
    """The write side and the follower of one process, on a database with the sample project."""

    def __init__(self, url: str) -> None:
        self.logs = Database(url)
        opened, world.Folder = world.Folder, lambda _path: self.logs  # type: ignore[misc,assignment]
        try:
            World(Path("/nowhere"), Renderer(), start=clock.now() - timedelta(hours=3)).harbour()
        finally:
            world.Folder = opened  # type: ignore[misc]
        self.present = CurrentWorld(self.logs.events, follow=self.logs.disclosure.position())
        self.service = Service(self.logs.events, self.present, clock.now)
        ports = FollowerPorts(clock=clock.now, salt=salt, feed=self.present.feed)
        self.follower = Follower(self.logs.events, self.logs.disclosure, Renderer(), ports)

    def tell(self, commands: int = 1) -> float:
        """Carry out commands as they come in, one by one, and return the seconds that took."""
        told = [(_move(), CommandId(new_id(24))) for _ in range(commands)]
        began = time.perf_counter()
        for command, name in told:
            self.service.execute(OPERATOR, command, command_id=name)
        return time.perf_counter() - began

    def follow(self) -> None:
        while self.follower.step():
            pass


@contextmanager
def _product(server: postgres.Cluster, name: str) -> Iterator[tuple[str, _Product]]:
    url = create(server.url(), name)
    migrate(url)
    product = _Product(url)
    try:
        yield url, product
    finally:
        product.logs.close()


def counted() -> list[Row]:
    """Return what a command and an update send."""
    fresh, database.FRESH = database.FRESH, 1e9  # what is asked by the clock and not for a command
    try:
        with statements.listened() as server, _product(server, "counted") as (_url, product):
            product.tell(3)
            product.follow()
            listening = Listening(server)
            product.tell()
            command = _said(listening)
            product.follow()
            update = _said(listening)
            product.tell(TOGETHER)
            listening.anew()
            product.follower.step()
            batch = _said(listening)
    finally:
        database.FRESH = fresh
    each = len(batch) / TOGETHER
    return [
        Row(
            "a command on Postgres: statements", len(command), "in all", 8, "16 before, checks of connections included"
        ),
        Row("a command on Postgres: transactions", command.transactions, "in all", 2, "10 before"),
        Row("an update on Postgres: statements", len(update), "in all", None, f"{update.transactions} transactions"),
        Row(f"an update on Postgres, {TOGETHER} at once", each, "statements for each"),
    ]


def _said(listening: Listening) -> Sent:
    sent = listening.sent()
    listening.anew()
    print(sent.told(), file=sys.stderr)
    return sent


def timed() -> list[Row]:
    """Return the time of commands one by one, against inserts of the same rows under the same lock, bare."""
    ours, bare, commits = list[float](), list[float](), list[float]()
    with postgres.running() as server, _product(server, "timed") as (url, product), psycopg.connect(url) as db:
        _make_bare(db)
        product.tell(COMMANDS // 4)
        for _ in range(ROUNDS):
            head = product.logs.events.head()
            ours.append(product.tell(COMMANDS))
            bare.append(_bare(db, head))
            commits.append(_commits(db))
    ratios = [mine / theirs for mine, theirs in zip(ours, bare, strict=True)]
    alone = (
        f"a commit takes {median(commits) / COMMANDS * 1e6:.0f} us, a command {median(ours) / COMMANDS * 1e6:.0f} us"
    )
    told = f"a command on Postgres: time, of {COMMANDS}"
    return [Row(told, median(ratios), "of the same inserts, bare", 1.8, f"{alone}; {spread(ratios)}")]


def _make_bare(db: psycopg.Connection[tuple[object, ...]]) -> None:
    db.execute(
        sql.SQL("CREATE TABLE bare (LIKE {} INCLUDING INDEXES)").format(sql.Identifier(SCHEMA, "events"))
    )  # with every index of the log
    db.execute("ALTER TABLE bare ALTER notification_id ADD GENERATED ALWAYS AS IDENTITY")
    db.execute("CREATE TABLE one (at timestamptz)")
    db.commit()


def _bare(db: psycopg.Connection[tuple[object, ...]], head: int) -> float:
    """Return the seconds for inserting the rows of those commands again, as psycopg alone does it."""
    text = sql.SQL(
        "SELECT originator_id, originator_version, topic, state FROM {} "
        "WHERE notification_id > %s ORDER BY notification_id"
    )
    rows = db.execute(text.format(sql.Identifier(SCHEMA, "events")), (head,)).fetchall()
    db.commit()
    began = time.perf_counter()
    for i in range(0, len(rows), 2):
        db.execute("LOCK TABLE bare IN EXCLUSIVE MODE")
        with db.cursor() as cursor:
            cursor.executemany(BARE, rows[i : i + 2])
        db.commit()
    return time.perf_counter() - began


def _commits(db: psycopg.Connection[tuple[object, ...]]) -> float:
    """Return the seconds for as many commits of one row."""
    began = time.perf_counter()
    for _ in range(COMMANDS):
        db.execute("INSERT INTO one VALUES (now())")
        db.commit()
    return time.perf_counter() - began


def run() -> list[Row]:
    """Return every row of this bench."""
    print(f"  databases lie in {tempfile.gettempdir()}", file=sys.stderr)
    return [*counted(), *timed()]
