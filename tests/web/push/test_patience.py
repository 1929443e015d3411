"""Requests that do not come to their end are given up, on real sockets; whoever asks properly is served meanwhile.

A new version of uvicorn that behaves otherwise fails here first.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from tests.web.push.stage import PATIENCE, loop_factory, wait_until
from web.push.patience import Patience, PatientProtocol, most_connections
from web.push.server import server_config

pytestmark = pytest.mark.once
SHORT = Patience(request=0.3, body=0.3, rate=4096, late=0.3, answer=0.5)
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
Open = Callable[[], Awaitable["Peer"]]


class Peer:
    """The other side of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def rest(self) -> bytes:
        """Return what comes until the server closes the connection."""
        try:
            return await asyncio.wait_for(self.reader.read(-1), PATIENCE)
        except ConnectionResetError:
            return b""

    async def drips(self, data: bytes) -> None:
        """Send a little again and again, until the server closes the connection."""
        closed = asyncio.create_task(self.rest())
        while not closed.done():
            with suppress(OSError, RuntimeError):
                self.send(data)
            await asyncio.sleep(0.03)
        closed.result()

    async def answered(self) -> bytes:
        """Return the head of the next answer, and read its body."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")
        await asyncio.wait_for(self.reader.readexactly(length), PATIENCE)
        return head


async def at_once(_request: Request) -> Response:
    return PlainTextResponse("here")


async def reading(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def slowly(_request: Request) -> Response:
    await asyncio.sleep(1.0)
    return PlainTextResponse("slow")


async def slow_reader(request: Request) -> Response:
    """Read some of the body, then nothing for longer than anybody has patience, then the rest."""
    came = 0
    async for piece in request.stream():
        if not came:
            await asyncio.sleep(1.0)
        came += len(piece)
    return PlainTextResponse(str(came))


async def endless(_request: Request) -> Response:
    async def pieces():
        while True:
            yield b"x" * 65_536
            await asyncio.sleep(0)

    return StreamingResponse(pieces())


async def socket(websocket) -> None:
    await websocket.accept()
    await asyncio.sleep(1.0)
    await websocket.send_text("still here")
    await websocket.close()


APP = Starlette(
    routes=[
        Route("/", at_once),
        Route("/at-once", at_once, methods=["POST"]),
        Route("/read", reading, methods=["POST"]),
        Route("/slow", slowly),
        Route("/slow-reader", slow_reader, methods=["POST"]),
        Route("/endless", endless),
        WebSocketRoute("/live", socket),
    ]
)


@pytest.fixture(params=["asyncio", "uvloop"])
def tell(request):
    def run(story: Callable[[Open, uvicorn.Server], Awaitable[None]], patience: Patience = SHORT) -> None:
        with asyncio.Runner(loop_factory=loop_factory(request.param)) as runner:
            runner.run(_told(story, patience))

    return run


async def _told(story, patience: Patience) -> None:
    config = server_config(APP, "127.0.0.1", 0, patience=patience, lifespan="off", timeout_keep_alive=1)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    await wait_until(lambda: server.started or running.done())
    port = server.servers[0].sockets[0].getsockname()[1]
    peers: list[Peer] = []

    async def opened() -> Peer:
        peers.append(Peer(*await asyncio.open_connection("127.0.0.1", port)))
        return peers[-1]

    try:
        await story(opened, server)
        for peer in peers:
            peer.writer.close()
        await wait_until(lambda: not server.server_state.connections)
        assert not config.http_protocol_class.waiting  # nobody is forgotten there
    finally:
        server.should_exit = True
        await asyncio.wait_for(running, PATIENCE)


@pytest.mark.parametrize(
    "sent",
    [b"", b"\r\n", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n", GET[:-2] + b"X-Long: " + b"x" * 5000],
    ids=repr,
)
def test_half_a_request_is_given_up(tell, sent: bytes) -> None:
    async def story(opened: Open, _server) -> None:
        half = await opened()
        half.send(sent)
        told = await half.rest()
        assert told == b"" or told.startswith(b"HTTP/1.1 408 ")
        assert bool(told) == (b"GET" in sent)  # whoever asked nothing is told nothing

    tell(story)


def test_a_request_that_comes_byte_by_byte_is_given_up_all_the_same(tell) -> None:
    async def story(opened: Open, _server) -> None:
        half, began = await opened(), time.monotonic()
        half.send(GET[:-2] + b"X-Slow: ")
        await half.drips(b"x")
        assert time.monotonic() - began < 3

    tell(story)


def test_whoever_waits_longest_is_given_up_first_and_nobody_before_the_time(tell) -> None:
    async def story(opened: Open, _server) -> None:
        first = await opened()
        await asyncio.sleep(0.1)
        began = time.monotonic()
        second, third = await opened(), await opened()
        for half in (first, second, third):
            half.send(GET[:-2])
        again = time.monotonic()
        first.send(b"\r\n")
        assert b" 200 " in await first.answered()
        for half in (second, third):
            assert b" 408 " in await half.rest()
            assert time.monotonic() - began > SHORT.request - 0.01
        assert await first.rest() == b""  # of its next request nothing came
        assert time.monotonic() - again > SHORT.request - 0.01

    tell(story)


def test_a_connection_that_was_used_has_the_same_deadline_for_its_next_request(tell) -> None:
    async def story(opened: Open, _server) -> None:
        peer = await opened()
        for _ in range(2):
            peer.send(GET)
            assert b" 200 " in await peer.answered()
        peer.send(b"\r\nGET / HT")  # this alone ends uvicorn's own wait for the next request
        assert (await peer.rest()).startswith(b"HTTP/1.1 408 ")

    tell(story)


@pytest.mark.parametrize("path", [b"/read", b"/slow-reader"])
def test_a_body_that_stops_is_given_up_and_the_endpoint_with_it(tell, path: bytes) -> None:
    async def story(opened: Open, server) -> None:
        half = await opened()
        half.send(POST.replace(b"/read", path) + b"x" * 1000)
        assert (await half.rest()).startswith(b"HTTP/1.1 408 ")
        await wait_until(lambda: not server.server_state.tasks)

    tell(story)


def test_a_body_may_take_its_time_as_long_as_it_comes(tell) -> None:
    async def story(opened: Open, _server) -> None:
        peer = await opened()
        peer.send(POST.replace(b"100000", b"8192"))
        for _ in range(16):  # twice as fast as it has to be, for longer than the beginning of a body may take
            peer.send(b"x" * 512)
            await asyncio.sleep(0.06)
        assert b" 200 " in await peer.answered()

    tell(story)


def test_while_we_do_not_read_nobody_else_is_late(tell) -> None:
    async def story(opened: Open, _server) -> None:
        peer = await opened()
        peer.send(POST.replace(b"/read", b"/slow-reader").replace(b"100000", b"900000"))
        peer.send(b"x" * 900_000)
        assert b" 200 " in await peer.answered()

    tell(story)


def test_a_body_that_was_answered_already_is_not_read_for_long(tell) -> None:
    async def story(opened: Open, _server) -> None:
        peer, began = await opened(), time.monotonic()
        peer.send(POST.replace(b"/read", b"/at-once"))
        assert b" 200 " in await peer.answered()
        await peer.drips(b"x" * 100)
        assert time.monotonic() - began < 3

    tell(story)


def test_an_answer_that_nobody_takes_is_given_up(tell) -> None:
    async def story(opened: Open, server) -> None:
        peer = await opened()
        peer.send(GET.replace(b"GET /", b"GET /endless"))
        await wait_until(lambda: server.server_state.tasks)
        await wait_until(lambda: not server.server_state.connections)

    tell(story)


def test_an_answer_that_takes_long_to_make_is_waited_for(tell) -> None:
    async def story(opened: Open, _server) -> None:
        peer = await opened()
        peer.send(GET.replace(b"GET /", b"GET /slow"))
        assert b" 200 " in await peer.answered()

    tell(story)


def test_a_socket_is_no_half_request(tell) -> None:
    async def story(opened: Open, _server) -> None:
        peer = await opened()
        peer.send(
            b"GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert b" 101 " in await peer.answered()
        await asyncio.wait_for(peer.reader.readuntil(b"still here"), PATIENCE)

    tell(story)


def test_whoever_asks_properly_is_served_before_those_who_do_not(tell) -> None:
    async def story(opened: Open, server) -> None:
        halves = [await opened() for _ in range(9)]
        for half in halves:
            half.send(GET[:-2])
        await wait_until(lambda: len(server.server_state.connections) == 9)
        one = await opened()
        one.send(GET.replace(b"GET /", b"GET /slow"))
        other = await opened()  # one too many: the half that waits longest goes
        other.send(GET)
        assert b" 200 " in await other.answered()
        assert b" 200 " in await one.answered()
        assert await halves[0].rest() == b""
        halves[8].send(b"\r\n")
        assert b" 200 " in await halves[8].answered()

    tell(story, Patience(most=10))


def test_where_everybody_is_being_answered_no_more_come_in(tell) -> None:
    async def story(opened: Open, _server) -> None:
        busy = [await opened() for _ in range(3)]
        for peer in busy:
            peer.send(GET.replace(b"GET /", b"GET /slow"))
        await asyncio.sleep(0.2)
        one_more = await opened()
        assert await one_more.rest() == b""
        for peer in busy:
            assert b" 200 " in await peer.answered()

    tell(story, Patience(most=3))


def test_there_is_room_for_files_beside_the_connections() -> None:
    import resource

    most = most_connections()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert 64 <= soft - most <= 256
    assert soft in (hard, 65_536)


def test_the_protocol_is_the_one_that_uvicorn_takes() -> None:
    config = server_config(lambda: None, "127.0.0.1", 0)
    config.load()
    assert issubclass(config.http_protocol_class, PatientProtocol)
    assert config.http_protocol_class.patience == Patience()
