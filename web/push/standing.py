"""The numbers of one socket: what it was sent, what its page says it applied and displayed, and what it is owed.

Rule: a claim about a number that was never sent to this very socket is refused.
"""

from typing import Literal

from web.push.messages import Claim
from web.push.viewer import Viewer, Watching

UNCHECKED = -1  # the page's own number is not checked yet
OWES_NOTHING, OWES_VIEW, OWES_RESET = 0, 1, 2
PLAIN = -1  # the socket takes no compressed frames


class Standing:
    """The numbers of one watcher. `ready`: it was sent everything up to the head, so it takes part in rounds."""

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
        "tab",
        "unbroken",
        "viewer",
        "visible",
    )

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.tab = ""  # as its page names it in the hello
        self.since = 0  # the page's number at its hello
        self.root = ""  # the beginning of the tree head it holds there, until that is checked
        self.sent = UNCHECKED
        self.unbroken = PLAIN  # every update after this number was sent compressed, up to `sent`
        self.applied = self.displayed = -1
        self.asked = 0  # the page's number when a view is owed
        self.owes = OWES_NOTHING
        self.greeted = self.ready = self.blocked = self.reading = self.gone = self.paused = False
        self.visible = True

    def judge(self, claim: Claim) -> Literal["new", "old", "refused"]:
        """Take a claim in, and return whether it is new, repeats what is known, or claims more than was sent."""
        kind, n = claim.kind, claim.n
        if not 0 <= n <= self.sent:
            return "refused"
        if kind == "delivered":  # by far the most frequent
            if n <= self.applied:
                return "old"
            self.applied = n
            return "new"
        match kind:
            case "displayed":
                if not 0 <= claim.came_from <= n:
                    return "refused"
                new = n > self.displayed or not self.visible
                self.displayed, self.visible = max(n, self.displayed), True
            case "paused" | "resumed":
                new, self.paused = self.paused != (kind == "paused"), kind == "paused"
            case "hidden":
                new, self.visible = self.visible, False
        return "new" if new else "old"

    def watching(self) -> Watching:
        """Return this watcher as managers see it."""
        return Watching(
            person=self.viewer.person,
            tab=self.tab,
            since=self.since,
            sent=max(self.sent, 0),
            displayed=max(self.displayed, 0),
            visible=self.visible,
            paused=self.paused,
        )
