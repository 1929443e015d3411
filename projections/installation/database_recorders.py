"""The recorders of the logs in Postgres: how few statements they send, and what they refuse; docs/decisions/0039.

Rule: whatever records takes its table's lock first, in the same transaction, so that numbers are given in the order of
commits. Where a number is taken, a term is over or terms moved, nothing is recorded, and the server logs no error.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    IntegrityError,
    InterfaceError,
    Notification,
    OperationalError,
    StoredEvent,
    Tracking,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore, PostgresProcessRecorder
from eventsourcing.utils import retry
from psycopg import sql
from psycopg.rows import tuple_row

from domain.language import gettext as _
from projections.installation.database_lease import NAME
from projections.installation.database_writing import BIGINT, BYTEA, TEXT, Array, Row, Statement, Transaction
from projections.logs.disclosure_log import CUTS, LeaseLost, TermsMoved

EVENTS = "events"  # the event log's table
BATCH = 500  # rows of a stream that are asked for at a time
WRITING = 10.0  # seconds after which the database ends a transaction that writes, so that others go on
# A writer sends its statements without waiting for answers, so the server sees one that is stopped in between as busy,
# and not as idle in its transaction: only the time of the whole transaction can be bounded.
BOUNDED = Statement(f"SET LOCAL transaction_timeout = '{WRITING:g}s'")
TRUE = b"t"  # as a text of Postgres
COLUMNS = sql.SQL("originator_id, originator_version, topic, state")
NEW = sql.SQL(  # the rows to record, as four lists: a type of our own would have to be looked up by every connection
    "new AS (SELECT * FROM unnest(%(streams)s::text[], %(versions)s::bigint[], %(topics)s::text[], %(states)s::bytea[])"
    " AS n ({columns}))"
).format(columns=COLUMNS)
TAKEN = sql.SQL("SELECT FROM new JOIN {table} USING (originator_id, originator_version)")

_again = retry((InterfaceError, OperationalError), max_attempts=10, wait=0.2)  # as the library does


def of_rows(events: Sequence[StoredEvent]) -> dict[str, Any]:
    """Return what `NEW` is asked with."""
    return {
        "streams": Array.of(TEXT, [str(event.originator_id).encode() for event in events]),
        "versions": Array.of(BIGINT, [event.originator_version.to_bytes(8, signed=True) for event in events]),
        "topics": Array.of(TEXT, [event.topic.encode() for event in events]),
        "states": Array.of(BYTEA, [event.state for event in events]),
    }


class Recorder(PostgresApplicationRecorder):
    """Records events, receipts and the ledger; reads them by statements that each connection prepares once.

    A transaction that records is sent as a whole before the first answer is waited for.
    """

    def __init__(self, datastore: PostgresDatastore, *, events_table_name: str, **more: Any) -> None:
        super().__init__(datastore, events_table_name=events_table_name, **more)
        self._table = sql.Identifier(datastore.schema, events_table_name)
        self._texts: dict[object, str] = {}
        self._lock = _statement(sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE"), self._table)
        self._insert = _statement(
            sql.SQL(
                "WITH {new} INSERT INTO {table} AS t ({columns}) SELECT {columns} FROM new"
                " WHERE NOT EXISTS ({taken}) RETURNING notification_id"
            ),
            new=NEW, table=self._table, columns=COLUMNS, taken=TAKEN.format(table=self._table),
        )  # fmt: skip

    # recording

    @_again
    def insert_events(self, stored_events: Sequence[StoredEvent], **_more: Any) -> Sequence[int] | None:
        """Record events, all or none, and return their positions.

        Raises: IntegrityError when one of their numbers is taken.
        """
        return self._insert_all(stored_events)

    def _insert_all(self, stored_events: Sequence[StoredEvent]) -> list[int]:
        if not stored_events:
            return []
        numbers = [int(number or 0) for (number,) in self._record([self._lock], self._insert, of_rows(stored_events))]
        if len(numbers) < len(stored_events):
            raise IntegrityError(_("Somebody else recorded first."))
        return numbers

    def _record(self, locks: Sequence[Statement], asked: Statement, values: Mapping[str, Any]) -> list[Row]:
        """Return what a statement under some locks said, once it is committed; all of it is sent at once."""
        with self.datastore.get_connection() as connection:
            try:
                transaction = Transaction(connection)
                self._take(transaction, locks)
                transaction.send(asked, values)
                return transaction.committed(asked)
            except psycopg.errors.TransactionTimeout as error:  # it waited for others: tried again, as of a lost one
                connection.close()
                raise psycopg.OperationalError(str(error)) from error
            except BaseException:
                connection.close()  # what of it was prepared or begun is not known: another takes its place
                raise

    def _take(self, transaction: Transaction, locks: Sequence[Statement]) -> None:
        for statement in (BOUNDED, *locks):
            transaction.send(statement)

    # reading

    def _ask(self, text: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        with (
            self.datastore.get_connection() as connection,
            connection.cursor(binary=True, row_factory=tuple_row) as cursor,
        ):
            return cursor.execute(text, values, prepare=True).fetchall()

    def _known(self, key: object, make: Callable[[], sql.Composable]) -> str:
        """Return the text of a statement, which is put together once."""
        if key not in self._texts:
            self._texts[key] = make().as_string()
        return self._texts[key]

    @_again
    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return the events of a stream.

        Nothing is found under a name that the database cannot hold, as in a folder: it would refuse the question.
        """
        stream = str(originator_id)
        if "\0" in stream:
            return []
        if limit is not None:
            return self._part(stream, gt, lte, limit, desc=desc)
        if desc:
            return [*reversed(self.select_events(stream, gt=gt, lte=lte))]
        found: list[StoredEvent] = []
        while True:  # in parts, each of them from where the index says: for all of a long stream it would be sorted
            after = found[-1].originator_version if found else gt
            most = BATCH if after is None or lte is None else max(0, min(BATCH, lte - after))
            part = self._part(stream, after, lte, most)
            found += part
            if len(part) < most or not part or part[-1].originator_version == lte:
                return found

    def _part(
        self, stream: str, gt: int | None, lte: int | None, limit: int, *, desc: bool = False
    ) -> Sequence[StoredEvent]:
        shape = (gt is not None, lte is not None, desc)
        text = self._known(shape, lambda: self._of_stream(*shape))
        found = self._ask(text, {"stream": stream, "gt": gt, "lte": lte, "limit": limit})
        return [StoredEvent(*one) for one in found]

    def _of_stream(self, gt: bool, lte: bool, desc: bool) -> sql.Composable:
        bounds = [sql.SQL("originator_id = %(stream)s")]
        bounds += [sql.SQL("originator_version > %(gt)s")] * gt
        bounds += [sql.SQL("originator_version <= %(lte)s")] * lte
        order = sql.SQL("originator_version DESC" if desc else "originator_version")
        return sql.SQL("SELECT {columns} FROM {table} WHERE {where} ORDER BY {order} LIMIT %(limit)s").format(
            columns=COLUMNS, table=self._table, where=sql.SQL(" AND ").join(bounds), order=order
        )

    @_again
    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return events in the order of the log. Topics stand in the statement, so that it can use their index."""
        shape = ("log", start is not None, inclusive_of_start, stop is not None, tuple(topics))
        text = self._known(shape, lambda: self._of_log(*shape[1:]))
        return [_notified(found) for found in self._ask(text, {"start": start, "stop": stop, "limit": limit})]

    def _of_log(self, *shape: Any) -> sql.Composable:
        start, inclusive, stop, topics = shape
        bounds = [sql.SQL("notification_id >= %(start)s" if inclusive else "notification_id > %(start)s")] * start
        bounds += [sql.SQL("notification_id <= %(stop)s")] * stop
        composed: list[sql.Composable] = [*bounds, *([_among(topics)] if topics else [])]
        where = sql.SQL(" WHERE ") + sql.SQL(" AND ").join(composed) if composed else sql.SQL("")
        text = "SELECT {columns}, notification_id FROM {table}{where} ORDER BY notification_id LIMIT %(limit)s"
        return sql.SQL(text).format(columns=COLUMNS, table=self._table, where=where)

    @_again
    def select_new_and_first(
        self, start: int, limit: int, streams: Sequence[str]
    ) -> tuple[Sequence[Notification], Sequence[Notification]]:
        """Return up to `limit` events after a position, and the first event of each of some streams, by one read."""
        asked = [stream for stream in streams if "\0" not in stream]
        text = self._known("both", self._of_both)
        found = self._ask(text, {"start": start, "limit": limit, "streams": asked})
        new = sorted((_notified(one[1:]) for one in found if not one[0]), key=lambda notification: notification.id)
        return new, [_notified(one[1:]) for one in found if one[0]]

    def _of_both(self) -> sql.Composable:
        return sql.SQL(
            "(SELECT true, {columns}, notification_id FROM {table}"
            " WHERE originator_id = ANY(%(streams)s::text[]) AND originator_version = 1) UNION ALL "
            "(SELECT false, {columns}, notification_id FROM {table}"
            " WHERE notification_id > %(start)s ORDER BY notification_id LIMIT %(limit)s)"
        ).format(columns=COLUMNS, table=self._table)


class FencedRecorder(Recorder, PostgresProcessRecorder):
    """Records entries only while the follower's term lasts and it knows of all terms that came into force or ended."""

    refuses_cuts = True
    quiet = False  # no event at all came between what the follower had read and what it recorded last

    def __init__(self, datastore: PostgresDatastore, *, events_table_name: str, tracking_table_name: str) -> None:
        super().__init__(datastore, events_table_name=events_table_name, tracking_table_name=tracking_table_name)
        events = sql.Identifier(datastore.schema, EVENTS)
        position = sql.Identifier(datastore.schema, tracking_table_name)
        self._hold = _statement(sql.SQL("LOCK TABLE {} IN SHARE MODE"), events)  # nobody appends until this is recorded
        self._fenced = _statement(
            sql.SQL(
                "WITH {new},"
                " fence AS (SELECT FROM {lease} WHERE name = {follower} AND term = %(term)s::bigint FOR KEY SHARE),"
                " stands AS (SELECT"
                " %(term)s::bigint IS NULL OR EXISTS (SELECT FROM fence) AS leads,"
                " %(read)s::bigint IS NULL OR NOT EXISTS"
                " (SELECT FROM {events} WHERE notification_id > %(read)s::bigint AND {cuts}) AS level,"
                " NOT EXISTS ({taken}) AS free),"
                " moved AS (INSERT INTO {position} AS p (application_name, notification_id)"
                " SELECT %(who)s::text, %(position)s::bigint FROM stands"
                " WHERE leads AND level AND free AND %(position)s::bigint IS NOT NULL"
                " ON CONFLICT (application_name) DO UPDATE SET notification_id = excluded.notification_id"
                " WHERE p.notification_id < excluded.notification_id RETURNING 1),"
                " added AS (INSERT INTO {table} ({columns}) SELECT {columns} FROM new, stands"
                " WHERE leads AND level AND free AND (%(position)s::bigint IS NULL OR EXISTS (SELECT FROM moved))"
                " RETURNING notification_id)"
                " SELECT leads, level, free AND (%(position)s::bigint IS NULL OR EXISTS (SELECT FROM moved)),"
                " (SELECT max(notification_id) FROM {events}) <= %(read)s::bigint,"
                " ARRAY(SELECT notification_id FROM added) FROM stands"
            ),
            new=NEW, lease=sql.Identifier(datastore.schema, "lease"), follower=sql.Literal(NAME), events=events,
            cuts=_among(CUTS), taken=TAKEN.format(table=self._table), position=position, table=self._table,
            columns=COLUMNS,
        )  # fmt: skip

    @_again
    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        tracking: Tracking | None = None,
        term: int | None = None,
        read: int | None = None,
        **_more: Any,
    ) -> Sequence[int] | None:
        """Record entries and the follower's position, all or none.

        Raises: LeaseLost, TermsMoved; IntegrityError when a number is taken or the position is not ahead.
        """
        if tracking is None and term is None and read is None:
            return self._insert_all(stored_events)
        values = of_rows(stored_events) | {
            "term": term,
            "read": read,
            "who": tracking.application_name if tracking else None,
            "position": tracking.notification_id if tracking else None,
        }

        locks = [self._lock] if read is None else [self._hold, self._lock]
        ((leads, level, free, quiet, given),) = self._record(locks, self._fenced, values)
        if leads != TRUE:
            raise LeaseLost(_("term {term} is over: another process follows", term=term))
        if level != TRUE:
            raise TermsMoved(read)
        if free != TRUE:
            raise IntegrityError(_("Somebody else recorded first."))
        self.quiet = read is not None and quiet == TRUE
        return [int(number) for number in (given or b"")[1:-1].split(b",") if number]

    @_again
    def select_entries_and_events(
        self, place: int, limit: int, position: int, most: int
    ) -> tuple[Sequence[Notification], Sequence[Notification]]:
        """Return rows of this log after a place, and events after a position, as both stood at one moment."""
        values = {"place": place, "limit": limit, "position": position, "most": most}
        found = self._ask(self._known("entries_and_events", self._of_entries_and_events), values)
        ordered = sorted(found, key=lambda one: one[-1])
        return [_notified(one[1:]) for one in ordered if one[0]], [_notified(one[1:]) for one in ordered if not one[0]]

    def _of_entries_and_events(self) -> sql.Composable:
        return sql.SQL(
            "(SELECT true, {columns}, notification_id FROM {table}"
            " WHERE notification_id > %(place)s ORDER BY notification_id LIMIT %(limit)s) UNION ALL "
            "(SELECT false, {columns}, notification_id FROM {events}"
            " WHERE notification_id > %(position)s ORDER BY notification_id LIMIT %(most)s)"
        ).format(columns=COLUMNS, table=self._table, events=sql.Identifier(self.datastore.schema, EVENTS))


def _statement(text: sql.SQL, *places: sql.Composable, **named: sql.Composable) -> Statement:
    return Statement(text.format(*places, **named).as_string())


def _among(topics: Sequence[str]) -> sql.Composable:
    return sql.SQL("topic IN ({})").format(sql.SQL(", ").join(map(sql.Literal, topics)))


def _notified(found: Sequence[Any]) -> Notification:
    stream, version, topic, state, position = found
    return Notification(
        id=position, originator_id=stream, originator_version=version, topic=topic, state=bytes(state)
    )  # fmt: skip
