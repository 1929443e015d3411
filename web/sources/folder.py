"""The tool "folder": the newest plan file in the folder that the operator made for a project.

Rule: below the folder that the operator allows, each project has one with its id as its name, and its sources see
nothing beside it. Threats: a manager who names another project's folder, or a path that leads out (each part of a path
is opened below the one before it, and none that is a link), a link that takes the place of a folder meanwhile (what was
opened is read, not what its name leads to by then), a file that is still being written (taken once its size was still),
a pipe or device (only plain files).
"""

import asyncio
import contextlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx2
import msgspec

from domain import check
from domain.language import N_
from domain.language import gettext as _
from web.sources.files import Files
from web.sources.tools.tool import Attached, Field, Progress, Pulled, Trouble

STILL = 2.0  # seconds for which a file must not change before it is taken
MOST = 20_000  # names looked at in a folder
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
FILE = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class FileThen(msgspec.Struct, frozen=True):
    """A file of a folder as it was at one look: its size in bytes, and when it was changed, in nanoseconds."""

    name: str
    size: int
    changed: int


class Empty(Trouble):
    """There is no plan in the folder."""


class FolderTool:
    """A watched folder. `root`: the folder that the operator allows, None where none is; `still`: seconds."""

    name, label = "folder", N_("Folder")
    fields: Sequence[Field] = (
        Field(
            name="folder",
            label=N_("Folder"),
            hint=N_("Below the folder of this project on the server; empty for that folder itself."),
            needed=False,
        ),
    )
    scope, secret_label, usual_address = "", "", ""
    hooks = False

    def __init__(self, root: Path | None, files: Files, still: float = STILL) -> None:
        self._root, self._files, self._still = root, files, still

    async def look(self, attached: Attached, client: httpx2.AsyncClient) -> str:
        """Say which file would be taken. Raises: Trouble."""
        del client
        try:
            newest = await asyncio.to_thread(self._newest, attached)
        except Empty as empty:
            return str(empty)
        return _("The newest plan there is {name}.", name=_shown(newest.name))

    async def pull(
        self, attached: Attached, cursor: str, client: httpx2.AsyncClient, progress: Progress | None = None
    ) -> Pulled:
        """Return the plan in the newest file, nothing where it is the one of the cursor. Raises: Trouble."""
        del client, progress
        newest = await asyncio.to_thread(self._newest, attached)
        await asyncio.sleep(self._still)
        here = f"{_shown(newest.name)} {newest.size} {newest.changed}"
        pulled = await asyncio.to_thread(self._read, attached, newest, None if here == cursor else self._files)
        if pulled is None:
            return Pulled(plan=None, cursor=cursor)
        return Pulled(plan=pulled.plan, cursor=here, content_hash=pulled.content_hash, data_date=pulled.data_date)

    def is_signed(self, attached: Attached, headers: Mapping[str, str], body: bytes) -> bool:
        """Nobody calls for a folder."""
        del attached, headers, body
        return False

    def greeting(self, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        """Nobody asks whether anybody is there."""
        del headers, body
        return {}

    def _read(self, attached: Attached, newest: FileThen, files: Files | None) -> Pulled | None:
        """Read a file whole once it is still, None where it is known already (no `files`). Raises: Trouble."""
        with self._opened(attached) as folder:
            if _standing(folder, newest.name) != newest:
                told = _("{name} is still being written. It is taken once its size is still.", name=_shown(newest.name))
                raise Trouble(told, retry_after=max(5.0, 2 * self._still))
            if files is None:
                return None
            try:
                there = os.open(newest.name, FILE, dir_fd=folder)
                with open(there, "rb") as opened:  # noqa: PTH123  # by its descriptor
                    if not stat.S_ISREG(os.fstat(there).st_mode):
                        raise Trouble(_("{name} is no plain file.", name=_shown(newest.name)))
                    content = opened.read(files.max_bytes + 1)
            except OSError as error:
                raise _unopened(newest.name, error) from None
        return files.read(_shown(newest.name), content)

    def _newest(self, attached: Attached) -> FileThen:
        """Return the newest plan file of the folder. Raises: Trouble."""
        with self._opened(attached) as folder:
            try:
                with os.scandir(folder) as entries:
                    found = [
                        (entry.stat(follow_symlinks=False).st_mtime_ns, entry.name)
                        for entry, _n in zip(entries, range(MOST), strict=False)
                        if entry.is_file(follow_symlinks=False)
                        and entry.name.lower().endswith(self._files.endings)
                        and not entry.name.startswith((".", "~"))
                    ]
            except OSError as error:
                raise Trouble(_("The folder cannot be read: {why}", why=error.strerror or "")) from None
            if not found:
                raise Empty(_("There is no plan in the folder. Save one there as XML, as a workbook or as CSV."))
            return _standing(folder, max(found)[1])

    @contextlib.contextmanager
    def _opened(self, attached: Attached) -> Iterator[int]:
        """Give the folder of a source, opened part by part below that of its project. Raises: Trouble."""
        if self._root is None:
            told = _("No folder is allowed on this installation. The operator sets one with --source-folder.")
            raise Trouble(told, for_good=True)
        typed = [part for part in attached.values.get("folder", "").strip().split("/") if part not in {"", "."}]
        with contextlib.ExitStack() as stack:
            try:
                folder = os.open(
                    self._root, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
                )  # the operator's own may be a link
                stack.callback(os.close, folder)
                for part in (attached.project, *typed):
                    if part in {"", ".", ".."}:
                        raise FileNotFoundError(part)
                    folder = os.open(part, FOLDER, dir_fd=folder)
                    stack.callback(os.close, folder)
            except (OSError, ValueError):
                where = "/".join((attached.project, *typed))
                told = _(
                    "There is no folder {where} below the one that is allowed. Each project has its own, named by its "
                    "id; the operator makes it.",
                    where=check.without_refused(where)[:200],
                )
                raise Trouble(told, for_good=True) from None
            yield folder


def _shown(name: str) -> str:
    """Return a file's name as it can be kept and shown: a folder may hold names in no encoding that is known."""
    return check.without_refused(name)


def _standing(folder: int, name: str) -> FileThen:
    """Return a file of an opened folder as it is now. Raises: Trouble."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        raise _unopened(name, error) from None
    return FileThen(name, found.st_size, found.st_mtime_ns)


def _unopened(name: str, error: OSError) -> Trouble:
    return Trouble(_("{name} cannot be opened: {why}", name=_shown(name), why=error.strerror or ""))
