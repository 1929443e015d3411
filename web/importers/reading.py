"""`read`: the plan in a file of any format that is known; others are refused with advice on how to save the plan."""

from pathlib import Path

from domain.language import gettext as _
from web.importers.findings import shown
from web.importers.kinds import kind_of
from web.importers.mspdi import reader as mspdi_reader
from web.importers.mspdi.xml_stream import Progress
from web.importers.plan import MAX_BYTES, MAX_TABLE, Plan, broken
from web.importers.source import Source
from web.importers.table import reader
from web.importers.table.mapping import Mapping


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
    source = Source(name, content)
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
    return reader.read(source.all(), mapping, progress, choose=choose, max_bytes=most)
