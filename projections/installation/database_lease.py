"""The follower's lease in Postgres, by the database's clock. Its fence is in `database_recorders`."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

from projections.installation.lease import LASTS, Tenure

NAME = "follower"


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
