"""A process that dies: carries out commands and follows them, and kills itself at a named point, the k-th time it passes.

Run as `python -m tests.services.victim FOLDER POINT K FIRST COUNT`. Prints a line for every command acknowledged and for every
message handed to the transport, so that the parent knows what was promised.
"""

import hashlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from domain.plan.schedule import MoveForecast
from projections.installation.database import Database
from tests import world as world_module
from tests.world import HARBOUR, SHARE, World


def main(arguments: Sequence[str]) -> None:
    """Carry out commands `first` ... and die at the k-th passing of `point`."""
    folder, point = arguments[:2]
    k, first, count = (int(one) for one in arguments[2:])
    passed = 0

    def pass_by(name: str) -> None:
        nonlocal passed
        passed += name == point
        if name == point and passed == k:
            os.kill(os.getpid(), signal.SIGKILL)

    if url := os.environ.get("VICTIM_DATABASE"):
        world_module.Folder = lambda _path: Database(url)  # type: ignore[misc,assignment]
    world = World(Path(folder))
    sent = world.sent
    if not world.present.world.projects:
        world.harbour()
    world.point = pass_by
    world.restart()
    world.follow()
    _tell_sent(sent)
    for i in range(first, first + count):
        command = MoveForecast(
            project=HARBOUR, milestone="m1", forecast=date(2027, 6, 1) + timedelta(days=i), reason=f"move {i}"
        )
        answer = world.tell(command, key=f"key-{i}", follow=False)
        _say({"acknowledged": i, "versions": answer.versions})
        world.follow()
        pass_by("before-send")
        _tell_sent(world.sent)
    _say({"done": True})


def _tell_sent(sent: list[tuple[str, int, bytes]]) -> None:
    for share, n, message in sent:
        if share == SHARE:
            _say({"sent": n, "hash": hashlib.sha256(message).hexdigest()})
    sent.clear()


def _say(what: dict[str, object]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
