"""The command line under a clock that a test moves: a file says by how many seconds it is ahead of the machine's.

All that differs from the product is what tells it the time; the machine's own clock stays as it is.
"""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from web import clock
from web.cli import main as command_line
from web.cli import serve
from web.demo import life
from web.process.process import Given
from web.sources import built
from web.sources.engine import EnginePorts


class Moved:
    """A clock for several processes, ahead of the machine's by what its file says."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self) -> datetime:
        """Return the clock's instant, UTC."""
        return datetime.now(UTC) + timedelta(seconds=float(self._file.read_text()))

    def to(self, at: datetime) -> "Moved":
        """Move it to an instant (UTC); it goes on from there."""
        beside = self._file.with_suffix(".new")
        beside.write_text(str((at - datetime.now(UTC)).total_seconds()))
        beside.replace(self._file)
        return self


def main(arguments: list[str]) -> int:
    """Run the command line: first the file of the clock, then as ever."""
    file, *rest = arguments
    now = Moved(Path(file))
    clock.now = life.now = now
    serve.Given = partial(Given, now=now)  # type: ignore[assignment,misc]
    built.EnginePorts = partial(EnginePorts, monotonic=lambda: now().timestamp())  # type: ignore[assignment,misc]
    return command_line.main(rest)
