"""What a page may claim to have received. Never proof: `displayed` means drawn in a visible tab, not read."""

from typing import Literal

import msgspec


class Receipt(msgspec.Struct, frozen=True):
    """One claim by a page; `opened` is ours, made when a page was served. `at` is POSIX seconds by our clock."""

    share: str
    person: str
    session: str
    tab: str
    kind: Literal["opened", "delivered", "displayed", "hidden", "paused", "resumed"]
    n: int
    came_from: int
    at: float
