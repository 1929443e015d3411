"""Where one watcher of a share stands, who it is, and the pace of the whole push layer.

Rule: a few slots and no behaviour beyond judging what a page claims. A claim about a number that was never sent to
that very socket is refused.
"""

from typing import Literal

import msgspec

from projections.claims import Receipt
from web.messages import Claim

__all__ = ["OWES_NOTHING", "OWES_RESET", "OWES_VIEW", "UNCHECKED", "Pace", "Place", "Receipt", "Viewer", "Watching"]

UNCHECKED = -1  # the page's own number is not checked yet
OWES_NOTHING, OWES_VIEW, OWES_RESET = 0, 1, 2


class Pace(msgspec.Struct, frozen=True):
    """How often, how far, how much. Seconds and bytes."""

    tick_every: float = 20.0
    dead_after: float = 45.0  # unheard, or unable to take a byte, for longer: aborted
    hello_within: float = 10.0  # checked once a tick
    close_grace: float = 3.0  # for the page's answer to a close, then aborted
    drain: float = 2.5  # the longest a staged close takes
    far: int = 512  # further behind than this: the whole view instead of the frames
    ring_frames: int = 256
    ring_bytes: int = 4 << 20
    slice_frames: int = 64  # of the log at a time
    slice_bytes: int = 256 << 10  # in one write, so also what a slow reader may leave unsent
    chunk: int = 64  # watchers written to before others have their turn
    inbound: int = 1200  # frames a page may send from one tick to the next
    views: int = 8  # whole views a page may ask for from one tick to the next
    longest: int = 4096  # message of a page
    claims_every: float = 0.1
    empty_room: float = 60.0  # a share without watchers keeps its ring for so long


class Viewer(msgspec.Struct, frozen=True):
    """Who is behind a socket. `expires` is POSIX seconds, 0 = never; the page's hello names the tab."""

    person: str
    share: str
    session: str
    tab: str = ""
    expires: float = 0.0


class Watching(msgspec.Struct, frozen=True):
    """One open dashboard, for the manager's page."""

    person: str
    tab: str
    since: int
    sent: int
    displayed: int
    visible: bool
    paused: bool


class Place:
    """A watcher's numbers. `ready` means: takes part in rounds, that is, everything before the round was written."""

    __slots__ = (
        "applied",
        "asked",
        "blocked",
        "displayed",
        "gone",
        "greeted",
        "owes",
        "paused",
        "reading",
        "ready",
        "root",
        "sent",
        "since",
        "viewer",
        "visible",
    )

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.since = 0  # the page's number at its hello
        self.root = ""  # the beginning of the tree head it holds there, until that is checked
        self.sent = UNCHECKED
        self.applied = self.displayed = -1
        self.asked = 0  # the page's number when a view is owed
        self.owes = OWES_NOTHING
        self.greeted = self.ready = self.blocked = self.reading = self.gone = self.paused = False
        self.visible = True

    def judge(self, claim: Claim) -> Literal["new", "old", "refused"]:
        """Return whether a claim adds something, repeats, or says more than was ever sent here."""
        if not 0 <= claim.came_from <= claim.n <= self.sent and claim.kind == "displayed":
            return "refused"
        if not 0 <= claim.n <= self.sent:
            return "refused"
        match claim.kind:
            case "delivered":
                new, self.applied = claim.n > self.applied, max(claim.n, self.applied)
            case "displayed":
                new = claim.n > self.displayed or not self.visible
                self.displayed, self.visible = max(claim.n, self.displayed), True
            case "paused" | "resumed":
                pausing = claim.kind == "paused"
                new, self.paused = self.paused != pausing, pausing
            case "hidden":
                new = self.visible
                self.visible = False
        return "new" if new else "old"

    def watching(self) -> Watching:
        """Return what the manager's page shows of this watcher."""
        return Watching(
            person=self.viewer.person,
            tab=self.viewer.tab,
            since=self.since,
            sent=max(self.sent, 0),
            displayed=max(self.displayed, 0),
            visible=self.visible,
            paused=self.paused,
        )
