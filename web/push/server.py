"""Runs uvicorn under the push layer: its settings, those of the garbage collector, and an orderly end.

Rule: every number here was measured; docs/decisions/0001 says how.
"""

import gc
import os
import signal
import socket
import threading
import time
from types import FrameType
from typing import Any

import uvicorn

from web.push.handover import FanProtocol
from web.push.patience import Patience, with_patience


def server_config(
    app: Any, host: str, port: int, *, patience: Patience | None = None, **overrides: Any
) -> uvicorn.Config:
    """Return uvicorn's configuration; `overrides` are settings of uvicorn that replace ours."""
    settings: dict[str, Any] = {
        "http": with_patience(patience or Patience()),
        "ws": FanProtocol,
        "backlog": 4096,  # uvicorn's 2048 drops connections when all pages reconnect; each page then waits a second
        "ws_max_size": 65536,
        "ws_per_message_deflate": False,  # it takes 70 KB and a compression for each socket
        "timeout_graceful_shutdown": 5,  # seconds; without it one stalled page keeps the process from ending
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
    }
    return uvicorn.Config(app, host=host, port=port, **(settings | overrides))


def tune_gc() -> None:
    """Exempt what is loaded from garbage collection, so that new sockets seldom cause full collections."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def run(config: uvicorn.Config, sockets: list[socket.socket] | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then close in order and return; uvicorn itself raises the signal once more."""
    server = uvicorn.Server(config)

    def heard(kind: int, _frame: FrameType | None) -> None:
        """Keep a signal that comes before uvicorn listens until it does; ignore what it raises again at its end."""
        if not server.started:
            threading.Thread(target=_told_again, args=(server, kind), daemon=True).start()

    if threading.current_thread() is threading.main_thread():
        for kind in (signal.SIGTERM, signal.SIGINT):
            signal.signal(kind, heard)
    server.run(sockets)


def _told_again(server: uvicorn.Server, kind: int) -> None:
    """Send a signal to this process once a server has started, so that it closes in order."""
    while not server.started:
        time.sleep(0.01)
    os.kill(os.getpid(), kind)
