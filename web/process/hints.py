"""Hints between processes over Redis: something was recorded, somebody watches, somebody knocked. Never content.

Rule: losing, flushing, slowing or restarting Redis costs time only. What is to be told is kept as the newest state of
a few things, so it cannot pile up; whoever hears nothing polls.
"""

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import redis.asyncio as redis
from redis.exceptions import RedisError

from web.push.viewer import Watching

log = logging.getLogger("fanlight.bus")
PATIENCE = 2.0  # seconds for Redis to answer
AGAIN = (0.2, 3.0)  # first and longest wait between tries, seconds
BEAT = 5.0  # seconds between statements of who watches here
LAPSES = 3 * BEAT  # a statement of another process counts for so long
QUICK = 0.25  # seconds a rate limit may take before this process's own must do


class Hint(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message: from which process; events, entries of shares up to n, parked shares to try, who watches what."""

    by: str
    events: bool = False
    entries: dict[str, int] = {}
    retry: tuple[str, ...] = ()
    watching: dict[str, tuple[Watching, ...]] | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Hint).decode


class Hints:
    """One process's end of it. The event loop owns it, but for `tell`, which any thread may call."""

    def __init__(
        self,
        url: str,
        installation: str,
        worker: str,
        on_hint: Callable[[Hint], None],
        watching: Callable[[], Mapping[str, Sequence[Watching]]],
    ) -> None:
        self.worker, self._on_hint, self._watching = worker, on_hint, watching
        self._channel = f"fanlight:{installation}"
        self._client = redis.Redis.from_url(
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry_on_timeout=False, max_connections=8
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due = asyncio.Event()
        self._events, self._retry = False, set[str]()
        self._entries: dict[str, int] = {}
        self._others: dict[str, tuple[float, dict[str, tuple[Watching, ...]]]] = {}
        self._told: Mapping[str, Sequence[Watching]] = {}
        self._told_at = 0.0
        self.listening = self.over = False
        self.hints = 0

    # telling

    def tell(self, *, events: bool = False, entries: Mapping[str, int] | None = None, retry: str = "") -> None:
        """Have others told, soon; what was not told yet is joined with it."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._note, events, dict(entries or {}), retry)

    def _note(self, events: bool, entries: dict[str, int], retry: str) -> None:
        self._events |= events
        self._retry |= {retry} - {""}
        for share, n in entries.items():
            self._entries[share] = max(n, self._entries.get(share, 0))
        self._due.set()

    def _next(self) -> Hint | None:
        watching, now = self._watching(), time.monotonic()
        says = watching != self._told or now - self._told_at >= BEAT
        if not (says or self._events or self._entries or self._retry):
            return None
        hint = Hint(
            by=self.worker,
            events=self._events,
            entries=self._entries,
            retry=tuple(sorted(self._retry)),
            watching={share: tuple(there) for share, there in watching.items()} if says else None,
        )
        self._events, self._entries, self._retry = False, {}, set()
        if says:
            self._told, self._told_at = watching, now
        return hint

    async def _publish(self) -> None:
        while not self.over:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):  # who watches is looked at once a second
                    await self._due.wait()
            self._due.clear()
            hint = self._next()
            if hint is not None:
                await self._client.publish(self._channel, _encode(hint))  # lost if Redis is: whoever polls finds it

    # hearing

    async def _hear(self) -> None:
        async with self._client.pubsub(ignore_subscribe_messages=True) as heard:
            await heard.subscribe(self._channel)
            self.listening = True
            self._on_hint(Hint(by="", events=True))  # what was told before we listened
            spoke = time.monotonic()
            while (
                not self.over and time.monotonic() - spoke <= PATIENCE
            ):  # a Redis that stands still keeps its connections
                message = await heard.get_message(timeout=PATIENCE / 4)
                if message is None:
                    await heard.ping()
                    continue
                spoke = time.monotonic()
                if message["type"] == "message":
                    self._take(message["data"])
            if not self.over:
                raise TimeoutError

    def _take(self, data: bytes) -> None:
        try:
            hint = _decode(data)
        except msgspec.MsgspecError:
            return
        if hint.by == self.worker:
            return
        self.hints += 1
        if hint.watching is not None:
            self._others[hint.by] = time.monotonic(), hint.watching
        if hint.events or hint.entries or hint.retry:
            self._on_hint(hint)

    # life

    async def run(self) -> None:
        """Tell and hear until `over` is set, connecting again whenever the connection is lost.

        A flag and not a cancellation alone: what waits for Redis may turn a cancellation into a lost connection.
        """
        self._loop = asyncio.get_running_loop()
        await asyncio.gather(self._again(self._publish), self._again(self._hear))

    async def _again(self, work: Callable[[], Any]) -> None:
        wait = AGAIN[0]
        while not self.over:
            began = time.monotonic()
            try:
                await work()
            except (RedisError, OSError, TimeoutError) as error:
                if time.monotonic() - began > AGAIN[1]:
                    wait = AGAIN[0]
                    log.warning("Redis is away, so others are found by polling: %s", type(error).__name__)
            finally:
                if work == self._hear:
                    self.listening = False
            if not self.over:
                await asyncio.sleep(wait)
            wait = min(2 * wait, AGAIN[1])

    def end(self) -> None:
        """Have `run` return, whatever waits for Redis."""
        self.over = True

    async def close(self) -> None:
        """Close every connection; others learn that nobody watches here any more."""
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(QUICK):
                await self._client.publish(self._channel, _encode(Hint(by=self.worker, watching={})))
        await self._client.aclose()

    # who watches elsewhere, and how often somebody knocked

    def watching(self, share: str) -> list[Watching]:
        """Return the open dashboards of a share on other processes, as far as they said lately."""
        since = time.monotonic() - LAPSES
        return [one for at, said in self._others.values() if at >= since for one in said.get(share, ())]

    async def knocked(self, kind: str, key: str, seconds: int = 60) -> int | None:
        """Count a knock and return how many there were in this stretch of time; None when Redis does not say."""
        stretch = int(time.time() // seconds)
        name = f"{self._channel}:{kind}:{hashlib.sha256(key.encode()).hexdigest()[:32]}:{stretch}"
        try:
            async with asyncio.timeout(QUICK):
                count = await self._client.incr(name)
                if count == 1:
                    await self._client.expire(name, 2 * seconds)
                return int(count)
        except (RedisError, OSError, TimeoutError):
            return None
