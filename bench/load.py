"""Servers under load: start one, aim a load client at it, and read what it measured.

Rule: server and client each have a core of their own where there are two; the client never makes the server pay for
waking it. Without a C compiler both the baseline and the client are plain Python, which is said in the table.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

HERE = Path(__file__).parent
BIN = HERE / "bin"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """How to start a server and how to speak to it. `{port}` stands for its port."""

    name: str
    argv: tuple[str, ...]
    path: str = "/ws"
    headers: tuple[str, ...] = ()  # of the handshake: Cookie, Origin
    hello: str = ""  # what a page says first; {newest} stands for the number it is at
    publish: str = "/pub"
    publish_headers: tuple[str, ...] = ("Content-Type: text/plain",)
    template: str = ""  # body to publish; $SEQ the marker, $ID a number never used before
    newest: int = 0  # the share's number when the run begins
    health: str = "/healthz"  # an unrelated request
    env: dict[str, str] = {}


class Running(msgspec.Struct, frozen=True):
    """A server that listens."""

    target: Target
    port: int
    pid: int


def compiler() -> str | None:
    """Return a C compiler, if there is one."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def built(name: str) -> str:
    """Return the path of a C program of this directory, compiled when it is missing or older than its source."""
    BIN.mkdir(exist_ok=True)
    source, binary = HERE / f"{name}.c", BIN / name
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        subprocess.run([compiler() or "cc", "-O2", "-o", str(binary), str(source)], check=True)
    return str(binary)


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """Return how to start a module of this repository."""
    return (sys.executable, "-m", module, *arguments)


def baseline() -> Target:
    """Return the bare sender: one send() of a prebuilt frame a connection, and nothing else."""
    if compiler():
        return Target(name="C sender", argv=(built("cfan"), "{port}"))
    return Target(name="plain-socket Python sender", argv=python("bench.sender", "{port}"))


def hub_alone(*arguments: str) -> Target:
    """Return the push layer around a log in memory, on uvicorn and Starlette."""
    return Target(
        name="fanlight",
        argv=python("bench.server", "{port}", *arguments),
        path="/s/bench/live",
        hello='{"hello":{newest},"tab":"bench","v":2}',
    )


def pin(core: int) -> None:
    """Keep this process on one core, where there are several."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[core]})


@contextmanager
def running(target: Target) -> Iterator[Running]:
    """Start a server on a free port, wait until it listens, and end it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [part.replace("{port}", str(port)) for part in target.argv],
        cwd=HERE.parent,
        env={**os.environ, **target.env},
        preexec_fn=lambda: pin(0),  # noqa: PLW1509  # a child of a process without threads
    )
    try:
        _wait_for(port, process)
        yield Running(target, port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit(f"the server ended with {process.returncode} before it listened: {process.args}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"the server did not listen within 30 s: {process.args}")


def load(server: Running, connections: int, **options: Any) -> dict[str, Any]:
    """Run the load client against a server and return what it printed.

    Options: burst and window, paced and rate, one_by_one, size, stalled, receipts, at_once, hold, settle_ms.
    """
    client = start_load(server, connections, **options)
    out, _ = client.communicate(timeout=180)
    result: dict[str, Any] = json.loads(out)
    wrong = {key: result[key] for key in ("failed", "gaps", "bad_seq", "pub_errs") if result.get(key)}
    if wrong or not result.get("burst_ok", True) or not result.get("paced_ok", True):
        print(f"  {server.target.name}: not every message arrived once and in order: {result}", file=sys.stderr)
        result["broken"] = True
    return result


def start_load(server: Running, connections: int, **options: Any) -> subprocess.Popen[bytes]:
    """Start the load client."""
    argv = _c_client(server, connections, options) if compiler() else _python_client(server, connections, options)
    return subprocess.Popen(argv, cwd=HERE.parent, stdout=subprocess.PIPE, preexec_fn=lambda: pin(1))  # noqa: PLW1509  # a child of a process without other threads


def said_first(target: Target) -> str:
    """Return what a page says once it is open."""
    return target.hello.replace("{newest}", str(target.newest))


FLAGS = {
    "burst": "-m", "window": "-w", "paced": "-R", "rate": "-r", "size": "-s", "stalled": "-z",
    "receipts": "-a", "at_once": "-c", "hold": "-h", "settle_ms": "-t", "rcvbuf": "-B", "one_by_one": "-O",
}  # fmt: skip


def _c_client(server: Running, connections: int, options: dict[str, Any]) -> list[str]:
    target = server.target
    argv = [built("wsload"), "-b", "-p", str(server.port), "-P", target.path, "-Q", target.publish]
    argv += ["-N", str(connections), "-S", str(server.pid), "-n", str(target.newest), "-l", target.name, "-L", "60"]
    for header in target.headers:
        argv += ["-A", header]
    for header in target.publish_headers:
        argv += ["-V", header]
    argv += ["-G", said_first(target)] if target.hello else []
    argv += ["-J", target.template] if target.template else []
    for option, value in ({"burst": 0} | options).items():
        argv += [FLAGS[option], str(value)]
    return argv


def _python_client(server: Running, connections: int, options: dict[str, Any]) -> Sequence[str]:
    order = {"target": msgspec.to_builtins(server.target), "port": server.port, "pid": server.pid}
    return python("bench.client", json.dumps({**order, "connections": connections, **options}))
