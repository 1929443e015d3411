"""`Receipt`: a claim of one open page about one update. A claim is no proof: `displayed` means drawn, not read."""

from typing import Literal

import msgspec

Kind = Literal["opened", "delivered", "displayed", "hidden", "paused", "resumed", "closed", "lost"]


class Receipt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One claim about update n; `at` is when it arrived, in POSIX seconds by the server's clock. docs/spec.md 7.1.

    Three kinds come from the server, not from the page: `opened` (a page was made at n and handed over), `closed` (the
    socket ended, n was the last number handed to it) and `lost` (the server ended with the tab open; `at` is when the
    tab was last heard of).
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
