"""Who is behind a socket, and what the manager sees of an open dashboard."""

import msgspec


class Viewer(msgspec.Struct, frozen=True):
    """Who is behind a socket. `expires` is POSIX seconds, 0 = never; the page's hello names the tab."""

    person: str
    share: str
    session: str
    tab: str = ""
    expires: float = 0.0


class Watching(msgspec.Struct, frozen=True):
    """One open dashboard, for the manager's page."""

    person: str
    tab: str
    since: int
    sent: int
    displayed: int
    visible: bool
    paused: bool
