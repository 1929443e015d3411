"""The follower's lease in Postgres, by the database's clock, and the fence inside its transactions."""

import threading
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import (
    PostgresAggregateRecorder,
    PostgresApplicationRecorder,
    PostgresDatastore,
    PostgresProcessRecorder,
)
from psycopg import sql

from domain.language import gettext as _
from projections.installation.lease import LASTS, Tenure
from projections.logs.disclosure_log import CUTS, LeaseLost, TermsMoved

NAME = "follower"
EVENTS = "events"  # the event log's table
WRITING = 10.0  # seconds after which the database ends a transaction that writes, so that others go on
# A writer sends its statements without waiting for answers, so the server sees one that is stopped in between as busy,
# and not as idle in its transaction: only the time of the whole transaction can be bounded.
BOUNDED = sql.SQL("SET LOCAL transaction_timeout = {}").format(sql.Literal(f"{WRITING:g}s"))


def create(db: psycopg.Connection[tuple[Any, ...]], schema: str) -> None:
    """Make the lease's table. The term is part of its key: a writer's lock on its term holds up only a new term."""
    at = sql.Identifier(schema)
    db.execute(
        sql.SQL(
            "CREATE TABLE {}.lease (name text NOT NULL, term bigint NOT NULL, holder text NOT NULL, "
            "since timestamptz, until timestamptz NOT NULL, PRIMARY KEY (name, term))"
        ).format(at)
    )
    db.execute(sql.SQL("INSERT INTO {}.lease VALUES (%s, 0, '', NULL, '-infinity')").format(at), (NAME,))


class DatabaseLease:
    """The lease as a row whose `until` its holder moves on; on a connection of its own, reopened when it breaks."""

    def __init__(self, connect: Callable[[], psycopg.Connection[tuple[Any, ...]]], schema: str) -> None:
        self._connect, self._lock = connect, threading.Lock()
        self._db = connect()
        self._table = sql.Identifier(schema, "lease")

    def take(self, holder: str) -> int | None:
        """Take the lease or keep it; return the term, None while another process has it."""
        rows = self._run(
            "UPDATE {} SET until = clock_timestamp() + make_interval(secs => %s) "
            "WHERE name = %s AND holder = %s AND until > clock_timestamp() RETURNING term",
            (LASTS, NAME, holder),
        )
        rows = rows or self._run(
            "UPDATE {} SET until = clock_timestamp() + make_interval(secs => %s), holder = %s, term = term + 1, "
            "since = clock_timestamp() WHERE name = %s AND until <= clock_timestamp() RETURNING term",
            (LASTS, holder, NAME),
        )
        return int(rows[0][0]) if rows else None

    def release(self, holder: str) -> None:
        """Give up the lease, so that another process can follow at once."""
        self._run("UPDATE {} SET until = '-infinity' WHERE name = %s AND holder = %s RETURNING term", (NAME, holder))

    def tenure(self) -> Tenure:
        """Return which process follows now, and in which term."""
        ((holder, term, left, since),) = self._run(
            "SELECT holder, term, greatest(extract(epoch FROM until - clock_timestamp()), -1e9), since "
            "FROM {} WHERE name = %s",
            (NAME,),
        )
        return Tenure(holder=holder, term=term, left=float(left), since=since)

    def _run(self, text: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock:
            if self._db.closed:
                self._db = self._connect()
            try:
                return self._db.execute(sql.SQL(text).format(self._table), values).fetchall()
            except psycopg.OperationalError:
                self._db.close()
                raise

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


class Asking(PostgresAggregateRecorder):
    """Finds nothing under a name that the database cannot hold, as a folder does: it would refuse the question."""

    def select_events(self, originator_id: UUID | str, **bounds: Any) -> Sequence[StoredEvent]:
        """Return the events of a stream."""
        return [] if "\0" in str(originator_id) else super().select_events(originator_id, **bounds)


class ApplicationRecorder(Asking, PostgresApplicationRecorder):
    """Records events, receipts and the ledger."""


class FencedRecorder(Asking, PostgresProcessRecorder):
    """Records entries only while the follower's term lasts and it knows of all terms that came into force or ended."""

    def __init__(self, datastore: PostgresDatastore, *, events_table_name: str, tracking_table_name: str) -> None:
        super().__init__(datastore, events_table_name=events_table_name, tracking_table_name=tracking_table_name)
        self._fence = sql.SQL("SELECT 1 FROM {}.lease WHERE name = %s AND term = %s FOR KEY SHARE").format(
            sql.Identifier(datastore.schema)
        )
        events = sql.Identifier(datastore.schema, EVENTS)
        self._hold = sql.SQL("LOCK TABLE {} IN SHARE MODE").format(events)  # nobody appends until this is recorded
        self._cut = sql.SQL("SELECT 1 FROM {} WHERE notification_id > %s AND topic = ANY(%s) LIMIT 1").format(events)

    def _insert_events(
        self,
        curs: psycopg.Cursor[Any],
        stored_events: Sequence[StoredEvent],
        *,
        term: int | None = None,
        read: int | None = None,
        **kwargs: Any,
    ) -> None:
        curs.execute(BOUNDED)
        if term is not None and curs.execute(self._fence, (NAME, term)).fetchone() is None:
            message = _("term {term} is over: another process follows", term=term)
            raise LeaseLost(message)
        if read is not None:
            curs.execute(self._hold)
            if curs.execute(self._cut, (read, list(CUTS))).fetchone() is not None:
                raise TermsMoved(read)
        super()._insert_events(curs, stored_events, **kwargs)
