"""Two workers on one Postgres, in one process: what one of them does, the other answers by, with and without Redis."""

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from eventsourcing.persistence import OperationalError
from starlette.testclient import TestClient

from domain.agreement.answers import RaiseConcern, Screen
from domain.agreement.share import ActivateTerms, DraftTerms, ReleaseHeld
from domain.agreement.terms import Release, Ways
from domain.errors import Conflict
from domain.ids import CommandId, PersonId
from domain.memory import Memory
from domain.people.for_you import PutOffLine
from domain.people.person import ErasePerson, InvitePerson
from domain.plan.schedule import MoveForecast
from domain.view import ClientView
from projections.follow.follower import Follower
from projections.installation.attendance import Attendance
from projections.installation.database import Database, migrate
from projections.logs.ledger import Statement
from projections.receipts.claims import Receipt
from projections.receipts.taking import Receipts
from tests import postgres
from tests.plain import Plain
from tests.postgres import Cluster, create
from tests.redis import Redis
from tests.web.doors import ORIGIN, VIEWER, wait_until
from tests.world import HARBOUR, SHARE, World
from web import app as application
from web.door.templates import Pages
from web.ids import new_id
from web.process import clockwork, presence
from web.process.hints import LAPSES
from web.process.process import Given, Process
from web.process.signing import signing_key
from web.push.viewer import Watching
from web.render.page import Renderer
from web.settings import Settings
from web.write.permission import OPERATOR

pytestmark = pytest.mark.once


def make_ready(cluster: Cluster, folder: Path) -> None:
    """Make the database that those of the tests are copied from: the sample project, as it was an hour ago."""
    cluster.execute("CREATE ROLE app LOGIN")
    migrate(create(cluster.url(), "ready"), "app")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tests.world.Folder", lambda _path: Database(cluster.url("ready", "app")))
        world = World(folder, Renderer(), start=datetime.now(UTC) - timedelta(hours=1))
        world.harbour()
        world.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with postgres.running() as made:
        make_ready(made, tmp_path_factory.mktemp("ready"))
        yield made


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    made = Redis().start()
    yield made
    made.remove()


class Broken(Plain):
    """Breaks while `broken` is set."""

    broken = False

    def render(self, view: ClientView, memory: Memory | None = None) -> Any:
        if self.broken:
            message = "template broke"
            raise ValueError(message)
        return super().render(view, memory)


class Two:
    """Two workers on a copy of the database made ready; the first one that gets the lease follows."""

    def __init__(self, url: str, folder: Path, redis: str = "", **more: Any) -> None:
        self.url = url
        more = {"data": folder, "database_url": url, "public_url": ORIGIN, "redis_url": redis, **more}
        settings = Settings(sign_in_per_minute=5, **more)
        signing_key(settings.key_file)  # as `fanlight migrate` makes it
        self.renderer = Broken()
        pages = Pages(asset=lambda name: f"/static/{name}", demo=False)
        self.processes = [Process(settings, self.renderer, pages, Given()) for _ in range(2)]
        self.clients = [
            TestClient(application.create(p), base_url=ORIGIN, follow_redirects=False) for p in self.processes
        ]

    def move(self, day: int, by: int = 0) -> None:
        command = MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, day), reason=f"day {day}")
        self.processes[by].services.service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))

    def cookie(self, by: int = 0) -> None:
        """Sign the viewer in on one worker, and use the session on both."""
        people = self.processes[by].services.credentials
        secret = people.enter(people.link(OPERATOR, PersonId(VIEWER))).secret
        for client in self.clients:
            client.cookies.set("fanlight", secret)

    def head(self) -> int:
        return self.processes[0].services.logs.disclosure.head(SHARE)

    @contextlib.contextmanager
    def page(self, by: int, n: int, tab: str = "t1", root: str = "") -> Iterator[Any]:
        there = self.clients[by].websocket_connect(f"/s/{SHARE}/live", headers={"origin": ORIGIN})
        with contextlib.suppress(CancelledError), there as socket:  # the client ends its half by cancelling it
            socket.send_json({"hello": n, "tab": tab, "v": 2, "root": root})
            yield socket


@pytest.fixture
def two(server: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Two]:
    create(server.url(), name := f"w{abs(hash(request.node.name)) % 10**9}", "ready")
    hints = request.getfixturevalue("redis").url if "with_redis" in request.keywords else ""
    made = Two(server.url(name, "app"), tmp_path, hints)
    with made.clients[0], made.clients[1]:
        wait_until(lambda: any(process.leads() for process in made.processes))
        yield made


with_redis = pytest.mark.with_redis


def test_what_one_worker_recorded_the_next_request_to_the_other_knows(two: Two) -> None:
    two.cookie(by=0)
    assert two.clients[1].get(f"/s/{SHARE}").status_code == 200
    for day in range(1, 8):
        by = day % 2
        people = two.processes[by].services.credentials
        secret = people.enter(people.link(OPERATOR, PersonId(VIEWER))).secret
        two.clients[1 - by].cookies.set("fanlight", secret)
        assert two.clients[1 - by].get("/home").status_code == 303
    assert two.clients[1].get(f"/s/{SHARE}/live").status_code == 404


def test_a_list_for_somebody_is_the_same_on_every_worker(two: Two) -> None:
    service = two.processes[0].services.service
    person = PersonId("manager")
    for command in (
        InvitePerson(person=person, name="Marta", email="m@x.test", role="manager"),
        RaiseConcern(
            share=SHARE, concern="c1", subject="", text="Late?", by=PersonId(VIEWER), screen=Screen(n=1, head="ab" * 32)
        ),
    ):
        service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))
    for process in two.processes:
        people = process.services.credentials
        secret = people.enter(people.link(OPERATOR, person)).secret
        for client in two.clients:
            client.cookies.set("fanlight", secret)
            assert client.get("/for-you/count").text == "1"
    line, until = f"concern.{HARBOUR}.{SHARE}.c1", datetime.now(UTC).date() + timedelta(days=9)
    put_off = PutOffLine(person=person, project=HARBOUR, line=line, until=until)
    two.processes[1].services.service.execute(OPERATOR, put_off, command_id=CommandId(new_id(24)))
    assert [client.get("/for-you/count").text for client in two.clients] == ["0", "0"]


def test_a_page_resumes_at_every_number_on_the_other_worker(two: Two) -> None:
    two.cookie()
    for day in range(1, 7):
        two.move(day, by=day % 2)
    wait_until(lambda: two.head() == 7)
    recorded = {e.n: e.message.decode() for e in two.processes[0].services.logs.disclosure.entries(SHARE, 0, 100)}
    n, held = 1, {1: recorded[1]}
    for step in range(6):
        root = json.loads(held[n])["root"][:16]
        with two.page(step % 2, n, root=root) as socket:
            text = socket.receive_text()
            n = json.loads(text)["n"]
            held[n] = text
    assert held == recorded
    with two.page(0, 7, root="0" * 16) as socket:  # another history: told to start over
        assert json.loads(socket.receive_text()) == {"reset": True}
        assert json.loads(socket.receive_text())["key"]
    with two.page(1, 3, root=json.loads(recorded[3])["root"][:16]) as socket:
        assert socket.receive_text() == recorded[4]


def test_without_hints_updates_come_by_polling_and_with_every_wake_up_lost(two: Two) -> None:
    two.cookie()
    for process in two.processes:
        process.services.follower.wake = process.services.tail.wake = lambda: None  # type: ignore[method-assign]
    with two.page(0, 1, "a") as first, two.page(1, 1, "b") as second:
        assert json.loads(first.receive_text()) == json.loads(second.receive_text()) == {"tick": 1}
        two.move(9)
        texts = {first.receive_text(), second.receive_text()}
        assert len(texts) == 1
        assert json.loads(texts.pop())["n"] == 2


@pytest.fixture
def no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody look by the clock, from before the processes begin."""
    monkeypatch.setattr(Process, "_poll", lambda _self: 600.0)
    monkeypatch.setattr(Follower.run, "__defaults__", (600.0,))
    monkeypatch.setattr(clockwork, "EVERY", 600.0)


@with_redis
@pytest.mark.usefixtures("no_clock", "two")
def test_where_hints_are_heard_no_update_waits_for_the_clock(two: Two) -> None:
    two.cookie()
    hearing = [process.services.hints for process in two.processes]
    wait_until(lambda: all(hints is not None and hints.listening for hints in hearing))
    with two.page(0, 1, "a") as first, two.page(1, 1, "b") as second:
        first.receive_text(), second.receive_text()
        for n, by in enumerate((0, 1, 1, 0), 2):
            two.move(2 * n, by=by)
            assert json.loads(first.receive_text())["n"] == json.loads(second.receive_text())["n"] == n


@pytest.mark.parametrize("hints", ["none", pytest.param("redis", marks=with_redis)])
def test_who_watches_is_known_on_every_worker(two: Two, hints: str) -> None:
    two.cookie()
    if hints == "redis":
        wait_until(
            lambda: all(
                process.services.hints is not None and process.services.hints.listening for process in two.processes
            )
        )
    with two.page(0, 1, "tab-a") as socket:
        socket.receive_text()
        socket.send_json({"painted": 1, "from": 0})
        for process in two.processes:
            wait_until(lambda p=process: [w.tab for w in presence.watching(p.services, SHARE)] == ["tab-a"])  # type: ignore[misc]
            wait_until(lambda p=process: [w.displayed for w in presence.watching(p.services, SHARE)] == [1])  # type: ignore[misc]
    for process in two.processes:
        wait_until(lambda p=process: presence.watching(p.services, SHARE) == [])  # type: ignore[misc]


@with_redis
def test_hints_carry_numbers_and_names_of_things_but_no_content(two: Two, redis: Redis) -> None:
    import redis as library

    heard = library.Redis.from_url(redis.url).pubsub()
    heard.psubscribe("*")
    two.cookie()
    wait_until(
        lambda: all(
            process.services.hints is not None and process.services.hints.listening for process in two.processes
        )
    )
    with two.page(1, 1) as socket:
        socket.receive_text()
        two.move(11)
        assert json.loads(socket.receive_text())["n"] == 2
    said = b""
    end = time.monotonic() + 2
    while time.monotonic() < end:
        message = heard.get_message(timeout=0.1)
        said += message["data"] if message and isinstance(message["data"], bytes) else b""
    assert b'"entries":{"share1":2}' in said
    assert b'"events":true' in said
    for content in (b"Section", b"Harbour", b"Acme", b"day 11", b"Vera", b"@"):
        assert content not in said


@with_redis
def test_what_a_silent_process_said_about_its_watchers_lapses(two: Two) -> None:
    bus = two.processes[0].services.hints
    assert bus is not None
    there = Watching(person=VIEWER, tab="t", since=0, sent=1, displayed=1, visible=True, paused=False)
    for ago, expected in ((LAPSES - 1, ["t"]), (LAPSES + 0.1, [])):
        bus._others["silent"] = time.monotonic() - ago, {SHARE: (there,)}
        assert [one.tab for one in bus.watching(SHARE)] == expected


@with_redis
def test_knocks_count_on_all_workers_together(two: Two) -> None:
    wait_until(
        lambda: all(
            process.services.hints is not None and process.services.hints.listening for process in two.processes
        )
    )
    answers = [two.clients[i % 2].get("/in/guess").status_code for i in range(12)]
    assert answers.count(429) >= 2  # five a minute, or five in each of two minutes; each worker alone would allow five
    assert 410 in answers


def test_a_stopped_share_is_known_on_every_worker_and_tried_again_from_any(two: Two) -> None:
    two.renderer.broken = True
    two.move(3)
    wait_until(lambda: all(presence.stopped(process.services, SHARE) is not None for process in two.processes))
    for process in two.processes:
        wait_until(lambda p=process: p.services.health.report().stopped == 1)  # type: ignore[misc]
        assert not process.services.health.report().ok
        assert process.services.health.report().ready
    two.renderer.broken = False
    leader = next(process for process in two.processes if process.leads())
    presence.ask_again(leader.services, SHARE)
    wait_until(lambda: all(presence.stopped(process.services, SHARE) is None for process in two.processes))
    wait_until(lambda: two.head() == 2)


def test_tabs_of_a_worker_that_is_gone_are_ended_and_those_of_the_living_are_not(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.cookie()
    database = Database(two.url)
    gone = Receipts(database.receipts, lambda: datetime.now(UTC), lambda share, k: bytes(32), "gone")
    at = time.time()
    for tab in ("left", "moved"):
        gone.take([Receipt(share=SHARE, person=VIEWER, session="s", tab=tab, kind="displayed", n=1, at=at)])
    gone.flush()
    gone.beat()
    database.close()
    leader = next(process for process in two.processes if process.leads())
    with two.page(0, 1, "moved") as socket:  # went to a living worker, before the other was missed
        socket.receive_text()
        socket.send_json({"painted": 1, "from": 1})
        wait_until(lambda: leader.services.receipts.holders([SHARE]) == {"gone", two.processes[0].services.worker})
        monkeypatch.setattr(clockwork, "GONE", 0.3)
        leader.clockwork._beats.clear()  # its own clockwork may have looked before
        assert leader.clockwork.reap() == 0
        time.sleep(0.4)
        others = next(process for process in two.processes if not process.leads())
        others.services.receipts.log.beat(time.time(), two.processes[0].services.worker)
        assert leader.clockwork.reap() == 1
        ended = [c for c in leader.services.logs.receipts.claims(SHARE) if c.kind == "lost"]
        assert [(c.tab, c.n, c.at >= at) for c in ended] == [("left", 1, True)]


def test_what_was_recorded_without_hearing_so_is_not_recorded_twice(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    process = two.processes[0]
    for log in (process.services.logs.receipts, process.services.logs.ledger):
        recorder = log._recorder  # type: ignore[attr-defined]
        insert, failed = type(recorder).insert_events.__wrapped__, []

        def once(self: Any, rows: Any, insert: Any = insert, failed: Any = failed, **more: Any) -> Any:
            done = insert(self, rows, **more)
            if not failed:
                failed.append(True)
                raise OperationalError("the connection broke after the commit")
            return done

        from eventsourcing.utils import retry

        monkeypatch.setattr(recorder, "insert_events", retry(OperationalError, max_attempts=3)(once).__get__(recorder))
    before = process.services.logs.ledger.last()
    first = before.index if before else 0
    said = Statement(kind="consulted", at=datetime.now(UTC), who="x", text="once")
    assert process.services.logs.ledger.append(said) == first + 1
    assert [line.statement.text for line in process.services.logs.ledger.lines(first, 10)] == ["once"]
    claim = Receipt(share=SHARE, person=VIEWER, session="s", tab="t", kind="delivered", n=1, at=time.time())
    process.services.receipts.take([claim])
    process.services.receipts.flush()
    assert [c.tab for c in process.services.logs.receipts.claims(SHARE)] == ["t"]


def test_a_database_that_takes_nothing_refuses_commands_and_says_so(two: Two, server: Cluster) -> None:
    two.cookie()
    name = two.url.rpartition("/")[2]
    server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    token = {"authorization": "Bearer none"}
    assert two.clients[0].get("/api/v1/shares/x/entries", headers=token).status_code in (401, 404)
    before = two.processes[0].services.logs.events.head()
    with pytest.raises(Exception, match="read-only"):
        two.move(4)
    assert two.processes[0].services.logs.events.head() == before
    server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
    server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    two.move(5)
    wait_until(lambda: two.head() == 2, 30)


def review(two: Two) -> None:
    """Large slips of the share wait for review from now on."""
    ways = Ways(release=Release(slip_days=5, hours=1))
    for command in (
        DraftTerms(share=SHARE, terms=two.processes[0].services.present.world.shares[SHARE].terms, ways=ways),
        ActivateTerms(share=SHARE, reason="Reviewed"),
    ):
        two.processes[0].services.service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))


def quiet(two: Two) -> None:
    log = two.processes[0].services.logs
    wait_until(lambda: log.disclosure.position() >= log.events.head())


def released(two: Two) -> list[str]:
    return [event.cause for event in two.processes[0].services.present.refresh().shares[SHARE].released]


def test_what_waits_is_let_go_once_however_many_workers_are_asked_at_the_same_moment(two: Two) -> None:
    review(two)
    for day in (1, 10, 20):
        two.move(day, by=day % 2)
        quiet(two)
        head, recorded = two.head(), len(released(two))
        gate, done = threading.Barrier(2), list[str]()

        def send(process: Process, gate: threading.Barrier = gate, done: list[str] = done) -> None:
            command = ReleaseHeld(share=SHARE, by=OPERATOR.person)
            gate.wait(20)
            with contextlib.suppress(Conflict):
                done.extend(
                    process.services.service.execute(OPERATOR, command, command_id=CommandId(new_id(24))).events
                )

        for process in two.processes:  # either knows what waits, whoever recorded it
            assert [fact.subject for fact in process.services.present.refresh().held(SHARE).facts] == ["milestone-m1"]
        threads = [threading.Thread(target=send, args=(process,)) for process in two.processes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        quiet(two)
        assert done == ["held-released"]
        assert len(released(two)) == recorded + 1
        assert two.head() == head + 1


def test_what_waits_goes_out_by_itself_once_when_its_time_is_up_also_under_a_new_leader(two: Two) -> None:
    review(two)
    two.move(1)
    quiet(two)
    head = two.head()
    leader = next(process for process in two.processes if process.leads())
    assert leader.lease_keeper is not None
    leader.lease_keeper.end()
    wait_until(lambda: any(process.leads() for process in two.processes))
    quiet(two)
    assert two.head() == head
    late = lambda: datetime.now(UTC) + timedelta(hours=2)  # noqa: E731
    for process in two.processes:
        msgspec.structs.force_setattr(process.services, "now", late)
        process.services.service._clock = late
    wait_until(lambda: released(two) == ["time_up"])
    quiet(two)
    assert (two.head(), released(two)) == (head + 1, ["time_up"])


def test_an_answer_sent_to_both_workers_is_one_event_and_stands_on_the_pages_of_either(two: Two) -> None:
    two.cookie()
    wait_until(lambda: two.head() > 0)
    n = two.head()
    page = two.clients[1].get(f"/s/{SHARE}?about=milestone-m1").text
    carried = dict(re.findall(r'name="(csrf|command_id|n|head|about)" value="([\w-]+)"', page))
    assert carried["n"] == str(n)
    with two.page(1, n) as socket:
        for client in two.clients:
            sent = client.post(f"/s/{SHARE}/answer", data={**carried, "how": "acknowledge"}, headers={"origin": ORIGIN})
            assert sent.status_code == 303
        while "Ack(by=" not in str(message := socket.receive_json()):
            assert message.get("n", n) <= n + 1
    for process, client in zip(two.processes, two.clients, strict=True):
        assert process.services.present.refresh().shares[SHARE].answers.acknowledged["milestone-m1"].screen.n == n
        assert "Ack(by=" in client.get(f"/s/{SHARE}").text
    assert two.head() == n + 1


def test_an_erasure_answers_once_every_worker_has_let_go(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = two.processes[0].services, two.processes[1].services
    assert len(here.logs.processes.there()) == 2
    forgot, slowly = threading.Event(), there.heads.forget

    def noted() -> None:
        time.sleep(0.3)  # so that an answer that does not wait comes before it
        slowly()
        forgot.set()

    monkeypatch.setattr(there.heads, "forget", noted)
    erase = ErasePerson(person=PersonId(VIEWER), reason="Asked for it")
    here.service.execute(OPERATOR, erase, command_id=CommandId(new_id(24)))
    assert forgot.is_set()
    assert here.erasure.outcome(PersonId(VIEWER)).silent == 0
    assert there.follower.forgot


def test_a_worker_that_hangs_is_told_of_where_somebody_is_erased(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = two.processes[0].services, two.processes[1].services
    monkeypatch.setattr(Attendance.everybody_lets_go, "__defaults__", (1.0,))
    monkeypatch.setattr(there.logs.processes, "asked", lambda: 0)  # its clockwork stands still
    erase = ErasePerson(person=PersonId(VIEWER), reason="Asked for it")
    here.service.execute(OPERATOR, erase, command_id=CommandId(new_id(24)))
    assert here.erasure.outcome(PersonId(VIEWER)).silent == 1
    monkeypatch.undo()
    wait_until(lambda: len(here.logs.processes.there()) == 2)  # it goes on, and has let go
    assert here.logs.processes.everybody_lets_go() == []
