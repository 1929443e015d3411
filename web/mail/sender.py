"""Mail as it goes out: invitations at once, digests when they are due, and what became of each, on record.

Rule: a mail is recorded as queued before it is handed over, and what the server answered after. What may have gone
out is never sent again by itself; what was put off is, by whichever process leads.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from domain.errors import Refused
from domain.ids import CommandId, PersonId
from domain.language import gettext as _
from domain.people.mails import Mail, QueueMail, SettleMail
from projections.installation.crash_point import CrashPoint, nowhere
from web.ids import new_id
from web.mail import cadence, letters, smtp
from web.mail.due import Due, Errand
from web.mail.writer import MailSettings, MailSources, Writer
from web.write.permission import SYSTEM, Actor
from web.write.service import Service

if TYPE_CHECKING:
    pass

log = logging.getLogger("fanlight.post")
EVERY = 5.0  # seconds between looks for what is due
PATIENCE = 8.0  # seconds for which whoever invites waits for the mail server's answer
REST = timedelta(minutes=1)  # before a mail server that was away is tried again


class SenderPorts(MailSources, frozen=True, kw_only=True):
    """What sending mail needs of the product."""

    service: Service
    leads: Callable[[], bool] = lambda: True  # this process mails what is due
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
        self.failure = ""  # what keeps digests from being handed over
        self._sending: list[threading.Thread] = []  # invitations that are under way

    # invitations

    def invite(self, actor: Actor, person: PersonId, secret: str) -> Mail | None:
        """Mail somebody their link, and return how that stands once the server answered, or did not in time.

        Raises: Refused.
        """
        errand = Errand(person=person, mail=new_id(), kind="invitation")
        self._queue(actor, errand)
        sending = threading.Thread(target=self._send, args=(errand, secret), name="invitation", daemon=True)
        self._sending = [*(thread for thread in self._sending if thread.is_alive()), sending]
        sending.start()
        sending.join(PATIENCE)
        return self._mail(errand)

    def finish(self, seconds: float) -> None:
        """Wait for invitations that are under way, so long at most, before the logs are closed."""
        end = time.monotonic() + seconds
        for thread in self._sending:
            thread.join(max(0.0, end - time.monotonic()))

    def _send(self, errand: Errand, secret: str) -> None:
        try:
            with smtp.talking(self.mailing.server, self._name) as session:
                self._hand(session, errand, secret)
        except smtp.Away as away:
            self._settle(errand, smtp.Outcome("deferred", str(away)))
        except Exception:
            log.exception("an invitation could not be handed over")

    # digests, and what was put off; only where this process leads

    def run(self, stop: threading.Event) -> None:
        """Look for what is due until `stop`."""
        while not stop.wait(EVERY):
            try:
                if self._leads():
                    self.look()
            except Exception:
                log.exception("mailing failed; it is tried again")

    def look(self) -> int:
        """Hand over every mail that is due now, and return how many those were."""
        now = self._clock()
        if self._rests_until is not None and now < self._rests_until:
            return 0
        errands = self._due.errands(self._present.refresh(), now)
        if not errands:
            return 0
        try:
            with smtp.talking(self.mailing.server, self._name) as session:
                done = sum(self._carry(session, errand) for errand in errands)
        except smtp.Away as away:
            self._rest(now, str(away))
            return 0
        self.failure = ""
        return done

    def _rest(self, now: datetime, why: str) -> None:
        """Let a server that is away alone for a while; nothing was queued, so all of it stays due."""
        if why != self.failure:
            log.warning("the mail server is away, and what is due waits: %s", why)
        self.failure, self._rests_until = why, now + REST

    def _carry(self, session: smtp.Session, errand: Errand) -> int:
        """Send one mail, and return 1 where it was handed over."""
        if session.broken or not self._leads():
            return 0
        try:
            known = self._mail(errand)
            if known is not None and self._clock() - known.at > cadence.GIVE_UP:
                self._settle(errand, smtp.Outcome("refused", _("Given up after three days: {told}", told=known.told)))
                return 0
            if known is None and self._writer.told(errand) is None:
                return 0  # all of it was erased
            if not self._queue(SYSTEM, errand):
                return 0  # another process was faster
            self._crash_point("after-mail-queued")
            return self._hand(session, errand)
        except Refused:
            return 0  # whom it was for was disabled or erased a moment ago
        except Exception:
            log.exception("a mail could not be made; the others go on")
            return 0

    # one mail

    def _queue(self, actor: Actor, errand: Errand) -> bool:
        command = QueueMail(
            person=errand.person,
            mail=errand.mail,
            kind=errand.kind,
            share=errand.share,
            after=errand.after,
            to=errand.to,
        )
        return bool(self._service.execute(actor, command, command_id=CommandId(new_id(24))).events)

    def _hand(self, session: smtp.Session, errand: Errand, secret: str = "") -> int:
        """Hand over what is queued, unless there is no more reason to, and record the answer; return 1 where handed."""
        mail, person = self._mail(errand), self._present.world.people.get(errand.person)
        if mail is None or person is None:
            return 0
        if not letters.writable(person.email):
            self._settle(errand, smtp.Outcome("refused", _("No mail can be sent to this address")))
            return 0
        try:
            content = self._content(errand, mail, secret)
        except Exception:
            self._settle(errand, smtp.Outcome("deferred", _("It could not be made; it is tried again")))
            raise
        if content is None:
            self._settle(errand, None)
            return 0
        outcome = session.hand(self.mailing.sender, person.email, content)
        self._crash_point("before-mail-settled")
        self._settle(errand, outcome)
        return 1

    def _content(self, errand: Errand, mail: Mail, secret: str) -> bytes | None:
        writer = self._writer
        return writer.digest(errand, mail) if mail.kind == "digest" else writer.invitation(errand, mail, secret)

    def _settle(self, errand: Errand, outcome: smtp.Outcome | None) -> None:
        """Record what became of a mail; None: it was not sent, for there was no more reason to."""
        if outcome is not None and outcome.state == "unknown":
            return  # it stays queued: it may have gone out
        state, told = (outcome.state, outcome.told) if outcome else ("dropped", "")
        command = SettleMail(person=errand.person, mail=errand.mail, state=state, told=told)  # type: ignore[arg-type]
        try:
            self._service.execute(SYSTEM, command, command_id=CommandId(new_id(24)))
        except Refused:  # they were disabled or erased meanwhile, and nothing more is said of them
            log.info("what became of a mail is not recorded: its person is gone")

    def _mail(self, errand: Errand) -> Mail | None:
        person = self._present.refresh().people.get(errand.person)
        return next((mail for mail in person.mails if mail.id == errand.mail), None) if person else None

    @property
    def _name(self) -> str:
        """What we call ourselves to the mail server."""
        return self.mailing.sender.rpartition("@")[2]
