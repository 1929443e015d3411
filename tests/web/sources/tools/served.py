"""What the servers that stand for tools have in common: real HTTP on loopback, a clock of their own, and faults.

A fake follows what its tool's documentation says of answers, paging, limits and errors; it knows nothing of ours.
"""

import asyncio
import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec
import uvicorn

from tests.certificates import Certified
from tests.ports import free_port

NOW = datetime(2027, 3, 10, 12, 0, 0, tzinfo=UTC)


class Row(msgspec.Struct, kw_only=True):
    """One milestone as the fakes keep it; which of its fields a tool has differs."""

    id: int
    title: str
    due: date | None = None
    done: datetime | None = None  # when it was closed, resolved, released
    changed: datetime = NOW - timedelta(days=30)
    more: dict[str, Any] = {}  # what an answer has instead


ROWS = (
    Row(id=11, title="Foundations", due=date(2027, 2, 1), done=datetime(2027, 2, 3, 22, 30, tzinfo=UTC)),
    Row(id=12, title="Roof closed", due=date(2027, 5, 14)),
    Row(id=13, title="Handover", due=date(2027, 9, 30)),
    Row(id=14, title="Snagging"),
)


class Reply(msgspec.Struct):
    """An answer of a fake."""

    status: int
    data: Any = None
    headers: dict[str, str] = {}
    raw: bytes | None = None


class Asked(msgspec.Struct, frozen=True):
    """A request as a fake got it; `path` is not decoded."""

    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]


class Fake:
    """A tool. `fault` makes it answer wrongly; `refusal` is what an error of it looks like."""

    project = "the project"  # how another one is called in a message

    def __init__(self) -> None:
        self.rows = [msgspec.structs.replace(row) for row in ROWS]
        self.now = NOW
        self.fault = ""
        self.secret = "s3cret-of-the-tool"
        self.asked: list[str] = []
        self.port = 0
        self.scheme = "http"
        self.per_page = 0  # 0: as many as is asked for
        self.twisted: Callable[[Any], Any] = lambda data: data  # what is made of the data of an answer

    @property
    def address(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def values(self) -> dict[str, str]:
        """What a person fills in."""
        return {}

    def accepts(self, asked: Asked) -> bool:
        """Tell whether the secret was sent as the tool wants it."""
        raise NotImplementedError

    def refusal(self, status: int) -> Reply:
        """Return an error as the tool words it."""
        raise NotImplementedError

    def limited(self) -> Reply:
        """Return that it was asked too often, without the header Retry-After."""
        return self.refusal(429)

    def reply(self, asked: Asked) -> Reply:
        """Return the answer where nothing is wrong."""
        raise NotImplementedError

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        asked = Asked(
            scope["raw_path"].decode(),
            dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
            {name.decode().lower(): value.decode() for name, value in scope["headers"]},
        )
        self.asked.append(unquote(asked.path))
        reply = await self._faulty() or (self.reply(asked) if self.accepts(asked) else self.refusal(401))
        body = reply.raw if reply.raw is not None else json.dumps(self.twisted(reply.data)).encode()
        headers = {"content-type": "application/json; charset=utf-8", "date": format_datetime(self.now, usegmt=True)}
        headers |= reply.headers
        if reply.status == 304:
            body = b""
        await send(
            {
                "type": "http.response.start",
                "status": reply.status,
                "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            }
        )
        await send({"type": "http.response.body", "body": body})

    async def _faulty(self) -> Reply | None:
        match self.fault:
            case "401" | "403" | "404" | "410" | "500":
                return self.refusal(int(self.fault))
            case "429":
                return self.limited()
            case "429 in seconds":
                found = self.refusal(429)
                return Reply(429, found.data, {"retry-after": "30"})
            case "429 as a date":
                found = self.refusal(429)
                return Reply(
                    429, found.data, {"retry-after": format_datetime(self.now + timedelta(seconds=90), usegmt=True)}
                )
            case "503":
                return Reply(503, headers={"retry-after": "120", "content-type": "text/html"}, raw=b"<html>maintenance")
            case "sign-in page":
                page = b"<!DOCTYPE html><html><body><form>Sign in</form></body></html>"
                return Reply(200, headers={"content-type": "text/html"}, raw=page)
            case "cut off":
                return Reply(200, raw=b'{"values": [{"id": "1", "na')
            case "other data":
                return Reply(200, ["hello", 7])
            case "redirect":
                return Reply(302, headers={"location": "http://169.254.169.254/latest/meta-data/"})
            case "slow":
                await asyncio.sleep(5)
            case "huge":
                return Reply(200, raw=b"[" + b" " * 3_000_000 + b"]")
        return None

    def of_page(self, number: int, size: int) -> tuple[list[Row], int]:
        """Return the rows of a page (from 1), and how many rows there are; some faults lie here."""
        size = min(size, self.per_page or size)
        if self.fault == "endless":
            begin = number * size
            return [Row(id=1000 + begin + i, title=f"Item {begin + i}") for i in range(size)], 10**6
        if self.fault == "same page":
            return self.rows[:size], 10**6
        begin = (number - 1) * size
        return self.rows[begin : begin + size], len(self.rows)


class Server:
    """Serves one fake after another at one port, in a thread; by TLS where a certificate is given."""

    def __init__(self, certified: Certified | None = None) -> None:
        self.fake: Fake | None = None
        self.port = free_port()
        self.scheme = "http" if certified is None else "https"
        config = uvicorn.Config(
            self._app,
            "127.0.0.1",
            self.port,
            log_level="error",
            lifespan="off",
            interface="asgi3",
            date_header=False,
            server_header=False,
            ssl_certfile=None if certified is None else certified.chain,
            ssl_keyfile=None if certified is None else certified.key,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        end = time.monotonic() + 15
        while not self._server.started:
            assert time.monotonic() < end
            time.sleep(0.01)

    def put(self, fake: Fake) -> None:
        """Serve another fake."""
        fake.port, fake.scheme = self.port, self.scheme
        self.fake = fake

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        assert self.fake is not None
        await self.fake(scope, receive, send)

    def stop(self) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(15)


def etag(data: Any) -> str:
    return f'W/"{hashlib.sha256(json.dumps(data).encode()).hexdigest()[:32]}"'


def basic(user: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


def z(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
