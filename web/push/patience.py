"""Gives up requests that do not come to their end, and answers that nobody takes; uvicorn itself waits for ever.

Rule: a connection has a deadline at every moment but while an answer is being made, and whoever has not sent a whole
request makes room for whoever has. Relies on the inside of uvicorn's HTTP protocol; tests/web/push/test_patience.py
fails when a new version behaves otherwise.
"""

import asyncio
import logging
import resource
import sys
from itertools import takewhile
from typing import Any, ClassVar, Literal, cast

import msgspec
from httptools import HttpParserUpgrade
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from web.push.handshake import UpgradeRequest, take_up

Stage = Literal["request", "body", "late", "answer", "gone"]
TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
MOST_DESCRIPTORS = 65_536  # more are not asked for


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """For how many seconds a connection waits, and how many connections there may be."""

    request: float = 10.0  # for a request line and all headers, on a new connection and on a used one
    body: float = 20.0  # for the beginning of a body
    rate: float = 1024.0  # bytes a second that a body has to come with after that
    late: float = 5.0  # for the rest of a body that was answered already
    answer: float = 60.0  # for some of an answer to be taken
    most: int = 1 << 20  # connections


class Waiting:
    """Connections without a whole request, and one timer for all of them.

    Each may wait equally long, so that whoever began first is the first whose time is over. A timer for each would
    cost a page that comes and goes as much as its request.
    """

    def __init__(self) -> None:
        self._still: dict[PatientProtocol, None] = {}  # the one that waits longest first
        self._given_up: dict[PatientProtocol, None] = {}  # that are not gone yet
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._still) + len(self._given_up)

    def longest(self) -> "PatientProtocol | None":
        """Return the one that waits longest."""
        return next(iter(self._given_up), None) or next(iter(self._still), None)

    def add(self, one: "PatientProtocol") -> None:
        """Give a connection up unless its request is whole in time."""
        self._still[one] = None
        if self._timer is None:
            self._look_later()

    def discard(self, one: "PatientProtocol") -> None:
        """Wait for a connection no more."""
        self._still.pop(one, None)
        self._given_up.pop(one, None)
        if self._timer is not None and not self._still:
            self._timer.cancel()
            self._timer = None

    def _look_later(self) -> None:
        if self._still:
            first = next(iter(self._still))
            self._timer = first.loop.call_at(first.until(), self._look)

    def _look(self) -> None:
        """Give up every connection whose time is over."""
        self._timer = None
        try:
            for one in list(takewhile(PatientProtocol.is_late, self._still)):
                del self._still[one]
                self._given_up[one] = None
                one.give_up()
        finally:
            self._look_later()


class PatientProtocol(HttpToolsProtocol):
    """One HTTP connection, with deadlines."""

    patience: ClassVar[Patience] = Patience()
    waiting: ClassVar[Waiting] = Waiting()

    # uvicorn's own parts are made when the first bytes are no handshake of a page: until then these stand for them
    logger = logging.getLogger("uvicorn.error")
    cycle, flow, parser = cast("Any", None), cast("Any", None), cast("Any", None)
    timeout_keep_alive_task = None

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.loop = _loop or asyncio.get_event_loop()
        self._asked: UpgradeRequest | None = UpgradeRequest(config, server_state, app_state, self.loop)
        self.connections = server_state.connections
        self._stage: Stage | None = None
        self._since, self._came, self._begun = 0.0, 0, False
        self._data = b""  # that are being taken
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    # called by the transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; where there are too many connections, one that waits longest is closed."""
        self.transport = transport
        self.connections.add(self)
        if len(self.connections) > self.patience.most:
            (self.waiting.longest() or self).transport.abort()
        self._settle()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._rest("gone")
        if self.flow is not None:
            self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request."""
        if self._asked is not None and self._is_taken_up(self._asked, data):
            return
        self._data = data
        super().data_received(data)
        self._data = b""
        self._settle()

    def _is_taken_up(self, asked: UpgradeRequest, data: bytes) -> bool:
        """Have the first bytes taken up where they are the handshake of a page, else make uvicorn's parts."""
        self._asked, asked.transport = None, self.transport
        after = asked.read(data)
        if after is not None and take_up(asked, after):
            self._rest("gone")
            self.connections.discard(self)
            return True
        super().__init__(asked.config, asked.server_state, asked.app_state, self.loop)
        super().connection_made(asked.transport)
        return False

    def pause_writing(self) -> None:
        """Give up an answer of which nothing is taken for long."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.patience.answer, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on with the answer."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    # called by the parser and the answer

    def on_message_begin(self) -> None:
        """Take note that a request has begun."""
        self._begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Take note that all headers have come."""
        self._begun = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take bytes of a body."""
        self._came += len(body)
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the rest of this one."""
        super().on_response_complete()
        self._settle()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection on, with what came after the request; from here the push layer has the deadlines.

        A handshake that comes while an answer is being made is passed over: the connection ends with that answer.
        """
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False  # it did not wait for that answer, which would come among its frames
            return
        self._rest("gone")
        parsed = sys.exception()  # uvicorn calls this while it handles the parser's word that the request is whole
        after = self._data[parsed.args[0] :] if isinstance(parsed, HttpParserUpgrade) else b""
        asked = UpgradeRequest(self.config, self.server_state, self.app_state, self.loop)
        asked.transport, asked.url, asked.headers = self.transport, self.url, self.headers
        if (self.scope["method"], self.scope["http_version"]) == ("GET", "1.1") and take_up(asked, after):
            self.connections.discard(self)
            self.parser = None  # breaks a reference cycle that would last until a garbage collection
            return
        super().handle_websocket_upgrade()
        if after:
            cast("asyncio.Protocol", self.transport.get_protocol()).data_received(after)

    # deadlines

    def _settle(self) -> None:
        """Begin to wait for what has to come next, if it is something else than before."""
        if self._stage == "gone" or self.transport.is_closing():
            return
        stage = self._next()
        if stage == self._stage:
            return
        self._rest(stage)
        if stage != "answer":
            self._since, self._came = self.loop.time(), 0
            if stage == "request":
                self.waiting.add(self)
            else:
                self._wait()

    def _next(self) -> Stage:
        cycle = self.cycle
        if cycle is None or (cycle.response_complete and not cycle.more_body):
            return "request"
        if not cycle.more_body:
            return "answer"
        return "late" if cycle.response_complete else "body"

    def _wait(self) -> None:
        self._deadline = self.loop.call_at(self.until(), self._look)

    def until(self) -> float:
        """Return when this connection is given up, in seconds of the loop's clock."""
        seconds, patience = 0.0, self.patience
        match self._stage:
            case "body":
                seconds = patience.body + self._came / patience.rate
            case "late":
                seconds = patience.late
            case _:
                seconds = patience.request
        return self._since + seconds

    def _look(self) -> None:
        """Give the connection up if its time is over; while we do not read, it is not the other side that is late."""
        if self._stage == "body" and self.flow.read_paused:
            self._since = self.loop.time()
        if self.is_late():
            self.give_up()
        else:
            self._wait()

    def is_late(self) -> bool:
        """Tell whether the time of this connection is over."""
        return self.loop.time() >= self.until() - 0.001

    def give_up(self) -> None:
        """Close the connection, and say why where a request had begun."""
        unanswered = self._stage == "body" and not self.cycle.response_started
        if unanswered or (self._stage == "request" and self._begun):
            self.transport.write(TIMEOUT)
        self.transport.close()
        self.loop.call_later(self.patience.late, self.transport.abort)  # it may not read even that

    def _rest(self, stage: Stage) -> None:
        if self._stage == "request":
            self.waiting.discard(self)
        self._stage = stage
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def with_patience(patience: Patience) -> type[PatientProtocol]:
    """Return the protocol of one server with a patience of its own."""
    return type("PatientProtocol", (PatientProtocol,), {"patience": patience, "waiting": Waiting()})


def most_connections() -> int:
    """Return how many connections there is room for, once as many descriptors are asked for as the system allows.

    A quarter of them, 64 to 256, is left for files, the logs and what Python opens by itself.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    there = MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    return there - min(256, max(64, there // 4))
