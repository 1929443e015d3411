"""The load client where there is no C compiler: what wsload.c measures, with fewer pages and less precision."""

import http.client
import json
import random
import re
import selectors
import socket
import sys
import time
from typing import Any

import msgspec
import psutil

from bench.gate import median
from bench.load import Target, said_first

MARKER = re.compile(rb"@@([0-9a-f]{8})")


class Pages:
    """Open sockets that count the markers they are sent, each in order."""

    def __init__(self, target: Target, port: int) -> None:
        self._target, self._port = target, port
        self._selector = selectors.DefaultSelector()
        self._next: dict[socket.socket, int] = {}
        self._tail: dict[socket.socket, bytes] = {}
        self.deliveries, self.bad = 0, 0
        self.receipts = 0

    def open(self, count: int, stalled: int) -> None:
        """Open sockets; the first few are never read."""
        for i in range(count):
            page = socket.create_connection(("127.0.0.1", self._port), 30)
            extra = "".join(f"{header}\r\n" for header in self._target.headers)
            page.sendall(
                f"GET {self._target.path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                f"Sec-WebSocket-Version: 13\r\n{extra}\r\n".encode()
            )
            if b" 101 " not in page.recv(4096):
                raise SystemExit("the handshake was refused")
            if self._target.hello:
                page.sendall(_masked(said_first(self._target).encode()))
            page.setblocking(False)
            if i >= stalled:
                self._next[page], self._tail[page] = 0, b""
                self._selector.register(page, selectors.EVENT_READ)

    def read(self, patience: float) -> None:
        """Take in what came."""
        for key, _ in self._selector.select(patience):
            page = key.fileobj
            assert isinstance(page, socket.socket)
            data = self._tail[page] + page.recv(1 << 18)
            last = 0
            for found in MARKER.finditer(data):
                n, last = int(found[1], 16), found.end()
                self.bad += n != self._next[page]
                self._next[page] = n + 1
                self.deliveries += 1
                if self.receipts:
                    page.send(_masked(b'{"applied":%d}' % (self._target.newest + n + 1)))
            self._tail[page] = data[max(last, len(data) - 9) :]


def _masked(text: bytes) -> bytes:
    return bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text


class Run:
    """One measurement: pages, a publisher, and the server's process."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.order = order
        self.target = msgspec.convert(order["target"], Target)
        self.server = psutil.Process(order["pid"])
        self.pages = Pages(self.target, order["port"])
        self.pages.receipts = order.get("receipts", 0)
        self.reading = order["connections"] - order.get("stalled", 0)
        self.published = 0
        self._post = http.client.HTTPConnection("127.0.0.1", order["port"], timeout=30)

    def measure(self) -> dict[str, Any]:
        """Return the same fields as wsload prints."""
        before, began, cpu = self.server.memory_info().rss, time.monotonic(), self.cpu()
        self.pages.open(self.order["connections"], self.order.get("stalled", 0))
        opened, hs_cpu = time.monotonic() - began, (self.cpu() - cpu) / self.order["connections"]
        self.settle(0.5)
        after = self.server.memory_info().rss
        result: dict[str, Any] = {
            "open_s": opened,
            "hs_cpu_us": hs_cpu * 1e6,
            "rss_kb": after // 1024,
            "kb_per_conn": (after - before) / 1024 / self.order["connections"],
        }
        if burst := self.order.get("burst", 0):
            result |= self.timed("cpu_s_per_M", burst, 8, 0.0)
            result["burst_ok"] = self.pages.deliveries == self.published * self.reading
        if paced := self.order.get("paced", 0):
            window = 1 if self.order.get("one_by_one") else 1 << 30
            timed = self.timed("paced_cpu_s_per_M", paced, window, 1 / self.order["rate"])
            result |= timed
            result["paced_ok"] = self.pages.deliveries == self.published * self.reading
        return result | {"bad_seq": self.pages.bad, "rss_after_kb": self.server.memory_info().rss // 1024}

    def timed(self, name: str, messages: int, window: int, every: float) -> dict[str, Any]:
        """Publish messages and return CPU a delivery and how long they took to reach the last page."""
        cpu, user, start, sent = self.cpu(), self.server.cpu_times().user, self.pages.deliveries, []
        took: list[float] = []
        for _ in range(messages):
            due = time.monotonic() + every
            self.publish()
            sent.append(time.monotonic())
            while time.monotonic() < due or len(sent) - len(took) >= window:
                self._read_until(start, sent, took)
        deadline = time.monotonic() + 20
        while len(took) < messages and time.monotonic() < deadline:
            self._read_until(start, sent, took)
        took.sort()
        total = max(1, self.pages.deliveries - start)
        p50, p99 = (median(took) * 1000, took[int(len(took) * 0.99) - 1] * 1000) if took else (0.0, 0.0)
        own = float(self.server.cpu_times().user - user)
        return {
            name: (self.cpu() - cpu) / total * 1e6,
            name.replace("cpu", "user"): own / total * 1e6,
            "last_p50_ms": p50,
            "last_p99_ms": p99,
        }

    def _read_until(self, start: int, sent: list[float], took: list[float]) -> None:
        self.pages.read(0.001)
        while len(took) < len(sent) and self.pages.deliveries - start >= (len(took) + 1) * self.reading:
            took.append(time.monotonic() - sent[len(took)])

    def publish(self) -> None:
        """Publish one message that carries the next marker."""
        marker = f"@@{self.published:08x}"
        body = self.target.template.replace("$SEQ", marker).replace("$ID", f"{random.getrandbits(60):x}")
        headers = dict(header.split(": ", 1) for header in self.target.publish_headers)
        plain = f"<div data-s='{marker}'>".ljust(self.order.get("size", 600), "x")
        self._post.request("POST", self.target.publish, body or plain, headers)
        self._post.getresponse().read()
        self.published += 1

    def settle(self, seconds: float) -> None:
        """Read for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.pages.read(0.05)

    def cpu(self) -> float:
        """Return the server's CPU seconds."""
        times = self.server.cpu_times()
        return float(times.user + times.system)


if __name__ == "__main__":
    print(json.dumps(Run(json.loads(sys.argv[1])).measure()))
