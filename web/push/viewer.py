"""The viewer behind a socket, and an open dashboard as managers see it."""

import msgspec


class Viewer(msgspec.Struct, frozen=True, gc=False):
    """The viewer behind a socket. `expires`: POSIX seconds, 0 = never.

    `by`: of a wall display, the person who made it; what ends their rights closes it too.
    """

    person: str
    share: str
    session: str
    expires: float = 0.0
    by: str = ""


class Watching(msgspec.Struct, frozen=True):
    """One open dashboard: who has it open in which tab, and the numbers of updates it was sent and displays."""

    person: str
    tab: str
    since: int  # the number its page held when it connected
    sent: int
    displayed: int
    visible: bool
    paused: bool
