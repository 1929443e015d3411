"""Requests of ours to addresses that somebody typed: which machines are asked, by which certificate, and how much is read."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.certificates import Certified, certified
from tests.ports import free_port
from web.outside import transport
from web.outside.addresses import Forbidden, checked, networks, outside
from web.outside.transport import LONGEST, Bounds, Outside, TooLong

pytestmark = pytest.mark.once

PULL = Bounds(patience=30.0, at_most=120.0, longest=16 << 20)  # as for a plan
NAME, STRANGER = "login.acme.test", "other.test"
HERE = networks("127.0.0.0/8")


class Server:
    """A server with a certificate for `NAME`, and what it was asked."""

    def __init__(self, tls: Certified) -> None:
        self.port, self.asked = free_port(), list[str]()
        app = Starlette(routes=[Route("/{what}", self.answer)])
        config = uvicorn.Config(
            app, "127.0.0.1", self.port, log_level="error", lifespan="off",
            ssl_certfile=tls.chain, ssl_keyfile=tls.key,
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        end = time.monotonic() + 15
        while not self.server.started:
            assert time.monotonic() < end
            time.sleep(0.01)

    async def answer(self, request: Request) -> Response:
        what = request.path_params["what"]
        self.asked.append(f"{request.headers['host']} {what}")
        match what:
            case "moved":
                return RedirectResponse("https://127.0.0.1/inside", 302)
            case "endless":
                return StreamingResponse(iter([b" " * 65536] * (2 * LONGEST // 65536)))
            case "packed":
                return Response(b"x", headers={"content-encoding": "gzip"})
            case "slow":
                await asyncio.sleep(3)
        return PlainTextResponse("well")

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(15)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    leads(monkeypatch, {NAME: ["127.0.0.1"]})
    made = Server(certified(NAME))
    yield made
    made.stop()


def leads(monkeypatch: pytest.MonkeyPatch, names: dict[str, list[str]]) -> list[str]:
    """Have names lead to addresses, one list an answer or the last one for ever; return which were looked up."""
    sound, looked = socket.getaddrinfo, list[str]()

    def found(host: object, port: object, *more: object, **named: object) -> object:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name not in names:
            return sound(host, port, *more, **named)  # type: ignore[arg-type]
        looked.append(name)
        family = lambda address: socket.AF_INET6 if ":" in address else socket.AF_INET  # noqa: E731
        return [(family(a), socket.SOCK_STREAM, 6, "", (a, port)) for a in names[name]]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    return looked


def ask(address: str, out: Outside, bounds: Bounds | None = None) -> httpx2.Response:
    async def asked() -> httpx2.Response:
        async with out.asking(bounds) as client:
            return await client.get(address)

    return asyncio.run(asked())


def allowed() -> Outside:
    return Outside(HERE, certified(NAME).authority)


# which machines


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "168.63.129.16", "192.0.0.192", "198.18.0.1", "240.0.0.1", "::", "::1", "fe80::1", "fe80::1%eth0",
        "fd00:ec2::254", "ff02::1", "2001:db8::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1", "2002:a9fe:a9fe::", "2002:7f00:1::1", "::7f00:1", "2001::1",
    ],
)  # fmt: skip
def test_no_machine_inside_is_asked_however_its_address_is_written(address: str) -> None:
    assert not outside(address, ())
    assert outside(
        address, networks("0.0.0.0/0 ::/0")
    )  # what kept it out is the rule, and the operator has the last word


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_machines_outside_are_asked(address: str) -> None:
    assert outside(address, ())


def test_the_operator_names_networks_and_nothing_beside_them_is_open() -> None:
    inside = networks("10.1.0.0/16, fd12::/64")
    assert [outside(a, inside) for a in ("10.1.9.9", "10.2.0.1", "fd12::9", "fd13::1", "::ffff:10.1.0.1")] == [
        True, False, True, False, True,
    ]  # fmt: skip
    with pytest.raises(ValueError):
        networks("10.1.0.1/16")


@pytest.mark.parametrize(
    "address",
    ["http://login.acme.test/", "ftp://login.acme.test", "//login.acme.test", "https:///x", "https://u:p@login.acme.test/",
     "https://u@login.acme.test", "https://login.acme.test:99999/", "file:///etc/passwd", ""],
)  # fmt: skip
def test_only_plain_https_is_an_address(address: str) -> None:
    with pytest.raises(Forbidden):
        checked(address)


# the way there


def test_what_is_allowed_is_asked_by_its_name(server: Server) -> None:
    answer = ask(f"https://{NAME}:{server.port}/well", allowed())
    assert (answer.status_code, answer.text) == (200, "well")
    assert server.asked == [f"{NAME}:{server.port} well"]


def test_without_the_operators_word_nothing_is_sent(server: Server) -> None:
    with pytest.raises(Forbidden, match="leads to a network inside"):
        ask(f"https://{NAME}:{server.port}/well", Outside((), certified(NAME).authority))
    assert server.asked == []


def test_one_address_inside_among_several_is_enough_to_ask_none(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads(monkeypatch, {NAME: ["127.0.0.1", "10.0.0.1"]})
    with pytest.raises(Forbidden):
        ask(f"https://{NAME}:{server.port}/well", allowed())
    assert server.asked == []


def test_a_name_that_leads_elsewhere_a_moment_later_is_of_no_use(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the connection is made to what was judged; a second look never happens."""
    looked = leads(monkeypatch, {NAME: ["127.0.0.1"]})
    assert ask(f"https://{NAME}:{server.port}/well", allowed()).status_code == 200
    assert looked == [NAME]


def test_where_the_first_address_takes_no_connection_the_next_one_is_tried(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = leads(monkeypatch, {NAME: ["127.0.0.9", "127.0.0.1"]})
    assert ask(f"https://{NAME}:{server.port}/well", allowed()).status_code == 200
    assert looked == [NAME]
    leads(monkeypatch, {NAME: ["127.0.0.9", "127.0.0.8"]})
    with pytest.raises(httpx2.ConnectError):
        ask(f"https://{NAME}:{server.port}/well", allowed())


def test_a_resolver_that_hangs_holds_up_nobody_else() -> None:
    hangs = threading.Event()

    def never(_host: str, _port: int) -> list[str]:
        hangs.wait(20)
        return ["127.0.0.1"]

    async def both() -> float:
        began, out = time.monotonic(), Outside(HERE, resolve=never)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3), out.asking() as client:
                await client.get(f"https://{NAME}/")
        await asyncio.to_thread(time.sleep, 0)  # the threads that everybody shares are free
        return time.monotonic() - began

    took = asyncio.run(both())
    hangs.set()
    assert took < 5


def test_the_certificate_has_to_be_that_of_the_name(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    leads(monkeypatch, {STRANGER: ["127.0.0.1"], NAME: ["127.0.0.1"]})
    with pytest.raises(httpx2.ConnectError, match=r"(?i)certificate"):
        ask(f"https://{STRANGER}:{server.port}/well", allowed())
    with pytest.raises(httpx2.ConnectError, match=r"(?i)certificate"):  # nor is an authority believed that nobody named
        ask(f"https://{NAME}:{server.port}/well", Outside(HERE))
    assert server.asked == []


def test_a_redirect_is_not_followed(server: Server) -> None:
    assert ask(f"https://{NAME}:{server.port}/moved", allowed()).status_code == 302
    assert server.asked == [f"{NAME}:{server.port} moved"]


def test_an_answer_without_end_or_packed_is_broken_off(server: Server) -> None:
    with pytest.raises(httpx2.ReadError, match="longer than"):
        ask(f"https://{NAME}:{server.port}/endless", allowed())
    with pytest.raises(httpx2.DecodingError):
        ask(f"https://{NAME}:{server.port}/packed", allowed())


def test_nobody_is_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "AT_MOST", 0.3)
    with pytest.raises(TimeoutError):
        ask(f"https://{NAME}:{server.port}/slow", allowed())


def test_what_asks_for_more_has_bounds_of_its_own_and_every_other_rule(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pull reads longer answers for longer; where it may go, and what it follows, is as ever."""
    address = f"https://{NAME}:{server.port}"
    assert len(ask(f"{address}/endless", allowed(), PULL).content) == 2 * LONGEST
    few = Bounds(patience=5, at_most=5, longest=2 * LONGEST - 1)
    with pytest.raises(TooLong, match=f"longer than {2 * LONGEST - 1} bytes"):
        ask(f"{address}/endless", allowed(), few)
    for short in (Bounds(patience=5, at_most=0.3, longest=99), Bounds(patience=0.3, at_most=5, longest=99)):
        with pytest.raises((TimeoutError, httpx2.TimeoutException)):
            ask(f"{address}/slow", allowed(), short)
    server.asked.clear()
    assert ask(f"{address}/moved", allowed(), PULL).status_code == 302
    with pytest.raises(httpx2.DecodingError):
        ask(f"{address}/packed", allowed(), PULL)
    assert len(server.asked) == 2
    with pytest.raises(Forbidden):
        ask(f"{address}/well", Outside((), certified(NAME).authority), PULL)
    looked = leads(monkeypatch, {NAME: ["127.0.0.1"]})
    assert ask(f"{address}/well", allowed(), PULL).status_code == 200
    assert looked == [NAME]


def test_a_proxy_of_the_environment_is_not_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask(f"https://{NAME}:{server.port}/well", allowed()).status_code == 200


def test_an_authority_that_is_none_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ssl.SSLError):
        Outside(HERE, tmp_path / "ca.pem").transport()
