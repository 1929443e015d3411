"""`read`: the plan in a file of any format that is known; others are refused with advice on how to save the plan."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from domain.language import gettext as _
from web.importers.findings import shown
from web.importers.kinds import kind_of
from web.importers.mspdi import reader as mspdi_reader
from web.importers.mspdi.xml_stream import Progress
from web.importers.plan import MAX_BYTES, MAX_TABLE, Plan, broken
from web.importers.registers import reader as registers
from web.importers.source import Source
from web.importers.table import reader
from web.importers.table.mapping import Mapping

Found = TypeVar("Found")


def read(
    name: str,
    content: bytes | Path,
    mapping: Mapping | None = None,
    progress: Progress | None = None,
    *,
    choose: reader.Choose | None = None,
    max_bytes: int = MAX_BYTES,
) -> Plan:
    """Return the plan in a file named `name`.

    A table without a mapping is read by the columns that `choose` returns, else by those that its headings suggest.

    Raises: BrokenFile.
    """

    def table(data: bytes, most: int) -> Plan:
        return reader.read(data, mapping, progress, choose=choose, max_bytes=most)

    return _read(Source(name, content), table, progress, max_bytes)


def read_any(
    name: str,
    content: bytes | Path,
    chooser: registers.Chooser,
    progress: Progress | None = None,
    *,
    max_bytes: int = MAX_BYTES,
) -> registers.AnyRead:
    """Return what is in a file named `name`: a plan, or of a table a risk register or figures, as `chooser` says.

    Raises: BrokenFile.
    """

    def table(data: bytes, most: int) -> registers.AnyRead:
        return registers.read(data, chooser, progress, max_bytes=most)

    return _read(Source(name, content), table, progress, max_bytes)


def _read(
    source: Source, table: Callable[[bytes, int], Found], progress: Progress | None, max_bytes: int
) -> Plan | Found:
    """Return what is in a file, a table as `table` reads its bytes, of which there are so many at most."""
    name = source.name
    if source.is_blank():
        raise broken(_("{name} is empty. Save the plan again and send it.", name=shown(name)))
    kind, what = kind_of(source)
    if what:
        raise broken(_("{name} is {what}.", name=shown(name), what=what))
    if kind == "mspdi":
        with source.open() as stream:
            return mspdi_reader.read(stream, progress, max_bytes=max_bytes)
    if name.lower().endswith(".xml"):
        start = source.head()[:20].decode("utf-8", "replace")
        told = _(
            "{name} is named XML but begins with {start}; expected '<?xml'. Save the plan again.",
            name=shown(name),
            start=shown(start),
        )
        raise broken(told, 1)
    most = min(max_bytes, MAX_TABLE)
    if source.size > most:
        told = _(
            "The table is larger than {most} MiB, the most that is read of a table. Send the rows that are followed.",
            most=most // 2**20,
        )
        raise broken(told)
    return table(source.all(), most)
