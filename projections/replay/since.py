"""What became different on a share since an update, folded: read from recorded entries alone, in bounded work.

Rule: two pages are folded (each of at most 50 updates, docs/spec.md 3.5), and of the updates between them the newest
`LOOK` are read, however long somebody was away. What is not looked at is counted.
"""

from collections.abc import Mapping, Sequence

import msgspec

from projections.entries import names, sections
from projections.entries.entry import Entry, open_content
from projections.entries.summed import ThingRow, step_of, summed
from projections.logs.disclosure_log import DisclosureLog
from projections.replay import pages
from projections.replay.pages import Folded

LOOK = 100  # of the newest updates are read for steps, reasons and every single change


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """What became different, one row a thing, and the updates that were looked at."""

    rows: tuple[ThingRow, ...] = ()
    entries: tuple[Entry, ...] = ()  # in order
    earlier: int = 0  # updates before those, which were not looked at

    @property
    def changes(self) -> int:
        """How many single changes there are in the updates that were looked at."""
        return sum(len(entry.content.changes) for entry in self.entries)


def since(log: DisclosureLog, share: str, after: int, newest: Folded, reader: str = "") -> Since:
    """Return what became different after entry `after`, up to `newest`, without what the person `reader` did.

    Where entry `after` was erased, the nearest one that can be read takes its place, rather one before it.

    Raises: Damaged.
    """
    upto = newest.entry.n
    start = max(after, upto - LOOK)
    entries = log.entries(share, start, LOOK, upto)
    before = _before(log, share, after) or (pages.fold(log, share, entries[0].n) if entries else None)
    if before is None:
        return Since()
    first = max(before.entry.n, after) if after else 0  # of the very first update the change is that there is one
    looked = [entry for entry in entries if entry.n > first]
    rows = _rows((before, newest), looked, names.key_of(share, reader) if reader else "")
    return Since(rows=rows, entries=tuple(looked), earlier=max(start, first) - after)


def _before(log: DisclosureLog, share: str, n: int) -> Folded | None:
    """Return what the share showed after entry n, or after the newest one before it that can be read."""
    readable = log.entries(share, n - 1, 1, n) or log.entries(share, max(0, n - LOOK), LOOK, n)
    return pages.fold(log, share, readable[-1].n) if n > 0 and readable else None


def _rows(between: tuple[Folded, Folded], entries: Sequence[Entry], key: str) -> tuple[ThingRow, ...]:
    """Return the rows, with the names of people filled in once everything is compared."""
    if any(one.entry.content.format == 1 for one in between):  # there names stand as they are
        old, new = (one.view() for one in between)
        return summed(old, new, [step_of(entry.content) for entry in entries])
    old, new = (sections.view_of(one.state.sections) for one in between)
    steps = [step_of(open_content(entry.raw)) for entry in entries]
    called = {**between[0].called, **between[1].called}
    rows = summed(old, new, steps, names.placeholder(key) if key else "")
    return tuple(_named(row, called) for row in rows)


def _named(row: ThingRow, called: Mapping[str, str]) -> ThingRow:
    values = [
        msgspec.structs.replace(
            value,
            before=names.filled(value.before, called),
            after=names.filled(value.after, called),
            note=names.filled(value.note, called),
        )
        for value in row.values
    ]
    return msgspec.structs.replace(row, values=tuple(values), why=names.filled(row.why, called))
