"""Moves an installation from its folder into a database: every row keeps its place, and then all rows are compared.

Rule: all or nothing, into empty tables. Rows are copied as the stored bytes; nothing is decrypted or made anew.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from eventsourcing.persistence import ApplicationRecorder
from psycopg import sql

from domain.language import gettext as _
from projections.installation import database
from projections.installation.database import KEYS_SCHEMA, LOGS, SCHEMA, TRACKING, Database, Unusable
from projections.installation.folder import Folder, Logs
from projections.logs.disclosure_log import FOLLOWER

BATCH = 500


class Copied(Exception):
    """What arrived in the database differs from what was sent. The database is left as it was."""


def copy(source: Folder, url: str, tell: Callable[[str], None] = lambda _line: None) -> None:
    """Copy a folder that no process serves into a prepared, empty database, as its owner, and compare the two.

    `tell` is called with a line on each log for the person who waits.

    Raises: Unusable when the database cannot take it, Copied when what arrived differs.
    """
    database.refuse_unsafe(url)
    with database.connect(url) as db, db.transaction():
        _refuse_full(db)
        for name in LOGS:
            tell(_("{name}: {log} rows", name=name, log=_copy_log(db, name, recorder_of(source, name))))
        into = sql.SQL("INSERT INTO {}.{} VALUES (%s, %s) ON CONFLICT (application_name) DO UPDATE SET "
                       "notification_id = excluded.notification_id")  # fmt: skip
        db.execute(
            into.format(sql.Identifier(SCHEMA), sql.Identifier(TRACKING)), (FOLLOWER, source.disclosure.position())
        )
        keys = sql.SQL("INSERT INTO {}.keys VALUES (%s, %s)").format(sql.Identifier(KEYS_SCHEMA))
        count = 0
        for pair in source.vault.keys.all():
            db.execute(keys, pair)
            count += 1
        tell(_("keys: {count}", count=count))
        arrived = _Reading(db)
        for name in LOGS:
            if _digest(_rows(recorder_of(source, name))) != _digest(arrived.rows(name)):
                message = _(
                    "{name} arrived otherwise than it was sent. The database was left empty; try again.", name=name
                )
                raise Copied(message)
        if dict(source.vault.keys.all()) != arrived.keys():
            raise Copied(_("The keys arrived otherwise than they were sent. The database was left empty; try again."))
    moved = Database(url)
    try:
        if _standing(moved) != _standing(source):
            raise Copied(_("What is read from the database is not what is read from the folder. Do not serve it."))
    finally:
        moved.close()


def recorder_of(logs: Logs, name: str) -> ApplicationRecorder:
    """Return the recorder of one log."""
    recorder: ApplicationRecorder = getattr(logs, name)._recorder  # noqa: SLF001  # the copy needs the stored bytes
    return recorder


def _refuse_full(db: psycopg.Connection[tuple[Any, ...]]) -> None:
    for schema, table in (*((SCHEMA, name) for name in LOGS), (KEYS_SCHEMA, "keys")):
        any_row = sql.SQL("SELECT 1 FROM {}.{} LIMIT 1").format(sql.Identifier(schema), sql.Identifier(table))
        if db.execute(any_row).fetchone():
            raise Unusable(
                _(
                    "There is something in {schema}.{table} already. Copy into an empty database.",
                    schema=schema,
                    table=table,
                )
            )


def _copy_log(db: psycopg.Connection[tuple[Any, ...]], name: str, recorder: ApplicationRecorder) -> int:
    table = sql.Identifier(SCHEMA, name)
    into = sql.SQL("COPY {} (originator_id, originator_version, topic, state, notification_id) FROM STDIN")
    count = last = 0
    with db.cursor() as cursor, cursor.copy(into.format(table)) as stream:
        for row in _rows(recorder):
            stream.write_row(row)
            count, last = count + 1, row[4]
    if count:
        db.execute("SELECT setval(pg_get_serial_sequence(%s, 'notification_id'), %s)", (f"{SCHEMA}.{name}", last))
    return count


Row = tuple[str, int, str, bytes, int]  # stream, version, topic, state, place in the log


def _rows(recorder: ApplicationRecorder) -> Iterator[Row]:
    place = 0
    while batch := recorder.select_notifications(place, BATCH, inclusive_of_start=False):
        for stored in batch:
            yield str(stored.originator_id), stored.originator_version, stored.topic, bytes(stored.state), stored.id
        place = batch[-1].id


class _Reading:
    """Reads what its own transaction has written."""

    def __init__(self, db: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._db = db

    def rows(self, name: str) -> Iterator[Row]:
        with self._db.cursor(f"copied_{name}") as cursor:
            cursor.itersize = BATCH
            text = "SELECT originator_id, originator_version, topic, state, notification_id FROM {} ORDER BY 5"
            cursor.execute(sql.SQL(text).format(sql.Identifier(SCHEMA, name)))
            for stream, version, topic, state, place in cursor:
                yield str(stream), version, topic, bytes(state), place

    def keys(self) -> dict[str, bytes]:
        rows = self._db.execute(sql.SQL("SELECT name, key FROM {}").format(sql.Identifier(KEYS_SCHEMA, "keys")))
        return {str(name): bytes(key) for name, key in rows}


def _digest(rows: Iterator[Row]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(row).encode())
    return digest.hexdigest()


def _standing(logs: Logs) -> tuple[int, int, int]:
    last = logs.ledger.last()
    return logs.events.head(), logs.disclosure.position(), last.index if last else 0
