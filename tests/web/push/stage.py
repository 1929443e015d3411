"""A stage for the push layer: a log in memory, a real server on loopback, and pages as real WebSocket clients."""

import asyncio
import hashlib
import json
import os
import random
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from projections.receipts.claims import Receipt
from web.push import wire
from web.push.live import Live
from web.push.pace import Pace
from web.push.server import server_config
from web.push.viewer import Viewer

PATIENCE = 15.0
BY_UVICORN = "Sec-WebSocket-Protocol: any\r\n"  # a handshake that is not taken up by ours
SHARE = "acme-rail"


def rooted(text: bytes) -> str:
    """The tree head that a page holds after this message."""
    return hashlib.sha256(text).hexdigest()[:16]


class MemoryLog:
    """What was disclosed, per share; reads are counted and can be held up."""

    def __init__(self) -> None:
        self.texts: dict[str, list[bytes]] = {}
        self.reads: list[tuple] = []
        self.open = threading.Event()
        self.open.set()
        self.broken = False

    def record(self, share: str, *, size: int = 0) -> tuple[int, bytes]:
        """Disclose one more update and return it."""
        texts = self.texts.setdefault(share, [])
        n = len(texts) + 1
        texts.append(json.dumps({"n": n, "content": f"{share} {n} " + "x" * size}).encode())
        return n, texts[-1]

    def head(self, share: str) -> int:
        self._came("head", share)
        return len(self.texts.get(share, []))

    def root(self, share: str, n: int) -> str:
        self._came("root", share, n)
        return rooted(self.texts[share][n - 1])

    def frames(self, share: str, after: int, limit: int) -> list[tuple[int, bytes]]:
        self._came("frames", share, after, limit)
        return list(enumerate(self.texts.get(share, []), 1))[after : after + limit]

    def keyframe(self, share: str, since: int) -> tuple[int, bytes]:
        n = len(self.texts[share])
        self._came("keyframe", share, since)
        return n, json.dumps({"n": n, "key": True, "content": f"all of {share} for {since}"}).encode()

    def _came(self, *what: object) -> None:
        assert threading.current_thread() is not threading.main_thread(), "the log was read on the event loop"
        self.reads.append(what)
        assert self.open.wait(PATIENCE)
        if self.broken:
            raise OSError("the disk is gone")


class Page:
    """An open dashboard: remembers every message, in order."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: list[dict] = []
        self.raw: list[str] = []

    @property
    def numbers(self) -> list[int]:
        return [m["n"] for m in self.heard if "n" in m and not m.get("key")]

    @property
    def keys(self) -> list[int]:
        return [m["n"] for m in self.heard if m.get("key")]

    @property
    def ticks(self) -> list[int]:
        return [m["tick"] for m in self.heard if "tick" in m]

    @property
    def at(self) -> int:
        """The number the page stands at, by its own rule: the next one, or a whole view."""
        return max([m.get("n", 0) for m in self.heard], default=0)

    async def say(self, **message: object) -> None:
        with suppress(ConnectionClosed):  # as a browser: what is said to a closing socket goes nowhere
            await self.socket.send(json.dumps({key.rstrip("_"): value for key, value in message.items()}))

    async def hello(self, n: int, tab: str = "tab-1") -> None:
        await self.say(hello=n, tab=tab, v=2)

    async def hear(self) -> dict:
        async with asyncio.timeout(PATIENCE):
            raw = await self.socket.recv(decode=True)
        self.raw.append(raw)
        self.heard.append(json.loads(raw))
        return self.heard[-1]

    async def until(self, met: Callable[["Page"], object]) -> "Page":
        while not met(self):
            await self.hear()
        return self

    async def closed(self) -> int:
        """Read to the end and return the close code."""
        try:
            while True:
                await self.hear()
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006


class RawPage:
    """A peer that reads only when told, from a small buffer, and answers no pings: a bare socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.data, self.messages = sock, b"", []

    @classmethod
    async def open(
        cls, stage: "Stage", n: int | None = 0, *, extra: str = "", after: bytes = b"", waits: bool = True
    ) -> "RawPage":
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        page, loop = cls(sock), asyncio.get_running_loop()
        await loop.sock_connect(sock, ("127.0.0.1", stage.port))
        request = (
            f"GET /s/{SHARE}/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n"
        )
        await loop.sock_sendall(sock, request.encode() + after)
        while waits and b"\r\n\r\n" not in page.data:
            page.data += await asyncio.wait_for(loop.sock_recv(sock, 512), PATIENCE)
        page.handshake, _, page.data = page.data.partition(b"\r\n\r\n")
        if n is not None:
            await page.send(client_frame(b'{"hello":%d,"tab":"raw","v":2}' % n))
        return page

    async def send(self, data: bytes) -> None:
        await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(self.sock, data), PATIENCE)

    async def hear(self, first: int = wire.TEXT) -> bytes:
        """Return the payload of the next frame of this kind; fail at the end of the stream."""
        loop = asyncio.get_running_loop()
        while True:
            length = wire.frame_length(self.data)
            if length is None or len(self.data) < length:
                got = await asyncio.wait_for(loop.sock_recv(self.sock, 1 << 16), PATIENCE)
                if not got:
                    raise ConnectionResetError("the server closed")
                self.data += got
                continue
            frame, self.data = self.data[:length], self.data[length:]
            ((opcode, payload),) = wire.unframed(frame)
            if opcode == first:
                return payload

    async def number(self) -> int:
        while "n" not in (message := json.loads(await self.hear())):
            pass
        return message["n"]

    def close(self) -> None:
        self.sock.close()


def client_frame(payload: bytes, first: int = 0x81, mask: bytes = b"\x11\x22\x33\x44") -> bytes:
    size = len(payload)
    head = bytes((first, 0x80 | size)) if size < 126 else bytes((first, 0x80 | 126)) + size.to_bytes(2, "big")
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


class Stage:
    """The server and what it is made of."""

    def __init__(self, pace: Pace, *, handed_over: bool) -> None:
        self.log, self.receipts, self.now = MemoryLog(), [], 1_000.0
        self.live = Live(self.log, self.receipts.extend, lambda: self.now, pace)
        self.handed_over, self.port, self.on_request = handed_over, 0, None
        self.app = Starlette(
            routes=[
                Route("/healthz", lambda _request: PlainTextResponse("ok")),
                WebSocketRoute("/s/{share}/live", self._live),
            ]
        )

    async def _live(self, websocket) -> None:
        mark = self.live.mark()
        asked = websocket.query_params
        viewer = Viewer(
            person=asked.get("person", "ann"),
            share=websocket.path_params["share"],
            session=asked.get("session", "s-1"),
            expires=float(asked.get("expires", 0)),
        )
        if self.on_request is not None:
            await self.on_request()
        await self.live.accept(websocket)
        await self.live.serve(websocket, viewer, mark)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Stage"]:
        """Run a real server on a free port of loopback."""
        overrides = {} if self.handed_over else {"ws": "websockets-sansio", "ws_ping_interval": 20.0}
        self.config = server_config(self.app, "127.0.0.1", 0, lifespan="off", **overrides)
        self.server = uvicorn.Server(self.config)
        running = asyncio.create_task(self.server._serve())
        await wait_until(lambda: self.server.started or running.done())
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self.server.should_exit = True
            await asyncio.wait_for(running, PATIENCE)

    def url(self, share: str = SHARE, **query: object) -> str:
        extra = "&".join(f"{key}={value}" for key, value in query.items())
        return f"ws://127.0.0.1:{self.port}/s/{share}/live?{extra}"

    @asynccontextmanager
    async def page(self, n: int | None = 0, share: str = SHARE, **query: object) -> AsyncIterator[Page]:
        """Open a dashboard that stands at n; with n=None it has not said so yet."""
        tab = str(query.pop("tab", "tab-1"))
        async with connect(self.url(share, **query), max_size=None, compression=None, ping_interval=None) as socket:
            page = Page(socket)
            if n is not None:
                await page.hello(n, tab)
            yield page

    def record(self, count: int = 1, share: str = SHARE, *, size: int = 0) -> list[tuple[int, bytes]]:
        return [self.log.record(share, size=size) for _ in range(count)]

    def publish(self, count: int = 1, share: str = SHARE, *, size: int = 0) -> None:
        """Record updates and announce them, as the follower does."""
        self.live.publish(share, self.record(count, share, size=size))

    def watchers(self, share: str = SHARE) -> list:
        room = self.live._rooms.get(share)
        return list(room.watchers) if room else []


async def wait_until(met: Callable[[], object], patience: float = PATIENCE) -> None:
    for _ in range(int(patience / 0.005)):
        if met():
            return
        await asyncio.sleep(0.005)
    raise TimeoutError("what the test waits for did not happen")


Story = Callable[[Stage], Awaitable[None]]


WAYS = [
    pytest.param(("asyncio", True), id="asyncio-handed-over"),
    pytest.param(("uvloop", True), id="uvloop-handed-over"),
    pytest.param(("asyncio", False), id="asyncio-portable"),
    pytest.param(("uvloop", False), id="uvloop-portable"),
]


def play(story: Story, *, loop: str = "uvloop", handed_over: bool = True, **pace: object) -> Stage:
    """Tell a story on a stage, on one kind of event loop."""
    stage = Stage(msgspec.structs.replace(Pace(), **pace), handed_over=handed_over)
    with asyncio.Runner(loop_factory=loop_factory(loop)) as runner:
        runner.run(_told(story, stage))
    return stage


async def _told(story: Story, stage: Stage) -> None:
    async with stage.serving():
        await story(stage)


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    if name == "uvloop":
        import uvloop

        return uvloop.new_event_loop
    return asyncio.new_event_loop


def seeded() -> random.Random:
    seed = int(os.environ.get("FANLIGHT_TEST_SEED") or random.randrange(2**32))
    print(f"FANLIGHT_TEST_SEED={seed}")
    return random.Random(seed)


def receipt_facts(receipts: list[Receipt]) -> list[tuple]:
    return [(r.kind, r.n, r.came_from) for r in receipts]
