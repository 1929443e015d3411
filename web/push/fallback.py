"""Sockets where the transport cannot be handed over: under a test client, or a server without the extension.

Rule: two tasks a socket take the place of the transport; the watcher, the hub and the numbers are the same. A write
counts as unsent until the server took it, so nothing accumulates here either.
"""

import asyncio
import time
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from web.push import wire
from web.push.viewer import Viewer
from web.push.watcher import Watcher


class Outbox:
    """Takes the place of a transport: after each write the watcher is paused until the server took it."""

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
        """End once everything is sent."""
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
        watcher.said((event.get("text") or "").encode())  # binary counts as an empty text


async def serve(websocket: WebSocket, viewer: Viewer, admit: Callable[[Watcher], None]) -> None:
    """Serve an accepted socket until it ends; `admit` is called with its watcher first."""
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
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect | OSError):
            raise result
