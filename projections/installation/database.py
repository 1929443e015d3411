"""One installation in a Postgres database: each log a table, written by the event-store library alone.

Rule: appends to a log are serialised by its table lock, so that a follower never passes over a row. What would break
that is refused at the start: the library's database functions, settings with less durability, a server too old to let
the application's role lock a table without the right to change its rows.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from domain.events import Recorded
from domain.language import gettext as _
from projections.events.event_log import BATCH, PERSON_ERASED, Unreadable
from projections.installation import database_lease
from projections.installation.database_lease import DatabaseLease
from projections.installation.database_pool import Connections
from projections.installation.database_recorders import FencedRecorder, Recorder
from projections.installation.folder import AWAY, Logs
from projections.logs.disclosure_log import CUTS, Row

SCHEMA, KEYS_SCHEMA = "fanlight", "fanlight_keys"  # a dump without the second one is a backup of the logs alone
LOGS = ("events", "disclosure", "receipts", "ledger")
SOUGHT = (*CUTS, PERSON_ERASED)  # topics that the event log is asked for
TRACKING = "disclosure_position"
VERSION = 1  # of the tables; docs/decisions/0008
OLDEST = 170000  # Postgres 17: MAINTAIN, the right to lock a table without the right to change its rows
POOL, CONNECTIONS = 4, 16  # that a process keeps, and makes at most, for its logs
BESIDE = 3  # more that it makes: for keys, for the lease, and for what is done once
IDLE = 4.0  # seconds for which a process that is stopped between two statements of a transaction holds up others
FRESH = 0.5  # seconds for which another process's destruction of a key may go unnoticed


class Unusable(Exception):
    """The database cannot be used as it is; the message says what to do."""


class Database(Logs):
    """The logs and keys in a database that `migrate` prepared."""

    def __init__(self, url: str, *, connections: int = CONNECTIONS, anywhere: bool = False) -> None:
        """Open it; with `anywhere` also on another server than its record was made on, for `fanlight restored`.

        It makes at most so many `connections` for its logs, and `BESIDE` more. Raises: Unusable.
        """
        refuse_unsafe(url, anywhere=anywhere)
        self._datastore = _datastore(url, connections)
        events, receipts, ledger = (_application(self._datastore, name) for name in ("events", "receipts", "ledger"))
        disclosure = self._entries = _process(self._datastore)
        super().__init__(named(url), events, disclosure, receipts, ledger, DatabaseKeys(url))
        self._lease = DatabaseLease(lambda: connect(url), SCHEMA)
        self.lease, self.shared = self._lease, True
        self._keep_snapshots(DatabaseSnapshots(url))
        self.away = (*AWAY, psycopg.OperationalError, Unusable)  # also what the keys and the lease raise
        self.unreadable = (*self.unreadable, psycopg.Error, Unusable)
        with connect(url) as db:
            self.installation = _identity(db)[0]

    def entries_and_events(
        self, place: int, limit: int, position: int
    ) -> tuple[list[Row], list[Recorded | Unreadable]]:
        """Return entries after a place and the events after a position by one statement, which sees one moment."""
        rows, events = self._entries.select_entries_and_events(place, limit, position, BATCH)
        return self.disclosure.placed(rows), self.events.opened(events)

    def close(self) -> None:
        """Close every connection."""
        self._datastore.close()
        self._lease.close()
        super().close()


def _application(datastore: Connections, name: str) -> Recorder:
    return Recorder(datastore, events_table_name=name)


def _process(datastore: Connections) -> FencedRecorder:
    return FencedRecorder(datastore, events_table_name="disclosure", tracking_table_name=TRACKING)


class DatabaseSnapshots:
    """The snapshot in a table of its own, which may be emptied at any time; without the table none is kept."""

    def __init__(self, url: str) -> None:
        self._url = url

    def read(self) -> list[bytes]:
        """Return the rows, none where there is no snapshot."""
        with connect(self._url) as db:
            if not _keeps_snapshots(db):
                return []
            return [bytes(row[0]) for row in db.execute(_of_snapshot("SELECT part FROM {} ORDER BY n"))]

    def write(self, rows: Sequence[bytes]) -> None:
        """Replace the rows, all or none."""
        with connect(self._url) as db:
            if _keeps_snapshots(db):
                with db.transaction(), db.cursor() as cursor:
                    cursor.execute(_of_snapshot("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE"))
                    cursor.execute(_of_snapshot("DELETE FROM {}"))
                    cursor.executemany(_of_snapshot("INSERT INTO {} VALUES (%s, %s)"), list(enumerate(rows)))

    def clear(self) -> None:
        """Remove the rows."""
        with connect(self._url) as db:
            if _keeps_snapshots(db):
                db.execute(_of_snapshot("DELETE FROM {}"))


def _of_snapshot(statement: str) -> sql.Composed:
    return sql.SQL(statement).format(sql.Identifier(SCHEMA, "snapshot"))


def _keeps_snapshots(db: psycopg.Connection[tuple[Any, ...]]) -> bool:
    """Tell whether there is the table, and it may be written: it came with a later version than the logs."""
    table = f"{SCHEMA}.snapshot"
    row = db.execute("SELECT to_regclass(%s)", (table,)).fetchone()
    if row is None or row[0] is None:
        return False
    may = db.execute("SELECT has_table_privilege(%s, 'SELECT,INSERT,DELETE')", (table,)).fetchone()
    return bool(may and may[0])


def _datastore(url: str, connections: int = CONNECTIONS) -> Connections:
    return Connections(_parts(url), SCHEMA, warm=min(POOL, connections), most=connections)


def _parts(url: str) -> dict[str, Any]:
    try:
        return {key: value for key, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.ProgrammingError as error:
        raise Unusable(
            _("the database's address cannot be read: {error}. Expected postgresql://user@host/name.", error=error)
        ) from None


def named(url: str) -> str:
    """Return a database's address in words, without its password."""
    parts = _parts(url)
    return _(
        "database {dbname} at {host}:{port}",
        dbname=parts.get("dbname", ""),
        host=parts.get("host", _("the local socket")),
        port=parts.get("port", 5432),
    )


def connect(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    """Return a connection in autocommit.

    Raises: Unusable.
    """
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        answer = str(error).strip().splitlines()[-1] if str(error).strip() else _("no answer")
        raise Unusable(_("{url} cannot be reached: {told}", url=named(url), told=answer)) from None


def room(url: str) -> tuple[int, int]:
    """Return how many connections a server has free for everybody, and how many it takes in all.

    Raises: Unusable.
    """
    with connect(url) as db:
        row = db.execute(
            "SELECT current_setting('max_connections')::int, current_setting('superuser_reserved_connections')::int"
            " + current_setting('reserved_connections')::int, count(*)"
            " FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()
    assert row is not None
    most, kept, used = row
    return max(0, most - kept - used), most


# what is refused


def refuse_unsafe(url: str, environment: Mapping[str, str] | None = None, *, anywhere: bool = False) -> None:
    """Raise Unusable when a setting would lose what was acknowledged, or the tables are not those of this version.

    `anywhere` lets it be another server, or another timeline of it, than the record was made on.
    """
    functions = (os.environ if environment is None else environment).get("POSTGRES_ENABLE_DB_FUNCTIONS", "")
    if functions.strip().lower() in ("y", "yes", "t", "true", "on", "1"):
        raise Unusable(_("POSTGRES_ENABLE_DB_FUNCTIONS is on: followers would pass over rows for ever. Unset it."))
    with connect(url) as db:
        _refuse_server(db)
        version = installed(db)
        if version != VERSION:
            state = (
                _("is empty")
                if not version
                else _(
                    "has the tables of version {found}, this program needs {version}", found=version, version=VERSION
                )
            )
            raise Unusable(_("{url} {state}. Run: fanlight migrate", url=named(url), state=state))
        _other, server, timeline = _identity(db)
        if (server, timeline) != lineage(db) and not anywhere:
            raise Unusable(
                _(
                    "{url} goes on from a backup or on another server than before, so updates that clients have "
                    "seen may be missing. Run, as its owner: fanlight restored",
                    url=named(url),
                )
            )


def _refuse_server(db: psycopg.Connection[tuple[Any, ...]]) -> None:
    if db.info.server_version < OLDEST:
        raise Unusable(
            _(
                "Postgres {server_version} is too old: 17 or newer is needed.",
                server_version=db.info.server_version // 10000,
            )
        )
    if (encoding := db.info.parameter_status("server_encoding")) != "UTF8":
        raise Unusable(
            _(
                "This database keeps text as {encoding}. Make it anew with UTF8: createdb -T template0 -E UTF8",
                encoding=encoding,
            )
        )
    for name, safe, why in (
        ("fsync", ("on",), _("a power failure would lose what was acknowledged")),
        ("full_page_writes", ("on",), _("a power failure could tear pages")),
        (
            "synchronous_commit",
            ("on", "remote_apply", "remote_write", "local"),
            _("a crash would lose what was acknowledged"),
        ),
        ("default_transaction_read_only", ("off",), _("nothing could be recorded")),
    ):
        row = db.execute("SELECT current_setting(%s)", (name,)).fetchone()
        if row is None or row[0] not in safe:
            value = row[0] if row else _("unknown")
            raise Unusable(
                _(
                    "Postgres runs with {name} = {value}: {why}. Expected {safe}.",
                    name=name,
                    value=value,
                    why=why,
                    safe=" / ".join(safe),
                )
            )
    recovery = db.execute("SELECT pg_is_in_recovery()").fetchone()
    if recovery and recovery[0]:
        raise Unusable(_("This Postgres is a standby. Fanlight reads and writes the primary alone."))


def lineage(db: psycopg.Connection[tuple[Any, ...]]) -> tuple[str, int]:
    """Return the server's own identifier and its timeline, which a restored backup changes."""
    row = db.execute(
        "SELECT system_identifier::text, timeline_id FROM pg_control_system(), pg_control_checkpoint()"
    ).fetchone()
    assert row is not None
    return str(row[0]), int(row[1])


def _identity(db: psycopg.Connection[tuple[Any, ...]]) -> tuple[str, str, int]:
    """Return the installation's own random name, and the server and timeline its record was made on."""
    statement = sql.SQL("SELECT id, server, timeline FROM {}.installation").format(sql.Identifier(SCHEMA))
    row = db.execute(statement).fetchone()
    assert row is not None
    return str(row[0]), str(row[1]), int(row[2])


def adopt(url: str) -> None:
    """Take the server and timeline that the database is on now for those of its record.

    Raises: Unusable.
    """
    with connect(url) as db:
        table = sql.SQL("UPDATE {}.installation SET server = %s, timeline = %s").format(sql.Identifier(SCHEMA))
        db.execute(table, lineage(db))


def installed(db: psycopg.Connection[tuple[Any, ...]]) -> int:
    """Return the version of the tables, 0 when there are none."""
    table = db.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.migrations",)).fetchone()
    if not table or table[0] is None:
        return 0
    newest = db.execute(sql.SQL("SELECT max(version) FROM {}.migrations").format(sql.Identifier(SCHEMA))).fetchone()
    return int(newest[0] or 0) if newest else 0


# preparing


def migrate(url: str, role: str = "") -> list[str]:
    """Prepare a database as its owner, and let `role` append to the logs and read them; return what was done.

    Safe to repeat, and to begin several times at once. Raises: Unusable.
    """
    with connect(url) as db:
        _refuse_server(db)
        db.execute("SELECT pg_advisory_lock(hashtextextended('fanlight migrate', 0))")  # until this connection ends
        version = installed(db)
        if version > VERSION:
            raise Unusable(
                _(
                    "{url} has the tables of version {found}, newer than this program's {version}.",
                    url=named(url),
                    found=version,
                    version=VERSION,
                )
            )
        if not version:
            _create_tables(db, url)
        db.execute(_of_snapshot("CREATE TABLE IF NOT EXISTS {} (n integer PRIMARY KEY, part bytea NOT NULL)"))
        _index_topics(db)
        if role:
            _grant(db, role)
    done = [
        _("{url}: tables of version {version}", url=named(url), version=VERSION)
        + ("" if not version else _(", as before"))
    ]
    return [*done, _("role {role} may append and read", role=role)] if role else done


def _create_tables(db: psycopg.Connection[tuple[Any, ...]], url: str) -> None:
    for schema in (SCHEMA, KEYS_SCHEMA):
        db.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
    datastore = _datastore(url)
    try:
        for name in ("events", "receipts", "ledger"):
            _application(datastore, name).create_table()
        _process(datastore).create_table()
    finally:
        datastore.close()
    here, keys = sql.Identifier(SCHEMA), sql.Identifier(KEYS_SCHEMA)
    # the library's function inserts without the table lock, so it must not exist
    db.execute(sql.SQL("DROP FUNCTION IF EXISTS {}.es_insert_events_text").format(here))
    db.execute(
        sql.SQL(
            "CREATE OR REPLACE FUNCTION {}.refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN RAISE EXCEPTION 'what is recorded is never changed'; END$$"
        ).format(here)
    )
    for name in LOGS:
        db.execute(
            sql.SQL(
                "CREATE OR REPLACE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON {}.{} "
                "FOR EACH STATEMENT EXECUTE FUNCTION {}.refuse()"
            ).format(here, sql.Identifier(name), here)
        )
    db.execute(sql.SQL("CREATE TABLE {}.keys (name text PRIMARY KEY, key bytea NOT NULL)").format(keys))
    db.execute(sql.SQL("CREATE TABLE {}.destroyed (count bigint NOT NULL)").format(keys))
    db.execute(sql.SQL("INSERT INTO {}.destroyed VALUES (0)").format(keys))
    database_lease.create(db, SCHEMA)
    db.execute(
        sql.SQL("CREATE TABLE {}.installation (id text NOT NULL, server text NOT NULL, timeline int NOT NULL)").format(
            here
        )
    )
    identity = sql.SQL("INSERT INTO {}.installation VALUES (%s, %s, %s)").format(here)
    db.execute(identity, (secrets.token_hex(8), *lineage(db)))
    db.execute(
        sql.SQL("CREATE TABLE {}.migrations (version integer PRIMARY KEY, at timestamptz NOT NULL)").format(here)
    )
    db.execute(sql.SQL("INSERT INTO {}.migrations VALUES (%s, now())").format(here), (VERSION,))


def _index_topics(db: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Have events that are looked for by their topic found without reading the log; no other event pays for it."""
    db.execute(
        sql.SQL("CREATE INDEX IF NOT EXISTS events_sought ON {}.events (notification_id) WHERE topic IN ({})").format(
            sql.Identifier(SCHEMA), sql.SQL(", ").join(map(sql.Literal, SOUGHT))
        )
    )


def _grant(db: psycopg.Connection[tuple[Any, ...]], role: str) -> None:
    to, here, keys = sql.Identifier(role), sql.Identifier(SCHEMA), sql.Identifier(KEYS_SCHEMA)
    if db.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is None:
        raise Unusable(
            _("There is no role {role!r}. Create it first: CREATE ROLE {role} LOGIN PASSWORD '...'", role=role)
        )
    db.execute(sql.SQL("GRANT USAGE ON SCHEMA {}, {} TO {}").format(here, keys, to))
    db.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(here, to))
    for name in LOGS:
        db.execute(sql.SQL("GRANT SELECT, INSERT, MAINTAIN ON {}.{} TO {}").format(here, sql.Identifier(name), to))
    db.execute(sql.SQL("GRANT SELECT, INSERT, UPDATE ON {}.{} TO {}").format(here, sql.Identifier(TRACKING), to))
    db.execute(sql.SQL("GRANT SELECT, UPDATE ON {}.lease TO {}").format(here, to))
    db.execute(sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON {}.snapshot TO {}").format(here, to))
    db.execute(sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA {} TO {}").format(here, to))
    db.execute(sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON {}.keys TO {}").format(keys, to))
    db.execute(sql.SQL("GRANT SELECT, UPDATE ON {}.destroyed TO {}").format(keys, to))


# keys


_IDLE = sql.SQL("SET LOCAL idle_in_transaction_session_timeout = {}").format(sql.Literal(f"{IDLE:g}s"))


class DatabaseKeys:
    """Keys in a schema of their own. A deleted key is rewritten out of the table at once; the write-ahead log keeps
    it until that log is recycled, and the operator has to destroy archives of it. Thread-safe.
    """

    def __init__(self, url: str) -> None:
        self._url, self._lock = url, threading.RLock()
        self._texts: dict[str, str] = {}
        self._db = connect(url)
        self._counted, self._at = 0, -FRESH

    def version(self) -> int:
        """Return how often keys were destroyed, up to half a second late."""
        with self._lock:
            if time.monotonic() - self._at >= FRESH:
                row = self._run("SELECT count FROM {}.destroyed").fetchone()
                self._counted, self._at = int(row[0]) if row else 0, time.monotonic()
            return self._counted

    def look(self) -> None:
        """Ask now how often keys were destroyed, so that whoever needs one within half a second need not ask."""
        with self._lock:
            self._at = -FRESH
            self.version()

    def read(self, name: str) -> bytes | None:
        """Return a key."""
        row = self._run("SELECT key FROM {}.keys WHERE name = %s", (name,)).fetchone()
        return bytes(row[0]) if row else None

    def keep(self, name: str, key: bytes) -> bytes:
        """Keep a key unless there is one of this name; return the one that is kept."""
        while True:
            row = self._run(
                "WITH made AS (INSERT INTO {0}.keys VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING key) "
                "SELECT key FROM made UNION ALL SELECT key FROM {0}.keys WHERE name = %s",
                (name, key, name),
            ).fetchone()
            if row is not None:  # else somebody keeps one at this moment: it is there once they have
                return bytes(row[0])

    def delete(self, name: str) -> bool:
        """Destroy a key; return whether there was one."""
        with self._lock:
            gone = self._run("DELETE FROM {}.keys WHERE name = %s", (name,)).rowcount > 0
            self._overwrite()
            return gone

    def change(self, name: str, how: Callable[[bytes | None], bytes]) -> bytes:
        """Replace a key by what `how` makes of it, in one transaction, and return that.

        `how` may be asked again, with what there is by then, where the connection broke meanwhile.
        """
        with self._lock:
            self.version()
            try:
                key = self._changed(name, how)
            except psycopg.Error:
                if not self._db.closed:
                    raise
                self._db = connect(self._url)
                key = self._changed(name, how)
            self._overwrite()
            return key

    def _changed(self, name: str, how: Callable[[bytes | None], bytes]) -> bytes:
        """Change a key on one connection: on another the lock would be gone, and what was destroyed could come back."""
        db = self._db
        with db.transaction():
            db.execute(_IDLE)
            db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))
            row = db.execute(self._text("SELECT key FROM {}.keys WHERE name = %s"), (name,)).fetchone()
            key = how(bytes(row[0]) if row else None)
            changed = "INSERT INTO {}.keys VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET key = excluded.key"
            db.execute(self._text(changed), (name, key))
        return key

    def all(self) -> list[tuple[str, bytes]]:
        """Return every key with its name."""
        return [(str(name), bytes(key)) for name, key in self._run("SELECT name, key FROM {}.keys ORDER BY name")]

    def _overwrite(self) -> None:
        self._run("UPDATE {}.destroyed SET count = count + 1")
        self._run("VACUUM FULL {}.keys")
        self._at = -FRESH

    def _run(self, text: str, values: tuple[object, ...] = ()) -> psycopg.Cursor[tuple[Any, ...]]:
        statement = self._text(text)
        with self._lock:
            try:
                return self._db.execute(statement, values)
            except psycopg.OperationalError:
                if self._db.info.transaction_status != psycopg.pq.TransactionStatus.IDLE and not self._db.closed:
                    raise
                self._db.close()
                self._db = connect(self._url)
                return self._db.execute(statement, values)

    def _text(self, text: str) -> str:
        if text not in self._texts:
            self._texts[text] = sql.SQL(text).format(sql.Identifier(KEYS_SCHEMA)).as_string()
        return self._texts[text]

    def close(self) -> None:
        """Close the connection."""
        self._db.close()
