"""The server under the push layer: uvicorn's settings, the garbage collector's, and an orderly end.

Rule: every figure here was measured; docs/decisions/0001 says against what.
"""

import gc
import signal
import socket
import threading
from types import FrameType
from typing import Any

import uvicorn

from web.push.handover import FanProtocol


def server_config(app: Any, host: str, port: int, **overrides: Any) -> uvicorn.Config:
    """Return uvicorn's configuration for this product; keyword arguments go over it."""
    settings: dict[str, Any] = {
        "ws": FanProtocol,
        "backlog": 4096,  # 2048 drops connections in a reconnect storm, each costing its page a second
        "ws_max_size": 65536,
        "ws_per_message_deflate": False,  # a compressor for each socket: 70 KB each, and a compression each
        "timeout_graceful_shutdown": 5,  # without it one stalled page holds the process for ever
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
    }
    return uvicorn.Config(app, host=host, port=port, **(settings | overrides))


def tune_gc() -> None:
    """Take what is loaded out of the collector's sight: new sockets then seldom set off full collections."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def run(config: uvicorn.Config, sockets: list[socket.socket] | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then close in order and return; uvicorn alone would end by the signal again."""
    if threading.current_thread() is threading.main_thread():
        for kind in (signal.SIGTERM, signal.SIGINT):
            signal.signal(kind, _already_heard)
    uvicorn.Server(config).run(sockets)


def _already_heard(_signal: int, _frame: FrameType | None) -> None:
    """Take the signal that uvicorn raises again once it has closed everything."""
