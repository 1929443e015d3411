"""The messages of the socket (docs/spec.md 5): all that a page may send, and the server's heartbeat, hint and reset.

Rule: a page's message is one of a closed set, or the page is closed. Updates are not made here: their bytes come from
the disclosure log.
"""

import string
from functools import lru_cache
from typing import Annotated, Literal

import msgspec

from domain.message import UNREADABLE
from web.push import wire

VERSION = 2  # a page of version 1 has no place for the brand
RESTART, TOO_BIG, BUSY = 1012, 1009, 1013  # close codes of RFC 6455 and its registry
SIGNED_OUT, ENDED, RELOAD = 4401, 4403, 4426  # close codes of our own

RESET = wire.framed(b'{"reset":true}')


@lru_cache(64)
def tick(head: int) -> bytes:
    """Return the heartbeat as a frame: the newest number of the share and nothing else."""
    return wire.framed(b'{"tick":%d}' % head)


def back(milliseconds: int) -> bytes:
    """Return the hint that is sent before a close, as a frame: after how many milliseconds to reconnect."""
    return wire.framed(b'{"back":%d}' % milliseconds)


class Hello(msgspec.Struct, frozen=True):
    """The page stands at update `n`, where its tree head begins with the hex digits `root` ("" where it has none)."""

    n: int
    tab: str
    root: str = ""


class Claim(msgspec.Struct, frozen=True, gc=False):
    """The page says what became of every update up to `n`; what it displayed begins after `came_from`."""

    kind: Literal["delivered", "displayed", "paused", "resumed", "hidden"]
    n: int
    came_from: int = 0
    head: str = ""


class Resync(msgspec.Struct, frozen=True):
    """The page stands at `n` and cannot apply what came after: it asks for the whole view."""

    n: int


Said = Hello | Claim | Resync

_N = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
_Head = Annotated[str, msgspec.Meta(max_length=16)]  # hex digits
_Tab = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]  # letters of ASCII, digits, hyphens
_HEX, _OF_TABS = "0123456789abcdef", string.ascii_letters + string.digits + "-"


class _Text(msgspec.Struct, frozen=True, gc=False):
    """A message as it is sent: exactly one of its kinds is set."""

    hello: _N | None = None
    tab: _Tab | None = None
    v: int | None = None
    root: _Head = ""
    applied: _N | None = None
    head: _Head = ""
    painted: _N | None = None
    came_from: _N = msgspec.field(default=0, name="from")
    hidden: _N | None = None
    paused: _N | None = None
    resumed: _N | None = None
    resync: _N | None = None


_decode = msgspec.json.Decoder(_Text).decode


def understood(text: bytes) -> Said | None:
    """Return a page's message, None where it is malformed or of another protocol version."""
    try:
        sent = _decode(text)
    except UNREADABLE:
        return None
    head, root, tab = sent.head, sent.root, sent.tab  # looked at here: a pattern takes four times as long as the rest
    if (head and head.strip(_HEX)) or (root and root.strip(_HEX)) or (tab and tab.strip(_OF_TABS)):
        return None
    if sent.hello is not None:
        return Hello(sent.hello, sent.tab, sent.root) if sent.tab and sent.v == VERSION else None
    if sent.applied is not None:
        return Claim("delivered", sent.applied, 0, sent.head)
    if sent.painted is not None:
        return Claim("displayed", sent.painted, sent.came_from)
    if sent.hidden is not None:
        return Claim("hidden", sent.hidden)
    if sent.paused is not None:
        return Claim("paused", sent.paused)
    if sent.resumed is not None:
        return Claim("resumed", sent.resumed)
    return Resync(sent.resync) if sent.resync is not None else None
