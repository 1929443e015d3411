"""A transaction that is sent as a whole: what arrives is what was given, and what fails is told as psycopg tells it."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from projections.installation.database_writing import BIGINT, BYTEA, TEXT, Array, Statement, Transaction
from tests import postgres
from tests.postgres import create

pytestmark = pytest.mark.once
HOLD = Statement("LOCK TABLE kept IN EXCLUSIVE MODE")
KEEP = Statement(
    "INSERT INTO kept SELECT * FROM unnest(%(texts)s::text[], %(numbers)s::bigint[], %(bytes)s::bytea[]) "
    "RETURNING number, text, %(beside)s::bigint, text = 'a'"
)


@pytest.fixture(scope="module")
def connection() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with postgres.running() as server, psycopg.connect(create(server.url(), "writing"), autocommit=True) as db:
        db.execute("CREATE TABLE kept (text text, number bigint PRIMARY KEY, bytes bytea)")
        yield db


def given(texts: list[str], numbers: list[int], states: list[bytes], beside: int | None = None) -> dict[str, object]:
    return {
        "texts": Array.of(TEXT, [text.encode() for text in texts]),
        "numbers": Array.of(BIGINT, [number.to_bytes(8, signed=True) for number in numbers]),
        "bytes": Array.of(BYTEA, states),
        "beside": beside,
    }


def told(connection: psycopg.Connection[tuple[object, ...]], **values: object) -> list[tuple[bytes | None, ...]]:
    transaction = Transaction(connection)
    transaction.send(HOLD)
    transaction.send(KEEP, values)
    return transaction.committed(KEEP)


def test_what_arrives_is_what_was_given_to_the_byte(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    texts = ["a", "", '{"quoted", \\\\}', "Größe 中 🎉", "NULL"]
    numbers, states = [1, -2, 2**62, 0, -(2**63)], [b"", b"\x00\xff", b"x" * 100_000, b"{}", bytes(range(256))]
    answer = told(connection, **given(texts, numbers, states, 7))
    assert [(int(row[0] or 0), (row[1] or b"").decode(), row[2], row[3]) for row in answer] == [
        (number, text, b"7", b"t" if text == "a" else b"f") for number, text in zip(numbers, texts, strict=True)
    ]
    found = connection.execute("SELECT text, number, bytes FROM kept ORDER BY array_position(%s, number)", (numbers,))
    assert found.fetchall() == list(zip(texts, numbers, states, strict=True))


def test_lists_may_be_empty_and_a_value_unknown(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    assert told(connection, **given([], [], [])) == []
    assert told(connection, **given(["n"], [100], [b""]))[0][2] is None


def test_each_connection_prepares_a_statement_once(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    def prepared() -> int:
        return len(connection.execute("SELECT FROM pg_prepared_statements WHERE name LIKE 'fanlight-%'").fetchall())

    told(connection, **given(["n"], [101], [b""]))
    before = prepared()
    told(connection, **given(["n"], [102], [b""]))
    assert prepared() == before >= 4, "BEGIN, LOCK, INSERT, COMMIT"


def test_many_megabytes_go_through(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    many = 3000
    texts = [f"{i} " + "t" * 3000 for i in range(many)]  # what is answered fills every buffer as well
    answer = told(connection, **given(texts, list(range(1000, 1000 + many)), [b"s" * 4000] * many))
    assert [row[1] for row in answer] == [text.encode() for text in texts]


def test_what_fails_is_told_as_psycopg_tells_it_and_nothing_is_kept(
    connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    with closing(psycopg.connect(connection.info.dsn, autocommit=True)) as other:
        told(other, **given(["n"], [200], [b""]))
        with pytest.raises(psycopg.errors.UniqueViolation, match="kept_pkey"):
            told(other, **given(["n", "n"], [201, 200], [b"", b""]))
    assert not connection.execute("SELECT FROM kept WHERE number = 201").fetchall()
    with closing(psycopg.connect(connection.info.dsn, autocommit=True)) as other:
        told(other, **given(["n"], [202], [b""]))
        connection.execute("SELECT pg_terminate_backend(%s)", (other.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            told(other, **given(["n"], [203], [b""]))
    assert not connection.execute("SELECT FROM kept WHERE number = 203").fetchall()


def test_after_it_the_connection_goes_on(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    told(connection, **given(["n"], [300], [b""]))
    assert connection.info.transaction_status == TransactionStatus.IDLE
    assert connection.execute("SELECT %s::int", (3,)).fetchone() == (3,)
    with connection.pipeline():
        assert connection.execute("SELECT 4").fetchone() == (4,)
