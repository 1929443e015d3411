"""Sends mails: invitations at once, digests when they are due, and records how each was delivered.

Rule: a mail is recorded as queued before it is handed to the mail server, and the server's answer after. A mail that
may have been sent is never sent again automatically; one that was put off is, by whichever process leads.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from domain.errors import Refused
from domain.ids import ClientId, CommandId, PersonId
from domain.language import gettext as _
from domain.people.mails import Mail, QueueMail, SettleMail
from projections.installation.crash_point import CrashPoint, nowhere
from web.ids import new_id
from web.mail import cadence, letters, smtp
from web.mail.due import Due, Errand
from web.mail.reach import reached_at
from web.mail.writer import MailSettings, MailSources, Writer
from web.write.permission import SYSTEM, Actor
from web.write.service import Service

log = logging.getLogger("fanlight.post")
EVERY = 5.0  # seconds between two searches for mails that are due
PATIENCE = 8.0  # seconds for which the page that invites waits for the mail server's answer
REST = timedelta(minutes=1)  # before a mail server that could not be reached is tried again


class SenderPorts(MailSources, frozen=True, kw_only=True):
    """What sending mails uses of the product."""

    service: Service
    leads: Callable[[], bool] = lambda: True  # whether this process sends the mails that are due
    crash_point: CrashPoint = nowhere


class MailSender:
    """Sends the mails of one process."""

    def __init__(
        self,
        mailing: MailSettings,
        ports: SenderPorts,
    ) -> None:
        self.mailing = mailing
        self._service, self._present, self._clock = ports.service, ports.present, ports.clock
        self._leads, self._crash_point = ports.leads, ports.crash_point
        self._due = Due(ports.disclosure, mailing.hour)
        self._writer = Writer(mailing, ports)
        self._rests_until: datetime | None = None
        self.failure = ""  # why the mail server could not be reached, "" where it could
        self._sending: list[threading.Thread] = []  # threads that send invitations

    # invitations

    def invite(self, actor: Actor, person: PersonId, client: ClientId | None, secret: str) -> Mail | None:
        """Mail somebody their link to a client, or as a colleague where that is None.

        Return the mail after the server answered or `PATIENCE` ran out.

        Raises: Refused.
        """
        errand = Errand(person=person, mail=new_id(), kind="invitation", client=client)
        self._queue(actor, errand)
        sending = threading.Thread(target=self._send, args=(errand, secret), name="invitation", daemon=True)
        self._sending = [*(thread for thread in self._sending if thread.is_alive()), sending]
        sending.start()
        sending.join(PATIENCE)
        return self._mail(errand)

    def finish(self, seconds: float) -> bool:
        """Wait at most so many seconds for invitations that are being sent; return whether none is any more."""
        end = time.monotonic() + seconds
        for thread in self._sending:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._sending)

    def _send(self, errand: Errand, secret: str = "", way_on: str = "") -> None:
        try:
            with smtp.talking(self.mailing.server, self._name) as session:
                self._hand(session, errand, secret, way_on)
        except smtp.Away as away:
            self._settle(errand, smtp.Outcome("deferred", str(away)))
        except Exception:
            log.exception("a mail with a link could not be handed over")

    # links that were asked for on the sign-in page

    def link(self, errand: Errand, to: str) -> None:
        """Mail somebody the link they asked for, unless they had too many; `to`: the page it leads on to, or "".

        Raises: Refused when their access ended a moment ago.
        """
        if self._queue(SYSTEM, errand):
            self._crash_point("after-mail-queued")
            self._send(errand, way_on=to)

    # digests, and mails that were put off; only where this process leads

    def run(self, stop: threading.Event) -> None:
        """Send what is due until `stop`."""
        while not stop.wait(EVERY):
            try:
                if self._leads():
                    self.look()
            except Exception:
                log.exception("mailing failed; it is tried again")

    def look(self) -> int:
        """Hand over every mail that is due now, and return how many were handed over."""
        return self.send(self._due.errands(self._present.refresh(), self._clock()))

    def send(self, errands: Sequence[Errand]) -> int:
        """Queue and hand over some mails, unless the server is away; return how many were handed over."""
        now = self._clock()
        if not errands or (self._rests_until is not None and now < self._rests_until):
            return 0
        try:
            with smtp.talking(self.mailing.server, self._name) as session:
                sent = sum(self._send_due(session, errand) for errand in errands)
        except smtp.Away as away:
            self._rest(now, str(away))
            return 0
        self.failure = ""
        return sent

    def _rest(self, now: datetime, reason: str) -> None:
        """Do not try a server that is away for a while; nothing was queued, so everything stays due."""
        if reason != self.failure:
            log.warning("the mail server is away, and what is due waits: %s", reason)
        self.failure, self._rests_until = reason, now + REST

    def _send_due(self, session: smtp.Session, errand: Errand) -> int:
        """Queue and hand over one mail that is due; return 1 if it was handed over, else 0."""
        if session.broken or not self._leads():
            return 0
        try:
            queued = self._mail(errand)
            if queued is not None and self._clock() - queued.at > cadence.GIVE_UP:
                self._settle(errand, smtp.Outcome("refused", _("Given up after three days: {told}", told=queued.told)))
                return 0
            if queued is None and errand.kind == "digest" and self._writer.content(errand) is None:
                return 0  # all of it was erased
            if not self._queue(SYSTEM, errand):
                return 0  # another process was faster
            self._crash_point("after-mail-queued")
            return self._hand(session, errand)
        except Refused:
            return 0  # its recipient was disabled or erased a moment ago
        except Exception:
            log.exception("a mail could not be made; the others go on")
            return 0

    # one mail

    def _queue(self, actor: Actor, errand: Errand) -> bool:
        """Record a mail as queued, and return False where another process did so before."""
        command = QueueMail(
            person=errand.person,
            mail=errand.mail,
            kind=errand.kind,
            share=errand.share,
            after=errand.after,
            to=errand.to,
            client=errand.client,
            most=errand.most,
            about=errand.about,
            address=errand.address,
            news=errand.news,
        )
        return bool(self._service.execute(actor, command, command_id=CommandId(new_id(24))).events)

    def _hand(self, session: smtp.Session, errand: Errand, secret: str = "", way_on: str = "") -> int:
        """Hand over a queued mail if there still is a reason, and record the answer; return 1 if handed over."""
        mail, address = self._mail(errand), self._address(errand)
        if mail is None or not address:
            return 0
        if not letters.writable(address):
            self._settle(errand, smtp.Outcome("refused", _("No email can be sent to this address")))
            return 0
        try:
            content = self._content(errand, mail, secret, way_on)
        except Exception:
            self._settle(errand, smtp.Outcome("deferred", _("It could not be made; it is tried again")))
            raise
        if content is None:
            self._settle(errand, None)
            return 0
        outcome = session.hand(self.mailing.sender, address, content)
        self._crash_point("before-mail-settled")
        self._settle(errand, outcome)
        return 1

    def _address(self, errand: Errand) -> str:
        """Return the address a mail goes to: the one given for its client; "" for nobody."""
        world = self._present.world
        person = world.people.get(errand.person)
        if errand.address:
            return errand.address if person is not None and person.comes_in else ""
        if errand.kind == "link":
            return reached_at(person, errand.client) if person is not None else ""
        client = world.shares[errand.share].client if errand.share is not None else errand.client
        known = person.known_to(client) if person is not None and client is not None else None
        return known.email if known is not None else person.email if person is not None else ""

    def _content(self, errand: Errand, mail: Mail, secret: str, way_on: str) -> bytes | None:
        writer = self._writer
        match mail.kind:
            case "digest":
                return writer.digest(errand, mail)
            case "link":
                return writer.link(errand, mail, way_on)
            case "address" | "passkey":
                return writer.own_change(errand, mail)
            case "notice":
                return writer.notice(errand, mail)
            case "device" | "copied":
                return writer.of_device(errand, mail)
            case "invitation":
                return writer.invitation(errand, mail, secret)

    def _settle(self, errand: Errand, outcome: smtp.Outcome | None) -> None:
        """Record how a mail was delivered; None: it was not sent, because there was no reason any more."""
        if outcome is not None and outcome.state == "unknown":
            return  # it stays queued: it may have been sent
        state, told = (outcome.state, outcome.told) if outcome else ("dropped", "")
        command = SettleMail(person=errand.person, mail=errand.mail, state=state, told=told)  # type: ignore[arg-type]
        try:
            self._service.execute(SYSTEM, command, command_id=CommandId(new_id(24)))
        except Refused:  # its recipient was disabled or erased meanwhile, and nothing more is recorded of them
            log.info("what became of a mail is not recorded: its person is gone")

    def _mail(self, errand: Errand) -> Mail | None:
        person = self._present.refresh().people.get(errand.person)
        return next((mail for mail in person.mails if mail.id == errand.mail), None) if person else None

    @property
    def _name(self) -> str:
        """The host name by which we greet the mail server (RFC 5321, EHLO)."""
        return self.mailing.sender.rpartition("@")[2]
