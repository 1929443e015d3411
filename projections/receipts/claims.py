"""What a page may claim to have received. Never proof: `displayed` means drawn in a visible tab, not read."""

from typing import Literal

import msgspec

Kind = Literal["opened", "delivered", "displayed", "hidden", "paused", "resumed", "closed", "lost"]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """One claim about update n; `at` is POSIX seconds by our clock, when it reached us. docs/spec.md 7.1.

    Ours, not the page's: `opened` (a page was made at n and handed over), `closed` (the socket ended, n was the last
    number handed to it) and `lost` (the server went down with the tab open; `at` is when it was heard of last).
    """

    share: str
    person: str
    session: str
    tab: str = ""  # "" for `opened`: a page without scripts has none
    kind: Kind
    n: int
    came_from: int = 0  # of `displayed`: the number drawn before
    at: float
    head: str = ""  # of `delivered`: 16 hex digits of the tree head the page holds for n
    device: str = ""  # of `opened`: "Computer", "Phone", "Tablet"
