"""The tuning constants of the push layer."""

import msgspec


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
