"""The baseline where there is no C compiler: a plain-socket Python sender, one send() a connection, nothing else."""

import base64
import hashlib
import selectors
import socket
import sys

from web.push import wire

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Sender:
    """Handshakes, and POST bodies broadcast as one text frame."""

    def __init__(self, port: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._partial: dict[socket.socket, bytes] = {}
        self._watchers: set[socket.socket] = set()

    def serve(self) -> None:
        """Serve for ever."""
        while True:
            for key, _ in self._selector.select():
                peer = key.fileobj
                if peer is self._listener:
                    self._accept()
                elif isinstance(peer, socket.socket):
                    self._read(peer)

    def _accept(self) -> None:
        peer, _ = self._listener.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.settimeout(5)
        self._partial[peer] = b""
        self._selector.register(peer, selectors.EVENT_READ)

    def _read(self, peer: socket.socket) -> None:
        try:
            data = peer.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(peer)
            self._watchers.discard(peer)
            self._partial.pop(peer, None)
            peer.close()
        elif peer not in self._watchers:
            self._partial[peer] += data
            self._answer(peer)

    def _answer(self, peer: socket.socket) -> None:
        head, end, body = self._partial[peer].partition(b"\r\n\r\n")
        fields = {k.lower(): v.strip() for k, _, v in (line.partition(b":") for line in head.split(b"\r\n"))}
        if not end or len(body) < int(fields.get(b"content-length", 0)):
            return
        self._partial[peer] = b""
        if key := fields.get(b"sec-websocket-key"):
            accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
            peer.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
            self._watchers.add(peer)
            return
        if body:
            frame = wire.framed(body)
            for watcher in self._watchers:
                watcher.send(frame)
        peer.sendall(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")


if __name__ == "__main__":
    Sender(int(sys.argv[1])).serve()
