"""`read`: the plan in a file of any format that is known; others are refused with advice on how to save the plan."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from domain.language import gettext as _
from web.importers.findings import shown
from web.importers.kinds import CONVERTED, Kind, kind_of
from web.importers.mspdi import reader as mspdi_reader
from web.importers.mspdi.xml_stream import Progress
from web.importers.plan import MAX_BYTES, MAX_TABLE, Plan, broken, too_large
from web.importers.registers import reader as registers
from web.importers.source import Source
from web.importers.table import reader
from web.importers.table.mapping import Mapping

Convert = Callable[[Source, Kind], tuple[Path, tuple[str, ...]]]  # a file as Microsoft Project's XML, and what to note
Found = TypeVar("Found")


def read(
    name: str,
    content: bytes | Path,
    mapping: Mapping | None = None,
    progress: Progress | None = None,
    *,
    choose: reader.Choose | None = None,
    max_bytes: int = MAX_BYTES,
    max_table: int = MAX_TABLE,
    convert: Convert | None = None,
) -> Plan:
    """Return the plan in a file named `name`.

    A table without a mapping is read by the columns that `choose` returns, else by those that its headings suggest. The
    files of other tools are read once `convert` has turned them into XML; without it they are refused with advice.
    At most `max_bytes` are read of a file, and `max_table` of a table, which is held in memory whole.

    Raises: BrokenFile.
    """

    def table(data: bytes, most: int) -> Plan:
        return reader.read(data, mapping, progress, choose=choose, max_bytes=most)

    return _read(Source(name, content), table, _How(progress, max_bytes, max_table, convert))


def read_any(
    name: str,
    content: bytes | Path,
    chooser: registers.Chooser,
    progress: Progress | None = None,
    *,
    max_bytes: int = MAX_BYTES,
    max_table: int = MAX_TABLE,
    convert: Convert | None = None,
) -> registers.AnyRead:
    """Return what is in a file named `name`: a plan, or of a table a risk register or figures, as `chooser` says.

    Raises: BrokenFile.
    """

    def table(data: bytes, most: int) -> registers.AnyRead:
        return registers.read(data, chooser, progress, max_bytes=most)

    return _read(Source(name, content), table, _How(progress, max_bytes, max_table, convert))


class _How(msgspec.Struct, frozen=True):
    """How a file is read: whom its progress is told, how large it may be, and what converts those of other tools."""

    progress: Progress | None
    max_bytes: int
    max_table: int
    convert: Convert | None


def _read(source: Source, table: Callable[[bytes, int], Found], how: _How) -> Plan | Found:
    """Return what is in a file, a table as `table` reads its bytes, of which there are so many at most."""
    name = source.name
    if source.is_blank():
        raise broken(_("{name} is empty. Save the plan again and send it.", name=shown(name)))
    kind, what = kind_of(source)
    if kind in CONVERTED and how.convert is not None:
        if source.size > how.max_bytes:
            raise broken(too_large(how.max_bytes))
        return _converted(source, kind, how.convert, how.progress)
    if kind in CONVERTED:
        told = _(
            "{name} is {what}. Or have a converter set up (the setting converter): then such files are read as they "
            "are.",
            name=shown(name),
            what=what,
        )
        raise broken(told)
    if what:
        raise broken(_("{name} is {what}.", name=shown(name), what=what))
    if kind == "mspdi":
        with source.open() as stream:
            return mspdi_reader.read(stream, how.progress, max_bytes=how.max_bytes)
    if name.lower().endswith(".xml"):
        start = source.head()[:20].decode("utf-8", "replace")
        told = _(
            "{name} is named XML but begins with {start}; expected '<?xml'. Save the plan again.",
            name=shown(name),
            start=shown(start),
        )
        raise broken(told, 1)
    most = min(how.max_bytes, how.max_table)
    if source.size > most:
        told = _(
            "The table is larger than {most} MiB, the most that is read of a table. Send the rows that are followed, "
            "or have the setting max_table_mb raised.",
            most=most // 2**20,
        )
        raise broken(told)
    return table(source.all(), most)


def _converted(source: Source, kind: Kind, convert: Convert, progress: Progress | None) -> Plan:
    """Return the plan in a file that is converted: its hash is of what was sent, its lines are of what was made."""
    made, notes = convert(source, kind)
    try:
        with made.open("rb") as stream:
            plan = mspdi_reader.read(stream, progress, max_bytes=made.stat().st_size)
    finally:
        made.unlink(missing_ok=True)
    return msgspec.structs.replace(plan, file_hash=source.hash(), notes=(*notes, *plan.notes))
