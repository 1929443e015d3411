"""The leaves of the event log, each with what is wrong with it: nothing is accepted that cannot be read.

Rule: beside what was signed, the log is held against itself. Versions of a stream and, in a folder, positions have no
gaps, and each command is closed by an event that names what it recorded. So a loss shows where nothing is signed yet.
"""

from collections.abc import Sequence

import msgspec

from domain.events import AnyEvent, CommandCarriedOut, ContentErased, Recorded, closes, tag
from domain.ids import PersonId
from domain.language import gettext as _
from projections.events.event_log import BATCH, PERSONAL, EventRow, Unreadable
from projections.evidence.leaves import Leaves
from projections.installation.folder import Logs


class EventReading:
    """A walk over the event log that can be gone on with: what was read so far, to hold the next event against."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._erased: frozenset[PersonId] | None = None
        self.position = 0
        self._versions: dict[str, int] = {}
        self._open: list[Recorded] = []  # events of the command that is not closed yet

    def next(self) -> list[tuple[bytes, str]]:
        """Return the leaves of the next events with what is wrong with each; none at the end of the log."""
        log = self._logs.events
        rows = log.rows(self.position, BATCH)
        more = len(rows) == BATCH and bool(log.leaves(rows[-1].position, 1))
        self._erased = None
        return [(row.leaf, self._trouble(row, last=row is rows[-1] and not more)) for row in rows]

    def _trouble(self, row: EventRow, *, last: bool) -> str:
        before, self.position = self.position, row.position
        expected = 1
        if not closes(row.stream):  # of which there are as many as commands, each with one event
            expected = self._versions.get(row.stream, 0) + 1
            self._versions[row.stream] = row.version
        if not self._logs.shared and row.position != before + 1:
            return _("expected position {expected}, found {found}", expected=before + 1, found=row.position)
        if row.version != expected:
            found = _("expected version {expected} of its stream", expected=expected)
            return _("{told}, found {version}", told=found, version=row.version)
        return self._unread(row) or self._unclosed(row.read, last=last)

    def _unread(self, row: EventRow) -> str:
        """Return why an event cannot be read, "" when it can be; what was sealed for somebody erased need not be."""
        if isinstance(row.read, Unreadable):
            return _("it cannot be read")
        kind = _kind(row.read.event)
        if row.misplaced:
            return _("what is stored there is of another stream")
        if row.topic != kind:
            return _("it is stored as {topic}, and is {kind}", topic=row.topic[:40], kind=kind)
        if isinstance(row.read.event, ContentErased):
            self._erased = self._logs.events.erased_people() if self._erased is None else self._erased
            if PersonId(row.stream.removeprefix(PERSONAL)) not in self._erased:
                return _("its key is gone, and no erasure is on record")
        return ""

    def _unclosed(self, read: Recorded | Unreadable, *, last: bool) -> str:
        assert isinstance(read, Recorded)
        if not closes(read.stream):
            self._open.append(read)
            return _("the command that it is of was never closed") if last else ""
        group, self._open = self._open, []
        done = read.event
        if not isinstance(done, CommandCarriedOut):
            return _("it closes no command")
        return "" if _names(done, read, group) else _("it does not name the events that were recorded before it")


def event_leaves(logs: Logs) -> Leaves:
    """Yield the leaves of all events with what is wrong with each, "" when nothing is."""
    reading, n = EventReading(logs), 0
    while leaves := reading.next():
        for leaf, trouble in leaves:
            n += 1
            yield n, leaf, None, trouble


class _Place(msgspec.Struct, frozen=True):
    stream: str
    version: int
    kind: str


def _names(done: CommandCarriedOut, closing: Recorded, group: Sequence[Recorded]) -> bool:
    """Tell whether a closing event names exactly the events of its command."""
    named = [_Place(done.stream, version, kind) for version, kind in zip(done.versions, done.tags, strict=False)]
    there = [_Place(r.stream, r.version, _kind(r.event)) for r in group]
    by = {(r.command, r.actor) for r in [*group, closing]}
    return len(done.versions) == len(done.tags) and named == there and len(by) == 1


def _kind(event: AnyEvent) -> str:
    return event.kind if isinstance(event, ContentErased) else tag(event)
