"""The same messages without the hand-over: for a test client, or a server that lacks the extension.

Rule: one task a socket stands where a transport would; the watcher, the hub and the numbers are the same. A write is
a thing left unsent until the server took it, so nothing accumulates here either.
"""

import asyncio
import time
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from web.push import wire
from web.push.viewer import Viewer
from web.push.watcher import Watcher


class Outbox:
    """Stands in for a transport: takes one write, then says that it is full until that is sent."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._unsent: list[bytes] = []
        self._wake = asyncio.Event()
        self._aborted = False
        self.watcher: Watcher | None = None

    def write(self, data: bytes) -> None:
        """Take frames to send."""
        self._unsent.append(data)
        self._wake.set()
        if self.watcher is not None:
            self.watcher.pause_writing()

    def close(self) -> None:
        """End when everything is sent."""
        self._wake.set()

    def abort(self) -> None:
        """End now."""
        self._aborted = True
        self._wake.set()

    async def carry(self) -> None:
        """Send what is written until a close is sent or the watcher is aborted."""
        while not self._aborted:
            await self._wake.wait()
            self._wake.clear()
            unsent, self._unsent = b"".join(self._unsent), []
            for first, payload in wire.unframed(unsent):
                if first == wire.CLOSE:
                    await self._websocket.close(int.from_bytes(payload, "big"))
                    return
                if first == wire.TEXT:  # a ping is the server's own business here
                    await self._websocket.send_text(payload.decode())
            if self.watcher is not None and not self._unsent:
                self.watcher.heard = time.monotonic()  # the server took it: its own keepalive judges the peer
                self.watcher.resume_writing()


async def _listen(websocket: WebSocket, watcher: Watcher) -> None:
    while True:
        event = await websocket.receive()
        if event["type"] == "websocket.disconnect":
            return
        watcher.heard = time.monotonic()
        watcher.spend(1)
        watcher.said((event.get("text") or "").encode())  # binary: nothing we can read


async def serve(websocket: WebSocket, viewer: Viewer, admit: Callable[[Watcher], None]) -> None:
    """Run a socket to its end."""
    outbox = Outbox(websocket)
    watcher = Watcher(viewer, outbox)
    outbox.watcher = watcher
    admit(watcher)
    tasks = [asyncio.create_task(outbox.carry()), asyncio.create_task(_listen(websocket, watcher))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        watcher.lost()
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for failure in ended:
        if isinstance(failure, Exception) and not isinstance(failure, WebSocketDisconnect | OSError):
            raise failure
