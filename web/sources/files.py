"""A plan file that came by itself, read as one that somebody uploads: by its format, and by columns that were saved."""

import hashlib
from pathlib import Path

from domain.language import gettext as _
from web.importers import reading
from web.importers.plan import MAX_TABLE, BrokenFile, BusyReader, Plan
from web.importers.table import mapping as mappings
from web.importers.table.mapping import Mapping, shape
from web.importers.table.reader import Offered
from web.sources.tools.tool import NoTurn, Pulled, Trouble

ENDINGS = (".xml", ".csv", ".xlsx", ".xls", ".ods", ".txt")
CONVERTED = (".mpp", ".xer", ".mpx", ".planner", ".pp")  # where there is a converter; P6 and Planner write .xml too
LATER = 60.0  # seconds after which a file is tried again that had no turn
FOLDER = "mappings"  # below the data folder: columns that somebody chose, by the shape of the table


class Files:
    """Reads files in one installation. `data`: its folder, in which the columns lie that people saved.

    `max_bytes` of a file and `max_table` of a table are read; `convert` turns the files of other tools into XML.
    """

    def __init__(
        self, data: Path, max_bytes: int, max_table: int = MAX_TABLE, convert: reading.Convert | None = None
    ) -> None:
        self._mappings, self.max_bytes = data / FOLDER, max_bytes
        self._max_table, self._convert = max_table, convert

    @property
    def endings(self) -> tuple[str, ...]:
        """How names of files end that are read here."""
        return (*ENDINGS, *CONVERTED) if self._convert is not None else ENDINGS

    def read(self, name: str, content: bytes | Path) -> Pulled:
        """Return what a file brings; for threads.

        Raises: Trouble, which says what is wrong with the file and at which line; NoTurn where others are read.
        """
        try:
            plan = reading.read(
                name, content, choose=self._columns, max_bytes=self.max_bytes, max_table=self._max_table,
                convert=self._convert,
            )  # fmt: skip
        except BusyReader as busy:
            raise NoTurn(str(busy), retry_after=LATER) from None
        except BrokenFile as broken:
            raise Trouble(_("{name} cannot be read: {why}", name=name[:200], why=str(broken)), for_good=False) from None
        if plan.undecided:
            told = _(
                "Nothing in {name} says which rows are milestones. Import it once by hand and choose the columns.",
                name=name[:200],
            )
            raise Trouble(told)
        return Pulled(plan=plan, cursor="", content_hash=_hash(plan), data_date=plan.data_date)

    def _columns(self, offered: Offered) -> Mapping:
        kept = self._mappings / f"shape-{shape(offered.header)}.json"
        return mappings.decode(kept.read_bytes()) if kept.is_file() else offered.suggested


def _hash(plan: Plan) -> str:
    return plan.file_hash or hashlib.sha256(repr(plan.milestones).encode()).hexdigest()
