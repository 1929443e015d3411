"""The socket's messages, docs/spec.md 5: what a page may say, and the few things the server says by itself.

Rule: a page's message is one of a closed set or it is nothing. Frames and keyframes are not made here: their bytes
come from the disclosure log.
"""

from typing import Annotated, Literal

import msgspec

from web.push import wire

VERSION = 1
RESTART, TOO_BIG, BUSY = 1012, 1009, 1013
SIGNED_OUT, ENDED, RELOAD = 4401, 4403, 4426

RESET = wire.framed(b'{"reset":true}')


def tick(head: int) -> bytes:
    """Return the framed heartbeat: the share's own head number and nothing else."""
    return wire.framed(b'{"tick":%d}' % head)


def back(milliseconds: int) -> bytes:
    """Return the framed hint that comes before a close: after how long to come back."""
    return wire.framed(b'{"back":%d}' % milliseconds)


class Hello(msgspec.Struct, frozen=True):
    """The page stands at n, whose tree head begins with `root` ("": it does not say)."""

    n: int
    tab: str
    root: str = ""


class Claim(msgspec.Struct, frozen=True):
    """The page says what became of everything up to n."""

    kind: Literal["delivered", "displayed", "paused", "resumed", "hidden"]
    n: int
    came_from: int = 0
    head: str = ""


class Resync(msgspec.Struct, frozen=True):
    """The page stands at n and could not go on: it asks for the whole view."""

    n: int


Said = Hello | Claim | Resync

_N = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
_Head = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{0,16}$")]
_Tab = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z-]{1,64}$")]


class _Text(msgspec.Struct, frozen=True):
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
    """Return what a page said, None when it is malformed or of another protocol version."""
    try:
        said = _decode(text)
    except msgspec.MsgspecError:
        return None
    if said.hello is not None:
        return Hello(said.hello, said.tab, said.root) if said.tab and said.v == VERSION else None
    if said.applied is not None:
        return Claim("delivered", said.applied, 0, said.head)
    if said.painted is not None:
        return Claim("displayed", said.painted, said.came_from)
    if said.hidden is not None:
        return Claim("hidden", said.hidden)
    if said.paused is not None:
        return Claim("paused", said.paused)
    if said.resumed is not None:
        return Claim("resumed", said.resumed)
    return Resync(said.resync) if said.resync is not None else None
