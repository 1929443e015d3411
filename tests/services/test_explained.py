"""Every query the product sends finds what it asks for by an index, on logs of 1,000,000 rows.

The statements are those that a server logged while everything was asked for once: pages and forms of every role, the
JSON API, commands, the follower, receipts, checkpoints, and the command line. Each is planned on the large logs as the
server plans it for its values, and as it plans it once for any; what only reads is carried out there as well, and may
touch pages in proportion to the rows it returns. So a scan that hides behind an index is found too.
"""

import itertools
import json
import re
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from domain.ids import MilestoneId, PersonId
from domain.people.person import ErasePerson
from domain.plan.schedule import MoveForecast
from projections.installation.database import Database, connect, migrate
from tests import statements, world
from tests.postgres import Cluster, create
from tests.statements import Listening, Sent, Statement
from tests.stories.hostile import fields_of, one_by_one
from tests.stories.test_no_500 import Faults, Product, sample
from tests.world import ADMIN, HARBOUR, SHARE, World
from web.cli.main import main
from web.process import signing
from web.render.page import Renderer

pytestmark = [pytest.mark.slow, pytest.mark.folder]

EVENTS = 1_000_000
EVERY = 7  # of what is asked one by one, so much is asked here: each kind many times
GROW = ("events", "disclosure", "receipts", "ledger", "keys")  # tables that grow with the log
# What may read a table from its beginning to its end, or sort it, and why.
MAY = {
    r"SELECT name, key FROM \S+keys": "a copy of the keys is a copy of all of them",
    r"DECLARE \S+ CURSOR": "a copy of the logs is compared with what was copied, row by row",
    r"SELECT 1 FROM \S+ LIMIT 1": "one row, whichever comes first, tells that a table is not empty",
}
# What is no query. The server has no plan for it.
OTHER = re.compile(
    r"BEGIN|COMMIT|ROLLBACK|SET |LOCK TABLE|VACUUM|COPY|CREATE|GRANT|DROP|ALTER|CLOSE|FETCH|DEALLOCATE|DO |\(an empty"
)
FEW = 500  # rows that may be put in order: a part of a stream has as many
PAGES, PAGES_A_ROW = 100, 6  # that a query may touch, and as many more for each row it returns


# everything is asked for


def prepared(server: Cluster, name: str, folder: Path) -> str:
    """Return the address of a database that is made ready as the operators' page says, with the sample in it."""
    migrate(create(server.url(), name), "app")
    signing.signing_key(folder / "signing.key")
    app = server.url(name, "app")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(world, "Folder", lambda _path: Database(app))
        sample(folder)
    return app


def asked_for_everything(app: str, folder: Path) -> None:
    """Ask every door, record by every form and command, and run the command line."""
    product = Product(folder, app)
    faults = Faults()
    with product.client:
        every = one_by_one(fields_of(product.process.services.present.world))
        for asked in itertools.islice(every, None, None, EVERY):
            faults.note(product, asked)
    assert not faults.found, faults.found
    assert sum(faults.statuses.values()) > 300, faults.statuses
    told_over_and_over(app)
    told = ("--database-url", app, "--data", str(folder))
    for words in (
        ("status",), ("verify",), ("shadow", SHARE), ("export", SHARE, "--out", str(folder / "bundle.zip")),
        ("user", "list"), ("key", "show"),
    ):  # fmt: skip
        main([*words, *told])


def told_over_and_over(app: str) -> None:
    """Have the world of the tests record updates, receipts, checkpoints and an erasure there."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(world, "Folder", lambda _path: Database(app))
        made = World(Path("/nowhere"), Renderer())
    for i in range(60):  # past a keyframe
        day = date(2028, 1, 1) + timedelta(days=i)
        moved = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=day, reason="Frost")
        made.tell(moved, key=f"explained-{i}")
        made.claim("displayed", made.folder.disclosure.head(SHARE))
    made.receipts.flush()
    made.notary.sign([SHARE])
    made.bundle()
    made.tell(ErasePerson(person=PersonId("viewer-council"), reason="Asked"), ADMIN, key="explained")
    made.folder.events.erased_people()
    made.folder.snapshots.read()
    made.close()


def copied(server: Cluster, folder: Path) -> None:
    """Copy an installation from a folder into a database, as the owner."""
    made = World(folder / "folder")
    made.harbour()
    made.close()
    signing.signing_key(folder / "folder" / "signing.key")
    migrate(create(server.url(), "copied"))
    assert main(["copy", "--from", str(folder / "folder"), "--to", server.url("copied")]) == 0


# the large logs


def filled(owner: str) -> None:
    """Make every log large, the streams of the sample among them; the rows need not be read."""
    with connect(owner) as db:
        db.execute("SET synchronous_commit = off")
        for table, streams, topics in (
            ("events", ("project-harbour", "project-bulk", "done-bulk."), ("forecast-moved", "command-carried-out")),
            ("disclosure", (f"share-{SHARE}", "share-bulk", "key-bulk"), ("entry", "keyframe")),
            ("receipts", (f"share-{SHARE}", "share-bulk", "active-bulk"), ("batch", "active")),
            ("ledger", ("ledger", "checkpoint bulk", "time-stamped bulk"), ("checkpoint", "at")),
        ):
            own, other, single = streams
            db.execute(
                sql.SQL(
                    "INSERT INTO fanlight.{table} (originator_id, originator_version, topic, state) "
                    "SELECT CASE WHEN i % 10 = 0 THEN {own} WHEN i % 2 = 0 THEN {single} || i ELSE {other} || i % 3000 END,"
                    " CASE WHEN i % 10 = 0 THEN there.n + i / 10 + 1 WHEN i % 2 = 0 THEN 1 ELSE i / 3000 + 1 END,"
                    " CASE WHEN {cuts} AND i % 10007 = 0 THEN 'terms-activated' WHEN i % 2 = 0 THEN {second} ELSE {first} END,"
                    " decode(repeat(md5(i::text), 8), 'hex')"
                    " FROM generate_series(1, {events}) AS i, (SELECT coalesce(max(originator_version), 0) AS n"
                    " FROM fanlight.{table} WHERE originator_id = {own}) AS there ORDER BY i"
                ).format(
                    table=sql.Identifier(table), own=sql.Literal(own), single=sql.Literal(single),
                    other=sql.Literal(other), first=sql.Literal(topics[0]), second=sql.Literal(topics[1]),
                    events=sql.Literal(EVENTS), cuts=sql.Literal(table == "events"),
                )
            )  # fmt: skip
        db.execute(
            "INSERT INTO fanlight_keys.keys SELECT 'entries-bulk' || i || '/0', decode(md5(i::text), 'hex') "
            "FROM generate_series(1, 50000) AS i"
        )
        db.execute("VACUUM (ANALYZE)")


# how each would be answered


def kinds(sent: Sent) -> dict[str, list[Statement]]:
    """Return every statement that was sent, each with its first values, its longest and its last."""
    found: dict[str, list[Statement]] = {}
    for one in sent:
        found.setdefault(one.said, []).append(one)
    chosen = {}
    for said, all_of_it in found.items():
        longest = max(all_of_it, key=lambda one: sum(len(value or "") for value in one.values))
        chosen[said] = list(dict.fromkeys((all_of_it[0], longest, all_of_it[-1])))
    return chosen


class Planner:
    """Asks a database how it would answer."""

    def __init__(self, url: str) -> None:
        self._db = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        self._db.close()

    def faults(self, one: Statement) -> list[str]:
        """Return what is wrong with how a statement is answered, nothing where it is answered by indexes."""
        found = []
        for mode in ("force_custom_plan", "force_generic_plan"):
            plan = self.plan(one, mode)
            found += [f"{fault} ({mode})" for fault in scans(plan)]
        if re.match(r"\(?SELECT", one.said):
            found += self.touches(one)
        return found

    def plan(self, one: Statement, mode: str, *more: str) -> dict[str, Any]:
        """Return the plan of a statement for its values, or for any."""
        with self._db.transaction(force_rollback=True):
            self._db.execute(f"SET LOCAL plan_cache_mode = {mode}")  # type: ignore[call-overload]
            options = sql.SQL(", ").join([sql.SQL("FORMAT JSON"), *map(sql.SQL, more)])  # type: ignore[arg-type]
            if one.values:
                self._db.execute(sql.SQL("PREPARE asked AS {}").format(sql.SQL(one.text)))  # type: ignore[arg-type]
                values = sql.SQL(", ").join(map(sql.Literal, one.values))
                asked = sql.SQL("EXECUTE asked({})").format(values)
            else:
                asked = sql.Composed([sql.SQL(one.text)])  # type: ignore[arg-type]
            try:
                row = self._db.execute(sql.SQL("EXPLAIN ({}) {}").format(options, asked)).fetchone()
            finally:
                if one.values and self._db.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
                    self._db.execute("DEALLOCATE asked")
            assert row is not None
            plan: dict[str, Any] = row[0][0]["Plan"]
            return plan

    def touches(self, one: Statement) -> list[str]:
        """Return whether a query touches more pages than there is reason for."""
        plan = self.plan(one, "force_custom_plan", "ANALYZE", "BUFFERS")
        pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        allowed = PAGES + PAGES_A_ROW * plan["Actual Rows"]
        return [f"{pages:.0f} pages for {plan['Actual Rows']:.0f} rows"] if pages > allowed else []


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def scans(plan: dict[str, Any]) -> list[str]:
    """Return where a plan reads a table that grows from its beginning to its end, or sorts one."""
    found = []
    for node in nodes(plan):
        tables = {below["Relation Name"] for below in nodes(node) if below.get("Relation Name") in GROW}
        if node["Node Type"] == "Seq Scan" and tables:
            found.append(f"a sequential scan of {node['Relation Name']}")
        if "Sort" in node["Node Type"] and tables and node["Plan Rows"] > FEW:
            found.append(f"a sort of {', '.join(sorted(tables))}")
    return found


# the test


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Sent]]:
    """The owner's address of a database with large logs, and all that was sent to those where everything was asked for."""
    folder = tmp_path_factory.mktemp("explained")
    with statements.listened() as server:
        server.execute("CREATE ROLE app LOGIN")
        listening = Listening(server)
        app = prepared(server, "asked", folder)
        asked_for_everything(app, folder)
        copied(server, folder)
        sent = listening.sent()
        server.execute("ALTER SYSTEM SET log_statement = 'none'")
        server.execute("SELECT pg_reload_conf()")
        filled(server.url("asked"))
        yield server.url("asked"), sent
    shutil.rmtree(folder, ignore_errors=True)


def test_every_query_finds_what_it_asks_for_by_an_index(asked: tuple[str, Sent]) -> None:
    owner, sent = asked
    every = kinds(sent)
    queries = {said: some for said, some in every.items() if not OTHER.match(said)}
    planner, found = Planner(owner), []
    used: set[str] = set()
    for said, some in sorted(queries.items()):
        if reason := next((pattern for pattern in MAY if re.match(pattern, said)), ""):
            used.add(reason)
            continue
        if "fanlight" not in said:  # of the server itself: its settings, its catalogue
            continue
        for one in some:
            found += [f"{fault}: {said[:300]} with {str(one.values)[:200]}" for fault in planner.faults(one)]
    planner.close()
    print(f"{len(sent)} statements of {len(every)} kinds, {len(queries)} of them queries")
    assert not found, "\n".join(dict.fromkeys(found))
    assert used == set(MAY), f"nothing of this kind is sent any more: {set(MAY) - used}"
    for table in GROW:  # every log was asked, and written to
        assert any(f'"{table}"' in said or f".{table}" in said for said in queries), table
    assert len(queries) >= 35, "\n".join(sorted(queries))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("SELECT * FROM fanlight.events WHERE topic = $1", "a sequential scan of events"),
        ("SELECT * FROM fanlight.disclosure WHERE originator_id > $1 ORDER BY state LIMIT 5", "a sort of disclosure"),
        ("SELECT * FROM fanlight.events WHERE notification_id > 0 AND topic = $1 ORDER BY notification_id LIMIT 5", "pages for"),
    ],
)  # fmt: skip
def test_a_query_that_has_no_index_would_be_found(asked: tuple[str, Sent], text: str, fault: str) -> None:
    planner = Planner(asked[0])
    assert any(fault in one for one in planner.faults(Statement("", "", text, ("nothing-like-it",))))
    planner.close()


def test_without_the_index_of_topics_terms_that_came_into_force_would_be_looked_for_in_the_whole_log(
    asked: tuple[str, Sent],
) -> None:
    """What a database of an earlier version does until it is migrated, and that migrating mends it."""
    owner, sent = asked
    sought = next(some for said, some in kinds(sent).items() if "topic IN ('person-erased')" in said)
    planner = Planner(owner)
    with connect(owner) as db:
        db.execute("DROP INDEX fanlight.events_sought")
        assert planner.faults(sought[0])
        migrate(owner, "app")
        db.execute("ANALYZE fanlight.events")
    assert planner.faults(sought[0]) == []
    planner.close()


def test_plans_are_read_as_the_server_writes_them() -> None:
    """A plan with everything that is refused, so that a name that changes would be noticed."""
    plan = json.loads(
        '{"Node Type": "Sort", "Plan Rows": 501, "Plans": [{"Node Type": "Seq Scan", "Relation Name": "receipts"}]}'
    )
    assert scans(plan) == ["a sort of receipts", "a sequential scan of receipts"]
