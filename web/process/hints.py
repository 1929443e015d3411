"""Hints between processes over Redis: something was recorded, who watches, and how often somebody tried to sign in.

Rule: no hint holds content. A lost, slow or restarted Redis costs only time, because processes that hear nothing poll.
Whoever recorded sends the hint itself, at once and without waiting for an answer; where that cannot be, what is not
sent yet is merged into one hint, so that nothing piles up.
"""

import asyncio
import contextlib
import hashlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import redis as from_threads
import redis.asyncio as redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from domain.message import UNREADABLE
from web.push.viewer import Watching

log = logging.getLogger("fanlight.bus")
PATIENCE = 2.0  # seconds for Redis to answer
AGAIN = (0.2, 3.0)  # seconds between attempts to connect, first and longest
BEAT = 5.0  # seconds after which who watches here is sent again
LAPSES = 3 * BEAT  # seconds for which such a hint of another process holds
AHEAD, SMALL = 8, 512  # hints sent at once that Redis has not answered yet, and the bytes of one, at most: they fit
# into any socket's buffer, so that whoever sends one never waits
ONCE = Retry(NoBackoff(), 0)  # what fails is tried again here, where it is known that hints may be missing
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


class Straight:
    """A connection on which any thread sends a small hint at once. It never waits for Redis, but for `keep`."""

    def __init__(self, url: str) -> None:
        self._pool = from_threads.ConnectionPool.from_url(
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, protocol=2, max_connections=1, retry=ONCE
        )
        self._connection: Any = self._pool.make_connection()
        self._lock = threading.Lock()
        self._there = False
        self._unanswered: deque[float] = deque()  # when they were sent, by the monotonic clock

    def send(self, channel: str, data: bytes) -> bool:
        """Send a hint; return False where it has to go another way."""
        with self._lock:
            if not self._there or len(data) > SMALL:
                return False
            try:
                self._take_answers()
                if len(self._unanswered) >= AHEAD:
                    return False
                packed = self._connection.pack_command("PUBLISH", channel, data)
                self._connection.send_packed_command(packed, check_health=False)
            except (RedisError, OSError):
                self._there = False
                return False
            self._unanswered.append(time.monotonic())
            return True

    def _take_answers(self) -> None:
        while self._connection.can_read(timeout=0):
            self._connection.read_response()
            if not self._unanswered:
                raise from_threads.ConnectionError
            self._unanswered.popleft()

    def keep(self) -> None:
        """See to it that it is connected, and that Redis answers. For threads.

        Raises: RedisError, OSError.
        """
        with self._lock:
            if self._there:
                try:
                    self._take_answers()
                    if not self._unanswered or time.monotonic() - self._unanswered[0] <= PATIENCE:
                        return
                except (RedisError, OSError):
                    pass
                self._there = False
        self.close()
        self._connection.connect()
        self._unanswered.clear()
        self._there = True

    def close(self) -> None:
        """Close it."""
        self._there = False
        self._connection.disconnect()


class Hints:
    """Sends and receives the hints of one process. Owned by the event loop; any thread may call `tell`.

    `on_hint` is called in a thread of its own, in which hints are heard.
    """

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
        self._straight = Straight(url)
        self._hears: Any = from_threads.Redis.from_url(
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=ONCE
        )
        self._hearing: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due = asyncio.Event()
        self._events, self._retry, self._pull = False, set[str](), set[str]()
        self._entries: dict[str, int] = {}
        # by process: when it said who watches there (monotonic), and that, by share; who spoke last is at the end
        self._others: dict[str, tuple[float, dict[str, tuple[Watching, ...]]]] = {}
        self._knowing = threading.Lock()  # heard in one thread, forgotten in another
        self._told: Mapping[str, Sequence[Watching]] = {}
        self._told_at = 0.0
        self.listening = self.over = False
        self.hints = 0  # received

    # sending

    def tell(self, *, events: bool = False, entries: Mapping[str, int] | None = None, retry: str = "") -> None:
        """Send a hint at once, else soon, merged with what was not sent yet. From any thread; it does not wait.

        Whatever keeps it from being sent is logged and no more: what it tells of is recorded, and others poll.
        """
        hint = Hint(by=self.worker, events=events, entries=dict(entries or {}), retry=(retry,) if retry else ())
        try:
            if not self._straight.send(self._channel, _encode(hint)):
                self._soon(self._note, events, hint.entries, retry)
        except Exception:
            log.exception("a hint could not be sent; others find what it tells of by polling")

    def tell_of_source(self, source: str) -> None:
        """Send soon that a source may have news. From any thread."""
        self._soon(self._note_source, source)

    def _soon(self, call: Callable[..., None], *arguments: object) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            with contextlib.suppress(RuntimeError):  # it was closed just now: this process ends
                loop.call_soon_threadsafe(call, *arguments)

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
        self._forget_lapsed()
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

    def _hear(self) -> None:
        with self._hears.pubsub(ignore_subscribe_messages=True) as channel:
            channel.subscribe(self._channel)
            self.listening = True
            self._on_hint(Hint(by="", events=True))  # for hints sent before we listened
            answered_at = time.monotonic()
            while not self.over and time.monotonic() - answered_at <= PATIENCE:  # a hung Redis keeps its connections
                message = channel.get_message(timeout=PATIENCE / 4)
                if message is None:
                    channel.ping()
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
            with self._knowing:
                self._others.pop(hint.by, None)
                self._others[hint.by] = time.monotonic(), hint.watching
        if hint.events or hint.entries or hint.retry or hint.pull:
            self._on_hint(hint)

    def _forget_lapsed(self) -> None:
        """Forget the processes that say nothing any more: the first of all that are known, so no other is looked at."""
        since = time.monotonic() - LAPSES
        with self._knowing:
            while self._others and next(iter(self._others.values()))[0] < since:
                del self._others[next(iter(self._others))]

    # running and ending

    async def run(self) -> None:
        """Send and receive until `over` is set, connecting again whenever the connection is lost.

        A flag and not only a cancellation, because the Redis client may turn a cancellation into a lost connection.
        """
        self._loop = asyncio.get_running_loop()
        if self._hearing is None or not self._hearing.is_alive():
            self._hearing = threading.Thread(target=self._hear_on, name="hints", daemon=True)
            self._hearing.start()
        await asyncio.gather(self._repeat(self._publish), self._repeat(self._keep_straight))

    async def _keep_straight(self) -> None:
        while not self.over:
            await asyncio.to_thread(self._straight.keep)
            await asyncio.sleep(1.0)

    async def _repeat(self, work: Callable[[], Any]) -> None:
        """Run work until `over`, again whenever it ends: because Redis is away, or by an error nobody thought of."""
        pauses = _pauses()
        while not self.over:
            began = time.monotonic()
            try:
                await work()
            except Exception as error:  # noqa: BLE001  # said by `_note_ended`
                pauses = self._note_ended(error, began, pauses)
            if not self.over:
                await asyncio.sleep(next(pauses))

    def _hear_on(self) -> None:
        """Hear until `over`, again whenever it ends: because Redis is away, or by an error nobody thought of."""
        pauses = _pauses()
        while not self.over:
            began = time.monotonic()
            try:
                self._hear()
            except Exception as error:  # noqa: BLE001  # said by `_note_ended`
                pauses = self._note_ended(error, began, pauses)
            finally:
                self.listening = False
            if not self.over:
                time.sleep(next(pauses))

    def _note_ended(self, error: Exception, began: float, pauses: Iterator[float]) -> Iterator[float]:
        """Return how long to pause before one attempt after the other, from the shortest where it had held a while."""
        held = time.monotonic() - began > AGAIN[1]
        if not isinstance(error, RedisError | OSError | TimeoutError):
            log.error("hints failed unexpectedly, so others are found by polling; it is tried again", exc_info=error)
        elif held:
            log.warning("Redis is away, so others are found by polling: %s", type(error).__name__)
        return _pauses() if held else pauses

    def end(self) -> None:
        """Make `run` return."""
        self.over = True

    async def close(self) -> None:
        """Tell others that nobody watches here any more, and close every connection."""
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(QUICK):
                await self._client.publish(self._channel, _encode(Hint(by=self.worker, watching={})))
        await self._client.aclose()
        if self._hearing is not None:
            await asyncio.to_thread(self._hearing.join, PATIENCE)
        self._straight.close()
        self._hears.close()

    # who watches elsewhere, and shared rate limits

    def watching(self, share: str) -> list[Watching]:
        """Return the open dashboards of a share on other processes, as they said within `LAPSES` seconds."""
        since = time.monotonic() - LAPSES
        with self._knowing:
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


def _pauses() -> Iterator[float]:
    """Yield the seconds between attempts to connect, ever more of them."""
    wait = AGAIN[0]
    while True:
        yield wait
        wait = min(2 * wait, AGAIN[1])
