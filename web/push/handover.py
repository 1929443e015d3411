"""Takes the transport of a WebSocket from uvicorn after the handshake, and gives it to one small object.

Rule: this file and web/push/handshake.py alone rely on the inside of uvicorn's WebSocket protocol. docs/decisions/0001
says why, and tests/web/push/test_uvicorn.py fails when a new version behaves otherwise.
"""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.extensions import Extension

from web.push import packing, wire
from web.push.standing import PLAIN
from web.push.viewer import Viewer
from web.push.watcher import Watcher

EXTENSION = "fanlight"
EARLY_LIMIT = 65536  # bytes a page may have sent before the hand-over


class Conn(Watcher, asyncio.Protocol):
    """An open socket after the hand-over. It has no task, queue, timer or dict of its own."""

    __slots__ = ("_connections", "_going_down", "_inbox")

    def __init__(
        self,
        viewer: Viewer,
        transport: asyncio.Transport,
        connections: set[Any],
        going_down: Callable[[], None],
        *,
        packs: bool = False,
    ) -> None:
        super().__init__(viewer, transport)
        self.unbroken = 0 if packs else PLAIN
        self._connections, self._going_down = connections, going_down
        self._inbox: wire.Inbox | None = None
        transport.set_write_buffer_limits(high=0)  # pause_writing() then means: something was left unsent

    def data_received(self, data: bytes) -> None:
        """Take bytes of a page: whole small frames at once, the rest through an inbox that is kept while incomplete."""
        self.heard = monotonic()
        if (inbox := self._inbox) is None:
            if (one := wire.one_text(data)) is not None:
                self.said(one)
                self.spend(2)
                return
            texts, took = wire.small_texts(data, self._unpack, self._longest)
            for text in texts:
                self.said(text)
            self.spend(1 + len(texts))
            if took == len(data):
                return
            inbox = self._inbox = wire.Inbox(self._longest, self._unpack, self._extensions())
            data = data[took:]
        self._take_in(inbox, data)

    @property
    def _longest(self) -> int:
        return self.room.pace.longest if self.room is not None else EARLY_LIMIT

    @property
    def _unpack(self) -> wire.Unpack | None:
        return None if self.unbroken == PLAIN else packing.unpacked

    def _extensions(self) -> tuple[Extension, ...]:
        return () if self.unbroken == PLAIN else (packing.extension(),)

    def _take_in(self, inbox: wire.Inbox, data: bytes) -> None:
        intake = inbox.feed(data)
        for text in intake.texts:
            self.said(text)
        self.spend(1 + intake.work)
        if intake.reply and not self.blocked and not self.gone:
            self.write(intake.reply)  # a page that asks for pongs and does not read them gets none
        if intake.broken:
            self.leave()
            self._end_sending()
        elif intake.closed:
            self.lost()
            if self.blocked:
                self.transport.abort()
            else:
                self.transport.close()
        if inbox.empty:
            self._inbox = None

    def _end_sending(self) -> None:
        # The rest of what breaks the protocol is still read, and discarded: closing a socket that has unread bytes
        # resets it, and the page would never see the code.
        transport = cast("asyncio.Transport", self.transport)
        if transport.can_write_eof():
            transport.write_eof()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Drop everything that refers to this socket."""
        self.lost()
        self._connections.discard(self)
        self._inbox = None

    def eof_received(self) -> bool:
        """Return False, so that asyncio closes the transport when the page has closed its side."""
        return False

    def shutdown(self) -> None:
        """Begin the staged close of all sockets: at SIGTERM uvicorn calls this on each connection and waits for all."""
        self._going_down()


class _HandedOver(asyncio.Transport):
    """What uvicorn's protocol holds after the hand-over. Closing it does nothing."""

    def close(self) -> None:
        pass

    def is_closing(self) -> bool:
        return True


HANDED_OVER = _HandedOver()


class Shaken(Protocol):
    """What has shaken hands with a page and holds its transport."""

    transport: asyncio.Transport
    packs: bool

    @property
    def connections(self) -> set[Any]: ...


def conn_of(shaken: Shaken, viewer: Viewer, going_down: Callable[[], None]) -> Conn:
    """Return a new `Conn` in the place of what has shaken hands."""
    conn = Conn(viewer, shaken.transport, shaken.connections, going_down, packs=shaken.packs)
    shaken.connections.discard(shaken)
    shaken.connections.add(conn)
    shaken.transport.set_protocol(conn)
    return conn


class FanProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, from which an endpoint may take the transport after the handshake."""

    early = b""  # bytes after the request: a page may have sent its hello before the hand-over
    packs = False  # the page was told that it is sent compressed frames

    async def run_asgi(self) -> None:
        """Run the application with this object in its scope, under `EXTENSION`."""
        cast("dict[str, Any]", self.scope["extensions"])[EXTENSION] = self
        await super().run_asgi()

    def data_received(self, data: bytes) -> None:
        """Keep a copy of what comes before the hand-over, up to a bound; answer a request that could not be read."""
        if self.handshake_initiated and len(self.early) <= EARLY_LIMIT:
            self.early += data
        super().data_received(data)
        if not self.handshake_initiated:  # it comes whole: uvicorn would leave it open, and say nothing
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def hand_over(self, viewer: Viewer, admit: Callable[[Watcher], None], going_down: Callable[[], None]) -> bool:
        """Give the transport to a new `Conn`, admit it, and return whether the page was still connected.

        The application must not have received anything but the connect event: what the page sent is read again from
        its start.
        """
        transport, early = self.transport, self.early
        if self.disconnected or self.close_sent or transport.is_closing() or len(early) > EARLY_LIMIT:
            return False
        self.stop_keepalive()
        conn = conn_of(self, viewer, going_down)
        if self.read_paused:
            transport.resume_reading()
        self.transport, self.early = HANDED_OVER, b""
        self.conn.parser.close()  # breaks a reference cycle that would keep all of this until a garbage collection
        cast("dict[str, Any]", self.scope["extensions"]).pop(EXTENSION, None)
        admit(conn)
        if early and not transport.is_closing():
            conn.data_received(early)
        return True
