"""`Allowance` of a conversion, `Converted`, and what is missing where nothing can be converted here."""

import shutil
from importlib import util

import msgspec

from domain.language import gettext as _

MOST_NOTES = 20


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What one conversion may take."""

    seconds: int = 120
    memory_mb: int = 1024  # of the Java heap
    max_bytes: int = 256 * 2**20  # of the file

    @property
    def most_written(self) -> int:
        """Bytes of the XML at most: a tool's own file says the same in less."""
        return min(4 * self.max_bytes, 2**30)


class Converted(msgspec.Struct, frozen=True, kw_only=True):
    """What the process with Java answers: by which versions, and what it met; or a word for what is wrong."""

    mpxj: str = ""
    java: str = ""
    projects: int = 1  # plans in the file, of which one was taken
    title: str = ""  # of the one that was taken, where there are several
    tasks: int = 0
    baseline: bool = True  # whether the dates of a baseline in it are ones that were agreed
    alone: bool = False  # whether it ran without a network
    wrong: str = ""  # "doctype", "unreadable", "password", "empty", "memory"
    told: str = ""  # what mpxj said of it, one line

    @property
    def version(self) -> str:
        """The versions as a reader of the plan is told them."""
        return f"mpxj {self.mpxj}, Java {self.java}"


def missing() -> str:
    """Return what is not installed that converting needs, "" where all is there."""
    if util.find_spec("mpxj") is None:
        return _("mpxj is not installed; install Fanlight with it: pip install 'fanlight[convert]'")
    if shutil.which("java") is None:
        return _("there is no Java runtime; on Debian: apt-get install default-jre-headless")
    return ""


def bounds_of(max_upload_mb: int, seconds: int, memory_mb: int) -> Allowance:
    """Return the bounds that settings give."""
    return Allowance(seconds=seconds, memory_mb=memory_mb, max_bytes=max_upload_mb << 20)
