"""An installation of several processes as plain processes: Postgres, Redis, workers, followers; and many dashboards.

Dashboards are light pages over real sockets: they go where a balancer would send them, apply what comes in order,
claim what they showed, come back after a close, and remember every byte by its number.
"""

import asyncio
import hashlib
import itertools
import json
import os
import random
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import msgspec
import psycopg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from domain import commands
from domain.commands import AnyCommand
from domain.events import closes
from domain.ids import CommandId, MilestoneId, PersonId, ShareId
from domain.people.person import InvitePerson
from domain.plan.schedule import MoveForecast
from projections.entries.entry import Entry
from projections.events.present import CurrentWorld
from projections.installation.database import Database, migrate
from tests import postgres
from tests import world as world_module
from tests.ports import free_port
from tests.programs import Program
from tests.redis import Redis
from tests.world import ACME, ADMIN, HARBOUR, SHARE, World, everything
from web import clock
from web.identity.credentials import Credentials
from web.ids import new_id
from web.process import signing
from web.render.page import Renderer
from web.write.permission import OPERATOR
from web.write.service import Service

ORIGIN = "http://fleet.test"
TOKEN = "operator of the fleet"
PLAIN: dict[str, Any] = {
    "compression": None, "ping_interval": None, "open_timeout": 10, "close_timeout": 1, "max_size": None,
}  # fmt: skip  # of a page's socket


def eventually(true: Callable[[], Any], seconds: float = 30, what: str = "it") -> Any:
    """Return what `true` returns once it is true; fail when that does not happen in time."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f"{what} did not come true in time"
        time.sleep(0.05)
    return found


class Process:
    """`fanlight serve` or `fanlight follow` on a port of its own."""

    def __init__(self, fleet: "Fleet", kind: str, *flags: str) -> None:
        self.fleet, self.kind, self.flags = fleet, kind, flags
        self.module = "web.cli.main"  # whose `main` is run
        self.port = free_port()
        self.popen: Program | None = None
        self.log = fleet.path / f"{kind}-{self.port}.log"

    def begin(self) -> "Process":
        """Start it without waiting."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("FANLIGHT_", "TEST_"))}
        environment |= {"FANLIGHT_DATABASE_URL": self.fleet.app, "FANLIGHT_OPERATOR_TOKEN": TOKEN}
        environment["PYTHONFAULTHANDLER"] = "1"
        if self.fleet.redis is not None:
            environment["FANLIGHT_REDIS_URL"] = self.fleet.redis.url
        told = ["--port", str(self.port), "--public-url", self.fleet.origin, "--data", str(self.fleet.path / "shared")]
        told += [
            "--tick-seconds",
            "2",
            "--sign-in-per-minute",
            "1000",
            "--commands-per-minute",
            "100000",
            "--log-level",
            "info",
            *self.flags,
        ]
        self.popen = Program([self.kind, *told], environment, self.log, self.module)
        return self

    def start(self) -> "Process":
        """Start it and wait until it is ready."""
        self.begin()
        eventually(lambda: self.ready, what=f"{self.kind} on {self.port}")
        return self

    @property
    def pid(self) -> int:
        assert self.popen is not None
        return self.popen.pid

    @property
    def alive(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    @property
    def ready(self) -> bool:
        return self.ask("/readyz")[0] == 200

    def ask(self, path: str, seconds: float = 3) -> tuple[int, Any]:
        """Return status and body of one of the operator's doors; 0 when nothing answers."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers={"authorization": f"Bearer {TOKEN}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                return answer.status, _body(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _body(error.read())
        except OSError:
            return 0, None

    @property
    def leads(self) -> bool:
        body = self.ask("/healthz")[1]
        return bool(body and body.get("leads"))

    def signal(self, kind: signal.Signals) -> None:
        assert self.popen is not None
        self.popen.send_signal(kind)

    def kill(self) -> None:
        """End it without warning."""
        if self.alive:
            assert self.popen is not None
            self.popen.send_signal(signal.SIGKILL)
            self.popen.wait(20)

    def stop(self, seconds: float = 30) -> int:
        """End it by SIGTERM and return its exit code."""
        assert self.popen is not None
        self.popen.send_signal(signal.SIGTERM)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.send_signal(signal.SIGABRT)  # it says where every thread stands
            self.popen.wait(10)
            raise AssertionError(self.log.read_text()[-6000:]) from None


def _body(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")


class Fleet:
    """Everything, on free ports of this machine."""

    def __init__(
        self,
        path: Path,
        *,
        workers: int = 3,
        followers: int = 0,
        shares: int = 1,
        redis: bool = True,
        seed: int = 1,
        origin: str = ORIGIN,
    ) -> None:
        self.path, self.origin = path, origin
        self.random = random.Random(seed)
        self.cluster = postgres.Cluster().start()
        self.redis = Redis().start() if redis else None
        self.cluster.execute("CREATE ROLE app LOGIN")
        self.owner = postgres.create(self.cluster.url(), "fanlight")
        self.app = self.cluster.url("fanlight", "app")
        migrate(self.owner, "app")
        signing.signing_key(path / "shared" / "signing.key")
        self.shares = [str(SHARE), *(f"share{i}x" for i in range(2, shares + 1))]
        self._seed()
        follow = "no" if followers else "yes"
        self.workers = [Process(self, "serve", "--follow", follow) for _ in range(workers)]
        self.followers = [Process(self, "follow") for _ in range(followers)]
        self._numbers = itertools.count(1)

    def _seed(self) -> None:
        database = Database(self.app)
        opened, world_module.Folder = world_module.Folder, lambda _path: database  # type: ignore[misc,assignment]
        try:
            start = datetime.now(UTC) - timedelta(hours=3)
            world = World(self.path / "seed", Renderer(), start=start)
            world.harbour()
            for share in self.shares[1:]:
                world.share(everything(), ShareId(share))
            manager = InvitePerson(person=PersonId("marta"), name="Marta", email="marta@example.test", role="manager")
            world.tell(manager, ADMIN)
            world.receipts.flush()
            self.token, self.cookies = self._people(world)
        finally:
            world_module.Folder = opened  # type: ignore[misc]
            database.close()

    def _people(self, world: World) -> tuple[str, list[str]]:
        service = Service(world.folder.events, CurrentWorld(world.folder.events), clock.now)
        people = Credentials(service, world.present, clock.now, link_hours=5, session_hours=12)
        cookies = []
        for i in range(4):
            person = PersonId(f"viewer{i}")
            invited = InvitePerson(person=person, name=f"V{i}", email=f"v{i}@acme.test", role="viewer", client=ACME)
            service.execute(OPERATOR, invited, command_id=CommandId(new_id(24)))
            cookies.append(people.enter(people.link(OPERATOR, person)).secret)
        return people.token(OPERATOR, PersonId("marta"), "fleet"), cookies

    @property
    def processes(self) -> list[Process]:
        return [*self.workers, *self.followers]

    def start(self) -> "Fleet":
        """Start every process and wait until all are ready and one of them leads."""
        for process in self.processes:
            process.begin()
        for process in self.processes:
            eventually(lambda p=process: p.ready, what=process.log.read_text()[-2000:])  # type: ignore[misc]
        eventually(self.leader, what="a leader")
        return self

    def leader(self) -> Process | None:
        """Return the process that follows."""
        return next((process for process in self.processes if process.alive and process.leads), None)

    def close(self) -> None:
        """End everything that was started."""
        for process in self.processes:
            process.kill()
        if self.redis is not None:
            self.redis.remove()
        self.cluster.remove()

    def dashboard(self, share: str, cookie: str, seed: int, n: int, root: str) -> "Dashboard":
        """Return a page that was opened at update n, whose tree has `root`."""
        return Dashboard(share, cookie, lambda: [worker.port for worker in self.workers], seed, n, root)

    # changes

    def change(self) -> AnyCommand:
        """Return the next change that every share shows."""
        i = next(self._numbers)
        return MoveForecast(
            project=HARBOUR, milestone=MilestoneId("m1"), forecast=date(2027, 6, 1) + timedelta(days=i), reason=f"move {i}"
        )  # fmt: skip

    def tell(self, command: AnyCommand, seconds: float = 60) -> str:
        """Have a command carried out by any worker that answers, repeating it under one id until it is acknowledged."""
        key, end = new_id(24), time.monotonic() + seconds
        while True:
            worker = self.random.choice(self.workers)
            request = urllib.request.Request(
                f"http://127.0.0.1:{worker.port}/api/v1/commands",
                data=commands.encode(command),
                headers={"authorization": f"Bearer {self.token}", "idempotency-key": key},
            )
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    assert answer.status in (200, 201)
                    return key
            except urllib.error.HTTPError as error:
                if error.code not in (409, 503):
                    raise
            except OSError:
                pass
            assert time.monotonic() < end, "no worker took the command"
            time.sleep(0.1)

    @contextmanager
    def changing(self, every: float = 0.3) -> Iterator[list[str]]:
        """Change things steadily meanwhile; yields the ids of what was acknowledged."""
        acknowledged: list[str] = []
        stop, failed = threading.Event(), list[BaseException]()

        def work() -> None:
            try:
                while not stop.wait(every * self.random.uniform(0.3, 1.7)):
                    acknowledged.append(self.tell(self.change()))
            except BaseException as error:  # told below
                failed.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield acknowledged
        finally:
            stop.set()
            thread.join(90)
        assert not failed, failed

    # what the log says

    def heads(self) -> dict[str, tuple[int, str]]:
        """Return number and tree head of the newest entry of every share."""
        database = Database(self.app)
        try:
            found = {share: database.disclosure.last(share) for share in self.shares}
            return {share: (entry.n, entry.root) if entry else (0, "") for share, entry in found.items()}
        finally:
            database.close()

    def log(self) -> "Record":
        """Return what is recorded, once everything is disclosed."""
        database = Database(self.app)
        try:
            eventually(lambda: database.disclosure.position() == database.events.head(), 60, "everything disclosed")
            events = list(database.events.everything())
            entries = {share: database.disclosure.entries(share, 0, 100_000) for share in self.shares}
            return Record([r.command for r in events if closes(r.stream)], entries)  # type: ignore[union-attr]
        finally:
            database.close()


class Record(msgspec.Struct):
    """What is recorded: every command carried out, and every entry."""

    commands: list[str]
    entries: dict[str, list[Entry]]

    def check(self, acknowledged: list[str]) -> None:
        """Nothing acknowledged is lost, nothing is doubled, numbers have no gap, and each tree grows out of itself."""
        counted = Counter(self.commands)
        assert [key for key in acknowledged if counted[key] != 1] == []
        for share, entries in self.entries.items():
            assert [e.n for e in entries] == list(range(1, len(entries) + 1)), share
            views = [e.content.sections_hash for e in entries]
            assert all(a != b for a, b in itertools.pairwise(views)), f"{share}: an update that changes nothing"


class Dashboard:
    """One open page; what it was sent, by number, and everything that should not have happened."""

    def __init__(
        self, share: str, cookie: str, ports: Callable[[], list[int]], seed: int, n: int = 0, root: str = ""
    ) -> None:
        self.share, self.cookie, self._ports = share, cookie, ports
        self._random = random.Random(seed)
        self.tab = f"tab-{seed}"
        self.n = n  # of the page it was opened with
        self.frames: dict[int, str] = {}  # number -> digest of the message
        self.roots: dict[int, str] = {n: root} if n else {}
        self.closes: list[int] = []
        self.wrong: list[str] = []
        self.resets = self.connections = self.views = 0
        self.port = 0
        self.came_back: list[float] = []
        self.ended = False
        self.connected = False

    async def live(self) -> None:
        """Stay connected until cancelled or told that it is over."""
        while not self.ended:
            self.port = self._random.choice(self._ports())
            try:
                async with self.opened() as socket:
                    await self._stay(socket)
            except (OSError, WebSocketException, TimeoutError, asyncio.IncompleteReadError):
                pass
            self.connected = False
            if not self.ended:
                await asyncio.sleep(self._random.uniform(0.05, 0.5))

    def opened(self) -> connect:
        """Return the connection that is about to be made."""
        return connect(
            f"ws://127.0.0.1:{self.port}/s/{self.share}/live", origin=ORIGIN,  # type: ignore[arg-type]
            additional_headers={"cookie": f"fanlight={self.cookie}"}, **PLAIN,
        )  # fmt: skip

    async def _stay(self, socket: ClientConnection) -> None:
        hello = {"hello": self.n, "tab": self.tab, "v": 2, "root": self.roots.get(self.n, "")[:16]}
        await socket.send(json.dumps(hello))
        self.connections += 1
        self.came_back.append(time.monotonic())
        try:
            while True:
                async with asyncio.timeout(8):  # a live server says something every two seconds
                    text = await socket.recv(decode=False)
                self.connected = True
                await self._take(socket, text)
        except TimeoutError:
            return
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else 1006
            self.closes.append(code)
            self.ended = code in (4401, 4403)

    async def _take(self, socket: ClientConnection, text: bytes) -> None:
        message = json.loads(text)
        if message.get("reset"):
            self.n, self.resets = 0, self.resets + 1
            self.frames.clear()
            self.roots.clear()
        if "content" not in message:
            return
        n = message["n"]
        if message.get("key"):
            self.views += 1
            if n < self.n:
                self.wrong.append(f"a view of {n} after {self.n}")
        elif n != self.n + 1:
            self.wrong.append(f"{n} after {self.n}")
        else:
            self.frames[n] = hashlib.sha256(text).hexdigest()
        self.n = n
        if n:
            self.roots[n] = message["root"]
            await socket.send(json.dumps({"applied": n, "head": message["root"][:16]}))
            await socket.send(json.dumps({"painted": n, "from": max(n - 1, 0)}))


class Crowd:
    """Many dashboards on a loop of their own."""

    def __init__(self, fleet: Fleet, count: int) -> None:
        self.fleet = fleet
        shares, cookies = fleet.shares, fleet.cookies
        heads = fleet.heads()
        self.pages = [
            fleet.dashboard(share, cookies[i // len(shares) % len(cookies)], i, *heads[share])
            for i, share in zip(range(count), itertools.cycle(shares), strict=False)
        ]
        self.late = 0.0  # the longest that this loop was kept from looking around: so much is told too late
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        eventually(lambda: all(page.connected for page in self.pages), 60, "everybody connected")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._all.cancel)
        self._thread.join(20)

    def _run(self) -> None:
        async def everybody() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch())
                for page in self.pages:
                    group.create_task(page.live())

        async def until_cancelled() -> None:
            self._all = asyncio.ensure_future(everybody())
            with suppress(asyncio.CancelledError):
                await self._all

        self._loop.run_until_complete(until_cancelled())

    async def _watch(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.02)
            self.late = max(self.late, time.monotonic() - before - 0.02)

    def on(self, worker: Process) -> list[Dashboard]:
        """Return the pages that are connected to a worker."""
        return [page for page in self.pages if page.port == worker.port and page.connected]

    def check(self, record: Record, seconds: float = 60) -> None:
        """Every page ends with exactly what the log says, and every byte it was ever sent is in the log."""
        heads = {share: entries[-1] for share, entries in record.entries.items() if entries}
        late = lambda: [p for p in self.pages if not p.ended and p.n != heads[p.share].n]  # noqa: E731
        end = time.monotonic() + seconds
        while late() and time.monotonic() < end:
            time.sleep(0.1)
        assert [(p.tab, p.n, heads[p.share].n, p.connected, p.closes) for p in late()] == []
        digests = {
            share: {e.n: hashlib.sha256(e.message).hexdigest() for e in entries}
            for share, entries in record.entries.items()
        }
        roots = {share: {e.n: e.root for e in entries} for share, entries in record.entries.items()}
        for page in self.pages:
            assert page.wrong == [], page.tab
            assert {n: d for n, d in page.frames.items() if digests[page.share].get(n) != d} == {}, page.tab
            assert {n: r for n, r in page.roots.items() if roots[page.share].get(n) != r} == {}, page.tab


@contextmanager
def fleet(path: Path, **settings: Any) -> Iterator[Fleet]:
    """Start an installation and end it."""
    made = Fleet(path, **settings)
    try:
        yield made.start()
    finally:
        made.close()


def errors(fleet: Fleet) -> list[str]:
    """Return what the processes logged as errors."""
    return [
        line for process in fleet.processes for line in process.log.read_text().splitlines() if re.search(r" ERROR ", line)
    ]  # fmt: skip


def stranded(fleet: Fleet, dashboards: int) -> int:
    """Kill a worker under so many dashboards and return how many statements brought everybody back elsewhere."""
    with Crowd(fleet, dashboards) as crowd:
        victim = fleet.workers[2]
        eventually(lambda: crowd.on(victim), what="somebody to strand")
        there, before = crowd.on(victim), _statements(fleet)
        victim.kill()
        eventually(lambda: all(p.connected and p.port != victim.port for p in there), 60, "everybody is back")
        time.sleep(2.0)  # the same stretch of polling, however many there are
        made = _statements(fleet) - before
    victim.start()
    return made


def _statements(fleet: Fleet) -> int:
    """Return how many transactions were committed; every statement that only reads is one of its own."""
    time.sleep(1.2)  # Postgres counts with a delay
    with psycopg.connect(fleet.owner, autocommit=True) as db:
        row = db.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = 'fanlight'").fetchone()
        assert row is not None
        return int(row[0])
