"""The follower's place in the fold: the commands it has still to take in, each with the world as it was after it.

Rule: a process folds the log once. The fold that the doors read hands each command on as it takes it in; only a
follower that has fallen far behind, or has to go back, folds on by itself from where it stands, until it is level.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from projections.events.event_log import BATCH, EventLog
from projections.events.folding import Folding, Step, Stood, nothing

MOST = 2000  # events that wait in memory for the follower; what is more is read from the log again


class SharedFold(Protocol):
    """The fold that the doors read."""

    def refresh(self) -> object:
        """Take in what was recorded, and put each command into the feed."""

    def refresh_unless(self, known: Callable[[], bool]) -> object:
        """Do so unless it is `known` once whoever reads at this moment is done."""

    def join(self, feed: "Feed", position: int) -> None:
        """Put commands into a feed from now on, if this fold is as far as that."""


class Feed:
    """Hands out commands in the order of the log. `put` may be called from any thread, the rest by the owner alone."""

    def __init__(self, events: EventLog, begun: Stood | None = None, present: "SharedFold | None" = None) -> None:
        """`present` is the fold that puts commands here, from the one after `begun` on; None: this one is its own."""
        self._events, self._present = events, present
        self._lock = threading.Lock()
        self._waiting: deque[Step] = deque()
        self._count = 0  # events that wait
        self.last = begun or nothing()  # how everything stood after the last command that was handed out
        self._recorded = self.last
        self._own: Folding | None = None if present is not None else Folding(self.last)

    @property
    def read(self) -> int:
        """The position of the last event that was handed out, or read on the way to the next command."""
        return self.last.position if self._own is None else self._own.position

    @property
    def recorded(self) -> Stood:
        """How everything stood at the position that was noted as recorded last."""
        return self._recorded

    @property
    def follows(self) -> bool:
        """Whether the shared fold puts commands here."""
        return self._own is None

    def note(self) -> None:
        """Note that what was made of everything handed out is recorded: it is never gone back behind that."""
        self._recorded = self.last

    def put(self, step: Step) -> None:
        """Take a command from the shared fold."""
        with self._lock:
            if self._own is not None:
                return
            self._waiting.append(step)
            self._count += len(step.events)
            if self._count > MOST:
                self._leave(self.last)

    def _leave(self, standing: Stood) -> None:
        """Fold on by itself from a standing."""
        self._waiting.clear()
        self._count = 0
        self._own = Folding(standing)

    def take(self, limit: int = BATCH, upto: int | None = None) -> tuple[list[Step], int]:
        """Return the next commands, of `limit` events or somewhat more, and how many events were read for it.

        `upto`: none that ends behind this position. Half a command is never among them.
        """
        if self._own is not None:
            return self._fold_on(self._own, limit, upto)
        assert self._present is not None
        if not self._waiting:
            self._present.refresh_unless(self.more)
        steps: list[Step] = []
        count = 0
        with self._lock:
            while self._waiting and count < limit and (upto is None or self._waiting[0].after.position <= upto):
                steps.append(self._waiting.popleft())
                count += len(steps[-1].events)
            self._count -= count
            if steps:
                self.last = steps[-1].after
        return steps, count

    def more(self) -> bool:
        """Tell whether something waits that is known already."""
        return bool(self._waiting)

    def _fold_on(self, own: Folding, limit: int, upto: int | None) -> tuple[list[Step], int]:
        events = [one for one in self._events.after(own.position, limit) if upto is None or one.position <= upto]
        steps: list[Step] = []
        for recorded in events:
            own.take(recorded)
            if whole := own.closed():
                steps.append(Step(whole, own.standing()))
        if steps:
            self.last = steps[-1].after
        if len(events) < limit and self._present is not None and own.between:
            self._present.refresh()
            self._present.join(self, own.position)
        return steps, len(events)

    def joined(self) -> None:
        """Take commands from the shared fold from now on: it is at the same place. Called while it stands still."""
        with self._lock:
            self._own = None

    def go_to(self, position: int) -> None:
        """Stand behind the last command up to a position, which was recorded; hand out what comes after it."""
        if self.read > position:
            with self._lock:
                self.last = self._recorded if self._recorded.position <= position else nothing()
                self._leave(self.last)
        while self.read < position and self.take(BATCH, position)[1]:
            pass
        self.note()
