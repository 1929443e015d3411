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
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from domain.language import gettext as _
from web.converter import Converter
from web.importers import reading
from web.importers.kinds import Kind
from web.importers.plan import BrokenFile, Plan, Problem
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
        self.broken: BrokenFile | None = None
        self.offered: Offered | None = None  # of a table
        self.mapping: Mapping | None = None
        self.saved = False  # whether the columns are ones that somebody chose
        self.finished = threading.Event()

    def run(self, upload: Upload, saved: Callable[[Offered], Mapping | None], most: "Most") -> None:
        """Read the file to its end; `saved` gives the columns that were chosen for tables like it."""

        def choose(offered: Offered) -> Mapping:
            kept = saved(offered)
            self.offered, self.saved = offered, kept is not None
            self.mapping = kept or offered.suggested
            return self.mapping

        try:
            self.plan = reading.read(
                upload.name,
                upload.path,
                progress=self._progress,
                choose=choose,
                max_bytes=most.upload,
                max_table=most.table,
                convert=self._convert(most.converter) if most.converter else None,
            )
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
        def convert(source: Source, kind: Kind) -> tuple[Path, tuple[str, ...]]:
            self.converting = True
            try:
                return converter.take(source, kind)
            finally:
                self.converting = False

        return convert


class Uploads:
    """The uploads and saved columns of one installation."""

    def __init__(self, folder: Path, most: Most, clock: Callable[[], float] = time.time) -> None:
        self._files, self._mappings = folder / "imports", folder / "mappings"
        self.most, self._clock = most, clock
        self._readings: dict[tuple[str, str], Reading] = {}

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
        self._readings.pop((project, path.suffix[1:]), None)
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
        started = self._readings.get((project, key))
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
        self._readings[project, key] = started
        arguments = (upload, lambda offered: self.mapping(project, offered), self.most)
        threading.Thread(target=started.run, args=arguments, name="import", daemon=True).start()
        return started

    def forget(self, project: str, key: str) -> None:
        """Read a file anew next time it is asked for."""
        self._readings.pop((project, key), None)

    def drop(self, project: str, key: str) -> None:
        """Delete a file."""
        self.forget(project, key)
        path = self._path(project, key)
        path.unlink(missing_ok=True)
        Path(f"{path}{NAME}").unlink(missing_ok=True)

    def mapping(self, project: str, offered: Offered) -> Mapping | None:
        """Return the columns saved for tables with these headings, None where none are.

        Columns that an earlier version saved for a project are used where a table has them all.
        """
        path = self._of_shape(offered)
        if path.is_file():
            return mappings.decode(path.read_bytes())
        before = self._mappings / f"{project}.json"
        if not before.is_file():
            return None
        kept = msgspec.structs.replace(mappings.decode(before.read_bytes()), delimiter="")
        return kept if fits(kept, offered.header) else None

    def save_mapping(self, offered: Offered, mapping: Mapping) -> None:
        """Save the columns for every later table with these headings."""
        self._mappings.mkdir(parents=True, exist_ok=True)
        path = self._of_shape(offered)
        coming = Path(f"{path}.{os.getpid()}.coming")
        coming.write_bytes(mappings.encode(mapping))
        coming.replace(path)

    def forget_mapping(self, project: str, offered: Offered) -> None:
        """Forget the columns saved for tables with these headings."""
        self._of_shape(offered).unlink(missing_ok=True)
        (self._mappings / f"{project}.json").unlink(missing_ok=True)

    def _of_shape(self, offered: Offered) -> Path:
        return self._mappings / f"shape-{shape(offered.header)}.json"
