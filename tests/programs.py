"""Processes of the product, forked from one that has imported it: starting one costs no second of imports.

Each is a process like any other: it has a pid, dies by any signal, leaves an exit code. What is run is the command line,
`web.cli.main`, or the function of another module.
"""

import faulthandler
import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

LOADED = [
    "web.cli.main",
    "web.cli.serve",
    "web.demo.life",
    "projections.installation.database",
    "tests.world",
    "tests.web.compiled",
]
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(LOADED)


class Program:
    """One run; the part of subprocess.Popen that tests use. What it prints goes to the end of a file."""

    def __init__(
        self,
        arguments: Sequence[object],
        environment: Mapping[str, str],
        output: Path,
        module: str = "web.cli.main",
        errors: Path | None = None,
    ) -> None:
        told = (module, [str(one) for one in arguments], dict(environment), str(output), str(errors or output))
        for path in (output, errors or output):
            path.touch()  # to be read from the first moment
        self._process = _forks.Process(target=_run, args=told, daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self._process.exitcode

    def send_signal(self, kind: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, kind)

    def wait(self, seconds: float) -> int:
        """Wait for the end and return the exit code. Raises: subprocess.TimeoutExpired."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(str(self.pid), seconds)
        return self._process.exitcode


def fanlight(*arguments: object, seconds: float = 120, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run one command of the product to its end."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FANLIGHT_")} | environment
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        program = Program(arguments, clean, out, errors=err)
        try:
            code = program.wait(seconds)
        finally:
            program.send_signal(signal.SIGKILL)
        return subprocess.CompletedProcess([], code, out.read_text(), err.read_text())


def _run(module: str, arguments: list[str], environment: dict[str, str], output: str, errors: str) -> None:
    for path, stream in ((output, sys.stdout), (errors, sys.stderr)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, stream.fileno())
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    if environment.get("PYTHONFAULTHANDLER"):
        faulthandler.enable()
    sys.exit(importlib.import_module(module).main(arguments))
