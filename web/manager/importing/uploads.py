"""Uploaded plans while somebody looks at them: kept as files for a day, read in the background with their progress.

Rule: a file here has changed nothing; only accepted lines go to the project, through the service.
"""

import hashlib
import logging
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from domain.language import gettext as _
from web.importers import reading
from web.importers.csv import mapping as mappings
from web.importers.csv.mapping import Mapping
from web.importers.plan import BrokenFile, Plan, Problem

log = logging.getLogger("fanlight.import")
DAY = 86400.0  # seconds
MOST_READ = 8  # read plans in memory


class Upload(msgspec.Struct, frozen=True):
    """A file as it came."""

    name: str
    data: bytes


class Reading:
    """One file being read. Not thread-safe: owned by the thread that reads it; pages only look."""

    def __init__(self) -> None:
        self.done = 0.0  # 0 to 1
        self.plan: Plan | None = None
        self.broken: BrokenFile | None = None
        self.finished = threading.Event()

    def run(self, upload: Upload, mapping: Mapping | None, max_bytes: int) -> None:
        """Read the file to its end."""
        try:
            self.plan = reading.read(upload.name, upload.data, mapping, self._progress, max_bytes=max_bytes)
        except BrokenFile as broken:
            self.broken = broken
        except Exception:
            log.exception("reading %s failed", upload.name)
            self.broken = BrokenFile(Problem(None, _("Reading it failed unexpectedly; the server’s log says why.")))
        finally:
            self.finished.set()

    def _progress(self, done: float) -> None:
        self.done = done


class Uploads:
    """The uploads and saved column mappings of one installation."""

    def __init__(self, folder: Path, max_bytes: int, clock: Callable[[], float] = time.time) -> None:
        self._files, self._mappings = folder / "imports", folder / "mappings"
        self._max_bytes, self._clock = max_bytes, clock
        self._readings: dict[tuple[str, str], Reading] = {}

    def keep(self, project: str, upload: Upload) -> str:
        """Keep a file and return its key, SHA-256 in hex; files older than a day are deleted."""
        self._files.mkdir(parents=True, exist_ok=True)
        for old in self._files.iterdir():
            if old.stat().st_mtime < self._clock() - DAY:
                old.unlink(missing_ok=True)
        key = hashlib.sha256(upload.data).hexdigest()
        (self._files / f"{project}.{key}").write_bytes(msgspec.msgpack.encode(upload))
        self._readings.pop((project, key), None)
        return key

    def find(self, project: str, key: str) -> Upload | None:
        """Return a kept file, None where there is none of that key."""
        path = self._files / f"{project}.{key}"
        if not (re.fullmatch(r"[0-9a-f]{64}", key) and path.is_file()):
            return None
        return msgspec.msgpack.decode(path.read_bytes(), type=Upload)

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
        arguments = (upload, self.mapping(project), self._max_bytes)
        threading.Thread(target=started.run, args=arguments, name="import", daemon=True).start()
        return started

    def forget(self, project: str, key: str) -> None:
        """Read a file anew next time it is asked for."""
        self._readings.pop((project, key), None)

    def drop(self, project: str, key: str) -> None:
        """Delete a file."""
        self.forget(project, key)
        (self._files / f"{project}.{key}").unlink(missing_ok=True)

    def mapping(self, project: str) -> Mapping | None:
        """Return the columns saved for a project, None where none are."""
        path = self._mappings / f"{project}.json"
        return mappings.decode(path.read_bytes()) if path.is_file() else None

    def save_mapping(self, project: str, mapping: Mapping) -> None:
        """Save the columns for every later file of a project."""
        self._mappings.mkdir(parents=True, exist_ok=True)
        (self._mappings / f"{project}.json").write_bytes(mappings.encode(mapping))
