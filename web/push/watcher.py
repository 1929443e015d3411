"""One open socket, whatever carries it: what it may write, what its page says, and how it ends.

Rule: it never waits and never grows. `pause_writing` means that something was left unsent; from then on nothing is
written until it has drained, so that a page that does not read holds one write and a number.
"""

import time
from typing import Protocol

from web.push import messages, wire
from web.push.pace import Pace
from web.push.standing import Standing
from web.push.viewer import Viewer


class Transport(Protocol):
    """What a watcher needs of a transport, or of what stands in for one."""

    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...


class Keeper(Protocol):
    """What a watcher tells of itself; the room of its share keeps it."""

    @property
    def pace(self) -> Pace: ...
    def advance(self, watcher: "Watcher") -> None: ...
    def said(self, watcher: "Watcher", message: messages.Said) -> None: ...
    def closing(self, watcher: "Watcher") -> None: ...
    def lost(self, watcher: "Watcher") -> None: ...


class Watcher(Standing):
    """A place on a share with a transport under it."""

    __slots__ = ("__weakref__", "blocked_at", "budget", "heard", "phase", "room", "transport", "views", "write")

    def __init__(self, viewer: Viewer, transport: Transport) -> None:
        super().__init__(viewer)
        self.room: Keeper | None = None
        self.transport = transport
        self.write = transport.write
        self.heard = self.blocked_at = time.monotonic()
        self.budget = self.views = 1
        self.phase = 0

    # called by the transport

    def pause_writing(self) -> None:
        """Fall behind: stay at this number until what was left unsent is gone."""
        self.blocked, self.ready, self.blocked_at = True, False, time.monotonic()

    def resume_writing(self) -> None:
        """Catch up, in order."""
        self.blocked = False
        if self.room is not None:
            self.room.advance(self)

    def lost(self) -> None:
        """Be forgotten: the connection is gone."""
        self.gone, self.ready = True, False
        if self.room is not None:
            self.room.lost(self)

    # what the page says

    def said(self, text: bytes) -> None:
        """Take one message of the page."""
        if self.gone or self.room is None:
            return
        if len(text) > self.room.pace.longest:
            self.close(messages.TOO_BIG)
        elif (message := messages.understood(text)) is None:
            self.close(messages.RELOAD)
        else:
            self.room.said(self, message)

    def spend(self, work: int) -> None:
        """Take note of inbound work; a page that sends without end is closed to come back later."""
        self.budget -= work
        if self.budget < 0:
            self.close(messages.BUSY)

    # how it ends

    def expired(self, now: float) -> bool:
        """Tell whether the sign-in is over at `now` (POSIX seconds), and end then."""
        if not 0 < self.viewer.expires <= now:
            return False
        self.close(messages.SIGNED_OUT)
        return True

    def close(self, code: int, before: bytes = b"") -> None:
        """Send nothing more but a last frame, if there is one, and a close with this code, and end."""
        if not self.gone:
            self.write(before + wire.close_frame(code))
            self.leave()

    def leave(self) -> None:
        """Send nothing more after a close was written; give the page a moment to answer it."""
        if not self.gone and self.room is not None:
            self.gone, self.ready = True, False
            self.room.closing(self)
