"""One open socket, over whichever transport: writes to it, takes its page's messages, and ends it.

Rule: a watcher never waits and never buffers. `pause_writing` means that something was left unsent; nothing more is
written until it is sent, so that a page that does not read costs one write and a number.
"""

import time
from typing import Protocol

from web.push import messages, wire
from web.push.pace import Pace
from web.push.standing import Standing
from web.push.viewer import Viewer


class Transport(Protocol):
    """What a watcher uses of an asyncio transport, or of what takes its place."""

    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...


class Keeper(Protocol):
    """What a watcher calls on the room of its share."""

    @property
    def pace(self) -> Pace: ...
    def advance(self, watcher: "Watcher") -> None: ...
    def said(self, watcher: "Watcher", message: messages.Said) -> None: ...
    def closing(self, watcher: "Watcher") -> None: ...
    def lost(self, watcher: "Watcher") -> None: ...


class Watcher(Standing):
    """The numbers of one socket, and the transport it writes to."""

    __slots__ = ("__weakref__", "blocked_at", "budget", "heard", "phase", "room", "transport", "views")

    def __init__(self, viewer: Viewer, transport: Transport) -> None:
        super().__init__(viewer)
        self.room: Keeper | None = None
        self.transport = transport
        self.heard = self.blocked_at = time.monotonic()
        self.budget = self.views = 1
        self.phase = 0

    def write(self, data: bytes) -> None:
        """Write frames."""
        self.transport.write(data)

    # called by the transport

    def pause_writing(self) -> None:
        """Write nothing more until what was left unsent is sent."""
        self.blocked, self.ready, self.blocked_at = True, False, time.monotonic()

    def resume_writing(self) -> None:
        """Write what is missing, in order."""
        self.blocked = False
        if self.room is not None:
            self.room.advance(self)

    def lost(self) -> None:
        """Take note that the connection is gone."""
        self.gone, self.ready = True, False
        if self.room is not None:
            self.room.lost(self)

    # what the page says

    def said(self, text: bytes) -> None:
        """Take one message of the page; a malformed one closes the socket."""
        if self.gone or self.room is None:
            return
        if len(text) > self.room.pace.longest:
            self.close(messages.TOO_BIG)
        elif (message := messages.understood(text)) is None:
            self.close(messages.RELOAD)
        else:
            self.room.said(self, message)

    def spend(self, work: int) -> None:
        """Count inbound frames; a page that sends more than `Pace.inbound` in a tick is closed with 1013."""
        self.budget -= work
        if self.budget < 0:
            self.close(messages.BUSY)

    # how it ends

    def expired(self, now: float) -> bool:
        """Return whether the sign-in has run out at `now` (POSIX seconds), and close the socket with 4401 then."""
        if not 0 < self.viewer.expires <= now:
            return False
        self.close(messages.SIGNED_OUT)
        return True

    def close(self, code: int, before: bytes = b"") -> None:
        """Write a last frame, if there is one, and a close with this code; nothing is written after it."""
        if not self.gone:
            self.write(before + wire.close_frame(code))
            self.leave()

    def leave(self) -> None:
        """Write nothing more, because a close was written; the room gives the page a moment to answer."""
        if not self.gone and self.room is not None:
            self.gone, self.ready = True, False
            self.room.closing(self)
