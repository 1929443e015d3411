"""Crash points: named places in the recording at which a test may end the process.

Rule: a crash point is passed in and called with the name of the place; in the product it does nothing.
"""

from collections.abc import Callable

CrashPoint = Callable[[str], None]


def nowhere(_name: str) -> None:
    """Do nothing: the crash point of the product."""
