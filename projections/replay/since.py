"""What became different on a share since an update, folded: read from recorded entries alone, in bounded work.

Rule: two pages are folded (each of at most 50 updates, docs/spec.md 3.5), and of the updates between them the newest
`LOOK` are read, however long somebody was away. What is not looked at is counted.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from projections.entries import names, sections
from projections.entries.entry import Change
from projections.entries.one_change import loud
from projections.entries.summed import ThingRow, step_of, summed
from projections.logs.disclosure_log import DisclosureLog
from projections.replay import pages
from projections.replay.pages import Folded

LOOK = 100  # of the newest updates are read for steps, reasons and every single change


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Of a recorded content what it tells of changes; nothing else of it is read."""

    format: Literal[1, 2] = 1
    n: int
    changes: tuple[Change, ...]
    items: str = ""


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """What became different, one row a thing, and the single changes of the updates that were looked at."""

    rows: tuple[ThingRow, ...] = ()
    items: tuple[str, ...] = ()  # the recorded list items of each update, in order, with people's names
    changes: int = 0  # how many single changes those are
    earlier: int = 0  # updates before those, which were not looked at


_told = msgspec.json.Decoder(Told)


def since(log: DisclosureLog, share: str, after: int, newest: Folded, reader: str = "") -> Since:
    """Return what became different after entry `after`, up to `newest`, without what the person `reader` did.

    Where entry `after` was erased, the nearest one that can be read takes its place, rather one before it.

    Raises: Damaged.
    """
    upto = newest.entry.n
    start = max(after, upto - LOOK)
    kept = [one for one in log.kept(share, start, LOOK, upto) if one.raw is not None]
    before = _before(log, share, after) or (pages.fold(log, share, kept[0].n) if kept else None)
    if before is None:
        return Since()
    first = max(before.entry.n, after) if after else 0  # of the very first update the change is that there is one
    looked = [one for one in kept if one.n > first]
    told = [_told.decode(one.raw) for one in looked if one.raw is not None]
    sealed = {key: name for one in looked for key, name in one.names.items()}
    called = {**before.called, **newest.called, **log.called(share, sealed)}
    rows = _rows((before, newest), told, names.key_of(share, reader) if reader else "")
    return Since(
        rows=tuple(_named(row, called) for row in rows),
        items=tuple(names.filled_markup(one.items, called) for one in told),
        changes=sum(len(loud(one.changes)) for one in told),
        earlier=max(start, first) - after,
    )


def _before(log: DisclosureLog, share: str, n: int) -> Folded | None:
    """Return what the share showed after entry n, or after the newest one before it that can be read."""
    if n <= 0:
        return None
    found = pages.fold(log, share, n)
    if found is not None:
        return found
    readable = [one.n for one in log.kept(share, max(0, n - LOOK), LOOK, n) if one.raw is not None]
    return pages.fold(log, share, readable[-1]) if readable else None


def _rows(between: tuple[Folded, Folded], told: Sequence[Told], key: str) -> tuple[ThingRow, ...]:
    """Return the rows, with placeholders of people where format 2 has them."""
    steps = [step_of(one.format, one.n, one.changes) for one in told]
    if any(one.entry.content.format == 1 for one in between):  # there names stand as they are
        old, new = (one.view() for one in between)
        return summed(old, new, steps)
    old, new = (sections.view_of(one.state.sections) for one in between)
    return summed(old, new, steps, names.placeholder(key) if key else "")


def _named(row: ThingRow, called: Mapping[str, str]) -> ThingRow:
    """Return a row with the names of people, which are filled in once everything is compared."""
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
