"""The handshake: ours takes up what is plain, and every request is answered as uvicorn's own protocol answers it."""

import asyncio
import re
import socket
from contextlib import suppress

import pytest
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import WebSocketRoute
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from websockets.asyncio.client import connect
from websockets.http11 import Request
from websockets.server import ServerProtocol

from tests.web.push.stage import (
    BY_UVICORN,
    PATIENCE,
    SHARE,
    RawPage,
    Stage,
    client_frame,
    loop_factory,
    play,
    seeded,
    wait_until,
)
from web.push import handshake, patience
from web.push.handover import EARLY_LIMIT, Conn, FanProtocol
from web.push.handshake import MOST_BYTES, Handshake, UpgradeRequest, accepted, key_of
from web.push.patience import Patience

pytestmark = pytest.mark.once

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, 1.3
PLAIN = {
    b"host": b"fan.example",
    b"upgrade": b"websocket",
    b"connection": b"Upgrade",
    b"sec-websocket-key": KEY,
    b"sec-websocket-version": b"13",
    b"origin": b"https://fan.example",
}


@pytest.fixture(params=["asyncio", "uvloop"])
def tell(request):
    return lambda story, **pace: play(story, loop=request.param, **pace)


@pytest.fixture
def told_by(monkeypatch):
    """Tell a story twice: with our handshake, and with uvicorn's alone."""

    def tell(story, **pace):
        told = [play(story, **pace)]
        monkeypatch.setattr(patience, "take_up", lambda *_given: False)
        return [*told, play(story, **pace)]

    return tell


def request(changes: dict[bytes, bytes | None] | None = None, line: bytes = b"GET /s/acme-rail/live HTTP/1.1") -> bytes:
    headers = {name: value for name, value in (PLAIN | (changes or {})).items() if value is not None}
    return b"\r\n".join([line, *(b"%b: %b" % header for header in headers.items()), b"", b""])


SILENCE = 2.0  # seconds after which a server is taken to say nothing


def whole(said: bytes) -> bool:
    """Whether this is a whole answer."""
    head, end, body = said.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
    return bool(end) and (head.startswith(b"HTTP/1.1 101 ") or (length is not None and len(body) >= int(length[1])))


async def ask(stage: Stage, data: bytes, *, pieces: int = 1) -> bytes:
    """Return what the server answers to these bytes, without the date."""
    loop, said = asyncio.get_running_loop(), b""
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", stage.port))
        step = -(-len(data) // pieces)
        try:
            for at in range(0, len(data), step):
                await loop.sock_sendall(sock, data[at : at + step])
                await asyncio.sleep(0)
            while not whole(said):
                got = await asyncio.wait_for(loop.sock_recv(sock, 1 << 16), SILENCE)
                if not got:
                    break
                said += got
        except (ConnectionError, TimeoutError) as how:
            said += type(how).__name__.encode()
    return re.sub(rb"(?i)\r\ndate: [^\r]*", b"", said)


# which requests are taken


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {b"connection": b"keep-alive, Upgrade"},  # Firefox
        {b"connection": b"upgrade"},  # nginx
        {b"upgrade": b"WebSocket"},
        {b"origin": None},
        {b"sec-websocket-extensions": b"permessage-deflate; client_max_window_bits"},
        {b"cookie": b"fanlight=" + b"x" * 4000},
    ],
)
def test_what_browsers_and_proxies_send_is_taken(changes):
    headers = [(name, value) for name, value in (PLAIN | changes).items() if value is not None]
    assert key_of(b"/s/acme-rail/live", headers) == KEY


@pytest.mark.parametrize(
    "changes",
    [
        {b"upgrade": None},
        {b"upgrade": b"h2c"},
        {b"upgrade": b"websocket, h2c"},
        {b"connection": None},
        {b"connection": b"close"},
        {b"sec-websocket-key": None},
        {b"sec-websocket-key": b"c2hvcnQ="},
        {b"sec-websocket-key": KEY[:-1]},
        {b"sec-websocket-key": b"!" + KEY[1:]},
        {b"sec-websocket-version": None},
        {b"sec-websocket-version": b"12"},
        {b"sec-websocket-version": b"13, 8"},
        {b"sec-websocket-protocol": b"any"},
        {b"content-length": b"3"},
        {b"transfer-encoding": b"chunked"},
        {b"cookie": b"x" * MOST_BYTES},
        {b"x" * MOST_BYTES: b""},
        {b"x-name": b"M\xc3\xbcller"},
        {b"x-name": b"ends with a space "},
        {b"x-name": b"tab\there"},
        {b"x-%d" % n: b"" for n in range(100)},
    ],
)
def test_what_is_not_plain_is_left_to_uvicorn(changes):
    headers = [(name, value) for name, value in (PLAIN | changes).items() if value is not None]
    assert key_of(b"/s/acme-rail/live", headers) is None


@pytest.mark.parametrize("twice", [*PLAIN, b"x-any"])
def test_a_header_that_comes_twice_is_left_to_uvicorn(twice):
    assert key_of(b"/", [*PLAIN.items(), (b"x-any", b"1"), (twice, b"1")]) is None


VALUES = [
    *(b"websocket", b"WEBSOCKET", b"Upgrade", b"upgrade", b"keep-alive, Upgrade", b"upgrade,", b", upgrade", b"close"),
    *(KEY, KEY.lower(), b"AAAAAAAAAAAAAAAAAAAAAB==", b"====", KEY + b"=", b"A" * 24, b"13", b"8", b"013", b"+13"),
    *(b"", b" ", b"a b", b"a ", b"M\xc3\xbcller", b"a\tb", b"null", b"https://fan.example", b"x" * 9000, b"0", b"1"),
]


def test_what_is_taken_would_be_accepted_by_the_library_with_the_same_answer():
    chance, taken = seeded(), 0
    for _ in range(6000):
        headers = list(PLAIN.items())
        for _ in range(chance.choice([0, 0, 1, 1, 2, 3])):
            name = chance.choice([*PLAIN, b"content-length", b"transfer-encoding", b"cookie", b"x" * 8190])
            at = chance.randrange(len(headers) + 1)
            headers[at : at + chance.randrange(2)] = [(name, chance.choice(VALUES))] * chance.randrange(3)
        url = chance.choice([b"/", b"/s/a?b=c#d", b"http://fan.example/", b"/\xc3", b"/" + b"y" * 8500, b"*"])
        key = key_of(url, headers)
        if key is None:
            continue
        taken += 1
        theirs = ServerProtocol(extensions=[])
        lines = [b"GET %b HTTP/1.1" % url, *(b"%b: %b" % header for header in headers), b"", b""]
        theirs.receive_data(b"\r\n".join(lines))
        (asked,) = theirs.events_received()
        assert isinstance(asked, Request)
        assert list(asked.headers.raw_items()) == [(n.decode(), v.decode()) for n, v in headers]
        answer = theirs.accept(asked)
        assert (answer.status_code, url.decode()) == (101, asked.path)
        del answer.headers["Date"]
        answer.headers.update([("x-more", "1")])
        assert accepted(key, [(b"X-More", b"1")]) == answer.serialize()
    assert taken > 1000


def test_the_answer_is_that_of_the_rfc():
    assert accepted(KEY, [(b"Date", b"today")]) == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + ACCEPT + b"\r\ndate: today\r\n\r\n"
    )


# against uvicorn's own, over sockets


REQUESTS = [
    request(),
    request({b"connection": b"keep-alive, Upgrade", b"cookie": b"a=b; c=d"}),
    request({b"sec-websocket-extensions": b"permessage-deflate; client_max_window_bits"}),
    request({b"sec-websocket-extensions": b"permessage-deflate; server_max_window_bits=9"}),
    request({b"sec-websocket-extensions": b";;"}),
    request({b"sec-websocket-protocol": b"chat, superchat"}),
    request({b"sec-websocket-version": b"12"}),
    request({b"sec-websocket-version": None}),
    request({b"sec-websocket-key": None}),
    request({b"sec-websocket-key": b"short"}),
    request({b"upgrade": b"h2c"}),
    request({b"upgrade": None}),
    request({b"connection": b"close"}),
    request({b"cookie": b"x" * 9000}),
    request({b"x-%d" % n: b"1" for n in range(140)}),
    request({b"content-length": b"5"}) + b"hello",
    request({b"transfer-encoding": b"chunked"}) + b"0\r\n\r\n",
    request({b"x-name": "Müller".encode()}),
    request({b"x-name": b"a\x00b"}),
    request({b"bad name": b"1"}),
    request({b"x-name": b"trailing  "}),
    request(line=b"POST /s/acme-rail/live HTTP/1.1"),
    request(line=b"GET /s/acme-rail/live HTTP/1.0"),
    request(line=b"GET /s/acme-rail/live HTTP/2.0"),
    request(line=b"GET /nothing/here HTTP/1.1"),
    request(line=b"GET /s/acme%2Drail/live?person=eve HTTP/1.1"),
    request(line=b"GET http://fan.example/s/acme-rail/live HTTP/1.1"),
    request(line=b"GET /s/" + b"y" * 9000 + b"/live HTTP/1.1"),
    request(line=b"GET  /s/acme-rail/live HTTP/1.1"),
    request(line=b"BREW /s/acme-rail/live HTTP/1.1"),
    request().replace(b"origin:", b"sec-websocket-version: 13\r\norigin:"),
    request().replace(b"\r\n", b"\n"),
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a client that speaks TLS
]


def test_every_request_is_answered_as_by_uvicorn_alone(told_by):
    heard: list[list[bytes]] = []

    async def story(stage: Stage) -> None:
        heard.append([await ask(stage, data) for data in REQUESTS])
        await wait_until(lambda: stage.server.server_state.connections == set())

    told_by(story)
    ours, theirs = heard
    for data, mine, other in zip(REQUESTS, ours, theirs, strict=True):
        assert mine == other, data[:200]
    assert not any(b"TimeoutError" in answer for answer in ours)  # none is left without an answer or an end
    assert sum(b" 101 " in answer for answer in ours) > 5
    statuses = {int(answer[9:12]) for answer in ours if answer.startswith(b"HTTP/1.1 ")}
    assert {101, 400, 403, 405, 414, 431} <= statuses


def without_more(data: bytes) -> bytes:
    """What a parser takes for the request: uvicorn's own protocol fails over what comes with it."""
    try:
        HttpRequestParser(object()).feed_data(data)
    except HttpParserUpgrade as upgrade:
        return data[: upgrade.args[0]]
    except HttpParserError:
        pass
    return data


def test_random_requests_are_answered_as_by_uvicorn_alone(told_by):
    chance = seeded()
    asked = []
    for _ in range(60):
        data = bytearray(request({b"cookie": b"a=b"}))
        for _ in range(chance.choice([0, 1, 1, 2, 4])):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(3)] = chance.choice(
                [b"", b" ", b"\t", b"\r", b"\n", b"\x00", b"\xff", b",", b":", b"websocket", b"x" * 50, data[at:]]
            )
        asked.append(without_more(bytes(data) + b"\r\n\r\n"))
    heard: list[list[bytes]] = []

    async def story(stage: Stage) -> None:
        heard.append([await ask(stage, data, pieces=1 + len(data) % 3) for data in asked])

    told_by(story)
    ours, theirs = heard
    for data, mine, other in zip(asked, ours, theirs, strict=True):
        assert mine == other, data


@pytest.mark.parametrize("how", ["close", "deny", "raise", "return", "talk", "twice", "subprotocol", "close after"])
def test_whatever_an_application_does_instead_it_looks_the_same_from_outside(told_by, how):
    async def app(websocket) -> None:
        match how:
            case "close":
                await websocket.close()
            case "deny":
                raise HTTPException(418, "no tea", {"x-why": "tea"})
            case "raise":
                raise RuntimeError("no")
            case "return":
                return
            case "talk":
                await websocket.accept(headers=[(b"x-more", b"1")])
                await websocket.send_text(await websocket.receive_text())
            case "twice":
                await websocket.receive()
                await websocket.receive()
            case "subprotocol":
                await websocket.accept(subprotocol="any")
            case "close after":
                await websocket.accept()
                await websocket.close(4000, "enough")

    heard: list[bytes] = []

    async def story(stage: Stage) -> None:
        stage.config.loaded_app = Starlette(routes=[WebSocketRoute("/s/{share}/live", app)])
        loop = asyncio.get_running_loop()
        with socket.socket() as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", stage.port))
            await loop.sock_sendall(sock, request())
            said = b""
            if how in ("talk", "close after"):
                said += await asyncio.wait_for(loop.sock_recv(sock, 1 << 16), PATIENCE)
            if how == "talk":
                await loop.sock_sendall(sock, client_frame(b"words"))
            if how == "twice":
                sock.shutdown(socket.SHUT_WR)
            if how == "close after":
                await loop.sock_sendall(sock, client_frame((4000).to_bytes(2, "big"), 0x88))
            while got := await asyncio.wait_for(loop.sock_recv(sock, 1 << 16), PATIENCE):
                said += got
        heard.append(re.sub(rb"(?i)\r\ndate: [^\r]*", b"", said))
        await wait_until(lambda: stage.server.server_state.connections == set())
        await wait_until(lambda: stage.server.server_state.tasks == set())

    told_by(story)
    assert heard[0] == heard[1]
    assert heard[0] or how == "twice"


# what is between the request and the hand-over


def test_the_application_is_told_the_same_of_a_request(told_by):
    scopes = []

    async def story(stage: Stage) -> None:
        async def note(scope, receive, send) -> None:
            assert await receive() == {"type": "websocket.connect"}
            scopes.append(scope)
            assert isinstance(scope["extensions"].pop("fanlight"), Handshake | FanProtocol)
            await send({"type": "websocket.close"})

        stage.config.loaded_app = note
        await ask(stage, request({b"X-Any": b"A b"}, b"GET /s/a%20b%C3%BC/live?q=%20&r=1 HTTP/1.1"))

    told_by(story)
    ours, theirs = ({k: v for k, v in scope.items() if k != "client"} for scope in scopes)
    assert isinstance(ours.pop("server"), tuple)
    assert isinstance(theirs.pop("server"), tuple)
    assert ours == theirs
    assert list(ours) == list(theirs)
    assert ours["path"] == "/s/a bü/live"


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_the_addresses_are_those_that_uvicorn_tells(loop, tmp_path):
    async def story() -> None:
        made: asyncio.Queue[asyncio.Transport] = asyncio.Queue()

        class Noted(asyncio.Protocol):
            def connection_made(self, transport) -> None:
                made.put_nowait(transport)

        here = asyncio.get_running_loop()
        for server in (
            await here.create_server(Noted, "127.0.0.1", 0),
            await here.create_unix_server(Noted, tmp_path / "s"),
        ):
            with socket.socket(server.sockets[0].family) as page:
                page.connect(server.sockets[0].getsockname())
                transport = await asyncio.wait_for(made.get(), PATIENCE)
                asked = UpgradeRequest(None, None, {}, here)
                asked.transport = transport
                assert asked.addresses() == (get_local_addr(transport), get_remote_addr(transport))
                transport.abort()
            server.close()

    with asyncio.Runner(loop_factory=loop_factory(loop)) as runner:
        runner.run(story())


def test_real_clients_shake_hands_with_ours_alone(tell, monkeypatch):
    monkeypatch.setattr(FanProtocol, "__init__", lambda *_args, **_more: pytest.fail("uvicorn's protocol was made"))

    async def story(stage: Stage) -> None:
        async with stage.page(0) as plain, connect(stage.url()) as packed:
            await packed.send('{"hello":0,"tab":"t","v":2}')
            stage.publish()
            await plain.until(lambda p: p.at == 1)
            while '"n"' not in (heard := await asyncio.wait_for(packed.recv(), PATIENCE)):
                pass
            assert heard == plain.raw[-1]
            assert packed.protocol.extensions

    tell(story)


@pytest.mark.parametrize("extra", ["", BY_UVICORN], ids=["ours", "uvicorn's"])
def test_what_comes_in_one_piece_with_the_request_is_not_lost(tell, extra):
    async def story(stage: Stage) -> None:
        stage.record(2)
        page = await RawPage.open(
            stage, None, extra=extra, after=client_frame(b'{"hello":1,"tab":"raw","v":2}') + b"\x81"
        )
        assert await page.number() == 2
        await page.send(client_frame(b'{"applied":2}')[1:])
        await wait_until(lambda: [(r.kind, r.n) for r in stage.receipts] == [("delivered", 2)])
        page.close()

    tell(story)


def test_what_is_sent_before_the_hand_over_is_bounded(tell):
    async def story(stage: Stage) -> None:
        released = asyncio.Event()
        stage.on_request = released.wait
        page = await RawPage.open(stage, None, after=b"", waits=False)
        connections = stage.server.server_state.connections
        await wait_until(lambda: [type(one) for one in connections] == [Handshake])
        (shaking,) = connections
        with suppress(TimeoutError):  # until the server reads no more
            while True:
                await asyncio.wait_for(page.send(client_frame(b"x" * 60_000)), 0.3)
        assert EARLY_LIMIT < len(shaking.early) < EARLY_LIMIT + (1 << 19)
        released.set()
        await wait_until(lambda: stage.server.server_state.connections == set())
        assert stage.watchers() == []
        page.close()

    tell(story)


def test_half_a_request_is_given_up_as_ever(tell, monkeypatch):
    taken = []
    monkeypatch.setattr(handshake, "key_of", lambda *_args: taken.append(1))

    async def story(stage: Stage) -> None:
        stage.config.http_protocol_class.patience = Patience(request=0.1, late=0.1)
        loop = asyncio.get_running_loop()
        with socket.socket() as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", stage.port))
            await loop.sock_sendall(sock, request()[:-2])
            assert b" 408 " in await asyncio.wait_for(loop.sock_recv(sock, 4096), PATIENCE)
        assert taken == []

    tell(story)


def test_at_shutdown_a_handshake_under_way_is_refused(tell):
    async def story(stage: Stage) -> None:
        stage.on_request = asyncio.Event().wait
        page = await RawPage.open(stage, None, waits=False)
        await wait_until(lambda: [type(one) for one in stage.server.server_state.connections] == [Handshake])
        for task in list(stage.server.server_state.tasks):
            asyncio.get_running_loop().call_later(0.2, task.cancel)
        stage.server.should_exit = True
        assert (await asyncio.wait_for(asyncio.get_running_loop().sock_recv(page.sock, 4096), PATIENCE))[9:12] == b"500"
        page.close()

    tell(story)


def test_nothing_that_is_shared_is_written_to_by_one_page(tell):
    async def story(stage: Stage) -> None:
        states = []

        async def note(scope, receive, send) -> None:
            states.append(scope["state"])
            assert await receive() is not None
            await send({"type": "websocket.close"})

        stage.config.loaded_app = note
        for _ in range(2):
            await ask(stage, request())
        assert states[0] is not states[1]

    tell(story)


def test_what_fails_after_the_hand_over_leaves_the_socket_to_whoever_has_it(tell):
    async def story(stage: Stage) -> None:
        serve = stage.live.serve

        async def serve_and_fail(*given) -> None:
            await serve(*given)
            raise RuntimeError("after the hand-over")

        stage.live.serve = serve_and_fail
        async with stage.page() as page:
            await wait_until(lambda: not stage.server.server_state.tasks)
            assert [type(one) for one in stage.server.server_state.connections] == [Conn]
            stage.publish(2)
            await page.until(lambda page: page.at == 2)
            stage.live.end_share(SHARE)
            assert await page.closed() == 4403

    tell(story)


@pytest.mark.parametrize("before", [1, 2])
def test_a_handshake_that_does_not_wait_for_the_answer_before_it_is_none(tell, before):
    """Else that answer would stand among the frames of an open socket, and its connection be closed as an idle one."""

    async def story(stage: Stage) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket() as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", stage.port))
            await loop.sock_sendall(sock, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * before + request())
            heard = b""
            while got := await asyncio.wait_for(loop.sock_recv(sock, 1 << 16), PATIENCE):
                heard += got
        assert heard.count(b"HTTP/1.1 200 OK\r\n") == before
        assert heard.count(b"HTTP/1.1") == before
        await wait_until(lambda: not stage.server.server_state.connections)
        assert stage.live.counts.joined == 0

    tell(story)
