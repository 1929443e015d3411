"""Hints between processes, through a real Redis: sent at once, never piled up, and never waited for."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from tests.redis import Redis
from web.process import hints as module
from web.process.hints import AHEAD, Hint, Hints

pytestmark = [pytest.mark.once, pytest.mark.with_redis]


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    made = Redis().start()
    yield made
    made.remove()


class Between:
    """Stands between a process and Redis; holds back what Redis answers while `goes_on` is not set."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        return f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to = await asyncio.open_connection("127.0.0.1", self._port)
        answers = asyncio.create_task(self._pass(there, writer, self.goes_on.wait))
        self._tasks += [answers, asyncio.create_task(self._pass(reader, to, None))]

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: Callable[[], Awaitable[object]] | None
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if first is not None:
                    await first()
                writer.write(data)
                await writer.drain()
        writer.close()

    async def end(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Pair:
    """A process that tells, behind a `Between`, and one that hears."""

    def __init__(self, tells: Hints, between: Between, heard: list[Hint]) -> None:
        self.tells, self.between, self.heard = tells, between, heard

    async def entries(self, count: int) -> list[dict[str, int]]:
        """Wait for so many hints of entries."""
        await until(lambda: len(self._entries()) >= count)
        return self._entries()

    def _entries(self) -> list[dict[str, int]]:
        return [hint.entries for hint in self.heard if hint.entries]


async def until(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def pair(redis: Redis) -> AsyncIterator[Pair]:
    between, heard = Between(redis.port), list[Hint]()
    tells = Hints(await between.start(), "one", "tells", lambda _hint: None, dict)
    hears = Hints(redis.url, "one", "hears", heard.append, dict)
    running = [asyncio.create_task(one.run()) for one in (tells, hears)]
    try:
        await until(lambda: tells.listening and hears.listening and tells._straight._there)
        await until(lambda: "tells" in hears._others)  # the other way is open as well
        yield Pair(tells, between, heard)
    finally:
        between.goes_on.set()
        for one in (tells, hears):
            one.end()
        await asyncio.wait(running, timeout=5)
        for one in (tells, hears):
            await one.close()
        await between.end()


def test_a_hint_does_not_wait_until_the_one_before_is_answered(redis: Redis) -> None:
    async def story() -> None:
        async with pair(redis) as two:
            two.between.goes_on.clear()
            for n in range(1, 4):
                two.tells.tell(entries={"s1": n})
                assert await two.entries(n) == [{"s1": k} for k in range(1, n + 1)]

    asyncio.run(story())


def test_what_redis_does_not_answer_never_piles_up_and_the_newest_is_told_once_it_does(redis: Redis) -> None:
    async def story() -> None:
        async with pair(redis) as two:
            two.between.goes_on.clear()
            for n in range(1, AHEAD + 1):
                two.tells.tell(entries={"s1": n})
                await two.entries(n)
            two.tells.tell(entries={"s1": AHEAD + 1})  # goes the other way, on which each is waited for
            await two.entries(AHEAD + 1)
            for n in range(AHEAD + 2, 500):
                two.tells.tell(entries={"s1": n, f"s{n % 3}": n})
            await asyncio.sleep(0.1)
            assert len(await two.entries(AHEAD + 1)) == AHEAD + 1
            two.between.goes_on.set()
            assert (await two.entries(AHEAD + 2))[AHEAD + 1 :] == [{"s1": 499, "s0": 498, "s2": 497}]

    asyncio.run(story())


def test_a_redis_that_answers_no_more_is_left_and_hints_go_on_over_another_connection(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 1.0)

    async def story() -> None:
        async with pair(redis) as two:
            two.between.goes_on.clear()
            two.tells.tell(entries={"s1": 1})
            await two.entries(1)
            await until(lambda: not two.tells.listening)  # so this process polls
            two.between.goes_on.set()
            await until(lambda: two.tells.listening)
            two.tells.tell(entries={"s1": 2})
            assert {"s1": 2} in await two.entries(2)

    asyncio.run(story())


def test_a_redis_that_ends_and_comes_back_is_used_again_and_what_was_missed_is_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "AGAIN", (0.05, 0.2))
    own = Redis().start()

    async def story() -> None:
        heard: list[Hint] = []
        one, other = (Hints(own.url, "one", name, heard.append, dict) for name in ("one", "other"))
        running = [asyncio.create_task(each.run()) for each in (one, other)]
        await until(lambda: one.listening and other.listening and one._straight._there)
        own.kill()
        await until(lambda: not one.listening and not other.listening)
        one.tell(entries={"s1": 1})  # nobody hears it
        heard.clear()
        own.start()
        await until(lambda: one.listening and other.listening and one._straight._there)
        await until(lambda: [hint.events for hint in heard if not hint.by] == [True, True])
        one.tell(entries={"s1": 2})
        await until(lambda: {"s1": 2} in [hint.entries for hint in heard])
        for each in (one, other):
            each.end()
        await asyncio.wait(running, timeout=5)
        await one.close()
        await other.close()

    try:
        asyncio.run(story())
    finally:
        own.remove()


@pytest.mark.parametrize("loop", ["_publish", "_keep_straight"])
def test_an_error_nobody_thought_of_is_logged_with_where_it_came_from_and_hints_go_on(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, loop: str
) -> None:
    monkeypatch.setattr(module, "AGAIN", (0.05, 0.2))

    async def story() -> None:
        watching: list[int] = []

        def fails_once() -> dict[str, list[module.Watching]]:
            watching.append(1)
            if loop == "_publish" and len(watching) == 1:
                raise ZeroDivisionError
            return {}

        heard: list[Hint] = []
        tells = Hints(redis.url, "two", "tells", lambda _hint: None, fails_once)
        hears = Hints(redis.url, "two", "hears", heard.append, dict)
        if loop == "_keep_straight":
            keep, kept = tells._straight.keep, list[int]()

            def fails_first() -> None:
                kept.append(1)
                if len(kept) == 1:
                    raise ZeroDivisionError
                keep()

            monkeypatch.setattr(tells._straight, "keep", fails_first)
        running = [asyncio.create_task(one.run()) for one in (tells, hears)]
        await until(lambda: tells.listening and hears.listening and tells._straight._there)
        await until(lambda: "tells" in hears._others)
        tells.tell_of_source("harbour/jira1")  # goes by the loop that publishes
        await until(lambda: ("harbour/jira1",) in [hint.pull for hint in heard])
        assert not any(task.done() for task in running)
        for one in (tells, hears):
            one.end()
        await asyncio.wait(running, timeout=5)
        for one in (tells, hears):
            await one.close()

    with caplog.at_level(logging.ERROR, "fanlight.bus"):
        asyncio.run(story())
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]


def test_a_hint_that_cannot_be_sent_fails_nothing_that_was_recorded(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tells = Hints(redis.url, "three", "tells", lambda _hint: None, dict)
    monkeypatch.setattr(tells._straight, "_there", True)  # though no connection was made

    def breaks(*_given: object, **_more: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(tells._straight._connection, "can_read", lambda timeout: False)
    monkeypatch.setattr(tells._straight._connection, "pack_command", breaks)
    tells.tell(events=True)
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]


def test_processes_that_ended_are_forgotten_once_what_they_said_has_lapsed(monkeypatch: pytest.MonkeyPatch) -> None:
    hints, now = Hints("redis://127.0.0.1:1/0", "one", "me", lambda _hint: None, dict), 1000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    page = module.Watching(person="v", tab="t", since=0, sent=1, displayed=1, visible=True, paused=False)

    def says(process: str) -> None:
        hints._take(module._encode(Hint(by=process, watching={"s1": (page,)})))

    says("stays")
    for restart in range(200):
        now += 1
        says(f"run {restart}")
        if restart % 5 == 0:
            says("stays")
        hints._next()
        assert len(hints.watching("s1")) == len(hints._others), "what counts is kept, and nothing else"
        assert len(hints._others) <= module.LAPSES + 2
    now += module.LAPSES + 1
    hints._next()
    assert hints._others == {}
