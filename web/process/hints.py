"""Hints between processes over Redis: something was recorded, who watches, and how often somebody tried to sign in.

Rule: no hint holds content. A lost, slow or restarted Redis costs only time, because processes that hear nothing poll.
What is not sent yet is merged into one hint, so that nothing piles up.
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

from domain.message import UNREADABLE
from web.push.viewer import Watching

log = logging.getLogger("fanlight.bus")
PATIENCE = 2.0  # seconds for Redis to answer
AGAIN = (0.2, 3.0)  # seconds between attempts to connect, first and longest
BEAT = 5.0  # seconds after which who watches here is sent again
LAPSES = 3 * BEAT  # seconds for which such a hint of another process holds
QUICK = 0.25  # seconds to wait for a shared rate limit; after that this process's own must do


class Hint(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message between processes."""

    by: str  # the process that sends it
    events: bool = False  # events were recorded
    entries: dict[str, int] = {}  # number of the newest entry recorded, by share
    retry: tuple[str, ...] = ()  # stopped shares to try again
    pull: tuple[str, ...] = ()  # sources that may have news
    watching: dict[str, tuple[Watching, ...]] | None = None  # open dashboards there by share, None where unchanged


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Hint).decode


class Hints:
    """Sends and receives the hints of one process. Owned by the event loop; any thread may call `tell`."""

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
        self._events, self._retry, self._pull = False, set[str](), set[str]()
        self._entries: dict[str, int] = {}
        # by process: when it said who watches there (monotonic), and that, by share
        self._others: dict[str, tuple[float, dict[str, tuple[Watching, ...]]]] = {}
        self._told: Mapping[str, Sequence[Watching]] = {}
        self._told_at = 0.0
        self.listening = self.over = False
        self.hints = 0  # received

    # sending

    def tell(self, *, events: bool = False, entries: Mapping[str, int] | None = None, retry: str = "") -> None:
        """Send a hint soon, merged with what was not sent yet. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._note, events, dict(entries or {}), retry)

    def tell_of_source(self, source: str) -> None:
        """Send soon that a source may have news. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._note_source, source)

    def _note_source(self, source: str) -> None:
        self._pull.add(source)
        self._due.set()

    def _note(self, events: bool, entries: dict[str, int], retry: str) -> None:
        self._events |= events
        self._retry |= {retry} - {""}
        for share, n in entries.items():
            self._entries[share] = max(n, self._entries.get(share, 0))
        self._due.set()

    def _next(self) -> Hint | None:
        """Return the next hint, None where there is nothing to send."""
        watching, now = self._watching(), time.monotonic()
        changed = watching != self._told or now - self._told_at >= BEAT
        if not (changed or self._events or self._entries or self._retry or self._pull):
            return None
        hint = Hint(
            by=self.worker,
            events=self._events,
            entries=self._entries,
            retry=tuple(sorted(self._retry)),
            pull=tuple(sorted(self._pull)),
            watching={share: tuple(there) for share, there in watching.items()} if changed else None,
        )
        self._events, self._entries, self._retry, self._pull = False, {}, set(), set()
        if changed:
            self._told, self._told_at = watching, now
        return hint

    async def _publish(self) -> None:
        while not self.over:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):  # who watches is compared once a second
                    await self._due.wait()
            self._due.clear()
            hint = self._next()
            if hint is not None:
                await self._client.publish(self._channel, _encode(hint))  # may be lost: others poll

    # receiving

    async def _hear(self) -> None:
        async with self._client.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(self._channel)
            self.listening = True
            self._on_hint(Hint(by="", events=True))  # for hints sent before we listened
            answered_at = time.monotonic()
            while not self.over and time.monotonic() - answered_at <= PATIENCE:  # a hung Redis keeps its connections
                message = await channel.get_message(timeout=PATIENCE / 4)
                if message is None:
                    await channel.ping()
                    continue
                answered_at = time.monotonic()
                if message["type"] == "message":
                    self._take(message["data"])
            if not self.over:
                raise TimeoutError

    def _take(self, data: bytes) -> None:
        try:
            hint = _decode(data)
        except UNREADABLE:
            return
        if hint.by == self.worker:
            return
        self.hints += 1
        if hint.watching is not None:
            self._others[hint.by] = time.monotonic(), hint.watching
        if hint.events or hint.entries or hint.retry or hint.pull:
            self._on_hint(hint)

    # running and ending

    async def run(self) -> None:
        """Send and receive until `over` is set, connecting again whenever the connection is lost.

        A flag and not only a cancellation, because the Redis client may turn a cancellation into a lost connection.
        """
        self._loop = asyncio.get_running_loop()
        await asyncio.gather(self._repeat(self._publish), self._repeat(self._hear))

    async def _repeat(self, work: Callable[[], Any]) -> None:
        """Run work until `over`, again whenever it ends because Redis is away."""
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
        """Make `run` return."""
        self.over = True

    async def close(self) -> None:
        """Tell others that nobody watches here any more, and close every connection."""
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(QUICK):
                await self._client.publish(self._channel, _encode(Hint(by=self.worker, watching={})))
        await self._client.aclose()

    # who watches elsewhere, and shared rate limits

    def watching(self, share: str) -> list[Watching]:
        """Return the open dashboards of a share on other processes, as they said within `LAPSES` seconds."""
        since = time.monotonic() - LAPSES
        recent = [watching for at, watching in self._others.values() if at >= since]
        return [dashboard for watching in recent for dashboard in watching.get(share, ())]

    async def knocked(self, kind: str, key: str, seconds: int = 60) -> int | None:
        """Count an attempt, and return how many there were in this window of time; None when Redis does not answer."""
        window = int(time.time() // seconds)
        name = f"{self._channel}:{kind}:{hashlib.sha256(key.encode()).hexdigest()[:32]}:{window}"
        try:
            async with asyncio.timeout(QUICK):
                count = await self._client.incr(name)
                if count == 1:
                    await self._client.expire(name, 2 * seconds)
                return int(count)
        except (RedisError, OSError, TimeoutError):
            return None
