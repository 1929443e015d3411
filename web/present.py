"""What is true now, for the doors: one World folded from the log, kept up by whoever commits and by a poll."""

import logging
import threading
from collections.abc import Callable, Sequence

from domain.events import Recorded
from projections.eventlog import BATCH, EventLog, Unreadable
from projections.world import World

log = logging.getLogger("fanlight.present")


class Present:
    """Thread-safe to refresh; states are immutable, so what was read stays what it was."""

    def __init__(self, events: EventLog) -> None:
        self._events, self._lock = events, threading.Lock()
        self._listeners: list[Callable[[Sequence[Recorded]], None]] = []
        self._read = 0
        self._broken: set[str] = set()
        self.world = World()
        self.refresh()

    def listen(self, listener: Callable[[Sequence[Recorded]], None]) -> None:
        """Call `listener` with what is new, from whichever thread refreshed, in the order of the log."""
        self._listeners.append(listener)

    def refresh(self) -> World:
        """Take in what the log has more, and return the world."""
        with self._lock:
            new: list[Recorded] = []
            more = True
            while more:
                batch = self._events.after(self._read)
                more = len(batch) == BATCH
                for recorded in batch:
                    self._read = recorded.position
                    if self._take(recorded):
                        assert isinstance(recorded, Recorded)
                        new.append(recorded)
            if new:
                for listener in self._listeners:
                    listener(new)
            return self.world

    def _take(self, recorded: Recorded | Unreadable) -> bool:
        if recorded.stream in self._broken:
            return False
        try:
            if isinstance(recorded, Unreadable):
                self._broken.add(recorded.stream)
                log.error("%s; the stream is left as it was before", recorded)
                return False
            self.world.apply(recorded)
        except Exception:
            self._broken.add(recorded.stream)
            log.exception(
                "event %d of %s does not fit; the stream is left as it was", recorded.position, recorded.stream
            )
            return False
        return True
