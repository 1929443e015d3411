"""The connections of a process to its Postgres.

Rule: taking one costs no statement. One that ended meanwhile is seen at its socket and replaced, and what a connection
is set to is set in the transaction that needs it, so that whoever pools transactions in between may hand on another.
"""

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from eventsourcing.persistence import OperationalError
from eventsourcing.postgres import PostgresDatastore
from psycopg.rows import DictRow
from psycopg_pool import PoolTimeout

WAIT, WAIT_AGAIN = 5.0, 0.3  # seconds for a connection; and while a server is away on which one was waited for already


class Connections(PostgresDatastore):
    """Waits `WAIT` for a connection once. The library tries each statement ten times, and all of them, the next
    statement's too, would wait as long for a server that is away: a minute each, when everything is to be stopped.
    """

    def __init__(self, parts: dict[str, Any], schema: str, *, warm: int, most: int) -> None:
        """`parts` are those of an address as libpq names them; `warm` connections are kept, `most` made."""
        given = dict(parts)
        super().__init__(
            dbname=given.pop("dbname", ""),
            host=given.pop("host", ""),
            port=given.pop("port", 5432),
            user=given.pop("user", ""),
            password=given.pop("password", ""),
            pool_size=warm,
            max_overflow=most - warm,
            max_waiting=0,
            connect_timeout=WAIT,  # of the pool, for one of its connections
            schema=schema,
            originator_id_type="text",
            enable_db_functions=False,
        )
        assert isinstance(self.pool.kwargs, dict)
        self.pool.kwargs.update({"connect_timeout": 5, "client_encoding": "UTF8", **given})  # sslmode and the like

    def after_connect_func(self) -> Callable[[psycopg.Connection[Any]], None]:
        """Return what is done with a new connection."""
        return _autocommit

    def register_type_adapters(self) -> None:
        """Do nothing: rows are sent as lists of what Postgres has anyway (`database_recorders`)."""

    @contextmanager
    def get_connection(self) -> Iterator[psycopg.Connection[DictRow]]:
        """Lend a connection that goes on, in autocommit.

        The pool's own check asks the server each time, and waits for seconds once several have ended.
        """
        try:
            while True:
                with super().get_connection() as connection:
                    self.pool.timeout = WAIT
                    if not ended(connection):
                        yield connection
                        return
                    connection.close()  # the pool makes another
        except OperationalError as error:
            if isinstance(error.__cause__, PoolTimeout):
                self.pool.timeout = WAIT_AGAIN
            raise


def _autocommit(connection: psycopg.Connection[Any]) -> None:
    connection.autocommit = True


def ended(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether a connection has ended while nobody used it; the server is asked only where it said something."""
    waiting = select.poll()
    try:
        waiting.register(connection.fileno(), select.POLLIN)
        if waiting.poll(0):
            connection.execute("")
    except psycopg.OperationalError:
        return True
    return False
