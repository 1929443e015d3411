"""Uploaded plans while somebody looks at them: kept as files for a day, read in the background with their progress.

Rule: a file here has changed nothing; only accepted lines go to the project, through the service. Columns that somebody
chose are kept for every table with the same headings, whichever project it is for.
"""

import hashlib
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from pathlib import Path
from typing import BinaryIO

import msgspec

from domain.language import gettext as _
from domain.language import spoken
from web.converter import Converter
from web.importers import reading
from web.importers.kinds import Kind as FileKind
from web.importers.plan import BrokenFile, Plan, Problem
from web.importers.registers import columns as kept_columns
from web.importers.registers.columns import KINDS, Columns, Kind
from web.importers.registers.found import FigureTable, RiskTable
from web.importers.registers.reader import OfferedTable
from web.importers.source import Source
from web.importers.table import mapping as mappings
from web.importers.table.mapping import Mapping, fits, shape
from web.importers.table.reader import Offered

log = logging.getLogger("fanlight.import")
DAY = 86400.0  # seconds
MOST_READ = 8  # read plans in memory
BLOCK = 1024 * 1024  # bytes copied at a time
NAME = ".name"  # what the file with the name of an upload ends with


class Upload(msgspec.Struct, frozen=True):
    """A kept file, under the name it came with."""

    name: str
    path: Path


class Most(msgspec.Struct, frozen=True, kw_only=True):
    """How much is read of a file, and what reads those of other tools."""

    upload: int  # bytes
    table: int  # bytes of a table
    converter: Converter | None = None


class TooLarge(Exception):
    """A file has more bytes than are read; nothing of it was kept."""


class Reading:
    """One file being read. Not thread-safe: owned by the thread that reads it; pages only look."""

    def __init__(self) -> None:
        self.done = 0.0  # 0 to 1
        self.converting = False  # before it is read
        self.plan: Plan | None = None
        self.table: RiskTable | FigureTable | None = None  # where it is no plan
        self.broken: BrokenFile | None = None
        self.offered: OfferedTable | None = None  # of a table
        self.columns: Columns | None = None
        self.saved = False  # whether the columns are ones that somebody chose
        self.finished = threading.Event()

    def run(self, upload: Upload, choices: "Choices", most: "Most") -> None:
        """Read the file to its end; `choices` are those of somebody for tables like it."""
        try:
            found = reading.read_any(
                upload.name,
                upload.path,
                chooser=_Chosen(self, choices),
                progress=self._progress,
                max_bytes=most.upload,
                max_table=most.table,
                convert=self._convert(most.converter) if most.converter else None,
            )
            if isinstance(found, Plan):
                self.plan = found
            else:
                self.table = found
        except BrokenFile as broken:
            self.broken = broken
        except Exception:
            log.exception("reading %s failed", upload.name)
            self.broken = BrokenFile(Problem(None, _("Reading it failed unexpectedly; the server’s log says why.")))
        finally:
            self.finished.set()

    def _progress(self, done: float) -> None:
        self.done = done

    def _convert(self, converter: Converter) -> reading.Convert:
        def convert(source: Source, kind: FileKind) -> tuple[Path, tuple[str, ...]]:
            self.converting = True
            try:
                return converter.take(source, kind)
            finally:
                self.converting = False

        return convert


class _Chosen:
    """Chooses for a reading: as somebody chose for tables of this shape, else as the headings suggest."""

    def __init__(self, reading_of: Reading, choices: "Choices") -> None:
        self._reading, self._choices = reading_of, choices

    def kind(self, header: Sequence[str], guess: Kind) -> Kind:
        return self._choices.kind(header) or guess

    def columns(self, offered: OfferedTable) -> Columns:
        kept = self._choices.columns(offered)
        self._reading.offered, self._reading.saved = offered, kept is not None
        self._reading.columns = kept or offered.suggested
        return self._reading.columns


class Choices:
    """What somebody chose for tables of a shape: what they are, and which column is what. Kept as files."""

    def __init__(self, folder: Path, project: str) -> None:
        self._folder, self._project = folder, project

    def kind(self, header: Sequence[str]) -> Kind | None:
        """Return what tables with these headings were said to be, None where nobody said it."""
        path = self._of(header, "kind")
        told = path.read_text("utf-8") if path.is_file() else ""
        return next((kind for kind in KINDS if kind == told), None)

    def columns(self, offered: OfferedTable) -> Columns | None:
        """Return the columns saved for tables with these headings, None where none are.

        Columns that an earlier version saved for a project are used where a plan has them all.
        """
        path = self._of(offered.key, offered.kind)
        if path.is_file():
            kept = kept_columns.decode(path.read_bytes())
            return kept if kept_columns.kind_of(kept) == offered.kind else None
        before = self._folder / f"{self._project}.json"
        if offered.kind != "plan" or not before.is_file():
            return None
        old = msgspec.structs.replace(mappings.decode(before.read_bytes()), delimiter="")
        return old if fits(old, offered.header) else None

    def save_kind(self, offered: OfferedTable, kind: Kind) -> None:
        """Save what tables with these headings are."""
        self._write(self._of(offered.key, "kind"), kind.encode())

    def save(self, offered: OfferedTable, columns: Columns) -> None:
        """Save the columns for every later table with these headings."""
        self._write(self._of(offered.key, kept_columns.kind_of(columns)), kept_columns.encode(columns))

    def _write(self, path: Path, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        coming = Path(f"{path}.{os.getpid()}.coming")
        coming.write_bytes(content)
        coming.replace(path)

    def forget(self, offered: OfferedTable) -> None:
        """Forget all that was chosen for tables with these headings."""
        for what in ("kind", *KINDS):
            self._of(offered.key, what).unlink(missing_ok=True)
        (self._folder / f"{self._project}.json").unlink(missing_ok=True)

    def _of(self, header: Sequence[str], what: str) -> Path:
        """Return the file of a choice; that of a plan has the name earlier versions gave it."""
        return self._folder / f"shape-{shape(header)}{'' if what == 'plan' else f'-{what}'}.json"


class Uploads:
    """The uploads and saved columns of one installation."""

    def __init__(self, folder: Path, most: Most, clock: Callable[[], float] = time.time) -> None:
        self._files, self._mappings = folder / "imports", folder / "mappings"
        self.most, self._clock = most, clock
        self._readings: dict[tuple[str, str, str], Reading] = {}  # by project, file and language

    def keep(self, project: str, name: str, content: BinaryIO) -> str:
        """Keep a file and return its key, SHA-256 in hex; files older than a day are deleted.

        Raises: TooLarge.
        """
        self._files.mkdir(parents=True, exist_ok=True)
        for old in self._files.iterdir():
            if old.stat().st_mtime < self._clock() - DAY:
                old.unlink(missing_ok=True)
        coming = self._files / f"{project}.{os.getpid()}-{threading.get_ident()}.coming"
        digest, size = hashlib.sha256(), 0
        try:
            with coming.open("wb") as kept:
                while block := content.read(BLOCK):
                    size += len(block)
                    if size > self.most.upload:
                        raise TooLarge
                    digest.update(block)
                    kept.write(block)
            path = self._path(project, digest.hexdigest())
            coming.replace(path)
            Path(f"{path}{NAME}").write_text(name, "utf-8")
        finally:
            coming.unlink(missing_ok=True)
        self.forget(project, path.suffix[1:])
        return path.suffix[1:]

    def _path(self, project: str, key: str) -> Path:
        return self._files / f"{project}.{key}"

    def find(self, project: str, key: str) -> Upload | None:
        """Return a kept file, None where there is none of that key."""
        path = self._path(project, key)
        name = Path(f"{path}{NAME}")
        if not (re.fullmatch(r"[0-9a-f]{64}", key) and path.is_file() and name.is_file()):
            return None
        return Upload(name.read_text("utf-8"), path)

    def read(self, project: str, key: str, wait: float) -> Reading | None:
        """Return the reading of a kept file, started if need be, after at most `wait` seconds."""
        started = self._readings.get((project, key, spoken()))
        if started is None:
            upload = self.find(project, key)
            if upload is None:
                return None
            started = self._start(project, key, upload)
        started.finished.wait(wait)
        return started

    def _start(self, project: str, key: str, upload: Upload) -> Reading:
        started = Reading()
        for old in list(self._readings)[: max(0, len(self._readings) - MOST_READ + 1)]:
            self._readings.pop(old, None)
        self._readings[project, key, spoken()] = started
        arguments = (started.run, upload, self.choices(project), self.most)
        inside = copy_context()  # what is said of the file is in the language of whoever asks
        threading.Thread(target=inside.run, args=arguments, name="import", daemon=True).start()
        return started

    def forget(self, project: str, key: str) -> None:
        """Read a file anew next time it is asked for."""
        for read in [one for one in self._readings if one[:2] == (project, key)]:
            self._readings.pop(read, None)

    def drop(self, project: str, key: str) -> None:
        """Delete a file."""
        self.forget(project, key)
        path = self._path(project, key)
        path.unlink(missing_ok=True)
        Path(f"{path}{NAME}").unlink(missing_ok=True)

    def choices(self, project: str) -> Choices:
        """Return what somebody chose for tables."""
        return Choices(self._mappings, project)

    def mapping(self, project: str, offered: Offered) -> Mapping | None:
        """Return the columns of a plan that were saved for tables with these headings, None where none are."""
        told = OfferedTable(
            key=offered.header, header=offered.header, sheets=offered.sheets, kind="plan", suggested=offered.suggested
        )
        kept = self.choices(project).columns(told)
        return kept if isinstance(kept, Mapping) else None
