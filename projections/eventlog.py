"""What is true: the event log on the event-store library's application recorder.

Rule: no SQL of ours. `(stream, version)` is unique, which is our optimistic concurrency; a `position` never leaves the
organisation.
"""

from collections.abc import Iterator, Sequence

import msgspec
from eventsourcing.persistence import ApplicationRecorder, IntegrityError, Notification

from domain.events import Recorded, Stored, decode, encode, tag
from projections.store import Moved, row

BATCH = 500


class Unreadable(Exception):  # a fact for the follower, who stops what depends on it
    """A stored event is none of ours or damaged."""

    def __init__(self, stream: str, position: int, cause: Exception) -> None:
        super().__init__(f"event {position} of {stream} cannot be read: {cause}")
        self.stream, self.position = stream, position


class EventLog:
    """What is true: every event of every stream, in one order."""

    def __init__(self, recorder: ApplicationRecorder) -> None:
        self._recorder = recorder

    def append(self, events: Sequence[tuple[Stored, int]]) -> list[int]:
        """Record events with their versions, all or none; return their positions.

        Raises: Moved when one of the versions is taken.
        """
        rows = [row(stored.stream, version, tag(stored.event), encode(stored)) for stored, version in events]
        try:
            return list(self._recorder.insert_events(rows) or ())
        except IntegrityError as error:
            raise Moved(str(error)) from error

    def stream(self, stream: str, after: int = 0) -> list[Recorded]:
        """Return the events of a stream from version `after + 1`; their positions are not known here and read 0."""
        rows = self._recorder.select_events(stream, gt=after)
        return [_recorded(stream, found.originator_version, 0, found.state) for found in rows]

    def after(self, position: int, limit: int = BATCH) -> list[Recorded | Unreadable]:
        """Return up to `limit` events behind `position`, in the order of the log."""
        rows = self._recorder.select_notifications(start=position, limit=limit, inclusive_of_start=False)
        return [_notified(found) for found in rows]

    def everything(self, upto: int | None = None) -> Iterator[Recorded | Unreadable]:
        """Yield every event up to and including position `upto`."""
        position = 0
        while batch := self.after(position, BATCH):
            for recorded in batch:
                if upto is not None and recorded.position > upto:
                    return
                position = recorded.position
                yield recorded

    def head(self) -> int:
        """Return the last position, 0 for an empty log."""
        return self._recorder.max_notification_id() or 0


def _recorded(stream: str, version: int, position: int, state: bytes) -> Recorded:
    stored = decode(state)
    return Recorded(
        stream=stream,
        version=version,
        position=position,
        at=stored.at,
        actor=stored.actor,
        command=stored.command,
        event=stored.event,
    )


def _notified(found: Notification) -> Recorded | Unreadable:
    try:
        return _recorded(str(found.originator_id), found.originator_version, found.id, found.state)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Unreadable(str(found.originator_id), found.id, error)
