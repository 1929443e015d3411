"""Postgres: nothing is passed over, nothing recorded can be changed, and what would lose data is refused at the start."""

import select
import threading
import time
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.pq import ExecStatus

from projections.installation import database, database_recorders
from projections.installation.database import (
    BESIDE,
    SCHEMA,
    Database,
    DatabaseKeys,
    Unusable,
    _application,
    _datastore,
    adopt,
    connect,
    installed,
    migrate,
    named,
    refuse_unsafe,
    room,
)
from projections.installation.database_lease import DatabaseLease
from projections.installation.database_writing import Statement, Transaction
from projections.installation.lease import LASTS
from projections.logs.disclosure_log import LeaseLost, Parked
from projections.logs.vault import Gone, Vault
from tests import postgres
from tests.postgres import Cluster, create
from web.process.open_logs import warn_of_few_connections
from web.settings import Settings

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with postgres.running() as made:
        made.execute("CREATE ROLE app LOGIN")
        migrate(create(made.url(), "ready"), "app")
        yield made


@pytest.fixture
def url(server: Cluster, request: pytest.FixtureRequest) -> str:
    """The address, as the application's role, of a database of this test's own."""
    name = f"t{abs(hash(request.node.name)) % 10**9}"
    create(server.url(), name, "ready")
    return server.url(name, "app")


def event(stream: str, version: int) -> StoredEvent:
    return StoredEvent(stream, version, "test", b"{}")


# two who record at once


@pytest.mark.parametrize("name", ["receipts", "events", "ledger"])
def test_a_number_that_is_taken_records_nothing_of_a_batch_and_is_no_error_in_the_log_of_postgres(
    server: Cluster, url: str, name: str
) -> None:
    recorder = _application(_datastore(url), name)
    first = recorder.insert_events([event("a", 1), event("b", 1)])
    assert first is not None
    assert len(first) == 2
    for batch in ([event("a", 2), event("b", 1)], [event("b", 1)], [event("c", 1), event("a", 1), event("d", 1)]):
        with pytest.raises(IntegrityError):
            recorder.insert_events(batch)
    assert [len(recorder.select_events(stream)) for stream in "abcd"] == [1, 1, 0, 0]
    more = recorder.insert_events([event("b", 2), event("a", 2)])
    assert more is not None
    assert first[-1] < more[0] < more[1]  # in the order of the batch
    recorder.datastore.close()
    assert "duplicate key" not in server.log()


def test_workers_that_race_for_numbers_each_get_one_and_postgres_logs_no_error(server: Cluster, url: str) -> None:
    recorder = _application(_datastore(url), "receipts")
    took: list[int] = []

    def take() -> None:
        for _ in range(20):
            while True:
                n = len(recorder.select_events("share-s")) + 1
                try:
                    recorder.insert_events([event("share-s", n)])
                    took.append(n)
                    break
                except IntegrityError:
                    continue

    racing = [threading.Thread(target=take) for _ in range(3)]
    for thread in racing:
        thread.start()
    for thread in racing:
        thread.join(60)
    recorder.datastore.close()
    assert sorted(took) == list(range(1, 61))
    assert "duplicate key" not in server.log()


def test_whoever_finds_an_entry_finds_what_was_recorded_before_it_by_the_same_read(url: str) -> None:
    logs = Database(url)
    over = threading.Event()

    def write() -> None:
        for n in range(1, 151):
            logs.events._recorder.insert_events([event("x", n)])
            logs.disclosure._recorder.insert_events([event("share-s", n)])
        over.set()

    writing = threading.Thread(target=write)
    writing.start()
    place = position = events = entries = 0
    found = ended = False
    while found or not ended:
        ended = over.is_set()
        rows, new = logs._entries.select_entries_and_events(place, 500, position, 500)
        found = bool(rows or new)
        entries, events = entries + len(rows), events + len(new)
        assert events >= entries
        place, position = rows[-1].id if rows else place, new[-1].id if new else position
    writing.join(30)
    assert entries == events == 150
    logs.close()


# B1: a follower misses nothing, whoever commits when


def test_a_writer_waits_for_one_whose_transaction_is_open_and_a_follower_sees_every_row(url: str) -> None:
    datastore = _datastore(url)
    recorder = _application(datastore, "events")
    recorder.insert_events([event("before", 1)])
    done = threading.Event()

    def second() -> None:
        recorder.insert_events([event("second", 1)])
        done.set()

    with psycopg.connect(url) as first:  # holds its transaction open after inserting
        first.execute(f"LOCK TABLE {SCHEMA}.events IN EXCLUSIVE MODE")
        first.execute(f"INSERT INTO {SCHEMA}.events (originator_id, originator_version, topic, state) "
                      "VALUES ('first', 1, 'test', '')")  # fmt: skip
        thread = threading.Thread(target=second)
        thread.start()
        _until_somebody_waits(url)
        assert not done.is_set(), "the second writer did not wait for the first"
        seen = recorder.select_notifications(start=1, limit=10)
        assert [n.originator_id for n in seen] == ["before"]
        first.commit()
    thread.join(20)
    found = recorder.select_notifications(start=1, limit=10)
    assert [n.originator_id for n in found] == ["before", "first", "second"], "in the order of commits"
    datastore.close()


def test_the_librarys_database_function_would_lose_a_row_for_ever(server: Cluster) -> None:
    """Why it is refused: this is the loss, shown on a database where it is on. A permanent record of L2."""
    unsafe = create(server.url(), "unsafe")
    given = {"dbname": "unsafe", "host": "127.0.0.1", "port": server.port, "user": "postgres", "password": ""}
    datastore = PostgresDatastore(**given, originator_id_type="text", enable_db_functions=True, pool_size=2)  # type: ignore[arg-type]
    recorder = PostgresApplicationRecorder(datastore, events_table_name="events")
    recorder.create_table()
    with psycopg.connect(unsafe) as first:
        first.execute("INSERT INTO events (originator_id, originator_version, topic, state) "
                      "VALUES ('first', 1, 'test', '')")  # fmt: skip
        recorder.insert_events([event("second", 1)])  # does not wait
        followed = recorder.select_notifications(start=1, limit=10)
        position = followed[-1].id
        first.commit()
    later = recorder.select_notifications(start=position, limit=10, inclusive_of_start=False)
    seen = [n.originator_id for n in [*followed, *later]]
    assert seen == ["second"], "the library has become safer than it was: look at the refusal again"
    datastore.close()


def test_the_function_that_would_lose_rows_is_not_there_and_its_switch_is_refused(url: str) -> None:
    with connect(url) as db:
        found = db.execute("SELECT count(*) FROM pg_proc WHERE proname LIKE 'es_insert%'").fetchone()
    assert found == (0,)
    for value in ("y", "true", "ON", "1"):
        with pytest.raises(Unusable, match="POSTGRES_ENABLE_DB_FUNCTIONS is on"):
            refuse_unsafe(url, {"POSTGRES_ENABLE_DB_FUNCTIONS": value})
    refuse_unsafe(url, {"POSTGRES_ENABLE_DB_FUNCTIONS": "n"})


# append and read, nothing else


@pytest.mark.parametrize("log", ["events", "disclosure", "receipts", "ledger"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET state = ''",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "DROP TABLE {}",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
    ],
)
def test_the_role_that_serves_cannot_change_what_is_recorded(url: str, log: str, statement: str) -> None:
    with connect(url) as db, pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute(statement.format(f"{SCHEMA}.{log}"))


@pytest.mark.parametrize("statement", ["UPDATE {} SET state = ''", "DELETE FROM {}", "TRUNCATE {}"])
def test_not_even_the_owner_changes_it_by_a_slip(server: Cluster, url: str, statement: str) -> None:
    owner = url.replace("app@", "postgres@")
    with connect(owner) as db, pytest.raises(psycopg.errors.RaiseException, match="what is recorded is never changed"):
        db.execute(statement.format(f"{SCHEMA}.events"))


def test_the_role_that_serves_can_do_all_the_product_does(url: str) -> None:
    logs = Database(url)
    recorder = logs.events._recorder
    recorder.insert_events([event("stream", 1)])
    assert len(recorder.select_events("stream")) == 1
    logs.disclosure.record([], [], [], 7)
    assert logs.disclosure.position() == 7
    logs.disclosure.keep_stylesheet("abc", b"body{}")
    assert logs.disclosure.stylesheet("abc") == b"body{}"
    sealed = logs.vault.seal("person-1", b"Anna", b"")
    assert logs.vault.destroy("person-1")
    with pytest.raises(Gone):
        logs.vault.open("person-1", sealed, b"")
    logs.close()


# what is refused at the start


@pytest.mark.parametrize(
    ("name", "value"), [("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off")]
)
def test_a_server_that_may_lose_what_it_acknowledged_is_refused(name: str, value: str) -> None:
    with (
        postgres.running(**{name: value}) as unsafe,
        pytest.raises(Unusable, match=f"{name} = off"),
    ):
        migrate(unsafe.url())


def test_a_database_that_keeps_no_letters_is_refused(server: Cluster) -> None:
    with connect(server.url()) as db:
        db.execute("CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    with pytest.raises(Unusable, match="keeps text as SQL_ASCII"):
        migrate(server.url("bytes"))


def test_an_empty_database_and_a_newer_one_say_what_to_do(server: Cluster) -> None:
    empty = create(server.url(), "empty")
    with pytest.raises(Unusable, match=r"is empty. Run: fanlight migrate"):
        Database(empty)
    newer = create(server.url(), "newer", "ready")
    with connect(newer) as db:
        db.execute(f"INSERT INTO {SCHEMA}.migrations VALUES (99, now())")
    with pytest.raises(Unusable, match="has the tables of version 99"):
        Database(newer)
    with pytest.raises(Unusable, match="newer than this program"):
        migrate(newer)


def test_what_cannot_be_reached_or_read_is_said_without_its_password() -> None:
    with pytest.raises(Unusable, match="cannot be reached") as found:
        connect("postgresql://app:secret@127.0.0.1:9/none")
    assert "secret" not in str(found.value)
    with pytest.raises(Unusable, match="cannot be read"):
        named("postgresql://[broken")


def test_preparing_is_safe_to_repeat_and_an_unknown_role_is_said_to_be(server: Cluster) -> None:
    again = create(server.url(), "again")
    assert migrate(again)[0].endswith("tables of version 1")
    assert migrate(again)[0].endswith("tables of version 1, as before")
    with connect(again) as db:
        assert installed(db) == 1
    with pytest.raises(Unusable, match="CREATE ROLE nobody_here"):
        migrate(again, "nobody_here")


def test_a_database_of_an_earlier_version_gets_the_index_it_lacks_and_keeps_what_is_recorded(server: Cluster) -> None:
    earlier = create(server.url(), "earlier", "ready")
    _application(_datastore(earlier), "events").insert_events([event("a", 1)])
    found = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'fanlight' AND indexname = 'events_sought'"
    with connect(earlier) as db:
        db.execute("DROP INDEX fanlight.events_sought")
        migrate(earlier, "app")
        assert db.execute(found).fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM fanlight.events").fetchone() == (1,)


# keys


def test_a_key_destroyed_by_another_process_is_not_used_for_longer_than_told(url: str) -> None:
    one, two = Vault(DatabaseKeys(url)), Vault(DatabaseKeys(url))
    sealed, slotted = one.seal("person-1", b"Anna", b""), one.seal_slot("entries-s", 3, b"text", b"")
    assert two.open("person-1", sealed, b"") == b"Anna"
    assert two.open_slot("entries-s", 3, slotted, b"") == b"text"
    one.destroy("person-1")
    one.destroy_slots("entries-s", [3])
    end = time.monotonic() + 10
    for name, attempt in (
        ("person", lambda: two.open("person-1", sealed, b"")),
        ("slot", lambda: two.open_slot("entries-s", 3, slotted, b"")),
    ):
        while True:
            try:
                attempt()
            except Gone:
                break
            assert time.monotonic() < end, f"the key of the {name} is still used"
    one.close()
    two.close()


def test_a_key_destroyed_by_another_process_is_known_after_a_look_and_nobody_who_needs_one_asks(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.installation.database.FRESH", 600.0)
    keys = DatabaseKeys(url)
    one, two = Vault(DatabaseKeys(url)), Vault(keys)
    sealed = one.seal("person-1", b"Anna", b"")
    assert two.open("person-1", sealed, b"") == b"Anna"
    one.destroy("person-1")
    assert two.open("person-1", sealed, b"") == b"Anna", "it does not ask, so a look is needed"
    keys.look()
    with monkeypatch.context() as patched:
        patched.setattr(DatabaseKeys, "_run", None)
        assert keys.version() == 1
    with pytest.raises(Gone):
        two.open("person-1", sealed, b"")
    one.close()
    two.close()


def test_the_bytes_of_a_destroyed_key_leave_the_table(url: str) -> None:
    keys = DatabaseKeys(url)
    secret = bytes(range(32))
    keys.keep("person-1", secret)
    with connect(url) as db:
        before = db.execute("SELECT pg_relation_filepath('fanlight_keys.keys')").fetchone()
        keys.delete("person-1")
        after = db.execute("SELECT pg_relation_filepath('fanlight_keys.keys')").fetchone()
    assert before != after, "the file was not rewritten"
    keys.close()


def test_two_processes_that_need_a_key_at_once_get_the_same_and_punch_without_losing(url: str) -> None:
    vaults = [Vault(DatabaseKeys(url)) for _ in range(4)]
    for vault in vaults:
        vault.seal_slot("entries-s", 1, b"x", b"")
    threads = [threading.Thread(target=v.destroy_slots, args=("entries-s", [10 + i])) for i, v in enumerate(vaults)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    fresh = Vault(DatabaseKeys(url))
    for i in range(4):
        with pytest.raises(Gone):
            fresh.seal_slot("entries-s", 10 + i, b"x", b"")
    fresh.seal_slot("entries-s", 9, b"x", b"")
    for vault in [*vaults, fresh]:
        vault.close()


def test_a_key_is_never_changed_without_its_lock_though_the_connection_breaks_in_between(url: str) -> None:
    ours, theirs = DatabaseKeys(url), DatabaseKeys(url)
    asked: list[bytes | None] = []

    def breaks_once(before: bytes | None) -> bytes:
        asked.append(before)
        if len(asked) == 1:
            with connect(url) as db:
                db.execute("SELECT pg_terminate_backend(%s)", (ours._db.info.backend_pid,))
            theirs.change("block", lambda _before: b"theirs")  # the lock is free once that connection is gone
        return (before or b"") + b" and ours"

    assert ours.change("block", breaks_once) == b"theirs and ours"
    assert asked == [None, b"theirs"]
    assert theirs.read("block") == b"theirs and ours", "what another process did to the key meanwhile is undone"
    ours.close()
    theirs.close()


def test_a_lost_connection_is_made_again(server: Cluster, url: str) -> None:
    logs = Database(url)
    logs.vault.secret("person-1")
    with connect(server.url()) as db:
        db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
    assert logs.vault.secret("person-2")
    assert logs.events.head() == 0
    logs.close()


def test_a_process_makes_no_more_connections_than_it_is_told(server: Cluster, url: str) -> None:
    logs = Database(url, connections=3)
    held = threading.Barrier(4)

    def hold() -> None:
        with logs._datastore.get_connection() as connection:
            held.wait(20)
            connection.execute("SELECT 1")

    holding = [threading.Thread(target=hold) for _ in range(3)]
    for thread in holding:
        thread.start()
    while held.n_waiting < 3:
        time.sleep(0.01)
    with connect(server.url()) as db:
        name = url.rpartition("/")[2]
        made = db.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", (name,)).fetchone()
    held.wait(20)
    for thread in holding:
        thread.join(20)
    logs.close()
    assert made is not None
    assert 3 <= made[0] <= 3 + BESIDE


def test_a_process_says_at_its_start_that_it_may_not_get_the_connections_it_needs(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    free, most = room(url)
    assert 0 < free < most == 300
    with connect(url), connect(url):
        assert room(url)[0] <= free - 2 + 1  # another that ended just now may still be counted
    warn_of_few_connections(Settings(database_url=url, database_connections=16))
    assert caplog.text == ""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database, "BESIDE", 300)
        warn_of_few_connections(Settings(database_url=url, database_connections=16))
    assert "may need 316 connections" in caplog.text


def test_a_process_that_has_its_connections_starts_also_where_not_one_more_is_given(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_url: str) -> tuple[int, int]:
        raise Unusable("postgresql://db cannot be reached: too many clients already")

    monkeypatch.setattr(database, "room", full)
    warn_of_few_connections(Settings(database_url="postgresql://db/x", database_connections=16))
    assert "may need 19 connections" in caplog.text
    assert "too many clients already" in caplog.text


def test_one_process_at_a_time_has_the_lease_and_every_change_of_it_is_a_new_term(url: str) -> None:
    first, second = (DatabaseLease(lambda: connect(url), SCHEMA) for _ in range(2))
    assert first.tenure().left < 0
    assert first.take("a") == 1
    assert first.take("a") == 1
    assert second.take("b") is None
    assert second.tenure().holder == "a"
    assert 0 < second.tenure().left <= LASTS
    second.release("b")  # not its own to release
    assert second.take("b") is None
    first.release("a")
    assert second.take("b") == 2
    assert first.take("a") is None
    first.close()
    second.close()


def test_what_a_deposed_follower_writes_is_refused_in_the_transaction(url: str) -> None:
    ours, theirs = Database(url), Database(url)
    term = ours.lease.take("a")
    ours.disclosure.record([], [], [(Parked(share="s", position=1, error="x"), 1)], 3, term)
    ours.lease.release("a")
    assert theirs.lease.take("b") == 2
    with pytest.raises(LeaseLost):
        ours.disclosure.record([], [], [(Parked(share="s", position=1, error="y"), 2)], 4, term)
    assert ours.disclosure.position() == 3
    assert ours.disclosure.parked_versions("s") == 1
    theirs.disclosure.record([], [], [], 4, 2)
    ours.close()
    theirs.close()


def test_a_new_term_waits_for_a_write_of_the_old_one_and_not_the_other_way_round(url: str) -> None:
    lease = DatabaseLease(lambda: connect(url), SCHEMA)
    lease.take("a")
    with psycopg.connect(url) as writing:
        writing.execute("SELECT 1 FROM fanlight.lease WHERE name = 'follower' AND term = 1 FOR KEY SHARE")
        assert lease.take("a") == 1, "a renewal waits for nobody"
        lease.release("a")
        taking = threading.Thread(target=lease.take, args=("b",))
        taking.start()
        _until_somebody_waits(url)
        writing.rollback()
    taking.join(10)
    assert lease.tenure().holder == "b"
    lease.close()


def arrived(transaction: Transaction) -> None:
    """Wait until the server has carried out what a transaction sent so far, and leave the answers unread."""
    libpq = transaction._libpq
    libpq.send_flush_request()
    while libpq.flush():
        time.sleep(0.01)
    for _statement in transaction._sent:  # each answer comes when its statement is carried out
        while libpq.is_busy():
            assert select.select([libpq.socket], [], [], 20)[0]
            libpq.consume_input()
        assert libpq.get_result().status == ExecStatus.COMMAND_OK
        assert libpq.get_result() is None
    transaction._sent.clear()


@pytest.mark.parametrize("log", ["events", "disclosure"])
def test_a_process_that_is_stopped_while_it_writes_holds_up_nobody_for_longer_than_said(
    url: str, monkeypatch: pytest.MonkeyPatch, log: str
) -> None:
    """It is stopped after its locks were sent, where the server takes it for busy and not for idle."""
    short = Statement("SET LOCAL transaction_timeout = '1s'")
    monkeypatch.setattr(database_recorders, "BOUNDED", short)
    stopped, others = Database(url), Database(url)
    term = stopped.lease.take("a")
    recorder = stopped.disclosure._recorder if log == "disclosure" else _application(stopped._datastore, log)
    take, reached, woken, outcome = recorder._take, threading.Event(), threading.Event(), list[object]()

    def takes_and_stops(transaction: Transaction, locks: Sequence[Statement]) -> None:
        take(transaction, locks)
        arrived(transaction)
        reached.set()
        woken.wait(60)

    monkeypatch.setattr(recorder, "_take", takes_and_stops)

    def first() -> None:
        try:
            given = {"term": term, "read": 0} if log == "disclosure" else {}
            outcome.append(recorder.insert_events([event("x", 1)], **given))
        except Exception as error:  # told below
            outcome.append(error)

    writing = threading.Thread(target=first)
    writing.start()
    assert reached.wait(20)
    monkeypatch.undo()  # those who go on have all the time there is
    monkeypatch.setattr(recorder, "_take", takes_and_stops)
    stopped.lease.release("a")
    done = threading.Event()

    def second() -> None:
        others.lease.take("b")
        _application(others._datastore, log).insert_events([event("y", 1)])
        done.set()

    going_on = threading.Thread(target=second)
    going_on.start()
    assert done.wait(20), "nobody else could go on"
    monkeypatch.setattr(recorder, "_take", take)  # it writes again, with the term it had
    woken.set()
    writing.join(20)
    assert (log == "disclosure") == isinstance(outcome[0], LeaseLost), outcome
    going_on.join(20)
    stopped.close()
    others.close()


def test_a_writer_whose_time_is_over_while_it_waits_for_another_tries_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_recorders, "BOUNDED", Statement("SET LOCAL transaction_timeout = '300ms'"))
    logs, outcome = Database(url), list[object]()
    recorder = _application(logs._datastore, "events")

    def write() -> None:
        try:
            outcome.append(recorder.insert_events([event("x", 1)]))
        except Exception as error:  # told below
            outcome.append(error)

    writing = threading.Thread(target=write)
    with connect(url) as db, db.transaction():
        db.execute("LOCK TABLE fanlight.events IN EXCLUSIVE MODE")
        writing.start()
        writing.join(1.0)
        assert writing.is_alive(), outcome
    writing.join(20)
    assert outcome == [[1]]
    logs.close()


def test_a_lease_goes_on_after_its_connection_broke(url: str) -> None:
    lease = DatabaseLease(lambda: connect(url), SCHEMA)
    lease.take("a")
    with connect(url) as db:
        db.execute("SELECT pg_terminate_backend(%s)", (lease._db.info.backend_pid,))
    with pytest.raises(psycopg.OperationalError):
        lease.tenure()
    assert lease.take("a") == 1
    lease.close()


def test_a_record_that_goes_on_elsewhere_is_refused_until_it_is_adopted(url: str) -> None:
    owner = url.replace("app@", "postgres@")
    with connect(owner) as db:
        db.execute("UPDATE fanlight.installation SET timeline = timeline + 1")
    with pytest.raises(Unusable, match="fanlight restored"):
        refuse_unsafe(url)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        adopt(url)
    adopt(owner)
    refuse_unsafe(url)


def _until_somebody_waits(url: str) -> None:
    end = time.monotonic() + 15
    with connect(url) as db:
        while True:
            row = db.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
            if row and row[0]:
                return
            assert time.monotonic() < end, "nobody waited"
            time.sleep(0.01)
