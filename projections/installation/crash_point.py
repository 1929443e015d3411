"""Named places in the writing of the record at which a test may end the process.

Rule: a crash point is passed in and called by its name; in the product it does nothing.
"""

from collections.abc import Callable

CrashPoint = Callable[[str], None]


def nowhere(_name: str) -> None:
    """Go on."""
