"""Bounds on what one request may bring and on what one person may ask for.

Rule: a body is refused by the length it claims before a byte of it is read, and by what was read where it claims none.
"""

from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.types import Message

from web.door.limit import Limit

LARGEST = 1 << 20  # bytes of a form or a command
Kind = Literal["page", "polled", "export", "upload"]


class TooLarge(Exception):
    """The body of a request is larger than its door takes."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of one process: bytes of an upload, and how often each person may ask, in this process."""

    upload: int
    commands: Limit
    exports: Limit

    def largest(self, kind: Kind) -> int:
        """Return how many bytes a body may have at a door of this kind; a form around an upload is counted in."""
        return self.upload + LARGEST if kind == "upload" else LARGEST

    def wait(self, person: str, kind: Kind, *, changes: bool) -> int:
        """Count what a person asks for and return 0, or the seconds they have to wait.

        `changes`: it is a command or a form. Exports and uploads make the server read or write much.
        """
        seconds = self.commands.wait(person) if changes else 0
        if kind == "export" or (kind == "upload" and changes):
            seconds = max(seconds, self.exports.wait(person))
        return seconds


def bounded(request: Request, most: int) -> Request:
    """Return the request with a body of at most `most` bytes; reading more of it raises TooLarge.

    Raises: TooLarge when it claims to be larger.
    """
    claimed = request.headers.get("content-length", "")
    if claimed.isdecimal() and (len(claimed) > 18 or int(claimed) > most):
        raise TooLarge
    came = 0

    async def receive() -> Message:
        nonlocal came
        message = await request.receive()
        came += len(message.get("body", b""))
        if came > most:
            raise TooLarge
        return message

    return Request(request.scope, receive)
