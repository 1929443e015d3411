"""A transaction that is sent to Postgres as a whole, before its first answer is waited for; docs/decisions/0039.

Rule: libpq itself sends and reads here (`psycopg.pq`). psycopg's own pipeline says the same to the server, and takes
three times the processor time for it.
"""

import re
import select
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import errors
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

TEXT, BIGINT, BYTEA = 25, 20, 17  # types by the numbers that Postgres has for them, which never change
_NAMED = re.compile(r"%\((\w+)\)s")
_DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
_NOTHING: Mapping[str, Any] = {}

Row = tuple[bytes | None, ...]  # the text of each value, None for NULL


class Array(bytes):
    """A list of values as Postgres takes it in binary."""

    __slots__ = ()

    @classmethod
    def of(cls, kind: int, values: Sequence[bytes]) -> "Array":
        """Return values of one kind (`TEXT`, `BIGINT`, `BYTEA`), each as the bytes of it, as a list."""
        head = (1, 0, kind, len(values), 1) if values else (0, 0, kind)
        return cls(b"".join([*map(_whole, head), *(part for value in values for part in (_whole(len(value)), value))]))


def _whole(number: int) -> bytes:
    return number.to_bytes(4)


class Statement:
    """The text of a statement with named values, as `%(name)s`. Each connection prepares it once."""

    def __init__(self, text: str) -> None:
        self._names = tuple(dict.fromkeys(_NAMED.findall(text)))
        self.text = _NAMED.sub(lambda found: f"${self._names.index(found[1]) + 1}", text).encode()
        self.name = b"fanlight-" + sha256(self.text).hexdigest()[:16].encode()

    def values(self, given: Mapping[str, Any]) -> list[bytes | None]:
        """Return the values in the order of the statement; numbers and texts as text."""
        return [
            value if value is None or isinstance(value, Array) else str(value).encode()
            for value in map(given.__getitem__, self._names)
        ]


BEGIN, COMMIT = Statement("BEGIN"), Statement("COMMIT")
_prepared: WeakKeyDictionary[psycopg.Connection[Any], set[bytes]] = WeakKeyDictionary()


class Transaction:
    """One transaction on a connection that is idle and in autocommit.

    After an error the connection has to be closed, as it is not known what of the transaction arrived.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._libpq, self._prepared = connection.pgconn, _prepared.setdefault(connection, set())
        self._new: set[bytes] = set()
        self._sent: list[bytes] = []  # what an answer is of: the name of a statement, b"" for the preparation of one
        self._libpq.enter_pipeline_mode()
        self.send(BEGIN)

    def send(self, statement: Statement, given: Mapping[str, Any] = _NOTHING) -> None:
        """Send a statement with its values."""
        if statement.name not in self._prepared and statement.name not in self._new:
            self._libpq.send_prepare(statement.name, statement.text)
            self._new.add(statement.name)
            self._sent.append(b"")
        values = statement.values(given)
        formats = [1 if isinstance(value, Array) else 0 for value in values]
        self._libpq.send_query_prepared(statement.name, values, formats)
        self._sent.append(statement.name)

    def committed(self, asked: Statement) -> list[Row]:
        """Return what one of its statements answers, once all of them are committed.

        Raises: psycopg.Error for the first that fails.
        """
        self.send(COMMIT)
        self._libpq.pipeline_sync()
        answer = _answers(self._libpq)[self._sent.index(asked.name)]
        self._libpq.exit_pipeline_mode()
        self._prepared |= self._new
        columns = range(answer.nfields)
        return [tuple([answer.get_value(row, column) for column in columns]) for row in range(answer.ntuples)]


def _answers(libpq: PGconn) -> list[PGresult]:
    """Return the answers to all that was sent.

    Raises: psycopg.Error for the first that is an error.
    """
    waiting = select.poll()
    waiting.register(libpq.socket, select.POLLIN | select.POLLOUT)
    while libpq.flush():
        if any(ready & ~select.POLLOUT for _socket, ready in waiting.poll()):
            libpq.consume_input()  # or both sides would wait for the other to read
    waiting.modify(libpq.socket, select.POLLIN)
    found: list[PGresult] = []
    while True:
        while libpq.is_busy():
            waiting.poll()
            libpq.consume_input()
        answer = libpq.get_result()
        if answer is None:  # all of one statement
            if libpq.status == ConnStatus.BAD:
                raise psycopg.OperationalError(libpq.get_error_message())
        elif answer.status == ExecStatus.PIPELINE_SYNC:
            return found
        elif answer.status in _DONE:
            found.append(answer)
        else:
            raise _error(answer)


def _error(answer: PGresult) -> psycopg.Error:
    state = (answer.error_field(DiagnosticField.SQLSTATE) or b"").decode()
    try:
        kind = errors.lookup(state)
    except KeyError:  # it does not come from the server
        kind = psycopg.OperationalError
    return kind(answer.get_error_message())
