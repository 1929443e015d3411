"""Builds what tells our own people: mails about their lists, messages to channels, and the threads of both."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from projections.events.for_you import ForYou
from projections.events.present import CurrentWorld
from projections.installation.crash_point import CrashPoint
from projections.installation.folder import Logs
from web.mail.sender import MailSender
from web.outside.addresses import networks
from web.outside.sender import Sender
from web.settings import Settings
from web.telling.notices import Notices, NoticeSources
from web.telling.poster import Poster, PosterPorts
from web.write.service import Service

Work = tuple[str, Callable[[threading.Event], None]]


class TellingPorts(msgspec.Struct, frozen=True, kw_only=True):
    """What telling uses of a process."""

    settings: Settings
    logs: Logs
    present: CurrentWorld
    for_you: ForYou
    parked: Callable[[], Mapping[str, int]]  # the shares that stopped
    clock: Callable[[], datetime]  # UTC
    leads: Callable[[], bool]
    crash_point: CrashPoint


class Telling:
    """The mails and messages of one process."""

    def __init__(self, ports: TellingPorts) -> None:
        self._ports = ports
        self.notices = Notices(
            NoticeSources(
                for_you=ports.for_you,
                present=ports.present,
                parked=ports.parked,
                clock=ports.clock,
                origin=ports.settings.origin,
                hour=ports.settings.digest_hour,
            )
        )

    def poster(self, service: Service) -> Poster:
        """Return what sends to channels."""
        ports = self._ports
        return Poster(
            PosterPorts(
                service=service,
                present=ports.present,
                for_you=ports.for_you,
                parked=ports.parked,
                open_secret=ports.logs.events.open_secret,
                clock=ports.clock,
                origin=ports.settings.origin,
                sender=Sender(networks(ports.settings.outside_networks), authority=ports.settings.outside_ca),
                leads=ports.leads,
                crash_point=ports.crash_point,
            )
        )

    def work(self, poster: Poster, sender: MailSender | None) -> list[Work]:
        """Return what each thread runs until it is to stop, by name; they look whenever something is recorded."""
        notices, leads = self.notices, self._ports.leads
        self._ports.present.listen(lambda _new: poster.wake())
        work: list[Work] = [("channels", poster.run)]
        if sender is not None:
            self._ports.present.listen(lambda _new: notices.wake())
            work.append(("notices", lambda stop: notices.run(stop, sender.send, leads)))
        return work
