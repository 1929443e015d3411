"""The tool "folder": the newest plan file in a folder that the operator allows.

Threats: a path that leads out of the allowed folder (judged after it is resolved), a link to elsewhere (none is
followed), a file that is still being written (taken once its size was still), a pipe or device (only plain files).
"""

import asyncio
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx2

from domain import check
from domain.language import N_
from domain.language import gettext as _
from web.sources.files import Files
from web.sources.tools.tool import Attached, Field, Progress, Pulled, Trouble

STILL = 2.0  # seconds for which a file must not change before it is taken
MOST = 20_000  # names looked at in a folder


class Empty(Trouble):
    """There is no plan in the folder."""


class FolderTool:
    """A watched folder. `root`: the folder that the operator allows, None where none is; `still`: seconds."""

    name, label = "folder", N_("Folder")
    fields: Sequence[Field] = (
        Field(
            name="folder",
            label=N_("Folder"),
            hint=N_("Below the folder that the operator allows; nothing for that folder itself."),
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
        return _("The newest plan there is {name}.", name=_shown(newest))

    async def pull(
        self, attached: Attached, cursor: str, client: httpx2.AsyncClient, progress: Progress | None = None
    ) -> Pulled:
        """Return the plan in the newest file, nothing where it is the one of the cursor. Raises: Trouble."""
        del client, progress
        newest = await asyncio.to_thread(self._newest, attached)
        before = await asyncio.to_thread(_standing, newest)
        await asyncio.sleep(self._still)
        if await asyncio.to_thread(_standing, newest) != before:
            told = _("{name} is still being written. It is taken once its size is still.", name=_shown(newest))
            raise Trouble(told, retry_after=max(5.0, 2 * self._still))
        here = f"{_shown(newest)} {before[0]} {before[1]}"
        if here == cursor:
            return Pulled(plan=None, cursor=cursor)
        pulled = await asyncio.to_thread(self._read, newest)
        return Pulled(plan=pulled.plan, cursor=here, content_hash=pulled.content_hash, data_date=pulled.data_date)

    def is_signed(self, attached: Attached, headers: Mapping[str, str], body: bytes) -> bool:
        """Nobody calls for a folder."""
        del attached, headers, body
        return False

    def greeting(self, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        """Nobody asks whether anybody is there."""
        del headers, body
        return {}

    def _read(self, path: Path) -> Pulled:
        """Read a file whole, by a way that follows no link at its end."""
        try:
            there = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
            with open(there, "rb") as opened:  # noqa: PTH123  # by its descriptor
                if not stat.S_ISREG(os.fstat(there).st_mode):
                    raise Trouble(_("{name} is no plain file.", name=_shown(path)))
                content = opened.read(self._files.max_bytes + 1)
        except OSError as error:
            raise Trouble(_("{name} cannot be opened: {why}", name=_shown(path), why=error.strerror or "")) from None
        return self._files.read(_shown(path), content)

    def _newest(self, attached: Attached) -> Path:
        """Return the newest plan file of the folder. Raises: Trouble."""
        folder = self._folder(attached.values.get("folder", ""))
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
        return folder / max(found)[1]

    def _folder(self, typed: str) -> Path:
        if self._root is None:
            told = _("No folder is allowed on this installation. The operator sets one with --source-folder.")
            raise Trouble(told, for_good=True)
        try:
            root = self._root.resolve(strict=True)
            folder = (root / typed.strip().lstrip("/")).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            raise Trouble(_("There is no such folder below the one that is allowed."), for_good=True) from None
        asked = root.joinpath(*[part for part in Path(typed.strip().lstrip("/")).parts if part != "."])
        if folder != asked or not folder.is_relative_to(root) or not folder.is_dir():
            raise Trouble(_("There is no such folder below the one that is allowed."), for_good=True)
        return folder


def _shown(path: Path) -> str:
    """Return a file's name as it can be kept and shown: a folder may hold names in no encoding that is known."""
    return check.without_refused(path.name)


def _standing(path: Path) -> tuple[int, int]:
    """Return the size and the time of the last change of a file, in bytes and nanoseconds. Raises: Trouble."""
    try:
        found = path.lstat()
    except OSError as error:
        raise Trouble(_("{name} cannot be opened: {why}", name=_shown(path), why=error.strerror or "")) from None
    return found.st_size, found.st_mtime_ns
