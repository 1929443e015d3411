"""Where the tests put their files: in memory where there is room, so that the disk of a machine is not what they wait for.

Rule: nothing here makes a commit cheaper than the product asks for: the product syncs as ever, to a file system that has
nothing to wait for. A process that is killed loses no more there than on a disk.
"""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # a file system of Linux, in memory
NEEDED = 3 << 30  # bytes free, twice what a whole run has been seen to use


def _refused(folder: Path) -> str:
    """Return why a folder cannot be used, nothing when it can."""
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return "is not there to be written"
    free = shutil.disk_usage(folder).free
    return f"has only {free >> 20} MiB free, {NEEDED >> 20} are needed" if free < NEEDED else ""


def settle() -> str:
    """Let every temporary file of this process and of those it starts lie where that is fast; return where, in words.

    TEST_SCRATCH names another folder.
    """
    asked = os.environ.get("TEST_SCRATCH")
    folder = Path(asked) if asked else MEMORY
    if why := _refused(folder):
        return f"files of tests: {tempfile.gettempdir()}, A DISK, WHICH IS SLOWER: {folder} {why}"
    os.environ["TMPDIR"] = os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.tempdir = str(folder)
    return f"files of tests: {folder}"
