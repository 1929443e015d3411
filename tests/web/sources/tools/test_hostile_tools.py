"""A tool that wants to do harm: answers without end, packed, torn, dripped, or of many headers, by TLS as in production.

Each is a socket that speaks whatever it likes, asked in the way of the product; each costs its bound and no more.
"""

import asyncio
import contextlib
import functools
import resource
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.certificates import certified
from web.outside.addresses import networks
from web.outside.transport import Bounds, Outside
from web.sources.tools.registry import TOOLS
from web.sources.tools.tool import Attached, Most, Trouble

pytestmark = pytest.mark.once

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
MOST = Most(seconds=1.0, answer=1 << 20)
Send = Callable[[bytes], None]


@functools.cache
def bomb() -> bytes:
    packing = zlib.compressobj(1, wbits=31)
    return b"".join(packing.compress(b" " * (1 << 20)) for _mebibyte in range(100)) + packing.flush()


def packed(send: Send) -> None:
    """A bomb: some kilobytes that unfold to a hundred megabytes."""
    send(OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb()) + bomb())


def endless(send: Send) -> None:
    send(OK + b"transfer-encoding: chunked\r\n\r\n")
    for _block in range(100_000):
        send(b"10000\r\n" + b" " * 65536 + b"\r\n")


def promised(send: Send) -> None:
    """A length that nobody has memory for, of which little comes."""
    send(OK + b"content-length: 99999999999\r\n\r\n" + b"[" * 1000)


def dripped(send: Send) -> None:
    send(OK + b"content-length: 100000\r\n\r\n")
    for _byte in range(600):
        send(b" ")
        time.sleep(0.05)


def silent(_send: Send) -> None:
    time.sleep(6)


def headers(send: Send) -> None:
    send(OK)
    for number in range(100_000):
        send(b"x-%d: %s\r\n" % (number, b"y" * 1000))


def interim(send: Send) -> None:
    for _time in range(100_000):
        send(b"HTTP/1.1 100 Continue\r\n\r\n")


def torn(send: Send) -> None:
    send(OK + b"content-length: 500\r\n\r\n" + b'[{"id": 1, "ti')


def deep(send: Send) -> None:
    body = b"[" * 500_000
    send(OK + b"content-length: %d\r\n\r\n" % len(body) + body)


def none_at_all(send: Send) -> None:
    send(b"SSH-2.0-OpenSSH_9.6\r\n")


def moved(send: Send) -> None:
    send(b"HTTP/1.1 301 Moved\r\nlocation: https://169.254.169.254/\r\ncontent-length: 0\r\n\r\n")


WAYS: dict[Callable[[Send], None], str] = {
    packed: "cannot be reached",
    endless: "longer than 1 MiB.*pull_mb",
    promised: "no data|cannot be reached|so slowly|cut off",
    dripped: "so slowly.*pull_seconds",
    silent: "so slowly|did not answer in time",
    headers: "cannot be reached",
    interim: "so slowly|cannot be reached",
    torn: "cannot be reached",
    deep: "no data .JSON.",
    none_at_all: "cannot be reached",
    moved: "sends the request on to another address, which is not followed",
}


@contextmanager
def speaking(way: Callable[[Send], None]) -> Iterator[int]:
    """Serve one way of answering at a port."""
    tls = certified("127.0.0.1", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.chain, tls.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    raw, _from = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(raw,), daemon=True).start()

        def answer(raw: socket.socket) -> None:
            with contextlib.suppress(OSError), context.wrap_socket(raw, server_side=True) as connection:
                connection.recv(65536)
                way(connection.sendall)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def asked(port: int) -> None:
    """Pull from it as the engine does."""
    given = Attached(
        address=f"https://127.0.0.1:{port}", values={"repository": "acme/harbour"}, secret="s3cret", most=MOST
    )
    outside = Outside(networks("127.0.0.0/8"), certified("127.0.0.1", "localhost").authority)

    async def pull() -> None:
        async with outside.asking(Bounds(patience=30.0, at_most=10.0, longest=MOST.answer)) as client:
            await TOOLS["github"].pull(given, "", client)

    asyncio.run(pull())


def peak() -> int:
    """Return the most memory that this process had, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_a_hostile_tool_sends_costs_its_bound_and_is_told(way: Callable[[Send], None]) -> None:
    bomb()  # not while it is measured
    with speaking(way) as port:
        before, begun = peak(), time.monotonic()
        with pytest.raises(Trouble, match=WAYS[way]) as told:
            asked(port)
        took, grown = time.monotonic() - begun, peak() - before
    assert took < 9, "seconds: the bound of one, and room for a busy machine"
    assert grown < 32 << 10, f"{grown >> 10} MiB more than before"
    assert "s3cret" not in str(told.value)


def test_a_certificate_of_somebody_else_is_not_accepted() -> None:
    with speaking(torn) as port:
        given = Attached(address=f"https://127.0.0.1:{port}", values={"repository": "a/b"}, secret="s3cret", most=MOST)

        async def pull() -> None:
            async with Outside(networks("127.0.0.0/8")).asking() as client:
                await TOOLS["github"].pull(given, "", client)

        with pytest.raises(Trouble, match=r"The certificate of 127\.0\.0\.1:\d+ is not accepted"):
            asyncio.run(pull())
