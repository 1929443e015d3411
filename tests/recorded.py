"""Sample data that is recorded once in a process, and copied for each test that wants it."""

import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path


def _copy_files(source: Path, to: Path) -> None:
    shutil.copytree(source, to, dirs_exist_ok=True)


copy: Callable[[Path, Path], None] = _copy_files  # on Postgres a folder stands for a database


_homes: list[Path] = []


def forget() -> None:
    """Remove what was recorded."""
    for home in _homes:
        shutil.rmtree(home, ignore_errors=True)


@cache
def _once(record: Callable[[Path], None]) -> Path:
    home = Path(tempfile.mkdtemp(prefix="fanlight-recorded-"))
    _homes.append(home)
    record(home / "data")
    return home / "data"


def recorded(folder: Path, record: Callable[[Path], None]) -> None:
    """Have in an empty folder what `record` records; `record` is a function of a module, called once in a process."""
    assert not any(folder.glob("*.db")), "something is recorded there already"
    copy(_once(record), folder)
