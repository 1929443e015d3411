"""The command line with stamps: notes when a worker passes each place between a commit and the bytes on a socket.

`BENCH_STAMPS` is the folder that gets a file for each process: places, and nanoseconds by the monotonic clock, which
all processes of a machine share.
"""

import functools
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from projections.events.event_log import EventLog
from projections.events.feed import Feed
from projections.follow import follower
from projections.logs.disclosure_log import DisclosureLog
from projections.replay.tail import Tail
from web.cli.main import main as command_line
from web.process.process import Process
from web.push.live import Live
from web.push.room import Room

_stamps: list[tuple[str, int]] = []


def _always(*_: object) -> bool:
    return True


def stamped(owner: Any, name: str, *, begins: str = "", ends: str = "", when: Callable[..., bool] = _always) -> None:
    """Have a method note when it begins or ends, where `when` says so of its arguments, or of what it returns."""
    method = getattr(owner, name)

    @functools.wraps(method)
    def noted(*given: Any, **named: Any) -> Any:
        if begins and when(*given):
            _stamps.append((begins, time.perf_counter_ns()))
        found = method(*given, **named)
        if ends and when(found):
            _stamps.append((ends, time.perf_counter_ns()))
        return found

    setattr(owner, name, noted)


def stamp_everything() -> None:
    """Stamp the way of an update from the commit of a command to the write on a socket."""
    stamped(EventLog, "append", ends="committed")
    stamped(Process, "_take_hint", begins="hint of events", when=lambda _self, hint: hint.events)
    stamped(Process, "_take_hint", begins="hint of entries", when=lambda _self, hint: bool(hint.entries))
    stamped(Feed, "take", begins="follower's turn")
    stamped(Feed, "take", ends="events read", when=lambda found: bool(found[0]))
    stamped(follower, "disclose", ends="update made", when=lambda found: found is not None)
    stamped(DisclosureLog, "record", ends="recorded")
    stamped(Tail, "step", begins="tail's turn")
    stamped(DisclosureLog, "opened", begins="entries read")
    stamped(Live, "publish_threadsafe", begins="handed on")
    stamped(Live, "publish", begins="on the loop")
    stamped(Room, "_deliver", begins="round")


def _keep() -> None:
    folder = Path(os.environ["BENCH_STAMPS"])
    (folder / f"{os.getpid()}.json").write_text(json.dumps(_stamps))


def main(arguments: list[str]) -> int:
    """Run a command of the product, and keep its stamps when it ends."""
    stamp_everything()
    try:
        return command_line(arguments)
    finally:
        _keep()
