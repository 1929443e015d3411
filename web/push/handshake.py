"""Shakes hands with ordinary pages; uvicorn's own protocol has all other sockets.

Rule: a request that is taken here would be accepted by uvicorn too, is put to the application alike and answered with
the same bytes. Whatever else happens before the hand-over (a refusal, a failure, words) is left to uvicorn's protocol,
which is put in this one's place as it would stand by then. docs/decisions/0040 says why.
"""

import asyncio
import logging
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import sha1
from typing import Any, Literal, cast
from urllib.parse import unquote

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn import Config
from uvicorn.protocols.utils import ClientDisconnected, is_ssl
from uvicorn.server import ServerState
from websockets.protocol import OPEN

from web.push.handover import EARLY_LIMIT, EXTENSION, HANDED_OVER, FanProtocol, conn_of
from web.push.viewer import Viewer
from web.push.watcher import Watcher

logger = logging.getLogger("uvicorn.error")

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
MOST_BYTES, MOST_HEADERS = 8000, 100  # of a request that is taken here; `websockets` has limits for a line
_KEY = re.compile(rb"[A-Za-z0-9+/]{22}==").fullmatch  # 16 bytes
_PLAIN = bytes(range(0x20, 0x7F)) + b"\n"
_CONNECTION = (b"upgrade", b"keep-alive, upgrade")
_FOR_UVICORN = frozenset((b"transfer-encoding", b"content-length", b"sec-websocket-protocol"))
_CONNECT = {"type": "websocket.connect"}


def key_of(url: bytes, headers: list[tuple[bytes, bytes]]) -> bytes | None:
    """Return the `Sec-WebSocket-Key` of a plain request, None where uvicorn's protocol has to judge.

    `headers` have lower-case names. Plain is: no header twice, none too long, and those of the handshake as browsers
    and proxies write them.
    """
    named = dict(headers)
    text = b"\n".join((url, *named.values()))
    if len(named) != len(headers) or len(named) > MOST_HEADERS or len(text) + sum(map(len, named)) > MOST_BYTES:
        return None
    if text.translate(None, _PLAIN) or b" \n" in text or text.endswith(b" "):  # the library cuts such spaces
        return None
    if not _FOR_UVICORN.isdisjoint(named) or not _upgrades(named):
        return None
    key = named.get(b"sec-websocket-key", b"")
    return key if _KEY(key) else None


def _upgrades(named: Mapping[bytes, bytes]) -> bool:
    return (
        named.get(b"upgrade", b"").lower() == b"websocket"
        and named.get(b"connection", b"").lower() in _CONNECTION
        and named.get(b"sec-websocket-version") == b"13"
    )


def accepted(key: bytes, headers: list[tuple[bytes, bytes]]) -> bytes:
    """Return the answer that accepts a handshake, with these headers after those of RFC 6455, 4.2.2."""
    lines = [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ",
        b64encode(sha1(key + GUID, usedforsecurity=False).digest()),
    ]
    for name, value in headers:
        lines += (b"\r\n", name.lower(), b": ", value)
    lines.append(b"\r\n\r\n")
    return b"".join(lines)


class UpgradeRequest:
    """A connection and the request that came on it, as a parser tells it."""

    __slots__ = ("app_state", "config", "headers", "loop", "server_state", "transport", "url")

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], loop: asyncio.AbstractEventLoop
    ) -> None:
        self.config, self.server_state, self.app_state, self.loop = config, server_state, app_state, loop
        self.transport: asyncio.Transport = HANDED_OVER  # until it is known
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []  # with lower-case names

    def on_url(self, url: bytes) -> None:
        """Take a piece of the address."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self.headers.append((name.lower(), value))

    def read(self, data: bytes) -> bytes | None:
        """Take the request from a connection's first bytes; return what came after it, None where it is not plain."""
        if not data.startswith(b"GET ") or b"websocket" not in data:
            return None
        parser = HttpRequestParser(self)
        try:
            parser.feed_data(data)
        except HttpParserUpgrade as whole:
            return data[whole.args[0] :] if parser.get_http_version() == "1.1" else None
        except HttpParserError:
            pass
        return None

    @property
    def scheme(self) -> Literal["ws", "wss"]:
        """The scheme of the socket's address."""
        return "wss" if is_ssl(self.transport) else "ws"

    def addresses(self) -> tuple[tuple[str, int | None] | None, tuple[str, int] | None]:
        """Return the server's and the client's address, as uvicorn reads them, but as the transport noted them.

        Its socket asks the system again, and uvloop keeps it, with what it was told, as long as the connection lives.
        """
        told = self.transport.get_extra_info
        try:
            own, peer = told("sockname"), told("peername")
        except OSError:  # it is gone already
            return None, None
        server = (str(own[0]), int(own[1])) if isinstance(own, tuple) else (own, None) if isinstance(own, str) else None
        return server, (str(peer[0]), int(peer[1])) if isinstance(peer, tuple) else None


class Handshake(asyncio.Protocol):
    """One socket from its request to its hand-over: the scope and the channel of the application."""

    __slots__ = (
        "_accepted",
        "_asked",
        "_key",
        "_told",
        "_whole",
        "connections",
        "disconnected",
        "early",
        "packs",
        "scope",
        "transport",
    )

    def __init__(self, asked: UpgradeRequest, key: bytes) -> None:
        self._asked, self._key, self.transport = asked, key, asked.transport
        self.connections: set[Any] = asked.server_state.connections
        self.packs = False  # the page was told that it is sent compressed frames
        self.disconnected = self._accepted = self._told = False
        self.early = b""  # what the page sent since; it is read by whoever has the socket next
        self._whole: FanProtocol | None = None  # uvicorn's protocol, once it has taken this one's place
        raw_path, _, query = asked.url.partition(b"?")
        root = asked.config.root_path
        server, client = asked.addresses()
        self.scope: dict[str, Any] = {
            "type": "websocket",
            "asgi": {"version": asked.config.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": asked.scheme,
            "server": server,
            "client": client,
            "root_path": root,
            "path": root + unquote(raw_path.decode("ascii")),
            "raw_path": root.encode("ascii") + raw_path,
            "query_string": query,
            "headers": asked.headers,
            "subprotocols": [],
            "state": asked.app_state.copy(),
            "extensions": {"websocket.http.response": {}, EXTENSION: self},
        }

    # called by the transport and the server

    def data_received(self, data: bytes) -> None:
        """Keep what comes before the hand-over, up to a bound."""
        self.early += data
        if len(self.early) > EARLY_LIMIT:
            self.transport.pause_reading()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Take note that the page is gone."""
        self.disconnected = True
        self.connections.discard(self)

    def shutdown(self) -> None:
        """Refuse, or close what is accepted already, at SIGTERM."""
        self._by_uvicorn().shutdown()

    # called by the application

    async def run(self) -> None:
        """Run the application as uvicorn does, and close the socket after it unless it was handed over."""
        try:
            await self._asked.config.loaded_app(self.scope, self._receive, self._send)
        except ClientDisconnected:
            pass
        except BaseException:
            logger.exception("Exception in ASGI application\n")
            if self.transport is not HANDED_OVER:  # else it is another's, who must not lose it
                self._by_uvicorn().send_500_response()
        else:
            whole = self._whole
            if not (self._accepted or self.disconnected or (whole is not None and whole.handshake_complete)):
                logger.error("ASGI callable returned without completing handshake.")
                self._by_uvicorn().send_500_response()
        if self._whole is None or self._whole.close_timer is None:
            self.transport.close()
        self.scope["extensions"].pop(EXTENSION, None)  # a reference cycle would last until a garbage collection

    async def _receive(self) -> Any:
        if self._told:
            return await self._by_uvicorn().receive()
        self._told = True
        return _CONNECT

    async def _send(self, message: Any) -> None:
        if self.disconnected:
            raise ClientDisconnected
        if message["type"] != "websocket.accept" or message.get("subprotocol") or self._accepted or self._whole:
            await self._by_uvicorn().send(message)
            return
        self._accepted = True
        self.transport.write(
            accepted(self._key, [*self._asked.server_state.default_headers, *message.get("headers", ())])
        )

    def hand_over(self, viewer: Viewer, admit: Callable[[Watcher], None], going_down: Callable[[], None]) -> bool:
        """Give the transport to a new `Conn`, admit it, and return whether the page was still connected."""
        transport, early = self.transport, self.early
        if self.disconnected or not self._accepted or self._whole is not None or transport.is_closing():
            return False
        if len(early) > EARLY_LIMIT:
            return False
        conn = conn_of(self, viewer, going_down)
        self.transport, self.early = HANDED_OVER, b""
        admit(conn)
        if early and not transport.is_closing():
            conn.data_received(early)
        return True

    # what is not for us

    def _by_uvicorn(self) -> FanProtocol:
        """Return uvicorn's protocol, put in this one's place as it would stand now."""
        if self._whole is None:
            whole = self._whole = _InPlace(self._asked, self.scope)
            if self._told:
                whole.queue.get_nowait()
            if self._accepted:
                whole.handshake_complete, whole.conn.state = True, OPEN
                whole.start_keepalive()
            self.connections.discard(self)
            self.transport.set_protocol(whole)
            if self.disconnected:
                whole.connection_lost(None)
            elif self.early:
                self.transport.resume_reading()
                whole.data_received(self.early)
            self.early = b""
        return self._whole


class _InPlace(FanProtocol):
    """uvicorn's protocol where the application runs already."""

    def __init__(self, asked: UpgradeRequest, scope: Mapping[str, Any]) -> None:
        super().__init__(asked.config, asked.server_state, asked.app_state)
        self.transport, self.scheme = asked.transport, asked.scheme
        self.server, self.client = scope["server"], scope["client"]
        cast("set[Any]", self.connections).add(self)
        lines = [b"GET %b HTTP/1.1" % asked.url, *(b"%b: %b" % header for header in asked.headers), b"\r\n"]
        self.data_received(b"\r\n".join(lines))

    async def run_asgi(self) -> None:
        """Do nothing."""


def take_up(asked: UpgradeRequest, after: bytes) -> bool:
    """Begin a handshake, and return whether the request is one to be taken here; `after` it came these bytes."""
    ours = asked.config.ws_protocol_class is FanProtocol and not asked.config.ws_per_message_deflate
    key = key_of(asked.url, asked.headers) if ours else None
    if key is None:
        return False
    shaking = Handshake(asked, key)
    shaking.connections.add(shaking)
    asked.transport.set_protocol(shaking)
    if after:
        shaking.data_received(after)
    tasks = asked.server_state.tasks
    task = asked.loop.create_task(shaking.run())
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return True
