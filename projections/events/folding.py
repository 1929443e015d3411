"""The fold itself: a world on its way through the log, command by command, and how it stood after one.

Rule: a stream with an event that cannot be read or does not fit is left as it was before that event; the others go on.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from domain.events import CommandCarriedOut, Recorded, closes
from domain.language import gettext as _
from projections.events.event_log import Unreadable
from projections.events.world import World

log = logging.getLogger("fanlight.present")
NEVER = datetime.min.replace(tzinfo=UTC)


class Broken(msgspec.Struct, frozen=True):
    """Where a stream broke off, and why."""

    position: int
    why: str
    cause: str = ""  # as the program said it


class Stood(msgspec.Struct, frozen=True):
    """How everything stood after the event at a position. It never changes, and shares its states with later ones."""

    position: int
    world: World
    broken: Mapping[str, Broken]  # by stream
    latest: datetime = NEVER  # when the newest event up to there was recorded, UTC


class Step(msgspec.Struct, frozen=True):
    """The events of one command, and how everything stood after them."""

    events: tuple[Recorded | Unreadable, ...]
    after: Stood


def nothing() -> Stood:
    """Return how everything stands before the first event."""
    return Stood(0, World(), {})


class Folding:
    """A fold that goes on from a standing. Not thread-safe; owned by whoever takes the events in."""

    def __init__(self, begun: Stood) -> None:
        self.world = begun.world.afresh()
        self.broken: dict[str, Broken] = dict(begun.broken)
        self.position = begun.position  # of the last event taken in
        self.latest = begun.latest
        self._command: list[Recorded | Unreadable] = []  # the events of the command that is not taken in whole

    @property
    def between(self) -> bool:
        """Whether no command is taken in by half."""
        return not self._command

    def take(self, recorded: Recorded | Unreadable) -> bool:
        """Take in the next event of the log; return whether it fitted."""
        self.position = recorded.position
        self._command.append(recorded)
        if isinstance(recorded, Unreadable):
            if recorded.stream not in self.broken:
                self.broken[recorded.stream] = Broken(recorded.position, _("it cannot be read"), str(recorded))
                log.error("%s; the stream is left as it was before", recorded)
            return False
        self.latest = max(self.latest, recorded.at)
        if recorded.stream in self.broken:
            return False
        try:
            self.world.apply(recorded)
        except Exception as error:
            log.exception(
                "event %d of %s does not fit; the stream is left as it was", recorded.position, recorded.stream
            )
            self._break(recorded, error)
            return False
        return True

    def _break(self, recorded: Recorded, error: Exception) -> None:
        why = _("it does not fit its stream: {error!r}", error=error)
        self.broken[recorded.stream] = Broken(recorded.position, why, str(error))

    def take_all(self, events: Sequence[Recorded | Unreadable]) -> None:
        """Take in events that nobody waits for: as one by one, in less time."""
        apply, broken, command, latest = self.world.apply, self.broken, self._command, self.latest
        for recorded in events:
            if isinstance(recorded, Unreadable) or recorded.stream in broken:
                self.latest = latest
                self.take(recorded)
                self.closed()
                command, latest = self._command, self.latest
                continue
            if recorded.at > latest:  # noqa: PLR1730  # faster than `max`, once for each event
                latest = recorded.at
            try:
                apply(recorded)
            except Exception as error:
                log.exception(
                    "event %d of %s does not fit; the stream is left as it was", recorded.position, recorded.stream
                )
                self._break(recorded, error)
            if type(recorded.event) is CommandCarriedOut:
                command.clear()
            else:
                command.append(recorded)
        self.latest = latest
        if events:
            self.position = events[-1].position

    def closed(self) -> tuple[Recorded | Unreadable, ...]:
        """Return the events of the command that the last event closed, none where it closed none."""
        if not self._command:
            return ()
        last = self._command[-1]
        if not (closes(last.stream) if isinstance(last, Unreadable) else isinstance(last.event, CommandCarriedOut)):
            return ()
        whole, self._command = tuple(self._command), []
        self.world.settle()
        return whole

    def standing(self) -> Stood:
        """Return how everything stands now."""
        world = self.world.still() if self.world.settled else self.world.afresh()
        world.settle()
        return Stood(self.position, world, dict(self.broken), self.latest)
