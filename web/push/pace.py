"""The tuning constants of the push layer."""

import msgspec


class Pace(msgspec.Struct, frozen=True):
    """Intervals and limits: seconds and bytes where no unit is named."""

    tick_every: float = 20.0
    dead_after: float = 45.0  # a peer that is silent, or takes no byte, for longer is aborted
    hello_within: float = 10.0  # for the first message of a page; checked once a tick
    close_grace: float = 3.0  # for the page's answer to a close; then it is aborted
    drain: float = 2.5  # the longest a staged close takes
    far: int = 512  # updates; a page that is further behind is sent the whole view instead of the frames
    ring_frames: int = 256  # newest frames of a share that are kept in memory, at most
    ring_bytes: int = 4 << 20  # and their size
    slice_frames: int = 64  # frames read from the log at a time
    slice_bytes: int = 256 << 10  # of one write; a slow reader leaves no more than one unsent
    chunk: int = 128  # watchers written to before the event loop runs other tasks
    rest: float = 3.0  # times the CPU that a round took, before the next one of the share begins
    longest_rest: float = 0.05
    inbound: int = 1200  # frames a page may send from one tick to the next
    views: int = 8  # whole views a page may ask for from one tick to the next
    longest: int = 4096  # bytes of a page's message
    claims_every: float = 0.1  # between two times that claims are handed on together
    packs: bool = True  # updates are compressed for pages that take it
    empty_room: float = 60.0  # for which a share without watchers keeps its ring
