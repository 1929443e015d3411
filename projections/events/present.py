"""The present state for the pages: one World folded from the event log, refreshed after each command and by a poll."""

import bisect
import contextlib
import gc
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from domain.events import CommandCarriedOut, Recorded
from domain.ids import CommandId, PersonId, ProjectId
from domain.plan.project import Project, ProjectEvent, evolve
from projections.events.event_log import BATCH, EventLog, Unreadable
from projections.events.feed import Feed
from projections.events.folding import NEVER, Folding, Step, Stood, nothing
from projections.events.world import World

Found = TypeVar("Found")
KEPT_EVERY = 128  # events of a project
MOST_KEPT = 512  # past states in memory, of all projects


class Past(msgspec.Struct, frozen=True):
    """A project as it was after its event `version`, recorded at `at` (UTC)."""

    state: Project | None
    version: int
    at: datetime


class Waypoints:
    """Every 128th past state of the projects that were looked at, so that none is folded from the beginning again.

    It keeps `MOST_KEPT` at most: what only the past needs is read when somebody looks there. Safe for threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[ProjectId, tuple[Past, ...]] = OrderedDict()  # the one looked at last at the end

    def until(self, events: EventLog, project: ProjectId, fits: Callable[[Past | Recorded], bool]) -> Past | None:
        """Return a project as it was after the last of its events that fits, None where the first one does not."""
        with self._lock:
            kept = self._kept.get(project, ())
        near = bisect.bisect_left(kept, True, key=lambda past: not fits(past)) - 1
        reached = kept[near] if near >= 0 else None
        passed: list[Past] = []
        more = True
        while more:
            part = events.part(f"project-{project}", reached.version if reached else 0, KEPT_EVERY)
            more = len(part) == KEPT_EVERY
            for recorded in part:
                if not fits(recorded):
                    more = False
                    break
                assert isinstance(recorded.event, ProjectEvent)
                state = evolve(reached.state if reached else None, recorded.event, recorded.at)
                reached = Past(state, recorded.version, recorded.at)
                if recorded.version % KEPT_EVERY == 0:
                    passed.append(reached)
        self._keep(project, passed)
        return reached

    def _keep(self, project: ProjectId, passed: Sequence[Past]) -> None:
        with self._lock:
            known = {past.version: past for past in (*self._kept.pop(project, ()), *passed)}
            self._kept[project] = tuple(known[version] for version in sorted(known))
            while len(self._kept) > 1 and sum(map(len, self._kept.values())) > MOST_KEPT:
                self._kept.popitem(last=False)
            if len(self._kept[project]) > MOST_KEPT:
                self._kept[project] = self._kept[project][1::2]


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector of cycles away from a fold, which makes very many states and no cycle."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class CurrentWorld:
    """The present World and past project states. `refresh` is thread-safe; a world that it returned never changes."""

    def __init__(self, events: EventLog, begun: Stood | None = None, follow: int | None = None) -> None:
        """Fold from how everything stood, by default from nothing, to the end of the log.

        `follow`: the position up to which a follower of this process has recorded; it finds the rest in `feed`.
        """
        self._events, self._lock = events, threading.RLock()
        self._listeners: list[Callable[[Sequence[Recorded]], None]] = []
        self._folding = Folding(begun or nothing())
        self._past = Waypoints()
        self.feed: Feed | None = None
        self._stands: Stood | None = None  # how everything stood last
        self._began = -math.inf  # when a read began that is done
        with _uncollected():
            if follow is not None:
                self._read(follow)
                self.feed = Feed(events, self._folding.standing(), self)
            self.world = self.refresh()

    @property
    def latest(self) -> datetime:
        """When the newest event was recorded (UTC)."""
        return self._folding.latest

    @property
    def broken(self) -> list[tuple[int, str]]:
        """The position of the first event of each stream that does not fit, and why."""
        return [(one.position, one.why) for one in self._folding.broken.values()]

    def listen(self, listener: Callable[[Sequence[Recorded]], None]) -> None:
        """Call `listener` with what is new, from whichever thread refreshed, in the order of the log."""
        self._listeners.append(listener)

    def refresh(self) -> World:
        """Take in the events recorded since the last call, and return the world."""
        with self._lock:
            return self._stand(self._read(None))

    def refresh_and_find(self, actor: PersonId, command: CommandId) -> CommandCarriedOut | None:
        """Take in what is new, and return what closed a command of `actor`, None where none by this id was."""
        with self._lock:
            batch, done = self._events.after_and_carried_out(self._folding.position, actor, command)
            self._stand(self._read(None, batch))
            return done

    def take(self, own: Sequence[Recorded | Unreadable]) -> World:
        """Take in what this process has recorded just now, and return the world.

        Positions are given under the log's lock, so nothing lies between two that follow each other: only where
        something came before it, it is read.
        """
        with self._lock:
            if own and own[0].position == self._folding.position + 1:
                return self._stand(self._fold(own))
            if own and own[-1].position <= self._folding.position:
                return self.world
            return self._stand(self._read(None))

    def _stand(self, new: Sequence[Recorded]) -> World:
        """Have what was taken in be the world from now on, and tell of it."""
        self.world = self._standing().world
        if new:
            with contextlib.ExitStack() as all_of_them:  # it is told once: where one fails, the others hear of it too
                for listener in reversed(self._listeners):
                    all_of_them.callback(listener, new)
        return self.world

    def _read(self, upto: int | None, first: Sequence[Recorded | Unreadable] | None = None) -> list[Recorded]:
        """Take in events up to a position, None for all there are; return those that fitted, where anybody listens.

        `first`: those that come next, where they are read already.
        """
        new: list[Recorded] = []
        folding = self._folding
        more = True
        while more:
            batch = self._events.after(folding.position) if first is None else first
            first, more = None, len(batch) == BATCH
            if upto is not None and batch and batch[-1].position > upto:
                batch, more = [recorded for recorded in batch if recorded.position <= upto], False
            new += self._fold(batch)
        return new

    def _fold(self, batch: Sequence[Recorded | Unreadable]) -> list[Recorded]:
        new: list[Recorded] = []
        folding = self._folding
        if not self._listeners and (self.feed is None or not self.feed.follows):
            folding.take_all(batch)
            return new
        for recorded in batch:
            if folding.take(recorded) and self._listeners:
                assert isinstance(recorded, Recorded)
                new.append(recorded)
            whole = folding.closed()
            if whole and self.feed is not None and self.feed.follows:
                self.feed.put(Step(whole, self._standing()))
        return new

    def _standing(self) -> Stood:
        if self._stands is None or self._stands.position != self._folding.position:
            self._stands = self._folding.standing()
        return self._stands

    def join(self, feed: Feed, position: int) -> None:
        """Hand commands to a feed from now on, where it is as far as this fold; else it goes on by itself."""
        with self._lock:
            if position == self._folding.position and self._folding.between:
                feed.joined()

    def refresh_unless(self, known: Callable[[], bool]) -> World:
        """Take in what is new, unless it is `known`: that is asked once whoever reads at this moment is done."""
        with self._lock:
            if known():
                return self.world
            began = time.monotonic()
            world = self.refresh()
            self._began = began
            return world

    def refresh_since(self, moment: float) -> World:
        """Take in the events recorded before a moment (`time.monotonic`), unless a read that began after it has."""
        return self.refresh_unless(lambda: self.has_read_since(moment))

    def refresh_by(self, read: Callable[[int], tuple[Found, list[Recorded | Unreadable]]]) -> Found:
        """Take in what is new by a read that finds something else with it, and return that once it is taken in.

        `read` gets a position, and returns the events after it at the moment of what it found, as many as `after` does.
        """
        with self._lock:
            found, events = read(self._folding.position)
            self._stand(self._read(None, events))
            return found

    def refresh_to(self, position: int | None) -> World:
        """Take in what is new, unless everything up to a position is enough, and taken in; None: nothing is enough."""
        return self.refresh_unless(lambda: position is not None and self._folding.position >= position)

    def has_read_since(self, moment: float) -> bool:
        """Tell whether everything recorded before a moment (`time.monotonic`) is known to be taken in."""
        return self._began > moment

    def past(self, project: ProjectId, at: datetime) -> Past:
        """Return a project and its version as of an instant (UTC); the state is None before its first event."""
        return self._past.until(self._events, project, lambda recorded: recorded.at <= at) or Past(None, 0, at)

    def after(self, project: ProjectId, version: int) -> Past:
        """Return a project as it was after its event `version`; the state is None after none."""
        return self._past.until(self._events, project, lambda one: one.version <= version) or Past(None, 0, NEVER)
