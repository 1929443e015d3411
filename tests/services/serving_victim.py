"""`fanlight serve` as it is, which kills itself at a point it passes after a tool answered, and waits little.

Run as `python -m tests.services.serving_victim serve ...`, with the point in DIES_AT; without one it goes on.
"""

import os
import signal
from collections.abc import Sequence
from typing import Any

from web.cli import main as commands
from web.cli import serve
from web.process.process import Given
from web.sources import turns


def main(arguments: Sequence[str]) -> int:
    """Serve until killed."""
    answered = False

    def pass_by(name: str) -> None:
        nonlocal answered
        answered |= name == "after-pull"
        if answered and name == os.environ.get("DIES_AT"):
            os.kill(os.getpid(), signal.SIGKILL)

    def given(**more: Any) -> Given:
        return Given(crash_point=pass_by, **more)

    serve.Given = given  # type: ignore[misc,assignment]
    turns.FIRST, turns.SOON, turns.REST = 0.2, 0.1, 0.3
    return commands.main(list(arguments))
