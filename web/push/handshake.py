"""Shakes hands with an ordinary page from its request as it was parsed; uvicorn's own protocol has all other sockets.

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
from typing import Any, cast
from urllib.parse import unquote

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from websockets.protocol import OPEN

from web.push.handover import EARLY_LIMIT, EXTENSION, HANDED_OVER, FanProtocol, conn_of
from web.push.viewer import Viewer
from web.push.watcher import Watcher

logger = logging.getLogger("uvicorn.error")

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
MOST_BYTES, MOST_HEADERS = 8000, 100  # of a request that is taken here; `websockets` has limits for a line
_KEY = re.compile(rb"[A-Za-z0-9+/]{22}==").fullmatch  # 16 bytes
_PLAIN = re.compile(rb"(?:[\x20-\x7e]*[\x21-\x7e])?(?:\n(?:[\x20-\x7e]*[\x21-\x7e])?)*").fullmatch  # values, each on a line
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
    if not _PLAIN(text):  # a line that ends with a space would be cut by uvicorn
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


class Handshake(asyncio.Protocol):
    """One socket from its request to its hand-over: the scope and the channel of the application."""

    __slots__ = (
        "_accepted",
        "_early",
        "_http",
        "_key",
        "_told",
        "_whole",
        "connections",
        "disconnected",
        "packs",
        "scope",
        "transport",
    )

    def __init__(self, http: HttpToolsProtocol, key: bytes) -> None:
        self._http, self._key, self.transport, self.connections = http, key, http.transport, http.connections
        self.packs = False  # the page was told that it is sent compressed frames
        self.disconnected = self._accepted = self._told = False
        self._early = b""  # what the page sent since; it is read by whoever has the socket next
        self._whole: FanProtocol | None = None  # uvicorn's protocol, once it has taken this one's place
        raw_path, _, query = http.url.partition(b"?")
        self.scope: dict[str, Any] = {
            "type": "websocket",
            "asgi": {"version": http.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss" if http.scheme == "https" else "ws",
            "server": http.server,
            "client": http.client,
            "root_path": http.root_path,
            "path": http.root_path + unquote(raw_path.decode("ascii")),
            "raw_path": http.root_path.encode("ascii") + raw_path,
            "query_string": query,
            "headers": http.headers,
            "subprotocols": [],
            "state": http.scope["state"],
            "extensions": {"websocket.http.response": {}, EXTENSION: self},
        }

    # called by the transport and the server

    def data_received(self, data: bytes) -> None:
        """Keep what comes before the hand-over, up to a bound."""
        self._early += data
        if len(self._early) > EARLY_LIMIT:
            self.transport.pause_reading()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Take note that the page is gone."""
        self.disconnected = True
        self.connections.discard(cast("Any", self))

    def shutdown(self) -> None:
        """Refuse, or close what is accepted already, at SIGTERM."""
        self._by_uvicorn().shutdown()

    # called by the application

    async def run(self) -> None:
        """Run the application as uvicorn does, and close the socket after it unless it was handed over."""
        try:
            await self._http.app(cast("Any", self.scope), cast("Any", self._receive), cast("Any", self._send))
        except ClientDisconnected:
            pass
        except BaseException:
            logger.exception("Exception in ASGI application\n")
            self._by_uvicorn().send_500_response()
        else:
            whole = self._whole
            if not (self._accepted or self.disconnected or (whole is not None and whole.handshake_complete)):
                logger.error("ASGI callable returned without completing handshake.")
                self._by_uvicorn().send_500_response()
        if self._whole is None or self._whole.close_timer is None:
            self.transport.close()
        self.scope["extensions"].pop(EXTENSION, None)  # breaks a reference cycle, as in `LiveProtocol.take_up`

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
            accepted(self._key, [*self._http.server_state.default_headers, *message.get("headers", ())])
        )

    def hand_over(self, viewer: Viewer, admit: Callable[[Watcher], None], going_down: Callable[[], None]) -> bool:
        """Give the transport to a new `Conn`, admit it, and return whether the page was still connected."""
        transport, early = self.transport, self._early
        if self.disconnected or not self._accepted or self._whole is not None or transport.is_closing():
            return False
        if len(early) > EARLY_LIMIT:
            return False
        conn = conn_of(self, viewer, going_down)
        self.transport, self._early = HANDED_OVER, b""
        admit(conn)
        if early and not transport.is_closing():
            conn.data_received(early)
        return True

    # what is not for us

    def _by_uvicorn(self) -> FanProtocol:
        """Return uvicorn's protocol, put in this one's place as it would stand now."""
        if self._whole is None:
            whole = self._whole = _InPlace(self._http)
            whole.take_in(self.scope)
            if self._told:
                whole.queue.get_nowait()
            if self._accepted:
                whole.handshake_complete, whole.conn.state = True, OPEN
                whole.start_keepalive()
            self.connections.discard(cast("Any", self))
            self.transport.set_protocol(whole)
            if self.disconnected:
                whole.connection_lost(None)
            elif self._early:
                self.transport.resume_reading()
                whole.data_received(self._early)
            self._early = b""
        return self._whole


class _InPlace(FanProtocol):
    """uvicorn's protocol where the application runs already."""

    def __init__(self, http: HttpToolsProtocol) -> None:
        super().__init__(http.config, http.server_state, http.app_state)
        self.transport, self.server, self.client = http.transport, http.server, http.client
        self.scheme = "wss" if http.scheme == "https" else "ws"
        self._url = http.url
        self.connections.add(self)

    def take_in(self, scope: Mapping[str, Any]) -> None:
        """Take the request in."""
        lines = [b"GET %b HTTP/1.1" % self._url, *(b"%b: %b" % header for header in scope["headers"]), b"\r\n"]
        self.data_received(b"\r\n".join(lines))

    async def run_asgi(self) -> None:
        """Do nothing."""


class LiveProtocol(FanProtocol):
    """uvicorn's protocol, before which ordinary pages are taken up by a `Handshake`."""

    @classmethod
    def take_up(cls, http: HttpToolsProtocol) -> bool:
        """Begin a handshake for a request that is parsed, and return whether it is one to be taken here."""
        plain = http.scope["method"] == "GET" and http.scope["http_version"] == "1.1"
        key = key_of(http.url, http.headers) if plain and not http.config.ws_per_message_deflate else None
        if key is None:
            return False
        shaking = Handshake(http, key)
        http.connections.discard(http)
        http.connections.add(cast("Any", shaking))
        http.transport.set_protocol(shaking)
        http.parser = cast("Any", None)  # breaks a reference cycle that would last until a garbage collection
        task = http.loop.create_task(shaking.run())
        http.tasks.add(task)
        task.add_done_callback(http.tasks.discard)
        return True
