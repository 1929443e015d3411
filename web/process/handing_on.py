"""Hands on what was recorded: sends new entries to open dashboards, and closes sockets whose rights ended."""

import asyncio
import threading
from collections.abc import Callable, Sequence

from domain.agreement import share as agreement_share
from domain.events import Recorded
from domain.ids import ClientId
from domain.people import clients
from domain.people.memberships import MembershipEnded
from domain.people.person import PersonDisabled, PersonErased
from domain.people.providers import ProviderRemoved, ProviderUsed
from domain.people.sign_ins import SessionEnded
from projections.entries.entry import Entry
from projections.events.present import CurrentWorld
from web.push.live import Live


class Loop:
    """Calls functions on the event loop of this process, from threads; does nothing before `bind`."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def bind(self) -> asyncio.AbstractEventLoop:
        """Take the running loop, and return it."""
        self._loop = asyncio.get_running_loop()
        return self._loop

    def call(self, call: Callable[..., object], *arguments: object) -> None:
        """Call a function on the event loop soon. For threads."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(call, *arguments)

    def flush(self, patience: float) -> bool:
        """Return once all that was to be called by now was called; False after so many seconds. For threads."""
        if self._loop is None or self._loop.is_closed():
            return True
        done = threading.Event()
        self.call(done.set)
        return done.wait(patience)


class HandingOn:
    """Hands on what this process and others recorded. For threads; `sent` is called with entries that were sent."""

    def __init__(self, live: Live, present: CurrentWorld, loop: Loop, sent: Callable[[Sequence[Entry]], None]) -> None:
        self._live, self._present, self._loop, self._sent = live, present, loop, sent

    def send(self, share: str, entries: Sequence[Entry]) -> None:
        """Send recorded entries to every open dashboard of their share on this process."""
        self._live.publish_threadsafe(share, [(entry.n, entry.message) for entry in entries])
        self._sent(entries)

    def cut(self, new: Sequence[Recorded]) -> None:
        """Close the sockets whose rights these events end, before anything else is sent."""
        for recorded in new:
            match recorded.event:
                case SessionEnded(session=session):
                    self._loop.call(self._live.end_session, session)
                case PersonDisabled():
                    self._loop.call(self._live.end_person, None, recorded.stream.partition("-")[2])
                case PersonErased(person=person):
                    self._loop.call(self._live.end_person, None, person)
                    self._loop.call(self._live.forget_all)
                case MembershipEnded(client=client):
                    of = recorded.stream.partition("-")[2]
                    for share in self._present.world.shares_of_client(client):
                        self._loop.call(self._live.end_person, share.id, of)
                case ProviderUsed(provider=provider) | ProviderRemoved(provider=provider):
                    for session in self._present.world.put_out.get(provider, ()):
                        self._loop.call(self._live.end_session, session)
                case agreement_share.ShareRevoked():
                    self._loop.call(self._live.end_share, recorded.stream.partition("-")[2])
                case clients.ClientEnded():
                    for share in self._present.world.shares_of_client(ClientId(recorded.stream.partition("-")[2])):
                        self._loop.call(self._live.end_share, share.id)
                case _:
                    pass
