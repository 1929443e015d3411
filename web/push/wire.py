"""WebSocket frames (RFC 6455) as bytes: builds the frames we send, and reads those of pages within hard limits.

Rule: bytes in, bytes and texts out; no socket, share or clock. Of a page's bytes only one incomplete message is kept,
never more than the limit.
"""

import logging
from collections.abc import Callable, Iterator, Sequence

import msgspec
from websockets.extensions import Extension
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import OPEN, SERVER, Protocol

try:
    from websockets.speedups import apply_mask  # in C
except ImportError:  # where there is none for this platform
    from websockets.utils import apply_mask

logger = logging.getLogger("fanlight.push")

TEXT, PACKED, CLOSE, PING_OPCODE = 0x81, 0xC1, 0x88, 0x89  # PACKED: a text, compressed
PING = bytes((PING_OPCODE, 0))
LONGEST_HEADER = 14
_SMALL_PONG, _MASKED = 0x8A, 0x80

Unpack = Callable[[bytes, int], bytes | None]  # of a payload and the most bytes its text may have


def framed(payload: bytes, *, packed: bool = False) -> bytes:
    """Return a payload as one whole, unmasked text frame; `packed`: it is compressed already."""
    first, size = PACKED if packed else TEXT, len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 1 << 16:
        return bytes((first, 126)) + size.to_bytes(2) + payload
    return bytes((first, 127)) + size.to_bytes(8) + payload


def close_frame(code: int) -> bytes:
    """Return a close frame with a code and no reason."""
    return Frame(Opcode.CLOSE, Close(code, "").serialize()).serialize(mask=False)


def unframed(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the first byte and the payload of each frame; `data` holds whole, unmasked frames."""
    at = 0
    while at < len(data):
        size, start = data[at + 1], at + 2
        if size == 126:
            size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
        elif size == 127:
            size, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
        yield data[at], data[start : start + size]
        at = start + size


def small_texts(data: bytes, unpack: Unpack | None = None, longest: int = 0) -> tuple[list[bytes], int]:
    """Return the texts of the whole small frames (text or pong) that `data` begins with, and how many bytes they took.

    Nearly all messages of pages are such frames; reading them without a parser halves the cost of a receipt. With
    `unpack` compressed ones are read too, up to `longest` bytes each.
    """
    texts: list[bytes] = []
    at, end = 0, len(data)
    while end - at >= 6:
        first, size = data[at], data[at + 1] - _MASKED
        stop = at + 6 + size
        if not 0 <= size < 126 or stop > end:
            break
        if first == TEXT:
            texts.append(apply_mask(data[at + 6 : stop], data[at + 2 : at + 6]))
        elif first == PACKED and unpack is not None:
            text = unpack(apply_mask(data[at + 6 : stop], data[at + 2 : at + 6]), longest)
            if text is None:
                break  # the parser finds out what is wrong with it
            texts.append(text)
        elif first != _SMALL_PONG:
            break
        at = stop
    return texts, at


def one_text(data: bytes) -> bytes | None:
    """Return the text of `data` where it is one whole, small text frame and nothing else: what nearly all pages say."""
    size = len(data) - 6
    if 0 <= size < 126 and data[0] == TEXT and data[1] == _MASKED | size:
        return apply_mask(data[6:], data[2:6])
    return None


def frame_length(data: bytes | bytearray) -> int | None:
    """Return the length in bytes of the frame that `data` begins with, None while its header is incomplete."""
    if len(data) < 2:
        return None
    size, start = data[1] & 127, 2
    if size > 125:
        start = 4 if size == 126 else 10
        if len(data) < start:
            return None
        size = int.from_bytes(data[2:start], "big")
    return start + (4 if data[1] & _MASKED else 0) + size


class Intake(msgspec.Struct):
    """What was read from some bytes of a page."""

    texts: list[bytes]
    reply: bytes = b""  # to send: pongs, or the answer to a close
    work: int = 0  # frames that were read
    closed: bool = False  # the page sent a close
    broken: bool = False  # the page broke the protocol; `reply` closes with the reason


class Inbox:
    """Reads what `small_texts` cannot: incomplete frames, fragments, pings, closes and garbage.

    It is made when one of these comes, and dropped as soon as nothing is incomplete. The sans-I/O protocol of
    `websockets` is given whole frames only, so that its parser holds nothing when it is dropped.
    """

    __slots__ = ("_broken", "_extensions", "_limit", "_protocol", "_raw", "_said", "_textual", "_unpack")

    def __init__(self, limit: int, unpack: Unpack | None = None, extensions: Sequence[Extension] = ()) -> None:
        self._limit, self._unpack, self._extensions = limit, unpack, list(extensions)
        self._raw = bytearray()
        self._protocol: Protocol | None = None
        self._said = bytearray()
        self._textual = True
        self._broken = False

    @property
    def empty(self) -> bool:
        """Whether nothing is incomplete. False for good once the page broke the protocol: the rest is discarded."""
        return not self._broken and not self._raw and (self._protocol is None or self._protocol.current_size is None)

    def feed(self, data: bytes) -> Intake:
        """Take bytes of a page, and return what is complete now."""
        intake = Intake([])
        if self._broken:
            return intake
        self._raw += data
        while not intake.closed and not intake.broken:
            if self._protocol is None:
                texts, took = small_texts(bytes(self._raw), self._unpack, self._limit)
                intake.texts += texts
                intake.work += len(texts)
                del self._raw[:took]
            chunk = self._whole_frame()
            if chunk is None:
                break
            self._look(chunk, intake)
        return intake

    def _whole_frame(self) -> bytes | None:
        length = frame_length(self._raw)
        if length is None or len(self._raw) < length <= self._limit + LONGEST_HEADER:
            return None
        chunk = bytes(self._raw[:length])  # of one that is too long, its header is enough to be refused
        del self._raw[:length]
        return chunk

    def _look(self, chunk: bytes, intake: Intake) -> None:
        protocol = self._protocol
        if protocol is None:
            protocol = Protocol(SERVER, state=OPEN, max_size=self._limit, logger=logger)
            protocol.extensions = self._extensions
        protocol.receive_data(chunk)
        for event in protocol.events_received():
            intake.work += 1
            if isinstance(event, Frame):
                self._take(event.opcode, bytes(event.data), event.fin, intake)
        intake.reply += b"".join(protocol.data_to_send())
        self._broken = protocol.parser_exc is not None
        intake.closed = protocol.close_rcvd is not None and not self._broken
        intake.broken = self._broken
        self._protocol = protocol if protocol.current_size is not None else None

    def _take(self, opcode: Opcode, data: bytes, fin: bool, intake: Intake) -> None:
        if opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        if opcode is not Opcode.CONT:
            self._textual = opcode is Opcode.TEXT
        self._said += data
        if fin:
            intake.texts.append(bytes(self._said) if self._textual else b"")  # a binary message counts as an empty text
            self._said.clear()
