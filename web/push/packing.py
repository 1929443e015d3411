"""Compressed updates (RFC 7692): one compression for every socket of a share, whenever it joined.

A socket's inflate window is the end of what it was sent compressed, whoever compressed it. Every open dashboard of a
share is sent the same updates, so the window of a socket that was sent the last k of them ends with those k. A round is
compressed against its k predecessors, once for each k that some socket needs: a power of two, or all that fit into the
window. What is sent to one socket alone goes out uncompressed, which leaves its window as it is.

Rule: what a socket is sent depends on what its own share was shown and on how many of the updates before it took, on
nothing else: not on other shares, not on when other pages came. docs/decisions/0037 says why.
"""

import zlib
from collections import deque
from collections.abc import Reversible, Sequence
from functools import lru_cache

from websockets.exceptions import InvalidHeaderFormat
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.headers import parse_extension

from web.push import wire

WINDOW = 1 << 15  # bytes that a compressed update may refer back to: the most that RFC 7692 knows
HEADER = b"sec-websocket-extensions"
ANSWER = b"permessage-deflate; client_no_context_takeover"  # each message of a page is compressed on its own, if at all
_NAME = "permessage-deflate"
_FINE = ("client_no_context_takeover", "client_max_window_bits")  # what a page may ask for and we can keep
_LEVEL, _RAW, _TAIL = 6, -15, b"\x00\x00\xff\xff"


@lru_cache(64)  # browsers send few different ones
def is_offered(header: str) -> bool:
    """Tell whether a page's `Sec-WebSocket-Extensions` offers what `ANSWER` accepts.

    A page that asks for a smaller window, or for none, is sent plain frames.
    """
    try:
        offers = parse_extension(header) if header else []
    except InvalidHeaderFormat:
        return False
    return any(name == _NAME and all(asked in _FINE for asked, _ in asks) for name, asks in offers)


def earlier(frames: Reversible[bytes]) -> tuple[bytes, ...]:
    """Return the last of these frames, as many as fill the window, in their order."""
    size, last = 0, deque[bytes]()
    for frame in reversed(frames):
        last.appendleft(frame)
        size += len(frame)
        if size >= WINDOW:
            break
    return tuple(last)


class Packed:
    """The frames of one round, compressed once for each number of updates before it that sockets hold."""

    def __init__(self, frames: Sequence[bytes], before: Sequence[bytes]) -> None:
        self._frames, self._before = frames, before
        self._made: dict[int, bytes] = {}

    def after(self, held: int) -> bytes:
        """Return the frames for a socket that was sent the last `held` updates compressed and nothing between them."""
        depth = len(self._before) if held >= len(self._before) else (1 << held.bit_length()) >> 1
        made = self._made.get(depth)
        if made is None:
            made = self._made[depth] = packed(self._frames, self._before[len(self._before) - depth :])
        return made


def packed(frames: Sequence[bytes], before: Sequence[bytes] = ()) -> bytes:
    """Return whole text frames compressed against the end of those before them, one after the other."""
    known = b"".join(payload for frame in before for _, payload in wire.unframed(frame))[-WINDOW:]
    packer = (
        zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW, zdict=known)
        if known
        else zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    )
    made = []
    for frame in frames:
        for _, payload in wire.unframed(frame):
            small = packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH)
            made.append(wire.framed(small.removesuffix(_TAIL), packed=True))
    return b"".join(made)


def unpacked(payload: bytes, longest: int) -> bytes | None:
    """Return the text of a page's compressed message; None where it is broken, or longer than `longest` bytes."""
    unpacker = zlib.decompressobj(_RAW)
    try:
        text = unpacker.decompress(payload + _TAIL, longest + 1)
    except zlib.error:
        return None
    return None if len(text) > longest or unpacker.unconsumed_tail else text


def extension() -> PerMessageDeflate:
    """Return what reads a page's compressed messages that come in pieces."""
    return PerMessageDeflate(
        remote_no_context_takeover=True,
        local_no_context_takeover=True,
        remote_max_window_bits=15,
        local_max_window_bits=15,
    )
