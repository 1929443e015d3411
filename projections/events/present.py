"""The present state for the pages: one World folded from the event log, refreshed after each command and by a poll."""

import bisect
import logging
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from domain.events import Recorded
from domain.ids import ProjectId
from domain.language import gettext as _
from domain.plan.project import Project, ProjectEvent, evolve
from projections.events.event_log import BATCH, EventLog, Unreadable
from projections.events.world import World

log = logging.getLogger("fanlight.present")
_EVER = datetime.min.replace(tzinfo=UTC)
KEPT_EVERY = 128  # events of a project


class Past(msgspec.Struct, frozen=True):
    """A project as it was after its event `version`, recorded at `at` (UTC)."""

    state: Project | None
    version: int
    at: datetime


class CurrentWorld:
    """The present World and past project states. `refresh` is thread-safe; the states in it are immutable."""

    def __init__(self, events: EventLog) -> None:
        self._events, self._lock = events, threading.Lock()
        self._listeners: list[Callable[[Sequence[Recorded]], None]] = []
        self._read = 0
        self._broken: set[str] = set()
        self.broken: list[tuple[int, str]] = []  # position of the first event of a stream that does not fit, and why
        self._past: dict[ProjectId, list[Past]] = {}
        self.world = World()
        self.latest = datetime.min.replace(tzinfo=UTC)  # when the newest event was recorded
        self.refresh()

    def listen(self, listener: Callable[[Sequence[Recorded]], None]) -> None:
        """Call `listener` with what is new, from whichever thread refreshed, in the order of the log."""
        self._listeners.append(listener)

    def refresh(self) -> World:
        """Take in the events recorded since the last call, and return the world."""
        with self._lock:
            new: list[Recorded] = []
            more = True
            while more:
                batch = self._events.after(self._read)
                more = len(batch) == BATCH
                for recorded in batch:
                    self._read = recorded.position
                    if isinstance(recorded, Recorded):
                        self.latest = max(self.latest, recorded.at)
                    if self._take(recorded):
                        assert isinstance(recorded, Recorded)
                        new.append(recorded)
            self.world.settle()
            if new:
                for listener in self._listeners:
                    listener(new)
            return self.world

    def past(self, project: ProjectId, at: datetime) -> Past:
        """Return a project and its version as of an instant (UTC); the state is None before its first event."""
        stream = f"project-{project}"
        kept = self._past.get(project, [])
        near = bisect.bisect_right(kept, at, key=lambda past: past.at) - 1
        state, version, when = (kept[near].state, kept[near].version, kept[near].at) if near >= 0 else (None, 0, at)
        while events := self._events.part(stream, version, KEPT_EVERY):
            for recorded in events:
                if recorded.at > at:
                    return Past(state, version, when)
                assert isinstance(recorded.event, ProjectEvent)
                state = evolve(state, recorded.event, recorded.at)
                version, when = recorded.version, recorded.at
        return Past(state, version, when)

    def after(self, project: ProjectId, version: int) -> Past:
        """Return a project as it was after its event `version`; the state is None after none."""
        kept = self._past.get(project, [])
        near = bisect.bisect_right(kept, version, key=lambda past: past.version) - 1
        state, reached, when = (kept[near].state, kept[near].version, kept[near].at) if near >= 0 else (None, 0, _EVER)
        while reached < version and (
            events := self._events.part(f"project-{project}", reached, min(KEPT_EVERY, version - reached))
        ):
            for recorded in events:
                assert isinstance(recorded.event, ProjectEvent)
                state = evolve(state, recorded.event, recorded.at)
                reached, when = recorded.version, recorded.at
        return Past(state, reached, when)

    def _keep(self, recorded: Recorded) -> None:
        """Keep every 128th state of a project, so that no past state is folded from the beginning."""
        kind, _, key = recorded.stream.partition("-")
        if kind == "project" and recorded.version % KEPT_EVERY == 0:
            past = Past(self.world.projects[ProjectId(key)], recorded.version, recorded.at)
            self._past.setdefault(ProjectId(key), []).append(past)

    def _take(self, recorded: Recorded | Unreadable) -> bool:
        if recorded.stream in self._broken:
            return False
        try:
            if isinstance(recorded, Unreadable):
                self._break(recorded, _("it cannot be read"))
                log.error("%s; the stream is left as it was before", recorded)
                return False
            self.world.apply(recorded)
            self._keep(recorded)
        except Exception as error:
            self._break(recorded, _("it does not fit its stream: {error!r}", error=error))
            log.exception(
                "event %d of %s does not fit; the stream is left as it was", recorded.position, recorded.stream
            )
            return False
        return True

    def _break(self, recorded: Recorded | Unreadable, why: str) -> None:
        self._broken.add(recorded.stream)
        self.broken.append((recorded.position, why))
