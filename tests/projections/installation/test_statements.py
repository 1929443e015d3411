"""What is sent to Postgres, statement by statement, as its own log has it: nobody adds one unnoticed (decision 39)."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.errors import Invalid, Refused
from domain.ids import CommandId, MilestoneId, PersonId
from domain.people.person import DisablePerson, InvitePerson
from domain.plan.schedule import MoveForecast
from projections.events.present import CurrentWorld
from projections.follow.follower import Follower, FollowerPorts
from projections.installation import database
from projections.installation.database import Database, connect, migrate
from projections.installation.database_recorders import Recorder
from projections.logs.disclosure_log import Row
from projections.replay.tail import Tail
from tests import statements, world
from tests.postgres import Cluster, create
from tests.statements import Listening, Sent
from tests.world import ADMIN, HARBOUR, MANAGER, World, salt
from web.write.service import Service

pytestmark = pytest.mark.once
READ = "(SELECT true,"  # what is new, and whether the command was carried out
RECORD = ["BEGIN", "SET LOCAL transaction_timeout", "LOCK TABLE", "WITH new", "COMMIT"]
DISCLOSE = ["BEGIN", "SET LOCAL transaction_timeout", "LOCK TABLE", "LOCK TABLE", "WITH new", "COMMIT"]
COMMAND = [READ, *RECORD]


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with statements.listened() as made:
        migrate(create(made.url(), "ready"))
        yield made


@pytest.fixture
def url(server: Cluster, request: pytest.FixtureRequest) -> str:
    return create(server.url(), f"n{abs(hash(request.node.name)) % 10**9}", "ready")


@pytest.fixture
def product(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The sample project in a database. What goes by the clock, whether keys were destroyed, is asked once at most."""
    monkeypatch.setattr(database, "FRESH", 1e9)
    monkeypatch.setattr(world, "Folder", lambda _path: Database(url))
    made = World(Path("/nowhere"))
    made.harbour()
    yield made
    made.close()


@pytest.fixture
def listening(server: Cluster, product: World) -> Listening:
    """Begins to listen once the sample is recorded."""
    return Listening(server)


def begins(sent: Sent, *expected: list[str]) -> None:
    """Every statement that was sent begins as expected, and there is no other; each list is a transaction or a few."""
    wanted = [one for part in expected for one in part]
    said = [one.said for one in sent]
    assert len(said) == len(wanted), sent.told()
    assert all(one.startswith(start) for one, start in zip(said, wanted, strict=True)), sent.told()


def move(day: int) -> MoveForecast:
    return MoveForecast(
        project=HARBOUR, milestone=MilestoneId("m1"), forecast=date(2027, 6, 1) + timedelta(days=day), reason="Frost"
    )


def test_the_log_of_the_server_is_read_whole(server: Cluster, url: str) -> None:
    """Else a statement too many would not be noticed: the counter itself, on what is known."""
    listening = Listening(server)
    with connect(url) as db:
        listening.anew()
        db.execute("")
        with db.transaction(), db.pipeline():
            db.execute("SET LOCAL lock_timeout = '1s'")
            db.execute("NOTIFY somebody")
            db.execute("SELECT 1,\n       %s", ("it's, $2 = 'x'",), prepare=True)
        db.execute("SELECT 2")
    sent = listening.sent()
    begins(sent, ["(an empty"], ["BEGIN", "SET LOCAL", "NOTIFY", "SELECT 1, $1", "COMMIT"], ["SELECT 2"])
    assert sent.transactions == 3
    assert sent[4].values == ("it's, $2 = 'x'",)


def test_a_command_is_six_statements_in_two_transactions(product: World, listening: Listening) -> None:
    for day in range(3):
        listening.anew()
        product.tell(move(day), follow=False)
        sent = listening.sent()
        begins(sent, COMMAND)
        assert sent.transactions == 2


def test_a_command_on_somebody_new_keeps_their_key_by_one_more(product: World, listening: Listening) -> None:
    person = PersonId("nora")
    product.tell(InvitePerson(person=person, name="Nora", email="nora@x.test", role="manager"), ADMIN, follow=False)
    begins(listening.sent(), [READ, "WITH made", *RECORD])
    listening.anew()
    product.tell(DisablePerson(person=person, reason="Left"), ADMIN, follow=False)
    begins(listening.sent(), COMMAND)


def test_what_is_repeated_or_refused_is_one_read(product: World, listening: Listening) -> None:
    product.tell(move(1), key="once", follow=False)
    listening.anew()
    assert product.tell(move(1), key="once", follow=False).repeated
    begins(listening.sent(), [READ])
    listening.anew()
    with pytest.raises(Refused):
        product.tell(
            MoveForecast(project=HARBOUR, milestone=MilestoneId("none"), forecast=date(2027, 1, 1), reason="x")
        )
    begins(listening.sent(), [READ])
    listening.anew()
    with pytest.raises(Invalid):  # a name that cannot be one is looked for nowhere
        product.tell(move(2), key="no\0name", follow=False)
    begins(listening.sent(), ["SELECT originator_id"])


def test_a_part_of_a_stream_is_one_read_where_its_end_is_known(product: World, listening: Listening) -> None:
    recorder = product.folder.events._recorder
    assert [one.originator_version for one in recorder.select_events(f"project-{HARBOUR}", gt=1, lte=3)] == [2, 3]
    begins(listening.sent(), ["SELECT originator_id"])


def overtaking(product: World, other: Service, command: Callable[[], object]) -> None:
    """Have another process record something between what the next command reads and what it records."""
    point = product.service._crash_point

    def at(name: str) -> None:
        if name == "before-event-commit":
            product.service._crash_point = point
            command()

    product.service._crash_point = at


def test_who_is_overtaken_on_a_stream_reads_and_tries_once_more_and_on_another_reads_what_came_before(
    product: World, listening: Listening, url: str
) -> None:
    logs = Database(url)
    other = Service(logs.events, CurrentWorld(logs.events), product.clock)
    overtaking(product, other, lambda: other.execute(MANAGER, move(5), command_id=CommandId("theirs")))
    listening.anew()
    product.tell(move(6), follow=False)
    begins(listening.sent(), [READ], COMMAND, RECORD, COMMAND)  # theirs is the second
    invited = InvitePerson(person=PersonId("nils"), name="Nils", email="nils@x.test", role="manager")
    overtaking(product, other, lambda: other.execute(ADMIN, invited, command_id=CommandId("theirs-too")))
    listening.anew()
    product.tell(move(7), follow=False)
    begins(listening.sent(), [READ], [READ, "WITH made", *RECORD], RECORD, ["SELECT originator_id", "SELECT key"])
    assert product.present.world.position == logs.events.head()
    assert PersonId("nils") in product.present.world.people
    logs.close()


def following(product: World) -> Follower:
    """A follower as a process has it: the fold of the doors hands it each command."""
    product.follow()
    logs = product.folder
    product.present = CurrentWorld(logs.events, follow=logs.disclosure.position())
    product.service = Service(logs.events, product.present, product.clock)
    ports = FollowerPorts(clock=product.clock, salt=salt, feed=product.present.feed)
    follower = Follower(logs.events, logs.disclosure, product.renderer, ports)
    product.tell(move(1000), follow=False)
    assert follower.step() == 2  # it has read what the share shows
    return follower


def test_an_update_is_six_statements_in_one_transaction_however_many_commands_it_takes_in(
    product: World, listening: Listening
) -> None:
    follower, counts = following(product), []
    for waiting in (1, 2, 10):
        head = product.folder.disclosure.head("share1")
        for i in range(waiting):
            product.tell(move(100 * waiting + i), follow=False)
        listening.anew()
        assert follower.step() == 2 * waiting
        sent = listening.sent()
        begins(sent, DISCLOSE)
        assert sent.transactions == 1
        assert product.folder.disclosure.head("share1") == head + waiting
        counts.append(len(sent))
    assert counts[0] == counts[-1] < 10 * counts[0]  # ten at once cost what one does, and not what ten single ones do


def test_a_follower_that_reads_for_itself_asks_once_for_a_batch(product: World, listening: Listening) -> None:
    for i in range(20):
        product.tell(move(i), follow=False)
    listening.anew()
    product.follower.step()
    begins(listening.sent(), ["SELECT originator_id"], DISCLOSE)


def test_a_follower_knows_whether_anything_came_between_what_it_read_and_what_it_recorded(product: World) -> None:
    follower = following(product)
    product.tell(move(1), follow=False)
    follower.step()
    assert follower.level == product.folder.events.head()
    product.tell(move(2), follow=False)
    olaf = InvitePerson(person=PersonId("olaf"), name="Olaf", email="o@x.test", role="manager")
    follower._crash_point = lambda at: at == "before-disclosure-commit" and product.tell(olaf, ADMIN, follow=False)
    follower.step()
    assert product.folder.disclosure.head("share1") > 1
    assert follower.level is None
    follower._crash_point = lambda _at: None
    follower.step()
    assert follower.level is None, "nothing was shown, so nothing is handed on"


def test_an_event_that_no_share_shows_moves_the_position_alone(product: World, listening: Listening) -> None:
    follower = following(product)
    product.tell(
        InvitePerson(person=PersonId("olaf"), name="Olaf", email="o@x.test", role="manager"), ADMIN, follow=False
    )
    listening.anew()
    follower.step()
    begins(listening.sent(), RECORD)  # nobody who appends has to wait for it


def test_a_worker_reads_the_updates_of_all_shares_and_all_that_was_recorded_before_them_at_once(
    product: World, listening: Listening
) -> None:
    nobody: list[str] = []
    logs, present = product.folder, CurrentWorld(product.folder.events)

    def read(place: int, limit: int) -> list[Row]:
        return present.refresh_by(lambda position: logs.entries_and_events(place, limit, position))

    tail = Tail(logs.disclosure, lambda: nobody, lambda: nobody, read, lambda _share, _entries: None)
    tail.step()
    for i in range(5):
        product.tell(move(i))
    listening.anew()
    assert tail.step() == 5
    begins(listening.sent(), ["(SELECT true,"])
    assert present.world.versions == product.present.refresh().versions


def test_a_batch_of_receipts_is_recorded_by_one_transaction(product: World, listening: Listening) -> None:
    product.claim("displayed", 1)
    product.receipts.flush()
    listening.anew()
    for i in range(30):
        product.claim("displayed", 1, person=f"p{i}")
    product.receipts.flush()
    sent = listening.sent()
    assert sent.transactions <= 3, sent.told()
    assert sum(one.said == "COMMIT" for one in sent) == 1, sent.told()


def test_taking_a_connection_sends_nothing_and_one_that_ended_is_replaced_before_it_is_used(
    product: World, listening: Listening, server: Cluster
) -> None:
    head = product.folder.events.head()
    for _ in range(10):
        product.folder.events.head()
    begins(listening.sent(), ["SELECT MAX"] * 11)
    with connect(server.url()) as db:
        db.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname LIKE 'n%'")
    recorder = product.folder.events._recorder
    assert isinstance(recorder, Recorder)
    for _ in range(3):
        recorder._ask("SELECT 1", {})  # which is tried once
    assert product.folder.events.head() == head
    product.tell(move(1))
